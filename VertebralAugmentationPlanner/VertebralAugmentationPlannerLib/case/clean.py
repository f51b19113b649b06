"""Cleaning of a label map: one bone a level, without islands, neighbours' crumbs or holes. Input is never changed.

Works on the memory order of the array and inside the labels' bounding boxes, so that a whole-body map costs
little more than reading it once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from ..model import Image, InputError, PlanWarning
from .names import SPINE_ORDER

PIECE_MIN_ML = 0.2
"""A separate piece smaller than this is a crumb. A spinous process' tip has about 0.5 ml. [D]"""

PIECE_MAX_GAP_MM = 6.0
"""A piece within this distance of its bone belongs to it: at 3–5 mm slices the laminae are lost between two slices
and the arch is a piece of its own. One slice of 5 mm plus a voxel. [D]"""

SECOND_BONE_SHARE = 0.25
"""A piece farther off than the gap, with at least this share of the largest's volume, is no crumb but a second bone
under the same number. [D]"""

EQUAL_BONES_SHARE = 0.6
"""From this share on neither of two bones under one number is plainly the right one. [D]"""

EMBEDDED_SHARE = 0.5
"""A piece whose surroundings are to this share another vertebra is that vertebra's bone under a wrong number. [D]"""

HOLE_MAX_ML = 3.0
"""Enclosed gaps up to this volume are filled (basivertebral vein, cleft, cement left out of the label); a larger one
could be a canal closed off by thick slices, which must stay open. [D]"""

MIN_LEVEL_ML = 0.5
"""What is left of a level below this is a crumb of the field of view's edge, not a vertebra cut by it. [D]"""

_TOUCHING = np.ones((3, 3, 3), bool)
SOURCE = "label cleaning [D]"


@dataclass(frozen=True, eq=False)
class CleanLabels:
    """The cleaned map (vertebrae, neck and sacrum under their values, everything else 0), what is left, and notes."""

    image: Image
    present: dict[str, int]
    warnings: tuple[PlanWarning, ...]


@dataclass
class _Bone:
    """One label during cleaning. Coordinates are indices of the work array."""

    name: str
    value: int
    box: tuple[slice, ...]
    kept: NDArray  # mask in the box
    loose: NDArray  # (N, 3) voxels of pieces that are not kept
    loose_piece: NDArray  # (N,) number of the piece of each
    second: NDArray | None = None  # centre of a second bone under the same number
    second_share: float = 0.0
    filled: int = 0
    moved: dict[str, int] = field(default_factory=dict)


def clean_labels(labels: Image, names: Mapping[int, str], keep_open: NDArray | None = None) -> CleanLabels:
    """Keep of each label its bone: the largest piece and sizeable pieces close to it.

    Args:
        labels: label map of an unsigned type, any voxel order.
        names: name ("L1", "C7", "sacrum") of each value to keep; other values become 0.
        keep_open: mask (I, J, K) that is never filled (the canal), or None.

    Raises:
        InputError: one value marks two bones of like size.
    """
    order = tuple(int(a) for a in np.argsort([-abs(s) for s in labels.voxels.strides], kind="stable"))
    work = np.ascontiguousarray(labels.voxels.transpose(order))
    spacing = labels.spacing_mm[list(order)]
    voxel_ml = float(abs(np.linalg.det(labels.ijk_to_ras[:3, :3]))) / 1000
    boxes = ndimage.find_objects(work)
    bones = [
        _bone(work, names[value], value, boxes[value - 1], spacing, voxel_ml)
        for value in sorted(names, key=lambda v: SPINE_ORDER.index(names[v]))
        if value <= len(boxes) and boxes[value - 1] is not None
    ]
    clean = np.zeros_like(work)
    for bone in bones:
        clean[bone.box][bone.kept] = bone.value
    for bone in bones:
        _return_crumbs(clean, bone, names)
    for bone in bones:
        bone.filled = _fill_holes(clean, bone, None if keep_open is None else keep_open.transpose(order), voxel_ml)
    _refuse_two_spines(bones)
    warnings: list[PlanWarning] = []
    present: dict[str, int] = {}
    for bone in bones:
        inside = clean[bone.box] == bone.value
        volume = np.count_nonzero(inside) * voxel_ml
        if volume < MIN_LEVEL_ML:
            clean[bone.box][inside] = 0
            warnings.append(_note("level-crumb", f"{bone.name}: its label is only {volume:.2f} ml and is left out."))
            continue
        present[bone.name] = bone.value
        warnings += _second_bone(bone, inside, spacing)
        warnings += _notes(bone)
    return CleanLabels(Image(clean.transpose(np.argsort(order)), labels.ijk_to_ras), present, tuple(warnings))


def _bone(work: NDArray, name: str, value: int, box: tuple[slice, ...], spacing: NDArray, voxel_ml: float) -> _Bone:
    mask = work[box] == value
    pieces, count = ndimage.label(mask, _TOUCHING)
    nothing = np.empty((0, 3), np.int64)
    if count == 1:
        return _Bone(name, value, box, mask, nothing, nothing[:, 0])
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    main = int(sizes.argmax())
    corner = np.array([s.start for s in box])
    keep = np.zeros(count + 1, bool)
    keep[main] = True
    second, share = None, 0.0
    sizeable = [int(p) for p in np.flatnonzero(sizes * voxel_ml >= PIECE_MIN_ML) if p != main]
    if sizeable:
        where = ndimage.find_objects(pieces)
        tree = cKDTree(_points(pieces, main, where[main - 1]) * spacing)
        for piece in sorted(sizeable, key=lambda p: -sizes[p]):
            points = _points(pieces, piece, where[piece - 1])
            near = np.isfinite(tree.query(points * spacing, distance_upper_bound=PIECE_MAX_GAP_MM)[0]).any()
            owner, _ = _surroundings(work, points + corner, np.zeros(len(points), int), value)
            keep[piece] = near and owner[0] == 0
            if not near and second is None and sizes[piece] >= SECOND_BONE_SHARE * sizes[main]:
                second, share = (points + corner).mean(axis=0), float(sizes[piece] / sizes[main])
    kept = keep[pieces]
    loose = np.argwhere(mask & ~kept)
    numbers = pieces[tuple(loose.T)]
    return _Bone(name, value, box, kept, loose + corner, numbers, second, share)


def _points(pieces: NDArray, piece: int, box: tuple[slice, ...]) -> NDArray:
    """Indices (N, 3) in the bone's box of one piece."""
    return np.argwhere(pieces[box] == piece) + [s.start for s in box]


def _surroundings(labels: NDArray, points: NDArray, piece: NDArray, own: int) -> tuple[NDArray, NDArray]:
    """For each piece the label that makes up most of what it touches, and which share; 0 below EMBEDDED_SHARE.

    Args:
        labels: label map; voxels of ``own`` count as the piece itself.
        points: (N, 3) voxels; ``piece``: (N,) number of the piece of each.
    """
    keys, numbers = np.unique(piece, return_inverse=True)
    top = int(labels.max(initial=0)) + 1
    counts = np.zeros(len(keys) * top, np.int64)
    shape = np.array(labels.shape)
    for axis in range(3):
        for step in (-1, 1):
            near = points.copy()
            near[:, axis] += step
            valid = (near[:, axis] >= 0) & (near[:, axis] < shape[axis])
            seen = labels[tuple(near[valid].T)].astype(np.int64)
            counts += np.bincount(numbers[valid] * top + seen, minlength=len(counts))
    table = counts.reshape(len(keys), top)
    table[:, own] = 0
    total = table.sum(axis=1)
    table[:, 0] = 0
    owner = table.argmax(axis=1)
    share = table.max(axis=1) / np.maximum(total, 1)
    return np.where(share >= EMBEDDED_SHARE, owner, 0), share


def _return_crumbs(clean: NDArray, bone: _Bone, names: Mapping[int, str]) -> None:
    """Give a neighbour's bone back to it: loose pieces that lie in another vertebra get that vertebra's number."""
    if not len(bone.loose):
        return
    # Loose voxels are 0 in the clean map; mark them so that a piece does not count its own inside as background.
    at = tuple(bone.loose.T)
    clean[at] = bone.value
    owner, _ = _surroundings(clean, bone.loose, bone.loose_piece, bone.value)
    _, numbers = np.unique(bone.loose_piece, return_inverse=True)
    new = owner[numbers]
    clean[at] = new
    for value in np.unique(new[new > 0]):
        bone.moved[names[int(value)]] = int(np.count_nonzero(new == value))


def _fill_holes(clean: NDArray, bone: _Bone, keep_open: NDArray | None, voxel_ml: float) -> int:
    """Fill gaps that a bone encloses on all sides; returns the number of voxels filled."""
    inside = clean[bone.box] == bone.value
    # A rim of background around the box makes everything outside the bone one region: number 1.
    regions, count = ndimage.label(np.pad(~inside, 1, constant_values=True))
    if count <= 1:
        return 0
    regions = regions[1:-1, 1:-1, 1:-1]
    sizes = np.bincount(regions.ravel(), minlength=count + 1)
    hole = sizes * voxel_ml <= HOLE_MAX_ML
    hole[:2] = False
    fill = hole[regions] & (clean[bone.box] == 0)
    if keep_open is not None:
        fill &= ~keep_open[bone.box].astype(bool)
    clean[bone.box][fill] = bone.value
    return int(np.count_nonzero(fill))


def _refuse_two_spines(bones: list[_Bone]) -> None:
    twice = [bone.name for bone in bones if bone.second_share >= EQUAL_BONES_SHARE]
    if len(twice) > 1:
        raise InputError(
            f"The labels hold two spines ({', '.join(twice)} each mark two bones of like size); give the labels of one "
            "patient with one spine."
        )


def _second_bone(bone: _Bone, inside: NDArray, spacing: NDArray) -> list[PlanWarning]:
    if bone.second is None:
        return []
    corner = np.array([s.start for s in bone.box])
    centre = np.argwhere(inside).mean(axis=0) + corner
    apart = float(np.linalg.norm((bone.second - centre) * spacing))
    if bone.second_share >= EQUAL_BONES_SHARE:
        raise InputError(
            f"The label of {bone.name} (value {bone.value}) marks two bones of like size {apart:.0f} mm apart; "
            "correct the labels so that each number is one vertebra."
        )
    message = (
        f"{bone.name}: its label also marks a second bone {apart:.0f} mm away with {100 * bone.second_share:.0f} % of "
        "its volume; the larger one is planned."
    )
    return [PlanWarning("label-two-bones", "caution", message, SOURCE)]


def _notes(bone: _Bone) -> list[PlanWarning]:
    moved = sum(bone.moved.values())
    parts = []
    if len(bone.loose) > moved:
        parts.append(f"{len(bone.loose) - moved} voxels apart from the bone removed")
    parts += [f"{count} voxels inside {name} given to it" for name, count in bone.moved.items()]
    if bone.filled:
        parts.append(f"{bone.filled} voxels of enclosed gaps filled")
    return [_note("labels-cleaned", f"{bone.name}: {', '.join(parts)}.")] if parts else []


def _note(code: str, message: str) -> PlanWarning:
    return PlanWarning(code, "info", message, SOURCE)
