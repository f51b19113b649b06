"""Where the search for a pedicle begins, and where an isthmus may lie at all."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..model import LocalGrid
from ..model.geometry import FloatArray
from .body import Body
from .canal import Canal
from .extent import sides
from .surface import distance_to

ARCH_REACH_MM = (36.0, 14.0)
"""The arch behind a pedicle (facets, lamina, root of the transverse process) lies within this far of the midline and
behind the canal's middle."""

BEHIND_CANAL_MM = 3.5
"""The isthmus' centre lies no farther than this behind the canal's middle; 2.3 mm (T1) was the most in 196 real pedicles.
Where an L5 pedicle is broader than the facet behind it, the narrowest section is the facet's, 8 mm behind [C]."""

BESIDE_SHARE = 1.2
"""… and no farther beside the midline than this share of the body's half-width: at 0.3 to 1.0 of it in the same pedicles, at 1.17
by published sizes of T1 (a body 26 mm wide behind a canal of 22 mm with pedicles of 8 mm). At T1 the root of the transverse
process may be slimmer than the pedicle; it lay at 1.3 to 1.7 [C]."""

USUAL_BESIDE, USUAL_BEHIND_WALL_MM = 0.8, 2.0
"""About the mean place of the same pedicles, as a share of the body's half-width and behind its posterior wall [C]."""

USUAL_BEHIND_HERE_MM = 3.1
"""The median of how far an isthmus lies behind the wall beside it, half-way to the side: −1.6 mm (L5) to 7.0 in 166 real pedicles.
In front of it lies the body's corner, whose section, cut off by wall and side, may be as small as a pedicle's [C]."""

MIN_HALF_WIDTH_MM = 0.4
"""A bridge less deep than this in the smoothed field is one or two voxels of label noise, not a pedicle."""

SMOOTHED_AWAY = 1.25
"""Depth that smoothing takes from the middle of a round bridge, in widths of the smoothing: the mean distance from the middle of
a two-dimensional Gaussian, √(π/2). Of a flat one it takes 0.8 [C]."""

BOTTLENECK_MM = 0.1
"""The half-width at which body and arch come apart is found to this: the search only starts there."""


class PedicleNotFound(ValueError):
    """No pedicle between body and arch on this side; the message says what was seen."""


@dataclass(frozen=True)
class Place:
    """Where an isthmus may lie.

    Args:
        rearmost: least local y.
        lateral: 1 on the right, −1 on the left.
        middle: local x of the body's middle.
        half_width: of the body.
    """

    rearmost: float
    lateral: float
    middle: float
    half_width: float

    @classmethod
    def of(cls, grid: LocalGrid, canal: Canal, body: Body, lateral: float) -> Place:
        """The place of one side."""
        left, right = sides(grid, body)
        return cls(float(canal.centre[1]) - BEHIND_CANAL_MM, lateral, (left + right) / 2, (right - left) / 2)

    @property
    def reach(self) -> float:
        """Farthest from the middle to the side, mm."""
        return BESIDE_SHARE * self.half_width

    def beyond(self, point: FloatArray) -> float:
        """How far a local point (3,) lies out of it, mm; 0 inside."""
        aside = self.lateral * (float(point[0]) - self.middle) - self.reach
        return max(0.0, self.rearmost - float(point[1]), aside)

    def is_unusual(self, point: FloatArray) -> bool:
        """Whether a local point (3,) lies farther to the side than the body's half-width: of real pedicles, only T1's do."""
        return self.lateral * (float(point[0]) - self.middle) > self.half_width

    def usual(self, body: Body, grid: LocalGrid, start: FloatArray) -> FloatArray:
        """(3,) local point at the height of another where an isthmus usually lies."""
        x = self.middle + self.lateral * USUAL_BESIDE * self.half_width
        at = np.round(grid.to_index(np.array([self.middle, start[1], start[2]]))).astype(int)
        return np.array([x, float(body.wall[at[0], at[2]]) - USUAL_BEHIND_WALL_MM, start[2]])


def before_wall(point: FloatArray, grid: LocalGrid, body: Body) -> float:
    """How far a local point (3,) lies in front of the posterior wall beside it, mm; negative behind it."""
    left, right = sides(grid, body)
    middle, half_way = (left + right) / 2, (right - left) / 4
    x = np.clip(point[0], middle - half_way, middle + half_way)
    at = np.round(grid.to_index(np.array([x, point[1], point[2]]))).astype(int)
    at = np.clip(at, 0, np.array(grid.shape) - 1)
    return float(point[1]) - float(body.wall[at[0], at[2]])


def bottleneck(
    bone: FloatArray, grid: LocalGrid, canal: Canal, body: Body, place: Place, smoothing_mm: float
) -> FloatArray:
    """(3,) local point where the widest way from the body's core to this side of the arch is narrowest.

    Args:
        smoothing_mm: Gaussian width by which the bone's distances were smoothed.

    Raises:
        PedicleNotFound: nothing joins body and arch there, or too little for these voxels to show.
    """
    x, y, z = grid.axes
    lateral = place.lateral
    # Only the block between core and arch is searched: it is a tenth of the vertebra.
    part = np.ix_(
        np.flatnonzero((lateral * x > 1.0) & (lateral * x < ARCH_REACH_MM[0])),
        np.flatnonzero((y > canal.centre[1] - ARCH_REACH_MM[1]) & (y < body.core_centre[1] + 4.0)),
        np.flatnonzero((z > z[body.wall_levels[0]] - 4.0) & (z < z[body.wall_levels[1]] + 8.0)),
    )
    depth, first = bone[part], np.array([axis[index.ravel()[0]] for axis, index in zip((x, y, z), part, strict=True)])
    core = body.mask[part] & (depth > 0.55 * float(bone[body.mask].max()))
    arch = np.broadcast_to(y[part[1]] < canal.centre[1] - 1.0, depth.shape)

    def split(threshold: float) -> tuple[NDArray[np.int_], NDArray[np.int_], NDArray[np.int_]]:
        parts, _ = ndimage.label(depth > threshold)
        from_body, from_arch = np.unique(parts[core & (parts > 0)]), np.unique(parts[arch & (parts > 0)])
        return parts, from_body, from_arch

    joined, apart = 0.0, 12.0
    _, from_body, from_arch = split(joined)
    if not np.intersect1d(from_body, from_arch).size:
        raise PedicleNotFound("no bridge of bone joins the body to the arch")
    while apart - joined > BOTTLENECK_MM:
        middle = (joined + apart) / 2
        _, from_body, from_arch = split(middle)
        if np.intersect1d(from_body, from_arch).size:
            joined = middle
        else:
            apart = middle
    if joined < MIN_HALF_WIDTH_MM:
        # How thick it is cannot be said: smoothing takes most of so little. What it is thinner than can.
        most = math.ceil(20.0 * (MIN_HALF_WIDTH_MM + SMOOTHED_AWAY * smoothing_mm)) / 10.0
        raise PedicleNotFound(
            f"the bridge of bone between body and arch is thinner than {most:.1f} mm, too thin to be followed in these voxels"
        )
    bridge, from_body, from_arch = split(joined)
    common = np.isin(bridge, np.intersect1d(from_body, from_arch))
    parts, from_body, from_arch = split(apart)
    ends = []
    for side, region in ((from_body, core), (from_arch, arch)):
        deep = np.isin(parts, side)
        # An arch slimmer than its pedicles has nothing so deep: the way then ends where it begins.
        ends.append(deep if deep.any() else region & common)
    to_body, to_arch = (distance_to(end, np.ones(3)) for end in ends)
    near = common & (lateral * (x[part[0]] - place.middle) <= place.reach) & (y[part[1]] >= place.rearmost)
    if not near.any():
        raise PedicleNotFound("the bone that joins the body to the arch lies beside or behind where pedicles are")
    way = np.where(near, to_body + to_arch + 0.01 * np.maximum(to_body, to_arch), np.inf)
    return first + np.array(np.unravel_index(int(np.argmin(way)), way.shape)) * grid.spacing_mm
