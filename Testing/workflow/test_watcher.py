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


def test_an_error_dialog_of_the_module_is_a_problem(a_watcher: Any) -> None:
    from VertebralAugmentationPlannerLib.scene.ui_support import errorDisplay

    errorDisplay("The label map is empty.")
    assert a_watcher.problems == ["logged: The label map is empty."]


def test_an_error_that_another_module_logs_is_noted_only(a_watcher: Any) -> None:
    logging.getLogger("DICOM").error("the database cannot be opened")
    assert a_watcher.problems == [] and a_watcher.notes == ["logged: the database cannot be opened"]


def test_an_error_that_names_the_module_is_a_problem(a_watcher: Any) -> None:
    logging.getLogger().error("Failed to set up VertebralAugmentationPlanner")
    assert len(a_watcher.problems) == 1


def test_what_others_do_while_the_module_waits_for_events_is_noted_only(a_watcher: Any, a_slicer: Any) -> None:
    import qt
    from VertebralAugmentationPlannerLib.scene.ui_support import processEvents

    timer = qt.QTimer()
    timer.setSingleShot(True)
    timer.connect("timeout()", lambda: logging.getLogger("other").error("no network"))
    timer.start(0)
    processEvents()
    assert a_watcher.problems == [] and a_watcher.notes == ["logged: no network"]


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


STAMP = "21.08.2026 10:55:10"
OURS = (
    f"[ERROR][VTK] {STAMP} [vtkMRMLScene (0x5581)] (/s/Libs/MRML/Core/vtkMRMLScene.cxx:1535) - no such node",
    f"[ERROR][VTK] {STAMP} [] (unknown:0) - ERROR: In vtkThing.cxx, line 1\nvtkThing (0x1): no input",
    f"[ERROR][ITK] {STAMP} [] (unknown:0) - itk::ERROR: NrrdImageIO(0x1): cannot read",
    f"[CRITICAL][Qt] {STAMP} [] (unknown:0) - Failed to set slicer.modules.VertebralAugmentationPlannerWidget",
)
NOT_OURS = (
    f"[CRITICAL][Stream] {STAMP} [] (unknown:0) - DeprecationWarning: an old name",
    f"[CRITICAL][FD] {STAMP} [] (unknown:0) - libGL: no matching configuration",
    f"[CRITICAL][Qt] {STAMP} [qt.qpa.xcb] (unknown:0) - QXcbConnection: could not connect to display",
    f"[ERROR][VTK] {STAMP} [vtkXOpenGLRenderWindow (0x1)] (/v/vtkXOpenGLRenderWindow.cxx:500) - bad X server",
    f"[ERROR][VTK] {STAMP} [] (unknown:0) - ERROR: In /v/vtkShaderProgram.cxx, line 453\nvtkShaderProgram (0x1): 1:",
    f"[ERROR][Python] {STAMP} [] (unknown:0) - heard directly",
)


def test_the_application_log_is_judged_by_where_an_error_comes_from(a_watcher: Any) -> None:
    with open(a_watcher._log_file, "a", encoding="utf-8") as file:
        file.write("".join(f"{entry}\n" for entry in (*NOT_OURS, *OURS)))
        file.write(f"[WARNING][VTK] {STAMP} [] (unknown:0) - VertebralAugmentationPlanner: worth a look\n")
    assert a_watcher.problems == [f"application log: {entry}" for entry in OURS]
    assert a_watcher.notes == [f"application log: {entry}" for entry in NOT_OURS if "heard" not in entry]


def test_a_disabled_button_stops_the_workflow(a_module: Any, tmp_path: Any, a_slicer: Any) -> None:
    from case_workflow import Workflow

    workflow = Workflow(tmp_path)
    workflow.open_module()
    with pytest.raises(AssertionError, match="cannot be pressed: Choose the vertebra segmentation"):
        workflow.click(workflow.ui.measureButton)
