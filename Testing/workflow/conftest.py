"""The module in the test host."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
for folder in (REPOSITORY / "Testing", REPOSITORY / "VertebralAugmentationPlanner", Path(__file__).parent):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

import host  # noqa: E402

MODULE_FILE = REPOSITORY / "VertebralAugmentationPlanner" / "VertebralAugmentationPlanner.py"


@pytest.fixture(scope="session")
def a_slicer() -> Any:
    """The application; skipped where PySide6 or slicer-core is missing."""
    ok, reason = host.available()
    if not ok:
        pytest.skip(reason)
    return host.install()


@pytest.fixture
def a_module(a_slicer: Any) -> Any:
    """The module, loaded afresh into an empty scene."""
    from host.application import load_module

    a_slicer.mrmlScene.Clear()
    return load_module(MODULE_FILE)
