"""What the logic tells its listeners."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

CHANGES = ("inputs", "levels", "plan", "needle", "height", "balloon", "removed", "refused")
"""Kinds of change: inputs chosen; a level renamed; a step done (everything may differ); a needle, height landmark or
balloon edited; a node of the plan deleted by hand; a line dragged to where it cannot be judged or measured and put back."""


@dataclass(frozen=True)
class Change:
    """What happened to a plan. ``level``, and ``side`` ("left", "right", or the place of a height line), where known.

    ``finished`` is false while a line is still being dragged. ``message`` says why, for "refused".
    """

    kind: str
    level: str | None = None
    side: str | None = None
    finished: bool = True
    message: str = ""


Listener = Callable[[Any, Change], None]


class ListenerList:
    """Callbacks in the order they came; each at most once."""

    def __init__(self) -> None:
        self._callbacks: list[Listener] = []

    def add(self, callback: Listener) -> None:
        """Tell this callback from now on."""
        if callback not in self._callbacks:
            self._callbacks.append(callback)

    def remove(self, callback: Listener) -> None:
        """Stop telling; unknown callbacks are fine."""
        if callback in self._callbacks:
            self._callbacks.remove(callback)

    def clear(self) -> None:
        """Stop telling anybody."""
        self._callbacks.clear()

    def tell(self, parameter_node: Any, change: Change) -> None:
        """Call everybody; a callback may take itself or others off the list meanwhile."""
        for callback in list(self._callbacks):
            if callback in self._callbacks:
                callback(parameter_node, change)
