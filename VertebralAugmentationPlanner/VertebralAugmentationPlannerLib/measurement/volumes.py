"""Volumes of the body."""

from __future__ import annotations

import numpy as np

from ..model import Vertebra


def anterior_two_thirds_ml(vertebra: Vertebra) -> float | None:
    """Volume of the body's anterior two-thirds, ml.

    Voxels that the plane :attr:`.Vertebra.two_thirds_start_mm` crosses count in proportion. What it cuts off is told as a share of
    the smooth body and taken of the label's volume, which loses nothing at sharp rims. None where the depth is not known.
    """
    start = vertebra.two_thirds_start_mm
    if vertebra.grid is None or vertebra.body is None or vertebra.body_volume_ml is None or start is None:
        return None
    spacing = vertebra.grid.spacing_mm
    share = np.clip((vertebra.grid.axes[1] - start) / spacing + 0.5, 0.0, 1.0)
    by_depth = vertebra.body.sum(axis=(0, 2))
    return float(by_depth @ share / by_depth.sum()) * vertebra.body_volume_ml
