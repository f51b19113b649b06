"""Needles and heights that were moved while nobody followed them: in a scene that was opened without the module, say.

The plan is brought to where its lines are, so that no old number stands beside a line that was moved, and no line jumps
back when something else is edited.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..model import CasePlan, InputError, LevelPlan
from ..model.geometry import FloatArray
from . import roles
from .editing import Ends, line_ends
from .motion import Motion, shared_motion
from .needles import move_ends
from .references import node_of

SAME_PLACE_MM = 0.05
"""Ends of a line and of the plan that are nearer lie in one place: what writing, reading and a transform leave is a thousandth
of a millimetre, and nobody drags by less than half of what a sentence shows. [D]"""


def as_found(parameter_node: Any, level: LevelPlan, engine: Any) -> LevelPlan:
    """A level with its lines where they are found: needles that were moved count as breaches until they are judged, heights
    are measured anew. The same object where nothing was moved.

    Lines that were moved as one were not edited, but carried along by a transform: then every height stays as it was measured.
    A line that nothing can be computed from (both ends in one place, a height upside down) is put back.
    """
    planned = _planned(level)
    lines = {role: _found(node_of(parameter_node, role), ends) for role, ends in planned.items()}
    found = {role: ends for role, ends in lines.items() if ends is not None}
    moved = {role: ends for role, ends in found.items() if _elsewhere(ends, planned[role])}
    if not moved:
        return level
    if len(moved) == len(found):
        motion = shared_motion([planned[role] for role in moved], list(moved.values()), SAME_PLACE_MM)
        if motion is not None:
            return engine.movedTogether(level, motion)
    for role, ends in moved.items():
        kind, _, part = role.split(".")
        if kind == roles.NEEDLE:
            level = engine.foundElsewhere(level, part, ends)
            continue
        try:
            level = engine.remeasure(level, part, ends)
        except InputError:
            move_ends(node_of(parameter_node, role), *planned[role])
    return level


def carried_along(parameter_node: Any, plan: CasePlan, matrix: FloatArray) -> Motion | None:
    """The motion of a (4, 4) matrix where every line of a plan lies where it brings it, world RAS; else None."""
    lines = _all_planned(plan)
    drawn = {role: node_of(parameter_node, role) for role in lines}
    before = [lines[role] for role, line in drawn.items() if line is not None]
    motion = Motion.of(matrix, np.reshape(before, (-1, 3)).mean(axis=0)) if before else None
    if motion is None:
        return None
    for role, line in drawn.items():
        ends = None if line is None else line_ends(line)
        if line is not None and (ends is None or _elsewhere(ends, [motion.point(end) for end in lines[role]])):
            return None
    return motion


def moved_as_one(parameter_node: Any, plan: CasePlan) -> Motion | None:
    """The motion that brought every line of a plan from where the plan has it to where it is; None where they share none."""
    lines = _all_planned(plan)
    found = {role: _found(node_of(parameter_node, role), ends) for role, ends in lines.items()}
    there = {role: ends for role, ends in found.items() if ends is not None}
    if not there:
        return None
    return shared_motion([lines[role] for role in there], list(there.values()), SAME_PLACE_MM)


def has_lines(level: LevelPlan) -> bool:
    """Whether a level has needles or heights."""
    return bool(_planned(level))


def _all_planned(plan: CasePlan) -> dict[str, Any]:
    """Ends of each line of a plan, as :func:`_planned` has them of a level."""
    return {role: ends for level in plan.levels for role, ends in _planned(level).items()}


def _planned(level: LevelPlan) -> dict[str, Any]:
    """Ends (2, 3) of each line of a level as the plan has them, RAS mm, by role; the needles first."""
    lines: dict[str, Any] = {
        roles.role(roles.NEEDLE, level.level, needle.side): (needle.entry_ras, needle.target_ras)
        for needle in level.trajectories
    }
    if level.measurements is not None and level.frame is not None:
        for place, ends in level.measurements.height_points_ras.items():
            lines[roles.role(roles.HEIGHT, level.level, place)] = ends
    return lines


def _found(line: Any, planned: Any) -> Ends | None:
    """Where a line is, (2, 3) world RAS mm; None where there is none, or one that had to be put back."""
    if line is None or line.GetNumberOfControlPoints() != 2:
        return None
    ends = line_ends(line)
    if ends is None:
        move_ends(line, *planned)
    return ends


def _elsewhere(ends: Ends, planned: Any) -> bool:
    return not np.allclose(ends, planned, rtol=0.0, atol=SAME_PLACE_MM)
