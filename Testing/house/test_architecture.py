"""The page that leads through the code names nothing that is not there."""

from __future__ import annotations

import re
from importlib import import_module

import pytest
from sources import MODULE_FILE, PACKAGE, python_files, room_of

ROOT = MODULE_FILE.parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
WORDS = sorted(set(re.findall(r"`([^`\n]+)`", PAGE)))
FILES = [word for word in WORDS if re.fullmatch(r"[\w/]+\.(py|json|txt)", word)]
FOLDERS = [word for word in WORDS if re.fullmatch(r"(Testing|Resources)/[\w/]+", word)]
FUNCTIONS = [word for word in WORDS if re.fullmatch(r"[a-z_]+(\.[a-zA-Z_]+)+", word) and word not in FILES]


def test_the_page_names_files_folders_and_functions():
    assert len(FILES) > 30 and len(FOLDERS) > 3 and len(FUNCTIONS) > 10


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_the_page_is_there(name):
    assert any((place / name).is_file() for place in (PACKAGE, ROOT))


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_of_the_page_is_there(name):
    assert any((place / name).is_dir() for place in (ROOT, MODULE_FILE.parent))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_of_the_page_is_there(name):
    *module, last = name.split(".")
    places = [".".join(module), *(f"scene.{'.'.join(module)}",), *(f"widget.{'.'.join(module)}",)]
    for place in places:
        if any((PACKAGE / place.replace(".", "/")).with_suffix(end).exists() for end in ("", ".py")):
            text = (PACKAGE / place.replace(".", "/")).with_suffix(".py")
            if text.exists() and re.search(rf"def {last}\b", text.read_text(encoding="utf-8")):
                return
            found = import_module(f"{PACKAGE.name}.{place}")
            if hasattr(found, last):
                return
    pytest.fail(f"{name} is nowhere in the package")


def test_every_room_has_a_row():
    rooms = {room_of(path) for path in python_files(PACKAGE)} - {"__init__", "__main__"}
    rows = "\n".join(line for line in PAGE.splitlines() if line.startswith("| `"))
    missing = {room for room in rooms if f"`{room}`" not in rows and f"`{room}.py`" not in rows}
    assert missing <= {"cli_start", "cli_output", "cli_summary"}
