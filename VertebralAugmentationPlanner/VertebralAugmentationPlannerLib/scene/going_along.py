"""A plan that a transform moves: together with its images it lies elsewhere, and every verdict stays.

Nodes come under a transform one by one, and images and plan perhaps in several steps: where all lines of a plan were moved as one
and the images were not, no needle is judged until the images are found to have followed.
"""

from __future__ import annotations

from typing import Any

from ..model import SIDES, CasePlan, LevelPlan, Spine
from . import roles
from .anatomy_node import draw_anatomy
from .drawing import draw_level
from .fillings import draw_balloon
from .found_lines import carried_along, has_lines, moved_as_one
from .measures import draw_measures
from .motion import Motion, carried
from .needles import style_needle
from .references import node_of
from .session import Session


def motion_with_images(session: Session) -> Motion | None:
    """The motion by which a transform brought the images and every line of their plan elsewhere; None where it did not."""
    plan = session.apart or session.plan
    if plan is None or session.lie is None or session.outdated:
        return None
    now = session.images.lie()
    matrix = None if now is None else session.lie.matrix_to(now)
    return None if matrix is None else carried_along(session.parameter_node, plan, matrix)


def carry(session: Session, motion: Motion) -> tuple[Any, Any]:
    """Let a plan go along with its images. Models of it that were left behind are drawn beside their needles.

    Returns:
        :meth:`Session.input_state` of the images where they were, and where they are.
    """
    plan, was_apart = session.apart or session.plan, session.apart is not None
    assert plan is not None and session.plan is not None and session.lie is not None
    before, session.lie = session.lie.state, session.images.lie()
    for level in plan.levels:
        session.set_level(carried(level, motion), draw=False)
    session.editor.accept()
    with session.editor.quiet():
        _draw_along(session.parameter_node, session.plan, was_apart)
    session.draw_tables()
    session.write_text()
    return before, session.input_state()


def go_apart(session: Session) -> bool:
    """Whether all lines of a plan were moved as one, without its images: then no needle is judged where it is now."""
    before = session.apart or session.plan
    motion = None if before is None or session.outdated else moved_as_one(session.parameter_node, before)
    if motion is None or before is None:
        return False
    session.editor.accept()
    for level in before.levels:
        if has_lines(level):
            session.show_found(
                session.engine.movedTogether(level, motion, "without the images", "move them along, or ")
            )
    session.write_text()
    session.apart = before
    return True


def draw_rejoined(session: Session, spine: Spine) -> None:
    """Draw what only the anatomy tells, once it is built where a plan and its images came together again."""
    case = session.images.at_hand[0]
    with session.editor.quiet():
        for level in session.plan.levels if session.plan is not None else ():
            draw_level(session.parameter_node, level, spine)
        if case is not None and node_of(session.parameter_node, roles.ANATOMY) is not None:
            draw_anatomy(session.parameter_node, spine, case.labels)
        session.editor.refresh()


def _draw_along(parameter_node: Any, plan: CasePlan, anew: bool) -> None:
    for level in plan.levels:
        draw_measures(parameter_node, level)
        if anew or _cement_stayed(parameter_node, level):
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
