"""One needle for one side: global search, then refinement, then the exact evaluation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ..model.geometry import unit
from .angles import SIDE_SIGN
from .candidates import Candidates, Line, search_lines
from .climb import Landscape, summits
from .clearance import PathCheck, PathEvaluator
from .neighbourhood import Neighbourhood
from .refine import Refined, best_line, roomiest_line, widest_line
from .surface import LATERAL, NEIGHBOUR
from .target import MIDLINE_REACH_MM, UNILATERAL_REACH_MM
from .wishes import FIRM_BUFFER_MM, Floor, Wishes

CLIMBERS, STARTS = 16, 2
"""So many of the grid's distinct lines climb on the fields; of the lines that this and the clearances' refinements end on, so
many are refined for margins and wishes, the cheapest as they stand [D]."""

LAST_STARTS = 8
"""So many of the grid's lines are refined, each for itself, before a side is refused [D]."""

CLEARANCE_KEPT = (0.94, 0.90)
"""Share of the best clearance, in the pedicle and on the whole way, that margins in the body and soft wishes leave without
a steep price: the second where only so a safe path is found. 0.90 of the true best is asked for; the rest is for
what labels of 1–3 mm don't show [D]."""


@dataclass(frozen=True, eq=False)
class FoundPath:
    """The best needle found, and what the best possible clearance is.

    Args:
        check: the exact evaluation.
        line: as the search moves it.
        widest_mm: largest clearance of an axis along the pedicle and to the canal among the widest lines.
    """

    check: PathCheck
    line: Line
    widest_mm: float


@dataclass(frozen=True, eq=False)
class WidestLines:
    """The lines of a side with the largest clearance, whatever the cannula: best first, mutually distinct.

    Args:
        widest_mm: largest clearance of one of them from the entry on, as the evaluation reads it.
        in_pedicle_mm: the largest clearance along the pedicle and to the canal.
        core_mm, every_mm: the largest clearance in the pedicle, and to every wall from the entry to the tip; softened.
    """

    lines: tuple[Line, ...]
    candidates: Candidates
    widest_mm: float
    in_pedicle_mm: float
    core_mm: float
    every_mm: float


def side_candidates(evaluator: PathEvaluator, room_mm: float) -> Candidates:
    """The lines of a side worth a refinement, whatever their goal: the tip from the side's own reach to beyond the
    midline as far as a single needle may pass it.

    Args:
        room_mm: distance of the axis to the neighbours below which a line is marked down.
    """
    sign = SIDE_SIGN[evaluator.side]
    reach = sorted((sign * MIDLINE_REACH_MM, -sign * UNILATERAL_REACH_MM))
    return search_lines(evaluator.space, evaluator.isthmus, (reach[0], reach[1]), room_mm)


def widest_lines(evaluator: PathEvaluator, wishes: Wishes, candidates: Candidates | None = None) -> WidestLines | None:
    """The lines of largest clearance, or None where no straight line runs through the pedicle in bone.

    Args:
        evaluator: of the side.
        wishes: the tip's range; the margins break ties.
        candidates: from :func:`side_candidates`, to share them between goals; searched for when None.
    """
    if candidates is None:
        candidates = side_candidates(evaluator, wishes.needed()[NEIGHBOUR])
    candidates = candidates.within(wishes.reach_x)
    starts = candidates.widest(CLIMBERS)
    if not starts:
        return None
    needed = wishes.needed()
    land = Landscape(evaluator.space, evaluator.isthmus, wishes.reach_x, needed[NEIGHBOUR], needed[LATERAL])
    tops = summits(land, starts)
    roomy = roomiest_line(evaluator, tops.every, wishes)
    wide = widest_line(evaluator, tops.core, wishes)
    checks = [evaluator.evaluate(one.line.crossing, one.line.tip, wishes.radius_mm) for one in (roomy, wide)]
    return WidestLines(
        tuple(_apart([roomy.line, wide.line, tops.both])),
        candidates,
        max(check.axis_clearance_mm for check in checks),
        max(wide.core_mm, roomy.core_mm),
        max(wide.soft_core_mm, roomy.soft_core_mm),
        max(wide.soft_every_mm, roomy.soft_every_mm),
    )


def find_path(
    evaluator: PathEvaluator,
    wishes: Wishes,
    widest: WidestLines | None = None,
    shortcoming: Callable[[PathCheck], int] | None = None,
) -> FoundPath | None:
    """The best straight needle of a side, or None where no straight line runs through the pedicle in bone.

    Args:
        evaluator: of the side.
        wishes: cannula, margins and the tip's range.
        widest: from :func:`widest_lines`, to share it between cannulas; searched for when None.
        shortcoming: ranks a path, 0 where it keeps every margin; given, a little more clearance is traded for a path of lower
            rank, and every start is tried for it.
    """
    widest = widest_lines(evaluator, wishes) if widest is None else widest
    if widest is None:
        return None
    starts = list(widest.lines)
    wished = _most_wished(evaluator, widest.candidates, wishes, CLEARANCE_KEPT[0] * widest.in_pedicle_mm)
    if wished is not None:
        starts.append(wished)
    floors = [Floor(widest.core_mm, widest.every_mm, share) for share in CLEARANCE_KEPT]
    starts = sorted(starts, key=lambda line: Neighbourhood.around(evaluator, line, wishes, floors[0]).cost_here)

    def end_of(lines: list[Line], floor: Floor, wishes: Wishes) -> tuple[int, FoundPath]:
        end = min(
            (best_line(evaluator, line, wishes, floor) for line in lines),
            key=lambda one: (_detours(evaluator, one), one.cost),
        )
        check = evaluator.evaluate(end.line.crossing, end.line.tip, wishes.radius_mm)
        rank = 0 if shortcoming is None else shortcoming(check)
        return rank, FoundPath(check, end.line, widest.widest_mm)

    found = end_of(starts[:STARTS], floors[0], wishes)
    firm = replace(wishes, in_hand_mm=FIRM_BUFFER_MM)
    if found[0]:
        found = min(found, end_of([found[1].line, *starts[STARTS:]], floors[1], firm), key=lambda one: one[0])
    if found[0] > 1:
        # No side is refused before lines from all over the pedicle were tried.
        last = (end_of([line], floors[1], firm) for line in widest.candidates.widest(LAST_STARTS))
        found = min(found, *last, key=lambda one: one[0])
    return found[1]


def _most_wished(evaluator: PathEvaluator, candidates: Candidates, wishes: Wishes, floor_mm: float) -> Line | None:
    """A start with its tip near mid-height: the widest lines alone may lie in another valley of the wishes."""
    heights = evaluator.space.target.z_mm
    low, high = float(heights[0]), float(heights[-1])
    return candidates.most_wished(floor_mm, 0.5 * (low + high), 0.5 * (high - low), wishes.preferred_x)


def _detours(evaluator: PathEvaluator, refined: Refined) -> bool:
    """Whether a line runs through another part of the vertebra before its entry."""
    direction = unit(refined.line.tip - refined.line.crossing)
    return evaluator.crosses_own_bone(evaluator.bone_entry(refined.line.crossing, direction), direction)


def _apart(lines: list[Line]) -> list[Line]:
    """Those that did not end in the same place."""
    kept: list[Line] = []
    for one in lines:
        if all(abs(one.crossing - other.crossing).max() + abs(one.tip - other.tip).max() > 0.5 for other in kept):
            kept.append(one)
    return kept
