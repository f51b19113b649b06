"""Which levels the user asked for."""

from __future__ import annotations

from collections.abc import Iterable

from ..model import LEVELS, InputError, PlanOptions, parse_level


def requested_levels(options: PlanOptions, present: Iterable[str]) -> tuple[str, ...] | None:
    """The levels to look at, from head to foot.

    Args:
        options: ``options.levels`` is "fractured", "all", "L1,T12" or a sequence of names.
        present: the levels that the labels hold.

    Returns:
        Levels named by the user whether present or not (a missing one is reported by the planner), every level
        present for "all", and None for "fractured": which those are is known only after measuring.

    Raises:
        InputError: a name is no level, or nothing was named.
    """
    wanted = options.levels
    if isinstance(wanted, str):
        choice = wanted.strip().lower()
        if choice == "fractured":
            return None
        if choice == "all":
            return tuple(sorted(present, key=LEVELS.index))
        wanted = tuple(part for part in wanted.split(",") if part.strip())
    names = {parse_level(part) for part in wanted}
    if not names:
        raise InputError("No level was named; give levels such as L1 or T12,L1, or “fractured” or “all”.")
    return tuple(sorted(names, key=LEVELS.index))
