"""Depth of the body in the midline, half-way between its end plates."""

from __future__ import annotations

from dataclasses import dataclass

from ..model import Vertebra


@dataclass(frozen=True)
class MidDepth:
    """Local anterior coordinates (mm) of the posterior and the anterior wall at mid-height in the midline."""

    back: float
    front: float

    @property
    def depth_mm(self) -> float:
        """Distance of the walls along the local anterior axis."""
        return self.front - self.back


def mid_depth(vertebra: Vertebra) -> MidDepth | None:
    """Where the walls stand half-way between the end plates; None where a wall was not met."""
    walls = vertebra.mid_walls_mm
    return None if walls is None else MidDepth(*walls)
