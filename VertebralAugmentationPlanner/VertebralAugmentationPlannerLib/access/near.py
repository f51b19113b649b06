"""The surface points near one line, grouped by what the line needs from them, and its distance to each."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..model import Margins
from ..model.geometry import FloatArray, unit
from .candidates import STRICT_ROUGHNESS_MM, Line
from .clearance import OUTSIDE_REACH_MM, PathEvaluator
from .surface import ANTERIOR, CANAL, ENDPLATE, LATERAL, NEIGHBOUR, WALL
from .walls import ENTRY_ROUGHNESS_MM, KINDS, PEDICLE_ZONE_MM, ball_clearance

CORE, EVERY, RIM, ENTRY = 10, 11, 12, 13
"""For the search: the walls of the pedicle and the canal, from where the pedicle begins; every wall of the vertebra on the
way from the entry to the tip, read strictly; the rim of the entry hole, which the cannula must not break; and the walls
beside the entry as the evaluation reads them, which must leave the pedicle's margin.

The room around an entry says little of the room in the pedicle, so that neither of the first two stands for both."""

RIM_MM = 0.1
"""The cannula stays this far inside the rim of its hole, so that it is not broken [D]."""

LOOK_MM = 2.5
"""Surface points farther from the line than the nearest of their kind by more than this don't enter [D]."""

EVERY_MM = 2.2
"""Distance of the axis that even the line widest in the pedicle keeps from every wall on its way: 1.5 mm, and what a
surface of labels may be off [D]."""

BUFFER_MM, FIRM_BUFFER_MM = 0.1, 0.3
"""Margins are aimed at with this in hand, because a price is never paid in full and the needle's flat end is read as a ball;
with the second where the first left a margin short [D]."""

TIP_FLAT_END = 0.75
"""The tube's end is flat: where the nearest anterior cortex lies up to 50° off the needle, as it does for a paramedian
tip, its rim stands r·sin 50° ahead of the axis [C]."""


@dataclass(frozen=True)
class Wishes:
    """What one refinement strives for.

    Args:
        radius_mm: of the cannula.
        margins: to keep from the surface.
        reach_x: allowed range of the tip's local x, mm.
        preferred_x: the best local x of the tip.
        in_hand_mm: what margins are aimed at beyond themselves.
    """

    radius_mm: float
    margins: Margins
    reach_x: tuple[float, float]
    preferred_x: float
    in_hand_mm: float = BUFFER_MM

    def needed(self) -> dict[int, float]:
        """Distance of the axis to each kind of wall that keeps the margins, mm."""
        radius, margins = self.radius_mm + self.in_hand_mm, self.margins
        return {
            ENDPLATE: radius + margins.endplate_mm,
            ANTERIOR: TIP_FLAT_END * self.radius_mm + self.in_hand_mm + margins.anterior_wall_mm,
            LATERAL: radius + margins.lateral_wall_mm,
            NEIGHBOUR: radius + margins.neighbour_mm,
        }


@dataclass(frozen=True, eq=False)
class Group:
    """Where the surface points of one group stand among :class:`Nearby`'s, the distance that the axis needs from them,
    their depth (N,) under the entry cortex where that decides how they count, flags (N,) of those that only the part of
    the line in the pedicle meets, and how much is exempt along the needle."""

    range: slice
    needed: float
    depth: FloatArray | None = None
    held: NDArray[np.bool_] | None = None
    roughness_mm: float = ENTRY_ROUGHNESS_MM


@dataclass(frozen=True, eq=False)
class Nearby:
    """The surface points (N, 3) near a line, one group after the other."""

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


@dataclass(frozen=True, eq=False)
class Ray:
    """Where points stand along and beside the line through ``a`` that ends at ``b``.

    Args:
        a, span: (3,) the line's first point, and the way to its end.
        first: share of the way at which the pedicle begins.
        along: (N,) mm from ``a``.
        share: (N,) of the way at which a point is nearest, at most 1.
        distance: (N,) from the line, mm.
    """

    a: FloatArray
    span: FloatArray
    first: float
    along: FloatArray
    share: FloatArray
    distance: FloatArray

    @classmethod
    def past(cls, rows: FloatArray, squared: FloatArray, a: FloatArray, b: FloatArray, axis: FloatArray) -> Ray:
        """The line past points (3, N) with these squared distances (N,) from the origin; ``axis`` is the
        pedicle's."""
        span = b - a
        length_squared = float(span @ span)
        by_a, by_span = np.array([a, span]) @ rows
        ahead = by_span - float(a @ span)
        share = np.minimum(ahead / length_squared, 1.0)
        gap = squared - 2.0 * by_a + (float(a @ a) - share * (2.0 * ahead - share * length_squared))
        first = -PEDICLE_ZONE_MM / float(span @ axis)
        return cls(a, span, first, ahead / length_squared**0.5, share, np.sqrt(np.maximum(gap, 1e-12)))


def depth_along(ray: Ray, entry: FloatArray, normal: FloatArray, group: Group) -> FloatArray:
    """Depth (N,) of a group's points along a line, from its roughness under the place where the line crosses the entry's
    tangent plane."""
    length = math.sqrt(float(ray.span @ ray.span))
    rate = float(ray.span @ normal) / length
    return np.asarray(ray.along[group.range] - float((entry - ray.a) @ normal) / rate - group.roughness_mm)


def depth_gradient(
    points: FloatArray, weight: FloatArray, ray: Ray, entry: FloatArray, normal: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Gradient, by the first point and by the tip, of the weighted sum of :func:`depth_along` of points (K, 3)."""
    length = math.sqrt(float(ray.span @ ray.span))
    direction = ray.span / length
    rate, height = float(direction @ normal), float((entry - ray.a) @ normal)
    total = float(weight.sum())
    turn = weight @ (points - ray.a) + total * height / rate**2 * normal
    by_b = (turn - direction * float(direction @ turn)) / length
    by_a = total * (normal / rate - direction) - by_b
    return by_a, by_b


def from_pedicle(ray: Ray, distance: FloatArray, share: FloatArray, held: NDArray[np.bool_]) -> FloatArray:
    """Distance (N,) of points from a line, of the held ones from its part that begins with the pedicle."""
    behind = np.where(held & (share < ray.first), ray.first - share, 0.0)
    return np.asarray(np.sqrt(distance**2 + behind**2 * float(ray.span @ ray.span)))


def groups_near(evaluator: PathEvaluator, line: Line, wishes: Wishes, entry: FloatArray, normal: FloatArray) -> Nearby:
    """The surface points that matter near a line, by group."""
    walls = evaluator.coarse
    ray = Ray.past(walls.points.T, walls.squared, line.crossing, line.tip, evaluator.isthmus.axis)
    along = ray.along - float((entry - line.crossing) @ unit(ray.span))
    passed = along >= np.where(walls.kind < CANAL, 0.0, -OUTSIDE_REACH_MM)
    by_kind = {kind: _where(passed, walls.range(kind)) for kind in KINDS}
    wall = by_kind[WALL]
    core = np.concatenate([wall, by_kind[CANAL]])
    distance, zone = ray.distance, walls.zone_depth
    below = walls.depth_below(entry, normal)
    every = np.concatenate([wall, *(by_kind[kind] for kind in (ENDPLATE, ANTERIOR, LATERAL, CANAL))])
    # The way from the entry to the tip is read along the needle alone, which no spur beside the entry can tilt.
    inside = np.maximum(zone[every], along[every] - STRICT_ROUGHNESS_MM)
    depth, along, beside = below[wall], along[wall], distance[wall]
    held = walls.kind[core] != CANAL
    rim = depth > 0
    # Deeper of two readings: under the tangent plane, and along the needle. A line that is wide by both does not lean
    # on how the cortex's direction is read, and meets it squarely. The pedicle's own walls count whatever the entry.
    deeper = np.maximum(depth, along - ENTRY_ROUGHNESS_MM)
    # Of each group the members, how near they are counted, and their depths.
    members: dict[int, tuple[NDArray[np.int_], FloatArray, FloatArray | None]] = {
        CORE: (core, from_pedicle(ray, distance[core], ray.share[core], held), None),
        RIM: (wall[rim], beside[rim], depth[rim]),
        EVERY: (every, ball_clearance(distance[every], inside), zone[every]),
        ENTRY: (wall, ball_clearance(beside, deeper), depth),
    }
    for kind in (ENDPLATE, ANTERIOR, LATERAL, NEIGHBOUR):
        members[kind] = (by_kind[kind], distance[by_kind[kind]], None)
    needed = {
        CORE: 0.0,
        RIM: wishes.radius_mm + RIM_MM,
        EVERY: 0.0,
        ENTRY: wishes.radius_mm + wishes.margins.pedicle_wall_mm + wishes.in_hand_mm,
        **wishes.needed(),
    }
    groups: dict[int, Group] = {}
    pieces = []
    first = 0
    for group, (numbers, reading, depths) in members.items():
        if not numbers.size:
            continue
        nearest = float(reading.min())
        if group not in (CORE, EVERY) and nearest > needed[group] + LOOK_MM:
            continue  # too far to come into play within one step
        chosen = np.flatnonzero(reading <= nearest + LOOK_MM)
        pieces.append(walls.points[numbers[chosen]])
        groups[group] = Group(
            slice(first, first + len(chosen)),
            needed[group],
            None if depths is None else depths[chosen],
            held[chosen] if group == CORE else None,
            STRICT_ROUGHNESS_MM if group == EVERY else ENTRY_ROUGHNESS_MM,
        )
        first += len(chosen)
    return Nearby(np.concatenate(pieces), groups)


def _where(flags: NDArray[np.bool_], part: slice) -> NDArray[np.int_]:
    """Numbers of the flagged points within a part."""
    return np.flatnonzero(flags[part]) + part.start
