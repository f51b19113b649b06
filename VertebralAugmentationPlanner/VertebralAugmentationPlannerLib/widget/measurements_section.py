"""Section 2: what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import qt

from ..model import LevelPlan, Measurements
from ..model.grades import largest_loss
from ..report.wording import MISSING, REFERENCE_WORDS, loss_words, number, signed
from ..scene.choices import first_level
from ..scene.ui_support import lookAtEverything
from ..scene.ui_support import tr as _
from .questions import may_replace_plan
from .section import Section
from .tables import cell, fit_columns, fit_height

if TYPE_CHECKING:
    from .panel import PlannerPanel

LOSS, FRACTURE = 4, 5
MOST_ROWS = 9


class MeasurementsSection(Section):
    """The Measure button and the table of levels."""

    def __init__(self, panel: PlannerPanel) -> None:
        super().__init__(panel, panel.ui.measurementsCollapsibleButton)
        table = self.ui.measurementTable
        columns = {
            _("Level"): "",
            _("Ant."): _("Anterior height, mm"),
            _("Mid."): _("Middle height, mm"),
            _("Post."): _("Posterior height, mm"),
            _("Loss"): _("Largest loss of height against the reference, %"),
            _("Fracture"): _("Genant grade 1–3 and shape of the fracture"),
            _("Wedge"): _("Angle between the vertebra’s own end plates, °, kyphosis positive"),
            _("Kyph."): _("Segmental kyphosis: upper plate of the vertebra above to lower plate of the one below, °"),
        }
        table.setColumnCount(len(columns))
        table.setHorizontalHeaderLabels(list(columns))
        for column, tip in enumerate(columns.values()):
            table.horizontalHeaderItem(column).setToolTip(tip)
        fit_columns(table, FRACTURE)
        self.ui.measureButton.connect("clicked(bool)", self.onMeasure)
        table.connect("currentCellChanged(int,int,int,int)", self.onOtherCell)
        table.connect("cellPressed(int,int)", self.onPressed)
        table.connect("cellClicked(int,int)", self.onRow)
        self._levels: list[str] = []
        self._come_to: int | None = None  # the row that the event being handled came to
        self._shown_by_press: int | None = None

    def refresh(self) -> None:
        plan = self.panel.casePlan
        allowed = self.logic.canMeasure(self.node) if self.node else (False, _("There is no scene to work in."))
        self.enable(self.ui.measureButton, allowed)
        levels = list(plan.levels) if plan else []
        self._levels = [level.level for level in levels]
        table = self.ui.measurementTable
        table.visible = bool(levels)
        if table.rowCount != len(levels):
            table.setRowCount(len(levels))
            fit_height(table, MOST_ROWS)
        for row, level in enumerate(levels):
            self._show_row(row, level)
        if self.panel.level in self._levels and table.currentRow() != self._levels.index(self.panel.level):
            table.selectRow(self._levels.index(self.panel.level))
        detail = self.panel.levelPlan()
        self.ui.measurementDetailLabel.text = details(detail) if detail else ""
        self.ui.measurementDetailLabel.visible = detail is not None
        complete = [level for level in levels if level.complete]
        self.heading(_("{count} levels").format(count=len(complete)) if complete else "")

    def _show_row(self, row: int, level: LevelPlan) -> None:
        table, found = self.ui.measurementTable, level.measurements
        fractured = found is not None and bool(found.genant_grade)
        cell(table, row, 0, level.level, bold=fractured)
        if found is None:
            reason = next((warning.message for warning in level.warnings), _("It was not measured."))
            for column in range(1, table.columnCount):
                cell(table, row, column, _("incomplete") if column == FRACTURE else "", reason)
            return
        losses = found.height_loss_percent
        three = ", ".join(
            f"{word} {loss_words(value)}"
            for word, value in (
                (_("anterior"), losses.anterior),
                (_("middle"), losses.middle),
                (_("posterior"), losses.posterior),
            )
        )
        texts = (
            number(found.anterior_height_mm),
            number(found.middle_height_mm),
            number(found.posterior_height_mm),
            loss_words(largest_loss(losses), ""),
            fracture_text(found),
            signed(found.wedge_angle_deg, 0),
            signed(found.segmental_kyphosis_deg, 0),
        )
        for column, text in enumerate(texts, start=1):
            tip = {LOSS: three, FRACTURE: text}.get(column, "")
            bold = fractured and column in (LOSS, FRACTURE)
            cell(table, row, column, text, tip, right=column != FRACTURE, bold=bold)

    def onMeasure(self) -> None:
        def task(progress: Any, should_cancel: Any) -> None:
            plan = self.logic.measure(self.node, progress, should_cancel)
            self.node.level = first_level(plan, self.node.level)

        if not may_replace_plan(self.panel, _("Measure")):
            return
        first = self.panel.casePlan is None
        if self.panel.run(_("Measuring"), task):
            if first:  # later the user may have turned the views
                lookAtEverything()
            self.panel.images.button.collapsed = True
            self.panel.open(self, self.panel.access)
            self.panel.chooseLevel(self.panel.level)

    def onOtherCell(self, row: int) -> None:
        """A row was come to, by the keys or by a press of the mouse."""
        if self.panel.quiet:
            return
        self._come_to = row
        qt.QTimer.singleShot(0, self._leave_event)
        self._show_level(row)

    def _leave_event(self) -> None:
        self._come_to = None

    def onPressed(self, row: int) -> None:
        """Qt tells a press after the row that it came to, in the same event."""
        self._shown_by_press = row if row == self._come_to else None

    def onRow(self, row: int) -> None:
        """A row was clicked: show its level, unless the press that began the click did. The current row's comes into view again."""
        shown, self._shown_by_press = self._shown_by_press, None
        if row != shown:
            self._show_level(row)

    def _show_level(self, row: int) -> None:
        """End plates and height lines of a row's level."""
        if 0 <= row < len(self._levels) and not self.panel.quiet:
            self.panel.chooseLevel(self._levels[row])


def fracture_text(found: Measurements) -> str:
    """“3 wedge”, “none”, or a dash where no grade could be given."""
    if found.genant_grade is None:
        return MISSING
    shape = found.fracture_shape or _("shape unknown")
    return shape if not found.genant_grade else f"{found.genant_grade} {shape}"


def details(level: LevelPlan) -> str:
    """The selected level in a few lines of rich text; a dash is a number that could not be computed."""
    found = level.measurements
    if found is None:
        return f"<b>{level.level}</b>: " + "; ".join(warning.message for warning in level.warnings)
    losses, reference = found.height_loss_percent, found.reference
    against = REFERENCE_WORDS.get(reference.method, reference.method) if reference else _("no reference")
    levels = f" ({', '.join(reference.levels)})" if reference and reference.levels else ""
    lines = (
        _(
            "<b>{level}</b>: loss {anterior} anterior, {middle} middle, {posterior} posterior against {reference}."
        ).format(
            level=level.level,
            anterior=loss_words(losses.anterior),
            middle=loss_words(losses.middle),
            posterior=loss_words(losses.posterior),
            reference=against + levels,
        ),
        _("Body {volume}, {depth} deep, {width} wide. {grade}Gardner angle {gardner}.").format(
            volume=number(found.body_volume_ml, 1, "ml"),
            depth=number(found.depth_mm, 0, "mm"),
            width=number(found.width_mm, 0, "mm"),
            grade=f"{found.of_class}. " if found.of_class else "",
            gardner=signed(found.gardner_angle_deg, 1, "°"),
        ),
        _("Density {density}, cleft {cleft}, posterior wall {wall} into the canal at most.").format(
            density=number(found.body_density_hu, 0, "HU"),
            cleft=number(found.cleft_volume_ml, 1, "ml"),
            wall=number(found.posterior_wall_retropulsion_mm, 1, "mm"),
        ),
    )
    return "<br>".join(lines)
