"""Balloon and cement of a level whose plan was edited: kept where they can be, planned again where they cannot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from .augmentation import devices_for, load_catalog, set_by_hand, untenable
from .augmentation.stored import SAME_VOLUME_ML
from .model import InputError, LevelPlan, PlanOptions, PlanWarning, Spine, Vertebra
from .model.warning_codes import FILLING_CHANGED
from .planner import plan_level_augmentation


def with_tenable_filling(level: LevelPlan, vertebra: Vertebra, spine: Spine, options: PlanOptions) -> LevelPlan:
    """The level; with balloon and cement computed again where those of the plan cannot be.

    A balloon is inflated to no more than the plan had: the user may have wanted less than there is room for.
    """
    balloons = {needle.side: needle.balloon for needle in level.trajectories if needle.balloon is not None}
    faults = untenable(vertebra, level, load_catalog(options.catalog) if balloons else (), options)
    if not faults:
        return level
    volumes = {side: balloon.planned_volume_ml for side, balloon in balloons.items()}
    planned = _filled_again(level, spine, options, volumes)
    others = "".join(f"; {words}" for words in _other_models(level, planned))
    message = (
        f"balloon and cement cannot be as the plan has them ({'; '.join(faults)}); they were planned again: "
        f"{_filling_words(planned)}{others}."
    )
    told = PlanWarning.of_level(level.level, FILLING_CHANGED, "caution", message, "check of the plan")
    return replace(planned, warnings=(*planned.warnings, told))


def with_filling_again(level: LevelPlan, vertebra: Vertebra, spine: Spine, options: PlanOptions) -> LevelPlan:
    """The level with balloon and cement for its needles where they lie now, and what was chosen for them as far as it can be:
    volumes set by hand, the balloon, the fill. What cannot is said."""
    balloons = {needle.side: needle.balloon for needle in level.trajectories if needle.balloon is not None}
    wanted = set_by_hand(vertebra, level, load_catalog(options.catalog)) if balloons else {}
    planned = _filled_again(level, spine, options, wanted)
    lost = _other_models(level, planned)
    for needle in planned.trajectories:
        ml = wanted.get(needle.side, 0.0)
        if needle.balloon is not None and needle.balloon.planned_volume_ml < ml - SAME_VOLUME_ML:
            has = f"{needle.balloon.planned_volume_ml:.1f} ml"
            lost.append(
                f"{needle.side}: {has} instead of {ml:.1f} ml that were set by hand, for which there is no room"
            )
    if not lost:
        return planned
    message = f"the plan’s balloons could not all be kept ({'; '.join(lost)})."
    told = PlanWarning.of_level(level.level, FILLING_CHANGED, "caution", message, "check of the plan")
    return replace(planned, warnings=(*planned.warnings, told))


def _filled_again(level: LevelPlan, spine: Spine, options: PlanOptions, volumes: Mapping[str, float]) -> LevelPlan:
    """Balloon and cement planned again with the level's own fill, and its own balloon where both needles have the same and
    no needle goes without one for it."""
    had = {needle.side: needle.balloon.model for needle in level.trajectories if needle.balloon is not None}
    options = replace(
        options,
        procedure="kyphoplasty" if had else options.procedure,
        target_fill=level.cement.target_fill if level.cement is not None else options.target_fill,
    )
    own = replace(options, balloon=next(iter(had.values()))) if len(set(had.values())) == 1 else options
    if own == options or not _at_hand(own):
        return plan_level_augmentation(level, spine, options, volumes)
    kept = plan_level_augmentation(level, spine, own, volumes)
    without = {n.side for n in kept.trajectories if n.balloon is None and n.safety != "breach"}
    if not without:
        return kept
    chosen = plan_level_augmentation(level, spine, options, volumes)
    return chosen if without & set(had) or _balloon_count(chosen) > _balloon_count(kept) else kept


def _at_hand(options: PlanOptions) -> bool:
    """Whether the catalogue holds the balloon of the options."""
    try:
        devices_for(options)
    except InputError:
        return False
    return True


def _balloon_count(level: LevelPlan) -> int:
    return sum(needle.balloon is not None for needle in level.trajectories)


def _other_models(before: LevelPlan, now: LevelPlan) -> list[str]:
    """Where a needle got another balloon than it had, in words."""
    pairs = [(old, new.balloon) for old, new in zip(before.trajectories, now.trajectories, strict=True)]
    return [
        f"{old.side}: {new.model} in place of {old.balloon.model}"
        for old, new in pairs
        if old.balloon is not None and new is not None and new.model != old.balloon.model
    ]


def _filling_words(level: LevelPlan) -> str:
    words = [
        f"{needle.side} balloon {needle.balloon.planned_volume_ml:.1f} ml"
        if needle.balloon
        else f"no {needle.side} balloon"
        for needle in level.trajectories
    ]
    cement = "no cement" if level.cement is None else f"cement {level.cement.volume_ml:.1f} ml"
    return ", ".join([*words, cement])
