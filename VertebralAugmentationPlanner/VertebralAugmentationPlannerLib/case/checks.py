"""Checks of what was read: values, order of the levels, overlap in the world, slice thickness."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..model import LEVELS, Image, InputError, PlanWarning
from ..model.accuracy import COARSE_HEIGHT_MM, COARSE_MM, COARSE_SOURCE, COARSEST_TESTED_MM, FINE_MM, coarse_words
from .names import SPINE_ORDER

INTEGER_TOLERANCE = 1e-3
"""Label values stored as floating point may miss their integer by the rounding of a scaled header. [D]"""

HIGHEST_LABEL = 65534
"""Label maps are held in 16 bits at most."""

MAX_JUMP_MM = 65.0
"""Centroids of neighbouring vertebrae lie 20–40 mm apart; the largest L4/L5 with a tall disc stay below 50 mm. [D]"""

CROWDED_SHARE = 0.75
"""Two levels with numbers missing between them, yet closer than this share of the case's own median step for each
missing number, leave no room for the missing ones. [D]"""

TALL_MM = 62.0
"""A label higher than this is looked at for a second bone. Single vertebrae of three VerSe spines are up to 59 mm high
with their processes, two neighbours together 67 mm and more [C]."""

PEEL_MM = (1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0)
"""Depths by which a label is peeled: joints between neighbours part before the bodies are gone. [D]"""

SECOND_BODY_SHARE = 0.25
"""A second body has at least this share of the first. After peeling, 0.34 was the least of neighbours with a collapsed
vertebra; parts of one vertebra reach 0.26, but lie behind its body, not above or below it [C]."""

STACKED_MM = 15.0
"""Bodies of neighbours lie at least so far above each other, and farther than they lie beside each other. [D]"""


def whole_labels(labels: Image, what: str) -> Image:
    """The label map in the smallest unsigned type.

    Raises:
        InputError: values that are not whole numbers, negative, too large, or none at all.
    """
    voxels = labels.voxels
    if np.issubdtype(voxels.dtype, np.floating):
        for slab in _slabs(voxels):
            if not np.isfinite(slab).all():
                raise InputError(f"The {what} holds NaN or infinite values; save it as whole label numbers.")
            if np.abs(slab - np.rint(slab)).max(initial=0) > INTEGER_TOLERANCE:
                raise InputError(
                    f"The {what} holds values that are not whole numbers (probabilities, or labels resampled with "
                    "interpolation); give a label map."
                )
    # Rounded first: a background of −1e-6 is one of 0.
    low, high = (float(np.rint(value)) for value in (voxels.min(), voxels.max()))
    if low < 0:
        raise InputError(f"The {what} holds the negative value {low:g}; give a label map with background 0.")
    if high > HIGHEST_LABEL:
        raise InputError(f"The {what} holds the value {high:g}; label numbers go up to {HIGHEST_LABEL}.")
    if high == 0:
        raise InputError(f"The {what} is empty (all voxels are 0); segment it first.")
    if low > 0:
        raise InputError(
            f"The {what} has no background: its lowest value is {low:g}, as where an intercept was added to every number; "
            "save it with 0 where there is no label."
        )
    kind = np.uint8 if high <= 255 else np.uint16
    if voxels.dtype == kind:
        return labels
    if np.issubdtype(voxels.dtype, np.floating):
        voxels = np.rint(voxels)
    return Image(voxels.astype(kind), labels.ijk_to_ras)


def check_ct(ct: Image) -> None:
    """Raises InputError where the CT holds NaN, infinity or one value only."""
    voxels = ct.voxels
    if np.issubdtype(voxels.dtype, np.floating):
        bad = sum(int(np.count_nonzero(~np.isfinite(slab))) for slab in _slabs(voxels))
        if bad:
            raise InputError(f"The CT holds {bad} voxels that are NaN or infinite; export it again in HU.")
    if voxels.min() == voxels.max():
        raise InputError(
            f"The CT is constant ({float(voxels.min()):g} everywhere); give no CT to plan from the labels alone."
        )


def check_overlap(ct: Image, centroids: Mapping[str, NDArray]) -> None:
    """Raises InputError where no labelled vertebra lies inside the CT; both in RAS mm, on grids of their own."""
    inside = [name for name, centre in centroids.items() if _inside(ct, centre)]
    if not inside:
        raise InputError(
            f"The CT and the labels do not overlap: the CT covers {_extent(ct)}, the labelled vertebrae lie at "
            f"{_point(np.mean(list(centroids.values()), axis=0))} mm (RAS); give the segmentation of this CT."
        )


CORD_REACH_MM = 150.0
"""A cord ends at L1 or L2: lumbar levels lie up to this far below it. A canal passes every level [D]."""


def check_canal(canal: Image, boxes: Mapping[str, NDArray], is_cord: bool) -> None:
    """Raises InputError for a mask of the canal or cord that lies at none of the vertebrae.

    Args:
        canal: mask on a grid of its own, not empty.
        boxes: (8, 3) RAS corners of each level's box, mm.
    """
    what = "cord" if is_cord else "canal"
    points, reach = canal.to_ras(np.argwhere(canal.voxels)), CORD_REACH_MM if is_cord else 0.0
    for corners in boxes.values():
        low, high = corners.min(axis=0) - reach, corners.max(axis=0) + reach
        if np.any(np.all((points >= low) & (points <= high), axis=1)):
            return
    raise InputError(
        f"The {what} mask lies at {_point(points.mean(axis=0))} mm (RAS), at none of the labelled vertebrae; give the one of this "
        "spine, or none."
    )


def ct_warnings(ct: Image, boxes: Mapping[str, NDArray]) -> Iterator[PlanWarning]:
    """What the user must know of the CT: coarse voxels, vertebrae reaching out of it."""
    yield from thickness_warnings("CT", ct)
    outside = [name for name, box in boxes.items() if not all(_inside(ct, corner, 1.0) for corner in box)]
    if outside:
        yield PlanWarning(
            "ct_partial",
            "caution",
            f"{', '.join(outside)}: the label reaches beyond the CT; density covers only the part inside it, and the cleft is left out "
            "where that is less than 95 % of the body.",
            "geometry of the inputs",
        )


def thickness_warnings(what: str, image: Image) -> Iterator[PlanWarning]:
    """A warning where voxels are thicker than the claimed accuracy allows.

    Args:
        what: "CT" or "segmentation", of which the latter says it in full: both are coarse at once as a rule.
    """
    thickest = float(image.spacing_mm.max())
    if thickest <= FINE_MM:
        return
    coarse = thickest >= COARSE_MM
    effect = "the stated accuracy holds for about 1 mm"
    if coarse and what == "CT":
        effect = (
            f"labels drawn on it are no finer, whatever their voxels (single heights up to {COARSE_HEIGHT_MM:g} mm off)"
        )
    elif coarse:
        effect = f"on such slices {coarse_words()}, so that a single grade or shape may be wrong"
    if thickest > COARSEST_TESTED_MM:
        effect = f"no accuracy is claimed beyond {COARSE_MM:.0f} mm"
    yield PlanWarning(
        "slices_coarse" if coarse else "slices_thick",
        "caution" if coarse else "info",
        f"The {what} has voxels of {thickest:.1f} mm along one axis; {effect}, and thin pedicles appear wider or "
        "vanish.",
        COARSE_SOURCE,
    )


def refuse_shared_number(name: str, value: int, bone: Image) -> None:
    """Raise InputError where one number marks two vertebrae, one above the other and touching.

    Args:
        bone: mask of the label, cut to its box.
    """
    if np.ptp(_corners(bone)[:, 2]) <= TALL_MM or np.ptp(bone.to_ras(np.argwhere(bone.voxels))[:, 2]) <= TALL_MM:
        return
    depth = ndimage.distance_transform_edt(np.pad(bone.voxels, 1), sampling=bone.spacing_mm)[1:-1, 1:-1, 1:-1]
    for peel in PEEL_MM:
        pieces, _ = ndimage.label(depth > peel)
        sizes = np.bincount(pieces.ravel())[1:]
        if len(sizes) < 2:
            continue
        first, second = np.argsort(-sizes, kind="stable")[:2]
        if sizes[second] < SECOND_BODY_SHARE * sizes[first]:
            continue
        centres = [bone.to_ras(np.argwhere(pieces == number + 1).mean(axis=0)) for number in (first, second)]
        across, along = float(np.linalg.norm((centres[0] - centres[1])[:2])), abs(float((centres[0] - centres[1])[2]))
        if along >= STACKED_MM and along > across:
            raise InputError(
                f"The label of {name} (value {value}) marks two vertebrae, one {along:.0f} mm above the other: two bones "
                "share that number; correct the labels so that each number is one vertebra."
            )


def order_problems(centroids: Mapping[str, NDArray]) -> None:
    """Check that the named vertebrae form one spine from head to foot.

    Args:
        centroids: RAS mm, of levels and of neck and sacrum where labelled.

    Raises:
        InputError: two spines, or levels out of order; the message names them.
    """
    names = sorted(centroids, key=SPINE_ORDER.index)
    if len(names) < 2:
        return
    for upper, lower in pairwise(names):
        step = centroids[lower] - centroids[upper]
        aside = float(np.linalg.norm(step[:2]))
        # With levels missing between them, the ends of a bent spine may lie as far aside, but then farther up and down.
        if aside > max(MAX_JUMP_MM, abs(float(step[2]))):
            raise InputError(
                f"{upper} and {lower} lie {aside:.0f} mm beside each other: the labels hold two spines; give the "
                "labels of one patient with one spine."
            )
    points = np.array([centroids[name] for name in names])
    along = points @ _spine_axis(points)
    found = [names[n] for n in np.argsort(-along, kind="stable")]
    if found == names[::-1]:
        raise InputError(
            f"From head to foot the labels read {_list(found)}, which is upside down; check the numbering (--labels) "
            "and the orientation of the segmentation."
        )
    if found != names:
        wrong = [name for name, there in zip(names, found, strict=True) if name != there]
        raise InputError(
            f"From head to foot the labels read {_list(found)}: {_list(wrong)} are out of order; correct these labels, "
            "or give --labels if the numbering is another."
        )
    for upper, lower in pairwise(names):
        gap = float(np.linalg.norm(centroids[lower] - centroids[upper]))
        if gap > MAX_JUMP_MM * max(1, SPINE_ORDER.index(lower) - SPINE_ORDER.index(upper)):
            raise InputError(
                f"{upper} and {lower} lie {gap:.0f} mm apart, too far for one spine; give labels of one patient with "
                "one spine."
            )


def skipped_numbers(centroids: Mapping[str, NDArray]) -> Iterator[PlanWarning]:
    """A caution where numbers are missing between two vertebrae that leave no room for them."""
    order = [name for name in LEVELS if name != "T13" or "T13" in centroids]
    names = [name for name in order if name in centroids]
    pairs = [(a, b, order.index(b) - order.index(a)) for a, b in pairwise(names)]
    gaps = {(a, b): float(np.linalg.norm(centroids[b] - centroids[a])) for a, b, _ in pairs}
    steps = [gaps[a, b] for a, b, count in pairs if count == 1]
    if not steps:
        return
    usual = float(np.median(steps))
    for a, b, count in pairs:
        if count > 1 and gaps[a, b] < CROWDED_SHARE * count * usual:
            missing = ", ".join(order[order.index(a) + 1 : order.index(b)])
            yield PlanWarning(
                "numbering_skips",
                "caution",
                f"{missing} is not labelled, and {a} and {b} lie only {gaps[a, b]:.0f} mm apart: the spine may have "
                "fewer vertebrae than usual, or the numbering skips one; count the levels before use.",
                "spacing of the labelled vertebrae [D]",
            )


def _spine_axis(points: NDArray) -> NDArray:
    """Unit direction of the spine, towards the head (RAS)."""
    centred = points - points.mean(axis=0)
    axis = np.linalg.svd(centred, full_matrices=False)[2][0]
    # Head is up in RAS whatever the file's voxel order; the sign follows from it, not from the labels.
    return axis if axis[2] >= 0 else -axis


def _inside(image: Image, point: NDArray, slack: float = 0.5) -> bool:
    index = image.to_ijk(point)
    return bool(np.all(index >= -slack) and np.all(index <= np.array(image.voxels.shape) - 1 + slack))


def _slabs(voxels: NDArray) -> Iterator[NDArray]:
    """Slices along the axis of slowest change in memory: whole-volume temporaries would double the memory."""
    axis = int(np.argmax(np.abs(voxels.strides)))
    yield from np.moveaxis(voxels, axis, 0)


def _corners(image: Image) -> NDArray:
    """RAS of the eight corners of a volume."""
    return image.to_ras(np.array(np.meshgrid(*[(0, n - 1) for n in image.voxels.shape])).reshape(3, -1).T)


def _extent(image: Image) -> str:
    world = _corners(image)
    low, high = world.min(axis=0), world.max(axis=0)
    return ", ".join(f"{axis} {a:.0f} to {b:.0f}" for axis, a, b in zip("RAS", low, high, strict=True)) + " mm"


def _point(point: NDArray) -> str:
    return "(" + ", ".join(f"{value:.0f}" for value in point) + ")"


def _list(names: list[str]) -> str:
    return ", ".join(names)
