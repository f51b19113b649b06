"""Drawings of a plan that cannot be read, or that is of other images than those chosen: nobody would judge a needle or measure a
height where they are dragged to, and “safe” beside another patient's bone is untrue.

What is locked and hidden for it is marked, so that it comes back with a plan that can be read, and what the user had locked or
hidden stays so.
"""

from __future__ import annotations

from typing import Any

import slicer

from ..model.palette import rgb, safety_colour
from ..model.plan import NOT_JUDGED
from . import roles
from .measures import LABELS
from .needles import GLYPHS, NODE_SAFETY, set_label, style_line
from .references import display_of, node_of, owned_roles

LOCKED = "VertebralAugmentationPlanner.Locked"
"""Attribute of a line that was locked here, and of a model that was hidden."""

STILL_TRUE = ("Level", "Side", "Cannula")
"""Columns of the scene's table of needles that hold wherever a needle lies."""


def has_needles(parameter_node: Any) -> bool:
    """Whether needles are drawn for a parameter node."""
    return any(role.split(".")[0] == roles.NEEDLE for role in owned_roles(parameter_node))


def lock_drawings(parameter_node: Any, words: str = NOT_JUDGED) -> None:
    """Show all needles of a parameter node as not judged, without balloon and cement, and let nobody move a line.

    Args:
        words: shown in place of “safe”.
    """
    for role in owned_roles(parameter_node):
        kind, _, rest = role.partition(".")
        node = node_of(parameter_node, role)
        if kind in (roles.NEEDLE, roles.HEIGHT) and not node.GetLocked():
            node.SetLocked(True)
            node.SetAttribute(LOCKED, "1")
        if kind == roles.NEEDLE:
            _show_unjudged(parameter_node, node, words, *rest.split("."))
        elif kind == roles.HEIGHT:
            short, carrier = LABELS[rest.split(".")[1]]
            set_label(node, carrier, short)
        elif kind in (roles.BALLOON, roles.CEMENT) and node.GetDisplayVisibility():
            node.SetDisplayVisibility(False)
            node.SetAttribute(LOCKED, "1")
        elif role == roles.TRAJECTORY_TABLE:
            _strike(node, words)


def unlock_drawings(parameter_node: Any) -> bool:
    """Take back what :func:`lock_drawings` locked and hid; whether there was anything. What is drawn next styles it anew."""
    found = False
    for role in owned_roles(parameter_node):
        node = node_of(parameter_node, role)
        if node.GetAttribute(LOCKED) is None:
            continue
        found = True
        node.RemoveAttribute(LOCKED)
        if role.split(".")[0] in (roles.NEEDLE, roles.HEIGHT):
            node.SetLocked(False)
        else:
            node.SetDisplayVisibility(True)
    return found


def _show_unjudged(parameter_node: Any, line: Any, words: str, level: str, side: str) -> None:
    color = rgb(safety_colour("breach"))
    line.SetName(f"{level} {side} needle ({words})")
    line.RemoveAttribute(NODE_SAFETY)  # whoever draws it again styles it anew
    set_label(line, 0, f"{side}: {words}")
    display = display_of(line, style_line)
    display.SetSelectedColor(*color)
    display.SetColor(*color)
    display.SetGlyphTypeFromString(GLYPHS["breach"])
    tube = node_of(parameter_node, roles.role(roles.TUBE, level, side))
    if tube is not None and tube.GetDisplayNode() is not None:
        tube.GetDisplayNode().SetColor(*color)


def _strike(table: Any, words: str) -> None:
    """No verdict and no number of a needle stays in the scene's table."""
    with slicer.util.NodeModify(table):
        for column in range(table.GetNumberOfColumns()):
            if table.GetColumnName(column) not in STILL_TRUE:
                for row in range(table.GetNumberOfRows()):
                    table.SetCellText(row, column, words)
