"""Shapes drawn on a live fluoroscopy picture: plain arrays, a few milliseconds, no graphics library."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..model.geometry import FloatArray
from ..model.palette import rgb
from .fluoroscopy import COLLIMATOR
from .overlay import Shape, inside_polygon

HALO_PX = 1.2
"""Dark rim on both sides of a line without filling, so that it is seen on bright and dark ground. [D]"""


Box = tuple[slice, slice]
"""Rows and columns."""


def enlarged(grey: NDArray[np.uint8], size_px: int) -> NDArray[np.uint8]:
    """A square picture at another size, bilinear; pixel edges stay where they are."""
    if grey.shape[0] == size_px:
        return grey
    return ndimage.zoom(grey, size_px / grey.shape[0], order=1, grid_mode=True, mode="nearest")


def coloured(grey: NDArray[np.uint8], shapes: Iterable[Shape]) -> NDArray[np.uint8]:
    """The picture (rows, columns) with its shapes on it, back to front: (rows, columns, 3), 8-bit RGB."""
    size = grey.shape[0]
    picture = np.repeat(grey[:, :, None], 3, axis=2).astype(np.float32)
    row, column = np.ogrid[:size, :size]
    field = np.hypot(row - (size - 1) / 2, column - (size - 1) / 2) <= COLLIMATOR * size / 2
    for shape in shapes:
        box = _box(np.asarray(shape.points_px), shape.width_px + HALO_PX, size)
        if box is None:
            continue
        part, inside = picture[box], field[box]
        if shape.fill is not None:
            _blend(part, _filled(shape.points_px, box) * inside, rgb(shape.fill), shape.fill_opacity)
        distance = _distance(shape, box)
        if shape.fill is None:
            _blend(part, _cover(distance, shape.width_px + 2 * HALO_PX) * inside, (0.0, 0.0, 0.0), 0.6)
        _blend(part, _cover(distance, shape.width_px) * inside, rgb(shape.colour), 1.0)
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def _blend(part: NDArray[np.float32], cover: NDArray, colour: tuple[float, float, float], opacity: float) -> None:
    share = (opacity * cover)[:, :, None].astype(np.float32)
    part *= 1 - share
    part += share * (255 * np.asarray(colour, np.float32))


def _filled(points: FloatArray, box: Box) -> NDArray[np.bool_]:
    """Which pixels of the box lie in a polygon."""
    rows, columns = np.mgrid[box]
    inside = inside_polygon(np.stack([columns.ravel(), rows.ravel()], axis=1).astype(float), points)
    return inside.reshape(rows.shape)


def _distance(shape: Shape, box: Box) -> NDArray[np.float32]:
    """Distance of the box's pixels from the shape's line, as far as the line with its halo reaches."""
    reach = shape.width_px / 2 + HALO_PX + 1
    top, left = box[0].start, box[1].start
    size = (box[0].stop - top, box[1].stop - left)
    distance = np.full(size, reach + 1, np.float32)
    for piece in _pieces(shape):
        start, along = piece[0] - (left, top), piece[1] - piece[0]
        near = _box(piece - (left, top), reach, max(size))
        if near is None:
            continue
        part = distance[near]
        x = np.arange(near[1].start, near[1].start + part.shape[1], dtype=np.float32)[None, :] - start[0]
        y = np.arange(near[0].start, near[0].start + part.shape[0], dtype=np.float32)[:, None] - start[1]
        at = (x * along[0] + y * along[1]) / max(float(along @ along), 1e-9)
        at = np.minimum(np.maximum(at, 0.0), 1.0)
        np.minimum(part, np.hypot(x - at * along[0], y - at * along[1]), out=part)
    return distance


def _cover(distance: NDArray[np.float32], width: float) -> NDArray[np.float32]:
    """Share of a pixel that a line of this width covers: soft edges."""
    return np.clip(width / 2 + 0.5 - distance, 0.0, 1.0)


def _box(points: FloatArray, margin: float, size: int) -> Box | None:
    """Rows and columns that hold these points; None where they lie outside the picture."""
    low = np.clip(np.floor(points.min(axis=0) - margin), 0, size).astype(int)
    high = np.clip(np.ceil(points.max(axis=0) + margin) + 1, 0, size).astype(int)
    if np.any(high <= low):
        return None
    return slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0]))


def _pieces(shape: Shape) -> Iterator[FloatArray]:
    """Straight pieces (2, 2) of an outline, cut where a dashed line has its gaps."""
    points = np.vstack([shape.points_px, shape.points_px[:1]]) if shape.closed else np.asarray(shape.points_px)
    if shape.dash is None:
        yield from (points[n : n + 2] for n in range(len(points) - 1))
        return
    lengths = np.linalg.norm(np.diff(points, axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(lengths)])
    on, off = (float(value) for value in shape.dash.split())
    for start in np.arange(0.0, along[-1], on + off):
        ends = np.array([start, min(start + on, along[-1])])
        yield np.stack([np.interp(ends, along, points[:, axis]) for axis in range(2)], axis=1)
