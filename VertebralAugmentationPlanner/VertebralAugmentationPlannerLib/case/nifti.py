"""What ITK leaves unsaid about a NIfTI file: cut short, holding NaN, or without orientation.

ITK fills a file that ends too early with zeros, turns NaN and infinity into 0 (nifti_read_buffer in nifti1_io.c), and
takes a file without orientation as if left, right, head and foot were known. Offsets are those of the NIfTI-1 header
(nifti1.h).
"""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from ..model import Image, InputError, PlanWarning

HEADER_BYTES = 348
DIM_AT, DATATYPE_AT, BITPIX_AT, VOX_OFFSET_AT, CODES_AT = 40, 70, 72, 108, 252
FLOAT_TYPES = {16: "f4", 64: "f8"}
"""NIfTI datatype codes of floating point voxels."""
QUATERNION_AT, SFORM_AT, PIXDIM_AT = 256, 280, 76
CHUNK_BYTES = 1 << 20

AGREEMENT_MM = 0.5
"""Two matrices of one file that place a corner of the volume this far apart are two different opinions. [D]"""


def check_nifti(path: Path, what: str) -> None:
    """Refuse a NIfTI-1 file that ITK would read as something else than it is; other files pass untouched.

    Raises:
        InputError: the file ends before its last voxel, holds NaN or infinity, or has qform_code and sform_code 0.
    """
    if not path.name.lower().endswith((".nii", ".nii.gz")):
        return
    header = _header(path)
    if len(header) < HEADER_BYTES or header[344:347] != b"n+1":
        return  # not a single-file NIfTI-1: ITK says what it makes of it
    order = "<" if struct.unpack_from("<i", header)[0] == HEADER_BYTES else ">"
    qform, sform = struct.unpack_from(order + "hh", header, CODES_AT)
    if qform <= 0 and sform <= 0:
        raise InputError(
            f"The {what} {path.name} does not say how it lies in the patient (qform and sform code 0), so left and "
            "right are unknown; convert it again from DICOM."
        )
    dim = struct.unpack_from(order + "8h", header, DIM_AT)
    (bits,) = struct.unpack_from(order + "h", header, BITPIX_AT)
    (offset,) = struct.unpack_from(order + "f", header, VOX_OFFSET_AT)
    expected = int(offset) + int(np.prod([max(n, 1) for n in dim[1 : 1 + max(dim[0], 0)]], dtype=np.int64)) * bits // 8
    if _is_shorter(path, expected):
        raise InputError(f"The {what} {path.name} is cut short, its last slices are missing; copy it again.")
    (datatype,) = struct.unpack_from(order + "h", header, DATATYPE_AT)
    if datatype in FLOAT_TYPES:
        bad = _not_finite(path, int(offset), np.dtype(order + FLOAT_TYPES[datatype]))
        if bad:
            raise InputError(
                f"The {what} {path.name} holds {bad} voxels that are NaN or infinite; export it again with a number in "
                "every voxel."
            )


def orientation_notes(path: Path, what: str, image: Image) -> tuple[PlanWarning, ...]:
    """A caution where the two matrices of a NIfTI-1 file (qform, sform) disagree; ITK has used one of them.

    Args:
        image: as ITK read it.
    """
    header = _header(path) if path.name.lower().endswith((".nii", ".nii.gz")) else b""
    if len(header) < HEADER_BYTES or header[344:347] != b"n+1":
        return ()
    order = "<" if struct.unpack_from("<i", header)[0] == HEADER_BYTES else ">"
    if min(struct.unpack_from(order + "hh", header, CODES_AT)) <= 0:
        return ()
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in image.voxels.shape])).reshape(3, -1).T
    used = image.to_ras(corners)
    apart = {}
    for name, matrix in (("qform", _qform(header, order)), ("sform", _sform(header, order))):
        apart[name] = float(np.linalg.norm(corners @ matrix[:, :3].T + matrix[:, 3] - used, axis=1).max())
    if max(apart.values()) <= AGREEMENT_MM:
        return ()
    taken, other = sorted(apart, key=lambda name: apart[name])
    message = (
        f"The {what} {path.name} has two orientations that lie up to {apart[other]:.1f} mm apart; its {taken} is used, "
        f"its {other} is not: check that CT and labels lie on each other."
    )
    return (PlanWarning("nifti_two_orientations", "caution", message, "NIfTI-1 header, qform and sform"),)


def _sform(header: bytes, order: str) -> NDArray:
    return np.reshape(struct.unpack_from(order + "12f", header, SFORM_AT), (3, 4)).astype(float)


def _qform(header: bytes, order: str) -> NDArray:
    """3 × 4 matrix of the quaternion, as nifti1.h, method 2, has it."""
    qfac, *spacing = struct.unpack_from(order + "4f", header, PIXDIM_AT)
    b, c, d, *offset = struct.unpack_from(order + "6f", header, QUATERNION_AT)
    a = np.sqrt(max(0.0, 1 - b * b - c * c - d * d))
    turn = Rotation.from_quat([b, c, d, a]).as_matrix()
    turn[:, 2] *= -1 if qfac < 0 else 1
    return np.column_stack([turn * spacing, offset])


def _not_finite(path: Path, offset: int, kind: np.dtype) -> int:
    count = 0
    with _open(path) as stream:
        stream.read(offset)
        while chunk := stream.read(CHUNK_BYTES):
            values = np.frombuffer(chunk[: len(chunk) // kind.itemsize * kind.itemsize], kind)
            count += values.size - int(np.count_nonzero(np.isfinite(values)))
    return count


def _open(path: Path) -> BinaryIO:
    with open(path, "rb") as stream:
        packed = stream.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if packed else open(path, "rb")  # type: ignore[return-value]


def _header(path: Path) -> bytes:
    try:
        with _open(path) as stream:
            return stream.read(HEADER_BYTES)
    except (OSError, EOFError, zlib.error):
        return b""  # no gzip file after all: reading it as an image gives the message


def _is_shorter(path: Path, expected: int) -> bool:
    with open(path, "rb") as stream:
        if stream.read(2) != b"\x1f\x8b":
            return path.stat().st_size < expected
        stream.seek(-4, 2)
        # A gzip file ends with its unpacked length (modulo 2³²): no need to unpack it twice …
        if struct.unpack("<I", stream.read(4))[0] == expected % (1 << 32):
            return False
    # … unless it was packed in several members, or holds more than the voxels. Then count.
    count = 0
    try:
        with _open(path) as stream:
            while chunk := stream.read(CHUNK_BYTES):
                count += len(chunk)
    except (OSError, EOFError, zlib.error):
        return True
    return count < expected
