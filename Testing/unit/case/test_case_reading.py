"""Whatever the caller hands over — file, array, ITK image, Image — lies at the same place in the patient."""

from __future__ import annotations

import hashlib
import os

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from test_case_cleaning import reorder
from toy_spine import CENTRE_A, CENTRE_R, centre_of, ct_of, grid_for, spine_labels

from VertebralAugmentationPlannerLib.case import load_case
from VertebralAugmentationPlannerLib.case.checks import thickness_warnings
from VertebralAugmentationPlannerLib.case.convert import image_from_sitk
from VertebralAugmentationPlannerLib.measurement.sampling import WHOLE_SHARE
from VertebralAugmentationPlannerLib.model import Image, InputError, PlanOptions
from VertebralAugmentationPlannerLib.model.accuracy import coarse_words

VALUES = [19, 20, 21]


def as_sitk(array, matrix):
    """An ITK image (LPS) of an array [i, j, k] and its RAS matrix, by ITK's own definition of direction."""
    image = sitk.GetImageFromArray(np.ascontiguousarray(array.transpose(2, 1, 0)))
    lps = np.diag([-1, -1, 1, 1]) @ matrix
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetDirection((lps[:3, :3] / spacing).ravel().tolist())
    image.SetOrigin(lps[:3, 3].tolist())
    return image


@pytest.fixture(scope="module")
def toy():
    labels, matrix = spine_labels(VALUES)
    return labels, ct_of(labels), matrix


def centroid(case, level):
    index = np.argwhere(case.labels.voxels == case.level_values[level]).mean(axis=0)
    return case.labels.to_ras(index)


@pytest.mark.parametrize("ending", ["nii.gz", "nii", "nrrd", "mha", "mhd"])
def test_every_file_format_gives_the_same_case(tmp_path, toy, ending):
    labels, ct, matrix = toy
    turned_ct, ct_matrix = reorder(ct, matrix, (2, 0, 1), (True, False, True))
    sitk.WriteImage(as_sitk(labels, matrix), str(tmp_path / f"labels.{ending}"))
    sitk.WriteImage(as_sitk(turned_ct, ct_matrix), str(tmp_path / f"ct.{ending}"))
    case = load_case(tmp_path / f"ct.{ending}", str(tmp_path / f"labels.{ending}"))
    np.testing.assert_array_equal(case.labels.voxels, labels)
    np.testing.assert_allclose(case.labels.ijk_to_ras, matrix, atol=1e-4)
    for ras in (centre_of(0), centre_of(1) + [5, 3, -2]):
        expected = Image(ct, matrix).sample(ras)
        assert float(case.ct.sample(ras)) == pytest.approx(float(expected), abs=0.01)
    assert case.ct.voxels.dtype == np.int16


def test_arrays_images_and_itk_images_give_the_same_case(toy):
    labels, ct, matrix = toy
    cases = [
        load_case((ct, matrix), (labels, matrix)),
        load_case(Image(ct, matrix), Image(labels, matrix)),
        load_case(as_sitk(ct, matrix), as_sitk(labels, matrix)),
    ]
    for case in cases:
        np.testing.assert_array_equal(case.labels.voxels, labels)
        np.testing.assert_allclose(case.ct.ijk_to_ras, matrix)
        assert case.inputs.ct.path is None
        assert case.inputs.ct.sha256 is None
        assert case.inputs.ct.size == labels.shape


@settings(max_examples=25, deadline=None)
@given(
    order=st.permutations([0, 1, 2]),
    flips=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    angles=st.tuples(*[st.floats(-25, 25)] * 3),
    shift=st.tuples(*[st.floats(-200, 200)] * 3),
)
def test_world_positions_do_not_depend_on_how_the_voxels_are_stored(order, flips, angles, shift):
    from scipy.spatial.transform import Rotation

    shape, matrix = grid_for(2, (2.0, 2.0, 2.0))
    labels, _ = spine_labels([20, 21], shape, matrix)
    move = np.eye(4)
    move[:3, :3] = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    move[:3, 3] = shift
    turned, back = reorder(labels, move @ matrix, order, flips)
    expected = Image(labels, move @ matrix).to_ras(np.argwhere(labels == 20).mean(axis=0))
    for source in ((turned, back), as_sitk(turned, back)):
        case = load_case(None, source)
        np.testing.assert_allclose(centroid(case, "L1"), expected, atol=1e-6)


def test_labels_on_a_grid_of_their_own_are_not_resampled(toy):
    labels, ct, matrix = toy
    fine = spine_labels(VALUES, *grid_for(3, (0.9, 0.9, 0.7)))
    case = load_case((ct, matrix), fine)
    assert case.labels.voxels.shape == fine[0].shape
    assert case.ct.voxels is ct or np.shares_memory(case.ct.voxels, ct)


def test_the_caller_s_arrays_stay_as_they_were(toy):
    labels, ct, matrix = toy
    labels = labels.copy()
    labels[0:3, 0:3, 0:3] = 20
    before = labels.copy(), ct.copy(), matrix.copy()
    load_case((ct, matrix), (labels, matrix))
    for now, then in zip((labels, ct, matrix), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_the_record_keeps_name_checksum_size_and_spacing_and_no_absolute_path(tmp_path, toy, monkeypatch):
    labels, _, matrix = toy
    path = tmp_path / "Smith^John" / "labels.nii.gz"
    path.parent.mkdir()
    sitk.WriteImage(as_sitk(labels, matrix), str(path))
    record = load_case(None, path).inputs.segmentation
    assert record.path == "labels.nii.gz"
    assert record.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert record.size == labels.shape
    assert record.spacing_mm == (1.0, 1.0, 1.0)
    monkeypatch.chdir(path.parent)
    assert load_case(None, "./labels.nii.gz").inputs.segmentation.path == "labels.nii.gz"


def test_a_canal_mask_that_lies_at_no_vertebra_is_refused(toy):
    labels, _, matrix = toy
    mask = (spine_labels(VALUES, canal=9)[0] == 9).astype(np.uint8)
    aside = matrix.copy()
    aside[0, 3] += 300.0
    with pytest.raises(InputError, match=r"canal mask lies at .* at none of the labelled vertebrae"):
        load_case(None, (labels, matrix), canal=(mask, aside))
    above = matrix.copy()
    above[2, 3] += 200.0  # a cord ends above the lumbar levels; a canal does not
    assert load_case(None, (labels, matrix), canal=(mask, above), canal_is_cord=True).canal is not None
    with pytest.raises(InputError, match="canal mask lies"):
        load_case(None, (labels, matrix), canal=(mask, above))


def test_a_canal_mask_of_its_own_is_used_and_known_as_cord_by_its_name(tmp_path, toy):
    labels, _, matrix = toy
    with_canal, _ = spine_labels(VALUES, canal=9)
    mask = (with_canal == 9).astype(np.uint8)
    sitk.WriteImage(as_sitk(mask, matrix), str(tmp_path / "spinal_cord.nii.gz"))
    case = load_case(None, (labels, matrix), canal=tmp_path / "spinal_cord.nii.gz")
    assert case.canal_is_cord
    assert case.inputs.canal.path == "spinal_cord.nii.gz"
    np.testing.assert_array_equal(case.canal.voxels, mask)
    assert not load_case(None, (labels, matrix), canal=(mask, matrix)).canal_is_cord
    assert load_case(None, (labels, matrix), canal=(mask, matrix), canal_is_cord=True).canal_is_cord


# --- what cannot be used ---------------------------------------------------------------------------------------


def refused(match, ct, segmentation, options=None):
    with pytest.raises(InputError, match=match) as caught:
        load_case(ct, segmentation, options)
    text = str(caught.value)
    assert "\n" not in text
    assert text.endswith(".")


def test_no_file(tmp_path, toy):
    labels, _, matrix = toy
    refused("CT .*none.nii.gz does not exist", tmp_path / "none.nii.gz", (labels, matrix))
    refused("segmentation .*none.nii.gz does not exist", None, tmp_path / "none.nii.gz")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are POSIX's")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "ct.nii.gz")
    refused("ct.nii.gz is a pipe or a device", tmp_path / "ct.nii.gz", (np.zeros((4, 4, 4), np.uint8), np.eye(4)))


@pytest.mark.parametrize("name", ["notes.txt", "fake.nii.gz", "fake.nrrd", "fake.mha"])
def test_not_an_image(tmp_path, name):
    path = tmp_path / name
    path.write_text("a letter to the radiologist\n" * 40)
    refused("cannot be read as an image; give a NIfTI, NRRD, MHA or DICOM volume", None, path)


def test_an_empty_file(tmp_path):
    (tmp_path / "labels.nrrd").write_bytes(b"")
    refused(r"labels\.nrrd is empty \(0 bytes\)", None, tmp_path / "labels.nrrd")


@pytest.mark.parametrize("ending", ["nii", "nii.gz", "nrrd", "mha"])
@pytest.mark.parametrize("share", [0.5, 0.98])
def test_a_file_cut_short(tmp_path, toy, ending, share):
    """ITK itself fills a shortened NIfTI file with zeros and says nothing."""
    _, ct, matrix = toy
    path = tmp_path / f"ct.{ending}"
    sitk.WriteImage(as_sitk(ct, matrix), str(path))
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    refused("cut short|cannot be read as an image", path, (toy[0], matrix))


def test_four_dimensions_and_colour(tmp_path, toy):
    labels, ct, matrix = toy
    four = sitk.JoinSeries([as_sitk(ct, matrix)] * 2)
    sitk.WriteImage(four, str(tmp_path / "four.nii.gz"))
    refused(r"CT is 4-D \(2 volumes\)", tmp_path / "four.nii.gz", (labels, matrix))
    colour = sitk.Compose([sitk.Cast(as_sitk(ct, matrix), sitk.sitkUInt8)] * 3)
    sitk.WriteImage(colour, str(tmp_path / "colour.mha"))
    refused("3 values per voxel", tmp_path / "colour.mha", (labels, matrix))
    refused("4 dimensions", (np.zeros((9, 9, 9, 2)), matrix), (labels, matrix))
    sitk.WriteImage(as_sitk(ct, matrix)[:, :, 5], str(tmp_path / "flat.mha"))
    refused("2-D image", tmp_path / "flat.mha", (labels, matrix))
    refused("only 70 × 120 × 2 voxels", (ct[:, :, :2], matrix), (labels, matrix))


def test_a_single_volume_stored_with_four_dimensions_is_that_volume(tmp_path, toy):
    labels, _, matrix = toy
    sitk.WriteImage(sitk.JoinSeries([as_sitk(labels, matrix)]), str(tmp_path / "labels.nii.gz"))
    np.testing.assert_array_equal(load_case(None, tmp_path / "labels.nii.gz").labels.voxels, labels)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_ct_that_is_not_finite(toy, value):
    labels, ct, matrix = toy
    broken = ct.astype(np.float32)
    broken[3, 4, 5] = value
    refused("CT holds 1 voxels that are NaN or infinite", (broken, matrix), (labels, matrix))


@pytest.mark.parametrize("ending", ["nii", "nii.gz", "nrrd", "mha"])
def test_a_file_that_is_not_finite(tmp_path, toy, ending):
    """ITK itself turns NaN in a NIfTI file into 0 HU and says nothing."""
    labels, ct, matrix = toy
    broken = ct.astype(np.float32)
    broken[3, 4, 5], broken[6, 7, 8] = np.nan, np.inf
    sitk.WriteImage(as_sitk(broken, matrix), str(tmp_path / f"ct.{ending}"))
    refused("2 voxels that are NaN or infinite", tmp_path / f"ct.{ending}", (labels, matrix))


def test_a_constant_ct(toy):
    labels, _, matrix = toy
    refused(
        "CT is constant .*give no CT to plan from the labels alone",
        (np.full(labels.shape, 40), matrix),
        (labels, matrix),
    )


def test_labels_that_are_no_label_map(toy):
    labels, _, matrix = toy
    refused("not whole numbers", None, (labels * 0.5, matrix))
    refused("NaN or infinite", None, (np.where(labels == 0, np.nan, labels), matrix))
    refused("negative value -1", None, (labels.astype(int) - 1, matrix))
    refused("is empty", None, (np.zeros_like(labels), matrix))
    refused("label numbers go up to 65534", None, (labels.astype(int) * 10_000, matrix))
    refused("no background: its lowest value is 1", None, (labels.astype(int) + 1, matrix))


def test_the_rounding_of_a_background_is_no_negative_value(toy):
    labels, _, matrix = toy
    noise = np.random.default_rng(0).uniform(-1e-6, 1e-6, labels.shape)
    case = load_case(None, (labels + noise, matrix))
    np.testing.assert_array_equal(case.labels.voxels, load_case(None, (labels, matrix)).labels.voxels)


def test_ct_and_labels_of_different_places(toy):
    labels, ct, matrix = toy
    far = matrix.copy()
    far[:3, 3] += [500, 0, 0]
    refused(
        r"do not overlap: the CT covers R 477 to 546, A .* S .* mm, the labelled vertebrae lie at",
        (ct, far),
        (labels, matrix),
    )


def test_labels_partly_outside_the_ct_are_pointed_out(toy):
    labels, ct, matrix = toy
    upper = matrix.copy()
    upper[2, 3] += 40 * matrix[2, 2]
    case = load_case((ct[:, :, 40:], upper), (labels, matrix))
    warning = next(w for w in case.warnings if w.code == "ct_partial")
    assert warning.message.startswith("L2: the label reaches beyond the CT; density covers only the part inside it")
    assert f"less than {100 * WHOLE_SHARE:.0f} % of the body" in warning.message


@pytest.mark.parametrize("scale", [1000.0, 0.001])
def test_voxels_in_micrometres_or_metres_are_refused(toy, scale):
    labels, ct, matrix = toy
    scaled = np.diag([scale, scale, scale, 1]) @ matrix
    refused(f"segmentation has voxels of {scale:g} × .* spacing must be in millimetres", None, (labels, scaled))
    refused(f"CT has voxels of {scale:g} × ", (ct, np.diag([scale, 1, 1, 1])), (labels, matrix))


def test_an_array_with_a_skewed_matrix_is_straightened_in_a_copy(toy):
    _, _, matrix = toy
    skewed = matrix.copy()
    skewed[1, 2] = 0.25
    labels, _ = spine_labels(VALUES, (70, 150, 122), skewed)
    case = load_case(None, (labels, skewed))
    assert [w.severity for w in case.warnings if w.code == "grid_straightened"] == ["caution"]
    expected = Image(labels, skewed).to_ras(np.argwhere(labels == 20).mean(axis=0))
    # nearest voxel on both grids: a quarter of a voxel at most, all slices rounding the same way
    np.testing.assert_allclose(centroid(case, "L1"), expected, atol=0.25)


@pytest.mark.parametrize(
    "matrix", [np.zeros((4, 4)), np.eye(3), np.full((4, 4), np.nan), np.diag([1.0, 1.0, 0.0, 1.0])]
)
def test_a_matrix_that_places_no_volume(toy, matrix):
    labels, _, _ = toy
    with pytest.raises(InputError):
        load_case(None, (labels, matrix))


def test_something_else_altogether(toy):
    labels, _, matrix = toy
    refused("CT is a dict", {"ct": 1}, (labels, matrix))
    refused("holds <U1 values", (np.full((9, 9, 9), "x"), matrix), (labels, matrix))


# --- slice thickness -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("thickness", "codes"), [(1.0, []), (2.0, ["slices_thick"]), (3.0, ["slices_coarse"])])
def test_thick_slices_are_pointed_out(thickness, codes):
    labels, matrix = spine_labels(VALUES, *grid_for(3, (1.0, 1.0, thickness)))
    case = load_case(None, (labels, matrix))
    assert [w.code for w in case.warnings if w.code.startswith("slices")] == codes


def test_no_accuracy_is_claimed_beyond_what_was_tested():
    said = {}
    for thickness in (3.0, 5.0):
        labels, matrix = spine_labels(VALUES, *grid_for(3, (1.0, 1.0, thickness)))
        warnings = load_case(None, (labels, matrix)).warnings
        said[thickness] = next(warning.message for warning in warnings if warning.code == "slices_coarse")
    assert f"on such slices {coarse_words()}, so that a single grade or shape may be wrong" in said[3.0]
    assert "no accuracy is claimed beyond 3 mm" in said[5.0] and coarse_words() not in said[5.0]


def test_a_thick_ct_says_briefly_that_labels_drawn_on_it_know_no_more():
    """Both are thick at once as a rule, and the labels say it in full; but labels may have been resampled."""
    (told,) = thickness_warnings("CT", Image(np.zeros((2, 2, 2), np.int16), np.diag([1.0, 1.0, 3.0, 1.0])))
    assert "labels drawn on it are no finer" in told.message and "6 mm off" in told.message
    assert coarse_words() not in told.message


def test_without_a_ct_the_case_says_what_is_left_out(toy):
    labels, _, matrix = toy
    case = load_case(None, (labels, matrix))
    assert case.ct is None
    assert case.inputs.ct is None
    assert [w.severity for w in case.warnings if w.code == "no_ct"] == ["info"]


# --- real spines -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "levels"),
    [
        ("verse004", ["T9", "T10", "T11", "T12", "L1", "L2", "L3", "L4", "L5"]),
        ("verse005", ["L1", "L2", "L3", "L4", "L5"]),
        ("verse008", ["T12", "L1", "L2", "L3", "L4", "L5"]),
    ],
)
def test_real_spines_are_read_in_verse_numbers(real_data, name, levels):
    ct = real_data / name / "ct.nii.gz"
    case = load_case(ct if ct.exists() else None, real_data / name / "vertebrae.nii.gz", PlanOptions())
    assert list(case.level_values) == levels
    assert case.inputs.numbering == "verse"
    heights = [centroid(case, level)[2] for level in levels]
    assert heights == sorted(heights, reverse=True)
    assert not [w for w in case.warnings if w.severity != "info"]


def test_an_itk_image_and_its_case_agree_on_a_point(toy):
    """An independent path through ITK: its own index-to-point, with the sign of R and A turned."""
    labels, _, matrix = toy
    image = as_sitk(labels, matrix)
    lps = np.array(image.TransformIndexToPhysicalPoint((10, 20, 30)))
    np.testing.assert_allclose(image_from_sitk(image, "labels").to_ras([10, 20, 30]), lps * [-1, -1, 1])
    assert abs(CENTRE_R) > 1
    assert abs(CENTRE_A) > 1
