"""Where the search for a pedicle begins and ends, on bones drawn as distances."""

from __future__ import annotations

import numpy as np
import pytest
from VertebralAugmentationPlannerLib.anatomy.body import Body
from VertebralAugmentationPlannerLib.anatomy.canal import Canal
from VertebralAugmentationPlannerLib.anatomy.pedicles import PedicleNotFound, find_pedicle
from VertebralAugmentationPlannerLib.anatomy.surface import Shape
from VertebralAugmentationPlannerLib.model import Frame, Image, LocalGrid, Pedicle

FRAME = Frame(np.zeros(3), *np.eye(3))
GRID = LocalGrid(np.array([-30.0, -30.0, -22.0]), 0.8, (76, 86, 56))
PEDICLE_X, BODY_Y, CANAL_Y = 15.0, 20.0, -4.0


def bar(points: np.ndarray, start: tuple, end: tuple, radius: float, waist: float = 0.0) -> np.ndarray:
    """Depth in a round bar that is slimmer in its middle."""
    a, way = np.array(start), np.subtract(end, start)
    along = np.clip((points - a) @ way / (way @ way), 0.0, 1.0)
    return radius - waist * 4 * along * (1 - along) - np.linalg.norm(points - a - along[..., None] * way, axis=-1)


def measured(pedicle_radius: float, arch_radius: float) -> Pedicle:
    """The right pedicle of a ball-shaped body on two straight pedicles, closed behind by a bar."""
    points = GRID.points()
    body = 16.0 - np.linalg.norm((points - [0.0, BODY_Y, 0.0]) * [0.75, 1.0, 1.0], axis=-1)
    bone = body
    for side in (-1, 1):
        x = side * PEDICLE_X
        bone = np.maximum(bone, bar(points, (x, -10.0, 3.0), (x, BODY_Y, 3.0), pedicle_radius + 1.0, 1.0))
    bone = np.maximum(bone, bar(points, (-PEDICLE_X, -12.0, 0.0), (PEDICLE_X, -12.0, 0.0), arch_radius))
    count = GRID.shape[2]
    line = np.tile([0.0, CANAL_Y], (count, 1))
    canal = Canal(-bone, np.array([0.0, CANAL_Y, 0.0]), line, np.ones(count, bool))
    core = Body(body > 0, np.full((GRID.shape[0], count), 5.0), (8, count - 9), np.array([0.0, BODY_Y, 0.0]))
    matrix = np.diag([0.8, 0.8, 0.8, 1.0])
    matrix[:3, 3] = GRID.first_mm
    return find_pedicle(bone, GRID, canal, core, "right", Shape(Image(bone, matrix), bone > 0), FRAME)


@pytest.mark.parametrize(("pedicle", "arch"), [(2.0, 6.0), (4.0, 6.0), (4.0, 3.5)])
def test_the_isthmus_is_found_whether_the_arch_is_thicker_or_slimmer_than_the_pedicle(pedicle, arch):
    found = measured(pedicle, arch)
    assert found.isthmus_width_mm == pytest.approx(2 * pedicle, abs=0.5)
    assert found.isthmus_height_mm == pytest.approx(2 * pedicle, abs=0.5)
    assert found.centre[[0, 2]] == pytest.approx([PEDICLE_X, 3.0], abs=0.3)
    assert -6.0 < found.centre[1] < 10.0
    assert found.axis == pytest.approx([0.0, 1.0, 0.0], abs=0.05)


def test_a_bridge_of_a_voxel_is_no_pedicle():
    with pytest.raises(PedicleNotFound, match="bridge"):
        measured(0.2, 6.0)
