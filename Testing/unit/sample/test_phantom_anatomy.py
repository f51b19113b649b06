"""The phantom is anatomy: rings, foramina, joints and pedicles are where they belong."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy import ndimage

from VertebralAugmentationPlannerLib.model import LEVELS
from VertebralAugmentationPlannerLib.sample import SAMPLES, SpinePhantom, healthy_spine

ALL_LEVELS = tuple(level for level in LEVELS if level not in ("T13", "L6"))
STEP_MM = 0.25


def random_points(phantom: SpinePhantom, level: str, count: int = 30_000) -> np.ndarray:
    low, high = phantom.local_box(level)
    return phantom.vertebrae[level].frame.to_ras(np.random.default_rng(5).uniform(low, high, (count, 3)))


def pedicle_section(phantom: SpinePhantom, level: str, side: str, along: float) -> float:
    """Area, mm², of the bone that holds the pedicle's axis, in the plane across it ``along`` mm from the isthmus."""
    placed = phantom.vertebrae[level]
    tube = placed.pedicles[side]
    axis = np.arange(-14.0, 14.01, STEP_MM)
    u, v = np.meshgrid(axis, axis, indexing="ij")
    points = tube.centre + along * tube.axis + u[..., None] * tube.across + v[..., None] * tube.upward
    pieces, _ = ndimage.label(phantom.inside_bone(placed.frame.to_ras(points), level))
    middle = pieces[len(axis) // 2, len(axis) // 2]
    assert middle > 0
    return float(np.sum(pieces == middle) * STEP_MM**2)


@pytest.mark.parametrize("level", ALL_LEVELS)
def test_the_isthmus_is_the_named_ellipse_and_the_narrowest_place(whole_spine: SpinePhantom, level: str) -> None:
    shape = whole_spine.shape(level).left
    expected = np.pi / 4 * shape.isthmus_width_mm * shape.isthmus_height_mm
    areas = [pedicle_section(whole_spine, level, "left", along) for along in (-4.0, -2.0, 0.0, 2.0, 4.0)]
    assert areas[2] == pytest.approx(expected, rel=0.02)
    assert min(areas) >= 0.98 * expected


def test_neighbours_never_share_a_point(whole_spine: SpinePhantom) -> None:
    for upper, lower in pairwise(ALL_LEVELS):
        points = random_points(whole_spine, upper)
        both = whole_spine.inside_bone(points, upper) & whole_spine.inside_bone(points, lower)
        assert not both.any(), (upper, lower)


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_fractured_neighbours_never_share_a_point(name: str) -> None:
    phantom = SAMPLES[name].build()
    for upper, lower in pairwise(phantom.levels):
        points = random_points(phantom, upper)
        assert not (phantom.inside_bone(points, upper) & phantom.inside_bone(points, lower)).any(), (upper, lower)


def test_the_canal_holds_no_bone(whole_spine: SpinePhantom) -> None:
    for level in ALL_LEVELS:
        points = random_points(whole_spine, level)
        assert not (whole_spine.inside_bone(points, level) & whole_spine.inside_canal(points)).any(), level


def slab(phantom: SpinePhantom, level: str, z_mm: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bone of all levels in the plane at local height z_mm, and the local x and y of its rows and columns."""
    placed = phantom.vertebrae[level]
    x, y = np.arange(-40.0, 40.01, 0.4), np.arange(-60.0, 25.01, 0.4)
    points = np.stack([*np.meshgrid(x, y, indexing="ij"), np.full((len(x), len(y)), z_mm)], axis=-1)
    return phantom.inside_bone(placed.frame.to_ras(points)), x, y


def reaches_outside(bone: np.ndarray, x: np.ndarray, y: np.ndarray, canal_y: float) -> bool:
    """Whether one can walk from the canal's centre to the picture's edge without crossing bone."""
    free, _ = ndimage.label(~bone)
    return bool(free[np.argmin(abs(x)), np.argmin(abs(y - canal_y))] == free[0, -1])


@pytest.mark.parametrize("level", ALL_LEVELS[1:-1])
def test_the_ring_is_closed_behind_the_pedicles_and_the_foramina_are_open(
    whole_spine: SpinePhantom, level: str
) -> None:
    placed = whole_spine.vertebrae[level]
    shape = placed.shape
    canal_y = placed.arch.wall_y - shape.canal_gap_mm - 0.5 * shape.canal_depth_mm
    pedicle = placed.pedicles["left"]
    low = float(pedicle.centre[2]) - 0.3 * shape.left.isthmus_height_mm
    assert not reaches_outside(*slab(whole_spine, level, low), canal_y)
    foramen = -0.5 * shape.posterior_height_mm + 1.0
    assert reaches_outside(*slab(whole_spine, level, foramen), canal_y)


def test_facet_joints_are_narrow_gaps_between_two_bones(whole_spine: SpinePhantom) -> None:
    for upper, lower in pairwise(ALL_LEVELS):
        placed = whole_spine.vertebrae[upper]
        for side in ("left", "right"):
            joint = placed.arch.joints_below[side]
            reach = np.linspace(-3.0, 3.0, 121)
            line = placed.frame.to_ras(joint.centre + reach[:, None] * joint.normal)
            behind, front = whole_spine.inside_bone(line, upper), whole_spine.inside_bone(line, lower)
            assert behind[-1] or behind[80:].any(), (upper, lower, side)
            assert front[:40].any(), (upper, lower, side)
            gap = reach[behind].min() - reach[front].max()
            assert gap == pytest.approx(joint.gap_mm, abs=0.11)


def test_spinous_processes_point_backwards_and_down(whole_spine: SpinePhantom) -> None:
    for level in ALL_LEVELS:
        spinous = whole_spine.vertebrae[level].arch.bars[-1]
        way = spinous.end - spinous.start
        assert way[1] < -15.0, level
        assert way[2] < 0.0, level


def test_left_is_left(whole_spine: SpinePhantom) -> None:
    for placed in whole_spine.vertebrae.values():
        assert placed.frame.to_ras(placed.pedicles["left"].centre)[0] < 0.0
        assert placed.frame.to_ras(placed.pedicles["right"].centre)[0] > 0.0


def test_a_pedicles_axis_leads_into_the_body_towards_the_midline(whole_spine: SpinePhantom) -> None:
    for level, placed in whole_spine.vertebrae.items():
        for tube in placed.pedicles.values():
            tip = tube.centre + 14.0 * tube.axis
            assert abs(tip[0]) < abs(tube.centre[0]), level
            assert placed.body.distance(tip[None, :])[0] < 0.0, level


def test_clearance_to_canal_and_bone_agrees_with_a_fine_grid() -> None:
    phantom = healthy_spine(("L1", "L2", "L3"))
    placed = phantom.vertebrae["L2"]
    tube = placed.pedicles["right"]
    grid, depth = phantom.fine_distance("L2", 0.4, (tube.centre - 12.0, tube.centre + 12.0))
    along = np.linspace(-1.0, 1.0, 5)[:, None] * tube.axis
    centres = tube.centre + along
    assert grid.sample(depth, centres) == pytest.approx(0.5 * tube.shape.isthmus_width_mm, abs=0.35)
    outside = placed.frame.to_ras(np.array([[0.0, placed.arch.wall_y - 10.0, 0.0]]))
    assert phantom.inside_canal(outside).all()
    towards = centres[2] - np.array([0.5 * tube.shape.isthmus_width_mm, 0.0, 0.0])
    assert 0.0 < phantom.distance_to_canal(placed.frame.to_ras(towards[None, :]))[0] < 3.0


def test_a_spine_can_be_scoliotic_and_rotated() -> None:
    phantom = healthy_spine(("T11", "T12", "L1", "L2"), lateral_deg=6.0, axial_deg=4.0, rotation_deg=(5.0, 10.0, 20.0))
    for upper, lower in pairwise(phantom.levels):
        points = random_points(phantom, upper)
        assert not (phantom.inside_bone(points, upper) & phantom.inside_bone(points, lower)).any()
        assert not (phantom.inside_bone(points, upper) & phantom.inside_canal(points)).any()
    tilt = phantom.vertebrae["T11"].frame.superior @ phantom.vertebrae["L2"].frame.superior
    assert np.degrees(np.arccos(tilt)) > 12.0
