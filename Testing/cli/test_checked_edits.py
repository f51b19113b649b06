"""A plan whose needles, balloons or cement were edited by hand, checked on its images: what stays, what is planned again, what is said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from checked_wedge import (
    case_of_the_wedge,
    checked,
    checked_without_ct,
    filled,
    said,
    spine_of_the_wedge,
    with_level,
    with_needle,
    with_right_needle_moved,
)

from VertebralAugmentationPlannerLib.access import PathEvaluator, reevaluate, refuse_unjudged, unjudged
from VertebralAugmentationPlannerLib.model import (
    CANNULAS,
    CasePlan,
    InputError,
    PlanOptions,
    PlanWarning,
)
from VertebralAugmentationPlannerLib.measurement import measurements_with_points
from VertebralAugmentationPlannerLib.model.warning_codes import LINES_MOVED
from VertebralAugmentationPlannerLib.planner import measured_plan
from VertebralAugmentationPlannerLib.remeasured import MEASUREMENTS_DIFFER


def test_another_cannula_is_told_and_takes_the_balloon_it_does_not_pass(plan):
    assert plan.level("T12").trajectories[0].balloon is not None
    now = checked(with_needle(plan, cannula="13G"))
    text = said(now, "needle_moved")
    assert text.startswith(
        "T12 left: its cannula is not the one the plan judged it with (4.20 mm, and a 13G has 2.41 mm)"
    )
    assert "labels" not in text and "planned for it again" in text
    assert now.level("T12").trajectories[0].balloon is None
    assert "13G" in said(now, "no_balloon")
    refuse_unjudged(now)
    # With its diameter put right by hand as well only the numbers tell.
    now = checked(with_needle(plan, cannula="13G", cannula_outer_diameter_mm=2.41))
    assert "the plan’s numbers are not those found now" in said(now, "needle_moved")
    assert "does not pass the 13G cannula" in said(now, "filling_changed")
    assert now.level("T12").trajectories[0].balloon is None


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        ({"breach_grade": "E"}, "in the plan it is graded E"),
        ({"tolerated_offset_mm": 9.0}, "in the plan its slack is 9.0 mm"),
    ],
)
def test_a_verdict_that_was_edited_is_put_right_and_told(plan, edit, says):
    now = checked(with_needle(plan, **edit))
    assert says in said(now, "needle_moved")
    name, value = next(iter(edit.items()))
    assert getattr(now.level("T12").trajectories[0], name) != value
    refuse_unjudged(now)


def test_needles_that_nobody_judged_are_judged_by_the_check_and_get_their_balloons(plan):
    level = plan.level("T12")
    told = PlanWarning(LINES_MOVED, "stop", "T12: all lines of T12 were moved together by 9.0 mm.", "the user's edit")
    bare = tuple(
        replace(unjudged(level.frame, needle, "moved"), balloon=None, cement_ml=None) for needle in level.trajectories
    )
    lost = with_level(plan, replace(level, trajectories=bare, cement=None, warnings=(*level.warnings, told)))
    with pytest.raises(InputError, match="T12 left: the needle is not where the plan judged it"):
        refuse_unjudged(lost)
    now = checked(lost)
    refuse_unjudged(now)
    for before, after in zip(level.trajectories, now.level("T12").trajectories, strict=True):
        assert after.judged and after.clearance_mm.canal == pytest.approx(before.clearance_mm.canal, abs=0.05)
        assert after.balloon is not None and after.safety == before.safety
    assert not any(warning.code == LINES_MOVED for warning in now.level("T12").warnings)


def test_labels_are_blamed_only_where_they_are_others(plan):
    clearance = plan.level("T12").trajectories[0].clearance_mm
    edited = with_needle(plan, clearance_mm=replace(clearance, canal=clearance.canal + 3))
    assert "the plan’s numbers are not those found now" in said(checked(edited), "needle_moved")
    record = replace(plan.inputs.segmentation, sha256="ab" * 32)
    other = replace(edited, inputs=replace(plan.inputs, segmentation=record))
    assert "the labels are not those the plan was judged by" in said(checked(other), "needle_moved")
    assert "other_labels" in {warning.code for warning in checked(other).warnings}


def test_a_balloon_of_more_than_its_room_is_inflated_again(plan):
    before = plan.level("T12").trajectories[0]
    edited = with_needle(plan, balloon=replace(before.balloon, planned_volume_ml=5.9))
    now = checked(edited)
    again = now.level("T12").trajectories[0].balloon
    assert again.planned_volume_ml == pytest.approx(before.balloon.planned_volume_ml, abs=0.05)
    assert np.allclose(again.centre_ras, before.balloon.centre_ras, atol=0.01)
    assert now.level("T12").cement.volume_ml == pytest.approx(plan.level("T12").cement.volume_ml, abs=0.05)
    room = f"{before.balloon.planned_volume_ml:.1f} ml"
    assert f"the balloon is planned with 5.9 ml, and has room for {room}" in said(now, "filling_changed")
    assert not any(warning.code == "needle_moved" for warning in now.level("T12").warnings)


def test_a_balloon_of_less_than_its_room_is_kept_at_that_with_its_cement(plan):
    before = plan.level("T12").trajectories[0]
    now = checked(with_needle(plan, balloon=replace(before.balloon, planned_volume_ml=1.0))).level("T12")
    assert now.trajectories[0].balloon.planned_volume_ml == 1.0
    assert now.trajectories[0].balloon.planned_diameter_mm < before.balloon.planned_diameter_mm
    assert now.cement.volume_ml == pytest.approx(sum(needle.cement_ml for needle in now.trajectories), abs=1e-3)


def test_a_moved_needle_leaves_volume_balloon_and_fill_that_were_chosen_by_hand(plan):
    chosen = filled(plan, {"left": 0.8}, balloon="KYPHON Xpander 10/3", target_fill=0.6)
    before, now = chosen.level("T12"), checked(with_right_needle_moved(chosen)).level("T12")
    left, right = (needle.balloon for needle in now.trajectories)
    assert (left.model, left.planned_volume_ml) == ("KYPHON Xpander 10/3", 0.8)
    assert np.allclose(left.centre_ras, before.trajectories[0].balloon.centre_ras, atol=0.01)
    assert right.model == "KYPHON Xpander 10/3"
    assert right.centre_ras != before.trajectories[1].balloon.centre_ras
    assert now.cement.target_fill == 0.6
    assert not any(warning.code == "filling_changed" for warning in now.warnings)


def test_a_volume_set_by_hand_that_the_new_place_has_no_room_for_is_told(plan):
    right = plan.level("T12").trajectories[1].balloon.planned_volume_ml - 0.2
    now = checked(with_right_needle_moved(filled(plan, {"right": right}), up_mm=3.0))
    room = now.level("T12").trajectories[1].balloon.planned_volume_ml
    assert room < right - 0.1
    assert f"right: {room:.1f} ml instead of {right:.1f} ml that were set by hand" in said(now, "filling_changed")


def test_a_balloon_of_another_model_than_the_plans_is_told(plan):
    """Its name changed by hand on one side: two models cannot both be kept."""
    left = plan.level("T12").trajectories[0]
    other = with_needle(plan, balloon=replace(left.balloon, model="iVAS Elite 10"))
    for edited in (other, with_right_needle_moved(other)):
        now = checked(edited)
        assert f"left: {left.balloon.model} in place of iVAS Elite 10" in said(now, "filling_changed")


def test_an_approach_that_alone_was_edited_is_told_by_what_the_plan_holds(plan):
    level = plan.level("T12")
    now = checked(with_level(plan, replace(level, approach="unilateral-left"))).level("T12")
    assert now.approach == "bilateral"
    assert now.approach_reason == "The plan said unilateral-left and holds needles on both sides."
    volumes = [[needle.balloon.planned_volume_ml for needle in one.trajectories] for one in (level, now)]
    assert volumes[0] == pytest.approx(volumes[1], abs=0.05)


def test_a_check_without_the_ct_leaves_what_the_ct_told_and_says_what_it_did_not_look_for(plan):
    now = checked_without_ct(plan)
    before, level = plan.level("T12"), now.level("T12")
    assert now.inputs == plan.inputs
    assert all(needle.skin_ras is not None for needle in before.trajectories)
    for old, new in zip(before.trajectories, level.trajectories, strict=True):
        assert (new.skin_ras, new.skin_to_target_mm) == (old.skin_ras, old.skin_to_target_mm)
    assert level.warnings == before.warnings
    *others, told = now.warnings
    assert tuple(others) == plan.warnings and (told.code, told.severity) == ("ct_not_given", "caution")
    assert "metal" in told.message and "ct.nii.gz" in told.message
    refuse_unjudged(now)
    assert checked_without_ct(now).warnings == now.warnings
    assert checked(now).warnings == plan.warnings


def test_a_needle_moved_without_the_ct_has_no_skin_point_until_the_ct_is_back(plan):
    moved = checked_without_ct(with_right_needle_moved(plan))
    for now in (moved, checked_without_ct(moved)):
        left, right = now.level("T12").trajectories
        assert left.skin_ras == plan.level("T12").trajectories[0].skin_ras
        assert (right.skin_ras, right.skin_to_target_mm) == (None, None)
        assert said(now, "skin_without_ct").startswith("T12 right: ")
    back = checked(moved)
    assert back.level("T12").trajectories[1].skin_ras is not None
    assert not {"skin_without_ct", "ct_not_given"} & {w.code for w in (*back.level("T12").warnings, *back.warnings)}


def test_metal_in_the_way_that_the_ct_showed_is_not_forgotten_without_it(plan):
    in_metal = with_needle(plan, safety="breach", compromise="This needle: 4 mm of its way lie in metal.")
    assert checked(in_metal).level("T12").trajectories[0].safety == "safe"
    now = checked_without_ct(in_metal).level("T12").trajectories[0]
    assert (now.safety, now.compromise) == ("breach", "This needle: 4 mm of its way lie in metal.")


def test_needles_moved_into_each_other_are_told_until_they_are_apart(plan):
    """Both are safe, each for itself."""
    level = plan.level("T12")
    left, right = level.trajectories
    met = checked(with_level(plan, replace(level, trajectories=(left, replace(right, target_ras=left.target_ras)))))
    assert said(met, "needles_meet").startswith("T12: the needles meet in the bone: their axes come within 0.0 mm")
    apart = replace(met.level("T12"), trajectories=level.trajectories)
    assert "needles_meet" not in {warning.code for warning in checked(with_level(met, apart)).level("T12").warnings}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"anterior_height_mm": 99.0}, "the expected anterior height is "),
        ({"wedge_angle_deg": 99.0}, "the expected wedge is "),
        ({"restoration_fraction": 0.9}, "the expected anterior height is "),
    ],
)
def test_an_expected_height_that_was_edited_is_told_and_put_right(plan, change, says):
    level = plan.level("T12")
    now = checked(with_level(plan, replace(level, predicted=replace(level.predicted, **change))))
    assert says in said(now, "filling_changed")
    for name, value in vars(level.predicted).items():
        assert getattr(now.level("T12").predicted, name) == pytest.approx(value, abs=0.01)


def test_nothing_is_planned_again_for_a_breach(plan):
    needle, level = plan.level("T12").trajectories[0], plan.level("T12")
    across = np.add(needle.target_ras, 14.0 * np.array(level.frame.right) - 20.0 * np.array(level.frame.anterior))
    now = checked(with_needle(plan, target_ras=tuple(map(float, across))))
    assert now.level("T12").trajectories[0].safety == "breach"
    assert "planned for it again" not in said(now, "needle_moved")
    assert "no balloon and no cement" in said(now, "breach_not_augmented")


def test_a_needle_that_was_judged_is_never_taken_for_an_edited_one(plan):
    """Wherever it was dragged, its numbers fit it, also after the rounding of the file."""
    level, vertebra, rng = plan.level("T12"), spine_of_the_wedge().vertebrae["T12"], np.random.default_rng(4)
    for needle in level.trajectories:
        evaluator = PathEvaluator(vertebra, needle.side)
        for size in np.repeat([0.3, 3.0, 12.0, 40.0], 3):
            entry, target = np.add((needle.entry_ras, needle.target_ras), rng.normal(0, size, (2, 3)))
            cannula = CANNULAS[str(rng.choice(list(CANNULAS)))]
            case, options = case_of_the_wedge(), PlanOptions()
            dragged = reevaluate(vertebra, case, needle.side, entry, target, cannula, options, evaluator)
            saved = with_level(plan, replace(level, trajectories=(dragged,)))
            refuse_unjudged(CasePlan.from_json(saved.to_json()))


def with_measured(plan: CasePlan, **changes) -> CasePlan:
    """The plan with measurements of T12 changed by hand."""
    level = plan.level("T12")
    return with_level(plan, replace(level, measurements=replace(level.measurements, **changes)))


def test_measurements_as_they_were_found_say_nothing(plan):
    for now in (checked(plan), checked_without_ct(plan)):
        assert not {w.code for level in now.levels for w in level.warnings} & {MEASUREMENTS_DIFFER}
        for level in now.levels:
            assert [w for w in level.warnings if w.severity != "info"] == [
                w for w in plan.level(level.level).warnings if w.severity != "info"
            ]


def test_measurements_edited_in_the_file_are_told_beside_what_the_images_give(plan):
    found = plan.level("T12").measurements
    loss = replace(found.height_loss_percent, anterior=3.0)
    now = checked(with_measured(plan, anterior_height_mm=24.0, height_loss_percent=loss, genant_grade=0))
    text = said(now, MEASUREMENTS_DIFFER)
    assert f"anterior height 24.0 mm ({found.anterior_height_mm:.1f} mm found)" in text
    assert f"anterior loss 3.0 % ({found.height_loss_percent.anterior:.1f} % found)" in text
    assert f"Genant grade 0 ({found.genant_grade} found)" in text
    assert now.level("T12").measurements.anterior_height_mm == 24.0
    assert said(checked(now), MEASUREMENTS_DIFFER) == text  # told once, however often it is checked
    back = replace(
        now, levels=tuple(replace(one, measurements=plan.level(one.level).measurements) for one in now.levels)
    )
    assert MEASUREMENTS_DIFFER not in {warning.code for warning in checked(back).level("T12").warnings}


def test_a_pedicle_edited_in_the_file_is_told(plan):
    pedicles = plan.level("T12").pedicles
    wide = replace(pedicles, left=replace(pedicles.left, isthmus_width_mm=11.0))
    text = said(checked(with_level(plan, replace(plan.level("T12"), pedicles=wide))), MEASUREMENTS_DIFFER)
    assert f"left isthmus width 11.0 mm ({pedicles.left.isthmus_width_mm:.1f} mm found)" in text


def test_a_density_is_held_against_the_ct_alone(plan):
    edited = with_measured(plan, body_density_hu=20.0)
    assert "body density 20 HU" in said(checked(edited), MEASUREMENTS_DIFFER)
    assert MEASUREMENTS_DIFFER not in {warning.code for warning in checked_without_ct(edited).level("T12").warnings}


def test_heights_edited_in_the_panel_are_followed(plan):
    level = plan.level("T12")
    upper, lower = level.measurements.height_points_ras["anterior"]
    raised = tuple(float(value) for value in np.add(upper, 2.0 * np.array(level.frame.superior)))
    edit = measurements_with_points(level.measurements, {"anterior": (raised, lower)}, np.array(level.frame.right))
    edited = replace(level, measurements=edit.measurements, warnings=edit.warnings(level.warnings))
    now = checked(with_level(plan, edited)).level("T12")
    assert edit.measurements.anterior_height_mm == pytest.approx(level.measurements.anterior_height_mm + 2.0, abs=0.1)
    assert MEASUREMENTS_DIFFER not in {warning.code for warning in now.warnings}
    assert now.measurements.anterior_height_mm == pytest.approx(edit.measurements.anterior_height_mm)
    # On top of that edit in the panel, one in the file.
    more = replace(edited, measurements=replace(edited.measurements, depth_mm=10.0))
    assert "depth 10.0 mm" in said(checked(with_level(plan, more)), MEASUREMENTS_DIFFER)


def test_a_caution_of_the_images_that_was_taken_out_of_the_file_comes_back(plan):
    level = plan.level("T12")
    measured = measured_plan(case_of_the_wedge(), spine_of_the_wedge(), PlanOptions()).level("T12")
    grave = [warning for warning in measured.warnings if warning.severity != "info"]
    assert grave and all(warning in level.warnings for warning in grave)
    silent = replace(level, warnings=tuple(warning for warning in level.warnings if warning not in grave))
    assert all(warning in checked(with_level(plan, silent)).level("T12").warnings for warning in grave)
    softened = tuple(replace(w, severity="info") if w in grave else w for w in level.warnings)
    now = checked(with_level(plan, replace(level, warnings=softened))).level("T12")
    assert all(warning in now.warnings for warning in grave)
