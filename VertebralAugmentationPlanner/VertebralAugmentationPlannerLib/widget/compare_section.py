"""In section 5: this plan against another, as a table that follows every edit."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ..model import CasePlan
from ..report.compare_tables import READERS, comparison_cells
from ..scene.references import plain
from ..scene.ui_support import tr as _
from .plan_chooser import plan_titles
from .section import Section, after_events
from .tables import cell, fit_columns, fit_height

if TYPE_CHECKING:
    from ..report import Difference, PlanComparison
    from .panel import PlannerPanel

NAME = 0
MOST_ROWS = 16


class CompareSection(Section):
    """Which plan to compare with, and the table."""

    def __init__(self, panel: PlannerPanel) -> None:
        super().__init__(panel, None)
        ui = self.ui
        self._nodes: list[Any] = []
        self._other: Any = None  # a plan, or a parameter node
        self._name = ""
        self._of: Any = None  # the parameter node that was compared
        self._soon = after_events(self.refreshTable)
        table = ui.comparisonTable
        table.setColumnCount(4)
        table.setHorizontalHeaderLabels(["", "A", "B", "B − A"])
        fit_columns(table, NAME)
        ui.compareButton.connect("clicked(bool)", self.onCompare)
        ui.compareAllCheckBox.connect("toggled(bool)", self.onAll)

    def refresh(self) -> None:
        ui = self.ui
        allowed = self.logic.canSave(self.node) if self.node else (False, _("There is no scene to work in."))
        everyone = self.logic.planNodes() if self.node else []
        titles = plan_titles(self.logic, everyone)
        others = [(node, title) for node, title in zip(everyone, titles, strict=True) if node is not plain(self.node)]
        self._nodes = [node for node, _title in others]
        offered = [_("a plan file…"), *(title for _node, title in others)]
        combo = ui.compareComboBox
        if [combo.itemText(index) for index in range(combo.count)] != offered:
            combo.clear()
            combo.addItems(offered)
        for widget in (combo, ui.compareButton):
            self.enable(widget, allowed)
        self.refreshTable()

    def refreshSoon(self) -> None:
        """Compare again once the events waiting now are handled."""
        if self._other is not None:
            self._soon.start()

    def stop(self) -> None:
        """Nothing is due any more."""
        self._soon.stop()

    def refreshTable(self) -> None:
        """The table as both plans are now; gone where there is nothing to compare any more."""
        mine, theirs = self.panel.casePlan, self._theirs()
        if mine is None or theirs is None or plain(self.node) is not self._of:
            self._other = self._of = None
        shown = self._other is not None
        for widget in (self.ui.comparisonTable, self.ui.comparisonLabel, self.ui.compareAllCheckBox):
            widget.visible = shown
        if shown:
            self._show(self.logic.comparePlans(self.node, theirs, self._name))

    def _theirs(self) -> CasePlan | None:
        if self._other is None or isinstance(self._other, CasePlan):
            return self._other
        return self.logic.currentPlan(self._other) if self._other in self._nodes else None

    def _show(self, comparison: PlanComparison) -> None:
        ui, table = self.ui, self.ui.comparisonTable
        lines = table_lines(comparison, bool(ui.compareAllCheckBox.checked))
        notes = list(dict.fromkeys(_short(note) for note in comparison.notes))
        if not lines:
            notes.append(_("No number differs in what both plans hold."))
        about = _("A is this plan, B is {name}.").format(name=comparison.name_b)
        ui.comparisonLabel.text = " ".join([about, *notes])
        ui.comparisonLabel.toolTip = READERS
        table.visible = bool(lines)
        table.setRowCount(len(lines))
        for row, (texts, bold) in enumerate(lines):
            for column, text in enumerate(texts):
                cell(table, row, column, text, text, right=column != NAME, bold=bold)
        fit_height(table, MOST_ROWS)

    # ---- Clicks -------------------------------------------------------------------------------------------------

    def onCompare(self) -> None:
        """Compare with what is chosen; a file that is no plan is one sentence, and the old table stays."""
        chosen = self.ui.compareComboBox.currentIndex
        if chosen > 0:
            self._take(self._nodes[chosen - 1], self.ui.compareComboBox.currentText)
            return
        path = self.panel.dialogs.openFile(_("Compare with a plan"), _("Plan (*.json)"))
        read: list[CasePlan] = []
        if path and self.panel.work.quick(_("Reading the plan"), lambda: read.append(CasePlan.load(path))):
            self._take(read[0], os.path.basename(path))

    def _take(self, other: Any, name: str) -> None:
        """Compare once, so that what is wrong is told; from then on the table follows."""
        node = self.node
        if self.panel.work.quick(_("Comparing the plans"), lambda: self.logic.comparePlans(node, other, name)):
            self._other, self._name, self._of = other, name, plain(node)
            self.panel.refresh()

    def onAll(self, everything: bool) -> None:
        if not self.panel.quiet:
            self.refreshTable()


def table_lines(comparison: PlanComparison, everything: bool) -> list[tuple[tuple[str, str, str, str], bool]]:
    """Rows of the table and whether they are headings: a heading for each level and side, then its quantities."""
    lines: list[tuple[tuple[str, str, str, str], bool]] = []
    last = ""
    for row in comparison.rows:
        if row.same and not everything:
            continue
        heading = _heading(row)
        if heading != last:
            lines.append(((heading, "", "", ""), True))
            last = heading
        lines.append(((row.name, *comparison_cells(row)), False))
    return lines


def _short(note: str) -> str:
    """Nodes of a scene have no checksums: one sentence says so for all images."""
    return _("Whether both were made on the same images is unknown.") if "is unknown" in note else note


def _heading(row: Difference) -> str:
    return f"{row.level}, {row.side} needle" if row.side else row.level
