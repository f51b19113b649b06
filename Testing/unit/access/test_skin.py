"""The skin point: a block of tissue in air, with what deceives a ray."""

import numpy as np
import pytest

from VertebralAugmentationPlannerLib.access import skin_point
from VertebralAugmentationPlannerLib.model import Image

ENTRY, TARGET = np.array([20.0, 60.0, 20.0]), np.array([20.0, 90.0, 20.0])
SKIN_Y = 20.0 + 300.0 / 640.0
"""Tissue (40) fills voxel 21, and two fifths of voxel 20 (−600): the −300 HU level lies between their centres."""


def block(**layers) -> Image:
    """Clipped air, then skin at ``SKIN_Y`` and tissue forward; ``layers`` overwrite ranges of y with a density."""
    voxels = np.full((40, 120, 40), -1000.0)
    voxels[:, 20] = -600.0
    voxels[:, 21:] = 40.0
    for (first, last), density in layers.get("ranges", {}).items():
        voxels[:, first:last] = density
    return Image(voxels, np.eye(4))


def test_skin_is_where_tissue_ends():
    point = skin_point(block(), ENTRY, TARGET)
    assert point == pytest.approx([20.0, SKIN_Y, 20.0], abs=0.05)


def test_a_table_behind_the_patient_is_not_skin():
    point = skin_point(block(ranges={(8, 12): 50.0}), ENTRY, TARGET)
    assert point[1] == pytest.approx(SKIN_Y, abs=0.1)


def test_lung_on_the_way_is_not_outside():
    point = skin_point(block(ranges={(40, 52): -850.0}), ENTRY, TARGET)
    assert point[1] == pytest.approx(SKIN_Y, abs=0.1)


def test_a_bubble_is_not_outside():
    point = skin_point(block(ranges={(30, 33): -900.0}), ENTRY, TARGET)
    assert point[1] == pytest.approx(SKIN_Y, abs=0.1)


def test_no_skin_where_the_ct_ends_in_tissue():
    assert skin_point(block(ranges={(0, 21): 40.0}), ENTRY, TARGET) is None


def test_padding_outside_the_field_of_view_is_not_air():
    assert skin_point(block(ranges={(0, 21): -3024.0}), ENTRY, TARGET) is None


def test_an_oblique_needle_meets_the_skin_further_off():
    target = ENTRY + np.array([0.0, np.cos(0.3), np.sin(0.3)]) * 30
    point = skin_point(block(), ENTRY, target)
    assert np.linalg.norm(point - ENTRY) == pytest.approx((60 - SKIN_Y) / np.cos(0.3), abs=0.3)


def round_view(radius_mm: float, fill: float) -> Image:
    """A body whose skin lies at ``SKIN_Y``, seen in a circle about the target; noise in its tissue and in its air."""
    image = block()
    voxels = image.voxels + np.random.default_rng(0).normal(0.0, 12.0, image.voxels.shape)
    x, y, _ = np.indices(voxels.shape)
    voxels[np.hypot(x - TARGET[0], y - TARGET[1]) > radius_mm] = fill
    return Image(voxels, np.eye(4))


@pytest.mark.parametrize("fill", [-1000.0, -1024.0, -2000.0, -3024.0])
def test_the_edge_of_the_field_of_view_in_tissue_is_not_skin(fill):
    assert skin_point(block(ranges={(0, 45): fill}), ENTRY, TARGET) is None
    target = ENTRY + np.array([0.0, np.cos(0.3), np.sin(0.3)]) * 30
    for radius in (40.0, 47.5, 55.3, 62.7):
        assert skin_point(round_view(radius, fill), ENTRY, TARGET) is None
        assert skin_point(round_view(radius, fill), ENTRY, target) is None


@pytest.mark.parametrize("fill", [-1024.0, -3024.0])
def test_skin_inside_the_field_of_view_is_found_before_its_edge(fill):
    assert skin_point(round_view(80.0, fill), ENTRY, TARGET)[1] == pytest.approx(SKIN_Y, abs=0.3)


def test_tissue_that_resampling_mixed_with_padding_is_not_air():
    mixed = block(ranges={(0, 44): -3024.0, (44, 45): -900.0})
    assert skin_point(mixed, ENTRY, TARGET) is None
