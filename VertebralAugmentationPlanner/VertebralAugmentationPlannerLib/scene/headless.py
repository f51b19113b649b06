"""A MRML scene without the application: for the command line's scene.mrb, for notebooks and for tests.

The application registers node classes, units and the segmentation's converters when it starts. Here a scene gets the
same from slicer-core's module logics, so that what is written reads in the application and the other way round.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

import slicer

from ..model import InputError

DISK_FULL_BYTES = 2**20
"""With less than this left after a failed write the disk is what failed it."""


def new_scene() -> Any:
    """An empty ``vtkMRMLScene`` in which every class that a plan uses can be made, written and read.

    The module logics live as long as the scene: they are kept on it as ``scene.plannerLogics``.
    """
    scene = slicer.vtkMRMLScene()
    _give_cache(scene)
    for helper in (slicer.vtkMRMLSelectionNode(), slicer.vtkMRMLInteractionNode()):
        helper.SetSaveWithScene(False)
        scene.AddNode(helper)
    application = slicer.vtkSlicerApplicationLogic()
    application.SetMRMLScene(scene)
    logics = [application]
    for name in ("vtkSlicerUnitsLogic", "vtkSlicerMarkupsLogic", "vtkSlicerSegmentationsModuleLogic"):
        logic = getattr(slicer, name)()
        logic.SetMRMLApplicationLogic(application)
        logic.SetMRMLScene(scene)
        logics.append(logic)
    scene.plannerLogics = logics
    return scene


def _give_cache(scene: Any) -> None:
    """A folder of its own in which the scene unpacks bundles; removed with the scene."""
    folder = tempfile.mkdtemp(prefix="mrml-")
    cache = slicer.vtkCacheManager()
    cache.SetRemoteCacheDirectory(folder)
    cache.SetMRMLScene(scene)
    manager = slicer.vtkDataIOManager()
    manager.SetCacheManager(cache)
    scene.SetDataIOManager(manager)
    scene.SetCacheManager(cache)
    weakref.finalize(scene, shutil.rmtree, folder, ignore_errors=True)


@contextmanager
def _same_working_directory() -> Iterator[None]:
    """MRML's archiver changes the process's working directory and, where it fails, leaves it there."""
    before = os.getcwd()
    try:
        yield
    finally:
        os.chdir(before)


def read_bundle(path: str | PathLike[str]) -> Any:
    """A new scene with the content of a ``.mrb`` file.

    Raises:
        InputError: no such file, or not a scene bundle.
    """
    if not Path(path).is_file():
        raise InputError(f"There is no scene {path}; check the path.")
    scene = new_scene()
    with _same_working_directory():
        read = zipfile.is_zipfile(path) and scene.ReadFromMRB(str(Path(path).absolute()))
    if not read:
        raise InputError(f"{Path(path).name} cannot be read as a scene bundle (.mrb).")
    return scene


def write_bundle(scene: Any, path: str | PathLike[str]) -> Path:
    """Write a scene as ``.mrb``; an existing file is replaced only once the new one is whole.

    Raises:
        InputError: the name does not end in .mrb, or the file cannot be written.
    """
    target = Path(path).absolute()
    if target.suffix.lower() != ".mrb":
        raise InputError(f"The scene {target.name} must end in .mrb.")
    if not target.parent.is_dir():
        raise InputError(f"There is no folder {target.parent}; make it first.")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".scene-") as folder:
        # The bundle's inner folder takes the file's name, so the temporary file has the final name.
        temporary = Path(folder) / target.name
        messages = slicer.vtkMRMLMessageCollection()
        with _same_working_directory():
            written = scene.WriteToMRB(str(temporary), None, messages)
        if not written or not temporary.is_file():
            reason = messages.GetAllMessagesAsString().strip().splitlines() or ["no reason was given"]
            if shutil.disk_usage(folder).free < DISK_FULL_BYTES:
                reason = ["the disk is full"]
            raise InputError(f"The scene cannot be written to {target} ({reason[0].strip(' -')}).")
        temporary.replace(target)
    return target
