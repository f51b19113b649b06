"""The tables of levels and of needles, under mouse and keys and with numbers missing."""

from __future__ import annotations

import dataclasses
from typing import Any

from plans import case_plan
from test_panel import needle_text
from VertebralAugmentationPlannerLib.access import unjudged


def test_each_click_and_each_key_shows_a_level_once(a_measured_panel: Any) -> None:
    from PySide6.QtCore import QCoreApplication, Qt
    from PySide6.QtTest import QTest

    table, told = a_measured_panel.ui.measurementTable._native, a_measured_panel.logic.told

    def click(row: int) -> None:
        place = table.visualItemRect(table.item(row, 0)).center()
        QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
        QCoreApplication.processEvents()

    table.resize(600, 300)
    shown = len(told("showLevel"))
    for count, row in enumerate((1, 1, 0), start=1):  # another row, the same again, and back
        click(row)
        assert told("showLevel")[shown:] == [(("T12", "L2")[number],) for number in (1, 1, 0)[:count]]
    QTest.keyClick(table, Qt.Key.Key_Down)
    QCoreApplication.processEvents()
    assert told("showLevel")[shown + 3 :] == [("L2",)]
    click(1)  # the views may have been scrolled away since
    assert told("showLevel")[shown + 3 :] == [("L2",), ("L2",)]


def test_a_segment_that_becomes_a_level_is_seen_where_it_comes_to_stand(a_panel_with_images: Any) -> None:
    """Levels stand before organs, and the box shows eight rows of the many."""
    from fake_logic import Row

    panel, logic = a_panel_with_images.panel, a_panel_with_images.logic
    levels = [Row(name, name, name, name) for name in ("T10", "T11", "T12", "L1", "L2", "L3", "L4", "L5")]
    logic.rows = [*levels, *(Row(f"organ {number}", f"organ {number}", "", "") for number in range(30))]
    logic.segmentTable = lambda node: sorted(logic.rows, key=lambda row: not row.level)
    panel.images._state = None
    panel.refresh()
    table = a_panel_with_images.ui.levelTable._native
    a_panel_with_images.widget.show()
    table.scrollToBottom()
    table.cellWidget(37, 2).setCurrentText("T9")
    row = next(row for row in range(table.rowCount()) if table.item(row, 1).text() == "organ 29")
    assert row == 8 and table.viewport().rect().intersects(table.visualItemRect(table.item(row, 1)))
    assert table.cellWidget(row, 2).currentText() == "T9"


def test_a_needle_that_was_not_judged_shows_no_number_that_needs_the_images(a_planned_panel: Any) -> None:
    panel, logic = a_planned_panel, a_planned_panel.logic
    level = logic.casePlan.level("T12")
    moved = unjudged(level.frame, level.trajectory("left"), "the needle was moved")
    changes = {name: value for name, value in vars(moved).items() if name != "side"}
    logic.replaceNeedle("T12", "left", **changes)
    logic.tell(panel.node.parameterNode, "needle", "T12", "left")
    shown = [needle_text(panel, row, 0) for row in range(panel.ui.needleTable.rowCount)]
    assert shown[0] == "✖ breach" and shown[1:9] == ["not judged"] * 8
    assert shown[13:15] == ["not judged"] * 2  # in bone, from skin
    assert shown[9] == "13°" and shown[12].startswith("10G") and shown[15] == "7.5\u00a0mm"
    panel.panel.refresh()
    text = panel.ui.summaryBrowser.toPlainText()
    assert "towards the feet; breach, not judged." in text and "—" not in text
    assert not any("None" in text for text in shown)


def test_a_plan_that_cannot_be_read_is_told_of_and_replaced_only_if_the_user_agrees(
    a_panel_with_images: Any,
) -> None:
    ui, logic = a_panel_with_images.ui, a_panel_with_images.logic
    logic.unreadable = "The plan has schema “vertebral-augmentation-plan/9”."
    a_panel_with_images.panel.refresh()
    told = ui.summaryBrowser.toPlainText()
    assert "cannot be read" in told and logic.unreadable in told and "locked" in told
    dialogs = a_panel_with_images.panel.dialogs
    dialogs.agrees, dialogs.answer = False, "plan.json"
    ui.measureButton.click()
    ui.loadPlanButton.click()
    assert logic.told("measure") == logic.told("loadPlan") == [] and len(dialogs.asked) == 2
    dialogs.agrees = True
    ui.measureButton.click()
    assert len(logic.told("measure")) == 1 and "cannot be read" in dialogs.asked[-1]


def test_needles_go_only_if_the_user_agrees(a_measured_panel: Any) -> None:
    """Measuring and loading take away needles, those moved by hand too, and nothing brings them back."""
    ui, logic, dialogs = a_measured_panel.ui, a_measured_panel.logic, a_measured_panel.panel.dialogs
    dialogs.agrees, dialogs.answer = False, "plan.json"
    ui.measureButton.click()
    assert len(logic.told("measure")) == 2 and dialogs.asked == []  # no needle yet
    ui.planButton.click()
    before = logic.casePlan
    ui.measureButton.click()
    ui.loadPlanButton.click()
    assert logic.casePlan is before and len(logic.told("measure")) == 2 and logic.told("loadPlan") == []
    assert len(dialogs.asked) == 2 and dialogs.asked[0].startswith("The needles of T12 go, and Undo")
    dialogs.agrees = True
    ui.measureButton.click()
    assert len(logic.told("measure")) == 3


def test_the_wheel_over_a_level_renames_it_only_where_the_user_went_there(
    a_panel_with_images: Any, a_slicer: Any
) -> None:
    """Slicer's style keeps the wheel from what lies in a box that scrolls; a short table in a tall panel does not."""
    from PySide6.QtCore import QPoint, QPointF, Qt
    from PySide6.QtGui import QWheelEvent
    from PySide6.QtWidgets import QApplication

    def turn(widget: Any) -> None:
        place = QPointF(widget.rect().center())
        still = (Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase)
        event = QWheelEvent(place, widget.mapToGlobal(place), QPoint(), QPoint(0, -120), *still, False)
        QApplication.sendEvent(widget, event)

    ui, told = a_panel_with_images.ui, a_panel_with_images.logic.told
    window, combo = a_panel_with_images.widget._native, ui.levelTable._native.cellWidget(1, 2)
    window.show()
    window.activateWindow()
    ui.levelTable._native.setFocus()
    a_slicer.app.processEvents()
    turn(combo)
    assert combo.currentText() == "T12" and told("setLevel") == [] and not combo.hasFocus()
    combo.setFocus()
    a_slicer.app.processEvents()
    assert combo.hasFocus()
    turn(combo)
    assert told("setLevel") == [("T12", combo.currentText())] and combo.currentText() != "T12"


def test_a_cell_that_is_cut_off_tells_its_whole_text_in_the_tooltip(a_planned_panel: Any, a_slicer: Any) -> None:
    """At 175 % text the slack and the C-arm's second angle do not fit into half a panel."""
    from PySide6.QtGui import QFontMetrics

    table = a_planned_panel.ui.needleTable._native
    font = table.font()
    font.setPointSizeF(1.75 * font.pointSizeF())
    table.setFont(font)
    a_planned_panel.widget.show()
    a_slicer.app.processEvents()
    cells = [table.item(row, column) for row in range(table.rowCount()) for column in (0, 1)]
    wide = [item for item in cells if QFontMetrics(font).horizontalAdvance(item.text()) > table.columnWidth(0) - 6]
    assert wide  # or this test says nothing
    for item in cells:
        assert item.toolTip().startswith(item.text())
    assert "Margin to keep" in table.item(1, 0).toolTip()
    names = a_planned_panel.ui.levelTable._native
    assert names.item(0, 1).text() in names.item(0, 1).toolTip()


def test_the_demo_case_comes_over_a_plan_only_if_the_user_agrees(a_planned_panel: Any) -> None:
    """Its needles would be locked as those of other images."""
    ui, logic, dialogs = a_planned_panel.ui, a_planned_panel.logic, a_planned_panel.panel.dialogs
    chosen, asked = len(logic.told("setInputs")), dialogs.asked
    dialogs.agrees = False
    ui.demoButton.click()
    assert len(logic.told("setInputs")) == chosen and len(asked) == 1
    assert asked[0].startswith("The needles of T12 are of the images chosen now, and are locked")
    dialogs.agrees = True
    ui.demoButton.click()
    assert len(logic.told("setInputs")) == chosen + 1 and len(asked) == 2
    logic.outdated = True
    ui.demoButton.click()
    assert len(logic.told("setInputs")) == chosen + 2 and len(asked) == 2  # they are locked as it is


def test_a_folded_heading_shows_the_gravest_sign_of_its_needles_and_no_other_sign(a_planned_panel: Any) -> None:
    """✔ means that every margin is kept: not that a section is done."""
    ui, logic, panel = a_planned_panel.ui, a_planned_panel.logic, a_planned_panel.panel
    level = panel.level
    side = logic.casePlan.level(level).trajectories[0].side
    for safety, sign in (("safe", "✔"), ("tight", "▲"), ("breach", "✖")):
        logic.replaceNeedle(level, side, safety=safety)
        panel.access.refreshNeedles()  # at every step of a drag
        heading = ui.accessCollapsibleButton.text
        assert f"{sign} {level}, " in heading and sum(heading.count(mark) for mark in "✔▲✖") == 1
    logic.replaceNeedle(level, side, safety="safe")
    logic.outdated = True
    panel.refresh()
    assert "✖" in ui.accessCollapsibleButton.text
    for name in ("images", "measurements", "augmentation"):
        text = getattr(ui, f"{name}CollapsibleButton").text
        assert not set("✔▲✖") & set(text)
    assert level in ui.augmentationCollapsibleButton.text


def test_needles_moved_by_hand_are_planned_anew_only_if_the_user_agrees(a_measured_panel: Any) -> None:
    ui, logic, dialogs = a_measured_panel.ui, a_measured_panel.logic, a_measured_panel.panel.dialogs
    ui.planButton.click()
    assert dialogs.asked == []
    planned = len(logic.told("planLevel"))
    logic.moved, dialogs.agrees = ["T12"], False
    ui.planButton.click()
    ui.planFracturedButton.click()
    assert len(logic.told("planLevel")) == planned and logic.told("planLevels") == []
    assert [question.startswith("The needles of T12 that you moved") for question in dialogs.asked] == [True, True]
    dialogs.agrees = True
    ui.planButton.click()
    assert len(logic.told("planLevel")) == planned + 1


def test_stops_and_cautions_are_counted_where_the_user_is_and_in_the_folded_heading(
    a_planned_panel: Any,
) -> None:
    """Section 5 with the warnings themselves lies two screens below the button that plans."""
    ui, logic, panel = a_planned_panel.ui, a_planned_panel.logic, a_planned_panel.panel
    assert ui.planCollapsibleButton.text == "5  Plan   2 cautions"
    logic.casePlan = case_plan()  # L2 has a stop
    panel.refresh()
    assert ui.planCollapsibleButton.text == "5  Plan   1 stop, 2 cautions"
    assert ui.approachLabel.text.endswith("<br>1 stop, 2 cautions in section 5.")
    levels = tuple(dataclasses.replace(level, warnings=()) for level in logic.casePlan.levels)
    logic.casePlan = dataclasses.replace(logic.casePlan, levels=levels)
    panel.refresh()
    assert ui.planCollapsibleButton.text == "5  Plan" and "section 5" not in ui.approachLabel.text
    logic.casePlan, logic.unreadable = None, "It has another schema."
    panel.refresh()
    assert ui.planCollapsibleButton.text == "5  Plan   cannot be read"
