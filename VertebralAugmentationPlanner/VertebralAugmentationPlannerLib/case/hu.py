"""Whether the numbers of a CT are HU: judged by bone inside the labelled vertebrae and by the tissue beside them.

A CT in other numbers — stored values, grey levels, a label map — looks right in every picture and gives wrong densities,
clefts and skin points. What cannot be HU is refused; what is doubtful is left aside, so that no number rests on it.

In HU (Hounsfield units) water is 0 and air −1000 by definition. Beside a spine lie muscle (about 50), fat (about −100),
vessels, and lung (about −850); the densest hundredth inside a whole vertebra is its cortex. Found in two VerSe CTs [C]:
median beside the spine 7 and 24, share above 700 HU 0.3 %, median inside the vertebrae 174 and 212, densest hundredth
1113 and 1229.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..model import Image, InputError, PlanWarning

BESIDE_MM = 15.0
"""How far beside the vertebrae's boxes tissue is looked at: muscle on all sides, the lung hardly. [D]"""

CLEAR_MM = 4.0
"""Tissue keeps this distance from every label, so that cortex and partial volume stay out of it. [D]"""

LATTICE_MM = 4.0
"""Step of the points beside the spine; a lumbar level has some thousand. [D]"""

MIN_POINTS = 200
"""Fewer points say nothing of the tissue (a CT cropped to the bone). [D]"""

PADDING_SHARE = 0.2
"""A single value that fills this share of the tissue is no tissue but filling (−1024, −2000, −3024, 0): noise alone
keeps any one value of a CT below 5 %. [D]"""

HIGHEST_HU = 65536.0
"""No scanner stores beyond 16 bits. Metal reaches about 30 000 HU on the extended scale. [D]"""

WRAPPED_HU, WRAPPED_SHARE = 40000.0, 1e-4
"""Above any metal: there −1000 to 0 HU ends when negative numbers are read as unsigned (64 536 to 65 535). The share is
that of the whole volume; it spares single voxels that a reconstruction could not hold. [D]"""

FOLDED_HU, FOLDED_SHARE, FOLDED_STRIDE = (2900.0, 4096.0), 0.05, 4
"""Where air ends when numbers are folded into 12 bits: −1024 to about −900 plus 4096. No metal fills so much of a volume:
screws and rods of three levels are a hundredth of a tight crop. Every fourth voxel along each axis is looked at. [D]"""

SCALED_RANGE = 2.0
"""A volume whose values all lie within this was scaled to 0–1 or −1–1. [D]"""

GREY_FLOOR, GREY_CEILING = 20.0, 200.0
"""Values that begin between 0 and the one and end between the other and 255, or that end with 255 itself, are 8-bit grey
levels: in HU fat is below 0, and cortex far above 255. [D]"""

DENSE_HU, DENSE_SHARE = 700.0, 0.2
"""Tissue denser than this is cortex or metal, a few percent beside an instrumented spine; stored values without the
rescale intercept of −1024 put all of it there. [D]"""

BONE_CEILING_HU = 1000.0
"""The median inside vertebrae stays below: cement and sclerosis fill a part of one vertebra only. [D]"""

BELOW_AIR_HU, BELOW_AIR_SHARE = -1100.0, 0.05
"""Nothing is thinner than air but filling and streaks of metal; tissue there means an intercept taken twice, or a
wrong slope. [D]"""

TISSUE_CEILING_HU = 150.0
"""The median beside the spine stays far below, with contrast as well (8 to 24 in four CTs [C]). Above: doubtful. [D]"""

TISSUE_SPREAD_HU = 260.0
"""The middle half of the tissue spans fat and muscle, 150 HU apart, and noise: 88 to 140 in four CTs [C]. A slope four
times too steep gives 350 and more. [D]"""

LUNG_HU = -650.0
"""Lung beside a thoracic vertebra lies below and is no part of that span. [D]"""

BONE_FLOOR_HU = 0.0
"""The upper quartile inside any vertebra lies well above water, even in severe osteoporosis (about 60 HU is the
lowest group mean reported, doi 10.1038/s41598-025-86721-5); below it the CT is no CT or not in its place. [D]"""

CORTEX_FLOOR_HU = 200.0
"""The densest hundredth inside whole vertebrae is cortex and lies far above; below, values were scaled down or
blurred. [D]"""

MAP_VALUES = 64
"""A label map shows at most so many different values around a spine; the noise of a CT shows hundreds. [D]"""

SOURCE = "air, fat, muscle and bone in HU; limits [D]"
ALONE = "or give no CT to plan from the labels alone"


@dataclass(frozen=True, eq=False)
class Readings:
    """CT values, nearest voxel.

    Args:
        levels: inside each labelled vertebra, as they are.
        bone: inside all of them, without filling where there is anything else.
        beside: beside the vertebrae, as they are.
        tissue: the same without filling; empty where too little is left to judge by.
    """

    levels: dict[str, NDArray]
    bone: NDArray
    beside: NDArray
    tissue: NDArray


def read_values(ct: Image, labels: Image, points: Mapping[str, NDArray]) -> Readings:
    """The values that :func:`refuse_other_than_hu` and :func:`doubts` judge.

    Args:
        ct: any rectangular grid.
        labels: the vertebrae; 0 elsewhere.
        points: RAS (N, 3) of voxels inside each level.
    """
    beside = np.concatenate([_nearest(ct, _beside(labels, inside)) for inside in points.values()])
    levels = {name: _nearest(ct, inside) for name, inside in points.items()}
    values, counts = np.unique(beside, return_counts=True)
    filling = values[counts >= PADDING_SHARE * beside.size]
    tissue = beside[~np.isin(beside, filling)]
    inside = np.concatenate([np.zeros(0), *levels.values()])
    bone = inside[~np.isin(inside, filling)]
    return Readings(levels, bone if bone.size else inside, beside, tissue if tissue.size >= MIN_POINTS else tissue[:0])


def refuse_other_than_hu(ct: Image, readings: Readings, label_values: Mapping[str, int]) -> None:
    """Raises InputError where the values of the CT cannot be HU; the sentence says what they look like.

    Args:
        label_values: number of each level in the label map.
    """
    low, high = float(ct.voxels.min()), float(ct.voxels.max())
    if low < -HIGHEST_HU or high > HIGHEST_HU:
        worst = high if high > -low else low
        count = int(np.count_nonzero(ct.voxels < -HIGHEST_HU) + np.count_nonzero(ct.voxels > HIGHEST_HU))
        raise InputError(
            f"The CT holds {count} voxel{'s' if count > 1 else ''} of up to {worst:.3g}, which no scanner writes; it is "
            f"damaged or was computed: export it again in HU, {ALONE}."
        )
    if _is_label_map(readings, label_values):
        raise InputError(
            f"The CT is a label map: every vertebra has one value in it; give the CT that was segmented, {ALONE}."
        )
    if high - low <= SCALED_RANGE:
        _refuse(f"holds only values from {low:.3g} to {high:.3g}: they were scaled for other software")
    if low >= 0 and (high == 255 or (low <= GREY_FLOOR and GREY_CEILING <= high < 255)):
        _refuse(f"holds only values from {low:.0f} to {high:.0f}: they are 8-bit grey levels of a picture")
    if high > WRAPPED_HU and _share(ct.voxels > WRAPPED_HU) >= WRAPPED_SHARE:
        _refuse(
            f"holds values up to {high:.0f}, as negative HU look when they are read as unsigned 16-bit numbers (or as an "
            "inverted image)"
        )
    some = ct.voxels[::FOLDED_STRIDE, ::FOLDED_STRIDE, ::FOLDED_STRIDE]
    if (folded := _share((some >= FOLDED_HU[0]) & (some < FOLDED_HU[1]))) >= FOLDED_SHARE:
        _refuse(
            f"reads {FOLDED_HU[0]:.0f} to {FOLDED_HU[1] - 1:.0f} in {100 * folded:.0f} % of the volume, as air looks when "
            "negative HU are folded into 12 bits"
        )
    tissue, bone = readings.tissue, readings.bone
    if tissue.size and _share(tissue > DENSE_HU) >= DENSE_SHARE:
        _refuse(
            f"reads {np.median(tissue[tissue > DENSE_HU]):.0f} in the soft tissue beside the spine, where HU are −100 "
            "to 100: it holds stored values without their rescale intercept, or values of another scale"
        )
    if bone.size and float(np.median(bone)) > BONE_CEILING_HU:
        _refuse(
            f"reads {np.median(bone):.0f} in the middle of all values inside the vertebrae, where HU are 50 to 400: it "
            "holds stored values without their rescale slope and intercept"
        )
    if tissue.size and _share(tissue < BELOW_AIR_HU) >= BELOW_AIR_SHARE:
        _refuse(
            f"reads {np.median(tissue[tissue < BELOW_AIR_HU]):.0f} beside the spine, which is thinner than air: its "
            "rescale slope or intercept is wrong, or was applied twice"
        )


def doubts(readings: Readings) -> PlanWarning | None:
    """A caution where the values may be HU and may be not; such a CT is left aside."""
    bone, tissue = readings.bone, readings.tissue
    if not bone.size:
        return None
    quartile, cortex = float(np.percentile(bone, 75)), float(np.percentile(bone, 99))
    if quartile < BONE_FLOOR_HU:
        return _doubt(
            "ct_not_bone",
            f"Inside the labelled vertebrae the CT is mostly below {BONE_FLOOR_HU:g} HU (upper quartile "
            f"{quartile:.0f}): the labels may belong to another scan, or the values are not HU",
            "density of vertebrae [V] doi 10.1038/s41598-025-86721-5; limit [D]",
        )
    if cortex < CORTEX_FLOOR_HU:
        return _doubt(
            "ct_not_hu",
            f"The densest bone inside the vertebrae reads only {cortex:.0f} in the CT, where cortex has several hundred "
            "HU: the values look scaled to grey levels, or the labels belong to another scan",
        )
    if tissue.size and float(np.median(tissue)) > TISSUE_CEILING_HU:
        return _doubt(
            "ct_not_hu",
            f"The soft tissue beside the spine reads {np.median(tissue):.0f} in the CT, where HU are −100 to 100: the "
            "rescale slope or intercept may be wrong",
        )
    soft = tissue[tissue > LUNG_HU]
    spread = float(np.subtract(*np.percentile(soft, [75, 25]))) if soft.size >= MIN_POINTS else 0.0
    if spread > TISSUE_SPREAD_HU:
        return _doubt(
            "ct_not_hu",
            f"The middle half of the soft tissue beside the spine spans {spread:.0f} in the CT, where fat and muscle lie "
            "150 HU apart: the rescale slope may be wrong, or there is too much noise to read densities",
        )
    return None


def _is_label_map(readings: Readings, label_values: Mapping[str, int]) -> bool:
    """Every level has one whole value of its own: that of the labels, or one of another numbering on a 0 background."""
    usual = {}
    for name, values in readings.levels.items():
        if values.size:
            found, counts = np.unique(values, return_counts=True)
            if counts.max() < 0.9 * values.size or found[counts.argmax()] != np.rint(found[counts.argmax()]):
                return False
            usual[name] = int(found[counts.argmax()])
    if not usual:
        return False
    if all(value == label_values[name] for name, value in usual.items()):
        return True
    around = np.unique(np.concatenate([readings.beside, readings.bone]))
    distinct = len(set(usual.values())) == len(usual) > 1
    return distinct and len(around) <= MAP_VALUES and bool((around == np.rint(around)).all()) and around[0] == 0


def _beside(labels: Image, inside: NDArray) -> NDArray:
    """RAS of a lattice beside one level's box (to the sides, in front and behind), clear of every label."""
    low, high = inside.min(axis=0), inside.max(axis=0)
    reach = np.array([BESIDE_MM, BESIDE_MM, 0.0])  # above and below lie discs and the next vertebrae
    axes = [np.arange(a, b + LATTICE_MM / 2, LATTICE_MM) for a, b in zip(low - reach, high + reach, strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    for step in CLEAR_MM * np.vstack([np.zeros(3), np.eye(3), -np.eye(3)]):
        points = points[~_is_labelled(labels, points + step)]
    return points


def _is_labelled(labels: Image, points: NDArray) -> NDArray:
    index, inside = _voxels(labels, points)
    found = np.zeros(len(points), bool)
    found[inside] = labels.voxels[tuple(index[inside].T)] != 0
    return found


def _nearest(image: Image, points: NDArray) -> NDArray:
    index, inside = _voxels(image, points)
    return image.voxels[tuple(index[inside].T)].astype(float)


def _voxels(image: Image, points: NDArray) -> tuple[NDArray, NDArray]:
    index = np.rint(image.to_ijk(points)).astype(np.int64)
    return index, np.all((index >= 0) & (index < image.voxels.shape), axis=1)


def _share(mask: NDArray) -> float:
    return float(np.count_nonzero(mask)) / mask.size


def _refuse(looks: str) -> None:
    raise InputError(f"The CT {looks}; export it again in HU, {ALONE}.")


def _doubt(code: str, finding: str, source: str = SOURCE) -> PlanWarning:
    return PlanWarning(
        code,
        "caution",
        f"{finding}. The CT is left aside: density, cleft, skin points and fluoroscopy are not available.",
        source,
    )
