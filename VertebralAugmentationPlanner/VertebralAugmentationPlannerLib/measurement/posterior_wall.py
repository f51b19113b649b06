"""How far the posterior wall bulges into the canal.

A healthy wall is hollow between its rims, so a bulge of a few millimetres may not even reach the line that joins them.
The wall is therefore read as a profile of its offset from that line, and compared with the same profile of healthy
neighbours; retropulsion is the largest difference towards the canal. Without healthy neighbours the line itself is the
measure, which reads low by the depth of the hollow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..model import Vertebra
from ..model.geometry import FloatArray
from .heights import plates

SAMPLES = 41
"""Points of a profile, from the lower to the upper posterior rim."""

STRIP_HALF_WIDTH_MM = 2.0
"""Half-width of the midline strip that the profile is averaged over."""

SMOOTHING_MM = 0.9
"""Gaussian width along the wall: takes out the voxel steps (0.3 mm), and 3 % of a bulge 8 mm high."""

EDGE_TRIM = 0.08
"""Share of the profile at each rim that is rounded by voxels and not read."""


@dataclass(frozen=True, eq=False)
class WallProfile:
    """Offset of the midline wall from the line joining the posterior rims.

    Args:
        share: (N,) position from the lower (0) to the upper (1) rim.
        offset_mm: (N,) distance behind that line, mm; negative where the wall is hollow.
    """

    share: FloatArray
    offset_mm: FloatArray


def wall_profile(vertebra: Vertebra) -> WallProfile:
    """Profile of the posterior wall in the midline."""
    upper, lower = plates(vertebra)
    if vertebra.grid is None or vertebra.posterior_wall_mm is None:
        raise ValueError(f"{vertebra.level} has no posterior wall")
    x, _, z = vertebra.grid.axes
    strip = np.abs(x) <= STRIP_HALF_WIDTH_MM
    middle = vertebra.posterior_wall_mm[strip].mean(axis=0)
    wall = ndimage.gaussian_filter1d(middle, SMOOTHING_MM / vertebra.grid.spacing_mm)
    share = np.linspace(EDGE_TRIM, 1.0 - EDGE_TRIM, SAMPLES)
    top, bottom = upper.posterior_rim, lower.posterior_rim
    line_y = bottom[1] + share * (top[1] - bottom[1])
    line_z = bottom[2] + share * (top[2] - bottom[2])
    return WallProfile(share, line_y - np.interp(line_z, z, wall))


def retropulsion_mm(own: WallProfile, healthy: Sequence[WallProfile]) -> float:
    """Largest bulge of the wall towards the canal beyond what healthy neighbours show, mm; 0 where there is none."""
    usual = np.mean([profile.offset_mm for profile in healthy], axis=0) if healthy else 0.0
    return max(0.0, float(np.max(own.offset_mm - usual)))
