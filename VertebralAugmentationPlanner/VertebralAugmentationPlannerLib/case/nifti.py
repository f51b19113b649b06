"""What ITK leaves unsaid about a NIfTI header: no orientation at all, or two that disagree."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path

from ..model import InputError

HEADER_BYTES = 348
QFORM_CODE_AT = 252
"""Offset of the two int16 qform_code and sform_code in a NIfTI-1 header (nifti1.h)."""


def check_nifti(path: Path, what: str) -> None:
    """Refuse a NIfTI-1 file that does not say how it lies in the patient; other files pass untouched.

    ITK would silently take such a volume as if left, right, head and foot were known.

    Raises:
        InputError: both qform_code and sform_code are 0.
    """
    if not path.name.lower().endswith((".nii", ".nii.gz", ".img", ".hdr")):
        return
    header_path = path.with_suffix(".hdr") if path.suffix.lower() == ".img" else path
    header = _header(header_path)
    if len(header) < HEADER_BYTES or header[344:347] not in (b"n+1", b"ni1"):
        return  # not NIfTI-1: ITK says what it makes of it
    order = "<" if struct.unpack_from("<i", header)[0] == HEADER_BYTES else ">"
    qform, sform = struct.unpack_from(order + "hh", header, QFORM_CODE_AT)
    if qform <= 0 and sform <= 0:
        raise InputError(
            f"The {what} {path.name} does not say how it lies in the patient (qform and sform code 0), so left and "
            "right are unknown; convert it again from DICOM."
        )


def _header(path: Path) -> bytes:
    try:
        with open(path, "rb") as stream:
            start = stream.read(HEADER_BYTES)
        if start[:2] != b"\x1f\x8b":
            return start
        with gzip.open(path, "rb") as stream:
            return stream.read(HEADER_BYTES)
    except (OSError, EOFError, zlib.error):
        return b""  # a damaged file: reading it as an image gives the message
