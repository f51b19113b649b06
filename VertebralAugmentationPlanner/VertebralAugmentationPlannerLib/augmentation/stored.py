"""Balloons and cement as a plan has them, held against the body: what of them cannot be, and why; what was set by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..model import CANNULAS, BalloonPlan, InputError, LevelPlan, PlanOptions, Trajectory, Vertebra
from ..model.geometry import unit
from .catalog import BalloonDevice, find_device
from .cement import fillers, plan_cement
from .inflation import Inflation, simulate_inflation
from .placement import beside_the_target
from .room import BodyRoom, body_room
from .spheroid import BalloonShape, balloon_shape

SAME_VOLUME_ML = 0.1
"""Volumes that differ by less are the same: the step in which inflation syringes are read. [M]"""

SAME_SIZE_MM = 0.1
"""Diameters of a balloon and of its volume that differ by less are the same: what a sentence shows. [D]"""

SAME_PRESSURE_PSI = 0.5
"""Pressures that differ by less are the same: what a sentence shows. [D]"""


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
    return _place_fault(needle, balloon, shape, device) or _limits_fault(balloon, inflation)


def _place_fault(needle: Trajectory, balloon: BalloonPlan, shape: BalloonShape, device: BalloonDevice) -> str | None:
    """What of the lengths that the operator goes by is not that of the balloon where it lies; an older plan has fewer."""
    near, far, middle = (np.array(point) for point in (balloon.proximal_ras, balloon.distal_ras, balloon.centre_ras))
    if abs(float(np.linalg.norm(far - near)) - device.length_mm) > SAME_SIZE_MM:
        return f"the balloon’s ends are not {device.length_mm:.0f} mm apart"
    if np.linalg.norm((near + far) / 2 - middle) > SAME_SIZE_MM:
        return "the balloon’s centre is not midway between its ends"
    target = np.array(needle.target_ras)
    along = unit(target - np.array(needle.entry_ras))
    ends = float((near - target) @ along), float((far - target) @ along)
    if ends[0] >= ends[1]:
        return "the balloon’s near and far end are exchanged"
    back, beyond = beside_the_target(ends, shape.length_mm - device.length_mm)
    for what, has, due in (
        ("the inflated balloon is {} long", balloon.planned_length_mm, shape.length_mm),
        ("the cannula is to be drawn back {}", balloon.cannula_retraction_mm, back),
        ("the channel is to reach {} beyond the target", balloon.channel_beyond_target_mm, beyond),
    ):
        if has is not None and abs(has - due) > SAME_SIZE_MM:
            return f"{what.format(f'{due:.1f} mm')}, not {has:.1f} mm"
    return None


def _limits_fault(balloon: BalloonPlan, inflation: Inflation) -> str | None:
    """What the plan says of the device, and of where its inflation ends, that the catalogue and the body do not."""
    device, meet = inflation.device, inflation.stopped_by == "other_balloon"
    # Plans from before ``meets_other_balloon`` have the pair's limit without it.
    largest = inflation.limit_ml if balloon.meets_other_balloon else device.max_volume_ml
    allowed = (largest, inflation.limit_ml) if meet else (largest,)
    if min(abs(balloon.max_volume_ml - volume) for volume in allowed) > SAME_VOLUME_ML:
        return f"the balloon’s largest volume is {largest:.1f} ml, not {balloon.max_volume_ml:.1f} ml"
    if balloon.limit_ml is not None and abs(balloon.limit_ml - inflation.limit_ml) > SAME_VOLUME_ML:
        return f"the balloon can be inflated to {inflation.limit_ml:.1f} ml, not {balloon.limit_ml:.1f} ml"
    given, named = balloon.max_pressure_psi, device.max_pressure_psi
    if given != named and (given is None or named is None or abs(given - named) > SAME_PRESSURE_PSI):
        due, has = ("unknown" if psi is None else f"{psi:g} psi" for psi in (named, given))
        return f"the largest pressure of {device.name} is {due}, not {has}"
    if balloon.verified != device.verified:
        return f"the numbers of {device.name} are {'' if device.verified else 'not '}verified in the catalogue"
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
    filler_ml = options.assumptions.bone_filler_ml
    counts = {fillers(volume, filler_ml) for volume in (dose.plan.volume_ml, level.cement.volume_ml)}
    if level.cement.bone_fillers not in counts:
        return [
            f"{level.cement.volume_ml:.1f} ml of cement are {max(counts)} bone fillers, not {level.cement.bone_fillers}"
        ]
    for needle in level.trajectories:
        due = dose.by_side.get(needle.side) if needle in usable else None
        if (due is None) != (needle.cement_ml is None) or abs(
            (due or 0.0) - (needle.cement_ml or 0.0)
        ) > SAME_VOLUME_ML:
            shown = "none" if needle.cement_ml is None else f"{needle.cement_ml:.1f} ml"
            return [f"{needle.side}: cement is {shown}, and would be {'none' if due is None else f'{due:.1f} ml'}"]
        # What is a whole filler in the plan's rounding may be a hair more where it is computed.
        counts = {fillers(volume or 0.0, filler_ml) for volume in (due, needle.cement_ml)}
        if needle.bone_fillers is not None and needle.bone_fillers not in counts:
            return [
                f"{needle.side}: {needle.cement_ml or 0.0:.1f} ml are {max(counts)} bone fillers, not {needle.bone_fillers}"
            ]
    return []
