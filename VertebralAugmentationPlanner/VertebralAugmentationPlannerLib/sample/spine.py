"""Vertebrae stacked to a spine with a known pose each, and what is inside what: bone, canal, pedicles."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from ..model import Frame, InputError, LocalGrid, above, below
from ..model.geometry import FloatArray
from .arch import SIGN, Arch, Joint, PedicleTube, Process, nominal_joint
from .body import Body
from .canal import Canal
from .primitives import rotation
from .reference import healthy
from .shape import VertebraShape
from .tissue import Soft

CANAL_WALL_MM = 0.3
"""Bone of the arch keeps this far from the canal's ellipse, so that no bone voxel's centre lies in the canal."""
RING_FRACTION = 0.35
"""The canal runs straight over this share of the posterior height above and below the middle of a body."""
FAR_MM = 4.0
"""Distances to bone are only worked out this near to it; farther away they read this value or more."""


@dataclass(frozen=True, eq=False)
class Placed:
    """A vertebra in its place. ``frame`` is the construction frame: that of the unfractured body, in RAS."""

    shape: VertebraShape
    body: Body
    arch: Arch
    frame: Frame

    @property
    def pedicles(self) -> dict[str, PedicleTube]:
        """Both pedicles, in the construction frame."""
        return self.arch.pedicles


@dataclass(frozen=True, eq=False)
class SpinePhantom:
    """A spine of known shape.

    Args:
        shapes: vertebrae from head to foot, without a gap.
        anchor: the level whose body is put at ``centre_ras``; the middle one by default.
        centre_ras: where that body's centre lies, mm.
        rotation_deg: the whole patient turned about the right, anterior and superior axis, in this order.
        lateral_deg, axial_deg: scoliosis and torsion, added at every disc.
        extra_kyphosis_deg: added to every disc's own angle.
        cut: levels outside the picture in part; they are drawn, but the truth calls them incomplete.
        soft: tissue values.
        seed: of noise and texture.

    """

    shapes: tuple[VertebraShape, ...]
    anchor: str | None = None
    centre_ras: tuple[float, float, float] = (0.37, 0.23, 0.41)
    rotation_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)
    lateral_deg: float = 0.0
    axial_deg: float = 0.0
    extra_kyphosis_deg: float = 0.0
    cut: tuple[str, ...] = ()
    soft: Soft = field(default_factory=Soft)
    seed: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "shapes", tuple(self.shapes))
        if not self.shapes:
            raise InputError("A phantom spine needs at least one vertebra.")
        names = self.levels
        for upper, lower in itertools.pairwise(names):
            if below(upper, names) != lower:
                raise InputError(
                    f"The phantom’s levels must follow each other from head to foot; {lower} cannot follow {upper}.",
                )
        if self.anchor is not None and self.anchor not in names:
            raise InputError(f"The anchor {self.anchor} is not one of the phantom’s levels ({', '.join(names)}).")

    # --- construction -------------------------------------------------------------------------------------------

    @property
    def levels(self) -> tuple[str, ...]:
        """Names from head to foot."""
        return tuple(shape.level for shape in self.shapes)

    def shape(self, level: str) -> VertebraShape:
        """The shape of one level."""
        return self.shapes[self.levels.index(level)]

    def changed(self, level: str, shape: VertebraShape) -> SpinePhantom:
        """The same spine with one vertebra replaced."""
        return replace(self, shapes=tuple(shape if old.level == level else old for old in self.shapes))

    @cached_property
    def spine_to_ras(self) -> tuple[FloatArray, FloatArray]:
        """Rotation (3 × 3, columns) and origin (3,) of the upright spine coordinates in RAS."""
        right, anterior, superior = self.rotation_deg
        matrix = rotation(2, superior) @ rotation(1, anterior) @ rotation(0, right)
        return matrix, np.asarray(self.centre_ras, float)

    def to_spine(self, points_ras: FloatArray) -> FloatArray:
        """Upright spine coordinates of RAS points (…, 3)."""
        matrix, origin = self.spine_to_ras
        return (np.asarray(points_ras, float) - origin) @ matrix

    @cached_property
    def _poses(self) -> dict[str, tuple[FloatArray, FloatArray]]:
        """Rotation (columns: local axes) and origin of every construction frame in spine coordinates."""
        bodies = {shape.level: Body(shape) for shape in self.shapes}
        turn: FloatArray = np.eye(3)
        origin: FloatArray = np.zeros(3)
        poses: dict[str, tuple[FloatArray, FloatArray]] = {}
        for index, shape in enumerate(self.shapes):
            body = bodies[shape.level]
            if index:
                upper = self.shapes[index - 1]
                turn, origin = self._next_pose(bodies[upper.level], body, *poses[upper.level])
            poses[shape.level] = (turn, origin)
        return _upright(poses, self.anchor or self.levels[len(self.levels) // 2])

    def _next_pose(
        self,
        upper: Body,
        lower: Body,
        turn: FloatArray,
        origin: FloatArray,
    ) -> tuple[FloatArray, FloatArray]:
        """Step over a disc: from the upper body's lower rim plane to the lower body's upper rim plane."""
        kyphosis = upper.shape.disc_below_kyphosis_deg + self.extra_kyphosis_deg
        bend = rotation(0, kyphosis) @ rotation(1, self.lateral_deg) @ rotation(2, self.axial_deg)
        half = rotation(0, 0.5 * kyphosis) @ rotation(1, 0.5 * self.lateral_deg)
        plate = turn @ rotation(0, upper.plate_tilt_deg(False))
        rims = upper.rim_points()
        start = origin + turn @ (0.5 * (rims["anterior_inferior"] + rims["posterior_inferior"]))
        end = start - (plate @ half)[:, 2] * upper.shape.disc_below_mm
        next_turn = plate @ bend @ rotation(0, -lower.plate_tilt_deg(True))
        rims = lower.rim_points()
        return next_turn, end - next_turn @ (0.5 * (rims["anterior_superior"] + rims["posterior_superior"]))

    @cached_property
    def vertebrae(self) -> dict[str, Placed]:
        """Every vertebra in its place, by level."""
        matrix, centre = self.spine_to_ras
        bodies = {shape.level: Body(shape) for shape in self.shapes}
        joints = self._joints(bodies)
        alone = {
            shape.level: Arch(shape, bodies[shape.level], joints[shape.level, "above"], joints[shape.level, "below"])
            for shape in self.shapes
        }
        result = {}
        for shape in self.shapes:
            turn, origin = self._poses[shape.level]
            axes = (matrix @ turn).T
            frame = Frame(matrix @ origin + centre, axes[0], axes[1], axes[2])
            guests = self._guests(alone, shape.level)
            result[shape.level] = Placed(shape, bodies[shape.level], replace(alone[shape.level], guests=guests), frame)
        return result

    def _guests(self, arches: dict[str, Arch], level: str) -> tuple[Process, ...]:
        """The lower processes of the level above and the upper ones of the level below, in this level's frame."""
        turn, origin = self._poses[level]
        guests: list[Process] = []
        for name, superior in ((above(level, self.levels), False), (below(level, self.levels), True)):
            if name is not None:
                other, shift = self._poses[name]
                move, by = turn.T @ other, turn.T @ (shift - origin)
                guests.extend(p.moved(move, by) for p in arches[name].processes if p.superior == superior)
        return tuple(guests)

    def _joints(self, bodies: dict[str, Body]) -> dict[tuple[str, str], dict[str, Joint]]:
        """Facet joints in the frames of both partners: half-way between where each alone would put them."""
        result: dict[tuple[str, str], dict[str, Joint]] = {}
        for shape in self.shapes:
            body = bodies[shape.level]
            for name, is_above in (("above", True), ("below", False)):
                result[shape.level, name] = {side: nominal_joint(shape, body, side, is_above) for side in SIGN}
        for upper, lower in itertools.pairwise(self.levels):
            for side in SIGN:
                pair = (result[upper, "below"][side], result[lower, "above"][side])
                shared = _shared_joint(pair, (self._poses[upper], self._poses[lower]))
                result[upper, "below"][side], result[lower, "above"][side] = shared
        return result

    @cached_property
    def canal(self) -> Canal:
        """The canal through all levels, in spine coordinates."""
        nodes = []
        for shape in reversed(self.shapes):
            turn, origin = self._poses[shape.level]
            body = Body(shape)
            wall = -0.25 * (shape.depth_superior_mm + shape.depth_inferior_mm)
            y = wall - shape.canal_gap_mm - 0.5 * shape.canal_depth_mm
            edge = np.array(wall)
            middle = 0.5 * float(body.rim_plane(edge, True) + body.rim_plane(edge, False))
            for sign in (-1.0, 1.0):
                point = origin + turn @ np.array([0.0, y, middle + sign * RING_FRACTION * body.posterior_height_mm])
                nodes.append([*point, shape.canal_width_mm, shape.canal_depth_mm])
        table = np.array(nodes)
        if np.any(np.diff(table[:, 2]) <= 0.0):
            raise InputError("The phantom’s spine is bent so far that its canal turns back on itself; bend it less.")
        x, y, width, depth = (PchipInterpolator(table[:, 2], table[:, column]) for column in (0, 1, 3, 4))
        return Canal(x, y, width, depth, float(table[0, 2]), float(table[-1, 2]))

    def front_y(self, z: FloatArray) -> FloatArray:
        """Spine coordinate y of the front of the bodies and discs at heights z."""
        points = [
            self.to_spine(v.frame.to_ras([0.0, 0.5 * v.body.mid_depth_mm + 1.5, 0.0])) for v in self.vertebrae.values()
        ]
        table = np.array(points)[::-1]
        return np.interp(z, table[:, 2], table[:, 1])

    # --- what is where ------------------------------------------------------------------------------------------

    def vertebra_distance(self, level: str, points_ras: FloatArray) -> FloatArray:
        """Signed distance (…,) of RAS points to one vertebra, negative inside; at least FAR_MM where farther away.

        Inside, where parts merge (pedicle into body), it is the depth in the deepest part alone and so a lower bound:
        use :meth:`fine_distance` for true depths.
        """
        placed = self.vertebrae[level]
        points = np.asarray(points_ras, float)
        local = placed.frame.to_local(points).reshape(-1, 3)
        body, arch = self.part_distances(level, local, self.to_spine(points).reshape(-1, 3))
        return np.minimum(body, arch).reshape(points.shape[:-1])

    def part_distances(self, level: str, local: FloatArray, spine: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Signed distances (N,) to the body and to the arch (the canal cut out) of (N, 3) points in the level's
        construction frame and, the same points, in spine coordinates.
        """
        placed = self.vertebrae[level]
        body = np.full(len(local), FAR_MM)
        shape = placed.shape
        reach = np.array([0.5 * max(shape.width_superior_mm, shape.width_inferior_mm), 0.0, 0.0]) + FAR_MM
        reach[1] += 0.5 * max(shape.depth_superior_mm, shape.depth_inferior_mm)
        reach[1] += shape.posterior_concavity_mm + shape.fracture.retropulsion_mm
        reach[2] += 0.5 * max(shape.anterior_height_mm, shape.posterior_height_mm)
        near = np.all(np.abs(local) < reach, axis=1)
        body[near] = placed.body.distance(local[near])
        arch = placed.arch.near_distance(local, FAR_MM)
        close = arch < FAR_MM
        if np.any(close):
            arch[close] = np.maximum(arch[close], CANAL_WALL_MM - self.canal.distance(spine[close]))
        return body, arch

    def inside_bone(self, points_ras: FloatArray, level: str | None = None) -> NDArray[np.bool_]:
        """Whether RAS points (…, 3) lie in bone of one level, or of any."""
        levels = self.levels if level is None else (level,)
        inside = np.zeros(np.shape(points_ras)[:-1], bool)
        for name in levels:
            inside |= self.vertebra_distance(name, points_ras) <= 0.0
        return inside

    def distance_to_canal(self, points_ras: FloatArray) -> FloatArray:
        """Signed distance (…,) to the canal, positive outside it; retropulsed bone is not canal."""
        points = np.asarray(points_ras, float)
        distance = self.canal.distance(self.to_spine(points))
        for placed in self.vertebrae.values():
            if placed.shape.fracture.retropulsion_mm > 0.0:
                distance = np.maximum(distance, -placed.body.distance(placed.frame.to_local(points)))
        return distance

    def inside_canal(self, points_ras: FloatArray) -> NDArray[np.bool_]:
        """Whether RAS points (…, 3) lie in the canal."""
        return self.distance_to_canal(points_ras) < 0.0

    def local_box(self, level: str, margin_mm: float = 2.0) -> tuple[FloatArray, FloatArray]:
        """Corners of a box in the construction frame that holds the vertebra."""
        placed = self.vertebrae[level]
        shape = placed.shape
        half = np.array(
            [
                0.5 * max(shape.width_superior_mm, shape.width_inferior_mm),
                0.5 * max(shape.depth_superior_mm, shape.depth_inferior_mm),
                0.5 * max(shape.anterior_height_mm, shape.posterior_height_mm),
            ],
        )
        lows, highs = [-half], [half]
        for bar in placed.arch.all_bars:
            low, high = bar.bounds()
            lows.append(low)
            highs.append(high)
        return np.min(lows, axis=0) - margin_mm, np.max(highs, axis=0) + margin_mm

    def fine_distance(
        self, level: str, spacing_mm: float = 0.4, box: tuple[FloatArray, FloatArray] | None = None
    ) -> tuple[LocalGrid, FloatArray]:
        """True signed distance to one vertebra's surface on a fine grid in its construction frame, positive inside.

        ``box`` (two corners, local mm) limits it to a part, which saves much time; distances are right where they
        are shorter than the way to the box's own faces.

        For independent clearance checks: sample it with ``grid.sample(values, frame.to_local(points_ras))``. Error
        about half a spacing at most.
        """
        from scipy import ndimage

        placed = self.vertebrae[level]
        low, high = box if box is not None else self.local_box(level)
        count = np.ceil((high - low) / spacing_mm).astype(int) + 1
        grid = LocalGrid(low, spacing_mm, (int(count[0]), int(count[1]), int(count[2])))
        local = grid.points().reshape(-1, 3)
        body, arch = self.part_distances(level, local, self.to_spine(placed.frame.to_ras(local)))
        inside = (np.minimum(body, arch) <= 0.0).reshape(grid.shape)
        depth: FloatArray = ndimage.distance_transform_edt(inside) - ndimage.distance_transform_edt(~inside)
        return grid, (depth - np.sign(depth) * 0.5) * spacing_mm


def healthy_spine(levels: Sequence[str], sex: str | None = None, **options: object) -> SpinePhantom:
    """A healthy spine of these levels, from head to foot; ``options`` as for :class:`SpinePhantom`."""
    return SpinePhantom(tuple(healthy(level, sex) for level in levels), **options)  # type: ignore[arg-type]


def _upright(poses: dict[str, tuple[FloatArray, FloatArray]], anchor: str) -> dict[str, tuple[FloatArray, FloatArray]]:
    """Turn the stack so that its chord is vertical, and put the anchor's body at the origin."""
    names = list(poses)
    chord: FloatArray = poses[names[0]][1] - poses[names[-1]][1]
    if len(names) == 1:
        chord = poses[names[0]][0][:, 2]
    up = chord / np.linalg.norm(chord)
    right = np.array([1.0, 0.0, 0.0]) - up[0] * up
    right /= np.linalg.norm(right)
    matrix = np.vstack([right, np.cross(up, right), up])
    centre = poses[anchor][1]
    return {name: (matrix @ turn, matrix @ (origin - centre)) for name, (turn, origin) in poses.items()}


def _shared_joint(
    joints: tuple[Joint, Joint],
    poses: tuple[tuple[FloatArray, FloatArray], tuple[FloatArray, FloatArray]],
) -> tuple[Joint, Joint]:
    """Both partners' views of one joint, half-way between their own."""
    centre: FloatArray = np.zeros(3)
    normal: FloatArray = np.zeros(3)
    for joint, (turn, origin) in zip(joints, poses, strict=True):
        centre += 0.5 * (origin + turn @ joint.centre)
        normal += turn @ joint.normal
    normal /= np.linalg.norm(normal)
    gap = 0.5 * (joints[0].gap_mm + joints[1].gap_mm)
    views = [Joint(turn.T @ (centre - origin), turn.T @ normal, gap) for turn, origin in poses]
    return views[0], views[1]
