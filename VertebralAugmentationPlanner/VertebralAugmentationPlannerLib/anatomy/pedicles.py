"""The pedicles: isthmus and axis, measured in the plane perpendicular to the axis.

The isthmus is where the widest way from the body to the arch is narrowest. Around it the plane is turned and shifted
until its section is smallest: that plane is perpendicular to the pedicle. (Axial reformats over-estimate the width
of an inclined pedicle; Spine 2016;41, 00007632-201611150-00011.)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, optimize

from ..model import LocalGrid, Pedicle
from ..model.geometry import FloatArray, unit
from .body import Body
from .canal import Canal

SECTION_STEP_MM = 0.6
SECTION_REACH_MM = 14.0
"""Sampled section: the largest pedicles (L5) are about 18 × 20 mm across."""

ARCH_REACH_MM = (36.0, 14.0)
"""The arch behind a pedicle (facets, lamina, root of the transverse process) lies within this far of the midline and
behind the canal's middle."""

INWARD_DEG = (-20.0, 50.0)
CRANIAL_DEG = (-35.0, 35.0)
"""Courses that pedicles take relative to the vertebra: from slightly outwards (T12) to 50° inwards (T1, L5)."""

SHIFT_MM = 6.0
"""The narrowest section is sought this far along the axis from the widest way's bottleneck."""

MIN_HALF_WIDTH_MM = 0.4
"""A bridge thinner than twice this is one or two voxels of label noise, not a pedicle."""

ROUND_RATIO = 1.12
"""Below this ratio of its diameters a section has no long axis worth turning to."""


class PedicleNotFound(ValueError):
    """No pedicle between body and arch on this side; the message says what was seen."""


def find_pedicle(bone: FloatArray, grid: LocalGrid, canal: Canal, body: Body, side: str) -> Pedicle:
    """Find one pedicle.

    Args:
        bone: signed distance of the vertebra, positive inside, on ``grid``.
        side: "left" or "right" of the patient; local right is positive.

    Raises:
        PedicleNotFound: with what was seen instead.
    """
    lateral = 1.0 if side == "right" else -1.0
    start = _bottleneck(bone, grid, canal, body, lateral)
    section = _Section(bone, grid, start, lateral)
    simplex = np.array([[12.0, 0.0, 0.0], [24.0, 0.0, 0.0], [12.0, 12.0, 0.0], [12.0, 0.0, 2.0]])
    found = optimize.minimize(
        section.area,
        simplex[0],
        method="Nelder-Mead",
        options={"initial_simplex": simplex, "xatol": 0.2, "fatol": 0.1, "maxiter": 160},
    )
    return section.measured(found.x, side)


def _bottleneck(bone: FloatArray, grid: LocalGrid, canal: Canal, body: Body, lateral: float) -> FloatArray:
    """(3,) local point where the widest way from the body's core to this side of the arch is narrowest."""
    x, y, z = grid.axes
    # Only the block between core and arch is searched: it is a tenth of the vertebra.
    part = np.ix_(
        np.flatnonzero((lateral * x > 1.0) & (lateral * x < ARCH_REACH_MM[0])),
        np.flatnonzero((y > canal.centre[1] - ARCH_REACH_MM[1]) & (y < body.core_centre[1] + 4.0)),
        np.flatnonzero((z > z[body.wall_levels[0]] - 4.0) & (z < z[body.wall_levels[1]] + 8.0)),
    )
    depth, first = bone[part], np.array([axis[index.ravel()[0]] for axis, index in zip((x, y, z), part, strict=True)])
    core = body.mask[part] & (depth > 0.55 * float(bone[body.mask].max()))
    arch = np.broadcast_to(y[part[1]] < canal.centre[1] - 1.0, depth.shape)

    def split(threshold: float) -> tuple[NDArray[np.int_], NDArray[np.int_], NDArray[np.int_]]:
        parts, _ = ndimage.label(depth > threshold)
        from_body, from_arch = np.unique(parts[core & (parts > 0)]), np.unique(parts[arch & (parts > 0)])
        return parts, from_body, from_arch

    joined, apart = 0.0, 12.0
    _, from_body, from_arch = split(joined)
    if not np.intersect1d(from_body, from_arch).size:
        raise PedicleNotFound("no bridge of bone joins the body to the arch")
    while apart - joined > 0.04:
        middle = (joined + apart) / 2
        _, from_body, from_arch = split(middle)
        if np.intersect1d(from_body, from_arch).size:
            joined = middle
        else:
            apart = middle
    if joined < MIN_HALF_WIDTH_MM:
        raise PedicleNotFound(f"the bridge of bone between body and arch is {2 * joined:.1f} mm thick")
    bridge, from_body, from_arch = split(joined)
    common = np.isin(bridge, np.intersect1d(from_body, from_arch))
    parts, from_body, from_arch = split(apart)
    to_body = ndimage.distance_transform_edt(~np.isin(parts, from_body))
    to_arch = ndimage.distance_transform_edt(~np.isin(parts, from_arch))
    way = np.where(common, to_body + to_arch + 0.01 * np.maximum(to_body, to_arch), np.inf)
    return first + np.array(np.unravel_index(int(np.argmin(way)), way.shape)) * grid.spacing_mm


class _Section:
    """Sections through the pedicle near a point, by (inward degrees, cranial degrees, shift along the axis in mm)."""

    def __init__(self, bone: FloatArray, grid: LocalGrid, start: FloatArray, lateral: float):
        self._bone, self._grid, self._start, self._lateral = bone, grid, start, lateral
        steps = np.arange(-SECTION_REACH_MM, SECTION_REACH_MM + 1e-6, SECTION_STEP_MM)
        self._u, self._v = np.meshgrid(steps, steps, indexing="ij")
        self._round = np.hypot(self._u, self._v) <= SECTION_REACH_MM

    def axis(self, course: FloatArray) -> FloatArray:
        """Unit axis, pointing forwards, of a course."""
        inward, cranial = np.tan(np.radians(course[:2]))
        return unit(np.array([-self._lateral * inward, 1.0, cranial]))

    def _cut(self, course: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, NDArray[np.bool_]]:
        axis = self.axis(course)
        axes = _plane_axes(axis)
        plane = self._start + course[2] * axis + self._u[..., None] * axes[0] + self._v[..., None] * axes[1]
        values = self._grid.sample(self._bone, plane)
        parts, _ = ndimage.label((values > 0) & self._round)
        middle = parts.shape[0] // 2
        index = parts[middle, middle]
        if index == 0:
            near = parts[middle - 4 : middle + 5, middle - 4 : middle + 5]
            if not near.any():
                return plane, values, axes, np.zeros(parts.shape, bool)
            index = np.bincount(near[near > 0]).argmax()
        return plane, values, axes, parts == index

    def area(self, course: FloatArray) -> float:
        """Section area in mm², with a steep penalty outside the courses that pedicles take."""
        beyond = sum(
            max(0.0, low - angle, angle - high)
            for angle, (low, high) in zip(course[:2], (INWARD_DEG, CRANIAL_DEG), strict=True)
        )
        beyond += 10.0 * max(0.0, abs(course[2]) - SHIFT_MM)
        _, values, _, region = self._cut(course)
        if not region.any():
            return 1e4
        share = np.clip(values / SECTION_STEP_MM + 0.5, 0.0, 1.0)
        edge = ndimage.binary_dilation(region) & (values > -SECTION_STEP_MM / 2)
        return float(share[edge].sum()) * SECTION_STEP_MM**2 + 20.0 * beyond

    def measured(self, course: FloatArray, side: str) -> Pedicle:
        """The pedicle whose isthmus is this section."""
        plane, values, axes, region = self._cut(course)
        if not region.any():
            raise PedicleNotFound("the bridge between body and arch has no section of its own")
        centre = np.average(plane[region], axis=0, weights=np.clip(values[region], 0.02, 1.0))
        edge = region & ~ndimage.binary_erosion(region)
        points = _to_surface(plane[edge], values[edge], self._bone, self._grid, axes)
        flat = np.stack([(points - centre) @ axes[0], (points - centre) @ axes[1]], axis=1)
        angle = _long_axis_angle(flat)
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        width, height = np.ptp(flat @ turn.T, axis=0)
        order = np.argsort(np.arctan2(flat[:, 1], flat[:, 0]))
        return Pedicle(side, centre, self.axis(course), float(width), float(height), points[order])


def _plane_axes(axis: FloatArray) -> FloatArray:
    """(2, 3) transverse and craniocaudal unit vectors of the plane perpendicular to the axis."""
    across = unit(np.array([1.0, 0.0, 0.0]) - axis[0] * axis)
    return np.vstack([across, np.cross(across, axis)])


def _to_surface(
    points: FloatArray, values: FloatArray, bone: FloatArray, grid: LocalGrid, axes: FloatArray
) -> FloatArray:
    """Move points just inside the bone out to its surface, staying in their plane."""
    step = 0.5 * grid.spacing_mm
    for _ in range(2):
        slope = np.stack(
            [(grid.sample(bone, points + step * a) - grid.sample(bone, points - step * a)) / (2 * step) for a in axes],
            axis=1,
        )
        size = np.maximum(np.linalg.norm(slope, axis=1, keepdims=True), 0.4)
        points = points - ((slope / size) @ axes) * np.clip(values[:, None] / size, -1.5, 1.5)
        values = grid.sample(bone, points)
    return points


def _long_axis_angle(flat: FloatArray) -> float:
    """Turn (radians) of the section's height axis from craniocaudal, at most 45°; 0 for a round section."""
    values, vectors = np.linalg.eigh(np.cov(flat.T))
    if np.sqrt(values[1] / max(values[0], 1e-9)) < ROUND_RATIO:
        return 0.0
    # Whichever principal axis lies nearer to craniocaudal carries the height: at L5 that is the short one.
    height = vectors[:, 1] if abs(vectors[1, 1]) >= abs(vectors[0, 1]) else vectors[:, 0]
    if height[1] < 0:
        height = -height
    return float(np.arctan2(-height[0], height[1]))
