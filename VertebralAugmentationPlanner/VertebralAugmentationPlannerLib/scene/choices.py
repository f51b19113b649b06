"""The user's choices in the parameter node as ``PlanOptions``. Parameters have the names of the wrapper's members."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from ..model import CasePlan, InputError, LevelPlan, PlanOptions, PlanWarning
from ..model.grades import largest_loss
from ..model.serialisation import to_plain
from . import roles
from .numbers import readAssumptions, readMargins, writeAssumptions, writeMargins
from .references import plain

TEXT_CHOICES = ("procedure", "approach", "cannula", "etiology", "balloon")
TARGET_FILL = "targetFill"
AUTO = "auto"

OF_A_RUN = ("levels", "labels", "catalog")
"""Options of one planning run that an edit of its plan has no use for: the levels are there, the numbering is the scene's, and
of an own catalogue a plan keeps the name alone."""


UNREADABLE = "What the levels were planned with cannot be read from the scene; plan them again."

OF_A_FILLING = ("procedure", "balloon", "target_fill", "assumptions")
"""Options that balloon and cement are planned by; the others are the needle's."""


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


def replace_unknown_choices(parameter_node: Any, balloons: Sequence[Any]) -> str:
    """Put the default in place of each choice of a scene that is not known here, as one that a newer version offers.

    The panel's combo boxes can show none of them (``QComboBoxToStringableConnector.write`` raises ``ValueError``). A balloon that is
    at hand gets its name as the catalogue writes it.

    Returns:
        which were not known, in one sentence; "" where all are.
    """
    parameters, unknown = plain(parameter_node), []
    for name, parameter in (*((name, name) for name in TEXT_CHOICES), ("target_fill", TARGET_FILL)):
        value = parameters.GetParameter(parameter)
        known = _known(name, value, balloons) if value else value
        if known is None:
            known = str(getattr(PlanOptions(), name))
            unknown.append(f"{name.replace('_', ' ')} “{value}” ({known} instead)")
        if known != value:
            parameters.SetParameter(parameter, known)
    return f"Not known here, perhaps of a newer version: {', '.join(unknown)}." if unknown else ""


def _known(name: str, value: str, balloons: Sequence[Any]) -> str | None:
    """A choice as it is written here; None where it is not known."""
    try:
        make_options(**{name: float(value) if name == "target_fill" else value})
    except (InputError, ValueError):
        return None
    return value if name != "balloon" or value == AUTO else _at_hand(value, balloons)


def keep_options(parameter_node: Any, plan: CasePlan, balloons: Sequence[Any]) -> CasePlan:
    """The choices a plan was made with, so that the panel shows them and an edit is judged by them.

    Args:
        balloons: devices that can be chosen here; a plan made with another one goes on with the longest that fits.

    Returns:
        the plan, with a warning of that.

    Raises:
        InputError: a choice of the plan cannot be used; nothing is kept then.
    """
    known = _of_edits(plan.options)
    options = PlanOptions.from_dict(known)
    device = AUTO if options.balloon == AUTO else _at_hand(options.balloon, balloons)
    if device is not None:
        options = replace(options, balloon=device)
    else:
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


def keep_level_options(parameter_node: Any, levels: Sequence[str], options: PlanOptions) -> None:
    """Remember what levels were planned or filled with: an edit of them goes on with that, whatever is chosen by then."""
    kept = _level_options_to_replace(parameter_node)
    kept.update(dict.fromkeys(levels, _of_edits(to_plain(options))))
    plain(parameter_node).SetParameter(roles.LEVEL_OPTIONS, json.dumps(kept, sort_keys=True))


def keep_earlier_options(parameter_node: Any, plan: CasePlan) -> None:
    """Before a plan takes over the options of another run: what its levels were planned with, where nothing is kept of them yet."""
    known = _level_options_to_replace(parameter_node)
    earlier = [level.level for level in plan.levels if level.trajectories and level.level not in known]
    if earlier:
        keep_level_options(parameter_node, earlier, PlanOptions.from_dict(_of_edits(plan.options)))


def forget_level_options(parameter_node: Any) -> None:
    """The plan is another one: its levels were planned with the plan's own options."""
    plain(parameter_node).SetParameter(roles.LEVEL_OPTIONS, "")


def options_of_level(
    parameter_node: Any, plan: CasePlan, level: str, balloons: Callable[[], Sequence[Any]]
) -> PlanOptions:
    """The options that an edit of a level is judged and filled by: those it was planned with, not those chosen now.

    Args:
        balloons: asked for the devices that can be chosen here, where one was named (the catalogue is a file, and this is
            asked at every step of a drag); in place of another one the longest that fits is taken.

    Raises:
        InputError: the options cannot be read.
    """
    options = PlanOptions.from_dict(_of_edits(_level_options(parameter_node).get(level, plan.options)))
    at_hand = options.balloon == AUTO or _at_hand(options.balloon, balloons()) is not None
    return options if at_hand else replace(options, balloon=AUTO)


def options_of_plan(plan: CasePlan) -> PlanOptions:
    """The options that a plan was made with, but for those of its run."""
    return PlanOptions.from_dict(_of_edits(plan.options))


def _level_options(parameter_node: Any) -> dict[str, Any]:
    text = plain(parameter_node).GetParameter(roles.LEVEL_OPTIONS)
    try:
        kept = json.loads(text) if text else {}
    except ValueError as error:
        raise InputError(UNREADABLE) from error
    if not isinstance(kept, dict) or not all(isinstance(options, dict) for options in kept.values()):
        raise InputError(UNREADABLE)
    return kept


def _level_options_to_replace(parameter_node: Any) -> dict[str, Any]:
    """The same for who writes them anew: nothing where they cannot be read, as this is the planning that the sentence asks for."""
    try:
        return _level_options(parameter_node)
    except InputError:
        return {}


def _of_edits(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name not in OF_A_RUN}


def _at_hand(name: str, balloons: Sequence[Any]) -> str | None:
    """The name of a balloon as the catalogue writes it; None where that does not hold it."""
    from ..augmentation import find_device  # with SciPy, for which Slicer's start need not wait

    try:
        return find_device(tuple(balloons), name).name
    except InputError:
        return None


def start_of(plan: CasePlan) -> tuple[str, str]:
    """Level and side to start with on a plan from elsewhere: the first planned level and its first needle, else the most
    collapsed of those measured; "" where there is none."""
    planned = next((level for level in plan.levels if level.trajectories), None)
    return (planned.level, planned.trajectories[0].side) if planned else (first_level(plan), "")


def first_level(plan: CasePlan, wanted: str = "") -> str:
    """The level to start with: the wanted one where it is whole, else the most collapsed, else the first complete one."""
    complete = [level for level in plan.levels if level.complete and level.measurements is not None]
    if any(level.level == wanted for level in complete):
        return wanted
    return max(complete, key=_loss).level if complete else ""


def _loss(level: LevelPlan) -> float:
    found = largest_loss(level.measurements.height_loss_percent) if level.measurements is not None else None
    return found if found is not None else float("-inf")


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
