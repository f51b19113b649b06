"""Whether a plan still belongs to the images and the level names that are chosen.

A plan is found by the names of its levels: on other images, or after a renumbering, the same name is another vertebra, and
measurements of the one would be read beside needles in the other. What is chosen is compared at once, and what the voxels
hold as soon as the anatomy is built from them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..model import SIDES, CasePlan, LevelPlan, PlanWarning, Spine, Vertebra
from . import roles
from .level_table import corrections
from .references import node_of, plain, set_node

OUTDATED = "This plan is of other images or level names than those chosen; measure again (section 2)."

OF_OTHER_IMAGES = "of other images"
"""What needles are called in place of “safe” while other images, or level names, are chosen than those of their plan."""

WARNING = PlanWarning(
    "outdated",
    "stop",
    "This plan is of other images or level names than those chosen now: its numbers and needles do not belong to them. "
    "Measure again, or choose what it was made of.",
    "images and names now and then",
)

LABELS_CHANGED = "labels_changed"

ELSEWHERE_MM = 6.0
"""A body whose middle lies farther than this from the plan's is another one. Other labels of the same bone move it by a
millimetre or two, and the next body is 20 mm away and more [D]."""

MOVED_MM, SWOLLEN = 0.5, 0.02
"""The same voxels give the same anatomy, up to what a neighbour that was edited changes: a middle, a pedicle or a width that is
off by more than the first, or a volume by more than this share, was measured on others [D]."""


@dataclass(frozen=True)
class Agreement:
    """How a plan and the anatomy of what is chosen agree.

    Args:
        elsewhere: whether the plan's vertebrae lie elsewhere: it is of other images.
        changed: levels that lie about where they did, but were measured on other voxels, and what differs most, in words.
    """

    elsewhere: bool = False
    changed: Mapping[str, str] = field(default_factory=dict)


def agreement(plan: CasePlan, spine: Spine) -> Agreement:
    """Compare the measured levels of a plan with the anatomy as it is built now."""
    measured = {level.level: level for level in plan.levels if level.complete and level.frame is not None}
    there = {name: spine.vertebrae[name] for name in measured if name in spine.vertebrae}
    if measured and not there:
        return Agreement(elsewhere=True)
    elsewhere = any(_off_mm(measured[name], vertebra) > ELSEWHERE_MM for name, vertebra in there.items())
    if elsewhere:
        return Agreement(True)
    found = {name: _difference(level, there.get(name)) for name, level in measured.items()}
    return Agreement(False, {name: words for name, words in found.items() if words is not None})


def _off_mm(level: LevelPlan, vertebra: Vertebra) -> float:
    """How far the middle of a vertebra lies from the plan's, mm; 0 where it can't be told.

    Both pedicles tell it, too: the plan's frame goes along with needles that were judged anew, they stay as they were measured.
    """
    if vertebra.frame is None or level.frame is None:
        return 0.0
    middle = float(np.linalg.norm(vertebra.frame.origin_ras - np.array(level.frame.origin_ras)))
    pedicles = _pedicles_off_mm(level, vertebra)
    return max(middle, min(pedicles)) if len(pedicles) > 1 else middle


def _pedicles_off_mm(level: LevelPlan, vertebra: Vertebra) -> list[float]:
    """How far each pedicle lies from the plan's, mm, of those that both know."""
    assert vertebra.frame is not None
    pairs = [(getattr(level.pedicles, side), vertebra.pedicles.get(side)) for side in SIDES]
    return [
        float(np.linalg.norm(vertebra.frame.to_ras(now.centre) - np.array(before.centre_ras)))
        for before, now in pairs
        if before is not None and now is not None
    ]


def _difference(level: LevelPlan, vertebra: Vertebra | None) -> str | None:
    """What of a vertebra is not as the plan has it, in words; None where it is of the same voxels."""
    if vertebra is None or not vertebra.complete or vertebra.frame is None:
        return f"{level.level} is not whole in the labels any more"
    away = max([_off_mm(level, vertebra), *_pedicles_off_mm(level, vertebra)])
    off = [(away, "its body or a pedicle lies {:.1f} mm elsewhere")]
    for side in SIDES:
        before, now = getattr(level.pedicles, side), vertebra.pedicles.get(side)
        if (before is None) != (now is None):
            return f"its {side} pedicle is {'there' if before is None else 'gone'}"
        if before is not None and now is not None:
            wider = now.isthmus_width_mm - before.isthmus_width_mm
            words = f"its {side} pedicle is {{:.1f}} mm {'wider' if wider > 0 else 'narrower'}"
            off.append((abs(wider), words))
    most, words = max(off, key=lambda found: found[0])
    if most > MOVED_MM:
        return words.format(most)
    volume, now_ml = None if level.measurements is None else level.measurements.body_volume_ml, vertebra.body_volume_ml
    if volume is None or now_ml is None or abs(now_ml - volume) <= SWOLLEN * volume:
        return None
    return f"its body is {100 * abs(now_ml / volume - 1):.0f} % {'larger' if now_ml > volume else 'smaller'}"


def mark(parameter_node: Any) -> None:
    """The plan is of what is chosen now; of nothing that is known where no segmentation is chosen."""
    segmentation = node_of(parameter_node, roles.SEGMENTATION)
    set_node(parameter_node, roles.PLAN_CT, node_of(parameter_node, roles.CT))
    set_node(parameter_node, roles.PLAN_SEGMENTATION, segmentation)
    plain(parameter_node).SetParameter(roles.PLAN_LEVELS, _names(parameter_node) if segmentation is not None else "")


def unmark(parameter_node: Any) -> None:
    """The plan is of none of what is chosen now, and of nothing that is known."""
    for role in (roles.PLAN_CT, roles.PLAN_SEGMENTATION):
        set_node(parameter_node, role, None)
    plain(parameter_node).SetParameter(roles.PLAN_LEVELS, "")


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


def says_changed(plan: CasePlan) -> bool:
    """Whether a plan has it that levels were measured on other voxels: its needles are of those, then."""
    return any(warning.code == LABELS_CHANGED for warning in plan.warnings)


def with_warnings(plan: CasePlan, outdated: bool, changed: Mapping[str, str]) -> CasePlan:
    """The plan with :data:`WARNING`, or a caution on the levels measured on other voxels; or without either."""
    warnings = tuple(warning for warning in plan.warnings if warning.code not in (WARNING.code, LABELS_CHANGED))
    if outdated:
        warnings = (*warnings, WARNING)
    elif changed:
        were = "was" if len(changed) == 1 else "were"
        found = "; ".join(f"{name}: {words}" for name, words in changed.items())
        text = (
            f"{', '.join(changed)} {were} measured on other labels than the segmentation holds now ({found}): heights and pedicles "
            "are of before, needles were judged anew where they lie. Measure again."
        )
        warnings = (*warnings, PlanWarning(LABELS_CHANGED, "caution", text, "anatomy now and then"))
    return replace(plan, warnings=warnings)


def _names(parameter_node: Any) -> str:
    return json.dumps(corrections(parameter_node), sort_keys=True)
