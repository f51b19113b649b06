"""The local half of the search: one line moved until nothing is left to gain.

First two clearances are made as large as they can be, each for itself: along the pedicle and to the canal, and to every
wall from the entry to the tip. Then, among the lines that keep all but a few hundredths of either, the margins in the body
and the soft wishes decide.
"""

from __future__ import annotations

from dataclasses import dataclass

from .candidates import Line
from .clearance import PathEvaluator
from .neighbourhood import Neighbourhood
from .wishes import CORE, EVERY, Floor, Goal, Widest, Wishes

ROUNDS, SMALLEST_REACH = 10, 0.2
WORTHWHILE_MM, WORTHWHILE_WISH = 0.01, 0.002
"""Steps at most; a step that gains less than this is followed by a shorter one, down to a fifth of the first."""

CLIMBED_REACH = 0.35
"""First reach of a line that has climbed already: it stands near its top [D]."""


@dataclass(frozen=True, eq=False)
class Refined:
    """A refined line.

    Args:
        line: where it ended.
        core_mm: its smallest clearance along the pedicle and to the canal, from the axis.
        soft_core_mm: the same softened, as floors are set.
        cost: what was minimised; comparable between refinements with the same wishes and goal.
    """

    line: Line
    core_mm: float
    soft_core_mm: float
    soft_every_mm: float
    cost: float


def widest_line(evaluator: PathEvaluator, start: Line, wishes: Wishes) -> Refined:
    """Move a line to the largest clearance along the pedicle and to the canal, less the price of short margins."""
    return _settle(evaluator, start, wishes, Widest(CORE), CLIMBED_REACH, WORTHWHILE_MM)


def roomiest_line(evaluator: PathEvaluator, start: Line, wishes: Wishes) -> Refined:
    """Move a line to the largest clearance to every wall from the entry to the tip, less the price of short margins."""
    return _settle(evaluator, start, wishes, Widest(EVERY), CLIMBED_REACH, WORTHWHILE_MM)


def best_line(evaluator: PathEvaluator, start: Line, wishes: Wishes, floor: Floor) -> Refined:
    """Among the lines with about this clearance, move to the one that keeps the margins and meets the wishes best."""
    return _settle(evaluator, start, wishes, floor, 1.0, WORTHWHILE_WISH)


def _settle(
    evaluator: PathEvaluator, line: Line, wishes: Wishes, goal: Goal, reach: float, worthwhile: float
) -> Refined:
    """Move a line step by step. A step counts only where the cost falls with the entry cortex read anew at its end."""
    here = Neighbourhood.around(evaluator, line, wishes, goal)
    for _ in range(ROUNDS):
        there = Neighbourhood.around(evaluator, here.minimise(reach), wishes, goal)
        gained = here.cost_here - there.cost_here
        if gained > 0:
            here = there
        if gained < worthwhile:
            reach *= 0.35
            if reach < SMALLEST_REACH:
                break
    return Refined(here.line, here.core_mm, here.soft_core_mm, here.soft_every_mm, here.cost_here)
