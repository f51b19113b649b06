"""The needle of one side: which cannula, which path, or why none."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..model import Cannula, PlanOptions
from .angles import SIDE_SIGN
from .candidates import Candidates
from .clearance import PathEvaluator
from .instruments import cannulas_to_try, costs_the_balloon, thinner_than
from .safety import RESOLUTION_MM, Verdict, article, judge, margins_for, room_text, shortage_text
from .search import FoundPath, WidestLines, find_path, side_candidates, widest_lines
from .surface import NEIGHBOUR
from .target import BILATERAL_INNER_MM, MIDLINE_REACH_MM, UNILATERAL_REACH_MM
from .wishes import Wishes


SHORTCOMING = {"safe": 0, "tight": 1, "breach": 2}
"""Order in which paths are preferred while one cannula is tried."""


@dataclass(frozen=True, eq=False)
class SidePlan:
    """What a side offers.

    Args:
        side: "left" or "right".
        cannula, path, verdict: of the delivered needle; None where there is none (but see :meth:`refused`).
        widest_mm: largest clearance of an axis that the search reached; None where no line runs in bone.
        refusal: why no needle is delivered.
        compromise: for a tight path, what is short and what would help.
    """

    side: str
    cannula: Cannula | None
    path: FoundPath | None
    verdict: Verdict | None
    widest_mm: float | None
    refusal: str | None = None
    compromise: str | None = None

    @classmethod
    def refused(
        cls, side: str, reason: str, widest_mm: float | None = None, verdict: Verdict | None = None
    ) -> SidePlan:
        """A side without a needle; the verdict is that of the best path."""
        return cls(side, None, None, verdict, widest_mm, refusal=reason)

    @property
    def safe(self) -> bool:
        return self.verdict is not None and self.verdict.safety == "safe"


@dataclass(frozen=True, eq=False)
class _Attempt:
    cannula: Cannula
    path: FoundPath
    verdict: Verdict


@dataclass(frozen=True, eq=False)
class SideLines:
    """What the search knows of a side before a cannula is chosen.

    Args:
        evaluator: of the side.
        options: with the margins that this body has room for.
        candidates: of the global search, for either goal.
    """

    evaluator: PathEvaluator
    options: PlanOptions
    candidates: Candidates

    @classmethod
    def of(cls, evaluator: PathEvaluator, options: PlanOptions) -> SideLines:
        """Search a side."""
        options = replace(options, margins=margins_for(options.margins, evaluator.space.vertebra))
        thinnest = wishes_for(evaluator, options, cannulas_to_try(options)[-1], unilateral=False)
        return cls(evaluator, options, side_candidates(evaluator, thinnest.needed()[NEIGHBOUR]))

    def widest(self, unilateral: bool) -> WidestLines | None:
        """The lines of largest clearance for one goal; None where no line runs in bone."""
        wishes = wishes_for(self.evaluator, self.options, cannulas_to_try(self.options)[-1], unilateral)
        return widest_lines(self.evaluator, wishes, self.candidates)


def plan_side(evaluator: PathEvaluator, options: PlanOptions, unilateral: bool) -> SidePlan:
    """The best needle of a side, searched for; see :func:`plan_lines`."""
    side = SideLines.of(evaluator, options)
    return plan_lines(side, side.widest(unilateral), unilateral)


def plan_lines(side_lines: SideLines, lines: WidestLines | None, unilateral: bool) -> SidePlan:
    """The best needle of a side with the thickest cannula that keeps every margin.

    Where no cannula keeps them all, the thickest that keeps the pedicle's and the canal's margins is taken: what is
    short then lies in the body, where the thickness decides little. Where even those are short for every cannula,
    the thinnest is taken, which leaves the most bone.

    Args:
        side_lines: of the side.
        lines: the widest for this goal.
        unilateral: the tip has to reach the midline ± 3 mm; else it may lie within 7.5 mm of it.
    """
    evaluator, options = side_lines.evaluator, side_lines.options
    side, cannulas = evaluator.side, cannulas_to_try(options)
    if lines is None:
        return SidePlan.refused(side, _no_line(evaluator, unilateral))
    attempts = _attempts(evaluator, options, cannulas, lines, unilateral)
    best = _choose(attempts, options)
    widest = lines.widest_mm
    pedicle = evaluator.space.vertebra.pedicles[side]
    room = room_text(pedicle, best.cannula, options.margins)
    if best.verdict.safety == "breach":
        hint = _thinner_hint(evaluator, options, best, lines, unilateral)
        return SidePlan.refused(side, _refusal(best, room, widest) + hint, widest, best.verdict)
    compromise = None
    if best.verdict.safety == "tight":
        hint = _thinner_hint(evaluator, options, best, lines, unilateral) if best.verdict.short_in_pedicle else ""
        lead = f"{room[0].upper()}{room[1:]}; on the best line " if room else "On the best line "
        compromise = f"{lead}{shortage_text(best.verdict)}.{hint}"
    return SidePlan(side, best.cannula, best.path, best.verdict, widest, compromise=compromise)


def wishes_for(evaluator: PathEvaluator, options: PlanOptions, cannula: Cannula, unilateral: bool) -> Wishes:
    """What the search strives for with one cannula."""
    reach = (-UNILATERAL_REACH_MM, UNILATERAL_REACH_MM) if unilateral else (BILATERAL_INNER_MM, MIDLINE_REACH_MM)
    low, high = sorted(SIDE_SIGN[evaluator.side] * x for x in reach)
    preferred = evaluator.space.target.preferred_x(evaluator.side, unilateral)
    return Wishes(cannula.radius_mm, options.margins, (low, high), preferred)


def _attempts(
    evaluator: PathEvaluator,
    options: PlanOptions,
    cannulas: tuple[Cannula, ...],
    lines: WidestLines,
    unilateral: bool,
) -> list[_Attempt]:
    attempts: list[_Attempt] = []
    for index, cannula in enumerate(cannulas):
        room_needed = cannula.radius_mm + options.margins.pedicle_wall_mm
        last = index == len(cannulas) - 1
        if lines.in_pedicle_mm < room_needed - RESOLUTION_MM and not last:
            continue  # no line leaves this cannula its margin; only the thinnest is delivered without it
        if (last or costs_the_balloon(cannula, options)) and any(map(_short_outside_the_pedicle, attempts)):
            break
        attempts.append(_attempt(evaluator, options, cannula, lines, unilateral))
        if attempts[-1].verdict.safety == "safe":
            break
    return attempts


def _attempt(
    evaluator: PathEvaluator, options: PlanOptions, cannula: Cannula, lines: WidestLines, unilateral: bool
) -> _Attempt:
    path = find_path(
        evaluator,
        wishes_for(evaluator, options, cannula, unilateral),
        lines,
        lambda check: SHORTCOMING[judge(check, options.margins).safety],
    )
    assert path is not None  # there are lines
    return _Attempt(cannula, path, judge(path.check, options.margins))


def _margins_short_in_body_only(attempt: _Attempt) -> bool:
    return _short_outside_the_pedicle(attempt) and not attempt.verdict.short_of_a_neighbour


def _short_outside_the_pedicle(attempt: _Attempt) -> bool:
    return attempt.verdict.safety == "tight" and not attempt.verdict.short_in_pedicle


def _choose(attempts: list[_Attempt], options: PlanOptions) -> _Attempt:
    """The thickest safe one; then the thickest that is short in the body only; then the thinnest, which leaves most room.

    In kyphoplasty a cannula that no balloon passes comes after those short in the body by a fraction of a margin.
    """
    for candidates in (
        [attempt for attempt in attempts if not costs_the_balloon(attempt.cannula, options)],
        attempts,
    ):
        for attempt in candidates:
            if attempt.verdict.safety == "safe":
                return attempt
        for attempt in candidates:
            if _margins_short_in_body_only(attempt):
                return attempt
        beside_a_neighbour = [attempt for attempt in candidates if _short_outside_the_pedicle(attempt)]
        if beside_a_neighbour:
            return beside_a_neighbour[-1]
    return attempts[-1]


def _no_line(evaluator: PathEvaluator, unilateral: bool) -> str:
    pedicle = evaluator.space.vertebra.pedicles[evaluator.side]
    goal = "to the midline (± 3 mm)" if unilateral else "within 7.5 mm of the midline"
    return (
        f"No straight line runs inside bone through the {evaluator.side} pedicle into the anterior third {goal}; "
        f"the isthmus is {pedicle.isthmus_width_mm:.1f} × {pedicle.isthmus_height_mm:.1f} mm."
    )


def _refusal(best: _Attempt, room: str, widest_mm: float) -> str:
    reason = f"No safe path for {article(best.cannula)} {best.cannula.name} cannula: "
    if room:
        reason += f"{room}; "
    if best.verdict.shortages:
        reason += f"on the best line {shortage_text(best.verdict)}"
    elif best.verdict.not_through_pedicle:
        reason += "the best line does not pass the isthmus inside its outline"
    else:
        reason += "the best line runs through another part of the same vertebra before its entry"
    return f"{reason} (the widest straight line leaves {widest_mm:.1f} mm from its axis)."


def _thinner_hint(
    evaluator: PathEvaluator, options: PlanOptions, best: _Attempt, lines: WidestLines, unilateral: bool
) -> str:
    """Which thinner cannula would be safe, or at least touch nothing; empty where none would."""
    fitting = ""
    for cannula in thinner_than(best.cannula):
        attempt = _attempt(evaluator, options, cannula, lines, unilateral)
        clearance = attempt.path.check.clearance
        leaves = min(v for v in (clearance.pedicle_wall, clearance.canal) if v is not None)
        name = f"{article(cannula).capitalize()} {cannula.name}"
        if attempt.verdict.safety == "safe":
            return f" {name} would keep every margin ({leaves:.1f} mm)."
        if attempt.verdict.safety == "tight":
            fitting = f" {name} would leave {leaves:.1f} mm."
    return fitting
