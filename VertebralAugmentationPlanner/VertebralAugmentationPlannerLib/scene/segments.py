"""A segmentation or label map node as one label map with levels: what the engine reads.

Whatever the input's own values are, the map that leaves carries VerSe's numbers, so that the engine has one numbering
to know for data that comes from nodes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import slicer
import vtk
from numpy.typing import NDArray
from vtk.util.numpy_support import vtk_to_numpy

from ..case.names import BodyPart, part_of_code, part_of_name
from ..case.numbering import VERSE, numbering_of
from ..model import Image, InputError, PlanWarning
from ..model.geometry import label_boxes
from .label_scan import MOST_COUNTED, label_centres
from .lattice import common_lattice, on_lattice
from .volumes import image_from_volume, is_label_map, is_segmentation, matrix_array, node_to_world

OVERLAP_ML = 0.05
"""Overlap of two vertebrae that is worth a sentence: kissing facets share single voxels (0.001–0.01 ml). [D]"""


_LABELMAP = slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName()
_NUMBERED = re.compile(r"^\s*(?:segment|label)[\s_-]*(\d+)\s*$", re.IGNORECASE)
_GEOMETRY = re.compile(r"Reference image geometry\|([-+0-9.eE;]+)")


@dataclass(frozen=True, eq=False)
class Part:
    """One segment or label value: its key (segment ID, or the value as text), name and colour, and what it means."""

    key: str
    name: str
    color: tuple[float, float, float]
    meaning: BodyPart | None


@dataclass(frozen=True, eq=False)
class Labels:
    """The label map of a case.

    Args:
        image: VerSe numbers on one lattice, world RAS.
        canal: mask on the same lattice, or None.
        canal_is_cord: the mask is the cord.
        warnings: what was decided while merging.
    """

    image: Image
    canal: Image | None
    canal_is_cord: bool
    warnings: tuple[PlanWarning, ...]


def parts_of(node: Any) -> list[Part]:
    """The segments of a segmentation or the values of a label map, with what their names and codes mean.

    Raises:
        InputError: the node is neither, or is empty.
    """
    if is_segmentation(node):
        return _parts_of_segmentation(node)
    if is_label_map(node):
        return _parts_of_label_map(node)
    raise InputError("The segmentation is neither a segmentation nor a label map; choose another node.")


def recolored(node: Any, parts: list[Part]) -> list[Part]:
    """The parts of a segmentation in the colours that its segments have by now; what they mean is not read again."""
    segmentation = node.GetSegmentation()
    return [replace(part, color=tuple(segmentation.GetSegment(part.key).GetColor())) for part in parts]


def _parts_of_segmentation(node: Any) -> list[Part]:
    parts = _named_segments(node)
    if any(part.meaning is not None and part.meaning.kind == "level" for part in parts):
        return parts
    return _numbered_segments(node, parts)


def _numbered_segments(node: Any, parts: list[Part]) -> list[Part]:
    """“Segment_31”: what Slicer calls the values of a label map that it imported without names."""
    values = {part.key: int(match[1]) for part in parts if (match := _NUMBERED.match(part.name))}
    if not values or not node.GetSegmentation().ContainsRepresentation(_LABELMAP):
        return parts
    boxes = part_boxes(node, list(values))
    if not boxes:
        return parts
    matrix, shape, offsets = common_lattice([box.image for box in boxes.values()], None)
    merged = np.zeros(shape, np.min_scalar_type(max(values.values())))
    for (key, box), offset in zip(
        boxes.items(), offsets, strict=True
    ):  # one mask at a time: some are of the whole trunk
        where, inside = on_lattice(box.mask(), matrix, shape, offset)
        np.copyto(merged[where], values[key], where=inside, casting="unsafe")
    meanings = _numbered(Image(merged, matrix), sorted(values.values()))
    return [replace(part, meaning=meanings.get(values.get(part.key, 0), part.meaning)) for part in parts]


def _named_segments(node: Any) -> list[Part]:
    segmentation = node.GetSegmentation()
    parts = []
    for index in range(segmentation.GetNumberOfSegments()):
        segment = segmentation.GetNthSegment(index)
        meaning = _meaning(segment.GetName() or "") or _terminology(segment)
        parts.append(
            Part(segmentation.GetNthSegmentID(index), segment.GetName() or "", tuple(segment.GetColor()), meaning)
        )
    return parts


def _meaning(name: str) -> BodyPart | None:
    try:
        return part_of_name(name)
    except InputError:
        return None  # “L7”: shown in the table without a level, where the user can give it one


def _terminology(segment: Any) -> BodyPart | None:
    """Meaning of a segment's terminology ``context~category~type~modifier~…``, a type being ``scheme^code^words``."""
    entry = segment.GetTerminology()
    fields = entry.split("~") if entry else []
    if len(fields) < 4:
        return None
    for field in (fields[2], fields[3]):  # the level is the type, or the modifier of the type “Vertebra”
        scheme, code, words = [*field.split("^"), "", "", ""][:3]
        meaning = part_of_code(scheme, code) or _meaning(words)
        if meaning is not None:
            return meaning
    return None


def _label_image(node: Any) -> Image:
    """A label map's values, world RAS."""
    image = image_from_volume(node, "segmentation")
    return Image(_whole(image.voxels), image.ijk_to_ras)


def _whole(voxels: NDArray) -> NDArray:
    """Label values as integers: a script may have written them as floating-point numbers."""
    return voxels if np.issubdtype(voxels.dtype, np.integer) else voxels.astype(np.int32)


def _parts_of_label_map(node: Any) -> list[Part]:
    image = _label_image(node)
    values = list(label_centres(image.voxels))
    names, colors = _color_table(node, values)
    meanings = {value: _meaning(names[value]) for value in values}
    if not any(meaning is not None and meaning.kind == "level" for meaning in meanings.values()):
        meanings = _numbered(image, values)
    return [Part(str(value), names[value], colors[value], meanings[value]) for value in values]


def _color_table(node: Any, values: list[int]) -> tuple[dict[int, str], dict[int, tuple[float, float, float]]]:
    display = node.GetDisplayNode()
    table = display.GetColorNode() if display is not None else None
    names, colors = {}, {}
    for value in values:
        color = [0.7, 0.7, 0.7, 1.0]
        inside = table is not None and value < table.GetNumberOfColors()
        if inside:
            table.GetColor(value, color)
        names[value] = (table.GetColorName(value) if inside else None) or str(value)
        colors[value] = tuple(color[:3])
    return names, colors


def _numbered(image: Image, values: list[int]) -> dict[int, BodyPart | None]:
    """Meaning of bare numbers by VerSe's or TotalSegmentator's table; none where neither fits: the user decides."""
    try:
        numbering = numbering_of(image, "auto")
    except InputError:
        return dict.fromkeys(values)
    meanings: dict[int, BodyPart | None] = {value: BodyPart("level", name) for name, value in numbering.values.items()}
    meanings.update({value: BodyPart("bone", name) for name, value in numbering.other.items()})
    if numbering.canal is not None:
        meanings[numbering.canal] = BodyPart("canal", "spinal canal")
    if numbering.cord is not None:
        meanings[numbering.cord] = BodyPart("cord", "spinal cord")
    return {value: meanings.get(value) for value in values}


@dataclass(frozen=True, eq=False)
class Layer:
    """A label map that some parts share.

    Args:
        image: its values, a view of the node's own memory; world RAS.
        values: part key → value.
    """

    image: Image
    values: dict[str, int]


@dataclass(frozen=True, eq=False)
class PartBox:
    """The smallest box of a layer that holds a part: a view, in which other parts may lie as well, and the part's value."""

    image: Image
    value: int

    def mask(self) -> Image:
        """True inside the part."""
        return Image(self.image.voxels == self.value, self.image.ijk_to_ras)


def layers(node: Any, keys: list[str]) -> list[Layer]:
    """The label maps that hold parts. A segmentation's segments share one, or have several where they overlap.

    MRML's own ``GetBinaryLabelmapRepresentation`` copies the whole shared map for each segment
    (``vtkMRMLSegmentationNode.cxx``): of a trunk with a hundred segments that is more than the memory of a workstation.

    Raises:
        InputError: the segmentation has closed surfaces only; a non-linear transform.
    """
    if is_label_map(node):
        return [Layer(_label_image(node), {key: int(key) for key in keys})]
    if not keys:
        return []  # a segmentation that was just made has no representation at all
    require_voxels(node)
    world = node_to_world(node)
    found: dict[str, Layer] = {}
    for key in keys:
        segment = node.GetSegmentation().GetSegment(key)
        data = segment.GetRepresentation(_LABELMAP)
        if data is None or data.GetPointData().GetScalars() is None:
            continue
        address = data.GetAddressAsString("vtkObject")
        if address not in found:
            found[address] = Layer(_oriented_image(data, world), {})
        found[address].values[key] = segment.GetLabelValue()
    return list(found.values())


def part_boxes(node: Any, keys: list[str]) -> dict[str, PartBox]:
    """Box of each part that has voxels, in the order of the keys. Raises as :func:`layers`."""
    found = {}
    for layer in layers(node, keys):
        voxels = layer.image.voxels
        if voxels.size and voxels.max() > MOST_COUNTED:  # boxes are looked up in a table as long as the largest value
            voxels = np.where(np.isin(voxels, list(layer.values.values())), voxels, 0)
        boxes = label_boxes(voxels)
        for key, value in layer.values.items():
            if value in boxes:
                found[key] = PartBox(_cropped(layer.image, boxes[value]), value)
    return {key: found[key] for key in keys if key in found}


def part_centres(node: Any, keys: list[str]) -> dict[str, NDArray[np.float64]]:
    """Centre (3,) of each part that has voxels, world RAS mm. Raises as :func:`layers`."""
    centres = {}
    for layer in layers(node, keys):
        middles = label_centres(layer.image.voxels)
        centres.update(
            {key: layer.image.to_ras(middles[value]) for key, value in layer.values.items() if value in middles}
        )
    return centres


def _cropped(image: Image, box: tuple[slice, ...]) -> Image:
    matrix = image.ijk_to_ras.copy()
    matrix[:3, 3] = image.to_ras([part.start for part in box])
    return Image(image.voxels[box], matrix)


def require_voxels(node: Any) -> None:
    """Raise ``InputError`` for a segmentation that has segments, but none of them as voxels."""
    segmentation = node.GetSegmentation() if is_segmentation(node) else None
    if segmentation is None or not segmentation.GetNumberOfSegments():
        return
    if not segmentation.ContainsRepresentation(_LABELMAP):
        raise InputError(
            f"The segmentation “{node.GetName()}” holds surfaces but no voxels; create its binary labelmap "
            "representation in the Segmentations module."
        )


def _oriented_image(data: Any, world: NDArray) -> Image:
    box = _oriented_box(data, world)
    shape = box.voxels.shape[::-1]
    voxels = vtk_to_numpy(data.GetPointData().GetScalars()).reshape(shape).transpose(2, 1, 0)
    return Image(_whole(voxels), box.ijk_to_ras)


def _oriented_box(data: Any, world: NDArray) -> Image:
    """Grid of a ``vtkOrientedImageData`` in the world, its voxels all zero and without memory."""
    matrix = vtk.vtkMatrix4x4()
    data.GetImageToWorldMatrix(matrix)
    extent = data.GetExtent()
    shape = tuple(extent[2 * axis + 1] - extent[2 * axis] + 1 for axis in range(3))
    first = np.eye(4)
    first[:3, 3] = extent[0::2]  # the matrix counts voxels from 0, the array from the extent's first
    return Image(np.broadcast_to(np.zeros((), np.uint8), shape), world @ matrix_array(matrix) @ first)


def merge(node: Any, meanings: dict[str, BodyPart], ct: Image | None = None) -> Labels:
    """One label map of all the parts that planning uses.

    Args:
        node: segmentation or label map node.
        meanings: part key → what it is, after the user's corrections.
        ct: the CT, whose border is taken for the scan's where the segmentation does not know it.

    Raises:
        InputError: two parts of one level; no level; no voxels.
    """
    _check_once(meanings)
    masks = {key: box.mask() for key, box in part_boxes(node, list(meanings)).items()}
    if not any(meanings[key].kind == "level" for key in masks):
        raise InputError(
            f"No segment of “{node.GetName()}” is a vertebra T1–L6 with voxels; name the levels in the table."
        )
    border, warnings = _scan_border(node, ct)
    matrix, shape, offsets = common_lattice(list(masks.values()), border)
    merged = np.zeros(shape, np.uint8)
    spaces: dict[str, NDArray[np.bool_]] = {}
    voxel_ml = abs(np.linalg.det(matrix[:3, :3])) / 1000
    for key, offset in zip(masks, offsets, strict=True):
        meaning = meanings[key]
        where, mask = on_lattice(masks[key], matrix, shape, offset)
        if meaning.kind in ("canal", "cord"):
            spaces.setdefault(meaning.kind, np.zeros(shape, bool))[where] |= mask
            continue
        region = merged[where]
        taken = mask & (region > 0)
        if taken.sum() * voxel_ml > OVERLAP_ML:
            warnings.append(_overlap(meaning.name, taken.sum() * voxel_ml))
        region[mask & ~taken] = _value(meaning)
    kind = next((kind for kind in ("canal", "cord") if kind in spaces), None)  # the canal rather than the cord in it
    canal = None if kind is None else Image(spaces[kind].astype(np.uint8), matrix)
    return Labels(Image(merged, matrix), canal, kind == "cord", tuple(warnings))


def _scan_border(node: Any, ct: Image | None) -> tuple[Image | None, list[PlanWarning]]:
    """The volume that the segmentation was made on, as an image without memory, to tell a vertebra cut by the scan."""
    if is_label_map(node):
        return image_from_volume(node, "segmentation"), []
    text = _GEOMETRY.search(node.GetSegmentation().SerializeAllConversionParameters())
    if text is not None:
        geometry = slicer.vtkOrientedImageData()
        if slicer.vtkSegmentationConverter.DeserializeImageGeometry(text[1], geometry, False):
            return _oriented_box(geometry, node_to_world(node)), []
    if ct is not None:
        return ct, []
    return None, [
        PlanWarning(
            "scan_border_unknown",
            "caution",
            "The segmentation does not say where the scan ends, and there is no CT: a vertebra cut by the border would "
            "be taken for a whole one.",
            "scene/segments.py [D]",
        )
    ]


def _check_once(meanings: dict[str, BodyPart]) -> None:
    names = [meaning.name for meaning in meanings.values() if meaning.kind == "level"]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"Two segments are called {twice[0]}; correct one of them in the table of levels.")


def _value(meaning: BodyPart) -> int:
    return VERSE["sacrum"] if meaning.name == "S1" else VERSE[meaning.name]  # VerSe has no S1 of its own


def _overlap(name: str, volume_ml: float) -> PlanWarning:
    return PlanWarning(
        "segments_overlap",
        "caution" if volume_ml > 1 else "info",
        f"{volume_ml:.2f} ml of the segment {name} also belong to one listed before it and were left to that one.",
        "scene/segments.py [D]",
    )
