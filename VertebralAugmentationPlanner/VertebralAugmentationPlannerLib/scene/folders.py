"""One folder per plan and one per level in the subject hierarchy."""

from __future__ import annotations

from typing import Any

import slicer
import vtk

from ..model import LEVELS
from . import roles
from .references import node_of, owned_roles

PLAN_FOLDER = "Vertebral augmentation plan"

MADE_HERE = "VertebralAugmentationPlanner.Folder"
PLAN, LEVEL = "plan", "level"
"""Attribute of a folder that the planner made, and of which kind. Others are the user's: nothing is moved into them or
out of them, and they stay."""


def put_in_folder(parameter_node: Any, node: Any, level: str | None = None) -> None:
    """Move a node into the plan's folder, or into the folder of one level inside it; folders are made as needed.

    A node that the user put into a folder of his own stays there.
    """
    hierarchy = _hierarchy(node.GetScene())
    item = hierarchy.GetItemByDataNode(node)
    parent = hierarchy.GetItemParent(item) if item else 0
    if parent and parent != hierarchy.GetSceneItemID() and not _made_here(hierarchy, parent):
        return
    folder = _plan_folder(parameter_node, hierarchy)
    if level is not None:
        inside = hierarchy.GetItemChildWithName(folder, level)
        folder = inside if inside and _made_here(hierarchy, inside) else _make(hierarchy, folder, level)
    if not item:  # in the application its plugins have made one already
        hierarchy.CreateItem(folder, node)
    elif parent != folder:
        hierarchy.SetItemParent(item, folder)


def plan_folder(parameter_node: Any) -> int:
    """The item of the plan's folder, or 0. Found above the plan's nodes: no ID is kept, so it survives any loading.

    The text node comes first, and is enough unless the user put it elsewhere.
    """
    roles_first = [roles.PLAN_TEXT, *(role for role in owned_roles(parameter_node) if role != roles.PLAN_TEXT)]
    for role in roles_first:
        node = node_of(parameter_node, role)
        folder = 0 if node is None else folder_above(node)
        if folder:
            return folder
    return 0


def folder_above(node: Any) -> int:
    """The item of the plan's folder that holds a node, or 0."""
    hierarchy = _hierarchy(node.GetScene())
    item = hierarchy.GetItemByDataNode(node)
    if item:  # in the application each node has one; MRML warns of a parent asked of none
        item = hierarchy.GetItemParent(item)
    while item and item != hierarchy.GetSceneItemID():
        if _is_plan_folder(hierarchy, item):
            return item
        item = hierarchy.GetItemParent(item)
    return 0


def remove_empty_folders(scene: Any, folder: int) -> None:
    """Remove the level folders of a plan's folder that hold nothing, then the folder itself if it holds nothing."""
    hierarchy = _hierarchy(scene)
    if not folder:
        return
    for item in (*_children(hierarchy, folder), folder):
        if _made_here(hierarchy, item) and not _children(hierarchy, item):
            hierarchy.RemoveItem(item)


def _made_here(hierarchy: Any, item: int) -> bool:
    """Whether the planner made a folder: it says so, or, in an older scene, its name and place do."""
    if hierarchy.GetItemDataNode(item) is not None:
        return False
    if hierarchy.HasItemAttribute(item, MADE_HERE) or _is_plan_folder(hierarchy, item):
        return True
    return hierarchy.GetItemName(item) in LEVELS and _is_plan_folder(hierarchy, hierarchy.GetItemParent(item))


def _is_plan_folder(hierarchy: Any, item: int) -> bool:
    if not item or hierarchy.GetItemDataNode(item) is not None:
        return False
    if hierarchy.HasItemAttribute(item, MADE_HERE):
        return hierarchy.GetItemAttribute(item, MADE_HERE) == PLAN
    return hierarchy.GetItemName(item).startswith(PLAN_FOLDER)


def _make(hierarchy: Any, parent: int, name: str, kind: str = LEVEL) -> int:
    item = hierarchy.CreateFolderItem(parent, name)
    hierarchy.SetItemAttribute(item, MADE_HERE, kind)
    return item


def _hierarchy(scene: Any) -> Any:
    return slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)


def _children(hierarchy: Any, item: int) -> list[int]:
    found = vtk.vtkIdList()
    hierarchy.GetItemChildren(item, found)
    return [found.GetId(n) for n in range(found.GetNumberOfIds())]


def _plan_folder(parameter_node: Any, hierarchy: Any) -> int:
    folder = plan_folder(parameter_node)
    if folder:
        return folder
    scene_item = hierarchy.GetSceneItemID()
    name, number = PLAN_FOLDER, 1
    while hierarchy.GetItemChildWithName(scene_item, name):
        number += 1
        name = f"{PLAN_FOLDER} {number}"
    return _make(hierarchy, scene_item, name, PLAN)
