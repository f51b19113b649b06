"""Reading whatever the caller has — path, ITK image, array with affine, Image — into a :class:`Volume`."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Union

import SimpleITK as sitk
from numpy.typing import ArrayLike, NDArray

from ..model import Image, ImageRecord, InputError, PlanWarning
from .convert import affine_of, image_from_array, image_from_sitk
from .dicom import is_dicom_file, read_dicom, split_series
from .itk import decoders_quiet, itk_warnings_off
from .orientation import require_orientation
from .masks import read_masks
from .nifti import nifti_voxels, orientation_notes
from .segments import Segmentation, is_segmentation, read_segmentation

Source = Union[str, "PathLike[str]", sitk.Image, Image, "tuple[NDArray, ArrayLike]"]

FORMATS = "NIfTI, NRRD, MHA or DICOM"
CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, eq=False)
class Volume:
    """A volume as read, its record for the plan, and, of a Slicer segmentation, its named segments."""

    image: Image
    record: ImageRecord
    segmentation: Segmentation | None = None
    warnings: tuple[PlanWarning, ...] = ()


def read(source: Source, what: str) -> Volume:
    """Read one input.

    Args:
        source: path of a file or DICOM folder, SimpleITK image (LPS), :class:`Image`, or (array [i, j, k],
            4 × 4 voxel-to-RAS matrix in mm).
        what: "CT", "segmentation" or "canal", for the messages.

    Raises:
        InputError: there is no such file, or it is not a three-dimensional volume.
    """
    if isinstance(source, (str, PathLike)):
        return _read_path(str(source), what)
    if isinstance(source, Image):
        return _in_memory(image_from_array(source.voxels, source.ijk_to_ras, what))
    if isinstance(source, sitk.Image) and source.GetPixelIDTypeAsString().startswith("label"):
        source = sitk.LabelMapToLabel(source)  # a list of runs: asking it for its voxels ends the process
    if isinstance(source, sitk.Image) and what != "CT" and is_segmentation(source):
        image, segmentation, warnings = read_segmentation(source, "given in memory")
        return Volume(image, record_of(image, None, None), segmentation, warnings)
    if isinstance(source, sitk.Image):
        return _in_memory(image_from_sitk(source, what))
    if isinstance(source, tuple) and len(source) == 2:
        return _in_memory(image_from_array(source[0], source[1], what))
    raise InputError(
        f"The {what} is a {type(source).__name__}; give a path, a SimpleITK image, an Image or (array, affine)."
    )


def _in_memory(image: Image) -> Volume:
    return Volume(image, record_of(image, None, None))


def record_of(image: Image, path: str | None, sha256: str | None) -> ImageRecord:
    """The entry of plan.json for an image."""
    size = tuple(int(n) for n in image.voxels.shape)
    spacing = tuple(round(float(s), 6) for s in image.spacing_mm)
    return ImageRecord(path, sha256, size, spacing)  # type: ignore[arg-type]


def _read_path(text: str, what: str) -> Volume:
    path, series = split_series(text)
    if not path.exists():
        raise InputError(f"The {what} {text} does not exist; check the path.")
    if not (path.is_file() or path.is_dir()):
        raise InputError(f"The {what} {text} is a pipe or a device, no file; save it to a file first.")
    if what == "segmentation" and path.is_dir() and not any(is_dicom_file(file) for file in path.iterdir()):
        image, parts, warnings, files = read_masks(path, lambda file: _plain(file, "segmentation"))
        return Volume(image, record_of(image, recorded_path(text), sha256_of(files)), parts, warnings)
    if path.is_dir() or is_dicom_file(path):
        if what != "CT":
            raise InputError(
                f"The {what} {recorded_path(text)} is DICOM; export it as NIfTI, NRRD or .seg.nrrd and give that file."
            )
        image, files, warnings = read_dicom(path, series)
        return Volume(image, record_of(image, recorded_path(text), sha256_of_series(files)), None, warnings)
    nifti = _nifti(path, what)
    image, segmentation, warnings = _by_itk(path, what) if nifti is None else (nifti, None, ())
    warnings = (*warnings, *orientation_notes(path, what, image))
    return Volume(image, record_of(image, recorded_path(text), sha256_of([path])), segmentation, warnings)


def _by_itk(path: Path, what: str) -> tuple[Image, Segmentation | None, tuple[PlanWarning, ...]]:
    raw = read_file(path, what)
    if not is_segmentation(raw):
        return image_from_sitk(raw, what), None, ()
    if what == "CT":
        raise InputError(f"The CT {path.name} is a Slicer segmentation; give the CT itself.")
    return read_segmentation(raw, path.name)


def _plain(path: Path, what: str) -> Image:
    image = _nifti(path, what)
    return image_from_sitk(read_file(path, what), what) if image is None else image


def _nifti(path: Path, what: str) -> Image | None:
    """A NIfTI file whose voxels are kept while they are checked, placed by ITK; None where ITK has to read them, too."""
    voxels = nifti_voxels(path, what)
    if voxels is None:
        return None
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    with _itk_errors_in_words(path, what):
        reader.ReadImageInformation()
    if reader.GetSize() != voxels.shape[::-1]:
        return None
    return image_from_array(voxels.transpose(2, 1, 0), affine_of(reader), what)


def read_file(path: Path, what: str) -> sitk.Image:
    """Read one image file with ITK.

    Raises:
        InputError: not an image, a damaged one, one whose direction is not orthonormal, or one without directions.
    """
    require_orientation(path, what)
    with _itk_errors_in_words(path, what):
        return sitk.ReadImage(str(path))


@contextlib.contextmanager
def _itk_errors_in_words(path: Path, what: str) -> Iterator[None]:
    try:
        with itk_warnings_off(), decoders_quiet():
            yield
    except RuntimeError as error:
        text = str(error)
        if "orthonormal" in text.lower() or "non-orthogonal" in text.lower():
            raise InputError(
                f"The {what} {path.name} has a skewed orientation matrix; resample it to a rectangular grid first."
            ) from error
        if not path.stat().st_size:
            raise InputError(f"The {what} {path.name} is empty (0 bytes); copy it again.") from error
        if os.name == "nt" and not str(path.resolve()).isascii():  # ITK opens files by the system's narrow names
            raise InputError(
                f"The {what} {path.name} cannot be opened where it lies: outside Slicer, Windows' image library needs a path of plain "
                "letters without accents; move the case to one."
            ) from error
        raise InputError(
            f"The {what} {path.name} cannot be read as an image; give a {FORMATS} volume, and copy it "
            "again if it is one."
        ) from error


def sha256_of(files: Iterable[Path]) -> str:
    """SHA-256 over the bytes of the files, in name order."""
    digest = hashlib.sha256()
    for path in sorted(files, key=lambda p: p.name):
        with open(path, "rb") as stream:
            while chunk := stream.read(CHUNK_BYTES):
                digest.update(chunk)
    return digest.hexdigest()


def sha256_of_series(files: Sequence[Path]) -> str:
    """SHA-256 of a DICOM series under whatever names an archive gives its files: of one file that of its bytes, of several
    that over the ordered SHA-256 of each."""
    digests = sorted(sha256_of([path]) for path in files)
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def recorded_path(text: str) -> str:
    """What the plan keeps of a path: a relative one as given, of an absolute one the name alone.

    An absolute path names people and machines and differs between computers; the checksum identifies the file.
    """
    path = Path(text)
    return path.name if path.is_absolute() else path.as_posix()


def describe(source: Any) -> str:
    """Name of a source for messages."""
    return Path(source).name if isinstance(source, (str, PathLike)) else "given in memory"
