"""Words and numbers that must not say more, or other, than what was found."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plans import case_plan

from VertebralAugmentationPlannerLib.model import Clearance
from VertebralAugmentationPlannerLib.model.grades import grade_of_loss
from VertebralAugmentationPlannerLib.report.assumptions import margin_words
from VertebralAugmentationPlannerLib.report.wording import (
    convergence_words,
    craniocaudal_words,
    dicom_words,
    loss_words,
    stopped_by_words,
)


def test_balloons_that_meet_are_not_said_to_be_full() -> None:
    balloon = case_plan().level("T12").trajectories[0].balloon
    assert balloon is not None
    met = dataclasses.replace(balloon, stopped_by="max_volume", meets_other_balloon=True)
    assert stopped_by_words(met) == "stops where the two balloons meet"
    assert stopped_by_words(dataclasses.replace(met, meets_other_balloon=False)) == "stops at its largest volume"


def test_a_volume_set_by_hand_is_not_said_to_be_stopped() -> None:
    balloon = case_plan().level("T12").trajectories[0].balloon
    assert balloon is not None
    less = dataclasses.replace(balloon, planned_volume_ml=1.0, limit_ml=3.1)
    assert stopped_by_words(less) == "set by hand; would stop at an end plate at 3.1\u00a0ml"
    both = dataclasses.replace(less, stopped_by="max_volume", meets_other_balloon=True)
    assert stopped_by_words(both) == "set by hand; would stop where the two balloons meet at 3.1\u00a0ml"
    for known in (None, 1.05):  # a plan that does not say; what the slider rounds off
        assert stopped_by_words(dataclasses.replace(less, limit_ml=known)) == "stops at an end plate"


@pytest.mark.parametrize(
    ("percent", "words"),
    [(35.4, "35\u00a0%"), (19.8, "19.8\u00a0%"), (19.97, "19.97\u00a0%"), (20.2, "20\u00a0%"), (24.6, "24.6\u00a0%"),
     (40.2, "40.2\u00a0%"), (39.6, "40\u00a0%"), (-3.2, "−3\u00a0%"), (None, "—")],
)  # fmt: skip
def test_a_loss_is_written_on_its_own_side_of_a_grade(percent: float | None, words: str) -> None:
    assert loss_words(percent) == words


@given(st.floats(-30.0, 100.0))
def test_no_written_loss_is_of_another_grade(percent: float) -> None:
    written = float(loss_words(percent, "").replace("−", "-"))
    assert grade_of_loss(written) == grade_of_loss(percent)


def test_margins_that_a_small_body_shrinks_are_told_beside_those_asked_for() -> None:
    plan = case_plan()
    left = plan.level("T12").trajectories[0]
    kept = Clearance(1.0, 1.0, 2.3, 3.9, 2.3, 0.0)
    level = dataclasses.replace(plan.level("T12"), trajectories=(dataclasses.replace(left, margins_mm=kept),))
    plan = dataclasses.replace(plan, levels=(level,), options={"margins": {"canal_mm": 1.0, "anterior_wall_mm": 5.0}})
    assert margin_words(plan, "T12") == "canal 1, anterior wall 5 (here 3.9, as the body is small) mm"


@pytest.mark.parametrize("degrees", [0.3, -0.3, 0.0])
def test_an_angle_that_rounds_to_nothing_has_no_side(degrees):
    assert convergence_words(degrees) == "0° from the sagittal plane"
    assert craniocaudal_words(degrees) == "0° from the axial plane"
    assert dicom_words(degrees, degrees) == "LAO 0° · CRA 0°"


def test_an_angle_has_its_side():
    assert convergence_words(13.2) == "13° towards the midline"
    assert craniocaudal_words(-6.4) == "6° towards the feet"
    assert dicom_words(-13.2, 10.1) == "RAO 13° · CRA 10°"
