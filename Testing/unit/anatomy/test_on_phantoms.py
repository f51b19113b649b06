"""The anatomy of phantoms whose every dimension is known by construction."""

from __future__ import annotations

import os

import numpy as np
import pytest
from anatomy_readings import heights, known_heights, wedge_deg
from VertebralAugmentationPlannerLib.anatomy import build_spine


@pytest.fixture(scope="module")
def fine(phantom_case):
    """The wedge sample at 1 mm voxels: case, truth and anatomy."""
    case, truth = phantom_case("t12-wedge", shift=(0.3, 0.6, 0.2))
    return case, truth, build_spine(case).vertebrae


WHOLE = ("T10", "T11", "T12", "L1", "L2")


@pytest.mark.parametrize("level", WHOLE)
def test_rim_heights_are_within_three_quarters_and_broken_ones_within_one_millimetre(fine, level):
    _, truth, vertebrae = fine
    limit = 1.0 if level == "T12" else 0.75  # a broken rim may be 1 mm off; corners between voxels a little over 0.5
    assert np.abs(heights(vertebrae[level]) - known_heights(truth[level])).max() < limit
    assert abs(heights(vertebrae[level])[1] - truth[level]["middle_height_mm"]) < 0.3


def test_most_heights_are_far_closer_than_the_limit(fine):
    _, truth, vertebrae = fine
    errors = [np.abs(heights(vertebrae[level]) - known_heights(truth[level])) for level in WHOLE]
    assert np.mean(errors) < 0.25


@pytest.mark.parametrize("level", WHOLE)
def test_the_wedge_is_within_a_degree_and_a_half(fine, level):
    _, truth, vertebrae = fine
    assert abs(wedge_deg(vertebrae[level]) - truth[level]["wedge_angle_deg"]) < 1.5


@pytest.mark.parametrize("level", WHOLE)
def test_the_volume_is_within_three_percent(fine, level):
    _, truth, vertebrae = fine
    assert vertebrae[level].body_volume_ml == pytest.approx(truth[level]["body_volume_ml"], rel=0.03)


@pytest.mark.parametrize("level", WHOLE)
@pytest.mark.parametrize("side", ["left", "right"])
def test_the_isthmus_is_within_half_a_millimetre_across_and_one_along_its_height(fine, level, side):
    _, truth, vertebrae = fine
    known = truth[level]["pedicles"][side]
    found = vertebrae[level].pedicles[side]
    assert found.isthmus_width_mm == pytest.approx(known["isthmus_width_mm"], abs=0.5)
    assert found.isthmus_height_mm == pytest.approx(known["isthmus_height_mm"], abs=1.0)


@pytest.mark.parametrize("level", WHOLE)
@pytest.mark.parametrize("side", ["left", "right"])
def test_the_pedicle_runs_along_its_axis_and_its_isthmus_is_in_place(fine, level, side):
    _, truth, vertebrae = fine
    known = truth[level]["pedicles"][side]
    found, frame = vertebrae[level].pedicles[side], vertebrae[level].frame
    cosine = frame.direction_to_ras(found.axis) @ known["axis"]
    assert np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))) < 2.5
    offset = frame.to_ras(found.centre) - known["centre_ras"]
    along = offset @ known["axis"]
    assert abs(along) < 1.0
    assert np.linalg.norm(offset - along * np.array(known["axis"])) < 0.3


@pytest.mark.parametrize("level", ["T9", "L3"])
def test_a_vertebra_cut_by_the_border_is_incomplete_and_says_where(fine, level):
    vertebra = fine[2][level]
    assert not vertebra.complete
    assert "border" in vertebra.incomplete_reason


def test_the_same_case_gives_the_same_anatomy_however_many_are_built_at_a_time(fine, monkeypatch):
    case, _, vertebrae = fine
    at_once = (os.cpu_count() or 1) > 1
    monkeypatch.setattr("os.cpu_count", lambda: 1 if at_once else 3)
    for level, again in build_spine(case, levels=("T12", "L1", "L2")).vertebrae.items():
        for name in ("bone_mm", "canal_mm", "neighbour_mm", "posterior_wall_mm"):
            assert np.array_equal(getattr(again, name), getattr(vertebrae[level], name)), (level, name)
        assert np.array_equal(again.superior.anterior_rim, vertebrae[level].superior.anterior_rim)
        assert np.array_equal(again.pedicles["left"].outline, vertebrae[level].pedicles["left"].outline)


def test_thick_slices_keep_the_mean_error_of_heights_under_a_millimetre(phantom_case):
    case, truth = phantom_case("t12-wedge", spacing=(0.8, 0.8, 3.0), shift=(0.2, 0.5, 1.3))
    vertebrae = build_spine(case).vertebrae
    errors = [np.abs(heights(vertebrae[level]) - known_heights(truth[level])) for level in WHOLE]
    assert np.mean(errors) < 1.0
