"""The surface points near one line, in groups that each count in their own way, and the line past them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..model.geometry import FloatArray, unit
from .candidates import STRICT_ROUGHNESS_MM, Line
from .clearance import PathEvaluator
from .reading import OUTSIDE_REACH_MM
from .surface import ANTERIOR, CANAL, ENDPLATE, LATERAL, NEIGHBOUR, WALL
from .walls import ENTRY_ROUGHNESS_MM, KINDS, PEDICLE_ZONE_MM, ball_clearance
from .wishes import CORE, ENTRY, EVERY, RIM, Wishes

LOOK_MM = 2.5
"""Surface points farther from the line than the nearest of their kind by more than this don't enter [D]."""

Ends = tuple[FloatArray, FloatArray]
"""A gradient (3,) by the first point of a line, and one by its tip."""


@dataclass(frozen=True, eq=False)
class Ray:
    """Where points stand along and beside the line through ``a`` that ends at ``a + span``.

    Args:
        a, span: (3,) the line's first point, in the isthmus, and the way to its tip.
        axis: (3,) the pedicle's.
        first: share of the way at which the pedicle begins; behind ``a``, so below 0.
        along: (N,) mm from ``a``.
        share: (N,) of the way at which a point is nearest, at most 1.
        distance: (N,) from the line, mm.
    """

    a: FloatArray
    span: FloatArray
    axis: FloatArray
    first: float
    along: FloatArray
    share: FloatArray
    distance: FloatArray

    @classmethod
    def past(cls, rows: FloatArray, squared: FloatArray, a: FloatArray, b: FloatArray, axis: FloatArray) -> Ray:
        """The line from ``a`` to ``b`` past points (3, N) with these squared distances (N,) from the origin."""
        span = b - a
        length_squared = float(span @ span)
        by_a, by_span = np.array([a, span]) @ rows
        ahead = by_span - float(a @ span)
        share = np.minimum(ahead / length_squared, 1.0)
        gap = squared - 2.0 * by_a + (float(a @ a) - share * (2.0 * ahead - share * length_squared))
        first = -PEDICLE_ZONE_MM / float(span @ axis)
        return cls(a, span, axis, first, ahead / length_squared**0.5, share, np.sqrt(np.maximum(gap, 1e-12)))

    @cached_property
    def length(self) -> float:
        """Of the way, mm."""
        return math.sqrt(float(self.span @ self.span))

    def beside(self, points: FloatArray, share: FloatArray) -> FloatArray:
        """(K, 3) the way to points (K, 3) from the line at these shares (K,) of its own."""
        return points - self.a - share[:, None] * self.span

    def gradient(self, away: FloatArray, share: FloatArray, pull: FloatArray) -> Ends:
        """Gradient of the weighted sum of the distances of points that lie so far beside the line at these shares; ``pull``:
        (K,) weight by distance."""
        by_tip = -(away.T @ (pull * share))
        return -(away.T @ pull) - by_tip, by_tip


@dataclass(frozen=True, eq=False)
class EntryCortex:
    """The cortex where a line enters the bone, as a plane that is held still while the line moves.

    Args:
        point, normal: (3,) local, the normal outward.
    """

    point: FloatArray
    normal: FloatArray

    def depth_along(self, ray: Ray, along: FloatArray) -> FloatArray:
        """Depth (K,) of points ``along`` a line (K,), from where it crosses the plane."""
        rate = float(ray.span @ self.normal) / ray.length
        return np.asarray(along - float((self.point - ray.a) @ self.normal) / rate)

    def depth_gradient(self, ray: Ray, points: FloatArray, weight: FloatArray) -> Ends:
        """Gradient of the weighted sum of the depths of points (K, 3)."""
        length = ray.length
        direction = ray.span / length
        rate, height = float(direction @ self.normal), float((self.point - ray.a) @ self.normal)
        total = float(weight.sum())
        turn = weight @ (points - ray.a) + total * height / rate**2 * self.normal
        by_tip = (turn - direction * float(direction @ turn)) / length
        return total * (self.normal / rate - direction) - by_tip, by_tip


@dataclass(frozen=True, eq=False)
class Group:
    """Surface points that count by their distance from the line.

    Args:
        range: where they stand among :class:`Nearby`'s.
        needed: distance that the axis needs from them, mm.
    """

    range: slice
    needed: float

    def clearance(self, ray: Ray) -> FloatArray:
        """What the line keeps (N,) from each point beyond the need, mm; infinite for what is entry cortex."""
        return np.asarray(ray.distance[self.range] - self.needed)

    def gradient(self, ray: Ray, points: FloatArray, few: NDArray[np.int_], weight: FloatArray) -> Ends:
        """Gradient of the weighted sum of the clearance from a few points (K, 3), by their numbers in the group."""
        at = few + self.range.start
        share = ray.share.take(at)
        return ray.gradient(ray.beside(points, share), share, weight / ray.distance.take(at))


@dataclass(frozen=True, eq=False)
class Core(Group):
    """Walls and canal, which count from where the pedicle begins on the line.

    Args:
        wall: (N,) flags of the walls. What lies behind that place counts by its distance from it; the canal counts by
            its distance from all of the line.
    """

    wall: NDArray[np.bool_]

    def clearance(self, ray: Ray) -> FloatArray:
        return from_pedicle(ray, ray.distance[self.range], ray.share[self.range], self.wall)

    def gradient(self, ray: Ray, points: FloatArray, few: NDArray[np.int_], weight: FloatArray) -> Ends:
        """As in :class:`Group`; a wall behind the pedicle's beginning is held by that place alone."""
        at, wall = few + self.range.start, self.wall.take(few)
        share = ray.share.take(at)
        pull = weight / from_pedicle(ray, ray.distance.take(at), share, wall)
        behind = wall & (share < ray.first)
        share = np.where(behind, ray.first, share)
        away = ray.beside(points, share)
        by_a, by_tip = ray.gradient(away, share, pull)
        if behind.any():
            # The pedicle's beginning moves along a line that turns.
            moves = float((pull * behind) @ (away @ ray.span)) * ray.first / float(ray.span @ ray.axis) * ray.axis
            by_a, by_tip = by_a - moves, by_tip + moves
        return by_a, by_tip


@dataclass(frozen=True, eq=False)
class Rim(Group):
    """The rim of the entry hole: a point counts by its depth (N,) under the cortex where that is what saves it."""

    depth: FloatArray

    def clearance(self, ray: Ray) -> FloatArray:
        return np.maximum(super().clearance(ray), -self.depth)

    def gradient(self, ray: Ray, points: FloatArray, few: NDArray[np.int_], weight: FloatArray) -> Ends:
        beside = ray.distance.take(few + self.range.start) - self.needed >= -self.depth.take(few)
        return super().gradient(ray, points, few, weight * beside)


@dataclass(frozen=True, eq=False)
class UnderCortex(Group):
    """Walls as :func:`.walls.ball_clearance` reads them: the less they count, the nearer they lie to the entry cortex.

    Args:
        least: (N,) depth by which they count at least, mm; else it is that along the needle.
        cortex: where the line enters.
        roughness_mm: how much of the cortex along the needle is exempt.
    """

    least: FloatArray
    cortex: EntryCortex
    roughness_mm: float

    def clearance(self, ray: Ray) -> FloatArray:
        depth = np.maximum(self.least, self._along(ray, ray.along[self.range]))
        return np.asarray(ball_clearance(ray.distance[self.range], depth) - self.needed)

    def gradient(self, ray: Ray, points: FloatArray, few: NDArray[np.int_], weight: FloatArray) -> Ends:
        """As in :class:`Group`; a point on the rim of the hole counts more as the needle goes deeper."""
        at, least = few + self.range.start, self.least.take(few)
        distance, along = ray.distance.take(at), self._along(ray, ray.along.take(at))
        depth = np.maximum(least, along)
        # On the rim of the hole the ball's radius (ρ² + e²) / 2e grows by ρ/e with ρ, and by (1 − ρ²/e²) / 2 with e.
        rim = depth < distance
        steepness = np.where(rim, distance / np.where(rim, depth, 1.0), 1.0)
        by_a, by_tip = super().gradient(ray, points, few, weight * steepness)
        deepening = rim & (along > least)
        if deepening.any():
            weight = weight * np.where(deepening, 0.5 - 0.5 * steepness**2, 0.0)
            deeper_a, deeper_tip = self.cortex.depth_gradient(ray, points, weight)
            by_a, by_tip = by_a + deeper_a, by_tip + deeper_tip
        return by_a, by_tip

    def _along(self, ray: Ray, along: FloatArray) -> FloatArray:
        return self.cortex.depth_along(ray, along) - self.roughness_mm


@dataclass(frozen=True, eq=False)
class Nearby:
    """The surface points (N, 3) that matter near a line, one group after the other."""

    points: FloatArray
    groups: dict[int, Group]

    @cached_property
    def rows(self) -> FloatArray:
        """The points as three rows (3, N), which multiply in half the time."""
        return np.ascontiguousarray(self.points.T)

    @cached_property
    def squared(self) -> FloatArray:
        """(N,) squared distances of the points from the frame's origin."""
        return np.asarray(np.einsum("ij,ij->i", self.points, self.points))

    @classmethod
    def of(cls, evaluator: PathEvaluator, line: Line, wishes: Wishes, cortex: EntryCortex) -> Nearby:
        """The points near a line that enters through this cortex."""
        walls, needed = evaluator.coarse, wishes.needed()
        depth = walls.depth_below(cortex.point, cortex.normal)
        chosen = _chosen(evaluator, line, cortex, depth, needed)
        groups: dict[int, Group] = {}
        first = 0
        for name, numbers in chosen.items():
            if not numbers.size:
                continue
            part = slice(first, first + numbers.size)
            if name == CORE:
                groups[name] = Core(part, 0.0, walls.kind[numbers] != CANAL)
            elif name == RIM:
                groups[name] = Rim(part, needed[RIM], depth[numbers])
            elif name == EVERY:
                groups[name] = UnderCortex(part, 0.0, walls.zone_depth[numbers], cortex, STRICT_ROUGHNESS_MM)
            elif name == ENTRY:
                groups[name] = UnderCortex(part, needed[ENTRY], depth[numbers], cortex, ENTRY_ROUGHNESS_MM)
            else:
                groups[name] = Group(part, needed[name])
            first = part.stop
        return cls(walls.points[np.concatenate(list(chosen.values()))], groups)


def _chosen(
    evaluator: PathEvaluator, line: Line, cortex: EntryCortex, depth: FloatArray, needed: dict[int, float]
) -> dict[int, NDArray[np.int_]]:
    """Numbers of the surface points in play around a line, by group.

    Args:
        depth: of all points under the cortex, mm.
        needed: distance of the axis to each group, mm.
    """
    walls = evaluator.coarse
    ray = Ray.past(walls.points.T, walls.squared, line.crossing, line.tip, evaluator.isthmus.axis)
    distance, inward = ray.distance, ray.along - float((cortex.point - line.crossing) @ unit(ray.span))
    passed = inward >= np.where(walls.kind < CANAL, 0.0, -OUTSIDE_REACH_MM)
    of_kind = {kind: _where(passed, walls.range(kind)) for kind in KINDS}
    wall = of_kind[WALL]
    core = np.concatenate([wall, of_kind[CANAL]])
    every = np.concatenate([of_kind[kind] for kind in (WALL, ENDPLATE, ANTERIOR, LATERAL, CANAL)])
    rim = wall[depth[wall] > 0]
    # The way from the entry to the tip is read along the needle alone, which no spur beside the entry can tilt.
    strictly = np.maximum(walls.zone_depth[every], inward[every] - STRICT_ROUGHNESS_MM)
    # Deeper of two readings: under the tangent plane, and along the needle. A line that is wide by both does not lean
    # on how the cortex's direction is read, and meets it squarely. The pedicle's own walls count whatever the entry.
    deeper = np.maximum(depth[wall], inward[wall] - ENTRY_ROUGHNESS_MM)
    return {
        CORE: _in_play(core, from_pedicle(ray, distance[core], ray.share[core], walls.kind[core] != CANAL)),
        RIM: _in_play(rim, distance[rim], needed[RIM]),
        EVERY: _in_play(every, ball_clearance(distance[every], strictly)),
        ENTRY: _in_play(wall, ball_clearance(distance[wall], deeper), needed[ENTRY]),
        **{
            kind: _in_play(of_kind[kind], distance[of_kind[kind]], needed[kind])
            for kind in (ENDPLATE, ANTERIOR, LATERAL, NEIGHBOUR)
        },
    }


def _in_play(numbers: NDArray[np.int_], reading: FloatArray, needed: float = np.inf) -> NDArray[np.int_]:
    """Those of the points that one step may bring into play, by how near they are counted; none where that is too far from
    what is needed."""
    nearest = float(reading.min(initial=np.inf))
    return numbers[reading <= nearest + LOOK_MM] if nearest <= needed + LOOK_MM else numbers[:0]


def from_pedicle(ray: Ray, distance: FloatArray, share: FloatArray, wall: NDArray[np.bool_]) -> FloatArray:
    """Distance (N,) of points from a line; of walls from its part that begins with the pedicle."""
    behind = np.where(wall & (share < ray.first), ray.first - share, 0.0)
    return np.asarray(np.sqrt(distance**2 + behind**2 * float(ray.span @ ray.span)))


def _where(flags: NDArray[np.bool_], part: slice) -> NDArray[np.int_]:
    """Numbers of the flagged points within a part."""
    return np.flatnonzero(flags[part]) + part.start
