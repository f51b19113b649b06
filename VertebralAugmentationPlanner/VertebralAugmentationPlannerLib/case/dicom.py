"""DICOM series: filled in below in the next step."""

from __future__ import annotations

from pathlib import Path

from ..model import Image, InputError, PlanWarning


def is_dicom_file(path: Path) -> bool:
    """Whether a file carries DICOM's mark after its 128 byte preamble."""
    try:
        with open(path, "rb") as stream:
            return stream.read(132)[128:] == b"DICM"
    except OSError:
        return False


def read_dicom(path: Path, series: int | None) -> tuple[Image, list[Path], tuple[PlanWarning, ...]]:
    raise InputError("DICOM is not read yet; convert the series to NIfTI.")
