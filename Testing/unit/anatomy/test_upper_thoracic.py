"""The uppermost thoracic vertebrae of the generator: small bodies on thick pedicles (T1), tall slim pedicles (T3)."""

from __future__ import annotations

import numpy as np
import pytest
from anatomy_readings import labels_only
from VertebralAugmentationPlannerLib.anatomy import build_spine
from VertebralAugmentationPlannerLib.sample import TOTALSEGMENTATOR, healthy_spine, make_case

LEVELS = ("T1", "T2", "T3", "T4")


@pytest.fixture(scope="module", params=[(1.0, 1.0, 1.0), (0.8, 0.8, 2.5)], ids=["1 mm", "2.5 mm slices"])
def upper(request):
    """Slices' thickness, vertebrae and truth of T1–T4 with pedicles of 3.4 and 4.0 mm at T3."""
    phantom = healthy_spine(LEVELS, rotation_deg=(8.0, 2.0, -3.0))
    slim = phantom.shape("T3").with_pedicle("left", isthmus_width_mm=3.4).with_pedicle("right", isthmus_width_mm=4.0)
    grid = {"spacing": request.param, "shift": (0.3, 0.6, 0.2)}
    _, labels, truth = make_case(phantom.changed("T3", slim), with_ct=False, margin_mm=12.0, **grid)
    return request.param[2], build_spine(labels_only(labels, TOTALSEGMENTATOR)).vertebrae, truth["levels"]


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("level", LEVELS)
def test_the_isthmus_of_slim_pedicles(upper, level, side):
    thickness, vertebrae, truth = upper
    found, known = vertebrae[level].pedicles[side], truth[level]["pedicles"][side]
    assert found.isthmus_width_mm == pytest.approx(known["isthmus_width_mm"], abs=0.4)
    assert found.isthmus_height_mm == pytest.approx(known["isthmus_height_mm"], abs=0.8 if thickness <= 1.0 else 1.6)


@pytest.mark.parametrize("level", LEVELS)
def test_the_width_is_the_bodys_and_not_that_of_the_pedicles_roots(upper, level):
    """T1's pedicles, 8 mm thick and 27° inwards, spread over the back half of its body's side: up to 4 mm too wide there."""
    _, vertebrae, truth = upper
    limit = {"T1": 2.4, "T2": 1.0}.get(level, 0.6)
    assert vertebrae[level].width_mm == pytest.approx(truth[level]["width_mm"], abs=limit)


def test_slim_pedicles_are_told_apart_left_from_right(upper):
    _, vertebrae, _ = upper
    left, right = (vertebrae["T3"].pedicles[side].isthmus_width_mm for side in ("left", "right"))
    assert 0.2 < right - left < 1.0


@pytest.mark.parametrize("level", LEVELS)
def test_the_canal_lies_against_the_inner_wall_of_both_pedicles(upper, level):
    vertebra = upper[1][level]
    for side, lateral in (("left", -1.0), ("right", 1.0)):
        pedicle = vertebra.pedicles[side]
        inwards = pedicle.centre - np.outer(np.arange(0.0, 14.0, 0.2), [lateral, 0.0, 0.0])
        bone = vertebra.grid.sample(vertebra.bone_mm, inwards)
        canal = vertebra.grid.sample(vertebra.canal_mm, inwards)
        assert int(np.argmax(canal < 0)) * 0.2 == pytest.approx(int(np.argmax(bone <= 0)) * 0.2, abs=0.8)
