"""Labels that were drawn on a coarser grid than they are stored on, brought back to the grid they were drawn on.

Networks label at a spacing of their own (TotalSegmentator at 1.5 mm, its fast model at 3 mm) and write the result on the CT's
voxels, each of which takes the label that is nearest. The steps stay those of the coarse grid: read as fine voxels, an end plate
would follow them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from ..model import Image, PlanWarning
from ..model.geometry import FloatArray, label_boxes

LEAST_STEP = 1.1
"""Drawn voxels are at least so many stored ones long; less moves no end plate by more than the voxels do. [D]"""

STEP_BETWEEN_TRIED = 0.004
"""In stored voxels: over a hundred layers it comes to less than half of one. [D]"""

NEARLY_FITTED = 1.0
"""A line of least squares lies up to so much off changes that another line has within half a stored voxel. [D]"""

LEAST_REPEATS, LEAST_CHANGES = 4, 12
"""So many layers that repeat another, and so many that do not, tell a grid: two or three of any labels may be alike. [D]"""

LEAST_EVEN = 0.8
"""Share of neighbouring changes that are one step apart: bone has hardly two layers alike, solids of a test have many. [D]"""

PROBED_LAYERS = 24
"""Looked at first, in the middle: where not one of them repeats another, all are drawn as they are stored. [D]"""


@dataclass(frozen=True)
class DrawnLabels:
    """A label map on the grid it was drawn on.

    Args:
        image: the same map that was given where that is the grid it is stored on.
        kept: along each axis, which stored layers (as index arrays) its layers are.
    """

    image: Image
    kept: tuple[NDArray[np.int_], ...]
    warnings: tuple[PlanWarning, ...] = ()


@dataclass(frozen=True)
class _Layers:
    """Drawn layers along an axis, in stored ones: the middle of one, and the step to the next."""

    middle: float
    step: float

    def number(self, index: NDArray[np.int_]) -> NDArray[np.int_]:
        """Which drawn layer a stored one shows."""
        return np.rint((index - self.middle) / self.step).astype(int)


def as_drawn(labels: Image) -> DrawnLabels:
    """A label map without the layers that only repeat their neighbours, where these make an even coarser grid.

    No label is lost by it. Layers that repeat unevenly are bone that happens to be alike, and stay.

    Args:
        labels: unsigned integers, any voxel order; not changed.
    """
    boxes = label_boxes(labels.voxels).values()
    voxels, matrix, kept = labels.voxels, labels.ijk_to_ras.copy(), []
    box = tuple(
        slice(min((one[a].start for one in boxes), default=0), max((one[a].stop for one in boxes), default=0))
        for a in range(3)
    )
    for axis, count in enumerate(labels.voxels.shape):
        layers = _drawn_layers(np.moveaxis(labels.voxels[box], axis, 0), box[axis].start)
        if layers is None:
            kept.append(np.arange(count))
            continue
        numbers, first = np.unique(layers.number(np.arange(count)), return_index=True)
        kept.append(first)
        voxels = np.take(voxels, kept[-1], axis)
        matrix[:3, 3] += matrix[:3, axis] * (layers.middle + numbers[0] * layers.step)
        matrix[:3, axis] *= layers.step
    if voxels is labels.voxels:
        return DrawnLabels(labels, tuple(kept))
    image = Image(voxels, matrix)
    return DrawnLabels(image, tuple(kept), (_told(labels, image),))


def _told(stored: Image, drawn: Image) -> PlanWarning:
    fine, coarse = (" × ".join(f"{step:.2g}" for step in image.spacing_mm) for image in (stored, drawn))
    text = f"The labels were drawn with voxels of {coarse} mm and are stored with voxels of {fine} mm; they are read as they were drawn."
    return PlanWarning("labels_drawn_coarser", "info", text, "layers of the labels that repeat their neighbours")


def _drawn_layers(layers: NDArray[np.generic], first: int) -> _Layers | None:
    """The coarsest even grid whose borders lie where layers change; None where it is the stored one.

    Args:
        layers: (N, …) those with a label, along the axis.
        first: number of the first one in the volume.
    """

    def repeats(index: int) -> bool:
        return np.array_equal(layers[index], layers[index - 1])

    middle = len(layers) // 2
    probed = range(max(1, middle - PROBED_LAYERS // 2), min(len(layers), middle + PROBED_LAYERS // 2))
    if not any(map(repeats, probed)):
        return None
    repeated = np.array([repeats(index) for index in range(1, len(layers))], bool)
    changes = first + np.flatnonzero(~repeated) + 0.5  # somewhere between two stored centres
    if np.count_nonzero(repeated) < LEAST_REPEATS or len(changes) < LEAST_CHANGES:
        return None
    tried: set[bytes] = set()
    for step in np.arange(np.diff(changes).min() + 1.0, LEAST_STEP, -STEP_BETWEEN_TRIED):
        number = np.cumsum(np.r_[0.0, np.rint(np.diff(changes) / step)])
        if number.tobytes() in tried:
            continue
        tried.add(number.tobytes())
        found = _fitted(changes, number)
        if found is not None and _loses_nothing(found, repeated, first):
            return found
    return None


def _fitted(changes: FloatArray, number: FloatArray) -> _Layers | None:
    """Drawn layers with a border within half a stored one of each change; ``number``: which border that is."""
    if np.mean(np.diff(number) == 1) < LEAST_EVEN:
        return None
    step, border = np.polyfit(number, changes, 1)
    if step < LEAST_STEP or np.abs(changes - border - step * number).max() > NEARLY_FITTED:
        return None
    # The line that stays nearest to all: unknown are its step, its first border, and how far the worst change is off.
    ones = np.ones_like(number)
    above, below = np.column_stack([number, ones, -ones]), np.column_stack([-number, -ones, -ones])
    best = linprog([0, 0, 1], np.vstack([above, below]), np.r_[changes, -changes], bounds=[(None, None)] * 3)
    if not best.success or best.x[2] > 0.5 + 1e-6:
        return None
    return _Layers(float(best.x[1] + best.x[0] / 2), float(best.x[0]))


def _loses_nothing(layers: _Layers, repeated: NDArray[np.bool_], first: int) -> bool:
    """Whether stored layers that show the same drawn one are alike; ``repeated``: whether each after the first one is the one before."""
    number = layers.number(first + np.arange(len(repeated) + 1))
    return bool(repeated[np.diff(number) == 0].all())
