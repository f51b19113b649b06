"""The T12 wedge of the samples, planned and checked after edits by hand: what the tests of ``vap`` and of the check share."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from VertebralAugmentationPlannerLib.anatomy import build_spine
from VertebralAugmentationPlannerLib.case import load_case
from VertebralAugmentationPlannerLib.check import check_on_case
from VertebralAugmentationPlannerLib.model import Case, CasePlan, LevelPlan, PlanOptions, Spine
from VertebralAugmentationPlannerLib.planner import plan_level_augmentation

SAMPLES = Path(__file__).parents[2] / "sample_data"


def images(name: str) -> list[str]:
    folder = SAMPLES / name
    if not (folder / "ct.nii.gz").exists():
        pytest.skip("the sample cases are not here; make them with sample_data/make_samples.py")
    return [str(folder / "ct.nii.gz"), "--segmentation", str(folder / "labels.nii.gz")]


@cache
def case_of_the_wedge() -> Case:
    ct, _, labels = images("t12-wedge")
    return load_case(ct, labels, PlanOptions())


@cache
def spine_of_the_wedge() -> Spine:
    return build_spine(case_of_the_wedge())


def checked(plan: CasePlan) -> CasePlan:
    """The plan checked on the images it was made from, after a turn through its file's text."""
    case, spine = case_of_the_wedge(), spine_of_the_wedge()
    return check_on_case(CasePlan.from_json(plan.to_json()), case, spine=spine)


def checked_without_ct(plan: CasePlan) -> CasePlan:
    """The plan checked on its labels alone, as the contract allows."""
    case = case_of_the_wedge()
    alone = replace(case, ct=None, inputs=replace(case.inputs, ct=None))
    return check_on_case(CasePlan.from_json(plan.to_json()), alone, spine=spine_of_the_wedge())


def with_level(plan: CasePlan, level: LevelPlan) -> CasePlan:
    return replace(plan, levels=tuple(level if one.level == level.level else one for one in plan.levels))


def with_needle(plan: CasePlan, **changes) -> CasePlan:
    """The plan with values of T12's left needle changed by hand."""
    level = plan.level("T12")
    left, *rest = level.trajectories
    return with_level(plan, replace(level, trajectories=(replace(left, **changes), *rest)))


def said(plan: CasePlan, code: str) -> str:
    (message,) = [warning.message for warning in plan.level("T12").warnings if warning.code == code]
    return message


def with_right_needle_moved(plan: CasePlan, up_mm: float = 1.0) -> CasePlan:
    """The plan with the tip of T12's right needle moved upwards by hand."""
    level = plan.level("T12")
    left, right = level.trajectories
    target = tuple(map(float, np.add(right.target_ras, up_mm * np.array(level.frame.superior))))
    return with_level(plan, replace(level, trajectories=(left, replace(right, target_ras=target))))


def filled(plan: CasePlan, volumes=None, **options) -> CasePlan:
    """The plan with T12's balloons and cement planned by other choices, as the panel does it for one level."""
    spine, options = spine_of_the_wedge(), PlanOptions(**options)
    return with_level(plan, plan_level_augmentation(plan.level("T12"), spine, options, volumes))
