"""Two plans in one scene, with the module as it is: choosing, leaving and coming back, deleting by hand."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "unit" / "report"))
from plans import case_plan  # noqa: E402 - the hand-made plan of the report's tests

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


@pytest.fixture
def two_drawn(a_widget: Any, a_slicer: Any) -> Any:
    """The panel on the second of two plans that are drawn, without images; the first one is hidden."""
    logic, first = a_widget.logic, chosen(a_widget)
    logic.buildScene(case_plan(), parameterNode=first)
    second = a_slicer.mrmlScene.AddNode(logic.createParameterNode())
    a_widget.choosePlan(second)
    logic.buildScene(case_plan(), parameterNode=second)
    return a_widget


def needles_seen(widget: Any) -> list[bool]:
    """Of each plan of the scene, whether its left needle at T12 is in the views."""
    needles = [widget.logic.node(node, "needle.T12.left") for node in widget.logic.planNodes()]
    return [bool(needle.GetDisplayNode().GetVisibility()) for needle in needles]


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


def test_the_plan_that_is_left_is_shown(a_watcher: Any, a_module: Any, two_drawn: Any, a_slicer: Any) -> None:
    assert needles_seen(two_drawn) == [False, True]
    a_slicer.mrmlScene.RemoveNode(chosen(two_drawn))
    a_module.exit()
    a_module.enter()
    assert needles_seen(two_drawn)[0]


def test_a_loaded_scene_goes_on_with_the_plan_that_was_chosen_and_shows_that_one_alone(
    a_watcher: Any, two_drawn: Any, a_slicer: Any, tmp_path: Any
) -> None:
    """Otherwise the needle in the views would be another one than that in the panel."""
    ui = two_drawn.ui
    chosen(two_drawn).SetParameter("approach", "bilateral")  # to know it again
    two_drawn.logic.saveScene(tmp_path / "two.mrb")
    a_slicer.util.loadScene(tmp_path / "two.mrb", {"clear": True})
    assert chosen(two_drawn).GetParameter("approach") == "bilateral" and ui.planComboBox.count == 2
    mine = ui.planComboBox.currentIndex
    assert needles_seen(two_drawn) == [number == mine for number in range(2)]
    ui.planComboBox.setCurrentIndex(1 - mine)
    assert needles_seen(two_drawn) == [number != mine for number in range(2)]


def test_a_scene_added_beside_a_plan_brings_its_plans_hidden(
    a_watcher: Any, a_module: Any, two_drawn: Any, a_slicer: Any, tmp_path: Any
) -> None:
    two_drawn.logic.saveScene(tmp_path / "two.mrb")
    mine = chosen(two_drawn)
    a_slicer.util.loadScene(tmp_path / "two.mrb")

    def seen() -> list[Any]:
        nodes = two_drawn.logic.planNodes()  # in an order that is the scene's own
        assert len(nodes) == 4
        return [node for node, shown in zip(nodes, needles_seen(two_drawn), strict=True) if shown]

    assert chosen(two_drawn) is mine and seen() == [mine]
    a_module.exit()
    a_module.enter()
    assert chosen(two_drawn) is mine and seen() == [mine]


def test_what_the_user_hid_of_the_chosen_plan_stays_hidden(a_watcher: Any, a_module: Any, two_drawn: Any) -> None:
    two_drawn.logic.node(chosen(two_drawn), "needle.T12.left").GetDisplayNode().SetVisibility(False)
    a_module.exit()
    a_module.enter()
    assert needles_seen(two_drawn) == [False, False]


def test_the_command_lines_scene_opens_at_its_planned_level(
    a_watcher: Any, a_widget: Any, a_slicer: Any, tmp_path: Any
) -> None:
    from VertebralAugmentationPlannerLib.scene import write_scene

    ui, node = a_widget.ui, a_widget.panel.parameterNode
    sections = [ui.accessCollapsibleButton, ui.augmentationCollapsibleButton, ui.planCollapsibleButton]
    assert node.level == "" and all(section.collapsed for section in sections)
    path = write_scene(case_plan(), None, tmp_path / "scene.mrb")
    a_slicer.util.loadScene(path, {"clear": True})
    node = a_widget.panel.parameterNode
    assert (node.level, ui.levelComboBox.currentText) == ("T12", "T12")
    assert not ui.needleTable.isHidden() and not any(section.collapsed for section in sections)


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


def test_a_plan_whose_parameter_node_is_deleted_by_hand_leaves_the_panel_too(
    a_watcher: Any, two_drawn: Any, a_slicer: Any
) -> None:
    first, second = two_drawn.logic.planNodes()
    assert chosen(two_drawn) is second and two_drawn.ui.savePlanButton.enabled
    a_slicer.mrmlScene.RemoveNode(second)
    for _ in range(20):
        a_slicer.app.processEvents()
    assert chosen(two_drawn) is first
    assert needles_seen(two_drawn) == [True]
    a_slicer.mrmlScene.RemoveNode(first)
    for _ in range(20):
        a_slicer.app.processEvents()
    assert chosen(two_drawn).GetScene() is a_slicer.mrmlScene
    assert not two_drawn.ui.savePlanButton.enabled
    assert two_drawn.ui.measurementTable.rowCount == 0
