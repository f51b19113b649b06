"""The scene as a whole: closed, another one read into it, a parameter node deleted."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import vtk


class SceneWatcher:
    """Observers on a scene.

    Args:
        on_close: the scene is about to be closed.
        on_reset: another was read into it.
        on_import: another is about to be read into it.
        on_parameter_node_removed: called with the ID of a parameter node that was deleted.
    """

    def __init__(
        self,
        scene: Any,
        on_close: Callable[[], None],
        on_reset: Callable[[], None],
        on_import: Callable[[], None],
        on_parameter_node_removed: Callable[[str], None],
    ) -> None:
        self._scene = scene
        removed = weakref.WeakMethod(on_parameter_node_removed)

        def calling(method: Callable[[], None]) -> Callable[[Any, str], None]:
            reference = weakref.WeakMethod(method)

            def observer(caller: Any, event: str) -> None:
                target = reference()
                if target is not None:
                    target()

            return observer

        def removed_observer(caller: Any, event: str, node: Any) -> None:
            target = removed()
            if target is not None and node is not None and node.IsA("vtkMRMLScriptedModuleNode"):
                target(node.GetID())

        removed_observer.CallDataType = vtk.VTK_OBJECT  # type: ignore[attr-defined]
        self._tags = [
            scene.AddObserver(scene.StartCloseEvent, calling(on_close)),
            scene.AddObserver(scene.StartImportEvent, calling(on_import)),
            scene.AddObserver(scene.EndImportEvent, calling(on_reset)),
            scene.AddObserver(scene.NodeRemovedEvent, removed_observer),
        ]

    def stop(self) -> None:
        """Take the observers away."""
        for tag in self._tags:
            self._scene.RemoveObserver(tag)
        self._tags.clear()
