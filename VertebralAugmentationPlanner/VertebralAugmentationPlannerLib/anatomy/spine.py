"""From labels to a spine: every whole vertebra with its frame, body, end plates, pedicles and canal."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..case.parts import at_border, parts_of_vertebrae
from ..model import (
    Case,
    EndPlate,
    Frame,
    Image,
    InputError,
    LocalGrid,
    Pedicle,
    PlanWarning,
    Spine,
    Vertebra,
)
from ..model.geometry import FloatArray, label_boxes
from .body import find_body
from .canal import find_canal, projected_hole
from .completeness import (
    BESIDE,
    BESIDE_MM2,
    TOLERATED_CUT_MM2,
    BorderContact,
    FlatEnd,
    border_contact,
    ends_at_border,
    flat_end,
    goes_on_beyond,
    too_small,
)
from .distances import canal_distance, neighbour_distance, with_label
from .extent import mid_walls, sides, volume_ml, width_mm, with_midline_wall
from .framing import FINE_MM, GRID_HIGH_MM, GRID_LOW_MM, find_frame, fit_endplates
from .lost_layers import lost_layers
from .orientation import curve_tangents
from .outline import body_surfaces
from .pedicle_start import PedicleNotFound
from .pedicles import find_pedicle
from .reasons import NotReadable
from .rims import Voxels
from .side_by_side import Progress, ShouldCancel, side_by_side
from .surface import Shape, exact_distance, grid_around, label_shape, resample

EXACT_BAND_MM = (2.5, 5.0)
"""Outside and inside the bone's surface, where needles pass and walls are read, distances are exact."""

MIN_WIDTH_TO_DEPTH = 0.75
"""Bodies are at least about as wide as deep (T5–T8 are the slimmest); a spinous process taken for a body is not."""


def build_spine(
    case: Case,
    levels: tuple[str, ...] | None = None,
    progress: Progress | None = None,
    should_cancel: ShouldCancel | None = None,
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
    boxes = label_boxes(case.labels.voxels)
    values = case.level_values
    # Labels of networks touch the neck and the sacrum as they touch their neighbours.
    bones = (*values.values(), *case.other_values.values())

    def shape_of(level: str) -> Shape:
        return label_shape(case.labels, values[level], boxes[values[level]], bones)

    shapes = side_by_side(values, shape_of, None, should_cancel)
    try:
        tangents = curve_tangents(_centres(case, shapes, boxes))
    except ValueError as error:
        raise InputError(f"The labels do not form one spine: {error}; check the numbering and orientation.") from error
    wanted = [level for level in shapes if levels is None or level in levels]

    def vertebra_of(level: str) -> Vertebra:
        return _whole_or_not(case, level, shapes, tangents.get(level))

    def announce(share: float, level: str) -> None:
        if progress is not None:
            progress(share, f"anatomy of {level}")

    vertebrae = side_by_side(wanted, vertebra_of, announce, should_cancel)
    _check_orientation(vertebrae)
    for level, reason in too_small(vertebrae).items():
        vertebrae[level] = Vertebra(level, False, reason)
    return Spine(vertebrae)


def _centres(case: Case, shapes: dict[str, Shape], boxes: dict[int, tuple[slice, ...]]) -> dict[str, FloatArray]:
    """RAS centre of each label that holds most of a vertebra; the tip of a cut process says nothing of the curve."""
    size = case.labels.voxels.shape
    cut = [level for level in shapes if at_border(boxes[case.level_values[level]], size)]
    parts = parts_of_vertebrae({level: float(shape.mask.sum()) for level, shape in shapes.items()}, cut)
    return {level: shape.points_ras().mean(axis=0) for level, shape in shapes.items() if level not in parts}


def _whole_or_not(case: Case, level: str, shapes: dict[str, Shape], tangent: FloatArray | None) -> Vertebra:
    images = {"image": case.labels} | ({} if case.ct is None else {"CT": case.ct})
    shape = shapes[level]
    contacts = {name: border_contact(shape, image) for name, image in images.items()}
    name, contact = max(contacts.items(), key=lambda found: found[1].area_mm2)
    touching = contact.area_mm2 > TOLERATED_CUT_MM2
    cut = f"cut by the {contact.where} border of the {name} ({contact.area_mm2:.0f} mm² touch it)"
    if tangent is None or (touching and not contact.may_be_of_a_process):
        return Vertebra(level, False, cut)
    lost = lost_layers(shape)
    if lost is not None:
        return Vertebra(level, False, lost)
    face = flat_end(shape)
    goes_on = None if face is None or case.ct is None else goes_on_beyond(face, case.ct)
    if face is not None:
        flat = f"its label is cut off flat on the {face.side} side ({face.area_mm2:.0f} mm²)"
        if goes_on:
            return Vertebra(level, False, f"{flat}, although the bone goes on in the CT")
        ending = next((name for name, image in images.items() if ends_at_border(shape, face, image)), None)
        if ending is not None and face.through_the_arch:
            return Vertebra(level, False, f"{flat}, through body and arch, where the {ending} ends")
    try:
        vertebra = _build(case, level, shapes, tangent)
    except NotReadable as error:
        return Vertebra(level, False, cut if touching else f"the label cannot be read as a whole vertebra: {error}")
    if touching and not contact.is_of_a_process(vertebra):
        return Vertebra(level, False, cut)
    notes = list(vertebra.notes)
    if face is not None and (goes_on is None or face.through_the_arch):
        notes.append(_flat_face(level, face, case.ct is not None, goes_on))
    elif not touching:
        notes += [note for name, image in images.items() for note in _beside_border(level, shape, image, name)][:1]
    if contact.area_mm2 > 0:
        notes.append(_cut_tip(level, contact))
    return replace(vertebra, notes=tuple(notes))


def _flat_face(level: str, face: FlatEnd, with_ct: bool, goes_on: bool | None) -> PlanWarning:
    """What is said of a label that ends flat, where the CT does not show that the bone goes on."""
    found = f"The label of {level} ends in a flat face on the {face.side} side ({face.area_mm2:.0f} mm²)"
    at_once = f"{found} that ends body and arch at once, as a cut does and whole vertebrae hardly do"
    severity = "caution"
    if face.through_the_arch and goes_on is not None:
        text = f"{at_once}; the CT shows bone ending there, so it is probably whole. Look at the label."
    elif face.through_the_arch:
        severity = "stop"
        text = f"{at_once}: nothing measured or planned on a cut one holds. Look at the label{'' if with_ct else ', or give the CT'}."
    else:
        tell = "the CT does not tell" if with_ct else "a CT would tell"
        text = f"{found}, as whole vertebrae hardly do: if it was cut off there, nothing measured on it holds; {tell}."
    return PlanWarning("label_ends_flat", severity, text, "real labels ended in smaller faces [C]")


def _beside_border(level: str, shape: Shape, image: Image, name: str) -> list[PlanWarning]:
    """What is said of a label that ends one voxel before the border of an image, broader than most whole ones do."""
    contact = border_contact(shape, image, BESIDE)
    if contact.area_mm2 <= BESIDE_MM2:
        return []
    text = (
        f"The label of {level} ends one voxel before the {contact.where} border of the {name}, over {contact.area_mm2:.0f} mm². If it "
        "was cut off there, nothing measured or planned on it holds: look at the label."
    )
    return [
        PlanWarning("ends_beside_border", "caution", text, "whole real labels end in smaller layers but for a few [C]")
    ]


def _cut_tip(level: str, contact: BorderContact) -> PlanWarning:
    """What is said of a vertebra that touches the border of its image with nothing that is measured."""
    if contact.area_mm2 <= TOLERATED_CUT_MM2:
        text = f"{level} touches the image border with a tip ({contact.area_mm2:.0f} mm²); nothing measured lies there."
        return PlanWarning("touches_border", "info", text, "[D] contact tolerated up to 10 mm²")
    text = (
        f"A process of {level} is cut by the {contact.where} border of the image ({contact.area_mm2:.0f} mm² touch it). Its body, "
        "pedicles and canal are whole and are measured and planned; what lies beyond the border is not known."
    )
    return PlanWarning("process_cut", "caution", text, "[D] up to 60 mm², 12 mm and more off the pedicles’ axes")


def _build(case: Case, level: str, shapes: dict[str, Shape], tangent: FloatArray) -> Vertebra:
    shape = shapes[level]
    notes: list[PlanWarning] = []
    frame = find_frame(level, shape, tangent, notes)
    points = frame.to_local(shape.points_ras())
    grid = grid_around(points, FINE_MM, GRID_LOW_MM, GRID_HIGH_MM, 6.0)
    smooth = resample(shape.distance, frame, grid, -8.0)
    bone = exact_distance(smooth, grid, EXACT_BAND_MM)
    ring = find_canal(bone, grid, projected_hole(bone, grid))
    canal = with_label(ring, case, level, frame, grid, bone, notes)
    body = find_body(bone, grid, canal)
    surfaces = body_surfaces(bone, grid, body)
    superior, inferior, outline = fit_endplates(shape, frame, grid, bone, body, surfaces)
    voxels = Voxels(shape, frame)
    width = width_mm(voxels, superior, inferior, sides(grid, body))
    walls = mid_walls(voxels, superior, inferior, width)
    pedicles: dict[str, Pedicle] = {}
    reasons: dict[str, str] = {}
    for side in ("left", "right"):
        try:
            pedicles[side] = find_pedicle(bone, grid, canal, body, side, shape, frame)
        except PedicleNotFound as error:
            reasons[side] = str(error)
    built = Vertebra(
        level=level,
        complete=True,
        frame=frame,
        grid=grid,
        bone_mm=bone,
        body=body.mask,
        canal_mm=canal_distance(canal, bone, grid, EXACT_BAND_MM[0]),
        neighbour_mm=neighbour_distance(case, level, frame, grid),
        posterior_wall_mm=with_midline_wall(body.wall, voxels, grid, superior, inferior),
        superior=superior,
        inferior=inferior,
        # A lip hides most of the front from the outline; it stands in where the walls are not met at mid-height.
        depth_mm=outline.depth_mm if walls is None else walls[1] - walls[0],
        width_mm=width,
        mid_walls_mm=walls,
        body_volume_ml=volume_ml(shape, points, body, grid),
        pedicles=pedicles,
        pedicle_reasons=reasons,
        notes=tuple(notes),
    )
    return _recentred(built)


def _recentred(vertebra: Vertebra) -> Vertebra:
    """Move the frame's origin to the middle of the body: between the plates' centres, in the mid-sagittal plane."""
    superior, inferior = vertebra.superior, vertebra.inferior
    assert superior is not None and inferior is not None and vertebra.frame is not None and vertebra.grid is not None
    shift = (superior.centre + inferior.centre) / 2
    frame, grid = vertebra.frame, vertebra.grid

    def moved(plate: EndPlate) -> EndPlate:
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
    walls = vertebra.mid_walls_mm
    return replace(
        vertebra,
        frame=Frame(frame.to_ras(shift), frame.right, frame.anterior, frame.superior),
        grid=LocalGrid(grid.first_mm - shift, grid.spacing_mm, grid.shape),
        posterior_wall_mm=vertebra.posterior_wall_mm - shift[1],
        mid_walls_mm=None if walls is None else (walls[0] - float(shift[1]), walls[1] - float(shift[1])),
        superior=moved(superior),
        inferior=moved(inferior),
        pedicles={
            side: replace(pedicle, centre=pedicle.centre - shift, outline=pedicle.outline - shift)
            for side, pedicle in vertebra.pedicles.items()
        },
    )


def _check_orientation(vertebrae: dict[str, Vertebra]) -> None:
    """The body lies in front of the arch and the pedicles on its upper half; a file that says otherwise is flipped."""
    whole = [vertebra for vertebra in vertebrae.values() if vertebra.complete]
    if not whole:
        return
    narrow = [(vertebra.width_mm or 0.0) < MIN_WIDTH_TO_DEPTH * (vertebra.depth_mm or 0.0) for vertebra in whole]
    joined = [vertebra for vertebra in whole if vertebra.pedicles]
    low = [np.mean([pedicle.centre[2] for pedicle in vertebra.pedicles.values()]) < 0 for vertebra in joined]
    thin = [(vertebra.depth_mm or 0.0) < 14.0 for vertebra in whole]
    if np.mean(np.logical_or(thin, narrow)) > 0.5:
        raise InputError(
            "The bodies do not lie in front of the arches: front and back of the label map disagree with its "
            "orientation; check the file’s direction."
        )
    if low and np.mean(low) > 0.5:
        raise InputError(
            "The pedicles lie on the lower half of the bodies: head and foot of the label map disagree with its "
            "orientation; check the file’s direction."
        )
