"""The global half of the search: many straight lines through the isthmus, scored on the distance fields at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..model.geometry import FloatArray
from .isthmus import IsthmusPlane
from .space import AccessSpace
from .surface import JUNCTION_MM, posterior_wall_at
from .target import PREFERRED_DEPTH_FRACTION
from .walls import ENTRY_ROUGHNESS_MM, PEDICLE_ZONE_MM

CROSSINGS_ACROSS, CROSSINGS_UP = 13, 15
"""Crossings of the isthmus tried, over its outline: 0.4–1.4 mm apart. The refinement starts from the best."""

TARGETS_ACROSS, TARGET_HEIGHTS = 5, (0.22, 0.36, 0.5, 0.64, 0.78)
"""Tips tried: across the reach (2.5 mm apart), and at these shares of the height between the end plates."""

STRICT_ROUGHNESS_MM = 1.0
"""What is exempt along a line behind its entry while it is searched for: less than the evaluation exempts, because labels
and fields are coarse, and a groove beside the entry may be narrower than a voxel [D]."""

STEP_MM = 1.0
BEHIND_MM = 45.0
"""No bone behind an isthmus is longer along a needle: 30 mm to the tip of a transverse process [D]."""

USUAL_BEHIND_MM = 23.0
"""Most lines leave the bone within this behind the isthmus; only those that don't are read further [C]."""

AHEAD_MM = 30.0
"""A line is followed this far in front of the isthmus, well into the body; the exact evaluation judges the tip [D]."""

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

    def within(self, reach_x: tuple[float, float]) -> Candidates:
        """Those whose tip's local x lies in a range, mm."""
        kept = (self.tip[:, 0] >= reach_x[0] - 1e-6) & (self.tip[:, 0] <= reach_x[1] + 1e-6)
        return Candidates(self.score[kept], self.crossing[kept], self.tip[kept])

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
    behind = np.arange(-10.0, BEHIND_MM, NEIGHBOUR_STEP_MM)
    score = score - neighbour_shortage(space, entry, direction, room_mm, behind)
    score = score - detour_price(space, entry, direction, STEP_MM)
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
    behind, ahead = np.arange(-BEHIND_MM, 0.5 * STEP_MM, STEP_MM), np.arange(STEP_MM, AHEAD_MM, STEP_MM)
    junction = posterior_wall_at(space.vertebra, isthmus.centre) + JUNCTION_MM
    bone, start = _entered(space, a, direction, behind)
    entry = a + start[:, None] * direction

    def within(t: FloatArray, lines: NDArray[np.int_]) -> NDArray[np.bool_]:
        return (t > start[lines, None]) & (t <= length[lines, None])

    def smallest(bone: FloatArray, t: FloatArray, lines: NDArray[np.int_]) -> tuple[FloatArray, FloatArray]:
        """Smallest counted distance in the pedicle and in the body."""
        in_pedicle = a[lines, 1, None] + t * direction[lines, 1, None] <= junction
        depth = isthmus.depth_of(a[lines])[:, None] + t * (direction[lines] @ isthmus.axis)[:, None]
        counted = (depth >= -PEDICLE_ZONE_MM) | (bone < t - start[lines, None] - STRICT_ROUGHNESS_MM)
        held = within(t, lines)
        wall = np.where(held & in_pedicle & counted, bone, np.inf).min(axis=1)
        return wall, np.where(held & ~in_pedicle, bone, np.inf).min(axis=1)

    wall, body = smallest(bone, behind, np.arange(len(a)))
    usable = np.isfinite(start) & (body > 0) & (wall > 0) & (isthmus.depth_of(entry) < -PEDICLE_ZONE_MM)
    # What does not even pass the pedicle is not followed into the body.
    lines = np.flatnonzero(usable)
    wall_ahead, body_ahead = smallest(read_along(space, space.bone_mm, a[lines], direction[lines], ahead), ahead, lines)
    wall[lines] = np.minimum(wall[lines], wall_ahead)
    usable[lines] = (wall_ahead > 0) & (body_ahead > 0)
    score = np.where(usable, wall, -np.inf)
    # The canal only lowers a score: it is read for the lines that the walls leave in the running.
    kept = np.argsort(-score, kind="stable")[:CANAL_READ]
    whole = np.concatenate([behind, ahead])
    canal = read_along(space, space.canal_mm, a[kept], direction[kept], whole)
    canal = np.where(within(whole, kept), canal, np.inf).min(axis=1)
    final = np.full(len(a), -np.inf)
    final[kept] = np.where(canal > 0, np.minimum(score[kept], canal), -np.inf)
    return final, entry


def read_along(
    space: AccessSpace, field: FloatArray, a: FloatArray, direction: FloatArray, t: FloatArray
) -> FloatArray:
    """A field (K, T) of the vertebra at distances (T,) along lines (K, 3)."""
    # Built where it is read: half a million points and their copies cost more than their interpolation.
    index = space.grid.to_index(a).T[:, :, None] + (direction.T / space.grid.spacing_mm)[:, :, None] * t
    return np.asarray(ndimage.map_coordinates(field, index, order=1, mode="nearest", output=np.float64))


def _entered(space: AccessSpace, a: FloatArray, direction: FloatArray, t: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Bone (K, T) at the distances behind the isthmus, read as far as each line needs, and where the line enters it
    (K,), NaN where it doesn't."""
    usual = int(np.searchsorted(t, -USUAL_BEHIND_MM))
    bone = np.ones((len(a), len(t)))
    bone[:, usual:] = read_along(space, space.bone_mm, a, direction, t[usual:])
    longer = np.flatnonzero((bone[:, usual:] > 0).all(axis=1))
    bone[longer, :usual] = read_along(space, space.bone_mm, a[longer], direction[longer], t[:usual])
    start, found = entry_along(bone, t)
    return bone, np.where(found, start, np.nan)


def entry_along(bone: FloatArray, t: FloatArray) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Where lines (K,) enter the bone in which they cross the isthmus, as distances on them, and whether they do.

    Args:
        bone: (K, T) distances to the surface, positive inside, read at ``t`` (T,), every :data:`STEP_MM` up to the isthmus.
    """
    outside, here = bone <= 0, len(t) - 1
    last = here - np.argmax(outside[:, ::-1], axis=1)
    rows = np.arange(len(bone))
    before, after = bone[rows, last], bone[rows, np.minimum(last + 1, here)]
    share = -before / np.where(after == before, 1.0, after - before)
    return t[last] + STEP_MM * np.clip(share, 0.0, 1.0), outside.any(axis=1) & ~outside[:, here]


def neighbour_shortage(
    space: AccessSpace, entry: FloatArray, direction: FloatArray, room_mm: float, behind: FloatArray
) -> FloatArray | float:
    """What lines (K,) lack of the room to the neighbours, mm, read at distances ``behind`` (T,) their entries."""
    if space.neighbour_mm is None:
        return 0.0
    distance = read_along(space, space.neighbour_mm, entry, -direction, behind)
    return np.maximum(room_mm - distance.min(axis=1), 0.0)


def detour_price(space: AccessSpace, entry: FloatArray, direction: FloatArray, step_mm: float) -> FloatArray:
    """What lines (K,) are marked down for that run through another part of the vertebra before their entry, mm."""
    behind = np.arange(ENTRY_ROUGHNESS_MM, OWN_BONE_REACH_MM, step_mm)
    bone = read_along(space, space.bone_mm, entry, -direction, behind)
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
