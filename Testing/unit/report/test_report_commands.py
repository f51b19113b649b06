"""The commands write what they promise and refuse in one sentence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ct_series import write_series
from plans import case_plan

from VertebralAugmentationPlannerLib.case import refuse_other_series
from VertebralAugmentationPlannerLib.model import Case, CasePlan, Image, ImageRecord, InputError, PlanWarning
from VertebralAugmentationPlannerLib.report import (
    commands,
    compare_command,
    dicom_pdf,
    export_command,
    read_source_series,
    report_command,
    report_html,
)


@pytest.fixture
def plan_path(tmp_path: Path) -> Path:
    path = tmp_path / "plan.json"
    case_plan().save(path)
    return path


@pytest.fixture
def series_plan(tmp_path: Path, ct_folder: Path) -> Path:
    """The plan as it is when it was made from the CT series."""
    path = tmp_path / "series.json"
    plan_of(read_source_series(ct_folder).record).save(path)
    return path


def plan_of(ct: ImageRecord | None) -> CasePlan:
    plan = case_plan()
    return replace(plan, inputs=replace(plan.inputs, ct=ct))


def test_a_saved_plan_gives_the_same_report_as_the_plan_itself(plan_path: Path, tmp_path: Path) -> None:
    written = report_command(plan_path, tmp_path / "out")
    assert written == tmp_path / "out" / "report.html"
    assert written.read_text(encoding="utf-8") == report_html(case_plan())


def test_a_file_name_is_taken_as_it_is(plan_path: Path, tmp_path: Path) -> None:
    assert report_command(plan_path, tmp_path / "mine.html").name == "mine.html"


@pytest.mark.parametrize("name", ["mine.pdf", "mine.DOCX"])
def test_another_kind_of_document_is_refused_and_not_taken_for_a_folder(
    name: str, plan_path: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"written as \.html"):
        report_command(plan_path, tmp_path / name)
    assert not (tmp_path / name).exists()


def test_a_folder_with_a_dot_in_its_name_is_a_folder(plan_path: Path, tmp_path: Path) -> None:
    assert report_command(plan_path, tmp_path / "case.7") == tmp_path / "case.7" / "report.html"


def test_a_ct_without_labels_is_refused_before_anything_is_written(plan_path: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="need the labels"):
        report_command(plan_path, tmp_path / "mine.html", ct=tmp_path / "ct.nii.gz")
    assert not (tmp_path / "mine.html").exists()


def test_a_missing_plan_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        report_command(tmp_path / "no.json", tmp_path)


def test_compare_prints_text_and_writes_by_the_ending(plan_path: Path, tmp_path: Path) -> None:
    text = compare_command(plan_path, plan_path, tmp_path / "c.csv")
    assert "No number differs" in text
    assert (tmp_path / "c.csv").read_text().startswith("level,side,")
    compare_command(plan_path, plan_path, tmp_path / "c.html")
    assert (tmp_path / "c.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    with pytest.raises(InputError, match=r"\.csv or \.html"):
        compare_command(plan_path, plan_path, tmp_path / "c.docx")


def test_exports_without_images_are_needles_balloons_and_cement(plan_path: Path, tmp_path: Path) -> None:
    written = export_command(plan_path, tmp_path / "out")
    names = {path.relative_to(tmp_path / "out").as_posix() for path in written}
    assert {"needles.mrk.json", "needles.csv", "plan.glb", "stl/T12_left_needle.stl"} <= names
    assert all(path.stat().st_size > 0 for path in written)
    assert not any("bone" in name for name in names)


def test_an_unknown_export_is_refused(plan_path: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no export “obj”; choose from markups, csv"):
        export_command(plan_path, tmp_path / "out", ["obj"])
    assert not (tmp_path / "out").exists()


def test_dicom_needs_the_series_and_says_so(plan_path: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="needs the DICOM folder of the CT"):
        export_command(plan_path, tmp_path / "out", ["dicom-sr"])


def test_a_dicom_segmentation_needs_the_labels_and_says_so(series_plan: Path, tmp_path: Path, ct_folder: Path) -> None:
    pytest.importorskip("highdicom", reason="highdicom is an optional dependency")
    with pytest.raises(InputError, match="dicom-seg needs the labels"):
        export_command(series_plan, tmp_path / "out", ["dicom-seg"], ct=ct_folder)


def test_a_structured_report_is_written_beside_the_rest(series_plan: Path, tmp_path: Path, ct_folder: Path) -> None:
    pytest.importorskip("highdicom", reason="highdicom is an optional dependency")
    written = export_command(series_plan, tmp_path / "out", ["csv", "dicom-sr"], ct=ct_folder)
    assert [path.name for path in written] == ["needles.csv", "dicom_sr.dcm"]


def test_the_encapsulated_report_has_its_pictures(
    series_plan: Path, tmp_path: Path, ct_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[object] = []
    monkeypatch.setattr(commands, "_with_images", lambda plan, *images: (plan, "case", "spine"))
    monkeypatch.setattr(commands, "write_report", lambda plan, path, case, spine: read.extend((case, spine)))
    monkeypatch.setattr(dicom_pdf, "print_to_pdf", lambda html, pdf: Path(pdf).write_bytes(b"%PDF-1.4 "))
    export_command(series_plan, tmp_path / "out", ["dicom-pdf"], ct=ct_folder, segmentation=tmp_path / "labels.nii.gz")
    assert read == ["case", "spine"]


@pytest.mark.parametrize("kind", ["dicom-sr", "dicom-seg", "dicom-pdf"])
def test_nothing_is_filed_into_the_study_of_another_series(
    kind: str, series_plan: Path, tmp_path: Path, ct_folder: Path
) -> None:
    other = write_series(tmp_path / "other", PatientName="Other^Patient", PatientID="9999")
    with pytest.raises(InputError, match=r"The CT series other is not what the plan was made from .*give that series"):
        export_command(series_plan, tmp_path / "out", [kind], ct=other)
    assert not (tmp_path / "out").exists()


def nifti_of(record: ImageRecord) -> ImageRecord:
    return replace(record, path="ct.nii.gz", sha256="ab" * 32)


def held_against(*warnings: PlanWarning) -> Case:
    """Images read again, with what their reader found."""
    record = case_plan().inputs.segmentation
    ct = Image(np.zeros((2, 2, 2), np.int16), np.eye(4))
    return Case(ct, ct, {}, replace(case_plan().inputs, segmentation=record), warnings=warnings)


OFF_BONE = PlanWarning("labels_off_ct", "stop", "The surface of the labels is hardly seen in the CT.", "")


def test_a_plan_of_another_format_goes_into_a_series_of_its_grid_on_whose_bone_its_labels_lie(ct_folder: Path) -> None:
    record = read_source_series(ct_folder).record
    refuse_other_series(plan_of(record), record, None)  # the very series
    refuse_other_series(plan_of(nifti_of(record)), record, held_against())
    refuse_other_series(plan_of(None), record, held_against())


@pytest.mark.parametrize(
    ("made_from", "held", "says"),
    [
        ("nifti", None, "give the plan’s labels with --segmentation"),
        ("labels alone", None, "made from the labels alone; give the plan’s labels with --segmentation"),
        ("nifti", held_against(OFF_BONE), "seems to be of another patient. The surface of the labels is hardly seen"),
        ("nifti", replace(held_against(), ct=None), "its values cannot be read as HU"),
        ("another grid", held_against(), "has another grid"),
        ("another series", held_against(), "give that series"),
    ],
)
def test_a_plan_that_may_be_of_another_patient_is_refused(
    made_from: str, held: Case | None, says: str, ct_folder: Path
) -> None:
    record = read_source_series(ct_folder).record
    plans = {
        "nifti": nifti_of(record),
        "labels alone": None,
        "another grid": replace(nifti_of(record), spacing_mm=(0.5, 0.5, 1.0)),
        "another series": replace(record, sha256="ab" * 32),
    }
    with pytest.raises(InputError, match=says):
        refuse_other_series(plan_of(plans[made_from]), record, held)
