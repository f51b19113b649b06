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


@pytest.fixture
def a_watcher(a_slicer: Any) -> Any:
    """Listens to everything that is logged; nothing of it may be a problem."""
    from watcher import Watcher

    with Watcher() as watcher:
        yield watcher
        assert watcher.problems == []


@pytest.fixture
def a_widget(a_module: Any, a_slicer: Any) -> Any:
    """The module's widget, on screen."""
    from watcher import MODULE

    a_slicer.util.selectModule(MODULE)
    widget = a_slicer.util.getModuleWidget(MODULE)
    yield widget
    widget.cleanup()
