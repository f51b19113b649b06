"""The synthetic demo cases as nodes: what the panel's demo button loads. They ship with the extension."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
from numpy.typing import NDArray
from slicer import util

from ..case.source import read
from ..model import Image, InputError
from ..sample import SAMPLES, TOTALSEGMENTATOR
from .sample_data import FILES, sampleFolder
from .volumes import vtk_matrix


def demoCases() -> list[tuple[str, str]]:
    """Name and title of each case."""
    return [(name, sample.title) for name, sample in SAMPLES.items()]


def shortTitle(title: str) -> str:
    """“T12 wedge”: the title of a case as far as its fractures, which is what a narrow box has room for."""
    return title.partition(" fracture")[0]


def loadDemoCase(name: str) -> tuple[Any, Any]:
    """Add the CT and the segmentation of a case to the application's scene; returns both nodes.

    Raises:
        InputError: there is no such case, or its files are missing or damaged; the scene is unchanged.
    """
    if name not in SAMPLES:
        raise InputError(f"There is no demo case “{name}”; choose one of {', '.join(SAMPLES)}.")
    folder = sampleFolder(name)
    if folder is None:
        raise InputError(f"The files of the demo case “{name}” are missing from this installation; install it anew.")
    ct, labels = (read(folder / file, what).image for file, what in zip(FILES, ("CT", "segmentation"), strict=True))
    volume = _volume(ct, f"{name} CT")
    volume.CreateDefaultDisplayNodes()
    display = volume.GetDisplayNode()
    if display is not None:
        display.SetAutoWindowLevel(False)
        display.SetWindowLevel(1200.0, 250.0)
    return volume, _segmentation(labels, f"{name} vertebrae")


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
