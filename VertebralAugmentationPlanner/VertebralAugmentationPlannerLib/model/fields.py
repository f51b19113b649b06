"""Fields of a plan by the path to them, for tables that name what stands in their columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def field_at(path: str) -> Callable[[Any], Any]:
    """Reads the field at the end of a dotted path (``measurements.reference.method``); None as soon as something on the way is None."""
    names = path.split(".")

    def read(owner: Any) -> Any:
        value = owner
        for name in names:
            if value is None:
                return None
            value = getattr(value, name)
        return value

    return read
