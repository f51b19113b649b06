"""What a plan that was edited must still be, beyond the types of its fields: the limits of its schema, and needles and
balloons that have a length."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from .errors import InputError
from .levels import LEVELS, SIDES
from .options import PlanOptions
from .plan import CasePlan, LevelPlan
from .schema import plan_schema

SAME_POINT_MM = 1e-3
"""Two points of a plan that are nearer are one point; plans are written to 0.1 µm. [D]"""

FARTHEST_MM = 1e5
"""No needle lies further from the image's origin: 100 m, far beyond any scanner. [D]"""

_NOT_HELD = {("LevelPlan", "level"), ("Trajectory", "side"), ("BalloonPlan", "max_volume_ml")}
"""Level and side have sentences of their own; two balloons that touch before they are filled leave each other 0 ml."""


def refuse_unusable(plan: CasePlan) -> None:
    """Refuse a plan whose values no run could have written.

    Raises:
        InputError: one is outside what the contract allows; the message names the field.
    """
    for level in plan.levels:
        _refuse_strange_names(level)
    for where, owner, name, value in _fields(plan, "plan"):
        limits = _limits(owner, name)
        if limits and value is not None:
            _hold(value, limits, where)
    _refuse_options(plan)
    for name, value in plan.inputs.level_values.items():
        if value < 1:
            raise InputError(f"The plan’s plan.inputs.level_values.{name} is {value}; labels are numbers above 0.")
    for number, level in enumerate(plan.levels):
        _refuse_points(level, f"plan.levels[{number}]")


def _refuse_strange_names(level: LevelPlan) -> None:
    if level.level not in LEVELS:
        raise InputError(f"The plan has a level “{level.level}”, which does not exist; levels are T1–T13 and L1–L6.")
    strange = next((needle.side for needle in level.trajectories if needle.side not in SIDES), None)
    if strange is not None:
        raise InputError(f"The plan has a needle on the side “{strange}” of {level.level}; sides are left and right.")
    sides = [needle.side for needle in level.trajectories]
    twice = next((side for side in SIDES if sides.count(side) > 1), None)
    if twice is not None:
        raise InputError(f"The plan has two needles on the {twice} of {level.level}; keep one for each side.")


def _fields(value: Any, where: str) -> Iterator[tuple[str, str, str, Any]]:
    """Place, class, name and value of every field of every dataclass below a value."""
    if isinstance(value, tuple):
        for number, item in enumerate(value):
            yield from _fields(item, f"{where}[{number}]")
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            item, place = getattr(value, field.name), f"{where}.{field.name}"
            yield place, type(value).__name__, field.name, item
            yield from _fields(item, place)


@cache
def _definitions() -> dict[str, Any]:
    definitions: dict[str, Any] = plan_schema()["$defs"]
    return definitions


def _limits(owner: str, name: str) -> dict[str, Any]:
    if (owner, name) in _NOT_HELD:
        return {}
    found: dict[str, Any] = _definitions()[owner]["properties"].get(name, {})
    return found


def _hold(value: Any, limits: dict[str, Any], where: str) -> None:
    """Compare one value with the limits that the schema has for its field."""
    if "const" in limits and value != limits["const"]:
        raise InputError(f"The plan’s {where} is “{value}”; this version reads “{limits['const']}” only.")
    if "enum" in limits and value not in limits["enum"]:
        raise InputError(f"The plan’s {where} is “{value}”; it should be {_one_of(limits['enum'])}.")
    if "pattern" in limits and not re.search(limits["pattern"], value):
        raise InputError(f"The plan’s {where} is “{value}”, which no plan has there; put back what was written.")
    if "propertyNames" in limits:
        for key in value:
            if key not in limits["propertyNames"]["enum"]:
                names = _one_of(limits["propertyNames"]["enum"])
                raise InputError(f"The plan’s {where} has an entry “{key}”; it should be {names}.")
    for key, fits, words in (
        ("minimum", lambda number, limit: number >= limit, "at least"),
        ("exclusiveMinimum", lambda number, limit: number > limit, "above"),
        ("maximum", lambda number, limit: number <= limit, "at most"),
    ):
        if key in limits and not fits(value, limits[key]):
            raise InputError(f"The plan’s {where} is {value}; it should be {words} {limits[key]}.")


def _one_of(names: list[Any]) -> str:
    known = [str(name) for name in names if name is not None]
    return f"{', '.join(known[:-1])} or {known[-1]}"


def _refuse_options(plan: CasePlan) -> None:
    try:
        PlanOptions.from_dict(plan.options)
    except InputError as error:
        text = str(error)
        raise InputError(f"The plan’s options cannot be used: {text[0].lower()}{text[1:]}") from error


def _refuse_points(level: LevelPlan, where: str) -> None:
    """Needles and balloons are drawn along their axis, and it needs two points."""
    grid = level.measurements.heights_3x3_mm if level.measurements else None
    if grid is not None and [len(row) for row in grid] != [3, 3, 3]:
        raise InputError(f"The plan’s {where}.measurements.heights_3x3_mm should be three rows of three heights.")
    if level.trajectories and level.frame is None:
        raise InputError(f"The plan’s {where}.frame is missing, and the level has needles; put back what was written.")
    for number, needle in enumerate(level.trajectories):
        here = f"{where}.trajectories[{number}]"
        pairs = [("entry_ras", needle.entry_ras, "target_ras", needle.target_ras)]
        if needle.skin_ras is not None:
            pairs.append(("skin_ras", needle.skin_ras, "target_ras", needle.target_ras))
        if needle.balloon is not None:
            balloon = needle.balloon
            pairs.append(("balloon.proximal_ras", balloon.proximal_ras, "balloon.distal_ras", balloon.distal_ras))
            if balloon.planned_diameter_mm <= 0:
                raise InputError(
                    f"The plan’s {here}.balloon.planned_diameter_mm is {balloon.planned_diameter_mm:g}; it should be above 0."
                )
        for first, start, second, end in pairs:
            for name, point in ((first, start), (second, end)):
                if max(map(abs, point)) > FARTHEST_MM:
                    raise InputError(
                        f"The plan’s {here}.{name} lies further away than any image; put it into the bone."
                    )
            if math.dist(start, end) < SAME_POINT_MM:
                raise InputError(f"The plan’s {here}.{first} and {second} are the same point; they should lie apart.")
