"""What the panel needs of the application: its texts, dialogs, event loop and .ui loader.

The widget room knows Qt but not ``slicer``; this is the door between them. Importable only where the application (or
the test host) is; the rest of the scene room does not need it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import slicer
import vtk
from numpy.typing import NDArray
from slicer import util
from slicer.i18n import tr
from vtk.util import numpy_support

__all__ = [
    "childWidgets",
    "confirmDisplay",
    "errorDisplay",
    "fillImage",
    "loadUi",
    "lookAtEverything",
    "observeNodeSelectors",
    "observeScene",
    "processEvents",
    "removeNode",
    "showVolume",
    "tr",
    "viewsAvailable",
]


def errorDisplay(text: str, details: str | None = None) -> None:
    """Show one sentence, with details to unfold. In testing mode it is only logged, as an error."""
    if details:
        util.errorDisplay(text, detailedText=details)
    else:
        util.errorDisplay(text)


def confirmDisplay(question: str, title: str) -> bool:
    """Ask for OK or Cancel. In testing mode it is only logged, and means Cancel: there ``slicer.util`` compares True with OK."""
    return bool(util.confirmOkCancelDisplay(question, title))


def processEvents() -> None:
    """Let the application repaint and take clicks."""
    slicer.app.processEvents()


def loadUi(path: str) -> Any:
    """The widget of a .ui file, with the application's scene set on it."""
    widget = util.loadUI(path)
    widget.setMRMLScene(slicer.mrmlScene)
    return widget


def childWidgets(widget: Any) -> Any:
    """An object with each named child widget as an attribute."""
    return util.childWidgetVariables(widget)


def fillImage(image: Any, pixels: NDArray[np.uint8]) -> None:
    """Write RGB pixels (rows, columns, 3), first row on top, into a ``QImage``.

    The way of Slicer's own DataProbe module: ``qMRMLUtils.vtkImageDataToQImage`` (CTK ``vtkImageDataToQImage``: 8-bit,
    three components, the first row of VTK at the bottom).
    """
    rows, columns, _parts = pixels.shape
    data = vtk.vtkImageData()
    data.SetDimensions(columns, rows, 1)
    flat = np.ascontiguousarray(pixels[::-1]).reshape(-1, 3)
    data.GetPointData().SetScalars(numpy_support.numpy_to_vtk(flat, deep=True, array_type=vtk.VTK_UNSIGNED_CHAR))
    if not slicer.qMRMLUtils().vtkImageDataToQImage(data, image):
        raise RuntimeError("the picture could not be handed to Qt")


def viewsAvailable() -> tuple[bool, str]:
    """Whether there are slice and 3D views to take pictures of; else why not."""
    if slicer.app.layoutManager() is None:
        return False, tr("There are no views: the application runs without its main window.")
    return True, ""


FIRST, LAST = 10.0, -10.0
"""Priorities of observers before and after those of the node selectors, which have 0 (``qMRMLSceneModel``)."""


def showVolume(volume: Any) -> None:
    """Put a volume into the slice views and fit them to it: Slicer does so only for what its own readers loaded."""
    util.setSliceViewerLayers(background=volume, fit=True)


def lookAtEverything() -> None:
    """Turn the 3D views to what is in them; the camera does not look for what was drawn into an empty scene."""
    manager = slicer.app.layoutManager()
    if manager is not None:
        manager.resetThreeDViews()


def observeScene(
    observer: Any, closing: Callable[..., None], closed: Callable[..., None], imported: Callable[..., None]
) -> None:
    """Observe closing of the scene and reading into it, through a ``VTKObservationMixin``."""
    scene = slicer.mrmlScene
    observer.addObserver(scene, scene.StartCloseEvent, closing)
    observer.addObserver(scene, scene.EndCloseEvent, closed)
    observer.addObserver(scene, scene.EndImportEvent, imported, priority=LAST)


def observeNodeSelectors(observer: Any, moving: Callable[..., None], moved: Callable[..., None]) -> None:
    """Observe, likewise, what makes node selectors change by themselves: ``moving`` before, ``moved`` after it."""
    scene = slicer.mrmlScene
    for event in (scene.StartImportEvent, scene.NodeAboutToBeRemovedEvent):
        observer.addObserver(scene, event, moving, priority=FIRST)
    observer.addObserver(scene, scene.NodeRemovedEvent, moved, priority=LAST)


def removeNode(node: Any) -> None:
    """Take a node out of its scene."""
    if node.GetScene() is not None:
        node.GetScene().RemoveNode(node)
