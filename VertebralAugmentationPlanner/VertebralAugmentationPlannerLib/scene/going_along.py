"""A plan that a transform moves together with its images: it lies elsewhere, and every verdict stays."""

from __future__ import annotations

from typing import Any

from ..model import SIDES, CasePlan, LevelPlan
from . import roles
from .drawing import draw_level
from .fillings import draw_balloon
from .found_lines import carried_along
from .measures import draw_measures
from .motion import Motion, carried
from .needles import style_needle
from .references import node_of
from .session import Session


def motion_with_images(session: Session) -> Motion | None:
    """The motion by which a transform brought the images and every line of their plan elsewhere; None where it did not."""
    if session.plan is None or session.lie is None or session.outdated:
        return None
    now = session.images.lie()
    matrix = None if now is None else session.lie.matrix_to(now)
    return None if matrix is None else carried_along(session.parameter_node, session.plan, matrix)


def carry(session: Session, motion: Motion) -> tuple[Any, Any]:
    """Let a plan go along with its images. Models of it that were left behind are drawn beside their needles.

    Returns:
        :meth:`Session.input_state` of the images where they were, and where they are.
    """
    assert session.plan is not None and session.lie is not None
    before, session.lie = session.lie.state, session.images.lie()
    for level in session.plan.levels:
        session.set_level(carried(level, motion), draw=False)
    session.editor.accept()
    with session.editor.quiet():
        _draw_along(session.parameter_node, session.plan)
    session.draw_tables()
    session.write_text()
    return before, session.input_state()


def _draw_along(parameter_node: Any, plan: CasePlan) -> None:
    for level in plan.levels:
        draw_measures(parameter_node, level)
        if _cement_stayed(parameter_node, level):
            draw_level(parameter_node, level, None)  # a sketch of it, until the anatomy is built there
        for needle in level.trajectories:
            style_needle(parameter_node, level.level, needle)
            draw_balloon(parameter_node, level.level, needle)


def _cement_stayed(parameter_node: Any, level: LevelPlan) -> bool:
    """Whether the cement of a level is not under the transform that its needles are under."""
    for side in SIDES:
        kinds = (roles.CEMENT, roles.NEEDLE)
        cement, line = (node_of(parameter_node, roles.role(kind, level.level, side)) for kind in kinds)
        both = cement is not None and line is not None
        if both and cement.GetParentTransformNode() is not line.GetParentTransformNode():
            return True
    return False
