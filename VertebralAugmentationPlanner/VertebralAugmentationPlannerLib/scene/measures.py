"""End plates, height lines and pedicle outlines as markups. Drawn from the plan alone, so they survive reloading."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
from numpy.typing import NDArray

from ..model import SIDES, LevelPlan, PedicleMeasurement
from ..model.geometry import unit
from ..model.palette import COBB_LINE, HEIGHT_LINE, PEDICLE, rgb
from . import roles
from .folders import put_in_folder
from .needles import make_draggable, move_ends, set_label
from .references import display_of, make_node, points_array, remove_node

PLACES = ("anterior", "middle", "posterior")

LABELS = {"anterior": ("Ha", 0), "middle": ("Hm", 1), "posterior": ("Hp", 0)}
"""Short word of each height and the end that carries it: the middle one below, so that the three stay apart in a
sagittal view, where a body is hardly longer than three numbers. [D]"""

OUTLINE_POINTS = 24
"""Control points of a pedicle's outline; a section of 8 × 15 mm is then drawn within 0.1 mm. [D]"""


def draw_measures(parameter_node: Any, plan: LevelPlan) -> None:
    """Draw (or clear) end plates, height lines and pedicle outlines of one level."""
    points = plan.measurements.height_points_ras if plan.measurements is not None else {}
    for place in PLACES:
        _draw_height(parameter_node, plan.level, place, points.get(place))
    for kind, end, name in ((roles.SUPERIOR_PLATE, 0, "superior"), (roles.INFERIOR_PLATE, 1, "inferior")):
        _draw_plate(parameter_node, plan, kind, end, f"{plan.level} {name} end plate")
    for side in SIDES:
        _draw_pedicle(parameter_node, plan.level, side, getattr(plan.pedicles, side))


def _draw_height(parameter_node: Any, level: str, place: str, ends: Any) -> None:
    role = roles.role(roles.HEIGHT, level, place)
    if ends is None:
        remove_node(parameter_node, role)
        return
    name = f"{level} {place} height"
    line = make_node(parameter_node, role, "vtkMRMLMarkupsLineNode", name)
    if line.GetNumberOfControlPoints() != 2:
        line.SetFixedNumberOfControlPoints(False)
        line.RemoveAllControlPoints()
        for point, end in zip(ends, ("upper", "lower"), strict=True):
            number = line.AddControlPointWorld(*(float(value) for value in point))
            line.SetNthControlPointLabel(number, "")  # MRML gives “name-1” to a point without label
            line.SetNthControlPointDescription(number, f"{name}, {end} end")
        line.SetFixedNumberOfControlPoints(True)
    display_of(line, _height_style)
    make_draggable(line)
    move_ends(line, *ends)
    short, carrier = LABELS[place]
    set_label(line, carrier, f"{short} {np.linalg.norm(np.subtract(*ends)):.1f}")
    put_in_folder(parameter_node, line, level)


def _draw_plate(parameter_node: Any, plan: LevelPlan, kind: str, end: int, name: str) -> None:
    role = roles.role(kind, plan.level)
    measured = plan.measurements
    points = measured.height_points_ras if measured is not None else {}
    if measured is None or plan.frame is None or "anterior" not in points or "posterior" not in points:
        remove_node(parameter_node, role)
        return
    anterior, posterior = np.array(points["anterior"][end]), np.array(points["posterior"][end])
    right = np.array(plan.frame.right)
    forward = unit(anterior - posterior)
    up = unit(np.cross(right, forward))
    depth = float(np.linalg.norm(anterior - posterior))
    plane = make_node(parameter_node, role, "vtkMRMLMarkupsPlaneNode", name)
    with slicer.util.NodeModify(plane):
        plane.SetSizeMode(plane.SizeModeAbsolute)
        plane.SetAxesWorld(np.cross(forward, up).tolist(), forward.tolist(), up.tolist())
        plane.SetOriginWorld(((anterior + posterior) / 2).tolist())
        plane.SetSizeWorld(measured.width_mm or depth, depth)
        plane.SetLocked(True)
    display_of(plane, _plate_style)
    put_in_folder(parameter_node, plane, plan.level)


def _draw_pedicle(parameter_node: Any, level: str, side: str, pedicle: PedicleMeasurement | None) -> None:
    role = roles.role(roles.PEDICLE, level, side)
    if pedicle is None or len(pedicle.outline_ras) < 3:
        remove_node(parameter_node, role)
        return
    curve = make_node(parameter_node, role, "vtkMRMLMarkupsClosedCurveNode", f"{level} {side} pedicle isthmus")
    with slicer.util.NodeModify(curve):
        curve.SetCurveTypeToLinear()
        curve.SetLocked(False)
        curve.SetControlPointPositionsWorld(points_array(resampled(np.array(pedicle.outline_ras), OUTLINE_POINTS)))
        curve.SetLocked(True)
    display_of(curve, _pedicle_style)
    put_in_folder(parameter_node, curve, level)


def _height_style(display: Any) -> None:
    _style(display, rgb(HEIGHT_LINE), glyph_scale=1.5)
    display.SetPointLabelsVisibility(True)  # “Ha 14.4” at one end; name and length at the middle would overlap


def _plate_style(display: Any) -> None:
    _style(display, rgb(COBB_LINE), glyph_scale=0.5)
    display.SetFillOpacity(0.2)
    display.SetHandlesInteractive(False)


def _pedicle_style(display: Any) -> None:
    _style(display, rgb(PEDICLE), glyph_scale=0.1)


def _style(display: Any, color: tuple[float, float, float], glyph_scale: float) -> None:
    display.SetSelectedColor(*color)
    display.SetColor(*color)
    display.SetUseGlyphScale(True)
    display.SetGlyphScale(glyph_scale)
    display.SetTextScale(2.5)
    display.SetPointLabelsVisibility(False)
    display.SetPropertiesLabelVisibility(False)


def resampled(outline: NDArray, count: int) -> NDArray:
    """A closed outline (N, 3) by ``count`` points at even distance along it, the first one kept."""
    closed = np.vstack([outline, outline[:1]])
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
    at = np.arange(count) / count * along[-1]
    return np.stack([np.interp(at, along, closed[:, axis]) for axis in range(3)], axis=1)
