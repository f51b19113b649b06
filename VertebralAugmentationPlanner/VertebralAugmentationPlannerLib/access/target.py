"""Where the needle's tip may lie, and where it would best lie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..model import EndPlate, Vertebra
from ..model.geometry import FloatArray, first_exit
from .angles import SIDE_SIGN
from .surface import posterior_wall_at

ANTERIOR_THIRD = 2.0 / 3.0
"""The tip belongs in the anterior third of the body: share of the depth from the posterior wall. Source: "optimal
needle position is the anterior third", vertebroplasty survey, openradiology.org [V]."""

DEPTH_FRACTION_RANGE = (ANTERIOR_THIRD + 0.02, 0.88)
"""Half a millimetre inside the third, so that another reader's depth line still finds the tip there [D]."""

PREFERRED_DEPTH_FRACTION = 0.76
"""Between the border of the anterior third and the anterior quarter that the Japanese technique names [V] [D]."""

MIDLINE_REACH_MM = 7.5
"""The tip stays within 8 mm of the mid-sagittal plane, less half a millimetre for the plane's own error [D]."""

UNILATERAL_REACH_MM = 2.5
"""A single needle must bring its tip to the midline ± 3 mm (clinical-reference 3.2 [D]), less half a millimetre for the
plane's own error."""

QUARTER_WIDTH = 0.25
"""Bilateral needles aim a quarter of the body's width off the midline (paramedian target, 3.2 [D])."""

BILATERAL_INNER_MM = 3.5
"""The tip of one of two needles stays this far on its own side of the midline: balloons of 7 mm and more, whose ends lie
nearer together than that, meet each other before they lift anything [D]."""

PROFILE_HALF_WIDTH_MM = 3.0
PROFILE_SMOOTHING_MM = 3.0
"""The mid-sagittal depth profile is averaged over ± 3 mm and smoothed over 3 mm of height: single label voxels and
a retropulsed corner must not move the target [D]."""


@dataclass(frozen=True, eq=False)
class TargetSpace:
    """The tip's coordinates of a vertebra: x (local right), depth fraction and z (local superior).

    Args:
        z_mm: (H,) heights of the profile.
        wall_mm, depth_mm: (H,) mid-sagittal posterior wall and depth over ``z_mm``, local mm.
        width_mm: width of the body.
        superior, inferior: the end plates.
    """

    z_mm: FloatArray
    wall_mm: FloatArray
    depth_mm: FloatArray
    width_mm: float
    superior: EndPlate
    inferior: EndPlate

    def y_at(self, fraction: float | FloatArray, z: float | FloatArray) -> FloatArray:
        """Local anterior coordinate at a share of the depth from the posterior wall."""
        wall = np.interp(z, self.z_mm, self.wall_mm)
        return np.asarray(wall + np.asarray(fraction) * np.interp(z, self.z_mm, self.depth_mm))

    def fraction_at(self, points: FloatArray) -> FloatArray:
        """Share of the depth from the posterior wall (…) of local points (…, 3)."""
        wall = np.interp(points[..., 2], self.z_mm, self.wall_mm)
        return np.asarray((points[..., 1] - wall) / np.interp(points[..., 2], self.z_mm, self.depth_mm))

    def plates_at(self, x: float | FloatArray, y: float | FloatArray) -> tuple[FloatArray, FloatArray]:
        """Heights (inferior, superior) of the smooth end plates at local x and y, mm."""
        return _plate_height(self.inferior, x, y), _plate_height(self.superior, x, y)

    def preferred_x(self, side: str, unilateral: bool) -> float:
        """The best local x of the tip: the midline for a single needle, else a quarter of the width off it."""
        if unilateral:
            return 0.0
        return SIDE_SIGN[side] * min(QUARTER_WIDTH * self.width_mm, MIDLINE_REACH_MM - 0.5)


def target_space(vertebra: Vertebra) -> TargetSpace:
    """The target space of a complete vertebra."""
    if (
        vertebra.grid is None
        or vertebra.bone_mm is None
        or vertebra.superior is None
        or vertebra.inferior is None
        or vertebra.depth_mm is None
        or vertebra.width_mm is None
    ):
        raise ValueError("the target needs a complete vertebra with end plates, depth and width")
    grid = vertebra.grid
    low = min(vertebra.inferior.centre[2], vertebra.inferior.anterior_rim[2], vertebra.inferior.posterior_rim[2])
    high = max(vertebra.superior.centre[2], vertebra.superior.anterior_rim[2], vertebra.superior.posterior_rim[2])
    z = np.arange(low, high + 0.5, 1.0)
    x = np.array([-1.0, 0.0, 1.0]) * PROFILE_HALF_WIDTH_MM
    middle = np.stack(np.meshgrid(x, [0.0], z, indexing="ij"), axis=-1)[:, 0]
    wall = posterior_wall_at(vertebra, middle)
    front = _front_of(vertebra, middle, wall, grid.spacing_mm / 2)
    smoothing = PROFILE_SMOOTHING_MM
    wall_profile = ndimage.gaussian_filter1d(wall.mean(axis=0), smoothing, mode="nearest")
    depth_profile = ndimage.gaussian_filter1d(_filled(_mean(front - wall)), smoothing, mode="nearest")
    return TargetSpace(z, wall_profile, depth_profile, float(vertebra.width_mm), vertebra.superior, vertebra.inferior)


def _front_of(vertebra: Vertebra, points: FloatArray, wall: FloatArray, step: float) -> FloatArray:
    """Local y (…) where the body ends in front of points (…, 3); NaN where the column's middle is not bone."""
    assert vertebra.grid is not None and vertebra.bone_mm is not None and vertebra.depth_mm is not None
    reach = np.arange(0.4 * vertebra.depth_mm, 1.4 * vertebra.depth_mm, step)
    lines = np.repeat(points[..., None, :], len(reach), axis=-2)
    lines[..., 1] = wall[..., None] + reach
    return wall + first_exit(vertebra.grid.sample(vertebra.bone_mm, lines), reach, step)


def _mean(columns: FloatArray) -> FloatArray:
    """Mean over the first axis of what is known; NaN where nothing is."""
    known = np.isfinite(columns)
    count = known.sum(axis=0)
    total = np.where(known, columns, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _filled(profile: FloatArray) -> FloatArray:
    known = np.flatnonzero(np.isfinite(profile))
    if not known.size:
        raise ValueError("the body has no bone at its middle")
    return np.interp(np.arange(len(profile)), known, profile[known])


def _plate_height(plate: EndPlate, x: float | FloatArray, y: float | FloatArray) -> FloatArray:
    # The mid-sagittal curve through the plate's three points, tilted sideways with the plate's normal.
    points = np.array([plate.posterior_rim, plate.centre, plate.anterior_rim])
    order = np.argsort(points[:, 1])
    height = np.interp(y, points[order, 1], points[order, 2])
    lateral = np.asarray(x) - np.interp(y, points[order, 1], points[order, 0])
    return np.asarray(height - lateral * plate.normal[0] / plate.normal[2])
