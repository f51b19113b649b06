"""What the headers of DICOM images say, as plain data."""

from __future__ import annotations

import logging
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ..model import InputError

TAGS = [
    "SOPInstanceUID", "SeriesInstanceUID", "SeriesNumber", "SeriesDescription", "Modality", "ImageType",
    "Rows", "Columns", "PixelSpacing", "ImagePositionPatient", "ImageOrientationPatient", "NumberOfFrames",
    "RescaleSlope", "RescaleIntercept", "SamplesPerPixel", "PatientPosition", "BitsAllocated", "PhotometricInterpretation",
]  # fmt: skip

UNCOMPRESSED = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2")
"""Transfer syntaxes in which pixels lie as they are: implicit and explicit little endian, explicit big endian."""

PIXEL_DATA, UNDEFINED_LENGTH = (0x7FE0, 0x0010), 0xFFFFFFFF
"""Tag of the pixel data, and the length that says “compressed, see the items” (PS3.5 7.1, A.4)."""


@dataclass(frozen=True)
class Slice:
    """One image (or one multi-frame file, or one frame of it). Lengths mm, position and orientation in LPS."""

    path: Path
    uid: str
    series_uid: str
    series_number: int | None
    description: str
    modality: str
    image_type: tuple[str, ...]
    size: tuple[int, int]  # columns, rows
    pixel_spacing: tuple[float, float] | None  # between rows, between columns
    position: tuple[float, ...] | None
    orientation: tuple[float, ...] | None
    frames: int
    slope: float | None
    intercept: float | None
    samples: int
    patient_position: str
    photometric: str
    bits: int  # allocated to each sample
    pixel_bytes: int | None  # of its pixel data in the file; None where they are compressed
    frame: int = 0

    @property
    def is_ct(self) -> bool:
        """A grey-value CT image."""
        return self.modality == "CT" and self.samples == 1 and min(self.size) > 1

    @property
    def is_localizer(self) -> bool:
        """A scout view: a projection, not a slice (PS3.3 C.8.2.1.1.1, third value of Image Type)."""
        return any(value in ("LOCALIZER", "SCOUT", "TOPOGRAM") for value in self.image_type)

    @property
    def is_placed(self) -> bool:
        """It says where in the patient it lies, or has frames that may."""
        return self.frames > 1 or None not in (self.position, self.orientation, self.pixel_spacing)

    @property
    def expected_bytes(self) -> int:
        """Size of its pixel data uncompressed, from rows, columns, frames and bits."""
        return self.size[0] * self.size[1] * self.samples * self.frames * self.bits // 8


def is_dicom_file(path: Path) -> bool:
    """Whether a file carries DICOM's mark after its 128 byte preamble."""
    try:
        with open(path, "rb") as stream:
            return stream.read(132)[128:] == b"DICM"
    except OSError:
        return False


def read_headers(folder: Path, deep: bool = True) -> list[Slice]:
    """The images in a folder, ``deep`` also in its sub-folders, in name order; other files are passed over."""
    found = folder.rglob("*") if deep else folder.iterdir()
    files = (path for path in sorted(found) if path.is_file() and not path.name.startswith("."))
    slices = [_header(path) for path in files if path.name.upper() != "DICOMDIR" and is_dicom_file(path)]
    return [item for item in slices if item is not None]


def _header(path: Path) -> Slice | None:
    import pydicom

    logging.getLogger("pydicom").setLevel(logging.ERROR)
    try:
        with open(path, "rb") as stream:
            data = pydicom.dcmread(stream, stop_before_pixels=True, specific_tags=TAGS)
            return _slice(path, data, _pixel_bytes(stream, data))
    except (pydicom.errors.InvalidDicomError, OSError, ValueError, TypeError, AttributeError, KeyError) as error:
        raise InputError(f"The DICOM file {path.name} has a damaged header; copy the series again.") from error


def _pixel_bytes(stream: BinaryIO, data: Any) -> int | None:
    """Length of the pixel data at which pydicom has stopped reading: as stated, or what is left of the file if less.

    0 where there are none; None where they are compressed and say nothing by their length.
    """
    if data.file_meta.get("TransferSyntaxUID", UNCOMPRESSED[0]) not in UNCOMPRESSED:
        return None
    order = "<" if data.original_encoding[1] else ">"
    head = stream.read(12)
    if len(head) < 12 or struct.unpack(order + "HH", head[:4]) != PIXEL_DATA:
        return 0
    explicit = not data.original_encoding[0]
    length = int(struct.unpack(order + "I", head[8:12] if explicit else head[4:8])[0])
    if length == UNDEFINED_LENGTH:
        return None
    start = stream.tell() - (0 if explicit else 4)
    return min(length, stream.seek(0, 2) - start)


def _slice(path: Path, data: Any, pixel_bytes: int | None = None) -> Slice | None:
    if "Rows" not in data:
        return None  # reports, structure sets and the like: no image
    return Slice(
        path=path,
        uid=str(data.get("SOPInstanceUID", path.name)),
        series_uid=str(data.get("SeriesInstanceUID", "")),
        series_number=_whole(data.get("SeriesNumber")),
        description=str(data.get("SeriesDescription", "")).strip(),
        modality=str(data.get("Modality", "")),
        image_type=_texts(data.get("ImageType")),
        size=(int(data.Columns), int(data.Rows)),
        pixel_spacing=_numbers(data.get("PixelSpacing"), 2),  # type: ignore[arg-type]
        position=_numbers(data.get("ImagePositionPatient"), 3),
        orientation=_numbers(data.get("ImageOrientationPatient"), 6),
        frames=_whole(data.get("NumberOfFrames")) or 1,
        slope=_number(data.get("RescaleSlope")),
        intercept=_number(data.get("RescaleIntercept")),
        samples=_whole(data.get("SamplesPerPixel")) or 1,
        patient_position=str(data.get("PatientPosition", "")),
        photometric=str(data.get("PhotometricInterpretation", "")),
        bits=_whole(data.get("BitsAllocated")) or 16,
        pixel_bytes=pixel_bytes,
    )


def multiframe_slices(path: Path) -> list[Slice]:
    """The frames of an enhanced CT file, each with its own place.

    Raises:
        InputError: the file does not say where its frames lie.
    """
    import pydicom

    data = pydicom.dcmread(path, stop_before_pixels=True)
    shared = _first(data, "SharedFunctionalGroupsSequence")
    whole = _slice(path, data)
    groups = data.get("PerFrameFunctionalGroupsSequence") or []
    if whole is None or len(groups) != whole.frames:
        raise InputError(
            f"The multi-frame DICOM file {path.name} does not say where its frames lie; export single slices."
        )

    def entry(group: Any, macro: str, name: str) -> Any:
        item = _first(group, macro) or _first(shared, macro)
        return None if item is None else item.get(name)

    frames = []
    for number, group in enumerate(groups):
        frames.append(
            Slice(
                **{
                    **vars(whole),
                    "uid": f"{whole.uid}/{number}",
                    "frames": 1,
                    "frame": number,
                    "pixel_spacing": _numbers(entry(group, "PixelMeasuresSequence", "PixelSpacing"), 2),
                    "position": _numbers(entry(group, "PlanePositionSequence", "ImagePositionPatient"), 3),
                    "orientation": _numbers(entry(group, "PlaneOrientationSequence", "ImageOrientationPatient"), 6),
                    "slope": _number(entry(group, "PixelValueTransformationSequence", "RescaleSlope")),
                    "intercept": _number(entry(group, "PixelValueTransformationSequence", "RescaleIntercept")),
                }
            )
        )
    if not all(frame.is_placed for frame in frames):
        raise InputError(
            f"The multi-frame DICOM file {path.name} does not say where its frames lie; export single slices."
        )
    return frames


def _first(data: Any, name: str) -> Any:
    sequence = None if data is None else data.get(name)
    return sequence[0] if sequence else None


def _texts(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value.upper(),) if isinstance(value, str) else tuple(str(item).upper() for item in value)


def _numbers(value: Any, count: int) -> tuple[float, ...] | None:
    if value is None or isinstance(value, str) or len(value) != count:
        return None
    return tuple(float(item) for item in value)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _whole(value: Any) -> int | None:
    return None if value is None or value == "" else int(value)
