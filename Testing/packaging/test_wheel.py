"""What ``pip install`` brings: the whole package with its data, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGE = "VertebralAugmentationPlannerLib"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel of this source tree."""
    pytest.importorskip("hatchling", reason="the build backend is not installed")
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """The wheel unpacked, as an installer would."""
    folder = tmp_path_factory.mktemp("site")
    zipfile.ZipFile(wheel).extractall(folder)
    return folder


def run_there(installed: Path, code: str) -> str:
    """Run code with the installed package and without the source tree."""
    begin = f"import sys; sys.path[:] = [{str(installed)!r}] + [p for p in sys.path if {str(REPOSITORY)!r} not in p or "
    begin += "'site-packages' in p]; sys.meta_path = [f for f in sys.meta_path if 'editable' not in repr(f).lower()]; "
    begin += f"import {PACKAGE}; assert {str(installed)!r} in {PACKAGE}.__file__, {PACKAGE}.__file__; "
    done = subprocess.run(
        [sys.executable, "-c", begin + code], cwd=installed, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_module_and_data_file_is_in_the_wheel(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    source = REPOSITORY / "VertebralAugmentationPlanner" / PACKAGE
    wanted = {
        f"{PACKAGE}/{path.relative_to(source).as_posix()}"
        for path in source.rglob("*")
        if path.is_file() and path.suffix in {".py", ".json", ".csv", ".css"}
    }
    assert wanted - names == set()
    assert f"{PACKAGE}/Resources/Catalog/balloons.json" in names


def test_nothing_but_the_package_is_in_the_wheel(wheel):
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    strangers = {top for top in tops if not top.startswith((PACKAGE, "vertebral_augmentation_planner"))}
    assert strangers <= {"Resources"}
    text = " ".join(zipfile.ZipFile(wheel).namelist())
    assert "Testing" not in text
    assert ".nii" not in text


def test_the_wheel_knows_its_version_command_and_licence(wheel):
    archive = zipfile.ZipFile(wheel)
    info = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    metadata = archive.read(info).decode()
    assert "Requires-Python: >=3.10" in metadata
    assert "Apache-2.0" in metadata
    commands = archive.read(info.replace("METADATA", "entry_points.txt")).decode()
    assert f"vap = {PACKAGE}.cli_start:main" in commands


def test_the_installed_package_finds_its_tables_and_its_devices(installed):
    found = json.loads(
        run_there(
            installed,
            f"import json; from {PACKAGE}.measurement.normal import normal_heights; "
            f"from {PACKAGE}.augmentation.catalog import load_catalog; from {PACKAGE}.model.schema import SCHEMA_PATH; "
            "print(json.dumps([normal_heights('L1')[2], len(load_catalog()), SCHEMA_PATH.is_file()]))",
        )
    )
    assert 20 < found[0] < 35
    assert found[1] >= 4
    assert found[2]


def test_the_installed_command_lists_the_samples(installed):
    out = run_there(installed, f"from {PACKAGE}.cli import main; sys.exit(main(['sample', 'list']))")
    assert "t12-wedge" in out
