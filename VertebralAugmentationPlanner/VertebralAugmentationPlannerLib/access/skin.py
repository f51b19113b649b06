"""Where the needle leaves the skin."""

from __future__ import annotations

import numpy as np

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

STEP_MM = 0.5
REACH_MM = 300.0
"""How far the search goes: no patient is thicker behind the spine [D]."""


def skin_point(ct: Image, entry_ras: FloatArray, target_ras: FloatArray) -> FloatArray | None:
    """First point on the skin, going backward from the entry along the needle.

    Args:
        ct: CT in HU.
        entry_ras, target_ras: (3,) RAS, mm.

    Returns:
        (3,) RAS point, or None where the CT ends before the skin.
    """
    outward = unit(np.asarray(entry_ras, float) - np.asarray(target_ras, float))
    distances = np.arange(0.0, REACH_MM, STEP_MM)
    values = ct.sample(entry_ras + distances[:, None] * outward, outside=np.nan)
    values[values < PADDING_HU] = np.nan
    ended = np.flatnonzero(np.isnan(values))
    if ended.size:
        distances, values = distances[: ended[0]], values[: ended[0]]
    air = values < AIR_HU
    for start, stop in _runs(air):
        # A CT cropped at the back ends just behind the skin: air up to its end is the outside, however short.
        needed = END_RUN_MM if stop == len(air) else AIR_RUN_MM
        if start == 0 or (stop - start) * STEP_MM < needed:
            continue
        tissue_behind = [b - a for a, b in _runs(~air[stop:])]
        if any(length * STEP_MM >= TISSUE_RUN_MM for length in tissue_behind):
            continue
        inside, outside = values[start - 1], values[start]
        share = (inside - AIR_HU) / (inside - outside)
        return np.asarray(entry_ras + (distances[start - 1] + share * STEP_MM) * outward)
    return None


def _runs(flags: np.ndarray) -> list[tuple[int, int]]:
    """Half-open index ranges in which the flags are set."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(int)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
