"""What the panel needs of the application: its texts, dialogs, event loop and .ui loader.

The widget room knows Qt but not ``slicer``; this is the door between them. Importable only where the application (or
the test host) is; the rest of the scene room does not need it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import slicer
import vtk
from slicer import util
from slicer.i18n import tr

from ..model import InputError

__all__ = [
    "captureViews",
    "childWidgets",
    "errorDisplay",
    "loadUi",
    "observeScene",
    "processEvents",
    "removeNode",
    "tr",
    "viewsAvailable",
]


def errorDisplay(text: str, details: str | None = None) -> None:
    """Show one sentence, with details to unfold. In testing mode it is only logged, as an error."""
    if details:
        util.errorDisplay(text, detailedText=details)
    else:
        util.errorDisplay(text)


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


def viewsAvailable() -> tuple[bool, str]:
    """Whether there are slice and 3D views to take pictures of; else why not."""
    if slicer.app.layoutManager() is None:
        return False, tr("There are no views: the application runs without its main window.")
    return True, ""


def captureViews(folder: str, prefix: str = "plan") -> list[Path]:
    """Write a PNG of each slice and 3D view on screen; returns the files, slices first.

    Raises:
        InputError: there are no views, or the folder cannot be written.
    """
    available, reason = viewsAvailable()
    if not available:
        raise InputError(reason)
    layout = slicer.app.layoutManager()
    views = {name: layout.sliceWidget(name).sliceView() for name in layout.sliceViewNames()}
    views.update(
        {f"3D-{number + 1}": layout.threeDWidget(number).threeDView() for number in range(layout.threeDViewCount)}
    )
    written = []
    for name, view in views.items():
        if not view.visible:
            continue
        view.forceRender()
        path = Path(folder) / f"{prefix}-{name}.png"
        grabber = vtk.vtkWindowToImageFilter()
        grabber.SetInput(view.renderWindow())
        writer = vtk.vtkPNGWriter()
        writer.SetInputConnection(grabber.GetOutputPort())
        writer.SetFileName(str(path))
        writer.Write()
        if not path.is_file():
            raise InputError(f"{path} cannot be written; choose another folder.")
        written.append(path)
    return written


def observeScene(
    observer: Any, closing: Callable[..., None], closed: Callable[..., None], imported: Callable[..., None]
) -> None:
    """Observe closing of the scene and reading into it, through a ``VTKObservationMixin``."""
    scene = slicer.mrmlScene
    observer.addObserver(scene, scene.StartCloseEvent, closing)
    observer.addObserver(scene, scene.EndCloseEvent, closed)
    observer.addObserver(scene, scene.EndImportEvent, imported)


def removeNode(node: Any) -> None:
    """Take a node out of its scene."""
    if node.GetScene() is not None:
        node.GetScene().RemoveNode(node)
