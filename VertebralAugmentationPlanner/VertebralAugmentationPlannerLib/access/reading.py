"""What surface points leave one needle, in mm and as a tilt."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..model.geometry import FloatArray
from .surface import CANAL, ENDPLATE, LATERAL, WALL
from .walls import Walls, ball_clearance

OUTSIDE_REACH_MM = 40.0
"""The part of the cannula behind the entry that is checked against the canal and the neighbours: as far as the
facets, laminae and spinous processes of the neighbours reach behind an entry [D]."""


@dataclass(frozen=True, eq=False)
class Tube:
    """A cannula as it lies in the bone.

    Args:
        start, direction: (3,) where its axis enters the bone, and where it goes from there.
        length: from there to the tip, mm.
        normal: (3,) outward normal of the cortex at the entry.
        starts_in_pedicle: it enters no farther behind the isthmus than the pedicle begins.
    """

    start: FloatArray
    direction: FloatArray
    length: float
    radius_mm: float
    normal: FloatArray
    starts_in_pedicle: bool


@dataclass(frozen=True, eq=False)
class Reading:
    """What surface points leave a needle.

    Args:
        walls: the points.
        axis, surface: (N,) the ball's radius from the axis, and what it leaves the cannula's surface, mm; infinite for
            what is no wall of it.
        rim_mm: how far the cannula breaks the rim of its hole, mm; 0 or less.
        beside_mm: what the body's walls leave beside the cannula, mm; what lies ahead of its tip no shift brings to it.
        tilt: smallest tilt about the entry that brings it to a wall of the vertebra or to the canal, radians.
    """

    walls: Walls
    axis: FloatArray
    surface: FloatArray
    rim_mm: float
    beside_mm: float
    tilt: float

    @classmethod
    def of(cls, walls: Walls, along: FloatArray, radial: FloatArray, tube: Tube) -> Reading:
        """Read points that lie ``along`` the needle (N,), mm from its entry, and ``radial`` (N,) beside its axis."""
        length, radius_mm = tube.length, tube.radius_mm
        depth = walls.depth_below(tube.start, tube.normal)
        passed = along >= -OUTSIDE_REACH_MM
        if not tube.starts_in_pedicle:
            # Behind the entry only the walls of a pedicle that the needle enters from the side are met.
            passed[walls.bone] = along[walls.bone] >= 0.0
        met = (depth > 0) & passed
        axis = ball_clearance(radial, depth)
        axis[~met] = np.inf
        surface = axis - radius_mm
        # The cannula may stand in bone and above the entry cortex; how far its surface leaves both is the breach.
        rim = np.flatnonzero(met & (along <= length) & (radial < radius_mm))
        rim_mm = float(np.maximum(radial[rim] - radius_mm, -depth[rim]).min(initial=0.0))
        body = slice(walls.range(ENDPLATE).start, walls.range(LATERAL).stop)
        beside_mm = float(surface[body][along[body] <= length].min(initial=np.inf))
        tilt = _tilt(along[body], np.where(met[body], radial[body], np.inf), length, radius_mm)
        ahead = np.flatnonzero((along > length) & met)
        axis[ahead] = np.hypot(along[ahead] - length, radial[ahead])
        surface[ahead] = np.hypot(along[ahead] - length, np.maximum(radial[ahead] - radius_mm, 0.0))
        for part in map(walls.range, (WALL, CANAL)):
            tilt = min(tilt, _tilt(along[part], axis[part], length, radius_mm))
        return cls(walls, axis, surface, rim_mm, beside_mm, tilt)

    def smallest(self, values: FloatArray, kind: int) -> float:
        """Smallest of some of the values (N,) among the points of a kind; infinite where there are none."""
        return float(values[self.walls.range(kind)].min(initial=np.inf))


def _tilt(along: FloatArray, axis: FloatArray, length: float, radius_mm: float) -> float:
    """Smallest tilt, radians, that brings the cannula to one of some points; infinite where it reaches none."""
    # Tilting straight towards a point at distance R from the entry and angle α off the axis brings the surface to
    # it at α − asin(r / R). The part of the cannula behind the entry swings the other way by as much.
    away = np.sqrt(along**2 + axis**2)
    # sin α − sin β bounds α − β within a factor of 1.5 below 48°: enough to leave few points for the exact angle.
    reached = np.flatnonzero(away <= length + radius_mm)
    if not reached.size:
        return math.inf
    r, away = axis[reached], away[reached]
    gap = (r - radius_mm) / away
    if gap.min() <= 0:
        return 0.0
    near = gap <= 1.5 * gap.min() + 0.01
    tilt = np.arcsin(np.clip(r[near] / away[near], 0.0, 1.0)) - np.arcsin(np.clip(radius_mm / away[near], 0.0, 1.0))
    return float(tilt.min())
