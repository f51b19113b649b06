"""The first sheet of a report on several levels: one row a level, and what concerns the whole case."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from ..model import CasePlan, LevelPlan, PlanWarning
from .markup import Content, Markup, div, element, span
from .parts import case_lines, foot, sheet, warning_box
from .pictures import PICTURES_A_ROW, PagePictures, picture_grid
from .record_page import fracture_words
from .symbols import symbol
from .wording import (
    APPROACH_WORDS,
    MISSING,
    brief,
    by_severity,
    dicom_words,
    number,
    procedure,
    sentence,
    with_brief_reasons,
    worst_severity,
)


def overview_page(
    plan: CasePlan, patient_name: str | None = None, pictures: Mapping[str, PagePictures] | None = None
) -> Markup:
    """The sheet that comes before the levels' own.

    Args:
        pictures: by level; the mid-sagittal picture of each is shown where there is one; of a single level its 3D view, too.
    """
    head = element(
        "header",
        div("what", div("approach", _title(plan)), div(None, _levels_words(plan))),
        div("case", case_lines(plan, patient_name)),
        class_="head",
    )
    ordered = by_severity(plan.warnings)
    notes = [warning for warning in ordered if warning.severity == "info"]
    loud = [warning_box(warning, with_source=True) for warning in ordered if warning.severity != "info"]
    return sheet(
        "overview",
        head,
        div("warnings", _stops(plan), loud),
        _levels_table(plan),
        _large_pictures(plan, pictures or {}),
        element("div", element("h2", "Notes on the whole case"), _notes(notes)) if notes else None,
        foot("", "Overview"),
    )


def _levels_words(plan: CasePlan) -> str:
    names = [level.level for level in plan.levels]
    return f"Levels in the images: {', '.join(names)}."


def _stops(plan: CasePlan) -> list[Markup]:
    """What stops a level belongs on the first sheet, not only on the level's own."""
    return [
        warning_box(dataclasses.replace(warning, message=_stop_words(level, warning.message)))
        for level in plan.levels
        for warning in level.warnings
        if warning.severity == "stop"
    ]


def _stop_words(level: LevelPlan, message: str) -> str:
    message = with_brief_reasons(level, message)
    return message if message.startswith(level.level) else f"{level.level}: {sentence(message)}"


def _levels_table(plan: CasePlan) -> Markup:
    names = ("Level", "Finding", "Left needle", "Right needle", "Cement", "Warnings")
    head = element("thead", element("tr", [element("th", name, scope="col") for name in names]))
    return element("table", head, element("tbody", [_row(level) for level in plan.levels]), class_="levels")


def _large_pictures(plan: CasePlan, pictures: Mapping[str, PagePictures]) -> Markup | None:
    """The first four levels' mid-sagittal pictures, or one level's with its 3D view; the others are on their own
    sheets."""
    drawn = [level.level for level in plan.levels if level.level in pictures]
    names = ("mid_sagittal", "view3d") if len(drawn) == 1 else ("mid_sagittal",)
    found = {
        f"{level} {name}": pictures[level].pictures[name]
        for level in drawn
        for name in names
        if name in pictures[level].pictures
    }
    shown = dict(list(found.items())[:PICTURES_A_ROW])
    return div("large", picture_grid(PagePictures(shown), list(shown))) if shown else None


def _notes(notes: list[PlanWarning]) -> Markup:
    return div("notes", [warning_box(note, with_source=True) for note in notes])


def _title(plan: CasePlan) -> str:
    asked = procedure(plan) if any(level.trajectories or level.skipped_sides for level in plan.levels) else None
    planned = [level.level for level in plan.levels if level.approach is not None]
    if asked and planned:
        return f"{asked.capitalize()} plan: {', '.join(planned)}"
    count = sum(level.complete for level in plan.levels)
    return f"Measurements of {count} level" + ("" if count == 1 else "s")


def _row(level: LevelPlan) -> Markup:
    name = element("th", level.level, scope="row")
    if not level.complete:
        reason = sentence(level.warnings[0].message) if level.warnings else "Cut by the border of the image."
        words = reason if "not measured" in reason else f"{reason} Not measured, not planned."
        return element("tr", name, element("td", words, colspan=5), class_="minor")
    if level.approach is None:
        words = sentence(f"{fracture_words(level)}; measured only")
        return element("tr", name, element("td", words, colspan=4), element("td", _warnings(level)), class_="minor")
    finding: list[Content] = [fracture_words(level), element("br")]
    finding.append(element("b", APPROACH_WORDS.get(level.approach, level.approach)))
    cells = [finding, _needle(level, "left"), _needle(level, "right"), _cement(level), _warnings(level)]
    return element("tr", name, [element("td", cell) for cell in cells])


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
        return [symbol("breach"), element("b", "no needle: "), brief(level.skipped_sides[side])]
    return [MISSING]


def _cement(level: LevelPlan) -> list[Content]:
    if level.cement is None:
        return [MISSING]
    return [
        span("needle", element("b", number(level.cement.volume_ml, 1, "ml"))),
        element("br"),
        f"{level.cement.bone_fillers} filler{'' if level.cement.bone_fillers == 1 else 's'}",
    ]


def _warnings(level: LevelPlan) -> list[Content]:
    worst = worst_severity(level)
    if worst is None:
        return ["none"]
    counts = [
        (name, sum(warning.severity == name for warning in level.warnings)) for name in ("stop", "caution", "info")
    ]
    words = ", ".join(
        f"{count} {'note' if name == 'info' else name}{'' if count == 1 else 's'}" for name, count in counts if count
    )
    return [symbol(worst), words]
