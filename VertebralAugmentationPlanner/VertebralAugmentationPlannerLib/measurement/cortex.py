"""Gaps in the cortex of the body, seen in the CT: where cement would leak.

The label map gives the surface, the CT the shell. At every point of the surface the highest CT value along the inward
normal is read; where it hardly exceeds the trabecular bone over a patch of some size, the shell is missing there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from ..anatomy.surface import surface_points
from ..model import Vertebra
from ..model.geometry import FloatArray
from .heights import plates
from .sampling import BodyVoxels

SEARCH_MM = np.arange(-1.5, 2.01, 0.5)
"""Depths (positive inwards) at which the shell is looked for: labels follow the cortex to about a voxel [D]."""

MISSING_SHARE = 0.25
"""The shell counts as missing where it stands out from trabecular bone by less than this share of the
median of the same side, so that neither contrast medium nor kernel nor slice thickness matters [D]."""

MIN_SHELL_HU = 80.0
"""Where the shell as a whole stands out by less than this, the CT cannot show a gap in it [D]."""

MIN_DEFECT_MM2 = 14.0
"""Smallest patch reported (4 mm across); smaller ones come and go with noise at 1 mm voxels [D]."""

LINK_MM = 1.5
"""Points closer than this belong to one patch."""

SMOOTHING_MM = 1.5
"""Readings are averaged over this radius before they are judged."""

PLATE_NORMAL = 0.7
"""A surface whose normal is within 45° of the vertebral axis is end plate."""

FORAMEN = "basivertebral_foramen"
FORAMEN_HALF_WIDTH_MM = 7.0
FORAMEN_HEIGHT_SHARE = (0.3, 0.7)
"""The basivertebral foramen opens in the middle of the posterior wall; a gap centred there is the vein's exit and
no fracture [D]."""


@dataclass(frozen=True)
class CorticalDefect:
    """A patch without cortex.

    Args:
        towards: "canal", "basivertebral_foramen", "superior_disc", "inferior_disc", "anterior" or "lateral".
        area_mm2: its size.
    """

    towards: str
    area_mm2: float


class CortexUnseen(Exception):
    """The CT cannot tell where the cortex is missing; the message says why, to go on after a colon."""


def cortical_defects(vertebra: Vertebra, voxels: BodyVoxels, trabecular_hu: float | None) -> list[CorticalDefect]:
    """Patches of the body's surface without cortex, largest first.

    Raises:
        CortexUnseen: no trabecular reading to compare with, or a shell that does not stand out.
    """
    if voxels.hu is None:
        raise CortexUnseen("there is no CT")
    if trabecular_hu is None:
        raise CortexUnseen("the trabecular bone that a cortex stands out from could not be read in the CT")
    points, normals = body_surface(voxels)
    if len(points) < 100:
        raise CortexUnseen("too little of the body’s own surface is left")
    readings = _shell_readings(points, normals, voxels) - trabecular_hu
    seen = np.isfinite(readings)
    points, normals, readings = points[seen], normals[seen], readings[seen]
    facing = _facing(normals)
    usual = _usual_shell(readings, facing)
    if usual is None:
        raise CortexUnseen(
            "on one side at least it does not stand out from the trabecular bone in this CT (thick slices, smooth kernel)"
        )
    tree = cKDTree(points)
    nearby = tree.sparse_distance_matrix(tree, SMOOTHING_MM, output_type="coo_matrix")
    weight = coo_matrix((np.ones(len(nearby.row)), (nearby.row, nearby.col)), shape=(len(points),) * 2).tocsr()
    count = np.asarray(weight.sum(axis=1)).ravel()
    smooth = (weight @ readings) / np.maximum(count, 1)
    missing = np.flatnonzero(smooth < MISSING_SHARE * usual)
    if not len(missing):
        return []
    return _patches(vertebra, points[missing], normals[missing], facing[missing], voxels.grid.spacing_mm)


def body_surface(voxels: BodyVoxels) -> tuple[FloatArray, FloatArray]:
    """(N, 3) points on the body's own surface (not the cut towards the arch) and their outward unit normals, local."""
    grid = voxels.grid
    points = surface_points(voxels.bone_mm, grid)
    near = ndimage.binary_dilation(voxels.body, iterations=1)
    index = np.round(grid.to_index(points)).astype(int)
    index = np.clip(index, 0, np.array(grid.shape) - 1)
    points = points[near[tuple(index.T)]]
    smooth = ndimage.gaussian_filter(voxels.bone_mm, 1.0 / grid.spacing_mm)
    gradient = np.stack([grid.sample(part, points) for part in np.gradient(smooth)], axis=-1)
    length = np.linalg.norm(gradient, axis=1)
    good = length > 1e-6
    return points[good], -gradient[good] / length[good, None]


def _shell_readings(points: FloatArray, normals: FloatArray, voxels: BodyVoxels) -> FloatArray:
    probes = points[:, None, :] - SEARCH_MM[None, :, None] * normals[:, None, :]
    assert voxels.hu is not None
    return voxels.grid.sample(voxels.hu, probes).max(axis=1)


def _usual_shell(readings: FloatArray, facing: np.ndarray) -> FloatArray | None:
    """(N,) how much the shell usually stands out on the side a point faces: thick slices blur one side and not others.

    None where some side's shell does not stand out at all.
    """
    usual = np.zeros(len(readings))
    for side in np.unique(facing):
        here = facing == side
        usual[here] = np.median(readings[here])
    return usual if len(usual) and usual.min() >= MIN_SHELL_HU else None


def _patches(
    vertebra: Vertebra, points: FloatArray, normals: FloatArray, facing: np.ndarray, spacing_mm: float
) -> list[CorticalDefect]:
    pairs = cKDTree(points).query_pairs(LINK_MM, output_type="ndarray")
    pairs = pairs[facing[pairs[:, 0]] == facing[pairs[:, 1]]]
    graph = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(points),) * 2)
    count, labels = connected_components(graph, directed=False)
    # A contour has one vertex per grid edge it crosses: |n|₁ vertices per face of the grid.
    area = spacing_mm**2 / np.abs(normals).sum(axis=1)
    sizes = np.bincount(labels, area, minlength=count)
    found = []
    for n in np.flatnonzero(sizes >= MIN_DEFECT_MM2):
        centre = points[labels == n].mean(axis=0)
        towards = _name(str(facing[labels == n][0]), centre, vertebra)
        found.append(CorticalDefect(towards, float(sizes[n])))
    return sorted(found, key=lambda defect: -defect.area_mm2)


def _facing(normals: FloatArray) -> np.ndarray:
    front, up = normals[:, 1], normals[:, 2]
    sideways = np.where(front > PLATE_NORMAL, "anterior", np.where(front < -PLATE_NORMAL, "canal", "lateral"))
    return np.where(up > PLATE_NORMAL, "superior_disc", np.where(up < -PLATE_NORMAL, "inferior_disc", sideways))


def _name(facing: str, centre: FloatArray, vertebra: Vertebra) -> str:
    if facing != "canal":
        return facing
    upper, lower = plates(vertebra)
    share = (centre[2] - lower.posterior_rim[2]) / (upper.posterior_rim[2] - lower.posterior_rim[2])
    low, high = FORAMEN_HEIGHT_SHARE
    central = abs(centre[0]) <= FORAMEN_HALF_WIDTH_MM and low <= share <= high
    return FORAMEN if central else "canal"
