"""Cement and metal of an earlier operation in a body, from the CT."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from .materials import CEMENT_HU, METAL_HU
from .sampling import BodyVoxels

MIN_FOREIGN_ML = 0.1
"""Less is a calcification or a bone island [D]."""

AUGMENTED_ML = 0.5
"""So much cement was injected there; less may be a sclerotic spot or have leaked from the level beside it [D]."""


@dataclass(frozen=True)
class Foreign:
    """Volume above the thresholds in and next to the body, ml."""

    cement_ml: float
    metal_ml: float


def find_foreign(voxels: BodyVoxels) -> Foreign:
    """Cement or metal in the body and its pedicles, from the CT.

    Raises:
        ValueError: there is no CT to look at.
    """
    if voxels.hu is None:
        raise ValueError("cement and metal are only seen in a CT")
    near = ndimage.binary_dilation(voxels.bone_mm > 0, iterations=2)
    dense = near & (voxels.hu >= CEMENT_HU)
    labels, count = ndimage.label(dense)
    sizes = np.bincount(labels.ravel(), minlength=count + 1) * voxels.voxel_ml
    peak = ndimage.maximum(voxels.hu, labels, np.arange(1, count + 1)) if count else []
    is_metal = np.concatenate([[False], np.asarray(peak) >= METAL_HU])
    large = sizes >= MIN_FOREIGN_ML
    large[0] = False
    return Foreign(float(sizes[large & ~is_metal].sum()), float(sizes[large & is_metal].sum()))


def was_augmented(foreign: Foreign | None) -> bool:
    """Whether the body holds cement of an earlier operation, so that it was fractured once; False without a CT."""
    return foreign is not None and foreign.cement_ml >= AUGMENTED_ML
