"""The CT series a DICOM export refers to: patient, study and frame of reference come from it and from nowhere else."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from ..case.dicom import is_dicom_file, read_dicom, split_series
from ..model import CasePlan, Image, ImageRecord, InputError
from ..model.geometry import FloatArray

EDGE_MM = 1.0
"""A planned point may lie this far outside the outermost voxel centres; more means another patient or series."""

MANUFACTURER = "VertebralAugmentationPlanner contributors"
DERIVED_SERIES_NUMBER = 9000
"""Series numbers of scanners stay far below; each export adds a small number of its own."""

MAY_BE_EMPTY = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
    "SeriesNumber",
    "PositionReferenceIndicator",
)
"""Type 2 attributes of patient, study, series and frame of reference (PS3.3 C.7.1–7.4): there, but maybe empty. Who makes a
series anonymous often leaves them out."""

MUST_BE_THERE = {
    "FrameOfReferenceUID": "frame of reference",
    "StudyInstanceUID": "study",
    "SeriesInstanceUID": "series",
}
"""What positions and documents refer to, and what it is called."""


@dataclass(frozen=True, eq=False)
class SourceSeries:
    """Headers of a CT series (in the order of its slices' positions), its volume in RAS, and its record as a plan has it."""

    headers: list[Any]
    image: Image
    record: ImageRecord

    @property
    def frame_of_reference_uid(self) -> str:
        """Frame of Reference UID, the same in all slices."""
        return str(self.headers[0].FrameOfReferenceUID)

    @property
    def is_multi_frame(self) -> bool:
        """Whether its slices are frames of one object (an enhanced CT), which has no position of its own."""
        return any(int(header.get("NumberOfFrames") or 1) > 1 for header in self.headers)

    def grid(self) -> Image:
        """The series' grid in the order of its frames: indices are slice, row, column; voxels are empty.

        Raises:
            InputError: a multi-frame object, whose frames this version does not segment.
        """
        if self.is_multi_frame:
            raise InputError(
                "The CT is a multi-frame object (an enhanced CT): dicom-seg needs a series of single slices; export the CT as"
                " such, or leave dicom-seg out."
            )
        first = self.headers[0]
        start, end = (np.array(header.ImagePositionPatient, float) for header in (first, self.headers[-1]))
        along_row, along_column = np.array(first.ImageOrientationPatient, float).reshape(2, 3)
        row_step, column_step = (float(value) for value in first.PixelSpacing)
        to_lps = np.eye(4)
        to_lps[:3, 0] = (end - start) / (len(self.headers) - 1)
        to_lps[:3, 1] = along_column * row_step
        to_lps[:3, 2] = along_row * column_step
        to_lps[:3, 3] = start
        shape = (len(self.headers), int(first.Rows), int(first.Columns))
        voxels = np.broadcast_to(np.int16(0), shape)
        return Image(voxels, np.diag([-1.0, -1.0, 1.0, 1.0]) @ to_lps)


def read_source_series(folder: str | PathLike[str]) -> SourceSeries:
    """Read the headers of the CT series that a plan was made from.

    Args:
        folder: the DICOM folder (``folder#4`` for series 4 of several), or one file of the series.

    Raises:
        InputError: not DICOM (a NIfTI, NRRD or MHA file has no patient, study or frame of reference to refer to), or
            not one usable series.
    """
    path, series = split_series(str(folder))
    if path.is_file() and not is_dicom_file(path):
        raise InputError(
            f"{path.name} is not DICOM: a DICOM export needs the CT’s DICOM folder, because patient, study and frame of"
            " reference come from it; give that folder, or use the exports that need none (needles, meshes, CSV)."
        )
    if not path.exists():
        raise InputError(f"The CT series {path} does not exist; give the DICOM folder the plan was made from.")
    image, files, _ = read_dicom(path, series)
    import pydicom

    # With SimpleITK, which nothing else here needs.
    from ..case.source import record_of, recorded_path, sha256_of_series

    headers = [pydicom.dcmread(file, stop_before_pixels=True) for file in files]
    for name, what in MUST_BE_THERE.items():
        if not all(header.get(name) for header in headers):
            raise InputError(f"The CT series names no {what} ({name}), so nothing can refer to it; use another series.")
    for header in headers:
        for name in MAY_BE_EMPTY:
            if name not in header:
                setattr(header, name, None)
    source = SourceSeries(headers, image, record_of(image, recorded_path(str(folder)), sha256_of_series(files)))
    if not source.is_multi_frame:
        headers.sort(key=_position)
    return source


def check_plan_is_inside(plan: CasePlan, source: SourceSeries) -> None:
    """Refuse to write one patient's plan into another one's study.

    Raises:
        InputError: a planned needle point or a vertebra's origin lies outside the series' volume.
    """
    points = [point for level in plan.levels for needle in level.trajectories for point in _ends(needle)]
    points += [level.frame.origin_ras for level in plan.levels if level.frame is not None]
    if not points:
        return
    shape = np.array(source.image.voxels.shape[:3])
    index = source.image.to_ijk(np.array(points))
    slack = EDGE_MM / source.image.spacing_mm
    if (index < -slack).any() or (index > shape - 1 + slack).any():
        raise InputError("The plan’s needles lie outside this CT series; give the series the plan was made from.")


def to_lps(points_ras: Any) -> FloatArray:
    """LPS points (…, 3), mm, of RAS points: DICOM's patient coordinates."""
    return np.asarray(points_ras, float) * (-1.0, -1.0, 1.0)


def save_dicom(dataset: Any, path: str | PathLike[str]) -> None:
    """Write a DICOM file whole or not at all.

    Raises:
        InputError: the folder cannot be written.
    """
    target = Path(path)
    part = target.with_name(f".{target.name}.part")
    try:
        dataset.save_as(part, enforce_file_format=True)
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise InputError(f"{target} cannot be written: {error.strerror}.") from error


def optional_highdicom() -> Any:
    """The highdicom module.

    Raises:
        InputError: it is not installed.
    """
    try:
        return importlib.import_module("highdicom")
    except ImportError as error:
        raise InputError(
            "This export needs the Python package highdicom, which is not installed; install it with"
            " “pip install highdicom” (in Slicer: slicer.util.pip_install('highdicom'))."
        ) from error


def _position(header: Any) -> float:
    """Distance along the slice normal."""
    row, column = np.array(header.ImageOrientationPatient, float).reshape(2, 3)
    return float(np.cross(row, column) @ np.array(header.ImagePositionPatient, float))


def _ends(needle: Any) -> tuple[Any, Any]:
    return needle.entry_ras, needle.target_ras
