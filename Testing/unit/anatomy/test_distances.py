"""What a needle must keep its distance from: the canal's label and every other bone of the spine."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from VertebralAugmentationPlannerLib.anatomy import build_spine
from VertebralAugmentationPlannerLib.anatomy.distances import (
    FAR_MM,
    LABEL_IN_BONE_SHARE,
    neighbour_distance,
    share_in_bone,
)
from VertebralAugmentationPlannerLib.model import Case, Frame, Image, Inputs, LocalGrid

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


def test_a_canal_label_that_ends_above_a_level_is_told_of_but_a_cord_ends_somewhere(phantom_case):
    case, _ = phantom_case("t12-wedge")
    mask = np.zeros(case.labels.voxels.shape, np.uint8)
    mask[tuple(np.argwhere(case.labels.voxels == case.level_values["T10"]).mean(axis=0).astype(int))] = 1
    for is_cord in (False, True):
        labelled = replace(case, canal=Image(mask, case.labels.ijk_to_ras), canal_is_cord=is_cord)
        notes = build_spine(labelled, ("L1",)).vertebrae["L1"].notes
        assert ("canal_label_ends" in [note.code for note in notes]) != is_cord


def test_a_canal_label_in_the_bone_is_told_of_and_one_that_touches_the_wall_is_not():
    """A label that lies beside the ring makes paths vanish: the pedicle must not be blamed for it."""
    x = np.broadcast_to(GRID.axes[0][:, None, None], GRID.shape)
    bone = x - 5.0  # its wall is at x = 5
    for right, told in ((5.5, False), (9.0, True)):
        label = np.minimum(x + 8.0, right - x)
        assert (share_in_bone(label, bone) > LABEL_IN_BONE_SHARE) is told
    assert share_in_bone(np.full(GRID.shape, -1.0), bone) == 0.0
