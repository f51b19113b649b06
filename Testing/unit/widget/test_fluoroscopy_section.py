"""The fluoroscopy section: live only once it is set up, and a picture that follows whatever is moved."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from VertebralAugmentationPlannerLib.model import PlanningCancelled


@pytest.fixture
def an_open_section(a_planned_panel: Any) -> Any:
    a_planned_panel.ui.fluoroscopyCollapsibleButton.collapsed = False
    return a_planned_panel


@pytest.fixture
def a_simulated_panel(an_open_section: Any, a_slicer: Any) -> Any:
    an_open_section.ui.fluoroscopyButton.click()
    settle(a_slicer)
    return an_open_section


def settle(slicer: Any) -> None:
    for _ in range(10):
        slicer.app.processEvents()


def last_view(panel: Any) -> Any:
    return panel.logic.told("fluoroscopy")[-1][0]


class TestBeforeItIsSetUp:
    def test_the_sliders_say_what_to_press(self, an_open_section: Any) -> None:
        ui = an_open_section.ui
        assert ui.fluoroscopyButton.enabled and ui.fluoroscopyButton.text == "Simulate T12"
        for widget in (ui.rotationSlider, ui.apButton, ui.insertionSlider, ui.medialBorderButton, ui.endOnLeftButton):
            assert not widget.enabled
            assert widget.toolTip == "Press “Simulate T12” first."

    def test_without_a_ct_the_button_says_why_not(self, an_open_section: Any) -> None:
        an_open_section.node.ct = None
        an_open_section.panel.refresh()
        assert not an_open_section.ui.fluoroscopyButton.enabled
        assert "simulated from the CT" in an_open_section.ui.fluoroscopyButton.toolTip

    def test_a_cancelled_set_up_is_no_error_and_shows_nothing(
        self, an_open_section: Any, a_slicer: Any, errors: Any, caplog: Any
    ) -> None:
        an_open_section.logic.refuse = PlanningCancelled()
        an_open_section.ui.fluoroscopyButton.click()
        settle(a_slicer)
        assert errors.now() == []
        assert not an_open_section.ui.rotationSlider.enabled


class TestThePicture:
    def test_it_starts_in_true_ap_with_the_tips_at_their_targets(self, a_simulated_panel: Any) -> None:
        view = last_view(a_simulated_panel)
        assert (view.primary_deg, view.secondary_deg) == (0.0, 5.0)
        assert view.depth_mm == float("inf") and view.sides == ("left", "right")
        assert a_simulated_panel.ui.fluoroscopyButton.isHidden()

    def test_the_first_row_of_the_picture_is_on_top(self, a_simulated_panel: Any) -> None:
        image = a_simulated_panel.ui.fluoroscopyLabel.pixmap.toImage()
        assert (image.width(), image.height()) == (40, 40)
        assert image.pixelColor(20, 0).red() == 255 and image.pixelColor(20, 39).red() == 0

    def test_it_follows_every_slider(self, a_simulated_panel: Any, a_slicer: Any) -> None:
        ui = a_simulated_panel.ui
        ui.rotationSlider.value, ui.tiltSlider.value, ui.insertionSlider.value = 12.0, -7.0, 20.0
        ui.sourceImageSpinBox.value, ui.sourceObjectSpinBox.value = 1200.0, 650.0
        settle(a_slicer)
        view = last_view(a_simulated_panel)
        assert (view.primary_deg, view.secondary_deg, view.depth_mm) == (12.0, -7.0, 20.0)
        assert (view.sid_mm, view.sod_mm) == (1200.0, 650.0)

    def test_several_changes_make_one_picture(self, a_simulated_panel: Any, a_slicer: Any) -> None:
        before = len(a_simulated_panel.logic.told("fluoroscopy"))
        for angle in range(5, 25, 5):
            a_simulated_panel.ui.rotationSlider.value = float(angle)
        settle(a_slicer)
        assert len(a_simulated_panel.logic.told("fluoroscopy")) == before + 1

    def test_end_on_aims_at_that_needle_until_another_preset(self, a_simulated_panel: Any, a_slicer: Any) -> None:
        ui = a_simulated_panel.ui
        ui.endOnRightButton.click()
        settle(a_slicer)
        assert last_view(a_simulated_panel).aim == "right"
        needle = a_simulated_panel.logic.casePlan.level("T12").trajectory("right")
        assert ui.rotationSlider.value == pytest.approx(needle.carm.primary_deg, abs=0.1)
        assert "along the right needle" in ui.anglesLabel.text
        ui.apButton.click()
        settle(a_slicer)
        assert last_view(a_simulated_panel).aim == ""

    def test_a_c_arm_that_was_turned_away_no_longer_looks_along_the_needle(
        self, a_simulated_panel: Any, a_slicer: Any
    ) -> None:
        ui = a_simulated_panel.ui
        ui.endOnRightButton.click()
        for slider in (ui.rotationSlider, ui.tiltSlider):
            there = slider.value
            slider.value = there + 2.0
            settle(a_slicer)
            assert "along" not in ui.anglesLabel.text
            assert last_view(a_simulated_panel).aim == "right"  # the picture does not jump
            slider.value = there
            settle(a_slicer)
            assert "along the right needle" in ui.anglesLabel.text

    def test_a_needle_that_was_moved_is_no_longer_looked_along(self, a_simulated_panel: Any, a_slicer: Any) -> None:
        panel, logic = a_simulated_panel, a_simulated_panel.logic
        panel.ui.endOnRightButton.click()
        settle(a_slicer)
        carm = logic.casePlan.level("T12").trajectory("right").carm
        logic.replaceNeedle("T12", "right", carm=replace(carm, secondary_deg=carm.secondary_deg + 5.0))
        logic.tell(panel.node.parameterNode, "needle", "T12", "right")
        settle(a_slicer)
        assert "along" not in panel.ui.anglesLabel.text

    def test_the_depth_buttons_move_the_slider(self, a_simulated_panel: Any, a_slicer: Any) -> None:
        ui = a_simulated_panel.ui
        assert (ui.insertionSlider.minimum, ui.insertionSlider.maximum) == (-52.0, 42.6)
        for button, depth in ((ui.entryButton, 0.0), (ui.medialBorderButton, 28.3), (ui.targetButton, 42.6)):
            button.click()
            assert ui.insertionSlider.value == pytest.approx(depth)
        settle(a_slicer)
        assert last_view(a_simulated_panel).depth_mm == float("inf")

    def test_one_needle_alone_can_be_shown(self, a_simulated_panel: Any, a_slicer: Any) -> None:
        combo = a_simulated_panel.ui.fluoroscopySideComboBox
        assert [combo.itemText(index) for index in range(combo.count)] == ["both", "left", "right"]
        combo.setCurrentIndex(2)
        settle(a_slicer)
        assert last_view(a_simulated_panel).sides == ("right",)
        assert a_simulated_panel.ui.tipLabel.text.startswith("right tip")

    def test_it_follows_a_dragged_needle(self, a_simulated_panel: Any, a_slicer: Any) -> None:
        before = len(a_simulated_panel.logic.told("fluoroscopy"))
        a_simulated_panel.logic.tell(a_simulated_panel.node.parameterNode, "needle", "T12", "left")
        settle(a_slicer)
        assert len(a_simulated_panel.logic.told("fluoroscopy")) == before + 1

    def test_a_tip_at_its_target_stays_there_while_the_target_is_dragged(
        self, a_simulated_panel: Any, a_slicer: Any
    ) -> None:
        a_simulated_panel.logic.target_mm = 47.0
        a_simulated_panel.logic.tell(a_simulated_panel.node.parameterNode, "needle", "T12", "left")
        settle(a_slicer)
        assert a_simulated_panel.ui.insertionSlider.value == 47.0
        assert last_view(a_simulated_panel).depth_mm == float("inf")

    def test_another_level_takes_the_picture_away(self, a_simulated_panel: Any, a_slicer: Any) -> None:
        ui = a_simulated_panel.ui
        a_simulated_panel.panel.chooseLevel("L2")
        settle(a_slicer)
        assert ui.fluoroscopyLabel.isHidden() and not ui.rotationSlider.enabled
        assert ui.fluoroscopyButton.text == "Simulate L2" and not ui.fluoroscopyButton.isHidden()

    def test_a_closed_section_draws_nothing(self, a_simulated_panel: Any, a_slicer: Any) -> None:
        a_simulated_panel.ui.fluoroscopyCollapsibleButton.collapsed = True
        settle(a_slicer)
        before = len(a_simulated_panel.logic.told("fluoroscopy"))
        a_simulated_panel.panel.refresh()
        settle(a_slicer)
        assert len(a_simulated_panel.logic.told("fluoroscopy")) == before
        a_simulated_panel.ui.fluoroscopyCollapsibleButton.collapsed = False
        settle(a_slicer)
        assert len(a_simulated_panel.logic.told("fluoroscopy")) == before + 1
