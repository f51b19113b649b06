"""Balloons and cement as a plan has them, held against the body: what of them cannot be, and why; what was set by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..model import CANNULAS, BalloonPlan, InputError, LevelPlan, PlanOptions, Trajectory, Vertebra
from .catalog import BalloonDevice, find_device
from .cement import plan_cement
from .inflation import Inflation, simulate_inflation
from .room import BodyRoom, body_room
from .spheroid import balloon_shape

SAME_VOLUME_ML = 0.1
"""Volumes that differ by less are the same: the step in which inflation syringes are read. [M]"""

SAME_SIZE_MM = 0.1
"""Diameters of a balloon and of its volume that differ by less are the same: what a sentence shows. [D]"""


def untenable(
    vertebra: Vertebra, level: LevelPlan, devices: Sequence[BalloonDevice], options: PlanOptions
) -> list[str]:
    """Why balloons or cement of a level cannot be as the plan has them, in words; empty where they can.

    The balloons are inflated again where they lie, and not chosen again: the panel takes another balloon or another
    fill for one level without making it the choice of the whole plan.

    Args:
        vertebra: complete, with a canal.
        level: its needles judged on this vertebra.
        devices: of the catalogue; looked at only where the level has a balloon.
        options: for the cement's assumptions.

    Raises:
        InputError: the catalogue does not hold a balloon of the plan.
    """
    found: list[str] = []
    with_balloon = [(needle, needle.balloon) for needle in level.trajectories if needle.balloon is not None]
    room = body_room(vertebra) if with_balloon else None
    for needle, balloon in with_balloon:
        assert room is not None
        others = [other for one, other in with_balloon if one is not needle]
        why = _balloon_fault(vertebra, room, needle, balloon, others, _device(level.level, needle, balloon, devices))
        found += [f"{needle.side}: {why}"] if why is not None else []
    return found or _cement_fault(vertebra, level, options)


def set_by_hand(vertebra: Vertebra, level: LevelPlan, devices: Sequence[BalloonDevice]) -> dict[str, float]:
    """Volumes, ml by side, of the balloons that are inflated less than they could be where they lie.

    The plan inflates as far as it goes, so somebody wanted less. Of a balloon that the catalogue does not hold it cannot be
    told how far it would go: its volume counts as wanted.

    Args:
        vertebra: complete, with a canal.
        level: needles with their balloons; one without a balloon is not in the answer.
        devices: of the catalogue.
    """
    balloons = {needle.side: needle.balloon for needle in level.trajectories if needle.balloon is not None}
    room = body_room(vertebra) if balloons else None
    wanted = {}
    for side, balloon in balloons.items():
        others = [other for name, other in balloons.items() if name != side]
        try:
            device = find_device(tuple(devices), balloon.model)
        except InputError:
            wanted[side] = balloon.planned_volume_ml
            continue
        limit = _inflated(vertebra, room, balloon, others, device).limit_ml
        if balloon.planned_volume_ml < limit - SAME_VOLUME_ML:
            wanted[side] = balloon.planned_volume_ml
    return wanted


def _inflated(
    vertebra: Vertebra,
    room: BodyRoom | None,
    balloon: BalloonPlan,
    others: Sequence[BalloonPlan],
    device: BalloonDevice,
) -> Inflation:
    """A balloon of the plan inflated as far as it goes where it lies, beside the others."""
    assert vertebra.frame is not None
    ends = vertebra.frame.to_local([balloon.proximal_ras, balloon.distal_ras])
    segments = [vertebra.frame.to_local([other.proximal_ras, other.distal_ras]) for other in others]
    return simulate_inflation(vertebra, ends[0], ends[1], device, [(a, b) for a, b in segments], room)


def _device(level: str, needle: Trajectory, balloon: BalloonPlan, devices: Sequence[BalloonDevice]) -> BalloonDevice:
    try:
        return find_device(tuple(devices), balloon.model)
    except InputError as error:
        raise InputError(
            f"{level} {needle.side}: the catalogue does not hold the plan’s balloon “{balloon.model}”; give the catalogue "
            "it was planned from with --catalog."
        ) from error


def _balloon_fault(
    vertebra: Vertebra,
    room: BodyRoom,
    needle: Trajectory,
    balloon: BalloonPlan,
    others: Sequence[BalloonPlan],
    device: BalloonDevice,
) -> str | None:
    if needle.safety == "breach":
        return "the needle is a breach, and has a balloon"
    if not device.passes(CANNULAS[needle.cannula]):
        return f"the balloon does not pass the {needle.cannula} cannula"
    if abs(balloon.length_mm - device.length_mm) > SAME_SIZE_MM:
        return f"{device.name} is {device.length_mm:.0f} mm long, not {balloon.length_mm:g} mm"
    inflation = _inflated(vertebra, room, balloon, others, device)
    if balloon.planned_volume_ml > inflation.limit_ml + SAME_VOLUME_ML:
        return f"the balloon is planned with {balloon.planned_volume_ml:.1f} ml, and has room for {inflation.limit_ml:.1f} ml"
    shape = balloon_shape(device, balloon.planned_volume_ml)
    if abs(shape.diameter_mm - balloon.planned_diameter_mm) > SAME_SIZE_MM:
        return (
            f"a balloon of {balloon.planned_volume_ml:.1f} ml is {shape.diameter_mm:.1f} mm thick, not "
            f"{balloon.planned_diameter_mm:.1f} mm"
        )
    return None


def _cement_fault(vertebra: Vertebra, level: LevelPlan, options: PlanOptions) -> list[str]:
    """A level without cement has none that could be wrong."""
    if level.cement is None:
        return []
    usable = [needle for needle in level.trajectories if needle.safety != "breach"]
    cavities = {needle.side: needle.balloon.planned_volume_ml if needle.balloon else 0.0 for needle in usable}
    dose = plan_cement(vertebra, level.measurements, cavities, replace(options, target_fill=level.cement.target_fill))
    if dose is None:
        return ["there is cement, and the body’s volume is unknown" if usable else "there is cement without a needle"]
    if abs(dose.plan.volume_ml - level.cement.volume_ml) > SAME_VOLUME_ML:
        return [f"cement is {level.cement.volume_ml:.1f} ml, and would be {dose.plan.volume_ml:.1f} ml"]
    for needle in level.trajectories:
        due = dose.by_side.get(needle.side) if needle in usable else None
        if (due is None) != (needle.cement_ml is None) or abs(
            (due or 0.0) - (needle.cement_ml or 0.0)
        ) > SAME_VOLUME_ML:
            shown = "none" if needle.cement_ml is None else f"{needle.cement_ml:.1f} ml"
            return [f"{needle.side}: cement is {shown}, and would be {'none' if due is None else f'{due:.1f} ml'}"]
    return []
