"""Gas in the body: the intravertebral vacuum cleft."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..case.gas_gaps import GAS_HU
from .sampling import WHOLE_SHARE, BodyVoxels

GAS_EDGE_HU = -100.0
"""Voxels connected to certain gas belong to the cleft down to here (partial volume) [D]."""

MIN_CLEFT_ML = 0.05
"""Less is noise or a single gas bubble [D]."""

ERODED_MM = 1.5
"""The search keeps off the surface: gas in a disc is no cleft [D]."""

EDGE_MM = 1.2
"""Blurred edge around the gas whose share of gas counts too."""

PURE_GAS_PERCENTILE = 2.0
"""The darkest voxels of a thick cleft show its gas unmixed."""

THIN_DEPTH_MM = 2.2
"""A cleft none of whose voxels lies deeper than this under its edge (up to about 2.4 mm thick) shows no unmixed gas: blurred by 0.55
and 0.9 mm (SD) the darkest voxels of 1.2 mm read −570 and −340 HU, and taken for pure they swell it by 43 and 77 %. Thicker ones may
hold fluid with their gas, and show it [C]."""

THIN_EDGE_MM = 2.0
"""Blur carries more of a thin cleft's gas past its edge: within this it lacks 5–16 %, within 1.2 mm up to 25 [C]."""

AIR_HU = -1000.0
"""Gas unmixed, by the definition of the Hounsfield scale."""

_TOUCHING = np.ones((3, 3, 3), bool)


def cleft_volume_ml(voxels: BodyVoxels) -> float | None:
    """Volume of gas inside the body, ml; 0.0 where a CT shows none, None without a CT and where it does not show the whole body.

    Gas is found by threshold and measured by its share: a voxel half-way between bone and gas counts half, so that blur hardly
    swells or shrinks a cleft. What pure gas reads a thick cleft shows itself; a thin one is taken for air, mixed by blur.
    """
    if voxels.hu is None or voxels.seen_share < WHOLE_SHARE:
        return None
    searched = voxels.body & (voxels.inside_mm >= ERODED_MM)
    labels, count = ndimage.label(searched & (voxels.hu <= GAS_EDGE_HU), _TOUCHING)
    if count == 0:
        return 0.0
    size_ml = np.bincount(labels.ravel(), minlength=count + 1) * voxels.voxel_ml
    kept = np.zeros(count + 1, bool)
    kept[np.unique(labels[searched & (voxels.hu <= GAS_HU)])] = True
    kept &= size_ml >= MIN_CLEFT_ML
    kept[0] = False
    gas = kept[labels]
    return _mixed_volume_ml(voxels, gas) if gas.any() else 0.0


def _mixed_volume_ml(voxels: BodyVoxels, gas: NDArray[np.bool_]) -> float:
    assert voxels.hu is not None
    reach = ndimage.distance_transform_edt(~gas) * voxels.grid.spacing_mm
    thin = ndimage.distance_transform_edt(gas).max() * voxels.grid.spacing_mm <= THIN_DEPTH_MM
    edge = THIN_EDGE_MM if thin else EDGE_MM
    around = voxels.body & (reach > edge) & (reach <= 3 * edge) & np.isfinite(voxels.hu)
    pure = AIR_HU if thin else float(np.percentile(voxels.hu[gas], PURE_GAS_PERCENTILE))
    bone = float(np.median(voxels.hu[around])) if around.any() else 0.0
    near = voxels.body & (reach <= edge) & np.isfinite(voxels.hu)
    share = np.clip((bone - voxels.hu[near]) / (bone - pure), 0.0, 1.0)
    return float(share.sum()) * voxels.voxel_ml
