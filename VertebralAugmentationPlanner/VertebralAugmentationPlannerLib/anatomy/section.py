"""Plane sections through bone, and how an oval one is measured."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..model import LocalGrid
from ..model.geometry import FloatArray, unit

ROUND_RATIO = 1.12
"""Below this ratio of its diameters a section has no long axis worth turning to."""

LEANING_DEG = (15.0, 28.0)
"""A section that leans by up to the first is measured along its own axes, as a reader's callipers are; from the second on,
straight across and straight up, as the tables of pedicle sizes are read in reformats. L5 pedicles are ovals of 24 × 12 mm
that lean by 25–43° (12 real ones): upright they read 15–19 × 13–15 mm, the published 16 ± 2 × 13 ± 2 (ijssurgery markup 11003
[V]), and left as right [C]. Flat thoracic ones lean by less than 15° [C]."""

NECK_SHARE = 0.4
"""What hangs on a section by a neck thinner than this share of the section's own thickness is another thing: a crumb of the
rib's head beside a thoracic pedicle, a thin sheet of a frayed label [D]. No oval loses by it: its ends narrow without a neck."""

PLACES_LEFT = 1.0
"""So many places more than were taken off are given back, for the narrow ends of an oval."""


@dataclass(frozen=True)
class Plane:
    """Places in a plane, in a disc around its middle.

    Args:
        reach_mm: radius of the disc; a section that reaches beyond it looks smaller than it is.
        step_mm: distance of the places; a whole part of the reach, so that one lies in the middle.
    """

    reach_mm: float
    step_mm: float

    @cached_property
    def _places(self) -> tuple[FloatArray, FloatArray]:
        count = int(round(self.reach_mm / self.step_mm))
        steps = np.arange(-count, count + 1) * self.step_mm
        u, v = np.meshgrid(steps, steps, indexing="ij")
        return u, v

    @property
    def u(self) -> FloatArray:
        """(N, N) places across."""
        return self._places[0]

    @property
    def v(self) -> FloatArray:
        """(N, N) places up."""
        return self._places[1]

    def places(self, chosen: NDArray[np.bool_]) -> FloatArray:
        """(M, 2) chosen places."""
        return np.stack([self.u[chosen], self.v[chosen]], axis=1)

    def cut(
        self, bone: FloatArray, grid: LocalGrid, centre: FloatArray, axes: FloatArray
    ) -> tuple[FloatArray, NDArray[np.bool_]]:
        """Depths (N, N) in the plane of two axes (2, 3), and which of it belong to the section at its middle."""
        values = grid.sample(bone, centre + self.u[..., None] * axes[0] + self.v[..., None] * axes[1])
        parts, _ = ndimage.label((values > 0) & (np.hypot(self.u, self.v) <= self.reach_mm))
        middle = parts.shape[0] // 2
        index = parts[middle, middle]
        if index == 0:
            near = parts[middle - 4 : middle + 5, middle - 4 : middle + 5]
            if not near.any():
                return values, np.zeros(parts.shape, bool)
            index = np.bincount(near[near > 0]).argmax()
        return values, parts == index

    def core(self, region: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """A section (N, N) without what hangs on it by a thin neck; see :data:`NECK_SHARE`."""
        where = np.argwhere(region)
        box = tuple(slice(low, high + 1) for low, high in zip(where.min(axis=0), where.max(axis=0), strict=True))
        depth = ndimage.distance_transform_edt(np.pad(region[box], 1))
        radius = NECK_SHARE * (float(depth.max()) - 0.5) + 0.5  # places lie half a step inside the edge
        parts, count = ndimage.label(depth > radius)
        if count > 1:
            off = where.min(axis=0) - 1 - np.array(region.shape) // 2
            middle = np.argmin(np.where(parts > 0, np.hypot(*(np.indices(parts.shape) + off[:, None, None])), np.inf))
            parts = parts == parts.ravel()[middle]
        near = ndimage.distance_transform_edt(parts == 0) <= radius + PLACES_LEFT
        result = np.zeros_like(region)
        result[box] = region[box] & near[1:-1, 1:-1]
        return result

    def area(self, values: FloatArray, region: NDArray[np.bool_]) -> float:
        """Area of a section in mm²; places that its edge crosses count in part."""
        share = np.clip(values / self.step_mm + 0.5, 0.0, 1.0)
        return float(share[ndimage.binary_dilation(region)].sum()) * self.step_mm**2


FINE, COARSE = Plane(18.0, 0.6), Plane(18.0, 1.0)
"""For measuring and for searching. The largest pedicles (L5) are 25 mm across; in a disc of 14 mm they lose their edge
where they stand off its middle, and the search takes that for a waist [C: mean lumbar model, L5]."""


def plane_axes(axis: FloatArray) -> FloatArray:
    """(2, 3) transverse and craniocaudal unit vectors of the plane perpendicular to the axis."""
    across = unit(np.array([1.0, 0.0, 0.0]) - axis[0] * axis)
    return np.vstack([across, np.cross(across, axis)])


def to_surface(
    points: FloatArray, values: FloatArray, bone: FloatArray, grid: LocalGrid, axes: FloatArray
) -> FloatArray:
    """Move points just inside the bone out to its surface, staying in their plane."""
    step = 0.5 * grid.spacing_mm
    for _ in range(2):
        slope = np.stack(
            [(grid.sample(bone, points + step * a) - grid.sample(bone, points - step * a)) / (2 * step) for a in axes],
            axis=1,
        )
        size = np.maximum(np.linalg.norm(slope, axis=1, keepdims=True), 0.4)
        points = points - ((slope / size) @ axes) * np.clip(values[:, None] / size, -1.5, 1.5)
        values = grid.sample(bone, points)
    return points


def principal(spread: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Unit vectors (2,) of the section's width and height; across and upwards themselves for a round section.

    Args:
        spread: (2, 2) covariance of the section.
    """
    values, vectors = np.linalg.eigh(spread)
    if np.sqrt(values[1] / max(values[0], 1e-9)) < ROUND_RATIO:
        return np.array([1.0, 0.0]), np.array([0.0, 1.0])
    # Whichever principal axis lies nearer to craniocaudal carries the height: at L5 that is the short one.
    tall = int(abs(vectors[1, 1]) >= abs(vectors[1, 0]))
    return vectors[:, 1 - tall], vectors[:, tall]


def upright(across: FloatArray, width_mm: float, height_mm: float) -> tuple[float, float]:
    """Width and height of an ellipse with these diameters along its own axes, for a section that leans.

    One degree more or less must not exchange the width and height of an oval that leans by about 45°. The directions
    of reading turn from the ellipse's own axes to the vertebra's while it leans from the first angle to the second.
    """
    lean = np.arctan2(across[1] * np.sign(across[0]), abs(across[0]))
    low, high = np.radians(LEANING_DEG)
    part = np.clip((high - abs(lean)) / (high - low), 0.0, 1.0)
    off = lean * (1.0 - part * part * (3.0 - 2.0 * part))  # from the own axes back to upright
    inverse = np.array([width_mm, height_mm]) ** -2.0
    turned = np.array([[np.cos(off), np.sin(off)], [np.sin(off), np.cos(off)]]) ** 2
    width, height = (turned @ inverse) ** -0.5
    return float(width), float(height)
