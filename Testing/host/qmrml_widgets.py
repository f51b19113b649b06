"""The MRML widgets the panel uses, on PySide6 and the real MRML scene (Slicer ``Libs/MRML/Widgets``)."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Property, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QSizePolicy, QWidget

from .ctk_widgets import ctkSliderWidget


class qMRMLWidget(QWidget):
    """``qMRMLWidget.h``: hands its scene on with ``mrmlSceneChanged(vtkMRMLScene*)``."""

    mrmlSceneChanged = Signal(object)
    SIGNALS = {"mrmlSceneChanged(vtkMRMLScene*)": "mrmlSceneChanged"}

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: Any = None

    def setMRMLScene(self, scene: Any) -> None:  # noqa: N802
        if scene is not self._scene:
            self._scene = scene
            self.mrmlSceneChanged.emit(scene)

    def mrmlScene(self) -> Any:  # noqa: N802
        return self._scene


class qMRMLNodeComboBox(QWidget):
    """``qMRMLNodeComboBox.h``: the scene's nodes of ``nodeTypes`` that are not hidden from editors, “None” where
    ``noneEnabled``; follows nodes added and removed, and is disabled until it has a scene. Without “None” the first
    node that appears becomes current, as in ``qMRMLNodeComboBox.cpp``."""

    currentNodeChanged = Signal(object)
    currentNodeIDChanged = Signal(str)
    SIGNALS = {
        "currentNodeChanged(vtkMRMLNode*)": "currentNodeChanged",
        "currentNodeIDChanged(QString)": "currentNodeIDChanged",
    }

    def __init__(self, parent: QWidget | None = None) -> None:
        self._scene: Any = None  # Qt may ask for properties before the constructor is done
        super().__init__(parent)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._combo = QComboBox(self)
        self._combo.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        layout.addWidget(self._combo)
        self._tags: list[int] = []
        self._types: list[str] = []
        self._none_enabled, self._none_display = False, "None"
        self._children_shown = True
        self._current_id = ""
        self._options: dict[str, bool] = {}
        self._combo.currentIndexChanged.connect(self._picked)
        self.setEnabled(False)

    # -- scene

    def setMRMLScene(self, scene: Any) -> None:  # noqa: N802
        if self._scene is not None:
            for tag in self._tags:
                self._scene.RemoveObserver(tag)
        self._scene, self._tags = scene, []
        if scene is not None:
            for event in (scene.NodeAddedEvent, scene.NodeRemovedEvent, scene.EndCloseEvent, scene.EndImportEvent):
                self._tags.append(scene.AddObserver(event, lambda *_: self._fill()))
        self.setEnabled(scene is not None)
        self._fill()

    def mrmlScene(self) -> Any:  # noqa: N802
        return self._scene

    def _nodes(self) -> list[Any]:
        if self._scene is None:
            return []
        nodes = [self._scene.GetNthNode(index) for index in range(self._scene.GetNumberOfNodes())]
        return [node for node in nodes if not node.GetHideFromEditors() and self._fits(node)]

    def _fits(self, node: Any) -> bool:
        if self._children_shown:
            return any(node.IsA(kind) for kind in self._types)
        return node.GetClassName() in self._types

    def _fill(self) -> None:
        nodes = self._nodes()
        self._combo.blockSignals(True)
        self._combo.clear()
        if self._none_enabled:
            self._combo.addItem(self._none_display, "")
        for node in nodes:
            self._combo.addItem(node.GetName(), node.GetID())
        wanted = self._combo.findData(self._current_id)
        if wanted < 0:
            wanted = 0 if self._combo.count() else -1
        self._combo.setCurrentIndex(wanted)
        self._combo.blockSignals(False)
        self._picked()

    def _picked(self, *_: Any) -> None:
        picked = self._combo.currentData() or ""
        if picked != self._current_id:
            self._current_id = picked
            self.currentNodeChanged.emit(self.currentNode())
            self.currentNodeIDChanged.emit(picked)

    # -- current node

    def currentNode(self) -> Any:  # noqa: N802
        return self._scene.GetNodeByID(self._current_id) if self._scene is not None and self._current_id else None

    def setCurrentNode(self, node: Any) -> None:  # noqa: N802
        self.setCurrentNodeID(node if isinstance(node, str) else node.GetID() if node is not None else "")

    def setCurrentNodeID(self, node_id: str | None) -> None:  # noqa: N802
        index = self._combo.findData(node_id or "")
        self._combo.setCurrentIndex(index)
        if index < 0:
            self._picked()

    def nodeCount(self) -> int:  # noqa: N802
        return len(self._nodes())

    currentNodeID = Property(str, lambda self: self._current_id, lambda self, value: self.setCurrentNodeID(value))

    # -- settings

    def _set_types(self, types: Any) -> None:
        self._types = list(types)
        self._fill()

    def _set_none(self, enabled: bool) -> None:
        self._none_enabled = enabled
        self._fill()

    def _set_none_display(self, text: str) -> None:
        self._none_display = text
        self._fill()

    def _set_children(self, shown: bool) -> None:
        self._children_shown = shown
        self._fill()

    nodeTypes = Property("QStringList", lambda self: self._types, _set_types)
    noneEnabled = Property(bool, lambda self: self._none_enabled, _set_none)
    noneDisplay = Property(str, lambda self: self._none_display, _set_none_display)
    showChildNodeTypes = Property(bool, lambda self: self._children_shown, _set_children)
    addEnabled = Property(bool, lambda self: False, lambda self, value: self._options.update(add=value))
    removeEnabled = Property(bool, lambda self: False, lambda self, value: self._options.update(remove=value))
    editEnabled = Property(bool, lambda self: False, lambda self, value: self._options.update(edit=value))
    renameEnabled = Property(bool, lambda self: False, lambda self, value: self._options.update(rename=value))


class qMRMLSliderWidget(ctkSliderWidget):
    """``qMRMLSliderWidget.h`` without its units: only a name that ``guiConnectors.py`` mentions."""


class qMRMLSpinBox(QWidget):
    """Only a name that ``guiConnectors.py`` mentions."""


class qMRMLRangeWidget(QWidget):
    """Only a name that ``guiConnectors.py`` mentions."""


QMRML_METHODS = {
    "qMRMLWidget": ("setMRMLScene", "mrmlScene"),
    "qMRMLNodeComboBox": (
        "setMRMLScene",
        "mrmlScene",
        "currentNode",
        "setCurrentNode",
        "setCurrentNodeID",
        "nodeCount",
    ),
}
"""Slots and invokable methods."""
