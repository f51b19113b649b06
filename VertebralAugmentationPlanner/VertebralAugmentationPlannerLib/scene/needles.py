"""Needles: a markups line to drag, and a tube of the cannula's true thickness."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer

from ..model import Trajectory
from ..model.geometry import unit
from ..model.palette import rgb, safety_colour
from ..model.solids import tube_surface
from . import roles
from .folders import put_in_folder
from .placing import set_surface
from .references import display_of, make_node, node_of, remove_node

OUTSIDE_MM = 40.0
"""Length of tube drawn outside the bone where the skin is not known: enough to see where the needle comes from. [D]"""

GLYPHS = {"safe": "Sphere3D", "tight": "Diamond2D", "breach": "ThickCross2D"}
"""Shape of the ends by safety, so that colour is not the only sign."""

NODE_SAFETY = "VertebralAugmentationPlanner.Safety"


def draw_needle(parameter_node: Any, level: str, trajectory: Trajectory) -> Any:
    """Make or update the line and the tube of one trajectory; return the line.

    The ends of the line are set only where they differ, so that redrawing does not disturb a drag.
    """
    line = make_node(
        parameter_node, roles.role(roles.NEEDLE, level, trajectory.side), "vtkMRMLMarkupsLineNode", "needle"
    )
    if line.GetNumberOfControlPoints() != 2:
        _new_line(line, level, trajectory)
    move_ends(line, trajectory.entry_ras, trajectory.target_ras)
    style_needle(parameter_node, level, trajectory)
    put_in_folder(parameter_node, line, level)
    return line


def style_needle(parameter_node: Any, level: str, trajectory: Trajectory) -> None:
    """Name, colour and glyphs of a needle by its safety, and the tube where the needle is now."""
    line = node_of(parameter_node, roles.role(roles.NEEDLE, level, trajectory.side))
    if line is not None:
        known = line.GetDisplayNode() is not None and line.GetAttribute(NODE_SAFETY) == trajectory.safety
        if not known:
            display = display_of(line, style_line)
            make_draggable(line)
            line.SetName(f"{level} {trajectory.side} needle ({trajectory.safety})")
            line.SetAttribute(NODE_SAFETY, trajectory.safety)
            set_label(line, 0, f"{trajectory.side}: {trajectory.safety}")
            color = rgb(safety_colour(trajectory.safety))
            display.SetSelectedColor(*color)
            display.SetColor(*color)
            display.SetGlyphTypeFromString(GLYPHS[trajectory.safety])
    update_tube(_tube(parameter_node, level, trajectory), level, trajectory)


def move_ends(line: Any, first: Any, second: Any) -> None:
    """Put both ends of a line somewhere, world RAS mm, in one step; nothing happens where they are there already."""
    wanted = np.array([first, second], float)
    now = [line.GetNthControlPointPositionWorld(n) for n in (0, 1)]
    if np.allclose(now, wanted, atol=1e-6):
        return
    with slicer.util.NodeModify(line):
        for index, point in enumerate(wanted):
            line.SetNthControlPointPositionWorld(index, *(float(value) for value in point))


def set_label(line: Any, point: int, text: str) -> None:
    """Write the words shown at a control point; nothing happens where they are there already."""
    if line.GetNthControlPointLabel(point) != text:
        line.SetNthControlPointLabel(point, text)


def remove_needle(parameter_node: Any, level: str, side: str) -> None:
    """Remove line and tube of one side."""
    for kind in (roles.NEEDLE, roles.TUBE):
        remove_node(parameter_node, roles.role(kind, level, side))


def _new_line(line: Any, level: str, trajectory: Trajectory) -> None:
    line.SetFixedNumberOfControlPoints(False)
    line.RemoveAllControlPoints()
    for point, end in ((trajectory.entry_ras, "entry"), (trajectory.target_ras, "target")):
        number = line.AddControlPointWorld(*(float(value) for value in point))
        line.SetNthControlPointLabel(number, "")  # MRML gives “name-1” to a point without label
        line.SetNthControlPointDescription(number, f"{level} {trajectory.side} {end}")
    line.SetFixedNumberOfControlPoints(True)  # an end may be dragged, not deleted
    length = line.GetMeasurement("length")
    if length is not None:
        length.SetEnabled(False)


def style_line(display: Any) -> None:
    """A needle's line: thin, its label at the entry."""
    display.SetPropertiesLabelVisibility(False)
    display.SetPointLabelsVisibility(True)  # side and safety in words at the entry, where two needles are apart
    display.SetUseGlyphScale(True)
    display.SetGlyphScale(2.0)
    display.SetTextScale(3.0)
    display.SetCurveLineSizeMode(display.UseLineThickness)
    display.SetLineThickness(0.2)
    display.SetOccludedVisibility(True)


def make_draggable(line: Any) -> None:
    """Let the ends of a line be dragged, and the scene's undo, where an application has it on, cover it.

    In a 3D view an end moves in the plane of the screen. Markups jump onto the nearest surface in sight unless told otherwise, and
    an end inside a bone has the whole bone in front of it.
    """
    line.SetUndoEnabled(True)
    for index in range(line.GetNumberOfDisplayNodes()):
        display = line.GetNthDisplayNode(index)
        display.SetUndoEnabled(True)
        display.SetSnapMode(display.SnapModeUnconstrained)
    for index in range(line.GetNumberOfStorageNodes()):
        line.GetNthStorageNode(index).SetUndoEnabled(True)


def _tube(parameter_node: Any, level: str, trajectory: Trajectory) -> Any:
    tube = make_node(
        parameter_node,
        roles.role(roles.TUBE, level, trajectory.side),
        "vtkMRMLModelNode",
        f"{level} {trajectory.side} cannula {trajectory.cannula}",
    )
    display_of(tube, style_solid)
    tube.SetSelectable(False)  # the line is what is dragged
    put_in_folder(parameter_node, tube, level)
    return tube


def style_solid(display: Any) -> None:
    """A model that is seen through in 3D and by its outline in the slices."""
    display.SetVisibility2D(True)
    display.SetSliceIntersectionThickness(2)
    display.SetOpacity(0.7)


def update_tube(tube: Any, level: str, trajectory: Trajectory) -> None:
    """Surface and colour of the tube of a trajectory."""
    start = trajectory.skin_ras
    if start is None:
        outward = unit(np.subtract(trajectory.entry_ras, trajectory.target_ras))
        start = tuple(np.asarray(trajectory.entry_ras) + OUTSIDE_MM * outward)
    tube.SetName(f"{level} {trajectory.side} cannula {trajectory.cannula}")
    set_surface(tube, tube_surface(start, trajectory.target_ras, trajectory.cannula_outer_diameter_mm))
    display = tube.GetDisplayNode()
    display.SetColor(*rgb(safety_colour(trajectory.safety)))
    display.SetEdgeVisibility(trajectory.safety == "breach")  # seen without colour, too
    display.SetSliceIntersectionThickness(4 if trajectory.safety == "breach" else 2)
