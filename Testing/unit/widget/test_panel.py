"""The panel asks its logic for the right thing and shows what it answers."""

from __future__ import annotations

import dataclasses
import types
from typing import Any

import pytest
from fake_logic import with_images
from VertebralAugmentationPlannerLib.model import Assumptions, Margins, PlanningCancelled
from VertebralAugmentationPlannerLib.model.plan import CementPlan


def level_combo(panel: Any, row: int) -> Any:
    return panel.ui.levelTable.cellWidget(row, 2)


def needle_text(panel: Any, row: int, column: int) -> str:
    return panel.ui.needleTable.item(row, column).text()


class TestDisabledButtons:
    def test_nothing_can_be_pressed_before_there_is_data_and_each_button_says_what_is_missing(
        self, a_panel: Any
    ) -> None:
        ui = a_panel.ui
        for button in (ui.measureButton, ui.planButton, ui.augmentButton, ui.savePlanButton, ui.shiftUpButton):
            assert not button.enabled
            assert button.toolTip
        assert ui.measureButton.toolTip == "Choose a segmentation."

    def test_a_button_gets_its_own_tooltip_back_once_it_can_be_pressed(self, a_panel: Any, a_slicer: Any) -> None:
        with_images(a_panel, a_slicer)
        assert a_panel.ui.measureButton.enabled
        assert a_panel.ui.measureButton.toolTip.startswith("Measure every vertebra")


class TestImages:
    def test_choosing_nodes_tells_the_logic_once_each(self, a_panel_with_images: Any) -> None:
        asked = a_panel_with_images.logic.told("setInputs")
        assert [(ct.GetName(), seg and seg.GetName()) for ct, seg in asked] == [("CT", None), ("CT", "Vertebrae")]

    def test_another_level_in_the_table_corrects_that_segment(self, a_panel_with_images: Any) -> None:
        level_combo(a_panel_with_images, 1).setCurrentText("T10")
        assert a_panel_with_images.logic.told("setLevel") == [("T12", "T10")]
        assert a_panel_with_images.ui.resetLevelsButton.enabled

    def test_not_used_leaves_the_segment_out(self, a_panel_with_images: Any) -> None:
        level_combo(a_panel_with_images, 0).setCurrentIndex(0)
        assert a_panel_with_images.logic.told("setLevel") == [("T11", "")]

    def test_shifting_down_renames_every_row(self, a_panel_with_images: Any) -> None:
        a_panel_with_images.ui.shiftDownButton.click()
        shown = [level_combo(a_panel_with_images, row).currentText for row in range(5)]
        assert shown == ["T12", "L1", "L2", "L3", "L4"]

    def test_a_refused_correction_is_told_and_taken_back_on_screen(
        self, a_panel_with_images: Any, errors: Any, caplog: Any
    ) -> None:
        a_panel_with_images.logic.refuse = "L1 is already there; shift the numbering instead."
        level_combo(a_panel_with_images, 1).setCurrentText("L1")
        assert errors.now() == ["L1 is already there; shift the numbering instead."]
        assert level_combo(a_panel_with_images, 1).currentText == "T12"


class TestMeasurements:
    def test_the_most_collapsed_level_is_chosen_and_shown(self, a_measured_panel: Any) -> None:
        assert a_measured_panel.node.level == "T12"
        assert a_measured_panel.logic.told("showLevel") == [("T12",)]

    def test_the_next_section_opens_and_the_images_fold_away(self, a_measured_panel: Any) -> None:
        ui = a_measured_panel.ui
        assert ui.imagesCollapsibleButton.collapsed
        assert not ui.accessCollapsibleButton.collapsed
        assert ui.augmentationCollapsibleButton.collapsed

    def test_an_incomplete_level_shows_no_numbers(self, a_measured_panel: Any) -> None:
        table = a_measured_panel.ui.measurementTable
        assert [table.item(2, column).text() for column in range(8)] == ["L3", "", "", "", "", "incomplete", "", ""]

    def test_clicking_a_row_shows_that_level(self, a_measured_panel: Any) -> None:
        a_measured_panel.ui.measurementTable.cellClicked(1, 0)
        assert a_measured_panel.node.level == "L2"
        assert a_measured_panel.logic.told("showLevel")[-1] == ("L2",)

    def test_incomplete_levels_are_not_offered_for_planning(self, a_measured_panel: Any) -> None:
        combo = a_measured_panel.ui.levelComboBox
        assert [combo.itemText(index) for index in range(combo.count)] == ["T12", "L2"]


class TestNeedles:
    def test_plan_asks_for_the_chosen_level_only(self, a_planned_panel: Any) -> None:
        assert a_planned_panel.logic.told("planLevel") == [("T12",)]

    def test_nothing_is_planned_on_other_images_than_those_measured(self, a_planned_panel: Any) -> None:
        a_planned_panel.logic.outdated = True
        a_planned_panel.panel.refresh()
        for button in (a_planned_panel.ui.planButton, a_planned_panel.ui.planFracturedButton):
            assert not button.enabled and button.toolTip == "Measure again."
        assert a_planned_panel.ui.measureButton.enabled
        assert "measure again" in a_planned_panel.ui.approachLabel.text  # above the needles, which look safe
        a_planned_panel.logic.isReady = lambda node: False
        assert a_planned_panel.panel.prepare()
        assert a_planned_panel.logic.told("prepare") == []

    def test_state_is_told_by_symbol_and_word(self, a_planned_panel: Any) -> None:
        assert needle_text(a_planned_panel, 0, 0) == "▲ tight"
        assert needle_text(a_planned_panel, 0, 1) == "✔ safe"
        assert needle_text(a_planned_panel, 2, 0) == "▲ 0.6"

    def test_the_numbers_follow_a_drag(self, a_planned_panel: Any) -> None:
        panel, logic = a_planned_panel, a_planned_panel.logic
        clearance = logic.casePlan.level("T12").trajectory("left").clearance_mm
        logic.replaceNeedle(
            "T12", "left", safety="breach", breach_grade="C", clearance_mm=type(clearance)(-2.1, *[1.0] * 5)
        )
        logic.tell(panel.node.parameterNode, "needle", "T12", "left")
        assert needle_text(panel, 0, 0) == "✖ breach"
        assert needle_text(panel, 1, 0) == "✖ −2.1"
        assert needle_text(panel, 7, 0) == "C"

    def test_a_drag_in_another_plan_changes_nothing(self, a_planned_panel: Any, a_slicer: Any) -> None:
        panel, logic = a_planned_panel, a_planned_panel.logic
        other = a_slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode")
        logic.replaceNeedle("T12", "left", safety="breach")
        logic.tell(other, "needle", "T12", "left")
        assert needle_text(panel, 0, 0) == "▲ tight"

    def test_both_needles_get_the_same_room(self, a_planned_panel: Any, a_slicer: Any) -> None:
        """In a narrow panel neither column may take what the other needs."""
        table = a_planned_panel.ui.needleTable
        a_planned_panel.widget.show()
        a_slicer.app.processEvents()
        assert not table.isHidden()
        assert abs(table.columnWidth(0) - table.columnWidth(1)) <= 1

    def test_a_left_out_side_says_why(self, a_measured_panel: Any) -> None:
        a_measured_panel.panel.chooseLevel("L2")
        a_measured_panel.ui.planButton.click()
        item = a_measured_panel.ui.needleTable.item(0, 0)
        assert item.text() == "none"
        assert "isthmus" in item.toolTip()
        assert "isthmus" in a_measured_panel.ui.approachLabel.text

    def test_needle_views_start_at_the_tip_and_follow_the_slider(self, a_planned_panel: Any) -> None:
        ui, logic = a_planned_panel.ui, a_planned_panel.logic
        assert not ui.depthSlider.enabled
        ui.needleViewsButton.click()
        assert logic.told("showNeedleViews") == [("T12", a_planned_panel.node.side)]
        assert (ui.depthSlider.minimum, ui.depthSlider.maximum, ui.depthSlider.value) == (-52.0, 38.0, 38.0)
        ui.depthSlider.value = 4.5
        assert logic.told("setNeedleDepth")[-1] == (4.5,)
        ui.needleViewsButton.click()
        assert logic.told("restoreViews") == [()]
        assert not ui.depthSlider.enabled

    def test_needle_views_follow_the_level_and_there_is_always_a_way_back(self, a_planned_panel: Any) -> None:
        panel, ui, logic = a_planned_panel.panel, a_planned_panel.ui, a_planned_panel.logic
        a_planned_panel.node.side = "left"
        ui.needleViewsButton.click()
        panel.chooseLevel("L2")  # has one needle, on the right, or none yet
        assert logic.told("followNeedleViews")[-1][0] == "L2"
        assert logic.viewedNeedle(None) in (("L2", "right"), None)
        logic.needleViews, logic.viewed = True, ("T12", "left")
        panel.refresh()
        assert ui.needleViewsButton.enabled and ui.needleViewsButton.checked and not ui.depthSlider.enabled

    def test_a_side_that_has_lost_its_needle_is_left_for_the_other(self, a_planned_panel: Any) -> None:
        logic, node = a_planned_panel.logic, a_planned_panel.node
        node.side = "right"
        a_planned_panel.ui.needleViewsButton.click()
        level = logic.casePlan.level("T12")
        left = tuple(needle for needle in level.trajectories if needle.side == "left")
        levels = tuple(
            dataclasses.replace(one, trajectories=left) if one.level == "T12" else one for one in logic.casePlan.levels
        )
        logic.casePlan = dataclasses.replace(logic.casePlan, levels=levels)
        a_planned_panel.panel.refresh()
        assert node.side == "left" and a_planned_panel.ui.sideComboBox.currentText == "left"

    def test_undo_is_offered_only_after_a_drag(self, a_planned_panel: Any) -> None:
        assert not a_planned_panel.ui.undoButton.enabled
        a_planned_panel.logic.undos = 1
        a_planned_panel.panel.refresh()
        a_planned_panel.ui.undoButton.click()
        assert a_planned_panel.logic.told("undo") == [()]
        assert not a_planned_panel.ui.undoButton.enabled


class TestAugmentation:
    def test_the_slider_inflates_its_own_side_and_tells_what_stops_the_balloon(self, a_planned_panel: Any) -> None:
        a_planned_panel.ui.rightInflationSlider.value = 1.5
        assert a_planned_panel.logic.told("inflate") == [("T12", "right", 1.5)]
        assert "stops at the cortex" in a_planned_panel.ui.rightBalloonLabel.text

    def test_the_target_fill_is_shown_in_percent_and_kept_as_a_fraction(self, a_planned_panel: Any) -> None:
        a_planned_panel.ui.fillSlider.value = 24
        assert a_planned_panel.node.targetFill == pytest.approx(0.24)
        assert a_planned_panel.logic.told("planAugmentation") == [("T12", "auto", pytest.approx(0.24), True)]

    def test_without_the_images_nothing_can_be_moved_and_the_reason_is_told(
        self, a_planned_panel: Any, monkeypatch: Any
    ) -> None:
        """Each step of a slider that stayed live would end in an error dialog."""
        ui = a_planned_panel.ui
        monkeypatch.setattr(a_planned_panel.logic, "canPlan", lambda node, level: (False, "The images are gone."))
        a_planned_panel.panel.refresh()
        for widget in (ui.augmentButton, ui.fillSlider, ui.balloonComboBox):
            assert (widget.enabled, widget.toolTip) == (False, "The images are gone.")
        ui.fillSlider.value = 24
        assert a_planned_panel.logic.told("planAugmentation") == []

    def test_a_side_without_balloon_has_no_slider_to_move(self, a_measured_panel: Any) -> None:
        assert not a_measured_panel.ui.leftInflationSlider.enabled

    def test_a_remembered_balloon_size_is_marked_as_such(self, a_planned_panel: Any) -> None:
        assert "from memory" in a_planned_panel.ui.balloonSourceLabel.text


class TestNumbers:
    def test_every_assumption_a_plan_may_hold_can_be_shown(self, a_panel: Any) -> None:
        """A box that stops short of a loaded value would write its own limit with the next change."""
        for name, (box, scale) in a_panel.panel.numbers._assumptions.items():
            allowed = Assumptions.RANGES[name]
            assert box.minimum / scale <= allowed.low + 0.1, name
            assert box.maximum / scale >= allowed.high - 0.011, name
        assert a_panel.ui.fillSlider.minimum == 1 and a_panel.ui.fillSlider.maximum == 100

    def test_a_changed_margin_is_kept_with_the_scene(self, a_measured_panel: Any) -> None:
        from VertebralAugmentationPlannerLib.scene.numbers import readMargins

        a_measured_panel.ui.canalMarginSpinBox.value = 2.5
        assert readMargins(a_measured_panel.node) == Margins(canal_mm=2.5)

    def test_a_number_can_be_typed(self, a_measured_panel: Any) -> None:
        """Writing a value into a spin box formats its text anew, and the next key would fall into the wrong place."""
        from PySide6.QtTest import QTest
        from VertebralAugmentationPlannerLib.scene.numbers import readMargins

        box = a_measured_panel.ui.canalMarginSpinBox._native
        box.selectAll()
        QTest.keyClicks(box, "2.5")
        assert readMargins(a_measured_panel.node).canal_mm == pytest.approx(2.5)

    def test_showing_the_panel_again_changes_no_number(self, a_measured_panel: Any) -> None:
        a_measured_panel.panel.refresh()
        assert a_measured_panel.node.parameterNode.GetParameter("margins") in (None, "")


class TestPlanFiles:
    def test_warnings_come_first_and_the_worst_before_the_rest(self, a_planned_panel: Any) -> None:
        text = a_planned_panel.ui.summaryBrowser.toPlainText()
        assert 0 <= text.index("▲") < text.index("ℹ") < text.index("T12: Bilateral")
        assert "▲" not in text[text.index("ℹ") :]

    def test_save_and_load_give_the_same_plan(self, a_planned_panel: Any, tmp_path: Any) -> None:
        a_planned_panel.panel.dialogs.answer = str(tmp_path / "mine")
        a_planned_panel.ui.savePlanButton.click()
        before = a_planned_panel.logic.casePlan
        a_planned_panel.panel.dialogs.answer = str(tmp_path / "mine.json")
        a_planned_panel.ui.loadPlanButton.click()
        assert a_planned_panel.logic.casePlan == before

    def test_a_loaded_plan_is_shown_at_its_planned_level(self, a_planned_panel: Any, tmp_path: Any) -> None:
        a_planned_panel.panel.dialogs.answer = str(tmp_path / "mine.json")
        a_planned_panel.ui.savePlanButton.click()
        a_planned_panel.panel.chooseLevel("L2")
        a_planned_panel.ui.loadPlanButton.click()
        assert a_planned_panel.node.level == "T12"
        assert a_planned_panel.logic.told("showLevel")[-1] == ("T12",)

    def test_a_plan_without_needles_starts_at_a_whole_level(self, a_measured_panel: Any, tmp_path: Any) -> None:
        """The vertebra on top is often cut by the scan."""
        panel, plan = a_measured_panel, a_measured_panel.logic.casePlan
        assert [level.complete for level in plan.levels] == [True, True, False]
        dataclasses.replace(plan, levels=plan.levels[::-1]).save(tmp_path / "measured.json")
        panel.panel.dialogs.answer = str(tmp_path / "measured.json")
        panel.ui.loadPlanButton.click()
        assert (panel.node.level, panel.node.side) == ("T12", "")
        assert panel.logic.told("showLevel")[-1] == ("T12",)

    def test_a_cancelled_file_dialog_does_nothing(self, a_planned_panel: Any) -> None:
        a_planned_panel.ui.savePlanButton.click()
        assert a_planned_panel.logic.told("savePlan") == []

    @pytest.mark.parametrize(("button", "ending"), [("savePlanButton", ".json"), ("reportButton", ".html")])
    def test_a_file_that_the_dialog_did_not_ask_about_is_replaced_only_after_a_question(
        self, a_planned_panel: Any, tmp_path: Any, monkeypatch: Any, button: str, ending: str
    ) -> None:
        """It asked about “mine”, and the ending is added later."""
        from VertebralAugmentationPlannerLib.widget import plan_section

        asked, answers = [], [False, True]
        monkeypatch.setattr(
            plan_section, "confirmDisplay", lambda question, title: asked.append(question) or answers.pop(0)
        )
        logic, done = a_planned_panel.logic, {".json": "savePlan", ".html": "exportReport"}[ending]
        a_planned_panel.panel.dialogs.answer = str(tmp_path / "mine")
        getattr(a_planned_panel.ui, button).click()
        assert asked == [] and logic.told(done) == [(str(tmp_path / "mine") + ending,)]
        (tmp_path / f"mine{ending}").write_text("an older one")
        for count in (1, 2):  # refused, then allowed
            getattr(a_planned_panel.ui, button).click()
            assert len(logic.told(done)) == count
        assert asked == [f"mine{ending} is there already. Replace it?"] * 2
        a_planned_panel.panel.dialogs.answer = str(tmp_path / f"mine{ending}")
        getattr(a_planned_panel.ui, button).click()
        assert len(asked) == 2 and len(logic.told(done)) == 3

    def test_screenshots_are_named_after_the_level(self, a_planned_panel: Any, tmp_path: Any, monkeypatch: Any) -> None:
        taken: list[Any] = []
        monkeypatch.setattr(a_planned_panel.logic, "screenshots", lambda *asked: taken.append(asked), raising=False)
        a_planned_panel.panel.dialogs.answer = str(tmp_path)
        a_planned_panel.ui.screenshotsButton.click()
        assert taken == [(str(tmp_path), "plan-T12")]

    def test_screenshots_without_views_say_why_not(self, a_planned_panel: Any, a_slicer: Any, monkeypatch: Any) -> None:
        monkeypatch.setattr(a_slicer.app, "layoutManager", lambda: None)
        a_planned_panel.panel.refresh()
        assert not a_planned_panel.ui.screenshotsButton.enabled
        assert "views" in a_planned_panel.ui.screenshotsButton.toolTip


class TestTrouble:
    def test_an_unusable_input_is_one_sentence(self, a_panel_with_images: Any, errors: Any, caplog: Any) -> None:
        a_panel_with_images.logic.refuse = "The label map is empty; choose another one."
        a_panel_with_images.ui.measureButton.click()
        assert errors.now() == ["The label map is empty; choose another one."]

    def test_an_unexpected_error_is_told_and_the_panel_stays_usable(
        self, a_panel_with_images: Any, errors: Any, caplog: Any
    ) -> None:
        a_panel_with_images.logic.refuse = ZeroDivisionError("division by zero")
        a_panel_with_images.ui.measureButton.click()
        assert len(errors.now()) == 1 and "division by zero" in errors.now()[0]
        a_panel_with_images.logic.refuse = None
        a_panel_with_images.ui.measureButton.click()
        assert a_panel_with_images.logic.casePlan is not None

    def test_the_progress_bar_is_gone_before_an_error_is_told(
        self, a_panel_with_images: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One that came up half a second later would cover the message and, being modal, block it."""
        from VertebralAugmentationPlannerLib.widget import work

        found = []
        panel = a_panel_with_images.panel
        monkeypatch.setattr(work, "errorDisplay", lambda *_: found.append((panel.work.dialog, panel.work.busy)))
        a_panel_with_images.logic.refuse = "The label map is empty; choose another one."
        a_panel_with_images.ui.measureButton.click()
        assert found == [(None, False)]

    def test_a_needle_that_is_put_back_is_told_once_the_drag_is_through(
        self, a_planned_panel: Any, a_slicer: Any, errors: Any, caplog: Any
    ) -> None:
        panel = a_planned_panel.panel
        message = "The left needle of L1 was put back: it misses the pedicle."
        panel.onChange(
            panel.parameterNode.parameterNode, types.SimpleNamespace(kind="refused", message=message, level="L1")
        )
        assert errors.now() == []  # the mouse is still down
        a_slicer.app.processEvents()
        assert errors.now() == [message]

    def test_cancelling_is_no_error(self, a_panel_with_images: Any, errors: Any, caplog: Any) -> None:
        a_panel_with_images.logic.refuse = PlanningCancelled()
        a_panel_with_images.ui.measureButton.click()
        assert errors.now() == []
        assert a_panel_with_images.ui.measureButton.enabled

    def test_without_a_parameter_node_the_panel_is_empty_and_silent(
        self, a_planned_panel: Any, errors: Any, caplog: Any
    ) -> None:
        a_planned_panel.panel.setParameterNode(None)
        assert not a_planned_panel.ui.measureButton.enabled
        assert errors.now() == []

    def test_a_closed_panel_no_longer_listens(self, a_planned_panel: Any) -> None:
        a_planned_panel.panel.close()
        assert a_planned_panel.logic.listeners == []
        a_planned_panel.logic.addListener(a_planned_panel.panel.onChange)  # the fixture closes it once more


def test_what_holds_the_cement_back_is_told_in_one_sentence(a_panel: Any) -> None:
    from VertebralAugmentationPlannerLib.widget.augmentation_section import cement_text

    cement = CementPlan(0.3, 12.0, 5.9, 3.0, 5.9, 30.0, 4, 1.5, "", "the ceiling of 30 % of the whole body, 5.9 ml")
    text = cement_text(types.SimpleNamespace(cement=cement, predicted=None))
    assert text.split("<br>")[1] == "Limited by the ceiling of 30 % of the whole body, 5.9 ml."
