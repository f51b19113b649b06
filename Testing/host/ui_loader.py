"""``qt.QUiLoader`` with the ctk and MRML widgets known, and the file's own signal-slot connections made.

Stands for ``slicer.util.loadUI`` (Slicer ``Base/Python/slicer/util.py``) on a Qt whose designer plugins of CTK and
qMRMLWidgets are loaded. A class without stand-in is refused, not replaced by a plain QWidget.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from typing import Any

from PySide6.QtCore import QBuffer, QByteArray, QFile, QIODevice
from PySide6.QtUiTools import QUiLoader as NativeLoader
from PySide6.QtWidgets import QWidget

from . import ctk_widgets, qmrml_widgets

CUSTOM: dict[str, type] = {
    name: value
    for module in (ctk_widgets, qmrml_widgets)
    for name, value in vars(module).items()
    if isinstance(value, type) and issubclass(value, QWidget) and name.startswith(("ctk", "qMRML"))
}


class QUiLoader(NativeLoader):
    """Loads a .ui file as Slicer would."""

    def createWidget(self, class_name: str, parent: QWidget | None = None, name: str = "") -> QWidget:  # noqa: N802
        if class_name in CUSTOM:
            widget = CUSTOM[class_name](parent)
            widget.setObjectName(name)
            return widget
        widget = super().createWidget(class_name, parent, name)
        if widget is None:
            raise RuntimeError(f"the .ui file names a class without a stand-in: {class_name}")
        return widget

    def load(self, device: Any, parent: QWidget | None = None) -> QWidget:
        if isinstance(device, QFile) and not device.isOpen():
            raise RuntimeError("the file is not open")
        tree = ElementTree.fromstring(bytes(device.readAll().data()))
        connections = tree.find("connections")
        wires = []
        if connections is not None:
            wires = [{part.tag: part.text or "" for part in wire} for wire in connections]
            tree.remove(connections)
        buffer = QBuffer()
        buffer.setData(QByteArray(ElementTree.tostring(tree)))
        buffer.open(QIODevice.OpenModeFlag.ReadOnly)
        root = super().load(buffer, parent)
        if root is None:
            raise RuntimeError(self.errorString())
        for wire in wires:
            _connect(root, wire)
        return root


def _connect(root: QWidget, wire: dict[str, str]) -> None:
    sender, receiver = (
        root if wire[end] == root.objectName() else root.findChild(QWidget, wire[end]) for end in ("sender", "receiver")
    )
    if sender is None or receiver is None:
        raise RuntimeError(f"the .ui file connects a widget that is not there: {wire}")
    signal, slot = wire["signal"].partition("(")[0], wire["slot"].partition("(")[0]
    getattr(sender, signal).connect(getattr(receiver, slot))
