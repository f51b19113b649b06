"""Which number in a label map is which vertebra."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..model import LEVELS, Image, InputError
from ..model.serialisation import read_json
from .names import SPINE_ORDER, part_of_name
from .parts import parts_of_vertebrae

VERSE: dict[str, int] = {
    **{f"C{n}": n for n in range(1, 8)},
    **{f"T{n}": 7 + n for n in range(1, 13)},
    **{f"L{n}": 19 + n for n in range(1, 7)},
    "T13": 28,
    "sacrum": 26,
}
"""VerSe: T1–T12 = 8–19, L1–L6 = 20–25, T13 = 28 (Sekuboyina et al. 2021, doi 10.1016/j.media.2021.102166; data
descriptor doi 10.1038/s41597-021-01060-0). 26 is the sacrum where a derived data set labels it."""

TOTALSEGMENTATOR: dict[str, int] = {
    "sacrum": 25,
    "S1": 26,
    **{f"L{n}": 32 - n for n in range(1, 6)},
    **{f"T{n}": 44 - n for n in range(1, 13)},
    **{f"C{n}": 51 - n for n in range(1, 8)},
}
"""TotalSegmentator version 2, task ``total``: sacrum 25, S1 26, L5–L1 = 27–31, T12–T1 = 32–43, C7–C1 = 44–50
(``class_map["total"]`` in totalsegmentator/map_to_binary.py, github.com/wasserth/TotalSegmentator)."""

TOTALSEGMENTATOR_CORD = 79
"""``spinal_cord`` in the same table."""

TOTALSEGMENTATOR_1: dict[str, int] = {
    "sacrum": 92,
    **{f"L{n}": 23 - n for n in range(1, 6)},
    **{f"T{n}": 35 - n for n in range(1, 13)},
    **{f"C{n}": 42 - n for n in range(1, 8)},
}
"""TotalSegmentator version 1: L5–L1 = 18–22, T12–T1 = 23–34, C7–C1 = 35–41, sacrum 92 (``class_map["total_v1"]`` in the same
file). Its T8–T1 are L5–T10 of version 2, nine levels off."""

KNOWN: dict[str, dict[str, int]] = {
    "verse": VERSE,
    "totalsegmentator": TOTALSEGMENTATOR,
    "totalsegmentator-v1": TOTALSEGMENTATOR_1,
}
CURRENT = ("verse", "totalsegmentator")
"""A lone vertebra is read by these; version 1 of TotalSegmentator has to show by the order of several."""

HIGHEST_VERSE_VALUE = 28

BESIDE_VERSE = {hundred + value for hundred in (100, 200) for value in range(1, HIGHEST_VERSE_VALUE + 1)}
"""Disc below a vertebra and its end plate, as programs that number like VerSe add them (SPINEPS, TPTBox: 100 and 200 +
the vertebra's number)."""

SAMPLES = 2_000_000
"""Voxels looked at to see where each label lies; a vertebra of 20 ml keeps hundreds of them. [D]"""

MIN_SAMPLED_ML = 1.0
"""Below this a label is a crumb and says nothing about the numbering. The smallest whole vertebra, a child's or
small woman's T1, has about 10 ml. [D]"""

MIN_STEP_MM, MAX_STEP_MM = 6.0, 65.0
"""Distance between the centroids of two neighbours: about 20–40 mm from T1 to L5; a vertebra plana with thin discs
comes down to about 10 mm, and centroids of vertebrae cut by the border shift. [D]"""

PLAIN_SPINE = 3
"""So many vertebrae in the order and at the distances of a spine are no coincidence of numbers. [D]"""

ASK = "give --labels verse, totalsegmentator, totalsegmentator-v1 or a JSON file such as {“20”: “L1”}"


@dataclass(frozen=True)
class Numbering:
    """Names of the values of one label map.

    Args:
        name: "verse", "totalsegmentator", "totalsegmentator-v1", "segments", "given" or the JSON file's name; for the plan's
            record.
        values: value of each level present in the map's numbering, whether or not the map holds it.
        other: values of neck, S1 and sacrum.
        canal: value of a canal label; ``cord`` that of a cord label.
        own: from a file of the user's own.
    """

    name: str
    values: dict[str, int]
    other: dict[str, int] = field(default_factory=dict)
    canal: int | None = None
    cord: int | None = None
    also: str = ""
    """Another reading of the same numbers that their order allows as well, in words."""
    own: bool = False

    def table(self) -> dict[str, int]:
        """Values by name, as :func:`numbering_from_table` takes them."""
        rest = {"spinal canal": self.canal, "spinal cord": self.cord}
        return {**self.values, **self.other, **{name: value for name, value in rest.items() if value is not None}}


def numbering_from_table(name: str, table: Mapping[str, int]) -> Numbering:
    """A numbering from body part names and values; names that planning does not use are left out.

    Raises:
        InputError: a level that does not exist, or one value for two levels.
    """
    values: dict[str, int] = {}
    other: dict[str, int] = {}
    canal = cord = None
    for text, value in table.items():
        part = part_of_name(text)
        if part is None:
            continue
        if part.kind == "canal":
            canal = value
        elif part.kind == "cord":
            cord = value
        else:
            target = values if part.kind == "level" else other
            if part.name in target:
                raise InputError(f"The numbering {name} names {part.name} twice; keep one value for each level.")
            target[part.name] = value
    used = [*values.values(), *other.values()]
    twice = sorted({value for value in used if used.count(value) > 1})
    if twice:
        raise InputError(f"The numbering {name} gives the value {twice[0]} to two vertebrae; keep one level for each.")
    if not values:
        raise InputError(f"The numbering {name} names no level T1–T13 or L1–L6; write entries such as “L1”: 20.")
    return Numbering(name, dict(sorted(values.items(), key=lambda item: LEVELS.index(item[0]))), other, canal, cord)


def known_numbering(name: str) -> Numbering:
    """The numbering called "verse", "totalsegmentator" or "totalsegmentator-v1"."""
    table = dict(KNOWN[name])
    if name == "totalsegmentator":
        table["spinal cord"] = TOTALSEGMENTATOR_CORD
    return numbering_from_table(name, table)


def read_numbering(path: Path) -> Numbering:
    """A numbering from a JSON file, ``{"L1": 20, …}`` or ``{"20": "L1", …}``.

    Raises:
        InputError: no such file, not JSON, or not such a table.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"The label numbering {path} cannot be read ({error.strerror}); {ASK}.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"The label numbering {path.name} is not text; write {{“L1”: 20, “L2”: 21}}.") from error
    data = read_json(text, f"The label numbering {path.name}")
    if not isinstance(data, dict):
        raise InputError(f"The label numbering {path.name} is not a table; write {{“L1”: 20, “L2”: 21}}.")
    table: dict[str, int] = {}
    for key, value in data.items():
        name, number = (value, key) if isinstance(value, str) and key.strip().isdecimal() else (key, value)
        if isinstance(number, str) and number.strip().isdecimal():
            number = int(number)
        if isinstance(number, bool) or not isinstance(number, int) or number <= 0:
            raise InputError(
                f"The label numbering {path.name} has the entry “{key}”: {json.dumps(value)}; "
                "write a level and a whole number above 0, such as “L1”: 20."
            )
        if name in table:
            raise InputError(f"The label numbering {path.name} names {name} twice; keep one value for each level.")
        table[name] = number
    return replace(numbering_from_table(path.name, table), own=True)


def numbering_of(labels: Image, choice: str) -> Numbering:
    """The numbering of a label map by the user's choice: the name of a known one, "auto" or a JSON file's path.

    Raises:
        InputError: the choice is unknown, or "auto" finds no or two readings.
    """
    if choice in KNOWN:
        _refuse_wrong_choice(labels, choice)
        return known_numbering(choice)
    if choice == "auto":
        return detect_numbering(labels)
    path = Path(choice)
    if path.suffix.lower() != ".json" and not path.exists():
        raise InputError(f"The label numbering “{choice}” is unknown; {ASK}.")
    return read_numbering(path)


def _refuse_wrong_choice(labels: Image, choice: str) -> None:
    """A table chosen by hand against the anatomy would call an L4 a T13: raise where another table plainly fits."""
    found = sampled(labels)
    chosen = _reading(KNOWN[choice], found)
    for name, table in KNOWN.items():
        reading = _reading(table, found)
        if name != choice and len(reading) >= max(PLAIN_SPINE, len(chosen) + 1) and _fits(name, reading):
            raise InputError(
                f"The labels lie in the order of {title(name)}’s numbers ({_span(list(reading))}), not of "
                f"{title(choice)}’s; give --labels {name}."
            )


def detect_numbering(labels: Image) -> Numbering:
    """The one known numbering in which the labels form a spine.

    VerSe's numbers grow from head to foot, TotalSegmentator's from foot to head: where two or more vertebrae are
    there, their order in the patient decides. A single vertebra is taken where only one present table knows its number. Where
    both versions of TotalSegmentator explain as many vertebrae it is the current one, and the numbering tells the other.

    Raises:
        InputError: no table fits, or both do; the message says what each reading would be.
    """
    found = sampled(labels)
    if not found:
        raise InputError("The segmentation is empty: no label reaches the size of a vertebra.")
    readings = {name: _reading(table, found) for name, table in KNOWN.items()}
    if any(value > HIGHEST_VERSE_VALUE and value not in BESIDE_VERSE for value in found):
        readings["verse"] = {}  # VerSe has no such value: another numbering, or one with organs
    named = {name: [level for level in reading if level in LEVELS] for name, reading in readings.items()}
    fitting = [name for name in KNOWN if named[name] and _fits(name, readings[name])]
    # Of several readings that form a spine, the one that explains more of the vertebrae: L4 of TotalSegmentator is
    # VerSe's T13, so a VerSe spine with a T13 always holds one “TotalSegmentator” vertebra as well.
    most = max((len(readings[name]) for name in fitting), default=0)
    best = [name for name in fitting if len(readings[name]) == most]
    alone = sum(bool(named[name]) for name in CURRENT) == 1
    if most == 1:
        best = [name for name in best if name in CURRENT and alone]
    also = ""
    if best == ["totalsegmentator", "totalsegmentator-v1"]:
        old = best.pop()
        also = f"{_span(named[best[0]])} by {title(best[0])}’s present numbers, {_span(named[old])} by those of its version 1"
    elif most == 1 and len(best) == 1:
        others = [name for name in KNOWN if name not in CURRENT and named[name] and named[name] != named[best[0]]]
        also = "".join(
            f"{_span(named[best[0]])} by {title(best[0])}’s numbers, {_span(named[name])} by those of {title(name)}"
            for name in others
        )
    if len(best) == 1:
        return replace(known_numbering(best[0]), also=also)
    raise InputError(_why_not(sorted(found), {name: named[name] for name in CURRENT}))


def _reading(table: Mapping[str, int], found: Mapping[int, Sampled]) -> dict[str, NDArray]:
    """Centroid of each name of a table that is there with most of its vertebra, in the order of the spine."""
    names = {value: name for name, value in table.items()}
    there = {names[value]: label for value, label in found.items() if value in names}
    cut = [name for name, label in there.items() if label.at_border]
    parts = parts_of_vertebrae({name: label.volume_ml for name, label in there.items()}, cut)
    return {name: there[name].centre for name in SPINE_ORDER if name in there and name not in parts}


def _fits(name: str, reading: Mapping[str, NDArray]) -> bool:
    """Whether a reading is a spine. Version 1's has no gap: its lumbar numbers are bowel, bladder and prostate of version 2."""
    if name not in CURRENT:
        order = [part for part in SPINE_ORDER if part in KNOWN[name]]
        places = [order.index(part) for part in reading]
        if places and len(places) != places[-1] - places[0] + 1:
            return False
    return forms_spine(reading)


def forms_spine(centroids: Mapping[str, NDArray]) -> bool:
    """Whether named centroids (RAS mm, in the order of the spine) run from head to foot at vertebral distances."""
    names = list(centroids)
    for upper, lower in pairwise(names):
        step = centroids[lower] - centroids[upper]
        count = max(1, SPINE_ORDER.index(lower) - SPINE_ORDER.index(upper))
        if not MIN_STEP_MM <= float(np.linalg.norm(step)) <= MAX_STEP_MM * count or step[2] >= 0:
            return False
    return True


def _why_not(values: list[int], named: dict[str, list[str]]) -> str:
    shown = ", ".join(map(str, values[:12])) + (" …" if len(values) > 12 else "")
    readings = [f"{_span(levels)} in {title(name)}" for name, levels in named.items() if levels]
    if not readings:
        return f"No vertebra T1–L6 is in the labels (values {shown}) in VerSe’s or TotalSegmentator’s numbers; {ASK}."
    if len(readings) == 2:
        return f"The label values {shown} could be {readings[0]} or {readings[1]}; {ASK}."
    return (
        f"The label values {shown} would be {readings[0]}, but they do not lie in that order from head to foot; "
        f"correct the labels or {ASK}."
    )


def _span(levels: list[str]) -> str:
    return levels[0] if len(levels) == 1 else f"{levels[0]}–{levels[-1]}"


def title(name: str) -> str:
    """How a known numbering is written in a sentence."""
    titles = {
        "verse": "VerSe",
        "totalsegmentator": "TotalSegmentator",
        "totalsegmentator-v1": "TotalSegmentator version 1",
    }
    return titles.get(name, name)


@dataclass(frozen=True, eq=False)
class Sampled:
    """One label in a sample of the voxels: centroid (3,) RAS mm, volume, and whether it reaches the map's border."""

    centre: NDArray
    volume_ml: float
    at_border: bool


def sampled(labels: Image) -> dict[int, Sampled]:
    """Every label of at least :data:`MIN_SAMPLED_ML`, from a regular sample of the voxels."""
    stride = max(1, int(np.ceil((labels.voxels.size / SAMPLES) ** (1 / 3))))
    sample = np.ascontiguousarray(labels.voxels[::stride, ::stride, ::stride])
    voxel_ml = float(abs(np.linalg.det(labels.ijk_to_ras[:3, :3]))) * stride**3 / 1000
    where = np.nonzero(sample)
    values = sample[where].astype(np.int64)
    if not values.size:
        return {}
    counts = np.bincount(values)
    sums = [np.bincount(values, weights=index * float(stride)) for index in where]
    outer = np.any([(index == 0) | (index == n - 1) for index, n in zip(where, sample.shape, strict=True)], axis=0)
    cut = np.bincount(values[outer], minlength=len(counts)) > 0
    present = np.flatnonzero(counts * voxel_ml >= MIN_SAMPLED_ML)
    return {
        int(v): Sampled(
            labels.to_ras([axis[v] / counts[v] for axis in sums]), float(counts[v]) * voxel_ml, bool(cut[v])
        )
        for v in present
    }
