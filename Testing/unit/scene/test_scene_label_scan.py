"""Values and centres of labels are counted once, and again only where something changed."""

import numpy as np
import pytest
from VertebralAugmentationPlannerLib.scene import level_table, segments
from VertebralAugmentationPlannerLib.scene.label_scan import MOST_COUNTED, label_centres
from nodes import add_segmentation


def test_centres_of_labels_are_the_means_of_their_voxels():
    voxels = np.zeros((20, 30, 40), np.int16)
    voxels[2:6, 10:20, 30:33] = 7
    voxels[0, 0, 0] = voxels[10, 0, 0] = 3
    voxels[5, 5, 5] = -1
    found = label_centres(voxels)
    assert list(found) == [3, 7]
    assert found[3].tolist() == [5.0, 0.0, 0.0]
    assert found[7].tolist() == [3.5, 14.5, 31.0]


def test_a_map_without_labels_has_no_centres():
    assert label_centres(np.zeros((4, 5, 6), np.uint8)) == {}


def test_values_too_large_to_be_counted_directly_have_centres_too():
    voxels = np.zeros((5, 6, 7), np.int32)
    voxels[1, 2, 3] = voxels[3, 2, 5] = MOST_COUNTED + 1
    voxels[0, 5, 3] = 2
    found = label_centres(voxels)
    assert found[MOST_COUNTED + 1].tolist() == [2.0, 2.0, 4.0] and found[2].tolist() == [0.0, 5.0, 3.0]


@pytest.fixture
def looks(monkeypatch):
    """How often the voxels were looked at."""
    seen = []
    original = level_table.parts_of
    monkeypatch.setattr(level_table, "parts_of", lambda node: seen.append(node.GetID()) or original(node))
    return seen


def test_unchanged_segments_are_looked_at_once(logic, scene, inputs, looks):
    node = scene.AddNewNodeByClass("vtkMRMLScriptedModuleNode", "planner")
    logic.setInputs(node, *inputs)
    for _ in range(3):
        assert logic.checkInputs(node)[0]
        assert [row.level for row in logic.segmentTable(node)] == ["T12", "L1", "L2"]
    logic.setLevel(node, logic.segmentTable(node)[0].key, "T11")
    assert looks == [inputs[1].GetID()]


def test_a_renamed_segment_is_seen(logic, scene, inputs, looks):
    node = scene.AddNewNodeByClass("vtkMRMLScriptedModuleNode", "planner")
    logic.setInputs(node, *inputs)
    assert logic.segmentTable(node)[0].level == "T12"
    inputs[1].GetSegmentation().GetNthSegment(0).SetName("T10")
    assert logic.segmentTable(node)[0].level == "T10"
    assert len(looks) == 2


def test_a_recolored_segment_is_seen_without_a_look_at_the_voxels(logic, scene, inputs, looks, monkeypatch):
    node = scene.AddNewNodeByClass("vtkMRMLScriptedModuleNode", "planner")
    logic.setInputs(node, *inputs)
    logic.segmentTable(node)
    monkeypatch.setattr(segments, "label_centres", None)
    inputs[1].GetSegmentation().GetNthSegment(0).SetColor(0.25, 0.5, 0.75)
    assert logic.segmentTable(node)[0].color == pytest.approx((0.25, 0.5, 0.75))
    assert len(looks) == 1


def test_another_segmentation_is_another_look(logic, scene, inputs, phantom, looks):
    node = scene.AddNewNodeByClass("vtkMRMLScriptedModuleNode", "planner")
    logic.setInputs(node, *inputs)
    logic.segmentTable(node)
    logic.setInputs(node, inputs[0], add_segmentation(scene, phantom[1], {20: "L3"}))
    assert [row.level for row in logic.segmentTable(node)] == ["L3"]
    assert len(looks) == 2
