"""What a release must agree on."""

from __future__ import annotations

import json
import re
import sys

import pytest
from sources import REPOSITORY, name_of, tracked_files

import VertebralAugmentationPlannerLib as library
from VertebralAugmentationPlannerLib.model.schema import SCHEMA_PATH, plan_schema


def test_the_changelog_has_this_version():
    changelog = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## {re.escape(library.__version__)}\b", changelog, re.MULTILINE)


def test_the_version_stands_in_one_place_only():
    pyproject = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    assert 'dynamic = ["version"]' in pyproject
    assert not re.search(r'^version\s*=\s*"', pyproject, re.MULTILINE)


def test_the_shipped_schema_is_that_of_the_dataclasses():
    shipped = json.loads(SCHEMA_PATH.read_text(encoding="utf-8"))
    assert shipped == plan_schema(), "run: python -m VertebralAugmentationPlannerLib.model.schema"


def test_the_licence_is_apache_2_in_full():
    text = (REPOSITORY / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert len(text.splitlines()) > 190


@pytest.mark.parametrize("path", [path for path in tracked_files() if path.suffix == ".md"], ids=name_of)
def test_links_between_documents_lead_somewhere(path):
    targets = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", path.read_text(encoding="utf-8"))
    assert [target for target in targets if not (path.parent / target).exists()] == []


def test_the_readme_says_what_the_planner_is_not():
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert "Not a medical device" in text
    assert "make demo" in text
    assert "make test" in text


def test_constraints_pin_every_dependency_once_for_each_python():
    text = (REPOSITORY / "constraints.txt").read_text(encoding="utf-8")
    pins = [line for line in text.splitlines() if line and not line.startswith("#")]
    pattern = re.compile(
        r'^[a-z0-9-]+==[\w.]+( ; python_version (<=|==|>=) "3\.\d+"( and python_version <= "3\.\d+")?)?$'
    )
    assert [pin for pin in pins if not pattern.match(pin)] == []
    names = {re.split("==", pin)[0] for pin in pins}
    assert {"numpy", "scipy", "simpleitk", "vtk", "pydicom", "pytest", "ruff", "mypy", "hatchling"} <= names


@pytest.mark.skipif(sys.platform == "win32", reason="file modes")
def test_the_ci_script_can_be_run():
    script = REPOSITORY / ".ci" / "run"
    assert script in tracked_files()
    assert script.stat().st_mode & 0o111
    assert "make test" in script.read_text(encoding="utf-8")
