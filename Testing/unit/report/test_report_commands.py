"""The commands write what they promise and refuse in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from plans import case_plan

from VertebralAugmentationPlannerLib.model import InputError
from VertebralAugmentationPlannerLib.report import (
    commands,
    compare_command,
    dicom_pdf,
    export_command,
    report_command,
    report_html,
)


@pytest.fixture
def plan_path(tmp_path: Path) -> Path:
    path = tmp_path / "plan.json"
    case_plan().save(path)
    return path


def test_a_saved_plan_gives_the_same_report_as_the_plan_itself(plan_path: Path, tmp_path: Path) -> None:
    written = report_command(plan_path, tmp_path / "out")
    assert written == tmp_path / "out" / "report.html"
    assert written.read_text(encoding="utf-8") == report_html(case_plan())


def test_a_file_name_is_taken_as_it_is(plan_path: Path, tmp_path: Path) -> None:
    assert report_command(plan_path, tmp_path / "mine.html").name == "mine.html"


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


def test_a_dicom_segmentation_needs_the_labels_and_says_so(plan_path: Path, tmp_path: Path, ct_folder: Path) -> None:
    pytest.importorskip("highdicom", reason="highdicom is an optional dependency")
    with pytest.raises(InputError, match="dicom-seg needs the labels"):
        export_command(plan_path, tmp_path / "out", ["dicom-seg"], ct=ct_folder)


def test_a_structured_report_is_written_beside_the_rest(plan_path: Path, tmp_path: Path, ct_folder: Path) -> None:
    pytest.importorskip("highdicom", reason="highdicom is an optional dependency")
    written = export_command(plan_path, tmp_path / "out", ["csv", "dicom-sr"], ct=ct_folder)
    assert [path.name for path in written] == ["needles.csv", "dicom_sr.dcm"]


def test_the_encapsulated_report_has_its_pictures(
    plan_path: Path, tmp_path: Path, ct_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[object] = []
    monkeypatch.setattr(commands, "_with_images", lambda plan, *images: (plan, "case", "spine"))
    monkeypatch.setattr(commands, "write_report", lambda plan, path, case, spine: read.extend((case, spine)))
    monkeypatch.setattr(dicom_pdf, "print_to_pdf", lambda html, pdf: Path(pdf).write_bytes(b"%PDF-1.4 "))
    export_command(plan_path, tmp_path / "out", ["dicom-pdf"], ct=ct_folder, segmentation=tmp_path / "labels.nii.gz")
    assert read == ["case", "spine"]
