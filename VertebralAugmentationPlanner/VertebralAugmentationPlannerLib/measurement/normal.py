"""Normal sizes of the vertebrae, read from ``Resources/Reference/*.csv`` (each row with its source and its tag)."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from ..model import LEVELS, InputError

_PLACES = (Path(__file__).resolve().parents[1], Path(__file__).resolve().parents[2])
"""Where ``Resources`` may lie: inside the package when installed, beside it in the source tree and in Slicer."""

REFERENCE_FOLDER = next(
    (place / "Resources" / "Reference" for place in _PLACES if (place / "Resources" / "Reference").is_dir()),
    _PLACES[1] / "Resources" / "Reference",
)


class Heights(NamedTuple):
    """Anterior, middle and posterior height of one body, mm; None where one could not be measured."""

    anterior: float | None
    middle: float | None
    posterior: float | None


@cache
def normal_posterior_height() -> dict[str, float]:
    """Mean posterior height by level in CT, women and men together, mm."""
    return {row["level"]: float(row["posterior_height_mm"]) for row in _rows("normal_heights.csv")}


@cache
def normal_ratios() -> dict[str, tuple[float, float]]:
    """Normal anterior and middle height by level, each as a fraction of the posterior height.

    The middle of a healthy body is 0.83–0.95 of its posterior height in CT, because end plates are dished: a loss
    of the middle height must never be judged against 1.0.
    """
    return {
        row["level"]: (float(row["anterior_to_posterior"]), float(row["middle_to_posterior"]))
        for row in _rows("height_ratios.csv")
    }


TAGS = "VCDM"
"""How well a number is known, from the best to the least: read in its source, computed from open data, designed, remembered."""


class Basis(NamedTuple):
    """What a normal value rests on: its sources, and the tag of what is known least of them."""

    text: str
    tag: str

    def __str__(self) -> str:
        return f"{self.text} [{self.tag}]"


def _basis(rows: Iterable[dict[str, str]]) -> Basis:
    rows = list(rows)
    text = "; ".join(dict.fromkeys(row["source"] for row in rows))
    return Basis(text, max((row["tag"] for row in rows), key=TAGS.index))


def basis_of_ratios(level: str) -> Basis:
    """What the normal proportions of a level rest on."""
    return _basis(row for row in _rows("height_ratios.csv") if row["level"] == level)


def basis_of_heights(level: str) -> Basis:
    """What the normal heights of a level rest on."""
    tables = ("normal_heights.csv", "height_ratios.csv")
    return _basis(row for name in tables for row in _rows(name) if row["level"] == level)


def basis_of_growth(from_level: str, to_level: str) -> Basis:
    """What the growth between two levels rests on."""
    first, last = sorted(LEVELS.index(level) for level in (from_level, to_level))
    rows = _rows("height_growth.csv")
    steps = [row for row in rows if first < LEVELS.index(row["to_level"]) <= last]
    # A supernumerary T13 has no row: it lies half-way along the step to L1.
    return _basis(steps or [row for row in rows if row["to_level"] == "L1"])


@cache
def sourced_ratios() -> frozenset[str]:
    """Levels whose normal proportions have a source, and are not only remembered (tag M)."""
    return frozenset(row["level"] for row in _rows("height_ratios.csv") if row["tag"] != "M")


@cache
def growth_curve() -> dict[str, tuple[float, float, float]]:
    """Anterior, middle and posterior height relative to T1, mm: the summed steps of ``height_growth.csv``."""
    curve = {"T1": (0.0, 0.0, 0.0)}
    for row in _rows("height_growth.csv"):
        a, m, p = curve[row["from_level"]]
        curve[row["to_level"]] = (
            a + float(row["anterior_mm"]),
            m + float(row["middle_mm"]),
            p + float(row["posterior_mm"]),
        )
    a, m, p = ((upper + lower) / 2 for upper, lower in zip(curve["T12"], curve["L1"], strict=True))
    curve["T13"] = (a, m, p)  # a supernumerary vertebra lies between the two
    return curve


def growth(from_level: str, to_level: str) -> tuple[float, float, float]:
    """How much taller (mm) the anterior, middle and posterior height are at one level than at another."""
    start, end = growth_curve()[from_level], growth_curve()[to_level]
    return end[0] - start[0], end[1] - start[1], end[2] - start[2]


def normal_heights(level: str) -> tuple[float, float, float]:
    """Normal anterior, middle and posterior height of a level, mm."""
    posterior = normal_posterior_height()[level]
    anterior_ratio, middle_ratio = normal_ratios()[level]
    return posterior * anterior_ratio, posterior * middle_ratio, posterior


@dataclass(frozen=True)
class Usual:
    """Normal values by level in one spine.

    Args:
        six_lumbar: whether it has six lumbar vertebrae. The last one is then the steep one, and L5 is like L4; from memory,
            without a source for the numbers [M].
    """

    six_lumbar: bool = False

    def standing(self, level: str) -> str:
        """The level in whose place this one stands."""
        return {"L5": "L4", "L6": "L5"}.get(level, level) if self.six_lumbar else level

    def heights(self, level: str) -> tuple[float, float, float]:
        """Normal anterior, middle and posterior height of a level, mm."""
        return normal_heights(self.standing(level))

    def ratios(self, level: str) -> tuple[float, float]:
        """Normal anterior and middle height, each as a fraction of the posterior height."""
        return normal_ratios()[self.standing(level)]

    def sourced(self, level: str) -> bool:
        """Whether the level's normal proportions have a source."""
        return self.standing(level) in sourced_ratios()

    def growth(self, from_level: str, to_level: str) -> tuple[float, float, float]:
        """How much taller (mm) the anterior, middle and posterior height are at one level than at another."""
        return growth(self.standing(from_level), self.standing(to_level))

    def is_steep(self, level: str) -> bool:
        """Whether the level is wedge-shaped by nature: the last lumbar one (3 mm lower behind than the one above)."""
        return self.standing(level) in ("L5", "L6")

    @property
    def above_steep(self) -> str:
        """The level above the steep one."""
        return "L5" if self.six_lumbar else "L4"


def _rows(name: str) -> list[dict[str, str]]:
    path = REFERENCE_FOLDER / name
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
    except OSError as error:
        raise InputError(
            f"The table of normal values {path} cannot be read ({error.strerror}); reinstall the extension."
        ) from error
    if "level" in (rows[0] if rows else {}) and {row["level"] for row in rows} != set(LEVELS):
        raise InputError(f"The table of normal values {path} must have one row for each of {LEVELS[0]}–{LEVELS[-1]}.")
    return rows
