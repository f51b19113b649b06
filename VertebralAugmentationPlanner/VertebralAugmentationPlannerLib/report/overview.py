"""The first sheet of a report on several levels: one row a level, and what concerns the whole case."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from ..model import SIDES, CasePlan, LevelPlan, PlanWarning
from .markup import Content, Markup, div, element, span
from .parts import case_lines, foot, levels_with_sheets, sheet, warning_box, warning_boxes
from .pictures import PICTURES_A_ROW, PagePictures, picture_grid
from .record_page import HEIGHTS, fracture_words
from .symbols import symbol
from .wording import (
    APPROACH_WORDS,
    DOUBTS,
    MISSING,
    brief,
    by_severity,
    dicom_words,
    if_judged,
    level_names,
    number,
    placed,
    planned_names,
    procedure,
    sentence,
    with_brief_reasons,
    worst_severity,
)

LARGE_A_ROW = 2
"""As in the style sheet's grid of the first sheet."""

COMPACT_ABOVE = 8
"""More planned levels than these get two lines each instead of three, so that a whole spine stays on one page. [D]"""


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
    about = element("div", element("h2", "Notes on the whole case"), _notes(notes)) if notes else None
    # After a table of a whole spine the notes fill the page, and the pictures get the next.
    after = (_large_pictures(plan, pictures or {}), about)
    return sheet(
        "overview",
        head,
        div("warnings", _stops(plan), loud),
        _levels_table(plan),
        _cautions(plan),
        *(reversed(after) if _is_compact(plan) else after),
        foot("", "Overview"),
    )


def _levels_words(plan: CasePlan) -> str:
    return f"Levels in the images: {level_names(plan, [level.level for level in plan.levels])}."


def _stops(plan: CasePlan) -> list[Markup]:
    """What stops a level belongs on the first sheet, not only on the level's own."""
    return [
        warning_box(dataclasses.replace(warning, message=_with_level(level, warning.message)))
        for level in plan.levels
        for warning in level.warnings
        if warning.severity == "stop"
    ]


def _with_level(level: LevelPlan, message: str) -> str:
    return placed(level.level, sentence(with_brief_reasons(level, message)))


def _cautions(plan: CasePlan) -> Markup | None:
    """The cautions of levels that have no sheet of their own, each sentence once: nowhere else would they be read."""
    own = {level.level for level in levels_with_sheets(plan)}
    levels: dict[tuple[str, str], list[str]] = {}
    for level in plan.levels:
        if level.level not in own:
            for warning in level.warnings:
                if warning.severity == "caution" and warning is not _why_incomplete(level):
                    levels.setdefault((warning.message, warning.source), []).append(level.level)
    boxes = [
        warning_box(PlanWarning("", "caution", placed(", ".join(names), sentence(message)), source), with_source=True)
        for (message, source), names in levels.items()
    ]
    return element("div", element("h2", "Levels that are not planned"), warning_boxes(boxes)) if boxes else None


def _why_incomplete(level: LevelPlan) -> PlanWarning | None:
    """The warning that stands in the row of a level that is not whole."""
    return level.warnings[0] if level.warnings and not level.complete else None


def _levels_table(plan: CasePlan) -> Markup:
    names = ("Level", "Finding", "Left needle", "Right needle", "Cement", "Warnings")
    head = element("thead", element("tr", [element("th", name, scope="col") for name in names]))
    compact = _is_compact(plan)
    rows = [_row(plan, level, compact) for level in plan.levels]
    return div("wide", element("table", head, element("tbody", rows), class_="levels compact" if compact else "levels"))


def _is_compact(plan: CasePlan) -> bool:
    return sum(level.approach is not None for level in plan.levels) > COMPACT_ABOVE


def _large_pictures(plan: CasePlan, pictures: Mapping[str, PagePictures]) -> Markup | None:
    """The mid-sagittal pictures of four levels at most, or one level's with its 3D view; the others are on their own
    sheets. Of more than four, those that matter most: refused, or with the highest grade, or the largest loss."""
    drawn = [level for level in plan.levels if level.level in pictures]
    names = ("mid_sagittal", "view3d") if len(drawn) == 1 else ("mid_sagittal",)
    drawn = [level for level in drawn if any(name in pictures[level.level].pictures for name in names)]
    chosen = [level.level for level in sorted(drawn, key=_weight)[:PICTURES_A_ROW]]
    shown = {
        f"{level.level} {name}": pictures[level.level].pictures[name]
        for level in drawn
        for name in names
        if level.level in chosen and name in pictures[level.level].pictures
    }
    if not shown:
        return None
    which = element("h2", "Highest grades and largest losses") if len(drawn) > len(chosen) else None
    rows = " two-rows" if len(shown) > LARGE_A_ROW else ""
    sheet_ = " next-sheet" if _is_compact(plan) else ""
    return div(f"large{rows}{sheet_}", which, picture_grid(PagePictures(shown), list(shown)))


def _weight(level: LevelPlan) -> tuple[bool, int, float]:
    """The smaller, the more a level's picture is worth on the first sheet."""
    measured = level.measurements
    losses = [getattr(measured.height_loss_percent, name) for name in HEIGHTS] if measured else []
    grade = measured.genant_grade if measured and measured.genant_grade is not None else 0
    return level.approach != "none", -grade, -max((loss for loss in losses if loss is not None), default=0.0)


def _notes(notes: list[PlanWarning]) -> Markup:
    """One box a note; notes of one kind, such as what was cleaned at every level, share theirs."""
    kinds: dict[tuple[str, str], list[str]] = {}
    for note in notes:
        kinds.setdefault((note.code, note.source), []).append(note.message)
    joined = [
        PlanWarning(code, "info", " ".join(map(sentence, messages)), source)
        for (code, source), messages in kinds.items()
    ]
    return div("notes", [warning_box(note, with_source=True) for note in joined])


def _title(plan: CasePlan) -> str:
    asked = procedure(plan) if any(level.trajectories or level.skipped_sides for level in plan.levels) else None
    planned = planned_names(plan)
    needles = [needle for level in plan.levels for needle in level.trajectories]
    if asked == "kyphoplasty" and needles and not any(needle.balloon for needle in needles):
        return f"Plan: {level_names(plan, planned)}; kyphoplasty asked for, no balloon planned"
    if asked and planned:
        return f"{asked.capitalize()} plan: {level_names(plan, planned)}"
    count = sum(level.complete for level in plan.levels)
    return f"Measurements of {count} level" + ("" if count == 1 else "s")


def _row(plan: CasePlan, level: LevelPlan, compact: bool) -> Markup:
    name = element("th", level.level, scope="row")
    if not level.complete:
        why = _why_incomplete(level)
        reason = sentence(why.message) if why else "Cut by the border of the image."
        words = reason if "not measured" in reason else f"{reason} Not measured, not planned."
        return element("tr", name, element("td", words, colspan=5), class_="minor")
    if level.approach is None:
        words = sentence(f"{_finding(level)}; measured only")
        return element("tr", name, element("td", words, colspan=4), element("td", _warnings(level)), class_="minor")
    finding: list[Content] = [_finding(level)]
    # Two needles in their columns say “bilateral” by themselves.
    if not compact or level.approach != "bilateral":
        finding += [element("br"), element("b", APPROACH_WORDS.get(level.approach, level.approach))]
    asked = procedure(plan)
    needles = [_needle(level, side, compact, asked) for side in SIDES]
    cells = [finding, *needles, _cement(level), _warnings(level)]
    return element("tr", name, [element("td", cell) for cell in cells])


def _finding(level: LevelPlan) -> str:
    """The finding, and what speaks against it."""
    doubts = [words for code, words in DOUBTS.items() if any(warning.code == code for warning in level.warnings)]
    return fracture_words(level) + (f" ({'; '.join(doubts)})" if doubts else "")


def _needle(level: LevelPlan, side: str, compact: bool, asked: str | None) -> list[Content]:
    needle = level.needle(side)
    if needle is not None:
        without = ", no balloon" if asked == "kyphoplasty" else ""
        balloon = f", balloon {needle.balloon.length_mm:g} mm" if needle.balloon else without
        return [
            span(
                "needle",
                symbol(needle.safety),
                element("b", f"{needle.safety} · {if_judged(needle, str(needle.breach_grade))}"),
            ),
            " · " if compact else element("br"),
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
    # Notes are counted where there is nothing louder: beside a caution they only hide it.
    counted = ("info",) if worst == "info" else ("stop", "caution")
    counts = [(name, sum(warning.severity == name for warning in level.warnings)) for name in counted]
    words = ", ".join(
        f"{count} {'note' if name == 'info' else name}{'' if count == 1 else 's'}" for name, count in counts if count
    )
    return [symbol(worst), words]
