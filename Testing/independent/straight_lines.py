"""What any straight needle could have, by brute force on dense bone, and what a delivered needle really has.

Knows nothing of the planner: bone is a boolean grid of one vertebra, depths are Euclidean distances in it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

STEP = 1.0
"""Between samples of a line, mm."""
OFF_MIDLINE = 8.0
"""Most a tip may be off the midline, mm."""


@dataclass
class DenseBone:
    """Depth in bone and distance to the canal on a fine grid in a vertebra's own frame (x right, y front, z up)."""

    low: np.ndarray
    step: float
    depth: np.ndarray  # inside positive, outside negative, mm
    to_canal: np.ndarray | None

    def _read(self, field, points):
        index = ((np.asarray(points) - self.low) / self.step).reshape(-1, 3).T
        return ndimage.map_coordinates(field, index, order=1, mode="nearest").reshape(np.shape(points)[:-1])

    def depth_at(self, points):
        """Depth in bone at local points (..., 3), mm."""
        return self._read(self.depth, points)

    def canal_at(self, points):
        """Distance to the canal, mm; inside it negative."""
        return self._read(self.to_canal, points) if self.to_canal is not None else np.full(np.shape(points)[:-1], 99.0)


def signed(mask, step):
    """Signed distance of a mask, inside positive; the surface lies half a voxel from either centre."""
    inside = ndimage.distance_transform_edt(mask, sampling=step) - step / 2
    outside = ndimage.distance_transform_edt(~mask, sampling=step) - step / 2
    return np.where(mask, inside, -outside).astype(np.float32)


def dense(vertebra, step: float = 0.5) -> DenseBone:
    """Dense truth of a placed phantom vertebra: body, pedicles and arch as far back as needles enter."""
    body = vertebra.body
    low = np.array([-body.width * 0.62, -body.depth / 2 - 36, -body.posterior * 0.95])
    high = np.array([body.width * 0.62, body.depth / 2 + 4, body.posterior * 0.95])
    axes = [np.arange(a, b, step) for a, b in zip(low, high, strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), -1)
    world = vertebra.world(points.reshape(-1, 3))
    bone = vertebra.contains(world).reshape(points.shape[:3])
    canal = vertebra.in_canal(world).reshape(points.shape[:3]) & ~bone
    return DenseBone(low, step, signed(bone, step), -signed(canal, step))


@dataclass(frozen=True)
class Stretch:
    """Where a side's pedicle and its targets are, in the vertebra's frame, mm."""

    isthmus: np.ndarray
    half_width: float
    half_height: float
    wall: float  # y of the posterior wall
    front: float  # y of the anterior wall
    low: float  # z allowed at the tip
    high: float


def sample(start, end, step: float = STEP, back: float = 0.0):
    """Points along lines, (n, m, 3), from ``back`` mm behind the start to the end, and the count that is shared."""
    vector = end - start
    length = np.linalg.norm(vector, axis=-1, keepdims=True)
    count = int(np.ceil((float(length.max()) + back) / step)) + 1
    along = np.linspace(0, 1, count)[None, :, None] * (length + back)[:, None] - back
    return start[:, None] + along * (vector / length)[:, None], along[..., 0]


def clearances(bone: DenseBone, stretch: Stretch, crossing, tips):
    """Axis clearances of lines through the isthmus: (along the pedicle and to the canal, all walls too), mm.

    The pedicle counts from 4 mm behind the isthmus to 3 mm in front of the posterior wall; the canal everywhere; the
    other walls up to the tip.
    """
    points, along = sample(crossing, tips, back=4.0)
    depth = bone.depth_at(points)
    canal = bone.canal_at(points)
    in_pedicle = points[..., 1] < stretch.wall + 3.0
    pedicle = np.where(in_pedicle, depth, 99.0).min(1)
    return np.minimum(pedicle, canal.min(1)), np.minimum(depth.min(1), canal.min(1))


def grid_of_lines(stretch: Stretch, fine: float = 1.1):
    """Crossings of the isthmus × tips in the anterior third: (n, 3), (n, 3)."""
    u = np.arange(-stretch.half_width, stretch.half_width + 1e-9, fine)
    v = np.arange(-stretch.half_height, stretch.half_height + 1e-9, 1.6 * fine)
    crossing = np.array([stretch.isthmus + [a, 0, b] for a in u for b in v])
    depth = stretch.front - stretch.wall
    ys = stretch.wall + depth * np.array([0.68, 0.76, 0.84])
    zs = np.linspace(stretch.low, stretch.high, 7)
    tips = np.array([[x, y, z] for x in np.linspace(-OFF_MIDLINE, OFF_MIDLINE, 7) for y in ys for z in zs])
    n, m = len(crossing), len(tips)
    return np.repeat(crossing, m, 0), np.tile(tips, (n, 1))


@dataclass(frozen=True)
class Best:
    """The best that straight lines can have."""

    pedicle_and_canal: float  # greatest smallest clearance along the pedicle and to the canal
    every_wall: float  # greatest smallest clearance to any wall, tip included
    crossing: np.ndarray  # of the first of the two at the isthmus, local mm
    tip: np.ndarray


def best_line(bone: DenseBone, stretch: Stretch) -> Best:
    """Brute force over all crossings and tips, then once more around the best."""
    start, tip = grid_of_lines(stretch)
    a, b = clearances(bone, stretch, start, tip)
    result, lines = [], []
    for values, which in ((np.where(b > 0.5, a, -99), 0), (b, 1)):
        top = np.argsort(values)[-6:]
        best, line = float(values[top[-1]]), (start[top[-1]], tip[top[-1]])
        random = np.random.default_rng(7)
        for width in (0.8, 0.4, 0.2):
            s = np.repeat(start[top], 60, 0) + random.normal(0, width, (60 * len(top), 3)) * [1, 0, 1]
            t = np.repeat(tip[top], 60, 0) + random.normal(0, 3 * width, (60 * len(top), 3)) * [1, 0.5, 1]
            depth = stretch.front - stretch.wall
            t[:, 0] = np.clip(t[:, 0], -OFF_MIDLINE, OFF_MIDLINE)
            t[:, 1] = np.clip(t[:, 1], stretch.wall + depth * 2 / 3, stretch.front - 2)
            t[:, 2] = np.clip(t[:, 2], stretch.low, stretch.high)
            c, d = clearances(bone, stretch, s, t)
            now = (np.where(d > 0.5, c, -99), d)[which]
            if now.max() > best:
                best, line = float(now.max()), (s[now.argmax()], t[now.argmax()])
        result.append(best)
        lines.append(line)
    return Best(*result, *lines[0])


@dataclass(frozen=True)
class Judged:
    """A delivered needle, judged on dense bone; axis clearances and depths in mm."""

    pedicle_and_canal: float
    every_wall: float
    breach: float  # deepest that the tube's surface leaves bone, from 4 mm behind the isthmus on
    side_wall: float  # the same, from 5 mm behind the entry to there: an entry through the side wall shows here
    canal: float  # from the tube's surface
    tip_depth: float  # share of the body's depth at the tip
    off_midline: float


def judge(bone: DenseBone, stretch: Stretch, entry, target, radius: float) -> Judged:
    """Judge a needle from entry to target (local points, mm) of a radius (mm)."""
    entry, target = np.asarray(entry, float), np.asarray(target, float)
    vector = (target - entry) / np.linalg.norm(target - entry)
    crossing = entry + vector * (stretch.isthmus[1] - entry[1]) / vector[1]
    a, b = clearances(bone, stretch, crossing[None], target[None])
    points, along = sample(entry[None], target[None], 0.5)
    points, along = points[0], along[0]
    side = np.cross(vector, [0, 0, 1.0])
    side /= np.linalg.norm(side)
    up = np.cross(side, vector)
    angle = np.arange(0, 2 * np.pi, np.pi / 12)
    ring = radius * (np.cos(angle)[:, None] * side + np.sin(angle)[:, None] * up)
    outside = -bone.depth_at(points[:, None] + ring[None]).min(1)
    behind = float(np.linalg.norm(crossing - entry)) - 4.0
    late, early = along >= behind, (along > 5.0) & (along < behind)
    return Judged(
        float(a[0]),
        float(b[0]),
        float(outside[late].max()),
        float(outside[early].max()) if early.any() else -99.0,
        float(bone.canal_at(points).min() - radius),
        float((target[1] - stretch.wall) / (stretch.front - stretch.wall)),
        float(abs(target[0])),
    )


def stretch_of(vertebra, side: str) -> Stretch:
    """Where the pedicle of a phantom vertebra is, by construction."""
    body, arch = vertebra.body, vertebra.arch
    y = body.depth * 0.25
    return Stretch(
        arch.isthmus(side, vertebra.wall),
        arch.pedicle_width(side) / 2,
        arch.height / 2,
        vertebra.wall,
        body.depth / 2,
        float(body.lower(0.0, y)) + 3,
        float(body.upper(0.0, y)) - 3,
    )
