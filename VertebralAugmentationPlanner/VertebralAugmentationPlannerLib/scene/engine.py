"""The stages of the road as the scene calls them, one method each. Tests may hand in another engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import planner
from ..access import PathEvaluator, mark_moved, mark_unjudged, path_warnings, reevaluate, safety_sentence, unjudged
from ..anatomy import build_spine
from ..augmentation import WARNING_CODES as AUGMENTATION_CODES
from ..augmentation import load_catalog, set_by_hand
from ..case import load_case, requested_levels
from ..case.numbering import VERSE
from ..imaging import Fluoroscope, body_centre_ras
from ..measurement import measured_points, measurements_with_points, with_neighbours_told
from ..model import (
    CANNULAS,
    Case,
    CasePlan,
    Image,
    InputError,
    LevelPlan,
    PlanOptions,
    PlanWarning,
    Spine,
    Trajectory,
    Vertebra,
)
from ..model.warning_codes import LINES_MOVED, NEEDLE_MOVED
from ..report import write_report
from .edits import with_trajectory, without_fillings
from .judging import SEVERITY, judged_anew, without_path
from .motion import Motion, carried

OWN_CODES = frozenset({"no_augmentation"})
"""Codes of warnings that only the scene gives; the planner takes away its own."""

Progress = Callable[[float, str], None]
ShouldCancel = Callable[[], bool]

LEAST_HEIGHT_MM = 1.0
"""An edited height has its upper end this far above the lower one: the flattest body keeps some millimetres. [D]"""


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
        return planner.plan_case(ct, segmentation, options, progress=progress, should_cancel=shouldCancel)

    def planCase(
        self, case: Case, options: PlanOptions, progress: Progress | None, shouldCancel: ShouldCancel | None
    ) -> CasePlan:
        """The whole road, from a case."""
        return planner.plan_loaded_case(case, options, progress=progress, should_cancel=shouldCancel)

    def measuredPlan(self, case: Case, spine: Spine, options: PlanOptions) -> CasePlan:
        """Every level measured, none planned."""
        return planner.measured_plan(case, spine, options)

    def planLevels(
        self,
        plan: CasePlan,
        case: Case,
        spine: Spine,
        options: PlanOptions,
        progress: Progress | None,
        shouldCancel: ShouldCancel | None,
    ) -> CasePlan:
        """A measured plan with needles, balloons and cement of ``options.levels``; other levels stay as they are.

        Raises:
            InputError: a level that was named is not whole in the scan.
            PlanningCancelled: ``shouldCancel`` answered true between two levels.
        """
        named = requested_levels(options, [level.level for level in plan.levels if level.complete]) or ()
        whole = [level.level for level in plan.levels if level.complete]
        missing = [name for name in named if name not in whole]
        if missing:
            raise InputError(f"{missing[0]} is not whole in the scan or not labelled; choose among {', '.join(whole)}.")
        fresh = tuple(_without_warnings(level, OWN_CODES) for level in plan.levels)
        planned = planner.plan_levels(replace(plan, levels=fresh), case, spine, options, progress, shouldCancel)
        # A level that was not asked for comes back as it went in, but without what an earlier run said of it.
        levels = tuple(
            old if new == clean else new for old, clean, new in zip(plan.levels, fresh, planned.levels, strict=True)
        )
        return replace(planned, levels=levels)

    def askedLevels(self, plan: CasePlan, options: PlanOptions) -> tuple[str, ...]:
        """The levels that :meth:`planLevels` plans."""
        return planner.asked_levels(plan, options)

    def augment(
        self,
        level: LevelPlan,
        spine: Spine,
        options: PlanOptions,
        volumesMl: dict[str, float] | None = None,
    ) -> LevelPlan:
        """Balloons, cement and prediction of a level for its needles as they are."""
        if not level.trajectories:
            return replace(_without_warnings(level, AUGMENTATION_CODES | OWN_CODES), cement=None, predicted=None)
        return planner.plan_level_augmentation(_without_warnings(level, OWN_CODES), spine, options, volumesMl)

    def setByHand(self, level: LevelPlan, spine: Spine, options: PlanOptions) -> dict[str, float]:
        """Volumes, ml by side, of the level's balloons that hold less than they could where they lie."""
        if not any(needle.balloon for needle in level.trajectories):
            return {}
        return set_by_hand(spine.vertebrae[level.level], level, load_catalog(options.catalog))

    def inflate(self, level: LevelPlan, spine: Spine, side: str, volumeMl: float, options: PlanOptions) -> LevelPlan:
        """One balloon inflated to at most a volume, and the cement that follows; the other balloon stays as it is."""
        volumes = {needle.side: needle.balloon.planned_volume_ml for needle in level.trajectories if needle.balloon}
        return self.augment(level, spine, options, {**volumes, side: max(0.0, volumeMl)})

    def moved(self, level: LevelPlan, needle: Trajectory, case: Case | None = None) -> LevelPlan:
        """A level with a needle that was moved by hand: what was said of the old path goes, the new one's state comes.

        With the case what lies in the new path's way comes, too; a drag that goes on does without.
        """
        message = f"the needle was moved by hand; {safety_sentence(needle)}. {needle.compromise or ''}".strip()
        warning = PlanWarning.of_needle(
            level.level, needle.side, NEEDLE_MOVED, SEVERITY[needle.safety], message, "the user's edit"
        )
        found = [] if case is None else path_warnings(level.level, case, needle)
        there = with_trajectory(without_path(level, needle.side), needle)
        moved = replace(there, warnings=(*there.warnings, warning, *found))
        whole = all(other.judged for other in moved.trajectories)
        return _without_warnings(moved, frozenset({LINES_MOVED})) if whole else moved

    def lost(self, level: LevelPlan, side: str, ends: NDArray[np.floating], why: str) -> LevelPlan:
        """A level with a needle that is dragged where it cannot be judged, with no number but those that its two points tell."""
        entry, target = (tuple(float(value) for value in end) for end in ends)
        level = without_path(level, side)
        there = replace(level.trajectory(side), entry_ras=entry, target_ras=target, balloon=None, cement_ml=None)
        return with_trajectory(level, unjudged(level.frame, replace(there, bone_fillers=None), why))

    def foundElsewhere(self, level: LevelPlan, side: str, ends: NDArray[np.floating]) -> LevelPlan:
        """A level with a needle that was moved while nobody judged it: a breach until it is moved or planned again."""
        entry, target = (tuple(float(value) for value in end) for end in ends)
        level = mark_moved(without_path(level, side), side, entry, target)  # type: ignore[arg-type]
        text = f"the {side} needle was moved while the plan was not open; plan balloon and cement again."
        return _unfilled(level, text)

    def movedTogether(
        self, level: LevelPlan, motion: Motion, how: str = "while the plan was not open", remedy: str = ""
    ) -> LevelPlan:
        """A level all of whose lines were moved as one while nobody followed them, as by a transform of the whole scene.

        Its vertebra is taken to have moved along: heights and angles stay as they were measured, in a frame that lies where the
        lines are. Whether the bone did move along only the images tell, so its needles are not judged there.

        Args:
            how: the end of “… were moved together by 9 mm”.
            remedy: what else may be done than to plan again, as “move it back, or ”.
        """
        name = level.level
        text = f"all lines of {name} were moved together {motion.words} {how}"
        level = carried(level, motion)
        if not level.trajectories:
            text = f"{text}; heights and angles stay as they were measured."
            return _with_warning(level, PlanWarning.of_level(name, LINES_MOVED, "info", text, "the user's edit"))
        text += f", so no needle is judged there; {remedy}plan {name} again."
        for needle in level.trajectories:
            level = with_trajectory(without_path(level, needle.side), unjudged(level.frame, needle, text))
        told = PlanWarning.of_level(name, LINES_MOVED, "stop", text, "the user's edit")
        return without_fillings(_without_warnings(level, AUGMENTATION_CODES | OWN_CODES), told)

    def judgedAnew(self, level: LevelPlan, case: Case, spine: Spine, options: PlanOptions, differs: str) -> LevelPlan:
        """A level that was planned in another anatomy, its needles judged where they lie in this one."""
        return judged_anew(self, level, case, spine, options, differs)

    def markUnjudged(self, plan: CasePlan) -> CasePlan:
        """A plan from a file, its needles that were edited there and not judged since as breaches, without balloon and cement."""
        levels = []
        for level in mark_unjudged(plan).levels:
            sides = " and ".join(needle.side for needle in level.trajectories if not needle.judged)
            text = f"a needle ({sides}) was edited in the file; plan balloon and cement again."
            levels.append(_unfilled(level, text) if sides else level)
        return replace(plan, levels=tuple(levels))

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

    def remeasure(
        self, level: LevelPlan, place: str, ends: NDArray[np.floating], spine: Spine | None = None
    ) -> LevelPlan:
        """A level after the ends of one of its height lines were moved. What was expected of its old heights goes.

        With the anatomy heights that are back where they were measured are told from edited ones.

        Raises:
            InputError: there is nothing to edit, or the line's upper end is not above its lower one.
        """
        if level.measurements is None or level.frame is None:
            raise InputError(f"{level.level} has no measurements to edit; measure it first.")
        if float(np.subtract(*ends) @ np.array(level.frame.superior)) < LEAST_HEIGHT_MM:
            raise InputError(f"its upper end must lie at least {LEAST_HEIGHT_MM:.0f} mm above the lower one.")
        upper, lower = (tuple(float(value) for value in end) for end in ends)
        edited = measurements_with_points(level.measurements, {place: (upper, lower)}, np.array(level.frame.right))  # type: ignore[dict-item]
        # A height that was dragged may make a fracture of what was planned as none.
        gone = frozenset({planner.LEVEL_NOT_FRACTURED}) if edited.measurements.genant_grade else frozenset()
        as_measured = None if spine is None else measured_points(spine.vertebrae[level.level])
        warnings = edited.warnings(_without_warnings(level, gone).warnings, as_measured)
        if level.predicted is not None:
            text = "the heights were edited by hand; what inflation restores is planned again from them."
            warnings = (*warnings, PlanWarning.of_level(level.level, "no_prediction", "info", text, "the user's edit"))
        return replace(level, measurements=edited.measurements, predicted=None, warnings=warnings)

    def tellNeighbours(self, plan: CasePlan) -> CasePlan:
        """The plan with a caution on levels whose losses or angles rest on heights as they were before an edit."""
        return with_neighbours_told(plan)

    def balloons(self, options: PlanOptions) -> list[Any]:
        """The balloons of the catalogue, the user's own included."""
        return list(load_catalog(options.catalog))

    def writeReport(
        self,
        plan: CasePlan,
        case: Case | None,
        spine: Spine | None,
        path: Path,
        progress: Progress | None = None,
        shouldCancel: ShouldCancel | None = None,
    ) -> Path:
        """Write the report; with case and spine it has pictures. Cancelled, nothing is written."""
        write_report(plan, path, case, spine, progress=progress, should_cancel=shouldCancel)
        return path

    def fluoroscope(self, case: Case, vertebra: Vertebra) -> Fluoroscope:
        """The CT around a level under the C-arm. Raises ``InputError`` without a CT."""
        return Fluoroscope(case.ct, body_centre_ras(vertebra))


def _unfilled(level: LevelPlan, why: str) -> LevelPlan:
    """A level without balloons and cement, which were those of a needle's old place; as it is where it has none."""
    if not any(needle.cement_ml is not None or needle.balloon is not None for needle in level.trajectories):
        return level
    told = PlanWarning.of_level(level.level, "no_augmentation", "caution", why, "the user's edit")
    return without_fillings(_without_warnings(level, AUGMENTATION_CODES), told)


def _with_warning(level: LevelPlan, warning: PlanWarning) -> LevelPlan:
    """A level with one warning more, in place of an older one of its code."""
    return replace(level, warnings=(*_without_warnings(level, frozenset({warning.code})).warnings, warning))


def _without_warnings(level: LevelPlan, codes: frozenset[str]) -> LevelPlan:
    return replace(level, warnings=tuple(warning for warning in level.warnings if warning.code not in codes))
