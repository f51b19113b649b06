"""From files or images to a checked :class:`~..model.Case`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from ..model import LEVELS, Case, Image, ImageRecord, InputError, Inputs, PlanOptions, PlanWarning
from ..model.geometry import label_boxes
from . import checks, hu, match
from .clean import CleanLabels, clean_labels
from .convert import is_rectangular, rectangular
from .drawn_grid import as_drawn
from .gas_gaps import fill_gas_gaps, open_gaps
from .numbering import Numbering, numbering_from_table, numbering_of
from .parts import at_border, parts_of_vertebrae
from .source import Source, Volume, describe, read

AIR_HU = -1024
"""Filled in where a straightened grid leaves the scan."""

POINTS_PER_LEVEL = 400
"""Voxels of each vertebra looked at in the CT; enough for a quartile, and of several levels for a hundredth. [D]"""

NO_CT = PlanWarning(
    "no_ct",
    "info",
    "No CT was given: density, cleft, gaps in the cortex, earlier cement and metal, skin points and fluoroscopy are left "
    "out; the rest rests on the labels.",
    "contract of the command line",
)


def load_case(
    ct: Source | None,
    segmentation: Source,
    options: PlanOptions | None = None,
    canal: Source | None = None,
    *,
    numbering: Mapping[str, int] | None = None,
    canal_is_cord: bool | None = None,
    own_numbering: Numbering | None = None,
) -> Case:
    """Read a CT and its vertebra labels, check that they can be planned on, and clean the labels.

    Nothing that was handed in is changed. Grids may differ in spacing, order and direction; nothing is resampled
    unless a grid is skewed (a tilted gantry), then a copy is straightened and the case says so. Labels that were drawn on
    coarser voxels than they are stored on are read on those (:mod:`.drawn_grid`).

    Args:
        ct: CT in HU — a path (NIfTI, NRRD, MHA, DICOM folder, ``folder#SeriesNumber`` or one file of a series), a
            SimpleITK image, an :class:`Image`, (array [i, j, k], 4 × 4 voxel-to-RAS matrix in mm) — or None. A CT
            whose values may not be HU is left aside with a caution: the case is then one without CT.
        segmentation: label map likewise, or a Slicer .seg.nrrd.
        options: ``options.labels`` names the numbering.
        canal: mask of the canal or cord, likewise; one found in the segmentation is used otherwise.
        numbering: value of each level, {"L1": 20}; goes before ``options.labels`` (for callers that know it).
        own_numbering: of the user's file that ``options.labels`` names, where it was read before; a segmentation's own
            names go before it.
        canal_is_cord: whether ``canal`` is the cord; by default where its file name says "cord".

    Raises:
        InputError: the input cannot be used; one sentence says what is wrong and what to do.
    """
    options = options or PlanOptions()
    labels_in = read(segmentation, "segmentation")
    ct_in = None if ct is None else read(ct, "CT")
    warnings = [*labels_in.warnings, *(ct_in.warnings if ct_in else ())]
    raw = checks.whole_labels(_straight(labels_in.image, "segmentation", 0, 0, warnings), "segmentation")
    names = _numbering(raw, labels_in, options, numbering, own_numbering)
    canal_image, is_cord, canal_record = _canal(raw, labels_in, names, canal, canal_is_cord, warnings)

    by_value = {value: name for name, value in {**names.values, **names.other}.items()}
    drawn = as_drawn(raw)
    open_mask = _on_grid(canal_image, raw)
    cleaned = clean_labels(drawn.image, by_value, None if open_mask is None else open_mask[np.ix_(*drawn.kept)])
    warnings += drawn.warnings
    levels = {name: value for name, value in cleaned.present.items() if name in LEVELS}
    if not levels:
        raise InputError(
            f"No vertebra T1–L6 is in the labels (numbering {names.name}, values {_values(raw)}); give the vertebra "
            "segmentation, or --labels if its numbering is another."
        )
    centroids = {name: _centroid(cleaned, name) for name in cleaned.present}
    warnings += [*cleaned.warnings, *_spine_warnings(cleaned, levels, centroids, names)]

    ct_image, labels = None, cleaned.image
    if ct_in is None:
        warnings.append(NO_CT)
    else:
        ct_image, labels, told = _with_ct(ct_in.image, cleaned, levels, centroids)
        warnings += told
    warnings += open_gaps(labels, levels, cleaned.boxes, with_ct=ct_image is not None)
    if canal is not None and canal_image is not None:
        checks.check_canal(canal_image, {name: _corners(cleaned, name) for name in levels}, is_cord)
    ct_record = None if ct_in is None or ct_image is None else ct_in.record
    inputs = Inputs(ct_record, labels_in.record, canal_record, names.name, names.table() if names.own else {})
    other = {name: value for name, value in cleaned.present.items() if name not in LEVELS}
    return Case(ct_image, labels, levels, inputs, canal_image, is_cord, tuple(warnings), other)


def _spine_warnings(
    labels: CleanLabels, levels: Mapping[str, int], centroids: Mapping[str, NDArray], names: Numbering
) -> list[PlanWarning]:
    """What is to be known of numbers, order and slices of the labels.

    Raises:
        InputError: the labels are not one spine from head to foot.
    """
    for name, value in levels.items():
        checks.refuse_shared_number(name, value, _bone(labels, name))
    cut = [name for name, box in labels.boxes.items() if at_border(box, labels.image.voxels.shape)]
    volumes = {name: float(np.count_nonzero(_inside(labels, name))) for name in labels.present}
    parts = parts_of_vertebrae(volumes, cut)
    standing = {name: centre for name, centre in centroids.items() if name not in parts}
    checks.order_problems(standing)
    warnings = [*checks.skipped_numbers(standing)]
    if names.also:
        text = f"The label numbers have two readings: {names.also}. The present ones were taken; look whether the level names are right."
        warnings.append(PlanWarning("numbering_of_two_readings", "info", text, "totalsegmentator/map_to_binary.py [V]"))
    return [*warnings, *checks.thickness_warnings("segmentation", labels.image)]


def _with_ct(
    given: Image, labels: CleanLabels, levels: Mapping[str, int], centroids: Mapping[str, NDArray]
) -> tuple[Image | None, Image, list[PlanWarning]]:
    """The CT, straightened, or None where its values may not be HU; the labels with the gas that they leave out; warnings.

    Raises:
        InputError: the CT cannot be used, or not with these labels.
    """
    checks.check_ct(given)
    warnings: list[PlanWarning] = []
    ct = _straight(given, "CT", 1, AIR_HU, warnings)
    checks.check_overlap(ct, {name: centroids[name] for name in levels})
    readings = hu.read_values(ct, labels.image, _some_points(labels, levels))
    hu.refuse_other_than_hu(given, readings, levels)
    doubt = hu.doubts(readings)
    if doubt is not None:
        return None, labels.image, [*warnings, doubt]
    boxes = {value: labels.boxes[name] for name, value in levels.items()}
    warnings += match.place_warnings(match.best_place(ct, labels.image, boxes))
    warnings += checks.ct_warnings(ct, {name: _corners(labels, name) for name in levels})
    filled, told = fill_gas_gaps(labels.image, levels, labels.boxes, ct)
    return ct, filled, [*warnings, *told]


def _straight(image: Image, what: str, order: int, outside: float, warnings: list[PlanWarning]) -> Image:
    if is_rectangular(image):
        return image
    warnings.append(
        PlanWarning(
            "grid_straightened",
            "caution",
            f"The {what} has skewed slices (tilted gantry); a straightened copy is used, interpolated within the "
            "slices.",
            "shear taken from the image's own matrix",
        )
    )
    return rectangular(image, order, outside)


def _numbering(
    labels: Image, volume: Volume, options: PlanOptions, given: Mapping[str, int] | None, own: Numbering | None
) -> Numbering:
    if given is not None:
        return numbering_from_table("given", given)
    if volume.segmentation is not None:
        return numbering_from_table("segments", volume.segmentation.values)
    return numbering_of(labels, options.labels) if own is None else own


def _canal(
    labels: Image,
    volume: Volume,
    names: Numbering,
    source: Source | None,
    is_cord: bool | None,
    warnings: list[PlanWarning],
) -> tuple[Image | None, bool, ImageRecord | None]:
    """The canal mask, whether it is the cord, and its record: the one given, else the one in the segmentation."""
    if source is not None:
        given = read(source, "canal")
        image, named_cord = given.image, "cord" in describe(source).lower()
        if given.segmentation is not None and given.segmentation.canal is not None:
            image = Image(given.segmentation.canal, given.image.ijk_to_ras)
            named_cord = given.segmentation.canal_is_cord
        image = checks.whole_labels(_straight(image, "canal", 0, 0, warnings), "canal")
        if is_cord is None:
            is_cord = named_cord
        return _mask_image(image, image.voxels != 0), is_cord, given.record
    if volume.segmentation is not None and volume.segmentation.canal is not None:
        mask = Image(volume.segmentation.canal, volume.image.ijk_to_ras)
        mask = mask if is_rectangular(mask) else rectangular(mask, 0, 0)
        return mask, volume.segmentation.canal_is_cord, None
    held = label_boxes(labels.voxels)
    for value, cord in ((names.canal, False), (names.cord, True)):
        if value in held:
            return _mask_image(labels, labels.voxels == value), cord, None
    return None, False, None


def _mask_image(image: Image, inside: NDArray) -> Image:
    return Image(inside.astype(np.uint8), image.ijk_to_ras)


def _on_grid(canal: Image | None, labels: Image) -> NDArray | None:
    if canal is None or canal.voxels.shape != labels.voxels.shape:
        return None
    return canal.voxels if np.allclose(canal.ijk_to_ras, labels.ijk_to_ras, atol=1e-3) else None


def _centroid(labels: CleanLabels, name: str) -> NDArray:
    return labels.image.to_ras(_voxels(labels, name).mean(axis=0))


def _bone(labels: CleanLabels, name: str) -> Image:
    """Mask of one level in its own box."""
    box = labels.boxes[name]
    matrix = labels.image.ijk_to_ras.copy()
    matrix[:3, 3] = labels.image.to_ras([s.start for s in box])
    return Image(_inside(labels, name), matrix)


def _corners(labels: CleanLabels, name: str) -> NDArray:
    """RAS of the eight corners of a level's box."""
    ends = [(s.start, s.stop - 1) for s in labels.boxes[name]]
    return labels.image.to_ras(np.array(np.meshgrid(*ends)).reshape(3, -1).T)


def _some_points(labels: CleanLabels, levels: Iterable[str]) -> dict[str, NDArray]:
    """RAS of up to :data:`POINTS_PER_LEVEL` voxels of each level, evenly taken."""
    points = {}
    for name in levels:
        index = _voxels(labels, name)
        points[name] = labels.image.to_ras(index[:: max(1, len(index) // POINTS_PER_LEVEL)])
    return points


def _voxels(labels: CleanLabels, name: str) -> NDArray:
    return np.argwhere(_inside(labels, name)) + [s.start for s in labels.boxes[name]]


def _inside(labels: CleanLabels, name: str) -> NDArray:
    return labels.image.voxels[labels.boxes[name]] == labels.present[name]


def _values(labels: Image) -> str:
    values = list(label_boxes(labels.voxels))
    return ", ".join(map(str, values[:12])) + (" …" if len(values) > 12 else "")
