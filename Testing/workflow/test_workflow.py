"""The whole case in the test host."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
for folder in (REPOSITORY / "Testing", REPOSITORY / "VertebralAugmentationPlanner", Path(__file__).parent):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

import host  # noqa: E402

MODULE_FILE = REPOSITORY / "VertebralAugmentationPlanner" / "VertebralAugmentationPlanner.py"


def test_a_whole_case_is_clicked_through_without_an_error(tmp_path: Path) -> None:
    ok, reason = host.available()
    if not ok:
        pytest.skip(reason)
    host.install()
    from host.application import load_module

    load_module(MODULE_FILE)
    from case_workflow import Workflow

    assert Workflow(tmp_path).run() == []
