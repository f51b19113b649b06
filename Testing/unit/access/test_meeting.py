"""Two needles of a level that somebody moved by hand into each other's way."""

from dataclasses import MISSING, fields, replace

import numpy as np
import pytest
from analytic import Shape, vertebra

from VertebralAugmentationPlannerLib.access import plan_access, with_meeting_told
from VertebralAugmentationPlannerLib.access.meeting import segments_apart_mm
from VertebralAugmentationPlannerLib.model import LevelPlan, PlanOptions, PlanWarning

SHARES = np.linspace(0.0, 1.0, 201)[:, None]


def planned(label_case, convergence: float = 15.0) -> LevelPlan:
    bone = vertebra(Shape(pedicle_width=10.0, pedicle_convergence=convergence))
    access = plan_access(bone, label_case, None, PlanOptions(approach="bilateral"))
    empty = {field.name: None for field in fields(LevelPlan) if field.default is MISSING}
    given = {"level": "L1", "complete": True, "trajectories": access.trajectories, "warnings": access.warnings}
    return LevelPlan(**{**empty, **given})


def with_right(level: LevelPlan, **changes) -> LevelPlan:
    left, right = level.trajectories
    return replace(level, trajectories=(left, replace(right, **changes)))


def said(level: LevelPlan) -> list[PlanWarning]:
    return [warning for warning in level.warnings if warning.code == "needles_meet"]


def test_the_distance_of_two_segments_is_that_of_their_nearest_points():
    rng = np.random.default_rng(3)
    for n in range(60):
        one, other = rng.normal(0, 20, (2, 2, 3))
        if n % 3 == 0:
            other = one + rng.normal(0, 5, 3)  # side by side
        a, b = (ends[0] + SHARES * (ends[1] - ends[0]) for ends in (one, other))
        brute = np.linalg.norm(a[:, None] - b, axis=2).min()
        assert segments_apart_mm(one, other) == pytest.approx(brute, abs=0.3)
        assert segments_apart_mm(one, other) <= brute + 1e-9


@pytest.mark.parametrize("convergence", [0.0, 15.0, 30.0])
def test_planned_needles_never_meet(label_case, convergence):
    level = planned(label_case, convergence)
    assert len(level.trajectories) == 2
    assert with_meeting_told(level) == level


def test_needles_that_were_moved_into_one_place_are_told_with_the_number_until_they_are_apart(label_case):
    level = planned(label_case)
    left, right = level.trajectories
    beside = np.add(left.target_ras, (1.0, 0.0, 0.0))
    level = with_meeting_told(with_right(level, target_ras=tuple(beside)))
    (told,) = said(level)
    apart = segments_apart_mm((left.entry_ras, left.target_ras), (right.entry_ras, beside))
    assert told.severity == "caution" and f"within {apart:.1f} mm" in told.message
    assert f"need {left.cannula_outer_diameter_mm:.1f} mm" in told.message
    assert said(with_meeting_told(level)) == [told], "told once"
    assert not said(with_meeting_told(with_right(level, target_ras=right.target_ras)))
    assert not said(with_meeting_told(replace(level, trajectories=level.trajectories[:1])))


def test_needles_that_cross_in_the_body_meet_though_their_tips_are_apart(label_case):
    level = planned(label_case)
    left, right = level.trajectories
    crossed = [replace(one, target_ras=other.target_ras) for one, other in ((left, right), (right, left))]
    assert said(with_meeting_told(replace(level, trajectories=tuple(crossed))))
