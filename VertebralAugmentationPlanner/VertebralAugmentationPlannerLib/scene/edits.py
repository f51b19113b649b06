"""A plan, or a level of it, with one thing changed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from ..model import CasePlan, LevelPlan, PlanWarning, Trajectory


def without_fillings(level: LevelPlan, warning: PlanWarning) -> LevelPlan:
    """A level without balloons and cement, and why."""
    bare = tuple(replace(t, balloon=None, cement_ml=None, bone_fillers=None) for t in level.trajectories)
    kept = tuple(old for old in level.warnings if old.code != warning.code)
    return replace(level, trajectories=bare, cement=None, predicted=None, warnings=(*kept, warning))


def with_trajectory(level: LevelPlan, trajectory: Trajectory) -> LevelPlan:
    """A level with one side's trajectory replaced (or added)."""
    others = [old for old in level.trajectories if old.side != trajectory.side]
    trajectories = sorted([*others, trajectory], key=lambda t: t.side)
    skipped = {side: reason for side, reason in level.skipped_sides.items() if side != trajectory.side}
    return _told_of_meeting(replace(level, trajectories=tuple(trajectories), skipped_sides=skipped))


def without_trajectory(level: LevelPlan, side: str, reason: str) -> LevelPlan:
    """A level with one side's trajectory taken out, and why."""
    kept = tuple(old for old in level.trajectories if old.side != side)
    return _told_of_meeting(replace(level, trajectories=kept, skipped_sides={**level.skipped_sides, side: reason}))


def _told_of_meeting(level: LevelPlan) -> LevelPlan:
    """A level with a caution where its needles meet, and without one that no longer holds."""
    from ..access import with_meeting_told  # loads SciPy, for which the start of Slicer does not wait

    return with_meeting_told(level)


def with_edits(planned: CasePlan, before: CasePlan, now: CasePlan, asked: Collection[str]) -> CasePlan:
    """A new plan with what the user did to other levels while it was made.

    Args:
        planned: made from ``before``.
        now: ``before`` as it has become meanwhile.
        asked: levels that were planned anew: their old needles are gone.
    """
    old = {level.level: level for level in before.levels}
    edited = {level.level: level for level in now.levels if level.level not in asked and level != old.get(level.level)}
    return replace(planned, levels=tuple(edited.get(level.level, level) for level in planned.levels))
