"""The surface points one needle is measured against."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..model.geometry import FloatArray
from .isthmus import IsthmusPlane
from .surface import CANAL, NEIGHBOUR, Obstacles

ENTRY_ROUGHNESS_MM = 1.5
"""Bone surface within this depth under the plane tangent to the entry is the entry cortex itself, not a wall: the
posterior cortex of real labels is rough by about as much [D]."""

PEDICLE_ZONE_MM = 3.0
"""From this far behind the isthmus on, no wall is ever exempt: a needle that enters here comes through the side of
the pedicle [D]."""


@dataclass(frozen=True, eq=False)
class Walls:
    """Surface points of one side, sorted by kind.

    Args:
        points, normals: (N, 3) local mm.
        kind: (N,) see :mod:`.surface`.
        squared: (N,) squared distance from the frame's origin.
        in_pedicle_zone: (N,) the point is never part of an entry cortex.
    """

    points: FloatArray
    normals: FloatArray
    kind: NDArray[np.int_]
    squared: FloatArray
    in_pedicle_zone: NDArray[np.bool_]

    @classmethod
    def of(cls, obstacles: Obstacles, isthmus: IsthmusPlane, keep: NDArray[np.bool_]) -> Walls:
        """The points of a side among all obstacles of a vertebra."""
        points = np.ascontiguousarray(obstacles.points[keep])
        zone = isthmus.depth_of(points) >= -PEDICLE_ZONE_MM
        return cls(points, obstacles.normals[keep], obstacles.kind[keep], (points**2).sum(axis=1), zone)

    def range(self, kind: int) -> slice:
        """Where the points of one kind stand."""
        first, last = np.searchsorted(self.kind, [kind, kind + 1])
        return slice(int(first), int(last))

    @property
    def bone(self) -> slice:
        """Where the vertebra's own bone stands."""
        return slice(0, int(np.searchsorted(self.kind, CANAL)))

    def depth_below(self, entry: FloatArray, normal: FloatArray) -> FloatArray:
        """Depth (N,) of the points under the entry cortex: under its tangent plane moved inward by its roughness.

        Points of the pedicle zone, of the canal and of neighbours are never part of an entry cortex; their depth is
        infinite.

        Args:
            entry: (3,) point on the cortex.
            normal: (3,) its outward unit normal.
        """
        depth = float(entry @ normal) - ENTRY_ROUGHNESS_MM - self.points @ normal
        depth[self.in_pedicle_zone] = np.inf
        depth[self.bone.stop :] = np.inf
        return np.asarray(depth)


KINDS = tuple(range(NEIGHBOUR + 1))
