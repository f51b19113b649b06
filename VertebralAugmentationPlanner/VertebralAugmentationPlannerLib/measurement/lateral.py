"""A body that is lower on one side: what the three heights of the midline do not tell."""

from __future__ import annotations

from typing import NamedTuple

from ..model import Measurements

LOWER_SIDE_PERCENT = 10.0
"""A side section that is this much lower than the other is remarked on. The sections lie half-way to the sides: a plate that
falls evenly to one side by Genant's 20 % at its rim lowers them by 5 and 15 %, the one 10 % below the other. None of 206 levels
of 29 real spines that count as unfractured comes to it; the most are 9.6 % (an L4 of grade 2 by its readers) and 8.2 % [C]."""


class LowerSide(NamedTuple):
    """The lower side of a body, and by how much its three heights are lower on average than the other side's."""

    side: str
    percent: float
    mm: float

    @property
    def other(self) -> str:
        """The higher side."""
        return "left" if self.side == "right" else "right"

    def __str__(self) -> str:
        return f"{self.percent:.0f} % lower on the {self.side}"


def lower_side(grid: tuple[tuple[float | None, ...], ...] | None) -> LowerSide | None:
    """The side of a body that is lower than the other by :data:`LOWER_SIDE_PERCENT` or more.

    The mean of the three heights decides: of single pairs of sound bodies some differ by 15 %.

    Args:
        grid: ``heights_3x3_mm``: heights in the left, middle and right section (rows), mm.

    Returns:
        None where neither side is, or where a side was not measured.
    """
    if grid is None:
        return None
    left, right = ([value for value in grid[row] if value is not None] for row in (0, 2))
    if len(left) < 3 or len(right) < 3:
        return None
    means = {"left": sum(left) / 3, "right": sum(right) / 3}
    side = min(means, key=lambda name: means[name])
    low, high = means[side], max(means.values())
    percent = 100.0 * (1.0 - low / high)
    return LowerSide(side, percent, high - low) if percent >= LOWER_SIDE_PERCENT else None


def lower_side_of(measurements: Measurements | None) -> LowerSide | None:
    """:func:`lower_side` of a level of a plan; None where it was not measured."""
    return None if measurements is None else lower_side(measurements.heights_3x3_mm)
