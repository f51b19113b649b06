"""A folder with one mask a vertebra, as TotalSegmentator leaves it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from toy_spine import TOTAL, canal_mask, spine_labels

from VertebralAugmentationPlannerLib.case import load_case
from VertebralAugmentationPlannerLib.model import InputError

LEVELS = ["T12", "L1", "L2"]


def write(path: Path, array: np.ndarray, matrix: np.ndarray, kind: type = np.uint8) -> None:
    image = sitk.GetImageFromArray(np.ascontiguousarray(array.astype(kind).transpose(2, 1, 0)))
    image.SetOrigin((np.diag([-1.0, -1.0, 1.0]) @ matrix[:3, 3]).tolist())
    image.SetDirection([-1, 0, 0, 0, -1, 0, 0, 0, 1])
    sitk.WriteImage(image, str(path))


@pytest.fixture
def spine() -> tuple[np.ndarray, np.ndarray]:
    return spine_labels([TOTAL[level] for level in LEVELS])


@pytest.fixture
def folder(spine, tmp_path) -> Path:
    labels, matrix = spine
    for level in [*LEVELS, "L4"]:  # L4 is not in the image: its mask is empty
        write(tmp_path / f"vertebrae_{level}.nii.gz", labels == TOTAL[level], matrix)
    write(tmp_path / "liver.nii.gz", labels >= 0, matrix)
    (tmp_path / "statistics.json").write_text("{}")
    return tmp_path


def test_masks_of_levels_give_the_same_case_as_one_label_map(folder, spine):
    case, same = load_case(None, folder), load_case(None, spine)
    assert list(case.level_values) == LEVELS
    for level in LEVELS:
        one, other = (c.labels.voxels == c.level_values[level] for c in (case, same))
        assert np.array_equal(one, other)
    assert np.allclose(case.labels.ijk_to_ras, same.labels.ijk_to_ras)
    assert case.inputs.segmentation.path == folder.name
    assert len(case.inputs.segmentation.sha256) == 64


def test_the_checksum_is_of_the_masks_that_were_used(folder, spine):
    before = load_case(None, folder).inputs.segmentation.sha256
    write(folder / "liver.nii.gz", spine[0] > 0, spine[1])
    assert load_case(None, folder).inputs.segmentation.sha256 == before
    write(folder / "vertebrae_L2.nii.gz", np.roll(spine[0] == TOTAL["L2"], 1, 0), spine[1])
    assert load_case(None, folder).inputs.segmentation.sha256 != before


def test_a_cord_beside_the_vertebrae_is_used(folder, spine):
    labels, matrix = spine
    index = np.indices(labels.shape)
    x, y = (matrix[a, a] * index[a] + matrix[a, 3] for a in (0, 1))
    write(folder / "spinal_cord.nii.gz", canal_mask(x - 12.0, y + 20.0), matrix)
    case = load_case(None, folder)
    assert case.canal is not None and case.canal_is_cord


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.float32])
def test_masks_may_be_stored_in_any_type_and_with_any_value(folder, spine, kind):
    write(folder / "vertebrae_L1.nii.gz", 255 * (spine[0] == TOTAL["L1"]).astype(int), spine[1], kind)
    assert list(load_case(None, folder).level_values) == LEVELS


def twice(folder, labels, matrix):
    write(folder / "L1.nrrd", labels == TOTAL["L1"], matrix)


def elsewhere(folder, labels, matrix):
    shifted = matrix.copy()
    shifted[0, 3] += 3
    write(folder / "vertebrae_L2.nii.gz", labels == TOTAL["L2"], shifted)


def smaller(folder, labels, matrix):
    write(folder / "vertebrae_L2.nii.gz", (labels == TOTAL["L2"])[1:], matrix)


def a_label_map(folder, labels, matrix):
    write(folder / "vertebrae_L1.nii.gz", labels, matrix)


def everything(folder, labels, matrix):
    write(folder / "vertebrae_L1.nii.gz", labels >= 0, matrix)


def negative(folder, labels, matrix):
    write(folder / "vertebrae_L1.nii.gz", -(labels == TOTAL["L1"]).astype(int), matrix, np.int16)


def all_empty(folder, labels, matrix):
    for path in folder.glob("vertebrae_*"):
        write(path, labels < 0, matrix)


def no_level(folder, labels, matrix):
    for path in folder.glob("vertebrae_*"):
        path.unlink()


def no_such_level(folder, labels, matrix):
    write(folder / "vertebrae_L9.nii.gz", labels == TOTAL["L1"], matrix)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (twice, "two masks of L1"),
        (elsewhere, "different grids"),
        (smaller, "different grids"),
        (a_label_map, "vertebrae_L1.nii.gz is no mask"),
        (everything, "vertebrae_L1.nii.gz is no mask"),
        (negative, "vertebrae_L1.nii.gz is no mask"),
        (all_empty, "are all empty"),
        (no_level, "is a folder without masks named like vertebrae_L1.nii.gz"),
        (no_such_level, "“vertebrae_L9” is not a vertebral level"),
    ],
)
def test_a_folder_that_cannot_be_used_is_refused_in_one_sentence(folder, spine, spoil, says):
    spoil(folder, *spine)
    with pytest.raises(InputError, match=says) as refusal:
        load_case(None, folder)
    assert "\n" not in str(refusal.value)
