"""docs/warnings.md names every code that a plan may hold, and none that nobody writes."""

from __future__ import annotations

import ast
import re

from sources import PACKAGE, REPOSITORY, python_files

PAGE = REPOSITORY / "docs" / "warnings.md"

WRITERS = {"PlanWarning": 0, "PlanWarning.of_level": 1, "PlanWarning.of_needle": 2, "_note": 1, "_doubt": 0}
"""What makes a warning, and which of its arguments is the code; ``of_needle`` may be given level and side as one."""


def trees() -> list[ast.Module]:
    return [ast.parse(path.read_text(encoding="utf-8")) for path in python_files(PACKAGE)]


def named(modules: list[ast.Module]) -> dict[str, str]:
    """Texts by the names of the constants that hold them."""
    found = {}
    for node in (node for module in modules for node in module.body if isinstance(node, ast.Assign)):
        target, value = node.targets[0], node.value
        pairs = (
            zip(target.elts, value.elts, strict=False)
            if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)
            else [(target, value)]
        )
        found |= {
            name.id: text.value
            for name, text in pairs
            if isinstance(name, ast.Name) and isinstance(text, ast.Constant) and isinstance(text.value, str)
        }
    return found


def written(modules: list[ast.Module]) -> set[str]:
    """Codes of warnings that are made with a code in words, or by a constant's name."""
    names, codes = named(modules), set()
    for call in (node for module in modules for node in ast.walk(module) if isinstance(node, ast.Call)):
        writer = ast.unparse(call.func)
        if writer not in WRITERS:
            continue
        index = WRITERS[writer]
        if any(isinstance(argument, ast.Starred) for argument in call.args[:index]):
            index = 1
        if index < len(call.args):
            code = call.args[index]
            if isinstance(code, ast.IfExp):
                codes |= {branch.value for branch in (code.body, code.orelse) if isinstance(branch, ast.Constant)}
            elif isinstance(code, ast.Constant) and code.value:
                codes.add(code.value)
            elif isinstance(code, ast.Name) and code.id in names:
                codes.add(names[code.id])
    return codes


def told() -> set[str]:
    rows = [line.split("|")[1] for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    return {code for row in rows for code in re.findall(r"`([a-z0-9_]+)`", row)}


def test_every_code_that_is_written_stands_in_the_table():
    codes = written(trees())
    assert len(codes) > 90
    assert codes - told() == set()


def test_no_code_stands_in_the_table_that_nobody_writes():
    texts = {node.value for module in trees() for node in ast.walk(module) if isinstance(node, ast.Constant)}
    assert told() - texts == set()
