"""The user's choices in the parameter node as ``PlanOptions``. Parameters have the names of the wrapper's members."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..model import CasePlan, InputError, PlanOptions, PlanWarning
from .numbers import readAssumptions, readMargins, writeAssumptions, writeMargins
from .references import plain

TEXT_CHOICES = ("procedure", "approach", "cannula", "etiology", "balloon")
TARGET_FILL = "targetFill"
AUTO = "auto"


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


def keep_options(parameter_node: Any, plan: CasePlan, balloons: Sequence[Any]) -> CasePlan:
    """The choices a plan was made with, so that the panel shows them and an edit is judged by them.

    Args:
        balloons: devices that can be chosen here; a plan made with another one goes on with the longest that fits.

    Returns:
        the plan, with a warning of that.

    Raises:
        InputError: a choice of the plan cannot be used; nothing is kept then.
    """
    known = {name: value for name, value in plan.options.items() if name not in ("levels", "labels", "catalog")}
    options = PlanOptions.from_dict(known)
    if options.balloon != AUTO and not _at_hand(options.balloon, balloons):
        told = PlanWarning(
            "balloon_not_at_hand",
            "caution",
            f"The plan was made with the balloon “{options.balloon}”, which the catalogue here does not hold: a needle that is "
            "moved gets the longest of this catalogue that fits.",
            "catalogue of devices",
        )
        plan, options = replace(plan, warnings=(*plan.warnings, told)), replace(options, balloon=AUTO)
    parameters = plain(parameter_node)
    for name in TEXT_CHOICES:
        if name in known:
            parameters.SetParameter(name, getattr(options, name))
    if "target_fill" in known:
        parameters.SetParameter(TARGET_FILL, str(options.target_fill))
    if options.margins != readMargins(parameters):
        writeMargins(parameters, options.margins)
    if options.assumptions != readAssumptions(parameters):
        writeAssumptions(parameters, options.assumptions)
    return plan


def _at_hand(name: str, balloons: Sequence[Any]) -> bool:
    from ..augmentation import find_device  # with SciPy, for which Slicer's start need not wait

    try:
        find_device(tuple(balloons), name)
    except InputError:
        return False
    return True


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
