"""What the panel's sections share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import qt

if TYPE_CHECKING:
    from .panel import PlannerPanel


class Section:
    """One section of the panel: connects its widgets once, and shows the state when told to.

    Args:
        panel: the panel it belongs to.
        button: its collapsible heading; None for a part without one.
    """

    def __init__(self, panel: PlannerPanel, button: Any) -> None:
        self.panel, self.ui, self.button = panel, panel.ui, button
        self._title = button.text if button is not None else ""
        self._tips: dict[int, str] = {}

    @property
    def logic(self) -> Any:
        return self.panel.logic

    @property
    def node(self) -> Any:
        """The parameter node wrapper, or None."""
        return self.panel.parameterNode

    def refresh(self) -> None:
        """Show the state as it is now."""
        raise NotImplementedError

    def heading(self, done: str = "") -> None:
        """The section's number and name, and once it is done what came of it.

        The signs ✔ ▲ ✖ speak of needles alone: a section that is merely done has none.
        """
        text = f"{self._title}   {done}" if done else self._title
        if self.button.text != text:
            self.button.text = text

    def enable(self, widget: Any, allowed: tuple[bool, str]) -> None:
        """Enable a widget with its own tooltip, or disable it with what is missing as the tooltip."""
        ok, reason = allowed
        own = self._tips.setdefault(id(widget), widget.toolTip)
        widget.enabled = ok
        widget.toolTip = own if ok else reason


def after_events(function: Any) -> Any:
    """A timer that calls a function once the events waiting now are handled."""
    timer = qt.QTimer()
    timer.setSingleShot(True)
    timer.setInterval(0)
    timer.connect("timeout()", function)
    return timer
