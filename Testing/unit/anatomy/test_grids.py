"""What is read on grids, against what it should be by definition: distances, resampling, boxes, the depth of a body."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.distance import cdist
from VertebralAugmentationPlannerLib.anatomy.distances import neighbour_distance
from VertebralAugmentationPlannerLib.anatomy.outline import MidsagittalOutline
from VertebralAugmentationPlannerLib.anatomy.reasons import NotReadable
from VertebralAugmentationPlannerLib.anatomy.surface import distance_to, exact_distance, reached, resample
from VertebralAugmentationPlannerLib.model import Case, Frame, Image, ImageRecord, Inputs, LocalGrid
from VertebralAugmentationPlannerLib.model.geometry import label_boxes

SPACING = np.array([0.7, 1.0, 2.5])


@pytest.fixture
def random():
    return np.random.default_rng(20)


@pytest.fixture
def frame():
    """Turned by 20° about all three axes."""
    from scipy.spatial.transform import Rotation

    rows = Rotation.from_euler("xyz", [20, -20, 20], degrees=True).as_matrix()
    return Frame(np.array([3.0, -5.0, 8.0]), rows[0], rows[1], rows[2])


def image_of(voxels, origin=(0.0, 0.0, 0.0), spacing=(1.0, 1.0, 1.0)):
    matrix = np.diag([*spacing, 1.0])
    matrix[:3, 3] = origin
    return Image(voxels, matrix)


def test_the_distance_to_a_region_is_that_of_its_nearest_voxel(random):
    region = random.random((9, 11, 7)) < 0.03
    everywhere = np.argwhere(np.ones_like(region)) * SPACING
    expected = cdist(everywhere, np.argwhere(region) * SPACING).min(axis=1).reshape(region.shape)
    assert np.abs(distance_to(region, SPACING) - expected).max() < 1e-5


@pytest.mark.parametrize("turned", [lambda v: v, lambda v: v.transpose(2, 0, 1), lambda v: v[::-1, :, ::-1]])
def test_boxes_of_labels_are_those_of_their_voxels_whatever_the_order_in_memory(random, turned):
    voxels = np.zeros((12, 15, 9), np.uint8)
    voxels[3:6, 2:9, 4:8] = random.integers(0, 4, (3, 7, 4)) * 3
    voxels = turned(voxels)
    boxes = label_boxes(voxels)
    assert set(boxes) == set(np.unique(voxels)) - {0}
    for value, box in boxes.items():
        where = np.argwhere(voxels == value)
        assert box == tuple(slice(a, b + 1) for a, b in zip(where.min(axis=0), where.max(axis=0), strict=True))


def test_an_empty_map_has_no_boxes():
    assert label_boxes(np.zeros((4, 4, 4), np.uint8)) == {}


def test_a_field_that_rises_evenly_is_resampled_as_it_is(frame):
    size = (60, 50, 40)
    i, j, k = np.indices(size)
    image = image_of((2.0 * i - j + 0.5 * k).astype(np.float32), (-25, -30, -40), (1.0, 1.2, 2.0))
    grid = LocalGrid(np.array([-8.0, -9.0, -10.0]), 0.8, (20, 22, 24))
    x, y, z = np.moveaxis(image.to_ijk(frame.to_ras(grid.points())), -1, 0)
    assert np.abs(resample(image, frame, grid, np.nan) - (2.0 * x - y + 0.5 * z)).max() < 1e-3


def test_off_the_image_the_given_value_stands(frame):
    image = image_of(np.ones((5, 5, 5), np.float32), (200.0, 0.0, 0.0))
    grid = LocalGrid(np.zeros(3), 1.0, (4, 4, 4))
    assert not reached(image, frame, grid).voxels.size
    assert np.all(resample(image, frame, grid, -8.0) == -8.0)


def test_near_a_sphere_distances_are_those_to_its_surface_and_not_to_voxels():
    grid = LocalGrid(np.full(3, -14.4), 0.8, (37, 37, 37))
    true = 9.3 - np.linalg.norm(grid.points(), axis=-1)
    # Rough as a distance between voxels is, but with its zero in place.
    rough = np.where(np.abs(true) < 1.0, true, 1.15 * true)
    error = np.abs(exact_distance(rough, grid, (2.5, 5.0)) - true)
    # The surface is known by points a voxel apart: that shows right beside it, and no more where needles run.
    assert error[np.abs(true) < 2.0].max() < 0.5 * grid.spacing_mm
    assert error[(true > 2.0) & (true < 4.0)].max() < 0.06


def test_the_neighbour_is_as_far_as_its_label_says():
    voxels = np.zeros((60, 60, 90), np.uint8)
    voxels[20:40, 20:40, 10:30], voxels[20:40, 20:40, 45:70] = 27, 28
    labels = image_of(voxels, (-29.5, -29.5, -20.0))
    case = Case(
        None, labels, {"L4": 28, "L5": 27}, Inputs(None, ImageRecord(None, None, voxels.shape, (1.0, 1.0, 1.0)))
    )
    upright = Frame(np.zeros(3), *np.eye(3))
    grid = LocalGrid(np.array([-8.0, -8.0, -12.0]), 0.8, (21, 21, 60))
    below = grid.axes[2] < 30.0
    above = np.broadcast_to(24.5 - grid.axes[2], grid.shape)  # L4 begins half a voxel below its lowest centre, 25
    assert np.abs(neighbour_distance(case, "L5", upright, grid) - above)[:, :, below].max() < grid.spacing_mm


def outline(front):
    """Walls 30 mm apart; the front is seen where ``front`` is true."""
    z = np.arange(-12.0, 12.0)
    return MidsagittalOutline(z, np.zeros(len(z)), np.where(front(z), 30.0, np.nan))


def test_depth_is_read_where_the_front_is_seen():
    assert outline(lambda z: np.abs(z) < 5).depth_mm == pytest.approx(30.0)
    assert outline(lambda z: z < -6).depth_mm == pytest.approx(30.0)


def test_a_body_without_a_front_is_not_readable():
    with pytest.raises(NotReadable, match="same height"):
        _ = outline(lambda z: z > 100).depth_mm


def test_find_objects_agrees_on_a_map_of_many_labels(random):
    voxels = random.integers(0, 9, (6, 7, 8)).astype(np.uint16)
    assert list(label_boxes(voxels).values()) == ndimage.find_objects(voxels)
