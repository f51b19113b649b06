"""Balloons and cement as a plan has them, held against the body: what of them cannot be, and why; what was set by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..model import CANNULAS, BalloonPlan, CementPlan, InputError, LevelPlan, PlanOptions, Trajectory, Vertebra
from ..model.geometry import unit
from .catalog import BalloonDevice, find_device
from .cement import fillers, plan_cement
from .inflation import Inflation, simulate_inflation
from .placement import beside_the_target
from .prediction import predict
from .room import BodyRoom, body_room
from .spheroid import BalloonShape, balloon_shape

SAME_VOLUME_ML = 0.1
"""Volumes that differ by less are the same: the step in which inflation syringes are read. [M]"""

SAME_SIZE_MM = 0.1
"""Diameters of a balloon and of its volume that differ by less are the same: what a sentence shows. [D]"""

SAME_FILL_PERCENT = 0.5
"""Shares of the body that differ by less are the same: what a sentence shows. [D]"""

SAME_ANGLE_DEG = 0.1
"""Expected wedge angles that differ by less are the same: what a sentence shows. [D]"""

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
    return found or _cement_fault(vertebra, level, options) or _prediction_fault(level)


def set_by_hand(vertebra: Vertebra, level: LevelPlan, devices: Sequence[BalloonDevice]) -> dict[str, float]:
    """Volumes, ml by side, of the balloons that hold less than they could: the plan inflates as far as it goes, so somebody
    wanted less.

    How far it goes the plan says, also where the other needle has left more room since. Of an earlier plan, which does not,
    the balloon is inflated where it lies; one that the catalogue does not hold counts as wanted with the volume it has.

    Args:
        vertebra: complete, with a canal.
        level: needles with their balloons; one without a balloon is not in the answer.
        devices: of the catalogue.
    """
    balloons = {needle.side: needle.balloon for needle in level.trajectories if needle.balloon is not None}
    wanted = {}
    for side, balloon in balloons.items():
        others = [other for name, other in balloons.items() if name != side]
        limit_ml = balloon.limit_ml
        if limit_ml is None:
            limit_ml = _room_ml(vertebra, balloon, others, devices)
        if holds_less(balloon, limit_ml):
            wanted[side] = balloon.planned_volume_ml
    return wanted


def holds_less(balloon: BalloonPlan, limit_ml: float | None) -> bool:
    """Whether a balloon holds less than it could; so it does where that is not known."""
    return limit_ml is None or balloon.planned_volume_ml < limit_ml - SAME_VOLUME_ML


def _room_ml(
    vertebra: Vertebra, balloon: BalloonPlan, others: Sequence[BalloonPlan], devices: Sequence[BalloonDevice]
) -> float | None:
    """How far a balloon can be inflated where it lies; None where the catalogue does not hold it."""
    try:
        device = find_device(tuple(devices), balloon.model)
    except InputError:
        return None
    return _inflated(vertebra, body_room(vertebra), balloon, others, device).limit_ml


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
    # An older plan has no inflated length either.
    unknown = balloon.limit_ml is None and balloon.planned_length_mm is not None
    if unknown or (balloon.limit_ml is not None and abs(balloon.limit_ml - inflation.limit_ml) > SAME_VOLUME_ML):
        has = "an unknown volume" if balloon.limit_ml is None else f"{balloon.limit_ml:.1f} ml"
        return f"the balloon can be inflated to {inflation.limit_ml:.1f} ml, not {has}"
    stop = "max_volume" if meet else inflation.stopped_by
    if balloon.stopped_by != stop:
        named, given = (word.replace("_", " ") for word in (stop, balloon.stopped_by))
        return f"what stops the balloon is its {named}, not {given}"
    psi, most = balloon.max_pressure_psi, device.max_pressure_psi
    if psi != most and (psi is None or most is None or abs(psi - most) > SAME_PRESSURE_PSI):
        due, has = ("unknown" if value is None else f"{value:g} psi" for value in (most, psi))
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
    other = _other_range(level.cement, dose.plan)
    if other is not None:
        return [other]
    filler_ml = options.assumptions.bone_filler_ml
    counts = _counts((dose.plan.volume_ml, level.cement.volume_ml), filler_ml)
    if level.cement.bone_fillers not in counts:
        return [
            f"{level.cement.volume_ml:.1f} ml of cement are {min(counts)} bone fillers, not {level.cement.bone_fillers}"
        ]
    for needle in level.trajectories:
        due = dose.by_side.get(needle.side) if needle in usable else None
        if (due is None) != (needle.cement_ml is None) or abs(
            (due or 0.0) - (needle.cement_ml or 0.0)
        ) > SAME_VOLUME_ML:
            shown = "none" if needle.cement_ml is None else f"{needle.cement_ml:.1f} ml"
            return [f"{needle.side}: cement is {shown}, and would be {'none' if due is None else f'{due:.1f} ml'}"]
        # What is a whole filler in the plan's rounding may be a hair more where it is computed.
        counts = _counts((due or 0.0, needle.cement_ml or 0.0), filler_ml)
        if needle.bone_fillers is not None and needle.bone_fillers not in counts:
            return [
                f"{needle.side}: {needle.cement_ml or 0.0:.1f} ml are {min(counts)} bone fillers, not {needle.bone_fillers}"
            ]
    return []


def _counts(volumes_ml: Sequence[float], filler_ml: float) -> set[int]:
    """How many bone fillers volumes take; older plans counted a hair more than a whole filler as another one."""
    return {count for ml in volumes_ml for count in (fillers(ml, filler_ml), math.ceil(ml / filler_ml))}


def _other_range(has: CementPlan, due: CementPlan) -> str | None:
    """What of the numbers beside a cement volume is not as it is computed; an older plan has no marks."""
    for what, field, same, unit_ in (
        ("the cement’s target region is", "target_region_ml", SAME_VOLUME_ML, "ml"),
        ("the cement’s range begins at", "low_ml", SAME_VOLUME_ML, "ml"),
        ("the cement’s range ends at", "high_ml", SAME_VOLUME_ML, "ml"),
        ("15 % of the body are", "low_mark_ml", SAME_VOLUME_ML, "ml"),
        ("30 % of the body are", "high_mark_ml", SAME_VOLUME_ML, "ml"),
        ("the cement’s share of the body is", "body_fill_percent", SAME_FILL_PERCENT, "%"),
    ):
        given, wanted = getattr(has, field), getattr(due, field)
        if given is not None and abs(given - wanted) > same:
            return f"{what} {wanted:.1f} {unit_}, not {given:.1f} {unit_}"
    return None


def _prediction_fault(level: LevelPlan) -> list[str]:
    """A level without an expected height has none that could be wrong: an edited height takes it away."""
    has = level.predicted
    if has is None:
        return []
    due = None if level.measurements is None else predict(level.measurements, has.restoration_fraction)
    if due is None:
        return ["there is an expected height, and nothing to expect it from"]
    if abs(due.anterior_height_mm - has.anterior_height_mm) > SAME_SIZE_MM:
        return [f"the expected anterior height is {due.anterior_height_mm:.1f} mm, not {has.anterior_height_mm:.1f} mm"]
    if abs(due.wedge_angle_deg - has.wedge_angle_deg) > SAME_ANGLE_DEG:
        return [f"the expected wedge is {due.wedge_angle_deg:.1f}°, not {has.wedge_angle_deg:.1f}°"]
    return []
