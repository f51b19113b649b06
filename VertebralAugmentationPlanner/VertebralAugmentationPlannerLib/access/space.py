"""What every path through one vertebra is judged against, made once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..model import LocalGrid, Vertebra
from ..model.geometry import FloatArray
from .surface import Obstacles, smooth_gradient, surface_obstacles
from .target import TargetSpace, target_space

ENTRY_NORMAL_SMOOTHING_MM = 2.0
"""The search reads the direction of the entry cortex from the distance field smoothed over 2 mm, about the 5 mm
patch that the exact evaluation averages [D]."""


@dataclass(frozen=True, eq=False)
class AccessSpace:
    """Surfaces, target and fields of one complete vertebra with a canal."""

    vertebra: Vertebra
    grid: LocalGrid
    bone_mm: FloatArray
    canal_mm: FloatArray
    neighbour_mm: FloatArray | None
    obstacles: Obstacles
    target: TargetSpace
    smooth_gradient: FloatArray

    def bone_at(self, points: FloatArray) -> FloatArray:
        """Signed distance to the bone's surface (…) at local points (…, 3), positive inside."""
        return self.grid.sample(self.bone_mm, points)

    def coarse_normal_at(self, points: FloatArray) -> FloatArray:
        """Approximate outward unit normals (…, 3) of the bone at local points (…, 3)."""
        index = self.grid.to_index(points)
        flat = index.reshape(-1, 3).T
        parts = [-ndimage.map_coordinates(part, flat, order=1, mode="nearest") for part in self.smooth_gradient]
        normal = np.stack(parts, axis=-1).reshape(index.shape)
        length = np.linalg.norm(normal, axis=-1, keepdims=True)
        return np.divide(normal, length, out=np.zeros_like(normal), where=length > 1e-6)


def access_space(vertebra: Vertebra) -> AccessSpace:
    """Prepare a vertebra for planning.

    Raises:
        ValueError: the vertebra is incomplete or has no canal; nothing may be planned there.
    """
    if vertebra.grid is None or vertebra.bone_mm is None or vertebra.canal_mm is None:
        raise ValueError(f"{vertebra.level} has no bone or canal to plan against")
    return AccessSpace(
        vertebra=vertebra,
        grid=vertebra.grid,
        bone_mm=vertebra.bone_mm,
        canal_mm=vertebra.canal_mm,
        neighbour_mm=vertebra.neighbour_mm,
        obstacles=surface_obstacles(vertebra),
        target=target_space(vertebra),
        smooth_gradient=smooth_gradient(vertebra.bone_mm, ENTRY_NORMAL_SMOOTHING_MM / vertebra.grid.spacing_mm),
    )
