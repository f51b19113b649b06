"""Vertebral bodies and the canal as one segmentation node, on one lattice, so that it saves without resampling."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
from numpy.typing import NDArray
from scipy import ndimage
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
        node.SetAndObserveTransformNodeID(None)  # it lies where the images do
        segmentation.RemoveAllSegments()
        vertebrae = spine.complete()
        for level, vertebra in vertebrae.items():
            _add(segmentation, f"{level}_body", f"{level} body", rgb(BONE), _drawn([vertebra], labels, _body))
        canals = [vertebra for vertebra in vertebrae.values() if vertebra.canal_mm is not None]
        if canals:
            _add(segmentation, CANAL_ID, "Spinal canal", rgb(CANAL), _drawn(canals, labels, _canal))
    node.CreateClosedSurfaceRepresentation()  # for the 3D view; about 0.2 s a level
    display = node.GetDisplayNode()
    for level in vertebrae:
        display.SetSegmentOpacity3D(f"{level}_body", 0.35)
        display.SetSegmentOpacity2DFill(f"{level}_body", 0.0)  # the CT must stay readable under it
    display.SetSegmentOpacity2DFill(CANAL_ID, 0.25)
    put_in_folder(parameter_node, node)
    return node


def _body(vertebra: Vertebra) -> tuple[NDArray, NDArray]:
    """A field that is positive inside the body, and the box [first, last] of voxels of its grid that hold it."""
    assert vertebra.body is not None  # complete vertebrae have one
    return vertebra.body.astype(np.float32) - 0.5, _bounds(vertebra.body)


def _canal(vertebra: Vertebra) -> tuple[NDArray, NDArray]:
    """Likewise for the canal."""
    assert vertebra.canal_mm is not None  # the caller chose those that have one
    return -vertebra.canal_mm, _bounds(vertebra.canal_mm < 0)


def _bounds(inside: NDArray) -> NDArray:
    axes = [np.flatnonzero(inside.any(axis=tuple(other for other in range(3) if other != axis))) for axis in range(3)]
    return np.array([[axis[0] if len(axis) else 0 for axis in axes], [axis[-1] if len(axis) else 0 for axis in axes]])


def _drawn(vertebrae: list[Vertebra], labels: Image, field_of: Any) -> Image:
    """Union of something of several vertebrae on the (refined) lattice of the labels, in its smallest box."""
    lattice = refined(labels)
    fields = [field_of(vertebra) for vertebra in vertebrae]
    boxes = [_box(vertebra, bounds, lattice) for vertebra, (_, bounds) in zip(vertebrae, fields, strict=True)]
    first = np.min([box[0] for box in boxes], axis=0)
    last = np.max([box[1] for box in boxes], axis=0)
    voxels = np.zeros(last - first + 1, np.uint8)
    for vertebra, (field, _), (low, high) in zip(vertebrae, fields, boxes, strict=True):
        to_grid = _to_grid(vertebra, lattice)
        inside = ndimage.affine_transform(
            field,
            to_grid[:3, :3],
            to_grid[:3, :3] @ low + to_grid[:3, 3],
            output_shape=tuple(high - low + 1),
            order=1,
            cval=-1.0,
        )
        where = tuple(slice(a, b + 1) for a, b in zip(low - first, high - first, strict=True))
        voxels[where] |= inside > 0
    matrix = lattice.ijk_to_ras.copy()
    matrix[:3, 3] = lattice.to_ras(first)
    return Image(voxels, matrix)


def refined(labels: Image) -> Image:
    """The lattice of the labels, its voxels divided until none is longer than :data:`FINEST_MM`; without voxels."""
    parts = np.maximum(1, np.ceil(labels.spacing_mm / FINEST_MM - 1e-6)).astype(int)
    matrix = labels.ijk_to_ras.copy()
    matrix[:3, :3] = matrix[:3, :3] / parts
    matrix[:3, 3] -= matrix[:3, :3] @ ((parts - 1) / 2)  # the small voxels fill the large one
    return Image(np.empty((0, 0, 0)), matrix)


def _to_grid(vertebra: Vertebra, lattice: Image) -> NDArray[np.float64]:
    """4 × 4 matrix from lattice voxel to index on the vertebra's grid."""
    grid, frame = vertebra.grid, vertebra.frame
    assert grid is not None and frame is not None
    matrix = np.eye(4)
    matrix[:3, :3] = frame.rows @ lattice.ijk_to_ras[:3, :3] / grid.spacing_mm
    matrix[:3, 3] = grid.to_index(frame.to_local(lattice.ijk_to_ras[:3, 3]))
    return matrix


def _box(vertebra: Vertebra, bounds: NDArray, lattice: Image) -> tuple[NDArray, NDArray]:
    """First and last lattice voxel around a box of the vertebra's grid."""
    grid, frame = vertebra.grid, vertebra.frame
    assert grid is not None and frame is not None
    corners = np.array(np.meshgrid(*bounds.T)).reshape(3, -1).T
    index = lattice.to_ijk(frame.to_ras(grid.to_local(corners)))
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
