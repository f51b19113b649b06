"""The local half of the search: one line moved until nothing is left to gain.

First two clearances are made as large as they can be, each for itself: along the pedicle and to the canal, and to every
wall from the entry to the tip. Then, among the lines that keep all but a few hundredths of either, the margins in the body
and the soft wishes decide.
"""

from __future__ import annotations

from dataclasses import dataclass

from .candidates import Line
from .clearance import PathEvaluator
from .near import CORE, EVERY, Wishes
from .neighbourhood import Floor, Neighbourhood

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
        cost: what was minimised; comparable between refinements with the same wishes and floor.
    """

    line: Line
    core_mm: float
    soft_core_mm: float
    soft_every_mm: float
    cost: float


def widest_line(evaluator: PathEvaluator, start: Line, wishes: Wishes) -> Refined:
    """Move a line to the largest clearance along the pedicle and to the canal, less the price of short margins."""
    return _settle(evaluator, start, wishes, None, CORE)


def roomiest_line(evaluator: PathEvaluator, start: Line, wishes: Wishes) -> Refined:
    """Move a line to the largest clearance to every wall from the entry to the tip, less the price of short margins."""
    return _settle(evaluator, start, wishes, None, EVERY)


def best_line(evaluator: PathEvaluator, start: Line, wishes: Wishes, floor: Floor) -> Refined:
    """Among the lines with about this clearance, move to the one that keeps the margins and meets the wishes best."""
    return _settle(evaluator, start, wishes, floor)


def _settle(evaluator: PathEvaluator, line: Line, wishes: Wishes, floor: Floor | None, aim: int = CORE) -> Refined:
    """Move a line step by step. A step counts only where the cost falls with the entry cortex read anew at its end."""
    here = Neighbourhood.around(evaluator, line, wishes, floor, aim)
    reach = 1.0 if floor is not None else CLIMBED_REACH
    for _ in range(ROUNDS):
        moved = here.minimise(reach)
        there = Neighbourhood.around(evaluator, moved, wishes, floor, aim)
        gained = here.cost_here - there.cost_here
        if gained > 0:
            here = there
        if gained < (WORTHWHILE_MM if floor is None else WORTHWHILE_WISH):
            reach *= 0.35
            if reach < SMALLEST_REACH:
                break
    return Refined(here.line, here.core_mm, here.soft_core_mm, here.soft_every_mm, here.cost_here)
