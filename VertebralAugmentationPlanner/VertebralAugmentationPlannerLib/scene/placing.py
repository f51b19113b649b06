"""Surfaces given in world coordinates, seen where they are meant whatever transform their model is under.

A model is drawn through its parent transforms (``vtkMRMLModelDisplayableManager``), and a transform that is chosen for a folder
in the Data module comes onto every node in it (``qMRMLSubjectHierarchyModel``). Markups have setters for world coordinates;
models have none.
"""

from __future__ import annotations

from typing import Any

import vtk


def set_surface(model: Any, surface: Any) -> None:
    """Give a model a surface, ``vtkPolyData`` in world RAS mm.

    The model stays under its transforms, so that it goes where the lines beside it go: each point of the surface is taken back
    through them. A node cannot be taken off a transform while it tells that it came under it.
    """
    parent = model.GetParentTransformNode()
    if parent is not None:
        from_world = vtk.vtkGeneralTransform()
        parent.GetTransformFromWorld(from_world)
        surface = transformed(surface, from_world)
    model.SetAndObservePolyData(surface)


def transformed(surface: Any, transform: Any) -> Any:
    """``vtkPolyData`` moved by a ``vtkAbstractTransform``."""
    moved = vtk.vtkTransformPolyDataFilter()
    moved.SetInputData(surface)
    moved.SetTransform(transform)
    moved.Update()
    return moved.GetOutput()
