"""Reading a CT and its vertebra labels, level names, and everything that can be wrong with them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .again import load_again, other_canal, reading_warnings, refuse_other_series
    from .load import load_case
    from .numbering import TOTALSEGMENTATOR, VERSE, Numbering
    from .requested import requested_levels
    from .source import Source, recorded_path

__all__ = [
    "TOTALSEGMENTATOR",
    "VERSE",
    "Numbering",
    "Source",
    "load_again",
    "load_case",
    "other_canal",
    "reading_warnings",
    "recorded_path",
    "refuse_other_series",
    "requested_levels",
]

_FILES = {
    "load_again": "again",
    "load_case": "load",
    "other_canal": "again",
    "reading_warnings": "again",
    "recorded_path": "source",
    "refuse_other_series": "again",
    "requested_levels": "requested",
    "Source": "source",
}


def __getattr__(name: str) -> Any:
    # Reading pulls in SimpleITK: the panel, which needs the names of levels when Slicer starts, does not pay for it.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_FILES.get(name, 'numbering')}", __name__), name)
