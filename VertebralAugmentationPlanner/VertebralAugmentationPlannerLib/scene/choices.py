"""The user's choices in the parameter node as ``PlanOptions``. Parameters have the names of the wrapper's members."""

from __future__ import annotations

from typing import Any

from ..model import InputError, PlanOptions
from .numbers import readAssumptions, readMargins
from .references import plain

TEXT_CHOICES = ("procedure", "approach", "cannula", "etiology", "balloon")
TARGET_FILL = "targetFill"


def options_of(parameter_node: Any, **overrides: Any) -> PlanOptions:
    """Options of a planning run: those given here, else the parameter node's, else the defaults.

    Raises:
        InputError: an unknown option or a value out of range.
    """
    parameters = plain(parameter_node)
    values: dict[str, Any] = {"margins": readMargins(parameters), "assumptions": readAssumptions(parameters)}
    for name in TEXT_CHOICES:
        if parameters.GetParameter(name):
            values[name] = parameters.GetParameter(name)
    if parameters.GetParameter(TARGET_FILL):
        values["target_fill"] = float(parameters.GetParameter(TARGET_FILL))
    return make_options(**{**values, **overrides})


def make_options(**values: Any) -> PlanOptions:
    """``PlanOptions`` from keyword arguments.

    Raises:
        InputError: an unknown option or a value out of range.
    """
    known = PlanOptions.__dataclass_fields__
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise InputError(f"There is no option “{unknown[0]}”; the options are {', '.join(known)}.")
    if isinstance(values.get("levels"), list):
        values["levels"] = tuple(values["levels"])
    return PlanOptions(**values)
