"""Every input that cannot be used ends with one sentence, exit status 2, and nothing written."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from pathlib import Path

import pytest
from image_files import write_image
from toy_spine import spine_labels

from VertebralAugmentationPlannerLib.cli import main

PACKAGE = Path(__file__).parents[2] / "VertebralAugmentationPlanner"

BAD_INPUTS = [
    ("none", "labels", "does not exist"),
    ("ct", "none", "does not exist"),
    ("text", "labels", "cannot be read as an image"),
    ("ct", "text", "cannot be read as an image"),
    ("far", "labels", "do not overlap"),
    ("ct", "organs", "No vertebra T1–L6 is in the labels"),
    ("ct", "empty", "is empty"),
    ("ct", "twice", "two spines"),
    ("ct", "swapped", "not lie in that order"),
    ("nan", "labels", "NaN or infinite"),
    ("constant", "labels", "CT is constant"),
    ("stored", "labels", "in the soft tissue beside the spine, where HU are −100 to 100"),
    ("labels", "labels", "The CT is a label map"),
    ("short", "labels", "a part of its image is missing"),
    ("four", "labels", "4-D"),
    ("colour", "labels", "colour"),
    ("ct", "four", "4-D"),
    ("missing", "labels", "lacks 1 slice"),
    ("uneven", "labels", "unevenly spaced"),
    ("two", "labels", "holds 2 CT series"),
    (None, "cut", "No vertebra is whole"),
]


def snapshot(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def refused(capsys, arguments: list[str], says: str) -> None:
    assert main(arguments) == 2
    output = capsys.readouterr()
    lines = [line for line in output.err.splitlines() if " % " not in line]  # progress lines apart
    assert len(lines) == 1, output.err
    assert says in lines[0]
    assert output.out == ""


@pytest.mark.parametrize("command", ["plan", "measure"])
@pytest.mark.parametrize(("ct", "labels", "says"), BAD_INPUTS)
def test_bad_images(command, ct, labels, says, files, tmp_path, capsys):
    images = [] if ct is None else [str(files.get(ct, tmp_path / "none.nii.gz"))]
    arguments = [command, *images, "--segmentation", str(files.get(labels, tmp_path / "none.nii.gz"))]
    refused(capsys, [*arguments, "-o", str(tmp_path / "deep" / "out")], says)
    assert snapshot(tmp_path) == []


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--levels", "L7", "“L7” is not a vertebral level"),
        ("--levels", "L1,C5", "“C5” is not a vertebral level"),
        ("--levels", ",", "No level was named"),
        ("--target-fill", "30", "must lie above 0 and at most 1"),
        ("--target-fill", "much", "invalid float value"),
        ("--approach", "lateral", "invalid choice"),
        ("--cannula", "9G", "invalid choice"),
        ("--labels", "nonsense", "“nonsense” is unknown"),
        ("--colour", "red", "unrecognized arguments"),
    ],
)
def test_bad_choices(option, value, says, files, tmp_path, capsys):
    arguments = ["plan", str(files["ct"]), "--segmentation", str(files["labels"]), "-o", str(tmp_path / "out")]
    refused(capsys, [*arguments, option, value], says)
    assert snapshot(tmp_path) == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["plan", "--ct", "a.nii.gz"], "--ct; the CT stands without an option, vap plan CT --segmentation LABELS"),
        (["measure", "-i", "a.nii.gz"], "-i; the CT stands without an option, vap measure CT --segmentation LABELS"),
        (["plan", "a.nii.gz", "--mask=b.nii.gz"], "the label map is given with --segmentation"),
        (["plan", "a.nii.gz", "--canula", "11G"], "did you mean --cannula?"),
        (["plan", "a.nii.gz", "b.nii.gz"], "give one CT, and the labels with --segmentation"),
    ],
)
def test_arguments_of_other_programs_are_put_right(arguments, says, tmp_path, capsys):
    command = [*arguments, "--segmentation", "labels.nii.gz", "-o", str(tmp_path / "out")]
    refused(capsys, command, f"{says} (see vap {arguments[0]} --help)")
    assert snapshot(tmp_path) == []


def test_levels_of_two_readings_are_asked_for(files, tmp_path, capsys):
    labels = write_image(tmp_path / "one.nii.gz", *spine_labels([28]))
    refused(capsys, ["plan", "--segmentation", str(labels), "-o", str(tmp_path / "out")], "could be T13 in VerSe or L4")
    assert snapshot(tmp_path) == ["one.nii.gz"]


def test_an_output_that_is_a_file(files, tmp_path, capsys):
    taken = tmp_path / "taken"
    taken.write_text("mine")
    arguments = ["plan", str(files["ct"]), "--segmentation", str(files["labels"]), "-o"]
    refused(capsys, [*arguments, str(taken)], "is a file; give a folder")
    refused(capsys, [*arguments, str(taken / "below")], "cannot be written")
    assert taken.read_text() == "mine"
    assert snapshot(tmp_path) == ["taken"]


LONG = "x" * 300
"""Longer than any file system's names."""


@pytest.mark.parametrize("value", ["", "\0", LONG, "l\udcff"], ids=["empty", "NUL", "long", "bytes"])
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ("measure BAD --segmentation l -o out", "CT"),
        ("measure --segmentation BAD -o out", "--segmentation"),
        ("plan --segmentation l --canal BAD -o out", "--canal"),
        ("plan --segmentation l --labels BAD -o out", "--labels"),
        ("plan --segmentation l --catalog BAD -o out", "--catalog"),
        ("plan --segmentation l -o BAD", "-o"),
        ("check p.json --segmentation l -o BAD", "-o"),
        ("report BAD -o out", "PLAN.json"),
        ("report p.json -o BAD", "-o"),
        ("export p.json -o BAD", "-o"),
        ("compare a.json BAD", "B.json"),
        ("compare a.json b.json -o BAD", "-o"),
        ("sample t12-wedge -o BAD", "-o"),
    ],
)
def test_what_cannot_be_a_path_is_refused_before_anything_is_read(
    arguments, name, value, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    says = {
        "": f"The argument {name} is empty",
        "\0": f"as {name} holds a NUL",
        LONG: f"as {name} is longer than",
        "l\udcff": f"as {name} is not UTF-8",
    }
    refused(capsys, [value if word == "BAD" else word for word in arguments.split()], says[value])
    assert snapshot(tmp_path) == []


def test_an_output_below_a_name_that_is_too_long(tmp_path, capsys):
    out = tmp_path / "new" / LONG / "out"
    refused(capsys, ["measure", "--segmentation", "l", "-o", str(out)], "cannot be written (File name too long)")
    assert snapshot(tmp_path) == []


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
@pytest.mark.parametrize("below", ["", "deep/out"])
@pytest.mark.parametrize(
    "command", ["measure --segmentation l", "sample t12-wedge", "report p.json", "export p.json", "compare a b"]
)
def test_an_output_that_is_a_link_to_nothing_is_refused_before_the_work(command, below, tmp_path, capsys):
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "gone")
    refused(capsys, [*command.split(), "-o", str(link / below)], f"{link} is a link that leads nowhere")
    assert snapshot(tmp_path) == ["link"]


def test_an_output_that_cannot_be_written_is_found_out_before_anything_is_read(files, tmp_path, capsys, monkeypatch):
    from VertebralAugmentationPlannerLib import cli_output, cli_steps

    def refuse(_):
        raise PermissionError(13, "Permission denied")

    def never(*_, **__):
        raise AssertionError("images were read before the output was tried")

    monkeypatch.setattr(cli_output, "_workshop", refuse)
    monkeypatch.setattr(cli_steps, "load_case", never)
    arguments = ["plan", str(files["ct"]), "--segmentation", str(files["labels"]), "-o", str(tmp_path / "out")]
    refused(capsys, arguments, "cannot be written (Permission denied); give another with -o")


@pytest.mark.parametrize(
    ("free", "cause", "says"),
    [
        (0, None, "The disk of the output folder {} is full; nothing was written."),
        (1 << 40, OSError(errno.ENOSPC, "the file is gone since"), "The disk of the output folder {} is full;"),
        (1 << 40, None, "{}/plan.json cannot be written"),
    ],
)
def test_a_disk_that_fills_up_is_told_by_the_folder_given(free, cause, says, tmp_path, monkeypatch):
    from types import SimpleNamespace

    from VertebralAugmentationPlannerLib import cli_output
    from VertebralAugmentationPlannerLib.model import InputError

    monkeypatch.setattr(cli_output.shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    out = tmp_path / "out"

    def fill():
        with cli_output.OutputFolder(out) as folder:
            (folder.workshop / "half.csv").write_text("half")
            raise InputError(f"{folder.workshop / 'plan.json'} cannot be written: No space left on device.") from cause

    with pytest.raises(InputError) as refusal:
        fill()
    assert str(refusal.value).startswith(says.format(out))
    assert ".vap-" not in str(refusal.value)
    assert snapshot(tmp_path) == []


@pytest.mark.parametrize(
    ("plan", "says"),
    [("other", "vertebral-augmentation-plan/99"), ("no_plan", "not valid JSON"), ("none", "cannot be read")],
)
def test_a_plan_of_another_version_or_none_at_all(plan, says, files, tmp_path, capsys):
    path = str(files.get(plan, tmp_path / "none.json"))
    refused(capsys, ["check", path, "--segmentation", str(files["labels"])], says)
    refused(capsys, ["report", path, "-o", str(tmp_path / "report.html")], says)
    refused(capsys, ["compare", path, path], says)
    assert snapshot(tmp_path) == []


def _first_needle(data) -> dict:
    return next(level for level in data["levels"] if level["trajectories"])["trajectories"][0]


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (lambda data: data.update(levels=[]), "The plan holds no level"),
        (lambda data: data["levels"].append(data["levels"][0]), "The plan holds T12 more than once"),
        (lambda data: data.pop("levels"), "lacks “levels”"),
        (lambda data: data.update(schema="vertebral-augmentation-plan/2"), "this version reads"),
        (lambda data: _first_needle(data).update(entry_ras=[1.0, 2.0]), "should have 3 entries, not 2"),
        (lambda data: _first_needle(data).update(entry_ras=["1", "2", "3"]), "should be a float, not '1'"),
        (lambda data: _first_needle(data).update(entry_ras=[float("nan")] * 3), "is not a finite number"),
        (lambda data: _first_needle(data).update(cannula=None), "should be a str"),
        (lambda data: data["levels"][0].update(level="L77"), "“L77”, which does not exist"),
        (lambda data: _first_needle(data).update(side="middle"), "on the side “middle” of"),
    ],
    ids=[
        "no levels",
        "a level twice",
        "levels cut out",
        "version 2",
        "two numbers",
        "words",
        "NaN",
        "no cannula",
        "L77",
        "middle",
    ],
)
def test_a_damaged_plan_is_not_checked(edit, says, files, tmp_path, capsys):
    from plans import case_plan

    path = tmp_path / "plan.json"
    case_plan().save(path)
    data = json.loads(path.read_text(encoding="utf-8"))
    edit(data)
    path.write_text(json.dumps(data), encoding="utf-8")
    refused(capsys, ["check", str(path), "--segmentation", str(files["labels"]), "-o", str(tmp_path / "out")], says)
    path.write_text(path.read_text(encoding="utf-8")[:-500], encoding="utf-8")
    refused(capsys, ["check", str(path), "--segmentation", str(files["labels"])], "not valid JSON")
    assert snapshot(tmp_path) == ["plan.json"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[" * 100_000 + "]" * 100_000, "nested too deep"),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, "nested too deep"),
        ('{"schema": "vertebral-augmentation-plan/1", "levels": [], "levels": []}', "entry “levels” twice"),
    ],
    ids=["lists", "objects", "twice"],
)
def test_a_plan_that_no_program_wrote(text, says, files, tmp_path, capsys):
    path = tmp_path / "plan.json"
    path.write_text(text)
    refused(capsys, ["check", str(path), "--segmentation", str(files["labels"])], says)
    refused(capsys, ["report", str(path), "-o", str(tmp_path / "report.html")], says)
    refused(capsys, ["export", str(path), "-o", str(tmp_path / "out")], says)
    refused(capsys, ["compare", str(path), str(path)], says)
    assert snapshot(tmp_path) == ["plan.json"]


def test_levels_that_the_labels_have_lost_since_are_named():
    from plans import case_plan

    from VertebralAugmentationPlannerLib.model import Spine, Vertebra
    from VertebralAugmentationPlannerLib.check import _levels_gone

    plan = case_plan()
    whole = [level.level for level in plan.levels if level.complete]
    there = {level: Vertebra(level, True) for level in whole}
    assert _levels_gone(plan, Spine(there)) == []
    there[whole[0]] = Vertebra(whole[0], False, "cut")
    (warning,) = _levels_gone(plan, Spine(there))
    assert warning.severity == "caution"
    assert warning.message.startswith(f"{whole[0]} of the plan is not whole in the labels given now")


def test_exports_that_do_not_exist(files, tmp_path, capsys):
    from plans import case_plan

    case_plan().save(tmp_path / "plan.json")
    refused(
        capsys, ["export", str(tmp_path / "plan.json"), "--as", "obj", "-o", str(tmp_path / "x")], "no export “obj”"
    )
    refused(
        capsys, ["export", str(tmp_path / "plan.json"), "--as", ",", "-o", str(tmp_path / "x")], "No export was named"
    )
    assert snapshot(tmp_path) == ["plan.json"]


def test_a_sample_that_does_not_exist(tmp_path, capsys):
    refused(capsys, ["sample", "t99", "-o", str(tmp_path / "out")], "no sample “t99”")
    refused(capsys, ["sample", "t12-wedge"], "Give a folder with -o")
    assert snapshot(tmp_path) == []


def test_missing_arguments_are_one_line(capsys):
    refused(capsys, ["plan"], "--segmentation, -o/--output")
    refused(capsys, [], "COMMAND")


def test_the_process_itself_says_one_line_and_exits_with_2(files, tmp_path):
    """Through a real process: nothing that a library prints of its own may come between."""
    command = [sys.executable, "-m", "VertebralAugmentationPlannerLib.cli", "plan", str(files["text"])]
    command += ["--segmentation", str(files["labels"]), "-o", str(tmp_path / "out"), "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=PACKAGE, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "vap: The CT letter.txt cannot be read as an image; give a NIfTI, NRRD, MHA or DICOM volume, and copy it again "
        "if it is one."
    ]
    assert snapshot(tmp_path) == []
