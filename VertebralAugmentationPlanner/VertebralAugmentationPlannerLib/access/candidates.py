"""The global half of the search: many straight lines through the isthmus, scored on the distance fields at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..model.geometry import FloatArray
from .isthmus import IsthmusPlane
from .space import AccessSpace
from .surface import JUNCTION_MM, posterior_wall_at
from .target import PREFERRED_DEPTH_FRACTION
from .walls import ENTRY_ROUGHNESS_MM, PEDICLE_ZONE_MM

CROSSINGS_ACROSS, CROSSINGS_UP = 13, 15
"""Crossings of the isthmus tried, over its outline: 0.4–1.4 mm apart. The refinement starts from the best."""

TARGETS_ACROSS, TARGET_HEIGHTS = 7, (0.22, 0.36, 0.5, 0.64, 0.78)
"""Tips tried: across the reach, and at these shares of the height between the end plates."""

STEP_MM = 1.0
BEHIND_MM = 45.0
"""No bone behind an isthmus is longer along a needle: 30 mm to the tip of a transverse process [D]."""

CANAL_READ = 1500
"""Lines of which the canal is read, the best by the walls [D]."""

OWN_BONE_REACH_MM, DETOUR_MM = 40.0, 3.0
"""A line that goes through a process of the same vertebra before its entry is no path while another one is left [D]."""

NEIGHBOUR_STEP_MM = 2.0
SCORED_FURTHER = 1500
"""This many of the best by clearance alone are also checked against the neighbours."""

READING_ERROR_MM = 0.25
"""The fields read a clearance to about this, so that a start may look this much too tight [C]."""

APART_MM = 2.5
"""Starts closer than this, at the crossing and at the tip together, are the same start."""


@dataclass(frozen=True, eq=False)
class Line:
    """A straight line as the search moves it: local points where it crosses the isthmus, and its tip."""

    crossing: FloatArray
    tip: FloatArray


@dataclass(frozen=True, eq=False)
class Candidates:
    """The better lines of the global search, best first; empty where none runs in bone.

    Args:
        score: (K,) clearance read off the distance fields, mm, less what a line is marked down for.
        crossing, tip: (K, 3) local points.
    """

    score: FloatArray
    crossing: FloatArray
    tip: FloatArray

    def widest(self, count: int) -> list[Line]:
        """The lines of largest clearance, mutually distinct."""
        return _distinct(self.score, self.crossing, self.tip, count)

    def most_wished(self, floor_mm: float, middle_z: float, half_height: float, wished_x: float) -> Line | None:
        """Among the lines of about this clearance, the one whose tip lies nearest to where it is wished for."""
        wide = self.score >= floor_mm - READING_ERROR_MM
        if not wide.any():
            return None
        off = ((self.tip[:, 2] - middle_z) / half_height) ** 2 + ((self.tip[:, 0] - wished_x) / half_height) ** 2
        best = int(np.argmin(np.where(wide, off - 0.01 * self.score, np.inf)))
        return Line(self.crossing[best], self.tip[best])


def search_lines(space: AccessSpace, isthmus: IsthmusPlane, reach_x: tuple[float, float], room_mm: float) -> Candidates:
    """Score many lines at once and keep the better ones.

    Args:
        space: the vertebra.
        isthmus: of the side.
        reach_x: range of the tip's local x, mm.
        room_mm: distance of the axis to the neighbours below which a line is marked down.
    """
    crossings = _crossings(space, isthmus)
    tips = _tips(space, reach_x)
    if not len(crossings):
        return Candidates(np.empty(0), np.empty((0, 3)), np.empty((0, 3)))
    a, b = np.repeat(crossings, len(tips), axis=0), np.tile(tips, (len(crossings), 1))
    direction = b - a
    length = np.linalg.norm(direction, axis=1)
    direction /= length[:, None]
    score, entry = _clearance_along(space, isthmus, a, direction, length)
    order = np.argsort(-score, kind="stable")[:SCORED_FURTHER]
    order = order[np.isfinite(score[order])]
    score, entry, a, b, direction = (values[order] for values in (score, entry, a, b, direction))
    score = score - _neighbour_shortage(space, entry, direction, room_mm) - _detour(space, entry, direction)
    order = np.argsort(-score, kind="stable")
    return Candidates(score[order], a[order], b[order])


def _crossings(space: AccessSpace, isthmus: IsthmusPlane) -> FloatArray:
    low, high = isthmus.polygon.min(axis=0), isthmus.polygon.max(axis=0)
    across = np.linspace(low[0], high[0], CROSSINGS_ACROSS + 2)[1:-1]
    up = np.linspace(low[1], high[1], CROSSINGS_UP + 2)[1:-1]
    points = isthmus.to_local(np.stack(np.meshgrid(across, up, indexing="ij"), axis=-1).reshape(-1, 2))
    return points[isthmus.contains(points) & (space.bone_at(points) > 0)]


def _tips(space: AccessSpace, reach_x: tuple[float, float]) -> FloatArray:
    target = space.target
    middle = 0.5 * (target.z_mm[0] + target.z_mm[-1])
    y = float(target.y_at(PREFERRED_DEPTH_FRACTION, middle))
    points = []
    for x in np.linspace(*reach_x, TARGETS_ACROSS):
        low, high = (float(z) for z in target.plates_at(x, y))
        for share in TARGET_HEIGHTS:
            z = low + share * (high - low)
            points.append((x, float(target.y_at(PREFERRED_DEPTH_FRACTION, z)), z))
    return np.array(points)


def _clearance_along(
    space: AccessSpace, isthmus: IsthmusPlane, a: FloatArray, direction: FloatArray, length: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Smallest counted distance (K,) along the pedicle and to the canal, −inf where none; and the entries (K, 3)."""
    t = np.arange(-BEHIND_MM, 30.0, STEP_MM)
    behind = int(np.searchsorted(t, 0.0))
    bone, points, start = _sampled(space, a, direction, t, behind)
    entry = a + start[:, None] * direction
    in_zone = (points - isthmus.centre) @ isthmus.axis >= -PEDICLE_ZONE_MM
    within = (t[None, :] > start[:, None]) & (t[None, :] <= length[:, None])
    in_pedicle = points[..., 1] <= posterior_wall_at(space.vertebra, isthmus.centre) + JUNCTION_MM
    depth = t[None, :] - start[:, None]
    counted = within & in_pedicle & (in_zone | (bone < depth - ENTRY_ROUGHNESS_MM))
    wall = np.where(counted, bone, np.inf).min(axis=1)
    in_body = np.where(within & ~in_pedicle, bone, np.inf).min(axis=1)
    usable = np.isfinite(start) & (in_body > 0) & (wall > 0) & (isthmus.depth_of(entry) < -PEDICLE_ZONE_MM)
    score = np.where(usable, wall, -np.inf)
    # The canal only lowers a score: it is read for the lines that the walls leave in the running.
    kept = np.argsort(-score, kind="stable")[:CANAL_READ]
    canal = np.where(within[kept], space.grid.sample(space.canal_mm, points[kept]), np.inf).min(axis=1)
    final = np.full(len(a), -np.inf)
    final[kept] = np.where(canal > 0, np.minimum(score[kept], canal), -np.inf)
    return final, entry


def _sampled(
    space: AccessSpace, a: FloatArray, direction: FloatArray, t: FloatArray, behind: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Bone (K, T) along the lines, the points (K, T, 3), and where each enters the bone behind the isthmus (K,), NaN
    where it doesn't."""
    points = a[:, None] + t[None, :, None] * direction[:, None]
    bone = space.bone_at(points)
    outside = bone[:, : behind + 1] <= 0
    last_out = behind - np.argmax(outside[:, ::-1], axis=1)
    found = outside.any(axis=1) & (last_out < behind)
    rows = np.arange(len(a))
    out_value, in_value = bone[rows, last_out], bone[rows, np.minimum(last_out + 1, behind)]
    with np.errstate(divide="ignore", invalid="ignore"):
        start = t[last_out] - STEP_MM * out_value / (in_value - out_value)
    return bone, points, np.where(found, start, np.nan)


def _neighbour_shortage(
    space: AccessSpace, entry: FloatArray, direction: FloatArray, room_mm: float
) -> FloatArray | float:
    if space.neighbour_mm is None:
        return 0.0
    behind = np.arange(-10.0, BEHIND_MM, NEIGHBOUR_STEP_MM)
    distance = space.grid.sample(space.neighbour_mm, entry[:, None] - behind[None, :, None] * direction[:, None])
    return np.maximum(room_mm - distance.min(axis=1), 0.0)


def _detour(space: AccessSpace, entry: FloatArray, direction: FloatArray) -> FloatArray:
    """What lines (K,) are marked down for that run through another part of the vertebra before their entry, mm."""
    behind = np.arange(ENTRY_ROUGHNESS_MM, OWN_BONE_REACH_MM, STEP_MM)
    bone = space.bone_at(entry[:, None] - behind[None, :, None] * direction[:, None])
    return np.where(bone.max(axis=1) > 0, DETOUR_MM, 0.0)


def _distinct(score: FloatArray, a: FloatArray, b: FloatArray, count: int) -> list[Line]:
    chosen: list[Line] = []
    for index in np.argsort(-score, kind="stable"):
        if not np.isfinite(score[index]):
            break
        apart = all(
            np.linalg.norm(a[index] - line.crossing) + np.linalg.norm(b[index] - line.tip) > APART_MM for line in chosen
        )
        if apart:
            chosen.append(Line(a[index], b[index]))
            if len(chosen) == count:
                break
    return chosen
