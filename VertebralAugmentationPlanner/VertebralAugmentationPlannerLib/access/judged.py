"""Whether a needle of a plan still lies where its numbers have it: told from the plan alone, without its images."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal

import numpy as np

from ..model import CANNULAS, CasePlan, Clearance, FramePlan, InputError, LevelPlan, PlanWarning, Trajectory
from ..model.carm import positioner_direction
from ..model.geometry import FloatArray, unit
from ..model.plan import Point
from ..model.warning_codes import LINES_MOVED, NEEDLE_NOT_JUDGED
from .angles import SIDE_SIGN, convergence_deg, craniocaudal_deg, end_on_carm
from .clearance import STEP_MM
from .contradictions import contradiction

SAME_LENGTH_MM = 0.05
"""Lengths of a plan and of its points that differ by less are the same: half of what a sentence shows. [D]"""

SAME_ANGLE_DEG = 0.1
"""Angles that differ by less are the same: 0.1 mm at the tip of a needle 60 mm long. [D]"""

SAME_DIAMETER_MM = 0.005
"""Cannulas are told apart by hundredths of a millimetre. [D]"""

ON_AXIS_MM = 0.25
"""Skin point and balloon lie on the needle's axis; farther off they are of another needle. The plan's rounding is a
thousandth of it. [D]"""

SAME_TIP_MM, SAME_DIRECTION_DEG = 1.0, 3.0
"""What depends on the vertebra's frame is held more loosely: a needle dragged after the voxels of its vertebra were edited
is judged in the frame of then, which lies some tenths of a millimetre beside that of the measurements. Length, C-arm
angles, skin point and balloon need no frame. [D]"""

MOVED = "the needle is not where the plan judged it"
UNTIL_JUDGED = "none of its numbers holds until it is moved or planned again."
OTHER_CANNULA = "its cannula is not the one the plan judged it with"

Difference = Literal["place", "clearance", "clearance now known", "safety", "grade", "skin"]
"""What of a needle is found otherwise than the plan has it: where it lies in the vertebra; a clearance that the plan has,
found otherwise or no longer; one that the plan does not have; safety; breach grade; the way from the skin."""


def refuse_unjudged(plan: CasePlan) -> None:
    """Refuse a plan whose needles were moved, got another cannula or another verdict, and were not judged since.

    Raises:
        InputError: clearance, grade and angles of a needle are not those of its entry and target, or contradict each other.
    """
    for level in plan.levels:
        for needle in level.trajectories:
            what = unlike_numbers(level.frame, needle) or contradiction(needle)
            if what is not None:
                raise InputError(
                    f"{level.level} {needle.side}: {what}, so none of its numbers holds; run vap check on the plan first "
                    "and go on with what that writes."
                )


def mark_unjudged(plan: CasePlan) -> CasePlan:
    """A plan without “safe” beside a needle that was edited in the file and not judged since.

    Such a needle counts as a breach until it is moved or planned again: none of its numbers belongs to where it lies.
    """
    return replace(plan, levels=tuple(_marked(level) for level in plan.levels))


def mark_moved(level: LevelPlan, side: str, entry: Point, target: Point) -> LevelPlan:
    """A level with a needle where it was found, moved by somebody while nobody judged it; a breach, as in :func:`mark_unjudged`.

    Args:
        side: of the needle.
        entry, target: where it lies now, RAS mm.
    """
    text = f"{MOVED}: it was moved while the plan was not open, and {UNTIL_JUDGED}"
    there = replace(level.trajectory(side), entry_ras=entry, target_ras=target)
    moved, told = unjudged(level.frame, there, text), _told(level.level, side, text)
    needles = tuple(moved if needle.side == side else needle for needle in level.trajectories)
    return replace(level, trajectories=needles, warnings=(told, *level.warnings))


def _marked(level: LevelPlan) -> LevelPlan:
    needles, told = [], []
    for needle in level.trajectories:
        what = unlike_numbers(level.frame, needle)
        if what is not None:
            said = None if needle.judged else _said(level, needle.side)
            text = f"{what}: it was edited in the file, and {UNTIL_JUDGED}"
            needle = unjudged(level.frame, needle, text if said is None else needle.compromise)
            told.append(said or _told(level.level, needle.side, text))
        needles.append(needle)
    kept = tuple(warning for warning in level.warnings if warning.code != NEEDLE_NOT_JUDGED and warning not in told)
    return replace(level, trajectories=tuple(needles), warnings=(*dict.fromkeys(told), *kept))


def unjudged(frame: FramePlan | None, needle: Trajectory, why: str | None) -> Trajectory:
    """A needle as a breach, with what its two points alone tell: no number of another place stays beside them.

    Args:
        frame: of its level.
        why: in words.

    Raises:
        InputError: there is no frame, which no plan with needles lacks.
    """
    if frame is None:
        raise InputError("A level with needles has no frame; put back what was written.")
    way = np.subtract(needle.target_ras, needle.entry_ras)
    direction = np.array([frame.right, frame.anterior, frame.superior]) @ unit(way)
    return replace(
        needle,
        skin_ras=None,
        bone_path_mm=float(np.linalg.norm(way)),
        skin_to_target_mm=None,
        convergence_angle_deg=convergence_deg(direction, needle.side),
        craniocaudal_angle_deg=craniocaudal_deg(direction),
        carm=end_on_carm(way),
        clearance_mm=Clearance(None, None, None, None, None, None),
        breach_grade=None,
        tolerated_offset_mm=None,
        tolerated_angle_deg=None,
        midline_offset_mm=_off_midline_mm(frame, needle),
        safety="breach",
        compromise=why,
        margins_mm=None,
    )


def _told(level: str, side: str, text: str) -> PlanWarning:
    """The stop that says why a needle is not judged."""
    return PlanWarning.of_needle(level, side, NEEDLE_NOT_JUDGED, "stop", text, "points and numbers of the plan")


def _said(level: LevelPlan, side: str) -> PlanWarning | None:
    """What a level says already of a needle that is not judged."""
    mine = [w for w in level.warnings if (w.code, w.level, w.side) == (NEEDLE_NOT_JUDGED, level.level, side)]
    return next(iter([*mine, *(w for w in level.warnings if w.code == LINES_MOVED)]), None)


def unlike_numbers(frame: FramePlan | None, needle: Trajectory) -> str | None:
    """What of a needle its numbers do not fit, or has none, in words; None where it lies where they have it.

    Args:
        frame: of the needle's level.
    """
    known = CANNULAS.get(needle.cannula)
    if known is None or abs(known.outer_diameter_mm - needle.cannula_outer_diameter_mm) > SAME_DIAMETER_MM:
        return OTHER_CANNULA
    return None if needle.judged and _in_place(frame, needle) else MOVED


def differences(before: Trajectory, now: Trajectory) -> set[Difference]:
    """What of a needle that was judged again is not as the plan has it, to half of what a sentence shows.

    Args:
        before: as the plan has it.
        now: as it is found; every number that was not found is None.
    """
    found: set[Difference] = set()
    then, there = vars(before.clearance_mm), vars(now.clearance_mm)
    if not all(_near(value, there[name], SAME_LENGTH_MM) for name, value in then.items() if value is not None):
        found.add("clearance")
    if any(value is None and there[name] is not None for name, value in then.items()):
        found.add("clearance now known")
    same_length = _near(before.bone_path_mm, now.bone_path_mm, SAME_LENGTH_MM)
    same_tip = _near(before.midline_offset_mm, now.midline_offset_mm, SAME_LENGTH_MM)
    same_way = _near(before.convergence_angle_deg, now.convergence_angle_deg, SAME_ANGLE_DEG) and _near(
        before.craniocaudal_angle_deg, now.craniocaudal_angle_deg, SAME_ANGLE_DEG
    )
    if not (same_length and same_tip and same_way):
        found.add("place")
    if before.safety != now.safety:
        found.add("safety")
    if before.breach_grade != now.breach_grade:
        found.add("grade")
    if not _near(before.skin_to_target_mm, now.skin_to_target_mm, SAME_LENGTH_MM):
        found.add("skin")
    return found


def _near(a: float | None, b: float | None, within: float) -> bool:
    return a is b if a is None or b is None else abs(a - b) <= within


def _in_place(frame: FramePlan | None, needle: Trajectory) -> bool:
    entry, target = np.array(needle.entry_ras), np.array(needle.target_ras)
    way = target - entry
    # A needle whose tip was dragged behind the bone has the least length there is, and no direction of its own.
    misses_bone = needle.bone_path_mm <= STEP_MM + SAME_LENGTH_MM
    if not misses_bone and abs(float(np.linalg.norm(way)) - needle.bone_path_mm) > SAME_LENGTH_MM:
        return False
    now, then = (positioner_direction(carm.primary_deg, carm.secondary_deg) for carm in (end_on_carm(way), needle.carm))
    between = float(np.linalg.norm(np.cross(now, then)))
    if between > math.sin(math.radians(SAME_ANGLE_DEG)) or not _on_axis(needle, target, unit(way)):
        return False
    if frame is None:
        return True
    if abs(_off_midline_mm(frame, needle) - needle.midline_offset_mm) > SAME_TIP_MM:
        return False
    return misses_bone or _turned_deg(frame, needle, unit(way)) <= SAME_DIRECTION_DEG


def _off_midline_mm(frame: FramePlan, needle: Trajectory) -> float:
    """Distance of the tip from the mid-sagittal plane, positive on the needle's own side."""
    return SIDE_SIGN[needle.side] * float(np.subtract(needle.target_ras, frame.origin_ras) @ np.array(frame.right))


def _on_axis(needle: Trajectory, target: FloatArray, axis: FloatArray) -> bool:
    points = [] if needle.skin_ras is None else [needle.skin_ras]
    if needle.balloon is not None:
        points += [needle.balloon.proximal_ras, needle.balloon.distal_ras]
    if any(np.linalg.norm(np.cross(np.array(point) - target, axis)) > ON_AXIS_MM for point in points):
        return False
    if needle.skin_ras is None or needle.skin_to_target_mm is None:
        return True
    return abs(float(np.linalg.norm(target - needle.skin_ras)) - needle.skin_to_target_mm) <= SAME_LENGTH_MM


def _turned_deg(frame: FramePlan, needle: Trajectory, direction: FloatArray) -> float:
    """How far the angles of the plan are off, degrees on the sphere: an angle means little where the needle is almost
    square to its plane."""
    local = np.array([frame.right, frame.anterior, frame.superior]) @ direction
    convergence = _apart_deg(convergence_deg(local, needle.side), needle.convergence_angle_deg)
    craniocaudal = _apart_deg(craniocaudal_deg(local), needle.craniocaudal_angle_deg)
    return max(convergence * math.hypot(local[0], local[1]), craniocaudal * math.hypot(local[1], local[2]))


def _apart_deg(a: float, b: float) -> float:
    return abs((a - b + 180.0) % 360.0 - 180.0)
