"""A wall of the body as a smooth surface that tells the label's voxels apart.

Where a wall runs along the voxel layers, all its columns end in the same layer and say only that it lies within that
one millimetre. Where it curves through a layer, it is known to a tenth. A surface fitted to all voxels around a wall at
once rests on those places, whatever the grid.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from ..model.geometry import FloatArray
from .rims import MIN_VOXELS, Voxels

ROUGHNESS_MM = 0.05
"""A voxel this far beyond a wall is as likely as not to be bone of its own. Sharper than at rims: where a wall runs along a
layer of voxels, all of them keep their distance from it, and a rounder curve lets them push it by its own width [C]."""

STRANGE = 36.0
"""Voxels more unlikely than exp(−36) (1.8 mm on the wrong side: a spur, a vein's gap) count no further."""

BAND_MM = 3.5
"""Voxels this far in front of and behind a wall tell where it lies."""

ROUNDS = 2
"""The band is laid about where the wall was first thought to be, then about where it was found."""

NEAR_MM = 1.0
"""A wall found this near to the middle of its band has enough voxels on both sides."""

FARTHEST_MM = 6.0
"""A wall farther than this from where it should be is another one (waists lie 2 mm inside the rims)."""

PATCH_USUAL_MM = np.array([4.0, 1.5, 1.0, 1.5, 0.5, 1.0, 1.0, 0.5, 0.5, 0.5, 0.7]) / 2
"""Usual spread of the terms of :func:`patch` about what is expected, at the patch's edge [D]: they decide only what the
voxels leave open."""

STEPS, SMALLEST_STEP, GAIN = 40, 0.02, 1e-3
"""Newton steps at most, the least part of a step that is tried, and the gain in likelihood that ends the search."""

LEAST_CURVATURE = 1e-3
"""Of a voxel's cost: those far from the surface have none, and steps would be without bound."""


def fit_wall(
    place: FloatArray,
    terms: FloatArray,
    inside: NDArray[np.bool_],
    expected: FloatArray,
    precision: FloatArray,
    start: FloatArray,
) -> FloatArray:
    """Coefficients (P,) of a wall: a voxel is bone where its place lies below ``terms @ coefficients``.

    The likelihood of the voxels is logistic and convex but for the limit beyond which a voxel counts no further, so
    that Newton's steps end in the same place from everywhere near.

    Args:
        place: (N,) place of the voxels across the wall, mm, greater outside.
        terms: (N, P) basis of the wall at the voxels.
        inside: (N,) whether they are bone.
        expected, precision: (P,) and (P, P) usual coefficients and the inverse of their covariance.
    """

    def cost(coefficients: FloatArray) -> float:
        depth = (terms @ coefficients - place) / ROUGHNESS_MM
        unlikely = np.logaddexp(0.0, np.where(inside, -depth, depth))
        off = coefficients - expected
        return float(np.minimum(unlikely, STRANGE).sum() + 0.5 * off @ precision @ off)

    found, value = start, cost(start)
    for _ in range(STEPS):
        depth = (terms @ found - place) / ROUGHNESS_MM
        bone = expit(depth)
        counts = np.where(inside, depth, -depth) > -STRANGE
        slope = terms.T @ ((bone - inside) * counts) / ROUGHNESS_MM + precision @ (found - expected)
        bend = np.maximum(bone * (1.0 - bone), LEAST_CURVATURE) * counts / ROUGHNESS_MM**2
        step = np.linalg.solve((terms * bend[:, None]).T @ terms + precision, slope)
        part = 1.0
        while (lower := cost(found - part * step)) > value and part > SMALLEST_STEP:
            part /= 2
        if lower > value:
            break
        gain, found, value = value - lower, found - part * step, lower
        if gain < GAIN:
            break
    return found


def patch(along: FloatArray, up: FloatArray) -> FloatArray:
    """(N, 11) terms of a patch of wall, by places (−1…1) along it and up."""
    one = np.ones_like(along)
    square = along * along
    terms = [one, along, up, square, along * up, up * up, square * square, up**3, up**4, square * up, along**3]
    return np.stack(terms, axis=-1)


def fit_patch(
    voxels: Voxels,
    axis: int,
    outward: int,
    centre: FloatArray,
    half: FloatArray,
    slope: float,
    expected: FloatArray,
) -> tuple[float, FloatArray] | None:
    """A patch of a wall that is square to a local axis.

    Args:
        axis, outward: 0 and ±1 for the side walls, 1 and ±1 for the front and the back one.
        centre: (3,) where the wall is thought to be, local mm.
        half: half-lengths of the patch along the wall and up, mm.
        slope: rise of the body's middle plane per mm forwards; the patch keeps to it.
        expected: (11,) usual terms of :func:`patch`.

    Returns:
        where the patch's middle lies on the axis, local mm, and all its terms; None where no wall is met.
    """
    other = 1 - axis
    at = float(centre[axis])
    for _ in range(ROUNDS):
        reach = np.empty(3)
        reach[axis], reach[other] = BAND_MM, half[0]
        reach[2] = half[1] + abs(slope) * reach[1]
        middle = centre.copy()
        middle[axis] = at
        middle[2] += slope * (middle[1] - centre[1])
        points, inside = voxels.within(middle - reach, middle + reach)
        up = points[:, 2] - centre[2] - slope * (points[:, 1] - centre[1])
        held = np.abs(up) <= half[1]
        points, inside, up = points[held], inside[held], up[held]
        if min(inside.sum(), (~inside).sum()) < MIN_VOXELS:
            return None
        terms = patch((points[:, other] - centre[other]) / half[0], up / half[1])
        place = outward * (points[:, axis] - at)
        found = fit_wall(place, terms, inside, expected, np.diag(PATCH_USUAL_MM**-2.0), np.zeros(len(expected)))
        at += outward * float(found[0])
        if abs(at - centre[axis]) > FARTHEST_MM:
            return None
        if abs(float(found[0])) < NEAR_MM:
            break
    return at, found
