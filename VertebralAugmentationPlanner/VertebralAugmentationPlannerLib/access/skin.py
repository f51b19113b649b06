"""Where the needle leaves the skin."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..model import Image
from ..model.geometry import FloatArray, unit

AIR_HU = -300.0
"""Below this a sample is gas: half-way between fat (−100) and air (−1000), on the fat side, so that the blurred
skin line falls within half a voxel of the true one [D]."""

PADDING_HU = -1500.0
"""Below this a sample is the scanner's padding outside the field of view, not air: the CT has ended [D]."""

AIR_RUN_MM = 5.0
"""Air that lasts less is a skin fold, a gas bubble or noise [D]."""

END_RUN_MM = 1.0
"""Air up to the CT's last voxel counts from this length on [D]."""

TISSUE_RUN_MM = 15.0
"""Unbroken tissue behind the air means that the air was a lung or a bowel loop; a table top or a mattress cover
is thinner, even when cut obliquely [D]."""

PADDING_VOXELS = 1
"""So near to padding a voxel may be mixed with it, where the CT was resampled: it says nothing of the patient [D]."""

CONSTANT_HU = 1.0
"""Air whose samples differ by no more has no noise: it is the fill outside the field of view, or air that the scanner
clipped at its lowest value [D]."""

EDGE_VOXELS = 4
"""So far around the point where the air begins the voxels are looked at for the blur that every skin has [D]."""

STEP_MM = 0.5
REACH_MM = 300.0
"""How far the search goes: no patient is thicker behind the spine [D]."""


def skin_point(ct: Image, entry_ras: FloatArray, target_ras: FloatArray) -> FloatArray | None:
    """First point on the skin, going backward from the entry along the needle.

    Args:
        ct: CT in HU.
        entry_ras, target_ras: (3,) RAS, mm.

    Returns:
        (3,) RAS point, or None where the CT, or its field of view, ends before the skin.
    """
    outward = unit(np.asarray(entry_ras, float) - np.asarray(target_ras, float))
    distances = np.arange(0.0, REACH_MM, STEP_MM)
    points = entry_ras + distances[:, None] * outward
    values = ct.sample(points, outside=np.nan)
    ended = np.flatnonzero(np.isnan(values) | _near_padding(ct, points))
    if ended.size:
        distances, points, values = distances[: ended[0]], points[: ended[0]], values[: ended[0]]
    air = values < AIR_HU
    for start, stop in _runs(air):
        # A CT cropped at the back ends just behind the skin: air up to its end is the outside, however short.
        needed = END_RUN_MM if stop == len(air) else AIR_RUN_MM
        if start == 0 or (stop - start) * STEP_MM < needed:
            continue
        tissue_behind = [b - a for a, b in _runs(~air[stop:])]
        if any(length * STEP_MM >= TISSUE_RUN_MM for length in tissue_behind):
            continue
        if _is_edge_of_view(ct, points[start:stop]):
            return None
        inside, outside = values[start - 1], values[start]
        share = (inside - AIR_HU) / (inside - outside)
        return np.asarray(entry_ras + (distances[start - 1] + share * STEP_MM) * outward)
    return None


def _near_padding(ct: Image, points_ras: FloatArray) -> NDArray[np.bool_]:
    """(N,) whether padding lies in the voxels about each point, or one further; points (N, 3) RAS, mm.

    Read voxel by voxel: between tissue and padding every value of air can be interpolated.
    """
    low = np.floor(ct.to_ijk(points_ras)).astype(int) - PADDING_VOXELS
    near = np.arange(2 + 2 * PADDING_VOXELS)
    last = np.array(ct.voxels.shape) - 1
    i, j, k = (np.clip(low[:, axis, None] + near, 0, last[axis]) for axis in range(3))
    around = ct.voxels[i[:, :, None, None], j[:, None, :, None], k[:, None, None, :]]
    return np.asarray((around < PADDING_HU).any(axis=(1, 2, 3)))


def _is_edge_of_view(ct: Image, air_ras: FloatArray) -> bool:
    """Whether air that begins at the first of these points (N, 3) is the fill outside the field of view.

    Air may be one value without noise in a good CT too: scanners clip it. But a skin is blurred into it, by the scanner
    and by the voxels that it cuts, and the fill is put beside the last voxel of tissue: of the steps from tissue into
    that value, most then skip everything between.
    """
    voxels = np.rint(ct.to_ijk(air_ras)).astype(int)
    i, j, k = voxels.T
    read = ct.voxels[i, j, k]
    fill = read[len(read) // 2 :].min()
    constant = read[len(read) // 2 :].max() - fill <= CONSTANT_HU
    if not constant:
        return False
    low = np.maximum(voxels[0] - EDGE_VOXELS, 0)
    high = voxels[0] + EDGE_VOXELS + 1
    box = ct.voxels[low[0] : high[0], low[1] : high[1], low[2] : high[2]]
    filled, tissue = np.abs(box - float(fill)) <= CONSTANT_HU, box >= AIR_HU
    blurred = int(np.count_nonzero(~filled & ~tissue))
    sharp = 0
    for axis in range(3):
        before, after = slice(None, -1), slice(1, None)
        one, other = [tuple(part if n == axis else slice(None) for n in range(3)) for part in (before, after)]
        sharp += int(np.count_nonzero((filled[one] & tissue[other]) | (tissue[one] & filled[other])))
    return sharp > blurred


def _runs(flags: np.ndarray) -> list[tuple[int, int]]:
    """Half-open index ranges in which the flags are set."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(int)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
