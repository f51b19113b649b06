"""Screenshots of the views of the application."""

from __future__ import annotations

from itertools import chain, count
from pathlib import Path
from typing import Any

import slicer
import vtk

from ..model import InputError

NO_VIEWS = "There are no views to take pictures of; run this inside the application with its main window."


def screenshots(folder: Path, prefix: str) -> list[Path]:
    """A PNG of each slice and 3D view that the layout shows.

    Where one of them is in the folder already, all get the next free number behind the prefix: no picture is replaced.

    Raises:
        InputError: no views, or a folder that is not there.
    """
    manager = _layout_manager()
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}; make it first.")
    shots = []
    for name in manager.sliceViewNames():
        view = manager.sliceWidget(name).sliceView()
        if view.mrmlSliceNode().IsMappedInLayout():
            shots.append((view, name))
    for index in range(manager.threeDViewCount):
        view = manager.threeDWidget(index).threeDView()
        if view.mrmlViewNode().IsMappedInLayout():
            shots.append((view, f"3D{index + 1}"))
    if not shots:
        raise InputError("No slice or 3D view is shown; choose a layout that shows some.")
    names = _free_names(folder, prefix, [name for _view, name in shots])
    return [_shoot(view, path) for (view, _name), path in zip(shots, names, strict=True)]


def _free_names(folder: Path, prefix: str, names: list[str]) -> list[Path]:
    """“plan-L1-Red.png” …, or “plan-L1-2-Red.png” … where one of the first is there."""
    starts = chain([prefix], (f"{prefix}-{number}" for number in count(2)))
    sets = ([folder / f"{start}-{name}.png" for name in names] for start in starts)
    return next(paths for paths in sets if not any(path.exists() for path in paths))


def _layout_manager() -> Any:
    application = getattr(slicer, "app", None)
    manager = application.layoutManager() if application is not None else None
    if manager is None:
        raise InputError(NO_VIEWS)
    return manager


def _shoot(view: Any, path: Path) -> Path:
    view.forceRender()
    grab = vtk.vtkWindowToImageFilter()
    grab.SetInput(view.renderWindow())
    grab.ReadFrontBufferOff()
    writer = vtk.vtkPNGWriter()
    writer.SetInputConnection(grab.GetOutputPort())
    writer.SetFileName(str(path))
    writer.Write()
    if not path.is_file():
        raise InputError(f"{path} cannot be written; choose another folder.")
    return path
