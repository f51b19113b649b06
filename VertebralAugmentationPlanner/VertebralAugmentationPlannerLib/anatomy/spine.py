"""From labels to a spine: every whole vertebra with its frame, body, end plates, pedicles and canal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from ..model import (
    Case,
    EndPlate,
    Frame,
    Image,
    InputError,
    LocalGrid,
    Pedicle,
    PlanningCancelled,
    PlanWarning,
    Spine,
    Vertebra,
)
from ..model.geometry import FloatArray
from .body import Body, BodyNotFound, find_body
from .canal import Canal, CanalNotFound, find_canal, projected_hole
from .completeness import TOLERATED_CUT_MM2, border_contact
from .endplates import fit_endplate, fit_plane
from .orientation import curve_tangents, initial_frame, symmetry_frame, tilted
from .outline import BodySurfaces, MidsagittalOutline, body_surfaces, midsagittal_outline
from .pedicles import PedicleNotFound, find_pedicle
from .steps import Steps
from .surface import Shape, coarse_distance, exact_distance, grid_around, label_shape, resample, surface_points

COARSE_MM = 1.6
FINE_MM = 0.8
"""Grids for orientation and for measurement. Surfaces and distances are sub-voxel; 0.8 mm resolves what 1 mm voxels
hold, and halving it changes no measurement by more than 0.1 mm."""

GRID_LOW_MM = np.array([-48.0, -48.0, -60.0])
GRID_HIGH_MM = np.array([48.0, 60.0, 60.0])
"""Part of the vertebra kept around the canal: body, arch, roots of the processes; not the tips."""

EXACT_BAND_MM = (2.5, 5.0)
"""Outside and inside the bone's surface, where needles pass and walls are read, distances are exact."""

CANAL_BAND_MM = 7.0
"""So near to the canal its distance is exact; further away a few tenths of a millimetre do not matter."""

INTERIOR_MM = 2.5
"""Columns this far from the edge of the body carry an end plate; nearer ones carry the rounded rim."""

WEDGE_LIMIT_DEG = 14.0
"""Wedging above which the mean of both end plates no longer gives the direction: normal levels are wedged by up to
10° (Masharawi: T9–L5 −8…+5°); beyond 14° one plate has tipped and the other is used."""

Progress = Callable[[float, str], None]


class _Unusable(ValueError):
    """This label cannot be taken for a whole vertebra; the message is the reason shown to the user."""


def build_spine(
    case: Case,
    levels: tuple[str, ...] | None = None,
    progress: Progress | None = None,
    should_cancel: Callable[[], bool] | None = None,
) -> Spine:
    """Build the anatomy of a case.

    Args:
        case: labels (and CT) as read.
        levels: levels to build; None for all. The others still give the spine its curve.
        progress: called with a fraction 0–1 and what is being done.
        should_cancel: polled between vertebrae.

    Raises:
        InputError: the labels disagree with the image's orientation.
        PlanningCancelled: ``should_cancel`` answered true.
    """
    boxes = ndimage.find_objects(case.labels.voxels)
    shapes: dict[str, Shape] = {}
    for level, value in case.level_values.items():
        shapes[level] = label_shape(case.labels, value, boxes[value - 1])
    try:
        tangents = curve_tangents({level: shape.points_ras().mean(axis=0) for level, shape in shapes.items()})
    except ValueError as error:
        raise InputError(f"The labels do not form one spine: {error}; check the numbering and orientation.") from error
    wanted = [level for level in shapes if levels is None or level in levels]
    vertebrae = {}
    for n, level in enumerate(wanted):
        if should_cancel is not None and should_cancel():
            raise PlanningCancelled
        if progress is not None:
            progress(n / len(wanted), f"anatomy of {level}")
        box = boxes[case.level_values[level] - 1]
        vertebrae[level] = _whole_or_not(case, level, box, shapes, tangents[level])
    _check_orientation(vertebrae)
    return Spine(vertebrae, _canal_centreline(vertebrae))


def _whole_or_not(
    case: Case, level: str, box: tuple[slice, ...], shapes: dict[str, Shape], tangent: FloatArray
) -> Vertebra:
    contact, edges = border_contact(case.labels, case.level_values[level], box)
    if contact > TOLERATED_CUT_MM2:
        where = " and ".join(dict.fromkeys(edges))
        return Vertebra(level, False, f"cut by the {where} border of the image ({contact:.0f} mm² touch it)")
    try:
        vertebra = _build(case, level, shapes, tangent)
    except (_Unusable, CanalNotFound, BodyNotFound) as error:
        return Vertebra(level, False, f"the label cannot be read as a whole vertebra: {error}")
    if contact > 0:
        note = PlanWarning(
            "touches_border",
            "info",
            f"{level} touches the image border with a tip ({contact:.0f} mm²); nothing measured lies there.",
            "[D] contact tolerated up to 10 mm²",
        )
        vertebra = replace(vertebra, notes=(*vertebra.notes, note))
    return vertebra


def _build(case: Case, level: str, shapes: dict[str, Shape], tangent: FloatArray) -> Vertebra:
    shape = shapes[level]
    notes: list[PlanWarning] = []
    frame = _frame(level, shape, tangent, notes)
    points = frame.to_local(shape.points_ras())
    grid = grid_around(points, FINE_MM, GRID_LOW_MM, GRID_HIGH_MM, 6.0)
    smooth = resample(shape.distance, frame, grid, -8.0)
    bone = exact_distance(smooth, grid, EXACT_BAND_MM)
    canal = _with_label(find_canal(bone, grid, projected_hole(bone, grid)), case, frame, grid)
    body = find_body(bone, grid, canal)
    surfaces = body_surfaces(bone, grid, body)
    try:
        superior, inferior, outline = _endplates(shape, frame, grid, bone, body, surfaces)
    except ValueError as error:
        raise _Unusable(str(error)) from error
    pedicles: dict[str, Pedicle] = {}
    reasons: dict[str, str] = {}
    for side in ("left", "right"):
        try:
            pedicles[side] = find_pedicle(bone, grid, canal, body, side)
        except PedicleNotFound as error:
            reasons[side] = str(error)
    built = Vertebra(
        level=level,
        complete=True,
        frame=frame,
        grid=grid,
        bone_mm=bone,
        body=body.mask,
        canal_mm=_canal_distance(canal, bone, grid),
        neighbour_mm=_neighbour_distance(case, case.level_values[level], frame, grid),
        posterior_wall_mm=body.wall,
        superior=superior,
        inferior=inferior,
        depth_mm=outline.depth_mm,
        width_mm=_width(bone, grid, body),
        body_volume_ml=float(body.mask.sum()) * grid.spacing_mm**3 / 1000.0,
        pedicles=pedicles,
        pedicle_reasons=reasons,
        notes=tuple(notes),
    )
    return _recentred(built, outline)


def _endplates(
    shape: Shape, frame: Frame, grid: LocalGrid, bone: FloatArray, body: Body, surfaces: BodySurfaces
) -> tuple[EndPlate, EndPlate, MidsagittalOutline]:
    """Superior and inferior end plate, and the outline they were fitted to."""
    points = frame.to_local(shape.points_ras())
    outline = midsagittal_outline(bone, grid, body, surfaces)
    upper = Steps.of(shape, frame, grid, body.mask, +1)
    lower = Steps.of(shape, frame, grid, body.mask, -1)
    superior = fit_endplate(surfaces.top, grid, surfaces, outline, upper, points)
    inferior = fit_endplate(surfaces.bottom, grid, surfaces, outline, lower, points)
    return superior, inferior, outline


def _frame(level: str, shape: Shape, tangent: FloatArray, notes: list[PlanWarning]) -> Frame:
    """Symmetry gives the sagittal plane, the end plates the pitch within it."""
    frame = initial_frame(shape, tangent)
    grid = grid_around(frame.to_local(shape.points_ras()), COARSE_MM, -np.full(3, 80.0), np.full(3, 80.0), 6.0)
    hole = projected_hole(resample(shape.distance, frame, grid, -8.0), grid)
    frame = symmetry_frame(shape, frame, np.array([*hole, 0.0]))
    for turn in range(2):
        grid = grid_around(frame.to_local(shape.points_ras()), COARSE_MM, GRID_LOW_MM, GRID_HIGH_MM, 6.0)
        bone = resample(shape.distance, frame, grid, -8.0)
        body = find_body(bone, grid, find_canal(bone, grid, projected_hole(bone, grid)))
        surfaces = body_surfaces(bone, grid, body)
        inside = _interior(surfaces, grid)
        try:
            if turn == 0:
                step = shape.step_along(frame.superior)
                upper = fit_plane(surfaces.top, grid, inside, step)
                lower = fit_plane(surfaces.bottom, grid, inside, step)
            else:
                upper, lower = (plate.normal for plate in _endplates(shape, frame, grid, bone, body, surfaces)[:2])
        except ValueError as error:
            raise _Unusable(str(error)) from error
        pitch = _pitch(level, _tilt(upper), _tilt(lower), _wall_tilt(body, grid), notes if turn else [])
        frame = tilted(frame, pitch)
    return frame


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
    # One plate has tipped: the one more nearly square to the posterior wall is the sound one.
    sound, name = min(((upper, "superior"), (lower, "inferior")), key=lambda item: abs(item[0] - wall))
    notes.append(
        PlanWarning(
            "direction_from_one_end_plate",
            "info",
            f"{level} is wedged by {np.degrees(abs(upper - lower)):.0f}°; its {name} end plate, nearly square to the "
            "posterior wall, gives the vertebra’s direction.",
            "[D] a broken end plate is not a reference",
        )
    )
    return sound


def _interior(surfaces: BodySurfaces, grid: LocalGrid) -> FloatArray:
    return ndimage.distance_transform_edt(surfaces.footprint) * grid.spacing_mm > INTERIOR_MM


def _width(bone: FloatArray, grid: LocalGrid, body: Body) -> float:
    """Greatest width of the body at mid-height, mm, median over 4 mm of levels."""
    x, _, z = grid.axes
    levels = np.flatnonzero(np.abs(z - body.core_centre[2]) <= 2.0)
    widths = []
    for k in levels:
        plane = body.mask[:, :, k]
        rows = np.flatnonzero(plane.any(axis=0))
        if not rows.size:
            continue
        spans = []
        for j in rows:
            inside = np.flatnonzero(plane[:, j])
            left, right = inside[0], inside[-1]
            # The last voxel inside knows how far the surface still is.
            spans.append(x[right] - x[left] + max(bone[left, j, k], 0.0) + max(bone[right, j, k], 0.0))
        widths.append(max(spans))
    return float(np.median(widths))


def _with_label(canal: Canal, case: Case, frame: Frame, grid: LocalGrid) -> Canal:
    """A canal or cord label, where given, adds to the ring's canal: neither may be touched."""
    if case.canal is None:
        return canal
    mask = case.canal.voxels > 0
    box = ndimage.find_objects(mask.astype(np.uint8))[0]
    labelled = label_shape(Image(mask.astype(np.uint8), case.canal.ijk_to_ras), 1, box)
    return replace(canal, field=np.maximum(canal.field, resample(labelled.distance, frame, grid, -8.0)))


def _coarser(grid: LocalGrid) -> LocalGrid:
    shape = tuple(int(np.ceil(n / 2)) + 1 for n in grid.shape)
    return LocalGrid(grid.first_mm, 2 * grid.spacing_mm, (shape[0], shape[1], shape[2]))


def _canal_distance(canal: Canal, bone: FloatArray, grid: LocalGrid) -> FloatArray:
    """Distance to the canal's wall, positive outside; exact in the bone next to it."""
    coarse = _coarser(grid)
    distance = coarse_distance(grid.sample(canal.field, coarse.points()), grid, coarse)
    near = (np.abs(distance) < CANAL_BAND_MM) & (bone > -EXACT_BAND_MM[0] + 0.1)
    exact, _ = cKDTree(surface_points(canal.field, grid)).query(grid.to_local(np.argwhere(near)), workers=1)
    distance[near] = np.where(canal.field[near] > 0, -exact, exact)
    return distance


def _neighbour_distance(case: Case, value: int, frame: Frame, grid: LocalGrid) -> FloatArray:
    """Distance to the other labelled vertebrae, positive outside them."""
    coarse = _coarser(grid)
    corners = np.array(list(np.ndindex(2, 2, 2))) * (np.array(coarse.shape) - 1)
    ijk = case.labels.to_ijk(frame.to_ras(coarse.to_local(corners)))
    low = np.maximum(np.floor(ijk.min(axis=0)).astype(int) - 1, 0)
    high = np.minimum(np.ceil(ijk.max(axis=0)).astype(int) + 2, case.labels.voxels.shape)
    crop = case.labels.voxels[low[0] : high[0], low[1] : high[1], low[2] : high[2]]
    others = np.isin(crop, [v for v in case.level_values.values() if v != value]).astype(np.float32)
    matrix = case.labels.ijk_to_ras.copy()
    matrix[:3, 3] = case.labels.to_ras(low)
    share = resample(Image(others, matrix), frame, coarse, 0.0)
    return coarse_distance((share - 0.5) * coarse.spacing_mm, grid, coarse)


def _recentred(vertebra: Vertebra, outline: MidsagittalOutline) -> Vertebra:
    """Move the frame's origin to the middle of the body: between the plates' centres, in the mid-sagittal plane."""
    superior, inferior = vertebra.superior, vertebra.inferior
    assert superior is not None and inferior is not None and vertebra.frame is not None and vertebra.grid is not None
    shift = (superior.centre + inferior.centre) / 2
    frame, grid = vertebra.frame, vertebra.grid

    def moved(plate):  # type: ignore[no-untyped-def]
        return replace(
            plate,
            anterior_rim=plate.anterior_rim - shift,
            centre=plate.centre - shift,
            posterior_rim=plate.posterior_rim - shift,
            height_mm=plate.height_mm - shift[2],
            x_mm=plate.x_mm - shift[0],
            y_mm=plate.y_mm - shift[1],
        )

    assert vertebra.posterior_wall_mm is not None
    return replace(
        vertebra,
        frame=Frame(frame.to_ras(shift), frame.right, frame.anterior, frame.superior),
        grid=LocalGrid(grid.first_mm - shift, grid.spacing_mm, grid.shape),
        posterior_wall_mm=vertebra.posterior_wall_mm - shift[1],
        superior=moved(superior),
        inferior=moved(inferior),
        pedicles={
            side: replace(pedicle, centre=pedicle.centre - shift, outline=pedicle.outline - shift)
            for side, pedicle in vertebra.pedicles.items()
        },
    )


def _check_orientation(vertebrae: dict[str, Vertebra]) -> None:
    """The body lies in front of the arch and the pedicles on its upper half; a file that says otherwise is flipped."""
    whole = [vertebra for vertebra in vertebrae.values() if vertebra.complete and vertebra.pedicles]
    if not whole:
        return
    low = [np.mean([pedicle.centre[2] for pedicle in vertebra.pedicles.values()]) < 0 for vertebra in whole]
    thin = [(vertebra.depth_mm or 0.0) < 14.0 for vertebra in whole]
    if np.mean(thin) > 0.5:
        raise InputError(
            "The bodies do not lie in front of the arches: front and back of the label map disagree with its "
            "orientation; check the file’s direction."
        )
    if np.mean(low) > 0.5:
        raise InputError(
            "The pedicles lie on the lower half of the bodies: head and foot of the label map disagree with its "
            "orientation; check the file’s direction."
        )


def _canal_centreline(vertebrae: dict[str, Vertebra]) -> FloatArray:
    """(N, 3) RAS: one point per whole vertebra at mid-body height, head to foot."""
    points = []
    for vertebra in vertebrae.values():
        if not vertebra.complete or vertebra.canal_mm is None or vertebra.grid is None or vertebra.frame is None:
            continue
        level = int(np.argmin(np.abs(vertebra.grid.axes[2])))
        inside = vertebra.canal_mm[:, :, level] < 0
        if inside.any():
            index = np.append(np.argwhere(inside).mean(axis=0), level)
            points.append(vertebra.frame.to_ras(vertebra.grid.to_local(index)))
    return np.array(points).reshape(-1, 3)
