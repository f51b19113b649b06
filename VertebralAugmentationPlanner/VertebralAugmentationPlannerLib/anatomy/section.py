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

LEANING_DEG = (25.0, 45.0)
"""A section that leans by up to the first is measured along its own axes, as a reader's callipers are; at 45° neither of
them is more of a height than the other, and both diameters are read straight across and straight up [D]."""


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


def upright(across: FloatArray, upward: FloatArray, width_mm: float, height_mm: float) -> tuple[float, float]:
    """Width and height of an ellipse with these diameters along its own axes, for a section that leans.

    Oval L5 pedicles lean by about 45°: one degree more or less must not exchange their width and height. The directions
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
