"""Vertebral bodies and the canal as one segmentation node, on one lattice, so that it saves without resampling."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import slicer
from numpy.typing import NDArray
from vtk.util.numpy_support import numpy_to_vtk

from ..model import Image, Spine, Vertebra
from ..model.palette import BONE, CANAL, rgb
from . import roles
from .folders import put_in_folder
from .references import make_node
from .volumes import vtk_matrix

FINEST_MM = 1.0
"""Largest voxel edge of the drawn segmentation; coarser labels are drawn on a lattice refined to it. [D]"""

CANAL_ID = "SpinalCanal"


def draw_anatomy(parameter_node: Any, spine: Spine, labels: Image) -> Any:
    """Make or update the segmentation of bodies and canal.

    Args:
        spine: complete vertebrae are drawn; the canal is drawn where it is known.
        labels: gives the lattice's directions, so that the segmentation lies on the label map's own voxels.
    """
    node = make_node(parameter_node, roles.ANATOMY, "vtkMRMLSegmentationNode", "Vertebral bodies and canal")
    if node.GetDisplayNode() is None:
        node.CreateDefaultDisplayNodes()
    segmentation = node.GetSegmentation()
    with slicer.util.NodeModify(node):
        segmentation.RemoveAllSegments()
        vertebrae = spine.complete()
        for level, vertebra in vertebrae.items():
            assert vertebra.body is not None  # complete vertebrae have one
            _add(segmentation, f"{level}_body", f"{level} body", rgb(BONE), _drawn([vertebra], labels, _body))
        canals = [vertebra for vertebra in vertebrae.values() if vertebra.canal_mm is not None]
        if canals:
            _add(segmentation, CANAL_ID, "Spinal canal", rgb(CANAL), _drawn(canals, labels, _canal))
    display = node.GetDisplayNode()
    for level in vertebrae:
        display.SetSegmentOpacity3D(f"{level}_body", 0.35)
        display.SetSegmentOpacity2DFill(f"{level}_body", 0.0)  # the CT must stay readable under it
    display.SetSegmentOpacity2DFill(CANAL_ID, 0.25)
    put_in_folder(parameter_node, node)
    return node


def _body(vertebra: Vertebra, local: NDArray) -> NDArray[np.bool_]:
    assert vertebra.grid is not None and vertebra.body is not None
    return vertebra.grid.sample(vertebra.body.astype(np.float32), local) > 0.5


def _canal(vertebra: Vertebra, local: NDArray) -> NDArray[np.bool_]:
    assert vertebra.grid is not None and vertebra.canal_mm is not None
    return vertebra.grid.sample(vertebra.canal_mm, local) < 0.0


def _drawn(vertebrae: Iterable[Vertebra], labels: Image, inside: Any) -> Image:
    """Union of something of several vertebrae on the (refined) lattice of the labels, in its smallest box."""
    refine = np.maximum(1, np.ceil(labels.spacing_mm / FINEST_MM - 1e-6)).astype(int)
    matrix = labels.ijk_to_ras.copy()
    matrix[:3, :3] = matrix[:3, :3] / refine
    matrix[:3, 3] -= matrix[:3, :3] @ ((refine - 1) / 2)  # the refined voxels fill the coarse one, centre on centre
    lattice = Image(np.empty((0, 0, 0)), matrix)
    boxes = [_box(vertebra, lattice) for vertebra in vertebrae]
    first = np.min([box[0] for box in boxes], axis=0)
    last = np.max([box[1] for box in boxes], axis=0)
    voxels = np.zeros(last - first + 1, np.uint8)
    for vertebra, (low, high) in zip(vertebrae, boxes, strict=True):
        index = np.stack(
            np.meshgrid(*[np.arange(a, b + 1) for a, b in zip(low, high, strict=True)], indexing="ij"), axis=-1
        )
        assert vertebra.frame is not None and vertebra.grid is not None
        local = vertebra.frame.to_local(lattice.to_ras(index))
        grid_index = vertebra.grid.to_index(local)
        on_grid = np.all((grid_index >= 0) & (grid_index <= np.array(vertebra.grid.shape) - 1), axis=-1)
        where = tuple(slice(a, b + 1) for a, b in zip(low - first, high - first, strict=True))
        voxels[where] |= on_grid & inside(vertebra, local)
    matrix = matrix.copy()
    matrix[:3, 3] = lattice.to_ras(first)
    return Image(voxels, matrix)


def _box(vertebra: Vertebra, lattice: Image) -> tuple[NDArray, NDArray]:
    """First and last lattice voxel that a vertebra's grid reaches."""
    grid, frame = vertebra.grid, vertebra.frame
    assert grid is not None and frame is not None
    ends = np.array(np.meshgrid(*[[axis[0], axis[-1]] for axis in grid.axes])).reshape(3, -1).T
    index = lattice.to_ijk(frame.to_ras(ends))
    return np.floor(index.min(axis=0)).astype(int), np.ceil(index.max(axis=0)).astype(int)


def _add(segmentation: Any, key: str, name: str, color: tuple[float, float, float], mask: Image) -> None:
    segment = slicer.vtkSegment()
    segment.SetName(name)
    segment.SetColor(*color)
    segment.AddRepresentation(
        slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName(), oriented_image(mask)
    )
    segmentation.AddSegment(segment, key)


def oriented_image(image: Image) -> Any:
    """``vtkOrientedImageData`` of an image of unsigned bytes, sharing nothing with it."""
    data = slicer.vtkOrientedImageData()
    data.SetDimensions(*image.voxels.shape)
    scalars = numpy_to_vtk(np.ascontiguousarray(image.voxels.transpose(2, 1, 0), np.uint8).ravel(), deep=True)
    scalars.SetName("ImageScalars")
    data.GetPointData().SetScalars(scalars)
    data.SetGeometryFromImageToWorldMatrix(vtk_matrix(image.ijk_to_ras))
    return data
