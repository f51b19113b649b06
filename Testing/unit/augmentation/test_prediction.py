"""What is expected of inflation: part of the lost height comes back, and the wedge closes with it."""

from dataclasses import replace

import numpy as np
import pytest
from blocks import Block, measurements, needle, vertebra
from VertebralAugmentationPlannerLib.augmentation import plan_augmentation, predict
from VertebralAugmentationPlannerLib.model import Assumptions, PlanOptions

WEDGE = Block(height=24.0, front_height=16.0)


def test_four_tenths_of_the_lost_height_come_back():
    found = predict(measurements(WEDGE, reference=(23.0, 24.0)), 0.40)
    assert found.anterior_height_mm == pytest.approx(16.0 + 0.4 * 7.0)
    assert found.restoration_fraction == 0.40


def test_the_wedge_closes_as_the_front_is_lifted():
    # 24 − 18.8 = 5.2 mm over 30 mm.
    found = predict(measurements(WEDGE, reference=(23.0, 24.0)), 0.40)
    assert found.wedge_angle_deg == pytest.approx(np.degrees(np.arctan(5.2 / 30)), abs=0.01)


def test_full_restoration_of_a_wedge_leaves_the_references_own_wedge():
    found = predict(measurements(WEDGE, reference=(24.0, 24.0)), 1.0)
    assert found.anterior_height_mm == pytest.approx(24.0)
    assert found.wedge_angle_deg == pytest.approx(0.0, abs=1e-6)


def test_a_crush_is_lifted_level_and_does_not_open_to_the_front():
    crush = Block(height=16.0)
    found = predict(measurements(crush, reference=(24.0, 24.0)), 0.40)
    assert found.anterior_height_mm == pytest.approx(19.2)
    assert found.wedge_angle_deg == pytest.approx(0.0, abs=1e-6)


def test_nothing_comes_back_with_a_fraction_of_zero():
    found = predict(measurements(WEDGE, reference=(23.0, 24.0)), 0.0)
    assert found.anterior_height_mm == 16.0
    assert found.wedge_angle_deg == pytest.approx(measurements(WEDGE).wedge_angle_deg)


@pytest.mark.parametrize("reference", [(None, None), (15.0, 24.0), (16.5, 24.0)])
def test_without_a_loss_beyond_the_measurements_error_nothing_is_expected(reference):
    assert predict(measurements(WEDGE, reference=reference), 0.4) is None


def test_without_a_wedge_angle_nothing_is_expected_and_the_plan_says_why():
    measured = replace(measurements(WEDGE, reference=(23.0, 24.0)), wedge_angle_deg=None)
    plan = plan_augmentation(vertebra(WEDGE), measured, (needle(WEDGE),), PlanOptions())
    assert plan.predicted is None
    assert "is unknown" in next(w for w in plan.warnings if w.code == "no_prediction").message


def test_the_plan_takes_the_fraction_from_the_assumptions_and_says_that_it_is_one():
    measured = measurements(WEDGE, reference=(23.0, 24.0))
    options = PlanOptions(assumptions=Assumptions(restoration_fraction=0.5))
    plan = plan_augmentation(vertebra(WEDGE), measured, (needle(WEDGE),), options)
    assert plan.predicted.anterior_height_mm == pytest.approx(19.5)
    warning = next(w for w in plan.warnings if w.code == "prediction")
    assert "50 %" in warning.message and "[D" in warning.source


def test_vertebroplasty_promises_no_height():
    measured = measurements(WEDGE, reference=(23.0, 24.0))
    plan = plan_augmentation(vertebra(WEDGE), measured, (needle(WEDGE),), PlanOptions(procedure="vertebroplasty"))
    assert plan.predicted is None


def test_an_unfractured_body_is_not_expected_to_grow():
    # 1.5 mm lower than its neighbours' mean, as healthy levels are.
    block = Block(height=24.0, front_height=22.5)
    found = replace(measurements(block, reference=(24.0, 24.0)), genant_grade=0)
    assert predict(found, 0.40) is None
    assert predict(replace(found, genant_grade=1), 0.40) is not None
    plan = plan_augmentation(vertebra(block), found, (needle(block),), PlanOptions())
    assert plan.predicted is None
    assert "not fractured by height" in next(w for w in plan.warnings if w.code == "no_prediction").message


def test_balloons_that_make_hardly_a_cavity_promise_no_height():
    measured = measurements(WEDGE, reference=(23.0, 24.0))

    def plan(volume):
        return plan_augmentation(vertebra(WEDGE), measured, (needle(WEDGE),), PlanOptions(), {"left": volume})

    assert plan(1.0).predicted is not None
    small = plan(0.4)
    assert small.predicted is None
    note = next(w for w in small.warnings if w.code == "no_prediction")
    assert "the balloons are planned with 0.4 ml in all" in note.message and note.severity == "info"
