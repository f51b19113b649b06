"""What ITK leaves unsaid about a NIfTI file: cut short, damaged, holding NaN, without orientation or with two.

ITK fills a file that ends too early with zeros, reads no further than the last voxel and so never compares the gzip
checksum, turns NaN and infinity into 0 (nifti_read_buffer in nifti1_io.c), takes a file without orientation as if
left, right, head and foot were known, and one of two orientations without a word. Offsets are those of the NIfTI-1
header (nifti1.h).
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from io import BufferedReader
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from ..model import Image, InputError, PlanWarning

HEADER_BYTES, FIRST_VOXEL_AT, NIFTI_2_BYTES = 348, 352, 540
DIM_AT, DATATYPE_AT, BITPIX_AT, VOX_OFFSET_AT, CODES_AT = 40, 70, 72, 108, 252
VOXEL_TYPES = {2: "u1", 256: "i1", 4: "i2", 512: "u2", 8: "i4", 768: "u4", 1024: "i8", 1280: "u8", 16: "f4", 64: "f8"}
"""NumPy's names of the NIfTI datatype codes of one real number a voxel."""
QUATERNION_AT, SFORM_AT, PIXDIM_AT, SCALE_AT = 256, 280, 76, 112
CHUNK_BYTES = 1 << 20

MOST_PACKED = 1100
"""No gzip stream unpacks to more than 1032 times its size (zlib's technical notes): a header that asks for more lies."""

AGREEMENT_MM = 0.5
"""Two matrices of one file that place a corner of the volume this far apart are two different opinions. Farther apart
than a voxel as well, the file is refused: programs differ in which one they follow (nibabel the sform, ITK by the
codes), so the labels drawn in one would lie elsewhere in another. [D]"""


def nifti_voxels(path: Path, what: str) -> NDArray | None:
    """The voxels [k, j, i] of a NIfTI-1 file, unpacked once to check and to keep them.

    Returns:
        the voxels as stored; None where ITK has to read the file: no single-file NIfTI-1, scaled values, other than three
        dimensions, or other than one real number a voxel.

    Raises:
        InputError: ITK would read it as something else than it is: the file ends before its last voxel, is damaged, holds
            NaN or infinity, or has qform_code and sform_code 0 or an orientation that is no number.
    """
    if not path.name.lower().endswith((".nii", ".nii.gz")):
        return None
    header = _header(path)
    if header[:4] in (struct.pack(order + "i", NIFTI_2_BYTES) for order in "<>"):
        raise InputError(f"The {what} {path.name} is NIfTI-2, which is not read; save it as NIfTI-1.")
    if len(header) < HEADER_BYTES or header[344:347] != b"n+1":
        return None  # not a single-file NIfTI-1: ITK says what it makes of it
    order = "<" if struct.unpack_from("<i", header)[0] == HEADER_BYTES else ">"
    qform, sform = struct.unpack_from(order + "hh", header, CODES_AT)
    if qform <= 0 and sform <= 0:
        raise InputError(
            f"The {what} {path.name} does not say how it lies in the patient (qform and sform code 0), so left and "
            "right are unknown; convert it again from DICOM."
        )
    matrices = {
        "qform": _qform(header, order) if qform > 0 else None,
        "sform": _sform(header, order) if sform > 0 else None,
    }
    broken = [name for name, matrix in matrices.items() if matrix is not None and not np.isfinite(matrix).all()]
    if broken:
        raise InputError(
            f"The {what} {path.name} has an orientation that is no number ({' and '.join(broken)}); convert it again from "
            "DICOM."
        )
    dim = struct.unpack_from(order + "8h", header, DIM_AT)
    (bits,) = struct.unpack_from(order + "h", header, BITPIX_AT)
    (offset,) = struct.unpack_from(order + "f", header, VOX_OFFSET_AT)
    if not math.isfinite(offset) or offset < 0:
        raise InputError(f"The {what} {path.name} has a damaged header (vox_offset {offset:g}); copy it again.")
    count = math.prod(max(n, 1) for n in dim[1 : 1 + max(dim[0], 0)])
    expected = count * bits // 8
    (datatype,) = struct.unpack_from(order + "h", header, DATATYPE_AT)
    kind = np.dtype(order + VOXEL_TYPES[datatype]) if datatype in VOXEL_TYPES else None
    try:
        size, stored = _read_through(path, int(offset), expected)
    except EOFError:
        size, stored = 0, np.empty(0, np.uint8)  # the gzip stream itself has no end
    except (gzip.BadGzipFile, zlib.error) as error:
        raise InputError(
            f"The {what} {path.name} is damaged (it does not unpack to what its checksum says), so its voxels cannot "
            "be trusted; copy it again."
        ) from error
    if size < expected:
        raise InputError(f"The {what} {path.name} is cut short, its last slices are missing; copy it again.")
    if kind is None or expected != count * kind.itemsize:
        return None
    voxels = stored.view(kind)
    bad = _not_finite(voxels) if kind.kind == "f" else 0
    if bad:
        raise InputError(
            f"The {what} {path.name} holds {bad} voxels that are NaN or infinite; export it again with a number in "
            "every voxel."
        )
    slope, intercept = struct.unpack_from(order + "2f", header, SCALE_AT)
    scaled = slope not in (0.0, 1.0) or intercept != 0.0  # a slope of 0 stands for 1
    if scaled or dim[0] != 3 or min(dim[1:4]) < 1 or offset < FIRST_VOXEL_AT:
        return None
    return voxels.astype(kind.newbyteorder("="), copy=False).reshape(dim[3], dim[2], dim[1])


def orientation_notes(path: Path, what: str, image: Image) -> tuple[PlanWarning, ...]:
    """A caution where the two matrices of a NIfTI-1 file (qform, sform) disagree by less than a voxel.

    Args:
        image: as ITK read it, by one of the two.

    Raises:
        InputError: they differ in left and right, or place a corner of the volume more than a voxel apart.
    """
    header = _header(path) if path.name.lower().endswith((".nii", ".nii.gz")) else b""
    if len(header) < HEADER_BYTES or header[344:347] != b"n+1":
        return ()
    order = "<" if struct.unpack_from("<i", header)[0] == HEADER_BYTES else ">"
    if min(struct.unpack_from(order + "hh", header, CODES_AT)) <= 0:
        return ()
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in image.voxels.shape])).reshape(3, -1).T
    used = image.to_ras(corners)
    matrices = {"qform": _qform(header, order), "sform": _sform(header, order)}
    apart = {
        name: float(np.linalg.norm(corners @ matrix[:, :3].T + matrix[:, 3] - used, axis=1).max())
        for name, matrix in matrices.items()
    }
    if max(apart.values()) <= AGREEMENT_MM:
        return ()
    taken, other = sorted(apart, key=lambda name: apart[name])
    mirrored = np.linalg.det(matrices["qform"][:, :3]) * np.linalg.det(matrices["sform"][:, :3]) < 0
    if mirrored or max(apart.values()) > max(AGREEMENT_MM, float(image.spacing_mm.min())):
        raise InputError(_contradiction(path, what, apart[other], bool(mirrored)))
    message = (
        f"The {what} {path.name} has two orientations that lie up to {apart[other]:.1f} mm apart; its {taken} is used, "
        f"its {other} is not: check that CT and labels lie on each other."
    )
    return (PlanWarning("nifti_two_orientations", "caution", message, "NIfTI-1 header, qform and sform"),)


def _contradiction(path: Path, what: str, apart_mm: float, mirrored: bool) -> str:
    how = "left and right are swapped between them" if mirrored else f"they lie up to {apart_mm:.1f} mm apart"
    return (
        f"The {what} {path.name} has two orientations that contradict each other (qform and sform: {how}), so it is "
        "unknown which side is left and where it lies; convert it again from DICOM, or make both the right one (in "
        "Python with nibabel: image.set_qform(image.get_sform()), or the reverse) and save it."
    )


def _sform(header: bytes, order: str) -> NDArray:
    return np.reshape(struct.unpack_from(order + "12f", header, SFORM_AT), (3, 4)).astype(float)


def _qform(header: bytes, order: str) -> NDArray:
    """3 × 4 matrix of the quaternion, as nifti1.h, method 2, has it; NaN where a part of it is no number."""
    qfac, *spacing = struct.unpack_from(order + "4f", header, PIXDIM_AT)
    b, c, d, *offset = struct.unpack_from(order + "6f", header, QUATERNION_AT)
    if not np.isfinite([qfac, *spacing, b, c, d, *offset]).all():
        return np.full((3, 4), np.nan)
    a = np.sqrt(max(0.0, 1 - b * b - c * c - d * d))
    turn = Rotation.from_quat([b, c, d, a]).as_matrix()
    turn[:, 2] *= -1 if qfac < 0 else 1
    return np.column_stack([turn * spacing, offset])


def _read_through(path: Path, offset: int, count: int) -> tuple[int, NDArray[np.uint8]]:
    """How many bytes a file holds from an offset on, and the first ``count`` of them.

    A packed file is read to its end, where gzip compares the checksum: EOFError where it has none, BadGzipFile or
    zlib.error where it is damaged.
    """
    stored_bytes = path.stat().st_size
    with _open(path) as stream:
        packed = isinstance(stream, gzip.GzipFile)
        if count > stored_bytes * (MOST_PACKED if packed else 1):
            raise EOFError
        stored = np.empty(count, np.uint8)
        skipped, filled = len(stream.read(offset)), 0
        while filled < count and (got := stream.readinto(stored.data[filled : filled + CHUNK_BYTES])):
            filled += got
        while packed and stream.read(CHUNK_BYTES):
            pass
    return (filled if skipped == offset else 0), stored[:filled]


def _not_finite(voxels: NDArray) -> int:
    """How many are NaN or infinite."""
    step = CHUNK_BYTES // voxels.itemsize
    parts = (voxels[first : first + step] for first in range(0, voxels.size, step))
    return sum(part.size - int(np.count_nonzero(np.isfinite(part))) for part in parts)


def _open(path: Path) -> BufferedReader | gzip.GzipFile:
    with open(path, "rb") as stream:
        packed = stream.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if packed else open(path, "rb")


def _header(path: Path) -> bytes:
    try:
        with _open(path) as stream:
            return stream.read(HEADER_BYTES)
    except (OSError, EOFError, zlib.error):
        return b""  # no gzip file after all: reading it as an image gives the message
