"""Settings of every test: off-screen Qt, one thread for each worker, and a run that mostly skips is a failure."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

# Before numpy, ITK and Qt are imported, which read these once.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS", "1")

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGE_FOLDER = REPOSITORY / "VertebralAugmentationPlanner"
if str(PACKAGE_FOLDER) not in sys.path:
    sys.path.insert(0, str(PACKAGE_FOLDER))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--min-passed", type=int, default=0, help="fail where fewer tests than this have passed")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A run in which hardly anything ran must not look like success."""
    wanted = session.config.getoption("--min-passed")
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if not wanted or reporter is None or hasattr(session.config, "workerinput"):
        return
    passed = len(reporter.stats.get("passed", []))
    if passed < wanted:
        reporter.write_line(f"Only {passed} tests passed; at least {wanted} were expected to run.", red=True)
        session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def repository() -> Path:
    """Root of the repository."""
    return REPOSITORY
