"""Depth of the body in the midline, half-way between its end plates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..anatomy.outline import robust_fit
from ..model import Vertebra
from ..model.geometry import FloatArray
from .heights import plates

FRONT_HALF_WIDTH_MM = 8.0
BACK_HALF_WIDTH_MM = 5.0
FRONT_SHARE = 0.25
BACK_SHARE = 0.15
"""Part of a wall that tells where it stands in the midline at mid-height: half-width, and share of the height above and
below. A parabola through all of it forgets the voxels’ steps; behind it is smaller, since a bulge is steep [D]."""

STEP_MM = 0.25
BEYOND_MM = 6.0
"""The search for a wall ends this far outside the rims; waists lie inside them, osteophytes rarely reach farther."""

LEVELS = 9
"""Readings of the front wall above one another."""


@dataclass(frozen=True)
class MidDepth:
    """Local anterior coordinates (mm) of the posterior and the anterior wall at mid-height in the midline."""

    back: float
    front: float

    @property
    def depth_mm(self) -> float:
        """Distance of the walls along the local anterior axis."""
        return self.front - self.back


def mid_depth(vertebra: Vertebra) -> MidDepth | None:
    """Where the walls stand half-way between the end plates.

    The walls are met along the line that halves the body: in a wedge it falls towards the front, where a level line
    would leave the body through the broken plate. None where a wall is not met.
    """
    upper, lower = plates(vertebra)
    if vertebra.grid is None or vertebra.bone_mm is None or vertebra.posterior_wall_mm is None:
        return None
    behind = (upper.posterior_rim + lower.posterior_rim)[1:] / 2
    before = (upper.anterior_rim + lower.anterior_rim)[1:] / 2
    slope = (before[1] - behind[1]) / (before[0] - behind[0])
    height = float(np.linalg.norm(upper.centre - lower.centre))
    x_axis, _, z_axis = vertebra.grid.axes
    x = x_axis[np.abs(x_axis) <= FRONT_HALF_WIDTH_MM]
    offsets = np.linspace(-FRONT_SHARE, FRONT_SHARE, LEVELS) * height
    y = np.arange((behind[0] + before[0]) / 2, before[0] + BEYOND_MM, STEP_MM)
    z = behind[1] + slope * (y - behind[0]) + offsets[:, None]
    points = np.stack(np.broadcast_arrays(x[:, None, None], y[None, None, :], z[None]), axis=-1)
    values = vertebra.grid.sample(vertebra.bone_mm, points)
    outside = values <= 0
    found = outside.any(axis=2) & (values[:, :, 0] > 0)
    if found.mean() < 0.5:
        return None
    first = np.maximum(outside.argmax(axis=2), 1)
    inner, outer = (np.take_along_axis(values, at[:, :, None], axis=2)[:, :, 0] for at in (first - 1, first))
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = y[first - 1] + STEP_MM * inner / (inner - outer)
    across, up = np.meshgrid(x, offsets, indexing="ij")
    front = _in_the_middle(across, up, crossing, found)
    columns = np.abs(x_axis) <= BACK_HALF_WIDTH_MM
    near = np.abs(z_axis - behind[1]) <= max(BACK_SHARE * height, 2.0 * vertebra.grid.spacing_mm)
    wall = vertebra.posterior_wall_mm[np.ix_(columns, near)]
    across, up = np.meshgrid(x_axis[columns], z_axis[near] - behind[1], indexing="ij")
    return MidDepth(_in_the_middle(across, up, wall, np.isfinite(wall)), front)


def _in_the_middle(x: FloatArray, up: FloatArray, wall: FloatArray, seen: NDArray[np.bool_]) -> float:
    """Where a wall stands at x = up = 0, by a robust parabola through all that is seen of it."""
    x, up = x[seen], up[seen]
    design = np.stack([np.ones_like(x), x, up, x * x, x * up, up * up], axis=1)
    return float(robust_fit(design, wall[seen], floor_mm=0.3)[0][0])
