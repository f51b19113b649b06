"""What the planner delivers, refuses and says."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from analytic import Shape, vertebra
from planned import WIDE, ct_with, measured, plan

from VertebralAugmentationPlannerLib.access import path_warnings, plan_access, reevaluate, safety_sentence
from VertebralAugmentationPlannerLib.access.approach import OTHER_SIDE
from VertebralAugmentationPlannerLib.access.level_planner import LevelPlanner
from VertebralAugmentationPlannerLib.access.safety import Shortage, Verdict, margins_for, room_text, shortage_text
from VertebralAugmentationPlannerLib.access.side import SidePlan, wishes_for
from VertebralAugmentationPlannerLib.access.target import UNILATERAL_REACH_MM
from VertebralAugmentationPlannerLib.model import (
    CANNULAS,
    Image,
    Margins,
    Pedicle,
    PlanOptions,
    Vertebra,
)


def test_wide_pedicles_get_the_thickest_cannula_safely(label_case):
    access = plan(label_case, approach="bilateral")
    assert access.approach == "bilateral" and not access.skipped_sides
    for trajectory in access.trajectories:
        assert (trajectory.safety, trajectory.cannula, trajectory.breach_grade) == ("safe", "8G", "A")
        assert trajectory.clearance_mm.pedicle_wall >= 1.0 and trajectory.clearance_mm.canal >= 1.0
        assert trajectory.convergence_angle_deg > 0
        assert trajectory.skin_ras is None and trajectory.skin_to_target_mm is None


@pytest.mark.parametrize(("side", "sign"), [("left", -1.0), ("right", 1.0)])
def test_two_needles_leave_each_other_the_room_of_their_balloons(side, sign):
    """The widest line through a wide, converging pedicle ends near the midline or beyond it; two of them would meet."""
    evaluator = LevelPlanner(vertebra(WIDE), PlanOptions()).evaluators[side]
    reach = wishes_for(evaluator, PlanOptions(), CANNULAS["8G"], unilateral=False).reach_x
    assert sorted(sign * x for x in reach) == [3.5, 7.5]
    alone = wishes_for(evaluator, PlanOptions(), CANNULAS["8G"], unilateral=True).reach_x
    assert alone[0] < 0.0 < alone[1]


def test_vertebroplasty_takes_an_11g(label_case):
    assert plan(label_case, procedure="vertebroplasty", approach="bilateral").trajectories[0].cannula == "11G"


@pytest.mark.parametrize(("etiology", "code"), [("traumatic", "cause_traumatic"), ("tumour", "cause_tumour")])
def test_what_is_no_osteoporotic_fracture_is_said_to_be_none(label_case, etiology, code):
    fracture = replace(measured(25.0), of_class="OF3")
    access = plan_access(vertebra(WIDE), label_case, fracture, PlanOptions(etiology=etiology, approach="bilateral"))
    (warning,) = (warning for warning in access.warnings if warning.code == code)
    assert warning.severity == "caution" and "[M]" in warning.source
    assert "OF3 is a class of osteoporotic fractures" in warning.message
    assert not any(warning.code.startswith("cause_") for warning in plan(label_case, approach="bilateral").warnings)


def test_one_needle_of_a_kyphoplasty_passes_a_balloon_where_any_of_its_side_does(label_case):
    """Straight pedicles reach the midline only through a thin cannula."""
    straight = Shape(pedicle_width=7.0, pedicle_convergence=2.0)
    single = plan(label_case, straight, approach="unilateral-left")
    (needle,) = single.trajectories
    assert CANNULAS[needle.cannula].outer_diameter_mm >= CANNULAS["10G"].outer_diameter_mm
    assert "to the midline there is room for 13G only, which no balloon passes" in single.approach_reason


def test_what_is_not_planned_is_an_obstacle_all_the_same(label_case):
    needle = plan(label_case, approach="unilateral-left").trajectories[0]
    entry, target = np.array(needle.entry_ras), np.array(needle.target_ras)
    behind = entry - 12.0 * (target - entry) / np.linalg.norm(target - entry)
    rod = ct_with((behind - [0, 0, 8], behind + [0, 0, 8]))
    for name, value in (("S1", 26), ("C7", 7), ("sacrum", 25)):
        labels = Image(np.where(rod.voxels > 1000, value, 0).astype(np.int16), rod.ijk_to_ras)
        told = path_warnings("L1", replace(label_case, labels=labels, other_values={name: value}), needle)
        messages = {warning.code: warning.message for warning in told}
        assert name in messages["neighbour_on_the_way"]
        assert "no labelled neighbour lies within its reach" in messages["neighbour_unknown"]


def test_a_clearance_that_is_not_known_is_told(label_case):
    access = plan(label_case, approach="bilateral")
    told = [warning for warning in access.warnings if warning.code == "neighbour_unknown"]
    assert all(needle.clearance_mm.neighbour is None for needle in access.trajectories)
    assert len(told) == 2 and all("no other vertebra is labelled" in warning.message for warning in told)


def test_a_thinner_cannula_is_taken_for_a_thin_pedicle(label_case):
    access = plan(label_case, Shape(pedicle_width=6.0, pedicle_convergence=8.0), approach="bilateral")
    assert {t.cannula for t in access.trajectories} <= {"10G", "11G", "13G"}
    assert all(t.breach_grade == "A" for t in access.trajectories)


def test_a_pedicle_too_thin_for_the_margin_gets_a_tight_path_with_its_numbers(label_case):
    access = plan(label_case, Shape(pedicle_width=4.0, pedicle_convergence=8.0), approach="bilateral")
    trajectory = access.trajectories[0]
    assert trajectory.safety == "tight" and trajectory.cannula == "13G" and trajectory.breach_grade == "A"
    assert "4.0 mm" in trajectory.compromise and "4.4 mm" in trajectory.compromise
    assert {"tight_path"} <= {warning.code for warning in access.warnings}


def test_a_cannula_that_would_breach_is_refused_and_a_thinner_one_named(label_case):
    access = plan(label_case, Shape(pedicle_width=4.0, pedicle_convergence=8.0), approach="bilateral", cannula="8G")
    assert access.approach == "none" and not access.trajectories
    for reason in access.skipped_sides.values():
        assert "8G" in reason and "13G" in reason and "4.0 mm" in reason


def test_a_pedicle_of_one_millimetre_is_refused_with_its_number(label_case):
    access = plan(label_case, Shape(pedicle_width=1.0), approach="bilateral")
    assert access.approach == "none" and not access.trajectories
    assert all("1.0 mm" in reason and "13G" in reason for reason in access.skipped_sides.values())


@pytest.mark.parametrize("convergence", [2.0, 15.0])
def test_one_thin_side_leaves_the_other(label_case, convergence):
    # At 2° the midline costs more than a tenth of the slack: of two possible needles that would ask for both.
    shape = Shape(pedicle_width=10.0, left_pedicle_width=2.0, pedicle_convergence=convergence)
    access = plan(label_case, shape, approach="bilateral")
    assert access.approach == "unilateral-right"
    assert set(access.skipped_sides) == {"left"}
    (needle,) = access.trajectories
    assert needle.side == "right"
    # Half a body stays empty beside a single needle, so that it goes to the midline where that is safe.
    assert needle.safety == "safe" and abs(needle.midline_offset_mm) <= 2.55


def test_a_lone_needle_that_cannot_reach_the_midline_says_where_the_cement_stays(label_case):
    shape = Shape(pedicle_width=6.0, left_pedicle_width=2.0, pedicle_convergence=0.0, pedicle_offset=14.0)
    access = plan(label_case, shape, approach="bilateral")
    (needle,) = access.trajectories
    assert abs(needle.midline_offset_mm) > 3.0
    assert f"stays {needle.midline_offset_mm:.1f} mm short of the midline" in access.approach_reason


@pytest.mark.parametrize(
    ("side", "x", "words"),
    [
        ("right", 6.0, "6.0 mm short of the midline"),
        ("left", -6.0, "6.0 mm short of the midline"),
        ("right", -2.4, "2.4 mm past the midline"),
        ("left", 2.4, "2.4 mm past the midline"),
    ],
)
def test_every_reason_tells_on_which_side_of_the_midline_the_tip_is(side, x, words):
    """A single needle beside the one that was refused, or that passes no balloon."""
    path = SimpleNamespace(check=SimpleNamespace(target=np.array([x, 8.0, 0.0])))
    beside = SidePlan(side, CANNULAS["10G"], path, None, None)
    thin = SidePlan(side, CANNULAS["13G"], path, None, None)
    refused = SidePlan(side, None, None, None, None, refusal="No line.")
    planner = LevelPlanner.__new__(LevelPlanner)
    planner.options = PlanOptions()
    planner.plan = lambda side, unilateral: refused if unilateral else beside
    one_side = planner._one_side(side, "Asked for.").reason
    assert one_side == f"Asked for. The tip stays {words}: No line."
    assert f"The tip stays {words}: to the midline there is room for 13G" in planner._with_balloon(thin, "So.").reason
    other = OTHER_SIDE[side]
    missing = SidePlan(other, None, None, None, None, refusal="Too thin.")
    planner.plan = lambda which, unilateral: beside if which == side else missing
    planner._single = lambda which: beside
    if abs(x) > UNILATERAL_REACH_MM:
        assert f"The tip stays {words}, and the cement on the {side}." in planner._both("Asked for.").reason


def test_nothing_without_a_canal(label_case):
    access = plan(label_case, Shape(with_canal=False))
    assert access.approach == "none" and not access.trajectories
    assert "canal" in access.approach_reason and "ring is open" in access.approach_reason
    assert access.warnings[0].severity == "stop"


def test_nothing_for_a_cut_vertebra(label_case):
    cut = Vertebra("L5", False, "cut by the inferior border of the image")
    access = plan_access(cut, label_case, None, PlanOptions())
    assert access.approach == "none" and access.approach_reason == "cut by the inferior border of the image"


def test_a_missing_pedicle_gives_its_reason(label_case):
    whole = vertebra(WIDE)
    one = replace(whole, pedicles={"right": whole.pedicles["right"]}, pedicle_reasons={"left": "no isthmus was found"})
    access = plan_access(one, label_case, measured(20.0), PlanOptions(approach="bilateral"))
    assert access.skipped_sides == {"left": "no isthmus was found"}
    assert access.approach == "unilateral-right"


@pytest.mark.parametrize(
    ("loss", "etiology", "word"), [(25.0, "traumatic", "traumatic"), (55.0, "osteoporotic", "55 %")]
)
def test_trauma_and_collapse_are_treated_from_both_sides(label_case, loss, etiology, word):
    access = plan(label_case, loss=loss, etiology=etiology)
    assert access.approach == "bilateral" and word in access.approach_reason


def test_auto_is_unilateral_only_with_nearly_the_same_slack(label_case):
    # Pedicles that point at the midline leave a single needle as much room as a paramedian one.
    shape = Shape(pedicle_width=10.0, pedicle_convergence=32.0, pedicle_offset=12.0, width=50.0, canal_width=10.0)
    convergent = plan(label_case, shape, cannula="11G")
    assert convergent.approach.startswith("unilateral-")
    assert abs(convergent.trajectories[0].midline_offset_mm) <= 3.05
    straight = plan(label_case, Shape(pedicle_width=6.0, pedicle_convergence=0.0, pedicle_offset=14.0))
    assert straight.approach == "bilateral" and "midline" in straight.approach_reason


def test_either_side_can_be_asked_for(label_case):
    for side in ("left", "right"):
        access = plan(label_case, approach=f"unilateral-{side}")
        assert access.approach == f"unilateral-{side}" and not access.skipped_sides


def test_the_plan_re_evaluates_to_itself(label_case):
    bone = vertebra(WIDE)
    access = plan_access(bone, label_case, measured(25.0), PlanOptions(approach="bilateral"))
    planned = access.trajectories[0]
    again = reevaluate(
        bone, label_case, planned.side, planned.entry_ras, planned.target_ras, CANNULAS[planned.cannula], PlanOptions()
    )
    assert again.clearance_mm.pedicle_wall == pytest.approx(planned.clearance_mm.pedicle_wall, abs=0.02)
    assert again.breach_grade == planned.breach_grade and again.safety == planned.safety
    assert again.entry_ras == pytest.approx(planned.entry_ras, abs=0.05)


def test_a_needle_dragged_into_the_canal_is_called_a_breach(label_case):
    bone = vertebra(WIDE)
    planned = plan_access(bone, label_case, None, PlanOptions(approach="bilateral")).trajectories[0]
    moved = np.array([8.0, 0.0, 0.0])  # the left needle, towards the midline
    worse = reevaluate(
        bone,
        label_case,
        "left",
        np.array(planned.entry_ras) + moved,
        np.array(planned.target_ras) + moved,
        CANNULAS["8G"],
        PlanOptions(),
    )
    assert worse.safety == "breach" and worse.breach_grade != "A" and worse.clearance_mm.canal < 0
    assert "canal" in worse.compromise


def with_tip(bone, label_case, planned, share):
    """The planned left needle with its tip at a share of its way."""
    entry, target = np.array(planned.entry_ras), np.array(planned.target_ras)
    tip = entry + share * (target - entry)
    return reevaluate(bone, label_case, "left", entry, tip, CANNULAS[planned.cannula], PlanOptions())


def test_a_tip_that_does_not_reach_the_body_is_a_breach_and_one_behind_the_anterior_third_is_told(label_case):
    """Nothing is touched on the way, yet cement would come out beside the canal, or against the posterior wall."""
    bone = vertebra(WIDE)
    planned = plan_access(bone, label_case, None, PlanOptions(approach="bilateral")).trajectories[0]
    lamina, isthmus, body = (with_tip(bone, label_case, planned, share) for share in (0.12, 0.3, 0.75))
    for needle in (lamina, isthmus):
        assert needle.safety == "breach" and "does not reach the body" in needle.compromise
        assert needle.clearance_mm.canal > 0  # it is the tip that is wrong, and no wall
    assert lamina.route == "extrapedicular"
    assert body.safety == "tight" and "behind the anterior third" in body.compromise
    assert with_tip(bone, label_case, planned, 1.0).safety == planned.safety == "safe"


@pytest.mark.parametrize(
    ("depth", "plates", "front"), [(34.0, 3.0, 5.0), (32.0, 3.0, 5.0), (20.0, 1.875, 3.125), (16.0, 1.5, 2.5)]
)
def test_margins_in_the_body_shrink_with_a_shallow_one_and_those_to_the_canal_never(depth, plates, front):
    kept = margins_for(PlanOptions().margins, replace(vertebra(WIDE), depth_mm=depth))
    assert (kept.endplate_mm, kept.lateral_wall_mm) == pytest.approx((plates, plates))
    assert kept.anterior_wall_mm == pytest.approx(front)
    assert (kept.pedicle_wall_mm, kept.canal_mm) == (1.0, 1.0)


def test_what_is_short_is_one_sentence_with_every_number():
    short = (Shortage("canal", -0.3, 1.0), Shortage("pedicle_wall", 0.2, 1.0), Shortage("endplate", 2.5, 3.0))
    assert shortage_text(Verdict("breach", short, PlanOptions().margins)) == (
        "the cannula’s surface breaches the canal by 0.3 mm, and keeps 0.2 mm to the pedicle’s wall instead of 1.0 mm, "
        "and 2.5 mm to the end plate instead of 3.0 mm"
    )
    assert shortage_text(Verdict("safe", (), PlanOptions().margins)) == ""


def test_a_margin_that_is_asked_smaller_stays_as_asked():
    asked = replace(PlanOptions().margins, endplate_mm=0.5, lateral_wall_mm=0.7)
    kept = margins_for(asked, replace(vertebra(WIDE), depth_mm=20.0))
    assert (kept.endplate_mm, kept.lateral_wall_mm) == (0.5, 0.7)


def test_a_margin_that_is_asked_larger_counts_in_a_small_body_too():
    small = replace(vertebra(WIDE), depth_mm=16.0)  # half of the full size
    for name, usual in (("anterior_wall_mm", 5.0), ("endplate_mm", 3.0), ("lateral_wall_mm", 3.0)):
        kept = [
            getattr(margins_for(replace(PlanOptions().margins, **{name: asked}), small), name)
            for asked in (0.8 * usual, usual, 1.5 * usual, 3.0 * usual)
        ]
        assert kept == pytest.approx([usual / 2, usual / 2, 3 * usual / 4, 3 * usual / 2])


def test_a_fracture_takes_no_margin_away(label_case):
    """The depth at mid-height stays; what a mean over all heights would lose at a collapsed front is no smaller body."""
    whole, wedged = (
        plan(label_case, replace(WIDE, anterior_height=front), approach="bilateral").trajectories[0].margins_mm
        for front in (None, 13.0)
    )
    assert wedged.endplate == pytest.approx(whole.endplate, abs=0.05)
    assert wedged.anterior_wall == pytest.approx(whole.anterior_wall, abs=0.1)


def test_a_plan_carries_the_margins_of_its_own_body(label_case):
    access = plan(label_case, replace(WIDE, depth=24.0), approach="bilateral")
    for trajectory in access.trajectories:
        assert (
            trajectory.margins_mm.endplate
            == trajectory.margins_mm.lateral_wall
            == pytest.approx(3.0 * 24.0 / 32.0, abs=0.05)
        )


def test_a_breach_that_touches_no_wall_is_not_said_to_breach_one(label_case):
    """The left pedicle's line planned as the right needle: it lies in bone, and misses its pedicle."""
    bone = vertebra(WIDE)
    needle = plan(label_case, approach="bilateral").trajectories[0]

    def judged(side, target):
        cannula = CANNULAS[needle.cannula]
        return reevaluate(bone, label_case, side, np.array(needle.entry_ras), np.array(target), cannula, PlanOptions())

    swapped = judged("right", needle.target_ras)
    assert (swapped.safety, swapped.breach_grade) == ("breach", "A")
    assert safety_sentence(swapped) == "it cannot be used as it lies"
    assert "does not pass the pedicle" in swapped.compromise
    through_the_canal = judged("left", np.add(needle.target_ras, (25.0, -10.0, 0.0)))
    assert min(v for v in vars(through_the_canal.clearance_mm).values() if v is not None) < 0
    assert safety_sentence(through_the_canal) == "it breaches a wall"
    assert safety_sentence(needle) == "it is safe"


@pytest.mark.parametrize(
    ("isthmus_mm", "cannula", "says"),
    [
        (3.9, "11G", "the isthmus is 3.9 mm, an 11G cannula with 1.0 mm each side needs 5.1 mm"),
        (5.04, "11G", "the isthmus is 5.0 mm, an 11G cannula with 1.0 mm each side needs 5.1 mm"),
        (6.19, "8G", "the isthmus is 6.19 mm, an 8G cannula with 1.0 mm each side needs 6.20 mm"),
        (5.1, "11G", ""),
    ],
)
def test_an_isthmus_too_narrow_reads_narrower_than_what_is_needed(isthmus_mm, cannula, says):
    """An 11G cannula of 3.05 mm with 1 mm each side needs 5.05 mm: “5.0 mm needs 5.0 mm” is no reason."""
    pedicle = Pedicle("left", np.zeros(3), np.array([0.0, 1.0, 0.0]), isthmus_mm, 15.0, np.zeros((0, 3)))
    assert room_text(pedicle, CANNULAS[cannula], Margins()) == says
