"""Section 5: the plan in words, and its files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import qt

from ..scene.choices import start_of
from ..scene.ui_support import tr as _
from ..scene.ui_support import confirmDisplay, viewsAvailable
from .questions import may_replace_plan
from .section import Section
from .summary import summary_html, warnings_counted

if TYPE_CHECKING:
    from .panel import PlannerPanel

SETTLE_MS = 200
"""The summary waits until a drag pauses this long; the tables follow at once."""


class PlanSection(Section):
    """Summary and the four file buttons."""

    def __init__(self, panel: PlannerPanel) -> None:
        super().__init__(panel, panel.ui.planCollapsibleButton)
        ui = self.ui
        self._shown = ""
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(SETTLE_MS)
        self._timer.connect("timeout()", self.refreshSummary)
        ui.savePlanButton.connect("clicked(bool)", self.onSave)
        ui.loadPlanButton.connect("clicked(bool)", self.onLoad)
        ui.reportButton.connect("clicked(bool)", self.onReport)
        ui.screenshotsButton.connect("clicked(bool)", self.onScreenshots)

    def refresh(self) -> None:
        ui = self.ui
        nothing = (False, _("There is no scene to work in."))
        can_save = self.logic.canSave(self.node) if self.node else nothing
        self.enable(ui.savePlanButton, can_save)
        self.enable(ui.reportButton, can_save)
        self.enable(ui.loadPlanButton, (True, "") if self.node else nothing)
        self.enable(ui.screenshotsButton, viewsAvailable() if can_save[0] else can_save)
        self.refreshSummary()

    def refreshSoon(self) -> None:
        """Show the summary once a drag pauses."""
        self._timer.start()

    def stop(self) -> None:
        """No summary is due any more."""
        self._timer.stop()

    def refreshSummary(self) -> None:
        """The plan in words, as it is now."""
        plan = self.panel.casePlan
        html = summary_html(plan, self.panel.level) if plan else self._without_plan()
        unreadable = self.node is not None and self.logic.unreadablePlan(self.node) is not None
        counted = warnings_counted(plan, self.panel.level) if plan else ""
        self.heading(_("cannot be read") if unreadable else counted)
        if html != self._shown:
            self._shown = html
            self.ui.summaryBrowser.setHtml(html)

    def _without_plan(self) -> str:
        reason = self.logic.unreadablePlan(self.node) if self.node else None
        if reason is None:
            return _("Nothing planned yet.")
        told = _("<b>✖ The plan in this scene cannot be read.</b> {reason} Its needles are locked; nobody judges them.")
        return told.format(reason=reason)

    def onSave(self) -> None:
        path = self._new_file(_("Save plan"), "plan.json", _("Plan (*.json)"))
        if path:
            self.panel.quick(_("Saving the plan"), lambda: self.logic.savePlan(self.node, path))

    def onLoad(self) -> None:
        path = self.panel.dialogs.openFile(_("Load plan"), _("Plan (*.json)"))
        if (
            path
            and may_replace_plan(self.panel, _("Load plan"))
            and self.panel.quick(_("Loading the plan"), lambda: self._load(path))
        ):
            self.panel.prepare()
            self.panel.openReached()
            self.panel.chooseLevel(self.panel.level)

    def _load(self, path: str) -> None:
        self.node.level, self.node.side = start_of(self.logic.loadPlan(self.node, path))

    def onReport(self) -> None:
        path = self._new_file(_("Save report"), "report.html", _("Report (*.html)"))
        if path:
            self.panel.run(_("Writing the report"), lambda *hooks: self.logic.exportReport(self.node, path, *hooks))

    def onScreenshots(self) -> None:
        folder = self.panel.dialogs.chooseFolder(_("Folder for the screenshots"))
        if folder:
            name = "-".join(part for part in ("plan", self.panel.level) if part)
            self.panel.quick(_("Taking screenshots"), lambda: self.logic.screenshots(folder, name))

    def _new_file(self, title: str, name: str, kinds: str) -> str:
        """A file to write, with the ending of the suggested name; "" where the user cancelled.

        File dialogs on Linux do not add the ending, and have then asked whether to replace another file than this one.
        """
        path, ending = self.panel.dialogs.saveFile(title, name, kinds), os.path.splitext(name)[1]
        if not path or path.lower().endswith(ending):
            return path
        path += ending
        taken = _("{name} is there already. Replace it?").format(name=os.path.basename(path))
        return path if not os.path.exists(path) or confirmDisplay(taken, title) else ""
