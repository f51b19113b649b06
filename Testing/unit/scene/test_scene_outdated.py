"""A plan belongs to the images and level names it was made of; once others are chosen nothing is planned on it."""

import numpy as np
import pytest
from nodes import add_segmentation, add_volume
from test_scene_editing import drag
from test_scene_found_lines import table_row
from VertebralAugmentationPlannerLib.model import InputError
from VertebralAugmentationPlannerLib.scene import read_bundle
from VertebralAugmentationPlannerLib.scene.logic import PlannerLogic
from VertebralAugmentationPlannerLib.scene.outdated import OUTDATED
from VertebralAugmentationPlannerLib.scene.plan_text import read_plan_text

LINE = "needle.L1.left"


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


def look(logic, node):
    """What is seen of the left needle, and of what belongs to it."""
    line, height = logic.node(node, LINE), logic.node(node, "height.L1.anterior")
    fillings = [logic.node(node, f"{kind}.L1.left").GetDisplayVisibility() for kind in ("balloon", "cement")]
    label, colour = line.GetNthControlPointLabel(0), line.GetDisplayNode().GetSelectedColor()
    row = table_row(logic, node, "L1", "left")
    return line.GetName(), label, colour, line.GetLocked(), height.GetNthControlPointLabel(0), fillings, row["Safety"]


def test_nothing_drawn_is_called_safe_on_other_images_and_all_of_it_comes_back(logic, planned, other, scene):
    before = look(logic, planned)
    assert before[1] == "left: safe" and before[5] == [1, 1] and before[6] == "safe"
    mine = logic.node(planned, "segmentation")
    logic.setInputs(planned, logic.node(planned, "ct"), other)
    name, label, colour, locked, height, fillings, safety = look(logic, planned)
    assert (name, label) == ("L1 left needle (of other images)", "left: of other images")
    assert colour != before[2] and locked and height == "Ha" and fillings == [0, 0] and safety == "of other images"
    drag(logic.node(planned, LINE), 1, (0.2, 0, 0))  # put back, and not called safe again
    logic.showPlan(planned, False)
    logic.showPlan(planned, True)
    assert look(logic, planned) == (name, label, colour, locked, height, fillings, safety)
    logic.setInputs(planned, logic.node(planned, "ct"), mine)
    assert look(logic, planned) == before


def test_measuring_again_makes_it_a_plan_of_what_is_chosen_now(logic, planned):
    logic.shiftLevels(planned, +1)
    logic.measure(planned)
    assert not logic.isOutdated(planned) and "outdated" not in codes(logic, planned)
    assert logic.levels(planned) == ["L1", "L2", "L3"]
    assert logic.canPlan(planned, "L2") == (True, "")


def test_a_needle_that_is_dragged_then_goes_back(logic, planned, heard):
    before = logic.needle(planned, "L1", "left")
    logic.shiftLevels(planned, +1)
    drag(logic.node(planned, LINE), 1, (0.2, 0, 0), (0.1, 0, 0))
    assert logic.needle(planned, "L1", "left") == before
    assert heard[-1].kind == "refused" and OUTDATED in heard[-1].message
    np.testing.assert_allclose(logic.node(planned, LINE).GetNthControlPointPositionWorld(1), before.target_ras)


def test_another_segmentation_is_another_patient(logic, planned, inputs, other):
    logic.setInputs(planned, inputs[0], other)
    assert_outdated(logic, planned)
    assert logic.planTitle(planned) == "CT: L1, L2 planned on other images or names"
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
