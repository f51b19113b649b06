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
from scipy.spatial import ConvexHull

from ..model import LocalGrid
from ..model.geometry import FloatArray
from .reasons import NotReadable

CLOSING_WINDOWS_MM = (0.0, 2.5, 5.0, 8.0, 12.0)
"""How far up and down bone may be borrowed to close the ring of a slice."""

MIN_AREA_MM2 = 60.0
MAX_AREA_MM2 = 900.0
"""Believable cross-sections: the canal measures 15–28 mm across (Panjabi, from memory; reference spine, computed),
a stenotic one less; more than 900 mm² means the ring is open."""

REACH_MM = 25.0
"""A hole that reaches farther than this from the seed is no canal but open: the widest canals measure 15 mm to either
side. [D]"""

BODY_SOLIDITY = 0.85
"""Seen along the spine, a body alone fills more than this of its convex hull (69 real ones: 0.91–0.97), a vertebra with its
processes less (0.53–0.79) [C]."""

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
        if _solidity(shadow > 0) > BODY_SOLIDITY:
            raise CanalNotFound(
                "it holds the body alone, and without the arch neither canal nor pedicles are known (label whole vertebrae, "
                "as TotalSegmentator and VerSe do)"
            )
        raise CanalNotFound("no ring of bone around a canal is visible")
    return best


def _solidity(shape: NDArray[np.bool_]) -> float:
    """Share of its convex hull that a flat shape fills."""
    edge = np.argwhere(shape & ~ndimage.binary_erosion(shape))
    if not edge.size:
        return 0.0
    corners = edge[:, None] + np.array([[0.5, 0.5], [0.5, -0.5], [-0.5, 0.5], [-0.5, -0.5]])
    return float(shape.sum() / ConvexHull(corners.reshape(-1, 2)).volume)


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
    middle = np.round(grid.to_index(np.array([*seed, grid.axes[2][0]]))[:2]).astype(int)
    reach = int(round(REACH_MM / grid.spacing_mm))
    around = tuple(slice(max(0, at - reach), at + reach + 1) for at in middle)
    seed_at = middle - [part.start for part in around]
    part, chosen_part = bone[around], chosen[around]
    for window_mm in CLOSING_WINDOWS_MM:
        still = np.flatnonzero(~closed)
        size = 2 * int(round(window_mm / grid.spacing_mm)) + 1
        shadow = (ndimage.maximum_filter1d(part, size, axis=2) if size > 1 else part)[:, :, still]
        holes, areas = _holes(shadow, grid, seed_at)
        new = (areas >= MIN_AREA_MM2) & (areas <= MAX_AREA_MM2)
        # One voxel of wall around the hole carries the sub-voxel position of the zero level.
        shadow, rim = shadow[:, :, new], ndimage.binary_dilation(holes[:, :, new], _IN_PLANE, iterations=2)
        # What is free beyond a thin wall lies in the rim, too, but is not canal.
        rim &= holes[:, :, new] | (shadow > 0)
        chosen_part[:, :, still[new]] = np.where(rim, -shadow, np.minimum(-np.abs(shadow), -0.5))
        closed[still[new]] = True
    closed_mm = closed.sum() * grid.spacing_mm
    if closed_mm < 6.0:
        raise CanalNotFound(f"the ring around the canal is closed over {closed_mm:.0f} mm only")
    centreline = _centreline(chosen_part > 0, closed, grid, around)
    closed_levels = np.flatnonzero(closed)
    nearest = closed_levels[np.abs(np.arange(count)[:, None] - closed_levels).argmin(axis=1)]
    still = np.flatnonzero(~closed)
    if still.size:
        # Carry the nearest section on along the centre line; bone of this level still limits it.
        shifts = (centreline - centreline[nearest]) / grid.spacing_mm
        carried = [_shifted(chosen_part[:, :, nearest[k]], shifts[k], around, bone.shape[:2]) for k in still]
        chosen[:, :, still] = np.minimum(np.stack(carried, axis=2), -bone[:, :, still])
    level = int(round(closed_levels.mean()))
    centre = np.array([*centreline[level], grid.axes[2][level]])
    return Canal(chosen, centre, centreline, closed)


def _holes(shadow: FloatArray, grid: LocalGrid, seed: NDArray[np.int_]) -> tuple[NDArray[np.bool_], FloatArray]:
    """The in-plane hole around the seed (index) in every slice, and its area in mm² (0 where open or absent)."""
    labels, count = ndimage.label(shadow <= 0, structure=_IN_PLANE)
    reach = int(round(4.0 / grid.spacing_mm))
    window = tuple(slice(max(0, at - reach), at + reach + 1) for at in seed)
    number = np.zeros(shadow.shape[2], int)
    near = labels[window]
    for k in range(shadow.shape[2]):
        values = near[:, :, k][near[:, :, k] > 0]
        if values.size:
            number[k] = np.bincount(values).argmax()
    open_ones = np.zeros(count + 1, bool)
    for border in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        open_ones[border] = True
    number[open_ones[number]] = 0
    holes = (labels == number) & (number > 0)
    return holes, holes.sum(axis=(0, 1)) * grid.spacing_mm**2


def _shifted(
    section: FloatArray, shift: FloatArray, around: tuple[slice, ...], shape: tuple[int, ...]
) -> NDArray[np.float32]:
    """A slice (X, Y) with the section that stood at ``around`` moved by a fraction of voxels, linearly; −1 elsewhere."""
    whole = np.floor(shift).astype(int)
    part = np.pad(section, 1, constant_values=-1.0)
    for axis, share in enumerate(np.float32(shift - whole)):
        here = np.moveaxis(part, axis, 0)
        part = np.moveaxis(share * here[:-1] + (np.float32(1.0) - share) * here[1:], 0, axis)
    result = np.full(shape, -1.0, np.float32)
    start = np.array([place.start for place in around]) + whole
    low, high = np.maximum(start, 0), np.minimum(start + part.shape, shape)
    if np.all(low < high):
        taken = tuple(slice(a, b) for a, b in zip(low - start, high - start, strict=True))
        result[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = part[taken]
    return result


def _centreline(
    inside: NDArray[np.bool_], closed: NDArray[np.bool_], grid: LocalGrid, around: tuple[slice, ...]
) -> FloatArray:
    """Middle of the section at each level: a line through the closed ones, extrapolated straight."""
    x, y, z = grid.axes
    x, y = x[around[0]], y[around[1]]
    weight = inside.sum(axis=(0, 1)) * closed
    levels = np.flatnonzero(weight > 0)
    cx = (inside.sum(axis=1) * x[:, None]).sum(axis=0)[levels] / weight[levels]
    cy = (inside.sum(axis=0) * y[:, None]).sum(axis=0)[levels] / weight[levels]
    degree = 1 if np.ptp(z[levels]) > 8.0 else 0
    line = [np.polyval(np.polyfit(z[levels], c, degree), z) for c in (cx, cy)]
    return np.stack(line, axis=1)
