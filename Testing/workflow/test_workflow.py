"""The whole case in the test host."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def test_a_whole_case_is_clicked_through_without_an_error(a_module: Any, a_slicer: Any, tmp_path: Path) -> None:
    """With all views there from the start, as in the application: their displayable managers answer every change."""
    from case_workflow import Workflow

    a_slicer.app.layoutManager().show()
    assert Workflow(tmp_path).run() == []
