"""The room inside a body: how far a point is from what a balloon must not press on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..access.surface import PLATE_NORMAL
from ..model import LocalGrid, Vertebra
from ..model.geometry import FloatArray, first_exit, unit

CONTACT_MARGIN_MM = 1.0
"""Inflation ends this far inside the bone's surface: cortex and end plate are 0.3–0.6 mm thick (clinical-reference
1.6 i [D/M]) and a label's border is known to about half a voxel [D]."""

POSTERIOR_MARGIN_MM = 2.0
"""Kept from the posterior wall and from the canal: the wall must not be pushed back (3.2: canal ≥ 2 mm [D])."""

PADDING_VOXELS = 4
"""Cut around the body; enough to have the outside on every side of it."""

MIDLINE_STRIP_MM = 4.0
"""Half-width of the strip whose mean stands for the posterior wall in the midline where it is not met at mid-height [D]."""


@dataclass(frozen=True, eq=False)
class BodyRoom:
    """Distances inside one body, on a grid cut around it; local mm, positive inside.

    Args:
        bone_mm: depth below the bone's surface (end plates and cortex).
        wall_mm: distance in front of the posterior wall, along the anterior axis.
        canal_mm: distance outside the canal.
        free_mm: the smallest of these, each less its margin; a balloon lies where this is not negative.
        back_mm, depth_mm: local y of the posterior wall in the midline at mid-height, and the body's depth there.
    """

    grid: LocalGrid
    bone_mm: FloatArray
    wall_mm: FloatArray
    canal_mm: FloatArray
    free_mm: FloatArray
    back_mm: float
    depth_mm: float

    def fraction_at(self, points: FloatArray) -> FloatArray:
        """Share of the depth (…) from the posterior wall at local points (…, 3): 0 at the wall, 1 at the front."""
        return np.asarray((np.asarray(points, float)[..., 1] - self.back_mm) / self.depth_mm)

    @property
    def two_thirds_start_mm(self) -> float:
        """Local y of the coronal plane behind the anterior two-thirds."""
        return self.back_mm + self.depth_mm / 3.0

    def surface_at(self, point: FloatArray) -> str:
        """What a balloon at a local point (3,) presses on: "end_plate" or "cortex"."""
        to_bone = float(self.grid.sample(self.bone_mm, point)) - CONTACT_MARGIN_MM
        to_wall = float(self.grid.sample(self.wall_mm, point)) - POSTERIOR_MARGIN_MM
        to_canal = float(self.grid.sample(self.canal_mm, point)) - POSTERIOR_MARGIN_MM
        if to_bone > min(to_wall, to_canal):
            return "cortex"
        step = np.eye(3) * self.grid.spacing_mm
        gradient = self.grid.sample(self.bone_mm, point + step) - self.grid.sample(self.bone_mm, point - step)
        if np.linalg.norm(gradient) < 1e-9:
            return "cortex"
        return "end_plate" if abs(unit(gradient)[2]) > PLATE_NORMAL else "cortex"

    def heights_at(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Bone (below, above) local points (N, 3) along the superior axis, (N,) mm; 0 where a point is not in bone."""
        return self._reach(points, -1.0), self._reach(points, 1.0)

    def _reach(self, points: FloatArray, sign: float) -> FloatArray:
        step = self.grid.spacing_mm / 2
        along = np.arange(0.0, self.grid.shape[2] * self.grid.spacing_mm, step)
        columns = np.asarray(points, float)[:, None, :] + sign * along[:, None] * np.array([0.0, 0.0, 1.0])
        return np.nan_to_num(first_exit(self.grid.sample(self.bone_mm, columns), along, step))


def body_room(vertebra: Vertebra) -> BodyRoom:
    """The room inside a complete vertebra's body.

    Raises:
        ValueError: the vertebra is not complete, or its canal is unknown: nothing is planned there.
    """
    grid, bone, body, wall = vertebra.grid, vertebra.bone_mm, vertebra.body, vertebra.posterior_wall_mm
    canal, depth = vertebra.canal_mm, vertebra.depth_mm
    if grid is None or bone is None or body is None or wall is None or depth is None:
        raise ValueError(f"{vertebra.level} is not complete; its body has no room to measure")
    if canal is None:
        raise ValueError(f"{vertebra.level} has no canal; nothing is planned without it")
    box = _box(body)
    cut = LocalGrid(
        grid.first_mm + grid.spacing_mm * np.array([part.start for part in box]),
        grid.spacing_mm,
        tuple(part.stop - part.start for part in box),  # type: ignore[arg-type]
    )
    x, y, z = cut.axes
    wall_here = wall[box[0], box[2]]
    bone_here, canal_here = bone[box], canal[box]
    wall_mm = y[None, :, None] - wall_here[:, None, :]
    free = np.minimum(bone_here - CONTACT_MARGIN_MM, np.minimum(wall_mm, canal_here) - POSTERIOR_MARGIN_MM)
    if vertebra.mid_walls_mm is not None:
        back = vertebra.mid_walls_mm[0]
    else:
        back = float(np.interp(_mid_height(vertebra), z, wall_here[np.abs(x) <= MIDLINE_STRIP_MM].mean(axis=0)))
    return BodyRoom(cut, bone_here, wall_mm, canal_here, free, back, float(depth))


def _mid_height(vertebra: Vertebra) -> float:
    """Local z half-way between the end plates at the posterior wall."""
    assert vertebra.superior is not None and vertebra.inferior is not None
    return float(vertebra.superior.posterior_rim[2] + vertebra.inferior.posterior_rim[2]) / 2


def _box(body: np.ndarray) -> tuple[slice, slice, slice]:
    found = ndimage.find_objects(body.astype(np.uint8))
    if not found:
        raise ValueError("the body is empty")
    x, y, z = (
        slice(max(part.start - PADDING_VOXELS, 0), min(part.stop + PADDING_VOXELS, size))
        for part, size in zip(found[0], body.shape, strict=True)
    )
    return x, y, z
