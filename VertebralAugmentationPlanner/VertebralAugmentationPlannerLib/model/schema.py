"""The JSON Schema of plan.json, derived from the dataclasses so that the two cannot drift apart.

``python -m VertebralAugmentationPlannerLib.model.schema`` rewrites ``plan_schema.json``; a test compares the two.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from pathlib import Path
from typing import Any

from .levels import SIDES
from .plan import SCHEMA, SEVERITIES, CasePlan

SCHEMA_PATH = Path(__file__).with_name("plan_schema.json")

LEVEL_PATTERN = r"^(T([1-9]|1[0-3])|L[1-6])$"

_CONTRACT_FIELDS_WITH_DEFAULT = {("Trajectory", "balloon"), ("Trajectory", "cement_ml"), ("Trajectory", "bone_fillers")}
"""Required although the dataclass has a default. Every other field with a default was added after the contract, so
a plan of this version without it is still a plan."""

_POSITIVE = {"exclusiveMinimum": 0}
_NOT_NEGATIVE = {"minimum": 0}
_SHAPE = "(wedge|biconcave|crush)"


def _three(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": 3, "maxItems": 3}


_THREE_BY_THREE = _three(_three({"type": ["number", "null"]}))

_LIMITS: dict[tuple[str, str], dict[str, Any]] = {
    ("CasePlan", "schema"): {"const": SCHEMA},
    ("CasePlan", "coordinate_system"): {"const": "RAS"},
    ("PlanWarning", "severity"): {"enum": list(SEVERITIES)},
    ("PlanWarning", "side"): {"enum": [*SIDES, None]},
    ("PlanWarning", "level"): {"pattern": LEVEL_PATTERN},
    ("ImageRecord", "sha256"): {"pattern": "^[0-9a-f]{64}$"},
    ("LevelPlan", "level"): {"pattern": LEVEL_PATTERN},
    ("LevelPlan", "approach"): {"enum": ["bilateral", "unilateral-left", "unilateral-right", "none", None]},
    ("LevelPlan", "skipped_sides"): {"propertyNames": {"enum": list(SIDES)}},
    ("Reference", "method"): {"enum": ["neighbours", "own_posterior", "normative"]},
    ("Measurements", "genant_grade"): {"minimum": 0, "maximum": 3},
    ("Measurements", "fracture_shape"): {"pattern": f"^(none|{_SHAPE}([+]{_SHAPE}){{0,2}})$"},
    ("Measurements", "of_class"): {"enum": ["OF2", "OF3", "OF4", None]},
    ("Measurements", "heights_3x3_mm"): {"anyOf": [_THREE_BY_THREE, {"type": "null"}]},
    ("Measurements", "height_points_ras"): {"propertyNames": {"enum": ["anterior", "middle", "posterior"]}},
    ("Measurements", "body_volume_ml"): _POSITIVE,
    ("Measurements", "anterior_two_thirds_volume_ml"): _POSITIVE,
    ("Measurements", "cleft_volume_ml"): _NOT_NEGATIVE,
    ("PedicleMeasurement", "isthmus_width_mm"): _POSITIVE,
    ("PedicleMeasurement", "isthmus_height_mm"): _POSITIVE,
    ("Trajectory", "side"): {"enum": list(SIDES)},
    ("Trajectory", "route"): {"enum": ["transpedicular", "extrapedicular"]},
    ("Trajectory", "cannula_outer_diameter_mm"): _POSITIVE,
    ("Trajectory", "bone_path_mm"): _POSITIVE,
    ("Trajectory", "skin_to_target_mm"): _POSITIVE,
    ("Trajectory", "breach_grade"): {"enum": [*"ABCDE", None]},
    ("Trajectory", "safety"): {"enum": ["safe", "tight", "breach"]},
    ("Trajectory", "tolerated_offset_mm"): _NOT_NEGATIVE,
    ("Trajectory", "tolerated_angle_deg"): _NOT_NEGATIVE,
    ("Trajectory", "cement_ml"): _NOT_NEGATIVE,
    ("Trajectory", "bone_fillers"): _NOT_NEGATIVE,
    ("BalloonPlan", "stopped_by"): {"enum": ["max_volume", "end_plate", "cortex", "pressure_limit"]},
    ("BalloonPlan", "length_mm"): _POSITIVE,
    ("BalloonPlan", "planned_volume_ml"): _NOT_NEGATIVE,
    ("BalloonPlan", "max_volume_ml"): _POSITIVE,
    ("BalloonPlan", "limit_ml"): _NOT_NEGATIVE,
    ("CementPlan", "target_fill"): {"exclusiveMinimum": 0, "maximum": 1},
    ("CementPlan", "volume_ml"): _NOT_NEGATIVE,
    ("CementPlan", "bone_fillers"): _NOT_NEGATIVE,
    ("CementPlan", "bone_filler_ml"): _POSITIVE,
}
"""What the annotations cannot say: closed lists, signs and patterns of the contract, by class and field."""

_SCALARS = {float: "number", int: "integer", str: "string", bool: "boolean"}


def plan_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a whole plan, as plain dictionaries."""
    definitions: dict[str, Any] = {}
    root = _of_type(CasePlan, definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:" + SCHEMA.replace("/", ":"),
        "title": "Vertebral augmentation plan",
        "description": "World coordinates RAS in mm, volumes ml, angles degrees, pressure psi, density HU, kyphosis"
        " positive. null means not computed, with an entry in warnings saying why.",
        **root,
        "$defs": dict(sorted(definitions.items())),
    }


def schema_text() -> str:
    """The text of ``plan_schema.json``."""
    return json.dumps(plan_schema(), indent=2, ensure_ascii=False) + "\n"


def _of_type(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return {}
    if origin in (typing.Union, types.UnionType):
        return _nullable(kind, definitions)
    if origin is tuple:
        return _array(arguments, definitions)
    if origin is dict:
        return {"type": "object", "additionalProperties": _of_type(arguments[1], definitions)}
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _reference(kind, definitions)
    return {"type": _SCALARS[kind]}


def _nullable(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    choices = [argument for argument in typing.get_args(kind) if argument is not type(None)]
    if len(choices) != 1:
        raise TypeError(f"{kind}: unions of several types are not part of the contract")
    inner = _of_type(choices[0], definitions)
    if isinstance(inner.get("type"), str) and inner["type"] in _SCALARS.values():
        return {**inner, "type": [inner["type"], "null"]}
    return {"anyOf": [inner, {"type": "null"}]}


def _array(arguments: tuple[Any, ...], definitions: dict[str, Any]) -> dict[str, Any]:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return {"type": "array", "items": _of_type(arguments[0], definitions)}
    parts = [_of_type(argument, definitions) for argument in arguments]
    return {"type": "array", "prefixItems": parts, "items": False, "minItems": len(parts), "maxItems": len(parts)}


def _reference(kind: type, definitions: dict[str, Any]) -> dict[str, Any]:
    name = kind.__name__
    if name not in definitions:
        definitions[name] = {}  # a place held, so that a class that contains itself would end
        definitions[name] = _object(kind, definitions)
    return {"$ref": f"#/$defs/{name}"}


def _object(kind: type, definitions: dict[str, Any]) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    properties, required = {}, []
    for field in dataclasses.fields(kind):
        key = (kind.__name__, field.name)
        properties[field.name] = {**_of_type(hints[field.name], definitions), **_LIMITS.get(key, {})}
        has_default = field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
        if not has_default or key in _CONTRACT_FIELDS_WITH_DEFAULT:
            required.append(field.name)
    return {"type": "object", "properties": properties, "required": required}


if __name__ == "__main__":
    SCHEMA_PATH.write_text(schema_text(), encoding="utf-8")
