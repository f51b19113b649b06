"""Metal and cement of an earlier operation in a needle's way, read in the CT."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..measurement.materials import CEMENT_HU, METAL_HU
from ..model import Image
from ..model.geometry import FloatArray, unit

STEP_MM = 0.5
RING = 8
"""The tube is read along its axis and along so many lines on its surface, every half millimetre."""

BLOCKED_MM = 2.0
"""A longer part of the tube in dense material is no calcification and no blur beside it [D]."""

BEHIND_MM = 80.0
"""So far behind the entry the way is looked at where the skin is not known [D]."""


@dataclass(frozen=True)
class InTheWay:
    """How much of a needle's way meets material denser than bone, mm.

    Args:
        metal_mm, cement_mm: between entry and target, dense material that is as bright as metal somewhere, or not.
        behind_mm: metal between skin and entry.
    """

    metal_mm: float
    cement_mm: float
    behind_mm: float

    @property
    def blocked(self) -> bool:
        """Whether metal lies where the needle has to go through the bone."""
        return self.metal_mm >= BLOCKED_MM


def in_the_way(
    ct: Image, entry_ras: FloatArray, target_ras: FloatArray, radius_mm: float, skin_ras: FloatArray | None = None
) -> InTheWay:
    """What a cannula of a radius meets in a CT (HU); off the CT nothing is known and nothing counts.

    Args:
        entry_ras, target_ras, skin_ras: (3,) RAS, mm; the last where it is known.
    """
    entry, target = np.asarray(entry_ras, float), np.asarray(target_ras, float)
    ahead = unit(target - entry)
    behind = BEHIND_MM if skin_ras is None else float(np.linalg.norm(np.asarray(skin_ras, float) - entry))
    along = np.arange(-behind, np.linalg.norm(target - entry), STEP_MM)
    brightest = ct.sample(entry + along[:, None, None] * ahead + _rim(ahead, radius_mm), outside=-np.inf).max(axis=1)
    inside, behind_it = (
        (STEP_MM * float(np.count_nonzero(part >= CEMENT_HU)), bool((part >= METAL_HU).any()))
        for part in (brightest[along >= 0], brightest[along < 0])
    )
    metal_mm = inside[0] if inside[1] else 0.0
    return InTheWay(metal_mm, inside[0] - metal_mm, behind_it[0] if behind_it[1] else 0.0)


def _rim(ahead: FloatArray, radius_mm: float) -> FloatArray:
    """(RING + 1, 3) offsets from the axis: none, and those to the tube's surface around it."""
    across = unit(np.cross(ahead, np.eye(3)[np.abs(ahead).argmin()]))
    angles = np.linspace(0.0, 2.0 * np.pi, RING, endpoint=False)[:, None]
    ring = radius_mm * (np.cos(angles) * across + np.sin(angles) * np.cross(ahead, across))
    return np.concatenate([np.zeros((1, 3)), ring])
