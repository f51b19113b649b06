"""End plates: a smooth surface through all of a plate, its plane, and its rims in the mid-sagittal plane.

The smooth surface is fitted to the whole plate at once, between the voxels inside and outside (:mod:`.steps`). What
the plate does locally (a ring apophysis, a lip, a broken rim) is added as far as the voxels there contradict it: at the
centre by a patch of columns, at the rims together with the wall (:mod:`.rims`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..model import EndPlate, LocalGrid
from ..model.geometry import FloatArray, unit
from .outline import STRIP_HALF_WIDTH_MM, BodySurfaces, robust_fit
from .reasons import NotReadable
from .rims import SmoothPlate, Voxels, find_rim
from .spurs import (
    COLUMNS_HALF_WIDTH_MM,
    FLARE_MM,
    MAX_PLATE_SLOPE,
    FrontWall,
    at_cells,
    cells_of,
    foreign_cells,
    rims_under,
    without_spur,
)
from .steps import Steps, fit_between

RIM_COLUMNS_MM = 4.0
"""Columns so near to where the plate ends tell how high the rim is, roughly."""

CENTRE_PATCH_MM = (5.0, 7.0)
"""Half the depth and half the width of the patch whose own voxels correct the smooth surface at the centre."""

PATCH_USUAL_MM = np.array([np.inf, 3.0, 3.0])
"""Usual spread of the patch's own terms: its height (free), and how much more or less than the whole plate's surface it is
curved towards its ends and its sides. A collapse may be flat or pointed where the plate's dishes are parabolas [D]."""

CENTRE_SPREAD_MM = 0.3
"""Usual error of the whole plate's surface at the centre of a collapse that is shaped otherwise [C]."""

EDGE_MM = 0.6
ON_PLATE_MM = 1.0
"""Columns nearer than this to the body's edge, or ending further than this (and half a voxel) from the plate's
surface, left the body through a wall."""

EXPECTED_MM = np.array([0.0, 0.0, 0.0, 0.7, 0.7, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
USUAL_MM = np.array([np.inf, np.inf, np.inf, 1.5, 1.5, 6.0, 1.0, 0.8, 0.4, 0.4, 0.4])
"""Expected sinking into the body and usual spread of each term of the surface (see :class:`_Smooth`), mm: where the
voxels leave the shape open (thick slices), the plate has level rims and a shallow dish (1–3 mm; [M] Panjabi).
A biconcave collapse sinks by several times that [D]."""

RING = 0.85
"""Radius, as a share, inside the flat ring apophysis."""

EXPONENT = 2.5
"""Superellipse between an ellipse and a rectangle that an end plate's outline resembles."""

STEEP_RIM_MM = (1.5, 4.0)
"""Width, behind and in front, of a rim too steep to count as plate."""

ROLL_OFF_MM = 1.6
"""So near to the outline a column may leave the body through a wall: that it ends low says nothing of the plate."""

MIN_PLATE_MM2 = 80.0
"""Less surface than this is a fragment and not an end plate (a T1 plate has about 300 mm²)."""

MIN_DEPTH_MM = 8.0
"""Rims nearer to each other than this do not belong to a body (a T1 body is about 15 mm deep)."""

TOLERANCE_MM, TOLERANCE_STEPS = 0.2, 0.1
"""Violations up to this, and this share of a voxel layer, are ordinary roughness. Beyond 4.7 times as much (1.4 mm at
1 mm voxels) a column is something else than the plate: the top of a pedicle, a spur, a broken-off rim [D]."""


class _Smooth:
    """Surface of a plate: a plane through the rims, sunk by dishes that end at the rim or at the ring inside it.

    The terms are 1, u, v, dish, dish inside the ring, dish across the whole plate (a biconcave collapse), dish deeper
    in front or behind, dish deeper in its middle, v², u², uv; u and v run from −1 to 1 over the plate. A collapse goes
    on rising beyond v = ±1: where voxels let the plate end too early, its steep rim is not cut flat.
    """

    def __init__(self, steps: Steps, through: NDArray[np.bool_], level_beyond: bool = False):
        x, y = steps.middle[:, 0], steps.middle[:, 1]
        strip = np.abs(x) < STRIP_HALF_WIDTH_MM
        if (strip & through).sum() < 6:
            raise NotReadable("an end plate has no surface in the midline")
        back, front = np.quantile(y[strip & through], [0.01, 0.99])
        # A steep rim is no plate to the eye but carries the dish to its end; a bulge of the posterior wall does not.
        all_back, all_front = np.quantile(y[strip], [0.01, 0.99])
        back, front = max(all_back, back - STEEP_RIM_MM[0]), min(all_front, front + STEEP_RIM_MM[1])
        left, right = np.quantile(x[through], [0.005, 0.995])
        self._middle = np.array([(left + right) / 2, (back + front) / 2])
        self._size = np.maximum(np.array([right - left, front - back]) / 2 + 0.5, 1.0)
        self._known, self._rise = (-np.inf, np.inf), 0.0
        bounded = through & (self._radius(steps.middle) < 1.0 - ROLL_OFF_MM / float(self._size.min()))
        fit = fit_between(
            steps,
            self._design(steps.inside),
            self._design(steps.outside),
            _tolerance_mm(steps),
            USUAL_MM,
            -steps.outward * EXPECTED_MM,
            bounded,
        )
        self._coefficients, self.misfit_mm = fit.coefficients, fit.misfit_mm
        # A plate that was cut short (a spur, a corner of the neighbour's) goes on level: no dish is followed that far.
        self._known = (back, front) if level_beyond else (-np.inf, np.inf)
        self._rise = self.level_slope()

    def _radius(self, points: FloatArray) -> FloatArray:
        u, v = np.moveaxis((points[..., :2] - self._middle) / self._size, -1, 0)
        return (np.abs(u) ** EXPONENT + np.abs(v) ** EXPONENT) ** (1.0 / EXPONENT)

    def _design(self, points: FloatArray) -> FloatArray:
        u, v = np.moveaxis((points[..., :2] - self._middle) / self._size, -1, 0)
        square = self._radius(points) ** 2
        dish, inner = np.maximum(1.0 - square, 0.0), np.maximum(1.0 - square / RING**2, 0.0)
        whole = np.maximum(1.0 - u * u, 0.0) * (1.0 - v * v)
        terms = [np.ones_like(u), u, v, dish, inner, whole, v * dish, dish * dish, v * v, u * u, u * v]
        return np.stack(terms, axis=-1)

    def height(self, points: FloatArray) -> FloatArray:
        """Heights at points (…, 2 or 3), by their first two coordinates."""
        known = np.clip(points[..., 1], *self._known)
        inner = np.stack([points[..., 0], known], axis=-1)
        return self._design(inner) @ self._coefficients + self._rise * (points[..., 1] - known)

    def lateral_slope(self) -> float:
        """Rise per mm from the left rim to the right one."""
        sides = self._middle + np.array([[1.0, 0.0], [-1.0, 0.0]]) * self._size
        right, left = self.height(sides)
        return float(right - left) / (2.0 * float(self._size[0]))

    def level_slope(self) -> float:
        """Rise per mm of the line from the posterior to the anterior rim in the midline."""
        ends = self._middle + np.array([[0.0, 1.0], [0.0, -1.0]]) * self._size
        front, back = self.height(ends)
        return float(front - back) / (2.0 * float(self._size[1]))

    def corrected(self, at: FloatArray, steps: Steps, near: NDArray[np.bool_]) -> float:
        """Height at (2,), moved by a patch of columns with curvatures of its own.

        As far as the patch's voxels contradict the smooth surface it moves in any case. The rest of the way it goes as far as
        the patch tells more than the whole plate: columns that leave through many layers of voxels do, those that all
        leave through one thick slice do not.
        """
        height = float(self.height(at))
        if near.sum() < 6:
            return height
        patch = steps.where(near)
        flat_in, flat_out = patch.inside.copy(), patch.outside.copy()
        flat_in[:, 2] -= self.height(patch.inside)
        flat_out[:, 2] -= self.height(patch.outside)
        flat = Steps(flat_in, flat_out, steps.outward, steps.step_mm)
        designs = _patch_design(patch.inside, at), _patch_design(patch.outside, at)
        own = fit_between(flat, *designs, _tolerance_mm(steps), PATCH_USUAL_MM).coefficients
        least = _least_share(flat, designs[0] @ own, designs[1] @ own)
        layers = max(1.0, _layers_left_through(patch))
        told = CENTRE_SPREAD_MM**2 / (CENTRE_SPREAD_MM**2 + steps.step_mm**2 / 12.0 / layers**2)
        return height + float(own[0]) * (least + (1.0 - least) * told)


def _patch_design(points: FloatArray, at: FloatArray) -> FloatArray:
    """(N, 3) terms of a patch around ``at`` (2,): level, curved from back to front, curved from side to side."""
    u, v = points[:, 0] / CENTRE_PATCH_MM[1], (points[:, 1] - at[1]) / CENTRE_PATCH_MM[0]
    return np.stack([np.ones_like(u), v * v, u * u], axis=1)


def _layers_left_through(patch: Steps) -> float:
    """How many layers of voxels apart the columns of a patch end, but for a twentieth of them at either side."""
    way = patch.outside - patch.inside
    layer = (patch.inside * way).sum(axis=1) / (way**2).sum(axis=1)
    low, high = np.quantile(layer, [0.05, 0.95])
    return float(high - low)


def _tolerance_mm(steps: Steps) -> float:
    return TOLERANCE_MM + TOLERANCE_STEPS * steps.step_mm


def _least_share(flat: Steps, moved_in: FloatArray, moved_out: FloatArray) -> float:
    """Least share of a move with which the level surface satisfies a patch about as well as with the whole of it.

    Args:
        flat: columns, with heights above the surface.
        moved_in, moved_out: (N,) how far the surface moves at their inside and outside voxels.
    """
    shares = np.linspace(0.0, 1.0, 21)
    below = np.maximum(0.0, flat.outward * (flat.inside[:, 2] - shares[:, None] * moved_in))
    above = np.maximum(0.0, flat.outward * (shares[:, None] * moved_out - flat.outside[:, 2]))
    costs = np.mean(np.minimum(below + above, 2.0) ** 2, axis=1)
    return float(shares[int(np.argmax(costs <= costs.min() + 0.0005))])


def fit_plane(surface: FloatArray, grid: LocalGrid, interior: NDArray[np.bool_], step_mm: float) -> FloatArray:
    """(3,) unit normal, pointing superiorly, of a robust plane through a plate read on a coarse grid.

    Args:
        surface: (X, Y) heights, NaN off the plate.
        interior: columns far enough from the edge to be read.
        step_mm: distance between voxel layers along the superior axis.
    """
    used = interior & np.isfinite(surface)
    if used.sum() * grid.spacing_mm**2 < MIN_PLATE_MM2:
        raise NotReadable("an end plate has too little surface to be fitted")
    px, py = np.meshgrid(*grid.axes[:2], indexing="ij")
    design = np.stack([np.ones(used.sum()), px[used], py[used]], axis=1)
    plane, _ = robust_fit(design, surface[used], floor_mm=0.35 * step_mm)
    return unit(np.array([-plane[1], -plane[2], 1.0]))


def fit_endplate(
    surface: FloatArray,
    grid: LocalGrid,
    surfaces: BodySurfaces,
    steps: Steps,
    voxels: Voxels,
    front: FrontWall | None = None,
) -> EndPlate:
    """Fit one end plate.

    Args:
        surface: (X, Y) heights of this plate on the grid, NaN off the plate; kept for drawing and clearance.
        surfaces: the body's surfaces, for its footprint.
        steps: the label's columns that leave the body through this plate.
        voxels: the label's voxels, inside and outside, which tell the rims.
        front: the front wall between the rims; None where it is not seen, then spurs are not told from rims.

    Raises:
        NotReadable: there is too little of a plate.
    """
    through = _through_plate(steps, surface, surfaces, grid)
    if through.sum() < 20 or surfaces.footprint.sum() * grid.spacing_mm**2 < MIN_PLATE_MM2:
        raise NotReadable("an end plate has too little surface to be fitted")
    x, y, z = steps.middle[through].T
    strip = np.abs(x) < COLUMNS_HALF_WIDTH_MM
    ends = {forward: forward * float(np.quantile(forward * y[strip], 0.98)) for forward in (+1, -1)}
    spur, limit = False, np.inf
    if front is not None:
        wall = front.at(float(np.median(z[strip & (y > ends[+1] - RIM_COLUMNS_MM)])))
        limit = wall + FLARE_MM
        ends[+1], end = wall + without_spur(ends[+1] - wall), ends[+1]
        spur = ends[+1] < end
    foreign = foreign_cells(surface, grid, steps.outward, voxels)
    kept = ~at_cells(foreign, grid, steps.middle)
    if spur:
        kept &= steps.middle[:, 1] <= ends[+1]
    steps, through = steps.where(kept), through[kept]
    smooth = _Smooth(steps, through, level_beyond=not bool(kept.all()))
    steps = steps.where(through)
    x, y = steps.middle[:, 0], steps.middle[:, 1]
    height = _midline_height(surfaces, grid)
    plate = SmoothPlate(
        smooth.height,
        steps.outward,
        smooth.level_slope(),
        smooth.misfit_mm,
        (lambda points: at_cells(foreign, grid, points)) if foreign.any() else None,
    )
    anterior = find_rim(plate, voxels, ends[+1], +1, height, limit, spur)
    posterior = find_rim(plate, voxels, ends[-1], -1, height)
    middle_y = (anterior[1] + posterior[1]) / 2
    near = (np.abs(x) < CENTRE_PATCH_MM[1]) & (np.abs(y - middle_y) < CENTRE_PATCH_MM[0])
    centre_z = smooth.corrected(np.array([0.0, middle_y]), steps, near)
    return EndPlate(
        anterior_rim=anterior,
        centre=np.array([0.0, middle_y, centre_z]),
        posterior_rim=posterior,
        normal=_normal(smooth, anterior, posterior),
        height_mm=np.where(foreign, smooth.height(cells_of(grid)), surface) if foreign.any() else surface,
        x_mm=grid.axes[0],
        y_mm=grid.axes[1],
        foreign=rims_under(foreign, grid, middle_y),
    )


def _midline_height(surfaces: BodySurfaces, grid: LocalGrid) -> float:
    """Lowest usual height of the body in the midline, mm."""
    strip = np.abs(grid.axes[0]) < STRIP_HALF_WIDTH_MM
    height = (surfaces.top - surfaces.bottom)[strip]
    if not np.isfinite(height).any():
        raise NotReadable("the body has no height in the midline")
    return float(np.nanquantile(height, 0.1))


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


def _normal(smooth: _Smooth, anterior: FloatArray, posterior: FloatArray) -> FloatArray:
    """(3,) unit normal of the plane through the rims: in front and behind as a reader marks them, and on both sides.

    A plane through the plate's floor leans with the dish, whose deepest point is rarely in the middle.
    """
    if anterior[1] - posterior[1] < MIN_DEPTH_MM:
        raise NotReadable("the body has no depth between its rims")
    forward = (anterior[2] - posterior[2]) / (anterior[1] - posterior[1])
    return unit(np.array([-smooth.lateral_slope(), -forward, 1.0]))
