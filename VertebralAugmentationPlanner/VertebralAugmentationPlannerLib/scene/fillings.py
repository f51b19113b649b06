"""Balloons and cement as models."""

from __future__ import annotations

from typing import Any

import numpy as np
import vtk
from numpy.typing import NDArray
from scipy import ndimage
from vtk.util.numpy_support import numpy_to_vtk

from ..model import SIDES, LevelPlan, Trajectory, Vertebra
from ..model.geometry import unit
from ..model.palette import BALLOON, CEMENT, rgb
from ..model.solids import balloon_surface, spheroid_surface
from . import roles
from .folders import put_in_folder
from .needles import style_solid
from .placing import set_surface, transformed
from .references import display_of, make_node, remove_node

CEMENT_SMOOTHING_VOXELS = 0.8
"""Gaussian smoothing of the cement's voxels before its surface is drawn; moves it by well under a voxel. [D]"""


def draw_balloon(parameter_node: Any, level: str, trajectory: Trajectory) -> None:
    """Draw the inflated balloon of a trajectory, or remove it where there is none."""
    role = roles.role(roles.BALLOON, level, trajectory.side)
    if trajectory.balloon is None:
        remove_node(parameter_node, role)
        return
    name = f"{level} {trajectory.side} balloon {trajectory.balloon.planned_volume_ml:.1f} ml"
    _model(parameter_node, role, level, name, balloon_surface(trajectory.balloon), rgb(BALLOON), 0.6)


def draw_cement(parameter_node: Any, level_plan: LevelPlan, vertebra: Vertebra | None) -> None:
    """Draw where the cement of a level is expected, one model per side; sides without cement are cleared.

    With the vertebra at hand the cement is the part of its body nearest to the balloon (or the needle's tip), as much
    as the plan says; without it, an ellipsoid of that volume. It is a sketch of amount and place, not of flow.
    """
    filled = {t.side: t for t in level_plan.trajectories if t.cement_ml}
    for side in SIDES:
        role = roles.role(roles.CEMENT, level_plan.level, side)
        trajectory = filled.get(side)
        if trajectory is None or trajectory.cement_ml is None:
            remove_node(parameter_node, role)
            continue
        surface = cement_surface(trajectory, trajectory.cement_ml, vertebra)
        name = f"{level_plan.level} {side} cement {trajectory.cement_ml:.1f} ml"
        _model(parameter_node, role, level_plan.level, name, surface, rgb(CEMENT), 0.5)


def _model(
    parameter_node: Any,
    role: str,
    level: str,
    name: str,
    surface: Any,
    color: tuple[float, float, float],
    opacity: float,
) -> None:
    model = make_node(parameter_node, role, "vtkMRMLModelNode", name)
    model.SetName(name)
    set_surface(model, surface)
    display = display_of(model, style_solid)
    display.SetColor(*color)
    display.SetOpacity(opacity)
    model.SetSelectable(False)
    put_in_folder(parameter_node, model, level)


def cement_surface(trajectory: Trajectory, volume_ml: float, vertebra: Vertebra | None) -> Any:
    """Surface of the cement of one side, ``vtkPolyData`` in RAS mm."""
    entry, target = np.asarray(trajectory.entry_ras), np.asarray(trajectory.target_ras)
    axis = unit(target - entry)
    balloon = trajectory.balloon
    centre = target if balloon is None else np.asarray(balloon.centre_ras)
    stretch = 1.0
    if balloon is not None and balloon.planned_length_mm:
        stretch = max(1.0, balloon.planned_length_mm / balloon.planned_diameter_mm)
    if vertebra is None or vertebra.body is None or vertebra.grid is None or vertebra.frame is None:
        diameter = (6000.0 * volume_ml / (np.pi * stretch)) ** (1 / 3)
        return spheroid_surface(centre, axis, stretch * diameter, diameter)
    return _nearest_part(
        vertebra, vertebra.frame.to_local(centre), vertebra.frame.direction_to_local(axis), stretch, volume_ml
    )


def _nearest_part(vertebra: Vertebra, centre: NDArray, axis: NDArray, stretch: float, volume_ml: float) -> Any:
    """The voxels of the body nearest to a point, in the metric of an ellipsoid stretched along an axis."""
    grid, body, frame = vertebra.grid, vertebra.body, vertebra.frame
    assert grid is not None and body is not None and frame is not None  # the caller looked
    index = np.argwhere(body)
    offset = grid.to_local(index) - centre
    along = offset @ axis
    distance2 = (offset**2).sum(axis=1) - along**2 * (1.0 - 1.0 / stretch**2)
    count = min(len(index), max(1, round(volume_ml * 1000 / grid.spacing_mm**3)))
    chosen = index[np.argpartition(distance2, count - 1)[:count]]
    mask = np.zeros(body.shape, np.float32)
    mask[tuple(chosen.T)] = 1.0
    return mask_surface(mask, frame.rows.T * grid.spacing_mm, frame.to_ras(grid.to_local(np.zeros(3))))


def mask_surface(mask: NDArray, axes: NDArray, first_ras: NDArray) -> Any:
    """Smooth closed surface of a mask as ``vtkPolyData`` in RAS mm.

    Args:
        mask: (I, J, K), 0–1.
        axes: (3, 3) RAS step of one voxel along i, j, k in its columns, mm.
        first_ras: (3,) centre of voxel [0, 0, 0].
    """
    padded = ndimage.gaussian_filter(np.pad(mask.astype(np.float32), 2), CEMENT_SMOOTHING_VOXELS)
    image = vtk.vtkImageData()
    image.SetDimensions(*padded.shape)
    image.GetPointData().SetScalars(numpy_to_vtk(padded.ravel(order="F"), deep=True))
    contour = vtk.vtkFlyingEdges3D()
    contour.SetInputData(image)
    contour.SetValue(0, 0.5)
    contour.ComputeScalarsOff()  # the slice views would look for a colour of each point, and complain where they cut none
    matrix = np.eye(4)
    matrix[:3, :3] = axes
    matrix[:3, 3] = first_ras - axes @ np.full(3, 2.0)
    contour.Update()
    transform = vtk.vtkTransform()
    transform.SetMatrix(matrix.ravel().tolist())
    return transformed(contour.GetOutput(), transform)
