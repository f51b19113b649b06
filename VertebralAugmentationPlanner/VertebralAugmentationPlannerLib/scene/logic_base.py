"""What every part of the logic shares: the scene, the engine, and one open session per parameter node."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import slicer

from ..model import LevelPlan
from .changes import Change, Listener, ListenerList
from .editing import Edit
from .history import History
from .level_table import PartsKeeper
from .folders import folder_above, remove_empty_folders
from .references import plain, remove_left_behind
from .session import Session
from .views import ViewKeeper
from .watching import SceneWatcher

if TYPE_CHECKING:
    from .engine import Engine


class LogicBase:
    """Sessions, listeners and what ends them."""

    def __init__(self, scene: Any = None, engine: Any = None) -> None:
        super().__init__()
        self.scene = slicer.mrmlScene if scene is None else scene
        self._engine = engine
        self.isSingletonParameterNode = False  # several plans may lie in one scene
        self.later: Callable[[Callable[[], None]], None] = at_once
        """Puts off what follows a deletion by hand until the event is through; the panel sets it. A folder of the
        subject hierarchy is deleted node by node (``vtkMRMLSubjectHierarchyNode::RemoveItem``), and waits for ever
        where nodes are made in it meanwhile."""
        self._removed: list[tuple[Session, str]] = []
        self._carried: list[tuple[Session, str]] = []
        self._listeners = ListenerList()
        self._sessions: dict[str, Session] = {}
        self._history = History()
        self._looked = PartsKeeper()
        self._views = ViewKeeper(self.scene)
        self._viewed: tuple[str, str, str] | None = None  # parameter node's ID, level, side
        self._viewed_ends: tuple[Any, Any] = ((), ())  # where that needle lay when it was shown
        self._depth = 0.0
        self._watcher = SceneWatcher(
            self.scene, self._beforeClose, self._afterImport, self._beforeImport, self._onParameterNodeRemoved
        )

    @property
    def engine(self) -> Engine:
        """The stages of the road. Imported when first asked for: Slicer's start need not wait for them."""
        if self._engine is None:
            from .engine import Engine

            self._engine = Engine()
        return self._engine

    def addListener(self, callback: Listener) -> None:
        """``callback(parameterNode, change)`` after each change; the node is the plain MRML node."""
        self._listeners.add(callback)

    def removeListener(self, callback: Listener) -> None:
        """Stop telling; unknown callbacks are fine."""
        self._listeners.remove(callback)

    def cleanup(self) -> None:
        """Remove every observer and listener, restore the views. The scene keeps its nodes."""
        self._views.restore()
        self._forget()
        self._watcher.stop()
        self._listeners.clear()

    def _session(self, parameterNode: Any) -> Session:
        node = plain(parameterNode)
        session = self._sessions.get(node.GetID())
        if session is None or session.parameter_node is not node:
            session = Session(node, self.engine, self._onEdit, self._onRemoved, self._onCarried, self._onTransformed)
            self._sessions[node.GetID()] = session
        session.follow_text()
        return session

    def _close(self, key: str) -> None:
        session = self._sessions.pop(key, None)
        if session is not None:
            session.close()

    def _beforeClose(self) -> None:
        """The usual views come back first: MRML resets a slice view to the orientation that it has, and an oblique one to
        none of the three (``vtkMRMLSliceNode::Reset``)."""
        self._views.restore()
        self._forget()

    def _forget(self) -> None:
        """The scene is closed or another is read into it: nothing that was kept belongs to it any more."""
        for key in list(self._sessions):
            self._close(key)
        self._history.clear()
        self._looked.clear()
        self._views.forget()
        self._viewed = None

    def _afterImport(self) -> None:
        """No button is pressed for needle views that the scene was saved with: the usual ones come back."""
        self._forget()
        self._views.restore_left()

    def _beforeImport(self) -> None:
        """Another scene may bring no views of its own: those of before come back while they are known."""
        self._views.restore()
        self._viewed = None

    def _onParameterNodeRemoved(self, key: str) -> None:
        """A plan whose parameter node is deleted goes with all that it drew: nobody would judge its needles."""
        session = self._sessions.get(key)
        drawn = () if session is None else session.editor.drawn_ids
        self._close(key)
        self._history.clear(key)
        undone = self.scene.GetStates() & (self.scene.UndoState | self.scene.RedoState)
        if drawn and not self.scene.IsClosing() and not undone:
            nodes = [self.scene.GetNodeByID(one) for one in drawn]  # by then another scene may have nodes of these IDs
            self.later(lambda: self._remove_left_behind([node for node in nodes if node is not None]))

    def _remove_left_behind(self, nodes: list[Any]) -> None:
        folders = {folder_above(node) for node in nodes if node.GetScene() is not None}
        remove_left_behind(nodes)
        for folder in folders:
            remove_empty_folders(self.scene, folder)

    def _take(self, session: Session, level: LevelPlan, change: Change) -> None:
        session.set_level(level)
        self._tell(session.parameter_node, change)

    def _tell(self, parameterNode: Any, change: Change) -> None:
        self._listeners.tell(plain(parameterNode), change)

    def _onEdit(self, session: Session, edit: Edit) -> None:
        raise NotImplementedError

    def _onRemoved(self, session: Session, role: str) -> None:
        raise NotImplementedError

    def _onCarried(self, session: Session, role: str) -> None:
        raise NotImplementedError

    def _onTransformed(self, session: Session, role: str) -> bool:
        raise NotImplementedError


def at_once(task: Callable[[], None]) -> None:
    """Put nothing off: without an event loop there is no later."""
    task()
