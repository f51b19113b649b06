"""The plan in words, as plain text."""

from __future__ import annotations

from ..model import CasePlan, LevelPlan, Trajectory
from ..report.wording import (
    by_severity,
    cement_range_words,
    convergence_words,
    craniocaudal_words,
    grade_words,
    needle_name,
    number,
    sentence,
)


def plan_in_words(plan: CasePlan) -> str:
    """A paragraph for each planned level, or for each measured one where none is planned yet; warnings last."""
    planned = [level for level in plan.levels if level.approach is not None]
    paragraphs = [_level(level) for level in planned or plan.levels]
    warnings = [*plan.warnings, *(warning for level in planned for warning in level.warnings)]
    paragraphs += [
        f"{warning.severity.upper()}: {sentence(warning.message)}" for warning in by_severity(tuple(warnings))
    ]
    return "\n\n".join(paragraphs)


def _level(level: LevelPlan) -> str:
    if not level.complete:
        return f"{level.level} is not whole in the scan and was not measured."
    lines = [f"{level.level}. {_measured(level)}"]
    if level.approach is not None:
        reason = f" ({level.approach_reason})" if level.approach_reason else ""
        lines.append(sentence(f"Approach: {level.approach}{reason}"))
    lines += [_needle(trajectory) for trajectory in level.trajectories]
    lines += [sentence(f"No needle on the {side}: {reason}") for side, reason in level.skipped_sides.items()]
    if level.cement is not None:
        volume, share = number(level.cement.volume_ml, 1, "ml"), cement_range_words(level.cement)
        lines.append(f"Cement {volume} ({share}), {level.cement.bone_fillers} bone fillers.")
    return "\n".join(lines)


def _measured(level: LevelPlan) -> str:
    measured = level.measurements
    if measured is None:
        return "Not measured."
    heights = "/".join(
        number(value)
        for value in (measured.anterior_height_mm, measured.middle_height_mm, measured.posterior_height_mm)
    )
    grade = "unknown" if measured.genant_grade is None else str(measured.genant_grade)
    shape = measured.fracture_shape or "unknown shape"
    return f"Heights {heights} mm (anterior/middle/posterior), Genant grade {grade}, {shape}."


def _needle(needle: Trajectory) -> str:
    clearance, judged = needle.clearance_mm, "clearances and slack not judged"
    if needle.judged:
        judged = (
            f"{number(clearance.canal, 1, 'mm')} to the canal, {number(clearance.pedicle_wall, 1, 'mm')} to the pedicle's "
            f"wall; slack {number(needle.tolerated_offset_mm, 1, 'mm')}"
        )
    text = (
        f"{needle.side.capitalize()} needle {needle_name(needle)}: {needle.safety}, {grade_words(needle)}, "
        f"{convergence_words(needle.convergence_angle_deg)}, {craniocaudal_words(needle.craniocaudal_angle_deg)}; {judged}"
    )
    if needle.balloon is not None:
        text += f"; balloon {needle.balloon.model} to {number(needle.balloon.planned_volume_ml, 1, 'ml')}"
    return sentence(text)
