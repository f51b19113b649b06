"""Whether an image file says how it lies in the patient. ITK takes a file that doesn't as if its axes ran to the patient's
left, back and head: nothing then tells that left and right are swapped.
"""

from __future__ import annotations

import re
import struct
from pathlib import Path

import SimpleITK as sitk

from ..model import InputError
from .nifti import CODES_AT, HEADER_BYTES

SPACES = frozenset(
    space + time
    for space in (
        "right-anterior-superior",
        "left-anterior-superior",
        "left-posterior-superior",
        "scanner-xyz",
        "ras",
        "las",
        "lps",
    )
    for time in ("", "-time", "t")
)
"""Values of NRRD's field “space” that name the patient's axes (definition of NRRD, “Space and orientation information”);
“3D-right-handed” and its like don't."""

META_KEYS = ("transformmatrix", "rotation", "orientation")
"""Names under which MetaIO keeps the direction of the axes."""

ORIENTED = frozenset({"MINCImageIO", "MGHImageIO", "HDF5ImageIO", "GDCMImageIO"})
"""Other readers of ITK whose files always have directions."""

HEADER_LIMIT = 1 << 16


def require_orientation(path: Path, what: str) -> None:
    """Refuse a file that does not say how its axes lie in the patient.

    A file that no reader knows passes: reading it gives the message.

    Raises:
        InputError: it doesn't say.
    """
    reader = sitk.ImageFileReader.GetImageIOFromFileName(str(path))
    if not reader or reader in ORIENTED:
        return
    missing = {"NrrdImageIO": _nrrd, "MetaImageIO": _meta, "NiftiImageIO": _nifti}.get(reader, _other)(path)
    if missing:
        raise InputError(
            f"The {what} {path.name} does not say how it lies in the patient ({missing}), so left and right are unknown; "
            "convert it again from DICOM to NIfTI, NRRD or MHA."
        )


def _other(path: Path) -> str:
    return f"{path.suffix or 'its format'} has no orientation"


def _nrrd(path: Path) -> str:
    fields = dict(re.findall(r"^([^:#\n]+):[ =]?(.*)$", _text(path, b"\n\n"), re.MULTILINE))
    fields = {name.strip().lower(): value.strip().lower() for name, value in fields.items()}
    space = fields.get("space", "")
    if space in SPACES and "space directions" in fields:
        return ""
    return f"NRRD space “{space}”" if space and space not in SPACES else "NRRD without space or space directions"


def _meta(path: Path) -> str:
    keys = re.findall(r"^\s*(\w+)\s*=", _text(path, b"ElementDataFile"), re.MULTILINE)
    return "" if any(key.lower() in META_KEYS for key in keys) else "MetaImage without TransformMatrix"


def _nifti(path: Path) -> str:
    """Of a pair of files; a single one has been looked at by :mod:`.nifti`."""
    if path.suffix.lower() not in (".hdr", ".img"):
        return ""
    try:
        header = path.with_suffix(".hdr").read_bytes()[:HEADER_BYTES]
    except OSError:
        return ""
    if len(header) < HEADER_BYTES or header[344:347] != b"ni1":
        return "Analyze has no orientation"
    order = "<" if struct.unpack_from("<i", header)[0] == HEADER_BYTES else ">"
    return "" if max(struct.unpack_from(order + "hh", header, CODES_AT)) > 0 else "qform and sform code 0"


def _text(path: Path, end: bytes) -> str:
    """The head of a file as text, up to what ends its header."""
    with open(path, "rb") as stream:
        head = stream.read(HEADER_LIMIT).replace(b"\r\n", b"\n")
    return head.partition(end)[0].decode("latin-1")
