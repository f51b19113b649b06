"""A comparison as text for a terminal of 80 columns, as CSV, and as an HTML page."""

from __future__ import annotations

import csv
import io
import textwrap

from .compare import Difference, PlanComparison, Value
from .markup import Content, Markup, div, element, table
from .parts import foot, sheet
from .style import STYLE
from .wording import MISSING, number, signed

READERS = "For scale: two surgeons planning the same pedicle differed by 4.9 mm at the entry, 4.4 mm at the tip, 5.3°."
"""Scherer 2023, 256 screws, doi 10.3390/jcm12072646 [V]."""

_LABEL, _VALUE, _CHANGE = 32, 16, 16
WIDTH = _LABEL + 2 * _VALUE + _CHANGE
"""80: what a terminal shows unasked."""


def comparison_text(comparison: PlanComparison, everything: bool = False) -> str:
    """Text table, at most 80 columns wide.

    Args:
        everything: also the quantities that are the same in both plans; without it they are counted.
    """
    lines = [_cut(f"A  {comparison.name_a}"), _cut(f"B  {comparison.name_b}"), ""]
    for note in comparison.notes:
        lines += textwrap.wrap(note, WIDTH)
    if comparison.identical:
        return "\n".join([*lines, "", "No number differs in what both plans hold."]) + "\n"
    for level in comparison.levels():
        lines += ["", *_level_lines([row for row in comparison.rows if row.level == level], level, everything)]
    return "\n".join([*lines, "", *textwrap.wrap(READERS, WIDTH)]) + "\n"


def comparison_csv(comparison: PlanComparison) -> str:
    """Every quantity (RFC 4180); empty where a plan has none. The column ``difference`` is b − a, or a distance."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(["level", "side", "group", "quantity", "unit", "a", "b", "difference"])
    for row in comparison.rows:
        cells = [_plain(value) for value in (row.a, row.b, row.difference)]
        writer.writerow([row.level, row.side or "", row.group, row.name, row.unit.replace("°", "deg"), *cells])
    return stream.getvalue()


def comparison_html(comparison: PlanComparison) -> str:
    """A self-contained page with one table a level; rows that are the same are grey."""
    notes = [element("p", note) for note in comparison.notes]
    parts: list[Content] = []
    for level in comparison.levels():
        rows = [_html_row(row) for row in comparison.rows if row.level == level]
        parts.append(element("div", element("h2", level), table(["", "A", "B", "B − A"], rows, class_="numbers")))
    head = element(
        "header",
        div("what", div("approach", "Two plans compared"), div(None, f"A {comparison.name_a}, B {comparison.name_b}")),
        class_="head",
    )
    page = sheet("compare", head, notes, parts, element("p", READERS, class_="faint"), foot("", "Comparison"))
    style = element("style", Markup(STYLE))
    title = element("title", f"{comparison.name_a} and {comparison.name_b}")
    top = element("head", element("meta", charset="utf-8"), title, style)
    return "<!DOCTYPE html>\n" + element("html", top, element("body", page), lang="en") + "\n"


def _level_lines(rows: list[Difference], level: str, everything: bool) -> list[str]:
    lines = [f"{level} ".ljust(WIDTH, "─"), f"{'':{_LABEL}}{'A':>{_VALUE}}{'B':>{_VALUE}}{'B − A':>{_CHANGE}}"]
    for group, side in dict.fromkeys((_block(row.group), row.side) for row in rows):
        block = [row for row in rows if (_block(row.group), row.side) == (group, side)]
        shown = block if everything else [row for row in block if not row.same]
        title = f"{side} {group}" if side else group
        if group != "level":
            lines.append(f"  {title}" if shown else f"  {title}: the same")
        for row in shown:
            lines += _text_lines(row, indent=2 if group == "level" else 4)
        hidden = len(block) - len(shown)
        if shown and hidden and group != "level":
            lines.append(f"    {hidden} more the same")
    return lines


def _block(group: str) -> str:
    """Clearances are shown with their needle."""
    return {"clearance": "needle", "measurement": "measurements"}.get(group, group)


def _text_lines(row: Difference, indent: int) -> list[str]:
    label = f"{'':{indent}}{row.name}"
    a, b, change = comparison_cells(row)
    if max(len(a), len(b)) >= _VALUE:  # words too long for a column: one line each
        wrapped = [f"{label}:"]
        for mark, words in (("A", a), ("B", b)):
            start = f"{'':{indent + 2}}{mark}  "
            wrapped += textwrap.wrap(words, WIDTH, initial_indent=start, subsequent_indent=" " * len(start))
        return wrapped
    return [f"{label:<{_LABEL}}{a:>{_VALUE}}{b:>{_VALUE}}{change:>{_CHANGE}}"]


def comparison_cells(row: Difference) -> tuple[str, str, str]:
    """What stands under A, B and B − A."""
    if row.apart:
        return "", "", f"{_number(row.difference, row)} apart"
    change = signed(row.difference, row.decimals, row.unit).replace("\u00a0", " ") if row.difference is not None else ""
    if row.same:
        change = "="
    return _value(row.a, row), _value(row.b, row), change or "differs"


def _value(value: Value, row: Difference) -> str:
    if value is None:
        return MISSING
    return value if isinstance(value, str) else _number(float(value), row)


def _number(value: float | None, row: Difference) -> str:
    return number(value, row.decimals, row.unit).replace("\u00a0", " ")


def _html_row(row: Difference) -> list[Content]:
    side = f"{row.side} needle, " if row.side else ""
    cells: list[Content] = [f"{side}{row.name}", *comparison_cells(row)]
    return [element("span", cell, class_="faint") if row.same else element("b", cell) for cell in cells]


def _plain(value: Value) -> str:
    if value is None:
        return ""
    return f"{value:.4f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def _cut(line: str) -> str:
    """A long path keeps its end: the file's name matters."""
    return line if len(line) <= WIDTH else line[:3] + "…" + line[-(WIDTH - 4) :]
