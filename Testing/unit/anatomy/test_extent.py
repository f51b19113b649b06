"""Walls of hand-made bodies, told by binary voxels on grids that run along them, across them and between."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from VertebralAugmentationPlannerLib.anatomy.extent import mid_walls, width_mm, with_midline_wall
from VertebralAugmentationPlannerLib.anatomy.rims import Voxels
from VertebralAugmentationPlannerLib.anatomy.surface import Shape
from VertebralAugmentationPlannerLib.model import EndPlate, Frame, Image, LocalGrid

DEPTH, WIDTH = 32.0, 44.0
FRAME = Frame(np.zeros(3), *np.eye(3))
GRIDS = ((0.0, 0.0), (0.0, 0.5), (0.0, 0.25), (9.0, 0.0), (20.0, 0.3))
"""Turn about each axis (degrees) and shift (mm)."""

ASKED_MM, CROSSED_MM = 0.5, 0.2
"""What is asked for, and what can be had where walls cross the layers of voxels instead of running along them."""

Solid = Callable[[np.ndarray], np.ndarray]


def voxels_of(solid: Solid, turn: float, shift: float, spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> Voxels:
    """The voxels whose centres lie in a solid of local points (…, 3), on a turned and shifted grid."""
    count = np.ceil(80.0 / np.array(spacing)).astype(int)
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", (turn, -0.7 * turn, 0.8 * turn), degrees=True).as_matrix() * spacing
    matrix[:3, 3] = shift - matrix[:3, :3] @ ((count - 1) / 2)
    index = np.moveaxis(np.indices(count), 0, -1)
    mask = solid(index @ matrix[:3, :3].T + matrix[:3, 3])
    return Voxels(Shape(Image(mask.astype(np.uint8), matrix), mask), FRAME)


def plate(anterior: float, posterior: float) -> EndPlate:
    """Rims at these heights; the surface itself is not asked for."""
    rims = [np.array([0.0, y, z]) for y, z in ((DEPTH / 2, anterior), (0.0, 0.0), (-DEPTH / 2, posterior))]
    nothing = np.zeros(1)
    return EndPlate(rims[0], rims[1], rims[2], np.array([0.0, 0.0, 1.0]), np.zeros((1, 1)), nothing, nothing)


def oval(anterior: float, posterior: float, bump: float = 0.0) -> Solid:
    """An upright oval cylinder with a waist of 10 %, wedged by its upper plate; its back bulges in the middle."""

    def solid(points: np.ndarray) -> np.ndarray:
        x, y, z = np.moveaxis(points, -1, 0)
        top = posterior / 2 - (posterior - anterior) * (y / DEPTH + 0.5)
        share = np.clip((z + posterior / 2) / np.maximum(top + posterior / 2, 1.0), 0.0, 1.0)
        waist = 1.0 - 0.4 * share * (1.0 - share)
        bulge = bump * np.exp(-0.5 * (x / 6.0) ** 2 - 0.5 * (z / 4.0) ** 2)
        # Straight behind: a back wall along a layer of voxels is the hardest to place.
        back = np.abs(x) < 9.0
        y = np.where(back & (y < 0), np.minimum(y + bulge, 0.0), y)
        radius = (
            np.where(y < 0, np.abs(2 * y / DEPTH) ** 4, np.abs(2 * y / DEPTH) ** 2.5) + np.abs(2 * x / WIDTH) ** 2.5
        )
        return (radius <= waist**2.5) & (z < top) & (z > -posterior / 2)

    return solid


def crossing(solid: Solid, start: tuple[float, float, float], way: tuple[float, float, float]) -> float:
    """How far from a point inside a solid its surface lies, mm."""
    steps = np.arange(0.0, 60.0, 0.005)
    inside = solid(np.array(start) + steps[:, None] * np.array(way))
    return float(steps[int(np.argmin(inside))])


@pytest.mark.parametrize(("turn", "shift"), GRIDS)
def test_the_width_does_not_depend_on_the_grid(turn, shift):
    body = oval(28.0, 28.0)
    truth = 2 * crossing(body, (0.0, 0.0, 0.0), (1.0, 0.0, 0.0))
    found = width_mm(voxels_of(body, turn, shift), plate(14.0, 14.0), plate(-14.0, -14.0), (-20.0, 20.0))
    assert found == pytest.approx(truth, abs=CROSSED_MM if turn else ASKED_MM)


@pytest.mark.parametrize(("turn", "shift"), GRIDS)
@pytest.mark.parametrize(("anterior", "posterior"), [(28.0, 28.0), (16.0, 28.0), (8.0, 22.0)])
def test_the_depth_of_a_wedge_is_that_of_its_walls_on_any_grid(turn, shift, anterior, posterior):
    """A level line would leave the front of a collapsed body through its upper end plate."""
    body = oval(anterior, posterior)
    top = posterior / 2 - (posterior - anterior)
    upper, lower = plate(top, posterior / 2), plate(-posterior / 2, -posterior / 2)
    slope = (top - posterior / 2) / 2 / DEPTH
    middle = (0.0, 0.0, (top - posterior / 2) / 4)
    truth = [-crossing(body, middle, (0.0, -1.0, -slope)), crossing(body, middle, (0.0, 1.0, slope))]
    found = mid_walls(voxels_of(body, turn, shift), upper, lower, WIDTH)
    assert found == pytest.approx(truth, abs=CROSSED_MM if turn else ASKED_MM)


@pytest.mark.parametrize(("turn", "shift"), GRIDS)
@pytest.mark.parametrize("bump", [0.0, 4.0])
def test_a_bulge_of_the_posterior_wall_keeps_its_height(turn, shift, bump):
    body, flat = oval(28.0, 28.0, bump), oval(28.0, 28.0)
    grid = LocalGrid(np.array([-24.0, -24.0, -20.0]), 0.8, (61, 61, 51))
    rough = np.full((61, 51), -DEPTH / 2 + 1.0)
    rims = plate(14.0, 14.0), plate(-14.0, -14.0)
    seen = with_midline_wall(rough, voxels_of(body, turn, shift), grid, *rims)
    middle = int(np.argmin(np.abs(grid.axes[0])))
    for level in np.flatnonzero(np.abs(grid.axes[2]) < 9.0)[::4]:
        truth = -crossing(body, (0.0, 0.0, float(grid.axes[2][level])), (0.0, -1.0, 0.0))
        assert seen[middle, level] == pytest.approx(truth, abs=ASKED_MM)
    level = int(np.argmin(np.abs(grid.axes[2])))
    hollow = crossing(flat, (0.0, 0.0, 0.0), (0.0, -1.0, 0.0))
    assert -seen[middle, level] - hollow == pytest.approx(bump, abs=ASKED_MM)
    assert np.array_equal(seen[np.abs(grid.axes[0]) > 5.0], rough[np.abs(grid.axes[0]) > 5.0])


def test_no_wall_is_made_up_where_there_is_none():
    everywhere = voxels_of(lambda points: np.ones(points.shape[:-1], bool), 0.0, 0.0)
    assert mid_walls(everywhere, plate(14.0, 14.0), plate(-14.0, -14.0), WIDTH) is None
