"""The best clearance that any straight line through a pedicle has, by trying them all.

Independent of the planner: it samples the distance fields on a grid of crossings × targets and shares no code with the
search. A sample counts where the nearest surface lies deeper than the entry cortex can (depth under the tangent plane
less 1.5 mm), or within 3 mm behind the isthmus.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

ROUGHNESS = 1.5
REACH_X = 7.5
BEHIND = 3.0


def _field(vertebra, values, points):
    index = (points - vertebra.grid.first_mm) / vertebra.grid.spacing_mm
    flat = ndimage.map_coordinates(values, index.reshape(-1, 3).T, order=1, mode="nearest")
    return flat.reshape(index.shape[:-1])


def _wall(vertebra, points):
    index = ((points - vertebra.grid.first_mm) / vertebra.grid.spacing_mm)[..., [0, 2]]
    flat = ndimage.map_coordinates(vertebra.posterior_wall_mm, index.reshape(-1, 2).T, order=1, mode="nearest")
    return flat.reshape(index.shape[:-1])


def clearance_of(vertebra, side, crossings, tips):
    """Smallest counted distance (K,) of lines along the pedicle and to the canal; −1 for lines that leave the bone."""
    pedicle = vertebra.pedicles[side]
    direction = tips - crossings
    length = np.linalg.norm(direction, axis=1)
    direction = direction / length[:, None]
    t = np.arange(-45.0, length.max(), 0.5)
    points = crossings[:, None] + t[None, :, None] * direction[:, None]
    bone = _field(vertebra, vertebra.bone_mm, points)
    canal = _field(vertebra, vertebra.canal_mm, points)
    outside = (bone <= 0) & (t <= 0)
    index = outside.shape[1] - 1 - np.argmax(outside[:, ::-1], axis=1)
    start = t[index]
    entry = crossings + start[:, None] * direction
    slope = np.stack(
        [
            _field(vertebra, vertebra.bone_mm, entry + 2.0 * unit)
            - _field(vertebra, vertebra.bone_mm, entry - 2.0 * unit)
            for unit in np.eye(3)
        ],
        axis=-1,
    )
    inward = slope / np.maximum(np.linalg.norm(slope, axis=1, keepdims=True), 1e-6)
    cosine = np.clip((direction * inward).sum(axis=1), 0, 1)
    depth = (t[None] - start[:, None]) * cosine[:, None]
    along = (points - pedicle.centre) @ pedicle.axis
    within = (t[None] > start[:, None]) & (t[None] <= length[:, None])
    in_front = points[..., 1] > _wall(vertebra, points)
    counted = within & ~in_front & ((bone < depth - ROUGHNESS) | (along > -BEHIND))
    wall = np.where(counted, bone, np.inf).min(axis=1)
    to_canal = np.where(within, canal, np.inf).min(axis=1)
    body = np.where(within & in_front, bone, np.inf).min(axis=1)
    from_behind = outside.any(axis=1) & ((entry - pedicle.centre) @ pedicle.axis < -BEHIND)
    return np.where(from_behind & (body > 0), np.minimum(wall, to_canal), -1.0)


def best_possible(vertebra, side, plate_room=5.1, front_room=6.5, step=0.8):
    """Largest clearance of any line to an allowed target, mm."""
    pedicle = vertebra.pedicles[side]
    across = np.cross([0.0, 0.0, 1.0], pedicle.axis)
    across /= np.linalg.norm(across)
    up = np.cross(pedicle.axis, across)
    outline = pedicle.outline - pedicle.centre
    u, v = outline @ across, outline @ up
    plane = np.stack(np.meshgrid(np.arange(u.min(), u.max(), step), np.arange(v.min(), v.max(), step)), -1).reshape(
        -1, 2
    )
    crossings = pedicle.centre + plane[:, :1] * across + plane[:, 1:] * up
    crossings = crossings[_field(vertebra, vertebra.bone_mm, crossings) > 0.8]
    low, high = vertebra.inferior.centre[2], vertebra.superior.centre[2]
    room = min(plate_room, 0.45 * (high - low))
    tips = []
    for x in np.linspace(-REACH_X, REACH_X, 7):
        for z in np.linspace(low + room, high - room, 6):
            wall = float(_wall(vertebra, np.array([[0.0, 0.0, z]]))[0])
            for fraction in (0.69, 0.78):
                if fraction * vertebra.depth_mm < vertebra.depth_mm - min(front_room, 0.31 * vertebra.depth_mm):
                    tips.append((x, wall + fraction * vertebra.depth_mm, z))
    tips = np.array(tips)
    best = -1.0
    for first in range(0, len(crossings), 40):
        part = crossings[first : first + 40]
        lines = clearance_of(vertebra, side, np.repeat(part, len(tips), axis=0), np.tile(tips, (len(part), 1)))
        best = max(best, float(lines.max()))
    return best
