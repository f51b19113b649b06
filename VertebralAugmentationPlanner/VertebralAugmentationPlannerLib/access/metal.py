"""Metal and cement of an earlier operation in a needle's way, read in the CT."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..measurement.materials import CEMENT_HU, METAL_HU
from ..model import Image, Vertebra
from ..model.geometry import FloatArray, unit
from .clearance import PathCheck
from .surface import posterior_wall_at

STEP_MM = 1.0
RING = 8
"""The tube is read along its axis and along so many lines on its surface, every millimetre."""

BLOCKED_MM = 2.0
"""A longer part of the tube in dense material is no calcification and no blur beside it [D]."""


SCREW_MM = 5.0
"""A longer part of the way through the pedicle in material as dense as cement is a screw, whatever its brightest voxels say:
cement lies in bodies, and a CT that was cut off, or titanium blurred by a voxel, does not reach metal's values [D]."""


@dataclass(frozen=True)
class InTheWay:
    """Material denser than bone on a part of a needle's way.

    Args:
        dense_mm: how much of that part meets it.
        metal_mm: how much of that is as bright as metal.
    """

    dense_mm: float
    metal_mm: float

    @property
    def blocks(self) -> bool:
        """Whether metal lies where the needle has to go: a bright grain in earlier cement is none."""
        return self.metal_mm >= BLOCKED_MM

    @property
    def is_cement(self) -> bool:
        """Whether it is probably earlier cement."""
        return not self.blocks and self.dense_mm >= BLOCKED_MM

    @property
    def length_mm(self) -> float:
        """How much of the way it takes: of metal that blocks it the metal alone, else all that is dense."""
        return self.metal_mm if self.blocks else self.dense_mm


def in_the_way(ct: Image, start_ras: FloatArray, end_ras: FloatArray, radius_mm: float) -> InTheWay:
    """What a cannula of a radius meets in a CT (HU) between two points of its axis; (3,) RAS, mm.

    Off the CT nothing is known and nothing counts.
    """
    start, end = np.asarray(start_ras, float), np.asarray(end_ras, float)
    ahead = unit(end - start)
    along = np.arange(0.0, np.linalg.norm(end - start), STEP_MM)
    points = start + along[:, None, None] * ahead + _rim(ahead, radius_mm)
    brightest = ct.sample(points, order=0, outside=-np.inf).max(axis=1)
    dense, metal = (STEP_MM * float(np.count_nonzero(brightest >= least)) for least in (CEMENT_HU, METAL_HU))
    return InTheWay(dense, metal)


class Blocked(NamedTuple):
    """What no needle gets through: on how many mm of the way, and what it is in words."""

    length_mm: float
    what: str


def blocked(ct: Image | None, vertebra: Vertebra, check: PathCheck) -> Blocked | None:
    """Metal on a path, or a screw in its pedicle, in the CT; None where it is free, or nothing can be told."""
    if ct is None or vertebra.frame is None:
        return None
    entry, target = (vertebra.frame.to_ras(point) for point in (check.entry, check.target))
    found = in_the_way(ct, entry, target, check.radius_mm)
    if found.blocks:
        return Blocked(found.length_mm, "metal")
    if found.is_cement:
        way = check.entry + np.arange(0.0, check.bone_path_mm, STEP_MM)[:, None] * check.direction
        behind = np.count_nonzero(way[:, 1] <= posterior_wall_at(vertebra, way))
        wall = vertebra.frame.to_ras(check.entry + behind * STEP_MM * check.direction)
        if behind and in_the_way(ct, entry, wall, check.radius_mm).dense_mm >= SCREW_MM:
            return Blocked(found.dense_mm, "metal or cement")
    return None


_ANGLES = np.linspace(0.0, 2.0 * np.pi, RING, endpoint=False)
_CIRCLE = np.concatenate([np.zeros((1, 2)), np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)])


def _rim(ahead: FloatArray, radius_mm: float) -> FloatArray:
    """(RING + 1, 3) offsets from the axis: none, and those to the tube's surface around it."""
    x, y, z = ahead
    # Two directions square to it: of the three axes the one that it runs least along makes the first.
    across = unit(np.array([(0.0, z, -y), (-z, 0.0, x), (y, -x, 0.0)][int(np.abs(ahead).argmin())]))
    a, b, c = across
    return radius_mm * _CIRCLE @ np.array([(a, b, c), (y * c - z * b, z * a - x * c, x * b - y * a)])
