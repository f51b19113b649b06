"""Two plans in one scene, with the module as it is: choosing, leaving and coming back, deleting by hand."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

MODULE = "VertebralAugmentationPlanner"
VERSE_L1, VERSE_L2 = 20, 21


@pytest.fixture
def with_a_second(a_widget: Any, a_slicer: Any) -> Any:
    """The panel on a second plan of the same images; the first one chose vertebroplasty."""
    labels = np.zeros((40, 30, 20), np.uint8)
    labels[5:15, 5:25, 5:15], labels[25:35, 5:25, 5:15] = VERSE_L2, VERSE_L1
    for name, kind, voxels in (
        ("CT", "vtkMRMLScalarVolumeNode", labels.astype(np.int16)),
        ("labels", "vtkMRMLLabelMapVolumeNode", labels),
    ):
        node = a_slicer.mrmlScene.AddNewNodeByClass(kind, name)
        a_slicer.util.updateVolumeFromArray(node, voxels)
    a_widget.ui.ctSelector.setCurrentNode(a_slicer.util.getNode("CT"))
    a_widget.ui.segmentationSelector.setCurrentNode(node)
    a_widget.panel.parameterNode.procedure = "vertebroplasty"
    a_widget.ui.newPlanButton.click()
    a_slicer.app.processEvents()
    return a_widget


def chosen(widget: Any) -> Any:
    return widget.panel.parameterNode.parameterNode


def test_a_new_plan_has_the_images_and_choices_of_its_own(a_watcher: Any, with_a_second: Any) -> None:
    ui = with_a_second.ui
    assert ui.planComboBox.count == 2 and ui.planComboBox.currentIndex == 1
    assert ui.ctSelector.currentNode() is with_a_second.panel.parameterNode.ct is not None
    assert ui.procedureComboBox.currentText == "kyphoplasty"
    ui.planComboBox.setCurrentIndex(0)
    assert ui.procedureComboBox.currentText == "vertebroplasty"


def test_a_choice_in_one_plan_leaves_the_other_alone(a_watcher: Any, with_a_second: Any) -> None:
    ui, (first, second) = with_a_second.ui, with_a_second.logic.planNodes()
    ui.approachComboBox.setCurrentIndex(ui.approachComboBox.findText("2, both sides"))
    assert second.GetParameter("approach") == "bilateral" and first.GetParameter("approach") == "auto"


def test_the_chosen_plan_is_still_chosen_after_another_module(
    a_watcher: Any, a_module: Any, with_a_second: Any
) -> None:
    second = chosen(with_a_second)
    a_module.exit()
    a_module.enter()
    assert chosen(with_a_second) is second
    assert with_a_second.ui.planComboBox.currentIndex == 1


def test_deleting_the_chosen_plan_by_hand_leads_back_to_the_first(
    a_watcher: Any, a_module: Any, with_a_second: Any, a_slicer: Any
) -> None:
    first, second = with_a_second.logic.planNodes()
    a_slicer.mrmlScene.RemoveNode(second)
    a_module.exit()
    a_module.enter()
    assert chosen(with_a_second) is first
    assert with_a_second.ui.planComboBox.count == 1


def test_closing_the_scene_leaves_one_plan(a_watcher: Any, with_a_second: Any, a_slicer: Any) -> None:
    a_slicer.mrmlScene.Clear()
    assert len(with_a_second.logic.planNodes()) == 1
    assert with_a_second.ui.planComboBox.count == 1


def test_a_module_that_was_never_set_up_can_be_cleaned_up(a_watcher: Any, a_module: Any, a_slicer: Any) -> None:
    import qt

    parent = a_slicer.qMRMLWidget()
    parent.setLayout(qt.QVBoxLayout())
    sys.modules[MODULE].VertebralAugmentationPlannerWidget(parent).cleanup()


def test_the_distances_of_the_c_arm_are_kept_with_the_plan(a_watcher: Any, with_a_second: Any) -> None:
    ui, node = with_a_second.ui, with_a_second.panel.parameterNode
    node.sourceImageMm = 1250.0
    assert ui.sourceImageSpinBox.value == 1250.0
    assert ui.sourceImageSpinBox.minimum > ui.sourceObjectSpinBox.maximum  # the source is never beyond the receptor
