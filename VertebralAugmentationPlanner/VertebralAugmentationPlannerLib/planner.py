"""The road from images to a plan: one call a stage, nothing reaches back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any


from . import __version__
from .access import WARNING_CODES as ACCESS_CODES
from .access import plan_access, refused_access
from .anatomy import build_spine
from .augmentation import WARNING_CODES as AUGMENTATION_CODES
from .augmentation import plan_augmentation
from .case import load_case, recorded_path, requested_levels
from .measurement import MeasuredLevel, lower_side_of, measure_spine
from .model import (
    SCHEMA,
    Case,
    CasePlan,
    FramePlan,
    InputError,
    LevelPlan,
    PedicleMeasurement,
    Pedicles,
    PlanningCancelled,
    PlanOptions,
    PlanWarning,
    Software,
    Spine,
    Vertebra,
)
from .model.plan import to_point
from .model.serialisation import rounded, to_plain
from .model.warning_codes import (
    FILLING_CHANGED,
    FRACTURED_LEVEL_NOT_PLANNED,
    LEVEL_NOT_FRACTURED,
    NO_FRACTURED_LEVEL,
    TWO_VERTEBRAE,
)

Progress = Callable[[float, str], None]
ShouldCancel = Callable[[], bool]

SOFTWARE = "VertebralAugmentationPlanner"

CHOICE_CODES = frozenset({LEVEL_NOT_FRACTURED, FRACTURED_LEVEL_NOT_PLANNED, NO_FRACTURED_LEVEL})
"""Codes of warnings about which levels were planned; each run of :func:`plan_levels` says them anew."""

GRADE_SOURCE = "Genant grade 0 below 20 % height loss [V: QIMS 2019, doi 10.21037/qims.2019.02.04]"

NOT_ONE_VERTEBRA = "Its label seems to hold more than one vertebra; nothing is planned until the labels are checked."

READ_SHARE, ANATOMY_SHARE, MEASURE_SHARE = 0.15, 0.55, 0.65
"""Where reading, anatomy and measuring end on a progress bar; rough shares of a five-level case."""


def plan_case(
    ct: Any,
    segmentation: Any,
    options: PlanOptions | None = None,
    canal: Any = None,
    progress: Progress | None = None,
    should_cancel: ShouldCancel | None = None,
) -> CasePlan:
    """The road from images that are no MRML nodes; arguments, result and errors are those of :func:`.entry.plan_case`."""
    options = options or PlanOptions()
    if progress is not None:
        progress(0.0, "reading the images")
    case = load_case(ct, segmentation, options, canal)
    return plan_loaded_case(case, options, None, _part(progress, READ_SHARE, 1.0), should_cancel)


def plan_loaded_case(
    case: Case,
    options: PlanOptions,
    spine: Spine | None = None,
    progress: Progress | None = None,
    should_cancel: ShouldCancel | None = None,
) -> CasePlan:
    """Plan a case that has been read; ``spine`` where its anatomy has been built already. See :func:`plan_case`."""
    _check_names(case, options)
    if spine is None:
        spine = build_spine(case, None, _part(progress, 0.0, ANATOMY_SHARE), should_cancel)
    if progress is not None:
        progress(ANATOMY_SHARE, "measuring")
    measured = measured_plan(case, spine, options)
    return plan_levels(measured, case, spine, options, _part(progress, MEASURE_SHARE, 1.0), should_cancel)


def measured_plan(case: Case, spine: Spine, options: PlanOptions) -> CasePlan:
    """Every level measured, none planned: ``approach`` is None throughout.

    Raises:
        InputError: no vertebra is whole.
    """
    if not spine.complete():
        cut = "; ".join(f"{level}: {vertebra.incomplete_reason}" for level, vertebra in spine.vertebrae.items())
        raise InputError(f"No vertebra is whole, so nothing can be measured ({cut}).")
    measured = measure_spine(spine, case, options)
    plan = CasePlan(
        schema=SCHEMA,
        software=Software(SOFTWARE, __version__),
        inputs=case.inputs,
        coordinate_system="RAS",
        options=recorded_options(options),
        levels=tuple(_measured_level(vertebra, measured.get(level)) for level, vertebra in spine.vertebrae.items()),
        warnings=(*case.warnings, *spine.notes),
    )
    return rounded(plan)


def plan_levels(
    plan: CasePlan,
    case: Case,
    spine: Spine,
    options: PlanOptions,
    progress: Progress | None = None,
    should_cancel: ShouldCancel | None = None,
) -> CasePlan:
    """Add needles, balloons and cement of ``options.levels`` to a measured plan; other levels stay as they are."""
    asked, named = asked_levels(plan, options), _are_named(options)
    levels = []
    for level in plan.levels:
        if level.level in asked:
            if should_cancel is not None and should_cancel():
                raise PlanningCancelled
            if progress is not None:
                progress(asked.index(level.level) / len(asked), f"planning {level.level}")
            level = _planned_level(level, case, spine, options)
            if should_cancel is not None and should_cancel():  # what was cancelled meanwhile is not taken
                raise PlanningCancelled
            if named:
                level = replace(level, warnings=(*_not_fractured(level), *level.warnings))
        levels.append(level)
    kept = tuple(warning for warning in plan.warnings if warning.code not in CHOICE_CODES)
    planned = replace(plan, options=recorded_options(options), levels=tuple(levels), warnings=kept)
    about = _left_out(planned) if named else () if asked else (_nothing_fractured(plan),)
    if progress is not None:
        progress(1.0, "planned")
    return rounded(replace(planned, warnings=(*kept, *about)))


def recorded_options(options: PlanOptions) -> dict[str, Any]:
    """What a plan keeps of its options: all of them, but of an absolute path the file's name alone, as of the images."""
    catalog = None if options.catalog is None else recorded_path(options.catalog)
    kept: dict[str, Any] = to_plain(replace(options, labels=recorded_path(options.labels), catalog=catalog))
    return kept


def plan_level_augmentation(
    level: LevelPlan,
    spine: Spine,
    options: PlanOptions,
    volumes_ml: Mapping[str, float] | None = None,
) -> LevelPlan:
    """Balloons, cement and prediction of a level for its needles as they are.

    Args:
        level: with trajectories; its earlier augmentation is replaced.
        volumes_ml: by side, the most a balloon shall be inflated to.
    """
    bare = tuple(replace(needle, balloon=None, cement_ml=None, bone_fillers=None) for needle in level.trajectories)
    augmented = plan_augmentation(
        spine.vertebrae[level.level], level.measurements, bare, options, volumes_ml, level.skipped_sides
    )
    # What an earlier augmentation warned of goes with it.
    kept = _without(level, AUGMENTATION_CODES | {FILLING_CHANGED})
    return rounded(
        replace(
            level,
            trajectories=augmented.trajectories,
            cement=augmented.cement,
            predicted=augmented.predicted,
            warnings=(*kept, *augmented.warnings),
        )
    )


def _check_names(case: Case, options: PlanOptions) -> None:
    missing = [name for name in requested_levels(options, case.level_values) or () if name not in case.level_values]
    if missing:
        present = ", ".join(case.level_values)
        raise InputError(f"{' and '.join(missing)} cannot be planned: the labels hold {present}.")


def asked_levels(plan: CasePlan, options: PlanOptions) -> tuple[str, ...]:
    """Levels to plan, in the plan's order: those named, or every whole level, or the fractured ones."""
    wanted = requested_levels(options, [level.level for level in plan.levels])
    if wanted is None:
        return tuple(level.level for level in plan.levels if level.measurements and level.measurements.genant_grade)
    named = _are_named(options)
    return tuple(level.level for level in plan.levels if level.level in wanted and (named or level.complete))


def _are_named(options: PlanOptions) -> bool:
    """Whether levels were named one by one, and not “all” or “fractured”."""
    return not (isinstance(options.levels, str) and options.levels.strip().lower() in ("all", "fractured"))


def _not_fractured(level: LevelPlan) -> tuple[PlanWarning, ...]:
    """A caution where a level that was named has kept its height: a slip in counting looks like this."""
    if level.measurements is None or level.measurements.genant_grade != 0:
        return ()
    lower = lower_side_of(level.measurements)
    found = "no fracture by height" if lower is None else f"no fracture by height in the midline, but is {lower}"
    text = (
        f"{level.level} was named and has {found}: is it the right level? A fresh fracture that has kept its "
        "height shows in MRI alone."
    )
    return (PlanWarning(LEVEL_NOT_FRACTURED, "caution", text, GRADE_SOURCE),)


def _left_out(plan: CasePlan) -> tuple[PlanWarning, ...]:
    """A caution where levels were named and fractured ones are not among all that are planned by now."""
    left = [
        f"{level.level} (grade {level.measurements.genant_grade})"
        for level in plan.levels
        if level.approach is None and level.measurements is not None and level.measurements.genant_grade
    ]
    if not left:
        return ()
    planned = ", ".join(level.level for level in plan.levels if level.approach is not None)
    text = f"Fractured by height but not planned: {', '.join(left)}. Planned: {planned}."
    return (PlanWarning(FRACTURED_LEVEL_NOT_PLANNED, "caution", text, GRADE_SOURCE),)


def _nothing_fractured(plan: CasePlan) -> PlanWarning:
    """That no level was planned. Levels that are lower on one side are named, as a caution: no grade tells of them."""
    whole = ", ".join(level.level for level in plan.levels if level.complete)
    lower = {level.level: lower_side_of(level.measurements) for level in plan.levels}
    named = [f"{level} is {found}" for level, found in lower.items() if found is not None]
    but = f"but {' and '.join(named)}: " if named else ""
    which = "it" if len(named) == 1 else "a level"
    return PlanWarning(
        NO_FRACTURED_LEVEL,
        "caution" if named else "info",
        f"No level is fractured by height ({whole} were measured), so none was planned; {but}name {which} to plan it.",
        GRADE_SOURCE,
    )


def _measured_level(vertebra: Vertebra, measured: MeasuredLevel | None) -> LevelPlan:
    warnings = list(vertebra.notes)
    if not vertebra.complete:
        warnings.append(
            PlanWarning(
                "incomplete",
                "info",
                f"{vertebra.level} is incomplete and was not measured: {vertebra.incomplete_reason}.",
                "[D] a vertebra cut by the image border is never measured as if whole",
            )
        )
    warnings += [
        PlanWarning.of_level(vertebra.level, "pedicle_not_found", "info", f"no {side} pedicle: {reason}.", "label map")
        for side, reason in vertebra.pedicle_reasons.items()
    ]
    if measured is not None:
        warnings += measured.warnings
    return LevelPlan(
        level=vertebra.level,
        complete=vertebra.complete,
        frame=frame_plan(vertebra),
        measurements=measured.measurements if measured is not None else None,
        pedicles=Pedicles(_pedicle(vertebra, "left"), _pedicle(vertebra, "right")),
        approach=None,
        approach_reason=None,
        trajectories=(),
        skipped_sides={},
        cement=None,
        predicted=None,
        warnings=tuple(warnings),
    )


def _planned_level(level: LevelPlan, case: Case, spine: Spine, options: PlanOptions) -> LevelPlan:
    if any(warning.code == TWO_VERTEBRAE for warning in level.warnings):
        access = refused_access(level.level, options, NOT_ONE_VERTEBRA)
    else:
        access = plan_access(spine.vertebrae[level.level], case, level.measurements, options)
    with_access = replace(
        level,
        approach=access.approach,
        approach_reason=access.approach_reason,
        trajectories=access.trajectories,
        skipped_sides=dict(access.skipped_sides),
        cement=None,
        predicted=None,
        warnings=(
            *_without(level, ACCESS_CODES | AUGMENTATION_CODES | CHOICE_CODES | {FILLING_CHANGED}),
            *access.warnings,
        ),
    )
    if not access.trajectories:
        return with_access
    return plan_level_augmentation(with_access, spine, options)


def _without(level: LevelPlan, codes: frozenset[str]) -> tuple[PlanWarning, ...]:
    return tuple(warning for warning in level.warnings if warning.code not in codes)


def frame_plan(vertebra: Vertebra) -> FramePlan | None:
    """The frame of a vertebra as a plan has it; None where it has none."""
    frame = vertebra.frame
    if frame is None:
        return None
    return FramePlan(
        to_point(frame.origin_ras), to_point(frame.right), to_point(frame.anterior), to_point(frame.superior)
    )


def _pedicle(vertebra: Vertebra, side: str) -> PedicleMeasurement | None:
    pedicle, frame = vertebra.pedicles.get(side), vertebra.frame
    if pedicle is None or frame is None:
        return None
    return PedicleMeasurement(
        isthmus_width_mm=pedicle.isthmus_width_mm,
        isthmus_height_mm=pedicle.isthmus_height_mm,
        centre_ras=to_point(frame.to_ras(pedicle.centre)),
        axis=to_point(frame.direction_to_ras(pedicle.axis)),
        outline_ras=tuple(to_point(point) for point in frame.to_ras(pedicle.outline)),
    )


def _part(progress: Progress | None, start: float, end: float) -> Progress | None:
    if progress is None:
        return None
    return lambda fraction, text: progress(start + (end - start) * fraction, text)
