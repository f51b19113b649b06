"""Section 1: the images, and which segment is which level."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ctk
import qt

from ..model import LEVELS, InputError
from ..scene.demo import demoCases, loadDemoCase, shortTitle
from ..scene.references import plain
from ..scene.roles import LEVEL_TABLE
from ..scene.ui_support import showVolume
from ..scene.ui_support import tr as _
from ..scene.volumes import looks
from .questions import may_choose_other_images
from .section import Section
from .tables import cell, fit_columns, fit_height, paint, whole

if TYPE_CHECKING:
    from .panel import PlannerPanel

COLOR, NAME, LEVEL = range(3)
NOT_USED = 0
MOST_ROWS = 8


class ImagesSection(Section):
    """CT, segmentation and the table of levels."""

    def __init__(self, panel: PlannerPanel) -> None:
        super().__init__(panel, panel.ui.imagesCollapsibleButton)
        ui = self.ui
        self._shown: list[Any] = []
        self._read: list[Any] = []
        self._state: Any = None
        self._combos: list[Any] = []
        self._followed = True
        table = ui.levelTable
        table.setColumnCount(3)
        table.setHorizontalHeaderLabels(["", _("Segment"), _("Level")])
        fit_columns(table, NAME)
        self._names = [name for name, title in demoCases()]
        for index, (_name, title) in enumerate(demoCases()):
            ui.demoComboBox.addItem(shortTitle(title))
            ui.demoComboBox.setItemData(index, title, qt.Qt.ToolTipRole)
        ui.ctSelector.connect("currentNodeChanged(vtkMRMLNode*)", self.onInputs)
        ui.segmentationSelector.connect("currentNodeChanged(vtkMRMLNode*)", self.onInputs)
        ui.shiftUpButton.connect("clicked(bool)", self.onShiftUp)
        ui.shiftDownButton.connect("clicked(bool)", self.onShiftDown)
        ui.resetLevelsButton.connect("clicked(bool)", self.onReset)
        ui.showNamesCheckBox.connect("toggled(bool)", self.onShowNames)
        ui.demoButton.connect("clicked(bool)", self.onDemo)

    def refresh(self) -> None:
        node, ui = self.node, self.ui
        ui.ctSelector.enabled = ui.segmentationSelector.enabled = node is not None
        ready = self.logic.checkInputs(node) if node else (False, _("There is no scene to work in."))
        try:
            rows = self._rows()
        except InputError as error:  # surfaces without voxels, a warp: told in the status line, not by a dialog
            rows, ready = [], (False, str(error))
            self._forget_rows()
        if node:
            _select(ui.ctSelector, node.ct)
            _select(ui.segmentationSelector, node.segmentation)
        self._show_rows(rows)
        used = [row.level for row in rows if row.level]
        levels = f"{used[0]}–{used[-1]}" if len(used) > 1 else "".join(used)
        self.heading(levels if ready[0] else "")
        ui.imagesStatusLabel.text = (
            _("{count} vertebrae: {levels}.").format(count=len(used), levels=levels) if ready[0] else ready[1]
        )
        has_rows = (bool(rows), _("Choose a segmentation or label map first."))
        corrected = any(row.level != row.suggested for row in rows)
        for button in (ui.shiftUpButton, ui.shiftDownButton, ui.showNamesCheckBox):
            self.enable(button, has_rows)
        self.enable(ui.resetLevelsButton, (corrected, _("No level was corrected.")))

    def _rows(self) -> list[Any]:
        """The table's rows, read again only when the segmentation or a correction changed: that looks at voxels."""
        if not self.node:
            self._state = None
            return []
        state = (looks(self.node.segmentation), plain(self.node).GetParameter(LEVEL_TABLE))
        if state != self._state:
            self._read, self._state = self.logic.segmentTable(self.node), state
            if self.node.showLevelNames:  # segments may have been renamed or moved in another module
                self.logic.showLevelNames(self.node, True)
        return self._read

    def _forget_rows(self) -> None:
        """The segments can no longer be read: no name may stay where they were."""
        if self._state is not None and self.node.showLevelNames:
            self.logic.showLevelNames(self.node, False)
        self._state = None

    def _show_rows(self, rows: list[Any]) -> None:
        if rows == self._shown:
            return
        table = self.ui.levelTable
        keep = [row.key for row in rows] == [row.key for row in self._shown]
        before = {row.key: row.level for row in self._shown}
        self._shown = list(rows)
        if not keep:
            table.setRowCount(0)
            table.setRowCount(len(rows))
            self._combos = [self._level_combo(index, row.key) for index, row in enumerate(rows)]
        for index, row in enumerate(rows):
            changed = row.level != row.suggested
            tip = _("Read from the name: {level}").format(level=row.suggested or _("no level"))
            paint(cell(table, index, COLOR, "   "), row.color)
            cell(table, index, NAME, row.name, whole(row.name, tip), bold=changed)
            self._combos[index].setCurrentIndex(LEVELS.index(row.level) + 1 if row.level else NOT_USED)
            self._combos[index].toolTip = tip
        fit_height(table, MOST_ROWS)
        corrected = [index for index, row in enumerate(rows) if before.get(row.key, row.level) != row.level]
        if not keep and corrected:  # it came in among the levels, or left them: the user sees where to
            table.scrollToItem(table.item(corrected[0], NAME))

    def _level_combo(self, index: int, key: str) -> Any:
        combo = ctk.ctkComboBox()
        combo.setProperty("scrollWheelEffect", "ScrollWithFocus")  # who scrolls past it must not rename a vertebra
        combo.addItems([_("not used"), *LEVELS])
        self.ui.levelTable.setCellWidget(index, LEVEL, combo)
        combo.connect("currentIndexChanged(int)", lambda position: self.onLevel(key, position))
        return combo

    def follow(self, followed: bool) -> None:
        """Whether what the selectors show is the user's choice.

        They move on by themselves where their node is deleted, and fall back to “None” where a scene is read.
        """
        self._followed = followed

    def onInputs(self) -> None:
        """A CT or segmentation was chosen."""
        if not self.node or self.panel.quiet or not self._followed:
            return
        ct, segmentation = self.ui.ctSelector.currentNode(), self.ui.segmentationSelector.currentNode()
        if (ct, segmentation) == (self.node.ct, self.node.segmentation):
            return  # a selector speaks up when its node is renamed, too
        self.panel.quick(_("Choosing the images"), lambda: self.logic.setInputs(self.node, ct, segmentation))
        self._lead_on()

    def onLevel(self, key: str, position: int) -> None:
        """A row was given another level."""
        row = next((index for index, shown in enumerate(self._shown) if shown.key == key), None)
        chosen = self._combos[row].currentIndex if row is not None else -1
        if self.panel.quiet or chosen < 0:
            return
        level = "" if chosen == NOT_USED else LEVELS[chosen - 1]
        self._correct(lambda: self.logic.setLevel(self.node, key, level))

    def onShiftUp(self) -> None:
        self._correct(lambda: self.logic.shiftLevels(self.node, -1))

    def onShiftDown(self) -> None:
        self._correct(lambda: self.logic.shiftLevels(self.node, +1))

    def onReset(self) -> None:
        self._correct(lambda: self.logic.resetLevels(self.node))

    def _correct(self, task: Any) -> None:
        self._state = None
        stuck = not self.logic.canMeasure(self.node)[0]
        if not self.panel.quick(_("Correcting the levels"), task):
            self._shown = []  # a refused correction must not stay on screen
            self.panel.refresh()
        elif stuck:
            self._lead_on()

    def onShowNames(self, visible: bool) -> None:
        """The node learns of the tick before anything else: what follows may write the node's value to the box."""
        if self.node and not self.panel.quiet:
            shown = self.ui.showNamesCheckBox.checked
            self.node.showLevelNames = shown
            self.panel.quick(_("Showing the names"), lambda: self.logic.showLevelNames(self.node, shown))

    def onDemo(self) -> None:
        """Load the chosen demo case into the scene and choose its nodes."""
        if not may_choose_other_images(self.panel, _("Load the demo case")):
            return
        name = self._names[self.ui.demoComboBox.currentIndex]

        def task() -> None:
            ct, segmentation = loadDemoCase(name)
            self.logic.setInputs(self.node, ct, segmentation)
            showVolume(ct)

        self.panel.quick(_("Loading the demo case"), task)
        self._lead_on()

    def _lead_on(self) -> None:
        """Once images are chosen that can be measured, the section that measures them opens."""
        if self.panel.casePlan is None or self.logic.isOutdated(self.node):
            self.panel.openMeasurable()


def _select(selector: Any, node: Any) -> None:
    if selector.currentNode() is not node:
        selector.setCurrentNode(node)
