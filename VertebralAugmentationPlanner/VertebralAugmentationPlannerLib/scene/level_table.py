"""Which segment is which level: what the names say, and the user's corrections."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..case.names import BodyPart
from ..model import LEVELS, InputError, parse_level
from . import roles
from .references import plain
from .segments import Part, part_centres, parts_of, recolored
from .volumes import input_state, is_segmentation, looks

Centres = dict[str, tuple[float, float, float]]
"""Part key → centre, world RAS mm."""


@dataclass(frozen=True)
class SegmentRow:
    """One row of the level table.

    Args:
        key: segment ID, or the label value as text for a label map. Identifies the row.
        name: segment name, or the color table's name of the label value.
        suggested: level read from name, terminology or number ("" where none; the segment is then not a level).
        level: level in force after the user's corrections ("" = not used).
        color: RGB 0–1.
        centre_ras: (3,) centre of the segment, world RAS mm, or None where it is empty.
    """

    key: str
    name: str
    suggested: str
    level: str
    color: tuple[float, float, float]
    centre_ras: tuple[float, float, float] | None


def corrections(parameter_node: Any) -> dict[str, str]:
    """The user's corrections, {part key: level or ""}."""
    text = plain(parameter_node).GetParameter(roles.LEVEL_TABLE)
    return json.loads(text) if text else {}


def set_corrections(parameter_node: Any, table: dict[str, str]) -> None:
    """Keep the corrections in the parameter node, where they are saved with the scene."""
    plain(parameter_node).SetParameter(roles.LEVEL_TABLE, json.dumps(table, sort_keys=True) if table else "")


def levels_in_force(parts: list[Part], table: dict[str, str]) -> dict[str, str]:
    """Level of each part key after the corrections; "" for a part that is no level."""
    return {part.key: table.get(part.key, _suggested(part)) for part in parts}


def _suggested(part: Part) -> str:
    return part.meaning.name if part.meaning is not None and part.meaning.kind == "level" else ""


def meanings_in_force(parts: list[Part], table: dict[str, str]) -> dict[str, BodyPart]:
    """What each used part is. A part that the user took the level from is left out, one given a level is a level."""
    levels = levels_in_force(parts, table)
    meanings = {}
    for part in parts:
        if levels[part.key]:
            meanings[part.key] = BodyPart("level", levels[part.key])
        elif part.key not in table and part.meaning is not None and part.meaning.kind != "level":
            meanings[part.key] = part.meaning
    return meanings


def rows(parts: list[Part], centres: Centres, table: dict[str, str]) -> list[SegmentRow]:
    """The table from head to foot, levels before what is none (organs); of each, parts without voxels last in their own order."""
    levels = levels_in_force(parts, table)
    result = [
        SegmentRow(part.key, part.name, _suggested(part), levels[part.key], part.color, centres.get(part.key))
        for part in parts
    ]
    return sorted(result, key=_place)


def _place(row: SegmentRow) -> tuple[bool, float]:
    """Levels first, from head to foot; one that the user takes the level from stays where it is."""
    return not (row.level or row.suggested), -row.centre_ras[2] if row.centre_ras is not None else np.inf


class PartsKeeper:
    """The parts of each node and their centres, looked at again only once the node changed: that reads every voxel."""

    def __init__(self) -> None:
        self._parts: dict[str, tuple[Any, Any, list[Part]]] = {}
        self._centres: dict[str, tuple[Any, Centres]] = {}

    def parts(self, node: Any) -> list[Part]:
        """As :func:`.segments.parts_of`, which see for the errors."""
        state, voxels = looks(node), input_state(node)
        known = self._parts.get(node.GetID())
        if known is None or known[:2] != (state, voxels):
            only_colors = known is not None and known[1] == voxels and is_segmentation(node)
            parts = recolored(node, known[2]) if only_colors else parts_of(node)
            self._parts[node.GetID()] = known = (state, voxels, parts)
        return known[2]

    def centres(self, node: Any) -> Centres:
        """Centre of each part that has voxels, world RAS mm. Colours do not move them."""
        state = input_state(node)
        if node.GetID() not in self._centres or self._centres[node.GetID()][0] != state:
            self._centres[node.GetID()] = (state, _centres(node, [part.key for part in self.parts(node)]))
        return self._centres[node.GetID()][1]

    def clear(self) -> None:
        """Forget everything."""
        self._parts.clear()
        self._centres.clear()


def _centres(node: Any, keys: list[str]) -> Centres:
    centres = {}
    for key, centre in part_centres(node, keys).items():
        x, y, z = (float(value) for value in centre)
        centres[key] = (x, y, z)
    return centres


def corrected(parts: list[Part], table: dict[str, str], key: str, level: str) -> dict[str, str]:
    """The corrections with one row changed. ``level`` in any spelling; "" leaves the segment out.

    Raises:
        InputError: no such row, or the text names no level.
    """
    known = {part.key: part for part in parts}
    if key not in known:
        raise InputError(f"The segmentation has no segment “{key}”; choose a row of the table.")
    name = parse_level(level) if level.strip() else ""
    changed = {**table, key: name}
    if name == _suggested(known[key]):
        del changed[key]  # back to what the name says: no longer a correction
    return changed


def shifted(parts: list[Part], table: dict[str, str], step: int) -> dict[str, str]:
    """The corrections with the whole numbering shifted: +1 towards the feet (T12 → L1), −1 towards the head.

    Raises:
        InputError: a level would run off the end.
    """
    levels = levels_in_force(parts, table)
    order = [name for name in LEVELS if name != "T13" or "T13" in levels.values()]
    changed = dict(table)
    for key, level in levels.items():
        if not level:
            continue
        index = order.index(level) + step
        if not 0 <= index < len(order):
            raise InputError(f"The numbering cannot be shifted further: there is no level beyond {level}.")
        changed = corrected(parts, changed, key, order[index])
    return changed
