"""A label that is no whole vertebra ends with a reason, never with a crash or with numbers."""

from __future__ import annotations

import numpy as np
import pytest
from anatomy_readings import labels_only
from VertebralAugmentationPlannerLib.anatomy import build_spine
from VertebralAugmentationPlannerLib.model import Case, Image, InputError
from VertebralAugmentationPlannerLib.sample import TOTALSEGMENTATOR

VALUE = TOTALSEGMENTATOR["L1"]


@pytest.fixture(scope="module")
def lone(phantom_case) -> tuple[np.ndarray, np.ndarray]:
    """Mask of L1 alone with a margin, and its matrix; i, j, k run right, anterior, superior."""
    case, _ = phantom_case("t12-wedge")
    where = np.argwhere(case.labels.voxels == VALUE)
    low, high = where.min(axis=0), where.max(axis=0) + 1
    part = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    matrix = case.labels.ijk_to_ras.copy()
    matrix[:3, 3] = case.labels.to_ras(low - 4)
    return np.pad(case.labels.voxels[part] == VALUE, 4), matrix


def case_of(mask: np.ndarray, matrix: np.ndarray) -> Case:
    return labels_only(Image((mask * VALUE).astype(np.uint8), matrix), TOTALSEGMENTATOR)


def damaged(mask: np.ndarray, how: str) -> np.ndarray:
    i, j, k = np.indices(mask.shape)
    middle = np.argwhere(mask).mean(axis=0)
    away = np.linalg.norm(np.stack([i, j, k], axis=-1) - middle, axis=-1)
    return {
        "body only": mask & (j > middle[1] + 6),
        "arch only": mask & (j < middle[1] - 8),
        "one side only": mask & (i < middle[0]),
        "one voxel": (away == away.min()),
        "a slab": (np.abs(k - middle[2]) < 1.5) & (away < 25),
        "a ball": away < 16,
        "every third slice missing": mask & (k % 3 != 0),
        "half its voxels lost": mask & (np.random.default_rng(5).random(mask.shape) > 0.5),
    }[how]


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize(
    "how",
    [
        "body only",
        "arch only",
        "one side only",
        "one voxel",
        "a slab",
        "a ball",
        "every third slice missing",
        "half its voxels lost",
    ],
)
def test_what_is_no_vertebra_is_incomplete_with_a_reason_in_words(lone, how):
    vertebra = build_spine(case_of(damaged(lone[0], how), lone[1])).vertebrae["L1"]
    assert not vertebra.complete
    assert len(vertebra.incomplete_reason) > 20
    assert "nan" not in vertebra.incomplete_reason and "array" not in vertebra.incomplete_reason


@pytest.mark.parametrize(("axis", "word"), [(1, "front and back"), (2, "head and foot")])
def test_a_flipped_label_map_is_refused(lone, axis, word):
    with pytest.raises(InputError, match=word):
        build_spine(case_of(np.flip(lone[0], axis), lone[1]))
