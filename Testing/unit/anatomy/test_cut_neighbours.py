"""What is left of a neighbour at the border says nothing about a whole vertebra, nor does a lone one need a curve."""

from __future__ import annotations

import numpy as np
import pytest
from anatomy_readings import heights, labels_only
from VertebralAugmentationPlannerLib.anatomy import build_spine
from VertebralAugmentationPlannerLib.model import Image
from VertebralAugmentationPlannerLib.sample import TOTALSEGMENTATOR


@pytest.fixture(scope="module")
def spine(phantom_case):
    """T10–L2; i, j, k run right, anterior, superior."""
    return phantom_case("t12-wedge")[0].labels


def of_level(labels: Image, level: str) -> np.ndarray:
    return np.argwhere(labels.voxels == TOTALSEGMENTATOR[level])


@pytest.fixture(scope="module")
def whole(spine):
    """Heights of L1 among whole neighbours."""
    return heights(build_spine(labels_only(spine, TOTALSEGMENTATOR), ("L1",)).vertebrae["L1"])


def test_a_neighbour_of_which_only_the_process_is_left_does_not_turn_a_whole_vertebra(spine, whole):
    voxels, k = spine.voxels.copy(), np.indices(spine.voxels.shape)[2]
    last = of_level(spine, "L1")[:, 2].max() + 3
    # Of T12 only its process below the border is left: 30 mm behind the body, as in a scan that begins at L1.
    back = np.percentile(of_level(spine, "T12")[:, 1], 15)
    voxels[(voxels == TOTALSEGMENTATOR["T12"]) & (np.indices(voxels.shape)[1] > back)] = 0
    voxels[(k > last) | ~np.isin(voxels, [TOTALSEGMENTATOR[level] for level in ("T12", "L1")])] = 0
    case = labels_only(Image(voxels[:, :, : last + 1], spine.ijk_to_ras), TOTALSEGMENTATOR)
    assert list(case.level_values) == ["T12", "L1"]
    vertebrae = build_spine(case).vertebrae
    assert not vertebrae["T12"].complete
    assert "cut by the superior border" in vertebrae["T12"].incomplete_reason
    assert heights(vertebrae["L1"]) == pytest.approx(whole, abs=0.2)


@pytest.mark.parametrize("lean_deg", [-40, 40])
def test_a_vertebra_alone_is_read_however_it_leans(spine, whole, lean_deg):
    voxels = np.where(spine.voxels == TOTALSEGMENTATOR["L1"], spine.voxels, 0)
    lean = np.eye(4)
    c, s = np.cos(np.radians(lean_deg)), np.sin(np.radians(lean_deg))
    lean[1:3, 1:3] = [[c, s], [-s, c]]
    case = labels_only(Image(voxels, lean @ spine.ijk_to_ras), TOTALSEGMENTATOR)
    assert heights(build_spine(case).vertebrae["L1"]) == pytest.approx(whole, abs=0.2)
