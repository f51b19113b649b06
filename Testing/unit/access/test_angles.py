"""Angles of a needle, against cases worked by hand."""

import numpy as np
import pytest

from VertebralAugmentationPlannerLib.access import convergence_deg, craniocaudal_deg, end_on_carm


def test_a_left_needle_that_runs_to_the_right_converges():
    assert convergence_deg(np.array([1.0, 1.0, 0.0]), "left") == pytest.approx(45.0)
    assert convergence_deg(np.array([-1.0, 1.0, 0.0]), "right") == pytest.approx(45.0)


def test_a_needle_that_runs_away_from_the_midline_diverges():
    assert convergence_deg(np.array([-np.tan(np.deg2rad(10)), 1.0, 0.3]), "left") == pytest.approx(-10.0)


def test_a_tip_towards_the_head_is_positive():
    assert craniocaudal_deg(np.array([0.4, 1.0, np.tan(np.deg2rad(12))])) == pytest.approx(12.0)


def test_end_on_view_of_a_left_needle_20_degrees_to_the_right():
    # RAS (sin 20, cos 20, 0) is LPS (−sin 20, −cos 20, 0): the supine receptor stands in front, on the patient's right.
    carm = end_on_carm(np.array([np.sin(np.deg2rad(20)), np.cos(np.deg2rad(20)), 0.0]))
    assert carm.primary_deg == pytest.approx(-20.0)
    assert carm.secondary_deg == pytest.approx(0.0)
    assert carm.prone_text == "Prone, receptor above: 20° towards the patient’s left"


def test_a_tip_towards_the_feet_is_seen_from_the_head():
    # The far end of the same line: the needle's rear points to the head where its tip points to the feet.
    tilt = np.deg2rad(15)
    carm = end_on_carm(np.array([0.0, np.cos(tilt), -np.sin(tilt)]))
    assert carm.secondary_deg == pytest.approx(-15.0)
    assert carm.prone_text == "Prone, receptor above: 15° towards the head"


def test_the_prone_receptor_stands_behind_the_needle():
    direction = np.array([-0.3, 0.9, 0.2])
    carm = end_on_carm(direction)
    words = carm.prone_text
    rear = -direction / np.linalg.norm(direction)  # from the tip towards the receptor of the prone patient, RAS
    assert ("right" in words) == (rear[0] > 0)
    assert ("feet" in words) == (rear[2] < 0)


def test_a_needle_without_length_has_no_view():
    with pytest.raises(ValueError, match="length"):
        end_on_carm(np.zeros(3))
