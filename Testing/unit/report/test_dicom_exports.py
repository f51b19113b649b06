"""The DICOM exports land in the CT's study and carry the plan's numbers, as independent readers see them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pydicom.sr.codedict
import pytest
from ct_series import BODY_SEMI_AXES_MM, CANAL_RADIUS_MM, SHAPE, SPACING, spine, write_series
from plans import T12_ORIGIN, case_plan, only

from VertebralAugmentationPlannerLib.access import unjudged
from VertebralAugmentationPlannerLib.model import LEVELS, Image, InputError
from VertebralAugmentationPlannerLib.report import (
    SourceSeries,
    dicom_codes,
    print_to_pdf,
    read_source_series,
    write_dicom_seg,
    write_dicom_sr,
    write_encapsulated_pdf,
    write_report,
)
from VertebralAugmentationPlannerLib.report.dicom_codes import vertebra

highdicom = pytest.importorskip("highdicom", reason="highdicom is an optional dependency")


@pytest.fixture(scope="module")
def source(ct_folder: Path) -> SourceSeries:
    return read_source_series(ct_folder)


@pytest.fixture(scope="module")
def report(source: SourceSeries, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sr") / "plan_sr.dcm"
    write_dicom_sr(case_plan(), path, source)
    return path


@pytest.fixture(scope="module")
def segmentation(source: SourceSeries, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("seg") / "plan_seg.dcm"
    write_dicom_seg(case_plan(), spine(), path, source)
    return path


def dciodvfy_errors(path: Path) -> list[str]:
    """Errors of David Clunie's validator (Debian: dicom3tools)."""
    if shutil.which("dciodvfy") is None:
        pytest.skip("dciodvfy (dicom3tools) is not installed")
    done = subprocess.run(["dciodvfy", "-new", str(path)], capture_output=True, text=True, check=False)
    return [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("Error")]


def group(path: Path, name: str) -> Any:
    """The measurement group of a finding, as highdicom reads it back."""
    document = highdicom.sr.srread(path)
    found = document.content.get_image_measurement_groups()
    return next(item for item in found if item.tracking_identifier == name)


def values(path: Path, name: str) -> dict[str, list[float]]:
    """Numbers of a group by the meaning of their concept, in the order written."""
    numbers: dict[str, list[float]] = {}
    for item in group(path, name).get_measurements():
        numbers.setdefault(item.name.meaning, []).append(float(item.value))
    return numbers


@pytest.mark.parametrize("kind", ["report", "segmentation"])
def test_the_validator_finds_no_error(kind: str, request: pytest.FixtureRequest) -> None:
    assert dciodvfy_errors(request.getfixturevalue(kind)) == []


@pytest.mark.parametrize("kind", ["report", "segmentation"])
def test_it_belongs_to_the_patient_and_study_of_the_ct(
    kind: str, request: pytest.FixtureRequest, source: SourceSeries
) -> None:
    dataset = pydicom.dcmread(request.getfixturevalue(kind))
    for name in ("PatientName", "PatientID", "StudyInstanceUID"):
        assert dataset[name].value == source.headers[0][name].value
    assert dataset.SeriesInstanceUID != source.headers[0].SeriesInstanceUID


def test_heights_and_angles_read_back_as_planned(report: Path) -> None:
    measured = case_plan().level("T12").measurements
    assert measured is not None
    numbers = values(report, "T12 body")
    heights = [measured.anterior_height_mm, measured.middle_height_mm, measured.posterior_height_mm]
    np.testing.assert_allclose(numbers["Height"], heights, atol=0.01)
    np.testing.assert_allclose(numbers["Height loss against reference"], [34.8, 22.8, 3.3], atol=0.01)
    assert numbers["Volume"] == [20.4]
    assert numbers["Attenuation Coefficient"] == [112.0]
    assert numbers["Segmental kyphosis (Cobb), kyphosis positive"] == [19.5]


def test_what_the_plan_lacks_is_absent_and_not_zero(report: Path) -> None:
    assert "Segmental kyphosis (Cobb), kyphosis positive" not in values(report, "L2 body")


def test_a_needle_that_was_not_judged_has_no_clearance_and_no_grade(source: SourceSeries, tmp_path: Path) -> None:
    level = case_plan().level("T12")
    needle = unjudged(level.frame, level.trajectory("left"), "it was moved")
    bare = only(case_plan(), "T12", trajectories=(needle,), measurements=None)
    write_dicom_sr(bare, tmp_path / "sr.dcm", source)
    found = group(tmp_path / "sr.dcm", "T12 left needle")
    named = {item.name.meaning for item in found.get_measurements()}
    absent = (*dicom_codes.CLEARANCES.values(), dicom_codes.TOLERATED_OFFSET, dicom_codes.TOLERATED_ANGLE)
    assert not named & {concept.meaning for concept in (*absent, dicom_codes.SKIN_TO_TARGET)}
    assert dicom_codes.CONVERGENCE.meaning in named
    assert [item.name.meaning for item in found.get_qualitative_evaluations()] == [dicom_codes.PLAN_SAFETY.meaning]


def test_sites_units_and_grades_are_coded(report: Path) -> None:
    body = group(report, "L2 body")
    assert [site.topographical_modifier for site in body.finding_sites] == [None]
    assert body.finding_sites[0].value == highdicom.sr.CodedConcept("14293000", "SCT", "L2 vertebra")
    height = body.get_measurements(name=highdicom.sr.CodedConcept("121207", "DCM", "Height"))[0]
    assert height.unit.value == "mm"
    assert height.finding_sites[0].topographical_modifier.meaning == "Anterior"
    grades = {item.name.meaning: item.value.meaning for item in body.get_qualitative_evaluations()}
    assert grades["Genant semiquantitative grade"] == "Grade 1"
    assert group(report, "T12 left pedicle").finding_sites[0].laterality.meaning == "Left"


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_needles_points_read_back_in_lps_within_a_hundredth(report: Path, source: SourceSeries, side: str) -> None:
    needle = case_plan().level("T12").trajectory(side)
    path = next(
        item for item in group(report, f"T12 {side} needle").get_measurements() if item.name.meaning == "Path length"
    )
    line = path[0].ContentSequence[-1]
    assert line.ValueType == "SCOORD3D" and line.GraphicType == "POLYLINE"
    assert line.ReferencedFrameOfReferenceUID == source.frame_of_reference_uid
    points = np.array(line.GraphicData, float).reshape(-1, 3)
    expected = np.array([needle.entry_ras, needle.target_ras]) * (-1, -1, 1)
    np.testing.assert_allclose(points, expected, atol=0.01)
    assert float(path.value) == pytest.approx(float(np.linalg.norm(points[1] - points[0])), abs=0.01)


def test_a_needles_angles_and_clearances_read_back(report: Path) -> None:
    needle = case_plan().level("T12").trajectory("left")
    numbers = values(report, "T12 left needle")
    assert numbers["Positioner Primary Angle"] == [pytest.approx(needle.carm.primary_deg, abs=0.01)]
    assert numbers["Positioner Secondary Angle"] == [pytest.approx(needle.carm.secondary_deg, abs=0.01)]
    assert numbers["Clearance of cannula to pedicle wall"] == [0.6]
    assert "Clearance of cannula to neighbouring vertebra" not in numbers


def test_codes_keep_to_the_lengths_dicom_allows(report: Path) -> None:
    dataset = pydicom.dcmread(report)
    codes = [item for item in dataset.iterall() if item.keyword in ("CodeValue", "CodeMeaning")]
    assert all(len(item.value) <= (16 if item.keyword == "CodeValue" else 64) for item in codes)


def test_bodies_and_canal_have_the_volumes_of_their_shapes(segmentation: Path) -> None:
    seg = highdicom.seg.segread(segmentation)
    labels = {seg.get_segment_description(n).segment_label: n for n in seg.segment_numbers}
    assert list(labels) == ["T12 vertebral body", "L2 vertebral body", "Spinal canal"]
    volume = seg.get_volume()
    voxel_ml = float(np.prod(SPACING)) / 1000
    for name in ("T12 vertebral body", "L2 vertebral body"):
        mask = volume.array[..., labels[name] - 1]
        expected = 4 / 3 * np.pi * np.prod(BODY_SEMI_AXES_MM) / 1000
        assert mask.sum() * voxel_ml == pytest.approx(expected, rel=0.02)
    canal = volume.array[..., labels["Spinal canal"] - 1].sum() * voxel_ml
    assert canal == pytest.approx(2 * np.pi * CANAL_RADIUS_MM**2 * 36 / 1000, rel=0.03), "two cylinders 36 mm long"


def test_a_body_lies_where_its_vertebra_lies(segmentation: Path) -> None:
    volume = highdicom.seg.segread(segmentation).get_volume()
    mask = volume.array[..., 0]
    centre = volume.map_indices_to_reference(np.argwhere(mask).mean(axis=0)[None])[0]
    np.testing.assert_allclose(centre * (-1, -1, 1), T12_ORIGIN, atol=0.2)
    assert set(volume.spatial_shape[1:]) <= set(SHAPE)


def test_segments_and_measurements_share_their_tracking_identifier(report: Path, segmentation: Path) -> None:
    description = highdicom.seg.segread(segmentation).get_segment_description(1)
    assert description.tracking_uid == group(report, "T12 body").tracking_uid


def test_a_raised_digit_behind_the_folder_is_no_series_number(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="ct#² does not exist"):
        read_source_series(tmp_path / "ct#²")


def test_a_nifti_ct_is_refused_with_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "ct.nii.gz"
    path.write_bytes(b"\x1f\x8b" + bytes(400))
    with pytest.raises(InputError, match="is not DICOM: a DICOM export needs the CT’s DICOM folder"):
        read_source_series(path)


def test_a_series_of_another_place_is_refused(source: SourceSeries, tmp_path: Path) -> None:
    moved = write_series(tmp_path / "far")
    for file in moved.iterdir():
        dataset = pydicom.dcmread(file)
        dataset.ImagePositionPatient[0] += 500
        dataset.save_as(file)
    with pytest.raises(InputError, match="lie outside this CT series"):
        write_dicom_sr(case_plan(), tmp_path / "sr.dcm", read_source_series(moved))
    assert not (tmp_path / "sr.dcm").exists()


def test_without_highdicom_one_sentence_names_it(
    source: SourceSeries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "highdicom", None)
    with pytest.raises(InputError, match="needs the Python package highdicom, which is not installed"):
        write_dicom_sr(case_plan(), tmp_path / "sr.dcm", source)


def test_the_printed_report_is_encapsulated_byte_for_byte(source: SourceSeries, tmp_path: Path) -> None:
    if shutil.which("chromium") is None:
        pytest.skip("no chromium to print with")
    write_report(case_plan(), tmp_path / "report.html")
    print_to_pdf(tmp_path / "report.html", tmp_path / "report.pdf")
    write_encapsulated_pdf(case_plan(), tmp_path / "report.pdf", tmp_path / "report.dcm", source)
    dataset = pydicom.dcmread(tmp_path / "report.dcm")
    document = bytes(dataset.EncapsulatedDocument)[: dataset.EncapsulatedDocumentLength]
    assert document == (tmp_path / "report.pdf").read_bytes()
    assert re.match(rb"%PDF-1\.\d", document)
    assert dataset.PatientID == "P-1" and dataset.StudyInstanceUID == source.headers[0].StudyInstanceUID
    assert dciodvfy_errors(tmp_path / "report.dcm") == []


def test_html_is_not_taken_for_a_pdf(source: SourceSeries, tmp_path: Path) -> None:
    write_report(case_plan(), tmp_path / "report.html")
    with pytest.raises(InputError, match="is not a PDF"):
        write_encapsulated_pdf(case_plan(), tmp_path / "report.html", tmp_path / "report.dcm", source)


def test_a_folder_that_is_not_there_is_named(source: SourceSeries, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        write_dicom_sr(case_plan(), tmp_path / "missing" / "sr.dcm", source)


def test_another_toolkit_reads_the_structured_report(report: Path) -> None:
    if shutil.which("dsrdump") is None:
        pytest.skip("dsrdump (dcmtk) is not installed")
    done = subprocess.run(["dsrdump", "+Pc", str(report)], capture_output=True, text=True, check=True)
    assert re.search(r'NUM:\(121207,DCM,"Height"\)="17\.2" \(mm,UCUM,"mm"\)', done.stdout)
    assert 'CODE:(363698007,SCT,"Finding Site")=(23215003,SCT,"T12 vertebra")' in done.stdout
    assert "POLYLINE" in done.stdout


def test_t13_and_l6_have_private_codes_that_fit() -> None:
    for level in LEVELS:
        concept = vertebra(level)
        assert concept.scheme == ("99VAP" if level in ("T13", "L6") else "SCT")
        assert len(concept.value) <= 16


def test_standard_codes_are_those_of_the_standard() -> None:
    """Against pydicom's copy of the DICOM and SNOMED CT code tables."""
    known = pydicom.sr.codedict.codes
    for level in LEVELS:
        if level not in ("T13", "L6"):
            assert vertebra(level).value == getattr(known.SCT, f"{level}Vertebra").value
    pairs = {
        dicom_codes.HEIGHT: known.DCM.Height,
        dicom_codes.DEPTH: known.SCT.Depth,
        dicom_codes.WIDTH: known.SCT.Width,
        dicom_codes.VOLUME: known.SCT.Volume,
        dicom_codes.ATTENUATION: known.DCM.AttenuationCoefficient,
        dicom_codes.PATH_LENGTH: known.DCM.PathLength,
        dicom_codes.POSITIONER_PRIMARY_ANGLE: known.DCM.PositionerPrimaryAngle,
        dicom_codes.POSITIONER_SECONDARY_ANGLE: known.DCM.PositionerSecondaryAngle,
        dicom_codes.LEFT: known.SCT.Left,
        dicom_codes.RIGHT: known.SCT.Right,
        dicom_codes.ANTERIOR: known.SCT.Anterior,
        dicom_codes.POSTERIOR: known.SCT.Posterior,
        dicom_codes.MIDDLE: known.NCIt.Middle,
        dicom_codes.PEDICLE: known.SCT.PedicleOfVertebra,
        dicom_codes.VERTEBRAL_CANAL: known.SCT.VertebralCanal,
        dicom_codes.MM: known.UCUM.Millimeter,
        dicom_codes.DEGREE: known.UCUM.Degree,
        dicom_codes.HOUNSFIELD: known.UCUM.HounsfieldUnit,
    }
    for ours, theirs in pairs.items():
        assert (ours.value, ours.scheme) == (theirs.value, theirs.scheme_designator), ours.meaning


def test_the_encapsulated_report_is_named_by_the_levels_it_plans(source: SourceSeries, tmp_path: Path) -> None:
    (tmp_path / "report.pdf").write_bytes(b"%PDF-1.4 ")
    write_encapsulated_pdf(case_plan(), tmp_path / "report.pdf", tmp_path / "report.dcm", source)
    title = pydicom.dcmread(tmp_path / "report.dcm").DocumentTitle
    assert title == "Vertebral augmentation plan: T12, L2", "L3 was not planned"


def test_a_series_that_was_made_anonymous_is_exported_with_empty_attributes(tmp_path: Path) -> None:
    """Its patient and study lack what the standard lets be empty."""
    gone = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID")
    gone += ("AccessionNumber", "ReferringPhysicianName", "SeriesNumber", "PositionReferenceIndicator")
    bare = read_source_series(write_series(tmp_path / "ct", gone))
    (tmp_path / "report.pdf").write_bytes(b"%PDF-1.4 ")
    write_dicom_sr(case_plan(), tmp_path / "sr.dcm", bare)
    write_dicom_seg(case_plan(), spine(), tmp_path / "seg.dcm", bare)
    write_encapsulated_pdf(case_plan(), tmp_path / "report.pdf", tmp_path / "pdf.dcm", bare)
    for name in ("sr", "seg", "pdf"):
        written = pydicom.dcmread(tmp_path / f"{name}.dcm")
        assert written.StudyInstanceUID == bare.headers[0].StudyInstanceUID
        assert all(not written[attribute].value for attribute in gone[:4])


def test_a_series_without_a_study_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"names no study \(StudyInstanceUID\)"):
        read_source_series(write_series(tmp_path / "ct", ("StudyInstanceUID",)))


def test_stops_cautions_reasons_and_refused_sides_stand_in_the_report(report: Path) -> None:
    plan = case_plan()
    (remarks,) = [
        item
        for item in pydicom.dcmread(report).ContentSequence
        if item.ConceptNameCodeSequence[0].CodeValue == "REMARKS"
    ]
    texts = [item.TextValue for item in remarks.ContentSequence]
    loud = [w for owner in (plan, *plan.levels) for w in owner.warnings if w.severity != "info"]
    assert loud
    for warning in loud:
        assert any(text.endswith(f"{warning.severity}: {warning.message}") for text in texts)
    refused = [(level.level, side, why) for level in plan.levels for side, why in level.skipped_sides.items()]
    assert refused
    for level, side, why in refused:
        assert f"{level}, no needle on the {side}: {why}" in texts
    assert not any("info:" in text for text in texts)


def test_a_series_of_another_place_is_refused_by_the_printed_report_and_the_segmentation(
    source: SourceSeries, tmp_path: Path
) -> None:
    image = source.image
    far = replace(source, image=Image(image.voxels, image.ijk_to_ras + np.array([[0, 0, 0, 500.0]] + [[0] * 4] * 3)))
    (tmp_path / "report.pdf").write_bytes(b"%PDF-1.4 ")
    with pytest.raises(InputError, match="lie outside this CT series"):
        write_encapsulated_pdf(case_plan(), tmp_path / "report.pdf", tmp_path / "pdf.dcm", far)
    with pytest.raises(InputError, match="lie outside this CT series"):
        write_dicom_seg(case_plan(), spine(), tmp_path / "seg.dcm", far)


def test_names_and_signs_survive_the_character_set_of_the_scanner(tmp_path: Path) -> None:
    series = write_series(tmp_path / "latin", SpecificCharacterSet="ISO_IR 100", PatientName="Müller^Jörg")
    write_dicom_sr(case_plan(), tmp_path / "sr.dcm", read_source_series(series))
    read = pydicom.dcmread(tmp_path / "sr.dcm")
    assert str(read.PatientName) == "Müller^Jörg"
    (remarks,) = [item for item in read.ContentSequence if item.ConceptNameCodeSequence[0].CodeValue == "REMARKS"]
    assert not any("?" in item.TextValue for item in remarks.ContentSequence)
    (tmp_path / "report.pdf").write_bytes(b"%PDF-1.4 ")
    write_encapsulated_pdf(case_plan(), tmp_path / "report.pdf", tmp_path / "pdf.dcm", read_source_series(series))
    read = pydicom.dcmread(tmp_path / "pdf.dcm")
    assert str(read.PatientName) == "Müller^Jörg"
    assert "?" not in read.DocumentTitle
