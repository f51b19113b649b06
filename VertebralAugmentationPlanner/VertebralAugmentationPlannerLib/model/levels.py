"""Names of the thoracic and lumbar levels, in their order down the spine, and of the two sides."""

from __future__ import annotations

import re

from .errors import InputError

LEVELS: tuple[str, ...] = tuple(f"T{n}" for n in range(1, 14)) + tuple(f"L{n}" for n in range(1, 7))
"""T1–T13 (T13 is a supernumerary rib-bearing vertebra) and L1–L6, from head to foot."""

SIDES = ("left", "right")
"""Of the patient, in the order in which needles and pedicles are listed."""

_NAME = re.compile(
    r"^\s*(?:vertebra[e]?[\s_-]*)?(Thoracic|Th|T|BWK|Lumbar|LWK|L)(?:[\s_-]*vertebra[e]?)?[\s_-]*0?(\d+)"
    r"(?:[\s_-]*vertebra[e]?)?\s*$",
    re.IGNORECASE,
)
"""Also “Th12”, “BWK 12” and “LWK 1”, as German-speaking clinics write them, and “lumbar vertebra 1”."""


def parse_level(text: str) -> str:
    """Return the level that a name means: "L1", "vertebrae_L1", "L1 vertebra", "t12" …

    Raises:
        InputError: the text names no thoracic or lumbar level.
    """
    match = _NAME.match(text)
    level = f"{'L' if match[1].upper().startswith('L') else 'T'}{int(match[2])}" if match else ""
    if level not in LEVELS:
        raise InputError(f"“{text}” is not a vertebral level; use T1–T13 or L1–L6, such as L1.")
    return level


def looks_like_level(text: str) -> bool:
    """Whether a text has the form of a level's name, there being such a level or not ("L7")."""
    return _NAME.match(text) is not None


def above(level: str, present: tuple[str, ...] | list[str]) -> str | None:
    """The next level towards the head among those present, or None where that neighbour is missing."""
    return _neighbour(level, present, -1)


def below(level: str, present: tuple[str, ...] | list[str]) -> str | None:
    """The next level towards the feet among those present, or None where that neighbour is missing."""
    return _neighbour(level, present, +1)


def _neighbour(level: str, present: tuple[str, ...] | list[str], step: int) -> str | None:
    # T13 exists in few people: T12 and L1 are neighbours unless a T13 is labelled, likewise L5 and the sacrum.
    order = [name for name in LEVELS if name != "T13" or "T13" in present]
    if level not in order:
        return None
    index = order.index(level) + step
    if not 0 <= index < len(order):
        return None
    return order[index] if order[index] in present else None
