"""Undo and redo of drags.

Slicer's own undo (``vtkMRMLScene::Undo``) is off unless an application turns it on, and then every scroll of a slice
pushes a state. The planner therefore remembers the ends of the lines it was told of; where the scene's undo is on it
works too, because needles and height lines are undo-enabled and the editor follows whatever moves them.

Each plan has drags of its own: the others of a scene may be hidden, and are not to change unseen.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..model import LevelPlan
from . import roles
from .editing import Edit, Ends
from .motion import Motion, carried
from .needles import move_ends
from .references import node_of, plain

DEPTH = 100
"""Drags remembered of each plan; Slicer's scene keeps as many."""


@dataclass(frozen=True, eq=False)
class _Entry:
    """A drag: the line, its ends and its level before and after, and the images that both were judged on."""

    role: str
    before: tuple[Ends, LevelPlan]
    after: tuple[Ends, LevelPlan]
    images: Any

    @property
    def level(self) -> str:
        return self.before[1].level


def _moved(end: tuple[Ends, LevelPlan], motion: Motion) -> tuple[Ends, LevelPlan]:
    ends, level = end
    return np.array([motion.point(point) for point in ends]), carried(level, motion)


@dataclass(frozen=True, eq=False)
class _Step:
    """An entry on its way back or forth: the level as that drag has it here, and there."""

    here: LevelPlan
    there: LevelPlan
    images: Any


@dataclass
class _Drags:
    done: list[_Entry] = field(default_factory=list)
    undone: list[_Entry] = field(default_factory=list)


@dataclass
class History:
    """The drags of each plan of a scene, in their order."""

    _plans: dict[str, _Drags] = field(default_factory=dict)
    _step: _Step | None = None

    def add(self, parameter_node: Any, edit: Edit, before: LevelPlan, after: LevelPlan, images: Any) -> None:
        """Remember a finished drag, unless it is this history (or the scene's undo) that moved the line.

        Args:
            before, after: the line's level.
            images: state of what the level was judged on.
        """
        scene = parameter_node.GetScene()
        if self._step is not None or scene is None or scene.GetStates() & (scene.UndoState | scene.RedoState):
            return
        role = roles.role(edit.kind, edit.level, edit.part)
        drags = self._plans.setdefault(parameter_node.GetID(), _Drags())
        drags.done.append(_Entry(role, (edit.before, before), (edit.after, after), images))
        del drags.done[:-DEPTH]
        drags.undone.clear()

    def clear(self, parameter_node_id: str | None = None) -> None:
        """Forget the drags of one plan, or of all."""
        if parameter_node_id is None:
            self._plans.clear()
        else:
            self._plans.pop(parameter_node_id, None)

    def forget(self, parameter_node_id: str, levels: Collection[str]) -> None:
        """Forget the drags of some levels of a plan, whose lines are others now."""
        drags = self._plans.get(parameter_node_id, _Drags())
        for entries in (drags.done, drags.undone):
            entries[:] = [entry for entry in entries if entry.level not in levels]

    def carry(self, parameter_node: Any, motion: Motion, images: Any, images_now: Any) -> None:
        """The plan and its images were moved as one: its drags lead to where both are now.

        Args:
            images, images_now: state of the images before and after.
        """
        drags = self._of(parameter_node)
        for entries in (drags.done, drags.undone):
            entries[:] = [
                replace(
                    entry,
                    before=_moved(entry.before, motion),
                    after=_moved(entry.after, motion),
                    images=images_now if entry.images == images else entry.images,
                )
                for entry in entries
            ]

    def moved_levels(self, parameter_node: Any) -> set[str]:
        """Levels of a plan with a needle that was dragged, and not put back, since it was planned."""
        return {entry.level for entry in self._of(parameter_node).done if entry.role.startswith(f"{roles.NEEDLE}.")}

    def can_undo(self, parameter_node: Any) -> bool:
        """Whether a line of the plan is there that can go back."""
        return any(node_of(parameter_node, entry.role) is not None for entry in self._of(parameter_node).done)

    def can_redo(self, parameter_node: Any) -> bool:
        """Whether a line of the plan is there that can go forth."""
        return any(node_of(parameter_node, entry.role) is not None for entry in self._of(parameter_node).undone)

    def undo(self, parameter_node: Any) -> bool:
        """Put the plan's last moved line back; lines deleted since are passed over."""
        drags = self._of(parameter_node)
        return self._move(parameter_node, drags.done, drags.undone, back=True)

    def redo(self, parameter_node: Any) -> bool:
        """Move it again."""
        drags = self._of(parameter_node)
        return self._move(parameter_node, drags.undone, drags.done, back=False)

    def as_it_was(self, level: LevelPlan, images: Any) -> LevelPlan | None:
        """A level as it was at the other end of the drag that is being undone or redone, with balloons and cement.

        None where nothing is, where the level was changed otherwise since, or where the images were: then it goes on from
        what it is now.
        """
        step = self._step
        return step.there if step is not None and step.here == level and step.images == images else None

    def _of(self, parameter_node: Any) -> _Drags:
        return self._plans.get(plain(parameter_node).GetID(), _Drags())

    def _move(self, parameter_node: Any, source: list[_Entry], target: list[_Entry], back: bool) -> bool:
        while source:
            entry = source.pop()
            line = node_of(parameter_node, entry.role)
            if line is None:
                continue
            target.append(entry)
            (_, here), (ends, there) = (entry.after, entry.before) if back else (entry.before, entry.after)
            self._step = _Step(here, there, entry.images)
            try:
                move_ends(line, *ends)
            finally:
                self._step = None
            return True
        return False
