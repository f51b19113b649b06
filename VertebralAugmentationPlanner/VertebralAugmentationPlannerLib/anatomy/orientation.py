"""Which way a vertebra faces: first from the image and the spine's curve, then from its own symmetry.

The image's orientation is the prior; the anatomy (canal behind the body, ring behind the canal) is the check. A
disagreement is an error, never a guess.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage, optimize

from ..model import Frame
from ..model.geometry import FloatArray, unit
from .surface import Shape

MAX_CURVE_TILT_DEG = 70.0
"""A spine that leans more than this from the image's head–foot axis is not a spine in a CT of the trunk."""

SYMMETRY_POINTS = 4000
SYMMETRY_LATERAL_MM = 32.0
"""Half-width of the region compared with its mirror image: body, pedicles, laminae and facets, without the tips of
the transverse processes, which are often uneven."""


def curve_tangents(centres_ras: dict[str, FloatArray]) -> dict[str, FloatArray]:
    """Unit tangent of the spine's curve at each level, pointing to the head.

    Args:
        centres_ras: (3,) centre of each vertebra, ordered from head to foot.

    Returns:
        tangents; a lone vertebra gets the image's superior axis.

    Raises:
        ValueError: the curve runs against the image's head–foot axis.
    """
    levels = list(centres_ras)
    points = np.array([centres_ras[level] for level in levels])
    if len(levels) == 1:
        return {levels[0]: np.array([0.0, 0.0, 1.0])}
    steps = points[:-1] - points[1:]
    lengths = np.linalg.norm(steps, axis=1)
    tangents = {}
    for n, level in enumerate(levels):
        # Each neighbour's chord weighs with its nearness, so that a gap of missing levels does not dominate.
        parts = [(steps[k] / lengths[k], 1.0 / lengths[k]) for k in (n - 1, n) if 0 <= k < len(steps)]
        tangent = unit(sum(direction * weight for direction, weight in parts))
        if tangent[2] < np.cos(np.radians(MAX_CURVE_TILT_DEG)):
            raise ValueError(f"the labels around {level} do not run along the image’s head–foot axis")
        tangents[level] = tangent
    return tangents


def initial_frame(shape: Shape, superior: FloatArray) -> Frame:
    """A frame at the label's centroid with the given superior axis and the image's anterior direction."""
    superior = unit(superior)
    anterior = unit(np.array([0.0, 1.0, 0.0]) - superior[1] * superior)
    return Frame(shape.points_ras().mean(axis=0), np.cross(anterior, superior), anterior, superior)


def symmetry_frame(shape: Shape, frame: Frame, canal_centre: FloatArray) -> Frame:
    """Turn and shift a frame so that its sagittal plane is the vertebra's plane of mirror symmetry.

    Args:
        frame: starting frame, within about 30° in rotation about the superior axis.
        canal_centre: (3,) middle of the canal, local mm; the search starts there.

    Returns:
        frame with its origin moved sideways onto the symmetry plane; superior axis tilted only sideways.
    """
    local = frame.to_local(shape.points_ras())
    near = local[np.abs(local[:, 0] - canal_centre[0]) < SYMMETRY_LATERAL_MM + 8.0]
    # A fixed stride over points sorted by place, and not a random draw: the same label gives the same frame in
    # whatever order its voxels are stored.
    near = near[np.lexsort(np.round(near, 2).T)]
    points = near[:: max(1, len(near) // SYMMETRY_POINTS)]
    field = shape.distance
    # Local → RAS → index is affine: points and normals are turned into indices, and mirrored there.
    to_index = field.ras_to_ijk[:3, :3] @ frame.rows.T
    index = np.ascontiguousarray(field.to_ijk(frame.to_ras(points)).T)

    def mismatch(parameters: FloatArray) -> float:
        yaw, roll, offset = parameters
        normal = _plane_normal(yaw, roll)
        origin = canal_centre + offset * np.array([1.0, 0.0, 0.0])
        lateral = (points - origin) @ normal
        used = np.abs(lateral) < SYMMETRY_LATERAL_MM
        mirrored = index[:, used] - 2.0 * (to_index @ normal)[:, None] * lateral[used]
        values = ndimage.map_coordinates(field.voxels, mirrored, order=1, mode="constant", cval=-4.0, output=np.float64)
        # Saturated: a mirrored point counts by how far it misses the bone, up to a few mm either way.
        return -float(np.clip(values, -4.0, 1.5).mean())

    starts = np.radians([-24.0, -12.0, 0.0, 12.0, 24.0])
    yaw = min(starts, key=lambda angle: mismatch(np.array([angle, 0.0, 0.0])))
    found = optimize.minimize(
        mismatch,
        np.array([yaw, 0.0, 0.0]),
        method="Nelder-Mead",
        options={
            "initial_simplex": [[yaw, 0, 0], [yaw + 0.12, 0, 0], [yaw, 0.12, 0], [yaw, 0, 2.0]],
            "xatol": 0.002,
            "fatol": 1e-4,
            "maxiter": 200,
        },
    )
    yaw, roll, offset = found.x
    normal = _plane_normal(yaw, roll)
    superior = unit(np.array([0.0, 0.0, 1.0]) - normal[2] * normal)
    anterior = np.cross(superior, normal)
    origin = canal_centre + offset * np.array([1.0, 0.0, 0.0])
    rows = frame.direction_to_ras(np.vstack([normal, anterior, superior]))
    return Frame(frame.to_ras(origin), rows[0], rows[1], rows[2])


def _plane_normal(yaw: float, roll: float) -> FloatArray:
    return np.array([np.cos(yaw) * np.cos(roll), np.sin(yaw) * np.cos(roll), np.sin(roll)])


def tilted(frame: Frame, pitch_rad: float) -> Frame:
    """The frame turned within its sagittal plane; positive pitch brings the superior axis forwards."""
    superior = np.cos(pitch_rad) * frame.superior + np.sin(pitch_rad) * frame.anterior
    anterior = np.cos(pitch_rad) * frame.anterior - np.sin(pitch_rad) * frame.superior
    return Frame(frame.origin_ras, frame.right, anterior, superior)
