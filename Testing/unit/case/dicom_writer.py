"""Writes CT series with pydicom, the way a scanner or an archive would lay them out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import CTImageStorage, EnhancedCTImageStorage, ExplicitVRLittleEndian, generate_uid

ROW, COLUMN = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)


def volume(count: int = 8, rows: int = 12, columns: int = 10) -> np.ndarray:
    """HU [slice, row, column], every voxel different from its neighbours."""
    k, j, i = np.meshgrid(np.arange(count), np.arange(rows), np.arange(columns), indexing="ij")
    return (-1000 + 100 * k + 7 * j + 3 * i).astype(np.int32)


def _blank(path: Path, storage: str, uid: str) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = storage
    meta.MediaStorageSOPInstanceUID = uid
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = storage, uid
    data.StudyInstanceUID = generate_uid(entropy_srcs=["study"])
    data.Modality = "CT"
    data.PatientName, data.PatientID, data.PatientPosition = "Toy^Spine", "toy", "HFS"
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, 16, 15
    return data


def write_series(
    folder: Path,
    hu: np.ndarray | None = None,
    *,
    step: tuple[float, float, float] = (0.0, 0.0, 2.0),
    origin: tuple[float, float, float] = (-30.0, 20.0, 100.0),
    orientation: tuple[float, ...] = (*ROW, *COLUMN),
    spacing: tuple[float, float] = (0.8, 0.5),
    number: int = 3,
    description: str = "Bone 1.0",
    slope: float = 1.0,
    intercept: float = -1024.0,
    signed: bool = False,
    prefix: str = "im",
    change=None,
) -> list[Path]:
    """One file a slice, names not in spatial order. ``change(dataset, k)`` edits it; False leaves it out."""
    hu = volume() if hu is None else hu
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for k in range(len(hu)):
        name = f"{prefix}{(k * 7919) % len(hu):04d}.dcm"  # a prime: every slice its own name, out of order
        uid = generate_uid(entropy_srcs=[description, str(number), str(k)])
        data = _blank(folder / name, CTImageStorage, uid)
        data.SeriesInstanceUID = generate_uid(entropy_srcs=[description, str(number)])
        data.SeriesNumber, data.SeriesDescription, data.InstanceNumber = number, description, k + 1
        data.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        data.Rows, data.Columns = hu.shape[1:]
        data.PixelSpacing = list(spacing)
        data.ImagePositionPatient = [round(float(o + k * s), 6) for o, s in zip(origin, step, strict=True)]
        data.ImageOrientationPatient = list(orientation)
        data.RescaleSlope, data.RescaleIntercept = slope, intercept
        data.PixelRepresentation = int(signed)
        stored = np.rint((hu[k] - intercept) / slope).astype(np.int16 if signed else np.uint16)
        data.PixelData = stored.tobytes()
        if change is not None and change(data, k) is False:
            continue
        data.save_as(folder / name, enforce_file_format=True)
        paths.append(folder / name)
    return paths


def write_localizer(folder: Path, number: int = 1) -> None:
    def as_localizer(data, k):
        data.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]

    write_series(
        folder,
        volume(2),
        orientation=(1, 0, 0, 0, 0, -1),
        number=number,
        description="Scout",
        prefix="scout",
        change=as_localizer,
    )


def write_enhanced(path: Path, hu: np.ndarray, step: float = 2.0, reverse: bool = False) -> None:
    """One multi-frame file; frames from foot to head, or the other way round."""
    data = _blank(path, EnhancedCTImageStorage, generate_uid(entropy_srcs=["enhanced"]))
    data.SeriesInstanceUID = generate_uid(entropy_srcs=["enhanced series"])
    data.SeriesNumber, data.SeriesDescription = 7, "Enhanced"
    data.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    data.NumberOfFrames = len(hu)
    data.Rows, data.Columns = hu.shape[1:]
    data.PixelRepresentation = 0
    shared, measures, plane, values = Dataset(), Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness, measures.SpacingBetweenSlices = [0.8, 0.5], step, step
    plane.ImageOrientationPatient = [*ROW, *COLUMN]
    values.RescaleSlope, values.RescaleIntercept, values.RescaleType = 1, -1024, "HU"
    shared.PixelMeasuresSequence = Sequence([measures])
    shared.PlaneOrientationSequence = Sequence([plane])
    shared.PixelValueTransformationSequence = Sequence([values])
    data.SharedFunctionalGroupsSequence = Sequence([shared])
    order = list(range(len(hu)))[:: -1 if reverse else 1]
    frames = []
    for place, k in enumerate(order):
        frame, position, content = Dataset(), Dataset(), Dataset()
        position.ImagePositionPatient = [-30, 20, 100 + k * step]
        content.StackID, content.InStackPositionNumber = "1", place + 1
        content.DimensionIndexValues = [1, place + 1]
        frame.PlanePositionSequence = Sequence([position])
        frame.FrameContentSequence = Sequence([content])
        frames.append(frame)
    data.PerFrameFunctionalGroupsSequence = Sequence(frames)
    data.PixelData = (hu[order] + 1024).astype(np.uint16).tobytes()
    data.save_as(path, enforce_file_format=True)


def edit(path: Path, **values) -> None:
    data = pydicom.dcmread(path)
    for key, value in values.items():
        setattr(data, key, value)
    data.save_as(path)
