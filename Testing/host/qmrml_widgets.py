"""The MRML widgets the panel uses, on PySide6 and the real MRML scene (Slicer ``Libs/MRML/Widgets``)."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Property, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QSizePolicy, QWidget
from vtkmodules.util.misc import calldata_type
from vtkmodules.util.vtkConstants import VTK_OBJECT

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
    """``qMRMLNodeComboBox.cxx`` on ``qMRMLSceneModel.cxx``: the scene's nodes of ``nodeTypes`` that are not hidden from
    editors, “None” where ``noneEnabled``; disabled until it has a scene.

    Rows come and go as there, and QComboBox makes of it what it makes in Slicer: where the current node is about to be
    removed the row above it becomes current (``onMRMLSceneNodeAboutToBeRemoved``), and where a scene was closed or
    another one read into it all rows are made anew, which leaves “None” (``updateScene``). Each change of the current
    row emits ``currentNodeChanged`` (``emitCurrentNodeChanged``), also one that nobody asked for."""

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
        self._options: dict[str, bool] = {}
        self._combo.currentIndexChanged.connect(self._changed)
        self.setEnabled(False)

    # -- scene

    def setMRMLScene(self, scene: Any) -> None:  # noqa: N802
        if self._scene is not None:
            for tag in self._tags:
                self._scene.RemoveObserver(tag)
        self._scene, self._tags = scene, []
        if scene is not None:
            for event, answer in (
                (scene.NodeAddedEvent, self._node_added),
                (scene.NodeAboutToBeRemovedEvent, self._node_removed),
                (scene.EndCloseEvent, lambda *_: self._update_scene()),
                (scene.EndImportEvent, lambda *_: self._update_scene()),
            ):
                self._tags.append(scene.AddObserver(event, answer))
        self.setEnabled(scene is not None)
        self._combo.blockSignals(True)  # SceneSwitchingInProgress
        self._update_scene()
        self._combo.blockSignals(False)

    def mrmlScene(self) -> Any:  # noqa: N802
        return self._scene

    def _nodes(self) -> list[Any]:
        if self._scene is None:
            return []
        nodes = [self._scene.GetNthNode(index) for index in range(self._scene.GetNumberOfNodes())]
        return [node for node in nodes if self._offered(node)]

    def _offered(self, node: Any) -> bool:
        if node.GetHideFromEditors():
            return False
        if self._children_shown:
            return any(node.IsA(kind) for kind in self._types)
        return node.GetClassName() in self._types

    @calldata_type(VTK_OBJECT)
    def _node_added(self, _scene: Any, _event: str, node: Any) -> None:
        if self._scene.IsImporting() or self._combo.findData(node.GetID()) >= 0 or not self._offered(node):
            return
        self._combo.addItem(node.GetName(), node.GetID())
        if not self._none_enabled and self._combo.count() == 1:
            self._combo.setCurrentIndex(0)

    @calldata_type(VTK_OBJECT)
    def _node_removed(self, _scene: Any, _event: str, node: Any) -> None:
        row = self._combo.findData(node.GetID()) if node.GetID() else -1
        if row >= 0 and not self._scene.IsClosing():
            self._combo.removeItem(row)

    def _update_scene(self) -> None:
        first = 1 if self._none_enabled else 0
        if self._none_enabled and (not self._combo.count() or self._combo.itemData(0) != ""):
            self._combo.insertItem(0, self._none_display, "")
            self._combo.setCurrentIndex(0)
        self._combo.model().removeRows(first, self._combo.count() - first)
        for node in self._nodes():
            self._combo.addItem(node.GetName(), node.GetID())

    def _changed(self, row: int) -> None:
        node = self.currentNode()
        if node is None and row != (0 if self._none_enabled else -1):
            nodes = self._nodes()
            if nodes:
                self.setCurrentNode(nodes[-1])
            return
        self.currentNodeChanged.emit(node)
        self.currentNodeIDChanged.emit(node.GetID() if node is not None else "")

    # -- current node

    def currentNode(self) -> Any:  # noqa: N802
        current = self._combo.currentData()
        return self._scene.GetNodeByID(current) if self._scene is not None and current else None

    def setCurrentNode(self, node: Any) -> None:  # noqa: N802
        self.setCurrentNodeID(node if isinstance(node, str) else node.GetID() if node is not None else "")

    def setCurrentNodeID(self, node_id: str | None) -> None:  # noqa: N802
        row = self._combo.findData(node_id) if node_id else -1
        self._combo.setCurrentIndex(row if row >= 0 else (0 if self._none_enabled else -1))

    def nodeCount(self) -> int:  # noqa: N802
        return len(self._nodes())

    currentNodeID = Property(
        str,
        lambda self: self._combo.currentData() or "",
        lambda self, value: self.setCurrentNodeID(value),
    )

    # -- settings

    def _set_types(self, types: Any) -> None:
        self._types = list(types)
        self._update_scene()

    def _set_none(self, enabled: bool) -> None:
        self._none_enabled = enabled
        self._update_scene()

    def _set_none_display(self, text: str) -> None:
        self._none_display = text
        if self._none_enabled and self._combo.count():
            self._combo.setItemText(0, text)

    def _set_children(self, shown: bool) -> None:
        self._children_shown = shown
        self._update_scene()

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
