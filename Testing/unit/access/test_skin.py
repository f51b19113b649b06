"""The skin point: a block of tissue in air, with what deceives a ray."""

import numpy as np
import pytest

from VertebralAugmentationPlannerLib.access import skin_point
from VertebralAugmentationPlannerLib.model import Image

ENTRY, TARGET = np.array([20.0, 60.0, 20.0]), np.array([20.0, 90.0, 20.0])
SKIN_Y = 21.0
"""Tissue begins in voxel 21: the −300 HU level between air (−1000) and tissue (40) lies 0.327 mm before its centre."""


def block(**layers) -> Image:
    """Air, then tissue from y = 21 mm forward; ``layers`` overwrite ranges of y with a density."""
    voxels = np.full((40, 120, 40), -1000.0)
    voxels[:, 21:] = 40.0
    for (first, last), density in layers.get("ranges", {}).items():
        voxels[:, first:last] = density
    return Image(voxels, np.eye(4))


def test_skin_is_where_tissue_ends():
    point = skin_point(block(), ENTRY, TARGET)
    assert point == pytest.approx([20.0, 20.0 + 700 / 1040, 20.0], abs=0.05)


def test_a_table_behind_the_patient_is_not_skin():
    point = skin_point(block(ranges={(8, 12): 50.0}), ENTRY, TARGET)
    assert point[1] == pytest.approx(20.67, abs=0.1)


def test_lung_on_the_way_is_not_outside():
    point = skin_point(block(ranges={(40, 52): -850.0}), ENTRY, TARGET)
    assert point[1] == pytest.approx(20.67, abs=0.1)


def test_a_bubble_is_not_outside():
    point = skin_point(block(ranges={(30, 33): -900.0}), ENTRY, TARGET)
    assert point[1] == pytest.approx(20.67, abs=0.1)


def test_no_skin_where_the_ct_ends_in_tissue():
    assert skin_point(block(ranges={(0, 21): 40.0}), ENTRY, TARGET) is None


def test_padding_outside_the_field_of_view_is_not_air():
    assert skin_point(block(ranges={(0, 21): -3024.0}), ENTRY, TARGET) is None


def test_an_oblique_needle_meets_the_skin_further_off():
    target = ENTRY + np.array([0.0, np.cos(0.3), np.sin(0.3)]) * 30
    point = skin_point(block(), ENTRY, target)
    assert np.linalg.norm(point - ENTRY) == pytest.approx((60 - 20.67) / np.cos(0.3), abs=0.3)
