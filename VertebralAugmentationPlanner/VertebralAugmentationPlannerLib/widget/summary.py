"""The plan in words, as rich text for the panel: warnings first."""

from __future__ import annotations

from html import escape

from ..model import CasePlan, LevelPlan, PlanWarning
from ..model.palette import ORANGE, VERMILION
from ..model.plan import SEVERITIES
from ..report.wording import (
    cement_range_words,
    APPROACH_WORDS,
    DISCLAIMER,
    convergence_words,
    craniocaudal_words,
    needle_name,
    number,
    placed,
    sentence,
    slack_words,
)
from ..scene.ui_support import tr as _

MARKS = {"stop": ("✖", f"color:{VERMILION}"), "caution": ("▲", f"color:{ORANGE}"), "info": ("ℹ", "")}
"""Sign of a warning and its style; what only informs has the colour of the text, which every theme shows."""


def _told(plan: CasePlan, current: str) -> list[LevelPlan]:
    """The levels whose warnings are shown: all that are planned, the current one first; else the current one."""
    planned = [level for level in plan.levels if level.approach is not None]
    planned.sort(key=lambda level: level.level != current)
    return planned or [level for level in plan.levels if level.level == current]


def warnings_counted(plan: CasePlan, current: str = "") -> str:
    """“1 stop, 3 cautions”: how many the summary shows, for where it is out of sight; "" where there are none."""
    shown = [*plan.warnings, *(warning for level in _told(plan, current) for warning in level.warnings)]
    stops, cautions = (sum(warning.severity == name for warning in shown) for name in ("stop", "caution"))
    words = [
        (_("1 stop") if stops == 1 else _("{count} stops").format(count=stops)) if stops else "",
        (_("1 caution") if cautions == 1 else _("{count} cautions").format(count=cautions)) if cautions else "",
    ]
    return ", ".join(filter(None, words))


def summary_html(plan: CasePlan, current: str = "") -> str:
    """All warnings, the gravest first; then each planned level in words, the current one first."""
    told = _told(plan, current)
    planned = [level for level in told if level.approach is not None]
    warnings = [(warning, "") for warning in plan.warnings]
    warnings += [(warning, level.level) for level in told for warning in level.warnings]
    parts = [_warnings(warnings)]
    parts += [_level(level) for level in planned]
    if not planned:
        measured = ", ".join(level.level for level in plan.levels if level.complete) or _("none")
        parts.append(f"<p>{_('Measured, not yet planned: {levels}.').format(levels=measured)}</p>")
    parts.append(f"<p><i>{escape(DISCLAIMER)}</i></p>")
    return "".join(parts)


def _level(level: LevelPlan) -> str:
    approach = APPROACH_WORDS.get(level.approach or "", level.approach or "")
    reason = sentence(level.approach_reason or "")
    if reason.lower().startswith(approach.lower()):
        reason = sentence(reason[len(approach) :].lstrip(": "))
    lines = [f"<b>{level.level}: {escape(approach)}.</b> {escape(reason)}"]
    for needle in level.trajectories:
        words = _("{side} needle {name}: {across}, {along}; {bone} in bone; {safety}, slack {slack}.")
        if not needle.judged:
            words = _("{side} needle {name}: {across}, {along}; {safety}, not judged.")
        text = words.format(
            side=needle.side.capitalize(),
            name=needle_name(needle),
            across=convergence_words(needle.convergence_angle_deg),
            along=craniocaudal_words(needle.craniocaudal_angle_deg),
            bone=number(needle.bone_path_mm, 0, "mm"),
            safety=needle.safety,
            slack=slack_words(needle, " and "),
        )
        if needle.balloon is not None:
            text += " " + _("Balloon {model}, {volume}.").format(
                model=needle.balloon.model, volume=number(needle.balloon.planned_volume_ml, 1, "ml")
            )
        lines.append(escape(text))
    if level.cement is not None:
        lines.append(
            _("Cement {volume} ({share}).").format(
                volume=number(level.cement.volume_ml, 1, "ml"), share=cement_range_words(level.cement)
            )
        )
    return "<p>" + "<br>".join(lines) + "</p>"


def _warnings(warnings: list[tuple[PlanWarning, str]]) -> str:
    lines = []
    for warning, level in sorted(warnings, key=lambda item: SEVERITIES.index(item[0].severity)):
        mark, style = MARKS[warning.severity]
        bold = "b" if warning.severity == "stop" else "span"
        text = escape(placed(level, sentence(warning.message)) if level else sentence(warning.message))
        lines.append(f'<span style="{style}">{mark}</span> <{bold}>{text}</{bold}>')
    return "<p>" + "<br>".join(lines) + "</p>" if lines else ""
