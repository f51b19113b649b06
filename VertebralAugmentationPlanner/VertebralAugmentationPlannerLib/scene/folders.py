"""One folder per plan and one per level in the subject hierarchy."""

from __future__ import annotations

from typing import Any

import slicer
import vtk

from . import roles
from .references import node_of

PLAN_FOLDER = "Vertebral augmentation plan"


def put_in_folder(parameter_node: Any, node: Any, level: str | None = None) -> None:
    """Move a node into the plan's folder, or into the folder of one level inside it; folders are made as needed."""
    hierarchy = _hierarchy(node.GetScene())
    folder = _plan_folder(parameter_node, hierarchy)
    if level is not None:
        inside = hierarchy.GetItemChildWithName(folder, level)
        folder = inside or hierarchy.CreateFolderItem(folder, level)
    item = hierarchy.GetItemByDataNode(node)
    if not item:  # in the application its plugins have made one already
        hierarchy.CreateItem(folder, node)
    elif hierarchy.GetItemParent(item) != folder:
        hierarchy.SetItemParent(item, folder)


def plan_folder(parameter_node: Any) -> int:
    """The item of the plan's folder, or 0. Found above the text node: no ID is kept, so it survives any loading."""
    text = node_of(parameter_node, roles.PLAN_TEXT)
    if text is None:
        return 0
    hierarchy = _hierarchy(text.GetScene())
    item = hierarchy.GetItemByDataNode(text)
    parent = hierarchy.GetItemParent(item) if item else 0
    return parent if parent and parent != hierarchy.GetSceneItemID() else 0


def remove_empty_folders(scene: Any, folder: int) -> None:
    """Remove the level folders of a plan's folder that hold nothing, then the folder itself if it holds nothing."""
    hierarchy = _hierarchy(scene)
    if not folder:
        return
    for child in _children(hierarchy, folder):
        if hierarchy.GetItemDataNode(child) is None and not _children(hierarchy, child):
            hierarchy.RemoveItem(child)
    if not _children(hierarchy, folder):
        hierarchy.RemoveItem(folder)


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
    return hierarchy.CreateFolderItem(scene_item, name)
