"""Undo and redo of drags.

Slicer's own undo (``vtkMRMLScene::Undo``) is off unless an application turns it on, and then every scroll of a slice
pushes a state. The planner therefore remembers the ends of the lines it was told of; where the scene's undo is on it
works too, because needles and height lines are undo-enabled and the editor follows whatever moves them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from . import roles
from .editing import Edit, Ends
from .needles import move_ends
from .references import node_of

DEPTH = 100
"""Drags remembered; Slicer's scene keeps as many."""


@dataclass(frozen=True, eq=False)
class _Entry:
    parameter_node_id: str
    role: str
    before: Ends
    after: Ends


@dataclass
class History:
    """The drags of all plans of a scene, in their order."""

    _done: list[_Entry] = field(default_factory=list)
    _undone: list[_Entry] = field(default_factory=list)
    _moving: bool = False

    def add(self, parameter_node: Any, edit: Edit) -> None:
        """Remember a finished drag, unless it is this history (or the scene's undo) that moved the line."""
        scene = parameter_node.GetScene()
        if self._moving or scene is None or scene.GetStates() & (scene.UndoState | scene.RedoState):
            return
        role = roles.role(edit.kind, edit.level, edit.part)
        self._done.append(_Entry(parameter_node.GetID(), role, edit.before, edit.after))
        del self._done[:-DEPTH]
        self._undone.clear()

    def clear(self, parameter_node_id: str | None = None) -> None:
        """Forget the drags of one plan, or of all."""
        for stack in (self._done, self._undone):
            stack[:] = [entry for entry in stack if parameter_node_id not in (None, entry.parameter_node_id)]

    def can_undo(self, scene: Any) -> bool:
        """Whether a line is there that can go back."""
        return any(_line(scene, entry) is not None for entry in self._done)

    def can_redo(self, scene: Any) -> bool:
        """Whether a line is there that can go forth."""
        return any(_line(scene, entry) is not None for entry in self._undone)

    def undo(self, scene: Any) -> bool:
        """Put the last moved line back; lines deleted since are passed over."""
        return self._step(scene, self._done, self._undone, "before")

    def redo(self, scene: Any) -> bool:
        """Move it again."""
        return self._step(scene, self._undone, self._done, "after")

    def _step(self, scene: Any, source: list[_Entry], target: list[_Entry], ends: str) -> bool:
        while source:
            entry = source.pop()
            line = _line(scene, entry)
            if line is None:
                continue
            target.append(entry)
            self._moving = True
            try:
                move_ends(line, *getattr(entry, ends))
            finally:
                self._moving = False
            return True
        return False


def _line(scene: Any, entry: _Entry) -> Any:
    parameter_node = scene.GetNodeByID(entry.parameter_node_id)
    return None if parameter_node is None else node_of(parameter_node, entry.role)
