"""End plates: a smooth surface through all of a plate, its plane, and its rims in the mid-sagittal plane.

The smooth surface is fitted to the whole plate at once, between the voxels inside and outside (:mod:`.steps`). What
the plate does locally (a ring apophysis, a lip, a broken rim) is added as far as the voxels there contradict it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..model import EndPlate, LocalGrid
from ..model.geometry import FloatArray, unit
from .outline import STRIP_HALF_WIDTH_MM, BodySurfaces, MidsagittalOutline, robust_fit
from .steps import Steps, fit_between

RIM_EDGE_MM = 4.0
"""The rim is the highest bone within this of the wall; a smooth surface continued to the wall may not exceed it,
because rims of living bone are round."""

RIM_PATCH_MM = (3.2, 9.0)
CENTRE_PATCH_MM = (4.0, 6.0)
"""Depth and half-width of the patch whose own voxels correct the smooth surface at a rim or at the centre."""

RIM_SLACK_MM = 2.0
"""A rim lies within this of the plate's outermost column of voxels."""

EDGE_MM = 0.6
ON_PLATE_MM = 1.0
"""Columns nearer than this to the body's edge, or ending further than this (and half a voxel) from the plate's
surface, left the body through a wall."""

STIFFNESS_MM = np.array([np.inf, np.inf, np.inf, 3.0, 2.0, 4.0, 1.0, 1.5, 1.5])
"""Usual size of each term of the surface (constant, x, y, x², xy, y², x²y, y³, y⁴) over the plate: where the voxels
leave the shape open (thick slices), it stays near a plane with a shallow dish."""

MAX_PLATE_SLOPE = 1.2
"""Steeper than about 50° is a wall, or the shoulder of a bulge of the posterior wall, and no end plate."""

MIN_PLATE_MM2 = 80.0
"""Less surface than this is a fragment and not an end plate (a T1 plate has about 300 mm²)."""

TOLERANCE_MM = 0.5
"""Violations up to this are ordinary roughness."""

INTACT_MISFIT_MM = 0.45
"""Root mean square by which the voxels contradict a smooth plate above which it counts as broken."""


class _Smooth:
    """Polynomial surface z(x, y): quadratic across, quartic from back to front, which holds a dish, a wedge and a
    biconcave collapse together."""

    def __init__(self, steps: Steps):
        y = steps.middle[:, 1]
        self._middle, self._size = float(y.mean()), max(float(np.ptp(y)) / 2, 1.0)
        fit = fit_between(steps, self._design(steps.inside), self._design(steps.outside), TOLERANCE_MM, STIFFNESS_MM)
        self._coefficients, self.misfit_mm = fit.coefficients, fit.misfit_mm

    def _design(self, points: FloatArray) -> FloatArray:
        u, v = points[..., 0] / 20.0, (points[..., 1] - self._middle) / self._size
        return np.stack([np.ones_like(v), u, v, u * u, u * v, v * v, u * u * v, v**3, v**4], axis=-1)

    def height(self, points: FloatArray) -> FloatArray:
        """Heights at points (…, 2 or 3), by their first two coordinates."""
        return self._design(points) @ self._coefficients

    def corrected(self, at: FloatArray, steps: Steps, near: NDArray[np.bool_]) -> float:
        """Height at (2,), moved by as much as the patch's voxels ask for."""
        height = float(self.height(at))
        if near.sum() < 6:
            return height
        patch = steps.where(near)
        flat_in, flat_out = patch.inside.copy(), patch.outside.copy()
        flat_in[:, 2] -= self.height(patch.inside)
        flat_out[:, 2] -= self.height(patch.outside)
        ones = np.ones((len(flat_in), 1))
        shift = fit_between(Steps(flat_in, flat_out, steps.outward, steps.step_mm), ones, ones, TOLERANCE_MM)
        return height + _least_move(flat_in[:, 2], flat_out[:, 2], steps.outward, float(shift.coefficients[0]))


def _least_move(inside: FloatArray, outside: FloatArray, outward: int, shift: float) -> float:
    """Nothing where the surface already satisfies the patch about as well as the shifted one would."""

    def cost(move: float) -> float:
        below = np.maximum(0.0, outward * (inside - move))
        above = np.maximum(0.0, outward * (move - outside))
        return float(np.mean(np.minimum(below + above, 2.0) ** 2))

    moves = np.linspace(0.0, shift, 21)
    costs = np.array([cost(move) for move in moves])
    return float(moves[int(np.argmax(costs <= costs.min() + 0.0005))])


def fit_plane(surface: FloatArray, grid: LocalGrid, interior: NDArray[np.bool_], step_mm: float) -> FloatArray:
    """(3,) unit normal, pointing superiorly, of a robust plane through a plate read on a coarse grid.

    Args:
        surface: (X, Y) heights, NaN off the plate.
        interior: columns far enough from the edge to be read.
        step_mm: distance between voxel layers along the superior axis.
    """
    used = interior & np.isfinite(surface)
    if used.sum() * grid.spacing_mm**2 < MIN_PLATE_MM2:
        raise ValueError("an end plate has too little surface to be fitted")
    px, py = np.meshgrid(*grid.axes[:2], indexing="ij")
    design = np.stack([np.ones(used.sum()), px[used], py[used]], axis=1)
    plane, _ = robust_fit(design, surface[used], floor_mm=0.35 * step_mm)
    return unit(np.array([-plane[1], -plane[2], 1.0]))


def fit_endplate(
    surface: FloatArray,
    grid: LocalGrid,
    surfaces: BodySurfaces,
    outline: MidsagittalOutline,
    steps: Steps,
    label_points: FloatArray,
) -> EndPlate:
    """Fit one end plate.

    Args:
        surface: (X, Y) heights of this plate on the grid, NaN off the plate; kept for drawing and clearance.
        surfaces: the body's surfaces, for its footprint.
        outline: the walls in the midline.
        steps: the label's columns that leave the body through this plate.
        label_points: (N, 3) local centres of the label's voxels.

    Raises:
        ValueError: there is too little of a plate.
    """
    steps = steps.where(_through_plate(steps, surface, surfaces, grid))
    if len(steps.middle) < 20 or surfaces.footprint.sum() * grid.spacing_mm**2 < MIN_PLATE_MM2:
        raise ValueError("an end plate has too little surface to be fitted")
    smooth = _Smooth(steps)
    x, y = steps.middle[:, 0], steps.middle[:, 1]
    anterior = _rim(smooth, steps, outline, label_points, +1)
    posterior = _rim(smooth, steps, outline, label_points, -1)
    middle_y = (anterior[1] + posterior[1]) / 2
    near = (np.abs(x) < CENTRE_PATCH_MM[1]) & (np.abs(y - middle_y) < CENTRE_PATCH_MM[0])
    centre_z = smooth.corrected(np.array([0.0, middle_y]), steps, near)
    plane = fit_between(steps, _plane_basis(steps.inside), _plane_basis(steps.outside), 2.0)
    return EndPlate(
        anterior_rim=anterior,
        centre=np.array([0.0, middle_y, centre_z]),
        posterior_rim=posterior,
        normal=unit(np.array([-plane.coefficients[1], -plane.coefficients[2], 1.0])),
        height_mm=surface,
        x_mm=grid.axes[0],
        y_mm=grid.axes[1],
        residual_mm=smooth.misfit_mm,
        intact=smooth.misfit_mm <= INTACT_MISFIT_MM,
    )


def _rim(
    smooth: _Smooth, steps: Steps, outline: MidsagittalOutline, label_points: FloatArray, forward: int
) -> FloatArray:
    """(3,) mid-sagittal rim in front (+1) or behind (−1): where the plate meets the wall."""
    x, y = steps.middle[:, 0], steps.middle[:, 1]
    wall = outline.anterior if forward > 0 else outline.posterior
    # From the plate's last column inwards: a tipped plate meets the wall well below its middle, and a bulge of the
    # wall reaches far beyond the plate.
    last = forward * float(np.quantile(forward * y[np.abs(x) < RIM_PATCH_MM[1]], 0.98))
    rim_y = last
    for _ in range(5):
        inward = forward * (rim_y - y)
        near = (np.abs(x) < RIM_PATCH_MM[1]) & (inward > 0) & (inward < RIM_PATCH_MM[0])
        rim_z = smooth.corrected(np.array([0.0, rim_y]), steps, near)
        rim_z = _not_beyond_bone(rim_z, rim_y, forward, label_points, steps)
        found = outline.wall_near(wall, rim_z, steps.outward)
        rim_y = float(np.clip(found, last - RIM_SLACK_MM, last + RIM_SLACK_MM))
    return np.array([0.0, rim_y, rim_z])


def _through_plate(steps: Steps, surface: FloatArray, surfaces: BodySurfaces, grid: LocalGrid) -> NDArray[np.bool_]:
    """Columns that leave the body through the plate and not through a wall."""
    edge = ndimage.distance_transform_edt(surfaces.footprint) * grid.spacing_mm
    index = np.round((steps.middle[:, :2] - grid.first_mm[:2]) / grid.spacing_mm).astype(int)
    index = np.clip(index, 0, np.array(surface.shape) - 1)
    height = surface[index[:, 0], index[:, 1]]
    with np.errstate(invalid="ignore"):
        beside = np.abs(steps.middle[:, 2] - height) < 0.5 * steps.step_mm + ON_PLATE_MM
        slopes = np.gradient(surface, grid.spacing_mm)
        steep = np.nan_to_num(np.hypot(*slopes), nan=0.0)[index[:, 0], index[:, 1]] > MAX_PLATE_SLOPE
    return beside & ~steep & (edge[index[:, 0], index[:, 1]] > EDGE_MM)


def _plane_basis(points: FloatArray) -> FloatArray:
    return np.stack([np.ones(len(points)), points[:, 0], points[:, 1]], axis=1)


def _not_beyond_bone(rim_z: float, rim_y: float, forward: int, label_points: FloatArray, steps: Steps) -> float:
    """Hold a continued rim back to the highest voxel of the label near it."""
    x, y, z = label_points.T
    inward = forward * (rim_y - y)
    near = (np.abs(x) <= STRIP_HALF_WIDTH_MM) & (inward > -1.5) & (inward < RIM_EDGE_MM)
    near &= np.abs(z - rim_z) < 8.0
    if not near.any():
        return rim_z
    highest = float((steps.outward * z[near]).max()) + steps.step_mm / 2
    return steps.outward * min(steps.outward * rim_z, highest)
