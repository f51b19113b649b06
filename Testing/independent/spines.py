"""Whole spines of lofted vertebrae, T1–L6, on any grid, with their truth by construction.

Sizes follow published tables (living adults; pedicles: Zindrick 1987, Lien 2007; bodies: PMC2899959, Clouthier 2023).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from independent.lofted_body import Fracture, LoftedBody
from independent.swept_arch import Arch
from scipy import ndimage

LEVELS = [f"T{i}" for i in range(1, 14)] + [f"L{i}" for i in range(1, 7)]
VERSE = {level: 8 + i for i, level in enumerate(LEVELS[:12])} | {f"L{i}": 19 + i for i in range(1, 7)} | {"T13": 28}

#        Hp    Ha    depth width  pedicle w, h, inwards  canal w, d
SIZES = {
    "T1": (15.5, 15.2, 17.5, 27.0, 8.0, 10.0, 27, 20.0, 15.0),
    "T2": (17.0, 16.6, 18.5, 27.0, 6.6, 11.0, 22, 18.0, 15.0),
    "T3": (17.5, 17.0, 20.5, 27.0, 5.2, 11.5, 18, 17.0, 15.5),
    "T4": (18.0, 17.5, 22.5, 27.0, 4.6, 11.7, 15, 16.5, 15.5),
    "T5": (18.5, 18.0, 24.0, 28.0, 4.8, 12.0, 12, 16.5, 15.5),
    "T6": (19.5, 18.6, 26.0, 29.0, 5.6, 12.3, 10, 17.0, 15.5),
    "T7": (20.0, 19.0, 27.0, 29.5, 5.8, 12.5, 9, 17.2, 15.5),
    "T8": (20.5, 19.8, 28.0, 30.5, 6.0, 12.8, 8, 17.5, 16.0),
    "T9": (21.2, 20.5, 28.5, 32.0, 6.4, 14.0, 7, 17.9, 16.0),
    "T10": (23.0, 22.5, 29.5, 34.0, 6.8, 15.0, 5, 18.2, 15.5),
    "T11": (24.5, 23.4, 30.0, 36.5, 8.0, 16.5, 3, 19.4, 16.1),
    "T12": (26.0, 24.8, 30.0, 40.0, 7.6, 16.5, 4, 22.2, 18.0),
    "T13": (26.5, 25.5, 30.5, 41.5, 8.0, 16.2, 7, 22.8, 18.2),
    "L1": (27.0, 26.2, 31.0, 43.0, 8.4, 16.0, 11, 23.0, 18.0),
    "L2": (28.0, 27.6, 32.0, 45.0, 8.8, 15.3, 12, 23.5, 17.5),
    "L3": (28.5, 28.7, 33.0, 47.0, 10.2, 15.0, 14, 24.0, 17.5),
    "L4": (28.0, 29.0, 34.0, 49.0, 13.0, 15.0, 18, 25.0, 18.0),
    "L5": (26.0, 29.5, 34.0, 50.0, 17.0, 14.5, 28, 27.0, 18.5),
    "L6": (25.5, 29.5, 34.0, 50.0, 17.0, 14.5, 28, 27.0, 18.5),
}


def vertebra_shape(level: str, fracture: Fracture | None = None, **changes) -> tuple[LoftedBody, Arch]:
    """Body and arch of a level; ``changes`` replace fields of either."""
    hp, ha, depth, width, pw, ph, inward, cw, cd = SIZES[level]
    body = LoftedBody(hp, ha, depth, width, dish=0.075 * hp, fracture=fracture or Fracture())
    thoracic = level[0] == "T"
    arch = Arch(pw, ph, inward, cw, cd, scale=hp / 28.0, rise=0.16 * hp, thoracic=thoracic)
    for name, value in changes.items():
        if name in LoftedBody.__dataclass_fields__:
            body = replace(body, **{name: value})
        else:
            arch = replace(arch, **{name: value})
    return body, arch


@dataclass(frozen=True)
class Placed:
    """A vertebra in the world: ``rotation`` has the local axes as columns, ``origin`` is mid-body, RAS mm."""

    level: str
    body: LoftedBody
    arch: Arch
    rotation: np.ndarray
    origin: np.ndarray

    def local(self, points):
        """World to local, (n, 3)."""
        return (points - self.origin) @ self.rotation

    def world(self, points):
        """Local to world."""
        return np.asarray(points) @ self.rotation.T + self.origin

    @property
    def wall(self) -> float:
        """y of the unbroken posterior wall, local."""
        return -self.body.depth / 2

    def contains(self, points):
        """Which world points (n, 3) are bone of this vertebra."""
        p = self.local(points)
        inside = self.body.contains(p)
        arch = np.zeros(len(p), bool)
        for tube in self.arch.posterior_tubes(self.wall):
            arch |= tube.contains(p)
        arch &= ~self.arch.in_canal(p, self.wall) & (p[:, 1] < self.wall - 2)
        for side in ("left", "right"):
            tube = self.arch.pedicle(side, self.wall)
            # The pedicle ends in the body, under its plate: a crushed body is lower than its pedicles.
            under = (p[:, 2] < self.body.upper(p[:, 0], p[:, 1])) & (p[:, 2] > self.body.lower(p[:, 0], p[:, 1]))
            behind = p[:, 1] < self.wall - 1
            # Broad, steep pedicles (L5) would meet in front of the dura: the canal is free between them.
            behind &= ~(self.arch.in_canal(p, self.wall) & (np.abs(p[:, 0]) < 0.25 * self.arch.canal_width))
            arch |= tube.contains(p) & (behind | (p[:, 1] < self.wall + 5) & under & (p[:, 1] >= self.wall - 1))
        return inside | arch

    def in_canal(self, points):
        """Which world points lie in the canal as far as this vertebra reaches up and down."""
        p = self.local(points)
        return self.arch.in_canal(p, self.wall) & (np.abs(p[:, 2]) < self.body.posterior) & ~self.body.contains(p)

    def plate_line(self, plate: str) -> np.ndarray:
        """Direction of a plate from its posterior to its anterior rim, world."""
        back, front = self.body.rims()[plate]
        return self.rotation @ (front - back)


@dataclass
class Spine:
    """Placed vertebrae, from the head downwards."""

    vertebrae: list[Placed] = field(default_factory=list)

    def __getitem__(self, level: str) -> Placed:
        return next(v for v in self.vertebrae if v.level == level)

    def segmental_deg(self, level: str) -> float:
        """Segmental kyphosis across a level: upper plate of the one above against the lower plate of the one below."""
        names = [v.level for v in self.vertebrae]
        i = names.index(level)
        above, below = self.vertebrae[i - 1], self.vertebrae[i + 1]
        right = above.rotation[:, 0] + below.rotation[:, 0]
        right /= np.linalg.norm(right)
        a, b = (v - right * (v @ right) for v in (above.plate_line("upper"), below.plate_line("lower")))
        # Kyphosis: the upper plate's front looks down against the lower one's.
        return float(np.degrees(np.arctan2(np.cross(a, b) @ right, a @ b)))


def rotation(axis: str, degrees: float) -> np.ndarray:
    """Right-handed rotation about a coordinate axis."""
    i, j = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    matrix = np.eye(3)
    matrix[i, i], matrix[i, j], matrix[j, i], matrix[j, j] = c, -s, s, c
    return matrix


def stack(
    levels: list[str],
    fractures: dict[str, Fracture] | None = None,
    changes: dict[str, dict] | None = None,
    disc_deg: float = 0.0,
    scoliosis_deg: float = 0.0,
    axial_deg: float = 0.0,
    tilt: np.ndarray | None = None,
    disc_mm: float | None = None,
) -> Spine:
    """Stack vertebrae from below.

    Args:
        levels: from the head downwards.
        disc_deg: kyphosis of each disc (lordosis negative), besides the wedge of the bodies.
        scoliosis_deg, axial_deg: bend to the side and axial turn over the whole stack.
        tilt: rotation of the whole.
    """
    fractures, changes = fractures or {}, changes or {}
    steps = max(len(levels) - 1, 1)
    turn, at = np.eye(3), np.zeros(3)
    placed: list[Placed] = []
    for level in reversed(levels):
        body, arch = vertebra_shape(level, fractures.get(level), **changes.get(level, {}))
        lower = np.degrees(np.arctan2(*(body.rims()["lower"][1] - body.rims()["lower"][0])[[2, 1]]))
        upper = np.degrees(np.arctan2(*(body.rims()["upper"][1] - body.rims()["upper"][0])[[2, 1]]))
        if placed:
            half = disc_mm if disc_mm is not None else (5.0 if level[0] == "T" else 8.0)
            bend = rotation("x", -disc_deg) @ rotation("y", scoliosis_deg / steps) @ rotation("z", axial_deg / steps)
            at = at + turn @ np.array([0, 0, half / 2])
            turn = turn @ bend
            at = at + turn @ np.array([0, 0, half / 2])
            turn = turn @ rotation("x", -lower)
        bottom = sum(body.rims()["lower"]) / 2
        origin = at - turn @ bottom
        placed.append(Placed(level, body, arch, turn, origin))
        at = origin + turn @ (sum(body.rims()["upper"]) / 2)
        turn = turn @ rotation("x", upper)
    placed.reverse()
    centre = np.mean([v.origin for v in placed], 0)
    whole = np.eye(3) if tilt is None else tilt
    return Spine([replace(v, rotation=whole @ v.rotation, origin=whole @ (v.origin - centre)) for v in placed])


def label_map(
    spine: Spine, spacing=(1.0, 1.0, 1.0), axes=None, shift=(0.0, 0.0, 0.0), margin=6.0, flips=(), codes=None
):
    """Labels of a spine on a grid.

    Args:
        spacing: mm along the voxel axes.
        axes: (3, 3) directions of the voxel axes in RAS (columns), identity if None.
        shift: mm by which the grid is moved.
        margin: mm around the bone.
        flips: voxel axes that run backwards.

    Returns:
        labels uint8 (i, j, k) and the affine (4, 4) from voxel to RAS mm.
    """
    axes, spacing = (np.eye(3) if axes is None else np.asarray(axes)), np.asarray(spacing, float)
    codes = codes or VERSE
    boxes = []
    for v in spine.vertebrae:
        s = v.arch.scale
        local = np.array([[x, y, z] for x in (-48 * s - 8, 48 * s + 8) for y in (-75 * s - 8, 30) for z in (-42, 28)])
        boxes.append(v.world(local) @ axes)
    low = np.min([b.min(0) for b in boxes], 0) - np.asarray(shift)
    high = np.max([b.max(0) for b in boxes], 0)
    count = np.ceil((high - low) / spacing).astype(int)
    labels = np.zeros(count, np.uint8)
    for v, box in zip(spine.vertebrae, boxes, strict=True):
        first = np.maximum(np.floor((box.min(0) - low) / spacing).astype(int), 0)
        last = np.minimum(np.ceil((box.max(0) - low) / spacing).astype(int) + 1, count)
        part = tuple(slice(a, b) for a, b in zip(first, last, strict=True))
        index = np.stack(np.meshgrid(*[np.arange(a, b) for a, b in zip(first, last, strict=True)], indexing="ij"), -1)
        inside = v.contains((index.reshape(-1, 3) * spacing + low) @ axes.T).reshape(index.shape[:3])
        target = labels[part]
        target[inside & (target == 0)] = codes[v.level]
    used = ndimage.find_objects((labels > 0).astype(int))[0]
    pad = np.ceil(margin / spacing).astype(int)
    start = [max(s.start - p, 0) for s, p in zip(used, pad, strict=True)]
    labels = labels[tuple(slice(a, s.stop + p) for a, s, p in zip(start, used, pad, strict=True))]
    affine = np.eye(4)
    affine[:3, :3] = axes * spacing
    affine[:3, 3] = axes @ (low + np.array(start) * spacing)
    for axis in flips:
        affine[:3, 3] += affine[:3, axis] * (labels.shape[axis] - 1)
        affine[:3, axis] *= -1
        labels = np.flip(labels, axis)
    return np.ascontiguousarray(labels), affine


def ct_of(labels, affine, seed: int = 0, noise: float = 15.0):
    """A plain CT of a label map: cortex, spongiosa, soft tissue; HU as int16."""
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    bone = labels > 0
    inside = ndimage.distance_transform_edt(bone, sampling=spacing)
    hu = np.where(bone, np.where(inside < 1.6, 420.0, 130.0), 45.0)
    hu = ndimage.gaussian_filter(hu, 0.6 / spacing) + np.random.default_rng(seed).normal(0, noise, hu.shape)
    return hu.astype(np.int16)
