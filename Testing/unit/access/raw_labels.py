"""What any straight needle could have in a real vertebra, read from the raw label map by brute force.

Independent of the planner's surfaces and of its search: bone is the label itself, resampled to half a millimetre, and
depths are Euclidean distances in it. From the planner come the frame (as coordinates), the isthmus (where lines have to
pass) and the posterior wall (how far the pedicle goes).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import ndimage

FINE_MM, STEP_MM = 0.5, 0.75
BOX = np.array([-36.0, -48.0, -32.0]), np.array([36.0, 50.0, 32.0])
"""Around a vertebra's origin in its own frame (right, anterior, superior), mm."""

BEHIND_MM, JUNCTION_MM = 4.0, 3.0
"""The pedicle: from this far behind its isthmus to as far in front of the posterior wall."""

ROUGHNESS_MM = 1.5
"""Farther behind, a depth counts only where it is less than the way from the entry by more than this: the surface around
an entry is no wall, a side wall is one."""

OFF_MIDLINE_MM, THIRD = 8.0, 2.0 / 3.0
EVERY_WALL_MM = 1.5
"""A line keeps this from every wall, behind the pedicle and in the body as well."""

ROUNDS, BROOD = 40, 30


@dataclass(frozen=True)
class RawBone:
    """One vertebra's label as depths (mm, inside positive) on a fine grid in its frame."""

    vertebra: object
    depth: np.ndarray

    @classmethod
    def of(cls, case, vertebra) -> RawBone:
        """The label of a vertebra of a case."""
        axes = [np.arange(low, high, FINE_MM) for low, high in zip(*BOX, strict=True)]
        local = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
        labels = case.labels
        index = labels.to_ijk(vertebra.frame.to_ras(local.reshape(-1, 3))).T
        mask = (labels.voxels == case.level_values[vertebra.level]).astype(np.float32)
        solid = ndimage.map_coordinates(mask, index, order=1, mode="constant").reshape(local.shape[:3]) >= 0.5
        inside, outside = (ndimage.distance_transform_edt(part) for part in (solid, ~solid))
        return cls(vertebra, (np.where(solid, inside - 0.5, 0.5 - outside) * FINE_MM).astype(np.float32))

    def depth_at(self, points):
        """Depth (…) in bone at local points (…, 3)."""
        index = ((points - BOX[0]) / FINE_MM).reshape(-1, 3).T
        return ndimage.map_coordinates(self.depth, index, order=1, mode="nearest").reshape(points.shape[:-1])

    def body_in_the_midline(self, z: float) -> tuple[float, float]:
        """Local y of the body's posterior and anterior end in the midline at a height (the middle of five columns)."""
        y = np.arange(-30.0, 48.0, 0.25)
        ends = []
        for x in (-2.0, -1.0, 0.0, 1.0, 2.0):
            inside = self.depth_at(np.stack([0 * y + x, y, 0 * y + z], axis=1)) > 0
            runs, count = ndimage.label(inside)
            if count:
                longest = 1 + int(np.argmax(np.bincount(runs)[1:]))
                at = y[runs == longest]
                ends.append((at[0], at[-1]))
        back, front = np.median(ends, axis=0)
        return float(back), float(front)

    def clearance(self, side: str, crossing, tip):
        """Smallest depth (K,) of lines along the pedicle; −inf where one enters beside it or comes within 1.5 mm of a wall
        elsewhere."""
        pedicle = self.vertebra.pedicles[side]
        way = tip - crossing
        length = np.linalg.norm(way, axis=1)
        direction = way / length[:, None]
        t = np.arange(-40.0, float(length.max()) + STEP_MM, STEP_MM)
        points = crossing[:, None] + t[None, :, None] * direction[:, None]
        depth = self.depth_at(points)
        behind = (points - pedicle.centre) @ pedicle.axis
        first = int(np.searchsorted(t, 0.0))
        outside = depth[:, :first] <= 0
        last = first - 1 - np.argmax(outside[:, ::-1], axis=1)
        into = t[None] - t[last][:, None]
        within = (into > 0) & (t[None] <= length[:, None])
        in_pedicle = within & (points[..., 1] <= self.wall + JUNCTION_MM)
        in_body = within & (points[..., 1] > self.wall + JUNCTION_MM)
        along = np.where(in_pedicle & (behind >= -BEHIND_MM), depth, np.inf).min(axis=1)
        side_wall = np.where(in_pedicle & (depth < into - ROUGHNESS_MM), depth, np.inf).min(axis=1)
        body = np.where(in_body, depth, np.inf).min(axis=1)
        entered = outside.any(axis=1) & (behind[np.arange(len(last)), last] < -BEHIND_MM)
        clear = (np.minimum(body, side_wall) >= EVERY_WALL_MM) & np.isfinite(along)
        return np.where(entered & clear, along, -np.inf)

    @cached_property
    def wall(self) -> float:
        """Local y of the posterior wall in the midline at mid-height."""
        return self.body_in_the_midline(0.5 * sum(self.heights))[0]

    @cached_property
    def heights(self) -> tuple[float, float]:
        """Lower and upper end of the body in the midline, 60 % of the way to the front."""
        z = np.arange(-28.0, 28.0, 0.25)
        depth = float(self.vertebra.depth_mm or 0.0)
        y = float(self.vertebra.superior.posterior_rim[1]) + 0.6 * depth
        inside = self.depth_at(np.stack([0 * z, 0 * z + y, z], axis=1)) > 0
        runs, _ = ndimage.label(inside)
        at = z[runs == 1 + int(np.argmax(np.bincount(runs)[1:]))]
        return float(at[0]), float(at[-1])

    def bound(self, side: str) -> float:
        """The largest clearance of any straight line into the anterior third, within 8 mm of the midline, mm."""
        crossing, tip = self._lines(side)
        value = self.clearance(side, crossing, tip)
        best = np.argsort(-value)[:BROOD]
        crossing, tip, value = crossing[best], tip[best], value[best]
        random = np.random.default_rng(0)
        for n in range(ROUNDS):
            size = 1.2 * 0.91**n
            tried = crossing + random.normal(0, 0.4 * size, crossing.shape)
            tried_tip = tip + random.normal(0, size, tip.shape)
            tried_tip[:, 0] = np.clip(tried_tip[:, 0], -OFF_MIDLINE_MM, OFF_MIDLINE_MM)
            tried_tip[:, 1] = np.maximum(tried_tip[:, 1], self._third)
            found = self.clearance(side, tried, tried_tip)
            better = found > value
            crossing[better], tip[better], value[better] = tried[better], tried_tip[better], found[better]
        return float(value.max())

    @cached_property
    def _third(self) -> float:
        back, front = self.body_in_the_midline(0.5 * sum(self.heights))
        return back + THIRD * (front - back)

    def _lines(self, side: str):
        pedicle = self.vertebra.pedicles[side]
        low, high = pedicle.outline.min(axis=0), pedicle.outline.max(axis=0)
        across, up = np.meshgrid(np.linspace(low[0], high[0], 9)[1:-1], np.linspace(low[2], high[2], 11)[1:-1])
        crossing = np.stack([across.ravel(), 0 * across.ravel() + pedicle.centre[1], up.ravel()], axis=1)
        # Moved along the body's depth onto the isthmus' own plane.
        crossing[:, 1] -= ((crossing - pedicle.centre) @ pedicle.axis) / pedicle.axis[1]
        bottom, top = self.heights
        tips = []
        for z in bottom + (top - bottom) * np.array([0.25, 0.375, 0.5, 0.625, 0.75]):
            back, front = self.body_in_the_midline(z)
            for share in (0.68, 0.76, 0.84):
                tips += [(x, back + share * (front - back), z) for x in np.linspace(-OFF_MIDLINE_MM, OFF_MIDLINE_MM, 5)]
        tip = np.array(tips)
        return np.repeat(crossing, len(tip), axis=0), np.tile(tip, (len(crossing), 1))
