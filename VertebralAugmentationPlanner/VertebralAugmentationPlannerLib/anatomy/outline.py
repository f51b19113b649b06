"""Outline of the body: its upper and lower surface, and its walls in the midline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..model import LocalGrid
from ..model.geometry import FloatArray
from .body import Body
from .reasons import NotReadable

STRIP_HALF_WIDTH_MM = 4.0
"""Half-width of the band whose median stands for the mid-sagittal profile."""

FRONT_BAND_MM = (1.0, 4.0)
"""So far behind the body's foremost bone its plates are read to tell the front wall's height."""

FIT_ITERATIONS = 12
"""Rounds of weighting anew in a robust fit. [D]"""


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


def robust_fit(design: FloatArray, values: FloatArray, floor_mm: float = 0.1) -> tuple[FloatArray, float]:
    """Least squares with Tukey's biweight (c = 4.685 robust standard deviations).

    Args:
        floor_mm: the spread is never taken for less: voxels come in steps, and a step is not an outlier.

    Returns:
        coefficients and the robust spread (1.4826 × median absolute deviation) of the residuals.
    """
    coefficients, *_ = np.linalg.lstsq(design, values, rcond=None)
    spread = 0.0
    for _ in range(FIT_ITERATIONS):
        residual = values - design @ coefficients
        spread = max(1.4826 * float(np.median(np.abs(residual - np.median(residual)))), floor_mm)
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
        """Depth at mid-height: median over the middle third of the levels, over all where no front is seen there.

        Raises:
            NotReadable: no level shows both walls.
        """
        third = len(self.z) // 3
        depth = self.anterior - self.posterior
        seen = np.isfinite(depth)
        if not seen.any():
            raise NotReadable("the body’s front and back are not seen at the same height")
        middle = slice(third, len(self.z) - third)
        return float(np.median(depth[middle][seen[middle]] if seen[middle].any() else depth[seen]))


def midsagittal_outline(bone: FloatArray, grid: LocalGrid, body: Body, surfaces: BodySurfaces) -> MidsagittalOutline:
    """Follow both walls of the body in the midline."""
    x, _, z = grid.axes
    strip = np.abs(x) <= STRIP_HALF_WIDTH_MM
    columns = strip[:, None] & surfaces.footprint
    if not np.isfinite(surfaces.top[columns]).any() or not np.isfinite(surfaces.bottom[columns]).any():
        raise NotReadable("the body has no end plates in the midline")
    top, bottom = np.nanmax(surfaces.top[columns]), np.nanmin(surfaces.bottom[columns])
    levels = np.flatnonzero((z > bottom) & (z < top))
    if len(levels) < 3:
        raise NotReadable("the body is too low for its outline to be followed")
    posterior = np.median(body.wall[strip][:, levels], axis=0)
    outside = (levels < body.wall_levels[0]) | (levels > body.wall_levels[1])
    posterior[outside] = np.nan
    anterior = anterior_wall(bone, grid, body, strip, levels)
    low, high = _front_levels(grid, surfaces, columns)
    anterior[(z[levels] < low) | (z[levels] > high)] = np.nan
    return MidsagittalOutline(z[levels], posterior, anterior)


def _front_levels(grid: LocalGrid, surfaces: BodySurfaces, columns: NDArray[np.bool_]) -> tuple[float, float]:
    """Heights between which the body has its front: beyond them a tipped plate would be read as wall."""
    y = grid.axes[1]
    front = y[columns.any(axis=0)].max()
    near = columns & ((front - y > FRONT_BAND_MM[0]) & (front - y < FRONT_BAND_MM[1]))[None, :]
    if not np.isfinite(surfaces.top[near]).any() or not np.isfinite(surfaces.bottom[near]).any():
        return -np.inf, np.inf
    return float(np.nanmedian(surfaces.bottom[near])), float(np.nanmedian(surfaces.top[near]))


def anterior_wall(
    bone: FloatArray, grid: LocalGrid, body: Body, strip: NDArray[np.bool_], levels: NDArray[np.int_]
) -> FloatArray:
    """(L,) where the body ends in front at each level, seen from the front: a sunken plate hides nothing."""
    y = grid.axes[1]
    mask, values = body.mask[strip][:, :, levels], bone[strip][:, :, levels]
    last = len(y) - 1 - mask[:, ::-1, :].argmax(axis=1)
    found = mask.any(axis=1) & (last < len(y) - 1)
    last = np.minimum(last, len(y) - 2)
    in_value = np.take_along_axis(values, last[:, None, :], axis=1)[:, 0]
    out_value = np.take_along_axis(values, last[:, None, :] + 1, axis=1)[:, 0]
    share = np.clip(in_value / np.maximum(in_value - out_value, 1e-6), 0.0, 1.0)
    crossing = np.where(found, y[last] + share * grid.spacing_mm, np.nan)
    result = np.full(len(levels), np.nan)
    enough = found.mean(axis=0) > 0.5
    result[enough] = np.nanmedian(crossing[:, enough], axis=0)
    return result
