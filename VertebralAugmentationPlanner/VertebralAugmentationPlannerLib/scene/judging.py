"""Needles judged anew where they lie, because the anatomy is not the one that they were judged in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..access import path_warnings, safety_sentence, unjudged, unlike_numbers, warnings_without_path
from ..access.judged import differences
from ..model import Case, InputError, LevelPlan, PlanOptions, PlanWarning, Spine, Trajectory, Vertebra
from ..model.serialisation import rounded
from ..model.warning_codes import NEEDLE_MOVED, NEEDLE_NOT_JUDGED
from ..planner import frame_plan
from .edits import with_trajectory, without_fillings

if TYPE_CHECKING:
    from .engine import Engine

SEVERITY = {"safe": "info", "tight": "caution", "breach": "stop"}


def judged_anew(
    engine: Engine, level: LevelPlan, case: Case, spine: Spine, options: PlanOptions, differs: str
) -> LevelPlan:
    """A level whose needles are judged in the anatomy as it is now; the same where they are found as the plan has them.

    Heights and pedicles stay as they were measured; the frame does, too, as long as the needles' numbers fit it. Where a needle is found
    otherwise balloons and cement are planned again, for volumes set by hand as far as there is room. A needle that nobody had
    judged stays so.

    Args:
        level: with needles.
        spine: the anatomy as it is now.
        differs: what of it is not as the plan has it, in words.
    """
    vertebra = spine.complete().get(level.level)
    now = level
    for needle in level.trajectories:
        if needle.judged:
            now = _needle_anew(engine, now, needle, vertebra, case, options, differs)
    if vertebra is not None and any(n.judged and unlike_numbers(now.frame, n) for n in now.trajectories):
        now = replace(now, frame=frame_plan(vertebra))
    if all(found is before for found, before in zip(now.trajectories, level.trajectories, strict=True)):
        return now
    return rounded(_filled_anew(engine, now, spine, options))


def without_path(level: LevelPlan, side: str) -> LevelPlan:
    """A level without what was said of the old path of a needle."""
    return replace(level, warnings=warnings_without_path(level.warnings, level.level, side))


def _needle_anew(
    engine: Engine,
    level: LevelPlan,
    needle: Trajectory,
    vertebra: Vertebra | None,
    case: Case,
    options: PlanOptions,
    differs: str,
) -> LevelPlan:
    """A level with one needle judged anew, and what is to be said of it; as it is where the needle is found alike."""
    name = (level.level, needle.side)
    entry, target = np.array(needle.entry_ras), np.array(needle.target_ras)
    try:
        if vertebra is None:
            raise InputError("it is not in the anatomy")
        found = engine.reevaluate(vertebra, case, needle.side, entry, target, needle.cannula, options)
    except (InputError, ValueError, KeyError) as error:
        why = differs if vertebra is None else f"{differs}: {str(error).rstrip('.')}"
        text = f"the needle cannot be judged where it lies, as {why}."
        told = [PlanWarning.of_needle(*name, NEEDLE_NOT_JUDGED, "stop", text, "anatomy now and then")]
        found = unjudged(level.frame, replace(needle, balloon=None, cement_ml=None, bone_fillers=None), text)
    else:
        found = replace(
            rounded(found), balloon=needle.balloon, cement_ml=needle.cement_ml, bone_fillers=needle.bone_fillers
        )
        if not differences(needle, found):
            return level
        text = f"judged anew where it lies, as {differs}: {safety_sentence(found)}."
        message = f"{text} {found.compromise or ''}".strip()
        told = [PlanWarning.of_needle(*name, NEEDLE_MOVED, SEVERITY[found.safety], message, "anatomy now and then")]
        told += path_warnings(level.level, case, found)
    level = with_trajectory(without_path(level, needle.side), found)
    return replace(level, warnings=(*level.warnings, *told))


def _filled_anew(engine: Engine, level: LevelPlan, spine: Spine, options: PlanOptions) -> LevelPlan:
    """The level with balloons and cement for its needles as they were found."""
    reason = "a needle is not judged; plan balloon and cement again."
    if all(needle.judged for needle in level.trajectories):
        try:
            return engine.augment(level, spine, options, engine.setByHand(level, spine, options))
        except InputError as error:
            reason = str(error)
    elif level.cement is None and not any(needle.balloon for needle in level.trajectories):
        return level
    told = PlanWarning.of_level(level.level, "no_augmentation", "caution", reason, "anatomy now and then")
    return without_fillings(level, told)
