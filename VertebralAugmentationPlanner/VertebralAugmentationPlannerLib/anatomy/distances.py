"""Distances that needles keep: to the canal's wall and to the neighbouring vertebrae."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..model import Case, Frame, Image, LocalGrid, PlanWarning
from ..model.geometry import FloatArray, label_boxes
from .canal import Canal
from .surface import distance_to, label_shape, nearest, reached, resample, surface_points

CANAL_BAND_MM = 7.0
"""So near to the canal its distance is exact; further away a few tenths of a millimetre do not matter."""

LABEL_MARGIN_MM = 12.0
"""A canal label is read this far beyond the vertebra's grid, so that where it is cut off moves no wall inside."""

FAR_MM = 50.0
"""Stands for “nothing near”; larger than any distance that matters to a needle."""


LABEL_IN_BONE_MM, LABEL_IN_BONE_SHARE = 1.0, 0.1
"""A canal label of which more than this share lies deeper than this in the vertebra's own bone does not fit its ring: sound ones
touch the wall, by the error of either label. [D]"""


def with_label(
    ring: Canal, case: Case, level: str, frame: Frame, grid: LocalGrid, bone: FloatArray, notes: list[PlanWarning]
) -> Canal:
    """A canal or cord label, where given, adds to the ring's canal: neither may be touched. A canal's label that does not reach
    the level is noted (a cord ends somewhere), and one that lies in its bone."""
    if case.canal is None:
        return ring
    near = reached(case.canal, frame, grid, LABEL_MARGIN_MM)
    mask = (near.voxels > 0).view(np.uint8)
    if not mask.any():
        if not case.canal_is_cord:
            text = f"The canal label does not reach {level}: its canal is known from the ring of bone alone."
            notes.append(PlanWarning("canal_label_ends", "caution", text, "canal label"))
        return ring
    labelled = resample(label_shape(Image(mask, near.ijk_to_ras), 1, label_boxes(mask)[1]).distance, frame, grid, -8.0)
    inside = bone[labelled > 0]
    share = np.count_nonzero(inside > LABEL_IN_BONE_MM) / max(1, inside.size)
    if share > LABEL_IN_BONE_SHARE:
        text = (
            f"{100 * share:.0f} % of the canal label at {level} lie in the bone of {level}: label and vertebra do not fit. No needle "
            "comes near either, so paths may be missed or refused that there are; look at the label."
        )
        notes.append(PlanWarning("canal_label_in_bone", "caution", text, "canal label [D]"))
    return replace(ring, field=np.maximum(ring.field, labelled))


def canal_distance(canal: Canal, bone: FloatArray, grid: LocalGrid, band_mm: float) -> FloatArray:
    """Distance to the canal's wall, positive outside; exact in the bone next to it and ``band_mm`` around."""
    beyond = [(0, 2 * coarse - fine) for coarse, fine in zip(_coarser(grid).shape, grid.shape, strict=True)]
    distance = _coarse_distance(np.pad(canal.field, beyond, mode="edge")[::2, ::2, ::2], grid)
    near = (np.abs(distance) < CANAL_BAND_MM) & (bone > -band_mm + 0.1)
    exact = nearest(surface_points(canal.field, grid), grid.to_local(np.argwhere(near)))
    distance[near] = np.where(canal.field[near] > 0, -exact, exact)
    return distance


def neighbour_distance(case: Case, level: str, frame: Frame, grid: LocalGrid) -> FloatArray:
    """Distance to the other labelled vertebrae and the sacrum, positive outside them."""
    coarse = _coarser(grid)
    near = reached(case.labels, frame, coarse)
    others = np.isin(near.voxels, list(case.others(level)))
    share = resample(Image(others, near.ijk_to_ras), frame, coarse, 0.0)
    return _coarse_distance((share - 0.5) * coarse.spacing_mm, grid)


def _coarser(grid: LocalGrid) -> LocalGrid:
    """A grid of every second voxel that covers another."""
    shape = tuple(int(np.ceil(n / 2)) + 1 for n in grid.shape)
    return LocalGrid(grid.first_mm, 2 * grid.spacing_mm, (shape[0], shape[1], shape[2]))


def _coarse_distance(inside: FloatArray, grid: LocalGrid) -> NDArray[np.float32]:
    """Distance to a region on a grid, computed on every second voxel, for regions far from where it is used.

    Args:
        inside: array on :func:`_coarser` of the grid, positive inside the region, in about mm near its border.

    Returns:
        array on ``grid``, positive outside the region, good to a voxel of the grid.
    """
    region = inside > 0
    if not region.any():
        return np.full(grid.shape, FAR_MM, np.float32)
    step = 2 * grid.spacing_mm
    away = distance_to(region, np.full(3, step))
    within = distance_to(~region, np.full(3, step))
    signed = np.where(region, 0.5 * step - within, away - 0.5 * step)
    # Small values say where the border is only next to it: far away a field may come near zero and mean nothing.
    border = ndimage.binary_dilation(region) & ~ndimage.binary_erosion(region)
    near = border & (np.abs(inside) < 0.5 * step)
    return _on_every_voxel(np.where(near, -inside, signed).astype(np.float32), grid.shape)


def _on_every_voxel(values: NDArray[np.float32], shape: tuple[int, int, int]) -> NDArray[np.float32]:
    """Values on every second voxel, from the first on, interpolated linearly onto all."""
    for axis, count in enumerate(shape):
        known = np.moveaxis(values, axis, 0)
        between = count // 2
        filled = np.empty((count, *known.shape[1:]), np.float32)
        filled[::2] = known[: count - between]
        filled[1::2] = (known[:between] + known[1 : between + 1]) * np.float32(0.5)
        values = np.moveaxis(filled, 0, axis)
    return np.ascontiguousarray(values)
