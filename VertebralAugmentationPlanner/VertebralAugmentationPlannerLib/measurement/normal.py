"""Normal sizes of the vertebrae, read from ``Resources/Reference/*.csv`` (each row with its source and its tag)."""

from __future__ import annotations

import csv
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
