"""What the operator has to know of the balloons and the cement of a level."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from ..access.safety import article, breach_words
from ..model import CANNULAS, BalloonPlan, Measurements, PlanOptions, PlanWarning, Predicted, Trajectory
from ..model.warning_codes import NO_BALLOON
from .cement import LOW_MARK, CementDose, shown_more
from .inflation import Inflation
from .placement import ANTERIOR_KEEP_MM, CANNULA_GAP_MM, OFF_MIDDLE_MM, NoBalloon
from .prediction import LEAST_LOSS_MM, has_anterior_loss
from .prediction import SOURCE as PREDICTION_SOURCE
from .room import CONTACT_MARGIN_MM

if TYPE_CHECKING:
    from .planner import PlacedBalloon

ROOM_AROUND_MM = 6.0
"""A body lower than the folded balloon and this much gives it little to work with (clinical-reference 4 [D])."""

FAR_OFF_SHARE = 0.2
"""A centre this share of the height off its middle has less than half as much bone on one side as on the other and lifts that end
plate: the operator has to want it. Nearer, it is a note [D]."""

SMALL_CAVITY_ML = 1.0
"""Less than this before the first contact is hardly a cavity: the balloon presses from the start, and no gain of height is
expected where all balloons of a level hold no more [D]."""

MARK_SOURCE = "Molloy 2003, Liebschner 2001, Martinčič 2015 [M]; Al-Ali, Kaufmann 2006 [V]"
GEOMETRY_SOURCE = "inflation inside the segmented body, first contact [D]"


WARNING_CODES = frozenset(
    {
        "balloon_beyond_target",
        "balloon_off_middle",
        "balloon_unverified",
        "balloons_meet",
        "breach_not_augmented",
        "cavity_above_ceiling",
        "cement_below_mark",
        "cement_ceiling",
        "cement_without_cleft",
        "low_body",
        "no_cement",
        "no_prediction",
        "prediction",
        "retract_cannula",
        "small_cavity",
        NO_BALLOON,
    }
)
"""Codes of every warning of this room, for whoever plans a level's augmentation anew."""


def breach(level: str, trajectory: Trajectory) -> PlanWarning:
    """A needle that is a breach gets nothing."""
    words = breach_words(trajectory)
    message = f"the needle {words}; no balloon and no cement are planned on it."
    return PlanWarning.of_needle(level, trajectory.side, "breach_not_augmented", "stop", message, "fail closed [D]")


def of_balloons(
    level: str,
    found: Mapping[str, PlacedBalloon | NoBalloon],
    plans: Mapping[str, BalloonPlan],
    options: PlanOptions,
    refused_sides: Collection[str] = (),
) -> list[PlanWarning]:
    """Warnings of the balloons of a level, by side.

    Args:
        refused_sides: sides that were asked for and have no safe path.
    """
    warnings = []
    for side, balloon in found.items():
        if isinstance(balloon, NoBalloon):
            message = f"no balloon fits: {balloon.reason}."
            one_of_two = len(found) == 1 and not refused_sides
            help_ = _what_may_help(balloon, one_of_two, options)
            message += f" {help_} may help." if help_ else ""
            warnings.append(
                PlanWarning.of_needle(level, side, NO_BALLOON, "caution", message, "device catalogue; margins [D]")
            )
        else:
            warnings += _of_balloon(level, side, balloon, plans[side])
    unverified = sorted({plan.model for plan in plans.values() if not plan.verified})
    if unverified:
        message = (
            f"volume and pressure limits of {', '.join(unverified)} are not verified; confirm them against "
            "the package before use."
        )
        sources = "; ".join(sorted({plan.source for plan in plans.values() if not plan.verified}))
        warnings.append(PlanWarning.of_level(level, "balloon_unverified", "caution", message, sources))
    return warnings


def _what_may_help(balloon: NoBalloon, one_of_two: bool, options: PlanOptions) -> str:
    """What could give a needle its balloon, as far as the plan tells without another search; empty where it does not."""
    ways = []
    if balloon.needed_cannula is not None:
        needed = balloon.needed_cannula
        ways.append(f"{article(CANNULAS[needed])} {needed} cannula or a thicker one, where the pedicle has room,")
    if one_of_two:
        ways.append("needles from both sides")
    if options.balloon != "auto":
        ways.append("another balloon")
    words = " or ".join(ways)
    return words[:1].upper() + words[1:]


def _of_balloon(level: str, side: str, balloon: PlacedBalloon, plan: BalloonPlan) -> list[PlanWarning]:
    placement, inflation = balloon.placement, balloon.inflation
    device, warnings = inflation.device, []
    if plan.channel_beyond_target_mm:
        message = (
            f"the balloon reaches {plan.channel_beyond_target_mm:.1f} mm beyond the needle’s target: its channel is made "
            f"that deep, and ends {ANTERIOR_KEEP_MM:.0f} mm or more before the anterior cortex along the needle."
        )
        warnings.append(PlanWarning.of_needle(level, side, "balloon_beyond_target", "info", message, GEOMETRY_SOURCE))
    if plan.cannula_retraction_mm:
        message = (
            f"draw the cannula back {math.ceil(plan.cannula_retraction_mm)} mm from the target before inflation, so that "
            f"the inflated balloon lies wholly beyond its tip, by {CANNULA_GAP_MM:.0f} mm or more."
        )
        warnings.append(PlanWarning.of_needle(level, side, "retract_cannula", "info", message, "2–3 mm retraction [D]"))
    needed = device.deflated_diameter_mm + ROOM_AROUND_MM
    if placement.height_mm < needed:
        message = (
            f"the body is {placement.height_mm:.1f} mm high at the balloon, less than the folded balloon and "
            f"{ROOM_AROUND_MM:.0f} mm ({needed:.1f} mm)."
        )
        warnings.append(
            PlanWarning.of_needle(level, side, "low_body", "caution", message, "folded balloon and 6 mm [D]")
        )
    if abs(placement.off_middle_mm) > OFF_MIDDLE_MM:
        where = "above" if placement.off_middle_mm > 0 else "below"
        message = (
            f"the balloon’s centre lies {abs(placement.off_middle_mm):.1f} mm {where} mid-height of the "
            f"{placement.height_mm:.0f} mm there."
        )
        far = abs(placement.off_middle_mm) > FAR_OFF_SHARE * placement.height_mm
        warnings.append(
            PlanWarning.of_needle(
                level, side, "balloon_off_middle", "caution" if far else "info", message, GEOMETRY_SOURCE
            )
        )
    if inflation.stopped_by == "other_balloon":
        message = (
            f"at {inflation.limit_ml:.1f} ml the two balloons meet; the device alone allows "
            f"{device.max_volume_ml:.1f} ml."
        )
        warnings.append(PlanWarning.of_needle(level, side, "balloons_meet", "info", message, GEOMETRY_SOURCE))
    if inflation.limit_ml < SMALL_CAVITY_ML:
        message = f"{_why_small(inflation)}"
        warnings.append(PlanWarning.of_needle(level, side, "small_cavity", "caution", message, GEOMETRY_SOURCE))
    return warnings


_MET = {"end_plate": "an end plate", "cortex": "the cortex", "other_balloon": "the other balloon"}
_DEVICE_LIMITS = {"max_volume": "its largest volume", "pressure_limit": "its pressure limit"}
"""By what stops an inflation: what is met, or else which limit of the device is reached."""


def _why_small(inflation: Inflation) -> str:
    """What leaves a balloon hardly a cavity, as a sentence."""
    at = f"{inflation.limit_ml:.1f} ml"
    if inflation.stopped_by in _DEVICE_LIMITS:
        return f"the balloon reaches {_DEVICE_LIMITS[inflation.stopped_by]} at {at}, hardly a cavity."
    return (
        f"the balloon meets {_MET[inflation.stopped_by]} at {at} ({CONTACT_MARGIN_MM:.0f} mm margin); "
        "what it holds beyond that has to lift or break bone."
    )


def of_cement(level: str, dose: CementDose | None, measurements: Measurements | None) -> list[PlanWarning]:
    """Warnings of the cement of a level."""
    if dose is None:
        message = "no cement volume, because the volume of the body or of its anterior two-thirds is unknown."
        return [PlanWarning.of_level(level, "no_cement", "caution", message, "label map")]
    warnings = []
    if dose.plan.limited_by is not None and shown_more(dose.wanted_ml, dose.ceiling_ml):
        message = f"cement held at {dose.plan.volume_ml:.1f} ml by {dose.plan.limited_by}."
        warnings.append(
            PlanWarning.of_level(level, "cement_ceiling", "caution", message, "JKNS 2012 [V]; editable assumption")
        )
    below = round(dose.plan.body_fill_percent) < round(100 * LOW_MARK)  # “15 %, less than the about 15 %” says nothing
    if below and dose.plan.low_mark_ml is not None and shown_more(dose.plan.low_mark_ml, dose.plan.volume_ml):
        message = (
            f"{dose.plan.volume_ml:.1f} ml are {dose.plan.body_fill_percent:.0f} % of the body, less than the about "
            f"{100 * LOW_MARK:.0f} % ({dose.plan.low_mark_ml:.1f} ml) that restored stiffness or strength in bench studies; no "
            "clinical series shows a best dose. The target fill sets the volume."
        )
        warnings.append(PlanWarning.of_level(level, "cement_below_mark", "info", message, MARK_SOURCE))
    if shown_more(dose.cavity_ml, dose.ceiling_ml):
        message = (
            f"the cavity ({dose.cavity_ml:.1f} ml) is larger than the cement’s ceiling "
            f"({dose.ceiling_ml:.1f} ml); inflate less."
        )
        warnings.append(
            PlanWarning.of_level(
                level, "cavity_above_ceiling", "caution", message, "cement ceiling, editable assumption"
            )
        )
    if measurements is None or measurements.cleft_volume_ml is None:
        message = "a gas cleft could not be looked for; none is counted in the cement."
        warnings.append(PlanWarning.of_level(level, "cement_without_cleft", "info", message, "CT"))
    return warnings


def of_prediction(
    level: str, predicted: Predicted | None, measurements: Measurements, cavity_ml: float, unresolved: bool
) -> list[PlanWarning]:
    """What the prediction rests on, or why there is none.

    Args:
        cavity_ml: planned volume of all balloons of the level.
        unresolved: one of the needles breaches.
    """
    if predicted is not None:
        message = (
            f"the expected height assumes that {100 * predicted.restoration_fraction:.0f} % of the lost "
            "anterior height come back; most of it is posture, not the balloon."
        )
        return [PlanWarning.of_level(level, "prediction", "info", message, PREDICTION_SOURCE)]
    known = (measurements.anterior_height_mm, measurements.posterior_height_mm, measurements.wedge_angle_deg)
    reference = measurements.reference.anterior_height_mm if measurements.reference is not None else None
    if measurements.genant_grade == 0:
        text = f"{level} is not fractured by height (grade 0); no gain is expected."
        return [PlanWarning("no_prediction", "info", text, "measurements")]
    if unresolved:
        message = "no expected height while a needle is a breach."
    elif cavity_ml < SMALL_CAVITY_ML:
        message = f"the balloons are planned with {cavity_ml:.1f} ml in all, hardly a cavity; no gain is expected."
    elif None not in (*known, reference) and not has_anterior_loss(measurements):
        message = f"less than {LEAST_LOSS_MM:.0f} mm of anterior height is lost; no gain is expected."
    else:
        message = "no expected height, because a height, its reference or the wedge angle is unknown."
    return [PlanWarning.of_level(level, "no_prediction", "info", message, "measurements")]
