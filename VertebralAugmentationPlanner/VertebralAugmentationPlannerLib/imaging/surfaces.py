"""Surfaces of a level as VTK meshes, RAS mm: bone, canal, needles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from vtkmodules.util.numpy_support import numpy_to_vtk
from vtkmodules.vtkCommonDataModel import vtkImageData, vtkPolyData
from vtkmodules.vtkFiltersCore import vtkFlyingEdges3D, vtkWindowedSincPolyDataFilter

from ..model import InputError, Trajectory, Vertebra
from ..model.geometry import unit
from ..model.solids import placed_surface, tube_surface

SHAFT_MM = 55.0
"""Shaft drawn outside the entry point."""
HALF_DISC_MM = 4.0


def bone_surface(vertebra: Vertebra, stride: int = 1) -> vtkPolyData:
    """The labelled surface of a vertebra, RAS mm, lightly smoothed.

    Args:
        stride: of the voxels that it is drawn from; 2 leaves a quarter of the triangles.

    Raises:
        InputError: the vertebra is incomplete.
    """
    if vertebra.bone_mm is None:
        raise InputError(f"{vertebra.level} is incomplete; it has no surface.")
    return _field_surface(vertebra, vertebra.bone_mm, stride)


def canal_surface(vertebra: Vertebra) -> vtkPolyData:
    """The canal of one level, RAS mm, cut a disc's half beyond the end plates so that levels don't overlap.

    Raises:
        InputError: the vertebra is incomplete or its canal could not be built.
    """
    if vertebra.canal_mm is None or vertebra.grid is None or vertebra.superior is None or vertebra.inferior is None:
        raise InputError(f"{vertebra.level} has no canal to show: {vertebra.canal_reason or 'it is incomplete'}.")
    z = vertebra.grid.axes[2]
    low, high = vertebra.inferior.centre[2] - HALF_DISC_MM, vertebra.superior.centre[2] + HALF_DISC_MM
    return _field_surface(vertebra, np.minimum(-vertebra.canal_mm, np.minimum(z - low, high - z)))


def needle_surface(trajectory: Trajectory, shaft_mm: float = SHAFT_MM) -> vtkPolyData:
    """The cannula as a capped tube of its true diameter, RAS mm, from ``shaft_mm`` outside the entry to the target."""
    entry, target = np.asarray(trajectory.entry_ras, float), np.asarray(trajectory.target_ras, float)
    start = entry - shaft_mm * unit(target - entry)
    return tube_surface(start, target, trajectory.cannula_outer_diameter_mm)


def _field_surface(vertebra: Vertebra, positive_inside: NDArray, stride: int = 1) -> vtkPolyData:
    """Zero surface of an array on the vertebra's grid, RAS mm; closed at the grid's border."""
    grid, frame = vertebra.grid, vertebra.frame
    if grid is None or frame is None:
        raise InputError(f"{vertebra.level} is incomplete; it has no surface.")
    values = np.asarray(positive_inside[::stride, ::stride, ::stride], np.float32)
    values = np.pad(values, 1, constant_values=-grid.spacing_mm)
    image = vtkImageData()
    image.SetDimensions(*values.shape)
    image.GetPointData().SetScalars(numpy_to_vtk(values.ravel(order="F"), deep=True))
    edges = vtkFlyingEdges3D()
    edges.SetInputData(image)
    edges.SetValue(0, 0.0)
    smooth = vtkWindowedSincPolyDataFilter()
    smooth.SetInputConnection(edges.GetOutputPort())
    smooth.SetNumberOfIterations(12)
    smooth.SetPassBand(0.15)
    matrix = np.eye(4)
    matrix[:3, :3] = frame.rows.T * grid.spacing_mm * stride
    matrix[:3, 3] = frame.to_ras(grid.to_local(np.full(3, -float(stride))))
    return placed_surface(smooth.GetOutputPort(), matrix)
