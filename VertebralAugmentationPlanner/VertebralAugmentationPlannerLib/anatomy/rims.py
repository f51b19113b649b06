"""The rims: corners between end plate and wall, read from all voxels around them at once.

Columns of voxels say little of the last millimetre before a rim: there they begin to leave the bone through the wall.
Around a rim the label is therefore told apart by *two* surfaces, plate and wall, and the rim is where they meet in the
midline. Every voxel counts, inside and outside, so that no single voxel decides where a rim lies.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from ..model import Frame
from ..model.geometry import FloatArray
from .reasons import NotReadable
from .surface import Shape

HALF_WIDTH_MM = {+1: 9.0, -1: 7.0}
"""Half-width of the block of voxels around an anterior (+1) and a posterior rim; behind, pedicles stand beside it."""

OUTSIDE_MM = 3.5
INSIDE_MM = 8.0
"""The block reaches so far outside plate and wall (discs and canals are at least so wide) and so far into the body."""

BLOCK_SHARE = 0.45
"""… but no further down than this share of the body's height: there the other plate begins."""

SCALE_MM = 4.0
"""Length that slopes and curvatures are told for: “mm over 4 mm”."""

ROUGHNESS_MM = 0.15
"""A voxel this far beyond a surface is as likely as not to be bone of its own: how sharply labels follow surfaces."""

STRANGE = 12.0
"""Voxels more unlikely than exp(−12) (some 2 mm on the wrong side: a spur, a vein's gap) count no further."""

RING_MM = 2.5
"""Width of the ring apophysis: a plate may be level with its rims there however steeply it is dished inside (dished
plates keep the ring, a biconcave collapse mostly does; ring 2–4 mm wide [M])."""

PLATE_EXPECTED = np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.2])
PLATE_SPREAD_MM = np.array([0.1, 0.12, 0.05, 0.1, 0.1, 0.25])
"""Usual difference of a plate near its rim from the smooth surface through the whole of it: level, slope and curvature
towards the rim, tilt and bow from side to side; last, the share of a level ring: 0 where the smooth surface goes on to
the rim, 1 where the plate is level from the ring's inner edge on [D]. They decide only what the voxels leave open, as
thick slices do."""

PLATE_TERMS = len(PLATE_SPREAD_MM)

WALL_EXPECTED_MM = np.array([0.0, 0.0, 0.0, -0.5, 0.0])
WALL_SPREAD_MM = np.array([1.5, 1.5, 0.8, 1.2, 0.3])
"""The same of the wall about a level line through where it was first taken to be: place, flare and curvature towards
the rim, rounding and turn from side to side. Walls flare up to 1 mm in 4 (waists of 8–12 % [C], clinical-reference §8),
more where a bulge begins, and fall back by about half a millimetre at the block's sides (radii of 15–30 mm [M])."""

MOST_MM = 3.0
"""A rim lies within this of where the plate's columns end."""

MIN_VOXELS = 10
"""Fewer voxels of bone, or of no bone, than this make no rim."""


@dataclass(frozen=True, eq=False)
class Voxels:
    """All voxels of a label's picture, in the vertebral frame."""

    shape: Shape
    frame: Frame

    def within(self, low: FloatArray, high: FloatArray) -> tuple[FloatArray, NDArray[np.bool_]]:
        """Local centres (N, 3) of the voxels in a box of local mm, and (N,) whether they are bone."""
        corners = np.stack(np.meshgrid(*zip(low, high, strict=True), indexing="ij"), axis=-1).reshape(-1, 3)
        index = self.shape.distance.to_ijk(self.frame.to_ras(corners))
        size = np.array(self.shape.mask.shape)
        first = np.clip(np.floor(index.min(axis=0)).astype(int), 0, size)
        last = np.clip(np.ceil(index.max(axis=0)).astype(int) + 1, 0, size)
        block = tuple(slice(a, b) for a, b in zip(first, last, strict=True))
        inside = self.shape.mask[block].ravel()
        points = self.frame.to_local(self.shape.distance.to_ras(np.argwhere(np.ones(last - first, bool)) + first))
        held = np.all((points >= low) & (points <= high), axis=1)
        return points[held], inside[held]


@dataclass(frozen=True, eq=False)
class _Corner:
    """A block of voxels around a rim that was first taken to lie at ``start``.

    Args:
        below, before: (N,) depth under the smooth plate, and depth behind a level wall through the start, mm.
        plate, wall: (6, N) and (5, N) terms by which the true plate and wall differ from those.
        inside: (N,) whether the voxels are bone.
    """

    below: FloatArray
    before: FloatArray
    plate: FloatArray
    wall: FloatArray
    inside: NDArray[np.bool_]

    def cost(self, terms: FloatArray) -> tuple[float, FloatArray]:
        """−log likelihood of the voxels and of the terms (11,), and its gradient.

        A voxel is bone where it lies under the plate and behind the wall: the product of two logistic curves.
        """
        plate, wall = terms[:PLATE_TERMS], terms[PLATE_TERMS:]
        depths = np.stack([self.below + plate @ self.plate, self.before + wall @ self.wall]) / ROUGHNESS_MM
        # The logistic curve and its logarithm from one exponential; SciPy's take several times as long.
        tails = np.exp(-np.abs(depths))
        log_bone = (np.minimum(depths, 0.0) - np.log1p(tails)).sum(axis=0)
        no_bone = np.where(depths > 0, tails, 1.0) / (1.0 + tails)
        bone = np.minimum(np.exp(log_bone), 1.0 - 1e-9)
        unlikely = -np.where(self.inside, log_bone, np.log1p(-bone))
        slope = np.where(self.inside, -1.0, bone / (1.0 - bone)) * (unlikely < STRANGE) / ROUGHNESS_MM
        odd, off = (plate - PLATE_EXPECTED) / PLATE_SPREAD_MM, (wall - WALL_EXPECTED_MM) / WALL_SPREAD_MM
        value = np.minimum(unlikely, STRANGE).sum() + 0.5 * float(odd @ odd + off @ off)
        gradient = np.concatenate(
            [
                self.plate @ (slope * no_bone[0]) + odd / PLATE_SPREAD_MM,
                self.wall @ (slope * no_bone[1]) + off / WALL_SPREAD_MM,
            ]
        )
        return float(value), gradient


def find_rim(
    height: Callable[[FloatArray], FloatArray],
    voxels: Voxels,
    start_y: float,
    forward: int,
    outward: int,
    body_height_mm: float,
    level_slope: float,
) -> FloatArray:
    """(3,) local mid-sagittal rim.

    Args:
        height: heights of the smooth plate above local points (…, 2 or 3).
        start_y: local anterior coordinate where the plate's columns end.
        forward: +1 for the anterior rim, −1 for the posterior.
        outward: +1 for the superior plate, −1 for the inferior.
        body_height_mm: height of the body near the midline.
        level_slope: rise per mm, from back to front, of the line from rim to rim.

    Raises:
        NotReadable: there is no bone, or nothing but bone, where the rim should be.
    """
    start = np.array([start_y, float(height(np.array([0.0, start_y])))])
    rim = start
    for _ in range(2):
        found = _corner_at(height, voxels, rim, forward, outward, body_height_mm, level_slope)
        moved = found - rim
        rim = np.array([np.clip(found[0], start_y - MOST_MM, start_y + MOST_MM), found[1]])
        if float(np.hypot(*moved)) < 0.5:
            break
    return np.array([0.0, *rim])


def _corner_at(
    height: Callable[[FloatArray], FloatArray],
    voxels: Voxels,
    start: FloatArray,
    forward: int,
    outward: int,
    body_height_mm: float,
    level_slope: float,
) -> FloatArray:
    """(2,) local anterior and superior coordinate where plate and wall meet in the midline."""
    y0, z0 = start
    half, deep = HALF_WIDTH_MM[forward], min(INSIDE_MM, BLOCK_SHARE * body_height_mm)
    # A steep plate climbs within the block: room for it above and below the first guess.
    reach = np.array([half, INSIDE_MM, INSIDE_MM + OUTSIDE_MM])
    centre = np.array([0.0, y0, z0])
    points, inside = voxels.within(centre - reach, centre + reach)
    before, below = forward * (y0 - points[:, 1]), outward * (height(points) - points[:, 2])
    held = (before > -OUTSIDE_MM) & (below > -OUTSIDE_MM) & (below < deep)
    points, inside, before, below = points[held], inside[held], before[held], below[held]
    if min(inside.sum(), (~inside).sum()) < MIN_VOXELS:
        raise NotReadable("a rim of the body could not be followed")
    across, inward, down = points[:, 0] / half, before / SCALE_MM, outward * (z0 - points[:, 2]) / SCALE_MM
    ones = np.ones(len(points))

    def ring(places: FloatArray) -> FloatArray:
        """How much higher a ring that goes on level from its inner edge stands than the smooth plate."""
        beyond = np.maximum(RING_MM - forward * (y0 - places[..., 1]), 0.0)
        inner = places[..., :2] - forward * beyond[..., None] * np.array([0.0, 1.0])
        return height(inner) + forward * beyond * level_slope - height(places)

    corner = _Corner(
        below,
        before,
        np.stack([ones, inward, inward**2, across, across**2, outward * ring(points)]),
        np.stack([ones, down, down**2, across**2, across]),
        inside,
    )
    first = np.concatenate([PLATE_EXPECTED, WALL_EXPECTED_MM])
    terms = optimize.minimize(corner.cost, first, jac=True, method="BFGS", options={"maxiter": 60, "gtol": 0.05}).x
    y, z = float(y0), float(z0)
    for _ in range(8):
        down = outward * (z0 - z) / SCALE_MM
        y = float(y0) + forward * float(
            np.clip(terms[PLATE_TERMS : PLATE_TERMS + 3] @ [1.0, down, down * down], -MOST_MM, MOST_MM)
        )
        inward = forward * (y0 - y) / SCALE_MM
        at = np.array([0.0, y])
        z = float(height(at) + terms[5] * ring(at)) + outward * float(terms[:3] @ [1.0, inward, inward * inward])
    return np.array([y, z])
