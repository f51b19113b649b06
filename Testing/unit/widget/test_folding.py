"""Sections that are folded away and opened again."""

from __future__ import annotations

from typing import Any

from fake_logic import with_images


def test_what_went_while_the_section_was_folded_away_stays_away(a_planned_panel: Any) -> None:
    ui, logic = a_planned_panel.ui, a_planned_panel.logic
    assert not ui.leftInflationSlider.isHidden()
    ui.augmentationCollapsibleButton.collapsed = True
    logic.replaceNeedle("T12", "left", balloon=None)
    a_planned_panel.panel.refresh()
    ui.augmentationCollapsibleButton.collapsed = False
    assert ui.leftInflationSlider.isHidden() and not ui.rightInflationSlider.isHidden()


def test_the_section_that_measures_opens_once_the_images_can_be_measured(a_panel: Any, a_slicer: Any) -> None:
    heading = a_panel.ui.measurementsCollapsibleButton
    assert heading.collapsed
    a_panel.ui.ctSelector.setCurrentNode(a_slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "CT"))
    assert heading.collapsed  # a CT alone cannot be measured
    with_images(a_panel, a_slicer)
    assert not heading.collapsed


def test_it_opens_when_a_correction_lets_the_images_be_measured_and_stays_as_the_user_has_it_after_others(
    a_panel: Any, a_slicer: Any, monkeypatch: Any
) -> None:
    heading, logic = a_panel.ui.measurementsCollapsibleButton, a_panel.logic
    monkeypatch.setattr(logic, "canMeasure", lambda node: (logic.rows[:1] != [] and logic.rows[0].level != "T11", ""))
    with_images(a_panel, a_slicer)
    assert heading.collapsed
    a_panel.ui.levelTable.cellWidget(0, 2).setCurrentText("T10")
    assert not heading.collapsed
    heading.collapsed = True
    a_panel.ui.levelTable.cellWidget(0, 2).setCurrentText("T9")
    assert heading.collapsed


def test_a_section_that_was_folded_away_stays_so_where_the_plan_is_of_the_images(
    a_planned_panel: Any, a_slicer: Any
) -> None:
    heading = a_planned_panel.ui.measurementsCollapsibleButton
    heading.collapsed = True
    with_images(a_planned_panel, a_slicer)
    assert heading.collapsed
    a_planned_panel.logic.outdated = True
    with_images(a_planned_panel, a_slicer)  # of others: what to do is to measure again
    assert not heading.collapsed
