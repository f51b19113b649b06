"""What a run leaves behind: a whole folder or none, and an exit status that tells.

The engine is stood in for by a plan of the report's tests; the sample case goes through the real one.
"""

from __future__ import annotations

import dataclasses
import io
from types import SimpleNamespace

import pytest
from plans import case_plan

from VertebralAugmentationPlannerLib import cli_steps
from VertebralAugmentationPlannerLib.cli import main
from VertebralAugmentationPlannerLib.cli_output import OutputFolder, Progress
from VertebralAugmentationPlannerLib.model import CasePlan, PlanOptions


def safe_plan() -> CasePlan:
    """T12 alone, both needles safe."""
    plan = case_plan()
    level = plan.levels[0]
    needles = tuple(dataclasses.replace(needle, safety="safe", compromise=None) for needle in level.trajectories)
    return dataclasses.replace(plan, levels=(dataclasses.replace(level, trajectories=needles),))


@pytest.fixture
def engine(monkeypatch):
    """Stands in for reading, anatomy and planning; ``engine.plan`` is what they answer."""
    import sys

    stand_in = SimpleNamespace(plan=safe_plan(), during=lambda: None)

    def plan_loaded_case(case, options, **_):
        stand_in.options = options
        stand_in.during()
        return stand_in.plan

    planner = SimpleNamespace(
        plan_loaded_case=plan_loaded_case, measured_plan=lambda case, spine, options: stand_in.plan
    )
    monkeypatch.setitem(sys.modules, "VertebralAugmentationPlannerLib.planner", planner)
    monkeypatch.setattr(cli_steps, "_case_and_spine", lambda *_: (None, None))
    monkeypatch.setattr(cli_steps, "_has_slicer_core", lambda: False)
    return stand_in


def run(tmp_path, *more: str) -> int:
    return main(["plan", "ct.nii.gz", "--segmentation", "labels.nii.gz", "-o", str(tmp_path / "out"), *more])


def test_a_plan_with_safe_needles_ends_with_0_and_its_three_files(engine, tmp_path, capsys):
    assert run(tmp_path, "--levels", "T12") == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "measurements.csv",
        "plan.json",
        "report.html",
    ]
    assert CasePlan.load(tmp_path / "out" / "plan.json") == engine.plan
    assert "Written to" in capsys.readouterr().out


def test_the_choices_reach_the_engine(engine, tmp_path):
    run(tmp_path, "--levels", "T12", "--procedure", "vertebroplasty", "--approach", "bilateral", "--cannula", "11G",
        "--target-fill", "0.25", "--etiology", "traumatic", "--labels", "verse")  # fmt: skip
    expected = PlanOptions(
        levels="T12", procedure="vertebroplasty", approach="bilateral", cannula="11G", target_fill=0.25,
        etiology="traumatic", labels="verse",
    )  # fmt: skip
    assert engine.options == expected


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--balloon", "KYPHON Xpander 15/3", "--procedure", "vertebroplasty"), True),
        (("--balloon", "auto", "--procedure", "vertebroplasty"), False),
        (("--balloon", "KYPHON Xpander 15/3"), False),
        (("--procedure", "vertebroplasty"), False),
    ],
)
def test_a_balloon_that_the_procedure_does_not_use_is_told(engine, tmp_path, capsys, options, told):
    run(tmp_path, *options)
    assert ("“KYPHON Xpander 15/3” was not used: a vertebroplasty has no balloon" in capsys.readouterr().out) == told


def test_nothing_chosen_means_the_defaults_of_the_options(engine, tmp_path):
    run(tmp_path)
    assert engine.options == PlanOptions()


def test_a_tight_needle_a_refused_side_or_a_level_without_needle_ends_with_3(engine, tmp_path):
    level = engine.plan.levels[0]
    tight = dataclasses.replace(level.trajectories[0], safety="tight")
    for changed in (
        dataclasses.replace(level, trajectories=(tight, level.trajectories[1])),
        dataclasses.replace(level, trajectories=level.trajectories[1:], skipped_sides={"left": "too thin"}),
        dataclasses.replace(level, trajectories=(), approach="none"),
    ):
        engine.plan = dataclasses.replace(engine.plan, levels=(changed,))
        assert run(tmp_path, "--levels", "T12") == 3
        assert (tmp_path / "out" / "plan.json").exists()


def test_a_named_level_that_is_not_in_the_plan_ends_with_3(engine, tmp_path):
    assert run(tmp_path, "--levels", "T12,L5") == 3


def test_a_level_cut_by_the_border_is_no_request_unless_it_was_named(engine, tmp_path):
    cut = case_plan().levels[2]
    engine.plan = dataclasses.replace(engine.plan, levels=(engine.plan.levels[0], cut))
    assert run(tmp_path, "--levels", "all") == 0
    assert run(tmp_path, "--levels", "fractured") == 0
    assert run(tmp_path, "--levels", cut.level) == 3


def test_measuring_ends_with_0_whatever_the_needles(engine, tmp_path):
    engine.plan = case_plan()
    assert main(["measure", "--segmentation", "labels.nii.gz", "-o", str(tmp_path / "out")]) == 0


@pytest.mark.parametrize("error", [RuntimeError("division of bones by zero\nat line 3"), KeyboardInterrupt()])
def test_a_failure_half_way_leaves_nothing(engine, tmp_path, capsys, error):
    def fail():
        raise error

    engine.during = fail
    assert run(tmp_path) == (130 if isinstance(error, KeyboardInterrupt) else 1)
    assert list(tmp_path.iterdir()) == []
    text = capsys.readouterr().err
    assert len(text.splitlines()) == 1
    assert "nothing was written" in text
    assert "Traceback" not in text


def test_debug_shows_where_an_internal_error_came_from(engine, tmp_path, capsys):
    def fail():
        raise RuntimeError("division of bones by zero")

    engine.during = fail
    assert run(tmp_path, "--debug") == 1
    assert "Traceback" in capsys.readouterr().err


def test_a_failure_leaves_the_plan_of_an_earlier_run_as_it_was(engine, tmp_path):
    assert run(tmp_path) == 0
    before = (tmp_path / "out" / "plan.json").read_bytes()

    def fail():
        raise RuntimeError

    engine.during = fail
    assert run(tmp_path) == 1
    assert (tmp_path / "out" / "plan.json").read_bytes() == before
    assert len(list((tmp_path / "out").iterdir())) == 3


def test_a_new_plan_leaves_no_product_of_the_old_one_beside_it_and_nothing_else_is_touched(engine, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "scene.mrb").write_text("of an older plan")
    (out / "notes.txt").write_text("mine")
    assert run(tmp_path) == 0
    assert sorted(path.name for path in out.iterdir()) == ["measurements.csv", "notes.txt", "plan.json", "report.html"]


def test_folders_above_the_output_are_made_only_at_the_end(tmp_path):
    with OutputFolder(tmp_path / "a" / "b") as folder:
        (folder.workshop / "plan.json").write_text("{}")
        assert not (tmp_path / "a").exists()
        assert folder.commit() == ["plan.json"]
    assert (tmp_path / "a" / "b" / "plan.json").read_text() == "{}"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a"]


@pytest.mark.parametrize("name", ["plan.json", "scene.mrb"])
def test_a_folder_under_a_product_s_name_is_found_out_before_the_work_and_nothing_is_touched(
    engine, tmp_path, capsys, name
):
    (tmp_path / "out" / name).mkdir(parents=True)
    (tmp_path / "out" / "measurements.csv").write_text("of an older plan")

    def never():
        raise AssertionError("the plan was made before the output was tried")

    engine.during = never
    assert run(tmp_path) == 2
    assert capsys.readouterr().err.splitlines() == [
        f"vap: {tmp_path / 'out' / name} is a folder, where a file is to be written; give another folder with -o."
    ]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(["measurements.csv", name])
    assert (tmp_path / "out" / "measurements.csv").read_text() == "of an older plan"


@pytest.mark.parametrize("fails_at", [1, 2, 3, 4])
def test_a_file_that_cannot_be_moved_in_leaves_the_folder_as_it_was(tmp_path, monkeypatch, fails_at):
    """Four moves: the old plan and the old scene out, the new plan and a new file of a new sub-folder in."""
    from VertebralAugmentationPlannerLib import cli_output
    from VertebralAugmentationPlannerLib.model import InputError

    (tmp_path / "plan.json").write_text("old")
    (tmp_path / "scene.mrb").write_text("old scene")
    moved, count = cli_output.os.replace, iter(range(1, 100))

    def replace(source, target):
        if next(count) == fails_at:
            raise PermissionError(13, "Permission denied")
        moved(source, target)

    with OutputFolder(tmp_path) as folder:
        (folder.workshop / "plan.json").write_text("new")
        (folder.workshop / "stl").mkdir()
        (folder.workshop / "stl" / "bone.stl").write_text("new")
        monkeypatch.setattr(cli_output.os, "replace", replace)
        with pytest.raises(InputError, match=r"cannot be written \(Permission denied\)"):
            folder.commit()
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "plan.json": "old",
        "scene.mrb": "old scene",
    }


def test_an_export_that_fails_half_way_writes_nothing(tmp_path, capsys):
    case_plan().save(tmp_path / "a.json")
    out = tmp_path / "x"
    assert main(["export", str(tmp_path / "a.json"), "--as", "csv,markups,dicom-sr", "-o", str(out)]) == 2
    assert "needs the DICOM folder" in capsys.readouterr().err
    assert not out.exists()


def test_an_export_keeps_what_else_is_in_its_folder(tmp_path):
    case_plan().save(tmp_path / "plan.json")
    (tmp_path / "stl").mkdir()
    (tmp_path / "stl" / "mine.stl").write_text("mine")
    assert main(["export", str(tmp_path / "plan.json"), "--as", "csv,stl", "-o", str(tmp_path), "--quiet"]) == 0
    assert (tmp_path / "stl" / "mine.stl").read_text() == "mine"
    assert len(list((tmp_path / "stl").iterdir())) > 1
    assert CasePlan.load(tmp_path / "plan.json") == case_plan()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".vap")]


def test_surfaces_of_an_earlier_plan_do_not_lie_among_those_of_this_one(tmp_path):
    plan = case_plan()
    plan.save(tmp_path / "plan.json")
    export = ["export", str(tmp_path / "plan.json"), "--as", "stl", "-o", str(tmp_path / "x"), "--quiet"]
    assert main(export) == 0
    before = {path.name for path in (tmp_path / "x" / "stl").iterdir()}
    mine = {"left_needle.stl", "L4_left_needle.stl"}  # one of them named like ours
    for name in mine:
        (tmp_path / "x" / "stl" / name).write_text("mine")
    levels = tuple(
        dataclasses.replace(
            level, trajectories=tuple(needle for needle in level.trajectories if needle.side == "right")
        )
        for level in plan.levels
    )
    dataclasses.replace(plan, levels=levels).save(tmp_path / "plan.json")
    assert main(export) == 0
    after = {path.name for path in (tmp_path / "x" / "stl").iterdir()}
    assert after == {*mine, *(name for name in before if "_left_" not in name)}
    assert any("_left_" in name for name in before)


def test_a_report_that_is_refused_leaves_no_folder(tmp_path, files):
    case_plan().save(tmp_path / "plan.json")
    arguments = ["report", str(tmp_path / "plan.json"), "--segmentation", str(files["labels"])]
    assert main([*arguments, "-o", str(tmp_path / "report")]) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["plan.json"]


@pytest.fixture
def usual_signals():
    """Signals as a terminal has them: a job that runs in the background may have been started to ignore some."""
    import signal

    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_sigterm_ends_like_ctrl_c_and_leaves_nothing(engine, tmp_path, capsys, usual_signals):
    import os
    import signal

    before = signal.getsignal(signal.SIGTERM)
    engine.during = lambda: os.kill(os.getpid(), signal.SIGTERM)
    assert run(tmp_path) == 130
    assert capsys.readouterr().err.splitlines()[-1] == "vap: cancelled; nothing was written."
    assert list(tmp_path.iterdir()) == []
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_an_interrupt_that_a_library_turns_into_another_error_is_an_interrupt(
    engine, tmp_path, capsys, name, usual_signals
):
    import os
    import signal

    def load():
        try:
            os.kill(os.getpid(), getattr(signal, name))
        except KeyboardInterrupt as error:
            raise ImportError("initialisation failed") from error

    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    engine.during = load
    assert run(tmp_path) == 130
    assert capsys.readouterr().err.splitlines()[-1] == "vap: cancelled; nothing was written."
    assert list(tmp_path.iterdir()) == []
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_quiet_prints_nothing(engine, tmp_path, capsys):
    assert run(tmp_path, "--quiet") == 0
    output = capsys.readouterr()
    assert (output.out, output.err) == ("", "")


def test_progress_is_plain_lines_away_from_a_terminal_and_a_bar_on_one():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    def drive(stream):
        progress = Progress(stream, quiet=False)
        progress(0.0, "Reading")
        progress(0.1, "Reading")
        progress(0.5, "Planning L1")
        progress.close()
        return stream.getvalue()

    assert drive(io.StringIO()) == "  0 % Reading\n 50 % Planning L1\n"
    bar = drive(Terminal())
    assert "\n" not in bar
    assert "[############............]  50 % Planning L1" in bar
    assert max(map(len, bar.split("\r"))) < 80


def test_version_and_help_end_with_0(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("vap 0.")
    assert main(["plan", "--help"]) == 0
    text = capsys.readouterr().out
    assert "examples:" in text
    assert "exit status:" in text


def test_the_ct_may_stand_before_or_after_the_options(engine, tmp_path):
    from VertebralAugmentationPlannerLib.cli import parse

    for words in (
        "check p.json ct --segmentation L",
        "check p.json --segmentation L ct",
        "check --segmentation L p.json ct",
    ):
        arguments = parse(words.split())
        assert (arguments.plan, arguments.ct, arguments.segmentation) == ("p.json", "ct", "L")


def test_two_plans_are_compared_and_a_plan_reported_and_exported(tmp_path, capsys):
    case_plan().save(tmp_path / "a.json")
    safe_plan().save(tmp_path / "b.json")
    assert main(["compare", str(tmp_path / "a.json"), str(tmp_path / "b.json")]) == 0
    assert "L2" in capsys.readouterr().out
    assert main(["report", str(tmp_path / "a.json"), "-o", str(tmp_path / "a.html")]) == 0
    assert (tmp_path / "a.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert main(["export", str(tmp_path / "a.json"), "--as", "csv,markups", "-o", str(tmp_path / "x")]) == 0
    assert sorted(path.name for path in (tmp_path / "x").iterdir()) == ["needles.csv", "needles.mrk.json"]


def test_the_samples_are_listed(capsys):
    assert main(["sample", "list"]) == 0
    assert capsys.readouterr().out.splitlines()[0].startswith("t12-wedge ")
