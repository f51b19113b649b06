"""The whole case in the test host."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def test_a_whole_case_is_clicked_through_without_an_error(a_module: Any, tmp_path: Path) -> None:
    from case_workflow import Workflow

    assert Workflow(tmp_path).run() == []
