"""The shape of an inflated balloon: a prolate spheroid that keeps its volume.

V = (π/6)·Ø²·L with L = L0 + k·(Ø − Ø0) (clinical-reference 4 [D/C]); Ø0 and L0 are the folded balloon's, k its
elongation. Up to the volume of a spheroid of Ø0 and L0 the balloon stays folded.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from ..model.geometry import FloatArray, unit
from .catalog import BalloonDevice

MM3_PER_ML = 1000.0

Triangle = tuple[int, int, int]


@dataclass(frozen=True)
class BalloonShape:
    """Diameter across and length along the axis, mm, and the volume inside, ml."""

    volume_ml: float
    diameter_mm: float
    length_mm: float


def balloon_shape(device: BalloonDevice, volume_ml: float) -> BalloonShape:
    """The shape of a balloon at a volume, free of obstacles. Closed form but for a few Newton steps.

    Raises:
        ValueError: the volume is negative or not finite.
    """
    if not math.isfinite(volume_ml) or volume_ml < 0:
        raise ValueError(f"a balloon cannot hold {volume_ml} ml")
    length, folded, gain = device.length_mm, device.deflated_diameter_mm, device.elongation
    wanted = 6.0 * volume_ml * MM3_PER_ML / math.pi
    if wanted <= folded**2 * length:
        return BalloonShape(volume_ml, folded, length)
    diameter = math.sqrt(wanted / length)  # from above: the function below is convex there, Newton cannot overshoot
    for _ in range(20):
        stretched = length + gain * (diameter - folded)
        step = (diameter**2 * stretched - wanted) / (2.0 * diameter * stretched + gain * diameter**2)
        diameter -= step
        if abs(step) < 1e-10:
            break
    return BalloonShape(volume_ml, diameter, length + gain * (diameter - folded))


def spheroid_points(centre: FloatArray, axis: FloatArray, diameter_mm: FloatArray, length_mm: FloatArray) -> FloatArray:
    """Points (…, N, 3) on spheroids of diameters and lengths (…), one centre (3,) and one axis (3,), mm."""
    directions = unit_sphere()
    axis = unit(axis)
    along = directions @ axis
    across = directions - along[:, None] * axis
    radius, half = np.asarray(diameter_mm, float) / 2, np.asarray(length_mm, float) / 2
    return centre + radius[..., None, None] * across + half[..., None, None] * along[:, None] * axis


@cache
def unit_sphere() -> FloatArray:
    """The corners of an icosahedron whose triangles are divided three times: (642, 3) unit vectors, evenly spread.

    On a balloon of 20 mm the points lie 1.5 mm apart, so a flat wall is met within 0.06 mm.
    """
    golden = (1.0 + math.sqrt(5.0)) / 2.0
    corners = np.array([unit(p) for a in (-1, 1) for b in (-golden, golden) for p in ((0, a, b), (a, b, 0), (b, 0, a))])
    edge = np.sort(np.linalg.norm(corners[:, None] - corners[None], axis=-1), axis=1)[0, 1]
    near = np.linalg.norm(corners[:, None] - corners[None], axis=-1) < 1.01 * edge
    faces = [
        (i, j, k)
        for i in range(12)
        for j in range(i + 1, 12)
        for k in range(j + 1, 12)
        if near[i, j] and near[j, k] and near[i, k]
    ]
    points, triangles = list(corners), faces
    for _ in range(3):
        points, triangles = _divided(points, triangles)
    return np.array(points)


def _divided(points: list[FloatArray], faces: list[Triangle]) -> tuple[list[FloatArray], list[Triangle]]:
    points, middles = list(points), {}

    def middle(i: int, j: int) -> int:
        key = (min(i, j), max(i, j))
        if key not in middles:
            middles[key] = len(points)
            points.append(unit(points[i] + points[j]))
        return middles[key]

    smaller: list[Triangle] = []
    for i, j, k in faces:
        ij, jk, ki = middle(i, j), middle(j, k), middle(k, i)
        smaller += [(i, ij, ki), (j, jk, ij), (k, ki, jk), (ij, jk, ki)]
    return points, smaller
