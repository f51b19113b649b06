"""Watching needles and height landmarks while they are dragged.

Events come from ``vtkMRMLMarkupsNode``: ``PointStartInteractionEvent`` before the first move of a drag,
``PointModifiedEvent`` for each move, ``PointEndInteractionEvent`` after the last. A move without the first is a whole
edit of its own (Python, undo, a transform). Observers hold the editor weakly and are taken away with their node, when
the scene closes, and on :meth:`Editor.stop`.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import slicer
import vtk
from numpy.typing import NDArray

from . import roles
from .references import node_of, owned_roles, plain

Ends = NDArray[np.floating]

CARRIED = (
    roles.TUBE,
    roles.BALLOON,
    roles.CEMENT,
    roles.SUPERIOR_PLATE,
    roles.INFERIOR_PLATE,
    roles.PEDICLE,
    roles.ANATOMY,
)
"""Kinds of nodes that nobody drags, but a transform can carry away from where the plan has them."""


@dataclass(frozen=True)
class Edit:
    """A line that was moved. ``kind`` is ``roles.NEEDLE`` or ``roles.HEIGHT``; ends are (2, 3) world RAS mm.

    A drag is told step by step: the ``first`` one, others, and the end of it as ``finished``; any other move is both.
    """

    kind: str
    level: str
    part: str
    before: Ends
    after: Ends
    first: bool
    finished: bool


@dataclass
class _Watched:
    node: Any
    role: str
    tags: list[int]
    ends: Ends  # the last valid place, put back where an end goes nowhere
    dragged_from: Ends | None = None  # set between start and end of an interaction
    moved: bool = False  # in this interaction
    waiting: bool = False  # moved by a transform, and not told of yet


@dataclass
class Editor:
    """Observers on the lines of one parameter node.

    Args:
        parameter_node: whose needles and heights are watched.
        on_edit: called for every valid move.
        on_removed: called with the role of an owned node that somebody deleted.
        on_carried: called with the role of a node of :data:`CARRIED` that a transform moved.
        on_transformed: called with the role of a line that a transform moved, unless it is in the middle of a drag; whether it
            waits for :meth:`follow` or :meth:`accept`. Else the move is an edit at once.
    """

    parameter_node: Any
    on_edit: Callable[[Edit], None]
    on_removed: Callable[[str], None]
    on_carried: Callable[[str], None]
    on_transformed: Callable[[str], bool]
    _watched: dict[str, _Watched] = field(default_factory=dict)
    _carried: dict[str, tuple[Any, int]] = field(default_factory=dict)  # node ID → node, tag
    _quiet: int = 0
    _scene: Any = None
    _scene_tags: list[int] = field(default_factory=list)
    _owned: dict[str, str] = field(default_factory=dict)  # node ID → role, as they are forgotten before the event

    def start(self) -> None:
        """Watch all lines there are now. May be called again after nodes were made."""
        parameters = plain(self.parameter_node)
        scene = parameters.GetScene()
        if not self._scene_tags:
            self._scene = scene
            self._scene_tags = [scene.AddObserver(scene.NodeRemovedEvent, _weak(self._on_node_removed, node=True))]
        self._owned = {}
        for role in owned_roles(parameters):
            node = node_of(parameters, role)
            if node is None:
                continue
            self._owned[node.GetID()] = role
            if role.split(".")[0] in (roles.NEEDLE, roles.HEIGHT):
                self._watch(node, role)
            elif role.split(".")[0] in CARRIED and node.GetID() not in self._carried:
                event = slicer.vtkMRMLTransformableNode.TransformModifiedEvent
                self._carried[node.GetID()] = (node, node.AddObserver(event, _weak(self._on_carried)))

    def refresh(self) -> None:
        """Watch lines made since :meth:`start`; nothing while stopped."""
        if self._scene_tags:
            self.start()

    def stop(self) -> None:
        """Take every observer away."""
        for watched in self._watched.values():
            for tag in watched.tags:
                watched.node.RemoveObserver(tag)
        self._watched.clear()
        for node, tag in self._carried.values():
            node.RemoveObserver(tag)
        self._carried.clear()
        if self._scene is not None:  # a parameter node that was deleted has none any more
            for tag in self._scene_tags:
                self._scene.RemoveObserver(tag)
        self._scene = None
        self._scene_tags.clear()
        self._owned.clear()

    @property
    def drawn_ids(self) -> tuple[str, ...]:
        """IDs of the nodes that belong to the parameter node; known also when that is gone."""
        return tuple(self._owned)

    @property
    def running(self) -> bool:
        """Whether the lines are watched."""
        return bool(self._scene_tags)

    @property
    def observer_count(self) -> int:
        """Observers in place, for tests."""
        lines = sum(len(watched.tags) for watched in self._watched.values())
        return len(self._scene_tags) + lines + len(self._carried)

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Own changes inside are not edits; where lines lie afterwards is their new valid place."""
        self._quiet += 1
        try:
            yield
        finally:
            self._quiet -= 1
            if not self._quiet:
                for watched in self._watched.values():
                    ends = line_ends(watched.node)
                    if ends is not None and not watched.waiting:
                        watched.ends = ends

    def _watch(self, node: Any, role: str) -> None:
        known = self._watched.get(node.GetID())
        ends = line_ends(node)
        if known is not None and known.node is node:
            known.role = role
            return
        if ends is None:
            return
        handlers = (
            (node.PointStartInteractionEvent, self._on_start),
            (node.PointModifiedEvent, self._on_move),
            (node.PointEndInteractionEvent, self._on_end),
            (slicer.vtkMRMLTransformableNode.TransformModifiedEvent, self._on_transform),
        )
        tags = [node.AddObserver(event, _weak(handler)) for event, handler in handlers]
        self._watched[node.GetID()] = _Watched(node, role, tags, ends)

    def _on_start(self, node: Any) -> None:
        watched = self._watched.get(node.GetID())
        if watched is not None:
            watched.dragged_from, watched.moved = watched.ends, False

    def _on_move(self, node: Any) -> None:
        watched = self._watched.get(node.GetID())
        if watched is None or self._quiet:
            return
        ends = line_ends(node)
        if ends is None:
            self._put_back(watched)
            return
        if np.allclose(ends, watched.ends, atol=1e-9):
            return
        before, watched.ends = watched.ends, ends
        alone, watched.moved = watched.dragged_from is None, True
        self._tell(watched, before, first=alone or before is watched.dragged_from, finished=alone)

    def _on_transform(self, node: Any) -> None:
        watched = self._watched.get(node.GetID())
        if watched is None or self._quiet:
            return
        ends = line_ends(node)
        moved = ends is not None and not np.allclose(ends, watched.ends, atol=1e-9)
        if moved and watched.dragged_from is None and self.on_transformed(watched.role):
            watched.waiting = True
        else:
            self._on_move(node)

    def follow(self) -> None:
        """Lines that a transform moved are edits, each of its own."""
        watched = next((one for one in self._watched.values() if one.waiting), None)
        if watched is None:
            return
        watched.waiting = False
        try:
            self._on_move(watched.node)
        finally:
            self.follow()  # an error in one leaves none of the others where nobody judged it

    def accept(self) -> None:
        """Lines that a transform moved are where they belong."""
        with self.quiet():
            for watched in self._watched.values():
                watched.waiting = False

    def _on_end(self, node: Any) -> None:
        watched = self._watched.get(node.GetID())
        if watched is None or watched.dragged_from is None:
            return
        before, watched.dragged_from = watched.dragged_from, None
        if watched.moved:  # back to where it began, too: what was hidden meanwhile has to come back
            self._tell(watched, before, first=False, finished=True)

    def _tell(self, watched: _Watched, before: Ends, first: bool, finished: bool) -> None:
        kind, level, part = watched.role.split(".")
        self.on_edit(Edit(kind, level, part, before, watched.ends, first, finished))

    def _put_back(self, watched: _Watched) -> None:
        """An end was sent to no place (not a number, or onto the other end): nothing can be computed there."""
        if watched.node.GetNumberOfControlPoints() != 2:
            return  # in the middle of a copy; the last event of it finds both ends
        with self.quiet():
            for index, point in enumerate(watched.ends):
                watched.node.SetNthControlPointPositionWorld(index, *(float(value) for value in point))

    def _on_carried(self, node: Any) -> None:
        role = self._owned.get(node.GetID())
        if role is not None and not self._quiet:
            self.on_carried(role)

    def _on_node_removed(self, scene: Any, node: Any) -> None:
        if node is None:
            return
        watched = self._watched.pop(node.GetID(), None)
        if watched is not None:
            for tag in watched.tags:
                node.RemoveObserver(tag)
        _node, tag = self._carried.pop(node.GetID(), (None, None))
        if tag is not None:
            node.RemoveObserver(tag)
        role = self._owned.pop(node.GetID(), None)
        if role is not None and not self._quiet and not scene.IsClosing():
            self.on_removed(role)


def line_ends(line: Any) -> Ends | None:
    """Both ends (2, 3) of a line, world RAS mm; None where it has not two finite ends at least 1 mm apart."""
    if line.GetNumberOfControlPoints() != 2 or line.GetNumberOfDefinedControlPoints() != 2:
        return None
    ends = np.array([line.GetNthControlPointPositionWorld(n) for n in (0, 1)])
    return ends if np.all(np.isfinite(ends)) and np.linalg.norm(ends[1] - ends[0]) >= 1.0 else None


def _weak(method: Any, node: bool = False) -> Callable[..., None]:
    """An observer that does not keep the editor alive; with ``node`` it gets the event's node."""
    reference = weakref.WeakMethod(method)

    if node:

        def observer(caller: Any, event: str, data: Any) -> None:
            target = reference()
            if target is not None:
                target(caller, data)

        observer.CallDataType = vtk.VTK_OBJECT  # type: ignore[attr-defined]
        return observer

    def plain_observer(caller: Any, event: str) -> None:
        target = reference()
        if target is not None:
            target(caller)

    return plain_observer
