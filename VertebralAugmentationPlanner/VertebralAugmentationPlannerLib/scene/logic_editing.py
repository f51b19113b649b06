"""Live edit: what follows when a needle or a height landmark is dragged, undone, or deleted by hand."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np

from ..model import InputError, LevelPlan, PlanWarning, Trajectory
from . import roles
from .changes import Change
from .editing import Edit
from .going_along import go_apart
from .logic_base import at_once
from .logic_steps import StepsLogic
from .logic_views import ViewsLogic
from .edits import without_fillings, without_trajectory
from .session import Session


class EditingLogic(ViewsLogic, StepsLogic):
    """Needles and heights under the user's hand."""

    def __init__(self, scene: Any = None, engine: Any = None) -> None:
        super().__init__(scene, engine)
        self._dragged_from: dict[tuple[str, str, str], LevelPlan] = {}  # levels as they were when a drag began

    def _forget(self) -> None:
        super()._forget()
        self._dragged_from.clear()

    def startEditing(self, parameterNode: Any) -> None:
        """Observe needles and height landmarks. Idempotent; done by every step that draws and by ``planFromScene``."""
        self._session(parameterNode).watch()

    def stopEditing(self, parameterNode: Any = None) -> None:
        """Take the observers away (of all plans by default)."""
        for session in self._sessions.values() if parameterNode is None else [self._session(parameterNode)]:
            session.editor.stop()

    def needle(self, parameterNode: Any, level: str, side: str) -> Trajectory | None:
        """The trajectory as it is now (live during a drag), or None."""
        return self._session(parameterNode).trajectory(level, side)

    def undo(self, parameterNode: Any) -> bool:
        """Undo the plan's last drag, with balloons and cement as they were; False where there is nothing to undo."""
        return self._history.undo(parameterNode)

    def redo(self, parameterNode: Any) -> bool:
        """Redo; False where there is nothing to redo."""
        return self._history.redo(parameterNode)

    def canUndo(self, parameterNode: Any) -> bool:
        """Whether there is a drag of the plan to undo."""
        return self._history.can_undo(parameterNode)

    def canRedo(self, parameterNode: Any) -> bool:
        """Whether there is a drag of the plan to redo."""
        return self._history.can_redo(parameterNode)

    def _onEdit(self, session: Session, edit: Edit) -> None:
        if edit.first and edit.kind == roles.NEEDLE and not session.ready:
            self._bringAnatomy(session, edit)
        start = self._at_start(session, edit)
        if edit.kind == roles.HEIGHT:
            self._onHeightModified(session, edit, start)
        else:
            self.onNeedleModified(session, edit, start)
        now = session.level(edit.level)
        put_back = now == start  # a line of which one end alone was dragged lies with the other where the edit has it
        if (
            edit.finished
            and not put_back
            and session.lies_at(edit)
            and not np.allclose(edit.before, edit.after, atol=1e-9)
        ):
            self._history.add(session.parameter_node, edit, start, now, session.input_state())

    def _bringAnatomy(self, session: Session, edit: Edit) -> None:
        """Before a level is remembered as it was when its drag began: needles judged in another anatomy are judged in that of now."""
        try:
            self._spineOfPlan(session, self._optionsOfLevel(session, edit.level))
        except Exception:  # noqa: BLE001 - it comes again where the needle is judged, and is told there
            return
        session.keep_line(edit)

    def onNeedleModified(self, session: Session, edit: Edit, start: LevelPlan) -> None:
        """Clearances, angles, slack, grade and colour of a moved needle; balloon and cement once it is let go.

        A needle that cannot be judged (it misses the vertebra, or the images are gone) is shown as a breach while it
        is dragged and goes back when it is let go: no needle keeps the numbers of another place.

        Args:
            start: the level as it was when the drag began.
        """
        old = session.trajectory(edit.level, edit.part)
        if old is None:
            return
        was = self._history.as_it_was(start, session.input_state())
        if was is not None:
            self._show_moved(session, edit, was)
            return
        try:
            options = self._optionsOfLevel(session, edit.level)
            vertebra = self._spineOfPlan(session, options).vertebrae[edit.level]
            moved = self.engine.reevaluate(
                vertebra, session.case(options), edit.part, *edit.after, old.cannula, options
            )
        except (InputError, ValueError, KeyError) as error:
            reason = str(error) if isinstance(error, InputError) else f"it does not meet {edit.level} ({error})"
            self._refuse(session, edit, start, reason)
            return
        except Exception as error:
            # VTK prints what an observer raises and goes on: the needle must not stay where it has no numbers.
            self._refuse(session, edit, start, f"an error that was not foreseen, {error!r}")
            raise
        level = self.engine.moved(session.level(edit.level), moved, session.case(options) if edit.finished else None)
        if edit.finished:
            level = self._augmented(session, level, start, options)
        self._show_moved(session, edit, level)

    def _show_moved(self, session: Session, edit: Edit, level: LevelPlan) -> None:
        session.draw_edit(level, level.trajectory(edit.part), edit.finished)
        if edit.finished:
            self.followMovedNeedle(session.parameter_node, edit.level, edit.part)
        self._tell(session.parameter_node, Change("needle", edit.level, edit.part, edit.finished))

    def _at_start(self, session: Session, edit: Edit) -> LevelPlan:
        """The level as it was when this drag began."""
        key = (session.parameter_node.GetID(), edit.level, edit.part)
        if edit.first or key not in self._dragged_from:
            self._dragged_from[key] = session.level(edit.level)
        return self._dragged_from.pop(key) if edit.finished else self._dragged_from[key]

    def _refuse(self, session: Session, edit: Edit, start: LevelPlan, reason: str) -> None:
        """A breach while it is dragged; let go, the level is as it was when the drag began."""
        if not edit.finished:
            self._show_moved(session, edit, self.engine.lost(session.level(edit.level), edit.part, edit.after, reason))
            return
        session.put_back(start)
        message = f"The {edit.part} needle of {edit.level} was put back: {reason}"
        self._tell(session.parameter_node, Change("refused", edit.level, edit.part, True, message))

    def _augmented(self, session: Session, level: LevelPlan, start: LevelPlan, options: Any) -> LevelPlan:
        """Balloon and cement for the moved needle; where it allows none, the level says why and goes without.

        A volume that was set by hand at the start of the drag stays, as far as the new place allows it.
        """
        try:
            spine = session.spine(options)
            volumes = self.engine.setByHand(start, spine, options)
            return self.engine.augment(level, spine, options, volumes)
        except InputError as error:
            reason = str(error)
        except Exception as error:  # the needle stands: it was judged; only what it is filled with is not known
            logging.getLogger(__name__).exception("No balloon and cement for the moved needle of %s", level.level)
            reason = f"Balloon and cement could not be planned for the moved needle: {error!r}."
        return without_fillings(level, PlanWarning("no_augmentation", "caution", reason, "moved needle"))

    def _onHeightModified(self, session: Session, edit: Edit, start: LevelPlan) -> None:
        old = session.level(edit.level)
        was = self._history.as_it_was(old, session.input_state())
        spine = session.anatomy
        try:
            level = was or self.engine.remeasure(old, edit.part, edit.after, spine)
            if was is None and edit.finished and level.trajectories and spine is not None:
                # Expected heights and the loss that a balloon gives back are those of the measurements as they are now.
                options = self._optionsOfLevel(session, edit.level)
                # No needle moved: each balloon holds what it held, whoever chose that.
                volumes = {n.side: n.balloon.planned_volume_ml for n in level.trajectories if n.balloon is not None}
                level = self.engine.augment(level, spine, options, volumes)
        except InputError as error:
            if edit.finished:  # until then the numbers are those of where it last could be measured
                session.draw_measures(start, True)
                message = f"The {edit.part} height of {edit.level} was put back: {error}"
                self._tell(session.parameter_node, Change("refused", edit.level, edit.part, True, message))
            return
        except Exception:
            session.draw_measures(old, True)
            raise
        session.draw_measures(level, edit.finished)
        self._tell(session.parameter_node, Change("height", edit.level, edit.part, edit.finished))

    def _onRemoved(self, session: Session, role: str) -> None:
        """A node was deleted by hand: a needle goes with all that hangs on it, anything else comes back when drawn."""
        self._removed.append((session, role))
        self.later(self._afterRemoval)  # all that came by then are followed together

    def _onCarried(self, session: Session, role: str) -> None:
        """A transform moved a node that nobody drags: it goes back once all that the transform moves has been told of."""
        if role == roles.ANATOMY and self.later is at_once:
            return  # drawn anew with the images; within its own event a node cannot be taken off a transform
        self._carried.append((session, role))
        self.later(self._afterCarrying)

    def _onTransformed(self, session: Session, role: str) -> bool:
        """A transform moved a line: once all that it moves has been told of, the images may have gone along."""
        if self.later is at_once:
            return False
        self._carried.append((session, role))
        self.later(self._afterCarrying)
        return True

    def _afterCarrying(self) -> None:
        carried, self._carried = self._carried, []
        for session in list(self._sessions.values()):
            moved = {role for owner, role in carried if owner is session}
            if not moved or session.parameter_node.GetScene() is None:
                continue
            drawn = {role for role in moved if role.split(".")[0] not in (roles.NEEDLE, roles.HEIGHT)}
            if drawn != moved:
                if self._rejoin(session):
                    continue
                if go_apart(session):
                    drawn &= {roles.ANATOMY}
                    self._tell(session.parameter_node, Change("plan"))
                else:
                    session.editor.follow()
            if drawn:
                session.draw_where_planned(drawn)

    def _afterRemoval(self) -> None:
        removed, self._removed = self._removed, []
        open_ones = list(self._sessions.values())
        told: list[tuple[Session, Change]] = []
        for session, role in removed:
            if not any(session is one for one in open_ones) or session.parameter_node.GetScene() is None:
                continue
            kind, _, rest = role.partition(".")
            name, _, side = rest.partition(".")
            if kind == roles.NEEDLE and session.plan is not None and session.trajectory(name, side) is not None:
                level = without_trajectory(session.level(name), side, "its needle was deleted by hand")
                session.set_level(level, draw=False)
                told.append((session, Change("removed", name, side)))
            else:
                told.append((session, Change("removed")))
                if role == roles.PLAN_TEXT:
                    session.text_was_deleted()
        for session, change in told:
            if change.level is not None:
                session.set_level(session.level(change.level))
        for session, change in told:
            self._tell(session.parameter_node, change)
