"""Section 4: balloon and cement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..model import BalloonPlan, CementPlan, LevelPlan
from ..report.wording import cement_range_words, number, sentence, stopped_by_words
from ..scene.ui_support import tr as _
from .section import Section

if TYPE_CHECKING:
    from .panel import PlannerPanel

AUTO = "auto"


class AugmentationSection(Section):
    """Balloon choice, inflation, target fill, cement."""

    def __init__(self, panel: PlannerPanel) -> None:
        super().__init__(panel, panel.ui.augmentationCollapsibleButton)
        ui = self.ui
        self._names = [AUTO, *(balloon.name for balloon in self.logic.balloonCatalog())]
        ui.balloonComboBox.addItems([_("automatic: the longest that fits"), *self._names[1:]])
        self._sliders = {
            "left": (ui.leftInflationSlider, ui.leftInflationLabel, ui.leftBalloonLabel),
            "right": (ui.rightInflationSlider, ui.rightInflationLabel, ui.rightBalloonLabel),
        }
        ui.balloonComboBox.connect("currentIndexChanged(int)", self.onBalloon)
        ui.leftInflationSlider.connect("valueChanged(double)", self.onInflateLeft)
        ui.rightInflationSlider.connect("valueChanged(double)", self.onInflateRight)
        ui.fillSlider.connect("valueChanged(double)", self.onFill)
        ui.augmentButton.connect("clicked(bool)", self.onAugment)

    def refresh(self) -> None:
        ui, node = self.ui, self.node
        with_balloon = bool(node) and node.procedure == "kyphoplasty"
        ui.balloonComboBox.setCurrentIndex(
            self._names.index(node.balloon) if node and node.balloon in self._names else 0
        )
        for widget in (ui.balloonComboBox, ui.balloonLabel):
            widget.visible = with_balloon
        if node:
            ui.fillSlider.value = 100 * node.targetFill
        level = self.panel.levelPlan()
        planned = (level is not None and bool(level.trajectories), _("Plan the access first (section 3)."))
        if node and planned[0]:
            planned = self.logic.canPlan(node, self.panel.level)  # the images may be gone, or not be loaded yet
        for widget in (ui.augmentButton, ui.fillSlider, ui.balloonComboBox):
            self.enable(widget, planned)
        self.refreshResults()

    def refreshResults(self) -> None:
        """Balloons and cement as they are now; called while a needle or the slider moves."""
        level = self.panel.levelPlan()
        balloons = {needle.side: needle.balloon for needle in level.trajectories if needle.balloon} if level else {}
        for side in self._sliders:
            self._show_balloon(side, balloons.get(side))
        self.ui.balloonSourceLabel.text = source_text(list(balloons.values()))
        self.ui.balloonSourceLabel.toolTip = " ".join(sorted({balloon.source for balloon in balloons.values()}))
        self.ui.balloonSourceLabel.visible = bool(self.ui.balloonSourceLabel.text)
        self.ui.cementLabel.text = cement_text(level) if level else ""
        self.ui.cementLabel.visible = bool(self.ui.cementLabel.text)
        cement = level.cement if level else None
        self.ui.cementLabel.toolTip = sentence(cement.method) if cement else ""
        self.heading(f"{level.level}, {number(cement.volume_ml, 1, 'ml')}" if level and cement else "")

    def _show_balloon(self, side: str, balloon: BalloonPlan | None) -> None:
        slider, name, result = self._sliders[side]
        for widget in (slider, name, result):
            widget.visible = balloon is not None
        if balloon is None:
            self.enable(slider, (False, _("There is no balloon on this side.")))
            return
        allowed = self.logic.canInflate(self.node, self.panel.level)
        self.enable(slider, allowed)
        if allowed[0]:
            low, high = self.logic.inflationRange(self.node, self.panel.level, side)
            if (slider.minimum, slider.maximum) != (low, high):
                slider.minimum, slider.maximum = low, high
        if abs(slider.value - balloon.planned_volume_ml) > 0.5 * slider.singleStep:
            slider.value = balloon.planned_volume_ml
        result.text = balloon_text(balloon)

    # ---- Clicks -------------------------------------------------------------------------------------------------

    def onBalloon(self, index: int) -> None:
        chosen = self.ui.balloonComboBox.currentIndex
        if not self.panel.quiet and self.node and 0 <= chosen < len(self._names):
            self.node.balloon = self._names[chosen]
            self._augment()

    def onFill(self, percent: float) -> None:
        if not self.panel.quiet and self.node:
            self.node.targetFill = self.ui.fillSlider.value / 100
            self._augment(keepVolumes=True)

    def onAugment(self) -> None:
        self._augment()

    def _augment(self, keepVolumes: bool = False) -> None:
        node, level = self.node, self.panel.level
        if self.ui.augmentButton.enabled and self.panel.prepare():
            self.panel.quick(
                _("Planning balloon and cement"),
                lambda: self.logic.planAugmentation(node, level, node.balloon, node.targetFill, keepVolumes),
            )

    def onInflateLeft(self, volume: float) -> None:
        self._inflate("left")

    def onInflateRight(self, volume: float) -> None:
        self._inflate("right")

    def _inflate(self, side: str) -> None:
        level, volume = self.panel.level, self._sliders[side][0].value  # before preparing shows the plan again
        if not self.panel.quiet and self.node and self.panel.prepare():
            self.panel.quick(_("Inflating"), lambda: self.logic.inflate(self.node, level, side, volume))


def balloon_text(balloon: BalloonPlan) -> str:
    """“Xpander 15/3: 3.2 ml, 14.8 mm thick; stops at an end plate.”"""
    stopped = stopped_by_words(balloon)
    volume = number(balloon.planned_volume_ml, 1, "ml")
    return f"{balloon.model}: {volume}, {number(balloon.planned_diameter_mm, 1, 'mm')} thick; {stopped}."


def source_text(balloons: list[BalloonPlan]) -> str:
    """A mark where a balloon's limits are only remembered; "" where all are verified."""
    if all(balloon.verified for balloon in balloons):
        return ""
    return _("Largest volume and pressure are from memory: confirm against the package.")


def cement_text(level: LevelPlan) -> str:
    """The cement and what is expected of it, as rich text."""
    cement = level.cement
    if cement is None:
        return ""
    lines = [_cement_line(cement)]
    if cement.limited_by:
        lines.append(sentence(_("limited by {reason}").format(reason=cement.limited_by)))
    if level.predicted is not None:
        lines.append(
            _(
                "Expected after inflation: anterior height {height}, wedge {wedge} (assumes {share:.0%} regained)."
            ).format(
                height=number(level.predicted.anterior_height_mm, 1, "mm"),
                wedge=number(level.predicted.wedge_angle_deg, 1, "°"),
                share=level.predicted.restoration_fraction,
            )
        )
    return "<br>".join(lines)


def _cement_line(cement: CementPlan) -> str:
    return _("<b>Cement {volume}</b> ({share}), {fillers} fillers of {filler}.").format(
        volume=number(cement.volume_ml, 1, "ml"),
        share=cement_range_words(cement),
        fillers=cement.bone_fillers,
        filler=number(cement.bone_filler_ml, 1, "ml"),
    )
