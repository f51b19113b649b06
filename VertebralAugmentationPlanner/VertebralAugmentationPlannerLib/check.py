"""A plan that was edited, judged anew from its entry and target points."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .access import WARNING_CODES as ACCESS_CODES
from .access import reevaluate
from .anatomy import build_spine
from .model import (
    CANNULAS,
    Case,
    CasePlan,
    InputError,
    LevelPlan,
    PlanOptions,
    PlanWarning,
    Spine,
    Trajectory,
    Vertebra,
)
from .model.serialisation import rounded
from .planner import Progress, ShouldCancel, plan_level_augmentation

LEVELS_GONE = "levels_gone"

SAME_CLEARANCE_MM = 0.05
"""Clearances of a plan and of its check that differ by less are the same: half of what a sentence shows. [D]"""

SAME_ANGLE_DEG = 0.1
"""Angles that differ by less are the same: 0.1 mm at the tip of a needle 60 mm long. [D]"""


def check_on_case(
    plan: CasePlan, case: Case, progress: Progress | None = None, should_cancel: ShouldCancel | None = None
) -> CasePlan:
    """The package's ``check_plan`` on images that have been read; see there."""
    options = PlanOptions.from_dict(plan.options)
    spine = build_spine(case, None, progress, should_cancel)
    levels = tuple(_checked_level(level, case, spine, options) for level in plan.levels)
    warnings = plan.warnings
    before, now = plan.inputs.segmentation.sha256, case.inputs.segmentation.sha256
    if before and now and before != now:
        changed = PlanWarning(
            "other_labels",
            "caution",
            "The labels are not those the plan was made from; clearances are those of the labels given now.",
            "SHA-256 of the segmentation",
        )
        warnings = (*(w for w in warnings if w.code != changed.code), changed)
    warnings = (*(w for w in warnings if w.code != LEVELS_GONE), *_levels_gone(plan, spine))
    return rounded(replace(plan, inputs=case.inputs, levels=levels, warnings=warnings))


def _levels_gone(plan: CasePlan, spine: Spine) -> list[PlanWarning]:
    """A caution where levels that the plan measured are not whole in the labels given for the check."""
    there = spine.complete()
    gone = [level.level for level in plan.levels if level.complete and level.level not in there]
    if not gone:
        return []
    message = (
        f"{', '.join(gone)} of the plan {'is' if len(gone) == 1 else 'are'} not whole in the labels given now, so no "
        "clearance to it could be found; its numbers are those of the plan."
    )
    return [PlanWarning(LEVELS_GONE, "caution", message, "levels of the plan and of the labels")]


def _checked_level(level: LevelPlan, case: Case, spine: Spine, options: PlanOptions) -> LevelPlan:
    if not level.trajectories:
        return level
    vertebra = spine.vertebrae.get(level.level)
    if vertebra is None or not vertebra.complete:
        reason = vertebra.incomplete_reason if vertebra is not None else "it is not in the labels"
        raise InputError(f"{level.level} of the plan cannot be checked: {reason}.")
    trajectories = tuple(_checked(needle, vertebra, case, options) for needle in level.trajectories)
    warnings, moved = level.warnings, False
    for before, now in zip(level.trajectories, trajectories, strict=True):
        elsewhere = not _lies_alike(before, now)
        if elsewhere or not _judged_alike(before, now):
            warnings = (
                *_without_path(warnings, f"{level.level} {now.side}"),
                _judged_anew(level.level, now, elsewhere),
            )
            moved = moved or elsewhere
    checked = replace(level, trajectories=trajectories, warnings=warnings)
    if level.approach == "bilateral" and len(trajectories) == 1:
        reason = "One needle of two was taken out of the plan."
        checked, moved = replace(checked, approach=f"unilateral-{trajectories[0].side}", approach_reason=reason), True
    # Balloon, cement and what to do with the cannula belong to a needle where it lies.
    return plan_level_augmentation(checked, case, spine, options) if moved else checked


def _judged_alike(before: Trajectory, now: Trajectory) -> bool:
    """Whether the check finds what the plan says of a needle; then what the plan warns of still holds."""
    pairs = [(value, getattr(now.clearance_mm, name)) for name, value in vars(before.clearance_mm).items()]
    known = [(a, b) for a, b in pairs if a is not None and b is not None]
    same = all(abs(a - b) <= SAME_CLEARANCE_MM for a, b in known) and len(known) == sum(a is not None for a, _ in pairs)
    return same and before.safety == now.safety


def _lies_alike(before: Trajectory, now: Trajectory) -> bool:
    """Whether a needle lies where the numbers of the plan have it, and not only its entry and target."""
    same_length = abs(before.bone_path_mm - now.bone_path_mm) <= SAME_CLEARANCE_MM
    same_tip = abs(before.midline_offset_mm - now.midline_offset_mm) <= SAME_CLEARANCE_MM
    turned = max(
        abs(before.convergence_angle_deg - now.convergence_angle_deg),
        abs(before.craniocaudal_angle_deg - now.craniocaudal_angle_deg),
    )
    return same_length and same_tip and turned <= SAME_ANGLE_DEG


def _without_path(warnings: tuple[PlanWarning, ...], needle: str) -> tuple[PlanWarning, ...]:
    """The warnings without those that speak of the path of one needle (“T12 left”)."""
    codes = ACCESS_CODES - {"no_access", "no_path"}
    return tuple(item for item in warnings if not (item.code in codes and item.message.startswith(needle)))


def _judged_anew(level: str, needle: Trajectory, elsewhere: bool) -> PlanWarning:
    severity = "caution" if needle.safety in ("safe", "tight") else "stop"
    what = (
        "the needle is not where the plan judged it" if elsewhere else "the labels are not those the plan was judged by"
    )
    text = f"{level} {needle.side}: {what}; it is {needle.safety}"
    if elsewhere:
        text += ", and balloon and cement were planned for it again"
    return PlanWarning("needle_moved", severity, f"{text}. {needle.compromise or ''}".strip(), "check of the plan")


def _checked(needle: Trajectory, vertebra: Vertebra, case: Case, options: PlanOptions) -> Trajectory:
    if needle.cannula not in CANNULAS:
        raise InputError(
            f"{vertebra.level} {needle.side}: cannula “{needle.cannula}” is not one of {', '.join(CANNULAS)}."
        )
    entry, target = np.array(needle.entry_ras), np.array(needle.target_ras)
    try:
        judged = reevaluate(vertebra, case, needle.side, entry, target, CANNULAS[needle.cannula], options)
    except ValueError as error:
        raise InputError(f"The {needle.side} needle of {vertebra.level} cannot be judged: {error}.") from error
    return replace(judged, balloon=needle.balloon, cement_ml=needle.cement_ml, bone_fillers=needle.bone_fillers)
