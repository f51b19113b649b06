"""A panel with a fake logic, in the test host."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
for folder in (REPOSITORY / "Testing", REPOSITORY / "VertebralAugmentationPlanner", Path(__file__).parent):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

import host  # noqa: E402

UI_FILE = REPOSITORY / "VertebralAugmentationPlanner/Resources/UI/VertebralAugmentationPlanner.ui"


@pytest.fixture(scope="session")
def a_slicer() -> Any:
    ok, reason = host.available()
    if not ok:
        pytest.skip(reason)
    return host.install()


class ScriptedDialogs:
    """Answers instead of the user."""

    def __init__(self) -> None:
        self.answer = ""
        self.asked: list[str] = []
        self.agrees = True

    def confirm(self, question: str, title: str) -> bool:
        self.asked.append(question)
        return self.agrees

    def saveFile(self, title: str, name: str, kinds: str) -> str:
        return self.answer

    def openFile(self, title: str, kinds: str) -> str:
        return self.answer

    def chooseFolder(self, title: str) -> str:
        return self.answer


@pytest.fixture
def a_panel(a_slicer: Any) -> Any:
    """The panel on an empty scene; ``.node`` is its parameter node, ``.logic`` the fake."""
    from fake_logic import FakeLogic
    from VertebralAugmentationPlannerLib.scene.ui_support import childWidgets, loadUi
    from VertebralAugmentationPlannerLib.widget.panel import PlannerPanel

    a_slicer.mrmlScene.Clear()
    widget = loadUi(str(UI_FILE))
    logic = FakeLogic()
    panel = PlannerPanel(childWidgets(widget), logic, widget, ScriptedDialogs())
    plain = a_slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode")
    node = SimpleNamespace(
        parameterNode=plain,
        ct=None,
        segmentation=None,
        level="",
        side="",
        procedure="kyphoplasty",
        balloon="auto",
        targetFill=0.3,
        showLevelNames=False,
    )
    logic.nodes = [plain]
    panel.setParameterNode(node)
    yield SimpleNamespace(ui=panel.ui, logic=logic, node=node, panel=panel, widget=widget)
    panel.close()


@pytest.fixture
def a_panel_with_images(a_panel: Any, a_slicer: Any) -> Any:
    from fake_logic import with_images

    return with_images(a_panel, a_slicer)


@pytest.fixture
def a_measured_panel(a_panel_with_images: Any) -> Any:
    a_panel_with_images.ui.measureButton.click()
    return a_panel_with_images


@pytest.fixture
def a_planned_panel(a_measured_panel: Any) -> Any:
    a_measured_panel.ui.planButton.click()
    return a_measured_panel


@pytest.fixture
def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was told to the user as an error (in testing mode a dialog is a line in the log)."""

    class Lines(list):
        def now(self) -> list[str]:
            return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]

    return Lines()
