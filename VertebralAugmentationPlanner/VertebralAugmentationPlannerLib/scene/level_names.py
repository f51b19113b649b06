"""The name of each vertebra, shown on it: a point list that nobody can move."""

from __future__ import annotations

from typing import Any

import slicer

from ..model.palette import LABEL, rgb
from . import roles
from .level_table import SegmentRow
from .references import make_node, remove_node


def draw_level_names(parameter_node: Any, rows: list[SegmentRow]) -> None:
    """Show the level of each row at its centre; without rows the names are removed."""
    named = [row for row in rows if row.level and row.centre_ras is not None]
    if not named:
        remove_node(parameter_node, roles.LEVEL_NAME)
        return
    points = make_node(parameter_node, roles.LEVEL_NAME, "vtkMRMLMarkupsFiducialNode", "Vertebra names")
    with slicer.util.NodeModify(points):
        points.SetLocked(False)
        points.RemoveAllControlPoints()
        for row in named:
            assert row.centre_ras is not None
            points.AddControlPointWorld(*row.centre_ras, row.level)
        points.SetLocked(True)
    if points.GetDisplayNode() is None:
        points.CreateDefaultDisplayNodes()
    display = points.GetDisplayNode()
    display.SetSelectedColor(*rgb(LABEL))
    display.SetTextScale(4.0)
    display.SetUseGlyphScale(True)
    display.SetGlyphScale(1.0)
    display.SetPointLabelsVisibility(True)
    display.SetOccludedVisibility(True)
    display.SetSliceProjection(True)  # the body's centre is seldom in the slice that is shown
