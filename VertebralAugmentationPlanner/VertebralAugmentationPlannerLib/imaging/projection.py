"""Line integrals of a CT along the rays of a C-arm: shear–warp factorisation, fast on one core.

For the voxel axis closest to the beam, every slice projects onto a plane parallel to the slices by a scale and a
shift alone (Lacroute and Levoy 1994, doi 10.1145/192161.192283). Linear interpolation of a slice along one axis is
a sparse matrix with two entries a row, so that the sum over all slices is two sparse products: one block-diagonal
for the first axis, one wide for the second, which also adds up the slices. One homography then maps that plane
onto the receptor. Exact in geometry; the only approximation is one sample a slice, as in any ray caster of that step.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import SimpleITK as sitk
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage, sparse

from ..model import Image, InputError
from ..model.geometry import FloatArray
from .carm import CArmPose

WATER_PER_MM = 0.0206
"""Linear attenuation of water at 60 keV, about the mean energy of a filtered 80–90 kV beam. NIST tables, [M]. It
sets the contrast of the picture, no number of the plan."""
AIR_HU = -1000.0
AIR_BELOW_HU = -500.0
CROPPED_AIR_SHARE = 0.5
"""A CT of the whole trunk ends in air on its four sides; where less than this share of them is air, the CT is a crop
and the missing tissue is taken as the soft tissue at its sides, otherwise the crop's edges would hide the bone. [D]"""
FINEST_STEP = 0.7
"""Samples on the plane through the isocentre, in voxels; finer ones cost time and show no more of the voxels."""
NEAR_SOURCE = 0.05
"""Slices nearer to the source than this share of the way to the isocentre are left out: nothing stands there."""


@dataclass(frozen=True, eq=False)
class Attenuation:
    """Attenuation on an isotropic grid along the world's axes, ready to be projected.

    Args:
        values: (I, J, K) float32, 1/mm, along right, anterior, superior; relative to soft tissue where ``in_tissue``.
        first_ras: (3,) centre of voxel [0, 0, 0], mm.
        spacing_mm: edge of a voxel.
        in_tissue: the CT is a crop; beyond its borders the rays go through soft tissue (the median of its sides),
            not through air.
    """

    values: NDArray[np.float32]
    first_ras: FloatArray
    spacing_mm: float
    in_tissue: bool
    _slabs: dict[int, NDArray[np.float32]] = field(default_factory=dict, repr=False)

    def slab(self, axis: int) -> NDArray[np.float32]:
        """The same values with ``axis`` first, contiguous (kept, because a slider asks for it again)."""
        if axis not in self._slabs:
            self._slabs[axis] = np.ascontiguousarray(np.moveaxis(self.values, axis, 0))
        return self._slabs[axis]


def attenuation_of(
    ct: Image, centre_ras: ArrayLike, half_length_mm: float, voxel_mm: float, in_tissue: bool | None = None
) -> Attenuation:
    """Attenuation around a level: the whole axial extent of the CT, ``half_length_mm`` up and down.

    Args:
        ct: HU, any voxel order and direction. Not changed.
        centre_ras: (3,) middle of the level.
        in_tissue: take what lies beyond the CT as soft tissue; None decides by the CT's side walls.

    Raises:
        InputError: the CT does not reach the level.
    """
    centre = np.asarray(centre_ras, float)
    corners = np.array(np.meshgrid(*[(-0.5, n - 0.5) for n in ct.voxels.shape], indexing="ij")).reshape(3, -1).T
    corners_ras = ct.to_ras(corners)
    low, high = corners_ras.min(axis=0), corners_ras.max(axis=0)
    if np.any(centre < low) or np.any(centre > high):
        raise InputError("The CT does not reach this level; no fluoroscopy can be simulated from it.")
    low[2], high[2] = max(low[2], centre[2] - half_length_mm), min(high[2], centre[2] + half_length_mm)
    count = np.maximum(np.floor((high - low) / voxel_mm).astype(int), 1)
    first = (low + high) / 2 - (count - 1) / 2 * voxel_mm
    # Beyond an oblique CT's faces the box holds this marker, told apart from any HU.
    outside = -32000.0
    hu = _resample(ct, first, count, voxel_mm, outside)
    inside = hu > outside / 2
    wall = _side_walls(hu, inside)
    if in_tissue is None:
        in_tissue = wall.size == 0 or float(np.mean(wall < AIR_BELOW_HU)) < CROPPED_AIR_SHARE
    tissue_hu = float(np.median(wall[wall > AIR_BELOW_HU])) if np.any(wall > AIR_BELOW_HU) else 0.0
    if in_tissue:
        _fill_air_at_back(hu, tissue_hu)
    values = WATER_PER_MM * (1 + np.maximum(hu, AIR_HU) / 1000)
    if in_tissue:
        values -= WATER_PER_MM * (1 + tissue_hu / 1000)
    values[~inside] = 0.0
    if not in_tissue:
        values, first = _continued(values, first, voxel_mm, centre[2], half_length_mm)
    return Attenuation(np.ascontiguousarray(values, np.float32), first, voxel_mm, in_tissue)


def _continued(
    values: NDArray, first: FloatArray, voxel_mm: float, centre_s: float, half_length_mm: float
) -> tuple[NDArray, FloatArray]:
    """A trunk does not end where its CT ends: the first and last slice are repeated up to ``half_length_mm``.

    Without this, a beam tilted to the head or feet leaves the CT on its way and the picture brightens to one side.
    """
    last_s = first[2] + (values.shape[2] - 1) * voxel_mm
    below = max(int((first[2] - (centre_s - half_length_mm)) / voxel_mm), 0)
    above = max(int((centre_s + half_length_mm - last_s) / voxel_mm), 0)
    padded = np.pad(values, ((0, 0), (0, 0), (below, above)), mode="edge")
    return padded, first - np.array([0.0, 0.0, below * voxel_mm])


def line_integrals(volume: Attenuation, pose: CArmPose) -> NDArray[np.float32]:
    """∫ μ dl along every pixel’s ray, (rows, columns), without unit; relative to soft tissue where the volume is."""
    first, edge = volume.first_ras, volume.spacing_mm
    beam = pose.beam_direction_ras
    axis = int(np.argmax(np.abs(beam)))
    others = [a for a in range(3) if a != axis]
    source = (pose.source_ras - first) / edge
    centre = (pose.isocentre_ras - first) / edge
    slab = volume.slab(axis)

    # Where the rays of the receptor's pixels meet the slice plane through the isocentre (voxel units).
    columns, rows = np.meshgrid(np.arange(pose.size_px), np.arange(pose.size_px))
    rays = pose.rays(np.stack([columns, rows], axis=-1)) / edge
    reach = (centre[axis] - source[axis]) / rays[..., axis]
    if not np.all(reach > 0):
        raise InputError("The receptor is too large for its distance; reduce it or increase the distance.")
    meet = [source[a] + reach * rays[..., a] for a in others]
    step = float(np.clip(pose.mm_per_px / edge, FINEST_STEP, 1.0))
    grid_first = [float(m.min()) - step for m in meet]
    grid_count = [int(np.ceil((float(m.max()) + step - f) / step)) + 1 for m, f in zip(meet, grid_first, strict=True)]

    plane = _add_slices(slab, axis, others, source, centre, grid_first, grid_count, step)
    at = np.stack([(m - f) / step for m, f in zip(meet, grid_first, strict=True)])
    image = ndimage.map_coordinates(plane, at, order=1, output=np.float32, prefilter=False)
    # One sample a slice stands for the ray's way from slice to slice.
    length = np.linalg.norm(rays, axis=-1) / np.abs(rays[..., axis]) * edge
    return image * length.astype(np.float32)


def _add_slices(
    slab: NDArray[np.float32],
    axis: int,
    others: list[int],
    source: FloatArray,
    centre: FloatArray,
    grid_first: list[float],
    grid_count: list[int],
    step: float,
) -> NDArray[np.float32]:
    """Sum of all slices on the plane through the isocentre, as seen from the source."""
    scale = (np.arange(len(slab)) - source[axis]) / (centre[axis] - source[axis])
    usable = np.flatnonzero(scale > NEAR_SOURCE)
    if not len(usable):
        raise InputError("The CT lies behind the X-ray source; move the isocentre to the level.")
    positions = []
    part = [slice(int(usable[0]), int(usable[-1]) + 1)]
    for a, first, n, size in zip(others, grid_first, grid_count, slab.shape[1:], strict=True):
        on_plane = first + step * np.arange(n)
        position = source[a] + np.outer(scale[usable], on_plane - source[a])
        # Only the voxels that the field sees take part.
        low = int(np.clip(np.floor(position.min()), 0, size - 1))
        high = int(np.clip(np.ceil(position.max()) + 1, low + 1, size))
        part.append(slice(low, high))
        positions.append(position - low)
    slab = np.ascontiguousarray(slab[tuple(part)])
    count, rows_in, columns_in = slab.shape
    n_rows, n_columns = grid_count

    weight, index = _hat(positions[0], rows_in)  # (slices, n_rows, 2)
    index += (np.arange(count) * rows_in)[:, None, None]
    along_rows = _csr(weight, index, (count * n_rows, count * rows_in))
    half = along_rows @ slab.reshape(count * rows_in, columns_in)
    half = np.ascontiguousarray(half.reshape(count, n_rows, columns_in).transpose(0, 2, 1))

    weight, index = _hat(positions[1], columns_in)
    index += (np.arange(count) * columns_in)[:, None, None]
    wide = _csr(
        weight.transpose(1, 0, 2), index.transpose(1, 0, 2), (n_columns, count * columns_in)
    )  # one row a column of the plane: it interpolates and adds up all slices at once
    return (wide @ half.reshape(count * columns_in, n_rows)).T


def _hat(position: FloatArray, n: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Weights and indices (…, 2) of linear interpolation at positions (…); nothing beyond the ends."""
    below = np.floor(position)
    fraction = position - below
    index = np.stack([below, below + 1], axis=-1).astype(np.int64)
    weight = np.stack([1 - fraction, fraction], axis=-1).astype(np.float32)
    weight[(index < 0) | (index >= n)] = 0.0
    return weight, np.clip(index, 0, n - 1)


def _csr(weight: NDArray, index: NDArray, shape: tuple[int, int]) -> sparse.csr_matrix:
    """Sparse matrix whose rows have equally many entries, in the order given."""
    per_row = weight.size // shape[0]
    pointer = np.arange(0, weight.size + 1, per_row, dtype=np.int32)
    return sparse.csr_matrix((weight.ravel(), index.ravel().astype(np.int32), pointer), shape=shape)


def _resample(ct: Image, first: FloatArray, count: NDArray, voxel_mm: float, outside: float) -> NDArray[np.float32]:
    """HU on the new grid, linear; ``outside`` beyond the CT."""
    ijk = ct.to_ijk(
        first + np.array(np.meshgrid(*[(0, n - 1) for n in count], indexing="ij")).reshape(3, -1).T * voxel_mm
    )
    low = np.maximum(np.floor(ijk.min(axis=0)).astype(int) - 2, 0)
    high = np.minimum(np.ceil(ijk.max(axis=0)).astype(int) + 3, ct.voxels.shape)
    part = ct.voxels[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    # Where the CT is much finer than the grid, whole blocks of voxels are averaged: no aliasing, less to resample.
    block = np.clip((voxel_mm / ct.spacing_mm + 1e-6).astype(int), 1, part.shape)
    part = _block_mean(part, block)
    image = sitk.GetImageFromArray(np.ascontiguousarray(part.transpose(2, 1, 0)))
    # The image is given the unit frame; the resampler's transform carries grid points to voxel indices.
    grid = np.diag([voxel_mm] * 3 + [1.0])
    grid[:3, 3] = first
    to_part = ct.ras_to_ijk @ grid
    to_part[:3, 3] -= low + (block - 1) / 2
    to_part[:3] /= block[:, None]
    transform = sitk.AffineTransform(3)
    transform.SetMatrix(to_part[:3, :3].ravel().tolist())
    transform.SetTranslation(to_part[:3, 3].tolist())
    resampled = sitk.Resample(
        image,
        [int(n) for n in count],
        transform,
        sitk.sitkLinear,
        [0.0] * 3,
        [1.0] * 3,
        np.eye(3).ravel().tolist(),
        outside,
        sitk.sitkFloat32,
    )
    return sitk.GetArrayFromImage(resampled).transpose(2, 1, 0)


def _block_mean(values: NDArray, block: NDArray) -> NDArray[np.float32]:
    """Means over blocks of voxels; an incomplete block at the end is left out."""
    count = np.array(values.shape) // block
    total = np.zeros(tuple(count), np.float32)
    for offset in np.ndindex(*block):
        total += values[tuple(slice(o, o + n * b, b) for o, n, b in zip(offset, count, block, strict=True))]
    total /= np.float32(block.prod())
    return total


def _fill_air_at_back(hu: NDArray, tissue_hu: float) -> None:
    """Turn the air behind the skin of a cropped CT into tissue, in place.

    With tissue assumed beside the crop, a wedge of air inside it would show the crop's side as an edge.
    """
    # The second axis grows to the front, so the first slice is the hindmost.
    behind = np.logical_and.accumulate(hu < AIR_BELOW_HU, axis=1)
    hu[behind] = tissue_hu


def _side_walls(hu: NDArray, inside: NDArray) -> NDArray:
    """HU of the CT's four sides (left, right, front, back), in one row."""
    walls = []
    for axis in (0, 1):
        # A little inside, because the outermost voxels of some scanners are padding.
        depth = min(2, (hu.shape[axis] - 1) // 2)
        for end in (depth, -1 - depth):
            walls.append(np.take(hu, end, axis=axis)[np.take(inside, end, axis=axis)])
    return np.concatenate(walls)
