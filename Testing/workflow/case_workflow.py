"""A whole case, clicked through: load, correct a level, measure, plan, drag, inflate, save, reload, report.

Everything is done through the widgets' own signals and the markups' own events, as a user does it; the logic is only
asked what it thinks. Runs unchanged in the test host and in Slicer.
"""

from __future__ import annotations

import json
import logging
import traceback
from pathlib import Path
from typing import Any

import qt
import slicer
from user import MODULE, Answers, User
from watcher import Watcher

CASE = "t12-wedge"
LEVEL = "T12"
TRUE_LOSS_PERCENT = 40.0
LOSS_TOLERANCE_PERCENT = 6.0
"""Heights within about 1 mm of 25; the unit tests of the measurements are stricter."""


class Workflow(User):
    """One case on the panel of the module.

    Args:
        folder: where plan, report and scene are written.
        on_step: called with each step's name once it is done (pictures for the tutorial).
    """

    def __init__(self, folder: Path, on_step: Any = None) -> None:
        self.folder = folder
        self.on_step = on_step or (lambda name: None)

    def run(self) -> list[str]:
        """Click through the case; returns what went wrong, in words: the first failed step and all that was heard."""
        with Watcher() as watcher:
            for step in (
                self.open_module,
                self.load,
                self.correct_a_level,
                self.measure,
                self.drag_a_height,
                self.plan,
                self.look_along_the_needle,
                self.drag_a_needle,
                self.inflate,
                self.fluoroscopy,
                self.save,
                self.compare,
                self.save_the_scene,
                self.report,
                self.reload_the_scene,
                self.load_the_plan_file,
                self.second_plan,
                self.delete_a_node,
                self.close_the_scene,
            ):
                logging.info("workflow: %s", step.__name__)
                try:
                    step()
                except AssertionError as error:
                    return [f"in step “{step.__name__}”: {error}", traceback.format_exc(), *watcher.problems]
                slicer.app.processEvents()
                self.on_step(step.__name__)
                if watcher.problems:
                    return [f"in step “{step.__name__}”:", *watcher.problems]
        return []

    # ---- Helpers ------------------------------------------------------------------------------------------------

    def row_of(self, level: str) -> int:
        table = self.ui.measurementTable
        rows = [row for row in range(table.rowCount) if table.item(row, 0).text() == level]
        assert rows, f"{level} is not in the table of measurements"
        return rows[0]

    def needle_column(self) -> list[str]:
        """Texts of the needle that is planned first."""
        table, side = self.ui.needleTable, self.side()
        column = ("left", "right").index(side)
        return [table.item(row, column).text() for row in range(table.rowCount)]

    def side(self) -> str:
        needles = self.logic.currentPlan(self.node).level(LEVEL).trajectories
        assert needles, f"no needle was planned at {LEVEL}"
        return needles[0].side

    # ---- Steps --------------------------------------------------------------------------------------------------

    def open_module(self) -> None:
        slicer.mrmlScene.Clear()
        slicer.util.selectModule(MODULE)
        self.widget.panel.dialogs = Answers(self.folder)
        ui = self.ui
        assert self.node is not None
        for button in (ui.measureButton, ui.planButton, ui.savePlanButton, ui.reportButton, ui.needleViewsButton):
            assert not button.enabled and button.toolTip, f"“{button.text}” is live before there is data"

    def load(self) -> None:
        ui = self.ui
        ui.demoComboBox.setCurrentIndex(0)
        self.click(ui.demoButton)
        assert ui.ctSelector.currentNode() is not None and ui.segmentationSelector.currentNode() is not None
        assert ui.levelTable.rowCount == 7, "the demo case has seven vertebrae"
        assert ui.measureButton.enabled, ui.measureButton.toolTip
        assert not ui.measurementsCollapsibleButton.collapsed, "what comes next stays out of sight"
        ui.showNamesCheckBox.click()
        assert self.logic.node(self.node, "levelName") is not None

    def correct_a_level(self) -> None:
        ui = self.ui
        ui.showNamesCheckBox.click()
        shown = [ui.levelTable.cellWidget(row, 2).currentText for row in range(ui.levelTable.rowCount)]
        self.click(ui.shiftUpButton)
        assert ui.levelTable.cellWidget(0, 2).currentText != shown[0]
        self.click(ui.shiftDownButton)
        wrong = ui.levelTable.cellWidget(0, 2)
        wrong.setCurrentText(shown[1])
        assert not ui.measureButton.enabled, "two segments with one name must be refused"
        assert shown[1] in ui.measureButton.toolTip
        wrong.setCurrentText(shown[0])
        assert [ui.levelTable.cellWidget(row, 2).currentText for row in range(ui.levelTable.rowCount)] == shown

    def measure(self) -> None:
        ui = self.ui
        self.click(ui.measureButton)
        row = self.row_of(LEVEL)
        loss = float(ui.measurementTable.item(row, 4).text())
        assert abs(loss - TRUE_LOSS_PERCENT) <= LOSS_TOLERANCE_PERCENT, f"loss of {loss} % at {LEVEL}"
        assert self.node.level == LEVEL, "the most collapsed level should be chosen"
        ui.measurementTable.cellClicked(self.row_of("L1"), 0)
        assert self.node.level == "L1" and "L1" in ui.measurementDetailLabel.text
        ui.measurementTable.cellClicked(row, 0)
        assert self.node.level == LEVEL
        assert not ui.accessCollapsibleButton.collapsed

    def drag_a_height(self) -> None:
        table, row = self.ui.measurementTable, self.row_of(LEVEL)
        before = float(table.item(row, 1).text())
        self.drag(self.markup("height", LEVEL, "anterior"), 0, (0.0, 0.0, 4.0))
        after = float(table.item(self.row_of(LEVEL), 1).text())
        assert after > before + 2.0, f"anterior height {before} → {after} mm after lifting its upper end by 4 mm"
        self.click(self.ui.undoButton)
        assert abs(float(table.item(row, 1).text()) - before) < 0.05, "undo brings the height back"

    def plan(self) -> None:
        ui = self.ui
        self.choose(ui.procedureComboBox, "vertebroplasty")
        assert self.node.procedure == "vertebroplasty"
        self.choose(ui.procedureComboBox, "kyphoplasty")
        self.choose(ui.approachComboBox, "automatic: 1 or 2")
        assert (self.node.procedure, self.node.approach) == ("kyphoplasty", "auto")
        self.click(ui.planButton)
        level = self.logic.currentPlan(self.node).level(LEVEL)
        assert level.trajectories, f"{LEVEL} should have a path: {level.skipped_sides}"
        for needle in level.trajectories:
            assert needle.safety != "breach"
            assert self.markup("needle", LEVEL, needle.side).GetNumberOfControlPoints() == 2
            assert self.markup("tube", LEVEL, needle.side).GetPolyData().GetNumberOfPoints() > 0
        assert self.needle_column()[0][:1] in "✔▲"
        assert not ui.planCollapsibleButton.collapsed and LEVEL in ui.summaryBrowser.toPlainText()

    def look_along_the_needle(self) -> None:
        ui = self.ui
        self.click(ui.needleViewsButton)
        assert self.logic.needleViewsShown()
        assert ui.depthSlider.minimum <= 0.0 < ui.depthSlider.maximum, (
            "the depth runs from the skin (or entry) to the tip"
        )
        ui.depthSlider.value = 5.0
        slicer.app.processEvents()
        self.on_step("needle_views")
        self.click(ui.needleViewsButton)
        assert not self.logic.needleViewsShown()

    def drag_a_needle(self) -> None:
        before, line = self.needle_column(), self.markup("needle", LEVEL, self.side())
        towards_canal = 6.0 if self.side() == "left" else -6.0
        self.drag(line, 0, (towards_canal, 0.0, 0.0))
        after = self.needle_column()
        assert after != before, "the numbers follow the drag"
        assert after[0].startswith("✖"), f"6 mm towards the canal should be a breach, not {after[0]}"
        self.on_step("breach")
        self.click(self.ui.undoButton)
        assert self.needle_column() == before, "undo brings the needle and its numbers back"
        assert self.ui.redoButton.enabled

    def inflate(self) -> None:
        ui, side = self.ui, self.side()
        slider = getattr(ui, f"{side}InflationSlider")
        label = getattr(ui, f"{side}BalloonLabel")
        assert not slider.isHidden() and slider.enabled, slider.toolTip
        slider.value = 1.0
        small = self.markup("balloon", LEVEL, side).GetPolyData().GetBounds()
        assert "1.0" in label.text, label.text
        slider.value = 2.0
        grown = self.markup("balloon", LEVEL, side).GetPolyData().GetBounds()
        assert grown[5] - grown[4] > small[5] - small[4], "the balloon grows in the views"
        ui.fillSlider.value = 24.0
        assert abs(self.node.targetFill - 0.24) < 1e-6
        self.click(ui.augmentButton)
        assert "Cement" in ui.cementLabel.text

    def fluoroscopy(self) -> None:
        ui, side = self.ui, self.side()
        ui.fluoroscopyCollapsibleButton.collapsed = False
        self.settle()
        assert not ui.rotationSlider.enabled and "Simulate" in ui.rotationSlider.toolTip
        self.cancel_set_up()
        self.click(ui.fluoroscopyButton)
        self.settle()
        assert ui.fluoroscopyLabel.pixmap.width() > 100, "there is no picture"
        assert "Prone" in ui.anglesLabel.text and ui.leftEdgeLabel.text == "L", ui.anglesLabel.text
        assert "at the target" in ui.tipLabel.text, ui.tipLabel.text
        self.click(ui.medialBorderButton)
        self.settle()
        assert "at the medial border of the pedicle" in ui.tipLabel.text, ui.tipLabel.text
        assert "past the posterior wall" in ui.tipLabel.text, ui.tipLabel.text
        self.on_step("medial_border")
        self.click(ui.lateralButton)
        self.settle()
        assert ui.leftEdgeLabel.text == "A" and "patient’s left" in ui.anglesLabel.text, ui.anglesLabel.text
        self.on_step("lateral")
        self.click(ui.entryButton)
        self.settle()
        assert "at the entry into bone" in ui.tipLabel.text, ui.tipLabel.text
        self.click(getattr(ui, f"endOn{side.capitalize()}Button"))
        self.settle()
        assert f"along the {side} needle" in ui.anglesLabel.text, ui.anglesLabel.text
        ui.rotationSlider.value, ui.tiltSlider.value = 20.0, -10.0
        ui.sourceImageSpinBox.value = 1200.0
        self.settle()
        assert "LAO 20°, CAU 10°" in ui.anglesLabel.text, ui.anglesLabel.text
        assert self.node.sourceImageMm == 1200.0
        ui.fluoroscopyCollapsibleButton.collapsed = True

    def cancel_set_up(self) -> None:
        """Cancelled, the set-up leaves everything as it was; on a small CT it may be done before it can be."""
        before = self.logic.currentPlan(self.node)
        qt.QTimer.singleShot(0, lambda: self.widget.panel.work.dialog and self.widget.panel.work.dialog.cancel())
        self.ui.fluoroscopyButton.click()
        self.settle()
        assert self.logic.currentPlan(self.node) == before
        assert not self.ui.rotationSlider.enabled, "the set-up went on after it was cancelled"

    def save(self) -> None:
        self.click(self.ui.savePlanButton)
        with open(self.folder / "plan.json", encoding="utf-8") as file:
            plan = json.load(file)
        assert plan["schema"] == "vertebral-augmentation-plan/1"

    def compare(self) -> None:
        ui, side = self.ui, self.side()
        self.widget.panel.dialogs.file = str(self.folder / "plan.json")
        self.click(ui.compareButton)
        assert "No number differs" in ui.comparisonLabel.text, ui.comparisonLabel.text
        self.drag(self.markup("needle", LEVEL, side), 1, (0.0, 0.0, 2.0))
        self.settle()
        names = [ui.comparisonTable.item(row, 0).text() for row in range(ui.comparisonTable.rowCount)]
        assert names[:1] == [LEVEL] or f"{LEVEL}, {side} needle" in names, names
        tip = ui.comparisonTable.item(names.index("tip"), 3).text()
        assert tip.startswith("2.0"), f"the tip was moved by 2 mm, the table says {tip}"
        self.on_step("compared")
        fewer = ui.comparisonTable.rowCount
        ui.compareAllCheckBox.click()
        assert ui.comparisonTable.rowCount > fewer
        ui.compareAllCheckBox.click()
        self.click(ui.undoButton)
        self.settle()
        assert "No number differs" in ui.comparisonLabel.text, ui.comparisonLabel.text

    def save_the_scene(self) -> None:
        assert self.logic.saveScene(self.folder / "scene.mrb").is_file()

    def report(self) -> None:
        self.cancel(self.ui.reportButton)
        assert not (self.folder / "report.html").exists(), "a cancelled report must not be written"
        self.click(self.ui.reportButton)
        text = (self.folder / "report.html").read_text(encoding="utf-8")
        assert LEVEL in text and "</html>" in text
        self.click(self.ui.screenshotsButton)
        assert list(self.folder.glob("plan-*.png")), "no screenshot was written"

    def reload_the_scene(self) -> None:
        plan, column = self.logic.currentPlan(self.node), self.needle_column()
        slicer.mrmlScene.Clear()
        slicer.app.processEvents()
        assert self.logic.currentPlan(self.node) is None and not self.ui.planButton.enabled
        assert slicer.util.loadScene(str(self.folder / "scene.mrb")) is not False
        slicer.app.processEvents()
        assert self.logic.currentPlan(self.node) == plan, "the plan is there again"
        assert self.needle_column() == column
        side = self.side()
        self.drag(self.markup("needle", LEVEL, side), 1, (0.0, 0.0, 1.5))
        assert self.needle_column() != column, "and can be edited on"

    def load_the_plan_file(self) -> None:
        saved = self.folder / "plan.json"
        self.widget.panel.dialogs.file = str(saved)
        self.click(self.ui.loadPlanButton)
        with open(saved, encoding="utf-8") as file:
            assert self.logic.currentPlan(self.node).to_dict() == json.load(file)

    def second_plan(self) -> None:
        ui, first = self.ui, self.node.parameterNode
        assert ui.planComboBox.count == 1 and not ui.planComboBox.enabled
        self.click(ui.newPlanButton)
        assert ui.planComboBox.count == 2 and self.node.parameterNode is not first
        assert self.logic.currentPlan(self.node) is None and ui.measureButton.enabled
        line = self.logic.node(first, f"needle.{LEVEL}.{self.first_side(first)}")
        assert not line.GetDisplayNode().GetVisibility(), "the other plan's needles are hidden"
        self.click(ui.loadPlanButton)
        self.drag(self.markup("needle", LEVEL, self.side()), 1, (0.0, 0.0, 1.0))
        ui.compareComboBox.setCurrentIndex(1)
        self.click(ui.compareButton)
        assert ui.comparisonTable.rowCount > 0, ui.comparisonLabel.text
        ui.planComboBox.setCurrentIndex(0)
        self.settle()
        assert self.node.parameterNode is first and line.GetDisplayNode().GetVisibility()
        assert ui.comparisonTable.isHidden(), "the comparison was the other plan's"

    def first_side(self, node: Any) -> str:
        return self.logic.currentPlan(node).level(LEVEL).trajectories[0].side

    def delete_a_node(self) -> None:
        side = self.side()
        slicer.mrmlScene.RemoveNode(self.markup("needle", LEVEL, side))
        slicer.app.processEvents()
        assert side not in [needle.side for needle in self.logic.currentPlan(self.node).level(LEVEL).trajectories]

    def close_the_scene(self) -> None:
        slicer.mrmlScene.Clear()
        slicer.app.processEvents()
        assert self.ui.levelTable.rowCount == 0 and not self.ui.measureButton.enabled
