"""The needle views."""

from __future__ import annotations

from typing import Any

from ..model import InputError, Trajectory
from .logic_base import LogicBase
from .references import plain


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
        self._viewed = (plain(parameterNode).GetID(), level, side)
        self._views.show(needle.entry_ras, needle.target_ras, self._depth)

    def setNeedleDepth(self, parameterNode: Any, depthMm: float) -> None:
        """Move the perpendicular slice."""
        if self._viewed is None:
            raise InputError("The needle views are not shown; show them first.")
        needle = self._needle(parameterNode, *self._viewed[1:])
        self._depth = depthMm
        self._views.set_depth(needle.entry_ras, needle.target_ras, depthMm)

    def needleViewsShown(self) -> bool:
        """Whether the needle views are on."""
        return self._views.shown

    def restoreViews(self) -> None:
        """The usual views, as they were before :meth:`showNeedleViews`."""
        self._views.restore()
        self._viewed = None

    def _needle(self, parameterNode: Any, level: str, side: str) -> Trajectory:
        needle = self._session(parameterNode).trajectory(level, side)
        if needle is None:
            raise InputError(f"{level} has no needle on the {side}; plan the access first.")
        return needle


def _length(needle: Trajectory) -> float:
    return float(sum((a - b) ** 2 for a, b in zip(needle.entry_ras, needle.target_ras, strict=True)) ** 0.5)
