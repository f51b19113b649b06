"""Who may import whom."""

from __future__ import annotations

import sys

import pytest
from sources import MODULE_FILE, PACKAGE, imported_packages, imported_rooms, name_of, python_files, room_of

ROAD = (
    "model",
    "case",
    "anatomy",
    "measurement",
    "access",
    "augmentation",
    "planner",
    "refill",
    "remeasured",
    "check",
    "imaging",
    "report",
    "scene",
)
ROAD += ("widget", "cohort")
"""From the plain data to what the user sees; a room imports only rooms before it. ``planner`` walks the road as far as
the plan, so it stands where the plan is made."""

TOP = {"cli", "entry", "cli_start", "cli_steps", "cli_summary", "cli_output", "__init__", "__main__"}
"""May import every room."""

ASIDE = {"sample": {"model"}}
"""Rooms beside the road, and all they may import."""

MAY_USE_SAMPLE = {"scene"}
"""Rooms of the road that offer the samples to the user."""

IN_SLICER = {"numpy", "scipy", "SimpleITK", "vtk", "vtkmodules", "pydicom", "requests"}
"""What Slicer bundles: all the engine may need."""

WANTED = {
    "slicer": {"scene"},
    "ctk": {"widget"},
    "qt": {"widget"},
    "highdicom": {"report"},
    "dask": {"cohort"},
}
"""Packages for certain rooms only: MRML, Qt, and those the user asks for by name."""


@pytest.mark.parametrize("path", python_files(PACKAGE), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_imports_only_rooms_above_it_on_the_road(path):
    room = room_of(path)
    for line, other in imported_rooms(path):
        if other == room or other.startswith("__") or room in TOP:
            continue
        where = f"{name_of(path)}:{line}"
        if room in ASIDE:
            assert other in ASIDE[room], f"{where}: {room} imports {other}"
        elif other in ASIDE:
            assert room in MAY_USE_SAMPLE, f"{where}: {room} imports {other}, which is for tests and samples"
        else:
            assert room in ROAD, f"{where}: {room} is no room of the house"
            assert other in ROAD, f"{where}: {other} is no room of the house"
            assert ROAD.index(other) < ROAD.index(room), f"{where}: {room} imports {other}, which is further on"


def test_every_room_of_the_package_is_known():
    rooms = {room_of(path) for path in python_files(PACKAGE)}
    assert rooms - TOP - set(ROAD) - set(ASIDE) == set()
    assert {"model", "case", "anatomy", "measurement", "access", "augmentation", "sample"} <= rooms


def test_imports_inside_the_package_are_relative():
    absolute = [
        f"{name_of(path)}:{line}"
        for path in python_files(PACKAGE)
        for line, package in imported_packages(path)
        if package == PACKAGE.name
    ]
    assert absolute == []


def test_the_engine_needs_nothing_that_slicer_does_not_bundle():
    strange = []
    for path in python_files(PACKAGE):
        for line, package in imported_packages(path):
            if package in sys.stdlib_module_names or package in IN_SLICER or package == PACKAGE.name:
                continue
            if room_of(path) not in WANTED.get(package, set()):
                strange.append(f"{name_of(path)}:{line} imports {package}")
    assert strange == []


def test_the_module_file_brings_only_slicer_and_the_package():
    own = {package for _, package in imported_packages(MODULE_FILE)} - set(sys.stdlib_module_names)
    assert own <= {"slicer", "qt", "ctk", "vtk", "SampleData", PACKAGE.name}


def test_the_test_host_is_never_imported_by_the_product():
    for path in [*python_files(PACKAGE), MODULE_FILE]:
        assert not {"host", "pytest", "PySide6"} & {package for _, package in imported_packages(path)}, name_of(path)
