"""A logic that plans nothing: a hand-made plan, and a record of what the panel asked for."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[1] / "report"))
from plans import case_plan  # noqa: E402 - the hand-made plan of the report's tests
from VertebralAugmentationPlannerLib.model import (  # noqa: E402
    LEVELS,
    BalloonPlan,
    CasePlan,
    InputError,
    LevelPlan,
    PlanningCancelled,
    Trajectory,
    parse_level,
)
from VertebralAugmentationPlannerLib.report import compare_plans  # noqa: E402
from VertebralAugmentationPlannerLib.scene.fluoroscopy import (  # noqa: E402
    FluoroscopyFrame,
    FluoroscopyView,
    NeedleDepths,
)


@dataclass(frozen=True)
class Row:
    key: str
    name: str
    suggested: str
    level: str
    color: tuple[float, float, float] = (0.9, 0.8, 0.6)
    centre_ras: tuple[float, float, float] | None = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Change:
    kind: str
    level: str | None = None
    side: str | None = None
    message: str = ""


class FakeLogic:
    """The methods of ``PlannerLogic`` that the panel calls."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.listeners: list[Any] = []
        self.rows: list[Row] = []
        self.casePlan: CasePlan | None = None
        self.segmentation: Any = None
        self.unreadable: str | None = None
        self.refuse: str | Exception | None = None
        self.needleViews, self.outdated, self.depth = False, False, 0.0
        self.viewed: tuple[str, str] | None = None
        self.undos = 0
        self.moved: list[str] = []
        self.simulated = ""
        self.target_mm = 42.6
        self.nodes: list[Any] = []
        self.others: dict[Any, CasePlan] = {}

    def told(self, name: str) -> list[tuple[Any, ...]]:
        return [call[1:] for call in self.calls if call[0] == name]

    def _note(self, *call: Any) -> None:
        self.calls.append(call)
        if isinstance(self.refuse, Exception):
            raise self.refuse
        if self.refuse:
            raise InputError(self.refuse)

    def tell(self, node: Any, kind: str, level: str | None = None, side: str | None = None, message: str = "") -> None:
        for listener in list(self.listeners):
            listener(node, Change(kind, level, side, message))

    def addListener(self, callback: Any) -> None:
        self.listeners.append(callback)

    def removeListener(self, callback: Any) -> None:
        self.listeners.remove(callback)

    # images

    def setInputs(self, node: Any, ct: Any, segmentation: Any) -> None:
        self._note("setInputs", ct, segmentation)
        node.ct, node.segmentation = ct, segmentation
        names = ("T11", "T12", "L1", "L2", "L3")
        self.rows = [Row(name, f"vertebrae_{name}", name, name) for name in names] if segmentation else []

    def segmentTable(self, node: Any) -> list[Row]:
        return list(self.rows)

    def setLevel(self, node: Any, key: str, level: str) -> None:
        self._note("setLevel", key, level)
        self.rows = [
            replace(row, level=parse_level(level) if level else "") if row.key == key else row for row in self.rows
        ]

    def shiftLevels(self, node: Any, step: int) -> None:
        self._note("shiftLevels", step)
        order = [name for name in LEVELS if name != "T13"]
        self.rows = [replace(row, level=order[order.index(row.level) + step]) for row in self.rows]

    def resetLevels(self, node: Any) -> None:
        self._note("resetLevels")
        self.rows = [replace(row, level=row.suggested) for row in self.rows]

    def checkInputs(self, node: Any) -> tuple[bool, str]:
        return (True, "") if self.rows else (False, "Choose a segmentation.")

    def showLevelNames(self, node: Any, visible: bool) -> None:
        self._note("showLevelNames", visible)

    # steps

    def canMeasure(self, node: Any) -> tuple[bool, str]:
        return self.checkInputs(node)

    def measure(self, node: Any, progress: Any, shouldCancel: Any) -> CasePlan:
        self._note("measure")
        progress(0.5, "half way")
        plan = case_plan()
        levels = tuple(
            replace(
                level,
                approach=None,
                approach_reason=None,
                trajectories=(),
                skipped_sides={},
                cement=None,
                predicted=None,
            )
            for level in plan.levels
        )
        self.casePlan = replace(plan, levels=levels)
        return self.casePlan

    def unreadablePlan(self, node: Any) -> str | None:
        return self.unreadable

    def isOutdated(self, node: Any) -> bool:
        return self.outdated

    def inputState(self, node: Any) -> Any:
        return (node.ct, node.segmentation)

    def isReady(self, node: Any) -> bool:
        return True

    def canPlan(self, node: Any, level: str) -> tuple[bool, str]:
        if self.outdated:
            return False, "Measure again."
        return (True, "") if self.casePlan else (False, "Measure first.")

    def planLevel(
        self, node: Any, level: str, progress: Any = None, shouldCancel: Any = None, **options: Any
    ) -> LevelPlan:
        self._note("planLevel", level)
        self._replace(case_plan().level(level))
        return self.casePlan.level(level)

    def levelsMovedByHand(self, parameterNode: Any, levels: Any) -> list[str]:
        return [level for level in self.moved if levels == "fractured" or level in levels]

    def planLevels(
        self, node: Any, levels: Any, progress: Any = None, shouldCancel: Any = None, **options: Any
    ) -> CasePlan:
        self._note("planLevels", levels)
        self.casePlan = case_plan()
        return self.casePlan

    def _replace(self, level: LevelPlan) -> None:
        levels = tuple(level if old.level == level.level else old for old in self.casePlan.levels)
        self.casePlan = replace(self.casePlan, levels=levels)

    def replaceNeedle(self, level: str, side: str, **changes: Any) -> None:
        """What a drag does to the plan."""
        old = self.casePlan.level(level)
        needles = tuple(replace(n, **changes) if n.side == side else n for n in old.trajectories)
        self._replace(replace(old, trajectories=needles))

    def canInflate(self, node: Any, level: str) -> tuple[bool, str]:
        return True, ""

    def balloonCatalog(self) -> list[Any]:
        return [SimpleNamespace(name=name) for name in ("10/3", "15/3", "20/3")]

    def planAugmentation(
        self, node: Any, level: str, balloon: Any = None, targetFill: Any = None, keepVolumes: bool = False
    ) -> LevelPlan:
        self._note("planAugmentation", level, balloon, targetFill, keepVolumes)
        return self.casePlan.level(level)

    def inflationRange(self, node: Any, level: str, side: str) -> tuple[float, float]:
        return 0.0, 4.0

    def inflate(self, node: Any, level: str, side: str, volume: float) -> BalloonPlan:
        self._note("inflate", level, side, volume)
        balloon = replace(
            self.casePlan.level(level).trajectory(side).balloon, planned_volume_ml=volume, stopped_by="cortex"
        )
        self.replaceNeedle(level, side, balloon=balloon)
        return balloon

    def currentPlan(self, node: Any) -> CasePlan | None:
        return self.others.get(node, self.casePlan) if node in self.nodes else self.casePlan

    def showLevel(self, node: Any, level: str) -> None:
        self._note("showLevel", level)

    def needle(self, node: Any, level: str, side: str) -> Trajectory | None:
        if not self.casePlan:
            return None
        return next((n for n in self.casePlan.level(level).trajectories if n.side == side), None)

    def undo(self, node: Any) -> bool:
        self._note("undo")
        self.undos -= 1
        return True

    def redo(self, node: Any) -> bool:
        self._note("redo")
        return True

    def canUndo(self, node: Any) -> bool:
        return self.undos > 0

    def canRedo(self, node: Any) -> bool:
        return False

    # views and files

    def needleDepthRange(self, node: Any, level: str, side: str) -> tuple[float, float]:
        return -52.0, 38.0

    def showNeedleViews(self, node: Any, level: str, side: str, depthMm: float | None = None) -> None:
        self._note("showNeedleViews", level, side)
        self.needleViews, self.viewed, self.depth = True, (level, side), 38.0

    def followNeedleViews(self, node: Any, level: str, side: str) -> None:
        self._note("followNeedleViews", level, side)
        if self.needle(node, level, side) is None:
            self.needleViews, self.viewed = False, None
        else:
            self.viewed, self.depth = (level, side), 38.0

    def viewedNeedle(self, node: Any) -> tuple[str, str] | None:
        return self.viewed

    def setNeedleDepth(self, node: Any, depthMm: float) -> None:
        self._note("setNeedleDepth", depthMm)
        self.depth = depthMm

    def needleDepth(self) -> float:
        return self.depth

    def needleViewsShown(self) -> bool:
        return self.needleViews

    def restoreViews(self) -> None:
        self._note("restoreViews")
        self.needleViews, self.viewed = False, None

    def canSave(self, node: Any) -> tuple[bool, str]:
        return (True, "") if self.casePlan else (False, "Nothing is planned yet.")

    def savePlan(self, node: Any, path: str) -> None:
        self._note("savePlan", path)
        self.casePlan.save(path)

    def loadPlan(self, node: Any, path: str) -> CasePlan:
        self._note("loadPlan", path)
        self.casePlan = CasePlan.load(path)
        return self.casePlan

    def exportReport(self, node: Any, path: str, progress: Any, shouldCancel: Any) -> Path:
        self._note("exportReport", path)
        for picture in range(3):
            if shouldCancel():
                raise PlanningCancelled
            progress(picture / 3, f"drawing picture {picture}")
        return Path(path)

    # fluoroscopy

    def canSimulate(self, node: Any, level: str) -> tuple[bool, str]:
        if node.segmentation is not None and node.ct is None:
            return False, "Fluoroscopy is simulated from the CT; choose one in section 1."
        return (True, "") if self.casePlan else (False, "Measure the levels first.")

    def setUpFluoroscopy(self, node: Any, level: str, progress: Any, shouldCancel: Any) -> None:
        self._note("setUpFluoroscopy", level)
        self.simulated = level

    def fluoroscopyReady(self, node: Any, level: str) -> bool:
        return bool(level) and self.simulated == level

    def fluoroscopyPreset(self, node: Any, level: str, name: str) -> tuple[float, float]:
        needle = self.needle(node, level, name)
        if needle is not None:
            return needle.carm.primary_deg, needle.carm.secondary_deg
        return {"ap": (0.0, 5.0), "lateral": (-90.0, 0.0)}[name]

    def fluoroscopyDepths(self, node: Any, level: str) -> dict[str, Any]:
        needles = self.casePlan.level(level).trajectories
        return {needle.side: NeedleDepths(-52.0, 28.3, self.target_mm) for needle in needles}

    def fluoroscopy(self, node: Any, level: str, view: FluoroscopyView) -> FluoroscopyFrame:
        self._note("fluoroscopy", view)
        pixels = np.zeros((40, 40, 3), np.uint8)
        pixels[0, :] = (255, 0, 0)
        tips = tuple(f"{side} tip at {view.depth_mm:.1f} mm" for side in view.sides)
        return FluoroscopyFrame(pixels, "L", "R", f"{view.primary_deg:.0f}°", "Prone, receptor above", tips)

    # plans of the scene

    def planNodes(self) -> list[Any]:
        return list(self.nodes)

    def planTitle(self, node: Any) -> str:
        return node.GetName()

    def newPlan(self, node: Any) -> Any:
        self._note("newPlan")
        return self.nodes[-1]

    def comparePlans(self, node: Any, other: Any, name: str = "") -> Any:
        self._note("comparePlans", other, name)
        other = other if isinstance(other, CasePlan) else self.others[other]
        return compare_plans(self.casePlan, other, "this plan", name)

    def cleanup(self) -> None:
        self._note("cleanup")


def with_images(panel: Any, a_slicer: Any) -> Any:
    """The panel with a CT and a segmentation chosen through its selectors."""
    ct = a_slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "CT")
    segmentation = a_slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Vertebrae")
    panel.ui.ctSelector.setCurrentNode(ct)
    panel.ui.segmentationSelector.setCurrentNode(segmentation)
    return panel
