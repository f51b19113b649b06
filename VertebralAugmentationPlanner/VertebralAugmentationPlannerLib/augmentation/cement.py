"""Cement: the target fill of the anterior two-thirds as a volume, with its range, its ceiling and what it rests on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..model import Assumptions, CementPlan, Measurements, PlanOptions, Vertebra

EROSION_MM = 2.0
"""The target region keeps this far from the bone's surface; 57–66 % of a body lie deeper (clinical-reference 5 [C])."""

LOW_MARK, HIGH_MARK = 0.15, 0.30
"""Shares of the whole body that the range names: about 15 % is the least that restored stiffness or strength in
bench studies (Molloy 2003, Liebschner 2001, Martinčič 2015 [M]); 30 % restored normal stiffness in a finite-element
study and more exceeded it (JKNS 2012, doi 10.3340/jkns.2012.52.5.435 [V])."""

FILLER_TOLERANCE_ML = 1e-6
"""3.0000000001 ml are two fillers of 1.5 ml, not three; nor is 2.1 ml four of 0.7 ml."""

EVIDENCE = (
    "No clinical series shows a best dose (no correlation with pain relief in 660 vertebrae, Al-Ali [V]; in 158 "
    "patients, Kaufmann 2006 [V])."
)


@dataclass(frozen=True)
class CementDose:
    """A cement plan and the share of each side; ``wanted_ml`` is its volume before the ceiling."""

    plan: CementPlan
    by_side: dict[str, float]
    cavity_ml: float
    ceiling_ml: float
    wanted_ml: float


def target_region_ml(vertebra: Vertebra) -> float | None:
    """Volume of the body's anterior two-thirds at least 2 mm below the bone's surface, ml.

    Voxels on the borders count in proportion. None where the body or its depth is unknown.
    """
    grid, bone, body, start = vertebra.grid, vertebra.bone_mm, vertebra.body, vertebra.two_thirds_start_mm
    if grid is None or bone is None or body is None or start is None:
        return None
    spacing = grid.spacing_mm
    in_front = np.clip((grid.axes[1] - start) / spacing + 0.5, 0.0, 1.0)
    columns = np.flatnonzero(in_front > 0)
    if not len(columns):
        return 0.0
    part = (slice(None), slice(columns[0], None))
    inner = np.clip((bone[part] - EROSION_MM) / spacing + 0.5, 0.0, 1.0) * body[part]
    return float(inner.sum(axis=(0, 2)) @ in_front[columns[0] :]) * spacing**3 / 1000.0


def plan_cement(
    vertebra: Vertebra,
    measurements: Measurements | None,
    cavities_ml: Mapping[str, float],
    options: PlanOptions,
) -> CementDose | None:
    """The cement of a level; None where the body's volume or its target region is unknown.

    Args:
        cavities_ml: planned balloon volume of each side with a needle; 0 for a side without a balloon and in
            vertebroplasty.
    """
    body = _body_ml(vertebra, measurements)
    region = target_region_ml(vertebra)
    if body is None or region is None or body <= 0 or region <= 0 or not cavities_ml:
        return None
    assumed = options.assumptions
    cavity = sum(cavities_ml.values())
    cleft = (measurements.cleft_volume_ml or 0.0) if measurements is not None else 0.0
    fill = options.target_fill * region
    wanted = _wanted(fill, cavity, cleft, assumed)
    ceiling = assumed.cement_ceiling_fraction * body
    volume = min(wanted, ceiling)
    marks = LOW_MARK * body, min(HIGH_MARK * body, ceiling)
    plan = CementPlan(
        target_fill=options.target_fill,
        target_region_ml=region,
        volume_ml=volume,
        low_ml=min(volume, marks[0]),
        high_ml=max(volume, marks[1]),
        body_fill_percent=100.0 * volume / body,
        bone_fillers=fillers(volume, assumed.bone_filler_ml),
        bone_filler_ml=assumed.bone_filler_ml,
        method=_method(fill, region, cavity, cleft, wanted, body, options, len(cavities_ml)),
        limited_by=_limit(wanted, ceiling, assumed) if wanted > ceiling else None,
        low_mark_ml=LOW_MARK * body,
        high_mark_ml=HIGH_MARK * body,
    )
    return CementDose(plan, _shares(volume, cavities_ml), cavity, ceiling, wanted)


def fillers(volume_ml: float, filler_ml: float) -> int:
    """How many bone fillers a volume takes, as it is shown: 3.04 ml are “3.0 ml”, and two fillers of 1.5 ml."""
    return max(0, math.ceil((round(volume_ml, 1) - FILLER_TOLERANCE_ML) / filler_ml))


def shown_more(one_ml: float, other_ml: float) -> bool:
    """Whether one volume is more than another as sentences show them, to a tenth of a ml."""
    return round(one_ml, 1) > round(other_ml, 1)


def _wanted(fill_ml: float, cavity_ml: float, cleft_ml: float, assumed: Assumptions) -> float:
    """Cement for a filled space of ``fill_ml``: voids fill whole, between the trabeculae only the marrow gives way."""
    marrow = 1.0 - assumed.bone_volume_fraction
    if cavity_ml <= 0:
        return fill_ml * marrow + cleft_ml
    around = max(assumed.interdigitation_ml, (fill_ml - cavity_ml) * marrow)
    return cavity_ml + around + cleft_ml


def _body_ml(vertebra: Vertebra, measurements: Measurements | None) -> float | None:
    measured = measurements.body_volume_ml if measurements is not None else None
    return measured if measured is not None else vertebra.body_volume_ml


def _shares(volume_ml: float, cavities_ml: Mapping[str, float]) -> dict[str, float]:
    """Each side fills its own cavity; the rest is shared equally. Too little for the cavities goes in proportion."""
    cavity = sum(cavities_ml.values())
    if volume_ml < cavity:
        return {side: volume_ml * own / cavity for side, own in cavities_ml.items()}
    rest = (volume_ml - cavity) / len(cavities_ml)
    return {side: own + rest for side, own in cavities_ml.items()}


def _limit(wanted: float, ceiling: float, assumed: Assumptions) -> str:
    held = f"the ceiling of {100 * assumed.cement_ceiling_fraction:.0f} % of the whole body, {ceiling:.1f} ml"
    return f"{held} ({wanted:.1f} ml were wanted)" if shown_more(wanted, ceiling) else held


def _method(
    fill: float,
    region: float,
    cavity: float,
    cleft: float,
    wanted: float,
    body: float,
    options: PlanOptions,
    sides: int,
) -> str:
    """The sum in words, to the hundredth of a ml, so that a reader who adds it up arrives where the plan did."""
    assumed, marrow = options.assumptions, 1.0 - options.assumptions.bone_volume_fraction
    parts = [
        f"Target {100 * options.target_fill:.0f} % of {region:.2f} ml (anterior two-thirds of the body, "
        f"{EROSION_MM:.0f} mm inside its surface [D]) = {fill:.2f} ml."
    ]
    if cavity <= 0:
        no_cavity = " (no balloon, so no cavity)" if options.procedure == "kyphoplasty" else ""
        parts.append(f"Trabecular space{no_cavity}: × {marrow:.2f} (1 − BV/TV [M]) = {fill * marrow:.2f} ml.")
    else:
        around = wanted - cavity - cleft
        rule = (
            f"({fill:.2f} − {cavity:.2f}) ml × {marrow:.2f} (1 − BV/TV [M]) to reach the target, more than the "
            f"{assumed.interdigitation_ml:.1f} ml of interdigitation [M]"
            if (fill - cavity) * marrow > assumed.interdigitation_ml
            else "interdigitation, 1–2 ml [M]; the cavity reaches the target"
        )
        parts.append(f"Cavity {cavity:.2f} ml + {around:.2f} ml around it: {rule}.")
    if cleft > 0:
        parts.append(f"Gas cleft + {cleft:.2f} ml, fills first [D].")
    if cavity > 0 or cleft > 0:
        parts.append(f"Together {wanted:.2f} ml.")
    parts.append(
        f"15 % of the body ({body:.1f} ml) is {LOW_MARK * body:.1f} ml [M], 30 % {HIGH_MARK * body:.1f} ml "
        f"(normal stiffness, JKNS 2012 [V])."
    )
    if sides > 1:
        parts.append("Fillers are counted over both sides: one begun on one side is finished on the other.")
    parts.append(EVIDENCE)
    return " ".join(parts)
