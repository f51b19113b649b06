"""Whatever goes wrong makes the workflow fail."""

from __future__ import annotations

import logging
from typing import Any

import pytest


@pytest.fixture
def a_watcher(a_slicer: Any) -> Any:
    from watcher import Watcher

    with Watcher() as watcher:
        yield watcher


def test_nothing_heard_is_no_problem(a_watcher: Any) -> None:
    logging.getLogger().info("all is well")
    logging.getLogger().warning("worth a look")
    assert a_watcher.problems == []


def test_an_error_dialog_is_a_problem(a_watcher: Any, a_slicer: Any) -> None:
    a_slicer.util.errorDisplay("The label map is empty.")
    assert a_watcher.problems == ["logged: The label map is empty."]


def test_an_exception_in_a_slot_is_a_problem(a_watcher: Any, a_slicer: Any) -> None:
    import qt

    button = qt.QPushButton("x")
    button.connect("clicked(bool)", lambda: 1 / 0)
    button.click()
    assert len(a_watcher.problems) == 1 and "ZeroDivisionError" in a_watcher.problems[0]


def test_an_error_of_vtk_is_a_problem(a_watcher: Any, a_slicer: Any) -> None:
    import vtk

    vtk.vtkOutputWindow.GetInstance().DisplayErrorText("ERROR: In vtkThing.cxx, line 1\nno input\n")
    assert any("vtkThing" in problem for problem in a_watcher.problems)


def test_a_warning_on_stderr_is_no_problem(a_watcher: Any) -> None:
    line = "[CRITICAL][{}] 21.08.2026 10:55:10 [] (unknown:0) - {}\n"
    with open(a_watcher._log_file, "a", encoding="utf-8") as file:
        file.write(line.format("Stream", "DeprecationWarning: an old name"))
        file.write(line.format("FD", "libGL: no matching configuration"))
        file.flush()
        assert a_watcher.problems == []
        file.write(line.format("Qt", "QThing: cannot be done"))
    assert len(a_watcher.problems) == 1 and "QThing" in a_watcher.problems[0]


def test_a_disabled_button_stops_the_workflow(a_module: Any, tmp_path: Any, a_slicer: Any) -> None:
    from case_workflow import Workflow

    workflow = Workflow(tmp_path)
    workflow.open_module()
    with pytest.raises(AssertionError, match="cannot be pressed: Choose the vertebra segmentation"):
        workflow.click(workflow.ui.measureButton)
