"""The device catalogue: balloons that ship with the planner, and the user's own."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..model import CANNULAS, Cannula, InputError
from ..model.serialisation import read_json

CATALOG_SCHEMA = "vertebral-augmentation-catalog/1"

_PLACES = (Path(__file__).resolve().parents[1], Path(__file__).resolve().parents[2])
"""``Resources`` lies inside the package where it was installed so, else beside it (source tree, Slicer)."""

DEFAULT_ELONGATION = 0.25
"""Length gained for each mm of diameter where an entry names none: 0.2–0.3 (clinical-reference 4 [D/C])."""


@dataclass(frozen=True)
class BalloonDevice:
    """One balloon of the catalogue.

    Args:
        name: as printed on the package; unique in the catalogue.
        length_mm: of the folded balloon, between its markers.
        max_volume_ml: largest volume the maker allows.
        max_pressure_psi: largest pressure the maker allows; None where unknown.
        deflated_diameter_mm: of the folded balloon.
        thinnest_cannula: gauge of the thinnest cannula it passes, a name of ``CANNULAS``.
        source: where the numbers come from, with tags.
        verified: every number was read in the maker's own document.
        elongation: mm of length gained for each mm of diameter.
        inflated_diameter_mm, inflated_length_mm: unconstrained at the largest volume, for reading only.
        volume_at_max_pressure_ml: volume at which the maker says that the pressure limit is reached in bone; None
            where the maker says nothing: then no pressure is ever assumed.
    """

    name: str
    length_mm: float
    max_volume_ml: float
    max_pressure_psi: float | None
    deflated_diameter_mm: float
    thinnest_cannula: str
    source: str
    verified: bool
    elongation: float = DEFAULT_ELONGATION
    inflated_diameter_mm: float | None = None
    inflated_length_mm: float | None = None
    volume_at_max_pressure_ml: float | None = None

    @property
    def line(self) -> str:
        """Maker and model without the size at the end of the name, as :func:`find_device` compares names: “kyphon
        xpander” of “KYPHON Xpander 20/3”."""
        return _key(re.sub(r"\s+\d[\d/.,x×\s]*(mm)?$", "", self.name.strip()))

    def passes(self, cannula: Cannula) -> bool:
        """Whether the balloon goes through this cannula."""
        return cannula.outer_diameter_mm >= CANNULAS[self.thinnest_cannula].outer_diameter_mm


_LIMITS: dict[str, tuple[float, float]] = {
    "length_mm": (5.0, 40.0),
    "max_volume_ml": (0.5, 12.0),
    "max_pressure_psi": (50.0, 1500.0),
    "deflated_diameter_mm": (1.0, 6.0),
    "elongation": (0.0, 1.0),
    "inflated_diameter_mm": (5.0, 40.0),
    "inflated_length_mm": (5.0, 50.0),
    "volume_at_max_pressure_ml": (0.1, 12.0),
}
"""What a kyphoplasty balloon can plausibly be; a number outside is a slip of the pen or of the unit [D]."""

_NULLABLE = frozenset({"max_pressure_psi", "inflated_diameter_mm", "inflated_length_mm", "volume_at_max_pressure_ml"})
_OPTIONAL = frozenset({"elongation", "inflated_diameter_mm", "inflated_length_mm", "volume_at_max_pressure_ml"})
_TEXTS = frozenset({"name", "thinnest_cannula", "source"})
_FIELDS = frozenset(_LIMITS) | _TEXTS | {"verified"}


def shipped_catalog() -> Path:
    """The file of the catalogue that ships, in the source tree, in Slicer and installed from a package.

    Raises:
        InputError: the installation lacks it.
    """
    for place in _PLACES:
        path = place / "Resources" / "Catalog" / "balloons.json"
        if path.is_file():
            return path
    raise InputError("The device catalogue Resources/Catalog/balloons.json is missing; install the planner again.")


def load_catalog(own: str | Path | None = None) -> tuple[BalloonDevice, ...]:
    """The balloons a plan may choose from: the user's own first, then those that ship.

    Args:
        own: JSON file of the user's own devices; an entry with a shipped name replaces it.

    Raises:
        InputError: a file cannot be read, or an entry is not usable; the message names it.
    """
    shipped = read_catalog(shipped_catalog())
    added = read_catalog(Path(own)) if own is not None else ()
    names = {_key(device.name) for device in added}
    return (*added, *(device for device in shipped if _key(device.name) not in names))


def catalog_of_plan(recorded: str | None, beside: Path | None = None) -> str | None:
    """Where the user's own catalogue of a saved plan lies now: the plan keeps no more than its name.

    Args:
        recorded: the plan's ``options.catalog``.
        beside: the folder of plan.json, where it is of a file.

    Raises:
        InputError: it is neither below the working folder nor beside the plan.
    """
    if recorded is None:
        return None
    name = Path(recorded).name
    for path in (Path(recorded), *([] if beside is None else [beside / name])):
        if path.is_file():
            return str(path)
    raise InputError(
        f"The plan’s device catalogue {name} is neither in the working folder nor beside the plan; give it with --catalog."
    )


def find_device(devices: tuple[BalloonDevice, ...], name: str) -> BalloonDevice:
    """The balloon of a name, whatever its capitals.

    Raises:
        InputError: it is not in the catalogue; the message lists those that are.
    """
    for device in devices:
        if _key(device.name) == _key(name):
            return device
    listed = ", ".join(device.name for device in devices)
    raise InputError(f"The balloon “{name}” is not in the catalogue; choose “auto” or one of {listed}.")


def read_catalog(path: Path) -> tuple[BalloonDevice, ...]:
    """Read and check one catalogue file.

    Raises:
        InputError: see :func:`load_catalog`.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"The device catalogue {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"The device catalogue {path} is not text (UTF-8).") from error
    data = read_json(text, f"The device catalogue {path}")
    if not isinstance(data, dict) or data.get("schema") != CATALOG_SCHEMA:
        raise InputError(f"The device catalogue {path} should be an object with “schema”: “{CATALOG_SCHEMA}”.")
    entries = data.get("balloons")
    if not isinstance(entries, list) or not entries:
        raise InputError(f"The device catalogue {path} lists no “balloons”.")
    devices = tuple(_device(entry, f"{path}, balloon {number}") for number, entry in enumerate(entries, 1))
    seen: set[str] = set()
    for device in devices:
        if _key(device.name) in seen:
            raise InputError(f"The device catalogue {path} has two balloons named “{device.name}”.")
        seen.add(_key(device.name))
    return devices


def _device(entry: Any, where: str) -> BalloonDevice:
    if not isinstance(entry, dict):
        raise InputError(f"The device catalogue {where}: each balloon should be an object.")
    name = entry.get("name")
    where = f"{where} (“{name}”)" if isinstance(name, str) else where
    unknown = sorted(set(entry) - _FIELDS)
    if unknown:
        raise InputError(
            f"The device catalogue {where}: “{unknown[0]}” is unknown; fields are {', '.join(sorted(_FIELDS))}."
        )
    missing = sorted(_FIELDS - _OPTIONAL - set(entry))
    if missing:
        raise InputError(f"The device catalogue {where}: “{missing[0]}” is missing.")
    values = {field: _checked(field, value, where) for field, value in entry.items()}
    device = BalloonDevice(**values)
    if device.elongation * device.deflated_diameter_mm >= device.length_mm:
        raise InputError(f"The device catalogue {where}: an elongation of {device.elongation:g} does not fit its size.")
    cannula = CANNULAS[device.thinnest_cannula]
    # No bore of a cannula is known; it is narrower than the outer diameter, so that this much is sure.
    if device.deflated_diameter_mm >= cannula.outer_diameter_mm:
        raise InputError(
            f"The device catalogue {where}: a folded balloon {device.deflated_diameter_mm:g} mm thick does not pass the "
            f"{cannula.name} cannula, which is {cannula.outer_diameter_mm:g} mm thick outside."
        )
    return device


def _checked(field: str, value: Any, where: str) -> Any:
    if field in _TEXTS:
        if not isinstance(value, str) or not value.strip():
            raise InputError(f"The device catalogue {where}: “{field}” should be a text that is not empty.")
        if field == "thinnest_cannula" and value not in CANNULAS:
            raise InputError(f"The device catalogue {where}: cannula “{value}” is unknown; use {', '.join(CANNULAS)}.")
        return value.strip()
    if field == "verified":
        if not isinstance(value, bool):
            raise InputError(f"The device catalogue {where}: “verified” should be true or false.")
        return value
    if value is None and field in _NULLABLE:
        return None
    low, high = _LIMITS[field]
    number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if not number or not low <= value <= high:
        raise InputError(f"The device catalogue {where}: “{field}” should be a number from {low:g} to {high:g}.")
    return float(value)


def _key(name: str) -> str:
    return " ".join(name.casefold().split())
