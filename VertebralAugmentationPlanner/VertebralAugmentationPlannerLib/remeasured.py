"""A saved plan's measurements, held against those that its images give."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .measurement import measured_points, measurements_with_points
from .measurement.edited import HEIGHTS_EDITED
from .measurement.quantities import QUANTITIES, READ_IN_THE_CT, Quantity, alike, change
from .model import Case, CasePlan, LevelPlan, PlanOptions, PlanWarning, Spine, Vertebra
from .planner import measured_plan

MEASUREMENTS_DIFFER = "measurements_differ"

MOST_NAMED = 4
"""Numbers that a sentence names; more are counted. [D]"""


def with_measurements_told(plan: CasePlan, case: Case, spine: Spine, options: PlanOptions) -> CasePlan:
    """A plan with a caution on each level whose numbers are not those that its images give, and with the stops and cautions of
    measuring that were taken out of its file.

    The numbers stay: somebody may have measured otherwise. Heights edited in the panel are followed.

    Args:
        plan: made from these labels.
        case, spine: read again; without the CT of the plan, or with one where it had none, what no CT tells is compared, and
            no warning comes back.
    """
    found = {level.level: level for level in measured_plan(case, spine, options).levels}
    both_with_ct = plan.inputs.ct is not None and case.inputs.ct is not None
    both_alike = both_with_ct or plan.inputs.ct is case.inputs.ct
    levels = tuple(
        _told(level, _followed(found[level.level], level, spine.vertebrae[level.level]), both_with_ct, both_alike)
        if level.level in found and level.complete and found[level.level].complete
        else level
        for level in plan.levels
    )
    return replace(plan, levels=levels)


def _followed(found: LevelPlan, level: LevelPlan, vertebra: Vertebra) -> LevelPlan:
    """A level as measured now, with the heights of the plan where they were edited and say so."""
    edited = any(warning.code == HEIGHTS_EDITED for warning in level.warnings)
    if not edited or level.measurements is None or found.measurements is None or found.frame is None:
        return found
    points = level.measurements.height_points_ras
    edit = measurements_with_points(found.measurements, points, np.array(found.frame.right))
    return replace(
        found, measurements=edit.measurements, warnings=edit.warnings(found.warnings, measured_points(vertebra))
    )


def _told(level: LevelPlan, found: LevelPlan, both_with_ct: bool, both_alike: bool) -> LevelPlan:
    there = {(warning.code, warning.side, warning.severity) for warning in level.warnings}
    gone = tuple(w for w in found.warnings if w.severity != "info" and (w.code, w.side, w.severity) not in there)
    kept = tuple(warning for warning in level.warnings if warning.code != MEASUREMENTS_DIFFER)
    differing = [
        f"{quantity.name} {_value(quantity, level)} ({_value(quantity, found)} found)"
        for quantity in QUANTITIES
        if (both_with_ct or quantity.name not in READ_IN_THE_CT) and not _same(quantity, level, found)
    ]
    if differing:
        more = len(differing) - MOST_NAMED
        rest = f" and {more} more" if more > 0 else ""
        text = (
            f"not all numbers are those that the images give: {', '.join(differing[:MOST_NAMED])}{rest}. They stand as the plan "
            "has them."
        )
        told = PlanWarning.of_level(level.level, MEASUREMENTS_DIFFER, "caution", text, "check of the plan")
        kept = (told, *kept)
    warnings = (*kept, *gone) if both_alike else kept
    return level if warnings == level.warnings else replace(level, warnings=warnings)


def _same(quantity: Quantity, level: LevelPlan, found: LevelPlan) -> bool:
    a, b = quantity.read(level), quantity.read(found)
    return alike(a, b, change(a, b), quantity.decimals)


def _value(quantity: Quantity, level: LevelPlan) -> str:
    value = quantity.read(level)
    if value is None:
        return "unknown"
    if isinstance(value, str) or not quantity.unit:
        return str(value)
    gap = "" if quantity.unit in "°" else " "
    return f"{value:.{quantity.decimals}f}{gap}{quantity.unit}"
