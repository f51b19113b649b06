"""What a needle must keep its distance from: the canal's label and every other bone of the spine."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from VertebralAugmentationPlannerLib.anatomy.canal import Canal
from VertebralAugmentationPlannerLib.anatomy.distances import FAR_MM, neighbour_distance, with_label
from VertebralAugmentationPlannerLib.model import Case, Frame, Image, Inputs, LocalGrid, PlanWarning

FRAME = Frame(np.zeros(3), *np.eye(3))
GRID = LocalGrid(np.full(3, -16.0), 0.8, (41, 41, 41))


@pytest.mark.parametrize(("name", "value"), [("S1", 26), ("sacrum", 25), ("C7", 50), ("L4", 28)])
def test_neck_and_sacrum_are_neighbours_as_the_levels_are(name, value):
    """A needle into L5 was 10 mm inside the labelled S1, and its plan said that the next neighbour was 9.6 mm away."""
    voxels = np.zeros((40, 40, 40), np.uint8)
    voxels[:, :, :8] = value  # its top lies at z = −12.5 mm
    voxels[16:24, 16:24, 16:24] = 27
    matrix = np.eye(4)
    matrix[:3, 3] = -20.0
    level = name == "L4"
    case = Case(
        None,
        Image(voxels, matrix),
        {"L5": 27, **({name: value} if level else {})},
        Inputs(None, None),
        other_values={} if level else {name: value},
    )
    distance = neighbour_distance(case, "L5", FRAME, GRID)
    up = GRID.axes[2]
    np.testing.assert_allclose(distance[20, 20], up + 12.5, atol=0.8)
    alone = replace(case, level_values={"L5": 27}, other_values={})
    assert np.all(neighbour_distance(alone, "L5", FRAME, GRID) == FAR_MM)


@pytest.mark.parametrize(
    ("above_mm", "is_cord", "told"), [(60.0, False, True), (60.0, True, False), (0.0, False, False)]
)
def test_a_canal_label_that_ends_above_a_level_is_told_of_but_a_cord_ends_somewhere(above_mm, is_cord, told):
    matrix = np.eye(4)
    matrix[:3, 3] = (-4.0, -4.0, above_mm)
    case = Case(
        None,
        Image(np.zeros((8, 8, 8), np.uint8), matrix),
        {},
        Inputs(None, None),
        canal=Image(np.ones((8, 8, 40), np.uint8), matrix),
        canal_is_cord=is_cord,
    )
    ring = Canal(np.full(GRID.shape, -1.0), np.zeros(3), np.zeros((41, 2)), np.ones(41, bool))
    notes: list[PlanWarning] = []
    canal = with_label(ring, case, "L1", FRAME, GRID, np.full(GRID.shape, -1.0), notes)
    assert [note.code for note in notes] == (["canal_label_ends"] if told else [])
    assert (canal is ring) == (above_mm > 0.0)


@pytest.mark.parametrize(("wall", "told"), [(5.0, False), (2.0, True)])
def test_a_canal_label_in_the_bone_is_told_of_and_one_that_touches_the_wall_is_not(wall, told):
    """A label that lies beside the ring makes paths vanish: the pedicle must not be blamed for it."""
    matrix = np.eye(4)
    matrix[:3, 3] = (-5.0, -5.0, -30.0)
    label = Image(np.ones((11, 11, 60), np.uint8), matrix)  # as far as 5 mm to the right
    case = Case(None, Image(np.zeros((8, 8, 8), np.uint8), matrix), {}, Inputs(None, None), canal=label)
    ring = Canal(np.full(GRID.shape, -1.0), np.zeros(3), np.zeros((41, 2)), np.ones(41, bool))
    bone = np.broadcast_to(GRID.axes[0][:, None, None] - wall, GRID.shape)
    notes: list[PlanWarning] = []
    with_label(ring, case, "L1", FRAME, GRID, bone, notes)
    assert [note.code for note in notes] == (["canal_label_in_bone"] if told else [])
