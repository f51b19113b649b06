"""The first page of a level: what the operator does, in the order it is needed."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

from ..augmentation.notices import SMALL_CAVITY_ML
from ..model import SIDES, CasePlan, LevelPlan, PlanWarning, Trajectory
from ..model.plan import NOT_JUDGED
from ..model.warning_codes import NO_BALLOON
from .markup import Content, Markup, div, element, span, table
from .needle_words import MEDIAL_RISK, angle_words, border_words, medial_rule, off_midline, tip_words
from .parts import case_lines, folded_notes, foot, sheet, warning_box, warning_boxes
from .pictures import PagePictures, operator_keys, picture_grid
from .symbols import clearance_bar, clearance_state, symbol
from .wording import (
    APPROACH_WORDS,
    CLEARANCE_WORDS,
    MISSING,
    by_severity,
    cement_range_words,
    dicom_words,
    grade_words,
    if_judged,
    needle_name,
    number,
    procedure,
    sentence,
    slack_words,
    stopped_by_words,
    with_brief_reasons,
)

if TYPE_CHECKING:
    from ..imaging import MedialBorder

LARGE_TYPE_CHARACTERS = 120
"""A reason longer than this is set a little smaller, or it would push the pictures off the page."""

DENSE_ABOVE_CHARACTERS = 200
"""Where stops and cautions are longer than this in all, the page is set smaller, so that pictures keep their size. [D]"""

SAFETY_WORDS = {"safe": "safe", "tight": "tight", "breach": "BREACH"}


def operator_page(
    plan: CasePlan,
    level: LevelPlan,
    pictures: PagePictures,
    case_warnings: tuple[PlanWarning, ...] = (),
    patient_name: str | None = None,
) -> Markup:
    """The sheet of one level for the operator.

    Args:
        case_warnings: warnings of the whole case: what stops it, and the rest where there is no overview page.
    """
    loud = sum(len(item.message) for item in (*level.warnings, *case_warnings) if item.severity != "info")
    return sheet(
        "operator dense" if loud > DENSE_ABOVE_CHARACTERS else "operator",
        _head(plan, level, patient_name),
        _warnings(level, case_warnings),
        _keys(plan, level),
        div("sides", [_side(plan, level, side, pictures.medial_borders.get(side)) for side in SIDES]),
        medial_rule(pictures.medial_borders),
        picture_grid(pictures, operator_keys(level)),
        foot("", f"{level.level} · for the operator · 1 of 2"),
    )


def _head(plan: CasePlan, level: LevelPlan, patient_name: str | None) -> Markup:
    refused = level.approach == "none"
    title = div("approach refused" if refused else "approach", symbol("stop") if refused else None, _title(plan, level))
    return element(
        "header",
        div("level", level.level),
        div("what", title, div(None, sentence(with_brief_reasons(level, level.approach_reason or "")))),
        div("case", case_lines(plan, patient_name)),
        class_="head",
    )


def _title(plan: CasePlan, level: LevelPlan) -> str:
    """“Bilateral kyphoplasty”, “Unilateral vertebroplasty, left”; without a balloon, or without room for one, it is no
    kyphoplasty, and with a needle that breaches it is no plan yet."""
    words = APPROACH_WORDS.get(level.approach or "none", level.approach or "")
    asked = procedure(plan)
    if asked is None or not level.trajectories:
        return words
    if asked == "kyphoplasty" and not any(item.balloon for item in level.trajectories):
        sought = any(warning.code == NO_BALLOON for warning in level.warnings)
        return f"{words}; kyphoplasty asked for, no balloon {'fits' if sought else 'planned'}"
    name, comma, side = words.partition(", ")
    title = f"{name} {asked}{comma}{side}"
    lost = [item.side for item in level.trajectories if not item.judged]
    if lost:
        return f"{title}: the {' and the '.join(lost)} needle {'is' if len(lost) == 1 else 'are'} not judged"
    breaching = [item.side for item in level.trajectories if item.safety == "breach"]
    if breaching:
        return f"{title}: the {' and the '.join(breaching)} needle breach{'es' if len(breaching) == 1 else ''}"
    if asked == "kyphoplasty" and _hardly_a_cavity(level):
        return f"{title}: hardly room for a balloon"
    return title


def _hardly_a_cavity(level: LevelPlan) -> bool:
    """Whether all balloons of a level together press on bone from the start, whatever less they are set to by hand."""
    balloons = [item.balloon for item in level.trajectories if item.balloon]
    room = (balloon.planned_volume_ml if balloon.limit_ml is None else balloon.limit_ml for balloon in balloons)
    return bool(balloons) and sum(room) < SMALL_CAVITY_ML


def _warnings(level: LevelPlan, case_warnings: tuple[PlanWarning, ...]) -> Markup:
    # What stops the whole case comes before what stops the level.
    first = tuple(warning for warning in case_warnings if warning.severity == "stop")
    last = tuple(warning for warning in case_warnings if warning.severity != "stop")
    ordered = by_severity((*first, *level.warnings, *last))
    loud = [warning for warning in ordered if warning.severity != "info"]
    notes = [warning for warning in ordered if warning.severity == "info"]
    boxes = [
        warning_box(dataclasses.replace(warning, message=with_brief_reasons(level, warning.message)))
        for warning in loud
    ]
    return div("warnings", warning_boxes(boxes) if boxes else None, folded_notes(notes, "on the record page"))


def _key(label: str, value: str, more: Content) -> Markup:
    return div("key", div("label", label), div("value", value), div("more", more))


def _keys(plan: CasePlan, level: LevelPlan) -> Markup | None:
    """The handful of numbers that are read aloud: cannula, balloon, cement, fillers."""
    if not level.trajectories:
        return None
    return div("keys", _cannula_key(level), _balloon_key(plan, level), *_cement_keys(level))


def _cannula_key(level: LevelPlan) -> Markup:
    names = list(dict.fromkeys(item.cannula for item in level.trajectories))
    widths = dict.fromkeys(f"{item.cannula_outer_diameter_mm:g}" for item in level.trajectories)
    count = f" × {len(level.trajectories)}" if len(names) == 1 < len(level.trajectories) else ""
    return _key("Cannula", " / ".join(names) + count, f"{' and '.join(widths)} mm outer diameter")


def _balloon_key(plan: CasePlan, level: LevelPlan) -> Markup | None:
    by_side = {item.side: item.balloon for item in level.trajectories if item.balloon}
    if not by_side:
        return _key("Balloon", "none", None) if procedure(plan) == "kyphoplasty" else None
    lengths = [f"{balloon.length_mm:g}" for balloon in by_side.values()]
    # One number needs its side only where a second needle could be meant.
    sides = [f"{side} " if len(level.trajectories) > 1 else "" for side in by_side]
    volumes = ", ".join(
        f"{side}{balloon.planned_volume_ml:.1f}" for side, balloon in zip(sides, by_side.values(), strict=True)
    )
    models = ", ".join(dict.fromkeys(balloon.model for balloon in by_side.values()))
    alike = len(lengths) > 1 and len(set(lengths)) == 1
    shown = f"{lengths[0]} mm × {len(lengths)}" if alike else " + ".join(lengths) + " mm"
    hardly = "; hardly a cavity, no gain expected" if _hardly_a_cavity(level) else ""
    return _key("Balloon", shown, f"{models}; inflate {volumes} ml{hardly}")


def _cement_keys(level: LevelPlan) -> list[Markup]:
    cement = level.cement
    if cement is None:
        return [_key("Cement", MISSING, "not planned")]
    limit = f"; limited by {cement.limited_by}" if cement.limited_by else ""
    each = [item.bone_fillers or 0 for item in level.trajectories]
    shared = ", one shared by both sides" if sum(each) > cement.bone_fillers else ""
    return [
        _key("Cement", number(cement.volume_ml, 1, "ml"), cement_range_words(cement) + limit),
        _key("Bone fillers", str(cement.bone_fillers), f"of {cement.bone_filler_ml:g} ml{shared}"),
    ]


def _side(plan: CasePlan, level: LevelPlan, side: str, border: MedialBorder | None) -> Markup:
    for trajectory in level.trajectories:
        if trajectory.side == side:
            return _planned_side(plan, level, trajectory, border)
    if side in level.skipped_sides:
        reason = level.skipped_sides[side]
        return div(
            "side skipped breach",
            div("title", span("name", side.upper()), span("state", symbol("breach"), "no needle")),
            element("p", sentence(reason), class_="reason" if len(reason) <= LARGE_TYPE_CHARACTERS else "reason long"),
        )
    return div(
        "side unused",
        div("title", span("name", side.upper()), span("state", "no needle")),
        element("p", "No needle on this side in this plan.", class_="reason"),
    )


def _planned_side(plan: CasePlan, level: LevelPlan, needle: Trajectory, border: MedialBorder | None) -> Markup:
    state = span("state", symbol(needle.safety), SAFETY_WORDS[needle.safety], f" · {grade_words(needle)}")
    bad = " bad" if needle.safety == "breach" else ""
    said_above = any(needle.compromise and needle.compromise in warning.message for warning in level.warnings)
    compromise = sentence(needle.compromise) if needle.compromise and not said_above else None
    name = span("name", needle.side.upper(), span("gauge", f" {needle_name(needle)}"))
    return div(
        f"side {needle.safety}",
        div("title", name, state),
        # Nobody is led along a needle that breaches.
        _carm(needle) if needle.safety != "breach" else None,
        div(f"compromise{bad}", compromise) if compromise else None,
        div("compromise bad", symbol("breach"), MEDIAL_RISK) if border is not None and border.at_risk else None,
        table([], _needle_rows(level, needle, border), class_="numbers"),
        _clearances(plan, needle),
    )


def _carm(needle: Trajectory) -> Markup:
    words = dicom_words(needle.carm.primary_deg, needle.carm.secondary_deg)
    return div(
        "carm",
        div("turn", sentence(needle.carm.prone_text).rstrip(".")),
        div("small", "End-on view. DICOM positioner, supine convention: ", span("nowrap", element("b", words))),
    )


def _needle_rows(level: LevelPlan, needle: Trajectory, border: MedialBorder | None) -> list[list[Content]]:
    slack = if_judged(needle, f"{slack_words(needle, ' or ')} before a wall is touched")
    rows: list[list[Content]] = [
        ["Skin", _skin_words(level, needle)],
        ["Bone entry", _entry_words(level, needle)],
        ["Angles", angle_words(needle)],
        *([["Medial border", border_words(border)]] if border is not None else []),
        ["Tip", tip_words(needle)],
        ["Slack", slack],
    ]
    if needle.balloon:
        rows.append(["Balloon", _balloon_words(needle, named=len(level.trajectories) > 1)])
    rows.append(["Cement", _cement_words(needle)])
    return rows


def _skin_words(level: LevelPlan, needle: Trajectory) -> str:
    if not needle.judged:
        return NOT_JUDGED
    if needle.skin_to_target_mm is None:
        return "unknown: no skin in the images"
    words = f"{number(needle.skin_to_target_mm, 0, 'mm')} to the target"
    if needle.skin_ras is not None and level.frame is not None:
        words += f"; {off_midline(level, needle.skin_ras)}"
    return words


def _entry_words(level: LevelPlan, needle: Trajectory) -> str:
    words = if_judged(needle, f"{number(needle.bone_path_mm, 0, 'mm')} to the target")
    if level.frame is not None:
        words += f"; {off_midline(level, needle.entry_ras)}"
    return words


def _cement_words(needle: Trajectory) -> str:
    if needle.cement_ml is None:
        return MISSING
    fillers = f" in {needle.bone_fillers} bone filler{'' if needle.bone_fillers == 1 else 's'}"
    return number(needle.cement_ml, 1, "ml") + (fillers if needle.bone_fillers is not None else "")


def _balloon_words(needle: Trajectory, named: bool) -> str:
    """What to do with the balloon of a needle; where there are two needles, beginning with which balloon it is."""
    balloon = needle.balloon
    assert balloon is not None
    model = f"{balloon.model}: " if named else ""
    pressure = f", {balloon.max_pressure_psi:g} psi" if balloon.max_pressure_psi is not None else ""
    size = f"{number(balloon.planned_volume_ml, 1, 'ml')}, Ø {number(balloon.planned_diameter_mm, 0, 'mm')}"
    stop = stopped_by_words(balloon)
    beyond, back = balloon.channel_beyond_target_mm, balloon.cannula_retraction_mm
    first = [f"make the channel {number(beyond, 1, 'mm')} beyond the target"] if beyond else []
    first += [f"draw the cannula back {number(math.ceil(back), 0, 'mm')}"] if back else []
    before = f"; first {', then '.join(first)}" if first else ""
    return f"{model}{size}, {stop} (limit {round(balloon.max_volume_ml, 1):g} ml{pressure}){before}"


def _clearances(plan: CasePlan, needle: Trajectory) -> Markup:
    """Distance from the cannula's surface to each wall, with its state and the margin it is held against."""
    cells = []
    for name, words in CLEARANCE_WORDS.items():
        value = getattr(needle.clearance_mm, name)
        margin = _margin(plan, needle, name)
        if value is None:
            why = "not computed" if needle.judged else NOT_JUDGED
            cells.append(div("wall", element("b", MISSING), div("small", f"{words}: {why}")))
            continue
        state = clearance_state(name, value, margin)
        asked = f" (margin {margin:.2g})" if margin else ""
        shown = element("b", symbol(state), number(value, 1, "mm"))
        cells.append(div(f"wall {state}", shown, clearance_bar(name, value, margin), div("small", words, asked)))
    return div("walls", cells)


def _margin(plan: CasePlan, needle: Trajectory, wall: str) -> float | None:
    """The margin a path was judged by; that of the options in a plan that does not say."""
    if needle.margins_mm is not None:
        return getattr(needle.margins_mm, wall)
    margins = plan.options.get("margins")
    return margins.get(f"{wall}_mm") if isinstance(margins, dict) else None
