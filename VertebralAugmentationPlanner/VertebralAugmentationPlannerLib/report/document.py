"""report.html: one self-contained file that prints to two A4 pages a level."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path

from ..model import Case, CasePlan, LevelPlan, PlanWarning, Spine
from ..model.serialisation import write_text
from ..model.warning_codes import FRACTURED_LEVEL_NOT_PLANNED, LEVEL_NOT_FRACTURED
from .markup import Markup, element
from .operator_page import operator_page
from .overview import overview_page
from .parts import levels_with_sheets
from .pictures import PagePictures, level_page_pictures
from .record_page import record_page
from .style import STYLE
from .wording import document_title

Progress = Callable[[float, str], None]
ShouldCancel = Callable[[], bool]


def report_html(
    plan: CasePlan,
    case: Case | None = None,
    spine: Spine | None = None,
    patient_name: str | None = None,
    progress: Progress | None = None,
    should_cancel: ShouldCancel | None = None,
) -> str:
    """The report as one HTML document without scripts and without anything to load.

    Args:
        plan: the plan to report.
        case, spine: what the plan was made from; without both there are no pictures, and the report says so.
        patient_name: printed on every sheet; left out unless given. The plan itself never holds a name.
        progress: called before each picture with a fraction 0–1 and what is being drawn.
        should_cancel: polled at the same places.

    Raises:
        PlanningCancelled: ``should_cancel`` answered true between two pictures.
    """
    own = levels_with_sheets(plan)
    several = len(plan.levels) > 1
    pictures = {
        level.level: level_page_pictures(plan, level, case, spine, _part(progress, index, len(own)), should_cancel)
        for index, level in enumerate(own)
    }
    sheets = [overview_page(plan, patient_name, pictures)] if several or not own else []
    for level in own:
        sheets += _level_sheets(plan, level, pictures[level.level], several, patient_name)
    return _document(plan, sheets)


def write_report(
    plan: CasePlan,
    path: str | PathLike[str],
    case: Case | None = None,
    spine: Spine | None = None,
    patient_name: str | None = None,
    progress: Progress | None = None,
    should_cancel: ShouldCancel | None = None,
) -> None:
    """Write :func:`report_html` whole or not at all.

    Raises:
        InputError: the folder cannot be written.
        PlanningCancelled: ``should_cancel`` answered true; nothing is written.
    """
    write_text(Path(path), report_html(plan, case, spine, patient_name, progress, should_cancel))


def _part(progress: Progress | None, index: int, count: int) -> Progress | None:
    """The share of one level on the whole report's bar."""
    if progress is None:
        return None
    return lambda fraction, text: progress((index + fraction) / count, text)


def _level_sheets(
    plan: CasePlan, level: LevelPlan, pictures: PagePictures, several: bool, patient_name: str | None
) -> list[Markup]:
    of_case: tuple[PlanWarning, ...] = () if several else plan.warnings
    record = record_page(plan, level, pictures, of_case, patient_name)
    if level.approach is None:  # measured only: nothing for the operator to do
        return [record]
    # The overview stays behind when one sheet is taken to the operating room; what stops the case, and what asks whether
    # this is the right level, must not.
    if several:
        codes = {FRACTURED_LEVEL_NOT_PLANNED} if any(w.code == LEVEL_NOT_FRACTURED for w in level.warnings) else set()
        of_case = tuple(w for w in plan.warnings if w.severity == "stop" or w.code in codes)
    return [operator_page(plan, level, pictures, of_case, patient_name), record]


def _document(plan: CasePlan, sheets: list[Markup]) -> str:
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="generator", content=f"{plan.software.name} {plan.software.version}"),
        element("title", document_title(plan)),
        element("style", Markup(STYLE)),
    )
    return "<!DOCTYPE html>\n" + element("html", head, element("body", *sheets), lang="en") + "\n"
