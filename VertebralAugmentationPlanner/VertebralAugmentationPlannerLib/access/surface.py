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
from .isthmus import IsthmusPlane

WALL, ENDPLATE, ANTERIOR, LATERAL, CANAL, NEIGHBOUR = range(6)
"""What a surface point belongs to. WALL is the pedicle, the arch and the rim where the pedicle joins the body."""

DENSE_MM = 15.0
"""As near to a pedicle's axis as this, walls and canal are known by all their points: there tenths of a millimetre
decide. Elsewhere one point a voxel face is enough [D]."""

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
        coarse: (N,) a sparser subset for the search, on average one point a voxel face; other points stand only on walls
            and canal near a pedicle's axis.
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
    depth = points[:, 1] - posterior_wall_at(vertebra, points)
    kept = _kept(vertebra, points, coarse, depth <= JUNCTION_MM)
    points, coarse, depth = points[kept], coarse[kept], depth[kept]
    normals = outward_normals(bone, grid, points)
    sets = [(points, normals, _bone_kind(vertebra, normals, depth), coarse)]
    for values, kind in ((vertebra.canal_mm, CANAL), (vertebra.neighbour_mm, NEIGHBOUR)):
        if values is None:
            continue
        points, coarse = zero_level(values, grid, faces=kind == CANAL)
        kept = _kept(vertebra, points, coarse, ~coarse)
        points, coarse = points[kept], coarse[kept]
        sets.append((points, np.zeros_like(points), np.full(len(points), kind), coarse))
    points, normals, kind, coarse = (np.concatenate(parts) for parts in zip(*sets, strict=True))
    order = np.argsort(kind, kind="stable")
    return Obstacles(points[order], normals[order], kind[order], coarse[order])


def _kept(
    vertebra: Vertebra, points: FloatArray, coarse: NDArray[np.bool_], wall: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Flags (N,) of the coarse points, and of all points of a wall or the canal near a pedicle's axis."""
    kept = coarse.copy()
    others = np.flatnonzero(wall & ~coarse)
    for pedicle in vertebra.pedicles.values():
        kept[others] |= IsthmusPlane.of(pedicle).off_axis(points[others]) < DENSE_MM
    return kept


def zero_level(values: FloatArray, grid: LocalGrid, faces: bool = True) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Points where a field on the grid changes sign, linearly interpolated.

    Crossings are taken along the grid's edges and, with ``faces``, the diagonals of its faces, which puts the points less
    than a voxel apart.

    Returns:
        (N, 3) local points, and (N,) flags of those on the edges proper.
    """
    values = np.ascontiguousarray(values)
    inside, flat = (values > 0).ravel(), values.ravel()
    shape = np.array(values.shape)
    strides = np.array([shape[1] * shape[2], shape[2], 1])
    pieces, flags = [], []
    for step in map(np.array, _NEIGHBOUR_STEPS if faces else _NEIGHBOUR_STEPS[:3]):
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


def _bone_kind(vertebra: Vertebra, normals: FloatArray, depth: FloatArray) -> NDArray[np.int_]:
    """What bone surface (N,) with normals (N, 3) at a depth (N,) in front of the posterior wall belongs to."""
    plate = np.abs(normals[:, 2]) > PLATE_NORMAL
    forward = (normals[:, 1] > np.abs(normals[:, 0])) & (depth > 0.5 * (vertebra.depth_mm or 0.0))
    kind = np.full(len(depth), LATERAL)
    kind[forward] = ANTERIOR
    kind[plate] = ENDPLATE
    kind[depth <= JUNCTION_MM] = WALL
    return kind
