"""What every path through one vertebra is judged against, made once."""

from __future__ import annotations

from dataclasses import dataclass

from ..model import LocalGrid, Vertebra
from ..model.geometry import FloatArray
from .surface import Obstacles, surface_obstacles
from .target import TargetSpace, target_space


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

    def bone_at(self, points: FloatArray) -> FloatArray:
        """Signed distance to the bone's surface (…) at local points (…, 3), positive inside."""
        return self.grid.sample(self.bone_mm, points)


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
    )
