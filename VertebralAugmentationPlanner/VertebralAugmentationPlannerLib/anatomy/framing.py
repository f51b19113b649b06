"""The vertebral frame: symmetry gives the sagittal plane, the end plates the pitch within it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..model import EndPlate, Frame, LocalGrid, PlanWarning
from ..model.geometry import FloatArray
from .body import Body, find_body
from .canal import CanalNotFound, find_canal, projected_hole
from .endplates import fit_endplate, fit_plane
from .orientation import initial_frame, symmetry_frame, tilted
from .outline import BodySurfaces, MidsagittalOutline, body_surfaces, midsagittal_outline
from .rims import Voxels
from .spurs import FrontWall
from .steps import Steps
from .surface import Shape, grid_around, resample

COARSE_MM = 1.6
FINE_MM = 0.8
"""Grids for orientation and for measurement. Surfaces and distances are sub-voxel; 0.8 mm resolves what 1 mm voxels
hold, and halving it changes no measurement by more than 0.1 mm."""

GRID_LOW_MM = np.array([-48.0, -48.0, -60.0])
GRID_HIGH_MM = np.array([48.0, 60.0, 60.0])
"""Part of the vertebra kept around the canal: body, arch, roots of the processes; not the tips."""

INTERIOR_MM = 2.5
"""Columns this far from the edge of the body carry an end plate; nearer ones carry the rounded rim."""

DIRECTIONS_DEG = (
    *((0.0, 0.0), (12.0, 0.0), (-12.0, 0.0), (0.0, 12.0), (0.0, -12.0), (24.0, 0.0), (-24.0, 0.0)),
    *((0.0, 24.0), (0.0, -24.0), (12.0, 12.0), (12.0, -12.0), (-12.0, 12.0), (-12.0, -12.0), (36.0, 0.0), (-36.0, 0.0)),
)
"""Forward and rightward lean against the spine's curve in which the canal is looked for, nearest first. A vertebra alone
has no curve, and at the apex of a kyphosis or at L5 it leans up to 40°; beyond, foramina look like canals. [D]"""

WEDGE_LIMIT_DEG = 14.0
"""Wedging above which the mean of both end plates no longer gives the direction: normal levels are wedged by up to
10° (Masharawi: T9–L5 −8…+5°); beyond 14° one plate has tipped and the other is used."""


CLEARLY_SOUNDER = 0.5
"""A plate that leans less than half as far from square to the posterior wall as the other gives the direction alone; where
both lean alike, as in a wedge that both plates share, their mean does, and what lies between is blended. [D]"""


def find_frame(level: str, shape: Shape, tangent: FloatArray, notes: list[PlanWarning]) -> Frame:
    """Symmetry gives the sagittal plane, the end plates the pitch within it."""
    frame, hole = _facing_the_hole(shape, tangent)
    frame = symmetry_frame(shape, frame, np.array([*hole, 0.0]))
    for turn in range(2):
        grid = grid_around(frame.to_local(shape.points_ras()), COARSE_MM, GRID_LOW_MM, GRID_HIGH_MM, 6.0)
        bone = resample(shape.distance, frame, grid, -8.0)
        body = find_body(bone, grid, find_canal(bone, grid, projected_hole(bone, grid)))
        surfaces = body_surfaces(bone, grid, body)
        inside = _interior(surfaces, grid)
        if turn == 0:
            step = shape.step_along(frame.superior)
            upper = fit_plane(surfaces.top, grid, inside, step)
            lower = fit_plane(surfaces.bottom, grid, inside, step)
        else:
            upper, lower = (plate.normal for plate in fit_endplates(shape, frame, grid, bone, body, surfaces)[:2])
        pitch = _pitch(level, _tilt(upper), _tilt(lower), _wall_tilt(body, grid), notes if turn else [])
        frame = tilted(frame, pitch)
    return frame


def _facing_the_hole(shape: Shape, tangent: FloatArray) -> tuple[Frame, FloatArray]:
    """A first frame and the canal's (2,) middle in it: along the curve, or as little off it as shows the canal.

    Raises:
        CanalNotFound: no ring is seen from any of these directions.
    """
    straight = initial_frame(shape, tangent)
    closed: CanalNotFound | None = None
    for pitch, roll in DIRECTIONS_DEG:
        sideways, up = np.radians(roll), tilted(straight, np.radians(pitch)).superior
        frame = initial_frame(shape, np.cos(sideways) * up + np.sin(sideways) * straight.right)
        grid = grid_around(frame.to_local(shape.points_ras()), COARSE_MM, -np.full(3, 80.0), np.full(3, 80.0), 6.0)
        try:
            return frame, projected_hole(resample(shape.distance, frame, grid, -8.0), grid)
        except CanalNotFound as error:
            closed = closed or error
    assert closed is not None
    raise closed


def fit_endplates(
    shape: Shape, frame: Frame, grid: LocalGrid, bone: FloatArray, body: Body, surfaces: BodySurfaces
) -> tuple[EndPlate, EndPlate, MidsagittalOutline]:
    """Superior and inferior end plate, and the outline they were fitted to."""
    voxels = Voxels(shape, frame)
    outline = midsagittal_outline(bone, grid, body, surfaces)
    upper, lower = Steps.of(shape, frame, grid, body.mask)
    front = FrontWall.of(bone, grid, body, surfaces)
    superior = fit_endplate(surfaces.top, grid, surfaces, upper, voxels, front)
    inferior = fit_endplate(surfaces.bottom, grid, surfaces, lower, voxels, front)
    return superior, inferior, outline


def _tilt(normal: FloatArray) -> float:
    return float(np.arctan2(normal[1], normal[2]))


def _wall_tilt(body: Body, grid: LocalGrid) -> float:
    """Forward lean of the posterior wall in the midline, radians."""
    first, last = body.wall_levels
    if last - first < 4:
        return 0.0
    strip = np.abs(grid.axes[0]) < 5.0
    wall = body.wall[strip][:, first : last + 1].mean(axis=0)
    return float(np.arctan(np.polyfit(grid.axes[2][first : last + 1], wall, 1)[0]))


def _pitch(level: str, upper: float, lower: float, wall: float, notes: list[PlanWarning]) -> float:
    if abs(upper - lower) <= np.radians(WEDGE_LIMIT_DEG):
        return (upper + lower) / 2
    # One plate has tipped, or both have: what is more nearly square to the posterior wall is the sounder.
    (off, sound, name), (far, tipped, _) = sorted(
        (abs(tilt - wall), tilt, name) for tilt, name in ((upper, "superior"), (lower, "inferior"))
    )
    share = float(np.clip(off / far - CLEARLY_SOUNDER, 0.0, None)) / (1.0 - CLEARLY_SOUNDER) / 2.0
    stand = f"The end plates of {level} stand more than {WEDGE_LIMIT_DEG:.0f}° apart"
    if share > 0.0:
        text = f"{stand} and neither is square to the posterior wall ({np.degrees(off):.0f}° and {np.degrees(far):.0f}° off); their mean,"
        text += f" more of the {name} one, gives the vertebra’s direction."
    else:
        text = f"{stand}; the {name} one, more nearly square to the posterior wall, gives the vertebra’s direction."
    notes.append(PlanWarning("direction_from_one_end_plate", "info", text, "[D] a broken end plate is not a reference"))
    return sound + share * (tipped - sound)


def _interior(surfaces: BodySurfaces, grid: LocalGrid) -> NDArray[np.bool_]:
    return ndimage.distance_transform_edt(surfaces.footprint) * grid.spacing_mm > INTERIOR_MM
