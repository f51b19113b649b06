"""Which values a label map holds and where their middles lie: one quick pass over the voxels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..model.geometry import FloatArray


def label_centres(voxels: NDArray) -> dict[int, FloatArray]:
    """Centre (3,) in voxels (i, j, k) of each value above zero, values ascending.

    Args:
        voxels: (I, J, K) integers; fastest where K is the slowest axis in memory, as in MRML.
    """
    sums: dict[int, FloatArray] = {}
    for k in range(voxels.shape[2]):
        plane = voxels[:, :, k]
        i, j = np.nonzero(plane > 0)
        if not len(i):
            continue
        values, index = np.unique(plane[i, j], return_inverse=True)
        count = np.bincount(index)
        totals = (np.bincount(index, weights=i), np.bincount(index, weights=j), k * count, count)
        for value, total in zip(values, np.stack(totals, axis=1), strict=True):
            sums[int(value)] = sums.get(int(value), np.zeros(4)) + total
    return {value: sums[value][:3] / sums[value][3] for value in sorted(sums)}


def mask_centre(voxels: NDArray) -> FloatArray | None:
    """Centre (3,) in voxels of a mask; None for an empty one."""
    inside = voxels != 0
    across = [np.count_nonzero(inside, axis=other) for other in ((1, 2), (0, 2), (0, 1))]
    total = int(across[0].sum())
    if not total:
        return None
    return np.array([float(counts @ np.arange(len(counts))) / total for counts in across])
