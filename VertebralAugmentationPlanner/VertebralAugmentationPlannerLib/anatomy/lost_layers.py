"""Layers of voxels that a label has lost between its parts: what is left above and below no longer makes one vertebra."""

from __future__ import annotations

import itertools

import numpy as np

from .surface import Shape

UPWARD = 0.7
"""Cosine (45°) from which on a voxel axis runs from foot to head. Layers across it cut the body; one from side to side or
from front to back would leave a process or the arch apart, which is told elsewhere [D]."""

BROAD_MM2 = 150.0
"""A section of this size on both sides of the gap is body or arch. The parts that real labels leave apart are tips of processes,
smaller by half [D]."""


LEFT_OVER_MM2 = 10.0
"""What is left of a layer that a file lost: strays. Between two broad sections of a vertebra the next is as broad [D]."""


def lost_layers(shape: Shape) -> str | None:
    """Why a label with empty layers between two broad sections of itself is no whole vertebra; None where it has none.

    A cleft of gas that a label leaves out is none: the arch behind it goes on. Scans with slices missing, and labels that were
    drawn slice by slice, have such layers.
    """
    matrix, spacing = shape.distance.ijk_to_ras[:3, :3], shape.distance.spacing_mm
    for axis in np.flatnonzero(np.abs(matrix[2]) / spacing > UPWARD):
        area = shape.mask.sum(axis=tuple(other for other in range(3) if other != axis)) * np.prod(
            np.delete(spacing, axis)
        )
        held = np.flatnonzero(area >= LEFT_OVER_MM2)
        for before, after in itertools.pairwise(held):
            count = int(after - before) - 1
            if count and min(area[before], area[after]) >= BROAD_MM2:
                layers = "a layer" if count == 1 else f"{count} layers"
                return (
                    f"its label lacks {layers} of voxels ({count * spacing[axis]:.1f} mm) between two parts of the bone"
                )
    return None
