"""The stages of the road as the scene calls them, one method each. Tests may hand in another engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..access import PathEvaluator, reevaluate
from ..anatomy import build_spine
from ..case import load_case
from ..case.numbering import VERSE
from ..measurement import measurements_with_points
from ..model import CANNULAS, Case, CasePlan, Image, InputError, LevelPlan, PlanOptions, Spine, Trajectory, Vertebra
from ..report import write_report

Progress = Callable[[float, str], None]
ShouldCancel = Callable[[], bool]


class Engine:
    """The planning engine. Every method takes and returns plain data in world RAS, mm."""

    def __init__(self) -> None:
        self._evaluators: list[tuple[Vertebra, PathEvaluator]] = []

    def loadCase(
        self, ct: Image | None, labels: Image, canal: Image | None, canalIsCord: bool, options: PlanOptions
    ) -> Case:
        """A checked case. ``labels`` carry VerSe's numbers. Raises ``InputError``."""
        return load_case(ct, labels, options, canal, numbering=VERSE, canal_is_cord=canalIsCord)

    def buildSpine(self, case: Case, progress: Progress | None, shouldCancel: ShouldCancel | None) -> Spine:
        """The anatomy of every whole vertebra."""
        return build_spine(case, None, progress, shouldCancel)

    def planFiles(
        self,
        ct: Any,
        segmentation: Any,
        options: PlanOptions,
        progress: Progress | None,
        shouldCancel: ShouldCancel | None,
    ) -> CasePlan:
        """The whole road, from files, arrays or images."""
        from ..planner import plan_case

        return plan_case(ct, segmentation, options, progress=progress, should_cancel=shouldCancel)

    def planCase(
        self, case: Case, options: PlanOptions, progress: Progress | None, shouldCancel: ShouldCancel | None
    ) -> CasePlan:
        """The whole road, from a case."""
        from ..planner import plan_loaded_case

        return plan_loaded_case(case, options, progress=progress, should_cancel=shouldCancel)

    def measuredPlan(self, case: Case, spine: Spine, options: PlanOptions) -> CasePlan:
        """Every level measured, none planned."""
        from ..planner import measured_plan

        return measured_plan(case, spine, options)

    def planLevels(
        self,
        plan: CasePlan,
        case: Case,
        spine: Spine,
        options: PlanOptions,
        progress: Progress | None,
        shouldCancel: ShouldCancel | None,
    ) -> CasePlan:
        """A measured plan with the needles, balloons and cement of ``options.levels``; other levels stay as they are."""
        from ..planner import plan_levels

        return plan_levels(plan, case, spine, options, progress=progress, should_cancel=shouldCancel)

    def augment(self, level: LevelPlan, case: Case, spine: Spine, options: PlanOptions) -> LevelPlan:
        """Balloons, cement and prediction of a level for its needles as they are."""
        from ..planner import plan_level_augmentation

        return plan_level_augmentation(level, case, spine, options)

    def inflate(
        self, level: LevelPlan, case: Case, spine: Spine, side: str, volumeMl: float, options: PlanOptions
    ) -> LevelPlan:
        """One balloon inflated to at most a volume, and the cement that follows from it."""
        from ..planner import plan_level_augmentation

        return plan_level_augmentation(level, case, spine, options, volumes_ml={side: volumeMl})

    def reevaluate(
        self,
        vertebra: Vertebra,
        case: Case,
        side: str,
        entry: NDArray[np.floating],
        target: NDArray[np.floating],
        cannula: str,
        options: PlanOptions,
    ) -> Trajectory:
        """A moved needle, judged; a few milliseconds."""
        return reevaluate(
            vertebra, case, side, entry, target, CANNULAS[cannula], options, self._evaluator(vertebra, side)
        )

    def _evaluator(self, vertebra: Vertebra, side: str) -> PathEvaluator:
        """The walls of one side, kept from drag to drag: making them takes longer than asking them."""
        for kept, evaluator in self._evaluators:
            if kept is vertebra and evaluator.side == side:
                return evaluator
        evaluator = PathEvaluator(vertebra, side)
        self._evaluators = [*self._evaluators[-1:], (vertebra, evaluator)]
        return evaluator

    def remeasure(self, level: LevelPlan, place: str, ends: NDArray[np.floating]) -> LevelPlan:
        """A level after the ends of one of its height lines were moved."""
        if level.measurements is None or level.frame is None:
            raise InputError(f"{level.level} has no measurements to edit; measure it first.")
        upper, lower = (tuple(float(value) for value in end) for end in ends)
        edited = measurements_with_points(level.measurements, {place: (upper, lower)}, np.array(level.frame.right))  # type: ignore[dict-item]
        return replace(level, measurements=edited.measurements)

    def balloons(self, options: PlanOptions) -> list[Any]:
        """The balloons of the catalogue, the user's own included."""
        from ..augmentation import load_catalog

        return list(load_catalog(options.catalog))

    def writeReport(self, plan: CasePlan, case: Case | None, spine: Spine | None, path: Path) -> Path:
        """Write the report; with case and spine it has pictures."""
        write_report(plan, path, case, spine)
        return path
