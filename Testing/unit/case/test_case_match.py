"""Labels that do not lie on the bone of the CT they came with."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from toy_spine import VERSE, ct_of, spine_labels

from VertebralAugmentationPlannerLib.case import load_case
from VertebralAugmentationPlannerLib.case.match import place_warnings
from VertebralAugmentationPlannerLib.model import InputError, PlanOptions

OPTIONS = PlanOptions(labels="verse")


@pytest.fixture(scope="module")
def toy():
    labels, matrix = spine_labels([VERSE[name] for name in ("L1", "L2", "L3")])
    return labels, ct_of(labels), matrix


def moved(matrix: np.ndarray, right: float, anterior: float, superior: float) -> np.ndarray:
    result = matrix.copy()
    result[:3, 3] += (right, anterior, superior)
    return result


def codes(case) -> list[str]:
    return [warning.code for warning in case.warnings]


@pytest.mark.parametrize("offset", [(0, 0, 0), (0.5, 0, 0), (0, -0.5, 0.5)])
def test_labels_on_their_bone_or_within_half_a_voxel_raise_no_doubt(toy, offset):
    labels, ct, matrix = toy
    assert "labels_off_ct" not in codes(load_case((ct, matrix), (labels, moved(matrix, *offset)), OPTIONS))


@pytest.mark.parametrize(
    ("offset", "says"),
    [
        ((2, 0, 0), "about 2 mm off the bone in the CT (which is 2 mm left of them)"),
        ((0, 2, 0), "about 2 mm off the bone in the CT (which is 2 mm behind them)"),
        ((0, 0, -2), "about 2 mm off the bone in the CT (which is 2 mm above them)"),
    ],
)
def test_labels_two_millimetres_off_are_a_caution(toy, offset, says):
    labels, ct, matrix = toy
    case = load_case((ct, matrix), (labels, moved(matrix, *offset)), OPTIONS)
    warning = next(warning for warning in case.warnings if warning.code == "labels_off_ct")
    assert warning.severity == "caution" and says in warning.message
    assert case.ct is not None


@pytest.mark.parametrize(
    ("offset", "says"),
    [
        ((-5, 0, 0), "about 5 mm off the bone in the CT (which is 5 mm right of them); give the segmentation of this"),
        ((0, 0, 5), "which is 5 mm below them"),
        ((0, -12, 0), "which is 12 mm in front of them"),
        ((3, -4, 0), "about 5 mm off the bone in the CT (which is 3 mm left of and 4 mm in front of them)"),
    ],
)
def test_labels_farther_off_are_refused_with_the_way_back(toy, offset, says):
    labels, ct, matrix = toy
    with pytest.raises(InputError) as found:
        load_case((ct, matrix), (labels, moved(matrix, *offset)), OPTIONS)
    assert says in str(found.value)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 3.0), (0.6, 0.6, 1.0), (1.0, 1.0, 5.0)])
def test_other_voxels_raise_no_doubt_and_hide_none(toy, spacing):
    """The CT on a grid of its own, finer or coarser than the labels."""
    labels, ct, matrix = toy
    image = sitk.GetImageFromArray(ct.transpose(2, 1, 0).astype(np.float32))
    size = [int(n / s) for n, s in zip(ct.shape, spacing, strict=True)]
    first = [(s - 1) / 2 for s in spacing]
    other = sitk.Resample(
        image, size, sitk.Transform(), sitk.sitkLinear, first, spacing, np.eye(3).ravel().tolist(), 40.0
    )
    voxels = sitk.GetArrayFromImage(other).transpose(2, 1, 0)
    grid = matrix @ np.diag([*spacing, 1.0])
    grid[:3, 3] = (matrix @ [*first, 1.0])[:3]
    assert "labels_off_ct" not in codes(load_case((voxels, grid), (labels, matrix), OPTIONS))
    with pytest.raises(InputError, match="off the bone in the CT"):
        load_case((voxels, grid), (labels, moved(matrix, 6, 0, 0)), OPTIONS)


@pytest.mark.parametrize(("offset", "severity"), [((0, 0, 0), "caution"), ((5, 0, 0), "stop")])
def test_bone_too_faint_to_tell_its_place_is_pointed_out_and_not_refused(toy, offset, severity):
    labels, _, matrix = toy
    faint = np.where(labels > 0, 100, 40) + np.random.default_rng(1).normal(0, 60, labels.shape)
    case = load_case((faint.astype(np.int16), matrix), (labels, moved(matrix, *offset)), OPTIONS)
    warning = next(warning for warning in case.warnings if warning.code == "labels_off_ct")
    assert warning.severity == severity and "is hardly seen in the CT" in warning.message


def test_labels_mirrored_against_their_ct_are_pointed_out(real_data):
    """By their voxels, as a file loses its left and right: the header stays as it was."""
    folder = real_data / "verse005"
    labels = sitk.ReadImage(str(folder / "vertebrae.nii.gz"))
    mirrored = sitk.GetImageFromArray(sitk.GetArrayFromImage(labels)[:, :, ::-1].copy())
    mirrored.CopyInformation(labels)
    case = load_case(folder / "ct.nii.gz", mirrored, OPTIONS)
    warning = next(warning for warning in case.warnings if warning.code == "labels_off_ct")
    assert warning.severity == "stop" and "are not mirrored" in warning.message


@pytest.mark.parametrize("name", ["verse005", "verse008"])
def test_experts_labels_lie_on_their_bone_and_a_level_off_does_not(real_data, name):
    folder = real_data / name
    assert "labels_off_ct" not in codes(load_case(folder / "ct.nii.gz", folder / "vertebrae.nii.gz", OPTIONS))
    labels = sitk.ReadImage(str(folder / "vertebrae.nii.gz"))
    labels.SetOrigin(np.add(labels.GetOrigin(), (0, 0, 33)).tolist())
    with pytest.raises(InputError, match="about 3[234] mm off the bone"):
        load_case(folder / "ct.nii.gz", labels, OPTIONS)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_ct_that_is_a_crop_of_what_was_labelled_raises_no_doubt(toy, axis):
    """Two fifths of the labels' length lie in the CT: what lies in it lies on its bone."""
    labels, ct, matrix = toy
    count = ct.shape[axis]
    part = tuple(slice(count // 2, count) if a == axis else slice(None) for a in range(3))
    placed = matrix.copy()
    placed[:3, 3] = matrix[:3, :3] @ np.array([s.start or 0 for s in part]) + matrix[:3, 3]
    assert "labels_off_ct" not in codes(load_case((ct[part], placed), (labels, matrix), OPTIONS))


def test_a_crop_does_not_hide_that_labels_are_off(toy):
    labels, ct, matrix = toy
    part = ct[:, :, ct.shape[2] // 2 :]
    placed = matrix.copy()
    placed[:3, 3] = matrix[:3, :3] @ np.array([0, 0, ct.shape[2] // 2]) + matrix[:3, 3]
    with pytest.raises(InputError, match="off the bone"):
        load_case((part, placed), (labels, moved(matrix, 5, 0, 0)), OPTIONS)


def test_too_little_in_the_ct_to_tell_is_said_to_be_so():
    assert [(found.code, found.severity) for found in place_warnings(None)] == [("labels_off_ct", "caution")]
    assert "Too little of the labels" in place_warnings(None)[0].message
