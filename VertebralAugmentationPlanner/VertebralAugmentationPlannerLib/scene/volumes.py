"""Volume nodes as the engine's :class:`~..model.Image`, in world coordinates.

The nodes are read and never written: no transform is hardened, no origin moved, no voxel changed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
import vtk
from numpy.typing import NDArray

from ..model import Image, InputError

MIN_DETERMINANT_MM3 = 1e-9
"""A voxel this small is a degenerate matrix, not an image: clinical voxels are 1e-2 mm³ and more. [D]"""


def matrix_array(matrix: Any) -> NDArray[np.float64]:
    """4 × 4 array of a ``vtkMatrix4x4``."""
    return np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])


def vtk_matrix(array: NDArray) -> Any:
    """``vtkMatrix4x4`` of a 4 × 4 array."""
    matrix = vtk.vtkMatrix4x4()
    for row in range(4):
        for column in range(4):
            matrix.SetElement(row, column, float(array[row, column]))
    return matrix


def node_to_world(node: Any) -> NDArray[np.float64]:
    """4 × 4 matrix from a node's own RAS to the world's, mm: all its parent transforms together.

    Raises:
        InputError: a parent transform is not linear (a warp), or not invertible.
    """
    transform = node.GetParentTransformNode()
    if transform is None:
        return np.eye(4)
    if not transform.IsTransformToWorldLinear():
        raise InputError(
            f"“{node.GetName()}” is under the non-linear transform “{transform.GetName()}”; harden the transform on a "
            "copy of it (Transforms module) and choose the copy."
        )
    matrix = vtk.vtkMatrix4x4()
    transform.GetMatrixTransformToWorld(matrix)
    array = matrix_array(matrix)
    if not np.all(np.isfinite(array)) or abs(np.linalg.det(array[:3, :3])) < MIN_DETERMINANT_MM3:
        raise InputError(f"The transform “{transform.GetName()}” of “{node.GetName()}” flattens space; correct it.")
    return array


def ijk_to_world(volume: Any) -> NDArray[np.float64]:
    """4 × 4 matrix from a volume's voxel index to world RAS, mm, parent transforms included."""
    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    return node_to_world(volume) @ matrix_array(matrix)


def image_from_volume(volume: Any, what: str = "CT") -> Image:
    """The engine's image of a scalar volume or label map node.

    The voxels are a read-only view of the node's own memory, indexed [i, j, k]; no copy is made.

    Args:
        volume: ``vtkMRMLScalarVolumeNode`` or a subclass with one value per voxel.
        what: "CT" or "segmentation", for the messages.

    Raises:
        InputError: no voxels, several values per voxel, a non-linear transform.
    """
    data = volume.GetImageData()
    if data is None or not all(data.GetDimensions()) or data.GetPointData().GetScalars() is None:
        raise InputError(f"The {what} “{volume.GetName()}” holds no voxels; load it again or choose another.")
    if data.GetNumberOfScalarComponents() != 1:
        raise InputError(
            f"The {what} “{volume.GetName()}” has {data.GetNumberOfScalarComponents()} values per voxel (a colour or "
            "vector volume); choose a plain volume."
        )
    voxels = slicer.util.arrayFromVolume(volume).transpose(2, 1, 0)  # MRML keeps [k, j, i]
    voxels.flags.writeable = False
    return Image(voxels, ijk_to_world(volume))


def is_label_map(node: Any) -> bool:
    """Whether the node is a label map volume."""
    return node is not None and node.IsA("vtkMRMLLabelMapVolumeNode")


def is_segmentation(node: Any) -> bool:
    """Whether the node is a segmentation."""
    return node is not None and node.IsA("vtkMRMLSegmentationNode")


def looks(node: Any) -> Any:
    """What changes when the colours of a segmentation or label map do, or anything of :func:`input_state`."""
    if is_segmentation(node):
        segmentation = node.GetSegmentation()
        count = segmentation.GetNumberOfSegments()
        return input_state(node), tuple(tuple(segmentation.GetNthSegment(n).GetColor()) for n in range(count))
    display = node.GetDisplayNode() if is_label_map(node) else None
    colors = display.GetColorNode() if display is not None else None
    return input_state(node), (colors.GetID(), colors.GetMTime()) if colors is not None else None


def input_state(node: Any) -> tuple[Any, ...]:
    """What changes when a node's voxels, segments, geometry or transform do; equal states mean equal input."""
    state = list(own_state(node))
    transform = None if node is None else node.GetParentTransformNode()
    while transform is not None:
        state.append((transform.GetID(), transform.GetTransformToWorldMTime()))
        transform = transform.GetParentTransformNode()
    return tuple(state)


def own_state(node: Any) -> tuple[Any, ...]:
    """As :func:`input_state`, but without the transforms that the node is under."""
    if node is None:
        return (None,)
    state: list[Any] = [node.GetID(), node.GetAddressAsString("vtkObject")]  # id() is only the Python wrapper's
    if is_segmentation(node):
        # Not the time of a segment itself: it changes with its colour, and when somebody shows it in 3D.
        segmentation = node.GetSegmentation()
        converter = slicer.vtkSegmentationConverter
        state.append(segmentation.GetConversionParameter(converter.GetReferenceImageGeometryParameterName()))
        for index in range(segmentation.GetNumberOfSegments()):
            segment = segmentation.GetNthSegment(index)
            data = segment.GetRepresentation(converter.GetSegmentationBinaryLabelmapRepresentationName())
            voxels = (data.GetAddressAsString("vtkObject"), data.GetMTime()) if data is not None else None
            key, name, words = segmentation.GetNthSegmentID(index), segment.GetName(), segment.GetTerminology()
            state.append((key, name, words, segment.GetLabelValue(), voxels))
    else:
        data = node.GetImageData()
        state.append(data.GetMTime() if data is not None else 0)
        matrix = vtk.vtkMatrix4x4()
        node.GetIJKToRASMatrix(matrix)
        state.append(tuple(matrix_array(matrix).ravel()))
    return tuple(state)
