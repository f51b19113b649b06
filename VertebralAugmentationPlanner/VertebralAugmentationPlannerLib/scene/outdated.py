"""Whether a plan still belongs to the images and the level names that are chosen.

A plan is found by the names of its levels: on other images, or after a renumbering, the same name is another vertebra, and
measurements of the one would be read beside needles in the other.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from ..model import CasePlan, PlanWarning
from . import roles
from .level_table import corrections
from .references import node_of, plain, set_node

OUTDATED = "The images or the level names were changed after this plan was made; measure again (section 2)."

WARNING = PlanWarning(
    "outdated",
    "stop",
    "The images or the level names were changed after this plan was made: its numbers and needles are those of before. "
    "Measure again, or choose what it was made of.",
    "images and names now and then",
)


def mark(parameter_node: Any) -> None:
    """The plan is of what is chosen now; of nothing that is known where no segmentation is chosen."""
    segmentation = node_of(parameter_node, roles.SEGMENTATION)
    set_node(parameter_node, roles.PLAN_CT, node_of(parameter_node, roles.CT))
    set_node(parameter_node, roles.PLAN_SEGMENTATION, segmentation)
    plain(parameter_node).SetParameter(roles.PLAN_LEVELS, _names(parameter_node) if segmentation is not None else "")


def mark_if_unknown(parameter_node: Any) -> None:
    """:func:`mark` for a plan that came without images, or from a scene that doesn't tell."""
    if not plain(parameter_node).GetParameter(roles.PLAN_LEVELS):
        mark(parameter_node)


def is_outdated(parameter_node: Any) -> bool:
    """Whether other images or names are chosen now than those the plan is of. A CT that came or went is no other one."""
    segmentation, names = (
        node_of(parameter_node, roles.SEGMENTATION),
        plain(parameter_node).GetParameter(roles.PLAN_LEVELS),
    )
    if segmentation is None or not names:
        return False
    ct, plan_ct = node_of(parameter_node, roles.CT), node_of(parameter_node, roles.PLAN_CT)
    other_ct = ct is not None and plan_ct is not None and ct is not plan_ct
    other = segmentation is not node_of(parameter_node, roles.PLAN_SEGMENTATION)
    return other or other_ct or names != _names(parameter_node)


def with_warning(plan: CasePlan, outdated: bool) -> CasePlan:
    """The plan with :data:`WARNING`, or without it."""
    others = tuple(warning for warning in plan.warnings if warning.code != WARNING.code)
    return replace(plan, warnings=(*others, WARNING) if outdated else others)


def _names(parameter_node: Any) -> str:
    return json.dumps(corrections(parameter_node), sort_keys=True)
