"""From the grid's best lines to the hills' tops: generations of lines, read on the distance fields at once.

The landscape of clearances has ridges and steps (spurs, grooves, sawn labels) on which a search along its slope stops. Here
every line of a small population tries steps in directions that don't ask for a slope; the better half goes on. A
generation costs two milliseconds, so that each clearance gets its own climb, and a third looks for the line that keeps
the most of both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..model.geometry import FloatArray
from .candidates import (
    STEP_MM,
    STRICT_ROUGHNESS_MM,
    Line,
    detour_price,
    entry_along,
    neighbour_shortage,
    read_along,
)
from .isthmus import IsthmusPlane
from .space import AccessSpace
from .surface import JUNCTION_MM, posterior_wall_at
from .target import DEPTH_FRACTION_RANGE
from .walls import PEDICLE_ZONE_MM

GENERATIONS, CHILDREN = 20, 8
FIRST_STEP_MM, STEP_DECAY = 1.4, 0.86
"""Steps of the tip; they end at 0.07 mm. Those of the crossing are two fifths as long: it is so much nearer to the walls
[D]."""

CROSSING_STEP = 0.4
HALVED_AFTER = (3, 7)
SURVIVORS = 4

BEHIND_MM, AHEAD_MM = 30.0, 32.0
NEIGHBOUR_REACH_MM, NEIGHBOUR_STEP_MM = 30.0, 2.0
BEHIND_ENTRY = -np.arange(-NEIGHBOUR_REACH_MM, 1.0, NEIGHBOUR_STEP_MM)
"""Where the neighbours are read: from 30 mm behind an entry to it, mm."""

BODY_PRICE, NEIGHBOUR_PRICE = 0.3, 3.0
"""Price of a short margin, mm of clearance a mm: in the body it breaks ties; a neighbour that is touched makes a path a
breach [D]."""

NOWHERE_MM = -9.0
"""Clearance of a line that doesn't run through the pedicle in bone."""

SEED = 20260101
"""The steps are the same for every vertebra, so that the same bone gives the same needle."""


@dataclass(frozen=True, eq=False)
class Summits:
    """The tops of the three climbs: the widest line in the pedicle, the one widest on the whole way, and the one that
    keeps the largest share of both."""

    core: Line
    every: Line
    both: Line


@dataclass(frozen=True, eq=False)
class Landscape:
    """The clearances of lines through one pedicle, read on the distance fields.

    Args:
        reach_x: range of the tip's local x, mm.
        room_mm, body_mm: distance of the axis to the neighbours, and to the body's walls, below which a line is marked
            down.
    """

    space: AccessSpace
    isthmus: IsthmusPlane
    reach_x: tuple[float, float]
    room_mm: float
    body_mm: float

    @cached_property
    def along(self) -> FloatArray:
        """Distances from the isthmus at which lines are read, mm."""
        return np.arange(-BEHIND_MM, AHEAD_MM, STEP_MM)

    @cached_property
    def junction_y(self) -> float:
        """Local y where the pedicle has become the body."""
        return float(posterior_wall_at(self.space.vertebra, self.isthmus.centre)) + JUNCTION_MM

    def held(self, tips: FloatArray) -> FloatArray:
        """Tips (N, 3) brought back to where they may lie."""
        tips = tips.copy()
        target = self.space.target
        tips[:, 0] = np.clip(tips[:, 0], *self.reach_x)
        tips[:, 2] = np.clip(tips[:, 2], target.z_mm[0], target.z_mm[-1])
        tips[:, 1] = np.clip(tips[:, 1], *(target.y_at(share, tips[:, 2]) for share in DEPTH_FRACTION_RANGE))
        return tips

    def clearances(self, a: FloatArray, b: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Clearance (N,) in the pedicle, and on the whole way from the entry to the tip, of lines through crossings ``a``
        (N, 3) to tips ``b`` (N, 3), mm; both mind the canal and the neighbours."""
        return self.all_told(self.by_bone(a, b), np.arange(len(a)))

    def by_bone(self, a: FloatArray, b: FloatArray) -> ByBone:
        """The same by the bone alone."""
        t = self.along
        way = b - a
        length = np.linalg.norm(way, axis=1)
        way /= length[:, None]
        bone = read_along(self.space, self.space.bone_mm, a, way, t)
        to_isthmus = t <= 0.0
        start, found = entry_along(bone[:, to_isthmus], t[to_isthmus])
        depth = self.isthmus.depth_of(a)[:, None] + t * (way @ self.isthmus.axis)[:, None]
        into = t - start[:, None]
        within, zone = (t <= length[:, None]) & (into > 0), depth >= -PEDICLE_ZONE_MM
        in_pedicle = a[:, 1, None] + t * way[:, 1, None] <= self.junction_y
        core, every = (
            np.where(within & counted, bone, np.inf).min(axis=1)
            for counted in (zone & in_pedicle, zone | (bone < into - STRICT_ROUGHNESS_MM))
        )
        entry = a + start[:, None] * way
        usable = found & (self.isthmus.depth_of(entry) < -PEDICLE_ZONE_MM)
        body = np.where(within & ~in_pedicle, bone, np.inf).min(axis=1)
        short = BODY_PRICE * np.maximum(self.body_mm - body, 0.0)
        core, every = (np.where(usable, clearance - short, NOWHERE_MM) for clearance in (core, every))
        return ByBone(core, every, a, way, length, entry, short, usable)

    def all_told(self, read: ByBone, rows: NDArray[np.int_]) -> tuple[FloatArray, FloatArray]:
        """The clearances of some of the lines (R,) with the canal, the neighbours and detours, which only take away."""
        space, t = self.space, self.along
        entry, way, usable = read.entry[rows], read.way[rows], read.usable[rows]
        canal = read_along(space, space.canal_mm, read.a[rows], way, t)
        to_canal = np.where(t <= read.length[rows, None], canal, np.inf).min(axis=1) - read.short[rows]
        less = NEIGHBOUR_PRICE * neighbour_shortage(space, entry, way, self.room_mm, BEHIND_ENTRY)
        less = less + detour_price(space, entry, way, NEIGHBOUR_STEP_MM)
        core, every = (
            np.where(usable, np.minimum(clearance[rows], to_canal) - less, NOWHERE_MM)
            for clearance in (read.core, read.every)
        )
        return core, every


@dataclass(frozen=True, eq=False)
class ByBone:
    """Lines (N,) read on the bone alone: at most these clearances, mm, and what the rest is read with."""

    core: FloatArray
    every: FloatArray
    a: FloatArray
    way: FloatArray
    length: FloatArray
    entry: FloatArray
    short: FloatArray
    usable: NDArray[np.bool_]


def summits(land: Landscape, starts: list[Line]) -> Summits:
    """Climb three times from the same lines: for either clearance, and for the smaller share of the two."""
    a, b = (np.array([getattr(line, name) for line in starts]) for name in ("crossing", "tip"))
    core, most_core = _climb(land, a, b, lambda core, every: core + 0.05 * np.minimum(every, 2.0))
    every, most_every = _climb(land, a, b, lambda core, every: every)
    a = np.concatenate([[core.crossing, every.crossing], a])
    b = np.concatenate([[core.tip, every.tip], b])
    widest = max(most_core, 0.1), max(most_every, 0.1)
    both, _ = _climb(land, a, b, lambda core, every: np.minimum(core / widest[0], every / widest[1]))
    return Summits(core, every, both)


def _climb(
    land: Landscape, a: FloatArray, b: FloatArray, worth: Callable[[FloatArray, FloatArray], FloatArray]
) -> tuple[Line, float]:
    """The best line that the population of lines ``a`` to ``b`` comes to, and what it is worth."""
    random = np.random.default_rng(SEED)
    a, b = a.copy(), land.held(b)
    value = worth(*land.clearances(a, b))
    sideways = np.stack([land.isthmus.across, land.isthmus.up])
    # Left and right take mirrored steps, so that mirrored bones get mirrored needles.
    mirror = np.ones(5)
    mirror[[0, 2]] = np.sign(land.isthmus.centre[0])
    for generation in range(GENERATIONS):
        size = FIRST_STEP_MM * STEP_DECAY**generation
        steps = mirror * random.normal(0.0, size, (CHILDREN, 5))
        tried_a = (a[:, None] + CROSSING_STEP * steps[:, :2] @ sideways).reshape(-1, 3)
        tried_b = land.held((b[:, None] + steps[:, 2:]).reshape(-1, 3))
        read = land.by_bone(tried_a, tried_b)
        tried = worth(read.core, read.every)
        # Most steps lead down by the bone alone; what else there is takes away from a clearance, never adds.
        hopeful = np.flatnonzero(tried > np.repeat(value, CHILDREN))
        tried[hopeful] = worth(*land.all_told(read, hopeful))
        tried = tried.reshape(len(a), CHILDREN)
        best = tried.argmax(axis=1)
        rows = np.flatnonzero(tried.max(axis=1) > value)
        chosen = rows * CHILDREN + best[rows]
        a[rows], b[rows], value[rows] = tried_a[chosen], tried_b[chosen], tried[rows, best[rows]]
        if generation in HALVED_AFTER and len(a) > SURVIVORS:
            order = np.argsort(-value, kind="stable")[: max(SURVIVORS, len(a) // 2)]
            a, b, value = a[order], b[order], value[order]
    top = int(value.argmax())
    return Line(a[top], b[top]), float(value[top])
