"""Depth of the body in the midline, half-way between its end plates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..model import Vertebra
from .heights import plates

STRIP_HALF_WIDTH_MM = 4.0
"""Half-width of the midline strip whose median stands for the midline."""

STEP_MM = 0.25
BEYOND_MM = 6.0
"""The search for a wall ends this far outside the rims; waists lie inside them, osteophytes rarely reach farther."""


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
    x_axis, _, z_axis = vertebra.grid.axes
    columns = np.flatnonzero(np.abs(x_axis) <= STRIP_HALF_WIDTH_MM)
    y = np.arange((behind[0] + before[0]) / 2, before[0] + BEYOND_MM, STEP_MM)
    z = behind[1] + slope * (y - behind[0])
    points = np.stack(np.broadcast_arrays(x_axis[columns, None], y[None, :], z[None, :]), axis=-1)
    values = vertebra.grid.sample(vertebra.bone_mm, points)
    outside = values <= 0
    found = outside.any(axis=1) & (values[:, 0] > 0)
    if found.mean() < 0.5:
        return None
    first = outside.argmax(axis=1)[found]
    rows = np.flatnonzero(found)
    inner, outer = values[rows, first - 1], values[rows, first]
    front = float(np.median(y[first - 1] + STEP_MM * inner / (inner - outer)))
    wall = vertebra.posterior_wall_mm[columns].mean(axis=0)
    return MidDepth(float(np.interp(behind[1], z_axis, wall)), front)
