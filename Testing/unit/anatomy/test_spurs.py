"""Heights are read between the rims of the body itself: not on spurs, nor where a label holds a corner of its neighbour.

Every case is a phantom of known rims to which something is added that a reader of heights leaves out.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from anatomy_readings import heights, known_heights, labels_only
from VertebralAugmentationPlannerLib.anatomy import build_spine
from VertebralAugmentationPlannerLib.measurement.heights import doubtful_rims, foreign_rims
from VertebralAugmentationPlannerLib.model import Frame, Image
from VertebralAugmentationPlannerLib.sample import TOTALSEGMENTATOR

LEVEL, UPPER = "L1", "T12"


@pytest.fixture(scope="module")
def phantom(phantom_case):
    """Labels of T10–L2 at 1 mm, and the truth of every level."""
    case, truth = phantom_case("t12-wedge", shift=(0.3, 0.6, 0.2))
    return case.labels, truth


def beside(labels: Image, truth: dict, rim: str) -> np.ndarray:
    """(…, 3) where every voxel lies in a level's own frame, mm from one of its rims."""
    axes = truth["frame"]
    frame = Frame(
        np.array(truth["rim_points_ras"][rim]), *(np.array(axes[name]) for name in ("right", "anterior", "superior"))
    )
    index = np.argwhere(np.ones(labels.voxels.shape, bool))
    return frame.to_local(labels.to_ras(index)).reshape(*labels.voxels.shape, 3)


def read(labels: Image, voxels: np.ndarray, level: str):
    case = labels_only(Image(voxels, labels.ijk_to_ras), TOTALSEGMENTATOR)
    return build_spine(case, (level,)).vertebrae[level]


@pytest.mark.parametrize("half_width", [8.0, 14.0])
@pytest.mark.parametrize("length", [5.0, 8.0])
def test_a_beak_in_front_of_a_rim_is_no_part_of_the_height(phantom, half_width, length):
    """A spur 5 mm thick that leaves the front below the rim and climbs by 0.4 mm per mm above it."""
    labels, truth = phantom
    x, y, z = np.moveaxis(beside(labels, truth[LEVEL], "anterior_superior"), -1, 0)
    top = 0.4 * y
    spur = (np.abs(x) < half_width) & (y > -4.0) & (y < length) & (z < np.where(y > 0, top, -1.0)) & (z > top - 5.0)
    voxels = np.where((labels.voxels == 0) & spur, TOTALSEGMENTATOR[LEVEL], labels.voxels)
    assert (voxels != labels.voxels).sum() > 300
    vertebra = read(labels, voxels, LEVEL)
    assert np.abs(heights(vertebra) - known_heights(truth[LEVEL])).max() < 1.0
    rim = vertebra.frame.to_ras(vertebra.superior.anterior_rim)
    assert np.linalg.norm(rim - truth[LEVEL]["rim_points_ras"]["anterior_superior"]) < 1.5


@pytest.mark.parametrize(("deep", "planned"), [(5.0, True), (9.0, True), (9.0, False)])
def test_a_corner_of_the_neighbour_under_the_same_number_is_not_its_plate(phantom, deep, planned):
    """The back corner of T12, and the disc below it, are labelled L1: labels of networks touch like this. So does the neck, which
    no plan is made for: a real T1 read 0.6 mm too high in front, and its wedge 3° off."""
    labels, truth = phantom
    x, y, z = np.moveaxis(beside(labels, truth[LEVEL], "posterior_superior"), -1, 0)
    upper = labels.voxels == TOTALSEGMENTATOR[UPPER]
    corner = (
        (np.abs(x) < 12.0)
        & (y > -1.0)
        & (y < deep)
        & (z > -0.5)
        & (z < 12.0)
        & (upper | ((labels.voxels == 0) & (z < 8.0)))
    )
    voxels = np.where(corner, TOTALSEGMENTATOR[LEVEL], labels.voxels)
    assert (corner & upper).sum() > 500
    case = labels_only(Image(voxels, labels.ijk_to_ras), TOTALSEGMENTATOR)
    if not planned:
        values = dict(case.level_values)
        case = replace(case, other_values={UPPER: values.pop(UPPER)}, level_values=values)
    vertebra = build_spine(case, (LEVEL,)).vertebrae[LEVEL]
    assert np.abs(heights(vertebra) - known_heights(truth[LEVEL])).max() < 1.0
    assert foreign_rims(vertebra) == ("the posterior rim of the superior end plate",)


def test_a_sound_label_raises_no_doubt(phantom):
    labels, _ = phantom
    vertebra = read(labels, labels.voxels, LEVEL)
    assert foreign_rims(vertebra) == ()
    assert doubtful_rims(vertebra) == ()


def test_a_crumb_beyond_a_gap_does_not_end_a_column(phantom):
    """Bone that bridges the front of the disc and is joined to the body at both sides only."""
    labels, truth = phantom
    x, y, z = np.moveaxis(beside(labels, truth["L2"], "anterior_superior"), -1, 0)
    crumb = (np.abs(x) < 14.0) & (y > -14.0) & (y < 2.0) & (z > 3.0) & (z < 6.0)
    stalk = (np.abs(x) > 11.0) & (np.abs(x) < 14.0) & (y > -14.0) & (y < 0.0) & (z > -4.0) & (z < 6.0)
    voxels = np.where((labels.voxels == 0) & (crumb | stalk), TOTALSEGMENTATOR["L2"], labels.voxels)
    assert np.abs(heights(read(labels, voxels, "L2")) - known_heights(truth["L2"])).max() < 1.0
