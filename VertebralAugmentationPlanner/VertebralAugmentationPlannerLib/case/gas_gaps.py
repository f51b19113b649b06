"""Gas that a label leaves out of its vertebra: a cleft between two parts of a body, open to the front or the side.

Networks label bone, and gas is none: the label ends at the cleft, although the end plate lies beyond it. A column of voxels then
seems to leave the body in the middle. The CT shows the gas, and the label goes on above and below it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..model import Image, PlanWarning
from ..model.warning_codes import CLEFT_NOT_LABELLED

WIDEST_GAP_MM = 8.0
"""Clefts are lower than this; no other two parts of one vertebra lie so near above each other with gas between. [D]"""

GAS_HU = -200.0
"""Certain gas, here and where a cleft is measured. No published threshold was found; fat ends at −130 HU and gas mixed with bone
still lies below [D]."""

LEAST_ML = 0.1
"""Less gas in a gap moves no end plate. [D]"""

BONE_HU = 0.0
"""What bounds a cleft reads more than this, one voxel deep; where it does not, the CT does not show this vertebra. [D]"""

PLATE_MM2 = 300.0
"""A gap over less of the plan view moves no plate of a lumbar body by much. Sound labels leave gaps too, under a transverse process
and in front of a facet: up to 122 mm² of 25 levels of three VerSe spines, 231 with the spine tipped by 35° [C]."""


def completed_levels(warnings: Iterable[PlanWarning]) -> set[str]:
    """Levels whose label was completed by the CT, as the warnings of :func:`fill_gas_gaps` have them."""
    return {w.level for w in warnings if w.code == CLEFT_NOT_LABELLED and w.level is not None}


def fill_gas_gaps(
    labels: Image, levels: Mapping[str, int], boxes: Mapping[str, tuple[slice, ...]], ct: Image
) -> tuple[Image, list[PlanWarning]]:
    """The label map with gas between two parts of a level, one above the other, as part of it; the map given is not changed.

    Args:
        labels: clean, any voxel order.
        levels: label value of each level.
        boxes: index box (i, j, k) of each level.
        ct: in HU, on any rectangular grid.
    """
    voxel_ml = float(np.prod(labels.spacing_mm)) / 1000
    voxels, warnings = labels.voxels, []
    for level, value in levels.items():
        gaps = _gaps_with_gas(labels, value, boxes[level], ct, LEAST_ML / voxel_ml)
        if not gaps.any():
            continue
        voxels = voxels.copy() if voxels is labels.voxels else voxels
        voxels[boxes[level]][gaps] = value
        text = (
            f"{np.count_nonzero(gaps) * voxel_ml:.1f} ml with gas between two parts of the label of {level} were taken as part of its "
            "body: a cleft that the label leaves out."
        )
        source = "the CT shows gas, bone above and below it [D]"
        warnings.append(PlanWarning(CLEFT_NOT_LABELLED, "info", text, source, None, level))
    return (replace(labels, voxels=voxels) if warnings else labels), warnings


def _gaps_with_gas(
    labels: Image, value: int, box: tuple[slice, ...], ct: Image, least_voxels: float
) -> NDArray[np.bool_]:
    """Gaps of a label's box (as its crop) that hold gas, from bone to bone."""
    axis = _upward(labels)
    crop = np.moveaxis(labels.voxels[box], axis, 2)
    found = np.zeros(crop.shape, bool)
    between, below, above = _between(crop, value, labels.spacing_mm[axis])
    index = np.argwhere(between)
    if not len(index):
        return np.moveaxis(found, 2, axis)
    first = np.array([part.start for part in box])

    def hu_at(level: NDArray[np.int_]) -> NDArray[np.floating]:
        at = np.insert(index[:, :2], axis, level, axis=1)
        return ct.sample(labels.to_ras(at + first), order=0)

    ends = below[tuple(index.T)], above[tuple(index.T)]
    bounded = np.minimum(hu_at(np.maximum(ends[0] - 1, 0)), hu_at(np.minimum(ends[1] + 1, crop.shape[2] - 1))) > BONE_HU
    gas = np.zeros(crop.shape, bool)
    gas[tuple(index[(hu_at(index[:, 2]) <= GAS_HU) & bounded].T)] = True
    parts, _ = ndimage.label(gas, np.ones((3, 3, 3), bool))
    large = np.bincount(parts.ravel()) >= max(1.0, least_voxels)
    large[0] = False
    # A column may have another gap, as under a spur: a gap is told by its column and its lower end.
    gaps = np.ravel_multi_index((index[:, 0], index[:, 1], ends[0]), crop.shape)
    found[tuple(index[np.isin(gaps, gaps[large[parts][tuple(index.T)]])].T)] = True
    return np.moveaxis(found, 2, axis)


def open_gaps(
    labels: Image, levels: Mapping[str, int], boxes: Mapping[str, tuple[slice, ...]], with_ct: bool
) -> list[PlanWarning]:
    """A caution on levels whose label leaves a broad gap between two parts, one above the other; arguments as for
    :func:`fill_gas_gaps`.

    Args:
        with_ct: the labels were filled where the CT shows gas: what is left is none.
    """
    axis, warnings = _upward(labels), []
    column_mm2 = float(np.prod(np.delete(labels.spacing_mm, axis)))
    for level, value in levels.items():
        between, _, _ = _between(np.moveaxis(labels.voxels[boxes[level]], axis, 2), value, labels.spacing_mm[axis])
        parts, count = ndimage.label(between, np.ones((3, 3, 3), bool))
        columns = [
            np.count_nonzero((parts[box] == n).any(axis=2)) for n, box in enumerate(ndimage.find_objects(parts), 1)
        ]
        if not count or max(columns) * column_mm2 < PLATE_MM2:
            continue
        found = f"The label of {level} leaves a gap of up to {WIDEST_GAP_MM:.0f} mm between two of its parts, one above the other."
        text = (
            f"{found} The CT shows no gas there, so the label may have lost bone: heights, grade and needles may be those of one "
            "part. Look at it."
            if with_ct
            else f"{found} It may be a gas cleft, which belongs to the body and only a CT shows: heights, grade and needles may be "
            "those of one part. Look at it, or give the CT."
        )
        warnings.append(PlanWarning("cleft_or_gap", "caution", text, "label map [D]", None, level))
    return warnings


def _upward(labels: Image) -> int:
    """The voxel axis that lies most nearly upwards."""
    return int(np.argmax(np.abs(labels.ijk_to_ras[2, :3]) / labels.spacing_mm))


def _between(
    crop: NDArray, value: int, spacing_mm: float
) -> tuple[NDArray[np.bool_], NDArray[np.int_], NDArray[np.int_]]:
    """(I, J, K) voxels of no label in a low gap between two parts of one, K upwards; and the ends as :func:`_ends` has them."""
    below, above = _ends(crop == value)
    low = (above - below - 1) * spacing_mm <= WIDEST_GAP_MM
    return (below >= 0) & (above < crop.shape[2]) & (crop == 0) & low, below, above


def _ends(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
    """(I, J, K) level of the nearest voxel of a mask below each voxel, and above it, in its column; −1 and K where there is none."""
    count = mask.shape[2]
    level = np.broadcast_to(np.arange(count, dtype=np.int16), mask.shape)
    below = np.maximum.accumulate(np.where(mask, level, np.int16(-1)), axis=2)
    above = np.minimum.accumulate(np.where(mask, level, np.int16(count))[:, :, ::-1], axis=2)[:, :, ::-1]
    return below, above
