"""Between the plan and the C-arm: simulated fluoroscopy that follows its sliders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import qt

from ..model import SIDES
from ..scene.fluoroscopy import AP, LATERAL, FluoroscopyFrame, FluoroscopyView, NeedleDepths
from ..scene.ui_support import fillImage
from ..scene.ui_support import tr as _
from .choices import fill
from .section import Section, after_events

if TYPE_CHECKING:
    from .panel import PlannerPanel


AIMED_DEG = 1.0
"""So near to a needle's end-on angles the C-arm looks along it: the angles are shown in whole degrees. [D]"""


class FluoroscopySection(Section):
    """Set-up, angles, distances, depth, and the picture."""

    def __init__(self, panel: PlannerPanel) -> None:
        super().__init__(panel, panel.ui.fluoroscopyCollapsibleButton)
        ui = self.ui
        self._aim = ""
        self._draw_soon = after_events(self._draw)
        self._settings = (ui.rotationSlider, ui.tiltSlider, ui.sourceImageSpinBox, ui.sourceObjectSpinBox)
        self._presets = {AP: ui.apButton, LATERAL: ui.lateralButton}
        self._end_on = {"left": ui.endOnLeftButton, "right": ui.endOnRightButton}
        self._depths = (ui.insertionSlider, ui.entryButton, ui.targetButton)
        ui.fluoroscopyButton.connect("clicked(bool)", self.onSetUp)
        ui.apButton.connect("clicked(bool)", lambda: self.onPreset(AP))
        ui.lateralButton.connect("clicked(bool)", lambda: self.onPreset(LATERAL))
        ui.endOnLeftButton.connect("clicked(bool)", lambda: self.onPreset("left"))
        ui.endOnRightButton.connect("clicked(bool)", lambda: self.onPreset("right"))
        for widget in (*self._settings, ui.insertionSlider):
            widget.connect("valueChanged(double)", self.onMoved)
        ui.fluoroscopySideComboBox.connect("currentIndexChanged(int)", self.onSides)
        ui.entryButton.connect("clicked(bool)", lambda: self.onDepth(0.0))
        ui.medialBorderButton.connect("clicked(bool)", self.onMedialBorder)
        ui.targetButton.connect("clicked(bool)", lambda: self.onDepth(float("inf")))
        self.button.connect("contentsCollapsed(bool)", self.onOpened)

    # ---- Show ---------------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        ui, level = self.ui, self.panel.level
        allowed = self.logic.canSimulate(self.node, level) if self.node else (False, _("There is no scene to work in."))
        self.enable(ui.fluoroscopyButton, allowed)
        name = level or _("this level")
        ui.fluoroscopyButton.text = _("Simulate {level}").format(level=name)
        ready = allowed[0] and self.logic.fluoroscopyReady(self.node, level)
        ui.fluoroscopyButton.visible = not ready
        first = (ready, allowed[1] or _("Press “Simulate {level}” first.").format(level=name))
        for widget in (*self._settings, *self._presets.values()):
            self.enable(widget, first)
        depths = self.logic.fluoroscopyDepths(self.node, level) if ready else {}
        self._show_needles(first, depths)
        self.heading(level if ready else "")
        if ready:
            self.refreshSoon()
        else:
            self._clear()

    def _show_needles(self, first: tuple[bool, str], depths: dict[str, NeedleDepths]) -> None:
        ui = self.ui
        for side, button in self._end_on.items():
            missing = _("There is no {side} needle.").format(side=side)
            self.enable(button, (side in depths, missing if first[0] else first[1]))
        present = [side for side in SIDES if side in depths]
        offered = [_("both"), *present] if len(present) > 1 else present
        current = ui.fluoroscopySideComboBox.currentText
        fill(ui.fluoroscopySideComboBox, offered, current if current in offered else (offered or [""])[0])
        planned = (bool(present), _("Plan the access first (section 3).") if first[0] else first[1])
        for widget in (*self._depths, ui.fluoroscopySideComboBox):
            self.enable(widget, planned)
        border = self._medial_border(depths)
        crosses = _("The needle does not cross the medial border of its pedicle before its target.")
        self.enable(ui.medialBorderButton, (border is not None, crosses if present else planned[1]))
        self._follow_ends(depths)

    def _follow_ends(self, depths: dict[str, NeedleDepths]) -> None:
        """The slider's range from skin to target; a tip at its target stays there while the target is dragged."""
        if depths:
            at_end, slider = self._at_target(), self.ui.insertionSlider
            low = round(min(0.0, *(found.skin or 0.0 for found in depths.values())), slider.decimals)
            high = round(max(found.target for found in depths.values()), slider.decimals)
            if (slider.minimum, slider.maximum) != (low, high):
                slider.minimum, slider.maximum = low, high
                if at_end:
                    slider.value = slider.maximum

    def _clear(self) -> None:
        ui = self.ui
        self._draw_soon.stop()
        ui.fluoroscopyLabel.setPixmap(qt.QPixmap())
        for label in (ui.leftEdgeLabel, ui.rightEdgeLabel, ui.anglesLabel, ui.tipLabel):
            label.text = ""
        for label in (ui.fluoroscopyLabel, ui.anglesLabel, ui.tipLabel):
            label.visible = False

    def refreshSoon(self) -> None:
        """Draw the picture once the events waiting now are handled: several changes make one picture."""
        if not self.button.collapsed:
            self._draw_soon.start()

    def stop(self) -> None:
        """No picture is due any more."""
        self._draw_soon.stop()

    def _draw(self) -> None:
        node, level = self.node, self.panel.level
        if node and level and not self.panel.work.busy and self.logic.fluoroscopyReady(node, level):
            with self.panel.writing():
                self._follow_ends(self.logic.fluoroscopyDepths(node, level))
            view = self.view()
            self.panel.work.quick(_("Drawing the fluoroscopy"), lambda: self._show(node, level, view))

    def _show(self, node: Any, level: str, view: FluoroscopyView) -> None:
        found: FluoroscopyFrame = self.logic.fluoroscopy(node, level, view)
        ui = self.ui
        image = qt.QImage()
        fillImage(image, found.pixels)
        ui.fluoroscopyLabel.setPixmap(qt.QPixmap.fromImage(image))
        ui.leftEdgeLabel.text, ui.rightEdgeLabel.text = found.left, found.right
        aimed = _("along the {side} needle").format(side=view.aim) if self._looks_along(node, level, view) else ""
        ui.anglesLabel.text = "<br>".join(text for text in (f"<b>{found.angles}</b> {aimed}", found.prone) if text)
        ui.tipLabel.text = "<br>".join(found.tips)
        ui.fluoroscopyLabel.toolTip = " ".join(found.notes)
        for label in (ui.fluoroscopyLabel, ui.anglesLabel, ui.tipLabel):
            label.visible = True

    def _looks_along(self, node: Any, level: str, view: FluoroscopyView) -> bool:
        """Whether the C-arm still is where a needle is seen end-on: it may have been turned away, or the needle moved."""
        needle = self.logic.needle(node, level, view.aim) if view.aim else None
        if needle is None:
            return False
        primary, secondary = needle.carm.primary_deg - view.primary_deg, needle.carm.secondary_deg - view.secondary_deg
        return max(abs(primary), abs(secondary)) <= AIMED_DEG

    # ---- What is set --------------------------------------------------------------------------------------------

    def view(self) -> FluoroscopyView:
        """What the widgets say now."""
        ui = self.ui
        chosen = ui.fluoroscopySideComboBox.currentText
        return FluoroscopyView(
            ui.rotationSlider.value,
            ui.tiltSlider.value,
            ui.sourceImageSpinBox.value,
            ui.sourceObjectSpinBox.value,
            (chosen,) if chosen in SIDES else SIDES,
            float("inf") if self._at_target() else ui.insertionSlider.value,
            self._aim,
        )

    def _at_target(self) -> bool:
        """Whether the depth is at its end, as far as the slider's decimals tell."""
        slider = self.ui.insertionSlider
        return bool(slider.value >= slider.maximum - 0.5 * 10**-slider.decimals)

    def _medial_border(self, depths: dict[str, NeedleDepths]) -> float | None:
        """Of the needle that is shown; of two, of the one chosen in section 3."""
        chosen = self.ui.fluoroscopySideComboBox.currentText
        wanted = chosen if chosen in depths else self.node.side if self.node and self.node.side in depths else ""
        order = [wanted] if chosen in depths else [wanted, *depths]
        borders = [depths[side].medial_border for side in order if side in depths]
        return next((border for border in borders if border is not None), None)

    # ---- Clicks -------------------------------------------------------------------------------------------------

    def onSetUp(self) -> None:
        level = self.panel.level
        if self.panel.run(
            _("Putting {level} under the C-arm").format(level=level),
            lambda *hooks: self.logic.setUpFluoroscopy(self.node, level, *hooks),
        ):
            self.onPreset(AP)

    def onPreset(self, name: str) -> None:
        """Turn the C-arm to a named view."""
        level, angles = self.panel.level, []
        if not self.panel.work.quick(
            _("Turning the C-arm"), lambda: angles.extend(self.logic.fluoroscopyPreset(self.node, level, name))
        ):
            return
        with self.panel.writing():
            self.ui.rotationSlider.value, self.ui.tiltSlider.value = angles
        self._aim = name if name in SIDES else ""
        self.refreshSoon()

    def onMoved(self, value: float) -> None:
        if not self.panel.quiet:
            self.refreshSoon()

    def onSides(self, index: int) -> None:
        if not self.panel.quiet:
            self.panel.refresh()

    def onDepth(self, depth: float) -> None:
        slider = self.ui.insertionSlider
        slider.value = min(depth, slider.maximum)
        self.refreshSoon()

    def onMedialBorder(self) -> None:
        border = self._medial_border(self.logic.fluoroscopyDepths(self.node, self.panel.level))
        if border is not None:
            self.onDepth(border)

    def onOpened(self, collapsed: bool) -> None:
        if not self.button.collapsed:
            self.panel.refresh()
