"""Trabecular density of a body in the CT."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from .materials import Window
from .sampling import BodyVoxels

CORTEX_MARGIN_MM = 3.0
"""Distance kept from the cortex; the usual ellipse stays 3 mm and more away (after Pickhardt 2013) [D]."""

CENTRAL_SHARE = 0.7
"""Semi-axes of the central ellipsoid, as a share of half the body's size: clear of the basivertebral vein and the
denser bone under the end plates [D]."""

NO_BONE_HU = -100.0
"""Such voxels, and cement and metal, are no trabecular bone."""

FOREIGN_HALO_MM = 2.0
"""Blur of gas, cement and metal into their surroundings."""

MIN_SAMPLE_MM3 = 100.0
"""A smaller sample is not a density: with 30 HU of noise a hundred voxels of 1 mm still give ± 3 HU."""


def trabecular_density_hu(voxels: BodyVoxels, window: Window) -> float | None:
    """Mean HU of the trabecular bone in the middle of the body.

    None without a CT, where less than :data:`MIN_SAMPLE_MM3` is left beside cortex, gas, cement and the CT's border, or where
    the CT was cut off among the bone's own values. What reaches the value that it was cut off at may be cement.
    """
    if voxels.hu is None or not window.shows_bone:
        return None
    hu = voxels.hu
    sample = central_ellipsoid(voxels) & (voxels.inside_mm >= CORTEX_MARGIN_MM) & np.isfinite(hu)
    foreign = voxels.body & ((hu <= NO_BONE_HU) | (hu >= window.dense_hu))
    if foreign.any():
        sample &= ndimage.distance_transform_edt(~foreign) * voxels.grid.spacing_mm > FOREIGN_HALO_MM
    if sample.sum() * voxels.grid.spacing_mm**3 < MIN_SAMPLE_MM3:
        return None
    return float(hu[sample].mean())


def central_ellipsoid(voxels: BodyVoxels) -> np.ndarray:
    """Voxels of an ellipsoid around the body's middle, :data:`CENTRAL_SHARE` of its size."""
    inside = np.zeros(voxels.body.shape)
    for axis, coordinates in enumerate(voxels.grid.axes):
        other = tuple(a for a in range(3) if a != axis)
        present = coordinates[voxels.body.any(axis=other)]
        middle, half = ((present[-1] + present[0]) / 2, CENTRAL_SHARE * (present[-1] - present[0]) / 2)
        shape = [1, 1, 1]
        shape[axis] = -1
        inside = inside + (((coordinates - middle) / half) ** 2).reshape(shape)
    return (inside <= 1.0) & voxels.body
