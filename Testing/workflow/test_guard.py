"""The run in Slicer comes to an end, whatever happens."""

from __future__ import annotations

import faulthandler
import runpy
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
MODULE = "VertebralAugmentationPlanner"


def test_a_dialog_that_nobody_answers_is_closed_and_named(a_slicer: Any, tmp_path: Path) -> None:
    import qt
    from guard import Guard

    with Guard(tmp_path / "stacks.txt", looks=1) as guard:
        dialog = qt.QMessageBox()
        dialog.windowTitle = "Save"
        dialog.setText("Replace the file?")
        dialog.exec_()
    guard.release()
    assert len(guard.problems) == 1
    assert "QMessageBox “Save”: Replace the file?" in guard.problems[0]


def test_progress_may_take_its_time(a_slicer: Any, tmp_path: Path) -> None:
    import qt
    from guard import Guard

    dialog = qt.QProgressDialog()
    dialog.windowModality = qt.Qt.ApplicationModal
    dialog.show()
    with Guard(tmp_path / "stacks.txt", looks=1) as guard:
        guard.look()
        guard.look()
    guard.release()
    assert guard.problems == [] and dialog.visible
    dialog.close()


def test_a_run_that_hangs_ends_with_status_1_and_tells_where(tmp_path: Path) -> None:
    code = """
import sys, time, types
sys.modules["qt"] = types.SimpleNamespace(QTimer=lambda: types.SimpleNamespace(
    setInterval=lambda ms: None, connect=lambda *a: None, start=lambda: None, stop=lambda: None))
from guard import Guard
with Guard(sys.argv[1], run_s=0.5):
    time.sleep(60)
"""
    run = subprocess.run([sys.executable, "-c", code, str(tmp_path / "stacks.txt")], cwd=HERE, check=False)
    assert run.returncode == 1  # asleep for a minute it would have ended with 0
    assert "<module>" in (tmp_path / "stacks.txt").read_text(encoding="utf-8")


def run_script(slicer: Any, monkeypatch: pytest.MonkeyPatch, run: Any) -> int:
    """Exit status of ``run_in_slicer.py`` with another workflow, as ctkAbstractPythonManager::executeFile runs it."""
    status: list[int] = []
    workflow = type("Workflow", (), {"__init__": lambda self, folder: None, "run": run})
    factory = types.SimpleNamespace(instantiatedModuleNames=lambda: (MODULE,))
    monkeypatch.setitem(sys.modules, "case_workflow", types.SimpleNamespace(Workflow=workflow))
    monkeypatch.setattr("watcher.Watcher.last", types.SimpleNamespace(problems=["logged: no"], notes=["heard"]))
    monkeypatch.setattr(slicer.util, "mainWindow", lambda: object())
    monkeypatch.setattr(slicer.util, "exit", status.append)
    monkeypatch.setattr(slicer.app.moduleManager(), "factoryManager", lambda: factory, raising=False)
    try:
        runpy.run_path(str(HERE / "run_in_slicer.py"))
    finally:
        faulthandler.cancel_dump_traceback_later()
    return status[0]


def test_the_script_ends_with_0_where_nothing_went_wrong(a_slicer: Any, monkeypatch: Any, capsys: Any) -> None:
    assert run_script(a_slicer, monkeypatch, lambda self: []) == 0
    said = capsys.readouterr().out
    assert "WORKFLOW PASSED" in said and "WORKFLOW, not of this module: heard" in said


def test_the_script_ends_with_1_and_the_reason(a_slicer: Any, monkeypatch: Any, capsys: Any) -> None:
    assert run_script(a_slicer, monkeypatch, lambda self: ["the needle is gone"]) == 1
    said = capsys.readouterr()
    assert "WORKFLOW FAILED" in said.out and "the needle is gone" in said.err


def test_the_script_ends_with_1_where_it_fails_itself(a_slicer: Any, monkeypatch: Any, capsys: Any) -> None:
    assert run_script(a_slicer, monkeypatch, lambda self: 1 / 0) == 1
    said = capsys.readouterr().err
    assert "ZeroDivisionError" in said and "WORKFLOW: logged: no" in said


def test_the_script_is_plain_ascii() -> None:
    """The application opens it in the encoding of the locale, which may be C."""
    assert (HERE / "run_in_slicer.py").read_bytes().isascii()
