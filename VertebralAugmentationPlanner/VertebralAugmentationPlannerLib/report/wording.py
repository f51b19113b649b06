"""How numbers and states are put into words, the same on every page and in every table."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..augmentation.cement import HIGH_MARK, LOW_MARK
from ..augmentation.stored import holds_less
from ..model import BalloonPlan, CasePlan, CementPlan, LevelPlan, PlanWarning, Trajectory, below
from ..model.grades import loss_decimals
from ..model.plan import NOT_JUDGED, SEVERITIES
from ..model.warning_codes import FRACTURE_BY_SHAPE, LATERAL_HEIGHT_LOSS, REFERENCE_IMPLAUSIBLE

MISSING = "—"
"""A number that could not be computed."""

DOUBTS = {
    REFERENCE_IMPLAUSIBLE: "reference doubtful",
    FRACTURE_BY_SHAPE: "shaped like a fracture",
    LATERAL_HEIGHT_LOSS: "lower on one side",
}
"""By code of a warning, what it says of the finding, in brief."""

RUN = 4
"""As many neighbours in a row are named by the first and the last: “T1–L5”."""

DISCLAIMER = "Planning aid for trained people, research and teaching. Not a medical device; check every number."

CLEARANCE_WORDS = {
    "canal": "spinal canal",
    "pedicle_wall": "pedicle wall",
    "endplate": "end plates",
    "anterior_wall": "anterior wall",
    "lateral_wall": "lateral wall",
    "neighbour": "neighbour",
}
"""By field of Clearance, in the order shown: the canal first."""

STOPPED_BY_WORDS = {
    "max_volume": "stops at its largest volume",
    "end_plate": "stops at an end plate",
    "cortex": "stops at the cortex",
    "pressure_limit": "stops at the pressure limit",
}


def cement_range_words(cement: CementPlan) -> str:
    """“11 % of the body; 15–30 % are 3.0–5.9 ml”; of a plan that does not hold these marks, its range."""
    fill = f"{number(cement.body_fill_percent, 0, '%')} of the body"
    if cement.low_mark_ml is None or cement.high_mark_ml is None:
        return f"{fill}; range {cement.low_ml:.1f}–{number(cement.high_ml, 1, 'ml')}"
    marks = f"{100 * LOW_MARK:.0f}–{100 * HIGH_MARK:.0f} % are {cement.low_mark_ml:.1f}–{number(cement.high_mark_ml, 1, 'ml')}"
    return f"{fill}; {marks}"


def stopped_by_words(balloon: BalloonPlan) -> str:
    """What ends the inflation of a balloon, in words; “set by hand; would stop at an end plate at 3.1 ml” where nothing does."""
    stops = STOPPED_BY_WORDS.get(balloon.stopped_by, balloon.stopped_by)
    if balloon.meets_other_balloon:
        stops = "stops where the two balloons meet"
    if balloon.limit_ml is None or not holds_less(balloon, balloon.limit_ml):
        return stops
    return f"set by hand; would {stops.replace('stops', 'stop', 1)} at {number(balloon.limit_ml, 1, 'ml')}"


APPROACH_WORDS = {
    "bilateral": "Bilateral",
    "unilateral-left": "Unilateral, left",
    "unilateral-right": "Unilateral, right",
    "none": "No safe access",
}

REFERENCE_WORDS = {
    "neighbours": "neighbouring levels",
    "own_posterior": "its own posterior height",
    "normative": "normal values",
}


def number(value: float | None, decimals: int = 1, unit: str = "") -> str:
    """“17.2 mm”; a dash where the value is None. Angles take their sign before them without a space."""
    if value is None:
        return MISSING
    text = f"{value:.{decimals}f}".replace("-", "−")
    if float(f"{value:.{decimals}f}") == 0:
        text = text.lstrip("−")
    if unit in ("°", ""):
        return text + unit
    return f"{text}\u00a0{unit}"


def loss_words(percent: float | None, unit: str = "%") -> str:
    """“35 %”; “19.8 %” where 20 % would be another grade."""
    return MISSING if percent is None else number(percent, loss_decimals(percent), unit)


def signed(value: float | None, decimals: int = 1, unit: str = "") -> str:
    """The same with a plus where the value is above zero."""
    text = number(value, decimals, unit)
    return f"+{text}" if value is not None and round(value, decimals) > 0 else text


def sentence(text: str) -> str:
    """The text with a capital letter and a full stop."""
    text = text.strip()
    if not text:
        return text
    text = text[0].upper() + text[1:]
    return text if text[-1] in ".!?" else text + "."


def placed(where: str, text: str) -> str:
    """The text with the level it speaks of; many already begin with it."""
    return text if re.match(rf"{re.escape(where)}\b", text) else f"{where}: {text}"


def level_names(plan: CasePlan, names: Iterable[str]) -> str:
    """“T4, T7–T11, L2”: neighbours in a row by the first and the last of them."""
    present = tuple(level.level for level in plan.levels)
    runs: list[list[str]] = []
    for name in names:
        if runs and below(runs[-1][-1], present) == name:
            runs[-1].append(name)
        else:
            runs.append([name])
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) >= RUN else ", ".join(run) for run in runs)


def planned_names(plan: CasePlan) -> list[str]:
    """The levels that were planned, a refused one among them; a level that was measured alone is none of them."""
    return [level.level for level in plan.levels if level.approach is not None]


def document_title(plan: CasePlan) -> str:
    """What a document of the plan is called where files are listed: by the levels it plans, not by all that it measures."""
    planned = planned_names(plan)
    if planned:
        return f"Vertebral augmentation plan: {level_names(plan, planned)}"
    whole = [level.level for level in plan.levels if level.complete]
    return f"Vertebral measurements: {level_names(plan, whole) or 'no level'}"


def convergence_words(degrees: float) -> str:
    """“13° towards the midline”; where nothing is left of it when rounded, “0° from the sagittal plane”."""
    if not round(abs(degrees)):
        return "0° from the sagittal plane"
    return f"{abs(degrees):.0f}° {'towards the midline' if degrees >= 0 else 'away from the midline'}"


def craniocaudal_words(degrees: float) -> str:
    """“10° towards the feet”: where the tip points; where nothing is left of it when rounded, “0° from the axial plane”."""
    if not round(abs(degrees)):
        return "0° from the axial plane"
    return f"{abs(degrees):.0f}° {'towards the head' if degrees >= 0 else 'towards the feet'}"


def if_judged(needle: Trajectory, text: str) -> str:
    """The text, which tells what was found in the images; “not judged” of a needle that was not judged where it lies."""
    return text if needle.judged else NOT_JUDGED


def grade_words(needle: Trajectory) -> str:
    """“grade A”, or “not judged”."""
    return if_judged(needle, f"grade {needle.breach_grade}")


def slack_words(needle: Trajectory, between: str) -> str:
    """“1.5 mm or 3.0°”, or “not judged”."""
    offset, angle = number(needle.tolerated_offset_mm, 1, "mm"), number(needle.tolerated_angle_deg, 1, "°")
    return if_judged(needle, f"{offset}{between}{angle}")


def dicom_words(primary_deg: float, secondary_deg: float) -> str:
    """Positioner angles as C-arms print them: “RAO 13° · CRA 10°” (DICOM: LAO and CRA positive), and “CRA 0°” for either sign
    of what rounds to nothing."""
    primary_deg, secondary_deg = (0.0 if not round(abs(angle)) else angle for angle in (primary_deg, secondary_deg))
    oblique = f"{'LAO' if primary_deg >= 0 else 'RAO'} {abs(primary_deg):.0f}°"
    tilt = f"{'CRA' if secondary_deg >= 0 else 'CAU'} {abs(secondary_deg):.0f}°"
    return f"{oblique} · {tilt}"


def by_severity(warnings: tuple[PlanWarning, ...]) -> list[PlanWarning]:
    """Stop before caution before info; the planner's order within each."""
    return sorted(warnings, key=lambda warning: SEVERITIES.index(warning.severity))


def brief(reason: str) -> str:
    """The first clause of a reason: “No safe path for a 13G cannula”."""
    return reason.split(": ")[0].split("; ")[0].rstrip(".")


def with_brief_reasons(level: LevelPlan, text: str) -> str:
    """The text with the reasons of skipped sides cut to their first clause: they stand in full, in large type, below."""
    for reason in level.skipped_sides.values():
        text = text.replace(reason.rstrip("."), brief(reason))
    return text


def worst_severity(level: LevelPlan) -> str | None:
    """Highest severity among a level's warnings, None where it has none."""
    ordered = by_severity(level.warnings)
    return ordered[0].severity if ordered else None


def procedure(plan: CasePlan) -> str | None:
    """The procedure asked for, None in a plan without that option."""
    value = plan.options.get("procedure")
    return value if isinstance(value, str) else None


def needle_name(trajectory: Trajectory) -> str:
    """“10G, 3.4 mm”."""
    return f"{trajectory.cannula}, {number(trajectory.cannula_outer_diameter_mm, 2).rstrip('0').rstrip('.')}\u00a0mm"
