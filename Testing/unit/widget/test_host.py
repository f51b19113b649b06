"""The test host is as strict as PythonQt: what works only in PySide6 fails."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def qt(a_slicer: Any) -> Any:
    import qt

    return qt


def test_a_property_is_a_value_and_not_a_function(qt: Any) -> None:
    button = qt.QPushButton("Plan")
    assert button.text == "Plan"
    with pytest.raises(TypeError):
        button.text()


def test_an_unknown_attribute_cannot_be_set(qt: Any) -> None:
    with pytest.raises(AttributeError):
        qt.QPushButton("Plan").enable = True


def test_scoped_enumerators_are_not_there(qt: Any) -> None:
    assert qt.Qt.AlignRight
    with pytest.raises(AttributeError):
        qt.Qt.AlignmentFlag  # noqa: B018


def test_constructors_and_methods_take_no_keywords(qt: Any) -> None:
    with pytest.raises(TypeError):
        qt.QPushButton(text="Plan")


def test_a_signal_needs_its_exact_signature(qt: Any) -> None:
    with pytest.raises(ValueError, match="no signal"):
        qt.QPushButton("Plan").connect("clicked(int)", print)


def test_a_slot_gets_as_many_arguments_as_it_takes(qt: Any) -> None:
    heard: list[Any] = []
    button = qt.QPushButton("Plan")
    button.connect("clicked(bool)", lambda: heard.append("none"))
    button.connect("clicked(bool)", lambda checked: heard.append(checked))
    button.click()
    assert heard == ["none", False]


def test_an_error_in_a_slot_is_reported_and_does_not_stop_the_others(qt: Any, monkeypatch: Any) -> None:
    seen: list[type] = []
    monkeypatch.setattr("sys.excepthook", lambda kind, error, trace: seen.append(kind))
    heard: list[bool] = []
    button = qt.QPushButton("Plan")
    button.connect("clicked(bool)", lambda: 1 / 0)
    button.connect("clicked(bool)", heard.append)
    button.click()
    assert seen == [ZeroDivisionError] and heard == [False]


def test_disconnected_slots_are_silent(qt: Any) -> None:
    heard: list[bool] = []
    button = qt.QPushButton("Plan")
    button.connect("clicked(bool)", heard.append)
    assert button.disconnect("clicked(bool)", heard.append)
    button.click()
    assert heard == []


def test_methods_of_qt_6_only_are_not_there(qt: Any) -> None:
    with pytest.raises(AttributeError):
        qt.QFormLayout().setRowVisible(0, True)  # since Qt 6.4


def test_a_child_shown_in_a_folded_section_appears_when_it_opens(a_slicer: Any, qt: Any) -> None:
    import ctk

    section = ctk.ctkCollapsibleButton()
    layout = qt.QVBoxLayout(section)
    label = qt.QLabel("x")
    layout.addWidget(label)
    section.show()
    section.collapsed = True
    label.visible = True
    assert not label.visible
    section.collapsed = False
    assert label.visible
    label.visible = False
    section.collapsed = True
    section.collapsed = False
    assert not label.visible


def test_the_node_selector_lists_nodes_of_its_type_only(a_slicer: Any) -> None:
    scene = a_slicer.vtkMRMLScene()
    selector = a_slicer.qMRMLNodeComboBox()
    selector.nodeTypes = ["vtkMRMLSegmentationNode"]
    selector.noneEnabled = True
    selector.setMRMLScene(scene)
    scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    assert selector.nodeCount() == 1 and selector.currentNode() is None
    selector.setCurrentNode(node)
    assert selector.currentNode() is node
    scene.RemoveNode(node)
    assert selector.currentNode() is None
