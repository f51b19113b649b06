"""Another plan to compare with, another plan to work on, and words that people read."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from test_ui_file import MODULE_FILE
from VertebralAugmentationPlannerLib.model import CasePlan, InputError


def moved(plan: CasePlan, mm: float) -> CasePlan:
    """The plan with its left tip at T12 higher up."""
    level = plan.level("T12")
    needles = tuple(
        replace(n, target_ras=(n.target_ras[0], n.target_ras[1], n.target_ras[2] + mm)) if n.side == "left" else n
        for n in level.trajectories
    )
    changed = replace(level, trajectories=needles)
    return replace(plan, levels=tuple(changed if old.level == "T12" else old for old in plan.levels))


def lines(panel: Any) -> list[list[str]]:
    table = panel.ui.comparisonTable
    return [[table.item(row, column).text() for column in range(4)] for row in range(table.rowCount)]


@pytest.fixture
def a_file(a_planned_panel: Any, tmp_path: Any) -> Any:
    """A plan.json like the panel's plan but for a tip 3 mm higher; the dialog answers it."""
    path = tmp_path / "other.json"
    moved(a_planned_panel.logic.casePlan, 3.0).save(path)
    a_planned_panel.panel.dialogs.answer = str(path)
    return path


class TestCompare:
    def test_there_is_no_table_before_something_was_compared(self, a_planned_panel: Any) -> None:
        assert a_planned_panel.ui.comparisonTable.isHidden()
        assert a_planned_panel.ui.compareButton.enabled

    def test_nothing_can_be_compared_before_there_is_a_plan(self, a_panel: Any) -> None:
        assert not a_panel.ui.compareButton.enabled and a_panel.ui.compareButton.toolTip == "Nothing is planned yet."

    def test_the_table_lists_what_differs_under_its_level_and_side(self, a_planned_panel: Any, a_file: Any) -> None:
        a_planned_panel.ui.compareButton.click()
        shown = lines(a_planned_panel)
        assert shown[0] == ["T12, left needle", "", "", ""]
        assert ["tip", "", "", "3.0 mm apart"] in shown
        assert "B is other.json" in a_planned_panel.ui.comparisonLabel.text

    def test_what_is_the_same_is_listed_when_asked_for(self, a_planned_panel: Any, a_file: Any) -> None:
        a_planned_panel.ui.compareButton.click()
        assert "cannula" not in [line[0] for line in lines(a_planned_panel)]
        a_planned_panel.ui.compareAllCheckBox.click()
        assert "cannula" in [line[0] for line in lines(a_planned_panel)]

    def test_the_table_follows_an_edit(self, a_planned_panel: Any, a_file: Any, a_slicer: Any) -> None:
        panel, logic = a_planned_panel, a_planned_panel.logic
        panel.ui.compareButton.click()
        logic.casePlan = moved(logic.casePlan, 3.0)
        logic.tell(panel.node.parameterNode, "needle", "T12", "left")
        a_slicer.app.processEvents()
        assert "tip" not in [line[0] for line in lines(panel)]
        assert "No number differs" in panel.ui.comparisonLabel.text

    def test_a_file_that_is_no_plan_is_one_sentence_and_the_table_stays(
        self,
        a_planned_panel: Any,
        a_file: Any,
        tmp_path: Any,
        errors: Any,
        caplog: Any,
    ) -> None:
        a_planned_panel.ui.compareButton.click()
        before = lines(a_planned_panel)
        bad = tmp_path / "bad.json"
        bad.write_text("[]", encoding="utf-8")
        a_planned_panel.panel.dialogs.answer = str(bad)
        a_planned_panel.ui.compareButton.click()
        assert len(errors.now()) == 1 and "\n" not in errors.now()[0]
        assert lines(a_planned_panel) == before

    def test_another_plan_of_the_scene_is_offered(self, a_planned_panel: Any, a_slicer: Any) -> None:
        panel, logic = a_planned_panel, a_planned_panel.logic
        other = a_slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode", "Second")
        logic.nodes.append(other)
        logic.others[other] = moved(logic.casePlan, 5.0)
        panel.panel.refresh()
        assert panel.ui.compareComboBox.itemText(1) == "2  Second"
        panel.ui.compareComboBox.setCurrentIndex(1)
        panel.ui.compareButton.click()
        assert ["tip", "", "", "5.0 mm apart"] in lines(panel)
        logic.nodes.remove(other)
        panel.panel.refresh()
        assert panel.ui.comparisonTable.isHidden()


class TestChooser:
    def test_one_plan_leaves_nothing_to_choose(self, a_planned_panel: Any) -> None:
        combo = a_planned_panel.ui.planComboBox
        assert combo.count == 1 and not combo.enabled and "New plan" in combo.toolTip

    def test_a_chosen_plan_is_handed_to_the_module(self, a_planned_panel: Any, a_slicer: Any) -> None:
        panel, logic, asked = a_planned_panel, a_planned_panel.logic, []
        other = a_slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode", "Second")
        panel.panel.chooser.choose = asked.append
        panel.ui.newPlanButton.click()
        assert logic.told("newPlan") == [()]
        logic.nodes.append(other)
        panel.panel.refresh()
        asked.clear()
        panel.ui.planComboBox.setCurrentIndex(1)
        assert asked == [other]

    def test_showing_the_panel_chooses_nothing(self, a_planned_panel: Any) -> None:
        asked: list[Any] = []
        a_planned_panel.panel.chooser.choose = asked.append
        a_planned_panel.panel.refresh()
        assert asked == []


class TestWords:
    def test_combo_boxes_show_words_with_an_explanation(self, a_panel: Any) -> None:
        import qt

        combo = a_panel.ui.approachComboBox
        combo.addItems(["auto", "unilateral", "bilateral"])
        a_panel.panel.showWords()
        a_panel.panel.showWords()  # twice is once
        assert [combo.itemText(index) for index in range(3)] == ["automatic: 1 or 2", "1, better side", "2, both sides"]
        assert "One needle" in combo.itemData(1, qt.Qt.ToolTipRole)

    @pytest.mark.parametrize("name", ["procedure", "approach", "cannula", "etiology"])
    def test_every_stored_word_has_a_readable_one(self, a_slicer: Any, name: str) -> None:
        from VertebralAugmentationPlannerLib.widget.choices import choice_words

        stored = re.search(rf"    {name}: Annotated\[str, Choice\((\[.*?\])\)\]", MODULE_FILE.read_text("utf-8"))
        assert stored is not None
        words = choice_words()[f"{name}ComboBox"]
        assert list(words) == ast.literal_eval(stored[1])
        assert all(tip.endswith(".") for _text, tip in words.values())


class TestWorkThatTakesTime:
    def test_a_cancelled_report_is_no_error(
        self,
        a_planned_panel: Any,
        tmp_path: Any,
        errors: Any,
        caplog: Any,
        monkeypatch: Any,
    ) -> None:
        panel = a_planned_panel
        panel.panel.dialogs.answer = str(tmp_path / "report")
        told: list[str] = []

        def export(node: Any, path: str, progress: Any, stop: Any) -> None:
            progress(0.2, "drawing T12: ap")
            panel.panel.work.dialog.cancel()
            told.append(path)
            if stop():
                from VertebralAugmentationPlannerLib.model import PlanningCancelled

                raise PlanningCancelled
            told.append("went on")

        monkeypatch.setattr(panel.logic, "exportReport", export)
        panel.ui.reportButton.click()
        assert told == [str(tmp_path / "report.html")]
        assert errors.now() == [] and panel.panel.work.dialog is None

    def test_inflating_a_plan_from_a_file_builds_its_anatomy_with_progress_first(
        self,
        a_planned_panel: Any,
        monkeypatch: Any,
    ) -> None:
        logic, asked = a_planned_panel.logic, []
        monkeypatch.setattr(logic, "isReady", lambda node: bool(asked))
        monkeypatch.setattr(logic, "prepare", lambda node, progress, stop: asked.append("prepared"), raising=False)
        a_planned_panel.ui.rightInflationSlider.value = 1.5
        assert asked == ["prepared"] and logic.told("inflate") == [("T12", "right", 1.5)]

    def test_an_anatomy_that_cannot_be_built_is_told_once(
        self, a_planned_panel: Any, a_slicer: Any, monkeypatch: Any, errors: Any
    ) -> None:
        panel, asked = a_planned_panel, []

        def prepare(node: Any, progress: Any, stop: Any) -> None:
            asked.append(node)
            raise InputError("The CT does not cover the labels.")

        monkeypatch.setattr(panel.logic, "isReady", lambda node: False)
        monkeypatch.setattr(panel.logic, "prepare", prepare, raising=False)
        for _visit in range(2):
            panel.panel.prepareSoon()
            a_slicer.app.processEvents()
        assert len(asked) == 1 and errors.now() == ["The CT does not cover the labels."]
        monkeypatch.setattr(panel.logic, "inputState", lambda node: "other images")
        panel.panel.prepareSoon()
        a_slicer.app.processEvents()
        assert len(asked) == 2


class TestNames:
    def test_the_node_learns_of_the_tick_before_anything_is_drawn(self, a_panel_with_images: Any) -> None:
        panel, seen = a_panel_with_images, []
        panel.logic.showLevelNames = lambda node, visible: seen.append((node.showLevelNames, visible))
        panel.ui.showNamesCheckBox.click()
        panel.ui.showNamesCheckBox.click()
        assert seen == [(True, True), (False, False)]


class TestCleanup:
    def test_cleaning_up_before_the_set_up_is_no_error(self, a_slicer: Any) -> None:
        from VertebralAugmentationPlannerLib.widget.module_widget import PlannerWidget

        class Widget(PlannerWidget):
            logic = None

            def removeObservers(self) -> None:
                self.removed = True

        widget = Widget()
        widget.cleanup()
        assert widget.removed

    def test_cleaning_up_twice_is_no_error(self, a_planned_panel: Any, a_slicer: Any) -> None:
        from VertebralAugmentationPlannerLib.widget.module_widget import PlannerWidget

        widget = PlannerWidget()
        widget.removeObservers = lambda: None
        widget.logic, widget.panel = SimpleNamespace(cleanup=lambda: None), None
        widget.cleanup()
        widget.cleanup()
