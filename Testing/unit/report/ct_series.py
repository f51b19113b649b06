"""A small DICOM CT series and a spine of plain shapes around the hand-made plan, both known by construction."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
from plans import L2_ORIGIN, T12_ORIGIN
from pydicom.dataset import FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from VertebralAugmentationPlannerLib.model import Frame, LocalGrid, Spine, Vertebra

SPACING = (2.0, 2.0, 2.5)
"""Column, row, slice step in mm."""
FIRST_LPS = (-100.0, -80.0, -240.0)
"""Centre of the first voxel."""
SHAPE = (70, 110, 100)
"""Slices, rows, columns."""

BODY_SEMI_AXES_MM = (20.0, 15.0, 12.0)
CANAL_RADIUS_MM = 9.0
CANAL_CENTRE_MM = (0.0, -26.0)


def write_series(folder: Path, without: tuple[str, ...] = (), **changes: object) -> Path:
    """Write the slices from head to foot, so that the order of files is not the order of positions."""
    folder.mkdir(parents=True, exist_ok=True)
    study, series, frame = (generate_uid() for _ in range(3))
    rng = np.random.default_rng(0)
    for n in range(SHAPE[0]):
        dataset = pydicom.Dataset()
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, generate_uid()
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.FrameOfReferenceUID = study, series, frame
        dataset.PatientName, dataset.PatientID = "Phantom^Anna", "P-1"
        dataset.PatientBirthDate, dataset.PatientSex = "19500101", "F"
        dataset.StudyDate = dataset.SeriesDate = dataset.ContentDate = dataset.AcquisitionDate = "20260101"
        dataset.StudyTime = dataset.SeriesTime = dataset.ContentTime = dataset.AcquisitionTime = "120000"
        dataset.StudyID, dataset.AccessionNumber, dataset.ReferringPhysicianName = "1", "A1", ""
        dataset.Modality, dataset.Manufacturer, dataset.SeriesNumber = "CT", "Phantom", 3
        dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        dataset.PositionReferenceIndicator, dataset.PatientPosition = "", "HFS"
        dataset.InstanceNumber, dataset.AcquisitionNumber, dataset.KVP = SHAPE[0] - n, 1, "120"
        dataset.ImagePositionPatient = [FIRST_LPS[0], FIRST_LPS[1], FIRST_LPS[2] + n * SPACING[2]]
        dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        dataset.PixelSpacing, dataset.SliceThickness = [SPACING[1], SPACING[0]], SPACING[2]
        dataset.Rows, dataset.Columns = SHAPE[1:]
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 16, 15, 1
        dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = 0, 1, "HU"
        dataset.PixelData = rng.integers(-50, 200, SHAPE[1:], dtype=np.int16).tobytes()
        for name, value in changes.items():
            setattr(dataset, name, value)
        for name in without:
            delattr(dataset, name)
        pydicom.dcmwrite(folder / f"slice{SHAPE[0] - n:03d}.dcm", dataset, enforce_file_format=True)
    return folder


def vertebra(level: str, origin: tuple[float, float, float], tilt_deg: float) -> Vertebra:
    """An ellipsoid for a body and a cylinder for its canal, in a frame tilted about the left–right axis."""
    tilt = np.radians(tilt_deg)
    frame = Frame(
        np.array(origin),
        np.array([1.0, 0.0, 0.0]),
        np.array([0.0, np.cos(tilt), np.sin(tilt)]),
        np.array([0.0, -np.sin(tilt), np.cos(tilt)]),
    )
    grid = LocalGrid(np.array([-35.0, -45.0, -18.0]), 0.5, (141, 141, 73))
    points = grid.points()
    body = ((points / BODY_SEMI_AXES_MM) ** 2).sum(axis=-1) <= 1
    canal = np.hypot(points[..., 0] - CANAL_CENTRE_MM[0], points[..., 1] - CANAL_CENTRE_MM[1]) - CANAL_RADIUS_MM
    bone = 1 - np.sqrt(((points / BODY_SEMI_AXES_MM) ** 2).sum(axis=-1))
    bone_mm = bone * min(BODY_SEMI_AXES_MM)  # positive inside, zero at the surface: enough for an isosurface
    return Vertebra(level, True, frame=frame, grid=grid, body=body, canal_mm=canal, bone_mm=bone_mm)


def spine() -> Spine:
    """T12 and L2 of the hand-made plan."""
    vertebrae = {"T12": vertebra("T12", T12_ORIGIN, 8.0), "L2": vertebra("L2", L2_ORIGIN, -5.0)}
    return Spine(vertebrae)
