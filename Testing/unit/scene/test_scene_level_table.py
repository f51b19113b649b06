"""The user has the last word on which vertebra is which."""

import pytest
from nodes import add_segmentation
from test_scene_segments import boxes
from VertebralAugmentationPlannerLib.model import InputError
from VertebralAugmentationPlannerLib.scene.logic import PlannerLogic


@pytest.fixture
def logic(scene):
    logic = PlannerLogic(scene)
    yield logic
    logic.cleanup()


@pytest.fixture
def node(scene, logic):
    parameter_node = scene.AddNewNodeByClass("vtkMRMLScriptedModuleNode", "planner")
    segmentation = add_segmentation(scene, boxes(), {1: "T12", 2: "L1", 3: "spinal canal", 4: "liver"})
    logic.setInputs(parameter_node, None, segmentation)
    return parameter_node


def levels(logic, node):
    return {row.name: row.level for row in logic.segmentTable(node)}


def test_rows_run_from_head_to_foot_with_their_centres(logic, node):
    rows = [row for row in logic.segmentTable(node) if row.level]
    assert [row.level for row in rows] == ["T12", "L1"]
    assert rows[0].centre_ras == pytest.approx((40.5, 5.5, 290.0))


def test_levels_come_before_what_is_none_however_high_that_lies(logic, node):
    """Of TotalSegmentator's 117 structures thirty lie higher than the first vertebra of an abdominal CT."""
    centres = {row.name: row.centre_ras[2] for row in logic.segmentTable(node)}
    assert centres["liver"] > centres["L1"] and centres["spinal canal"] > centres["L1"]
    assert [row.name for row in logic.segmentTable(node)] == ["T12", "L1", "liver", "spinal canal"]
    logic.setLevel(node, "segment 3", "T11")  # made a level it comes among them, by where it lies
    logic.setLevel(node, "segment 1", "")  # and one left out stays where it is, or it could not be found again
    assert [(row.name, row.level) for row in logic.segmentTable(node)] == [
        ("T12", ""), ("spinal canal", "T11"), ("L1", "L1"), ("liver", "")
    ]  # fmt: skip


def test_a_correction_is_in_force_and_is_told_from_the_suggestion(logic, node):
    logic.setLevel(node, "segment 2", "l2 vertebra")
    row = next(row for row in logic.segmentTable(node) if row.key == "segment 2")
    assert (row.suggested, row.level) == ("L1", "L2")


def test_a_segment_can_be_left_out_and_an_unnamed_one_made_a_level(logic, node):
    logic.setLevel(node, "segment 1", "")
    logic.setLevel(node, "segment 4", "L5")
    assert levels(logic, node) == {"T12": "", "L1": "L1", "spinal canal": "", "liver": "L5"}
    assert logic.checkInputs(node) == (True, "")


def test_the_whole_numbering_shifts_by_one_across_the_thoracolumbar_junction(logic, node):
    logic.shiftLevels(node, 1)
    assert levels(logic, node) == {"T12": "L1", "L1": "L2", "spinal canal": "", "liver": ""}
    logic.shiftLevels(node, -1)
    assert levels(logic, node)["T12"] == "T12"


def test_shifting_off_the_end_changes_nothing(logic, node):
    logic.setLevel(node, "segment 1", "T1")
    with pytest.raises(InputError, match="cannot be shifted further"):
        logic.shiftLevels(node, -1)
    assert levels(logic, node) == {"T12": "T1", "L1": "L1", "spinal canal": "", "liver": ""}


def test_a_correction_back_to_the_suggestion_is_none(logic, node):
    logic.setLevel(node, "segment 1", "T11")
    logic.setLevel(node, "segment 1", "T12")
    assert node.GetParameter("levelTable") == ""


def test_reset_forgets_everything(logic, node):
    logic.shiftLevels(node, 1)
    logic.resetLevels(node)
    assert levels(logic, node)["L1"] == "L1"


def test_no_level_and_no_row_are_refused(logic, node):
    with pytest.raises(InputError, match="“C3” is not a vertebral level"):
        logic.setLevel(node, "segment 1", "C3")
    with pytest.raises(InputError, match="no segment “segment 9”"):
        logic.setLevel(node, "segment 9", "L1")


def test_the_same_level_twice_is_told_before_measuring(logic, node):
    logic.setLevel(node, "segment 1", "L1")
    assert logic.canMeasure(node) == (False, "Two segments are called L1; correct one of them in the table of levels.")


def test_another_segmentation_starts_without_corrections(logic, node, scene):
    logic.setLevel(node, "segment 1", "T11")
    logic.setInputs(node, None, add_segmentation(scene, boxes(), {1: "L3"}))
    assert levels(logic, node) == {"L3": "L3"}


def test_names_are_shown_on_the_vertebrae_and_follow_corrections(logic, node):
    logic.showLevelNames(node, True)
    names = logic.node(node, "levelName")
    assert [names.GetNthControlPointLabel(n) for n in range(2)] == ["T12", "L1"]
    assert names.GetNthControlPointPositionWorld(0) == pytest.approx((40.5, 5.5, 290.0))
    logic.shiftLevels(node, 1)
    assert [names.GetNthControlPointLabel(n) for n in range(2)] == ["L1", "L2"]
    logic.showLevelNames(node, False)
    assert logic.node(node, "levelName") is None


def labels(logic, node):
    names = logic.node(node, "levelName")
    return names and [names.GetNthControlPointLabel(n) for n in range(names.GetNumberOfControlPoints())]


def test_names_follow_another_segmentation(logic, node, scene):
    logic.showLevelNames(node, True)
    logic.setInputs(node, None, add_segmentation(scene, boxes(), {1: "L3", 2: "L4"}))
    assert labels(logic, node) == ["L3", "L4"]
    logic.setInputs(node, None, None)
    assert labels(logic, node) is None


def test_no_name_is_left_of_segments_that_cannot_be_read(logic, node, scene):
    logic.showLevelNames(node, True)
    surfaces = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "surfaces")
    surfaces.GetSegmentation().AddEmptySegment("L1", "L1")
    surfaces.GetSegmentation().RemoveRepresentation("Binary labelmap")
    logic.setInputs(node, None, surfaces)
    assert not logic.checkInputs(node)[0] and labels(logic, node) is None


def test_listeners_hear_of_corrections(logic, node):
    heard = []
    logic.addListener(lambda caller, change: heard.append((caller is node, change.kind)))
    logic.setLevel(node, "segment 1", "T11")
    logic.shiftLevels(node, 1)
    assert heard == [(True, "levels")] * 2
