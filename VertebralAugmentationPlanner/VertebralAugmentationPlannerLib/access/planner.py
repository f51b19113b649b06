"""Access to one vertebra: the approach and its needles, and the re-evaluation of a needle that was moved."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..model import Cannula, Case, Clearance, Image, Measurements, PlanOptions, PlanWarning, Trajectory, Vertebra
from ..model.geometry import FloatArray
from ..model.plan import to_point
from .angles import SIDE_SIGN, convergence_deg, craniocaudal_deg, end_on_carm
from .approach import (
    EVIDENCE,
    OTHER_SIDE,
    Decision,
    better,
    midline_costs_slack,
    needs_both_sides,
    single_needle_falls_short,
)
from .clearance import PathCheck, PathEvaluator
from .instruments import costs_the_balloon
from .metal import in_the_way
from .notices import plan_warnings
from .safety import WALL_NAMES, Verdict, judge, margins_for, shortage_text
from .search import WidestLines
from .side import SideLines, SidePlan, plan_lines
from .skin import skin_point
from .space import access_space
from .target import UNILATERAL_REACH_MM
from .tip import misplaced_tip

SIDES = ("left", "right")


@dataclass(frozen=True)
class AccessPlan:
    """The access to one vertebra, as the level's plan carries it.

    Args:
        approach: "bilateral", "unilateral-left", "unilateral-right" or "none".
        approach_reason: in words.
        trajectories: left before right.
        skipped_sides: sides that were asked for and got no trajectory, with the reason.
    """

    approach: str
    approach_reason: str
    trajectories: tuple[Trajectory, ...]
    skipped_sides: dict[str, str]
    warnings: tuple[PlanWarning, ...]


def plan_access(vertebra: Vertebra, case: Case, measurements: Measurements | None, options: PlanOptions) -> AccessPlan:
    """Plan the access to one vertebra.

    Args:
        vertebra: of the spine; an incomplete one, or one without a canal, gets no trajectory and a reason.
        case: for the skin point (CT) and the vertebrae behind the needle (labels).
        measurements: of the level, for the choice of the approach; None where they could not be made.
        options: procedure, approach, cannula, margins, etiology.
    """
    wanted = _wanted_sides(options.approach)
    blocked = _blocked(vertebra)
    if blocked is not None:
        warning = PlanWarning("no_access", "stop", f"{vertebra.level}: {blocked}", "fail closed [D]")
        return AccessPlan("none", blocked, (), dict.fromkeys(wanted, blocked), (warning,))
    planner = _LevelPlanner(vertebra, options, case.ct)
    decision = planner.decide(measurements)
    trajectories = tuple(
        _delivered(planner.evaluators[plan.side], plan, case) for plan in sorted(decision.chosen, key=_left_first)
    )
    skipped = {plan.side: plan.refusal or "" for plan in decision.refused}
    warnings = plan_warnings(vertebra, case, measurements, options, trajectories, decision)
    return AccessPlan(decision.approach, decision.reason, trajectories, skipped, warnings)


def reevaluate(
    vertebra: Vertebra,
    case: Case,
    side: str,
    entry_ras: FloatArray,
    target_ras: FloatArray,
    cannula: Cannula,
    options: PlanOptions,
    evaluator: PathEvaluator | None = None,
    with_skin: bool = True,
) -> Trajectory:
    """Evaluate a needle that was moved by hand, with its true grade; it may be a breach.

    The entry of the result is where the axis enters the bone, wherever on the axis ``entry_ras`` lies.

    Args:
        vertebra: complete, with a canal and the side's pedicle.
        side: "left" or "right".
        entry_ras, target_ras: (3,) RAS mm.
        cannula: the cannula in use.
        evaluator: kept from an earlier call while a needle is dragged; made anew when None.
        with_skin: whether the skin point is looked for.

    Raises:
        ValueError: entry and target coincide, or the side can't be evaluated at all.
    """
    if evaluator is None:
        evaluator = PathEvaluator(vertebra, side)
    assert vertebra.frame is not None
    entry, target = (vertebra.frame.to_local(entry_ras), vertebra.frame.to_local(target_ras))
    check = evaluator.evaluate(entry, target, cannula.radius_mm)
    verdict = judge(check, margins_for(options.margins, vertebra))
    compromise = None
    metal_mm = _metal_in_the_way(case.ct, vertebra, check, cannula)
    misplaced = misplaced_tip(evaluator.space, check.target)
    if metal_mm is not None or (misplaced is not None and misplaced.outside_the_body):
        verdict = replace(verdict, safety="breach")
    elif misplaced is not None and verdict.safety == "safe":
        verdict = replace(verdict, safety="tight")
    if verdict.safety != "safe":
        parts = [shortage_text(verdict)] if verdict.shortages else []
        parts += [] if misplaced is None else [misplaced.words]
        parts += [] if metal_mm is None else [f"{metal_mm:.0f} mm of its way lie in metal"]
        if not check.through_pedicle:
            parts.append("the needle does not pass the pedicle from behind, through its isthmus")
        if check.crosses_own_bone:
            parts.append("the needle runs through another part of the same vertebra before its entry")
        compromise = "This needle: " + ", ".join(parts) + "."
    return _trajectory(evaluator, check, cannula, verdict, compromise, case if with_skin else None)


def _metal_in_the_way(ct: Image | None, vertebra: Vertebra, check: PathCheck, cannula: Cannula) -> float | None:
    """On how many mm a path meets metal in the CT; None where it is not blocked, or nothing can be told."""
    if ct is None or vertebra.frame is None:
        return None
    entry, target = vertebra.frame.to_ras(check.entry), vertebra.frame.to_ras(check.target)
    found = in_the_way(ct, entry, target, cannula.radius_mm)
    return found.length_mm if found.blocks else None


class _LevelPlanner:
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
        key = (side, unilateral)
        if key not in self._plans:
            if side in self.evaluators:
                widest = self.widest(side, unilateral)
                self._plans[key] = self._unless_blocked(plan_lines(self._lines[side], widest, unilateral))
            else:
                reason = self.vertebra.pedicle_reasons.get(side, f"The {side} pedicle was not found.")
                self._plans[key] = SidePlan(side, None, None, None, None, refusal=reason)
        return self._plans[key]

    def _unless_blocked(self, plan: SidePlan) -> SidePlan:
        """The plan, or a refusal where its needle would run through metal: no wall tells of a screw."""
        if plan.path is None or plan.cannula is None:
            return plan
        check = plan.path.check
        metal_mm = _metal_in_the_way(self.ct, self.vertebra, check, plan.cannula)
        if metal_mm is None:
            return plan
        reason = (
            f"Metal lies in the {plan.side} needle’s way: on {metal_mm:.0f} of {check.bone_path_mm:.0f} mm from the "
            "entry to the target the CT shows it (a screw of an earlier operation?)."
        )
        return SidePlan(plan.side, None, None, None, plan.widest_mm, refusal=reason)

    def decide(self, measurements: Measurements | None) -> Decision:
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


def _wanted_sides(approach: str) -> tuple[str, ...]:
    return (approach.removeprefix("unilateral-"),) if approach.startswith("unilateral-") else SIDES


def _blocked(vertebra: Vertebra) -> str | None:
    if not vertebra.complete:
        return vertebra.incomplete_reason or "The vertebra is cut by the image’s border."
    if vertebra.canal_mm is None:
        why = vertebra.canal_reason or "it could not be built with confidence"
        return f"The spinal canal is unknown ({why}); nothing is planned without it."
    return None


def _left_first(plan: SidePlan) -> int:
    return SIDES.index(plan.side)


def _delivered(evaluator: PathEvaluator, plan: SidePlan, case: Case) -> Trajectory:
    assert plan.path is not None and plan.cannula is not None and plan.verdict is not None
    return _trajectory(evaluator, plan.path.check, plan.cannula, plan.verdict, plan.compromise, case)


def _trajectory(
    evaluator: PathEvaluator,
    check: PathCheck,
    cannula: Cannula,
    verdict: Verdict,
    compromise: str | None,
    case: Case | None,
) -> Trajectory:
    frame = evaluator.space.vertebra.frame
    assert frame is not None
    entry, target = frame.to_ras(check.entry), frame.to_ras(check.target)
    skin = skin_point(case.ct, entry, target) if case is not None and case.ct is not None else None
    side = evaluator.side
    return Trajectory(
        side=side,
        route="transpedicular" if check.through_pedicle else "extrapedicular",
        entry_ras=to_point(entry),
        target_ras=to_point(target),
        skin_ras=None if skin is None else to_point(skin),
        cannula=cannula.name,
        cannula_outer_diameter_mm=cannula.outer_diameter_mm,
        bone_path_mm=check.bone_path_mm,
        skin_to_target_mm=None if skin is None else float(np.linalg.norm(skin - target)),
        convergence_angle_deg=convergence_deg(check.direction, side),
        craniocaudal_angle_deg=craniocaudal_deg(check.direction),
        carm=end_on_carm(frame.direction_to_ras(check.direction)),
        clearance_mm=check.clearance,
        breach_grade=check.grade,
        tolerated_offset_mm=check.tolerated_offset_mm,
        tolerated_angle_deg=check.tolerated_angle_deg,
        midline_offset_mm=float(SIDE_SIGN[side] * check.target[0]),
        safety=verdict.safety,
        compromise=compromise,
        margins_mm=Clearance(**{wall: getattr(verdict.margins, f"{wall}_mm") for wall in WALL_NAMES}),
    )
