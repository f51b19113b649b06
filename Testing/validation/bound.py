"""The largest clearance that any straight line through a pedicle could have, by brute force on the phantom's formulas.

Nothing of the planner is used: the bone is the phantom's true signed distance, the canal its ellipse. Two
clearances are told. *In the pedicle*: bone around the axis from 3 mm behind the isthmus to 5 mm in front of the posterior
wall, and the canal from the entry to the tip. *From the entry on*: the bone behind the pedicle as well, where a point under
the entry cortex counts from a depth of its own clearance plus 1.5 mm on (the surface around an entry is no wall).

Lines are sought on a grid of distances. What is reported, the bound as well as what a delivered needle has, is measured
to points on the formulas' surface: a grid reads a slim pedicle up to a tenth too narrow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree
from VertebralAugmentationPlannerLib.model import LocalGrid
from VertebralAugmentationPlannerLib.sample import SpinePhantom

FINE_MM, CANAL_MM = 0.5, 1.0
"""Grids of the true distances: to the bone, and to the canal, which is smooth."""

BOX = np.array([-38.0, -58.0, -30.0]), np.array([38.0, 24.0, 34.0])
"""Where needles run, construction frame, mm."""

STEP_MM = 0.5
ROUGHNESS_MM = 1.5
ZONE_MM = 3.0
JUNCTION_MM = 5.0
MIDLINE_MM = 8.0
DEPTHS = (0.68, 0.76, 0.84)
HEIGHTS = (0.25, 0.375, 0.5, 0.625, 0.75)
TIP_IN_BONE_MM = 1.5
"""“At least 1.5 mm from every wall”."""
ROUNDS, BROOD = 60, 40
FINAL_ROUNDS, FINAL_BROOD = 15, 10
"""The best lines of the grid are moved at random by less and less, the last rounds measured to the surface's points; the
bound is then good to a few hundredths."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Pedicle:
    """One true pedicle with the true bone around it, in the construction frame of its level."""

    phantom: SpinePhantom
    level: str
    side: str
    grid: LocalGrid
    bone: Array
    surface: cKDTree
    canal_grid: LocalGrid
    canal: Array

    @classmethod
    def both(cls, phantom: SpinePhantom, level: str) -> dict[str, Pedicle]:
        """The left and the right pedicle of a level."""
        grid, depth = _formula(phantom, level)
        inside = depth > 0
        bone = ndimage.distance_transform_edt(inside) - ndimage.distance_transform_edt(~inside)
        bone = ((bone - 0.5 * np.sign(bone)) * FINE_MM).astype(np.float32)
        surface = cKDTree(_surface(grid, depth))
        count = np.ceil((BOX[1] - BOX[0]) / CANAL_MM).astype(int) + 1
        canal_grid = LocalGrid(BOX[0], CANAL_MM, (int(count[0]), int(count[1]), int(count[2])))
        canal = phantom.distance_to_canal(phantom.vertebrae[level].frame.to_ras(canal_grid.points()))
        return {
            side: cls(phantom, level, side, grid, bone, surface, canal_grid, canal.astype(np.float32))
            for side in ("left", "right")
        }

    @property
    def tube(self):
        """The phantom's own tube."""
        return self.phantom.vertebrae[self.level].pedicles[self.side]

    def bone_at(self, points: Array) -> Array:
        """True depth in bone (…) at points (…, 3), negative outside."""
        return self.grid.sample(self.bone, points)

    def exact_bone_at(self, points: Array) -> Array:
        """The same to the surface's own points."""
        return np.sign(self.bone_at(points)) * self.surface.query(points)[0]

    def canal_at(self, points: Array) -> Array:
        """True distance (…) to the canal."""
        return self.canal_grid.sample(self.canal, points)

    def exact_canal_at(self, points: Array) -> Array:
        """The same from the formula."""
        return self.phantom.distance_to_canal(self.phantom.vertebrae[self.level].frame.to_ras(points))

    def midline(self, z: float) -> tuple[float, float]:
        """Local y of the posterior and anterior wall in the midline at a height."""
        y = np.arange(-40.0, 40.0, 0.25)
        inside = self.bone_at(np.stack([0 * y, y, 0 * y + z], axis=1)) > 0
        middle = int(np.argmin(np.abs(y)))
        back = middle - int(np.argmax(~inside[middle::-1]))
        front = middle + int(np.argmax(~inside[middle:]))
        return float(y[back]), float(y[front])

    def clearance(self, crossing: Array, tip: Array, behind_pedicle: bool, exact: bool = False) -> Array:
        """Clearance (K,) of the axes through ``crossing`` (K, 3) to ``tip`` (K, 3); −inf where one is not allowed.

        ``behind_pedicle`` counts the walls between entry and pedicle; ``exact`` measures to the surface's own points.
        """
        way = tip - crossing
        length = np.linalg.norm(way, axis=1)
        direction = way / length[:, None]
        t = np.arange(-40.0, 45.0, STEP_MM)
        points = crossing[:, None] + t[:, None] * direction[:, None]
        bone = self.exact_bone_at(points) if exact else self.bone_at(points)
        behind = int(np.searchsorted(t, 0.0))
        outside = bone[:, : behind + 1] <= 0
        last = behind - np.argmax(outside[:, ::-1], axis=1)
        entered = outside.any(axis=1) & (last < behind)
        rows, last = np.arange(len(last)), np.minimum(last, len(t) - 2)
        outer, inner = bone[rows, last], bone[rows, last + 1]
        start = t[last] + STEP_MM * np.clip(outer / np.where(outer == inner, 1.0, outer - inner), 0.0, 1.0)
        depth = t[None] - start[:, None]
        axis = self.tube.axis
        along = (points - self.tube.centre) @ axis
        wall = self.phantom.vertebrae[self.level].arch.wall_y
        within = (depth > 0) & (t[None] <= length[:, None])
        in_pedicle = points[..., 1] <= wall + JUNCTION_MM
        counted = within & in_pedicle & ((along >= -ZONE_MM) | (behind_pedicle & (bone < depth - ROUGHNESS_MM)))
        walls = np.where(counted, bone, np.inf).min(axis=1)
        body = np.where(within & ~in_pedicle, bone, np.inf).min(axis=1)
        canal = np.where(within, self.canal_at(points), np.inf).min(axis=1)
        entry = crossing + start[:, None] * direction
        allowed = entered & (body > TIP_IN_BONE_MM) & ((entry - self.tube.centre) @ axis < -ZONE_MM)
        return np.where(allowed, np.minimum(walls, canal), -np.inf)

    def bound(self, behind_pedicle: bool) -> float:
        """The largest clearance found, mm."""
        crossing, tip = self._lines()
        value = self.clearance(crossing, tip, behind_pedicle)
        best = np.argsort(-value)[:BROOD]
        crossing, tip, value = crossing[best], tip[best], value[best]
        random = np.random.default_rng(0)
        for n in range(ROUNDS):
            self._improve(random, crossing, tip, value, 1.2 * 0.93**n, behind_pedicle, exact=False)
        best = np.argsort(-value)[:FINAL_BROOD]
        crossing, tip = crossing[best], tip[best]
        value = self.clearance(crossing, tip, behind_pedicle, exact=True)
        for n in range(FINAL_ROUNDS):
            self._improve(random, crossing, tip, value, 0.3 * 0.85**n, behind_pedicle, exact=True)
        return float(value.max())

    def _improve(
        self,
        random: np.random.Generator,
        crossing: Array,
        tip: Array,
        value: Array,
        size: float,
        behind_pedicle: bool,
        exact: bool,
    ) -> None:
        """Move the lines at random and keep, in place, what gained."""
        tried_crossing = crossing + random.normal(0, 0.4 * size, crossing.shape)
        tried_tip = self._allowed(tip + random.normal(0, size, tip.shape))
        found = self.clearance(tried_crossing, tried_tip, behind_pedicle, exact)
        better = found > value
        crossing[better], tip[better], value[better] = tried_crossing[better], tried_tip[better], found[better]

    def _lines(self) -> tuple[Array, Array]:
        tube = self.tube
        across = np.linspace(-0.8, 0.8, 7) * tube.shape.isthmus_width_mm / 2
        up = np.linspace(-0.8, 0.8, 9) * tube.shape.isthmus_height_mm / 2
        a, b = np.meshgrid(across, up, indexing="ij")
        crossing = tube.centre + a.reshape(-1, 1) * tube.across + b.reshape(-1, 1) * tube.upward
        low, high = self._column()
        tips = []
        for share in HEIGHTS:
            z = low + share * (high - low)
            back, front = self.midline(z)
            tips += [
                (x, back + part * (front - back), z) for part in DEPTHS for x in np.linspace(-MIDLINE_MM, MIDLINE_MM, 5)
            ]
        tip = np.array(tips)
        return np.repeat(crossing, len(tip), axis=0), np.tile(tip, (len(crossing), 1))

    def _column(self) -> tuple[float, float]:
        """Lower and upper surface of the body in front of its middle."""
        y = float(self.phantom.vertebrae[self.level].body.rim_points()["anterior_superior"][1]) * 0.5
        z = np.arange(-25.0, 25.0, 0.25)
        inside = np.flatnonzero(self.bone_at(np.stack([0 * z, 0 * z + y, z], axis=1)) > 0)
        return float(z[inside[0]]), float(z[inside[-1]])

    def _allowed(self, tip: Array) -> Array:
        """Tips brought back into the anterior third and to the midline ± 8 mm."""
        middle = float(np.mean(self._column()))
        back, front = self.midline(middle)
        tip[:, 0] = np.clip(tip[:, 0], -MIDLINE_MM, MIDLINE_MM)
        tip[:, 1] = np.clip(tip[:, 1], back + 2 / 3 * (front - back), front)
        return tip


def _formula(phantom: SpinePhantom, level: str) -> tuple[LocalGrid, Array]:
    """Signed depth in bone by the formulas (first order: right at the surface), on the fine grid of the box."""
    count = np.ceil((BOX[1] - BOX[0]) / FINE_MM).astype(int) + 1
    grid = LocalGrid(BOX[0], FINE_MM, (int(count[0]), int(count[1]), int(count[2])))
    local = grid.points().reshape(-1, 3)
    frame = phantom.vertebrae[level].frame
    body, arch = phantom.part_distances(level, local, phantom.to_spine(frame.to_ras(local)))
    return grid, -np.minimum(body, arch).reshape(grid.shape)


def _surface(grid: LocalGrid, depth: Array) -> Array:
    """Points (N, 3) where the formulas change sign along the grid's edges, half a millimetre apart at most."""
    pieces = []
    for axis in range(3):
        here, there = (np.moveaxis(depth, axis, 0)[part] for part in (slice(None, -1), slice(1, None)))
        at = np.argwhere((here > 0) != (there > 0))
        a, b = here[tuple(at.T)], there[tuple(at.T)]
        index = at.astype(float)
        index[:, 0] += a / (a - b)
        pieces.append(grid.to_local(np.insert(index[:, 1:], axis, index[:, 0], axis=1)))
    return np.concatenate(pieces)
