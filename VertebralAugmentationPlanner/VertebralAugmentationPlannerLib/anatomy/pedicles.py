"""The pedicles: isthmus and axis, measured in the plane perpendicular to the axis.

The isthmus is where the widest way from the body to the arch is narrowest. Around it the plane is turned and shifted
until its section is smallest: that plane is perpendicular to the pedicle. (Axial reformats over-estimate the width
of an inclined pedicle; Spine 2016;41, 00007632-201611150-00011.)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, optimize

from ..model import Frame, LocalGrid, Pedicle
from ..model.geometry import FloatArray, unit
from .body import Body
from .canal import Canal
from .surface import Shape

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


SLAB_MM = 1.5
"""Half-thickness of the slab around the isthmus whose voxels tell its height: a waist grows by a few hundredths there."""

MIN_SLAB_VOXELS = 6
"""Fewer voxels than this have no height to speak of."""


class PedicleNotFound(ValueError):
    """No pedicle between body and arch on this side; the message says what was seen."""


def find_pedicle(
    bone: FloatArray, grid: LocalGrid, canal: Canal, body: Body, side: str, shape: Shape, frame: Frame
) -> Pedicle:
    """Find one pedicle.

    Args:
        bone: signed distance of the vertebra, positive inside, on ``grid``.
        side: "left" or "right" of the patient; local right is positive.
        shape, frame: the label and the frame of ``grid``: its own voxels tell the isthmus' height.

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
    return section.measured(found.x, side, shape, frame)


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

    def measured(self, course: FloatArray, side: str, shape: Shape, frame: Frame) -> Pedicle:
        """The pedicle whose isthmus is this section.

        Width and height are the diameters of the ellipse that spreads like the section: every bit of it counts, where
        its extreme points would follow single voxels. The smooth surface is true along the flat sides but cuts the
        sharp upper and lower ends; the height is therefore that of the label's voxels next to the section.
        """
        plane, values, axes, region = self._cut(course)
        if not region.any():
            raise PedicleNotFound("the bridge between body and arch has no section of its own")
        centre = np.average(plane[region], axis=0, weights=np.clip(values[region], 0.02, 1.0))
        edge = region & ~ndimage.binary_erosion(region)
        points = _to_surface(plane[edge], values[edge], self._bone, self._grid, axes)
        flat = np.stack([(points - centre) @ axes[0], (points - centre) @ axes[1]], axis=1)
        inside = np.clip(values / SECTION_STEP_MM + 0.5, 0.0, 1.0) * ndimage.binary_dilation(region)
        uv = np.stack([self._u.ravel(), self._v.ravel()], axis=1)
        spread = np.cov(uv.T, aweights=inside.ravel(), bias=True)
        across, upward = _principal(spread)
        width = 4.0 * float(np.sqrt(across @ spread @ across))
        spread = self._label_spread(course, axes, region, shape, frame)
        height = 4.0 * float(np.sqrt(upward @ spread @ upward))
        order = np.argsort(np.arctan2(flat[:, 1], flat[:, 0]))
        return Pedicle(side, centre, self.axis(course), width, height, points[order])

    def _label_spread(
        self, course: FloatArray, axes: FloatArray, region: NDArray[np.bool_], shape: Shape, frame: Frame
    ) -> FloatArray:
        """(2, 2) covariance, mm², of the label's voxels in the slab around the section, each taken as a box."""
        axis = self.axis(course)
        local = frame.to_local(shape.points_ras()) - (self._start + course[2] * axis)
        flat = local[np.abs(local @ axis) <= SLAB_MM] @ axes.T
        index = np.round((flat + SECTION_REACH_MM) / SECTION_STEP_MM).astype(int)
        held = np.all((index >= 0) & (index < region.shape[0]), axis=1)
        flat, index = flat[held], index[held]
        flat = flat[ndimage.binary_dilation(region, iterations=2)[index[:, 0], index[:, 1]]]
        if len(flat) < MIN_SLAB_VOXELS:
            raise PedicleNotFound(f"the bridge of bone between body and arch has {len(flat)} voxels at its narrowest")
        cell = axes @ frame.rows @ shape.distance.ijk_to_ras[:3, :3]
        return np.cov(flat.T, bias=True) + cell @ cell.T / 12.0


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


def _principal(spread: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Unit vectors (2,) of the section's width and height; across and upwards themselves for a round section.

    Args:
        spread: (2, 2) covariance of the section.
    """
    values, vectors = np.linalg.eigh(spread)
    if np.sqrt(values[1] / max(values[0], 1e-9)) < ROUND_RATIO:
        return np.array([1.0, 0.0]), np.array([0.0, 1.0])
    # Whichever principal axis lies nearer to craniocaudal carries the height: at L5 that is the short one.
    tall = int(abs(vectors[1, 1]) >= abs(vectors[1, 0]))
    return vectors[:, 1 - tall], vectors[:, tall]
