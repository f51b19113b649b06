"""CT values of what is neither bone nor soft tissue, and whether a CT can show them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..case.gas_gaps import GAS_HU
from ..model import Image

CEMENT_HU = 1600.0
"""What is denser is cement and no bone [V: BICEPS]."""

CEMENT_SOURCE = f"Cement above {CEMENT_HU:.0f} HU (BICEPS) [V]"
"""What warnings of cement name as their source."""

METAL_HU = 2800.0
"""Cement ends at about 3000 HU, metal saturates many scanners at 3071 HU [M]; between them by design [D]."""

CLIPPED_SHARE = 0.001
"""A CT whose lowest value is above gas and fills this share of it was cut off there (stored in a window): a crop without air or
fat has single darkest voxels [D]."""

CLIPPED_TOP_VOXELS = 30
"""So many voxels at a CT's highest value, where that is below cement, show that it was cut off there: bone has single brightest
voxels [D]."""

SHOWS_BONE_HU = 500.0
"""A CT cut off below this cuts off part of the trabecular bone's own values, noise included: no density is read from it [D]."""


@dataclass(frozen=True)
class Window:
    """Where the values of a CT were cut off; None where they were not, or where it makes no difference.

    Args:
        above_gas_hu: the lowest value, where gas cannot show because of it.
        below_cement_hu: the highest value, where cement and metal cannot show because of it.
    """

    above_gas_hu: float | None = None
    below_cement_hu: float | None = None

    @property
    def dense_hu(self) -> float:
        """From here on a voxel is no bone, or may be none."""
        return CEMENT_HU if self.below_cement_hu is None else self.below_cement_hu

    @property
    def shows_bone(self) -> bool:
        """Whether trabecular bone keeps its values."""
        return self.dense_hu >= SHOWS_BONE_HU


def window_of(ct: Image) -> Window:
    """Where a CT (HU) was cut off."""
    voxels = ct.voxels
    lowest, highest = float(voxels.min()), float(voxels.max())
    low = lowest > GAS_HU and np.count_nonzero(voxels == lowest) >= CLIPPED_SHARE * voxels.size
    high = highest < CEMENT_HU and np.count_nonzero(voxels == highest) >= CLIPPED_TOP_VOXELS
    return Window(lowest if low else None, highest if high else None)
