"""Slicer segmentations (.seg.nrrd): segments by name and terminology, one or several overlapping layers."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from ..model import Image, InputError, PlanWarning
from .convert import affine_of, image_from_array
from .names import BodyPart, part_of_code, part_of_name

_SEGMENT_KEY = re.compile(r"^Segment(\d+)_(Name|ID|LabelValue|Layer|Tags)$")
_REFERENCE = re.compile(r"Reference image geometry\|([-+0-9.eE;]+)\|")
_COUNT = re.compile(r"\s*[0-9]{1,9}\s*")

MOST_VOXELS = 2.0e9
"""No scan has more: a reference geometry that does is damaged, and the segments stand on their own grid. [D]"""


@dataclass(frozen=True)
class Segment:
    """One segment of a .seg.nrrd file and what it is, where it is anything that planning needs."""

    name: str
    value: int
    layer: int
    part: BodyPart | None


@dataclass(frozen=True, eq=False)
class Segmentation:
    """Named parts of a segmentation, each with its value in the merged label map.

    Args:
        values: label value of each vertebra ("L1", "S1", …).
        canal: mask of the canal or cord, or None.
        canal_is_cord: the mask is the cord.
    """

    values: dict[str, int]
    canal: NDArray | None
    canal_is_cord: bool


class Merging:
    """Masks put into one label map, one after the other; a voxel stays with the mask that had it first.

    Args:
        shape: of the masks.
        count: how many there are at most.
    """

    def __init__(self, shape: tuple[int, ...], count: int) -> None:
        self.voxels: NDArray = np.zeros(shape, np.uint16 if count > 254 else np.uint8)
        self.values: dict[str, int] = {}
        self.canal: NDArray | None = None
        self.canal_is_cord = False
        self.warnings: list[PlanWarning] = []

    def add(self, part: BodyPart, inside: NDArray[np.bool_], value: int, name: str, kind: str) -> None:
        """Put one mask into the map.

        Args:
            value: of its voxels in the map.
            name, kind: what to call it, and what it and the others are, in words (“mask”).
        """
        if part.kind in ("canal", "cord"):
            cord = part.kind == "cord"
            if self.canal is not None and cord == self.canal_is_cord:
                self.canal |= inside
            elif self.canal is None or self.canal_is_cord:  # the canal itself is preferred to the cord in it
                self.canal, self.canal_is_cord = inside.astype(np.uint8), cord
            return
        overlap = int(np.count_nonzero(self.voxels[inside]))
        if overlap:
            self.warnings.append(
                PlanWarning(
                    "segments_overlap",
                    "info",
                    f"{overlap} voxels of {name} also belong to an earlier {kind} and stay with it.",
                    "a voxel is bone of one vertebra [D]",
                )
            )
        self.voxels[inside & (self.voxels == 0)] = value
        self.values[part.name] = value


def is_segmentation(image: sitk.Image) -> bool:
    """Whether the file carries Slicer's segment entries."""
    return image.HasMetaDataKey("Segment0_ID") or image.HasMetaDataKey("Segment0_Name")


def read_segmentation(image: sitk.Image, name: str) -> tuple[Image, Segmentation, tuple[PlanWarning, ...]]:
    """The merged label map of a Slicer segmentation (value = number of the segment, from 1), and its parts.

    Slicer saves only the extent that holds segments. The map is padded again to the reference geometry noted in
    the file, so that a vertebra at the edge of that crop is not taken for one cut by the scan.

    Raises:
        InputError: two segments of one level, or no segment that names a level.
    """
    segments = _segments(image, name)
    layers = _layers(image, name)
    merging = Merging(layers[0].shape, len(segments))
    for number, segment in enumerate(segments, start=1):
        if segment.part is None:
            continue
        if segment.layer >= len(layers):
            raise InputError(
                f"The segmentation {name} is damaged: segment “{segment.name}” lies on layer {segment.layer}, and it has "
                f"{len(layers)}; export it again from Slicer."
            )
        if segment.part.name in merging.values:
            raise InputError(f"The segmentation {name} has two segments for {segment.part.name}; rename one of them.")
        inside = layers[segment.layer] == segment.value
        merging.add(segment.part, inside, number, f"segment “{segment.name}”", "segment")
    if not merging.values:
        found = ", ".join(segment.name for segment in segments[:8]) or "none"
        raise InputError(
            f"The segmentation {name} has no segment named after a vertebra (segments: {found}); "
            "name them L1, “L1 vertebra” or vertebrae_L1."
        )
    padded, matrix = _pad(merging.voxels, merging.canal, affine_of(image), image)
    return (
        image_from_array(padded[0], matrix, "segmentation"),
        Segmentation(merging.values, padded[1], merging.canal_is_cord),
        tuple(merging.warnings),
    )


def _segments(image: sitk.Image, file_name: str) -> list[Segment]:
    entries: dict[int, dict[str, str]] = {}
    for key in image.GetMetaDataKeys():
        match = _SEGMENT_KEY.match(key)
        if match:
            entries.setdefault(int(match[1]), {})[match[2]] = image.GetMetaData(key)
    result = []
    for number in sorted(entries):
        entry = entries[number]
        name = entry.get("Name", entry.get("ID", ""))
        part = part_of_name(name) or _part_of_tags(entry.get("Tags", ""))
        value, layer = entry.get("LabelValue", str(number + 1)), entry.get("Layer", "0")
        if not (_COUNT.fullmatch(value) and _COUNT.fullmatch(layer)):
            raise InputError(
                f"The segmentation {file_name} is damaged: segment “{name}” has label value “{value}” on layer “{layer}”; "
                "export it again from Slicer."
            )
        result.append(Segment(name, int(value), int(layer), part))
    return result


def _part_of_tags(tags: str) -> BodyPart | None:
    """The vertebra that a terminology entry means, by SNOMED code or by the code's meaning.

    An entry reads ``context~category~type~modifier~anatomic context~region~region modifier``, each code as
    ``scheme^value^meaning``.
    """
    for tag in tags.split("|"):
        key, _, entry = tag.partition(":")
        if key != "TerminologyEntry":
            continue
        for code in reversed(entry.split("~")):  # the region is more particular than type and category
            fields = code.split("^")
            if len(fields) == 3:
                part = part_of_code(fields[0], fields[1]) or part_of_name(fields[2])
                if part:
                    return part
    return None


def _layers(image: sitk.Image, name: str) -> list[NDArray]:
    if image.GetDimension() != 3:
        raise InputError(f"The segmentation {name} is not three-dimensional; export it again from Slicer.")
    array = sitk.GetArrayFromImage(image)
    if array.ndim == 3:
        return [array.transpose(2, 1, 0)]
    return [array[..., n].transpose(2, 1, 0) for n in range(array.shape[3])]


def _pad(
    merged: NDArray, canal: NDArray | None, matrix: NDArray, image: sitk.Image
) -> tuple[tuple[NDArray, NDArray | None], NDArray]:
    """The arrays padded to the reference geometry of the file, and the matrix of the padded grid."""
    before, after = _room(merged.shape, image)
    if not any(before) and not any(after):
        return (merged, canal), matrix
    widths = tuple(zip(before, after, strict=True))
    matrix = matrix.copy()
    matrix[:3, 3] -= matrix[:3, :3] @ np.array(before, float)
    return (np.pad(merged, widths), None if canal is None else np.pad(canal, widths)), matrix


def _room(shape: tuple[int, ...], image: sitk.Image) -> tuple[tuple[int, ...], tuple[int, ...]]:
    nothing = ((0, 0, 0), (0, 0, 0))
    if not image.HasMetaDataKey("Segmentation_ConversionParameters"):
        return nothing
    match = _REFERENCE.search(image.GetMetaData("Segmentation_ConversionParameters"))
    if not match:
        return nothing
    try:
        numbers = [float(text) for text in match[1].strip(";").split(";")]
    except ValueError:
        return nothing
    if len(numbers) != 22 or not np.isfinite(numbers).all():  # 16 of the matrix, 6 of the extent
        return nothing
    reference, extent = np.reshape(numbers[:16], (4, 4)), [int(n) for n in numbers[16:]]
    own = affine_of(image)
    if not np.allclose(reference[:3, :3], own[:3, :3], atol=1e-3):
        return nothing  # the segments were edited on another grid than the reference's
    offset = np.linalg.solve(own[:3, :3], own[:3, 3] - reference[:3, 3])
    if not np.allclose(offset, np.rint(offset), atol=0.01):
        return nothing
    first = np.rint(offset).astype(int)
    before = tuple(max(0, int(first[a] - extent[2 * a])) for a in range(3))
    after = tuple(max(0, int(extent[2 * a + 1] - (first[a] + shape[a] - 1))) for a in range(3))
    if np.prod(np.add(shape, np.add(before, after)), dtype=float) > MOST_VOXELS:
        return nothing
    return before, after
