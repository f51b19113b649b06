"""The way into the program, and out of it by Ctrl-C while it is being loaded."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from VertebralAugmentationPlannerLib import cli, cli_start

LOADED_UNTIL_INTERRUPTED = """
import os, signal, sys

# As a terminal has them: what runs in the background may have been started to ignore some.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGTERM, signal.SIG_DFL)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

class Interrupted:  # a signal as the program's own module is looked for; a library may make another error of it
    def find_spec(self, name, path=None, target=None):
        if name == "VertebralAugmentationPlannerLib.cli":
            try:
                os.kill(os.getpid(), signal.NAME)
            except KeyboardInterrupt:
                raise ImportError("half loaded") from None

sys.meta_path.insert(0, Interrupted())
signal.signal(signal.SIGINT, signal.default_int_handler)
from VertebralAugmentationPlannerLib.cli_start import main
sys.exit(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of a Unix system")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_while_the_program_is_loaded_ends_in_one_line(name):
    code = LOADED_UNTIL_INTERRUPTED.replace("signal.NAME", f"signal.{name}")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "vap: cancelled; nothing was written.\n")


def test_ctrl_c_is_as_it_was_once_the_program_is_loaded(monkeypatch, capsys):
    seen = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    monkeypatch.setattr(cli, "main", lambda: seen.extend(map(signal.getsignal, numbers)) or 0)
    assert cli_start.main() == 0
    assert seen == [*map(signal.getsignal, numbers)]


def test_the_command_runs_the_program(capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["vap", "sample", "list"])
    assert cli_start.main() == 0
    assert "t12-wedge" in capsys.readouterr().out
