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

from ..model import Vertebra
from ..model.geometry import FloatArray
from .heights import plates

SAMPLES = 41
"""Points of a profile, from the lower to the upper posterior rim."""

STRIP_HALF_WIDTH_MM = 1.2
"""Half-width of the midline strip that the profile is averaged over: the wall is smooth there already."""

RIM_ERROR_MM, MOST_MISREAD_MM = 0.3, 1.0
"""A rim's usual error, which is no bulge and is not corrected, and the most that is taken for a rim's error [D]."""

BULGE_MM = 1.6
"""Differences that stand out by this much from the rest of the wall are bulge and tell nothing of the rims [D]."""

LINE_STIFFNESS = (10.0, 20.0)
"""Pull of the line's place and slope towards nothing, in points of the profile: neighbouring points say the same [D]."""

LINE_START, LINE_ITERATIONS = 0.35, 20
"""The line is first laid through this quantile: most bulges take up less than half of the wall."""

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
    wall = vertebra.posterior_wall_mm[strip].mean(axis=0)
    share = np.linspace(EDGE_TRIM, 1.0 - EDGE_TRIM, SAMPLES)
    top, bottom = upper.posterior_rim, lower.posterior_rim
    line_y = bottom[1] + share * (top[1] - bottom[1])
    line_z = bottom[2] + share * (top[2] - bottom[2])
    return WallProfile(share, line_y - np.interp(line_z, z, wall))


def retropulsion_mm(own: WallProfile, healthy: Sequence[WallProfile]) -> float:
    """Largest bulge of the wall towards the canal beyond what healthy neighbours show, mm; 0 where there is none."""
    usual = np.mean([profile.offset_mm for profile in healthy], axis=0) if healthy else np.zeros_like(own.offset_mm)
    beyond = own.offset_mm - usual
    return max(0.0, float(np.max(beyond - _misread_line(beyond))))


def _misread_line(beyond: FloatArray) -> FloatArray:
    """How far the line between the rims stands too far forward, (N,) mm, told by the wall outside a bulge.

    Rims are read to half a millimetre, on rounded real corners to one or two. Where most of the wall lies behind the
    line, it is the line that is wrong: what bulges is a part of the wall. A robust line through the differences (Tukey's
    biweight) tells by how much; up to the rims' usual error nothing is taken off, so that no bulge reads less for it.
    """
    along = np.linspace(-1.0, 1.0, len(beyond))
    design = np.stack([np.ones_like(along), along], axis=1)
    line = np.array([np.quantile(beyond, LINE_START), 0.0])
    for _ in range(LINE_ITERATIONS):
        trust = np.clip(1.0 - ((beyond - design @ line) / BULGE_MM) ** 2, 0.0, None) ** 2
        weighted = design * trust[:, None]
        line = np.linalg.solve(design.T @ weighted + np.diag(LINE_STIFFNESS), weighted.T @ beyond)
    return np.clip(design @ line - RIM_ERROR_MM, 0.0, MOST_MISREAD_MM)
