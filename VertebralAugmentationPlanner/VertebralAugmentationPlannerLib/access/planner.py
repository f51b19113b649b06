"""Access to one vertebra: the approach and its needles, and the re-evaluation of a needle that was moved."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..model import SIDES, Cannula, Case, Clearance, Measurements, PlanOptions, PlanWarning, Trajectory, Vertebra
from ..model.geometry import FloatArray
from ..model.plan import to_point
from ..model.warning_codes import NO_ACCESS
from .angles import SIDE_SIGN, convergence_deg, craniocaudal_deg, end_on_carm
from .clearance import PathCheck, PathEvaluator
from .level_planner import LevelPlanner
from .metal import Blocked, blocked
from .notices import plan_warnings
from .safety import WALL_NAMES, Verdict, judge, margins_for, shortage_text
from .side import SidePlan
from .skin import skin_point
from .tip import MisplacedTip, misplaced_tip


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
    blocked = _blocked(vertebra)
    if blocked is not None:
        return refused_access(vertebra.level, options, blocked)
    planner = LevelPlanner(vertebra, options, case.ct)
    decision = planner.decide(measurements)
    trajectories = tuple(
        _delivered(planner.evaluators[plan.side], plan, case) for plan in sorted(decision.chosen, key=_left_first)
    )
    skipped = {plan.side: plan.refusal or "" for plan in decision.refused}
    warnings = plan_warnings(vertebra, case, measurements, options, trajectories, decision)
    return AccessPlan(decision.approach, decision.reason, trajectories, skipped, warnings)


def refused_access(level: str, options: PlanOptions, reason: str) -> AccessPlan:
    """No needle in a level, with the reason as a sentence."""
    sides = dict.fromkeys(_wanted_sides(options.approach), reason)
    warning = PlanWarning.of_level(level, NO_ACCESS, "stop", reason, "fail closed [D]")
    return AccessPlan("none", reason, (), sides, (warning,))


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
    dense = blocked(case.ct, vertebra, check)
    misplaced = misplaced_tip(evaluator.space, check.target)
    if dense is not None or (misplaced is not None and misplaced.outside_the_body):
        verdict = replace(verdict, safety="breach")
    elif misplaced is not None and verdict.safety == "safe":
        verdict = replace(verdict, safety="tight")
    compromise = None if verdict.safety == "safe" else _faults(check, verdict, misplaced, dense)
    return _trajectory(evaluator, check, cannula, verdict, compromise, case if with_skin else None)


def _faults(check: PathCheck, verdict: Verdict, misplaced: MisplacedTip | None, dense: Blocked | None) -> str:
    """What is wrong with a needle that was moved by hand, as a sentence."""
    parts = [shortage_text(verdict)] if verdict.shortages else []
    if misplaced is not None:
        parts.append(misplaced.words)
    if dense is not None:
        parts.append(f"{dense.length_mm:.0f} mm of its way lie in {dense.what}")
    if not check.through_pedicle:
        parts.append("the needle does not pass the pedicle from behind, through its isthmus")
    if check.crosses_own_bone:
        parts.append("the needle runs through another part of the same vertebra before its entry")
    return "This needle: " + ", ".join(parts) + "."


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
