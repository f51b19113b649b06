"""The needle views."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..model import InputError, Trajectory
from .logic_base import LogicBase
from .references import plain

AT_TIP_MM = 0.1
"""So near to the tip the slice across the needle stays at the tip where that moves."""


class ViewsLogic(LogicBase):
    """One slice across the needle, two that contain it, and the usual views back."""

    def needleDepthRange(self, parameterNode: Any, level: str, side: str) -> tuple[float, float]:
        """Depths in mm along the needle: from the skin (negative; the entry is 0) to the tip."""
        needle = self._needle(parameterNode, level, side)
        outside = 0.0
        if needle.skin_to_target_mm is not None:
            outside = needle.bone_path_mm - needle.skin_to_target_mm
        return min(0.0, outside), _length(needle)

    def showNeedleViews(self, parameterNode: Any, level: str, side: str, depthMm: float | None = None) -> None:
        """Red: perpendicular to the needle at a depth (the tip by default); Yellow and Green contain the needle."""
        needle = self._needle(parameterNode, level, side)
        self._depth = _length(needle) if depthMm is None else depthMm
        viewed = (plain(parameterNode).GetID(), level, side)
        # The same needle, moved: layout and zoom stay as the user has them by now.
        self._views.show(needle.entry_ras, needle.target_ras, self._depth, keep_zoom=viewed == self._viewed)
        self._viewed, self._viewed_ends = viewed, (needle.entry_ras, needle.target_ras)

    def followNeedleViews(self, parameterNode: Any, level: str, side: str) -> None:
        """Where the needle views are on, show this needle in them; where there is none, the usual views."""
        if not self.needleViewsShown():
            return
        plan = self._session(parameterNode).plan
        levels = [] if plan is None else [found for found in plan.levels if found.level == level]
        if all(found.needle(side) is None for found in levels):
            self.restoreViews()
        elif self.viewedNeedle(parameterNode) != (level, side):
            self.showNeedleViews(parameterNode, level, side)
        else:
            self.followMovedNeedle(parameterNode, level, side)

    def followMovedNeedle(self, parameterNode: Any, level: str, side: str) -> None:
        """Where the needle views show this needle, bring them to where it lies now: at its tip where they were at the tip."""
        needle = self._session(parameterNode).trajectory(level, side)
        if needle is None or self.viewedNeedle(parameterNode) != (level, side):
            return
        if (needle.entry_ras, needle.target_ras) == self._viewed_ends:
            return
        at_tip = self._depth > _distance(*self._viewed_ends) - AT_TIP_MM
        length = _length(needle)
        self.showNeedleViews(parameterNode, level, side, length if at_tip else min(self._depth, length))

    def viewedNeedle(self, parameterNode: Any) -> tuple[str, str] | None:
        """Level and side of the needle in the needle views; None where they show none of this plan."""
        if not self.needleViewsShown() or self._viewed is None or self._viewed[0] != plain(parameterNode).GetID():
            return None
        return self._viewed[1:]

    def setNeedleDepth(self, parameterNode: Any, depthMm: float) -> None:
        """Move the perpendicular slice."""
        viewed = self.viewedNeedle(parameterNode)
        if viewed is None:
            raise InputError("The needle views are not shown; show them first.")
        needle = self._needle(parameterNode, *viewed)
        self._depth = depthMm
        self._views.set_depth(needle.entry_ras, needle.target_ras, depthMm)

    def needleDepth(self) -> float:
        """Depth of the perpendicular slice, mm from the entry."""
        return self._depth

    def needleViewsShown(self) -> bool:
        """Whether the needle views are on."""
        return self._views.shown

    def restoreViews(self) -> None:
        """The usual views, as they were before :meth:`showNeedleViews`."""
        self._views.restore()
        self._viewed = None

    def restoreLeftViews(self) -> None:
        """The usual views in place of needle views that a scene was saved with, where the module was not there to end them."""
        self._views.restore_left()

    def _needle(self, parameterNode: Any, level: str, side: str) -> Trajectory:
        needle = self._session(parameterNode).trajectory(level, side)
        if needle is None:
            raise InputError(f"{level} has no needle on the {side}; plan the access first.")
        return needle


def _length(needle: Trajectory) -> float:
    return _distance(needle.entry_ras, needle.target_ras)


def _distance(one: Iterable[float], other: Iterable[float]) -> float:
    return float(sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5)
