"""The synthetic demo cases as nodes: what the panel's demo button loads. Needs no file and no internet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import slicer
from numpy.typing import NDArray
from slicer import util

from ..model import Image, InputError, PlanningCancelled
from ..sample import SAMPLES, TOTALSEGMENTATOR, make_case
from .background import in_background
from .volumes import vtk_matrix

DRAWN_SHARE = 0.9
"""Where the drawing ends on the progress bar and the nodes are made."""


def demoCases() -> list[tuple[str, str]]:
    """Name and title of each case."""
    return [(name, sample.title) for name, sample in SAMPLES.items()]


def loadDemoCase(
    name: str,
    progress: Callable[[float, str], None] | None = None,
    shouldCancel: Callable[[], bool] | None = None,
) -> tuple[Any, Any]:
    """Add the CT and the segmentation of a case to the application's scene; returns both nodes.

    Raises:
        InputError: there is no such case.
        PlanningCancelled: the user cancelled; the scene is unchanged.
    """
    if name not in SAMPLES:
        raise InputError(f"There is no demo case “{name}”; choose one of {', '.join(SAMPLES)}.")
    ct, labels = _drawn(name, progress, shouldCancel)
    if progress is not None:
        progress(DRAWN_SHARE, "Making CT and segmentation")
    volume = _volume(ct, f"{name} CT")
    volume.CreateDefaultDisplayNodes()
    display = volume.GetDisplayNode()
    if display is not None:
        display.SetAutoWindowLevel(False)
        display.SetWindowLevel(1200.0, 250.0)
    return volume, _segmentation(labels, f"{name} vertebrae")


def _drawn(
    name: str, progress: Callable[[float, str], None] | None, should_cancel: Callable[[], bool] | None
) -> tuple[Image, Image]:
    """CT and labels."""
    share = [0.0]

    def draw(cancelled: Callable[[], bool]) -> tuple[Image | None, Image]:
        def step(done: float) -> None:
            share[0] = done
            if cancelled():
                raise PlanningCancelled

        ct, labels, _truth = make_case(SAMPLES[name].build(), step=step)
        return ct, labels

    def tell() -> None:
        if progress is not None:
            progress(DRAWN_SHARE * share[0], "Drawing the synthetic CT")

    ct, labels = in_background(draw, tell, should_cancel)
    assert ct is not None
    return ct, labels


def _volume(image: Image, name: str, kind: str = "vtkMRMLScalarVolumeNode") -> Any:
    node = slicer.mrmlScene.AddNewNodeByClass(kind, slicer.mrmlScene.GenerateUniqueName(name))
    node.SetIJKToRASMatrix(vtk_matrix(image.ijk_to_ras))
    util.updateVolumeFromArray(node, np.ascontiguousarray(_kji(image.voxels)))
    return node


def _segmentation(labels: Image, name: str) -> Any:
    """One segment per vertebra, named and coloured."""
    names = {value: level for level, value in TOTALSEGMENTATOR.items()}
    map_node = _volume(labels, f"{name} (label map)", "vtkMRMLLabelMapVolumeNode")
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", slicer.mrmlScene.GenerateUniqueName(name))
    node.CreateDefaultDisplayNodes()
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    if not logic.ImportLabelmapToSegmentationNode(map_node, node):
        raise RuntimeError("the demo labels could not be made a segmentation")
    slicer.mrmlScene.RemoveNode(map_node)
    segmentation = node.GetSegmentation()
    count = segmentation.GetNumberOfSegments()
    for index in range(count):
        segment = segmentation.GetNthSegment(index)
        segment.SetName(names[segment.GetLabelValue()])
        segment.SetColor(*_bone_tint(index / max(count - 1, 1)))
    display = node.GetDisplayNode()
    if display is not None:
        display.SetOpacity3D(0.35)
        display.SetOpacity2DFill(0.15)
    return node


def _bone_tint(share: float) -> tuple[float, float, float]:
    """Neighbouring vertebrae differ in tint, yet none takes a colour that means something in the plan."""
    return 0.93 - 0.15 * share, 0.85 - 0.10 * share, 0.65 + 0.2 * share


def _kji(voxels: NDArray) -> NDArray:
    return np.transpose(voxels, (2, 1, 0))
