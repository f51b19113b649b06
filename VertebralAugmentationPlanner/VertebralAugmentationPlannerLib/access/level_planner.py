"""One level's approach: the sides planned as they are asked for, and the needles that are delivered."""

from __future__ import annotations

from ..model import SIDES, Image, Measurements, PlanOptions, Vertebra
from .angles import SIDE_SIGN
from .approach import (
    EVIDENCE,
    OTHER_SIDE,
    Decision,
    better,
    midline_costs_slack,
    needs_both_sides,
    single_needle_falls_short,
)
from .clearance import PathEvaluator
from .instruments import costs_the_balloon
from .metal import blocked
from .search import WidestLines
from .side import SideLines, SidePlan, plan_lines
from .space import access_space
from .target import UNILATERAL_REACH_MM


class LevelPlanner:
    """Searches each side at most once, and plans it at most once for each goal."""

    def __init__(self, vertebra: Vertebra, options: PlanOptions, ct: Image | None = None) -> None:
        self.vertebra, self.ct, self.options = vertebra, ct, options
        space = access_space(vertebra)
        self.evaluators = {side: PathEvaluator(vertebra, side, space) for side in SIDES if side in vertebra.pedicles}
        self._lines: dict[str, SideLines] = {}
        self._widest: dict[tuple[str, bool], WidestLines | None] = {}
        self._plans: dict[tuple[str, bool], SidePlan] = {}

    def widest(self, side: str, unilateral: bool) -> WidestLines | None:
        """The widest lines of a side for one goal, before a cannula is chosen; None where there are none."""
        if side not in self.evaluators:
            return None
        if side not in self._lines:
            self._lines[side] = SideLines.of(self.evaluators[side], self.options)
        key = (side, unilateral)
        if key not in self._widest:
            self._widest[key] = self._lines[side].widest(unilateral)
        return self._widest[key]

    def plan(self, side: str, unilateral: bool) -> SidePlan:
        """The best needle of a side for one goal, or why there is none."""
        key = (side, unilateral)
        if key not in self._plans:
            if side in self.evaluators:
                widest = self.widest(side, unilateral)
                self._plans[key] = self._unless_blocked(plan_lines(self._lines[side], widest, unilateral))
            else:
                reason = self.vertebra.pedicle_reasons.get(side, f"The {side} pedicle was not found.")
                self._plans[key] = SidePlan.refused(side, reason)
        return self._plans[key]

    def _unless_blocked(self, plan: SidePlan) -> SidePlan:
        """The plan, or a refusal where its needle would run through metal: no wall tells of a screw."""
        if plan.path is None:
            return plan
        check = plan.path.check
        found = blocked(self.ct, self.vertebra, check)
        if found is None:
            return plan
        reason = (
            f"{found.what.capitalize()} lies in the {plan.side} needle’s way: on {found.length_mm:.0f} of {check.bone_path_mm:.0f} "
            "mm from the entry to the target the CT shows it (a screw of an earlier operation?)."
        )
        return SidePlan.refused(plan.side, reason, plan.widest_mm)

    def decide(self, measurements: Measurements | None) -> Decision:
        """The approach that was asked for, or the one that suits the fracture and the pedicles."""
        approach = self.options.approach
        if approach == "bilateral":
            return self._both("Asked for.")
        if approach.startswith("unilateral-"):
            return self._one_side(approach.removeprefix("unilateral-"), "Asked for.")
        if approach == "unilateral":
            return self._better_side("One needle was asked for")
        both = needs_both_sides(measurements, self.options)
        if both is not None:
            return self._both(f"Bilateral: {both}.")
        return self._automatic()

    def _both(self, reason: str) -> Decision:
        plans = [self.plan(side, False) for side in SIDES]
        refused = tuple(plan for plan in plans if plan.path is None)
        if not refused:
            return Decision("bilateral", reason, tuple(plans), ())
        if len(refused) == len(SIDES):
            return _nothing(refused)
        available = next(plan for plan in plans if plan.path is not None)
        single = self._single(available.side)
        why = f"Only the {single.side} side has a path. {refused[0].side.capitalize()}: {refused[0].refusal}"
        short_mm = _short_of_midline_mm(single)
        if abs(short_mm) > UNILATERAL_REACH_MM:
            filled = single.side if short_mm > 0 else OTHER_SIDE[single.side]
            why += f" {_tip_words(single)}, and the cement on the {filled}."
        return Decision(f"unilateral-{single.side}", why, (single,), refused)

    def _single(self, side: str) -> SidePlan:
        """One needle where two are not possible: to the midline where that keeps every margin and passes what the other would,
        because beside it half of the body stays empty; else where it is better."""
        single, paramedian = self.plan(side, True), self.plan(side, False)
        if single.safe and (self._without_balloon(paramedian) or not self._without_balloon(single)):
            return single
        return paramedian if single_needle_falls_short(single, paramedian) is not None else single

    def _one_side(self, side: str, reason: str) -> Decision:
        single = self.plan(side, True)
        if single.path is not None:
            return self._with_balloon(single, reason)
        beside = self.plan(side, False)
        if beside.path is None:
            return _nothing((beside,))
        why = f"{reason} {_tip_words(beside)}: {single.refusal}"
        return Decision(f"unilateral-{side}", why, (beside,), ())

    def _better_side(self, reason: str) -> Decision:
        plans = [self.plan(side, True) for side in SIDES]
        usable = [plan for plan in plans if plan.path is not None]
        if not usable:
            plans = [self.plan(side, False) for side in SIDES]
            usable = [plan for plan in plans if plan.path is not None]
            if not usable:
                return _nothing(tuple(plans))
            reason += "; no path reaches the midline ± 3 mm"
        best = better(usable)
        other = next(plan for plan in plans if plan.side != best.side)
        return self._with_balloon(best, f"{reason}; {_compared(best, other)}")

    def _with_balloon(self, single: SidePlan, reason: str) -> Decision:
        """A single needle as planned; one beside the midline where only that passes a balloon."""
        approach = f"unilateral-{single.side}"
        beside = self.plan(single.side, False) if self._without_balloon(single) else single
        if beside is single or beside.path is None or self._without_balloon(beside):
            return Decision(approach, reason, (single,), ())
        assert single.cannula is not None and beside.cannula is not None
        why = (
            f"{reason.removesuffix('.')}. {_tip_words(beside)}: to the midline there is room for "
            f"{single.cannula.name} only, which no balloon passes; beside it for {beside.cannula.name}."
        )
        return Decision(approach, why, (beside,), ())

    def _without_balloon(self, plan: SidePlan) -> bool:
        return plan.cannula is not None and costs_the_balloon(plan.cannula, self.options)

    def _shortfall(self, side: str) -> str | None:
        """Why one needle to the midline is worse than one beside it. Most are so by their widest lines alone, which are
        known without a cannula."""
        to_midline, beside = self.widest(side, True), self.widest(side, False)
        if to_midline is not None and beside is not None:
            costly = midline_costs_slack(side, to_midline.widest_mm, beside.widest_mm)
            if costly is not None:
                return costly
        return single_needle_falls_short(self.plan(side, True), self.plan(side, False))

    def _automatic(self) -> Decision:
        shortfalls = {side: self._shortfall(side) for side in SIDES}
        fitting = [self.plan(side, True) for side in SIDES if shortfalls[side] is None and self.plan(side, True).safe]
        if not fitting:
            reasons = "; ".join(text for text in shortfalls.values() if text)
            return self._both(f"Bilateral: {reasons or 'a single needle would not keep every margin'}.")
        best = better(fitting)
        assert best.path is not None
        offset = abs(float(best.path.check.target[0]))
        other = self.plan(OTHER_SIDE[best.side], True)
        why = (
            f"A single {best.side} needle reaches the midline to {offset:.1f} mm with every margin kept; "
            f"{_compared(best, other)} {EVIDENCE}"
        )
        return Decision(f"unilateral-{best.side}", why, (best,), ())


def _short_of_midline_mm(plan: SidePlan) -> float:
    """How far a planned tip stays on its own side of the midline, mm; negative where it lies past it."""
    assert plan.path is not None
    return SIDE_SIGN[plan.side] * float(plan.path.check.target[0])


def _tip_words(plan: SidePlan) -> str:
    """“The tip stays 6.0 mm short of the midline”, or past it."""
    short_mm = _short_of_midline_mm(plan)
    return f"The tip stays {abs(short_mm):.1f} mm {'short of' if short_mm >= 0 else 'past'} the midline"


def _compared(best: SidePlan, other: SidePlan) -> str:
    assert best.path is not None
    slack = best.path.check.tolerated_offset_mm
    if other.path is None:
        return f"it may be {slack:.1f} mm off; the {other.side} side has no such path."
    return f"it may be {slack:.1f} mm off, one on the {other.side} {other.path.check.tolerated_offset_mm:.1f} mm."


def _nothing(refused: tuple[SidePlan, ...]) -> Decision:
    reason = "No path on any side that was asked for."
    return Decision("none", reason, (), refused)
