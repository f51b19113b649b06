"""Margins and assumptions as the user changed them, kept with the scene as parameters of the parameter node (JSON)."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import Any, TypeVar

from ..model import Assumptions, InputError, Margins
from .references import plain

MARGINS = "margins"
ASSUMPTIONS = "assumptions"
"""Names of the parameters; absent where nothing was changed."""

Values = TypeVar("Values", Margins, Assumptions)


def readMargins(parameterNode: Any) -> Margins:
    """The margins in force: the design values, or what the user made of them.

    Raises:
        InputError: the parameter holds something else.
    """
    return _read(parameterNode, MARGINS, Margins)


def writeMargins(parameterNode: Any, margins: Margins) -> None:
    """Keep the user's margins with the scene."""
    _write(parameterNode, MARGINS, margins)


def readAssumptions(parameterNode: Any) -> Assumptions:
    """The assumptions in force. Raises as :func:`readMargins`."""
    return _read(parameterNode, ASSUMPTIONS, Assumptions)


def writeAssumptions(parameterNode: Any, assumptions: Assumptions) -> None:
    """Keep the user's assumptions with the scene."""
    _write(parameterNode, ASSUMPTIONS, assumptions)


def _read(parameterNode: Any, name: str, kind: type[Values]) -> Values:
    text = plain(parameterNode).GetParameter(name)
    if not text:
        return kind()
    known = {field.name for field in fields(kind)}
    try:
        values = {key: float(value) for key, value in json.loads(text).items() if key in known}
    except (AttributeError, TypeError, ValueError) as error:
        raise InputError(f"The {name} kept in this scene cannot be read; remove them and set them again.") from error
    return kind(**values)


def _write(parameterNode: Any, name: str, values: Margins | Assumptions) -> None:
    plain(parameterNode).SetParameter(name, json.dumps(asdict(values), sort_keys=True))
