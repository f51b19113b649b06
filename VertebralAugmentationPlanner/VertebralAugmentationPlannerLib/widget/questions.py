"""What the user is asked before something goes that no Undo brings back, or is locked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..scene.ui_support import tr as _

if TYPE_CHECKING:
    from .panel import PlannerPanel


def may_replace_plan(panel: PlannerPanel, title: str) -> bool:
    """Whether the plan may be replaced; asked where it holds needles, or cannot be read."""
    if panel.logic.unreadablePlan(panel.parameterNode) is not None:
        question = _(
            "The plan in this scene cannot be read, perhaps because a newer version wrote it. It is replaced, with its needles."
        )
        return panel.dialogs.confirm(question, title)
    planned = _planned(panel)
    if not planned:
        return True
    question = _("The needles of {levels} go, and Undo does not bring them back. Save the plan first to keep them.")
    return panel.dialogs.confirm(question.format(levels=", ".join(planned)), title)


def may_replace_needles(panel: PlannerPanel, levels: str | list[str], title: str) -> bool:
    """Whether levels may be planned; asked where a needle of theirs was moved by hand since it was planned."""
    moved = panel.logic.levelsMovedByHand(panel.parameterNode, levels)
    if not moved:
        return True
    question = _("The needles of {levels} that you moved are planned anew, and Undo does not bring them back.")
    return panel.dialogs.confirm(question.format(levels=", ".join(moved)), title)


def may_choose_other_images(panel: PlannerPanel, title: str) -> bool:
    """Whether other images may be chosen; asked where the plan holds needles in those of now, which would be locked."""
    planned = _planned(panel)
    node = panel.parameterNode
    if not planned or node.segmentation is None or panel.logic.isOutdated(node):
        return True
    question = _(
        "The needles of {levels} are of the images chosen now, and are locked as long as others are. Press New plan first to work on both."
    )
    return panel.dialogs.confirm(question.format(levels=", ".join(planned)), title)


def _planned(panel: PlannerPanel) -> list[str]:
    """Levels with needles of the plan."""
    plan = panel.casePlan
    return [level.level for level in plan.levels if level.trajectories] if plan else []
