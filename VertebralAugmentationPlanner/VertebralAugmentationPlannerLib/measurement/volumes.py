"""Volumes of the body."""

from __future__ import annotations

import numpy as np

from ..model import Vertebra
from .depth import MidDepth

ANTERIOR_SHARE = 2.0 / 3.0


def anterior_two_thirds_ml(vertebra: Vertebra, depth: MidDepth | None) -> float | None:
    """Volume of the body's anterior two-thirds, ml.

    The cut is a coronal plane of the vertebral frame, a third of the mid-sagittal mid-height depth in front of the
    posterior wall there; voxels it crosses count in proportion. What it cuts off is told as a share of the smooth body and
    taken of the label's volume, which loses nothing at sharp rims. None where the depth is not known.
    """
    if vertebra.grid is None or vertebra.body is None or vertebra.body_volume_ml is None or depth is None:
        return None
    start = depth.back + (1.0 - ANTERIOR_SHARE) * depth.depth_mm
    spacing = vertebra.grid.spacing_mm
    share = np.clip((vertebra.grid.axes[1] - start) / spacing + 0.5, 0.0, 1.0)
    by_depth = vertebra.body.sum(axis=(0, 2))
    return float(by_depth @ share / by_depth.sum()) * vertebra.body_volume_ml
