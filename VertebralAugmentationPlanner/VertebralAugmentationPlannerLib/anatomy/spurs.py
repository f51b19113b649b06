"""What is no part of a plate: spurs in front of its rim, and corners of the neighbour under the wrong number.

Heights are read between the rims of the body itself, without osteophytes. Where labels of neighbours touch, the one may
hold a corner of the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..model import LocalGrid
from ..model.geometry import FloatArray
from .body import Body
from .outline import STRIP_HALF_WIDTH_MM, BodySurfaces, anterior_wall, robust_fit
from .rims import Voxels

COLUMNS_HALF_WIDTH_MM = 9.0
"""Half-width of the strip whose outermost columns tell where a rim is sought first."""

MAX_PLATE_SLOPE = 1.2
"""Steeper than about 50° is a wall, or the shoulder of a bulge of the posterior wall, and no end plate."""

WAIST_SHARE = 0.25
"""Share of the front's height at either end, where rims flare, that says nothing of the wall between them."""

MAX_LEAN = 0.1
"""Most lean (mm per mm) that the wall between the rims is followed with beyond itself."""

FRONT_BAND_MM = (6.0, 12.0)
"""So far behind the foremost bone the body's height tells which levels are the front's: spurs reach 5 mm, rarely 10 [D]."""

WAIST_QUANTILE = 0.35
"""Where the wall between the rims lies, among its levels from back to front: spurs stand out, nothing falls back [D]."""

FLARE_MM = 2.5
"""Rims stand in front of that wall by no more: at most 2.0 mm on 27 levels of seven spines without spurs, up to 8.7 mm
where spurs grow forwards (DISH) [C]."""

SPUR_MM, SPUR_RIM_MM = 4.0, 1.0
"""What stands out so far is a spur, and the rim beneath it stands out by about so much; between the two, the further
the plate goes on the less of it is rim [D]. Heights are read without osteophytes [V] (NDORMS/EVOS)."""

TOWER_MM, TOWER_NEAR_MM = 2.0, 6.0
"""What rises by so much above a plate, beyond a step, and higher than a neighbour's bone so near, is the neighbour's:
labels that touch exchange corners, rims of a broken plate stay below the disc [D]."""

FOREIGN_MM2 = 10.0
"""So much of a neighbour above a rim, near the midline, is told: what is read below it is continued and not seen [D]."""


@dataclass(frozen=True)
class FrontWall:
    """The front wall in the midline as it runs between the rims, a line: local anterior coordinate at z = 0, and lean."""

    place: float
    lean: float

    @classmethod
    def of(cls, bone: FloatArray, grid: LocalGrid, body: Body, surfaces: BodySurfaces) -> FrontWall | None:
        """From the middle of the front's height, as it is some way behind spurs; None where it is not seen there."""
        x, y, z = grid.axes
        strip = np.abs(x) <= STRIP_HALF_WIDTH_MM
        seen = strip[:, None] & np.isfinite(surfaces.top) & np.isfinite(surfaces.bottom)
        if not seen.any():
            return None
        behind = y[seen.any(axis=0)].max() - y
        near = seen & ((behind > FRONT_BAND_MM[0]) & (behind < FRONT_BAND_MM[1]))[None, :]
        if not near.any():
            return None
        low, high = float(np.median(surfaces.bottom[near])), float(np.median(surfaces.top[near]))
        trim = WAIST_SHARE * (high - low)
        levels = np.flatnonzero((z > low + trim) & (z < high - trim))
        place = anterior_wall(bone, grid, body, strip, levels)
        levels, place = levels[np.isfinite(place)], place[np.isfinite(place)]
        if len(levels) < 3:
            return None
        middle = float(z[levels].mean())
        _, lean = robust_fit(np.vander(z[levels] - middle, 2, increasing=True), place)[0]
        lean = float(np.clip(lean, -MAX_LEAN, MAX_LEAN))
        return cls(float(np.quantile(place - lean * z[levels], WAIST_QUANTILE)), lean)

    def at(self, z: float) -> float:
        """Local anterior coordinate at a height."""
        return self.place + self.lean * z


def without_spur(out_mm: float) -> float:
    """By how much a rim stands in front of the wall, of a plate that goes on for ``out_mm`` in front of it."""
    return min(out_mm, max(SPUR_RIM_MM, min(FLARE_MM, SPUR_MM + SPUR_RIM_MM - out_mm)))


def rims_under(foreign: NDArray[np.bool_], grid: LocalGrid, middle_y: float) -> tuple[str, ...]:
    """Which rims lie under foreign cells, by whether these lie in front of the middle or behind it near the midline."""
    area = foreign[np.abs(grid.axes[0]) < COLUMNS_HALF_WIDTH_MM].sum(axis=0) * grid.spacing_mm**2
    in_front = grid.axes[1] > middle_y
    sides = (("anterior", in_front), ("posterior", ~in_front))
    return tuple(name for name, here in sides if area[here].sum() > FOREIGN_MM2)


def cells_of(grid: LocalGrid) -> FloatArray:
    """(X, Y, 2) local coordinates of a grid's columns."""
    return np.stack(np.meshgrid(*grid.axes[:2], indexing="ij"), axis=-1)


def at_cells(cells: NDArray[np.bool_], grid: LocalGrid, points: FloatArray) -> NDArray[np.bool_]:
    """(N,) whether the cells (X, Y) below or above points (N, 2 or 3) are marked."""
    index = np.round((points[:, :2] - grid.first_mm[:2]) / grid.spacing_mm).astype(int)
    index = np.clip(index, 0, np.array(cells.shape) - 1)
    return cells[index[:, 0], index[:, 1]]


def foreign_cells(surface: FloatArray, grid: LocalGrid, outward: int, voxels: Voxels) -> NDArray[np.bool_]:
    """(X, Y) cells of a plate that stand like a tower within the neighbour and belong to it.

    Where labels of neighbours touch, the one may hold a corner of the other: beyond a step, and level with the neighbour.
    """
    steep = np.nan_to_num(np.hypot(*np.gradient(surface, grid.spacing_mm)), nan=0.0) > MAX_PLATE_SLOPE
    parts, count = ndimage.label(np.isfinite(surface) & ~steep)
    none = np.zeros(surface.shape, bool)
    if count < 2:
        return none
    largest = 1 + int(np.argmax(np.bincount(parts.ravel())[1:]))
    apart = np.isfinite(surface) & (parts != largest)
    level = float(np.median(outward * surface[parts == largest]))
    high = apart & (outward * surface > level + TOWER_MM)
    if not high.any():
        return none
    low = np.array([grid.axes[0][0], grid.axes[1][0], min(outward * level, outward * (level + 30.0))])
    top = np.array([grid.axes[0][-1], grid.axes[1][-1], max(outward * level, outward * (level + 30.0))])
    neighbours = voxels.of_neighbours(low, top)
    if not len(neighbours):
        return none
    facing = np.full(surface.shape, np.inf)
    index = np.round((neighbours[:, :2] - grid.first_mm[:2]) / grid.spacing_mm).astype(int)
    np.minimum.at(facing, (index[:, 0], index[:, 1]), outward * neighbours[:, 2])
    facing = ndimage.minimum_filter(facing, size=2 * int(TOWER_NEAR_MM / grid.spacing_mm) + 1)
    # A tower is what hangs together with a part that passes the neighbour, its steep sides among it.
    towers, _ = ndimage.label(apart | steep)
    passing = np.unique(towers[high & (outward * surface > facing)])
    return np.isin(towers, passing[passing > 0]) & (outward * surface > level)
