"""Nodes of a plan: found by role in the parameter node, made and removed in one place."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import slicer
import vtk

from . import roles

OWNED = "VertebralAugmentationPlanner.Role"
"""Node attribute of every node that the planner made: its role. Nodes without it are the user's
and are never removed."""

STYLED = "VertebralAugmentationPlanner.Styled"
"""Attribute of a display node that has its style; what the user makes of it afterwards stays."""


def plain(parameter_node: Any) -> Any:
    """The ``vtkMRMLScriptedModuleNode`` of a parameter node or of its wrapper."""
    return getattr(parameter_node, "parameterNode", parameter_node)


def node_of(parameter_node: Any, role: str) -> Any:
    """The node of a role, or None."""
    return plain(parameter_node).GetNodeReference(role)


def set_node(parameter_node: Any, role: str, node: Any) -> None:
    """Refer to a node by role; None forgets it. The empty parameter is what the parameter node wrapper keeps beside."""
    parameters = plain(parameter_node)
    if role in (roles.CT, roles.SEGMENTATION):
        parameters.SetParameter(role, "")
    if node is None:
        parameters.RemoveNodeReferenceIDs(role)
    else:
        parameters.SetNodeReferenceID(role, node.GetID())


def owned_roles(parameter_node: Any) -> list[str]:
    """Roles whose node the planner made, in a fixed order."""
    parameters = plain(parameter_node)
    names = [parameters.GetNthNodeReferenceRole(n) for n in range(parameters.GetNumberOfNodeReferenceRoles())]
    # MRML keeps the names of roles whose node is gone.
    return sorted(n for n in names if n not in roles.IMAGES and node_of(parameters, n) is not None)


def make_node(parameter_node: Any, role: str, class_name: str, name: str) -> Any:
    """The node of a role, made where there is none."""
    node = node_of(parameter_node, role)
    if node is not None and node.IsA(class_name):
        return node
    node = plain(parameter_node).GetScene().AddNewNodeByClass(class_name, name)
    node.SetAttribute(OWNED, role)
    set_node(parameter_node, role, node)
    return node


def display_of(node: Any, style: Callable[[Any], None]) -> Any:
    """The node's display node, styled once: made where there is none (a new node, or one deleted by hand).

    The application makes default display nodes as soon as a node is added (``vtkSlicerMarkupsLogic``), so that a
    display node being there says nothing about its style.
    """
    if node.GetDisplayNode() is None:
        node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    if display.GetAttribute(STYLED) is None:
        style(display)
        display.SetAttribute(STYLED, "1")
    return display


def remove_node(parameter_node: Any, role: str) -> None:
    """Remove the planner's node of a role with its display and storage nodes; nothing where there is none."""
    node = node_of(parameter_node, role)
    set_node(parameter_node, role, None)
    if node is not None and node.GetAttribute(OWNED) is not None:
        _take_out(node)


def remove_left_behind(nodes: Iterable[Any]) -> None:
    """Remove nodes that the planner made for a parameter node that is gone, as far as they are still there."""
    for node in nodes:
        if node.GetScene() is not None and node.GetAttribute(OWNED) is not None:
            _take_out(node)


def _take_out(node: Any) -> None:
    scene = node.GetScene()
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    item = hierarchy.GetItemByDataNode(node)
    if item:  # the application's plugins would do it; without them the item would stay behind
        hierarchy.RemoveItem(item, False, False)
    helpers = []
    if node.IsA("vtkMRMLDisplayableNode"):
        helpers += [node.GetNthDisplayNode(n) for n in range(node.GetNumberOfDisplayNodes())]
    if node.IsA("vtkMRMLStorableNode"):
        helpers += [node.GetNthStorageNode(n) for n in range(node.GetNumberOfStorageNodes())]
    scene.RemoveNode(node)
    for helper in helpers:  # the application removes some of them itself
        if helper is not None and scene.IsNodePresent(helper):
            scene.RemoveNode(helper)


def points_array(points: Any) -> Any:
    """``vtkPoints`` of an (N, 3) array, RAS mm."""
    result = vtk.vtkPoints()
    for point in points:
        result.InsertNextPoint(*(float(value) for value in point))
    return result
