"""The heights of one spine's bodies: who lies next to whom, and what neighbours let expect of a level."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..model import LEVELS
from .normal import Heights, Usual

FARTHEST_NEIGHBOUR = 3
"""How many levels away a neighbour may lie. Steps between levels differ by some 0.5 mm from person to person, so
three of them blur the reference by about 1.5 mm or 6 %, well below the 20 % of a fracture; four do not [D]."""

Triple = tuple[float, float, float]
"""Anterior, middle and posterior height, mm."""


@dataclass(frozen=True, eq=False)
class SpineHeights:
    """Measured heights by level, mm, and what is normal in this spine."""

    heights: Mapping[str, Heights]
    usual: Usual

    @cached_property
    def position(self) -> dict[str, int]:
        """Position along the spine. T13 takes a place only where it is labelled; missing levels keep theirs."""
        order = [level for level in LEVELS if level != "T13" or "T13" in self.heights]
        return {level: index for index, level in enumerate(order)}

    def nearest(self, level: str, members: Collection[str]) -> list[str]:
        """The nearest member above and the nearest below within reach, in this order; each may be missing."""
        here = self.position[level]
        found = []
        for direction in (-1, +1):
            steps = {other: direction * (self.position[other] - here) for other in members}
            at_side = [other for other, step in steps.items() if 0 < step <= FARTHEST_NEIGHBOUR]
            if at_side:
                found.append(min(at_side, key=lambda other: steps[other]))
        return found

    def passed_over(self, level: str, neighbours: list[str], members: Collection[str]) -> list[str]:
        """No members: the levels between this one and its neighbours, or within reach on a side without one."""
        here = self.position[level]
        reach = {-1: FARTHEST_NEIGHBOUR, +1: FARTHEST_NEIGHBOUR}
        for neighbour in neighbours:
            step = self.position[neighbour] - here
            reach[1 if step > 0 else -1] = abs(step) - 1
        steps = {other: self.position[other] - here for other in self.heights if other != level}
        return [
            other for other, step in steps.items() if other not in members and abs(step) <= reach[1 if step > 0 else -1]
        ]

    def expected(self, level: str, neighbours: list[str]) -> Triple:
        """What one or two neighbours let expect.

        Two: linear in level position (for the next neighbours this is their mean, the usual definition of
        adjacent-referenced loss, PMC6530246). One: its height plus the growth between the levels.
        """
        if len(neighbours) == 1:
            return self.carried(neighbours[0], level)
        upper, lower = neighbours
        share = (self.position[level] - self.position[upper]) / (self.position[lower] - self.position[upper])
        high, low = (self._unsteepened(name, level) for name in neighbours)
        a, m, p = ((1.0 - share) * u + share * v for u, v in zip(high, low, strict=True))
        return a, m, p

    def carried(self, name: str, to_level: str) -> Triple:
        """What one neighbour alone lets expect: its heights plus the growth between the levels."""
        return self._grown(name, self.usual.growth(name, to_level))

    def loss(self, level: str, members: Collection[str]) -> float | None:
        """Largest loss (fraction) of a level against the members near it; None where there are none."""
        neighbours = self.nearest(level, members)
        if not neighbours:
            return None
        expected = self.expected(level, neighbours)
        return float(np.max(1.0 - np.array(self.heights[level], float) / np.array(expected)))

    def _unsteepened(self, name: str, target: str) -> Triple:
        """Heights of a neighbour; those of the steep last lumbar level as the one above would have them, unless it is itself to
        be judged (or the reverse)."""
        usual = self.usual
        if usual.is_steep(name) and not usual.is_steep(target):
            return self._grown(name, usual.growth(name, usual.above_steep))
        if usual.is_steep(target) and not usual.is_steep(name):
            return self._grown(name, usual.growth(usual.above_steep, target))
        return self._grown(name, (0.0, 0.0, 0.0))

    def _grown(self, name: str, steps: Triple) -> Triple:
        a, m, p = (float(height or np.nan) + step for height, step in zip(self.heights[name], steps, strict=True))
        return a, m, p
