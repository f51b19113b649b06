"""The plan for a human on a terminal: a table of levels, then what to beware of, stops first."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Iterator

from .model import CasePlan, LevelPlan, PlanWarning, Trajectory
from .model.plan import NOT_JUDGED, SEVERITIES
from .model.warning_codes import GRADE_BORDERLINE
from .report.wording import DOUBTS, loss_words, placed

WIDTH = 80

SHORT_ABOVE = 12
"""More cautions than these are named in a line a level; a screen of sentences would hide the table and the stops. [D]"""

DOUBT_CODES = frozenset({*DOUBTS, GRADE_BORDERLINE})
"""Warnings by which a grade might be another one as well."""

RULE = "-" * 77


def summary(plan: CasePlan) -> str:
    """The plan on 80 columns. Each sentence stands once; notes are left to the report."""
    lines = [
        f"{'Level':<6}{'Grade':<6}{'Loss':>5}   {'Left':<13}{'Right':<12}{'Clearance':>10}{'Cement':>8}"
        f"{'Stop':>6}{'Caution':>8}",
        RULE,
        *(_row(level) for level in plan.levels),
    ]
    lines += _key(plan)
    stops, cautions = _remarks(plan, "stop"), _remarks(plan, "caution")
    if stops:
        lines += ["", "STOP", *(line for where, text in stops for line in _wrapped(placed(where, text)))]
    if len(cautions) > SHORT_ABOVE:
        lines += ["", "CAUTION (in full in the report and in plan.json)", *_in_short(plan)]
    elif cautions:
        lines += ["", "CAUTION", *(line for where, text in cautions for line in _wrapped(placed(where, text)))]
    return "\n".join(lines)


def _key(plan: CasePlan) -> list[str]:
    """What the table's short words mean, where they are used."""
    lines = []
    if any(level.trajectories for level in plan.levels):
        lines.append("Clearance: from the cannula's surface to the nearest pedicle wall or canal.")
    if any(_doubt(level) for level in plan.levels):
        lines.append("?: the reference is doubtful, or loss, shape or one side may be of another grade.")
    return ["", *lines] if lines else []


def _row(level: LevelPlan) -> str:
    if not level.complete:
        return f"{level.level:<6}incomplete (cut by the image's border or damaged): not measured"
    measured = level.measurements
    grade = "–" if measured is None or measured.genant_grade is None else f"{measured.genant_grade}{_doubt(level)}"
    cement = "–" if level.cement is None else f"{level.cement.volume_ml:.1f} ml"
    counts = Counter(warning.severity for warning in level.warnings)
    stops, cautions = (str(counts[name]) if counts[name] else "" for name in ("stop", "caution"))
    row = (
        f"{level.level:<6}{grade:<6}{_loss(level):>5}   {_needle(level, 'left'):<13}{_needle(level, 'right'):<12}"
        f"{_clearance(level):>10}{cement:>8}{stops:>6}{cautions:>8}"
    )
    return row.rstrip()


def _doubt(level: LevelPlan) -> str:
    return " ?" if any(warning.code in DOUBT_CODES for warning in level.warnings) else ""


def _loss(level: LevelPlan) -> str:
    if level.measurements is None:
        return "–"
    loss = level.measurements.height_loss_percent
    known = [value for value in (loss.anterior, loss.middle, loss.posterior) if value is not None]
    # A level taller than its reference lost nothing; how much taller is in the report.
    return loss_words(max(*known, 0.0)).replace("\u00a0", " ") if known else "–"


def _needle(level: LevelPlan, side: str) -> str:
    """“11G”, “13G tight”, “NONE” for a side that was asked for and has no safe path, a dash for one not asked for."""
    needle = level.needle(side)
    if needle is not None:
        return needle.cannula + {"safe": "", "breach": " BREACH"}.get(needle.safety, f" {needle.safety}")
    refused = side in level.skipped_sides or (level.approach == "none" and not level.skipped_sides)
    return "NONE" if refused else "–"


def _clearance(level: LevelPlan) -> str:
    if not all(needle.judged for needle in level.trajectories):
        return NOT_JUDGED
    gaps = [
        gap
        for needle in level.trajectories
        for gap in (needle.clearance_mm.canal, needle.clearance_mm.pedicle_wall)
        if gap is not None
    ]
    return f"{min(gaps):.1f} mm" if gaps else "–"


def _remarks(plan: CasePlan, severity: str) -> list[tuple[str, str]]:
    """Where and what, in the order of the levels, the whole case last; nothing twice."""
    found = [(level.level, text) for level in plan.levels for text in _of_level(level, severity)]
    found += [("Case", warning.message) for warning in plan.warnings if warning.severity == severity]
    return list(dict.fromkeys(found))


def _of_level(level: LevelPlan, severity: str) -> Iterator[str]:
    messages = [warning.message for warning in level.warnings if warning.severity == severity]
    yield from messages
    # A plan checked or edited elsewhere may hold a state that none of its warnings speaks of.
    said = " ".join(warning.message for warning in level.warnings)
    if severity == "stop":
        for side, reason in level.skipped_sides.items():
            if reason.rstrip(".") not in said:
                yield f"{level.level} {side}: no safe trajectory: {reason}"
    for needle in level.trajectories:
        if _severity(needle) == severity and (needle.compromise is None or needle.compromise.rstrip(".") not in said):
            yield f"{level.level} {needle.side}, {needle.safety}: {needle.compromise or 'see the plan'}"


def _severity(needle: Trajectory) -> str | None:
    return {"safe": None, "breach": "stop"}.get(needle.safety, "caution")


def _in_short(plan: CasePlan) -> list[str]:
    """A line a level: the codes of its cautions, which are words, each once with the sides it was said of."""
    lines = []
    for where, warnings in [*((level.level, level.warnings) for level in plan.levels), ("Case", plan.warnings)]:
        sides: dict[str, list[str]] = {}
        for warning in sorted(warnings, key=lambda item: SEVERITIES.index(item.severity)):
            if warning.severity == "caution":
                sides.setdefault(warning.code.replace("_", " "), []).extend(_side(where, warning))
        words = [f"{code} ({' and '.join(dict.fromkeys(of))})" if of else code for code, of in sides.items()]
        if words:
            lines += textwrap.wrap(
                f"{where:<6}" + ", ".join(words), WIDTH - 2, initial_indent="  ", subsequent_indent=" " * 8
            )
    return lines


def _side(where: str, warning: PlanWarning) -> list[str]:
    found = re.match(rf"(?:{re.escape(where)}|The) (left|right)\b", warning.message)
    return [found[1]] if found else []


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text.strip(), WIDTH - 2, initial_indent="* ", subsequent_indent="  ")
