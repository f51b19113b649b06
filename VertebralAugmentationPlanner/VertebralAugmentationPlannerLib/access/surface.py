"""The surfaces a needle must not meet, as points with a meaning.

Distances to a wall are taken to points on the zero level of the distance fields, not from the fields themselves:
linear interpolation of a distance field is low by up to half a voxel on its ridge, which is exactly where the best
needle lies. Points on the zero level carry no such error and do not care where the grid's nodes fall.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..model import LocalGrid, Vertebra
from ..model.geometry import FloatArray

WALL, ENDPLATE, ANTERIOR, LATERAL, CANAL, NEIGHBOUR = range(6)
"""What a surface point belongs to. WALL is the pedicle, the arch and the rim where the pedicle joins the body."""

JUNCTION_MM = 5.0
"""The pedicle flares into the body over about this depth in front of the posterior wall; as far, the pedicle's own
margin holds instead of the end plates' and the lateral cortex's [D]."""

PLATE_NORMAL = 0.65
"""A body surface whose normal points up or down by more than this (within 49° of the axis) is an end plate [D]."""

NORMAL_SMOOTHING_VOXELS = 1.0
"""Gaussian smoothing of the distance field before its gradient is read, against stair-steps of the labels [D]."""

_NEIGHBOUR_STEPS = (
    (1, 0, 0),
    (0, 1, 0),
    (0, 0, 1),
    (1, 1, 0),
    (1, -1, 0),
    (1, 0, 1),
    (1, 0, -1),
    (0, 1, 1),
    (0, 1, -1),
)


@dataclass(frozen=True, eq=False)
class Obstacles:
    """Surface points around a vertebra, in its frame.

    Args:
        points: (N, 3) local mm, sorted by ``kind``.
        normals: (N, 3) unit normals, out of the bone; zero for the canal and the neighbours.
        kind: (N,) one of WALL … NEIGHBOUR.
        coarse: (N,) a sparser subset for the search, on average one point a voxel face.
    """

    points: FloatArray
    normals: FloatArray
    kind: NDArray[np.int_]
    coarse: NDArray[np.bool_]


def surface_obstacles(vertebra: Vertebra) -> Obstacles:
    """Points on the bone, the canal and the neighbouring vertebrae, each with what it belongs to."""
    grid, bone = vertebra.grid, vertebra.bone_mm
    if grid is None or bone is None or vertebra.canal_mm is None:
        raise ValueError("surfaces need a complete vertebra with a canal")
    points, coarse = zero_level(bone, grid)
    normals = outward_normals(bone, grid, points)
    sets = [(points, normals, _bone_kind(vertebra, points, normals), coarse)]
    for values, kind in ((vertebra.canal_mm, CANAL), (vertebra.neighbour_mm, NEIGHBOUR)):
        if values is None:
            continue
        points, coarse = zero_level(values, grid)
        sets.append((points, np.zeros_like(points), np.full(len(points), kind), coarse))
    points, normals, kind, coarse = (np.concatenate(parts) for parts in zip(*sets, strict=True))
    order = np.argsort(kind, kind="stable")
    return Obstacles(points[order], normals[order], kind[order], coarse[order])


def zero_level(values: FloatArray, grid: LocalGrid) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Points where a field on the grid changes sign, linearly interpolated.

    Crossings are taken along the grid's edges and the diagonals of its faces, which puts the points less than a
    voxel apart.

    Returns:
        (N, 3) local points, and (N,) flags of those on the edges proper.
    """
    values = np.ascontiguousarray(values)
    inside, flat = (values > 0).ravel(), values.ravel()
    shape = np.array(values.shape)
    strides = np.array([shape[1] * shape[2], shape[2], 1])
    pieces, flags = [], []
    for step in map(np.array, _NEIGHBOUR_STEPS):
        # Neighbours are compared along memory, which is quick; a step that left the grid at its edge is dropped.
        ahead = int(step @ strides)
        at = np.flatnonzero(inside[:-ahead] != inside[ahead:])
        index = np.unravel_index(at, values.shape)
        held = np.ones(len(at), bool)
        for axis in np.flatnonzero(step):
            held &= (index[axis] + step[axis] >= 0) & (index[axis] + step[axis] < shape[axis])
        at, start = at[held], np.stack(index, axis=1)[held]
        share = (flat[at] / (flat[at] - flat[at + ahead]))[:, None]
        pieces.append(grid.to_local(start + share * step))
        flags.append(np.full(len(at), np.abs(step).sum() == 1))
    return np.concatenate(pieces), np.concatenate(flags)


def outward_normals(bone_mm: FloatArray, grid: LocalGrid, points: FloatArray) -> FloatArray:
    """Unit normals (N, 3) out of the bone at points (N, 3) on its surface."""
    smooth = ndimage.gaussian_filter(np.asarray(bone_mm, np.float32), NORMAL_SMOOTHING_VOXELS, truncate=2.5)
    gradient = np.gradient(smooth)
    index = grid.to_index(points).T
    sampled = np.stack([-ndimage.map_coordinates(part, index, order=1, mode="nearest") for part in gradient], axis=-1)
    length = np.linalg.norm(sampled, axis=-1, keepdims=True)
    return np.divide(sampled, length, out=np.zeros_like(sampled), where=length > 1e-6)


def posterior_wall_at(vertebra: Vertebra, points: FloatArray) -> FloatArray:
    """Local anterior coordinate (…) of the posterior wall at the x and z of local points (…, 3)."""
    grid, wall = vertebra.grid, vertebra.posterior_wall_mm
    if grid is None or wall is None:
        raise ValueError("a complete vertebra has a posterior wall")
    index = grid.to_index(points)[..., [0, 2]]
    values = ndimage.map_coordinates(wall, index.reshape(-1, 2).T, order=1, mode="nearest", output=np.float64)
    return values.reshape(index.shape[:-1])


def _bone_kind(vertebra: Vertebra, points: FloatArray, normals: FloatArray) -> NDArray[np.int_]:
    depth = points[:, 1] - posterior_wall_at(vertebra, points)
    in_front = depth > JUNCTION_MM
    plate = np.abs(normals[:, 2]) > PLATE_NORMAL
    forward = (normals[:, 1] > np.abs(normals[:, 0])) & (depth > 0.5 * (vertebra.depth_mm or 0.0))
    kind = np.full(len(points), LATERAL)
    kind[forward] = ANTERIOR
    kind[plate] = ENDPLATE
    kind[~in_front] = WALL
    return kind
