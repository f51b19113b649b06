"""Sections that are folded away and opened again."""

from __future__ import annotations

from typing import Any


def test_what_went_while_the_section_was_folded_away_stays_away(a_planned_panel: Any) -> None:
    ui, logic = a_planned_panel.ui, a_planned_panel.logic
    assert not ui.leftInflationSlider.isHidden()
    ui.augmentationCollapsibleButton.collapsed = True
    logic.replaceNeedle("T12", "left", balloon=None)
    a_planned_panel.panel.refresh()
    ui.augmentationCollapsibleButton.collapsed = False
    assert ui.leftInflationSlider.isHidden() and not ui.rightInflationSlider.isHidden()
