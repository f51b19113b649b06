"""The repository's own files, read once for all rules."""

from __future__ import annotations

import ast
import subprocess
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
MODULE_FOLDER = REPOSITORY / "VertebralAugmentationPlanner"
PACKAGE = MODULE_FOLDER / "VertebralAugmentationPlannerLib"
MODULE_FILE = MODULE_FOLDER / "VertebralAugmentationPlanner.py"

SKIPPED_FOLDERS = {".git", ".venv", "build", "dist", "out", "node_modules", "__pycache__"}


@cache
def tracked_files() -> tuple[Path, ...]:
    """Files of the repository: those git knows, or, outside a git work tree, all that no tool has made."""
    asked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=60
    )
    if asked.returncode == 0 and asked.stdout:
        names = [REPOSITORY / name for name in asked.stdout.split("\0") if name]
        return tuple(sorted(path for path in names if path.is_file()))
    found = (path for path in REPOSITORY.rglob("*") if path.is_file())
    hidden = SKIPPED_FOLDERS | {".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", ".benchmarks"}
    return tuple(sorted(path for path in found if not hidden & set(path.relative_to(REPOSITORY).parts)))


def python_files(under: Path = REPOSITORY) -> list[Path]:
    """Tracked Python files below a folder."""
    return [path for path in tracked_files() if path.suffix == ".py" and path.is_relative_to(under)]


@cache
def tree_of(path: Path) -> ast.Module:
    """Syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def name_of(path: Path) -> str:
    """Path below the repository, with forward slashes."""
    return path.relative_to(REPOSITORY).as_posix()


def room_of(path: Path) -> str:
    """Room of a package file: its folder, or its own name for files at the top of the package."""
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else path.stem


def imported_rooms(path: Path) -> list[tuple[int, str]]:
    """(line, room) of every import from this package in a package file, wherever in the file it stands."""
    here = list(path.relative_to(PACKAGE).parts[:-1])
    found = []
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = here[: len(here) - (node.level - 1)]
            parts = base + (node.module.split(".") if node.module else [])
            found += [(node.lineno, parts[0])] if parts else [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == PACKAGE.name:
            parts = (node.module or "").split(".")[1:]
            found += [(node.lineno, parts[0])] if parts else [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.Import):
            for alias in node.names:
                parts = alias.name.split(".")
                if parts[0] == PACKAGE.name and len(parts) > 1:
                    found.append((node.lineno, parts[1]))
    return found


def imported_packages(path: Path) -> list[tuple[int, str]]:
    """(line, top-level package) of every absolute import, wherever in the file it stands."""
    found = []
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name.split(".")[0]) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            found.append((node.lineno, node.module.split(".")[0]))
    return found
