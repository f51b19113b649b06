"""The canal of rings whose hole is known."""

from __future__ import annotations

import numpy as np
import pytest
from VertebralAugmentationPlannerLib.anatomy.canal import CanalNotFound, find_canal, projected_hole
from VertebralAugmentationPlannerLib.model import LocalGrid

GRID = LocalGrid(np.array([-30.4, -30.4, -10.4]), 0.8, (77, 77, 27))
RADIUS_MM = 9.0


def ring(wall_mm, radius_mm=RADIUS_MM):
    """Signed distance, positive inside, of a tube of bone around the vertical axis; and how far each point lies off it."""
    off_axis = np.hypot(*np.moveaxis(GRID.points()[..., :2], -1, 0))
    return np.minimum(off_axis - radius_mm, radius_mm + wall_mm - off_axis).astype(np.float32), off_axis


@pytest.mark.parametrize("wall_mm", [6.0, 2.0, 1.2])
def test_the_canal_is_the_hole_of_the_ring_however_thin_its_wall(wall_mm):
    bone, off_axis = ring(wall_mm)
    canal = find_canal(bone, GRID, projected_hole(bone, GRID))
    assert canal.closed.all()
    assert np.array_equal(canal.field > 0, off_axis < RADIUS_MM)


def test_a_ring_of_which_every_slice_holds_a_half_is_closed_by_its_neighbours():
    bone, off_axis = ring(3.0)
    x, _, z = np.moveaxis(GRID.points(), -1, 0)
    upper = z > 0
    bone[upper & (x > 0)] = -2.0
    bone[~upper & (x < 0)] = -2.0
    canal = find_canal(bone, GRID, np.zeros(2))
    middle = np.abs(GRID.axes[2]) < 2.0
    assert canal.closed[middle].all()
    inside = off_axis[:, :, middle] < RADIUS_MM - GRID.spacing_mm
    assert (canal.field[:, :, middle] > 0)[inside].all()
    assert not (canal.field[:, :, middle] > 0)[off_axis[:, :, middle] > RADIUS_MM + GRID.spacing_mm].any()


def test_a_hole_too_wide_for_a_canal_is_none():
    bone, _ = ring(3.0, radius_mm=20.0)
    with pytest.raises(CanalNotFound):
        find_canal(bone, GRID, np.zeros(2))


@pytest.mark.parametrize(
    ("hollow_mm", "seen"), [(1.0, "the body alone"), (4.0, "the body alone"), (None, "no ring of bone")]
)
def test_a_body_without_its_arch_is_named_as_such_and_an_open_ring_is_not(hollow_mm, seen):
    """A body of 44 × 30 mm whose back wall is hollow by so much; None: a ring that lacks its back quarter."""
    x, y, _ = np.moveaxis(GRID.points(), -1, 0)
    bone = np.minimum(1.0 - np.hypot(x / 22.0, y / 15.0), 1.0) * 15.0
    if hollow_mm is None:
        bone = ring(6.0)[0]
        bone[(y < 0) & (np.abs(x) < -y)] = -2.0
    else:
        bone = np.minimum(bone, np.hypot(x, y + 15.0 + 12.0 - hollow_mm) - 12.0)
    with pytest.raises(CanalNotFound, match=seen):
        projected_hole(bone.astype(np.float32), GRID)
