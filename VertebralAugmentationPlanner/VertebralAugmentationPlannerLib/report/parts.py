"""What several pages share: warnings, the head and the foot of a sheet."""

from __future__ import annotations

from collections.abc import Iterable

from ..model import CasePlan, LevelPlan, PlanWarning
from .markup import Content, Markup, div, element, render, span
from .symbols import symbol
from .wording import DISCLAIMER, sentence

WARNINGS_IN_ONE_COLUMN = 2
"""More than these stand in two columns, so that what follows keeps its room."""

SEVERITY_WORDS = {"stop": "Stop", "caution": "Caution", "info": "Note"}


def warning_box(warning: PlanWarning, with_source: bool = False) -> Markup:
    """One warning with its symbol; the source only where the record is kept."""
    source = span("faint", " (", warning.source, ")") if with_source and warning.source else None
    words = [element("b", SEVERITY_WORDS[warning.severity], ": "), sentence(warning.message), source]
    return div(f"warning {warning.severity}", symbol(warning.severity), element("div", words))


def warning_boxes(boxes: list[Markup]) -> Markup:
    """Stops and cautions, in one column or two."""
    return div("loud many" if len(boxes) > WARNINGS_IN_ONE_COLUMN else "loud", boxes)


def levels_with_sheets(plan: CasePlan) -> list[LevelPlan]:
    """Levels that get sheets of their own: those that were planned; in a plan of measurements alone, every whole one.

    The neighbours of a planned level were measured too; they stand on the overview, so that the operator turns no page
    without need.
    """
    planned = [level for level in plan.levels if level.approach is not None]
    return planned or [level for level in plan.levels if level.complete]


def folded_notes(notes: list[PlanWarning], where: str) -> Markup:
    """Info warnings: folded on the screen, one line on paper that says where they are printed."""
    if not notes:
        return Markup("")
    count = f"{len(notes)} note" + ("s" if len(notes) > 1 else "")
    return render(
        [
            element("details", element("summary", count), [warning_box(note, with_source=True) for note in notes]),
            element("p", f"{count} {where}.", class_="print-only small faint"),
        ]
    )


def case_lines(plan: CasePlan, patient_name: str | None) -> list[Content]:
    """Patient (only where asked for), files and software, for the corner of a sheet."""
    ct = plan.inputs.ct
    source = ct.path if ct and ct.path else plan.inputs.segmentation.path
    name = source.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1] if source else "images from memory"
    lines: list[Content] = []
    if patient_name:
        lines += [element("b", patient_name), element("br")]
    if ct is None:
        lines += ["planned from the labels alone, without CT", element("br")]
    return [*lines, name, element("br"), f"{plan.software.name} {plan.software.version}"]


def foot(left: str, right: str) -> Markup:
    """Foot of a sheet: what it is not, and which page this is."""
    return div("foot", element("b", DISCLAIMER) if left == "" else span(None, left), element("b", right))


def sheet(class_: str, *content: Content | Iterable[Content]) -> Markup:
    """One printed page (or more, where its content is longer)."""
    return element("section", *content, class_=f"sheet {class_}")
