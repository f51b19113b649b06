"""The module survives what users do to it: leave, come back, close the scene, reload, work on two plans."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import vtk

sys.path.append(str(Path(__file__).resolve().parents[1] / "unit" / "report"))
from plans import case_plan  # noqa: E402 - the hand-made plan of the report's tests

MODULE = "VertebralAugmentationPlanner"


def parameter_nodes(slicer: Any) -> list[Any]:
    nodes = slicer.util.getNodesByClass("vtkMRMLScriptedModuleNode")
    return [node for node in nodes if node.GetAttribute("ModuleName") == MODULE]


def test_closing_the_scene_starts_afresh(a_watcher: Any, a_widget: Any, a_slicer: Any) -> None:
    old = a_widget.panel.parameterNode.parameterNode
    a_slicer.mrmlScene.Clear()
    new = a_widget.panel.parameterNode.parameterNode
    assert new is not old and new.GetScene() is a_slicer.mrmlScene
    assert len(parameter_nodes(a_slicer)) == 1


def test_closing_the_scene_from_another_module_makes_no_node(
    a_watcher: Any, a_module: Any, a_widget: Any, a_slicer: Any
) -> None:
    a_module.exit()
    a_slicer.mrmlScene.Clear()
    assert parameter_nodes(a_slicer) == []
    a_module.enter()
    assert a_widget.panel.parameterNode is not None


def test_choices_made_elsewhere_reach_the_panel_and_back(a_watcher: Any, a_widget: Any) -> None:
    node, ui = a_widget.panel.parameterNode, a_widget.ui
    node.procedure = "vertebroplasty"
    assert ui.procedureComboBox.currentText == "vertebroplasty"
    words = [ui.cannulaComboBox.itemText(index) for index in range(ui.cannulaComboBox.count)]
    ui.cannulaComboBox.setCurrentIndex(next(n for n, word in enumerate(words) if word.startswith("11G")))
    assert node.cannula == "11G"


def test_leaving_the_module_lets_go_of_the_parameter_node(a_watcher: Any, a_module: Any, a_widget: Any) -> None:
    a_module.exit()
    shown = a_widget.ui.procedureComboBox.currentText
    a_widget.panel.parameterNode.procedure = "vertebroplasty"
    assert a_widget.ui.procedureComboBox.currentText == shown
    a_module.enter()
    assert a_widget.ui.procedureComboBox.currentText == "vertebroplasty"


def test_cleanup_leaves_no_observer(a_watcher: Any, a_module: Any, a_slicer: Any) -> None:
    a_slicer.util.selectModule(MODULE)
    widget = a_slicer.util.getModuleWidget(MODULE)
    node = widget.panel.parameterNode.parameterNode
    assert node.HasObserver("ModifiedEvent") and list(widget.Observations)
    widget.cleanup()
    assert not node.HasObserver("ModifiedEvent")
    assert list(widget.Observations) == []
    a_slicer.mrmlScene.Clear()  # nobody who is gone may answer
    a_module.widget = None


def test_a_second_parameter_node_is_left_alone(a_watcher: Any, a_widget: Any, a_slicer: Any) -> None:
    first = a_widget.panel.parameterNode.parameterNode
    second = a_slicer.mrmlScene.AddNode(a_widget.logic.createParameterNode())
    a_widget.panel.refresh()
    assert a_widget.panel.parameterNode.parameterNode is first
    a_slicer.mrmlScene.RemoveNode(second)
    assert parameter_nodes(a_slicer) == [first]


def test_deleting_the_parameter_node_by_hand_is_survived(
    a_watcher: Any, a_module: Any, a_widget: Any, a_slicer: Any
) -> None:
    a_slicer.mrmlScene.RemoveNode(a_widget.panel.parameterNode.parameterNode)
    a_widget.ui.demoComboBox.setCurrentIndex(1)
    a_module.enter()
    assert a_widget.panel.parameterNode.parameterNode.GetScene() is a_slicer.mrmlScene


def test_deleting_the_images_by_hand_is_survived(a_watcher: Any, a_widget: Any, a_slicer: Any) -> None:
    ct = a_slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "CT")
    a_widget.ui.ctSelector.setCurrentNode(ct)
    a_slicer.mrmlScene.RemoveNode(ct)
    assert a_widget.panel.parameterNode.ct is None
    assert a_widget.ui.ctSelector.currentNode() is None


def test_deleting_the_ct_does_not_choose_its_neighbour(a_watcher: Any, a_widget: Any, a_slicer: Any) -> None:
    """A selector moves on to the row above the deleted one; the plan must not follow it to another patient's CT."""
    other, ct = (a_slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name) for name in ("other", "CT"))
    a_widget.ui.ctSelector.setCurrentNode(ct)
    a_slicer.mrmlScene.RemoveNode(ct)
    assert a_widget.panel.parameterNode.ct is None
    assert a_widget.ui.ctSelector.currentNode() is None
    a_widget.ui.ctSelector.setCurrentNode(other)
    assert a_widget.panel.parameterNode.ct is other


def test_reading_a_scene_into_this_one_keeps_the_images(
    a_watcher: Any, a_widget: Any, a_slicer: Any, tmp_path: Any
) -> None:
    """All selectors fall back to “None” while their rows are made anew."""
    from VertebralAugmentationPlannerLib.scene.headless import new_scene, write_bundle

    foreign = new_scene()
    foreign.AddNewNodeByClass("vtkMRMLTextNode", "foreign").SetText("foreign")
    write_bundle(foreign, tmp_path / "foreign.mrb")
    ct = a_slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "CT")
    segmentation = a_slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "vertebrae")
    a_widget.ui.ctSelector.setCurrentNode(ct)
    a_widget.ui.segmentationSelector.setCurrentNode(segmentation)
    node = a_widget.panel.parameterNode
    a_slicer.util.loadScene(tmp_path / "foreign.mrb")
    assert a_slicer.mrmlScene.GetFirstNodeByName("foreign") is not None
    assert (node.ct, node.segmentation) == (ct, segmentation)
    assert (a_widget.ui.ctSelector.currentNode(), a_widget.ui.segmentationSelector.currentNode()) == (ct, segmentation)


def test_a_segmentation_without_voxels_is_told_in_words(a_watcher: Any, a_widget: Any, a_slicer: Any) -> None:
    ui = a_widget.ui
    empty = a_slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "just made")
    ui.segmentationSelector.setCurrentNode(empty)
    assert ui.imagesStatusLabel.text.startswith("No segment is a vertebra") and ui.levelTable.rowCount == 0
    surfaces = a_slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "surfaces")
    surfaces.SetSourceRepresentationToClosedSurface()
    surfaces.AddSegmentFromClosedSurfaceRepresentation(_sphere(), "L1")
    ui.segmentationSelector.setCurrentNode(surfaces)
    assert "holds surfaces but no voxels" in ui.imagesStatusLabel.text and not ui.measureButton.enabled
    assert "holds surfaces but no voxels" in ui.measureButton.toolTip


def _sphere() -> Any:
    source = vtk.vtkSphereSource()
    source.SetRadius(10.0)
    source.Update()
    return source.GetOutput()


def test_a_deleted_node_is_followed_only_once_the_deletion_is_through(a_watcher: Any, a_widget: Any) -> None:
    """The subject hierarchy deletes a folder node by node; nodes made in it meanwhile would keep it from the end."""
    done = []
    a_widget.logic.later(lambda: done.append("followed"))
    assert done == []
    import slicer

    slicer.app.processEvents()
    assert done == ["followed"]


def test_the_demo_case_is_seen(a_watcher: Any, a_widget: Any, a_slicer: Any) -> None:
    """A volume that a script added is in no slice view of its own accord."""
    a_slicer.app.layoutManager().mrmlSliceLogics()  # the application has its views from the start
    a_widget.ui.demoButton.click()
    ct = a_widget.panel.parameterNode.ct
    shown = a_slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")
    assert [node.GetBackgroundVolumeID() for node in shown] == [ct.GetID()] * len(shown) and len(shown) == 3
    bounds = [0.0] * 6
    ct.GetRASBounds(bounds)
    red = a_slicer.app.layoutManager().sliceWidget("Red").sliceView().mrmlSliceNode()
    centre = [red.GetSliceToRAS().GetElement(axis, 3) for axis in range(3)]
    assert all(low <= place <= high for low, place, high in zip(bounds[::2], centre, bounds[1::2], strict=True))


def test_the_reload_button_reads_the_package_again(
    a_watcher: Any, a_widget: Any, a_slicer: Any, monkeypatch: Any
) -> None:
    """Slicer's own onReload executes the module file alone; the package must be gone by then."""
    found = []
    base = a_slicer.ScriptedLoadableModule.ScriptedLoadableModuleWidget
    monkeypatch.setattr(
        base,
        "onReload",
        lambda self: found.append([n for n in sys.modules if n.startswith(MODULE + "Lib")]),
        raising=False,
    )
    before = dict(sys.modules)
    try:
        a_widget.onReload()
    finally:
        sys.modules.update(before)
    assert found == [[]]


def test_a_click_on_show_names_stays(a_watcher: Any, a_widget: Any, a_slicer: Any) -> None:
    """A click sends toggled before stateChanged, by which the parameter node learns of it."""
    ui, node = a_widget.ui, a_widget.panel.parameterNode
    ui.demoButton.click()
    a_slicer.app.processEvents()
    for shown in (True, False, True):
        ui.showNamesCheckBox.click()
        assert (ui.showNamesCheckBox.checked, node.showLevelNames) == (shown, shown)
        assert (a_widget.logic.node(node, "levelName") is not None) == shown


def test_the_names_on_the_vertebrae_follow_segments_renamed_in_another_module(
    a_watcher: Any, a_module: Any, a_widget: Any, a_slicer: Any
) -> None:
    """They are the check of the numbering."""
    ui, node = a_widget.ui, a_widget.panel.parameterNode
    ui.demoButton.click()
    ui.showNamesCheckBox.click()
    names = a_widget.logic.node(node, "levelName")
    assert names.GetNthControlPointLabel(0) == "T9"
    a_module.exit()
    segmentation = node.segmentation.GetSegmentation()
    segmentation.GetSegment(segmentation.GetSegmentIdBySegmentName("T9")).SetName("T8")
    a_module.enter()
    assert a_widget.logic.node(node, "levelName").GetNthControlPointLabel(0) == "T8"


def test_a_height_that_is_turned_over_comes_back_and_the_user_reads_why(
    a_widget: Any, a_slicer: Any, caplog: Any
) -> None:
    """In testing mode a dialog is a line in the log."""
    a_widget.logic.buildScene(case_plan(), parameterNode=a_widget.panel.parameterNode.parameterNode)
    line = a_widget.logic.node(a_widget.panel.parameterNode, "height.T12.anterior")
    table, place = a_widget.ui.measurementTable, line.GetNthControlPointPositionWorld(0)
    shown = [table.item(0, column).text() for column in range(table.columnCount)]
    line.InvokeEvent(line.PointStartInteractionEvent)
    for down in (1.0, 60.0, 70.0):
        line.SetNthControlPointPositionWorld(0, place[0], place[1], place[2] - down)
        a_slicer.app.processEvents()
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []  # the mouse is still down
    line.InvokeEvent(line.PointEndInteractionEvent)
    a_slicer.app.processEvents()
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == [
        "The anterior height of T12 was put back: its upper end must lie at least 1 mm above the lower one."
    ]
    assert [table.item(0, column).text() for column in range(table.columnCount)] == shown
    assert tuple(line.GetNthControlPointPositionWorld(0)) == tuple(place) and not a_widget.ui.undoButton.enabled


def test_a_case_put_under_one_transform_stays_judged_as_it_was(
    a_watcher: Any, a_module: Any, a_widget: Any, a_slicer: Any
) -> None:
    ui, logic, node = a_widget.ui, a_widget.logic, a_widget.panel.parameterNode
    for button in (ui.demoButton, ui.measureButton, ui.planButton):
        button.click()
    a_slicer.app.processEvents()
    before, column = logic.needle(node, node.level, node.side), needle_cells(ui)
    matrix, far = vtk.vtkMatrix4x4(), (12.0, -30.0, 7.0)
    for row, part in enumerate(far):
        matrix.SetElement(row, 3, part)
    transform = a_slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    transform.SetMatrixTransformToParent(matrix)

    def drawn() -> list[Any]:
        nodes = a_slicer.util.getNodesByClass("vtkMRMLDisplayableNode")
        return [one for one in nodes if one.GetAttribute("VertebralAugmentationPlanner.Role")]

    def put_under(parent: Any, nodes: list[Any]) -> None:
        for one in nodes:
            one.SetAndObserveTransformNodeID(parent and parent.GetID())
        a_slicer.app.processEvents()

    a_module.exit()  # to the Data module: the plan's folder first, then the images
    put_under(transform, drawn())
    assert not logic.needle(node, node.level, node.side).judged
    put_under(transform, [node.ct, node.segmentation])
    a_module.enter()
    a_slicer.app.processEvents()
    after = logic.needle(node, node.level, node.side)
    moved = [there - here for there, here in zip(after.target_ras, before.target_ras, strict=True)]
    assert moved == pytest.approx(far, abs=1e-3) and needle_cells(ui) == column
    assert logic.isReady(node) and ui.planButton.enabled
    assert "other labels" not in ui.summaryBrowser.toPlainText()  # nor has the anatomy where the images are now
    put_under(None, [*drawn(), node.ct, node.segmentation])  # all at once
    assert needle_cells(ui) == column and ui.planButton.enabled
    assert logic.needle(node, node.level, node.side).target_ras == pytest.approx(before.target_ras, abs=1e-3)


def needle_cells(ui: Any) -> list[list[str]]:
    table = ui.needleTable
    return [[table.item(row, column).text() for column in (0, 1)] for row in range(table.rowCount)]
