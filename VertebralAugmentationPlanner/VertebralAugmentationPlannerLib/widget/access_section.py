"""Section 3: the needles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..model import SIDES, Margins, Trajectory
from ..report.symbols import clearance_state
from ..report.wording import (
    APPROACH_WORDS,
    convergence_words,
    craniocaudal_words,
    dicom_words,
    if_judged,
    needle_name,
    number,
    sentence,
    slack_words,
)
from ..scene.numbers import readMargins
from ..scene.outdated import OF_OTHER_IMAGES, OUTDATED
from ..scene.ui_support import tr as _
from .choices import fill
from .questions import may_replace_needles
from .section import Section
from .summary import warnings_counted
from .tables import SYMBOLS, cell, fit_columns, fit_height, paint_state, whole, with_symbol

if TYPE_CHECKING:
    from .panel import PlannerPanel

CLEARANCES = (
    ("canal", "Spinal canal"),
    ("pedicle_wall", "Pedicle wall"),
    ("endplate", "End plates"),
    ("anterior_wall", "Anterior wall"),
    ("lateral_wall", "Lateral wall"),
    ("neighbour", "Neighbour"),
)
"""Field of Clearance (and with ``_mm`` of Margins) and its row's name."""


class AccessSection(Section):
    """Choices, Plan, the live numbers of the needles, and the needle views."""

    def __init__(self, panel: PlannerPanel) -> None:
        super().__init__(panel, panel.ui.accessCollapsibleButton)
        ui = self.ui
        ui.needleTable.setColumnCount(len(SIDES))
        ui.needleTable.setHorizontalHeaderLabels([_("Left needle"), _("Right needle")])
        rows = [_("Safety"), *(_(name) + ", mm" for _field, name in CLEARANCES), *self._other_rows()]
        ui.needleTable.setRowCount(len(rows))
        ui.needleTable.setVerticalHeaderLabels(rows)
        fit_columns(ui.needleTable, *range(len(SIDES)))
        fit_height(ui.needleTable, len(rows))
        ui.levelComboBox.connect("currentIndexChanged(int)", self.onLevel)
        ui.sideComboBox.connect("currentIndexChanged(int)", self.onSide)
        ui.planButton.connect("clicked(bool)", self.onPlan)
        ui.planFracturedButton.connect("clicked(bool)", self.onPlanFractured)
        ui.needleViewsButton.connect("toggled(bool)", self.onNeedleViews)
        ui.depthSlider.connect("valueChanged(double)", self.onDepth)
        ui.undoButton.connect("clicked(bool)", self.onUndo)
        ui.redoButton.connect("clicked(bool)", self.onRedo)

    @staticmethod
    def _other_rows() -> list[str]:
        return [
            _("Breach grade"),
            _("Slack"),
            _("Convergence"),
            _("Craniocaudal"),
            _("C-arm end-on"),
            _("Cannula"),
            _("In bone"),
            _("From skin"),
            _("Tip off midline"),
        ]

    # ---- Show ---------------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        plan, ui = self.panel.casePlan, self.ui
        complete = [level.level for level in plan.levels if level.complete] if plan else []
        fill(ui.levelComboBox, complete, self.panel.level)
        measured = (bool(complete), _("Measure first (section 2)."))
        for widget in (ui.levelComboBox, ui.procedureComboBox, ui.approachComboBox, ui.cannulaComboBox):
            self.enable(widget, measured)
        self.enable(ui.etiologyComboBox, measured)
        level = self.panel.level
        allowed = self.logic.canPlan(self.node, level) if self.node and complete else measured
        self.enable(ui.planButton, allowed)
        self.enable(ui.planFracturedButton, allowed)
        ui.planButton.text = _("Plan {level}").format(level=level) if level else _("Plan this level")
        self.refreshNeedles()

    def refreshNeedles(self) -> None:
        """The needles' numbers; called at every step of a drag."""
        ui, needles = self.ui, self._needles()
        level = self.panel.levelPlan()
        told = approach_text(level) if level else ""
        if needles and self.logic.isOutdated(self.node):
            told = f"<b>✖ {OUTDATED}</b><br>{told}"
        counted = warnings_counted(self.panel.casePlan, self.panel.level) if told else ""
        if counted:  # the warnings themselves are two screens below
            told = _("{told}<br>{counted} in section 5.").format(told=told, counted=counted)
        ui.approachLabel.text = told
        ui.approachLabel.visible = bool(told)
        ui.needleTable.visible = bool(needles)
        margins = readMargins(self.node) if self.node else Margins()
        for column, side in enumerate(SIDES):
            needle = needles.get(side)
            self._show_needle(column, needle, margins) if needle else self._clear(column, side)
        present = [side for side in SIDES if side in needles]
        if present and self.node.side not in present:
            with self.panel.writing():
                self.node.side = present[0]
        fill(ui.sideComboBox, present, self.node.side if self.node else "")
        planned = (bool(present), _("Plan this level first."))
        self.enable(ui.sideComboBox, planned)
        shown = self.logic.needleViewsShown()
        self.enable(ui.needleViewsButton, (True, "") if shown else planned)  # there is always a way back
        self._show_heading(needles)
        self.refreshUndo()
        ui.needleViewsButton.checked = shown
        ui.needleViewsButton.text = _("Usual views") if shown else _("Needle views")
        self._show_depth()

    def _show_heading(self, needles: dict[str, Trajectory]) -> None:
        """What is seen of the needles where the section is folded: how many, and the gravest sign among them."""
        if not needles:
            self.heading()
            return
        found = {needle.safety for needle in needles.values()}
        worst = "breach" if self.logic.isOutdated(self.node) else max(found, key=list(SYMBOLS).index)
        words = _("two needles") if len(needles) > 1 else _("one needle")
        self.heading(f"{SYMBOLS[worst]} {self.panel.level}, {words}")

    def refreshUndo(self) -> None:
        """Whether there is a drag to undo or redo."""
        undo = bool(self.node) and self.logic.canUndo(self.node)
        redo = bool(self.node) and self.logic.canRedo(self.node)
        self.enable(self.ui.undoButton, (undo, _("No drag to take back.")))
        self.enable(self.ui.redoButton, (redo, _("No drag to do again.")))

    def _needles(self) -> dict[str, Trajectory]:
        level = self.panel.levelPlan()
        if level is None or not self.node:
            return {}
        found = {side: self.logic.needle(self.node, level.level, side) for side in SIDES}
        return {side: needle for side, needle in found.items() if needle is not None}

    def _show_needle(self, column: int, needle: Trajectory, margins: Margins) -> None:
        table = self.ui.needleTable
        outdated = self.logic.isOutdated(self.node)
        state, word = ("breach", OF_OTHER_IMAGES) if outdated else (needle.safety, needle.safety)
        text = with_symbol(word, state)
        item = cell(table, 0, column, text, whole(text, sentence(needle.compromise or "")), bold=True)
        paint_state(item, state)
        for row, (field, _name) in enumerate(CLEARANCES, start=1):
            value = getattr(needle.clearance_mm, field)
            margin = getattr(needle.margins_mm, field, None)
            if margin is None:  # an older plan: the margins of the options
                margin = getattr(margins, f"{field}_mm")
            state = clearance_state(field, value, margin) if value is not None else None
            tip = _("Margin to keep: {margin}").format(margin=number(margin, 1, "mm"))
            text = with_symbol(if_judged(needle, number(value)), state)
            item = cell(table, row, column, text, whole(text, tip))
            paint_state(item, None if state == "safe" else state)  # colour where the eye should go
        texts = (
            (
                if_judged(needle, str(needle.breach_grade)),
                _("Gertzbein–Robbins: A no breach, B below 2 mm, C below 4, D below 6, E more"),
            ),
            (
                slack_words(needle, " · "),
                _("How far the needle may be off, shifted or turned, before it touches a wall"),
            ),
            (number(needle.convergence_angle_deg, 0, "°"), convergence_words(needle.convergence_angle_deg)),
            (tilt_text(needle.craniocaudal_angle_deg), craniocaudal_words(needle.craniocaudal_angle_deg)),
            (dicom_words(needle.carm.primary_deg, needle.carm.secondary_deg), needle.carm.prone_text),
            (needle_name(needle), _("Gauge and outer diameter")),
            (
                if_judged(needle, number(needle.bone_path_mm, 0, "mm")),
                _("From the entry into bone to the target"),
            ),
            (
                if_judged(needle, number(needle.skin_to_target_mm, 0, "mm")),
                _("From the skin to the target; a dash where there is no CT"),
            ),
            (number(needle.midline_offset_mm, 1, "mm"), _("Positive on the needle’s own side")),
        )
        for row, (text, tip) in enumerate(texts, start=1 + len(CLEARANCES)):
            cell(table, row, column, text, whole(text, tip))

    def _clear(self, column: int, side: str) -> None:
        level = self.panel.levelPlan()
        reason = level.skipped_sides.get(side, "") if level else ""
        for row in range(self.ui.needleTable.rowCount):
            text = _("none") if row == 0 else ""
            paint_state(cell(self.ui.needleTable, row, column, text, sentence(reason)), None)

    def _show_depth(self) -> None:
        ui, viewed = self.ui, self.logic.viewedNeedle(self.node) if self.node else None
        shown = viewed is not None and viewed == (self.panel.level, self.node.side) and viewed[1] in self._needles()
        self.enable(ui.depthSlider, (shown, _("Switch on the needle views first.")))
        if shown:
            first, last = self.logic.needleDepthRange(self.node, *viewed)
            if last > first:
                ui.depthSlider.minimum, ui.depthSlider.maximum = first, last
                ui.depthSlider.value = self.logic.needleDepth()

    # ---- Clicks -------------------------------------------------------------------------------------------------

    def onLevel(self, index: int) -> None:
        if not self.panel.quiet and self.ui.levelComboBox.currentIndex >= 0:
            self.panel.chooseLevel(self.ui.levelComboBox.currentText)

    def onSide(self, index: int) -> None:
        if self.panel.quiet or self.ui.sideComboBox.currentIndex < 0 or not self.node:
            return
        self.node.side = self.ui.sideComboBox.currentText
        self.followViews()

    def onPlan(self) -> None:
        level = self.panel.level
        if not may_replace_needles(self.panel, [level], _("Plan {level}").format(level=level)):
            return
        self._plan(lambda *hooks: self.logic.planLevel(self.node, level, *hooks))

    def onPlanFractured(self) -> None:
        if not may_replace_needles(self.panel, "fractured", _("Plan all fractured")):
            return
        self._plan(lambda *hooks: self.logic.planLevels(self.node, "fractured", *hooks))

    def _plan(self, task: Any) -> None:
        if self.panel.run(_("Planning"), task):
            needles = self._needles()
            if self.node.side not in needles:
                self.node.side = next(iter(needles), "")
            self.panel.measurements.button.collapsed = True
            self.panel.open(self, *([self.panel.augmentation] if needles else []), self.panel.plan)
            self.panel.refresh()
            self.followViews()

    def onNeedleViews(self, on: bool) -> None:
        if self.panel.quiet or not self.node:
            return
        if self.ui.needleViewsButton.checked:
            self._show_views()
        else:
            self.panel.quick(_("Restoring the views"), self.logic.restoreViews)

    def _show_views(self) -> None:
        level, side = self.panel.level, self.node.side
        self._in_views(lambda: self.logic.showNeedleViews(self.node, level, side))

    def followViews(self) -> None:
        """Where the needle views are on, the needle that the panel works on is in them; without one the usual views are."""
        if not self.node or not self.logic.needleViewsShown():
            return
        needles = self._needles()
        side = self.node.side if self.node.side in needles else next(iter(needles), "")
        self._in_views(lambda: self.logic.followNeedleViews(self.node, self.panel.level, side))

    def _in_views(self, task: Any) -> None:
        self.panel.work.quick(_("Showing the needle views"), task)
        with self.panel.writing():
            self.refreshNeedles()

    def onDepth(self, depth: float) -> None:
        if not self.panel.quiet and self.node and self.logic.needleViewsShown():
            now = self.ui.depthSlider.value
            self.panel.work.quick(_("Moving the slice"), lambda: self.logic.setNeedleDepth(self.node, now))

    def onUndo(self) -> None:
        self.panel.quick(_("Undo"), lambda: self.logic.undo(self.node))

    def onRedo(self) -> None:
        self.panel.quick(_("Redo"), lambda: self.logic.redo(self.node))


def tilt_text(degrees: float) -> str:
    """“18° caudal”: where the tip points."""
    return f"{number(abs(degrees), 0, '°')} {_('cranial') if degrees >= 0 else _('caudal')}"


def approach_text(level: Any) -> str:
    """The approach with its reason, and why a side was left out, as rich text."""
    if level.approach is None:
        return ""
    word, reason = APPROACH_WORDS.get(level.approach, level.approach), sentence(level.approach_reason or "")
    told = reason.lower().startswith(word.lower())
    lines = [reason if told else f"<b>{word}.</b> {reason}"]
    lines += [
        f"{side.capitalize()}: {sentence(reason)}"
        for side, reason in level.skipped_sides.items()
        if reason.rstrip(".") not in lines[0]  # which gives it where it decided
    ]
    lines += [
        f"{SYMBOLS[needle.safety]} {needle.side.capitalize()}: {sentence(needle.compromise)}"
        for needle in level.trajectories
        if needle.compromise
    ]
    return "<br>".join(lines)
