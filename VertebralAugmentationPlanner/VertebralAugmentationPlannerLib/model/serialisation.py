"""plan.json in and out. The dataclasses are the only description of the fields; this walks them."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import re
import tempfile
import types
import typing
from pathlib import Path
from typing import Any

from .errors import InputError
from .levels import LEVELS, SIDES
from .options import as_float
from .plan import SCHEMA, CasePlan, PlanWarning
from .plan_checks import refuse_unusable
from .warning_codes import CLEFT_NOT_LABELLED

DECIMALS = 4
"""0.1 µm and 0.0001°: far below any claim, and it keeps the text of a plan readable."""

BYTE_ORDER_MARK = "\ufeff"

_HEADING = re.compile(rf"(?P<level>{'|'.join(LEVELS)})(?: (?P<side>{'|'.join(SIDES)}))?: ")
_COMPLETED = re.compile(r".* of the label of (?P<level>\S+) were taken ")
"""How sentences of plans that do not have a warning's side and level tell them."""

HALF_CHARACTERS = re.compile("[\ud800-\udfff]")
"""Halves of a character, which JSON can spell alone and no file can hold."""


def to_plain(value: Any) -> Any:
    """Dataclasses to dictionaries, tuples to lists. Numbers must be finite: None stands for “not computed”."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_plain(item) for item in value]
    if value is None or isinstance(value, (bool, str, int)):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("a plan holds no NaN or infinity; what could not be computed is None")
        return float(value)
    raise TypeError(f"{type(value).__name__} cannot be written into a plan")


def rounded(value: Any) -> Any:
    """The same dataclass with every float rounded to :data:`DECIMALS`, so that saving loses nothing."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        changes = {field.name: rounded(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return dataclasses.replace(value, **changes)
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(rounded(item) for item in value)
    if isinstance(value, float):
        return round(float(value), DECIMALS) + 0.0  # + 0.0 turns −0.0 into 0.0
    return value


def to_json(plan: CasePlan) -> str:
    """Text of plan.json."""
    return json.dumps(to_plain(plan), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def plan_from_json(text: str) -> CasePlan:
    """Read the text of plan.json.

    Raises:
        InputError: not JSON, or not a plan of this version.
    """
    return plan_from_plain(read_json(text, "The plan"))


def read_json(text: str, what: str) -> Any:
    """The values of a JSON text, which may begin with the mark by which some editors say that it is UTF-8.

    Args:
        what: subject of the messages, such as "The plan".

    Raises:
        InputError: not JSON, nested without end, or an object that says one thing twice.
    """

    def table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        values = dict(pairs)
        if len(values) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise InputError(f"{what} has the entry “{twice}” twice in one place; keep one of them.")
        return values

    try:
        return json.loads(text.removeprefix(BYTE_ORDER_MARK), object_pairs_hook=table)
    except json.JSONDecodeError as error:
        raise InputError(f"{what} is not valid JSON (line {error.lineno}: {error.msg}).") from error
    except InputError:
        raise
    except (RecursionError, ValueError) as error:  # brackets, or a number's digits, without end
        raise InputError(f"{what} is not valid JSON of this program: it is nested too deep or damaged.") from error


def plan_from_plain(data: Any) -> CasePlan:
    """Read a plan from plain dictionaries.

    Raises:
        InputError: not a plan of this version; the message names the field.
    """
    if not isinstance(data, dict) or "schema" not in data:
        raise InputError("This is not a plan: it has no “schema” entry.")
    if data["schema"] != SCHEMA:
        raise InputError(f"The plan has schema “{data['schema']}”; this version reads “{SCHEMA}”.")
    plan = typing.cast(CasePlan, _read(data, CasePlan, "plan"))
    refuse_unusable(plan)
    return plan


def load_plan(path: Path) -> CasePlan:
    """Read plan.json from a file. Raises InputError as :func:`plan_from_json`, or where there is no such file."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        not_read = "it is not text" if isinstance(error, UnicodeDecodeError) else "no file can have this name"
        reason = error.strerror if isinstance(error, OSError) else not_read
        raise InputError(f"The plan {path} cannot be read: {reason}.") from error
    return plan_from_json(text)


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all. What no file can hold, as in a name that is not UTF-8, is written as “?”.

    Raises:
        InputError: the folder cannot be written.
    """
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", errors="replace", newline="\n") as stream:
                stream.write(text)
            os.chmod(temporary, 0o666 & ~_umask())  # mkstemp's are their owner's alone
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}.") from error


def _umask() -> int:
    current = os.umask(0o077)
    os.umask(current)
    return current


def _read(data: Any, kind: Any, where: str) -> Any:
    """Convert plain data to the annotated type, naming the place where it does not fit."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return _read_any(data, where)
    if origin in (typing.Union, types.UnionType):
        if data is None and type(None) in arguments:
            return None
        choices = [argument for argument in arguments if argument is not type(None)]
        if len(choices) == 1:
            return _read(data, choices[0], where)
        raise TypeError(f"{where}: unions of several types are not part of the contract")
    if origin is tuple:
        if not isinstance(data, list):
            raise InputError(f"The plan’s {where} should be a list.")
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return tuple(_read(item, arguments[0], f"{where}[{n}]") for n, item in enumerate(data))
        if len(data) != len(arguments):
            raise InputError(f"The plan’s {where} should have {len(arguments)} entries, not {len(data)}.")
        return tuple(
            _read(item, part, f"{where}[{n}]") for n, (item, part) in enumerate(zip(data, arguments, strict=True))
        )
    if origin is dict:
        if not isinstance(data, dict):
            raise InputError(f"The plan’s {where} should be an object.")
        return {_text(key, where): _read(item, arguments[1], f"{where}.{key}") for key, item in data.items()}
    if dataclasses.is_dataclass(kind):
        return _read_dataclass(data, kind, where)
    return _read_scalar(data, kind, where)


def _read_dataclass(data: Any, kind: Any, where: str) -> Any:
    if not isinstance(data, dict):
        raise InputError(f"The plan’s {where} should be an object.")
    hints = typing.get_type_hints(kind)
    values = {}
    for field in dataclasses.fields(kind):
        if field.name in data:
            values[field.name] = _read(data[field.name], hints[field.name], f"{where}.{field.name}")
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise InputError(f"The plan’s {where} lacks “{field.name}”.")
    if kind is PlanWarning and "side" not in data and "level" not in data:
        values |= _of_whom(values["code"], values["message"])
    try:
        return kind(**values)
    except ValueError as error:
        raise InputError(f"The plan’s {where} is not usable: {error}.") from error


def _of_whom(code: str, message: str) -> dict[str, str]:
    """Side and level of a warning, told from its sentence: earlier plans have them nowhere else."""
    found = (_COMPLETED if code == CLEFT_NOT_LABELLED else _HEADING).match(message)
    told = {} if found is None else {name: value for name, value in found.groupdict().items() if value is not None}
    return told if told.get("level") in LEVELS else {}


def _read_scalar(data: Any, kind: Any, where: str) -> Any:
    if kind is float and isinstance(data, (int, float)) and not isinstance(data, bool):
        return _finite(data, where)
    if kind is int and isinstance(data, int) and not isinstance(data, bool):
        return data
    if kind is str and isinstance(data, str):
        return _text(data, where)
    if kind is bool and isinstance(data, bool):
        return data
    raise InputError(f"The plan’s {where} should be a {kind.__name__}, not {data!r}.")


def _read_any(data: Any, where: str) -> Any:
    """Data of any form as they are; only what could not be written again is refused."""
    if isinstance(data, dict):
        return {_text(key, where): _read_any(item, f"{where}.{key}") for key, item in data.items()}
    if isinstance(data, list):
        return [_read_any(item, f"{where}[{number}]") for number, item in enumerate(data)]
    if isinstance(data, str):
        return _text(data, where)
    return _finite(data, where) if isinstance(data, float) else data


def _finite(data: float, where: str) -> float:
    number = as_float(data)
    if not math.isfinite(number):
        raise InputError(f"The plan’s {where} is not a finite number.")
    return number


def _text(data: str, where: str) -> str:
    if HALF_CHARACTERS.search(data):
        raise InputError(f"The plan’s {where} holds half a character (“\\ud800” or the like); write the text anew.")
    return data
