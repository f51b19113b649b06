"""One lattice for masks that come in boxes of their own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..model import Image

LATTICE_TOLERANCE = 1e-3
"""Voxels by which two segments' grids may disagree and still be one lattice; float32 headers give 1e-5. [D]"""

ROOM_MM = 15.0
"""Empty space kept around the labels where the scan goes on: the engine looks at most this far past a vertebra. [D]"""


def common_lattice(
    masks: list[Image], border: Image | None
) -> tuple[NDArray, tuple[int, int, int], list[NDArray | None]]:
    """A grid that holds all masks, in the first one's lattice, with room around them up to the scan's border.

    Returns:
        4 × 4 matrix to RAS, shape, and the offset of each mask in it, or None for a mask of another lattice.
    """
    base = masks[0].ijk_to_ras
    boxes = [_box(base, mask) for mask in masks]
    first = np.min([box[0] for box in boxes], axis=0)
    last = np.max([box[1] for box in boxes], axis=0)
    room = np.ceil(ROOM_MM / masks[0].spacing_mm).astype(int)
    if border is None:
        wide_first, wide_last = first - room, last + room
    else:
        border_first, border_last = _box(base, border)
        wide_first = np.minimum(first, np.maximum(border_first, first - room))
        wide_last = np.maximum(last, np.minimum(border_last, last + room))
    matrix = base.copy()
    matrix[:3, 3] = base[:3, :3] @ wide_first + base[:3, 3]
    offsets = [None if (shift := _shift(base, mask)) is None else shift - wide_first for mask in masks]
    return matrix, tuple(int(n) for n in wide_last - wide_first + 1), offsets  # type: ignore[return-value]


def _box(base: NDArray, image: Image) -> tuple[NDArray, NDArray]:
    """First and last voxel of the base lattice that hold an image's voxel centres."""
    relative = np.linalg.inv(base) @ image.ijk_to_ras
    corners = np.array(np.meshgrid(*[[0, n - 1] for n in image.voxels.shape])).reshape(3, -1)
    index = relative[:3, :3] @ corners + relative[:3, 3:]
    first = np.floor(index.min(axis=1) + LATTICE_TOLERANCE).astype(int)
    return first, np.ceil(index.max(axis=1) - LATTICE_TOLERANCE).astype(int)


def _shift(base: NDArray, image: Image) -> NDArray | None:
    """Whole voxels from the base lattice's origin to an image's, or None where the lattices differ."""
    relative = np.linalg.inv(base) @ image.ijk_to_ras
    shift = np.round(relative[:3, 3])
    same_axes = np.allclose(relative[:3, :3], np.eye(3), atol=LATTICE_TOLERANCE / max(image.voxels.shape))
    if same_axes and np.allclose(relative[:3, 3], shift, atol=LATTICE_TOLERANCE):
        return shift.astype(int)
    return None


def on_lattice(
    mask: Image, matrix: NDArray, shape: tuple[int, int, int], offset: NDArray | None
) -> tuple[tuple[slice, slice, slice], NDArray[np.bool_]]:
    """Where a mask lies on the lattice, and its voxels there (nearest voxel where its grid is another)."""
    if offset is not None:
        where = tuple(slice(int(o), int(o) + n) for o, n in zip(offset, mask.voxels.shape, strict=True))
        return where, np.asarray(mask.voxels, bool)  # type: ignore[return-value]
    index = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
    points = index @ matrix[:3, :3].T + matrix[:3, 3]
    image = Image(np.asarray(mask.voxels, np.uint8), mask.ijk_to_ras)
    return (slice(None),) * 3, image.sample(points, order=0, outside=0.0) > 0  # type: ignore[return-value]
