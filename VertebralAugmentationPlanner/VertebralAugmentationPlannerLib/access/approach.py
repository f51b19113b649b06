"""One needle or two, and why."""

from __future__ import annotations

from dataclasses import dataclass

from ..model import Measurements, PlanOptions
from .side import SidePlan

COLLAPSE_PERCENT = 40.0
"""Height loss from which a body is lifted from both sides: Genant grade 3 (> 40 %, QIMS 2019 [V]); two balloons lift
with about twice the force of one (+105 %, a manufacturer's bench test [V])."""

SLACK_SHARE = 0.90
"""A single needle may cost at most a tenth of the clearance that the same side's paramedian needle has: of two safe
paths the one with more slack wins [D]."""

EVIDENCE = "One or two needles gave the same outcome in 105 levels, with 4.1 against 4.9 ml of cement (PMC4068843)."
OTHER_SIDE = {"left": "right", "right": "left"}


@dataclass(frozen=True, eq=False)
class Decision:
    """The approach and the needles that belong to it.

    Args:
        approach: "bilateral", "unilateral-left", "unilateral-right" or "none".
        reason: in words, with numbers.
        chosen: the side plans to deliver.
        refused: the side plans that were asked for and could not be delivered.
    """

    approach: str
    reason: str
    chosen: tuple[SidePlan, ...]
    refused: tuple[SidePlan, ...]


def needs_both_sides(measurements: Measurements | None, options: PlanOptions) -> str | None:
    """Why a fracture is treated from both sides whatever a single needle could reach; None where nothing says so."""
    if options.etiology == "traumatic":
        return "a traumatic fracture is lifted from both sides"
    if measurements is None:
        return None
    loss = measurements.height_loss_percent
    losses = [value for value in (loss.anterior, loss.middle, loss.posterior) if value is not None]
    if losses and max(losses) >= COLLAPSE_PERCENT:
        return (
            f"the body has lost {max(losses):.0f} % of its height; from {COLLAPSE_PERCENT:.0f} % on it is treated "
            "from both sides"
        )
    return None


def better(plans: list[SidePlan]) -> SidePlan:
    """The side with the safer path, then the thicker cannula, then the greater slack; the left where all are equal."""

    def rank(plan: SidePlan) -> tuple[bool, float, float]:
        assert plan.path is not None and plan.cannula is not None
        # Half a tenth of a millimetre is no difference in slack: noise must not choose the side.
        slack = round(plan.path.check.tolerated_offset_mm / 0.05) * 0.05
        return plan.safe, plan.cannula.outer_diameter_mm, slack

    return max(plans, key=rank)


def single_needle_falls_short(single: SidePlan, paramedian: SidePlan) -> str | None:
    """Why one needle to the midline is worse than the same side's paramedian needle; None where it is as good."""
    side = single.side
    if single.path is None or single.cannula is None:
        return f"no path through the {side} pedicle reaches the midline ± 3 mm"
    if paramedian.path is None or paramedian.cannula is None:
        return None
    if not single.safe and paramedian.safe:
        return f"a {side} needle to the midline would not keep every margin"
    if single.cannula.outer_diameter_mm < paramedian.cannula.outer_diameter_mm:
        return (
            f"a {side} needle to the midline has room for {single.cannula.name} only, "
            f"against {paramedian.cannula.name} beside it"
        )
    return midline_costs_slack(side, single.path.widest_mm, paramedian.path.widest_mm)


def midline_costs_slack(side: str, to_midline_mm: float, beside_mm: float) -> str | None:
    """Why the midline costs a side too much clearance; None where it doesn't.

    Args:
        side: "left" or "right".
        to_midline_mm, beside_mm: what a needle to the midline and one beside it could have at best (the delivered ones
            have given some of it for their wishes), from the axis.
    """
    if to_midline_mm >= SLACK_SHARE * beside_mm:
        return None
    return (
        f"a {side} needle to the midline leaves {to_midline_mm:.1f} mm from its axis to the nearest wall, "
        f"one beside the midline {beside_mm:.1f} mm"
    )
