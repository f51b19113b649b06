"""The first sheet of a report on several levels: one row a level, and what concerns the whole case."""

from __future__ import annotations

from ..model import CasePlan, LevelPlan
from .markup import Content, Markup, div, element, span, table
from .parts import case_lines, folded_notes, foot, sheet, warning_box
from .record_page import fracture_words
from .symbols import symbol
from .wording import APPROACH_WORDS, MISSING, by_severity, dicom_words, number, procedure, sentence, worst_severity


def overview_page(plan: CasePlan, patient_name: str | None = None) -> Markup:
    """The sheet that comes before the levels' own."""
    head = element(
        "header",
        div("what", div("approach", _title(plan)), div(None, ", ".join(level.level for level in plan.levels))),
        div("case", case_lines(plan, patient_name)),
        class_="head",
    )
    ordered = by_severity(plan.warnings)
    loud = [warning_box(warning, with_source=True) for warning in ordered if warning.severity != "info"]
    notes = [warning for warning in ordered if warning.severity == "info"]
    printed = div("print-only", [warning_box(note, with_source=True) for note in notes])
    return sheet(
        "overview",
        head,
        div("warnings", loud),
        table(["Level", "Finding", "Left needle", "Right needle", "Cement", "Warnings"], map(_row, plan.levels)),
        element("div", element("h2", "Notes on the whole case"), folded_notes(notes, "below"), printed)
        if notes
        else None,
        foot("", "Overview"),
    )


def _title(plan: CasePlan) -> str:
    asked = procedure(plan) if any(level.trajectories or level.skipped_sides for level in plan.levels) else None
    count = sum(level.complete for level in plan.levels)
    levels = f"{count} level" + ("" if count == 1 else "s")
    return f"{asked.capitalize()} plan, {levels}" if asked else f"Measurements of {levels}"


def _row(level: LevelPlan) -> list[Content]:
    if not level.complete:
        reason = level.warnings[0].message if level.warnings else "cut by the border of the image"
        return [level.level, sentence(reason) + " Not measured, not planned.", "", "", "", ""]
    finding: list[Content] = [fracture_words(level)]
    if level.approach is not None:
        finding += [element("br"), element("b", APPROACH_WORDS.get(level.approach, level.approach))]
    return [
        level.level,
        finding,
        _needle(level, "left"),
        _needle(level, "right"),
        _cement(level),
        _warnings(level),
    ]


def _needle(level: LevelPlan, side: str) -> list[Content]:
    for needle in level.trajectories:
        if needle.side == side:
            balloon = f", balloon {needle.balloon.length_mm:g} mm" if needle.balloon else ""
            return [
                span("needle", symbol(needle.safety), element("b", f"{needle.safety} · {needle.breach_grade}")),
                element("br"),
                f"{needle.cannula}{balloon}",
                element("br"),
                span("needle small", dicom_words(needle.carm.primary_deg, needle.carm.secondary_deg)),
            ]
    if side in level.skipped_sides:
        return [symbol("breach"), element("b", "no needle: "), level.skipped_sides[side]]
    return [MISSING]


def _cement(level: LevelPlan) -> list[Content]:
    if level.cement is None:
        return [MISSING]
    return [
        span("needle", element("b", number(level.cement.volume_ml, 1, "ml"))),
        element("br"),
        f"{level.cement.bone_fillers} fillers",
    ]


def _warnings(level: LevelPlan) -> list[Content]:
    worst = worst_severity(level)
    if worst is None:
        return ["none"]
    counts = [
        (name, sum(warning.severity == name for warning in level.warnings)) for name in ("stop", "caution", "info")
    ]
    words = ", ".join(f"{count} {'note' if name == 'info' else name}" for name, count in counts if count)
    return [symbol(worst), words]
