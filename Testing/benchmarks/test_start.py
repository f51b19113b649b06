"""How long a start takes, in seconds of one core, and what it leaves unloaded."""

from __future__ import annotations

import os
import resource
import subprocess
import sys

import pytest

START_S = 3.0
"""What every command waits for before it reads the first file. [D]"""

HEAVY = ("vtk", "pydicom", "slicer")
"""All of VTK takes a second to load, pydicom and Slicer's libraries some tenths: a plan needs four modules of VTK, and
DICOM and MRML only where they are given or asked for."""

ROAD = """
import sys
from VertebralAugmentationPlannerLib import cli, plan_case
from VertebralAugmentationPlannerLib import imaging, report
print(*sorted(set(sys.argv[1:]) & set(sys.modules)))
"""


@pytest.fixture(scope="module")
def start():
    """The heavy modules that a start loads, and its seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", ROAD, *HEAVY], env=environment, capture_output=True, text=True, check=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.stdout.split(), after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_a_start_loads_only_what_a_plan_and_its_report_need(start):
    assert start[0] == []


@pytest.mark.benchmark_table
def test_a_start_takes_less_than_three_seconds(start, record_property):
    record_property("start_s", round(start[1], 2))
    assert start[1] < START_S
