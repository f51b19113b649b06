"""Needles and heights that were moved while nobody followed them: in a scene that was opened without the module, say.

The plan is brought to where its lines are, so that no old number stands beside a line that was moved, and no line jumps
back when something else is edited.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..model import LevelPlan
from . import roles
from .editing import Ends, line_ends
from .needles import move_ends
from .references import node_of

SAME_PLACE_MM = 0.05
"""Ends of a line and of the plan that are nearer lie in one place: what writing, reading and a transform leave is a thousandth
of a millimetre, and nobody drags by less than half of what a sentence shows. [D]"""


def as_found(parameter_node: Any, level: LevelPlan, engine: Any) -> LevelPlan:
    """A level with its lines where they are found: needles that were moved count as breaches until they are judged, heights
    are measured anew. The same object where nothing was moved.

    A line that nothing can be computed from (both ends in one place) is put back.
    """
    for needle in level.trajectories:
        line = node_of(parameter_node, roles.role(roles.NEEDLE, level.level, needle.side))
        ends = _moved_to(line, (needle.entry_ras, needle.target_ras))
        if ends is not None:
            level = engine.foundElsewhere(level, needle.side, ends)
    measured = level.measurements is not None and level.frame is not None
    for place, points in level.measurements.height_points_ras.items() if measured else ():
        ends = _moved_to(node_of(parameter_node, roles.role(roles.HEIGHT, level.level, place)), points)
        if ends is not None:
            level = engine.remeasure(level, place, ends)
    return level


def _moved_to(line: Any, planned: Any) -> Ends | None:
    """Where a line is, (2, 3) world RAS mm; None where that is where the plan has it, or where there is none."""
    if line is None or line.GetNumberOfControlPoints() != 2:
        return None
    ends = line_ends(line)
    if ends is None:
        move_ends(line, *planned)
        return None
    return None if np.allclose(ends, planned, rtol=0.0, atol=SAME_PLACE_MM) else ends
