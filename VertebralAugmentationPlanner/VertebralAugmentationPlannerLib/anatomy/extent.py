"""How wide and deep the body is, where its walls stand in the midline, and how much of the label is body."""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from scipy.interpolate import CubicSpline

from ..model import EndPlate, LocalGrid
from ..model.geometry import FloatArray, label_boxes
from .body import Body
from .reasons import NotReadable
from .rims import MIN_VOXELS, Voxels
from .surface import Shape
from .wall_fit import BAND_MM, fit_patch, fit_wall

BEHIND_SHARE, BEFORE_SHARE = 0.24, 0.32
"""Share of the depth behind and before the middle over which the sides are read: the widest place lies in it, the pedicles'
roots behind it [D]."""

ROOTS_SHARE = 0.07
"""The widest place is sought from this share of the depth behind the middle forwards. Further back L5, and T1 and T2, only
grow wider, by their pedicles' roots (up to 58 mm for an end plate of 50); elsewhere it moves the width by 0.2 mm [C]."""

HEIGHT_SHARE = 0.34
"""Share of the height above and below the middle over which they are read; beyond, the rims flare [D]."""

LEAST_HALF_HEIGHT_MM = 2.0
"""… but not less than so much: a crushed body still has sides."""

FRONT_SHARE, BACK_SHARE = 0.26, 0.15
"""Half-width of the patch of wall that tells where it stands in the midline, as a share of the body's width: as much as has
one curvature in front; behind, as much as lies between the pedicles [D]."""

FRONT_HEIGHT_SHARE, BACK_HEIGHT_SHARE = 0.35, 0.33
"""The same above and below the middle, as a share of the height at that wall: its waist, without the rims [D]."""

FRONT_USUAL_MM = np.array([0.0, 0.0, 0.0, -0.6, 0.0, 0.6, 0.0, 0.0, 0.0, 0.0, 0.0])
BACK_USUAL_MM = np.array([0.0, 0.0, 0.0, 0.6, 0.0, 0.4, 0.0, 0.0, 0.0, 0.0, 0.0])
"""Usual terms of those patches at their edges: the front falls back by half a millimetre, the back wall is hollow between
its shoulders, both are waisted (clinical-reference §8) [D]. They decide only what the voxels leave open."""

PROFILE_TRIM = 0.08
"""Share of the posterior wall at each rim that is rounded by voxels and not followed."""

PROFILE_STEP_MM = 2.5
"""Distance of the points of its profile in the midline: a bulge 8 mm high is followed, voxels' steps are not [C]."""

PROFILE_HALF_WIDTH_MM = 4.0
"""The profile is that of a strip so wide to each side, rounded or hollow from side to side."""

PROFILE_FAR_MM, PROFILE_BEND_MM, PROFILE_TURN_MM, PROFILE_ROUND_MM = 2.0, 0.3, 0.5, 1.0
"""Usual differences of the profile: its points from where the wall was first seen, from the middle of their neighbours,
from side to side, and of the strip's edge from its middle [D]. They decide only what the voxels leave open."""

MIDDLE_MM = 3.0
"""Lines through the body this near to its middle tell roughly where its sides are."""

ROUNDING_MM = np.array([0.0, 0.0, 0.0, -1.3, 0.0, 0.9, -0.8, 0.0, 0.0, 0.0, 0.0]) / 21.0
"""Usual terms of a side per mm of half the body's width: it falls back by a tenth to the front and to the back of the patch
(ovals of exponent 2–3), and has a waist of 8–12 % (clinical-reference §8) of which the patch sees a third [C]."""


def width_mm(voxels: Voxels, superior: EndPlate, inferior: EndPlate, start: tuple[float, float]) -> float:
    """Greatest width of the body half-way between its plates.

    Args:
        start: local right coordinate of the left and of the right side, roughly.

    Raises:
        NotReadable: the body has no sides.
    """
    behind = (superior.posterior_rim + inferior.posterior_rim) / 2
    before = (superior.anterior_rim + inferior.anterior_rim) / 2
    depth = float(before[1] - behind[1])
    slope = float(before[2] - behind[2]) / depth
    height = min(
        float(np.linalg.norm(superior.anterior_rim - inferior.anterior_rim)),
        float(np.linalg.norm(superior.posterior_rim - inferior.posterior_rim)),
    )
    half = np.array([(BEHIND_SHARE + BEFORE_SHARE) / 2 * depth, max(HEIGHT_SHARE * height, LEAST_HALF_HEIGHT_MM)])
    centre = (behind + before) / 2 + (BEFORE_SHARE - BEHIND_SHARE) / 2 * depth * np.array([0.0, 1.0, slope])
    expected = ROUNDING_MM * (start[1] - start[0]) / 2
    rear = (ROOTS_SHARE + (BEFORE_SHARE - BEHIND_SHARE) / 2) / ((BEFORE_SHARE + BEHIND_SHARE) / 2)
    along = np.linspace(-rear, 0.9, 15)
    walls = []
    for outward, side in ((-1, start[0]), (1, start[1])):
        centre[0] = side
        found = fit_patch(voxels, 0, outward, centre.copy(), half, slope, expected)
        if found is None:
            raise NotReadable("the body’s sides are not seen half-way between its plates")
        at, terms = found
        walls.append(outward * at + along * (terms[1] + along * (terms[3] + along * (terms[10] + along * terms[6]))))
    return float(np.max(walls[0] + walls[1]))


def mid_walls(
    voxels: Voxels, superior: EndPlate, inferior: EndPlate, body_width_mm: float
) -> tuple[float, float] | None:
    """Local anterior coordinates of the posterior and the anterior wall in the midline, half-way between the plates.

    They are met along the line that halves the body: in a wedge it falls towards the front, where a level line would
    leave the body through the broken plate. None where a wall is not met.
    """
    behind = (superior.posterior_rim + inferior.posterior_rim) / 2
    before = (superior.anterior_rim + inferior.anterior_rim) / 2
    slope = float((before[2] - behind[2]) / (before[1] - behind[1]))
    posterior = float(np.linalg.norm(superior.posterior_rim - inferior.posterior_rim))
    anterior = float(np.linalg.norm(superior.anterior_rim - inferior.anterior_rim))
    found = []
    for outward, centre, share, height_mm, usual in (
        (-1, behind, BACK_SHARE, BACK_HEIGHT_SHARE * posterior, BACK_USUAL_MM),
        (+1, before, FRONT_SHARE, FRONT_HEIGHT_SHARE * anterior, FRONT_USUAL_MM),
    ):
        half = np.array([share * body_width_mm, max(height_mm, LEAST_HALF_HEIGHT_MM)])
        wall = fit_patch(voxels, 1, outward, centre * [0.0, 1.0, 1.0], half, slope, usual)
        if wall is None:
            return None
        found.append(wall[0])
    return found[0], found[1]


def with_midline_wall(
    wall: FloatArray, voxels: Voxels, grid: LocalGrid, superior: EndPlate, inferior: EndPlate
) -> FloatArray:
    """The posterior wall (X, Z) with a strip along the midline as the voxels tell it, without smoothing.

    What was read from smooth distances takes 8 % off a bulge of some millimetres.
    """
    low, high = inferior.posterior_rim, superior.posterior_rim
    height = float(np.linalg.norm(high - low))
    upward = (high - low) / height
    backward = np.array([0.0, -upward[2], upward[1]])
    count = max(5, int(round(height * (1.0 - 2.0 * PROFILE_TRIM) / PROFILE_STEP_MM)) + 1)
    knots = np.linspace(PROFILE_TRIM, 1.0 - PROFILE_TRIM, count)
    step = knots[1] - knots[0]
    reach = np.array([PROFILE_HALF_WIDTH_MM, BAND_MM + 4.0, 0.0])
    points, inside = voxels.within(np.minimum(low, high) - reach, np.maximum(low, high) + reach)
    share, back = (points - low) @ upward / height, (points - low) @ backward
    held = (share > PROFILE_TRIM - step / 2) & (share < 1.0 - PROFILE_TRIM + step / 2)
    points, inside, share, back = points[held], inside[held], share[held], back[held]
    if min(inside.sum(), (~inside).sum()) < MIN_VOXELS:
        return wall
    middle = wall[np.abs(grid.axes[0]) <= PROFILE_HALF_WIDTH_MM / 2].mean(axis=0)
    line = low + knots[:, None] * (high - low)
    first = (np.interp(line[:, 2], grid.axes[2], middle) - line[:, 1]) / backward[1]
    across = points[:, 0] / PROFILE_HALF_WIDTH_MM
    rounding = _hats(share, np.linspace(0.0, 1.0, 3))
    terms = np.column_stack([_hats(share, knots), across, rounding * (across**2)[:, None]])
    bend = np.diff(np.eye(count), 2, axis=0) / PROFILE_BEND_MM
    precision = np.diag(
        [*np.full(count, PROFILE_FAR_MM**-2.0), PROFILE_TURN_MM**-2.0, *np.full(3, PROFILE_ROUND_MM**-2.0)]
    )
    precision[:count, :count] += bend.T @ bend
    start = np.concatenate([first, np.zeros(4)])
    found = fit_wall(back, terms, inside, start, precision, start)
    # Back on the grid: z tells the share, and the offset is along the wall's own normal.
    x, _, z = grid.axes
    shares = (z - low[2]) / (high[2] - low[2])
    offset = CubicSpline(knots, found[:count], bc_type="natural")(np.clip(shares, knots[0], knots[-1]))
    side = x / PROFILE_HALF_WIDTH_MM
    own = (
        offset
        + side[:, None] * found[count]
        + (side**2)[:, None] * (_hats(shares, np.linspace(0.0, 1.0, 3)) @ found[-3:])
    )
    place = low[1] + shares * (high[1] - low[1]) + own * backward[1]
    inner = np.clip(2.0 * (1.0 - np.abs(side)), 0.0, 1.0)[:, None]
    held_levels = np.clip(1.0 - np.maximum(knots[0] - shares, shares - knots[-1]) / step, 0.0, 1.0)
    weight = inner * held_levels
    return (1.0 - weight) * wall + weight * place


def _hats(at: FloatArray, knots: FloatArray) -> FloatArray:
    """(N, K) linear weights of knots at places, those beyond the ends taken as at the ends."""
    step = knots[1] - knots[0]
    at = np.clip(at, knots[0], knots[-1])
    return np.clip(1.0 - np.abs(at[:, None] - knots) / step, 0.0, None)


def sides(grid: LocalGrid, body: Body) -> tuple[float, float]:
    """Local right coordinate of the body's left and right side near its middle, to a voxel."""
    x, y, z = grid.axes
    levels = np.abs(z - body.core_centre[2]) <= MIDDLE_MM
    rows = np.abs(y - body.core_centre[1]) <= MIDDLE_MM
    lines = body.mask[:, rows][:, :, levels].reshape(len(x), -1)
    lines = lines[:, lines.any(axis=0)]
    if not lines.size:
        raise NotReadable("the body has no middle")
    return float(np.median(x[lines.argmax(axis=0)])), float(np.median(x[len(x) - 1 - lines[::-1].argmax(axis=0)]))


def volume_ml(shape: Shape, points: FloatArray, body: Body, grid: LocalGrid) -> float:
    """Volume of the label's voxels in front of the cut: unlike the smooth surface they lose nothing at sharp rims.

    Args:
        points: (N, 3) the label's voxels in local mm.
    """
    box = label_boxes(body.mask.view(np.uint8))[1]
    low = np.array([max(0, part.start - 2) for part in box])
    high = np.array([min(count, part.stop + 2) for part, count in zip(box, grid.shape, strict=True)])
    around = ndimage.binary_dilation(body.mask[tuple(map(slice, low, high))], iterations=2)
    index = np.round(grid.to_index(points)).astype(int)
    held = np.all((index >= low) & (index < high), axis=1)
    index, points = index[held], points[held]
    wall = ndimage.map_coordinates(body.wall, grid.to_index(points)[:, [0, 2]].T, order=1, mode="nearest")
    x, y, z = index.T
    in_front = (points[:, 1] > wall) & (grid.axes[1][y] > body.wall[x, z] - 2.0)
    count = np.sum(around[tuple((index - low).T)] & in_front)
    return float(count * np.prod(shape.distance.spacing_mm)) / 1000.0
