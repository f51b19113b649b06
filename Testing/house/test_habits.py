"""Habits of the house that a reader relies on."""

from __future__ import annotations

import ast
import re

import pytest
from sources import MODULE_FILE, PACKAGE, REPOSITORY, name_of, python_files, tracked_files, tree_of

MAX_LINES = 400
"""Files are of one thought and mostly under 300 lines; beyond this a file needs a reason here."""

LONGER: dict[str, str] = {"Testing/unit/scene/test_scene_editing.py": "one story of dragging, on one set of fixtures"}
"""Path and reason of each file that may be longer."""

MOSTLY = 0.9
"""Share of the package's files under 300 lines."""

NO_WORKPLACES = re.compile(
    r"(?<![\w.])/(?:work|root|home|Users)/\w|(?<![\w/])\.\./shared/(?!data)|\bsub-?agents?\b|\bchatbot\b|\bLLM\b"
)
"""Traces of the machine a file was written on. The one path outside that may be named is ``../shared/data``, where
tests look for real CTs."""

TEXT = {".py", ".md", ".toml", ".txt", ".cfg", ".json", ".yaml", ".yml", ".csv", ".ui", ".cmake", ".svg", ""}

NO_DATA = re.compile(r"\.(nii(\.gz)?|nrrd|mha|mhd|raw|dcm|mrb|zip|h5|npz?)$", re.IGNORECASE)
"""Images and archives; the synthetic samples are the only ones that are kept."""

MAX_FILE_MB = 4.0


@pytest.mark.parametrize("path", [*python_files(PACKAGE), MODULE_FILE], ids=name_of)
def test_no_error_is_swallowed(path):
    for node in ast.walk(tree_of(path)):
        if not isinstance(node, ast.ExceptHandler):
            continue
        assert node.type is not None, f"{name_of(path)}:{node.lineno} catches everything, even Ctrl-C"
        caught = {part.id for part in ast.walk(node.type) if isinstance(part, ast.Name)}
        if caught & {"Exception", "BaseException"}:
            silent = all(isinstance(step, (ast.Pass, ast.Continue)) for step in node.body)
            assert not silent, f"{name_of(path)}:{node.lineno} hides every error"


def test_files_are_of_one_thought():
    lengths = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in python_files()}
    too_long = {name: length for name, length in lengths.items() if length > MAX_LINES and name not in LONGER}
    assert too_long == {}
    needless = [name for name in LONGER if lengths.get(name, 0) <= MAX_LINES]
    assert needless == [], "these are short enough by now; take them off the list"
    in_package = [length for name, length in lengths.items() if PACKAGE.name in name]
    assert sum(length <= 300 for length in in_package) >= MOSTLY * len(in_package)


def _public(tree: ast.Module):
    """Functions and classes at the top of a file whose name is public."""
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            yield node


SELF_EVIDENT_ROOMS = ("scene", "widget")
"""Rooms whose methods answer signals named like them; their classes and functions still say what they do."""


def _own_methods(node: ast.ClassDef):
    inherits = bool(node.bases)
    for step in node.body:
        if not isinstance(step, ast.FunctionDef) or step.name.startswith("_"):
            continue
        overrides = inherits and not isinstance(step.body[0], ast.Expr) and len(step.body) <= 2
        one_liner = len(step.body) == 1 and isinstance(step.body[0], ast.Return)
        if not overrides and not one_liner:
            yield step


def test_every_public_function_says_what_it_does():
    silent = []
    for path in python_files(PACKAGE):
        room = path.relative_to(PACKAGE).parts[0]
        if not ast.get_docstring(tree_of(path)) and path.stem != "__init__":
            silent.append(f"{name_of(path)}:1")
        for node in _public(tree_of(path)):
            dataclass = any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list)
            if not ast.get_docstring(node) and not (dataclass and room == "model"):
                silent.append(f"{name_of(path)}:{node.lineno} {node.name}")
            if isinstance(node, ast.ClassDef) and room not in SELF_EVIDENT_ROOMS:
                silent += [
                    f"{name_of(path)}:{step.lineno} {node.name}.{step.name}"
                    for step in _own_methods(node)
                    if not ast.get_docstring(step)
                ]
    assert silent == []


def test_nothing_tells_of_the_machine_it_was_written_on():
    this = REPOSITORY / "Testing/house/test_habits.py"
    traces = []
    for path in tracked_files():
        if path.suffix not in TEXT or path == this:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if NO_WORKPLACES.search(line):
                traces.append(f"{name_of(path)}:{number} {line.strip()[:100]}")
    assert traces == []


def test_no_patient_data_is_kept_here():
    images = [name_of(path) for path in tracked_files() if NO_DATA.search(path.name)]
    assert [name for name in images if not name.startswith("sample_data/")] == []
    large = {name_of(path): path.stat().st_size / 1e6 for path in tracked_files()}
    assert {name: size for name, size in large.items() if size > MAX_FILE_MB} == {}


def test_no_two_helpers_of_the_tests_share_a_name():
    """Helpers are imported by their bare names, so a second one would shadow the first."""
    aside = {"conftest.py", "__init__.py"}
    alone = {"validation"}  # run as a program, never beside the tests
    names = [
        path.name
        for path in python_files(REPOSITORY / "Testing")
        if not path.name.startswith("test_") and path.name not in aside and path.parent.name not in alone | {"host"}
    ]
    assert sorted({name for name in names if names.count(name) > 1}) == []


def test_thresholds_carry_their_tag():
    """The numbers that decide (measurement, access, augmentation) say where they come from."""
    tag = re.compile(r"\[[VCMD](?:[/ :][^\]]*)?\]")
    tagged = {
        room: sum(len(tag.findall(path.read_text(encoding="utf-8"))) for path in python_files(PACKAGE / room))
        for room in ("measurement", "access", "augmentation")
    }
    assert all(count >= 20 for count in tagged.values()), tagged
