"""The module's logic on MRML: what the panel's buttons and the Python console call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from ..model import BalloonPlan, Case, CasePlan, LevelPlan, Trajectory

CHANGES = ("inputs", "levels", "plan", "needle", "height", "balloon", "removed")
"""Kinds of change told to listeners: inputs chosen; a level renamed; a step done (everything may differ); a needle,
height landmark or balloon edited; a node of the plan deleted."""


@dataclass(frozen=True)
class Change:
    """What happened to a plan. ``level`` and ``side`` ("left", "right", or the place of a height line) where it has one."""

    kind: str
    level: str | None = None
    side: str | None = None


@dataclass(frozen=True)
class SegmentRow:
    """One row of the level table.

    Args:
        key: segment ID, or the label value as text for a label map. Identifies the row.
        name: segment name, or the color table's name of the label value.
        suggested: level read from name or terminology ("" where none; the segment is then ignored).
        level: level in force after the user's corrections ("" = not used).
        color: RGB 0–1.
        centre_ras: (3,) centre of the segment, RAS mm, or None where it is empty.
    """

    key: str
    name: str
    suggested: str
    level: str
    color: tuple[float, float, float]
    centre_ras: tuple[float, float, float] | None


Progress = Callable[[float, str], None]
ShouldCancel = Callable[[], bool]
Listener = Callable[[Any, Change], None]


class PlannerLogic:
    """Everything the module does, on a MRML scene.

    Args:
        scene: the scene to work in; the application's by default.
    """

    def __init__(self, scene: Any = None) -> None: ...

    # ---- Python console ---------------------------------------------------------------------------------------

    def plan(self, ct: Any, segmentation: Any, levels: str | Sequence[str] = "fractured", **options: Any) -> CasePlan:
        """Plan without touching the scene's plan nodes.

        ``ct`` and ``segmentation`` are MRML nodes (or whatever ``plan_case`` takes); ``options`` are the fields of
        ``PlanOptions``, plus ``progress`` and ``should_cancel``. Raises ``InputError``.
        """

    def buildScene(self, plan: CasePlan, ct: Any = None, segmentation: Any = None, parameterNode: Any = None) -> Any:
        """Draw a plan as nodes and return the parameter node that refers to them (a new one where none is given)."""

    # ---- Images and levels ------------------------------------------------------------------------------------

    def setInputs(self, parameterNode: Any, ct: Any, segmentation: Any) -> None:
        """Choose the CT (scalar volume or None) and the segmentation (segmentation or label map node)."""

    def segmentTable(self, parameterNode: Any) -> list[SegmentRow]:
        """One row for each segment or label value, from head to foot. Empty where no segmentation is chosen."""

    def setLevel(self, parameterNode: Any, key: str, level: str) -> None:
        """Correct one row; "" leaves the segment out. Raises ``InputError`` for a name that is no level."""

    def shiftLevels(self, parameterNode: Any, step: int) -> None:
        """Shift the whole numbering: +1 towards the feet (T12 → L1), −1 towards the head.

        Raises ``InputError`` where a level would run off the end; then nothing is changed.
        """

    def resetLevels(self, parameterNode: Any) -> None:
        """Forget the corrections."""

    def checkInputs(self, parameterNode: Any) -> tuple[bool, str]:
        """(True, "") or (False, what is missing or wrong, in one sentence). Fast; looks at no voxel."""

    def showLevelNames(self, parameterNode: Any, visible: bool) -> None:
        """Preview of the name on each vertebra, in slice and 3D views."""

    # ---- Steps ------------------------------------------------------------------------------------------------

    def loadCase(self, parameterNode: Any, progress: Progress | None = None, shouldCancel: ShouldCancel | None = None) -> Case:
        """The nodes as a checked ``Case`` (cached until a node, its transform or the level table changes)."""

    def canMeasure(self, parameterNode: Any) -> tuple[bool, str]:
        """Whether :meth:`measure` can run; else why not."""

    def measure(
        self, parameterNode: Any, progress: Progress | None = None, shouldCancel: ShouldCancel | None = None
    ) -> CasePlan:
        """Measure every complete level and draw it. The plan then has measurements and no trajectories."""

    def canPlan(self, parameterNode: Any, level: str) -> tuple[bool, str]:
        """Whether :meth:`planLevel` can run for that level; else why not."""

    def planLevel(
        self,
        parameterNode: Any,
        level: str,
        progress: Progress | None = None,
        shouldCancel: ShouldCancel | None = None,
        **options: Any,
    ) -> LevelPlan:
        """Plan access (and balloon and cement) of one level, with the parameter node's options unless given here."""

    def planLevels(
        self,
        parameterNode: Any,
        levels: str | Sequence[str],
        progress: Progress | None = None,
        shouldCancel: ShouldCancel | None = None,
        **options: Any,
    ) -> CasePlan:
        """Plan several levels; "fractured", "all" or names."""

    def canInflate(self, parameterNode: Any, level: str) -> tuple[bool, str]:
        """Whether the level has a needle a balloon can be planned on; else why not."""

    def balloonCatalog(self) -> list[Any]:
        """The catalogue's balloons, in the order of the file (name, length, largest volume and diameter …)."""

    def planAugmentation(
        self, parameterNode: Any, level: str, balloon: str | None = None, targetFill: float | None = None
    ) -> LevelPlan:
        """Balloon and cement again for the needles as they are now."""

    def inflationRange(self, parameterNode: Any, level: str, side: str) -> tuple[float, float]:
        """Smallest and largest volume for the inflation slider, ml."""

    def inflate(self, parameterNode: Any, level: str, side: str, volumeMl: float) -> BalloonPlan:
        """Inflate one balloon to at most this volume; ``stopped_by`` says what stops it. Draws it."""

    def currentPlan(self, parameterNode: Any) -> CasePlan | None:
        """The plan as it is now, edits included; None before :meth:`measure`."""

    def planFromScene(self, parameterNode: Any) -> CasePlan:
        """Read the plan back from the text node (after loading a scene). Raises ``InputError`` where there is none."""

    def summary(self, parameterNode: Any) -> str:
        """The plan in words (plain text, a paragraph per level), warnings last."""

    def clearPlan(self, parameterNode: Any) -> None:
        """Remove every node that this module made for the parameter node; inputs stay."""

    # ---- Nodes and display ------------------------------------------------------------------------------------

    def node(self, parameterNode: Any, role: str) -> Any:
        """The node of a role (see :mod:`.roles`), or None."""

    def levels(self, parameterNode: Any) -> list[str]:
        """Levels in the plan from head to foot."""

    def showLevel(self, parameterNode: Any, level: str) -> None:
        """Show this level's nodes, dim the others', and bring the slices through the middle of its body."""

    # ---- Live edit --------------------------------------------------------------------------------------------

    def startEditing(self, parameterNode: Any) -> None:
        """Observe needles and height landmarks. Idempotent; done by every step that draws and by ``planFromScene``."""

    def stopEditing(self, parameterNode: Any = None) -> None:
        """Take the observers away (of all plans by default)."""

    def addListener(self, callback: Listener) -> None:
        """``callback(parameterNode, change)`` after each change; the node is the plain MRML node."""

    def removeListener(self, callback: Listener) -> None:
        """Stop telling; unknown callbacks are fine."""

    def needle(self, parameterNode: Any, level: str, side: str) -> Trajectory | None:
        """The trajectory as it is now (live during a drag), or None."""

    def undo(self) -> bool:
        """Undo the last drag; False where there is nothing to undo."""

    def redo(self) -> bool:
        """Redo; False where there is nothing to redo."""

    def canUndo(self) -> bool:
        """Whether there is a drag to undo."""

    def canRedo(self) -> bool:
        """Whether there is a drag to redo."""

    # ---- Views ------------------------------------------------------------------------------------------------

    def needleDepthRange(self, parameterNode: Any, level: str, side: str) -> tuple[float, float]:
        """Depths in mm along the needle: from the skin (negative; the entry is 0) to the tip."""

    def showNeedleViews(self, parameterNode: Any, level: str, side: str, depthMm: float | None = None) -> None:
        """Red: perpendicular to the needle at a depth (the tip by default); Yellow and Green contain the needle."""

    def setNeedleDepth(self, parameterNode: Any, depthMm: float) -> None:
        """Move the perpendicular slice."""

    def needleViewsShown(self) -> bool:
        """Whether the needle views are on."""

    def restoreViews(self) -> None:
        """The usual views, as they were before :meth:`showNeedleViews`."""

    # ---- Files ------------------------------------------------------------------------------------------------

    def canSave(self, parameterNode: Any) -> tuple[bool, str]:
        """Whether there is a plan to save; else why not."""

    def savePlan(self, parameterNode: Any, path: str | PathLike[str]) -> None:
        """Write plan.json."""

    def loadPlan(self, parameterNode: Any, path: str | PathLike[str]) -> CasePlan:
        """Read plan.json, draw it and edit on. Raises ``InputError``."""

    def exportReport(self, parameterNode: Any, path: str | PathLike[str]) -> Path:
        """Write the report (HTML)."""

    def screenshots(self, parameterNode: Any, folder: str | PathLike[str], prefix: str = "plan") -> list[Path]:
        """Write a PNG of each slice and 3D view shown. Application only: raises ``InputError`` without views."""

    def saveScene(self, path: str | PathLike[str]) -> Path:
        """Write the whole scene as ``.mrb``."""

    # ---- End --------------------------------------------------------------------------------------------------

    def cleanup(self) -> None:
        """Remove every observer and listener, restore the views. The scene keeps its nodes."""
