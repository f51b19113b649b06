"""The CT of one body, on the vertebra's own grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..anatomy.surface import resample
from ..model import Image, LocalGrid, Vertebra
from ..model.geometry import FloatArray

MARGIN_MM = 5.0
"""Room around the body: enough to see soft tissue outside its cortex."""

WHOLE_SHARE = 0.95
"""A CT that shows less of a body cannot tell that there is no gas or cement in it: a cleft may fill a twentieth [D]."""


@dataclass(frozen=True, eq=False)
class BodyVoxels:
    """A body cut out of its grid, with the CT where there is one. Arrays are indexed [right, anterior, superior].

    Args:
        grid: the cut-out.
        body: voxels of the body.
        inside_mm: distance to the body's surface, positive inside, the cut towards the arch counted as surface.
        bone_mm: distance to the surface of the whole vertebra, positive inside.
        hu: CT value; NaN off the CT. None without a CT.
    """

    grid: LocalGrid
    body: NDArray[np.bool_]
    inside_mm: FloatArray
    bone_mm: FloatArray
    hu: FloatArray | None

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel, ml."""
        return self.grid.spacing_mm**3 / 1000.0

    @property
    def seen_share(self) -> float:
        """Share of the body that the CT shows; 0 without a CT."""
        return 0.0 if self.hu is None else float(np.isfinite(self.hu[self.body]).mean())


def body_voxels(vertebra: Vertebra, ct: Image | None) -> BodyVoxels:
    """Cut the body out and sample the CT there, linearly, without touching the CT itself.

    Raises:
        ValueError: the vertebra is incomplete.
    """
    grid, body, bone, wall = (vertebra.grid, vertebra.body, vertebra.bone_mm, vertebra.posterior_wall_mm)
    if grid is None or body is None or bone is None or wall is None or vertebra.frame is None:
        raise ValueError(f"{vertebra.level} has no body to sample")
    box = ndimage.find_objects(body.astype(np.uint8))[0]
    pad = int(np.ceil(MARGIN_MM / grid.spacing_mm))
    cut = tuple(slice(max(0, s.start - pad), min(n, s.stop + pad)) for s, n in zip(box, grid.shape, strict=True))
    first = grid.to_local([s.start for s in cut])
    shape = tuple(int(s.stop - s.start) for s in cut)
    part = LocalGrid(first, grid.spacing_mm, (shape[0], shape[1], shape[2]))
    behind = part.axes[1][None, :, None] - wall[cut[0], cut[2]][:, None, :]
    inside = np.where(body[cut], np.minimum(bone[cut], behind), -1.0)
    hu = None if ct is None else resample(ct, vertebra.frame, part, np.nan)
    return BodyVoxels(part, body[cut], inside, bone[cut], hu)
