"""The panel: five sections from images to plan, each open when the one before is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ..model import CasePlan, LevelPlan
from ..scene.choices import start_of
from ..scene.references import plain
from ..scene.ui_support import errorDisplay
from ..scene.ui_support import tr as _
from .access_section import AccessSection
from .augmentation_section import AugmentationSection
from .choices import show_words
from .compare_section import CompareSection
from .dialogs import FileDialogs
from .fluoroscopy_section import FluoroscopySection
from .images_section import ImagesSection
from .measurements_section import MeasurementsSection
from .numbers_section import NumbersSection
from .plan_chooser import PlanChooser
from .plan_section import PlanSection
from .section import after_events
from .work import Work


class PlannerPanel:
    """The panel's widgets, wired to a logic.

    Args:
        ui: the .ui file's widgets as attributes.
        logic: a ``PlannerLogic``, or anything with its methods.
        parent: widget that dialogs belong to.
        dialogs: how files are asked for; the file dialogs of Qt by default.
    """

    def __init__(self, ui: Any, logic: Any, parent: Any = None, dialogs: Any = None) -> None:
        self.ui, self.logic = ui, logic
        self.dialogs = dialogs or FileDialogs(parent)
        self.work = Work(parent)
        self.parameterNode: Any = None
        self._quiet = 0
        self._refusal = ""
        self.images = ImagesSection(self)
        self.measurements = MeasurementsSection(self)
        self.access = AccessSection(self)
        self.augmentation = AugmentationSection(self)
        self.numbers = NumbersSection(self)
        self.fluoroscopy = FluoroscopySection(self)
        self.plan = PlanSection(self)
        self.compare = CompareSection(self)
        self.chooser = PlanChooser(self)
        self._later = after_events(self._settle)
        self._prepareLater = after_events(self._prepare_unasked)
        self._unprepared: Any = None  # the images for which that was refused or cancelled
        self.sections = (
            self.chooser,
            self.images,
            self.measurements,
            self.access,
            self.augmentation,
            self.numbers,
            self.fluoroscopy,
            self.plan,
            self.compare,
        )
        for section in self.sections:
            if section.button is not None:
                section.button.connect("contentsCollapsed(bool)", self.onCollapsed)
        self._waiting: list[Callable[[], None]] = []
        self._afterwards = after_events(self._catch_up)
        logic.later = self._put_off
        logic.addListener(self.onChange)

    def close(self) -> None:
        """Stop listening; the widgets may be deleted after this."""
        self.logic.removeListener(self.onChange)
        self._later.stop()
        self._afterwards.stop()
        self._waiting.clear()
        self._prepareLater.stop()
        self.plan.stop()
        self.fluoroscopy.stop()
        self.compare.stop()
        self.parameterNode = None

    def showWords(self) -> None:
        """Readable words in the combo boxes; binding them to a parameter node puts in the stored ones."""
        show_words(self.ui)

    def setParameterNode(self, parameterNode: Any) -> None:
        """Work on another parameter node, or on none (the panel is then greyed)."""
        self.parameterNode = parameterNode
        self.refresh()

    # ---- What the sections ask ----------------------------------------------------------------------------------

    @property
    def casePlan(self) -> CasePlan | None:
        """The plan as it is now."""
        return self.logic.currentPlan(self.parameterNode) if self.parameterNode else None

    @property
    def level(self) -> str:
        """The level the panel works on, "" where there is none."""
        return self.parameterNode.level if self.parameterNode else ""

    def levelPlan(self) -> LevelPlan | None:
        """The plan of the panel's level."""
        plan = self.casePlan
        levels = {level.level: level for level in plan.levels} if plan else {}
        return levels.get(self.level)

    @property
    def quiet(self) -> bool:
        """Whether the panel itself is writing to its widgets: their signals then mean nothing."""
        return self._quiet > 0

    @contextmanager
    def writing(self) -> Iterator[None]:
        """While the panel writes to its widgets."""
        self._quiet += 1
        try:
            yield
        finally:
            self._quiet -= 1

    # ---- What happens -------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show everything as it is now."""
        if self.work.busy or self.quiet:
            return
        with self.writing():
            for section in self.sections:
                section.refresh()

    def run(self, title: str, task: Any) -> bool:
        """Do work with progress and cancel, then show the result."""
        done = self.work.run(title, task)
        self.refresh()
        return done

    def quick(self, title: str, task: Any) -> bool:
        """Do something short, then show the result."""
        done = self.work.quick(title, task)
        self.refresh()
        return done

    def chooseLevel(self, level: str) -> None:
        """Work on this level, and bring it into the views."""
        if not self.parameterNode:
            return
        if level and self.parameterNode.level != level:
            self.parameterNode.level = level
        self.access.followViews()
        if not level:
            return
        self.quick(_("Showing the level"), lambda: self.logic.showLevel(self.parameterNode, level))

    def startLevel(self, show: bool) -> None:
        """Go on at the plan's own level, or where it names none at the first planned one.

        Args:
            show: bring the level into the views; they are left as they came where the plan names its level.
        """
        plan = self.casePlan
        if plan is not None and self.level not in [level.level for level in plan.levels]:
            self.parameterNode.level, self.parameterNode.side = start_of(plan)
            show = True
        if show:
            self.chooseLevel(self.level)

    def openReached(self) -> None:
        """Open the sections that a plan from a file or a scene has come to; without a plan, the one that begins it."""
        plan = self.casePlan
        if plan is None:
            self.openMeasurable()
            return
        planned = any(level.trajectories for level in plan.levels)
        self.open(self.access, *((self.augmentation, self.plan) if planned else (self.measurements,)))

    def openMeasurable(self) -> None:
        """Open the section that measures, where the images chosen can be measured."""
        if self.parameterNode and self.logic.canMeasure(self.parameterNode)[0]:
            self.open(self.measurements)

    def prepare(self) -> bool:
        """Build the anatomy behind a plan that came from a file or a scene, so that a drag is answered at once.

        Returns:
            Whether it is at hand; False where the user cancelled or it failed.
        """
        node = self.parameterNode
        wanted = node and self.casePlan and self.logic.checkInputs(node)[0] and not self.logic.isOutdated(node)
        if wanted and not self.logic.isReady(node):
            return self.run(_("Preparing the plan for editing"), lambda *hooks: self.logic.prepare(node, *hooks))
        return True

    def prepareSoon(self) -> None:
        """:meth:`prepare`, once the event that is being handled now is through (a scene is being read).

        What was cancelled, or failed with a message, is not tried again on the same images: a drag will.
        """
        self._prepareLater.start()

    def _prepare_unasked(self) -> None:
        if not self.parameterNode or self.work.busy:
            return
        images = self.logic.inputState(self.parameterNode)
        if images != self._unprepared and not self.prepare():
            self._unprepared = images

    def open(self, *sections: Any) -> None:
        """Open these sections."""
        for section in sections:
            section.button.collapsed = False

    def onCollapsed(self, collapsed: bool) -> None:
        """A section was opened or folded away.

        What was hidden on purpose in a folded section comes up when it opens: Qt does not tell ``ctkCollapsibleButton``
        that a widget is hidden which is hidden already.
        """
        if not collapsed:
            self.refresh()

    def onChange(self, node: Any, change: Any) -> None:
        """A listener of the logic: something was edited, in the views or by a step."""
        if not self.parameterNode or node is not plain(self.parameterNode) or self.work.busy or self.quiet:
            return
        live = {
            "needle": (self.access.refreshNeedles, self.augmentation.refreshResults, self.fluoroscopy.refreshSoon),
            "balloon": (self.augmentation.refreshResults, self.fluoroscopy.refreshSoon),
            "height": (self.measurements.refresh,),
        }
        with self.writing():
            for show in live.get(change.kind, [section.refresh for section in self.sections]):
                show()
        if change.kind not in live:
            self.access.followViews()
        if change.kind == "refused":
            self._refusal = change.message
        if change.kind in live:
            self.plan.refreshSoon()
            self.compare.refreshSoon()
        self._later.start()

    def tellSoon(self, message: str) -> None:
        """Show a message once the event that is being handled now is through; "" is none."""
        if message:
            self._refusal = message
            self._later.start()

    def _put_off(self, task: Callable[[], None]) -> None:
        """Do something once the event that is being handled now, and the work that is going on, are through."""
        self._waiting.append(task)
        self._afterwards.start()

    def _catch_up(self) -> None:
        if self.work.busy:
            self._afterwards.start()
            return
        waiting, self._waiting = self._waiting, []
        for task in waiting:
            task()

    def _settle(self) -> None:
        """What can only be told once an edit is through: whether it can be undone, and why a needle jumped back."""
        if self.parameterNode:
            self.access.refreshUndo()
        message, self._refusal = self._refusal, ""
        if message:
            errorDisplay(message)
