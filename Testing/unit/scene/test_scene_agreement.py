"""A plan and the anatomy of what is chosen: other images and edited voxels are noticed as soon as the anatomy is built."""

import pytest
from nodes import add_segmentation, add_volume
from test_scene_editing import drag
from vtkmodules.util.numpy_support import vtk_to_numpy
from VertebralAugmentationPlannerLib.model import CasePlan, Image, InputError
from VertebralAugmentationPlannerLib.scene.logic import PlannerLogic
from VertebralAugmentationPlannerLib.scene.outdated import OUTDATED
from VertebralAugmentationPlannerLib.scene.plan_text import read_plan_text

NAMES = {19: "T12", 20: "L1", 21: "L2"}


def codes(logic, node):
    codes = [warning.code for warning in logic.currentPlan(node).warnings]
    assert codes == [warning.code for warning in read_plan_text(node).warnings]
    return [code for code in codes if code in ("outdated", "labels_changed")]


def moved(labels, *by_mm):
    matrix = labels.ijk_to_ras.copy()
    matrix[:3, 3] += by_mm
    return Image(labels.voxels, matrix)


def edit(segmentation, change):
    """What the Segment Editor does to L1: other voxels in the same segment."""
    segment = segmentation.GetSegmentation().GetSegment("segment 20")
    image = segment.GetRepresentation("Binary labelmap")
    voxels = vtk_to_numpy(image.GetPointData().GetScalars())
    change(voxels.reshape(image.GetDimensions()[::-1]))  # k, j, i
    image.GetPointData().GetScalars().Modified()
    image.Modified()


def without_front(shaped):
    """The body's front is not bone after all."""
    shaped[:, -6:, :] = 0


@pytest.fixture
def saved(logic, planned, tmp_path):
    logic.savePlan(planned, tmp_path / "plan.json")
    return tmp_path / "plan.json"


@pytest.fixture
def elsewhere(scene, phantom):
    """Another patient's vertebrae of the same names."""
    return add_segmentation(scene, moved(phantom[1], 0.0, 0.0, 12.0), NAMES)


def test_a_plan_from_a_file_on_its_own_images_says_nothing(logic, empty, saved, inputs):
    logic.setInputs(empty, *inputs)
    before = logic.loadPlan(empty, saved)
    logic.prepare(empty)
    assert not logic.isOutdated(empty) and codes(logic, empty) == []
    assert logic.currentPlan(empty).levels == before.levels


def test_a_plan_from_a_file_on_a_strangers_images_is_not_taken_as_theirs(logic, empty, saved, elsewhere, heard):
    logic.setInputs(empty, None, elsewhere)
    logic.loadPlan(empty, saved)
    before = logic.needle(empty, "L1", "left")
    with pytest.raises(InputError, match="other images or level names"):
        logic.prepare(empty)
    assert logic.isOutdated(empty) and codes(logic, empty) == ["outdated"]
    assert logic.canPlan(empty, "L1") == (False, OUTDATED)
    drag(logic.node(empty, "needle.L1.left"), 1, (0.2, 0, 0))
    assert logic.needle(empty, "L1", "left") == before and heard[-1].kind == "refused"


@pytest.mark.parametrize("task", ["planLevel", "planAugmentation", "setUpFluoroscopy"])
def test_no_step_goes_on_from_it_even_where_the_anatomy_was_not_built_yet(logic, empty, saved, scene, phantom, task):
    image, labels = (moved(part, 12.0, 0.0, 0.0) for part in phantom[:2])
    logic.setInputs(empty, add_volume(scene, image, "CT"), add_segmentation(scene, labels, NAMES))
    logic.loadPlan(empty, saved)
    before = logic.currentPlan(empty).levels
    assert not logic.isReady(empty)
    with pytest.raises(InputError, match="other images or level names"):
        getattr(logic, task)(empty, "L1")
    assert logic.currentPlan(empty).levels == before


def test_level_names_that_are_off_by_one_are_noticed(logic, empty, saved, scene, phantom):
    logic.setInputs(empty, None, add_segmentation(scene, phantom[1], {19: "L1", 20: "L2", 21: "L3"}))
    logic.loadPlan(empty, saved)
    with pytest.raises(InputError, match="other images or level names"):
        logic.prepare(empty)


def test_measuring_again_or_the_right_images_end_it(logic, empty, saved, elsewhere, inputs):
    logic.setInputs(empty, None, elsewhere)
    logic.loadPlan(empty, saved)
    with pytest.raises(InputError):
        logic.prepare(empty)
    logic.measure(empty)
    assert not logic.isOutdated(empty) and codes(logic, empty) == []
    logic.loadPlan(empty, saved)  # the anatomy is at hand: known at once
    assert logic.isOutdated(empty) and codes(logic, empty) == ["outdated"]
    logic.setInputs(empty, *inputs)
    assert not logic.isOutdated(empty) and codes(logic, empty) == []
    logic.prepare(empty)
    assert not logic.isOutdated(empty) and codes(logic, empty) == []
    logic.setInputs(empty, None, elsewhere)
    assert logic.isOutdated(empty) and codes(logic, empty) == ["outdated"]


def test_the_report_of_such_a_plan_has_no_pictures(logic, empty, saved, elsewhere, tmp_path):
    seen = []
    logic.engine.writeReport = lambda plan, case, spine, *rest: seen.append((plan.warnings[-1].code, case, spine))
    logic.setInputs(empty, None, elsewhere)
    logic.loadPlan(empty, saved)
    logic.exportReport(empty, tmp_path / "report.html")
    assert seen == [("outdated", None, None)]


def test_voxels_edited_after_measuring_are_told_of_and_planning_goes_on(logic, planned, inputs):
    edit(inputs[1], without_front)
    logic.prepare(planned)
    assert codes(logic, planned) == ["labels_changed"] and not logic.isOutdated(planned)
    told = logic.currentPlan(planned).warnings[-1]
    assert told.message.startswith("L1 was measured on other labels") and told.severity == "caution"
    assert logic.canPlan(planned, "L1") == (True, "")
    logic.planLevel(planned, "L2")
    assert codes(logic, planned) == ["labels_changed"]
    logic.measure(planned)
    assert codes(logic, planned) == []


def test_a_level_whose_segment_was_removed_is_told_of(logic, planned, inputs):
    inputs[1].GetSegmentation().RemoveSegment("segment 21")
    logic.prepare(planned)
    assert logic.currentPlan(planned).warnings[-1].message.startswith("L2 was measured on other labels")


def test_a_plan_made_from_arrays_agrees_with_the_nodes_of_the_same_voxels(scene, phantom, inputs, empty, tmp_path):
    from VertebralAugmentationPlannerLib import PlanOptions, plan_case

    image, labels = phantom[:2]
    plan = plan_case((image.voxels, image.ijk_to_ras), (labels.voxels, labels.ijk_to_ras), PlanOptions(labels="verse"))
    plan.save(tmp_path / "plan.json")
    assert CasePlan.load(tmp_path / "plan.json") == plan and any(level.trajectories for level in plan.levels)
    logic = PlannerLogic(scene)
    logic.setInputs(empty, *inputs)
    logic.loadPlan(empty, tmp_path / "plan.json")
    logic.prepare(empty)
    assert logic.isReady(empty) and codes(logic, empty) == []
