"""plan.json in a text node of the scene."""

from __future__ import annotations

from typing import Any

from ..model import CasePlan, InputError
from . import roles
from .folders import put_in_folder
from .references import make_node, node_of


def write_plan_text(parameter_node: Any, plan: CasePlan) -> None:
    """Put the plan into the parameter node's text node; made where there is none, untouched where it says it."""
    node = make_node(parameter_node, roles.PLAN_TEXT, "vtkMRMLTextNode", "plan.json")
    text = plan.to_json()
    if node.GetText() != text:
        node.SetText(text)
    put_in_folder(parameter_node, node)


def plan_text(parameter_node: Any) -> str | None:
    """What the text node holds; None where there is none."""
    node = node_of(parameter_node, roles.PLAN_TEXT)
    return None if node is None else node.GetText()


def read_plan_text(parameter_node: Any) -> CasePlan:
    """The plan in the text node.

    Raises:
        InputError: there is none, or it is not a plan of this version.
    """
    text = plan_text(parameter_node)
    if not text:
        raise InputError("The scene holds no plan; measure the levels or load a plan.")
    return CasePlan.from_json(text)
