"""Where the voxels of a phantom's picture lie, and where its skin is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..model import InputError
from ..model.geometry import FloatArray
from .spine import SpinePhantom

MARGIN_MM = {"front": 14.0, "behind_skin": 4.0, "ends": 6.0}
"""What the default picture shows around the spine."""
HALF_WIDTH_MM = 47.0
"""Half the width of the default picture: the transverse processes and a little more."""


def grid(
    phantom: SpinePhantom,
    spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0),
    order: str = "RAS",
    direction: NDArray | None = None,
    shift_mm: tuple[float, float, float] = (0.0, 0.0, 0.0),
    box_ras: tuple[FloatArray, FloatArray] | None = None,
) -> tuple[tuple[int, int, int], NDArray]:
    """Shape and ijk-to-RAS matrix of a grid around a phantom.

    Args:
        spacing_mm: along i, j, k.
        order: where i, j and k grow to, such as "RAS", "LPI" or "SAR".
        direction: extra 3 × 3 rotation of the grid against RAS (a tilted scan).
        shift_mm: of the grid, RAS.
        box_ras: corners of the picture; the phantom's own by default.

    """
    axes = {"R": (0, 1), "L": (0, -1), "A": (1, 1), "P": (1, -1), "S": (2, 1), "I": (2, -1)}
    if sorted(axes[letter][0] for letter in order if letter in axes) != [0, 1, 2]:
        raise InputError(f"“{order}” is no voxel order; give three letters such as RAS or LPI.")
    columns = np.zeros((3, 3))
    for column, letter in enumerate(order):
        axis, sign = axes[letter]
        columns[axis, column] = sign
    if direction is not None:
        columns = np.asarray(direction, float) @ columns
    low, high = box_ras if box_ras is not None else picture_box(phantom)
    along = corners(low, high) @ columns
    first, last = along.min(axis=0), along.max(axis=0)
    spacing = np.asarray(spacing_mm, float)
    count = np.floor((last - first) / spacing).astype(int) + 1
    matrix = np.eye(4)
    matrix[:3, :3] = columns * spacing
    matrix[:3, 3] = columns @ (first + 0.5 * (last - first - (count - 1) * spacing)) + np.asarray(shift_mm, float)
    return (int(count[0]), int(count[1]), int(count[2])), matrix


def picture_box(phantom: SpinePhantom) -> tuple[FloatArray, FloatArray]:
    """Corners in RAS of the default picture: the whole levels, the skin of the back, and a margin."""
    points = []
    for level in phantom.levels:
        if level in phantom.cut:
            continue
        low, high = phantom.local_box(level, margin_mm=0.0)
        points.append(phantom.vertebrae[level].frame.to_ras(corners(low, high)))
    stack = np.vstack(points)
    low, high = stack.min(axis=0), stack.max(axis=0)
    matrix, centre = phantom.spine_to_ras
    skin = (matrix @ np.array([0.0, back_y(phantom), 0.0]) + centre)[1]
    low[1] = min(low[1], skin - MARGIN_MM["behind_skin"])
    high[1] += MARGIN_MM["front"]
    low[0], high[0] = min(low[0], centre[0] - HALF_WIDTH_MM), max(high[0], centre[0] + HALF_WIDTH_MM)
    low[2] -= MARGIN_MM["ends"]
    high[2] += MARGIN_MM["ends"]
    return low, high


def back_y(phantom: SpinePhantom) -> float:
    """Spine coordinate y of the skin of the back in the midline."""
    tips = [phantom.to_spine(placed.frame.to_ras(placed.arch.bars[-1].end))[1] for placed in phantom.vertebrae.values()]
    return float(min(tips)) - phantom.soft.skin_behind_spinous_mm


def skin_depth(phantom: SpinePhantom, points_ras: FloatArray) -> FloatArray:
    """Depth (…,) of RAS points under the skin of the back, mm; negative in air. A furrow runs over the spine."""
    spine = phantom.to_spine(points_ras)
    x = spine[..., 0]
    surface = back_y(phantom) + x * x / 420.0 - 3.0 * (1.0 - np.exp(-((x / 25.0) ** 2)))
    return spine[..., 1] - surface


def corners(low: FloatArray, high: FloatArray) -> FloatArray:
    """The eight corners (8, 3) of a box."""
    return np.array([[(low, high)[b][a] for a, b in enumerate(bits)] for bits in np.ndindex(2, 2, 2)])
