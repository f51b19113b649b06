"""Distances that needles keep: to the canal's wall and to the neighbouring vertebrae."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from ..model import Case, Frame, Image, LocalGrid
from ..model.geometry import FloatArray
from .canal import Canal
from .surface import coarse_distance, label_shape, resample, surface_points

CANAL_BAND_MM = 7.0
"""So near to the canal its distance is exact; further away a few tenths of a millimetre do not matter."""


def with_label(canal: Canal, case: Case, frame: Frame, grid: LocalGrid) -> Canal:
    """A canal or cord label, where given, adds to the ring's canal: neither may be touched."""
    if case.canal is None:
        return canal
    mask = case.canal.voxels > 0
    box = ndimage.find_objects(mask.astype(np.uint8))[0]
    labelled = label_shape(Image(mask.astype(np.uint8), case.canal.ijk_to_ras), 1, box)
    return replace(canal, field=np.maximum(canal.field, resample(labelled.distance, frame, grid, -8.0)))


def _coarser(grid: LocalGrid) -> LocalGrid:
    shape = tuple(int(np.ceil(n / 2)) + 1 for n in grid.shape)
    return LocalGrid(grid.first_mm, 2 * grid.spacing_mm, (shape[0], shape[1], shape[2]))


def canal_distance(canal: Canal, bone: FloatArray, grid: LocalGrid, band_mm: float) -> FloatArray:
    """Distance to the canal's wall, positive outside; exact in the bone next to it and ``band_mm`` around."""
    coarse = _coarser(grid)
    distance = coarse_distance(grid.sample(canal.field, coarse.points()), grid, coarse)
    near = (np.abs(distance) < CANAL_BAND_MM) & (bone > -band_mm + 0.1)
    exact, _ = cKDTree(surface_points(canal.field, grid)).query(grid.to_local(np.argwhere(near)), workers=1)
    distance[near] = np.where(canal.field[near] > 0, -exact, exact)
    return distance


def neighbour_distance(case: Case, value: int, frame: Frame, grid: LocalGrid) -> FloatArray:
    """Distance to the other labelled vertebrae, positive outside them."""
    coarse = _coarser(grid)
    corners = np.array(list(np.ndindex(2, 2, 2))) * (np.array(coarse.shape) - 1)
    ijk = case.labels.to_ijk(frame.to_ras(coarse.to_local(corners)))
    low = np.maximum(np.floor(ijk.min(axis=0)).astype(int) - 1, 0)
    high = np.minimum(np.ceil(ijk.max(axis=0)).astype(int) + 2, case.labels.voxels.shape)
    crop = case.labels.voxels[low[0] : high[0], low[1] : high[1], low[2] : high[2]]
    others = np.isin(crop, [v for v in case.level_values.values() if v != value]).astype(np.float32)
    matrix = case.labels.ijk_to_ras.copy()
    matrix[:3, 3] = case.labels.to_ras(low)
    share = resample(Image(others, matrix), frame, coarse, 0.0)
    return coarse_distance((share - 0.5) * coarse.spacing_mm, grid, coarse)
