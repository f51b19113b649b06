"""A whole plan as nodes: everything drawn, everything that is no longer in the plan removed."""

from __future__ import annotations

from typing import Any

from ..model import SIDES, Case, CasePlan, LevelPlan, Spine
from . import roles
from .anatomy_node import draw_anatomy
from .fillings import draw_balloon, draw_cement
from .folders import plan_folder, remove_empty_folders
from .measures import draw_measures
from .needles import draw_needle, remove_needle, style_needle
from .plan_text import write_plan_text
from .references import node_of, owned_roles, plain, remove_node
from .tables import draw_tables

MARKUPS_PER_LEVEL = (roles.SUPERIOR_PLATE, roles.INFERIOR_PLATE, roles.HEIGHT, roles.PEDICLE)


def draw_plan(parameter_node: Any, plan: CasePlan, case: Case | None = None, spine: Spine | None = None) -> None:
    """Draw a plan. With case and spine bodies and canal are drawn too; with the spine cement stays inside the body."""
    parameters = plain(parameter_node)
    write_plan_text(parameters, plan)  # first: the plan's folder is found by it
    present = {level.level for level in plan.levels}
    for role in owned_roles(parameters):
        parts = role.split(".")
        if len(parts) > 1 and parts[1] not in present:
            remove_node(parameters, role)
    for level in plan.levels:
        draw_measures(parameters, level)
        draw_level(parameters, level, spine)
    draw_tables(parameters, plan)
    if spine is not None and case is not None:
        draw_anatomy(parameters, spine, case.labels)  # the costliest part: the caller leaves it out where it is drawn
    remove_empty_folders(parameters.GetScene(), plan_folder(parameters))


def draw_level(parameter_node: Any, level: LevelPlan, spine: Spine | None) -> None:
    """Needles, balloons and cement of one level."""
    sides = {trajectory.side: trajectory for trajectory in level.trajectories}
    for side in SIDES:
        if side in sides:
            draw_needle(parameter_node, level.level, sides[side])
            draw_balloon(parameter_node, level.level, sides[side])
        else:
            remove_needle(parameter_node, level.level, side)
            remove_node(parameter_node, roles.role(roles.BALLOON, level.level, side))
    draw_cement(parameter_node, level, spine.vertebrae.get(level.level) if spine is not None else None)


def show_under_transforms(parameter_node: Any, level: LevelPlan) -> None:
    """Draw tubes and balloons of a level again that are under a transform: it may have been chosen for them alone."""
    for needle in level.trajectories:
        nodes = [
            node_of(parameter_node, roles.role(kind, level.level, needle.side)) for kind in (roles.TUBE, roles.BALLOON)
        ]
        if any(node is not None and node.GetParentTransformNode() is not None for node in nodes):
            style_needle(parameter_node, level.level, needle)
            draw_balloon(parameter_node, level.level, needle)


def clear(parameter_node: Any) -> None:
    """Remove every node that the planner made for the parameter node, and its folders."""
    parameters = plain(parameter_node)
    folder = plan_folder(parameters)
    for role in owned_roles(parameters):
        remove_node(parameters, role)
    remove_empty_folders(parameters.GetScene(), folder)


def hide_fillings(parameter_node: Any, level: str) -> set[str]:
    """Hide the balloons and the cement of a level; returns the roles of those that were in view."""
    hidden = set()
    for kind in (roles.BALLOON, roles.CEMENT):
        for role in (roles.role(kind, level, side) for side in SIDES):
            node = node_of(parameter_node, role)
            display = None if node is None else node.GetDisplayNode()
            if display is not None and display.GetVisibility():
                display.SetVisibility(False)
                hidden.add(role)
    return hidden


def show_again(parameter_node: Any, hidden: set[str]) -> None:
    """Show what :func:`hide_fillings` hid, as far as it is still there. What the user had hidden stays so."""
    for role in hidden:
        node = node_of(parameter_node, role)
        if node is not None and node.GetDisplayNode() is not None:
            node.GetDisplayNode().SetVisibility(True)


def show_level(parameter_node: Any, shown: str) -> None:
    """Show one level's end plates, heights and pedicles and hide the others'; needles and fillings stay in view."""
    for role in owned_roles(parameter_node):
        kind, _, rest = role.partition(".")
        node = node_of(parameter_node, role)
        if not rest or node is None or node.GetDisplayNode() is None:
            continue
        ours = rest.split(".")[0] == shown
        if kind in MARKUPS_PER_LEVEL:
            node.GetDisplayNode().SetVisibility(ours)
        elif kind == roles.NEEDLE:
            node.GetDisplayNode().SetPointLabelsVisibility(ours)


def show_plan(parameter_node: Any, visible: bool) -> None:
    """Show or hide all that a plan drew, so that two plans of one case are not seen through each other."""
    for role in owned_roles(parameter_node):
        node = node_of(parameter_node, role)
        if node is not None and node.IsA("vtkMRMLDisplayableNode"):
            for number in range(node.GetNumberOfDisplayNodes()):
                node.GetNthDisplayNode(number).SetVisibility(visible)
