"""The vertebral body apart from the arch.

The cut runs along the posterior wall: where the canal meets the body it is seen directly; sideways, behind the
pedicles' roots, it follows the body's own outline below the pedicles.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..model import LocalGrid
from ..model.geometry import FloatArray, label_boxes
from .canal import Canal
from .reasons import NotReadable

CORE_DEPTH_MM = 3.0
"""The body's core lies deeper than this under the surface; processes that hang on by less are not body."""

SEEN_FRACTION = 0.6
"""Share of the canal's half-width over which the posterior wall is read directly; near the pedicles it rounds off."""


class BodyNotFound(NotReadable):
    """No believable body in front of the canal; the message says what was seen."""


@dataclass(frozen=True, eq=False)
class Body:
    """The body on its grid.

    Args:
        mask: (X, Y, Z) voxels of the body.
        wall: (X, Z) local anterior coordinate of the posterior wall, everywhere defined.
        wall_levels: (first, last) grid levels between which the wall is seen in the midline.
        core_centre: (3,) local centre of the body's core.
    """

    mask: NDArray[np.bool_]
    wall: FloatArray
    wall_levels: tuple[int, int]
    core_centre: FloatArray


def find_body(bone: FloatArray, grid: LocalGrid, canal: Canal) -> Body:
    """Separate the body.

    Args:
        bone: signed distance of the vertebra, positive inside, on ``grid``.
        canal: its canal on the same grid.

    Raises:
        BodyNotFound: nothing solid lies in front of the canal.
    """
    half_width = _half_width(canal, grid)
    seen = first_bone(bone, grid, canal.centreline[:, 1])
    wall, levels = _midline_wall(seen, grid, half_width)
    wall = _extend_sideways(wall, levels, bone, grid, half_width)
    y = grid.axes[1]
    front = (bone > 0) & (y[None, :, None] > wall[:, None, :])
    core = _largest(front & (bone > min(CORE_DEPTH_MM, 0.6 * float(bone[front].max(initial=0.0)))))
    if core.sum() * grid.spacing_mm**3 < 200.0:
        raise BodyNotFound("no solid body lies in front of the canal")
    footprint = _grown(core.any(axis=2), CORE_DEPTH_MM + 0.8, grid.spacing_mm)
    mask = _largest(front & footprint[:, :, None])
    where = np.argwhere(core)
    return Body(mask, wall, levels, grid.to_local(where.mean(axis=0)))


def _half_width(canal: Canal, grid: LocalGrid) -> float:
    widths = (canal.field[:, :, canal.closed] > 0).any(axis=1).sum(axis=0) * grid.spacing_mm
    return float(np.median(widths)) / 2


def first_bone(bone: FloatArray, grid: LocalGrid, start_y: FloatArray) -> FloatArray:
    """Where bone begins in front of the canal's middle.

    Args:
        bone: (X, Y, Z) signed distance, positive inside, on all or some of the grid's sagittal planes.
        start_y: (Z,) local anterior coordinate of the canal's middle.

    Returns:
        (X, Z) local anterior coordinates; NaN where there is none.
    """
    y = grid.axes[1]
    inside = (bone > 0) & (y[None, :, None] > start_y[None, None, :])
    first = inside.argmax(axis=1)
    found = inside.any(axis=1) & (first > 0)
    after = np.take_along_axis(bone, first[:, None, :], axis=1)[:, 0]
    before = np.take_along_axis(bone, np.maximum(first - 1, 0)[:, None, :], axis=1)[:, 0]
    step = np.clip(after / np.maximum(after - before, 1e-6), 0.0, 1.0)
    return np.where(found, y[first] - step * grid.spacing_mm, np.nan)


def _midline_wall(seen: FloatArray, grid: LocalGrid, half_width: float) -> tuple[FloatArray, tuple[int, int]]:
    """The wall over the canal's width, NaN elsewhere, and the levels where the midline sees it."""
    x = grid.axes[0]
    central = np.abs(x) <= SEEN_FRACTION * half_width
    if not central.any():
        raise BodyNotFound("the canal is too narrow for the wall in front of it to be seen")
    present = np.isfinite(seen[central]).mean(axis=0) > 0.5
    runs, count = ndimage.label(present)
    if count == 0:
        raise BodyNotFound("no bone lies in front of the canal")
    longest = 1 + int(np.argmax([np.sum(runs == n) for n in range(1, count + 1)]))
    levels = np.flatnonzero(runs == longest)
    middle = np.full(seen.shape[1], np.nan)
    middle[levels] = np.nanmedian(seen[np.ix_(central, levels)], axis=0)
    # Above and below the body a process or a crumb may stand in the way: the wall itself does not jump.
    typical = float(np.median(middle[levels]))
    levels = levels[np.abs(middle[levels] - typical) < 9.0]
    if len(levels) < 3:
        raise BodyNotFound("the posterior wall cannot be followed")
    wall = np.full(seen.shape, np.nan)
    wall[np.ix_(central, levels)] = seen[np.ix_(central, levels)]
    strange = np.abs(wall - middle[None, :]) > 4.0
    wall[strange] = np.nan
    return wall, (int(levels[0]), int(levels[-1]))


def _extend_sideways(
    wall: FloatArray, levels: tuple[int, int], bone: FloatArray, grid: LocalGrid, half_width: float
) -> FloatArray:
    """Fill the wall beyond the canal's width and beyond the body's levels."""
    span = slice(levels[0], levels[1] + 1)
    heights = np.arange(span.start, span.stop)
    read = np.isfinite(wall[:, span]).any(axis=0)
    middle = np.interp(heights, heights[read], np.nanmedian(wall[:, span][:, read], axis=0))
    middle = ndimage.median_filter(middle, 3, mode="nearest")
    profile = _profile_below_pedicles(bone, grid, half_width, middle, levels)
    seen = wall[:, span]
    filled = np.where(np.isfinite(seen), seen, middle[None, :] + profile[:, None])
    filled = ndimage.gaussian_filter(ndimage.median_filter(filled, 3, mode="nearest"), (1.0, 0.6), mode="nearest")
    result = np.empty(wall.shape)
    result[:, span] = filled
    result[:, : levels[0]] = filled[:, :1]
    result[:, levels[1] + 1 :] = filled[:, -1:]
    return result


def _profile_below_pedicles(
    bone: FloatArray, grid: LocalGrid, half_width: float, middle: FloatArray, levels: tuple[int, int]
) -> FloatArray:
    """(X,) how far in front of its midline the body's posterior outline lies, read where no pedicle hides it."""
    x, y, _ = grid.axes
    spacing = grid.spacing_mm
    profile = np.full(len(x), np.nan)
    height = levels[1] - levels[0] + 1
    trim = max(1, int(0.12 * height))
    starts = np.searchsorted(y, middle - 5.0)
    for i in np.flatnonzero(np.abs(x) > SEEN_FRACTION * half_width):
        readings = []
        for n in range(trim, height - trim):
            start = int(starts[n])
            column = bone[i, start:, levels[0] + n]
            if not len(column) or column[0] > -0.5:
                continue  # a pedicle or a process hides the outline here
            first = int((column > 0).argmax())
            if column[first] <= 0 or first == 0:
                continue
            step = column[first] / max(column[first] - column[first - 1], 1e-6)
            readings.append(y[start + first] - step * spacing - middle[n])
        if len(readings) >= 3:
            profile[i] = np.median(readings)
    known = np.isfinite(profile) & (profile < 14.0)
    profile[~known] = np.nan
    profile[np.abs(x) <= SEEN_FRACTION * half_width] = 0.0
    for side in (x < 0, x >= 0):
        # Symmetric bodies: a side that is hidden takes the other's outline.
        mirrored = np.interp(-x[side], x, profile) if np.isnan(profile[side]).any() else profile[side]
        profile[side] = np.where(np.isnan(profile[side]), mirrored, profile[side])
    good = np.isfinite(profile)
    profile = np.interp(x, x[good], profile[good])
    return np.clip(profile, -1.5, 14.0)


def _largest(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    result = np.zeros(mask.shape, bool)
    for box in label_boxes(mask.view(np.uint8)).values():
        labels, _ = ndimage.label(mask[box])
        sizes = np.bincount(labels.ravel())
        sizes[0] = 0
        result[box] = labels == sizes.argmax()
    return result


def _grown(mask: NDArray[np.bool_], by_mm: float, spacing_mm: float) -> NDArray[np.bool_]:
    return ndimage.distance_transform_edt(~mask) * spacing_mm <= by_mm
