"""The surface points one needle is measured against."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..model.geometry import FloatArray
from .isthmus import IsthmusPlane
from .surface import CANAL, NEIGHBOUR, Obstacles

ENTRY_ROUGHNESS_MM = 1.5
"""Bone surface within this depth under the plane tangent to the entry is the entry cortex itself, not a wall: the
posterior cortex of real labels is rough by about as much [D]."""

PEDICLE_ZONE_MM = 4.0
"""From this far behind the isthmus on the pedicle's walls count, whatever the entry: a needle that enters here comes
through the side of the pedicle [D]."""

ZONE_RISE = 2.0
"""How fast they come to count: this much depth for each mm towards the isthmus, so that there is no jump [D]."""


@dataclass(frozen=True, eq=False)
class Walls:
    """Surface points of one side, sorted by kind.

    Args:
        points, normals: (N, 3) local mm.
        kind: (N,) see :mod:`.surface`.
        squared: (N,) squared distance from the frame's origin.
        zone_depth: (N,) depth at which the point counts whatever the entry; infinite for the canal and neighbours,
            negative behind the pedicle.
    """

    points: FloatArray
    normals: FloatArray
    kind: NDArray[np.int_]
    squared: FloatArray
    zone_depth: FloatArray

    @classmethod
    def of(cls, obstacles: Obstacles, isthmus: IsthmusPlane, keep: NDArray[np.int_]) -> Walls:
        """The points of a side, by their numbers among all obstacles of a vertebra."""
        points = np.ascontiguousarray(obstacles.points[keep])
        kind = obstacles.kind[keep]
        zone = ZONE_RISE * (isthmus.depth_of(points) + PEDICLE_ZONE_MM)
        zone[kind >= CANAL] = np.inf
        return cls(points, obstacles.normals[keep], kind, (points**2).sum(axis=1), zone)

    def part(self, numbers: NDArray[np.int_]) -> Walls:
        """Some of the points, by their numbers, which rise."""
        return Walls(
            self.points.take(numbers, axis=0),
            self.normals.take(numbers, axis=0),
            self.kind.take(numbers),
            self.squared.take(numbers),
            self.zone_depth.take(numbers),
        )

    @cached_property
    def rows(self) -> FloatArray:
        """The points as three rows (3, N), which multiply in half the time."""
        return np.ascontiguousarray(self.points.T)

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

        The canal and neighbours are never part of an entry cortex, the pedicle's own walls less and less.

        Args:
            entry: (3,) point on the cortex.
            normal: (3,) its outward unit normal.
        """
        depth = float(entry @ normal) - ENTRY_ROUGHNESS_MM - self.points @ normal
        return np.maximum(depth, self.zone_depth)


def ball_clearance(radial: FloatArray, depth: FloatArray) -> FloatArray:
    """Radius (N,) of the largest ball that runs along an axis past points at these distances from it.

    The ball starts where it lies wholly under the entry cortex. A point at radial distance ρ and depth e under that
    cortex is met by the ball's side, ρ, where e ≥ ρ; a shallower one, on the rim of the entry hole, only by a larger
    ball that has just come under, (ρ² + e²) / 2e; one above the cortex never. So a curved back of a vertebra doesn't
    count as a wall, and what counts does so without a jump.

    Args:
        radial: (N,) distance from the axis, mm.
        depth: (N,) from :meth:`Walls.depth_below`; 0 or less is exempt, infinite counts fully.
    """
    rim = depth < radial
    safe = np.where(rim & (depth > 0), depth, 1.0)
    ball = np.where(rim, (radial**2 + safe**2) / (2.0 * safe), radial)
    return np.where(depth > 0, ball, np.inf)


KINDS = tuple(range(NEIGHBOUR + 1))
