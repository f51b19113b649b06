"""The spinal canal from the vertebral ring.

Looking along the spine, body, pedicles and laminae close a ring around the canal although no single slice may do
so: the laminae lie lower than the pedicles. Slices are therefore closed with the bone a few millimetres above and
below, by as little as it takes, and the hole in the middle is the canal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..model import LocalGrid
from ..model.geometry import FloatArray
from .reasons import NotReadable

CLOSING_WINDOWS_MM = (0.0, 2.5, 5.0, 8.0, 12.0)
"""How far up and down bone may be borrowed to close the ring of a slice."""

MIN_AREA_MM2 = 60.0
MAX_AREA_MM2 = 900.0
"""Believable cross-sections: the canal measures 15–28 mm across (Panjabi, from memory; reference spine, computed),
a stenotic one less; more than 900 mm² means the ring is open."""

_IN_PLANE = np.zeros((3, 3, 3), bool)
_IN_PLANE[1, :, 1] = _IN_PLANE[:, 1, 1] = True


@dataclass(frozen=True, eq=False)
class Canal:
    """The canal of one vertebra on its grid.

    Args:
        field: (X, Y, Z) array, positive inside the canal, its zero level on the canal's wall, mm-like.
        centre: (3,) local middle of the closed part.
        centreline: (Z, 2) local right and anterior coordinates of the middle at each grid level.
        closed: (Z,) true where the ring itself, and not the carried section, gives the wall.
    """

    field: FloatArray
    centre: FloatArray
    centreline: FloatArray
    closed: NDArray[np.bool_]


class CanalNotFound(NotReadable):
    """No closed ring where the canal should be; the message says what was seen."""


def projected_hole(bone: FloatArray, grid: LocalGrid) -> FloatArray:
    """(2,) local right and anterior coordinates of the hole seen when looking along the superior axis.

    Args:
        bone: signed distance, positive inside.

    Raises:
        CanalNotFound: no hole of a believable size.
    """
    shadow = bone.max(axis=2)
    labels, count = ndimage.label(shadow <= 0)
    pixel = grid.spacing_mm**2
    best, best_score = None, -np.inf
    x, y, _ = grid.axes
    for index, box in enumerate(ndimage.find_objects(labels, count), start=1):
        if any(part.start == 0 or part.stop == n for part, n in zip(box, shadow.shape, strict=True)):
            continue
        region = labels == index
        area = region.sum() * pixel
        if not 0.3 * MIN_AREA_MM2 <= area <= MAX_AREA_MM2:
            continue
        centre = np.array([x[region.any(axis=1)].mean(), y[region.any(axis=0)].mean()])
        # Transverse foramina and label holes are small and lateral; the canal is large and central.
        score = np.sqrt(area) - 0.3 * abs(centre[0])
        if score > best_score:
            best, best_score = centre, score
    if best is None:
        raise CanalNotFound("no ring of bone around a canal is visible")
    return best


def find_canal(bone: FloatArray, grid: LocalGrid, seed: FloatArray) -> Canal:
    """Build the canal.

    Args:
        bone: signed distance of this vertebra, positive inside, on ``grid``.
        seed: (2,) local right and anterior coordinates inside the canal (:func:`projected_hole`).

    Raises:
        CanalNotFound: too few slices close even with borrowed bone.
    """
    count = grid.shape[2]
    chosen = np.full(bone.shape, -1.0, np.float32)
    closed = np.zeros(count, bool)
    for window_mm in CLOSING_WINDOWS_MM:
        size = 2 * int(round(window_mm / grid.spacing_mm)) + 1
        shadow = ndimage.maximum_filter1d(bone, size, axis=2) if size > 1 else bone
        holes, areas = _holes(shadow, grid, seed)
        new = ~closed & (areas >= MIN_AREA_MM2) & (areas <= MAX_AREA_MM2)
        for k in np.flatnonzero(new):
            # One voxel of wall around the hole carries the sub-voxel position of the zero level.
            rim = ndimage.binary_dilation(holes[:, :, k], iterations=2)
            chosen[:, :, k] = np.where(rim, -shadow[:, :, k], np.minimum(-np.abs(shadow[:, :, k]), -0.5))
        closed |= new
    closed_mm = closed.sum() * grid.spacing_mm
    if closed_mm < 6.0:
        raise CanalNotFound(f"the ring around the canal is closed over {closed_mm:.0f} mm only")
    centreline = _centreline(chosen, closed, grid)
    closed_levels = np.flatnonzero(closed)
    nearest = closed_levels[np.abs(np.arange(count)[:, None] - closed_levels).argmin(axis=1)]
    for k in np.flatnonzero(~closed):
        # Carry the nearest section on along the centre line; bone of this level still limits it.
        shift = (centreline[k] - centreline[nearest[k]]) / grid.spacing_mm
        carried = ndimage.shift(chosen[:, :, nearest[k]], shift, order=1, mode="constant", cval=-5.0)
        chosen[:, :, k] = np.minimum(carried, -bone[:, :, k])
    middle = int(round(closed_levels.mean()))
    centre = np.array([*centreline[middle], grid.axes[2][middle]])
    return Canal(chosen, centre, centreline, closed)


def _holes(shadow: FloatArray, grid: LocalGrid, seed: FloatArray) -> tuple[NDArray[np.bool_], FloatArray]:
    """The in-plane hole around the seed in every slice, and its area in mm² (0 where open or absent)."""
    labels, _ = ndimage.label(shadow <= 0, structure=_IN_PLANE)
    index = np.round(grid.to_index(np.array([*seed, grid.axes[2][0]]))[:2]).astype(int)
    reach = int(round(4.0 / grid.spacing_mm))
    holes = np.zeros(shadow.shape, bool)
    areas = np.zeros(shadow.shape[2])
    for k in range(shadow.shape[2]):
        plane = labels[:, :, k]
        window = plane[max(0, index[0] - reach) : index[0] + reach + 1, max(0, index[1] - reach) : index[1] + reach + 1]
        values = window[window > 0]
        if not values.size:
            continue
        label = np.bincount(values).argmax()
        hole = plane == label
        if hole[0].any() or hole[-1].any() or hole[:, 0].any() or hole[:, -1].any():
            continue
        holes[:, :, k] = hole
        areas[k] = hole.sum() * grid.spacing_mm**2
    return holes, areas


def _centreline(field: FloatArray, closed: NDArray[np.bool_], grid: LocalGrid) -> FloatArray:
    """Middle of the section at each level: a line through the closed ones, extrapolated straight."""
    x, y, z = grid.axes
    inside = field > 0
    weight = inside.sum(axis=(0, 1)) * closed
    levels = np.flatnonzero(weight > 0)
    cx = (inside.sum(axis=1) * x[:, None]).sum(axis=0)[levels] / weight[levels]
    cy = (inside.sum(axis=0) * y[:, None]).sum(axis=0)[levels] / weight[levels]
    degree = 1 if np.ptp(z[levels]) > 8.0 else 0
    line = [np.polyval(np.polyfit(z[levels], c, degree), z) for c in (cx, cy)]
    return np.stack(line, axis=1)
