"""Real vertebrae (VerSe): every pedicle with room gets a needle, with nearly all the clearance there is."""

import pytest
from brute_force import best_possible, clearance_of

from VertebralAugmentationPlannerLib.access.planner import _LevelPlanner
from VertebralAugmentationPlannerLib.model import PlanOptions

LEVELS = (
    [("verse004", level) for level in ("T9", "T10", "T11", "T12", "L1", "L2", "L3", "L4", "L5")]
    + [("verse005", level) for level in ("L2", "L4")]
    + [("verse008", level) for level in ("L1", "L2", "L3")]
)


@pytest.mark.parametrize(("folder", "level"), LEVELS)
def test_each_side_gets_a_needle_with_nine_tenths_of_the_clearance(real_spines, folder, level):
    _, spine = real_spines[folder]
    bone = spine.vertebrae[level]
    planner = _LevelPlanner(bone, PlanOptions(approach="bilateral"))
    for side, evaluator in planner.evaluators.items():
        plan = planner.plan(side, unilateral=False)
        assert plan.path is not None, plan.refusal
        check = plan.path.check
        assert check.grade == "A" and check.through_pedicle
        assert check.clearance.canal >= 0.25 and check.clearance.pedicle_wall >= 0
        crossing = evaluator.isthmus.crossing(check.target, check.direction)
        reached = max(float(clearance_of(bone, side, crossing[None], check.target[None])[0]), check.axis_clearance_mm)
        assert reached >= 0.9 * best_possible(bone, side, step=1.5)


def test_healthy_lumbar_pedicles_are_planned_safely(real_spines):
    _, spine = real_spines["verse008"]
    for level in ("L1", "L2", "L3"):
        planner = _LevelPlanner(spine.vertebrae[level], PlanOptions(approach="bilateral"))
        for side in planner.evaluators:
            assert planner.plan(side, unilateral=False).safe


def test_the_collapsed_l1_says_what_it_compromises(real_spines):
    _, spine = real_spines["verse004"]
    planner = _LevelPlanner(spine.vertebrae["L1"], PlanOptions(approach="bilateral"))
    for side in planner.evaluators:
        plan = planner.plan(side, unilateral=False)
        assert plan.verdict.safety == "tight" and "end plate" in plan.compromise
