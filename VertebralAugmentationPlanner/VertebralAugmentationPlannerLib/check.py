"""A plan that was edited, judged anew from its entry and target points."""

from __future__ import annotations

from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Literal

import numpy as np

from .access import path_warnings, reevaluate, safety_sentence, unlike_numbers, with_meeting_told, warnings_without_path
from .access.contradictions import contradiction
from .access.judged import MOVED, OTHER_CANNULA, differences
from .access.notices import SKIN_OUTSIDE_CT, SKIN_WITHOUT_CT
from .access.side import SHORTCOMING
from .anatomy import build_spine
from .augmentation import WARNING_CODES as AUGMENTATION_CODES
from .augmentation import catalog_of_plan
from .case import reading_warnings
from .case.again import CT_NOT_GIVEN, OTHER_CANAL, OTHER_CT, ct_not_given, other_canal, refuse_uncompleted
from .model import (
    CANNULAS,
    SIDES,
    Case,
    CasePlan,
    ImageRecord,
    InputError,
    LevelPlan,
    PlanOptions,
    PlanWarning,
    Spine,
    Trajectory,
    Vertebra,
)
from .model.serialisation import rounded
from .model.warning_codes import LINES_MOVED, NEEDLE_MOVED, NEEDLES_GONE, FILLING_CHANGED
from .planner import Progress, ShouldCancel, frame_plan, recorded_options
from .remeasured import with_measurements_told
from .refill import with_filling_again, with_tenable_filling

LEVELS_GONE, LABELS_CHANGED = "levels_gone", "other_labels"

OF_THE_CT = frozenset({"metal_on_the_way", "cement_on_the_way", SKIN_OUTSIDE_CT})
"""Codes of what only a CT tells of a needle's way."""

OTHER_LABELS = "the labels are not those the plan was judged by"
OTHER_NUMBERS = "the plan’s numbers are not those found now"


@dataclass(frozen=True)
class _Change:
    """What the numbers of a needle no longer hold for.

    Args:
        of: "needle" where it is another one than the plan judged, which is filled again; "labels" and "numbers" where it
            is the same one and is found otherwise.
        words: the same for people.
    """

    of: Literal["needle", "labels", "numbers"]
    words: str


def options_now(
    plan: CasePlan,
    labels: str | None = None,
    catalog: str | PathLike[str] | None = None,
    folder: Path | None = None,
) -> PlanOptions:
    """The options of a plan, with the numbering given now and the device catalogue where it lies now.

    Args:
        labels, catalog: given now; None for the plan's own.
        folder: of plan.json, where the catalogue may lie beside it.

    Raises:
        InputError: the options cannot be used, or the plan's catalogue is needed and not found.
    """
    options = PlanOptions.from_dict(plan.options)
    if labels is not None:
        options = replace(options, labels=labels)
    if catalog is not None:
        return replace(options, catalog=str(catalog))
    needles = [needle for level in plan.levels for needle in level.trajectories]
    needed = any(needle.balloon is not None or options.procedure == "kyphoplasty" for needle in needles)
    return replace(options, catalog=catalog_of_plan(options.catalog, folder)) if needed else options


def check_on_case(
    plan: CasePlan,
    case: Case,
    progress: Progress | None = None,
    should_cancel: ShouldCancel | None = None,
    spine: Spine | None = None,
    options: PlanOptions | None = None,
) -> CasePlan:
    """The package's ``check_plan`` on images that have been read; see there.

    Args:
        spine: of the case, where its anatomy has been built already.
        options: those of the plan, with its catalogue where it lies now.
    """
    options = options or PlanOptions.from_dict(plan.options)
    refuse_uncompleted(plan, case)
    if spine is None:
        spine = build_spine(case, None, progress, should_cancel)
    other_labels = _other_file(plan.inputs.segmentation, case.inputs.segmentation)
    if not other_labels:
        plan = with_measurements_told(plan, case, spine, options)
    no_ct = ct_not_given(plan, case)
    levels = tuple(
        with_meeting_told(_checked_level(level, case, spine, options, other_labels, no_ct is not None))
        for level in plan.levels
    )
    found = [*reading_warnings(plan, case), *_levels_gone(plan, spine)]
    if other_labels:
        changed = PlanWarning(
            LABELS_CHANGED,
            "caution",
            "The labels are not those the plan was made from; clearances are those of the labels given now.",
            "SHA-256 of the segmentation",
        )
        found.insert(0, changed)
    canal = other_canal(plan, case)
    found += [warning for warning in (canal, no_ct) if warning is not None]
    stale = {
        LEVELS_GONE,
        CT_NOT_GIVEN,
        *({LABELS_CHANGED, OTHER_CANAL, OTHER_CT} & {warning.code for warning in found}),
    }
    warnings = (*(warning for warning in plan.warnings if warning.code not in stale), *found)
    inputs = case.inputs if no_ct is None else replace(case.inputs, ct=plan.inputs.ct)
    options_kept = {**plan.options, **_paths(options)}
    return rounded(replace(plan, inputs=inputs, options=options_kept, levels=levels, warnings=warnings))


def _paths(options: PlanOptions) -> dict[str, str | None]:
    """The options that are paths, as a plan keeps them."""
    kept = recorded_options(options)
    return {name: kept[name] for name in ("labels", "catalog")}


def _other_file(before: ImageRecord, now: ImageRecord) -> bool:
    return bool(before.sha256 and now.sha256 and before.sha256 != now.sha256)


def _levels_gone(plan: CasePlan, spine: Spine) -> list[PlanWarning]:
    """A caution where levels that the plan measured are not whole in the labels given for the check."""
    there = spine.complete()
    gone = [level.level for level in plan.levels if level.complete and level.level not in there]
    if not gone:
        return []
    message = (
        f"{', '.join(gone)} of the plan {'is' if len(gone) == 1 else 'are'} not whole in the labels given now, so no "
        "clearance to it could be found; its numbers are those of the plan."
    )
    return [PlanWarning(LEVELS_GONE, "caution", message, "levels of the plan and of the labels")]


def _checked_level(
    level: LevelPlan, case: Case, spine: Spine, options: PlanOptions, other_labels: bool, ct_is_missing: bool
) -> LevelPlan:
    if not level.trajectories:
        return _without_needles(level)
    vertebra = spine.vertebrae.get(level.level)
    if vertebra is None or not vertebra.complete:
        reason = vertebra.incomplete_reason if vertebra is not None else "it is not in the labels"
        raise InputError(f"{level.level} of the plan cannot be checked: {reason}.")
    warnings = tuple(warning for warning in level.warnings if warning.code != LINES_MOVED)
    needles: list[Trajectory] = []
    planned_again = False
    for before in level.trajectories:
        anew = _checked(before, vertebra, case, options)
        now = _with_what_its_ct_told(before, anew) if ct_is_missing else anew
        what = _what_changed(level, before, now, other_labels)
        if what is not None:
            again = what.of == "needle"
            now = anew if again else now
            planned_again = planned_again or again
            stay = OF_THE_CT if ct_is_missing and not again else frozenset()
            kept = warnings_without_path(warnings, level.level, before.side, stay)
            warnings = (
                *kept,
                _judged_anew(level.level, now, what.words, again),
                *path_warnings(level.level, case, now),
            )
        warnings = _with_skin_told(warnings, level.level, case, now, ct_is_missing)
        needles.append(now)
    trajectories = tuple(needles)
    # Its angles are in the frame they were found in.
    checked = replace(level, frame=frame_plan(vertebra), trajectories=trajectories, warnings=warnings)
    approach = _approach_of(trajectories)
    if level.approach != approach:
        reason = f"The plan said {level.approach or 'nothing'} and holds {_held(trajectories)}."
        checked, planned_again = replace(checked, approach=approach, approach_reason=reason), True
    # Balloon, cement and what to do with the cannula belong to a needle where it lies.
    if planned_again:
        return with_filling_again(checked, vertebra, spine, options)
    return with_tenable_filling(checked, vertebra, spine, options)


def _approach_of(trajectories: tuple[Trajectory, ...]) -> str:
    return "bilateral" if len(trajectories) > 1 else f"unilateral-{trajectories[0].side}"


def _held(trajectories: tuple[Trajectory, ...]) -> str:
    return "needles on both sides" if len(trajectories) > 1 else f"a {trajectories[0].side} needle alone"


def _without_needles(level: LevelPlan) -> LevelPlan:
    """A level all of whose needles were taken out: nothing is left that balloon, cement and expectation could belong to."""
    if level.approach in (None, "none") and level.cement is None and level.predicted is None:
        return level
    warnings = tuple(
        warning for warning in level.warnings if warning.code not in AUGMENTATION_CODES | {FILLING_CHANGED}
    )
    for side in SIDES:
        warnings = warnings_without_path(warnings, level.level, side)
    bare = replace(level, cement=None, predicted=None, warnings=warnings)
    if level.approach in (None, "none"):
        return bare
    reason = "Every needle was taken out of the plan."
    told = PlanWarning.of_level(
        level.level,
        NEEDLES_GONE,
        "stop",
        f"the plan says {level.approach} and holds no needle; the level counts as not planned, and its cement "
        "went with the needles.",
        "check of the plan",
    )
    return replace(bare, approach="none", approach_reason=reason, warnings=(*warnings, told))


def _what_changed(level: LevelPlan, before: Trajectory, now: Trajectory, other_labels: bool) -> _Change | None:
    """What a needle's numbers no longer hold for; None where they hold."""
    edited = unlike_numbers(level.frame, before)
    if edited == OTHER_CANNULA:
        found = (
            f"{before.cannula_outer_diameter_mm:.2f} mm, and a {now.cannula} has {now.cannula_outer_diameter_mm:.2f} mm"
        )
        return _Change("needle", f"{OTHER_CANNULA} ({found})")
    differs = differences(before, now)
    if edited is not None or (not other_labels and "place" in differs):
        return _Change("needle", MOVED)
    if not differs & {"place", "clearance", "safety"}:
        wrong = contradiction(before)
        return None if wrong is None else _Change("numbers", f"in the plan {wrong}")
    return _Change("labels", OTHER_LABELS) if other_labels else _Change("numbers", OTHER_NUMBERS)


def _with_what_its_ct_told(before: Trajectory, now: Trajectory) -> Trajectory:
    """A needle judged without the CT of its plan, with what only the CT tells: its skin, and that metal is in its way."""
    with_skin = replace(now, skin_ras=before.skin_ras, skin_to_target_mm=before.skin_to_target_mm)
    worse = SHORTCOMING[before.safety] > SHORTCOMING[now.safety]
    if worse and "clearance" not in differences(before, now):
        return replace(with_skin, safety=before.safety, compromise=before.compromise)
    return with_skin


def _with_skin_told(
    warnings: tuple[PlanWarning, ...], level: str, case: Case, needle: Trajectory, ct_is_missing: bool
) -> tuple[PlanWarning, ...]:
    """The warnings with why a needle has no skin point for want of the CT; with the CT back, with what it tells of the way."""
    name = (level, needle.side)
    kept = tuple(w for w in warnings if (w.code, w.level, w.side) != (SKIN_WITHOUT_CT, *name))
    if len(kept) < len(warnings) and not ct_is_missing:
        return (*kept, *(warning for warning in path_warnings(level, case, needle) if warning not in kept))
    known = any((w.code, w.level, w.side) == (SKIN_OUTSIDE_CT, *name) for w in kept)
    if not ct_is_missing or needle.skin_ras is not None or known:
        return kept
    text = "the needle was moved and the CT was not at hand; skin point and needle length are unknown."
    return (*kept, PlanWarning.of_needle(*name, SKIN_WITHOUT_CT, "info", text, "contract of the command line"))


def _judged_anew(level: str, needle: Trajectory, what: str, planned_again: bool) -> PlanWarning:
    severity = "caution" if needle.safety in ("safe", "tight") else "stop"
    text = f"{what}; {safety_sentence(needle)}"
    if planned_again and needle.safety != "breach":  # a breach gets neither, and says so itself
        text += ", and balloon and cement were planned for it again"
    text = f"{text}. {needle.compromise or ''}".strip()
    return PlanWarning.of_needle(level, needle.side, NEEDLE_MOVED, severity, text, "check of the plan")


def _checked(needle: Trajectory, vertebra: Vertebra, case: Case, options: PlanOptions) -> Trajectory:
    if needle.cannula not in CANNULAS:
        raise InputError(
            f"{vertebra.level} {needle.side}: cannula “{needle.cannula}” is not one of {', '.join(CANNULAS)}."
        )
    entry, target = np.array(needle.entry_ras), np.array(needle.target_ras)
    try:
        judged = reevaluate(vertebra, case, needle.side, entry, target, CANNULAS[needle.cannula], options)
    except ValueError as error:
        raise InputError(f"The {needle.side} needle of {vertebra.level} cannot be judged: {error}.") from error
    return replace(judged, balloon=needle.balloon, cement_ml=needle.cement_ml, bone_fillers=needle.bone_fillers)
