"""Volumes of the body."""

from __future__ import annotations

import numpy as np

from ..model import Vertebra

ANTERIOR_SHARE = 2.0 / 3.0


def anterior_two_thirds_ml(vertebra: Vertebra) -> float | None:
    """Volume of the body's anterior two-thirds, ml.

    The cut is a coronal plane of the vertebral frame, a third of the mid-sagittal mid-height depth in front of the
    posterior wall there; voxels it crosses count in proportion. None for an incomplete vertebra.
    """
    if vertebra.grid is None or vertebra.body is None:
        return None
    start = anterior_two_thirds_start_mm(vertebra)
    if start is None:
        return None
    spacing = vertebra.grid.spacing_mm
    share = np.clip((vertebra.grid.axes[1] - start) / spacing + 0.5, 0.0, 1.0)
    by_depth = vertebra.body.sum(axis=(0, 2))
    return float(by_depth @ share) * spacing**3 / 1000.0


def anterior_two_thirds_start_mm(vertebra: Vertebra) -> float | None:
    """Local anterior coordinate of the coronal plane behind the anterior two-thirds, mm."""
    back = midline_wall_mm(vertebra)
    if back is None or vertebra.depth_mm is None:
        return None
    return back + (1.0 - ANTERIOR_SHARE) * vertebra.depth_mm


MIDLINE_HALF_WIDTH_MM = 4.0
"""Half-width of the strip whose median stands for the midline."""


def midline_wall_mm(vertebra: Vertebra) -> float | None:
    """Local anterior coordinate of the posterior wall in the midline at mid-height (median of the middle third)."""
    if (
        vertebra.grid is None
        or vertebra.posterior_wall_mm is None
        or vertebra.superior is None
        or vertebra.inferior is None
    ):
        return None
    x, _, z = vertebra.grid.axes
    top, bottom = vertebra.superior.posterior_rim[2], vertebra.inferior.posterior_rim[2]
    third = (top - bottom) / 3
    levels = (z >= bottom + third) & (z <= top - third)
    return float(np.median(vertebra.posterior_wall_mm[np.ix_(np.abs(x) <= MIDLINE_HALF_WIDTH_MM, levels)]))
