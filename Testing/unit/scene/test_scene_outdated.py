"""A plan belongs to the images and level names it was made of; once others are chosen nothing is planned on it."""

import json
from dataclasses import replace

import numpy as np
import pytest
from nodes import add_segmentation, add_volume
from test_scene_editing import drag, move
from test_scene_views import state
from VertebralAugmentationPlannerLib.model import CasePlan, InputError
from VertebralAugmentationPlannerLib.scene import read_bundle
from VertebralAugmentationPlannerLib.scene.bundle import write_scene
from VertebralAugmentationPlannerLib.scene.logic import PlannerLogic
from VertebralAugmentationPlannerLib.scene.outdated import OUTDATED
from VertebralAugmentationPlannerLib.scene.plan_text import read_plan_text
from VertebralAugmentationPlannerLib.scene.volumes import matrix_array

MIDDLE = "needle.L1.left"


def codes(logic, node):
    return [warning.code for warning in logic.currentPlan(node).warnings]


def assert_outdated(logic, node, outdated=True):
    assert logic.isOutdated(node) == outdated
    assert ("outdated" in codes(logic, node)) == outdated
    assert ("outdated" in [warning.code for warning in read_plan_text(node).warnings]) == outdated
    for can in (logic.canPlan, logic.canInflate, logic.canSimulate):
        assert can(node, "L1") == ((False, OUTDATED) if outdated else (True, ""))


@pytest.fixture
def other(scene, phantom):
    """The same voxels under another name: another patient's, for all that the scene knows."""
    return add_segmentation(scene, phantom[1], {19: "T12", 20: "L1", 21: "L2"})


def test_a_renumbered_spine_is_not_planned_under_the_old_numbers(logic, planned):
    needle = logic.needle(planned, "L1", "left")
    assert_outdated(logic, planned, False)
    logic.shiftLevels(planned, +1)
    assert_outdated(logic, planned)
    for task in (logic.planLevel, logic.planAugmentation):
        with pytest.raises(InputError, match="measure again"):
            task(planned, "L1")
    with pytest.raises(InputError, match="measure again"):
        logic.inflate(planned, "L1", "left", 1.0)
    assert logic.needle(planned, "L1", "left") == needle
    logic.shiftLevels(planned, -1)
    assert_outdated(logic, planned, False)


def test_measuring_again_makes_it_a_plan_of_what_is_chosen_now(logic, planned):
    logic.shiftLevels(planned, +1)
    logic.measure(planned)
    assert not logic.isOutdated(planned) and "outdated" not in codes(logic, planned)
    assert logic.levels(planned) == ["L1", "L2", "L3"]
    assert logic.canPlan(planned, "L2") == (True, "")


def test_a_needle_that_is_dragged_then_goes_back(logic, planned, heard):
    before = logic.needle(planned, "L1", "left")
    logic.shiftLevels(planned, +1)
    drag(logic.node(planned, MIDDLE), 1, (0.2, 0, 0), (0.1, 0, 0))
    assert logic.needle(planned, "L1", "left") == before
    assert heard[-1].kind == "refused" and OUTDATED in heard[-1].message
    np.testing.assert_allclose(logic.node(planned, MIDDLE).GetNthControlPointPositionWorld(1), before.target_ras)


def test_another_segmentation_is_another_patient(logic, planned, inputs, other):
    logic.setInputs(planned, inputs[0], other)
    assert_outdated(logic, planned)
    logic.setInputs(planned, inputs[0], None)  # nothing chosen says nothing
    assert not logic.isOutdated(planned)
    logic.setInputs(planned, *inputs)
    assert_outdated(logic, planned, False)


def test_another_ct_is_another_patient_but_none_is_not(logic, planned, inputs, phantom, scene):
    logic.setInputs(planned, None, inputs[1])
    assert not logic.isOutdated(planned) and logic.canPlan(planned, "L1") == (True, "")
    logic.setInputs(planned, add_volume(scene, phantom[0], "another"), inputs[1])
    assert_outdated(logic, planned)


def test_the_segmentation_of_a_plan_was_removed_and_another_is_chosen(logic, planned, inputs, other, scene):
    scene.RemoveNode(inputs[1])
    logic.setInputs(planned, inputs[0], other)
    assert_outdated(logic, planned)


def test_a_plan_from_a_file_gets_its_images_afterwards(logic, planned, empty, inputs, other, tmp_path):
    logic.savePlan(planned, tmp_path / "plan.json")
    logic.loadPlan(empty, tmp_path / "plan.json")
    logic.setInputs(empty, *inputs)
    assert_outdated(logic, empty, False)
    logic.setInputs(empty, inputs[0], other)
    assert_outdated(logic, empty)


def test_no_pictures_of_other_images_stand_in_its_report(logic, planned, inputs, other, tmp_path):
    seen = []
    logic.engine.writeReport = lambda plan, case, spine, *rest: seen.append((case, spine))
    logic.exportReport(planned, tmp_path / "report.html")
    logic.setInputs(planned, inputs[0], other)
    logic.exportReport(planned, tmp_path / "report.html")
    assert seen[0][0] is not None and seen[1] == (None, None)


def test_a_saved_scene_still_knows(logic, planned, inputs, other, built, tmp_path):
    logic.setInputs(planned, inputs[0], other)
    logic.saveScene(tmp_path / "case.mrb")
    again = PlannerLogic(read_bundle(tmp_path / "case.mrb"), logic.engine)
    assert_outdated(again, again.scene.GetFirstNodeByName("planner"))


def test_neither_image_of_a_plan_is_hidden_or_removed_with_it(logic, planned, inputs, other, scene):
    logic.setInputs(planned, inputs[0], other)
    logic.showPlan(planned, False)
    logic.clearPlan(planned)
    assert all(scene.IsNodePresent(node) for node in (*inputs, other))


# ---- What else must not stay as it was ------------------------------------------------------------------------------


def test_no_drag_of_the_plan_before_is_undone_in_a_loaded_one(logic, planned, tmp_path):
    logic.savePlan(planned, tmp_path / "plan.json")
    move(logic.node(planned, MIDDLE), 1, 1.0, 0, 0)
    assert logic.canUndo()
    logic.loadPlan(planned, tmp_path / "plan.json")
    assert not logic.canUndo()


def test_a_refused_drag_leaves_the_level_as_it_was_when_it_began(logic, planned, monkeypatch):
    before, text = logic.currentPlan(planned), read_plan_text(planned)
    line = logic.node(planned, MIDDLE)
    line.InvokeEvent(line.PointStartInteractionEvent)
    move(line, 1, 1.0, 0, 0)

    def fails(*arguments):
        raise ValueError("no bone on the axis")

    monkeypatch.setattr(logic.engine, "reevaluate", fails)
    move(line, 1, 80.0, 0, 0)
    line.InvokeEvent(line.PointEndInteractionEvent)
    assert logic.currentPlan(planned) == before and read_plan_text(planned) == text
    assert logic.node(planned, "balloon.L1.left").GetDisplayNode().GetVisibility()


def test_a_drag_that_ended_where_it_began_is_not_where_the_next_one_goes_back_to(logic, planned, monkeypatch):
    line = logic.node(planned, MIDDLE)
    start = line.GetNthControlPointPositionWorld(1)
    line.InvokeEvent(line.PointStartInteractionEvent)
    move(line, 1, 1.0, 0, 0)
    line.SetNthControlPointPositionWorld(1, *start)
    line.InvokeEvent(line.PointEndInteractionEvent)
    assert logic.needle(planned, "L1", "left").balloon is not None and not logic.canUndo()
    drag(line, 1, (0.0, 0, 0.7))
    before = logic.currentPlan(planned)

    def fails(*arguments):
        raise ValueError("no bone on the axis")

    monkeypatch.setattr(logic.engine, "reevaluate", fails)
    drag(line, 1, (80.0, 0, 0), (1.0, 0, 0))
    assert logic.currentPlan(planned) == before


def test_a_needle_whose_balloon_fails_keeps_its_place_and_says_so(logic, planned, monkeypatch):
    def fails(*arguments):
        raise RuntimeError("out of balloons")

    monkeypatch.setattr(logic.engine, "augment", fails)
    drag(logic.node(planned, MIDDLE), 1, (0.5, 0, 0))
    level = read_plan_text(planned).level("L1")
    needle = logic.needle(planned, "L1", "left")
    assert level.trajectory("left") == needle and needle.balloon is None
    assert "out of balloons" in next(item.message for item in level.warnings if item.code == "no_augmentation")


def red_off(views, point):
    return float(np.linalg.norm(matrix_array(views["Red"].GetSliceToRAS())[:3, 3] - np.array(point)))


def test_the_views_follow_a_needle_that_was_planned_anew(logic, planned, views):
    logic.showNeedleViews(planned, "L1", "left")
    level = logic.currentPlan(planned).level("L1")
    old = level.trajectory("left")
    new = replace(old, target_ras=tuple(np.add(old.target_ras, (0.0, 0.0, 4.0))))
    needles = tuple(new if needle.side == "left" else needle for needle in level.trajectories)
    plan = logic.currentPlan(planned)
    levels = tuple(replace(level, trajectories=needles) if one.level == "L1" else one for one in plan.levels)
    logic.buildScene(replace(plan, levels=levels), parameterNode=planned)
    logic.followNeedleViews(planned, "L1", "left")
    assert red_off(views, new.target_ras) < 1e-3


def test_the_slice_at_the_tip_stays_at_the_tip_of_a_shorter_needle(logic, planned, views):
    logic.showNeedleViews(planned, "L1", "left")
    needle = logic.needle(planned, "L1", "left")
    back = 8.0 * np.subtract(needle.entry_ras, needle.target_ras) / needle.bone_path_mm
    drag(logic.node(planned, MIDDLE), 1, back)
    assert red_off(views, logic.needle(planned, "L1", "left").target_ras) < 1e-3
    logic.setNeedleDepth(planned, 3.0)
    drag(logic.node(planned, MIDDLE), 1, back / 8.0)
    assert logic.needleDepth() == 3.0


def test_the_usual_views_are_back_before_another_scene_is_added(logic, planned, scene, views, tmp_path):
    before = state(scene, views)
    logic.showNeedleViews(planned, "L1", "left")
    scene.ReadFromMRB(str(write_scene(logic.currentPlan(planned), None, tmp_path / "other.mrb")), False)
    assert not logic.needleViewsShown()
    assert state(scene, views) == before


def test_a_balloon_of_a_catalogue_that_is_not_here_is_not_in_force(logic, planned, tmp_path):
    logic.savePlan(planned, tmp_path / "plan.json")
    data = json.loads((tmp_path / "plan.json").read_text(encoding="utf-8"))
    data["options"] |= {"balloon": "My 20", "catalog": "mine.json"}
    (tmp_path / "own.json").write_text(json.dumps(data), encoding="utf-8")
    plan = logic.loadPlan(planned, tmp_path / "own.json")
    assert planned.GetParameter("balloon") == "auto"
    told = next(item for item in plan.warnings if item.code == "balloon_not_at_hand")
    assert "“My 20”" in told.message
    assert isinstance(plan, CasePlan) and logic.currentPlan(planned) == plan
