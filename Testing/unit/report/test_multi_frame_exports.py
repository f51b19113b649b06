"""Exports into an enhanced CT, whose slices are frames of one object."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from ct_series import FIRST_LPS, SHAPE, SPACING
from plans import case_plan
from pydicom.dataset import Dataset
from pydicom.uid import EnhancedCTImageStorage, generate_uid
from test_dicom_exports import dciodvfy_errors, values

from VertebralAugmentationPlannerLib.case.source import read
from VertebralAugmentationPlannerLib.model import InputError
from VertebralAugmentationPlannerLib.report import export_command, read_source_series, write_encapsulated_pdf

pytest.importorskip("highdicom", reason="highdicom is an optional dependency")

PER_SLICE = (
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "SliceThickness",
    "RescaleIntercept",
    "RescaleSlope",
)


@pytest.fixture(scope="module")
def enhanced(ct_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The CT around the hand-made plan as one file, its frames from head to foot."""
    data = pydicom.dcmread(next(ct_folder.iterdir()))
    for name in PER_SLICE:
        delattr(data, name)
    data.SOPClassUID, data.SOPInstanceUID = EnhancedCTImageStorage, generate_uid()
    data.file_meta.MediaStorageSOPClassUID, data.file_meta.MediaStorageSOPInstanceUID = (
        data.SOPClassUID,
        data.SOPInstanceUID,
    )
    data.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    data.NumberOfFrames = SHAPE[0]
    measures, plane, scale, shared = Dataset(), Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = [SPACING[1], SPACING[0]], SPACING[2]
    plane.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    scale.RescaleSlope, scale.RescaleIntercept, scale.RescaleType = 1, 0, "HU"
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [measures], [plane]
    shared.PixelValueTransformationSequence = [scale]
    data.SharedFunctionalGroupsSequence = [shared]
    frames = []
    for n in reversed(range(SHAPE[0])):
        position, frame = Dataset(), Dataset()
        position.ImagePositionPatient = [FIRST_LPS[0], FIRST_LPS[1], FIRST_LPS[2] + n * SPACING[2]]
        frame.PlanePositionSequence = [position]
        frames.append(frame)
    data.PerFrameFunctionalGroupsSequence = frames
    data.PixelData = np.random.default_rng(0).integers(-50, 200, SHAPE, dtype=np.int16).tobytes()
    folder = tmp_path_factory.mktemp("enhanced")
    data.save_as(folder / "enhanced.dcm")
    return folder


@pytest.fixture
def plan(enhanced: Path, tmp_path: Path) -> Path:
    made = replace(case_plan(), inputs=replace(case_plan().inputs, ct=read(enhanced, "CT").record))
    made.save(tmp_path / "plan.json")
    return tmp_path / "plan.json"


def test_a_structured_report_refers_to_the_enhanced_ct(enhanced: Path, plan: Path, tmp_path: Path) -> None:
    export_command(plan, tmp_path / "out", ["dicom-sr"], enhanced)
    report, ct = tmp_path / "out" / "dicom_sr.dcm", pydicom.dcmread(enhanced / "enhanced.dcm", stop_before_pixels=True)
    evidence = pydicom.dcmread(report).CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0]
    assert [item.ReferencedSOPInstanceUID for item in evidence.ReferencedSOPSequence] == [ct.SOPInstanceUID]
    assert values(report, "T12 body")["Volume"] == [20.4]
    assert dciodvfy_errors(report) == []


def test_a_printed_report_refers_to_the_enhanced_ct(enhanced: Path, tmp_path: Path) -> None:
    (tmp_path / "report.pdf").write_bytes(b"%PDF-1.4 ")
    write_encapsulated_pdf(case_plan(), tmp_path / "report.pdf", tmp_path / "report.dcm", read_source_series(enhanced))
    written = pydicom.dcmread(tmp_path / "report.dcm")
    assert [item.ReferencedSOPClassUID for item in written.SourceInstanceSequence] == [EnhancedCTImageStorage]


def test_a_segmentation_of_it_is_refused_before_the_labels_are_read(enhanced: Path, plan: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="multi-frame object .* leave dicom-seg out"):
        export_command(
            plan, tmp_path / "out", ["dicom-sr", "dicom-seg"], enhanced, tmp_path / "labels that are not there.nii"
        )
    assert not (tmp_path / "out").exists()


def test_a_plan_that_lies_outside_its_frames_is_refused(enhanced: Path, tmp_path: Path) -> None:
    """Their places are read frame by frame."""
    level = case_plan().level("T12")
    needle = level.trajectory("left")
    far = replace(
        needle, target_ras=(needle.target_ras[0], needle.target_ras[1], FIRST_LPS[2] + SHAPE[0] * SPACING[2] + 5)
    )
    plan = replace(case_plan(), levels=(replace(level, trajectories=(far,)),))
    (tmp_path / "report.pdf").write_bytes(b"%PDF-1.4 ")
    with pytest.raises(InputError, match="lie outside this CT series"):
        write_encapsulated_pdf(plan, tmp_path / "report.pdf", tmp_path / "report.dcm", read_source_series(enhanced))
