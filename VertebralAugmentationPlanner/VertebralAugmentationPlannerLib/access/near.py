"""The surface points near one line, grouped by what the line needs from them, and its distance to each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..model import Margins
from ..model.geometry import FloatArray, unit
from .candidates import Line
from .clearance import OUTSIDE_REACH_MM, PathEvaluator
from .surface import ANTERIOR, CANAL, ENDPLATE, LATERAL, NEIGHBOUR, WALL
from .walls import ball_clearance

CORE, RIM = 10, 11
"""For the search: all walls of the pedicle and the canal, by the ball that passes them; and the rim of the entry hole,
which the cannula must not break."""

RIM_MM = 0.1
"""The cannula stays this far inside the rim of its hole, so that it is not broken [D]."""

LOOK_MM = 3.5
"""Surface points farther from the line than the nearest of their kind by more than this don't enter [D]."""

SEARCH_ROUGHNESS_MM = 1.6
"""Along the needle the search exempts this much under the entry cortex: a flat cortex met at 40° then limits nothing
under 6 mm [C]."""

BUFFER_MM = 0.05
"""Margins are aimed at with this in hand, because a price is never paid in full [D]."""

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
    """

    radius_mm: float
    margins: Margins
    reach_x: tuple[float, float]
    preferred_x: float

    def needed(self) -> dict[int, float]:
        """Distance of the axis to each kind of wall that keeps the margins, mm."""
        radius, margins = self.radius_mm + BUFFER_MM, self.margins
        return {
            ENDPLATE: radius + margins.endplate_mm,
            ANTERIOR: TIP_FLAT_END * radius + margins.anterior_wall_mm,
            LATERAL: radius + margins.lateral_wall_mm,
            NEIGHBOUR: radius + margins.neighbour_mm,
        }


@dataclass(frozen=True, eq=False)
class Group:
    """Surface points (N, 3) near a line, the distance that the axis needs from them, and their depth (N,) under the
    entry cortex where that decides how they count."""

    points: FloatArray
    needed: float
    depth: FloatArray | None = None


class DepthAlong:
    """Depth of points along a line, under the place where it crosses the entry's tangent plane."""

    def __init__(self, points: FloatArray, a: FloatArray, b: FloatArray, entry: FloatArray, normal: FloatArray) -> None:
        span = b - a
        self.length = float(np.linalg.norm(span))
        self.direction = span / self.length
        self.offset = points - a
        self.rate = float(self.direction @ normal)
        self.normal = normal
        self.height = float((entry - a) @ normal)
        self.depth = self.offset @ self.direction - self.height / self.rate - SEARCH_ROUGHNESS_MM

    def gradient(self, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Gradient by ``a`` and by ``b`` of the weighted sum of the depths."""
        total = float(weight.sum())
        turn = weight @ self.offset + total * self.height / self.rate**2 * self.normal
        by_b = (turn - self.direction * float(self.direction @ turn)) / self.length
        by_a = total * (self.normal / self.rate - self.direction) - by_b
        return by_a, by_b


def distances_to(points: FloatArray, a: FloatArray, b: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Distance (N,) of points to the line through ``a`` that ends at ``b``; share a → b; vectors (N, 3) to the points."""
    span = b - a
    squared = float(span @ span)
    offset = points - a
    share = np.minimum(offset @ span / squared, 1.0)
    away = offset - share[:, None] * span
    return np.sqrt(np.einsum("ij,ij->i", away, away)), share, away


def groups_near(
    evaluator: PathEvaluator, line: Line, wishes: Wishes, entry: FloatArray, normal: FloatArray
) -> dict[int, Group]:
    """The surface points that matter near a line, by group."""
    walls = evaluator.coarse
    along = (walls.points - entry) @ unit(line.tip - line.crossing)
    depth = walls.depth_below(entry, normal)
    # Deeper of two readings: under the tangent plane, and along the needle. A line that is wide by both does not lean
    # on how the cortex's direction is read, and meets it squarely.
    deeper = np.maximum(depth, along - SEARCH_ROUGHNESS_MM)
    passed = along >= np.where(walls.kind < CANAL, 0.0, -OUTSIDE_REACH_MM)
    distance = distances_to(walls.points, line.crossing, line.tip)[0]
    is_wall = walls.kind == WALL
    members = {
        CORE: is_wall | (walls.kind == CANAL),
        RIM: is_wall & (depth > 0),
        **{kind: walls.kind == kind for kind in (ENDPLATE, ANTERIOR, LATERAL, NEIGHBOUR)},
    }
    readings = {CORE: (ball_clearance(distance, deeper), depth), RIM: (distance, depth)}
    needed = {CORE: 0.0, RIM: wishes.radius_mm + RIM_MM, **wishes.needed()}
    groups = {}
    for group, member in members.items():
        chosen = np.flatnonzero(member & passed)
        if not chosen.size:
            continue
        reading, depths = readings.get(group, (distance, None))
        nearest = float(reading[chosen].min())
        if group != CORE and nearest > needed[group] + LOOK_MM:
            continue  # too far to come into play within one step
        chosen = chosen[reading[chosen] <= nearest + LOOK_MM]
        groups[group] = Group(walls.points[chosen], needed[group], None if depths is None else depths[chosen])
    return groups
