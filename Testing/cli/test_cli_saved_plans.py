"""A saved plan that is reported, exported or checked: what was edited, what it is drawn on, and what stays in its folder."""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from image_files import write_image
from plans import case_plan
from toy_spine import spine_labels

from VertebralAugmentationPlannerLib import anatomy, check, cli_output, cli_steps
from VertebralAugmentationPlannerLib.case import again, load_again, load_case
from VertebralAugmentationPlannerLib.cli import main
from VertebralAugmentationPlannerLib.cli_output import OutputFolder
from VertebralAugmentationPlannerLib.model import Case, CasePlan, Image, ImageRecord, Inputs, PlanOptions, PlanWarning
from VertebralAugmentationPlannerLib.model.serialisation import write_text
from VertebralAugmentationPlannerLib.planner import recorded_options
from VertebralAugmentationPlannerLib.report import report_html

MINE = {"T12": 5, "L1": 6, "L2": 7, "sacrum": 9}
"""A numbering of one's own."""


def edited(path: Path, **changes) -> str:
    """The plan of the report's tests with values of its first needle changed, and nothing else."""
    plan = json.loads(case_plan().to_json())
    plan["levels"][0]["trajectories"][0] |= changes
    path.write_text(json.dumps(plan), encoding="utf-8")
    return str(path)


def shifted(point: tuple[float, ...], *by: float) -> list[float]:
    return [float(value) for value in np.add(point, by)]


NEEDLE = case_plan().levels[0].trajectories[0]
EDITS = {
    "tip": {"target_ras": shifted(NEEDLE.target_ras, 3, 0, 0)},
    "entry": {"entry_ras": shifted(NEEDLE.entry_ras, 0, 0, -1)},
    "both upwards": {
        "entry_ras": shifted(NEEDLE.entry_ras, 0, 0, 2),
        "target_ras": shifted(NEEDLE.target_ras, 0, 0, 2),
    },
    "turned round": {"entry_ras": list(NEEDLE.target_ras), "target_ras": list(NEEDLE.entry_ras)},
    "cannula": {"cannula": "8G"},
}


@pytest.mark.parametrize("command", ["report", "export"])
@pytest.mark.parametrize("changes", EDITS.values(), ids=EDITS)
def test_a_plan_that_was_edited_and_not_checked_is_neither_reported_nor_exported(changes, command, tmp_path, capsys):
    plan = edited(tmp_path / "plan.json", **changes)
    assert main([command, plan, "-o", str(tmp_path / "out")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("vap: T12 left: ") and "run vap check" in line
    assert not (tmp_path / "out").exists()


@pytest.fixture
def toy(files, monkeypatch) -> CasePlan:
    """The plan of the report's tests as if made from the toy spine, whose anatomy is never built."""
    monkeypatch.setattr(anatomy, "build_spine", lambda *_: None)
    plan = case_plan()
    return replace(plan, inputs=load_case(str(files["ct"]), str(files["labels"])).inputs)


def report_of(plan: CasePlan, ct: Path, labels: Path, folder: Path) -> str:
    plan.save(folder / "plan.json")
    arguments = ["report", str(folder / "plan.json"), str(ct), "--segmentation", str(labels)]
    assert main([*arguments, "-o", str(folder / "report.html"), "--quiet"]) == 0
    return (folder / "report.html").read_text(encoding="utf-8")


def test_a_report_drawn_on_another_ct_says_so_and_names_it(toy, files, tmp_path):
    assert "CT given now" not in report_of(toy, files["ct"], files["labels"], tmp_path)
    other = replace(toy.inputs.ct, path="mine.nii.gz", sha256="ab" * 32)
    text = report_of(replace(toy, inputs=replace(toy.inputs, ct=other)), files["ct"], files["labels"], tmp_path)
    assert "The CT given now (ct.nii.gz) is not the file the plan was made from (mine.nii.gz)" in text
    assert "it may be the same scan in another format" in text
    larger = replace(other, size=(9, 9, 9))
    text = report_of(replace(toy, inputs=replace(toy.inputs, ct=larger)), files["ct"], files["labels"], tmp_path)
    assert "is not the CT the plan was made from (mine.nii.gz) and has another grid" in text
    text = report_of(replace(toy, inputs=replace(toy.inputs, ct=None)), files["ct"], files["labels"], tmp_path)
    assert "is no part of the plan, which was made from the labels alone" in text


def test_the_canal_of_a_report_is_the_plans_and_never_another_file_of_its_name(
    toy, files, tmp_path, monkeypatch, capsys
):
    """Cases have their masks by the same names; the working folder may be another case's."""
    labels, matrix = spine_labels([19, 20, 21])
    mine, other = (tmp_path / name / "canal.nii.gz" for name in ("mine", "other"))
    for path, values in ((mine, (19, 20, 21)), (other, (20, 21))):
        path.parent.mkdir()
        write_image(path, np.isin(labels, values).astype(np.uint8), matrix)
    made = replace(toy, inputs=load_case(None, str(files["labels"]), canal=str(mine)).inputs)
    used = []
    monkeypatch.setattr(anatomy, "build_spine", lambda case, *_: used.append(case.inputs.canal))

    def report(*options: str) -> str:
        made.save(tmp_path / "plan.json")
        arguments = ["report", str(tmp_path / "plan.json"), "--segmentation", str(files["labels"]), *options]
        assert main([*arguments, "-o", str(tmp_path / "r.html"), "--quiet"]) == 0
        return (tmp_path / "r.html").read_text(encoding="utf-8")

    monkeypatch.chdir(other.parent)
    assert "none is given now" in report() and used[-1] is None
    assert "canal.nii.gz is given now" in report("--canal", str(other))
    monkeypatch.chdir(mine.parent)
    assert "given now" not in report() and used[-1].sha256 == made.inputs.canal.sha256
    monkeypatch.chdir(other.parent)
    assert "given now" not in report("--canal", str(mine))
    made.save(tmp_path / "plan.json")
    arguments = ["export", str(tmp_path / "plan.json"), "--segmentation", str(files["labels"]), "--as", "dicom-seg"]
    assert main([*arguments, "-o", str(tmp_path / "out")]) == 2
    assert "another canal than the plan's" in capsys.readouterr().err


def test_what_the_reader_warns_of_is_in_the_report_and_nothing_twice(toy, files, tmp_path, monkeypatch):
    told = PlanWarning("coarse", "caution", "The CT has thick slices.", "voxels")
    known = PlanWarning("coarse", "stop", "The labels have thick slices.", "voxels")
    note = PlanWarning("cleaned", "info", "An island was taken off.", "voxels")
    read = load_case(str(files["ct"]), str(files["labels"]))
    monkeypatch.setattr(again, "load_case", lambda *_, **__: replace(read, warnings=(told, known, note)))
    plan = replace(toy, warnings=(*toy.warnings, known))
    text = report_of(plan, files["ct"], files["labels"], tmp_path)
    assert told.message in text and note.message not in text
    assert text.count(known.message) == report_html(plan).count(known.message)


@pytest.mark.parametrize("command", ["check", "report", "export"])
def test_a_numbering_given_for_the_labels_of_a_plan_is_used(command, toy, files, tmp_path, capsys):
    toy.save(tmp_path / "plan.json")
    arguments = [command, str(tmp_path / "plan.json"), "--segmentation", str(files["labels"]), "--labels", "nonsense"]
    assert main([*arguments, "-o", str(tmp_path / "out")]) == 2
    assert "“nonsense” is unknown" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["check", "report", "export"])
def test_labels_that_the_ct_completed_are_refused_without_it(command, toy, files, tmp_path, capsys):
    """Their body ends at the cleft then, and a needle that nobody moved would breach its end plate."""
    text = "0.9 ml with gas between two parts of the label of L1 were taken as part of its body: a cleft that the label leaves out."
    told = PlanWarning("cleft_not_labelled", "info", text, "CT", level="L1")
    replace(toy, warnings=(*toy.warnings, told)).save(tmp_path / "plan.json")
    arguments = [command, str(tmp_path / "plan.json"), "-o", str(tmp_path / "out")]
    assert main([*arguments, "--segmentation", str(files["labels"])]) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert "The label of L1 was completed by the CT" in line and "give the CT of the plan (ct.nii.gz)" in line
    assert not (tmp_path / "out").exists()
    if command == "report":
        assert main([*arguments, "--quiet"]) == 0


def test_a_numbering_without_labels_is_refused(tmp_path, capsys):
    case_plan().save(tmp_path / "plan.json")
    assert main(["report", str(tmp_path / "plan.json"), "--labels", "verse", "-o", str(tmp_path / "r.html")]) == 2
    assert "give them with --segmentation" in capsys.readouterr().err


def test_of_an_own_numbering_the_plan_keeps_name_and_values_and_is_read_again_by_them(tmp_path):
    labels, matrix = spine_labels([5, 6, 7])
    segmentation = write_image(tmp_path / "labels.nii.gz", labels, matrix)
    table = tmp_path / "mine.json"
    table.write_text(json.dumps(MINE), encoding="utf-8")
    options = PlanOptions(labels=str(table), catalog=str(tmp_path / "devices.json"))
    case = load_case(None, str(segmentation), options)
    assert (case.inputs.numbering, case.inputs.level_values) == ("mine.json", MINE)
    kept = recorded_options(options)
    assert (kept["labels"], kept["catalog"]) == ("mine.json", "devices.json")
    assert PlanOptions.from_dict(kept | {"labels": str(table), "catalog": options.catalog}) == options

    replace(case_plan(), inputs=case.inputs, options=kept).save(tmp_path / "plan.json")
    table.unlink()
    plan = CasePlan.load(tmp_path / "plan.json")
    assert str(tmp_path) not in (tmp_path / "plan.json").read_text(encoding="utf-8")
    again = load_again(plan, None, str(segmentation))
    assert again.level_values == case.level_values and again.inputs == case.inputs


def test_a_report_of_an_older_plan_does_not_print_its_paths(tmp_path):
    plan = case_plan()
    options = {**plan.options, "labels": "/data/of/someone/mine.json", "catalog": "/data/of/someone/devices.json"}
    replace(plan, options=options).save(tmp_path / "plan.json")
    assert main(["report", str(tmp_path / "plan.json"), "-o", str(tmp_path / "r.html"), "--quiet"]) == 0
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "of/someone" not in text and "catalog devices.json" in text


def test_the_catalogue_of_a_plan_is_looked_for_and_asked_for(tmp_path, monkeypatch, capsys):
    folder = tmp_path / "plan"
    folder.mkdir()
    plan = replace(case_plan(), options=recorded_options(PlanOptions(catalog="/gone/devices.json")))
    plan.save(folder / "plan.json")
    monkeypatch.chdir(tmp_path)
    assert main(["check", "plan/plan.json", "--segmentation", "none.nii.gz"]) == 2
    assert "neither in the working folder nor beside the plan; give it with --catalog" in capsys.readouterr().err
    (folder / "devices.json").write_text("{}")
    assert check.options_now(plan, folder=folder).catalog == str(folder / "devices.json")
    (tmp_path / "devices.json").write_text("{}")
    assert check.options_now(plan, folder=folder).catalog == "devices.json"
    assert check.options_now(plan, catalog=tmp_path / "mine.json").catalog == str(tmp_path / "mine.json")


def test_a_check_writes_report_and_table_anew_and_leaves_the_scene(tmp_path, monkeypatch, capsys):
    for name in ("measurements.csv", "report.html", "scene.mrb"):
        (tmp_path / name).write_text("of the plan before")
    case_plan().save(tmp_path / "plan.json")
    monkeypatch.setattr(cli_steps, "_case_and_spine", lambda *_: (None, None))
    monkeypatch.setattr(check, "check_on_case", lambda plan, *_: plan)
    assert main(["check", str(tmp_path / "plan.json"), "--segmentation", "labels", "-o", str(tmp_path)]) == 3
    assert (tmp_path / "scene.mrb").read_text() == "of the plan before"
    assert "<!DOCTYPE html>" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert (tmp_path / "measurements.csv").read_text(encoding="utf-8").startswith("level,")
    assert "scene.mrb in" in capsys.readouterr().out
    assert CasePlan.load(tmp_path / "plan.json") == case_plan()


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [(None, None, False), ("a", "a", False), ("a", None, True), (None, "a", True), ("a", "b", True)],
)
def test_a_check_without_the_canal_mask_of_the_plan_says_so(before, now, told):
    """The clearance to the canal is another one then, and the labels are not to blame."""
    plan = case_plan()

    def record(sha256):
        return None if sha256 is None else ImageRecord("canal.nii.gz", sha256, (4, 4, 4), (1.0, 1.0, 1.0))

    plan = replace(plan, inputs=replace(plan.inputs, canal=record(before)))
    case = Case(None, Image(np.zeros((4, 4, 4)), np.eye(4)), {}, Inputs(None, None, record(now)))
    warning = again.other_canal(plan, case)
    assert (warning is not None) == told
    assert not told or ("canal.nii.gz" in warning.message and "--canal" in warning.message)


def test_on_a_console_without_the_signs_a_comparison_keeps_its_minus(tmp_path):
    """Windows writes redirected text in a code page of its own, and the sign of an angle is what it says."""
    plan = case_plan()
    level = plan.levels[0]
    tipped = replace(level.measurements, wedge_angle_deg=-30.0)
    plan.save(tmp_path / "a.json")
    other = replace(plan, levels=(replace(level, measurements=tipped), *plan.levels[1:]))
    other.save(tmp_path / "b.json")
    done = subprocess.run(
        [sys.executable, "-m", "VertebralAugmentationPlannerLib.cli", "compare", "a.json", "b.json"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": "cp1252", "PYTHONPATH": str(Path(cli_steps.__file__).parents[1])},
        capture_output=True,
        check=True,
    )
    told = done.stdout.decode("cp1252")
    assert "-30.0°" in told and "B - A" in told and "?" not in told


@pytest.mark.skipif(os.name == "nt", reason="rights by umask are POSIX's")
def test_what_is_written_has_the_rights_that_files_and_folders_get_there(tmp_path):
    before = os.umask(0o027)
    try:
        with OutputFolder(tmp_path / "out", products=()) as folder:
            write_text(folder.workshop / "plan.json", "{}")
            folder.commit()
    finally:
        os.umask(before)
    rights = [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "out", tmp_path / "out" / "plan.json")]
    assert rights == [0o750, 0o640]


def test_a_comparison_that_is_written_is_not_printed_quietly(tmp_path, capsys):
    case_plan().save(tmp_path / "a.json")
    arguments = ["compare", str(tmp_path / "a.json"), str(tmp_path / "a.json"), "--quiet"]
    assert main([*arguments, "-o", str(tmp_path / "c.csv")]) == 0
    assert capsys.readouterr().out == "" and (tmp_path / "c.csv").is_file()
    assert main(arguments) == 0 and capsys.readouterr().out  # its text is all there is


def test_a_report_goes_into_a_folder_that_is_not_there_yet_and_leaves_none_where_it_is_refused(tmp_path, capsys):
    case_plan().save(tmp_path / "plan.json")
    assert main(["report", str(tmp_path / "plan.json"), "-o", str(tmp_path / "a" / "b" / "mine.html"), "--quiet"]) == 0
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["mine.html"]
    arguments = ["report", str(tmp_path / "plan.json"), "--segmentation", str(tmp_path / "none.nii.gz")]
    assert main([*arguments, "-o", str(tmp_path / "c" / "mine.html")]) == 2
    assert not (tmp_path / "c").exists()
    (tmp_path / "file").write_text("")
    assert main(["report", str(tmp_path / "plan.json"), "-o", str(tmp_path / "file" / "mine.html")]) == 2
    assert "is a file; give a folder" in capsys.readouterr().err


def test_a_report_on_a_full_disk_says_so(tmp_path, monkeypatch, capsys):
    case_plan().save(tmp_path / "plan.json")

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "mkstemp", full)
    monkeypatch.setattr(cli_output.shutil, "disk_usage", lambda _: SimpleNamespace(free=0))
    assert main(["report", str(tmp_path / "plan.json"), "-o", str(tmp_path / "out" / "mine.html")]) == 2
    assert (
        capsys.readouterr().err
        == f"vap: The disk of the output folder {tmp_path / 'out'} is full; nothing was written.\n"
    )
    assert not (tmp_path / "out").exists()
