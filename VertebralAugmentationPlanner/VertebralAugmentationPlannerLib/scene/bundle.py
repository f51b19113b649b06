"""A plan as ``scene.mrb``, for the command line and notebooks: opens in Slicer, ready to be edited there."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import slicer

from ..model import Case, CasePlan, Image, Spine
from ..model.geometry import label_boxes
from ..model.palette import BONE, rgb
from . import roles
from .anatomy_node import oriented_image
from .choices import keep_options, start_of
from .drawing import draw_plan, show_level
from .headless import new_scene, write_bundle
from .outdated import mark
from .references import set_node
from .volumes import vtk_matrix

MODULE_NAME = "VertebralAugmentationPlanner"

WINDOW_HU, LEVEL_HU = 1200.0, 250.0
"""Bone window in which the CT opens; between the usual 2000/300 for cortical bone and 400/40 for soft tissue. [D]"""


def write_scene(plan: CasePlan, case: Case | None, path: str | PathLike[str], spine: Spine | None = None) -> Path:
    """Write a plan, and the images it was made on, as a scene bundle.

    Args:
        plan: what ``plan_case`` returned.
        case: CT and labels; None for the plan alone, which can then be looked at but not edited.
        path: file ending in ``.mrb``; replaced only once the new one is whole.
        spine: anatomy; with it the bodies and the canal are drawn.

    Raises:
        InputError: the file cannot be written.
    """
    from ..augmentation import load_catalog  # with SciPy, for which Slicer's start need not wait

    scene = new_scene()
    parameter_node = new_parameter_node(scene)
    plan = keep_options(parameter_node, plan, load_catalog())
    if case is not None:
        if case.ct is not None:
            set_node(parameter_node, roles.CT, add_volume(scene, case.ct, "CT"))
        set_node(parameter_node, roles.SEGMENTATION, add_labels(scene, case))
    draw_plan(parameter_node, plan, case, spine)
    level, side = start_of(plan)
    parameter_node.SetParameter(roles.LEVEL, level)
    parameter_node.SetParameter(roles.SIDE, side)
    show_level(parameter_node, level)
    mark(parameter_node)
    return write_bundle(scene, path)


def new_parameter_node(scene: Any) -> Any:
    """A parameter node of the module, as ``ScriptedLoadableModuleLogic.createParameterNode`` makes it."""
    node = scene.AddNewNodeByClass("vtkMRMLScriptedModuleNode", scene.GenerateUniqueName(MODULE_NAME))
    node.SetAttribute("ModuleName", MODULE_NAME)
    return node


def add_volume(scene: Any, image: Image, name: str) -> Any:
    """A scalar volume node of an image, displayed in a bone window. The voxels are copied."""
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    node.SetIJKToRASMatrix(vtk_matrix(image.ijk_to_ras))
    slicer.util.updateVolumeFromArray(node, np.ascontiguousarray(image.voxels.transpose(2, 1, 0)))
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    if display is not None:
        display.SetAutoWindowLevel(False)
        display.SetWindowLevel(WINDOW_HU, LEVEL_HU)
    return node


def add_labels(scene: Any, case: Case) -> Any:
    """A segmentation node with one segment per level, and the canal where the case has one on the labels' grid."""
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Vertebrae")
    node.CreateDefaultDisplayNodes()
    geometry = slicer.vtkSegmentationConverter.SerializeImageGeometry(
        oriented_image(Image(np.zeros(case.labels.voxels.shape, np.uint8), case.labels.ijk_to_ras))
    )
    node.GetSegmentation().SetConversionParameter(
        slicer.vtkSegmentationConverter.GetReferenceImageGeometryParameterName(), geometry
    )
    _add_segments(node, case.labels, case.level_values)
    if case.canal is not None:
        name = "spinal cord" if case.canal_is_cord else "spinal canal"
        _add_segments(node, Image((case.canal.voxels != 0).astype(np.uint8), case.canal.ijk_to_ras), {name: 1})
    return node


def _add_segments(node: Any, labels: Image, values: Mapping[str, int]) -> None:
    """Segments that share one label map of the whole grid. With a map of its own for each, or one that is cut to what it
    holds, MRML resamples and merges them one by one when it writes: half a second a level of a whole spine."""
    held = label_boxes(labels.voxels)
    there = {name: value for name, value in values.items() if value in held}
    if not there:
        return
    numbers = np.zeros(max(held) + 1, np.uint8)  # neck, sacrum and ribs are no segments
    numbers[list(there.values())] = np.arange(1, len(there) + 1)
    shared = oriented_image(Image(numbers[labels.voxels], labels.ijk_to_ras))
    for number, name in enumerate(there, start=1):
        segment = slicer.vtkSegment()
        segment.SetName(name)
        segment.SetColor(*rgb(BONE))
        segment.SetLabelValue(number)
        segment.AddRepresentation(
            slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName(), shared
        )
        node.GetSegmentation().AddSegment(segment, name)
