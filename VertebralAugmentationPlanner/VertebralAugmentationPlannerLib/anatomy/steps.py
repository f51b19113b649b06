"""A surface read from binary voxels without pretending to know more than they say.

Where a column of voxels leaves the bone, the surface lies somewhere between the last centre inside and the first
centre outside: an interval, not a point. A smooth surface that runs through all intervals uses every voxel of the
plate at once. Where a plate lies almost along thick slices this is far better than reading a smoothed staircase.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..model import Frame, LocalGrid
from ..model.geometry import FloatArray
from .reasons import NotReadable
from .surface import Shape

MIDPOINT_WEIGHT = 0.003
"""Pull towards the middle of the intervals: decides only what the intervals leave open."""

STIFFNESS_WEIGHT = 0.001
"""Pull of the coefficients towards what is usual, against the voxels' one: a grid along the plate leaves much open."""

FIRST_STIFFNESS = 10.0
"""… and so many times as much for the first guess, in which no column is distrusted yet."""

ITERATIONS = 25


@dataclass(frozen=True, eq=False)
class Steps:
    """Where columns of voxels leave the body on one side.

    Args:
        inside, outside: (N, 3) local centres of the last voxel inside and the first outside, in the same column.
        outward: +1 where the columns leave upwards, −1 downwards.
        step_mm: distance between voxel layers along the superior axis.
    """

    inside: FloatArray
    outside: FloatArray
    outward: int
    step_mm: float

    @property
    def middle(self) -> FloatArray:
        """(N, 3) middles of the intervals."""
        return (self.inside + self.outside) / 2

    def where(self, keep: NDArray[np.bool_]) -> Steps:
        """The chosen columns only."""
        return Steps(self.inside[keep], self.outside[keep], self.outward, self.step_mm)

    @classmethod
    def of(cls, shape: Shape, frame: Frame, grid: LocalGrid, body: NDArray[np.bool_]) -> tuple[Steps, Steps]:
        """Read the columns of a label: those that leave through the upper surface, and through the lower.

        Args:
            body: mask of the body on ``grid``; only columns that end in it are kept.
        """
        mask = np.zeros(shape.mask.shape, bool)
        local = frame.to_local(shape.points_ras())
        mask[shape.mask] = grid.sample(body.astype(np.float32), local) > 0.5
        return cls._leaving(shape, frame, mask, +1), cls._leaving(shape, frame, mask, -1)

    @classmethod
    def _leaving(cls, shape: Shape, frame: Frame, mask: NDArray[np.bool_], outward: int) -> Steps:
        matrix = shape.distance.ijk_to_ras[:3, :3]
        along = frame.superior @ matrix
        axis = int(np.argmax(np.abs(along)))
        towards = int(np.sign(along[axis])) * outward
        mask, label = np.moveaxis(mask, axis, 2), np.moveaxis(shape.mask, axis, 2)
        if towards < 0:
            mask, label = mask[:, :, ::-1], label[:, :, ::-1]
        last = _last_of_body(mask)
        i, j = np.nonzero(mask.any(axis=2) & (last < mask.shape[2] - 1))
        k = last[i, j]
        ends = ~label[i, j, k + 1]
        i, j, k = i[ends], j[ends], k[ends]
        beyond = k + 1
        if towards < 0:
            k, beyond = mask.shape[2] - 1 - k, mask.shape[2] - 1 - beyond

        def points(level: NDArray[np.int_]) -> FloatArray:
            stacked = np.stack([i, j], axis=1).astype(float)
            return frame.to_local(shape.distance.to_ras(np.insert(stacked, axis, level, axis=1)))

        return cls(points(k), points(beyond), outward, float(np.abs(along).max()))


def _last_of_body(mask: NDArray[np.bool_]) -> NDArray[np.int_]:
    """(I, J) last voxel of each column's longest run: a crumb beyond a gap is no part of the body."""
    last = mask.shape[2] - 1 - mask[:, :, ::-1].argmax(axis=2)
    i, j = np.nonzero(mask.any(axis=2) & (last - mask.argmax(axis=2) + 1 > mask.sum(axis=2)))
    columns, level = mask[i, j], np.arange(mask.shape[2])
    length = level - np.maximum.accumulate(np.where(columns, -1, level), axis=1)
    last[i, j] = length.argmax(axis=1)
    return last


@dataclass(frozen=True, eq=False)
class Fit:
    """Coefficients of a fitted surface, and how far the voxels contradict it (root mean square, mm)."""

    coefficients: FloatArray
    misfit_mm: float


def fit_between(
    steps: Steps,
    design_inside: FloatArray,
    design_outside: FloatArray,
    tolerance_mm: float,
    usual_mm: FloatArray | None = None,
    expected_mm: FloatArray | None = None,
    bounded: NDArray[np.bool_] | None = None,
) -> Fit:
    """Coefficients c for which design @ c runs between the inside and outside voxels of every column.

    Violations count squared, and less and less beyond ``tolerance_mm`` (Tukey's biweight at 4.685 tolerances), so
    that a spur or a broken-out piece does not bend the surface.

    Args:
        design_inside, design_outside: (N, P) basis at the inside and outside voxels.
        usual_mm: (P,) usual spread of each coefficient about ``expected_mm`` (0 where not given); infinite for a
            free one. Decides, like the midpoints, only what the intervals leave open.
        bounded: (N,) false for columns that may have left through a wall: the surface may lie beyond their end.

    Raises:
        NotReadable: fewer columns are sure to end at the surface than it has coefficients.
    """
    sign = steps.outward
    z_in, z_out = steps.inside[:, 2], steps.outside[:, 2]
    middle, z_mid = (design_inside + design_outside) / 2, (z_in + z_out) / 2
    count = design_inside.shape[1]
    stiffness = np.zeros(count) if usual_mm is None else STIFFNESS_WEIGHT * len(z_in) / usual_mm**2
    expected = np.zeros(count) if expected_mm is None else expected_mm
    ends = np.ones(len(z_in), bool) if bounded is None else bounded
    if int(ends.sum()) < count:
        raise NotReadable("an end plate has too little surface to be fitted")
    # The first guess rests on sure columns alone: one that left through a wall ends anywhere below.
    coefficients = _first_guess(middle[ends], z_mid[ends], FIRST_STIFFNESS * stiffness, expected)
    misfit = 0.0
    for _ in range(ITERATIONS):
        below = np.maximum(0.0, sign * (z_in - design_inside @ coefficients))
        above = ends * np.maximum(0.0, sign * (design_outside @ coefficients - z_out))
        violation = below + above
        misfit = float(np.sqrt(np.mean(np.minimum(violation, 4.685 * tolerance_mm) ** 2)))
        trust = (1.0 - np.clip(violation / (4.685 * tolerance_mm), 0.0, 1.0) ** 2) ** 2
        w_in, w_out, w_mid = (below > 0) * trust, (above > 0) * trust, ends * MIDPOINT_WEIGHT * np.maximum(trust, 0.05)
        normal = (
            design_inside.T @ (w_in[:, None] * design_inside)
            + design_outside.T @ (w_out[:, None] * design_outside)
            + middle.T @ (w_mid[:, None] * middle)
        )
        right = (
            design_inside.T @ (w_in * z_in)
            + design_outside.T @ (w_out * z_out)
            + middle.T @ (w_mid * z_mid)
            + stiffness * expected
        )
        updated = np.linalg.solve(normal + 1e-9 * np.trace(normal) / count * np.eye(count) + np.diag(stiffness), right)
        # A damped step: the set of violated columns changes as the surface moves.
        moved = 0.7 * (updated - coefficients)
        coefficients = coefficients + moved
        if float(np.abs(moved).max()) < 1e-4:
            break
    return Fit(coefficients, misfit)


def _first_guess(design: FloatArray, values: FloatArray, stiffness: FloatArray, expected: FloatArray) -> FloatArray:
    normal = design.T @ design + np.diag(stiffness + 1e-9 * len(design))
    return np.linalg.solve(normal, design.T @ values + stiffness * expected)
