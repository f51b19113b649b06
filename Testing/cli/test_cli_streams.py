"""What is printed never decides what a run came to: full disks, closed streams and readers that have seen enough."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from plans import case_plan

PACKAGE = Path(__file__).parents[2] / "VertebralAugmentationPlanner"
RUN = "import sys; from VertebralAugmentationPlannerLib.cli_start import main; sys.exit(main())"
FULL = Path("/dev/full")

SLOW_EXPORT = """
import os, sys, time
from VertebralAugmentationPlannerLib import cli_steps
from VertebralAugmentationPlannerLib.cli_output import OutputFolder

def export(arguments):
    with OutputFolder(arguments.output) as folder:
        (folder.workshop / "half.csv").write_text("half")
        print("begun", flush=True)
        time.sleep(60)

cli_steps.run_export = export
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a shell's redirections")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="no device that is always full")


def shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a line of the shell in which “vap” is the program and plan.json a plan."""
    case_plan().save(folder / "plan.json")
    text = f'vap() {{ "{sys.executable}" -c "{RUN}" "$@"; }}; {command}'
    return subprocess.run(
        ["bash", "-c", text],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(PACKAGE)},
        check=False,
        timeout=120,
    )


@needs_full
def test_files_that_are_in_place_are_a_success_that_cannot_be_told(tmp_path):
    done = shell("vap export plan.json --as csv -o out >/dev/full", tmp_path)
    assert done.returncode == 0
    assert done.stderr == "vap: the result cannot be printed (No space left on device); the files are written.\n"
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["needles.csv"]


@needs_full
def test_a_table_that_nobody_receives_is_a_failure(tmp_path):
    done = shell("vap compare plan.json plan.json >/dev/full", tmp_path)
    assert done.returncode == 1
    assert done.stderr == (
        "vap: the result cannot be printed (No space left on device); give it another place to go.\n"
    )
    assert shell("vap compare plan.json plan.json -o a.csv >/dev/full", tmp_path).returncode == 0


@pytest.mark.parametrize(
    "command",
    [
        "vap export plan.json --as csv -o out | true",
        "vap compare plan.json plan.json --all | head -1",
        "vap sample list | head -1",
        "vap plan --help | head -1",
    ],
)
def test_a_reader_that_has_seen_enough_is_no_error(command, tmp_path):
    done = shell(f"{command}; echo ${{PIPESTATUS[0]}} >status", tmp_path)
    assert (tmp_path / "status").read_text() == "0\n"
    assert done.stderr == ""


@pytest.mark.parametrize("redirection", ["2>&-", ">&-", "<&- >&- 2>&-", pytest.param("2>/dev/full", marks=needs_full)])
def test_a_closed_stream_fails_no_run_and_stays_out_of_the_files(redirection, tmp_path):
    done = shell(f"vap export plan.json --as csv,markups -o out {redirection}", tmp_path)
    assert done.returncode == 0
    assert done.stderr == ""
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["needles.csv", "needles.mrk.json"]
    assert "Written" not in (tmp_path / "out" / "needles.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize("redirection", ["2>&-", pytest.param("2>/dev/full", marks=needs_full)])
def test_an_error_that_nobody_hears_keeps_its_status(redirection, tmp_path):
    assert shell(f"vap export none.json -o out {redirection}", tmp_path).returncode == 2
    assert shell(f"vap export {redirection}", tmp_path).returncode == 2


def test_progress_without_a_place_to_go_is_silent(capsys):
    import io

    from VertebralAugmentationPlannerLib.cli_output import Progress

    class Gone(io.StringIO):
        def write(self, text):
            raise OSError(5, "Input/output error")

    progress = Progress(Gone(), quiet=False)
    progress(0.5, "Planning")
    progress.close()
    assert capsys.readouterr() == ("", ""), "nor is it told elsewhere"


USUAL_SIGNALS = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGTERM, signal.SIG_DFL)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
"""
"""As a terminal has them: what runs in the background may have been started to ignore some."""


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_a_signal_leaves_nothing_behind(name, tmp_path):
    case_plan().save(tmp_path / "plan.json")
    code = f"{USUAL_SIGNALS}\n{SLOW_EXPORT}\n{RUN}"
    command = [sys.executable, "-c", code, "export", "plan.json", "-o", "out"]
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=environment
    ) as process:
        assert process.stdout.readline() == "begun\n"
        process.send_signal(getattr(signal, name))
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said == "vap: cancelled; nothing was written.\n"
    assert [path.name for path in tmp_path.iterdir()] == ["plan.json"]


def test_a_run_that_was_started_to_outlive_its_terminal_does(tmp_path):
    case_plan().save(tmp_path / "plan.json")
    code = f"import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n{SLOW_EXPORT.replace('60', '1')}\n"
    code += RUN.replace("sys.exit(main())", "status = main()")
    command = [sys.executable, "-c", code, "export", "plan.json", "-o", "out", "--quiet"]
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=environment
    ) as process:
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGHUP)
        time.sleep(0.1)
        _, said = process.communicate(timeout=60)
    assert "cancelled" not in said


def test_a_signal_once_the_files_are_in_place_takes_nothing_back(tmp_path, monkeypatch, capsys):
    from VertebralAugmentationPlannerLib import cli

    case_plan().save(tmp_path / "plan.json")

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "say", interrupted)
    assert cli.main(["export", str(tmp_path / "plan.json"), "--as", "csv", "-o", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "needles.csv").exists()
    assert capsys.readouterr().err == ""
