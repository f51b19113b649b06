"""The pedicles: isthmus and axis, measured in the plane perpendicular to the axis.

The isthmus is where the widest way from the body to the arch is narrowest. Around it the plane is turned and shifted
until its section is smallest. That minimum is flat: a section tilted by 8° is 1 % larger, so it tells the axis to some
degrees only. The axis is therefore taken from the walls around the isthmus, all of them: it is the direction that lies
most nearly in every one of them. (Axial reformats over-estimate the width of an inclined pedicle; Spine 2016;41,
00007632-201611150-00011.)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, optimize

from ..model import Frame, LocalGrid, Pedicle
from ..model.geometry import FloatArray, unit
from .body import Body
from .canal import Canal
from .extent import sides
from .pedicle_start import USUAL_BEHIND_HERE_MM, PedicleNotFound, Place, before_wall, bottleneck
from .section import COARSE, FINE, plane_axes, principal, to_surface, upright
from .surface import Shape

INWARD_DEG = (-20.0, 50.0)
CRANIAL_DEG = (-35.0, 35.0)
"""Courses that pedicles take relative to the vertebra: from slightly outwards (T12) to 50° inwards (T1, L5)."""

AIM_SHARE = 0.95
"""A pedicle leads into the body: its axis runs inside this share of the body's half-width half-way to its front. In 160 of
160 real pedicles T1–L5 it ran at 0.16 to 0.92, most outward at T12 [C]; a plane between body and transverse process (L5), whose
area is small, too, does not."""

USUAL_AIM = 0.57
"""The mean of the same share [C]: where the search begins, so that it ends in the pedicle's own minimum."""

LARGEST_MM2 = 320.0
"""An isthmus larger than the largest ovals (L5, 24 × 16 mm) may be none: the search begins anew at the usual place, and the
smaller one is taken [D]."""

SHIFT_MM = 6.0
"""The narrowest section is sought this far along the axis from the widest way's bottleneck."""

COARSE_SEARCH = (1.5, 0.4)
"""The search for the smallest section ends at steps of 1.5° (and 1.5 mm along) or 0.4 mm²: the walls tell the rest."""

ROUNDS = 3
"""The walls are read about an axis that they then correct; after three rounds it moves by less than 0.1° [C]."""

REACH_MM = 4.0
"""Walls so far before and behind the isthmus tell the axis, less and less with distance: a longer stretch would follow
the body's and the arch's own walls, a shorter one the voxels' steps [C: phantoms T1–L5]."""

SLAB_MM = 2.4
"""The same for the height, and for which way the section leans."""

WAIST_MM = 3.6
"""The same for the width. Real waists are short: a slab of 2.4 mm to each side reads 0.3 mm too wide on 5–15 mm. Weights
that cancel a widening by the square of the distance leave 0.1 mm of it, and no more noise [C: raw sections of 160 pedicles]."""

LEAST_OF_SLAB = 0.75
"""… but never less than this share of the slab's own width: what widens more abruptly is no waist."""

AROUND_MM = 1.2
"""What lies farther than this beside the isthmus' own section is another part of the bone."""

WALL_BAND_MM = 0.9
"""Samples this near to the surface, in or out, tell its direction."""

STEEPEST_WALL = 0.8
"""Walls that lean by more than 53° (sine) to the axis are the body's or the arch's and no pedicle's; they count less and
less up to there. Without this limit the axis of short pedicles runs away into the lamina [C: Visible Human L1–L3]."""

MOST_AREA = 1.1
"""A section this much larger than the smallest one seen is no isthmus, whatever the walls say: it has run into another
part of the bone."""

LONGEST_STEP_MM = 1.2
"""The isthmus moves along the axis by no more than this in one round."""

MIN_SLAB_VOXELS = 6
"""Fewer voxels than this have no height to speak of."""


Courses = tuple[tuple[float, float], tuple[float, float]]
"""Least and greatest inward and cranial degrees."""


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
    place = Place.of(grid, canal, body, lateral)
    start = bottleneck(bone, grid, canal, body, place, shape.smoothing_mm)
    best = _narrowest(bone, grid, body, place, start)
    if best.area > LARGEST_MM2 or place.is_unusual(best.centre):
        usual = place.usual(body, grid, start)
        if grid.sample(bone, usual) > 0:  # else there is nothing to begin from
            best = min(best, _narrowest(bone, grid, body, place, usual), key=lambda stretch: stretch.area)
    elif before_wall(best.centre, grid, body) > 0:
        best = _behind_the_wall(best, bone, grid, body, place)
    return best.measured(side, shape, frame)


def _behind_the_wall(found: _Stretch, bone: FloatArray, grid: LocalGrid, body: Body, place: Place) -> _Stretch:
    """The pedicle behind a section in front of the posterior wall, which may be the body's own corner; that section where none is."""
    start = found.centre - np.array([0.0, before_wall(found.centre, grid, body) + USUAL_BEHIND_HERE_MM, 0.0])
    if grid.sample(bone, start) <= 0:
        return found
    behind = _narrowest(bone, grid, body, place, start)
    if before_wall(behind.centre, grid, body) > 0 or behind.area > MOST_AREA * found.area:
        return found
    return behind


def _narrowest(bone: FloatArray, grid: LocalGrid, body: Body, place: Place, start: FloatArray) -> _Stretch:
    """The pedicle around the smallest section near a start (3,), local mm."""
    courses = (inward_deg(start, grid, body, place.lateral, AIM_SHARE), CRANIAL_DEG)
    usual = inward_deg(start, grid, body, place.lateral, USUAL_AIM)[0]
    section = _Section(bone, grid, start, place, courses)
    simplex = np.array([[usual, 0.0, 0.0], [usual + 12.0, 0.0, 0.0], [usual, 12.0, 0.0], [usual, 0.0, 2.0]])
    found = optimize.minimize(
        section.area,
        simplex[0],
        method="Nelder-Mead",
        options={
            "initial_simplex": simplex,
            "xatol": COARSE_SEARCH[0],
            "fatol": COARSE_SEARCH[1],
            "maxiter": 160,
        },
    )
    centre, axis = section.place(found.x)
    best = _Stretch(bone, grid, centre, axis)
    limit = MOST_AREA * best.area
    for _ in range(ROUNDS):
        waist, course = best.followed(place.lateral, courses)
        better = _Stretch(bone, grid, waist, course)
        if better.area > limit:  # half of the way
            better = _Stretch(bone, grid, (best.centre + waist) / 2, unit(best.axis + course))
        if better.area > limit or place.beyond(better.centre) > 0:
            break
        best, limit = better, min(limit, MOST_AREA * better.area)
    return best


class _Section:
    """Sections through the pedicle near a point, by (inward degrees, cranial degrees, shift along the axis in mm)."""

    def __init__(self, bone: FloatArray, grid: LocalGrid, start: FloatArray, place: Place, courses: Courses):
        self._bone, self._grid, self._start, self._place, self._courses = bone, grid, start, place, courses

    def axis(self, course: FloatArray) -> FloatArray:
        """Unit axis, pointing forwards, of a course."""
        inward, cranial = np.tan(np.radians(course[:2]))
        return unit(np.array([-self._place.lateral * inward, 1.0, cranial]))

    def area(self, course: FloatArray) -> float:
        """Section area in mm², with a steep penalty outside the courses and places that pedicles take."""
        beyond = sum(
            max(0.0, low - angle, angle - high) for angle, (low, high) in zip(course[:2], self._courses, strict=True)
        )
        beyond += 10.0 * max(0.0, abs(course[2]) - SHIFT_MM)
        axis = self.axis(course)
        axes, start = plane_axes(axis), self._start + course[2] * axis
        values, region = COARSE.cut(self._bone, self._grid, start, axes)
        if not region.any():
            return 1e4
        beyond += 10.0 * self._place.beyond(start + _middle(values, region) @ axes)
        return COARSE.area(values, region) + 20.0 * beyond

    def place(self, course: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Middle (3,) of a section, local mm, and the unit axis perpendicular to it."""
        axis = self.axis(course)
        axes, start = plane_axes(axis), self._start + course[2] * axis
        values, region = COARSE.cut(self._bone, self._grid, start, axes)
        if not region.any():
            raise PedicleNotFound("the bridge between body and arch has no section of its own")
        return start + _middle(values, region) @ axes, axis


def _middle(values: FloatArray, region: NDArray[np.bool_]) -> FloatArray:
    """(2,) middle of a coarse section in its plane, mm."""
    return np.average(COARSE.places(region), axis=0, weights=np.clip(values[region], 0.02, 1.0))


class _Stretch:
    """The pedicle's walls a few mm before and behind a section, sampled along an axis."""

    def __init__(self, bone: FloatArray, grid: LocalGrid, centre: FloatArray, axis: FloatArray):
        self._bone, self._grid, self.centre, self.axis = bone, grid, centre, axis
        self._axes = plane_axes(axis)
        self._middle, whole = FINE.cut(bone, grid, centre, self._axes)
        if not whole.any():
            raise PedicleNotFound("the bridge between body and arch has no section of its own")
        self._region = FINE.core(whole)
        where, pad = np.argwhere(self._region), int(np.ceil(AROUND_MM / FINE.step_mm)) + 1
        box = tuple(
            slice(max(0, a - pad), b + pad + 1) for a, b in zip(where.min(axis=0), where.max(axis=0), strict=True)
        )
        beside = ndimage.distance_transform_edt(~self._region[box]) * FINE.step_mm
        hanging = (whole & ~self._region)[box]
        self._own = np.where(hanging, 0.0, np.clip((AROUND_MM - beside) / FINE.step_mm + 0.5, 0.0, 1.0))[..., None]
        """What belongs to the pedicle and not to a neighbouring part of the bone."""
        count = int(np.ceil(REACH_MM / FINE.step_mm))
        self._along = np.arange(-count, count + 1) * FINE.step_mm
        self._u, self._v = FINE.u[box][..., None], FINE.v[box][..., None]
        flat = self._u[..., None] * self._axes[0] + self._v[..., None] * self._axes[1]
        self._values = grid.sample(bone, centre + flat + self._along[:, None] * axis)
        self._share = np.clip(self._values / FINE.step_mm + 0.5, 0.0, 1.0) * self._own

    @property
    def area(self) -> float:
        """Area of the middle section, mm²."""
        return FINE.area(self._middle, self._region)

    def followed(self, lateral: float, courses: Courses) -> tuple[FloatArray, FloatArray]:
        """A better centre (3,) of the isthmus, where the section's area is least, and a better axis.

        The axis is perpendicular to the walls' normals as nearly as can be: flares on opposite walls cancel, and
        hundreds of normals leave little of the voxels' steps.
        """
        weight = _fading(self._along, REACH_MM)
        normal = np.stack(list(np.gradient(self._values, FINE.step_mm)), axis=-1)
        normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-6)
        wall = np.clip(1.0 - np.abs(self._values) / WALL_BAND_MM, 0.0, None) * self._own * weight
        wall *= np.clip(1.0 - (normal[..., 2] / STEEPEST_WALL) ** 2, 0.0, None) ** 2
        flat = normal.reshape(-1, 3)
        _, vectors = np.linalg.eigh((flat * wall.reshape(-1, 1)).T @ flat)
        direction = vectors[:, 0] * np.sign(vectors[2, 0])
        across, upward = (
            np.sum(self._share * part * weight) / np.sum(self._share * weight) for part in (self._u, self._v)
        )
        centre = self.centre + np.array([across, upward]) @ self._axes + self._to_the_waist() * self.axis
        return centre, _held(np.vstack([self._axes, self.axis]).T @ direction, lateral, courses)

    def _to_the_waist(self) -> float:
        """How far along the axis the least area lies, mm, by a parabola through the areas."""
        area = self._share.sum(axis=(0, 1))
        weight = np.sqrt(1.0 - (self._along / (REACH_MM + FINE.step_mm)) ** 2)
        bend, slope, _ = np.polyfit(self._along, area / area.mean(), 2, w=weight)
        least = -slope / (2.0 * bend) if bend > 1e-4 else 0.0  # a tube without a waist is isthmus everywhere
        return float(np.clip(least, -LONGEST_STEP_MM, LONGEST_STEP_MM))

    def measured(self, side: str, shape: Shape, frame: Frame) -> Pedicle:
        """The pedicle whose isthmus is the middle section.

        Width and height are those of the ellipse that spreads like the section: every bit of it counts, where its
        extreme points would follow single voxels. The smooth surface is true along the flat sides but cuts the sharp
        upper and lower ends; the height is therefore that of the label's voxels next to the section, told twice: by
        their spread, and by their area, which is that of an ellipse of the known width.
        """
        # About each section's own middle: the axis may be a little bowed.
        area = np.maximum(self._share.sum(axis=(0, 1)), 1e-9)
        flat = [part - (self._share * part).sum(axis=(0, 1)) / area for part in (self._u, self._v)]

        def spread(weight: FloatArray) -> FloatArray:
            weight = self._share * weight
            return np.array([[np.sum(weight * one * other) for one in flat] for other in flat]) / weight.sum()

        fading = _fading(self._along, SLAB_MM)
        around, waist = spread(fading), spread(_fading(self._along, WAIST_MM) * _level(self._along, WAIST_MM))
        across, upward = principal(around)
        broad = 4.0 * float(np.sqrt(across @ around @ across))
        width = 4.0 * float(np.sqrt(max(float(across @ waist @ across), (LEAST_OF_SLAB * broad / 4.0) ** 2)))
        weight = self._share * fading
        middle = np.array([np.sum(weight * part) for part in (self._u, self._v)]) / weight.sum()
        height = self._label_height(shape, frame, middle, upward, broad)
        width, height = upright(across, width, height)
        edge = self._region & ~ndimage.binary_erosion(self._region)
        plane = self.centre + FINE.places(edge) @ self._axes
        points = to_surface(plane, self._middle[edge], self._bone, self._grid, self._axes)
        centre = self.centre + middle @ self._axes
        turn = (points - centre) @ self._axes.T
        return Pedicle(side, centre, self.axis, width, height, points[np.argsort(np.arctan2(turn[:, 1], turn[:, 0]))])

    def _label_height(
        self, shape: Shape, frame: Frame, middle: FloatArray, upward: FloatArray, width_mm: float
    ) -> float:
        """Height of the label's voxels around the section, mm.

        Voxel centres are a sample of the section: about a middle that is known better than theirs, their spread is
        right on average however thick the slices are.
        """
        local = frame.to_local(shape.points_ras()) - self.centre
        along = local @ self.axis
        near = np.abs(along) < SLAB_MM
        flat, weight = local[near] @ self._axes.T, _fading(along[near], SLAB_MM)
        index = np.round((flat + FINE.reach_mm) / FINE.step_mm).astype(int)
        held = np.all((index >= 0) & (index < self._region.shape[0]), axis=1)
        flat, weight, index = flat[held], weight[held], index[held]
        own = ndimage.binary_dilation(self._region, iterations=2)[index[:, 0], index[:, 1]]
        flat, weight = flat[own], weight[own]
        if len(flat) < MIN_SLAB_VOXELS:
            raise PedicleNotFound(f"the bridge of bone between body and arch has {len(flat)} voxels at its narrowest")
        by_spread = 4.0 * np.sqrt(np.average(((flat - middle) @ upward) ** 2, weights=weight))
        voxel = abs(np.linalg.det(shape.distance.ijk_to_ras[:3, :3]))
        area = weight.sum() * voxel / (SLAB_MM * _FADING_INTEGRAL)
        return float(np.sqrt(by_spread * 4.0 * area / (np.pi * width_mm)))


def _fading(along: FloatArray, reach: float) -> FloatArray:
    """Weight of what lies along the axis: 1 in the middle, fading to nothing at the reach."""
    return np.clip(1.0 - (along / reach) ** 2, 0.0, None) ** 2


def _level(along: FloatArray, reach: float) -> FloatArray:
    """Times :func:`_fading`, a weight under which whatever grows by the square of the distance has its middle's mean."""
    return 1.0 - 3.0 * (along / reach) ** 2


_FADING_INTEGRAL = 16.0 / 15.0
"""Integral of :func:`_fading` over a reach of 1."""


def inward_deg(start: FloatArray, grid: LocalGrid, body: Body, lateral: float, aim_share: float) -> tuple[float, float]:
    """Least and greatest inward degrees of a course from a point of the pedicle that stays inside a share of the body.

    Args:
        start: (3,) local mm.
        lateral: 1 on the right, −1 on the left.
        aim_share: of the body's half-width, at its mid-depth; see :data:`AIM_SHARE`.
    """
    left, right = sides(grid, body)
    outermost = (left + right) / 2 + lateral * aim_share * (right - left) / 2
    ahead = max(float(body.core_centre[1] - start[1]), 1.0)
    least = np.degrees(np.arctan2(lateral * (start[0] - outermost), ahead))
    return float(np.clip(least, INWARD_DEG[0], INWARD_DEG[1] - 1.0)), INWARD_DEG[1]


def _held(axis: FloatArray, lateral: float, courses: Courses) -> FloatArray:
    """The axis, turned back to the courses that pedicles take where it leaves them."""
    inward = np.clip(np.degrees(np.arctan2(-lateral * axis[0], axis[1])), *courses[0])
    cranial = np.clip(np.degrees(np.arctan2(axis[2], axis[1])), *courses[1])
    return unit(np.array([-lateral * np.tan(np.radians(inward)), 1.0, np.tan(np.radians(cranial))]))
