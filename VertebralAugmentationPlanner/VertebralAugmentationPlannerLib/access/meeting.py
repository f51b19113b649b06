"""Whether the two needles of a level meet in the bone. Planned ones do not: each ends on its own side of the midline."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from ..model import LevelPlan, PlanWarning
from .notices import NEEDLES_MEET


def with_meeting_told(level: LevelPlan) -> LevelPlan:
    """The level with a caution where its needles meet, and without an older one; for whoever moved a needle by hand."""
    warnings = tuple(warning for warning in level.warnings if warning.code != NEEDLES_MEET)
    if len(level.trajectories) < 2:
        return replace(level, warnings=warnings)
    one, other = level.trajectories
    apart_mm = segments_apart_mm((one.entry_ras, one.target_ras), (other.entry_ras, other.target_ras))
    needed_mm = (one.cannula_outer_diameter_mm + other.cannula_outer_diameter_mm) / 2
    if apart_mm < needed_mm:
        text = (
            f"the needles meet in the bone: their axes come within {apart_mm:.1f} mm, and the cannulas need "
            f"{needed_mm:.1f} mm. Only one of them can lie where it is planned, unless the other is drawn back."
        )
        warnings = (
            *warnings,
            PlanWarning.of_level(level.level, NEEDLES_MEET, "caution", text, "entry and target points, cannulas"),
        )
    return replace(level, warnings=warnings)


def segments_apart_mm(one: ArrayLike, other: ArrayLike) -> float:
    """Smallest distance between two segments, each (2, 3) mm."""
    (a, a_end), (b, b_end) = np.asarray(one, float), np.asarray(other, float)
    u, v, between = a_end - a, b_end - b, a - b
    uu, uv, vv = u @ u, u @ v, v @ v
    parallel = uu * vv - uv**2
    s = np.clip((uv * (v @ between) - vv * (u @ between)) / parallel, 0.0, 1.0) if parallel > 1e-12 * uu * vv else 0.0
    t = np.clip((uv * s + v @ between) / vv, 0.0, 1.0) if vv > 0 else 0.0
    # With the second point held at an end of its segment the first one may lie better elsewhere.
    s = np.clip((uv * t - u @ between) / uu, 0.0, 1.0) if uu > 0 else 0.0
    return float(np.linalg.norm(between + s * u - t * v))
