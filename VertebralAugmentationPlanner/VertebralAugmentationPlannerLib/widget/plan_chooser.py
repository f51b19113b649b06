"""The row on top: which of the scene's plans the panel works on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..scene.references import plain
from ..scene.ui_support import tr as _
from .section import Section

if TYPE_CHECKING:
    from .panel import PlannerPanel


class PlanChooser(Section):
    """A combo box of the planner's parameter nodes, and a button for a new one.

    ``choose`` is set by the module's widget, which alone binds parameter nodes; without it there is nothing to choose.
    """

    def __init__(self, panel: PlannerPanel) -> None:
        super().__init__(panel, None)
        self.choose: Callable[[Any], None] | None = None
        self._nodes: list[Any] = []
        self.ui.planComboBox.connect("currentIndexChanged(int)", self.onPlan)
        self.ui.newPlanButton.connect("clicked(bool)", self.onNew)

    def refresh(self) -> None:
        ui, combo = self.ui, self.ui.planComboBox
        self._nodes = self.logic.planNodes() if self.node else []
        titles = plan_titles(self.logic, self._nodes)
        if [combo.itemText(index) for index in range(combo.count)] != titles:
            combo.clear()
            combo.addItems(titles)
        mine = plain(self.node) if self.node else None
        combo.setCurrentIndex(next((n for n, node in enumerate(self._nodes) if node is mine), -1))
        self.enable(combo, (len(titles) > 1, _("There is one plan in this scene; “New plan” starts another.")))
        ready = self.logic.checkInputs(self.node) if self.node else (False, _("There is no scene to work in."))
        self.enable(ui.newPlanButton, ready)

    def onPlan(self, index: int) -> None:
        """Another plan was chosen."""
        chosen = self.ui.planComboBox.currentIndex
        if not self.panel.quiet and self.choose and 0 <= chosen < len(self._nodes):
            self.choose(self._nodes[chosen])

    def onNew(self) -> None:
        """Start another plan on the same images."""
        made: list[Any] = []
        if self.choose and self.panel.work.quick(
            _("Starting a plan"), lambda: made.append(self.logic.newPlan(self.node))
        ):
            self.choose(made[0])


def plan_titles(logic: Any, nodes: list[Any]) -> list[str]:
    """“1  CT: T12 planned”, numbered so that two plans of the same images are told apart."""
    return [f"{number}  {logic.planTitle(node)}" for number, node in enumerate(nodes, start=1)]
