"""The exact evaluation of one needle: what its surface keeps from every wall, and how far it may be off.

Clearance starts behind the entry cortex: bone surface outside the plane tangent to the entry, moved inward by the
cortex's roughness, does not count. From there on it is the radius of the largest ball that, once wholly under that
plane, runs along the axis to the tip (see :func:`.walls.ball_clearance`), less the cannula's. Besides, the cannula must
not break the rim of its hole under the plane. What faces the canal always counts, from the skin to the tip.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.spatial import cKDTree

from ..anatomy.surface import LEAF_POINTS
from ..model import Clearance, Vertebra
from ..model.geometry import FloatArray, unit
from .angles import SIDE_SIGN
from .isthmus import IsthmusPlane
from .reading import OUTSIDE_REACH_MM, Reading, Tube
from .space import AccessSpace, access_space
from .surface import ANTERIOR, CANAL, DENSE_MM, ENDPLATE, LATERAL, NEIGHBOUR, WALL
from .walls import ENTRY_ROUGHNESS_MM, KINDS, PEDICLE_ZONE_MM, Walls

ENTRY_PATCH_MM = 5.0
"""Radius of the patch of cortex whose mean normal is the tangent plane's [D]."""

SEARCH_CORRIDOR_MM, CORRIDOR_MM = 24.0, 34.0
"""Surfaces farther from the pedicle's axis than this aren't looked at by the search, and by the evaluation. No needle
of the search leaves that axis by more than 20 mm (at the tip, at 40°); one dragged by hand may go further [C]."""

NEAR_MM = 12.0
"""Surfaces farther from a needle's axis than this are left out where what is nearer decides: two thirds of the points,
and not one of the numbers [C]."""

STEP_MM = 0.5
"""Sampling along the axis; the fields are on grids of 0.8–1 mm [D]."""

GERTZBEIN_ROBBINS_MM = (("A", 0.0), ("B", 2.0), ("C", 4.0), ("D", 6.0))
"""A none, B < 2 mm, C 2–<4, D 4–<6, E ≥ 6 mm. Definitions as in doi 10.1007/s11701-024-02001-w [V]."""

GRADE_RESOLUTION_MM = 0.05
"""Less than this is no breach: it is below what a surface on a 1 mm grid can tell [D]."""


def gertzbein_robbins(breach_mm: float) -> str:
    """Grade of a breach of the instrument's surface beyond the cortex, mm (0 or less: none)."""
    if breach_mm <= GRADE_RESOLUTION_MM:
        return "A"
    return next((grade for grade, limit in GERTZBEIN_ROBBINS_MM[1:] if breach_mm < limit), "E")


@dataclass(frozen=True, eq=False)
class PathCheck:
    """One needle, evaluated. Points local, mm.

    Args:
        entry: (3,) where the axis enters the bone.
        target: (3,) the tip.
        direction: (3,) unit, entry → target.
        radius_mm: of the cannula.
        clearance: from the cannula's surface.
        axis_clearance_mm: smallest distance of the axis to a wall along the pedicle and to the canal.
        grade: Gertzbein–Robbins "A" … "E".
        tolerated_offset_mm: largest parallel shift, in the worst direction, before the surface touches a wall of the vertebra
            or the canal.
        tolerated_angle_deg: largest tilt about the entry, in the worst direction, before that.
        bone_path_mm: from the entry to the target.
        through_pedicle: the needle enters the bone behind the isthmus, crosses it inside its outline and ends in front of it.
        crosses_own_bone: behind the entry the axis runs through another part of the same vertebra.
    """

    entry: FloatArray
    target: FloatArray
    direction: FloatArray
    radius_mm: float
    clearance: Clearance
    axis_clearance_mm: float
    grade: str
    tolerated_offset_mm: float
    tolerated_angle_deg: float
    bone_path_mm: float
    through_pedicle: bool
    crosses_own_bone: bool


class PathEvaluator:
    """Evaluates needles of one side of one vertebra; made once, then a few milliseconds a needle.

    Args:
        vertebra: complete, with a canal and the side's pedicle.
        side: "left" or "right".
        space: the vertebra's prepared surfaces, when they exist already.

    Raises:
        ValueError: the vertebra is incomplete, or lacks the canal or the pedicle.
    """

    FAR_SIDE_MM = 20.0
    """Surfaces this far beyond the midline can't be the nearest to a needle of this side [D]."""

    def __init__(self, vertebra: Vertebra, side: str, space: AccessSpace | None = None) -> None:
        if side not in vertebra.pedicles:
            raise ValueError(f"{vertebra.level} has no {side} pedicle")
        self.side = side
        self.space = space if space is not None else access_space(vertebra)
        self.isthmus = IsthmusPlane.of(vertebra.pedicles[side])
        obstacles = self.space.obstacles
        near = obstacles.points[:, 0] * SIDE_SIGN[side] > -self.FAR_SIDE_MM
        kept = np.flatnonzero(near)
        off_axis = self._off_axis(obstacles.points[kept])
        kind = obstacles.kind[kept]
        dense = ((kind == WALL) | (kind == CANAL)) & (off_axis < DENSE_MM)
        self.walls = Walls.of(
            obstacles, self.isthmus, kept[(off_axis < CORRIDOR_MM) & (dense | obstacles.coarse[kept])]
        )
        searched = (off_axis < SEARCH_CORRIDOR_MM) & obstacles.coarse[kept]
        self.coarse = Walls.of(obstacles, self.isthmus, kept[searched])
        self.slices = {kind: self.walls.range(kind) for kind in KINDS}
        self.reach = float(np.linalg.norm(np.array(self.space.grid.shape) * self.space.grid.spacing_mm))

    def _off_axis(self, points: FloatArray) -> FloatArray:
        """Distance (N,) of points from the pedicle's axis; infinite where no part of a cannula reaches behind it."""
        reached = self.isthmus.depth_of(points) > -OUTSIDE_REACH_MM
        return np.where(reached, self.isthmus.off_axis(points), np.inf)

    def bone_entry(self, inside: FloatArray, direction: FloatArray) -> FloatArray:
        """Where an axis enters the bone.

        Args:
            inside: (3,) a point of the axis, usually its crossing of the isthmus. Where it lies in bone, the entry is
                the rear end of the bone around it; else the first bone met from behind.
            direction: (3,) unit, from posterior to anterior.
        """
        t = -np.arange(0.0, self.reach, STEP_MM)
        bone = self.space.bone_at(inside + t[:, None] * direction)
        solid = np.flatnonzero(bone > 0)
        if bone[0] > 0:
            outside = np.flatnonzero(bone <= 0)
            last = (int(outside[0]) if outside.size else len(t)) - 1
            beyond = last + 1
        elif solid.size:
            last = int(solid[-1])
            beyond = last + 1
        else:
            t = -t
            bone = self.space.bone_at(inside + t[:, None] * direction)
            solid = np.flatnonzero(bone > 0)
            if not solid.size:
                return np.asarray(inside)
            last = int(solid[0])
            beyond = last - 1
        if beyond == len(t):
            return np.asarray(inside + t[last] * direction)
        share = bone[last] / (bone[last] - bone[beyond])
        return np.asarray(inside + (t[last] + share * (t[beyond] - t[last])) * direction)

    def entry_normal(self, entry: FloatArray, direction: FloatArray) -> FloatArray:
        """Outward unit normal (3,) of the cortex around an entry: the mean over a patch facing the needle."""
        wall = self.slices[WALL]
        squared = self.walls.squared[wall] - 2.0 * (self.walls.points[wall] @ entry) + entry @ entry
        near = np.flatnonzero(squared < ENTRY_PATCH_MM**2)
        normals = self.walls.normals[wall][near]
        facing = np.clip(-normals @ direction, 0.0, None)
        # Weights fade to zero at the rim of the patch and for cortex seen edge-on, so that the normal is a
        # continuous function of the needle.
        weight = (1.0 - squared[near] / ENTRY_PATCH_MM**2) ** 2 * facing
        if weight.sum() < 1e-9:
            return -direction
        return unit(weight @ normals)

    def evaluate(self, entry: FloatArray, target: FloatArray, radius_mm: float) -> PathCheck:
        """Evaluate a needle.

        Args:
            entry, target: (3,) local points; ``entry`` only gives the axis, the bone's own entry is computed.
            radius_mm: of the cannula.

        Raises:
            ValueError: entry and target coincide, or neither a wall of the pedicle nor the canal is near.
        """
        target = np.asarray(target, float)
        direction = unit(target - np.asarray(entry, float))
        crossing = self.isthmus.crossing(target, direction)
        start = self.bone_entry(crossing if crossing is not None else target, direction)
        tube = Tube(
            start=start,
            direction=direction,
            length=max(float((target - start) @ direction), STEP_MM),
            radius_mm=radius_mm,
            normal=self.entry_normal(start, direction),
            starts_in_pedicle=float(self.isthmus.depth_of(start)) >= -PEDICLE_ZONE_MM,
        )
        read, gaps = self._read(tube), self._axis_outside(tube)
        values = {kind: _or_gap(read.smallest(read.surface, kind), gaps, kind, radius_mm) for kind in KINDS}
        if read.rim_mm < 0:
            values[WALL] = min(read.rim_mm, values[WALL]) if values[WALL] is not None else read.rim_mm
        canal_axis, wall_axis = (_or_gap(read.smallest(read.axis, kind), gaps, kind, 0.0) for kind in (CANAL, WALL))
        if values[WALL] is None and values[CANAL] is None:
            raise ValueError("it lies far from the pedicle and the canal")
        worst = _smallest(values[kind] for kind in (WALL, ENDPLATE, ANTERIOR, LATERAL, CANAL))
        beside = min(
            [read.beside_mm, *(gaps[kind] - radius_mm for kind in (ENDPLATE, ANTERIOR, LATERAL) if kind in gaps)]
        )
        tolerance = _smallest((values[WALL], values[CANAL], beside))
        return PathCheck(
            entry=start,
            target=target,
            direction=direction,
            radius_mm=radius_mm,
            clearance=Clearance(
                canal=values[CANAL],
                pedicle_wall=values[WALL],
                endplate=values[ENDPLATE],
                anterior_wall=values[ANTERIOR],
                lateral_wall=values[LATERAL],
                neighbour=values[NEIGHBOUR],
            ),
            axis_clearance_mm=_smallest((wall_axis, canal_axis)),
            grade=gertzbein_robbins(-worst),
            tolerated_offset_mm=max(0.0, tolerance),
            tolerated_angle_deg=min(90.0, math.degrees(read.tilt)) if tolerance > 0 else 0.0,
            bone_path_mm=tube.length,
            through_pedicle=crossing is not None
            and not tube.starts_in_pedicle
            and bool(self.isthmus.depth_of(target) > 0)
            and bool(self.isthmus.contains(crossing)),
            crosses_own_bone=self.crosses_own_bone(start, direction),
        )

    def _read(self, tube: Tube) -> Reading:
        """What the surfaces leave a needle: read on those near it, and on all of a kind that is not near."""
        start, direction = tube.start, tube.direction
        by_direction, by_start = np.stack([direction, start]) @ self.walls.rows
        along = by_direction - start @ direction
        squared = self.walls.squared - 2.0 * by_start + start @ start - along**2
        near = squared < NEAR_MM**2
        # Farther ones leave at least this much, in mm and as a tilt.
        leave_mm, within = NEAR_MM - tube.radius_mm, tube.length + tube.radius_mm
        leave_rad = math.asin(min(1.0, NEAR_MM / within)) - math.asin(min(1.0, tube.radius_mm / within))
        while True:
            held = np.flatnonzero(near)
            radial = np.sqrt(np.maximum(squared[held], 0.0))
            read = Reading.of(self.walls.part(held), along[held], radial, tube)
            far = {kind for kind in KINDS if not read.smallest(read.surface, kind) <= leave_mm}
            if read.tilt > leave_rad:
                far |= {WALL, ENDPLATE, ANTERIOR, LATERAL, CANAL}
            parts = [self.slices[kind] for kind in far if not near[self.slices[kind]].all()]
            if not parts:
                return read
            for part in parts:
                near[part] = True

    def _axis_outside(self, tube: Tube) -> dict[int, float]:
        """Signed distances (mm, negative) of the axis beyond the surfaces it has crossed, by kind."""
        along = np.arange(-OUTSIDE_REACH_MM, tube.length + STEP_MM / 2, STEP_MM)
        axis = tube.start + along[:, None] * tube.direction
        gaps: dict[int, float] = {}
        for kind, field in ((CANAL, self.space.canal_mm), (NEIGHBOUR, self.space.neighbour_mm)):
            if field is not None:
                low = float(self.space.grid.sample(field, axis).min())
                if low < 0:
                    gaps[kind] = low
        zone = self.isthmus.depth_of(axis) >= -PEDICLE_ZONE_MM
        below = (tube.start - axis) @ tube.normal > ENTRY_ROUGHNESS_MM
        checked = ((along > 0) & (below | zone)) | (zone if tube.starts_in_pedicle else False)
        bone = np.where(checked, self.space.bone_at(axis), np.inf)
        outside = np.flatnonzero(bone < 0)
        if outside.size:
            kinds = self.walls.kind[self.walls.bone][self._bone_points.query(axis[outside])[1]]
            gaps |= {int(kind): float(bone[outside][kinds == kind].min()) for kind in np.unique(kinds)}
        return gaps

    @cached_property
    def _bone_points(self) -> cKDTree:
        """The bone's surface; made once a needle has left it."""
        return cKDTree(self.walls.points[self.walls.bone], leafsize=LEAF_POINTS)

    def crosses_own_bone(self, start: FloatArray, direction: FloatArray) -> bool:
        """Whether the axis runs through another part of the vertebra behind its entry ``start`` (3,)."""
        behind = np.arange(ENTRY_ROUGHNESS_MM, OUTSIDE_REACH_MM, STEP_MM)
        return bool((self.space.bone_at(start - behind[:, None] * direction) > STEP_MM).any())


def _smallest(values: Iterable[float | None]) -> float:
    """Of those that are known."""
    return min(value for value in values if value is not None)


def _or_gap(read_mm: float, gaps: dict[int, float], kind: int, radius_mm: float) -> float | None:
    """What was read, or how far the axis has gone beyond the surface; None where the kind is nowhere."""
    low = min(read_mm, gaps[kind] - radius_mm) if kind in gaps else read_mm
    return low if np.isfinite(low) else None
