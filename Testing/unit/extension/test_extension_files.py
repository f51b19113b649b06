"""The extension builds like any other: every file is listed, and every address in it leads somewhere."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
MODULE = ROOT / "VertebralAugmentationPlanner"
NAME = "VertebralAugmentationPlanner"
HOMEPAGE = f"https://github.com/{NAME}/Slicer{NAME}"
RAW = f"https://raw.githubusercontent.com/{NAME}/Slicer{NAME}/main/"
"""The index wants “Slicer” before the repository's name, not before the extension's (ExtensionsIndex
scripts/check_description_files.py, check_git_repository_name and check_extension_name)."""

INDEX_CATEGORIES = {"Planning", "Quantification", "IGT", "Osteotomy Planning", "Segmentation", "Simulation"}
"""Of ACCEPTED_EXTENSION_CATEGORIES in the Extensions Index's check_description_files.py."""


def listed(variable: str) -> list[str]:
    """Files in a ``set(VARIABLE …)`` of the module's CMakeLists.txt."""
    text = (MODULE / "CMakeLists.txt").read_text(encoding="utf-8")
    body = re.search(rf"set\({variable}\n(.*?)\n\s*\)", text, re.DOTALL)[1]
    return [line.strip().replace("${MODULE_NAME}", NAME) for line in body.splitlines() if line.strip()]


def root_variable(name: str) -> str:
    """A quoted variable of the root CMakeLists.txt, found by the expressions of the index's own check."""
    text = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    return re.search(rf'set\s*\({name}\s*"([^"]+)"[ ]*\)', text, re.IGNORECASE)[1]


def files_of_the_module() -> set[str]:
    """Without what tools leave behind (__pycache__, .ruff_cache, .mypy_cache): that is in nobody else's checkout."""
    kept = {path.relative_to(MODULE) for path in MODULE.rglob("*") if path.is_file()}
    return {path.as_posix() for path in kept if not any(part[0] in "._" and "cache" in part for part in path.parts)} - {
        "CMakeLists.txt"
    }


def test_every_script_is_listed_once():
    scripts = listed("MODULE_PYTHON_SCRIPTS")
    present = {name for name in files_of_the_module() if name.endswith(".py")}
    assert sorted(present - set(scripts)) == [], "add these to VertebralAugmentationPlanner/CMakeLists.txt"
    assert sorted(set(scripts) - present) == [], "these are listed but not there"
    assert len(scripts) == len(set(scripts))


def test_every_resource_is_listed_once():
    resources = listed("MODULE_PYTHON_RESOURCES")
    present = {name for name in files_of_the_module() if not name.endswith((".py", ".pyc"))}
    assert sorted(present - set(resources)) == [], "add these to VertebralAugmentationPlanner/CMakeLists.txt"
    assert sorted(set(resources) - present) == [], "these are listed but not there"


def test_only_the_module_itself_lies_where_slicer_looks_for_modules():
    assert [path.name for path in MODULE.glob("*.py")] == [f"{NAME}.py"]


def test_every_sample_case_is_installed():
    text = (MODULE / "CMakeLists.txt").read_text(encoding="utf-8")
    for folder in (path for path in (ROOT / "sample_data").iterdir() if path.is_dir() and path.name[0] not in "._"):
        assert f"/../sample_data/{folder.name}\n" in text


def test_the_extensions_name_is_the_projects():
    text = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    assert re.search(r"project\s*\(\s*([^\s\)\n\r]+)", text)[1] == NAME
    assert (ROOT / f"{NAME}.json").is_file()


def test_icon_and_screenshots_are_files_of_this_repository():
    urls = [root_variable("EXTENSION_ICONURL"), *root_variable("EXTENSION_SCREENSHOTURLS").split()]
    assert len(urls) >= 2
    for url in urls:
        assert url.startswith(RAW)
        assert (ROOT / url.removeprefix(RAW)).is_file(), url


def png_size(path: Path) -> tuple[int, int]:
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


def test_icons_have_the_size_that_slicer_shows():
    assert png_size(ROOT / "Resources" / "Icons" / f"{NAME}.png") == (128, 128)
    assert png_size(MODULE / "Resources" / "Icons" / f"{NAME}.png") == (128, 128)
    for thumbnail in (MODULE / "Resources" / "Icons").glob("Sample-*.png"):
        assert png_size(thumbnail) == (260, 280)


def test_every_sample_case_has_a_thumbnail():
    cases = {path.name for path in (ROOT / "sample_data").iterdir() if (path / "truth.json").is_file()}
    assert {
        path.stem.removeprefix("Sample-") for path in (MODULE / "Resources" / "Icons").glob("Sample-*.png")
    } == cases


def test_the_index_entry_follows_its_schema():
    text = (ROOT / f"{NAME}.json").read_bytes()
    entry = json.loads(text)
    assert b"\r" not in text
    # slicer-extension-catalog-entry-schema-v1.0.1.json: these properties and no others
    kinds = {
        "$schema": str,
        "category": str,
        "scm_url": str,
        "scm_revision": str,
        "build_subdirectory": str,
        "tier": int,
    }
    assert set(entry) == {*kinds, "build_dependencies"}
    assert all(isinstance(entry[name], kind) for name, kind in kinds.items())
    assert entry["category"] in INDEX_CATEGORIES
    assert entry["scm_url"] == f"{HOMEPAGE}.git"
    assert 1 <= entry["tier"] <= 5


def test_entry_and_cmake_agree():
    entry = json.loads((ROOT / f"{NAME}.json").read_text(encoding="utf-8"))
    assert root_variable("EXTENSION_HOMEPAGE") == HOMEPAGE
    assert (root_variable("EXTENSION_DEPENDS") == "NA") == (entry["build_dependencies"] == [])
    assert 40 < len(root_variable("EXTENSION_DESCRIPTION")) < 500


def test_the_module_file_is_thin_and_names_the_same_homepage():
    text = (MODULE / f"{NAME}.py").read_text(encoding="utf-8")
    assert HOMEPAGE in text
    classes = [node.name for node in ast.parse(text).body if isinstance(node, ast.ClassDef)]
    assert set(classes) == {NAME, *(f"{NAME}{part}" for part in ("ParameterNode", "Logic", "Widget", "Test"))}
    assert len(text.splitlines()) < 200


STUB = """
function(slicerMacroBuildScriptedModule)
  cmake_parse_arguments(MY "WITH_GENERIC_TESTS" "NAME" "SCRIPTS;RESOURCES" ${ARGN})
  if(MY_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "unknown ${MY_UNPARSED_ARGUMENTS}")
  endif()
  foreach(file ${MY_SCRIPTS} ${MY_RESOURCES})
    if(NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${file})
      message(FATAL_ERROR "given nonexistent file '${file}'")
    endif()
  endforeach()
  message(STATUS "MODULE ${MY_NAME}")
endfunction()
function(slicer_add_python_unittest)
  cmake_parse_arguments(MY "" "TESTNAME_PREFIX;SCRIPT" "SLICER_ARGS" ${ARGN})
  message(STATUS "UNITTEST ${MY_SCRIPT}")
endfunction()
function(slicer_add_python_test)
  cmake_parse_arguments(MY "" "TESTNAME_PREFIX;SCRIPT" "SLICER_ARGS;SCRIPT_ARGS" ${ARGN})
  if(NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${MY_SCRIPT})
    message(FATAL_ERROR "no ${MY_SCRIPT}")
  endif()
  message(STATUS "TEST ${MY_SCRIPT}")
endfunction()
"""
"""Slicer's macros as far as the lists go (CMake/SlicerMacroBuildScriptedModule.cmake, SlicerMacroPythonTesting.cmake)."""


TOP = """
cmake_minimum_required(VERSION 3.16)
project(top NONE)
{stub}
set(Slicer_QTSCRIPTEDMODULES_LIB_DIR lib/qt-scripted-modules)
set(BUILD_TESTING ON)
add_subdirectory({root}/VertebralAugmentationPlanner module)
add_subdirectory({root}/Testing testing)
"""


@pytest.mark.skipif(shutil.which("cmake") is None, reason="cmake is not installed")
def test_cmake_configures_module_and_tests(tmp_path):
    """With stand-ins for Slicer's macros that refuse what the real ones refuse."""
    source, build = tmp_path / "source", tmp_path / "build"
    source.mkdir()
    (source / "CMakeLists.txt").write_text(TOP.format(stub=STUB, root=ROOT.as_posix()))
    command = ["cmake", "-S", str(source), "-B", str(build)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for line in (f"MODULE {NAME}", f"UNITTEST {NAME}.py", "TEST run_in_slicer.py"):
        assert line in done.stdout
    assert (build / "lib/qt-scripted-modules/Resources/SampleData/t12-wedge/ct.nii.gz").is_file()
