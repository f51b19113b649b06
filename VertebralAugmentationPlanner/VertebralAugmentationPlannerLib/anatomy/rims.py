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

SOFTNESS_PER_MISFIT = 2.5
SOFTNESS_MM = (0.05, 0.4)
"""A voxel this far beyond a surface is as likely as not to be bone of its own: so many times as much as the voxels
contradict the smooth plate (root mean square), within these bounds. Labels that follow smooth surfaces sharply are
believed to the letter, since on a grid along the plate only the exact place of every step tells where the plate lies;
where real bone is rough, single voxels must not decide [D]."""

FIRST_SOFTNESS_MM = 0.3
"""The fit begins at least so soft and is sharpened step by step: a far first guess finds its way."""

NEAR_SOFTNESS, NEAR_MM = 5.0, 1.0
"""Voxels further than so many softnesses and so many mm from both surfaces are sure and need no counting."""

STRANGE_MM = 1.8
"""Voxels further than this on the wrong side (a spur, a vein's gap) count no further."""

SCORING_STEPS = 8
ENOUGH = 0.02
"""Most steps of a fit, and the promised gain in −log likelihood below which none is worth taking."""

RING_MM = 2.5
"""Width of the ring apophysis: a plate may be level with its rims there however steeply it is dished inside (dished
plates keep the ring, a biconcave collapse mostly does; ring 2–4 mm wide [M])."""

PLATE_EXPECTED = np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.2])
PLATE_SPREAD_MM = np.array([0.05, 0.06, 0.03, 0.05, 0.05, 0.25])
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

EXPECTED = np.concatenate([PLATE_EXPECTED, WALL_EXPECTED_MM])
PRIOR = 1.0 / np.concatenate([PLATE_SPREAD_MM, WALL_SPREAD_MM]) ** 2
"""Both together, and how firmly they are held."""

MOST_MM = 3.0
"""A rim lies within this of where the plate's columns end."""

CROSSING_STEP_MM = 0.05
"""The crossing of plate and wall is sought in steps of this."""

BESIDE_MM = 6.0
BEHIND_MM = (-1.5, 3.0)
"""Bone stands beside a rim up to the first from the midline and between the others behind it: over the width of a ring."""

CLIMB_MM = (1.0, 1.75)
BEYOND_LAYERS = (1.0, 0.5)
"""How far a rim may lie above the highest bone beside it, in voxel layers: less where the dish climbs more over the width of
the ring. Fitted to where columns end, a dish is continued over the ring; a steep one (a biconcave collapse; sound ones climb by
about half a millimetre) climbs into space that holds no bone, and the wall bends backwards to meet it [D]."""

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

    def of_neighbours(self, low: FloatArray, high: FloatArray) -> FloatArray:
        """(N, 3) local centres of the voxels of other vertebrae in a box of local mm."""
        if self.shape.neighbours is None:
            return np.empty((0, 3))
        points = self.frame.to_local(self.shape.distance.to_ras(np.argwhere(self.shape.neighbours)))
        return points[np.all((points >= low) & (points <= high), axis=1)]


@dataclass(frozen=True, eq=False)
class _Seen:
    """Voxels against a plate and a wall.

    Args:
        beyond: (2, N) probability that they lie beyond the plate, and beyond the wall.
        odds: (N,) odds of being bone.
        counts: (N,) whether they count.
        cost: −log likelihood of them and of the terms.
    """

    beyond: FloatArray
    odds: FloatArray
    counts: NDArray[np.bool_]
    cost: float


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

    def fitted(self, misfit_mm: float) -> FloatArray:
        """(11,) most likely terms of plate and wall: Fisher scoring, sharpened from soft to as sharp as the label."""
        last = float(np.clip(SOFTNESS_PER_MISFIT * misfit_mm, *SOFTNESS_MM))
        first = max(FIRST_SOFTNESS_MM, 1.6 * last)
        terms = EXPECTED
        for softness in (first, np.sqrt(first * last), last) if first > 2.0 * last else (first, last):
            terms = self._near(terms, NEAR_SOFTNESS * softness + NEAR_MM)._scored(terms, softness)
        return terms

    def _depths(self, terms: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(N,) depth under the plate and behind the wall, mm."""
        return self.below + terms[:PLATE_TERMS] @ self.plate, self.before + terms[PLATE_TERMS:] @ self.wall

    def _near(self, terms: FloatArray, reach_mm: float) -> _Corner:
        near = np.abs(np.minimum(*self._depths(terms))) < reach_mm
        return _Corner(self.below[near], self.before[near], self.plate[:, near], self.wall[:, near], self.inside[near])

    def _seen(self, terms: FloatArray, softness: float) -> _Seen:
        depths = np.stack(self._depths(terms)) / softness
        # The logistic curve and its logarithm from one exponential; SciPy's take several times as long.
        tails = np.exp(-np.abs(depths))
        log_bone = (np.minimum(depths, 0.0) - np.log1p(tails)).sum(axis=0)
        beyond = np.where(depths > 0, tails, 1.0) / (1.0 + tails)
        bone = np.minimum(np.exp(log_bone), 1.0 - 1e-9)
        unlikely = -np.where(self.inside, log_bone, np.log1p(-bone))
        most = STRANGE_MM / softness
        cost = np.minimum(unlikely, most).sum() + 0.5 * float(PRIOR @ (terms - EXPECTED) ** 2)
        return _Seen(beyond, bone / (1.0 - bone), unlikely < most, float(cost))

    def _scored(self, terms: FloatArray, softness: float) -> FloatArray:
        """The terms made as likely as they can be.

        A voxel is bone where it lies under the plate and behind the wall: the product of two logistic curves.
        """
        seen = self._seen(terms, softness)
        for _ in range(SCORING_STEPS):
            design = np.concatenate([self.plate * seen.beyond[0], self.wall * seen.beyond[1]])
            slope = np.where(self.inside, -1.0, seen.odds) * seen.counts / softness
            weight = np.minimum(seen.odds, 1e3) * seen.counts / softness**2
            gradient = design @ slope + PRIOR * (terms - EXPECTED)
            step = -np.linalg.solve((design * weight) @ design.T + np.diag(PRIOR), gradient)
            promised = -float(gradient @ step)
            if promised < ENOUGH:
                break
            length, trial = 1.0, self._seen(terms + step, softness)
            while trial.cost > seen.cost - 0.1 * length * promised and length > 0.02:
                length *= 0.4
                trial = self._seen(terms + length * step, softness)
            if trial.cost >= seen.cost:
                break
            terms, seen = terms + length * step, trial
        return terms


@dataclass(frozen=True, eq=False)
class SmoothPlate:
    """The smooth surface through the whole of a plate, as far as a rim needs it.

    Args:
        height: heights above local points (…, 2 or 3).
        outward: +1 for the superior plate, −1 for the inferior.
        level_slope: rise per mm, from back to front, of the line from rim to rim.
        misfit_mm: by how much the voxels contradict it, root mean square.
        spoilt: whether what lies beyond the plate at local points (N, 3) is another vertebra's; None where nothing is.
    """

    height: Callable[[FloatArray], FloatArray]
    outward: int
    level_slope: float
    misfit_mm: float
    spoilt: Callable[[FloatArray], NDArray[np.bool_]] | None = None

    def ring(self, points: FloatArray, inner_y: float, forward: int) -> FloatArray:
        """How much higher than the smooth plate a ring stands that goes on level in front of (behind) ``inner_y``."""
        beyond = np.maximum(forward * (points[..., 1] - inner_y), 0.0)
        inner = points[..., :2] - forward * beyond[..., None] * np.array([0.0, 1.0])
        return self.height(inner) + forward * beyond * self.level_slope - self.height(points)


def find_rim(
    plate: SmoothPlate,
    voxels: Voxels,
    start_y: float,
    forward: int,
    body_height_mm: float,
    limit_y: float = np.inf,
    spur: bool = False,
) -> FloatArray:
    """(3,) local mid-sagittal rim.

    Args:
        plate: the smooth plate whose rim it is.
        start_y: local anterior coordinate where the plate's columns end.
        forward: +1 for the anterior rim, −1 for the posterior.
        body_height_mm: height of the body near the midline.
        limit_y: no anterior rim lies beyond this local anterior coordinate.
        spur: bone goes on beyond ``start_y`` as a spur: the rim lies there or before.

    Raises:
        NotReadable: there is no bone, or nothing but bone, where the rim should be.
    """
    start = np.array([start_y, float(plate.height(np.array([0.0, start_y])))])
    rim = start
    for _ in range(2):
        found = _corner_at(plate, voxels, rim, forward, body_height_mm, start_y if spur else limit_y, spur)
        moved = found - rim
        rim = np.array([np.clip(found[0], start_y - MOST_MM, start_y + MOST_MM), found[1]])
        if float(np.hypot(*moved)) < 0.5:
            break
    return np.array([0.0, *rim])


def _corner_at(
    smooth: SmoothPlate,
    voxels: Voxels,
    start: FloatArray,
    forward: int,
    body_height_mm: float,
    limit_y: float,
    spur: bool,
) -> FloatArray:
    """(2,) local anterior and superior coordinate where plate and wall meet in the midline, before a limit in front."""
    y0, z0 = start
    outward = smooth.outward
    half, deep = HALF_WIDTH_MM[forward], min(INSIDE_MM, BLOCK_SHARE * body_height_mm)
    # A steep plate climbs within the block: room for it above and below the first guess.
    reach = np.array([half, INSIDE_MM, INSIDE_MM + OUTSIDE_MM])
    centre = np.array([0.0, y0, z0])
    points, inside = voxels.within(centre - reach, centre + reach)
    before, below = forward * (y0 - points[:, 1]), outward * (smooth.height(points) - points[:, 2])
    held = (before > -OUTSIDE_MM) & (below > -OUTSIDE_MM) & (below < deep)
    if spur:
        held &= points[:, 1] < limit_y
    if smooth.spoilt is not None:
        held &= (below > 0.0) | ~smooth.spoilt(points)
    points, inside, before, below = points[held], inside[held], before[held], below[held]
    if min(inside.sum(), (~inside).sum()) < MIN_VOXELS:
        raise NotReadable("a rim of the body could not be followed")
    across, inward, down = points[:, 0] / half, before / SCALE_MM, outward * (z0 - points[:, 2]) / SCALE_MM
    ones = np.ones(len(points))
    ring = outward * smooth.ring(points, y0 - forward * RING_MM, forward)
    corner = _Corner(
        below,
        before,
        np.stack([ones, inward, inward**2, across, across**2, ring]),
        np.stack([ones, down, down**2, across**2, across]),
        inside,
    )
    last_mm = float(np.clip(limit_y - y0, 0.0, MOST_MM))
    rim = _crossing(smooth, corner.fitted(smooth.misfit_mm), start, forward, last_mm)
    return _held_by_bone(smooth, rim, points[inside], voxels.shape.step_along(voxels.frame.superior), forward)


def _held_by_bone(smooth: SmoothPlate, rim: FloatArray, bone: FloatArray, step_mm: float, forward: int) -> FloatArray:
    """(2,) the rim, no further above the highest bone (N, 3) beside it than the voxels leave open.

    Args:
        step_mm: distance between voxel layers along the superior axis.
    """
    y, z = rim
    behind = forward * (y - bone[:, 1])
    beside = (np.abs(bone[:, 0]) < BESIDE_MM) & (behind > BEHIND_MM[0]) & (behind < BEHIND_MM[1])
    if not beside.any():
        return rim
    # A wedge tips the whole plate: what is level is the line from rim to rim.
    highest = float(np.max(smooth.outward * (bone[beside, 2] - smooth.level_slope * (bone[beside, 1] - y))))
    climb = -smooth.outward * float(smooth.ring(np.array([0.0, y]), y - forward * RING_MM, forward))
    highest += step_mm * float(np.interp(climb, CLIMB_MM, BEYOND_LAYERS))
    return np.array([y, smooth.outward * min(smooth.outward * z, highest)])


def _crossing(smooth: SmoothPlate, terms: FloatArray, start: FloatArray, forward: int, last_mm: float) -> FloatArray:
    """(2,) where the plate, followed outwards for at most ``last_mm`` beyond the start, first reaches the wall.

    Also where both are steep.
    """
    y0, z0 = start
    before = np.arange(MOST_MM, -last_mm - CROSSING_STEP_MM, -CROSSING_STEP_MM)
    inward = before / SCALE_MM
    at = np.stack([np.zeros_like(before), y0 - forward * before], axis=1)
    own = np.stack([np.ones_like(inward), inward, inward**2], axis=1) @ terms[:3]
    z = smooth.height(at) + terms[5] * smooth.ring(at, y0 - forward * RING_MM, forward) + smooth.outward * own
    down = smooth.outward * (z0 - z) / SCALE_MM
    wall = terms[PLATE_TERMS : PLATE_TERMS + 3]
    behind = before + np.stack([np.ones_like(down), down, down**2], axis=1) @ wall
    beyond = np.flatnonzero(behind <= 0.0)
    last = int(beyond[0]) if len(beyond) else len(before) - 1
    if last == 0 or not len(beyond):
        return np.array([at[last, 1], z[last]])
    share = behind[last - 1] / (behind[last - 1] - behind[last])
    return np.array(
        [at[last - 1, 1] + share * (at[last, 1] - at[last - 1, 1]), z[last - 1] + share * (z[last] - z[last - 1])]
    )
