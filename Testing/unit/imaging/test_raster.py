"""Shapes drawn on a live picture: where the points say, as wide as they say, and nowhere else."""

import numpy as np
import pytest

from VertebralAugmentationPlannerLib.imaging.overlay import Shape
from VertebralAugmentationPlannerLib.imaging.raster import coloured, enlarged

SIZE = 101
GREY = np.full((SIZE, SIZE), 100, np.uint8)


def line(*points, **changes):
    return Shape(np.array(points, float), False, "#ff0000", **{"width_px": 3.0, "fill": "#000000", **changes})


def red(picture):
    """Share of red on each pixel, 0–1."""
    return (picture[:, :, 0].astype(float) - picture[:, :, 1]) / 255


def test_a_line_is_as_wide_as_it_says_and_lies_where_it_says():
    share = red(coloured(GREY, [line([30, 50], [70, 50], fill_opacity=0.0)]))
    assert share[:, 50].sum() == pytest.approx(3.0, abs=0.05)
    assert share[49:52, 50].min() == pytest.approx(1.0, abs=0.01)
    assert share[50, :25].max() == 0.0 and share[50, 76:].max() == 0.0


def test_a_slanted_line_is_as_wide_as_a_level_one():
    share = red(coloured(GREY, [line([30, 30], [70, 70], fill_opacity=0.0)]))
    # Its area is its length times its width, plus a disc for the two rounded ends.
    assert share.sum() == pytest.approx(40 * 2**0.5 * 3 + np.pi * 1.5**2, rel=0.03)


def test_a_filled_square_lets_the_picture_show_through():
    square = Shape(np.array([[40, 40], [60, 40], [60, 60], [40, 60]], float), True, "#0000ff", 1.0, "#ff0000", 0.25)
    picture = coloured(GREY, [square])
    assert picture[50, 50].tolist() == [139, 75, 75]  # a quarter of pure red on grey 100
    assert picture[50, 40].tolist() == [0, 0, 255]
    assert picture[50, 65].tolist() == [100, 100, 100]


def test_a_dashed_line_has_gaps_as_long_as_it_says():
    share = red(coloured(GREY, [line([20, 50], [80, 50], dash="8 8", fill_opacity=0.0)]))[50]
    assert share[24] == pytest.approx(1.0, abs=0.01) and share[32] == 0.0 and share[40] == pytest.approx(1.0, abs=0.01)


def test_a_line_without_filling_has_a_dark_rim():
    picture = coloured(GREY, [line([30, 50], [70, 50], fill=None)])
    assert picture[52, 50].max() < 70 and picture[50, 50].tolist() == [255, 0, 0]


def test_nothing_is_drawn_outside_the_round_field_or_the_picture():
    picture = coloured(GREY, [line([0, 0], [8, 8]), line([-50, 50], [-10, 50]), line([300, 300], [400, 400])])
    assert np.array_equal(picture, np.repeat(GREY[:, :, None], 3, axis=2))


def test_an_enlarged_picture_has_its_edges_where_they_were():
    half = np.zeros((64, 64), np.uint8)
    half[:, 32:] = 200
    large = enlarged(half, 96)
    assert large.shape == (96, 96)
    assert large[:, :46].max() == 0 and large[:, 50:].min() == 200
    assert enlarged(half, 64) is half
