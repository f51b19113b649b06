"""Two plans of one case side by side, and several plans in one scene."""

from __future__ import annotations

import os
from os import PathLike
from typing import TYPE_CHECKING, Any

from ..model import CasePlan, InputError
from . import level_table, roles
from .bundle import MODULE_NAME, new_parameter_node
from .drawing import show_plan
from .logic_steps import NO_MEASUREMENTS, StepsLogic
from .references import node_of, plain

if TYPE_CHECKING:
    from ..report import PlanComparison

CHOSEN, HIDDEN = "1", "0"
"""Marks of a plan that is worked on, and of one that was hidden for it."""


class ComparingLogic(StepsLogic):
    """Comparison of plans, and the plans of the scene."""

    def comparePlans(self, parameterNode: Any, other: Any, nameOfOther: str = "") -> PlanComparison:
        """This plan (A) against another (B); differences are B − A.

        Args:
            other: path of a plan.json, a ``CasePlan``, or another parameter node of the scene.

        Raises:
            InputError: one of the two has no plan, or the file is no plan.
        """
        from ..report import compare_plans  # the exports come along with it

        mine = self.currentPlan(parameterNode)
        if mine is None:
            raise InputError(NO_MEASUREMENTS)
        theirs: CasePlan | None
        if isinstance(other, CasePlan):
            theirs, name = other, nameOfOther
        elif isinstance(other, (str, PathLike)):
            theirs, name = CasePlan.load(other), nameOfOther or os.path.basename(other)
        else:
            theirs, name = self.currentPlan(other), nameOfOther
        if theirs is None:
            raise InputError("The other plan is empty; measure its levels first.")
        return compare_plans(mine, theirs, "this plan", name or "the other plan")

    def planNodes(self) -> list[Any]:
        """Every parameter node of the planner in the scene, plain, in the scene's order."""
        nodes = self.scene.GetNodesByClass("vtkMRMLScriptedModuleNode")
        nodes.UnRegister(None)  # the collection belongs to the caller
        found = [nodes.GetItemAsObject(number) for number in range(nodes.GetNumberOfItems())]
        return [node for node in found if node.GetAttribute("ModuleName") == MODULE_NAME]

    def newPlan(self, parameterNode: Any) -> Any:
        """A second, empty plan on the same images and corrected levels; returns its plain parameter node."""
        node = new_parameter_node(self.scene)
        self.setInputs(node, node_of(parameterNode, roles.CT), node_of(parameterNode, roles.SEGMENTATION))
        level_table.set_corrections(node, level_table.corrections(parameterNode))
        self._session(node).borrow(self._session(parameterNode))
        return node

    def showPlan(self, parameterNode: Any, visible: bool) -> None:
        """Show or hide everything that a plan drew in the views; its level's marks come back with ``showLevel``."""
        show_plan(plain(parameterNode), visible)
        if visible:
            self._session(parameterNode).lock_again()

    def chosenPlan(self) -> Any:
        """The plain parameter node that :meth:`choosePlan` chose last, here or before the scene was saved; None without one.

        A scene that was read into another brings its own along; the one that was here first comes first.
        """
        return next((node for node in self.planNodes() if self.isChosen(node)), None)

    def isChosen(self, parameterNode: Any) -> bool:
        """Whether this plan is the chosen one of its scene."""
        return plain(parameterNode).GetParameter(roles.CHOSEN) == CHOSEN

    def choosePlan(self, parameterNode: Any) -> bool:
        """Show what this plan drew and hide what the others did; kept with the scene.

        What the user has hidden of a plan that is chosen already stays hidden.

        Returns:
            Whether another plan was chosen before, or none.
        """
        chosen = plain(parameterNode)
        new = not self.isChosen(chosen)
        others = [node for node in self.planNodes() if node is not chosen]
        for node in others:
            node.SetParameter(roles.CHOSEN, HIDDEN)
            self.showPlan(node, False)
        # A plan that is alone, and was never hidden for another, is seen as the user left it.
        hidden = new and (others or chosen.GetParameter(roles.CHOSEN) == HIDDEN)
        chosen.SetParameter(roles.CHOSEN, CHOSEN)
        if hidden:
            self.showPlan(chosen, True)
        return new

    def planTitle(self, parameterNode: Any) -> str:
        """“T12 CT: T12 planned”: images and levels of a plan, to tell it from the others."""
        images = node_of(parameterNode, roles.CT) or node_of(parameterNode, roles.SEGMENTATION)
        plan = self.currentPlan(parameterNode)
        planned = [level.level for level in plan.levels if level.trajectories] if plan else []
        without = "empty" if self.unreadablePlan(parameterNode) is None else "cannot be read"
        state = f"{', '.join(planned)} planned" if planned else "measured" if plan else without
        if self.isOutdated(parameterNode):
            state += " on other images or names"
        return f"{images.GetName()}: {state}" if images is not None else "no images"
