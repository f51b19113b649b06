"""Which values a label map holds and where their middles lie: one quick pass over the voxels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..model.geometry import FloatArray


MOST_COUNTED = 65535
"""Largest value counted directly; a table of this length is made anew for each plane. Values above it are sorted. [D]"""


def label_centres(voxels: NDArray) -> dict[int, FloatArray]:
    """Centre (3,) in voxels (i, j, k) of each value above zero, values ascending.

    Args:
        voxels: (I, J, K) integers; fastest where K is the slowest axis in memory, as in MRML.
    """
    sums: dict[int, FloatArray] = {}
    all_j, all_i = (axis.ravel().astype(float) for axis in np.indices(voxels.shape[1::-1]))
    for k in range(voxels.shape[2]):
        plane = voxels[:, :, k].T.ravel()  # MRML keeps i as the fastest: no copy is made
        where = np.flatnonzero(plane > 0)
        if not len(where):
            continue
        i, j = all_i[where], all_j[where]
        values, index = _numbered(plane[where])
        count = np.bincount(index, minlength=len(values))
        totals = np.stack((np.bincount(index, i, len(values)), np.bincount(index, j, len(values)), k * count, count))
        for n in np.flatnonzero(count):
            value = int(values[n])
            sums[value] = sums.get(value, np.zeros(4)) + totals[:, n]
    return {value: sums[value][:3] / sums[value][3] for value in sorted(sums)}


def _numbered(found: NDArray) -> tuple[NDArray, NDArray]:
    """Values, and the place of each found one among them. Not every value need be there."""
    largest = int(found.max())
    if largest <= MOST_COUNTED:
        return np.arange(largest + 1), found.astype(np.intp, copy=False)  # an old bincount takes no uint64
    return np.unique(found, return_inverse=True)
