"""What a user can do to the panel and the views: press, choose, cancel, drag, answer a file dialog."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import qt
import slicer

MODULE = "VertebralAugmentationPlanner"


class Answers:
    """Answers the file dialogs and questions in place of the user."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = ""
        self.asked: list[str] = []
        self.agrees = True

    def confirm(self, question: str, title: str) -> bool:
        self.asked.append(question)
        return self.agrees

    def saveFile(self, title: str, name: str, kinds: str) -> str:
        return str(self.folder / name)

    def openFile(self, title: str, kinds: str) -> str:
        return self.file

    def chooseFolder(self, title: str) -> str:
        return str(self.folder)


class User:
    """Works on the module's panel; everything goes through the widgets' own signals and the markups' own events."""

    @property
    def widget(self) -> Any:
        return slicer.util.getModuleWidget(MODULE)

    @property
    def ui(self) -> Any:
        return self.widget.ui

    @property
    def node(self) -> Any:
        return self.widget.panel.parameterNode

    @property
    def logic(self) -> Any:
        return self.widget.logic

    def click(self, button: Any) -> None:
        """Press a button that must be enabled."""
        assert button.enabled, f"“{button.text}” cannot be pressed: {button.toolTip}"
        button.click()
        slicer.app.processEvents()

    def choose(self, combo: Any, text: str) -> None:
        """Choose an entry of a combo box by the words shown."""
        assert combo.enabled, f"nothing can be chosen: {combo.toolTip}"
        index = combo.findText(text)
        assert index >= 0, f"“{text}” is not offered; there are {[combo.itemText(n) for n in range(combo.count)]}"
        combo.setCurrentIndex(index)
        slicer.app.processEvents()

    def cancel(self, button: Any) -> None:
        """Press a button and, as soon as its progress bar moves, Cancel."""
        heard = []

        def press() -> None:
            dialog = self.widget.panel.work.dialog
            heard.append(dialog is not None)
            if dialog is not None:
                dialog.cancel()

        qt.QTimer.singleShot(20, press)
        self.click(button)
        assert heard == [True], f"“{button.text}” could not be cancelled: no progress was shown"

    def settle(self, rounds: int = 20) -> None:
        """Let timers without delay do their work."""
        for _ in range(rounds):
            slicer.app.processEvents()

    def markup(self, *role: str) -> Any:
        node = self.logic.node(self.node, ".".join(role))
        assert node is not None, f"there is no node for {role}"
        return node

    def drag(self, line: Any, point: int, offset: tuple[float, float, float], moves: int = 3) -> None:
        """Move one end of a line as the mouse does: start of interaction, some moves, end of interaction."""
        start = line.GetNthControlPointPositionWorld(point)
        line.InvokeEvent(line.PointStartInteractionEvent)
        for move in range(1, moves + 1):
            place = [a + b * move / moves for a, b in zip(start, offset)]  # noqa: B905 - both have three entries
            line.SetNthControlPointPositionWorld(point, *place)
            slicer.app.processEvents()
        line.InvokeEvent(line.PointEndInteractionEvent)
        slicer.app.processEvents()
