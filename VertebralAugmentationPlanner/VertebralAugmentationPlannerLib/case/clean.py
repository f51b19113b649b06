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

from ..model import LEVELS, Image, InputError, PlanWarning
from ..model.geometry import label_boxes
from .names import SPINE_ORDER

PIECE_MIN_ML = 0.2
"""A separate piece smaller than this is a crumb. A spinous process' tip has about 0.5 ml. [D]"""

PIECE_MAX_GAP_MM = 6.0
"""A piece within this distance of its bone belongs to it: thin laminae are lost at low resolution, and the arch is then
a piece of its own. [D]"""

PIECE_MAX_GAP_VOXELS = 2.1
"""… or within this many of the coarsest voxels: one slice in which the bone was lost. [D]"""

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


BLOCK = 16
"""Edge, in voxels, of the coarse blocks in which scattered islands are told apart before looking voxel by voxel."""


@dataclass(frozen=True, eq=False)
class CleanLabels:
    """The cleaned map and what is in it.

    Args:
        image: vertebrae, neck and sacrum under their values, everything else 0.
        present: value of each name left.
        boxes: index box (i, j, k) of each name.
    """

    image: Image
    present: dict[str, int]
    boxes: dict[str, tuple[slice, ...]]
    warnings: tuple[PlanWarning, ...]


@dataclass
class _Bone:
    """One label during cleaning. Coordinates are voxel indices (i, j, k)."""

    name: str
    value: int
    kept: NDArray  # (M, 3) voxels of the bone
    loose: NDArray  # (N, 3) voxels of pieces that are not kept
    loose_piece: NDArray  # (N,) number of the piece of each
    second_mm: float = 0.0  # distance of a second bone under the same number
    second_share: float = 0.0  # its volume, relative to the one kept
    filled: int = 0
    hollow_ml: float = 0.0  # largest enclosed gap that was left open
    moved: dict[str, int] = field(default_factory=dict)
    low: NDArray = field(init=False)
    high: NDArray = field(init=False)

    def __post_init__(self) -> None:
        self.low, self.high = self.kept.min(axis=0), self.kept.max(axis=0) + 1

    @property
    def box(self) -> tuple[slice, ...]:
        """Index box of the bone."""
        return tuple(slice(int(a), int(b)) for a, b in zip(self.low, self.high, strict=True))


def clean_labels(labels: Image, names: Mapping[int, str], keep_open: NDArray | None = None) -> CleanLabels:
    """Keep of each label its bone: the largest piece and sizeable pieces close to it.

    Args:
        labels: label map of an unsigned type, any voxel order.
        names: name ("L1", "C7", "sacrum") of each value to keep; other values become 0.
        keep_open: mask (I, J, K) that is never filled (the canal), or None.

    Raises:
        InputError: one value marks two bones of like size.
    """
    # Searching runs along memory (ITK's arrays are stored k, j, i); only voxels of vertebrae are touched after that.
    order = np.argsort([-abs(s) for s in labels.voxels.strides], kind="stable")
    stored = np.ascontiguousarray(labels.voxels.transpose(order))
    boxes = label_boxes(stored)
    voxel_ml = float(abs(np.linalg.det(labels.ijk_to_ras[:3, :3]))) / 1000
    bones = []
    for value in sorted(names, key=lambda v: SPINE_ORDER.index(names[v])):
        box = boxes.get(value)
        if box is not None:
            points = np.argwhere(stored[box] == value) + [s.start for s in box]
            points = np.ascontiguousarray(points[:, np.argsort(order)])
            bones.append(_bone(labels, names[value], value, points, voxel_ml))
    _refuse_two_spines(bones)
    clean = np.zeros(labels.voxels.shape, labels.voxels.dtype)
    for bone in bones:
        clean[tuple(bone.kept.T)] = bone.value
    by_value = {bone.value: bone for bone in bones}
    for bone in bones:
        _return_crumbs(clean, bone, by_value)
    for bone in bones:
        bone.filled, bone.hollow_ml = _fill_holes(clean, bone, keep_open, voxel_ml)
    warnings: list[PlanWarning] = []
    left: list[_Bone] = []
    for bone in bones:
        inside = clean[bone.box] == bone.value
        volume = np.count_nonzero(inside) * voxel_ml
        if volume < MIN_LEVEL_ML:
            clean[bone.box][inside] = 0
            text = f"its label is only {volume:.2f} ml and is left out."
            warnings.append(_note(bone, "level_crumb", "info", text))
            continue
        left.append(bone)
        warnings += _notes(bone)
    return CleanLabels(
        Image(clean, labels.ijk_to_ras),
        {bone.name: bone.value for bone in left},
        {bone.name: bone.box for bone in left},
        tuple(warnings),
    )


def _bone(labels: Image, name: str, value: int, points: NDArray, voxel_ml: float) -> _Bone:
    spacing = labels.spacing_mm
    piece = _pieces(points)
    sizes = np.bincount(piece)
    if len(sizes) == 1:
        return _Bone(name, value, points, points[:0], piece[:0])
    main = int(sizes.argmax())
    keep = np.zeros(len(sizes), bool)
    keep[main] = True
    second_mm = share = 0.0
    tree, reach = None, max(PIECE_MAX_GAP_MM, PIECE_MAX_GAP_VOXELS * float(spacing.max()))
    for number in np.argsort(-sizes, kind="stable")[1:]:
        if sizes[number] * voxel_ml < PIECE_MIN_ML:
            break
        tree = tree or cKDTree(points[piece == main] * spacing)
        own = points[piece == number]
        near = np.isfinite(tree.query(own * spacing, distance_upper_bound=reach)[0]).any()
        owner = _owners(labels.voxels, own, np.zeros(len(own), int), value)[0]
        # Of a vertebra cut by the border two processes may be left, far apart: both end at the same face of the image.
        near = near or _end_together(own, points[piece == main], labels.voxels.shape)
        keep[number] = near and owner == 0
        if not near and not share and sizes[number] >= SECOND_BONE_SHARE * sizes[main]:
            share = float(sizes[number] / sizes[main])
            second_mm = float(np.linalg.norm((own.mean(axis=0) - points[piece == main].mean(axis=0)) * spacing))
    kept = keep[piece]
    return _Bone(name, value, points[kept], points[~kept], piece[~kept], second_mm, share)


def _end_together(one: NDArray, other: NDArray, shape: tuple[int, ...]) -> bool:
    """Whether two pieces, (N, 3) indices, reach the same face of the image."""
    last = np.array(shape) - 1
    low = (one.min(axis=0) == 0) & (other.min(axis=0) == 0)
    high = (one.max(axis=0) == last) & (other.max(axis=0) == last)
    return bool(np.any(low | high))


def _pieces(points: NDArray) -> NDArray:
    """Number (N,) of the connected piece (faces, edges, corners) of each voxel (N, 3).

    Islands in far corners make the box of a label as large as the volume: groups of coarse blocks are told apart
    first, and only within each group are voxels looked at, in that group's own box.
    """
    blocks = (points - points.min(axis=0)) // BLOCK
    occupied = np.zeros(blocks.max(axis=0) + 1, bool)
    occupied[tuple(blocks.T)] = True
    group = ndimage.label(occupied, _TOUCHING)[0][tuple(blocks.T)]
    piece = np.empty(len(points), np.int64)
    order = np.argsort(group, kind="stable")
    first = 0
    for members in np.split(order, np.flatnonzero(np.diff(group[order])) + 1):
        own = points[members]
        low = own.min(axis=0)
        mask = np.zeros(own.max(axis=0) - low + 1, bool)
        mask[tuple((own - low).T)] = True
        numbers, count = ndimage.label(mask, _TOUCHING)
        piece[members] = first + numbers[tuple((own - low).T)] - 1
        first += count
    return piece


def _owners(labels: NDArray, points: NDArray, piece: NDArray, own: int) -> NDArray:
    """For each piece the other label that makes up most of what it touches; 0 below :data:`EMBEDDED_SHARE`.

    Args:
        labels: label map; voxels of ``own`` count as the piece itself.
        points: (N, 3) voxels; ``piece``: (N,) number of the piece of each.
    """
    keys, numbers = np.unique(piece, return_inverse=True)
    shape = np.array(labels.shape)
    touching, seen = [], []
    for axis in range(3):
        for step in (-1, 1):
            near = points.copy()
            near[:, axis] += step
            valid = (near[:, axis] >= 0) & (near[:, axis] < shape[axis])
            touching.append(numbers[valid])
            seen.append(labels[tuple(near[valid].T)])
    values, index = np.unique(np.concatenate(seen), return_inverse=True)
    pair = np.concatenate(touching) * len(values) + index
    table = np.bincount(pair, minlength=len(keys) * len(values)).reshape(len(keys), len(values))
    table[:, values == own] = 0
    total = table.sum(axis=1)
    table[:, values == 0] = 0
    owner = values[table.argmax(axis=1)].astype(np.int64)
    return np.where(table.max(axis=1) >= EMBEDDED_SHARE * np.maximum(total, 1), owner, 0)


def _return_crumbs(clean: NDArray, bone: _Bone, by_value: Mapping[int, _Bone]) -> None:
    """Give a neighbour's bone back to it: loose pieces that lie in another vertebra get that vertebra's number."""
    if not len(bone.loose):
        return
    # Loose voxels are 0 in the clean map; mark them so that a piece does not count its own inside as background.
    at = tuple(bone.loose.T)
    clean[at] = bone.value
    owner = _owners(clean, bone.loose, bone.loose_piece, bone.value)
    new = owner[np.unique(bone.loose_piece, return_inverse=True)[1]]
    clean[at] = new
    for value in np.unique(new[new > 0]):
        points = bone.loose[new == value]
        heir = by_value[int(value)]
        heir.low = np.minimum(heir.low, points.min(axis=0))
        heir.high = np.maximum(heir.high, points.max(axis=0) + 1)
        bone.moved[heir.name] = len(points)


def _fill_holes(clean: NDArray, bone: _Bone, keep_open: NDArray | None, voxel_ml: float) -> tuple[int, float]:
    """Fill gaps that a bone encloses on all sides; returns the voxels filled and the largest gap left open, ml."""
    inside = clean[bone.box] == bone.value
    # A rim of background around the box makes everything outside the bone one region: number 1.
    regions, count = ndimage.label(np.pad(~inside, 1, constant_values=True))
    if count <= 1:
        return 0, 0.0
    regions = regions[1:-1, 1:-1, 1:-1]
    sizes = np.bincount(regions.ravel(), minlength=count + 1)
    hole = sizes * voxel_ml <= HOLE_MAX_ML
    hole[:2] = False
    fill = hole[regions] & (clean[bone.box] == 0)
    if keep_open is not None:
        fill &= ~keep_open[bone.box].astype(bool)
    clean[bone.box][fill] = bone.value
    # What else lies in such a gap — another label, or the canal — belongs there.
    empty = (regions > 1) & ~hole[regions] & (clean[bone.box] == 0)
    if keep_open is not None:
        empty &= ~keep_open[bone.box].astype(bool)
    left = np.bincount(regions[empty], minlength=1) * voxel_ml
    return int(np.count_nonzero(fill)), float(left.max(initial=0.0))


def _refuse_two_spines(bones: list[_Bone]) -> None:
    twice = [bone for bone in bones if bone.second_share >= EQUAL_BONES_SHARE]
    if len(twice) > 1:
        raise InputError(
            f"The labels hold two spines ({', '.join(bone.name for bone in twice)} each mark two bones of like size); "
            "give the labels of one patient with one spine."
        )
    if twice:
        raise InputError(
            f"The label of {twice[0].name} (value {twice[0].value}) marks two bones of like size "
            f"{twice[0].second_mm:.0f} mm apart; correct the labels so that each number is one vertebra."
        )


def _notes(bone: _Bone) -> list[PlanWarning]:
    moved = sum(bone.moved.values())
    parts = []
    if len(bone.loose) > moved:
        parts.append(f"{_voxels(len(bone.loose) - moved)} apart from the bone removed")
    parts += [f"{_voxels(count)} inside {name} given to it" for name, count in bone.moved.items()]
    if bone.filled:
        parts.append(f"{_voxels(bone.filled)} of enclosed gaps filled")
    notes = [_note(bone, "labels_cleaned", "info", f"{', '.join(parts)}.")] if parts else []
    if bone.hollow_ml > HOLE_MAX_ML:
        message = (
            f"its label encloses a gap of {bone.hollow_ml:.1f} ml that is not labelled; it is left open, and "
            "the level may be unreadable for it: fill the label if there is bone."
        )
        notes.append(_note(bone, "label_hollow", "caution", message))
    if bone.second_share:
        message = (
            f"its label also marks a second bone {bone.second_mm:.0f} mm away with "
            f"{100 * bone.second_share:.0f} % of its volume; the larger one is planned."
        )
        notes.append(_note(bone, "label_two_bones", "caution", message))
    return notes


def _voxels(count: int) -> str:
    return "1 voxel" if count == 1 else f"{count} voxels"


def _note(bone: _Bone, code: str, severity: str, text: str) -> PlanWarning:
    """What must be known of a bone's label, headed by its name; a sacrum is no level of a plan."""
    level = bone.name if bone.name in LEVELS else None
    return PlanWarning(code, severity, f"{bone.name}: {text}", SOURCE, None, level)
