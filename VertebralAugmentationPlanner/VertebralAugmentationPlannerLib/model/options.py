"""What the user may choose, and the assumptions the user sees and may edit."""

from __future__ import annotations

import math
import numbers
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

from .errors import InputError


@dataclass(frozen=True)
class Range:
    """The numbers that an option may have, and the same in words."""

    low: float
    high: float
    words: str
    low_is_in: bool = True
    high_is_in: bool = True

    def holds(self, value: float) -> bool:
        """Whether a number lies in the range; NaN never does."""
        above = value >= self.low if self.low_is_in else value > self.low
        return above and (value <= self.high if self.high_is_in else value < self.high)


LARGEST_MARGIN_MM = 20.0
"""More than any lumbar pedicle is wide: a wider margin is a slip of the pen or of the unit. [D]"""
LARGEST_INTERDIGITATION_ML, LARGEST_FILLER_ML = 10.0, 20.0
"""More cement than a vertebra takes; likewise. [D]"""

MARGIN_RANGE = Range(0.0, LARGEST_MARGIN_MM, f"between 0 and {LARGEST_MARGIN_MM:g} mm")
SHARE = Range(0.0, 1.0, "above 0 and at most 1 (0.30 means 30 %)", low_is_in=False)


@dataclass(frozen=True)
class Cannula:
    """A straight access cannula. Diameters from the Stubs needle gauge table."""

    name: str
    outer_diameter_mm: float

    @property
    def radius_mm(self) -> float:
        """Half the outer diameter, mm."""
        return self.outer_diameter_mm / 2


CANNULAS: dict[str, Cannula] = {
    cannula.name: cannula
    for cannula in (Cannula("8G", 4.2), Cannula("10G", 3.4), Cannula("11G", 3.05), Cannula("13G", 2.41))
}
"""Thickest first. 8G is the 4.2 mm osteo-introducer; the rest is the Stubs table, from memory and to be
checked against the package in hand."""


@dataclass(frozen=True)
class Margins:
    """Distances to keep from the cannula's surface, mm. A path that keeps all of them is *safe*; one that
    touches nothing but keeps less is *tight* and is shown as a compromise. Design values, editable."""

    pedicle_wall_mm: float = 1.0
    canal_mm: float = 1.0
    endplate_mm: float = 3.0
    anterior_wall_mm: float = 5.0
    lateral_wall_mm: float = 3.0
    neighbour_mm: float = 0.5

    def __post_init__(self) -> None:
        _keep_numbers(self, "margin", {item.name: MARGIN_RANGE for item in fields(self)})


@dataclass(frozen=True)
class Assumptions:
    """Numbers that no verified source fixes. Shown to the user as assumptions, editable."""

    restoration_fraction: float = 0.40
    """Share of the lost anterior height regained by inflation; partial correction, 30–50 %, is the rule under load."""
    bone_volume_fraction: float = 0.10
    """Share of the trabecular space taken by bone (BV/TV), osteoporotic: 0.06–0.12, from memory."""
    interdigitation_ml: float = 1.0
    """Cement beyond the balloon's cavity that enters the trabecular bone around it: 1–2 ml, from memory."""
    bone_filler_ml: float = 1.5
    """Volume of one bone filler device, from memory."""
    cement_ceiling_fraction: float = 0.30
    """The plan never asks for more cement than this share of the whole body (30 % restored or exceeded normal
    stiffness in a finite-element study, JKNS 2012 doi 10.3340/jkns.2012.52.5.435)."""

    RANGES: ClassVar[dict[str, Range]] = {
        "restoration_fraction": Range(0.0, 1.0, "between 0 and 1 (0.40 means 40 %)"),
        "bone_volume_fraction": Range(0.0, 1.0, "at 0 or above and below 1 (0.10 means 10 %)", high_is_in=False),
        "interdigitation_ml": Range(
            0.0, LARGEST_INTERDIGITATION_ML, f"between 0 and {LARGEST_INTERDIGITATION_ML:g} ml"
        ),
        "bone_filler_ml": Range(
            0.0, LARGEST_FILLER_ML, f"above 0 and at most {LARGEST_FILLER_ML:g} ml", low_is_in=False
        ),
        "cement_ceiling_fraction": SHARE,
    }

    def __post_init__(self) -> None:
        _keep_numbers(self, "assumption", self.RANGES)


def _keep_numbers(values: Margins | Assumptions, what: str, ranges: dict[str, Range]) -> None:
    """Every value as a float in its range.

    Raises:
        InputError: one is no number, or outside.
    """
    for name, allowed in ranges.items():
        object.__setattr__(values, name, _number(getattr(values, name), f"{what} {name}", allowed))


def as_float(value: Any) -> float:
    """A real number as a float, infinite where it is too large for one: a whole number of hundreds of digits."""
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _number(value: Any, what: str, allowed: Range) -> float:
    # A flag is a number to Python, and here a slip of the pen; NumPy's numbers are real numbers, its flags are not.
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise InputError(f"The {what} {_shown(value)} is no number; it must lie {allowed.words}.")
    number = as_float(value)
    if not allowed.holds(number):
        raise InputError(f"The {what} {_shown(value)} must lie {allowed.words}.")
    return number


LONGEST_SHOWN = 60
"""Characters of a value that a sentence quotes."""


def _shown(value: Any) -> str:
    """A wrong value as a sentence quotes it."""
    if isinstance(value, numbers.Real) and not isinstance(value, (bool, numbers.Rational)):
        return f"{float(value):g}"
    if isinstance(value, str):
        return f"“{value}”" if len(value) <= LONGEST_SHOWN else f"“{value[:LONGEST_SHOWN]}…”"
    text = " ".join(repr(value).split())
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


PROCEDURES = ("kyphoplasty", "vertebroplasty")
APPROACHES = ("auto", "unilateral", "unilateral-left", "unilateral-right", "bilateral")
ETIOLOGIES = ("osteoporotic", "traumatic", "tumour")
CANNULA_CHOICES = ("auto", *CANNULAS)


@dataclass(frozen=True)
class PlanOptions:
    """The choices of one planning run.

    Args:
        levels: "fractured", "all", a comma-separated list ("L1,T12") or a sequence of level names.
        procedure: "kyphoplasty" or "vertebroplasty".
        approach: "auto", "unilateral", "unilateral-left", "unilateral-right" or "bilateral".
        cannula: "auto" (the thickest of the procedure that keeps every margin) or a gauge of :data:`CANNULAS`.
        target_fill: share of the anterior two-thirds of the body to fill with cement, 0–1.
        etiology: "osteoporotic", "traumatic" or "tumour".
        labels: numbering of the label map: "auto", "totalsegmentator", "totalsegmentator-v1", "verse" or the path of a JSON
            file.
        balloon: name of a catalogue balloon, or "auto" for the longest that fits.
        catalog: path of a device catalogue of the user's own (JSON), added to the one that ships.
    """

    levels: str | tuple[str, ...] = "fractured"
    procedure: str = "kyphoplasty"
    approach: str = "auto"
    cannula: str = "auto"
    target_fill: float = 0.30
    etiology: str = "osteoporotic"
    labels: str = "auto"
    balloon: str = "auto"
    catalog: str | None = None
    margins: Margins = field(default_factory=Margins)
    assumptions: Assumptions = field(default_factory=Assumptions)

    def __post_init__(self) -> None:
        kept: dict[str, Any] = {
            "levels": _levels(self.levels),
            "target_fill": _number(self.target_fill, "target fill", SHARE),
            "labels": _path(
                self.labels,
                "labels",
                "“auto”, “totalsegmentator”, “totalsegmentator-v1”, “verse” or the path of a JSON file",
            ),
        }
        for name, allowed in (
            ("procedure", PROCEDURES),
            ("approach", APPROACHES),
            ("cannula", CANNULA_CHOICES),
            ("etiology", ETIOLOGIES),
        ):
            value = getattr(self, name)
            if not isinstance(value, str) or value not in allowed:
                shown = value if isinstance(value, str) else _shown(value)
                raise InputError(f"{name} “{shown}” is unknown; choose one of {', '.join(allowed)}.")
        if not isinstance(self.balloon, str) or not self.balloon:
            raise InputError(
                f"The balloon is {_shown(self.balloon)}; give the name of a balloon of the catalogue, or “auto”."
            )
        if self.catalog is not None:
            kept["catalog"] = _path(self.catalog, "catalog", "the path of a JSON file of devices, or none")
        for name, kind in (("margins", Margins), ("assumptions", Assumptions)):
            value = getattr(self, name)
            if not isinstance(value, kind):
                raise InputError(f"The {name} are {_shown(value)}; give {kind.__name__}(…), or leave them out.")
        for name, value in kept.items():
            object.__setattr__(self, name, value)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> PlanOptions:
        """Options as a plan records them; entries that this version does not know are left out.

        Raises:
            InputError: an entry has no usable value; the message names it.
        """
        if not isinstance(data, dict):
            raise InputError(f"The options are {_shown(data)}; give an object with an entry for each option.")
        values = {item.name: data[item.name] for item in fields(cls) if item.name in data}
        for name, kind in (("margins", Margins), ("assumptions", Assumptions)):
            if name in values:
                given = values[name]
                if not isinstance(given, dict):
                    raise InputError(f"The {name} are {_shown(given)}; give an object with a number for each of them.")
                known = {item.name for item in fields(kind)}
                values[name] = kind(**{key: value for key, value in given.items() if key in known})
        return cls(**values)


def _levels(value: Any) -> str | tuple[str, ...]:
    """A text as it is; a sequence or an array of names as a tuple.

    Raises:
        InputError: something else, or a name that is no text.
    """
    if isinstance(value, str):
        return str(value)
    names = value.tolist() if hasattr(value, "tolist") else value  # arrays of NumPy and what behaves like them
    if isinstance(names, (bytes, bytearray)) or not isinstance(names, Sequence):
        raise InputError(f"The levels are {_shown(value)}; give “fractured”, “all” or names such as “L1,T12”.")
    strange = [name for name in names if not isinstance(name, str)]
    if strange:
        raise InputError(f"The levels hold {_shown(strange[0])}, which is no name; give names such as “L1”.")
    return str(names) if isinstance(names, str) else tuple(str(name) for name in names)


def _path(value: Any, name: str, wanted: str) -> str:
    path = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(path, str) or not path:
        raise InputError(f"The option {name} is {_shown(value)}; give {wanted}.")
    return str(path)
