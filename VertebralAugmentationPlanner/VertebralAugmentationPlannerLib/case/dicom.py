"""DICOM CT: choosing one series of a folder and reading it as a volume."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from ..model import Image, InputError, PlanWarning
from .convert import MIN_SLICES, image_from_array
from .dicom_headers import Slice, is_dicom_file, multiframe_slices, read_headers
from .dicom_stack import Stack, stack
from .itk import decoders_quiet, itk_warnings_off

MAX_LISTED = 6
"""Series named in a message; more would not be read."""


def split_series(text: str) -> tuple[Path, int | None]:
    """``folder#4`` names series 4 of a DICOM folder; a path that exists with its # is that path."""
    whole = Path(text)
    folder, mark, number = text.rpartition("#")
    if mark and number.isdecimal() and not whole.exists():
        return Path(folder), int(number)
    return whole, None


def read_dicom(path: Path, series: int | None) -> tuple[Image, list[Path], tuple[PlanWarning, ...]]:
    """Read one CT series.

    Args:
        path: folder (searched with its sub-folders), or one file of the series.
        series: SeriesNumber to take, or None where there is but one.

    Returns:
        The volume in HU (on its own, possibly sheared, grid), its files, and notes.

    Raises:
        InputError: no CT, several series, or a series that is not one evenly spaced stack.
    """
    slices = read_headers(path) if path.is_dir() else read_headers(path.parent, deep=False)
    if not slices:
        place = "folder" if path.is_dir() else "file"
        raise InputError(f"The {place} {path.name} holds no DICOM images; give the folder of the CT series.")
    chosen, warnings = _one_series(slices, path, series)
    _refuse_damaged(chosen)
    if any(item.frames > 1 for item in chosen):
        chosen = _frames(chosen, path)
    ordered = stack(chosen, _title(chosen[0]))
    voxels = _pixels(ordered)
    image = image_from_array(voxels, ordered.ijk_to_ras, "CT")
    notes = [*warnings, *ordered.warnings, *_notes(chosen)]
    return image, sorted({item.path for item in ordered.slices}), tuple(notes)


def _one_series(slices: list[Slice], path: Path, number: int | None) -> tuple[list[Slice], list[PlanWarning]]:
    groups: dict[str, list[Slice]] = {}
    for item in slices:
        groups.setdefault(item.series_uid, []).append(item)
    if not path.is_dir():
        own = next((group for group in groups.values() if any(item.path == path for item in group)), None)
        if own is None:
            raise InputError(f"{path.name} holds no DICOM image; give a file of the CT series, or its folder.")
        groups = {own[0].series_uid: own}
    volumes, ignored = {}, []
    for uid, group in groups.items():
        images = [item for item in group if item.is_ct and not item.is_localizer and item.is_placed]
        count = sum(item.frames for item in images)
        if count >= MIN_SLICES:
            volumes[uid] = images
        else:
            ignored.append(group)
    if number is not None:
        volumes = {uid: group for uid, group in volumes.items() if group[0].series_number == number}
        if not volumes:
            have = ", ".join(sorted({f"#{group[0].series_number}" for group in groups.values()}))
            raise InputError(f"{path.name} holds no CT series number {number} (there are {have}).")
    if not volumes:
        raise InputError(
            f"{path.name} holds no CT series of at least {MIN_SLICES} slices (found: {_found(ignored)}); give the folder "
            "of the axial CT."
        )
    if len(volumes) > 1:
        raise InputError(_several(list(volumes.values()), path))
    warnings = [
        PlanWarning(
            "dicom_ignored", "info", f"{_title(group[0])} with {len(group)} images was left aside.", "DICOM header"
        )
        for group in ignored
    ]
    return next(iter(volumes.values())), warnings


def _frames(files: list[Slice], path: Path) -> list[Slice]:
    """The frames of the one multi-frame file: the file given, or the only one of its series in a folder."""
    files = list({item.uid: item for item in files if path.is_dir() or item.path == path}.values())
    title = _title(files[0])
    if len(files) > 1:
        names = ", ".join(item.path.name for item in files[:MAX_LISTED])
        raise InputError(
            f"The DICOM series {title} holds {len(files)} files, of which each may be a volume ({names}); give one of them."
        )
    frames = multiframe_slices(files[0].path)
    if len({(item.slope, item.intercept) for item in frames}) > 1:
        # ITK takes the slope and intercept of the first frame for all.
        raise InputError(
            f"The DICOM series {title} scales its frames to HU each in its own way; export it as single slices."
        )
    return frames


def _found(groups: list[list[Slice]]) -> str:
    """What there is instead of a usable CT series, each with what it lacks."""
    found = dict.fromkeys(_lack(group) for group in groups)
    return "; ".join([*list(found)[:MAX_LISTED], *(["…"] if len(found) > MAX_LISTED else [])])


def _lack(group: list[Slice]) -> str:
    first = group[0]
    if first.modality != "CT":
        return first.modality or "unknown"
    if first.is_localizer:
        return f"{_title(first)}, a localizer"
    if not first.is_ct:
        return f"{_title(first)}, colour pictures"
    placeless = [item for item in group if not item.is_placed]
    if placeless:
        needed = {"position": first.position, "orientation": first.orientation, "pixel spacing": first.pixel_spacing}
        lacking = " or ".join(name for name, value in needed.items() if value is None) or "position"
        return f"{_title(first)}, {len(placeless)} of {len(group)} images without {lacking}"
    return f"{_title(first)}, {len(group)} image{'s' if len(group) > 1 else ''}"


def _refuse_damaged(slices: list[Slice]) -> None:
    """Raise where a file lacks pixels (ITK would shift or invent those of the whole series), has no place, or is inverted."""
    for item in slices:
        place = (*(item.position or ()), *(item.orientation or ()), *(item.pixel_spacing or ()))
        if not np.isfinite(place).all():
            raise InputError(
                f"The DICOM file {item.path.name} of the series {_title(item)} has a position, orientation or pixel spacing "
                "that is no number; copy the series again."
            )
        if item.pixel_bytes is not None and item.pixel_bytes < item.expected_bytes:
            state = "holds no image" if not item.pixel_bytes else "is damaged, a part of its image is missing"
            raise InputError(
                f"The DICOM file {item.path.name} of the series {_title(item)} {state} ({item.pixel_bytes} of "
                f"{item.expected_bytes} bytes); copy the series again."
            )
    if any(item.photometric == "MONOCHROME1" for item in slices):
        raise InputError(
            f"The DICOM series {_title(slices[0])} is stored inverted (MONOCHROME1), so its values are no HU when read; "
            "export it again as MONOCHROME2."
        )


def _several(groups: list[list[Slice]], path: Path) -> str:
    groups = sorted(groups, key=lambda group: (group[0].series_number or 0, group[0].series_uid))
    listed = "; ".join(_describe(group) for group in groups[:MAX_LISTED])
    more = "; …" if len(groups) > MAX_LISTED else ""
    numbers = [group[0].series_number for group in groups]
    if len(set(numbers)) == len(numbers) and None not in numbers:
        how = f"choose one as {path.name}#{numbers[0]}, or give its own folder or one of its files"
    else:
        how = "choose one by giving its own folder or one of its files"
    return f"{path.name} holds {len(groups)} CT series ({listed}{more}); {how}."


def _describe(group: list[Slice]) -> str:
    first = group[0]
    count = sum(item.frames for item in group)
    spacing = "unknown spacing"
    if first.pixel_spacing and first.position and len(group) > 1:
        normal = np.cross(first.orientation[:3], first.orientation[3:])  # type: ignore[index]
        depth = np.sort([np.dot(item.position, normal) for item in group])  # type: ignore[arg-type]
        spacing = f"{first.pixel_spacing[0]:.2f} × {first.pixel_spacing[1]:.2f} × {np.median(np.diff(depth)):.2f} mm"
    return f"{_title(first)}, {count} slices, {spacing}"


def _title(item: Slice) -> str:
    number = "" if item.series_number is None else f"#{item.series_number} "
    return f"{number}“{item.description or 'no description'}”"


def _pixels(ordered: Stack) -> NDArray:
    """Voxels [i, j, k] in HU, 16-bit where they fit."""
    files = [str(item.path) for item in ordered.slices]
    try:
        compressed = any(item.pixel_bytes is None for item in ordered.slices)
        with itk_warnings_off(), decoders_quiet() if compressed else nullcontext():
            if len(set(files)) == 1:
                array = sitk.GetArrayFromImage(sitk.ReadImage(files[0]))[ordered.frame_order]
            else:
                reader = sitk.ImageSeriesReader()
                reader.SetFileNames(files)
                if len({(item.slope, item.intercept) for item in ordered.slices}) > 1:
                    # ITK takes the pixel type of the first slice for all; scaled differently, others need not fit it.
                    reader.SetOutputPixelType(sitk.sitkFloat32)
                array = sitk.GetArrayFromImage(reader.Execute())
    except RuntimeError as error:
        raise InputError(
            f"The DICOM series {_title(ordered.slices[0])} has images that cannot be decoded (damaged, or an unknown "
            "compression); export it again uncompressed."
        ) from error
    return _narrow(array).transpose(2, 1, 0)


def _narrow(array: NDArray) -> NDArray:
    limits = np.iinfo(np.int16)
    if array.dtype == np.int16:
        return array
    if array.min() < limits.min or array.max() > limits.max:
        return array.astype(np.float32)
    if np.issubdtype(array.dtype, np.floating) and not all(np.array_equal(a, np.rint(a)) for a in array):
        return array.astype(np.float32)
    return array.astype(np.int16)


def _notes(slices: Iterable[Slice]) -> list[PlanWarning]:
    slices = list(slices)
    notes = []
    if any(item.slope is None or item.intercept is None for item in slices):
        notes.append(
            PlanWarning(
                "no_rescale",
                "caution",
                "The series has no rescale slope and intercept; its values may not be HU, so density is unsure.",
                "DICOM PS3.3 C.8.2.1 (CT Image): both are required",
            )
        )
    if any(item.patient_position in ("HFP", "FFP") for item in slices):
        notes.append(
            PlanWarning(
                "patient_prone",
                "info",
                "The patient lay prone in the CT; deformity may show otherwise than supine.",
                "DICOM PatientPosition",
            )
        )
    return notes


__all__ = ["is_dicom_file", "read_dicom", "split_series"]
