"""Gas in the body: the intravertebral vacuum cleft."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from .sampling import BodyVoxels

GAS_HU = -200.0
"""Certain gas. No published threshold was found; fat ends at −130 HU and gas mixed with bone still lies below [D]."""

GAS_EDGE_HU = -100.0
"""Voxels connected to certain gas belong to the cleft down to here (partial volume) [D]."""

MIN_CLEFT_ML = 0.05
"""Less is noise or a single gas bubble [D]."""

ERODED_MM = 1.5
"""The search keeps off the surface: gas in a disc is no cleft [D]."""

_TOUCHING = np.ones((3, 3, 3), bool)


def cleft_volume_ml(voxels: BodyVoxels) -> float | None:
    """Volume of gas inside the body, ml; 0.0 where a CT shows none, None without a CT."""
    if voxels.hu is None:
        return None
    searched = voxels.body & (voxels.inside_mm >= ERODED_MM)
    candidates = searched & (voxels.hu <= GAS_EDGE_HU)
    labels, count = ndimage.label(candidates, _TOUCHING)
    if count == 0:
        return 0.0
    volume = np.bincount(labels.ravel(), minlength=count + 1) * voxels.voxel_ml
    certain = np.zeros(count + 1, bool)
    certain[np.unique(labels[searched & (voxels.hu <= GAS_HU)])] = True
    kept = certain & (volume >= MIN_CLEFT_ML)
    kept[0] = False
    return float(volume[kept].sum())
