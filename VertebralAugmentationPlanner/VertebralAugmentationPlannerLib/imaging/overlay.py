"""What is drawn over a simulated fluoroscopy: needles of true thickness, pedicle rings, posterior wall, balloons.

A solid's outline in a projection is the convex hull of its projected surface points: exact for tubes and balloons
from any direction, end-on included.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial import ConvexHull

from ..model import BalloonPlan, Trajectory, Vertebra
from ..model.geometry import FloatArray, unit
from ..model.palette import BALLOON, PEDICLE, POSTERIOR_WALL, safety_colour
from ..model.solids import perpendicular_pair
from .carm import CArmPose

NEEDLE_LENGTH_MM = 125.0
"""Length of shaft drawn behind the tip; cannulas of 100, 125 and 150 mm are sold [M]. Drawing only."""
LATERAL_WITHIN_DEG = 30.0
EYE_WITHIN_DEG = 60.0
"""A pedicle seen more from the side than this is no ring any more, only a line. [D]"""
_RING_POINTS = 48
MANY_POINTS = 200


@dataclass(frozen=True, eq=False)
class Shape:
    """A polyline or polygon on a picture.

    Args:
        points_px: (N, 2) pixels, (column, row).
        closed: the last point joins the first.
        colour: "#rrggbb" of the line.
        width_px: line width.
        fill: "#rrggbb" of the inside, or None.
        fill_opacity: 0–1.
        dash: SVG dash pattern in pixels, or None for a whole line.
        label: what it is, such as "left needle".
    """

    points_px: FloatArray
    closed: bool
    colour: str
    width_px: float = 1.8
    fill: str | None = None
    fill_opacity: float = 0.35
    dash: str | None = None
    label: str = ""


def projected_overlay(
    pose: CArmPose,
    vertebra: Vertebra,
    trajectories: Iterable[Trajectory],
    depth_mm: float | None = None,
    pedicles: bool = True,
) -> list[Shape]:
    """All shapes of a view, back to front.

    Args:
        depth_mm: insertion depth of every needle's tip from its entry point; negative is outside the bone; None is
            at the target. Balloons are drawn only at the target.
        pedicles: draw the pedicles’ outlines, too.
    """
    shapes: list[Shape] = []
    if pedicles:
        shapes += pedicle_shapes(pose, vertebra)
    shapes += posterior_wall_shapes(pose, vertebra)
    for trajectory in trajectories:
        if depth_mm is None and trajectory.balloon is not None:
            shapes.append(balloon_shape(pose, trajectory.balloon))
        shapes += needle_shapes(pose, trajectory, depth_mm)
    return shapes


def needle_shapes(pose: CArmPose, trajectory: Trajectory, depth_mm: float | None = None) -> list[Shape]:
    """The needle's tube up to its tip, and a dashed line for the way that remains to the target."""
    entry, target = np.asarray(trajectory.entry_ras, float), np.asarray(trajectory.target_ras, float)
    direction = unit(target - entry)
    full = float(np.linalg.norm(target - entry))
    depth = full if depth_mm is None else float(depth_mm)
    tip = entry + depth * direction
    colour = safety_colour(trajectory.safety)
    tail = tip - NEEDLE_LENGTH_MM * direction
    radius = trajectory.cannula_outer_diameter_mm / 2
    outline = hull(pose.project(tube_points(tail, tip, radius)))
    side = f"{trajectory.side} needle"
    shapes = [Shape(outline, True, colour, 1.8, "#101010", 0.62, label=side)]
    along = unit(pose.project(tip) - pose.project(tail)) if _is_seen_from_aside(pose, tail, tip) else None
    if along is None:
        # End-on the tube's far end hides behind its near end: draw the tip's own ring, the bull's-eye.
        shapes.append(Shape(pose.project(ring(tip, direction, radius)), True, colour, 1.5, label=f"{side} tip"))
    if full - depth > 0.5:
        shapes.append(
            Shape(pose.project(np.stack([tip, target])), False, colour, 1.8, dash="5 4", label=f"{side} to target")
        )
    return shapes


def balloon_shape(pose: CArmPose, balloon: BalloonPlan) -> Shape:
    """Outline of the inflated balloon: a spheroid of the planned diameter and length along its axis."""
    return Shape(hull(pose.project(balloon_points(balloon))), True, BALLOON, 2.0, BALLOON, 0.28, label="balloon")


def balloon_points(balloon: BalloonPlan) -> FloatArray:
    """(N, 3) RAS points on the inflated balloon's surface."""
    proximal, distal = np.asarray(balloon.proximal_ras, float), np.asarray(balloon.distal_ras, float)
    axis = unit(distal - proximal)
    length = balloon.planned_length_mm or balloon.length_mm
    first, second = perpendicular_pair(axis)
    latitude, longitude = np.meshgrid(np.linspace(0, np.pi, 25), np.linspace(0, 2 * np.pi, 40, endpoint=False))
    radius = balloon.planned_diameter_mm / 2 * np.sin(latitude)[..., None]
    points = (
        np.asarray(balloon.centre_ras, float)
        + (length / 2 * np.cos(latitude))[..., None] * axis
        + radius * (np.cos(longitude)[..., None] * first + np.sin(longitude)[..., None] * second)
    )
    return points.reshape(-1, 3)


def pedicle_shapes(pose: CArmPose, vertebra: Vertebra) -> list[Shape]:
    """The outline of each pedicle's isthmus: in AP the pedicle's “eye”. Views from the side have none."""
    if vertebra.frame is None:
        return []
    beam = vertebra.frame.direction_to_local(pose.beam_direction_ras)
    return [
        Shape(pose.project(vertebra.frame.to_ras(pedicle.outline)), True, PEDICLE, 1.8, label=f"{side} pedicle")
        for side, pedicle in vertebra.pedicles.items()
        if abs(float(beam @ pedicle.axis)) > math.cos(math.radians(EYE_WITHIN_DEG))
    ]


def posterior_wall_shapes(pose: CArmPose, vertebra: Vertebra) -> list[Shape]:
    """The posterior wall of the body in its mid-sagittal plane; only in views from the side, where it is a line."""
    if vertebra.frame is None or vertebra.grid is None or vertebra.posterior_wall_mm is None:
        return []
    if vertebra.superior is None or vertebra.inferior is None:
        return []
    beam = vertebra.frame.direction_to_local(pose.beam_direction_ras)
    if abs(float(beam[0])) < math.cos(math.radians(LATERAL_WITHIN_DEG)):
        return []
    z = vertebra.grid.axes[2]
    between = (z > vertebra.inferior.posterior_rim[2]) & (z < vertebra.superior.posterior_rim[2])
    middle = int(np.clip(np.round(vertebra.grid.to_index([0.0, 0.0, 0.0])[0]), 0, vertebra.grid.shape[0] - 1))
    wall = vertebra.posterior_wall_mm[middle]
    use = between & np.isfinite(wall)
    if np.count_nonzero(use) < 2:
        return []
    line = np.stack([np.zeros(np.count_nonzero(use)), wall[use], z[use]], axis=-1)
    return [Shape(pose.project(vertebra.frame.to_ras(line)), False, POSTERIOR_WALL, 2.6, label="posterior wall")]


def tube_points(start: ArrayLike, end: ArrayLike, radius: float) -> FloatArray:
    """(N, 3) points on the two end rings of a tube; their hull is its outline from anywhere."""
    start, end = np.asarray(start, float), np.asarray(end, float)
    axis = unit(end - start)
    return np.concatenate([ring(start, axis, radius), ring(end, axis, radius)])


def ring(centre: ArrayLike, axis: ArrayLike, radius: float) -> FloatArray:
    """(N, 3) points of a circle around an axis."""
    first, second = perpendicular_pair(axis)
    angle = np.linspace(0, 2 * np.pi, _RING_POINTS, endpoint=False)[:, None]
    return np.asarray(centre, float) + radius * (np.cos(angle) * first + np.sin(angle) * second)


def hull(points: FloatArray) -> FloatArray:
    """Convex hull of (N, 2) points, in order around it; a line for points on a line (Andrew's monotone chain)."""
    points = np.asarray(points, float)
    if len(points) > MANY_POINTS:
        # Clouds of solids are never all on one line; Qhull is quick on them.
        return points[ConvexHull(points).vertices]
    ordered = sorted(map(tuple, np.round(np.asarray(points, float), 3)))
    if len(set(ordered)) < 3:
        return np.array(ordered)

    def chain(sequence: list[tuple[float, float]]) -> list[tuple[float, float]]:
        kept: list[tuple[float, float]] = []
        for p in sequence:
            while len(kept) > 1 and _turn(kept[-2], kept[-1], p) <= 0:
                kept.pop()
            kept.append(p)
        return kept[:-1]

    return np.array(chain(ordered) + chain(ordered[::-1]))


def inside_polygon(points: FloatArray, polygon: FloatArray) -> np.ndarray:
    """Which of (N, 2) points lie inside a closed (M, 2) polygon (even–odd rule)."""
    x, y = points[:, :1], points[:, 1:]
    x0, y0 = polygon[:, 0], polygon[:, 1]
    x1, y1 = np.roll(x0, -1), np.roll(y0, -1)
    straddles = (y0 > y) != (y1 > y)
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = x0 + (y - y0) * (x1 - x0) / (y1 - y0)
    return (np.count_nonzero(straddles & (x < crossing), axis=1) % 2).astype(bool)


def _is_seen_from_aside(pose: CArmPose, tail: FloatArray, tip: FloatArray) -> bool:
    """False where the needle points so straight at the source that its ends overlap on the picture."""
    return float(np.linalg.norm(pose.project(tip) - pose.project(tail))) * pose.mm_per_px > 6.0


def _turn(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
