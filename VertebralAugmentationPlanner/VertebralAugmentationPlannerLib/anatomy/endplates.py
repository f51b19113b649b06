"""End plates: height surfaces of the body, robust planes through them, and the rims in the mid-sagittal plane."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..model import EndPlate, LocalGrid
from ..model.geometry import FloatArray, unit
from .body import Body

RIM_TRIM_MM = 1.8
"""Surface nearer than this to the edge is rounded by the voxels (and by nature); it is extrapolated, not read."""

RIM_EDGE_MM = 5.0
RIM_ALLOWANCE_MM = 0.4
"""A rim is not put further out than the highest surface seen within the edge, plus what voxels round off a sharp one:
rims of living bone are round, and a fit continued to the wall would overshoot them."""

STRIP_HALF_WIDTH_MM = 4.0
"""Half-width of the band whose median stands for the mid-sagittal profile."""

RIM_FIT_FRACTION = 0.42
"""Share of the body's depth whose profile is fitted to find each rim."""

MIN_PLATE_MM2 = 80.0
"""Less surface than this is a fragment and not an end plate (a T1 plate has about 300 mm²)."""

WALL_TRIM_MM = 1.5
WALL_REACH_MM = 7.0
"""Stretch of a wall, measured from the rim, that is continued to the rim."""

MAX_WALL_SLOPE = 0.5
"""Steepest flare of a wall towards its rim that is believed, mm per mm."""

INTACT_RESIDUAL_MM = 0.9
"""Robust spread about a smooth (quadratic) surface above which a plate counts as broken: healthy plates of the real
spines measured here lie at 0.2–0.6 mm."""


@dataclass(frozen=True, eq=False)
class BodySurfaces:
    """Upper and lower surface of the body over its footprint, local superior coordinate, NaN off the footprint."""

    top: FloatArray
    bottom: FloatArray
    footprint: NDArray[np.bool_]


def body_surfaces(bone: FloatArray, grid: LocalGrid, body: Body) -> BodySurfaces:
    """(X, Y) sub-voxel heights of the body's upper and lower surface."""
    count = body.mask.sum(axis=2)
    footprint = count * grid.spacing_mm > 2.0
    z = grid.axes[2]
    middle = np.where(footprint, (body.mask * z).sum(axis=2) / np.maximum(count, 1), 0.0)
    start = np.clip(np.round((middle - z[0]) / grid.spacing_mm).astype(int), 1, len(z) - 2)
    return BodySurfaces(
        _leave_bone(bone, grid, start, footprint, +1), _leave_bone(bone, grid, start, footprint, -1), footprint
    )


def _leave_bone(
    bone: FloatArray, grid: LocalGrid, start: NDArray[np.int_], footprint: NDArray[np.bool_], step: int
) -> FloatArray:
    """Height where a column leaves the bone, going up (+1) or down (−1) from its start."""
    z = grid.axes[2]
    index = np.arange(len(z))
    beyond = index[None, None, :] >= start[:, :, None] if step > 0 else index[None, None, :] <= start[:, :, None]
    outside = (bone <= 0) & beyond
    first = outside.argmax(axis=2) if step > 0 else len(z) - 1 - outside[:, :, ::-1].argmax(axis=2)
    found = outside.any(axis=2) & footprint
    first = np.clip(first, 1, len(z) - 2)
    out_value = np.take_along_axis(bone, first[:, :, None], axis=2)[:, :, 0]
    in_value = np.take_along_axis(bone, (first - step)[:, :, None], axis=2)[:, :, 0]
    share = np.clip(in_value / np.maximum(in_value - out_value, 1e-6), 0.0, 1.0)
    return np.where(found & (in_value > 0), z[first - step] + step * share * grid.spacing_mm, np.nan)


def robust_fit(design: FloatArray, values: FloatArray, iterations: int = 12) -> tuple[FloatArray, float]:
    """Least squares with Tukey's biweight (c = 4.685 robust standard deviations).

    Returns:
        coefficients and the robust spread (1.4826 × median absolute deviation) of the residuals.
    """
    coefficients, *_ = np.linalg.lstsq(design, values, rcond=None)
    spread = 0.0
    for _ in range(iterations):
        residual = values - design @ coefficients
        spread = max(1.4826 * float(np.median(np.abs(residual - np.median(residual)))), 0.05)
        ratio = np.clip(np.abs(residual) / (4.685 * spread), 0.0, 1.0)
        weight = 1.0 - ratio**2
        coefficients, *_ = np.linalg.lstsq(design * weight[:, None], values * weight, rcond=None)
    return coefficients, spread


@dataclass(frozen=True, eq=False)
class MidsagittalOutline:
    """Posterior and anterior wall of the body in the midline.

    Args:
        z: (N,) local superior coordinates between the end plates.
        posterior, anterior: (N,) local anterior coordinates of the walls at those heights; NaN where not seen.
    """

    z: FloatArray
    posterior: FloatArray
    anterior: FloatArray

    @property
    def depth_mm(self) -> float:
        """Depth at mid-height: median over the middle third of the levels."""
        third = len(self.z) // 3
        depth = (self.anterior - self.posterior)[third : len(self.z) - third]
        return float(np.nanmedian(depth))

    def wall_near(self, wall: FloatArray, rim_z: float) -> float:
        """Anterior coordinate of a wall at a rim, continued straight from the wall next to it.

        The last bit before the rim is rounded by voxels, so the line is fitted a little away from it.
        """
        height = float(self.z[-1] - self.z[0])
        away = np.abs(self.z - rim_z)
        near = np.isfinite(wall) & (away > WALL_TRIM_MM) & (away < WALL_REACH_MM)
        if near.sum() < 4:
            near = np.isfinite(wall)
        if not near.any():
            raise ValueError("the body’s outline in the midline could not be followed")
        if near.sum() < 4 or height < 4.0:
            return float(np.median(wall[near]))
        design = np.stack([np.ones(near.sum()), self.z[near] - rim_z], axis=1)
        (at_rim, slope), _ = robust_fit(design, wall[near], 6)
        steepest = MAX_WALL_SLOPE * float(away[near].mean())
        return float(np.clip(at_rim, np.median(wall[near]) - steepest, np.median(wall[near]) + steepest))


def midsagittal_outline(bone: FloatArray, grid: LocalGrid, body: Body, surfaces: BodySurfaces) -> MidsagittalOutline:
    """Follow both walls of the body in the midline."""
    x, _, z = grid.axes
    strip = np.abs(x) <= STRIP_HALF_WIDTH_MM
    columns = strip[:, None] & surfaces.footprint
    top, bottom = np.nanmax(surfaces.top[columns]), np.nanmin(surfaces.bottom[columns])
    levels = np.flatnonzero((z > bottom) & (z < top))
    if len(levels) < 3:
        raise ValueError("the body is too low for its outline to be followed")
    posterior = np.median(body.wall[strip][:, levels], axis=0)
    outside = (levels < body.wall_levels[0]) | (levels > body.wall_levels[1])
    posterior[outside] = np.nan
    anterior = _anterior_wall(bone, grid, strip, levels, body.core_centre[1])
    return MidsagittalOutline(z[levels], posterior, anterior)


def _anterior_wall(
    bone: FloatArray, grid: LocalGrid, strip: NDArray[np.bool_], levels: NDArray[np.int_], start_y: float
) -> FloatArray:
    y = grid.axes[1]
    start = int(np.searchsorted(y, start_y))
    block = bone[strip][:, start:, :][:, :, levels]
    outside = block <= 0
    first = outside.argmax(axis=1)
    found = outside.any(axis=1) & (first > 0)
    first = np.clip(first, 1, None)
    out_value = np.take_along_axis(block, first[:, None, :], axis=1)[:, 0]
    in_value = np.take_along_axis(block, first[:, None, :] - 1, axis=1)[:, 0]
    share = np.clip(in_value / np.maximum(in_value - out_value, 1e-6), 0.0, 1.0)
    crossing = np.where(found, y[start + first - 1] + share * grid.spacing_mm, np.nan)
    with np.errstate(all="ignore"):
        return np.nanmedian(crossing, axis=0) if np.isfinite(crossing).any() else np.full(len(levels), np.nan)


def fit_plane(surface: FloatArray, grid: LocalGrid, interior: NDArray[np.bool_]) -> tuple[FloatArray, float]:
    """Robust plane through a plate.

    Returns:
        (3,) unit normal pointing superiorly, and the spread about a smooth (quadratic) surface, mm.
    """
    used = interior & np.isfinite(surface)
    if used.sum() * grid.spacing_mm**2 < MIN_PLATE_MM2:
        raise ValueError("an end plate has too little surface to be fitted")
    x, y, _ = grid.axes
    px, py = np.meshgrid(x, y, indexing="ij")
    px, py, pz = px[used], py[used], surface[used]
    plane, _ = robust_fit(np.stack([np.ones_like(px), px, py], axis=1), pz)
    smooth = np.stack([np.ones_like(px), px, py, px * px, px * py, py * py], axis=1)
    _, spread = robust_fit(smooth, pz)
    return unit(np.array([-plane[1], -plane[2], 1.0])), spread


def fit_endplate(
    surface: FloatArray, grid: LocalGrid, outline: MidsagittalOutline, interior: NDArray[np.bool_], outward: int
) -> EndPlate:
    """Fit one end plate.

    Args:
        surface: (X, Y) heights, NaN off the plate.
        outline: the walls in the midline.
        interior: columns far enough from the edge to be read.
        outward: +1 for the superior plate, −1 for the inferior.
    """
    normal, spread = fit_plane(surface, grid, interior)
    x, y, _ = grid.axes
    anterior, posterior, centre = _rims(surface, grid, outline, outward)
    return EndPlate(
        anterior_rim=anterior,
        centre=centre,
        posterior_rim=posterior,
        normal=normal,
        height_mm=surface,
        x_mm=x,
        y_mm=y,
        residual_mm=spread,
        intact=spread <= INTACT_RESIDUAL_MM,
    )


def _rims(
    surface: FloatArray, grid: LocalGrid, outline: MidsagittalOutline, outward: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Anterior rim, posterior rim and centre of a plate in the mid-sagittal plane, local mm."""
    x, y, _ = grid.axes
    strip = np.abs(x) <= STRIP_HALF_WIDTH_MM
    # Across the strip the plate may be dished or tilted: a straight line in x at each depth gives its midline value.
    profile = np.full(len(y), np.nan)
    for j in range(len(y)):
        good = strip & np.isfinite(surface[:, j])
        if good.sum() >= 3:
            slope_free = robust_fit(np.stack([np.ones(good.sum()), x[good]], axis=1), surface[good, j], 4)[0]
            profile[j] = slope_free[0]
    good = np.isfinite(profile)
    py, pz = y[good], profile[good]
    rims = []
    for wall, sign in ((outline.anterior, +1), (outline.posterior, -1)):
        rim_z = float(np.median(pz))
        for _ in range(4):
            rim_y = outline.wall_near(wall, rim_z)
            inward = sign * (rim_y - py)
            near = (inward > RIM_TRIM_MM) & (inward < max(RIM_FIT_FRACTION * outline.depth_mm, 6.0))
            if near.sum() < 5:
                raise ValueError("the rim of an end plate could not be followed")
            centre_y = rim_y
            design = np.vander(py[near] - centre_y, 3)
            coefficients, _ = robust_fit(design, pz[near])
            edge = (inward > 0) & (inward < RIM_EDGE_MM)
            highest = outward * float(np.max(outward * pz[edge])) if edge.any() else float(coefficients[-1])
            rim_z = outward * min(outward * float(coefficients[-1]), outward * highest + RIM_ALLOWANCE_MM)
        rims.append(np.array([0.0, rim_y, rim_z]))
    anterior, posterior = rims
    middle_y = (anterior[1] + posterior[1]) / 2
    near = np.abs(py - middle_y) < 0.2 * outline.depth_mm
    coefficients, _ = robust_fit(np.vander(py[near] - middle_y, 3), pz[near])
    return anterior, posterior, np.array([0.0, middle_y, float(coefficients[-1])])
