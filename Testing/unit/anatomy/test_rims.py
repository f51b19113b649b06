"""Rims where they are known: two surfaces that meet in a line, on grids that lie along them and across them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.transform import Rotation
from VertebralAugmentationPlannerLib.anatomy.reasons import NotReadable
from VertebralAugmentationPlannerLib.anatomy.rims import SmoothPlate, Voxels, find_rim
from VertebralAugmentationPlannerLib.anatomy.surface import Shape
from VertebralAugmentationPlannerLib.model import Frame, Image

EDGE_Y, EDGE_Z = 14.0, 10.0
"""The true rim, local mm."""

HEIGHT_MM = 24.0
UPRIGHT = Frame(np.zeros(3), *np.eye(3))


def plate_height(slope: float):
    """A plane that rises by ``slope`` per mm towards the front and passes through the rim."""
    return lambda points: EDGE_Z + slope * (points[..., 1] - EDGE_Y)


def block(slope: float, lean: float, turn=(0.0, 0.0, 0.0), shift=(0.0, 0.0, 0.0)) -> Voxels:
    """Bone under a plate and behind a wall that goes back by ``lean`` per mm upwards, at 1 mm on a turned grid."""

    def bone(points: np.ndarray) -> np.ndarray:
        return (points[..., 2] < plate_height(slope)(points)) & (
            points[..., 1] < EDGE_Y - lean * (points[..., 2] - EDGE_Z)
        )

    return labelled(bone, turn, shift)


def labelled(bone, turn, shift) -> Voxels:
    """What is bone, at 1 mm on a turned grid."""
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", turn, degrees=True).as_matrix()
    matrix[:3, 3] = np.array(shift) + matrix[:3, :3] @ np.full(3, -30.0)
    grid = np.stack(np.meshgrid(*[np.arange(61.0)] * 3, indexing="ij"), axis=-1)
    inside = bone(grid @ matrix[:3, :3].T + matrix[:3, 3])
    return Voxels(Shape(Image(inside.astype(np.float32), matrix), inside), UPRIGHT)


def rim_of(voxels: Voxels, slope: float, start_y: float = EDGE_Y - 0.4, misfit_mm: float = 0.0) -> np.ndarray:
    return find_rim(SmoothPlate(plate_height(slope), +1, slope, misfit_mm), voxels, start_y, +1, HEIGHT_MM)


@pytest.mark.parametrize("turn", [(5, 3, 4), (-12, 6, 5), (18, -10, 6)])
@pytest.mark.parametrize("slope, lean", [(0.0, 0.0), (0.3, 0.1), (-0.5, 0.2)])
def test_a_sharp_corner_is_found_to_a_tenth_on_turned_grids(turn, slope, lean):
    rim = rim_of(block(slope, lean, turn), slope)
    assert np.abs(rim - [0.0, EDGE_Y, EDGE_Z]).max() < 0.1


@pytest.mark.parametrize("shift", [(0.0, 0.0, 0.2), (0.3, 0.5, 0.5), (0.6, 0.1, 0.9)])
def test_along_the_voxel_layers_no_more_is_claimed_than_a_layer(shift):
    """All voxels of a layer say the same there: half a voxel is as near as any reading can be sure of."""
    rim = rim_of(block(0.0, 0.0, shift=shift), 0.0)
    assert np.abs(rim - [0.0, EDGE_Y, EDGE_Z]).max() <= 0.5


@pytest.mark.parametrize("lean", [1.2, 1.6])
def test_where_plate_and_wall_are_both_steep_the_rim_is_where_they_first_meet(lean):
    slope = 0.9
    found = [rim_of(block(slope, lean, turn), slope) for turn in ((5, 3, 4), (-7, 5, 3), (4, -9, 12))]
    assert np.abs(np.array(found) - [0.0, EDGE_Y, EDGE_Z]).max() < 0.2


def collapsed(turn=(0.0, 0.0, 0.0), shift=(0.0, 0.0, 0.0), ring_mm: float = 3.0) -> Voxels:
    """A plate that collapsed inside its ring: level for ``ring_mm`` behind its rim, then falling ever steeper by 6 mm."""
    floor = cosine_dish(EDGE_Y - ring_mm)
    return labelled(lambda points: (points[..., 2] < floor(points)) & (points[..., 1] < EDGE_Y), turn, shift)


def cosine_dish(inner_y: float):
    """Half a cosine from the level of the rim at ``inner_y`` to 6 mm below it, 12 mm further back."""
    return lambda points: EDGE_Z - 3.0 * (1.0 - np.cos(np.pi * np.clip((inner_y - points[..., 1]) / 12.0, 0.0, 1.0)))


def climbing(points: np.ndarray) -> np.ndarray:
    """What a surface without a ring makes of that plate: through the middle of the slope and on beyond it."""
    return EDGE_Z + 0.7 * (points[..., 1] - (EDGE_Y - 4.0))


@pytest.mark.parametrize("shift", [(0.0, 0.0, 0.2), (0.3, 0.5, 0.5), (0.6, 0.1, 0.9)])
@pytest.mark.parametrize("ring_mm", [2.5, 3.0])
def test_a_steep_dish_climbs_no_further_than_the_ring_that_is_seen(ring_mm, shift):
    """The surface reaches 2.8 mm above the ring at the wall. Along the layers half a voxel is open, and half of one more."""
    voxels = collapsed(shift=shift, ring_mm=ring_mm)
    rim = find_rim(SmoothPlate(climbing, +1, 0.0, 0.1), voxels, EDGE_Y - 1.5, +1, HEIGHT_MM)
    assert abs(rim[2] - EDGE_Z) <= 0.6


@pytest.mark.parametrize("turn", [(5, 3, 4), (-7, 5, 3), (4, -9, 12)])
def test_a_steep_dish_without_a_ring_keeps_its_sharp_rim(turn):
    """It is held by the bone beside it, too: on a turned grid some voxel reaches far enough into the rim."""
    slope = 0.8
    plate = SmoothPlate(plate_height(slope), +1, 0.0, 0.0)
    rim = find_rim(plate, block(slope, 0.1, turn), EDGE_Y - 0.4, +1, HEIGHT_MM)
    assert abs(rim[2] - EDGE_Z) < 0.2


def wavy(seed: int) -> Voxels:
    """A block whose surfaces are rough by half a millimetre over some 5 mm, as real bone is, each seed in its own way."""
    smooth = block(0.3, 0.1, (5, 3, 4))
    random = np.random.default_rng(seed)
    points = smooth.shape.distance.to_ras(np.argwhere(np.ones(smooth.shape.mask.shape, bool)))
    noise = ndimage.gaussian_filter(random.normal(size=(2, *smooth.shape.mask.shape)), (0, 2, 2, 2))
    up, forth = (wave.ravel() * 0.5 / wave.std() for wave in noise)
    inside = (points[:, 2] < plate_height(0.3)(points) + up) & (
        points[:, 1] < EDGE_Y - 0.1 * (points[:, 2] - EDGE_Z) + forth
    )
    return Voxels(Shape(smooth.shape.distance, inside.reshape(smooth.shape.mask.shape)), UPRIGHT)


def test_a_rough_label_is_believed_less_to_the_letter():
    blocks = [wavy(seed) for seed in range(8)]
    off = {
        misfit: np.array([rim_of(voxels, 0.3, misfit_mm=misfit)[1:] - [EDGE_Y, EDGE_Z] for voxels in blocks])
        for misfit in (0.0, 0.3)
    }
    spread = {misfit: np.sqrt(np.mean(errors[:, 1] ** 2)) for misfit, errors in off.items()}
    assert spread[0.3] < 0.15
    assert spread[0.3] < spread[0.0]


def test_without_bone_there_is_no_rim():
    empty = block(0.0, 0.0)
    nothing = Voxels(Shape(empty.shape.distance, np.zeros_like(empty.shape.mask)), UPRIGHT)
    with pytest.raises(NotReadable, match="rim"):
        rim_of(nothing, 0.0)
