"""Line integrals against solids of known chord and against an independent, slow ray caster."""

import numpy as np
import pytest
from scipy import ndimage

from VertebralAugmentationPlannerLib.imaging import CArmPose
from VertebralAugmentationPlannerLib.imaging.projection import WATER_PER_MM, attenuation_of, line_integrals
from VertebralAugmentationPlannerLib.model import Image, InputError

POSES = [(0, 0), (30, 20), (44, -20), (-90, 10), (70, 0), (-135, 5)]
SPHERE_CENTRE, SPHERE_RADIUS = np.array([5.0, -3.0, 7.0]), 20.0


def volume(values_of, size=(120, 140, 120), spacing=1.0):
    first = -spacing * (np.array(size) - 1) / 2
    points = np.stack(np.meshgrid(*[np.arange(n) for n in size], indexing="ij"), axis=-1) * spacing + first
    matrix = np.diag([spacing] * 3 + [1.0])
    matrix[:3, 3] = first
    return Image(values_of(points).astype(np.float32), matrix)


@pytest.fixture(scope="module")
def sphere():
    """A ball of 1000 HU, twice as dense as water, in air; its edge is smooth over one voxel."""

    def hu(points):
        cover = np.clip(SPHERE_RADIUS + 0.5 - np.linalg.norm(points - SPHERE_CENTRE, axis=-1), 0, 1)
        return 2000 * cover - 1000

    return volume(hu)


def ray_cast(volume_, pose, pixels, step=0.2):
    """Independent: walks along each ray in small steps and looks the volume up where it is."""
    totals = []
    for pixel in pixels:
        ray = pose.rays(pixel)
        length = np.linalg.norm(ray)
        at = np.arange(step / 2, length, step)
        index = (pose.source_ras + at[:, None] / length * ray - volume_.first_ras) / volume_.spacing_mm
        totals.append(ndimage.map_coordinates(volume_.values, index.T, order=1, mode="grid-constant").sum() * step)
    return np.array(totals)


@pytest.mark.parametrize("angles", POSES)
def test_a_ray_through_a_balls_middle_crosses_its_diameter(sphere, angles):
    attenuation = attenuation_of(sphere, np.zeros(3), 60, 1.0)
    image = line_integrals(attenuation, CArmPose(*angles, isocentre_ras=SPHERE_CENTRE, size_px=257, detector_mm=150))
    assert image[128, 128] / (2 * WATER_PER_MM) == pytest.approx(2 * SPHERE_RADIUS, rel=0.01)


@pytest.mark.parametrize("angles", POSES)
def test_a_balls_chords_and_its_magnified_outline_are_those_of_geometry(sphere, angles):
    attenuation = attenuation_of(sphere, np.zeros(3), 60, 1.0)
    pose = CArmPose(*angles, isocentre_ras=SPHERE_CENTRE, size_px=257, detector_mm=150)
    image = line_integrals(attenuation, pose) / (2 * WATER_PER_MM)
    columns, rows = np.meshgrid(np.arange(257), np.arange(257))
    rays = pose.rays(np.stack([columns, rows], axis=-1))
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    offset = SPHERE_CENTRE - pose.source_ras
    away = np.linalg.norm(offset - (rays @ offset)[..., None] * rays, axis=-1)
    chord = 2 * np.sqrt(np.maximum(SPHERE_RADIUS**2 - away**2, 0))
    well_inside = away < SPHERE_RADIUS - 2
    assert np.abs(image - chord)[well_inside].max() < 0.8
    # Interpolation smears the edge by at most two voxels.
    assert image[away > SPHERE_RADIUS + 2.5].max() < 1e-3
    # The outline where the chord is half the diameter, as magnified by the perspective.
    assert (image > SPHERE_RADIUS).sum() == pytest.approx((chord > SPHERE_RADIUS).sum(), rel=0.01)


@pytest.mark.parametrize("angles", POSES)
@pytest.mark.parametrize("patient", ["prone", "supine"])
def test_the_fast_method_agrees_with_a_slow_ray_caster(angles, patient):
    rng = np.random.default_rng(3)
    noise = ndimage.gaussian_filter(rng.normal(size=(90, 100, 80)), 1.5)
    image = volume(lambda points: 400 * noise / noise.std(), (90, 100, 80))
    attenuation = attenuation_of(image, np.zeros(3), 40, 1.0, in_tissue=False)
    # The repeated end slices are part of what both see.
    pose = CArmPose(*angles, isocentre_ras=np.array([4.0, 2.0, -3.0]), size_px=128, detector_mm=110, patient=patient)
    fast = line_integrals(attenuation, pose)
    pixels = rng.integers(4, 124, size=(60, 2))
    slow = ray_cast(attenuation, pose, pixels.astype(float))
    difference = fast[pixels[:, 1], pixels[:, 0]] - slow
    assert np.abs(difference).max() < 0.02 * slow.mean()
    assert np.corrcoef(fast[pixels[:, 1], pixels[:, 0]], slow)[0, 1] > 0.995


def test_voxel_order_and_direction_do_not_change_the_picture(sphere):
    pose = CArmPose(25, -10, isocentre_ras=np.zeros(3), size_px=128, detector_mm=150)
    straight = line_integrals(attenuation_of(sphere, np.zeros(3), 50, 1.0), pose)
    flipped = sphere.voxels[::-1].transpose(2, 0, 1)
    matrix = sphere.ijk_to_ras @ np.array(
        [[0, -1, 0, sphere.voxels.shape[0] - 1], [0, 0, 1, 0], [1, 0, 0, 0], [0, 0, 0, 1]]
    )
    turned = line_integrals(attenuation_of(Image(flipped, matrix), np.zeros(3), 50, 1.0), pose)
    assert np.abs(turned - straight).max() < 1e-4


def test_a_finer_ct_gives_the_same_picture_on_the_same_grid():
    def hu(points):
        return 800 * np.clip(15.5 - np.linalg.norm(points - [2.0, 1.0, 0], axis=-1), 0, 1) - 1000 * (
            np.linalg.norm(points, axis=-1) > 30
        )

    pose = CArmPose(10, 5, isocentre_ras=np.zeros(3), size_px=128, detector_mm=120)
    pictures = [
        line_integrals(attenuation_of(volume(hu, (n,) * 3, spacing), np.zeros(3), 35, 1.5), pose)
        for n, spacing in ((72, 1.0), (144, 0.5))
    ]
    assert np.abs(pictures[0] - pictures[1]).max() < 0.04 * pictures[0].max()


def test_a_cropped_ct_stands_in_soft_tissue_and_its_edge_does_not_show():
    muscle = volume(lambda points: np.full(points.shape[:-1], 45.0), (60, 60, 60))
    attenuation = attenuation_of(muscle, np.zeros(3), 30, 1.0)
    assert attenuation.in_tissue
    pose = CArmPose(20, 10, isocentre_ras=np.zeros(3), size_px=64, detector_mm=200)
    assert np.abs(line_integrals(attenuation, pose)).max() < 1e-5


def test_a_ct_that_ends_in_air_on_its_sides_is_taken_as_it_is():
    trunk = volume(lambda p: np.where((p[..., 0] / 45) ** 2 + (p[..., 1] / 35) ** 2 < 1, 30.0, -1000.0), (100, 80, 40))
    attenuation = attenuation_of(trunk, np.zeros(3), 60, 1.0)
    assert not attenuation.in_tissue
    # The trunk goes on above and below the CT: a beam tilted by 20° sees the same tissue over and under the middle.
    pose = CArmPose(0, 20, isocentre_ras=np.zeros(3), size_px=65, detector_mm=100)
    column = line_integrals(attenuation, pose)[:, 32]
    assert column.min() > 0.9 * column.max()


def test_a_level_outside_the_ct_is_refused(sphere):
    with pytest.raises(InputError, match="does not reach"):
        attenuation_of(sphere, np.array([0.0, 0, 400]), 60, 1.0)
