"""Dirty labels become one bone a level; what was done is reported in voxels and the caller's array stays as it was."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from toy_spine import CENTRE_A, CENTRE_R, STEP_MM, centre_of, grid_for, spine_labels, vertebra_mask, world

from VertebralAugmentationPlannerLib.case import load_case
from VertebralAugmentationPlannerLib.model import InputError

VALUES = [19, 20, 21]


def notes_of(case, code="labels_cleaned"):
    return [w.message for w in case.warnings if w.code == code]


def voxel_at(matrix, ras):
    return tuple(int(round(v)) for v in np.linalg.inv(matrix)[:3] @ [*ras, 1.0])


def blob(labels, matrix, ras, size, value):
    i, j, k = voxel_at(matrix, ras)
    labels[i : i + size, j : j + size, k : k + size] = value


def test_clean_labels_are_left_as_they_are():
    labels, matrix = spine_labels(VALUES)
    case = load_case(None, (labels, matrix))
    np.testing.assert_array_equal(case.labels.voxels, labels)
    assert not notes_of(case)


def test_an_island_far_from_its_bone_is_removed_and_counted():
    clean, matrix = spine_labels(VALUES)
    dirty = clean.copy()
    blob(dirty, matrix, [CENTRE_R - 30, CENTRE_A - 70, centre_of(0)[2]], 4, 21)
    before = dirty.copy()
    case = load_case(None, (dirty, matrix))
    np.testing.assert_array_equal(case.labels.voxels, clean)
    np.testing.assert_array_equal(dirty, before)
    assert notes_of(case) == ["L2: 64 voxels apart from the bone removed."]


def test_a_neighbours_crumb_inside_a_bone_is_given_back_to_that_bone():
    clean, matrix = spine_labels(VALUES)
    dirty = clean.copy()
    blob(dirty, matrix, centre_of(1) + [-2, -2, -2], 5, 21)  # L2's number deep in L1
    case = load_case(None, (dirty, matrix))
    np.testing.assert_array_equal(case.labels.voxels, clean)
    assert "L2: 125 voxels inside L1 given to it." in notes_of(case)


def test_a_crumb_on_a_neighbours_surface_is_given_back_too():
    clean, matrix = spine_labels(VALUES)
    i, j, k = voxel_at(matrix, centre_of(1) + [0, 0, 12])
    dirty = clean.copy()
    dirty[i - 3 : i + 4, j - 3 : j + 4, k - 2 : k + 1] = 21  # three voxels deep in the upper end plate
    case = load_case(None, (dirty, matrix))
    np.testing.assert_array_equal(case.labels.voxels, clean)


def test_an_arch_that_lost_its_pedicles_between_thick_slices_stays_with_its_body():
    labels, matrix = spine_labels(VALUES)
    r, a, s = world(labels.shape, matrix)
    gap = (a < CENTRE_A - 18) & (a > CENTRE_A - 22) & (np.abs(s - centre_of(1)[2]) < 14)
    labels[gap & (labels == 20)] = 0
    case = load_case(None, (labels, matrix))
    np.testing.assert_array_equal(case.labels.voxels, labels)


def test_an_arch_parted_by_one_lost_slice_of_5_mm_stays_with_its_body():
    labels, matrix = spine_labels(VALUES, *grid_for(3, (1.0, 1.0, 5.0)))
    _, a, s = world(labels.shape, matrix)
    own = labels == 20
    behind = own & (a < CENTRE_A - 16)
    lost = np.unique(s[own & (a < CENTRE_A - 36)])[1]  # the middle one of the three slices with spinous process
    labels[behind & (np.abs(s - lost) < 1)] = 0
    sizes = np.bincount(ndimage.label(labels == 20, np.ones((3, 3, 3)))[0].ravel())[1:]
    assert len(sizes) == 2
    assert sizes.min() * 5e-3 > 1, "a sizeable piece, 10 mm from its bone"
    case = load_case(None, (labels, matrix), numbering={"T12": 19, "L1": 20, "L2": 21})
    np.testing.assert_array_equal(case.labels.voxels, labels)


def test_a_bone_of_a_tenth_of_the_size_far_off_is_removed_but_a_third_of_the_size_is_pointed_out():
    labels, matrix = spine_labels([20, 21, 0, 0])
    r, a, s = world(labels.shape, matrix)
    # about 10 ml of the 29 ml that the toy vertebra has
    labels[(np.hypot(r - CENTRE_R, a - CENTRE_A) < 13) & (np.abs(s - (centre_of(0)[2] - 3 * STEP_MM)) < 10)] = 20
    case = load_case(None, (labels, matrix))
    warning = next(w for w in case.warnings if w.code == "label_two_bones")
    assert warning.severity == "caution"
    assert "L1: its label also marks a second bone" in warning.message
    assert not (case.labels.voxels[..., :40] == 20).any()


@pytest.mark.parametrize(("size", "words"), [(8, "512 voxels"), (1, "1 voxel")])
def test_an_enclosed_gap_is_filled_but_the_canal_stays_open(size, words):
    clean, matrix = spine_labels(VALUES)
    holed = clean.copy()
    blob(holed, matrix, centre_of(0) + [-4, -4, -4], size, 0)
    case = load_case(None, (holed, matrix))
    np.testing.assert_array_equal(case.labels.voxels, clean)
    assert notes_of(case) == [f"T12: {words} of enclosed gaps filled."]


def test_a_gap_as_large_as_a_canal_is_never_filled():
    labels, matrix = spine_labels(VALUES)
    blob(labels, matrix, centre_of(0) + [-8, -8, -8], 16, 0)  # 4.1 ml
    case = load_case(None, (labels, matrix))
    np.testing.assert_array_equal(case.labels.voxels, labels)


def test_a_few_voxels_of_a_level_at_the_edge_are_no_vertebra():
    labels, matrix = spine_labels(VALUES)
    labels[30:36, 60:66, 0:2] = 22
    case = load_case(None, (labels, matrix))
    assert "L3" not in case.level_values
    assert not (case.labels.voxels == 22).any()
    assert notes_of(case, "level_crumb") == ["L3: its label is only 0.07 ml and is left out."]


def test_a_vertebra_cut_by_the_edge_stays():
    labels, matrix = spine_labels(VALUES)
    cut = labels[:, :, 25:]
    matrix = matrix.copy()
    matrix[2, 3] += 25
    assert "L2" in load_case(None, (cut, matrix)).level_values


@pytest.mark.parametrize("kind", [np.int16, np.int64, np.float32, np.float64, np.uint16])
def test_any_numeric_type_with_whole_numbers_is_a_label_map(kind):
    labels, matrix = spine_labels(VALUES)
    case = load_case(None, (labels.astype(kind), matrix))
    assert case.labels.voxels.dtype == np.uint8
    np.testing.assert_array_equal(case.labels.voxels, labels)


@settings(max_examples=20, deadline=None)
@given(order=st.permutations([0, 1, 2]), flips=st.tuples(st.booleans(), st.booleans(), st.booleans()))
def test_cleaning_does_not_depend_on_the_voxel_order(order, flips):
    labels, matrix = spine_labels(VALUES)
    rng = np.random.default_rng(0)
    labels[rng.random(labels.shape) > 0.9995] = 20
    expected = load_case(None, (labels, matrix)).labels.voxels
    turned, back = reorder(labels, matrix, order, flips)
    got = load_case(None, (turned, back)).labels
    np.testing.assert_array_equal(got.voxels, reorder(expected, matrix, order, flips)[0])


def reorder(array, matrix, order, flips):
    """The same volume in another voxel order, with the matrix that says so."""
    turned = array.transpose(order)
    matrix = matrix[:, [*order, 3]].copy()
    for axis, flip in enumerate(flips):
        if flip:
            turned = np.flip(turned, axis)
            matrix[:3, 3] += matrix[:3, axis] * (turned.shape[axis] - 1)
            matrix[:3, axis] *= -1
    return turned, matrix


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), share=st.floats(0, 0.02), cubes=st.integers(0, 12))
def test_damaged_labels_end_in_a_case_or_in_one_sentence(seed, share, cubes):
    labels, matrix = spine_labels(VALUES)
    rng = np.random.default_rng(seed)
    noise = rng.random(labels.shape) < share
    labels[noise] = rng.choice([0, *VALUES, 25, 99], noise.sum())
    for _ in range(cubes):
        i, j, k = (int(rng.integers(0, n)) for n in labels.shape)
        size = int(rng.integers(1, 25))
        labels[i : i + size, j : j + size, k : k + size] = rng.choice([0, *VALUES])
    try:
        case = load_case(None, (labels, matrix), numbering={"T12": 19, "L1": 20, "L2": 21})
    except InputError as error:
        assert "\n" not in str(error)
        return
    assert case.level_values
    for value in case.level_values.values():
        assert np.count_nonzero(case.labels.voxels == value) * 1e-3 >= 0.5
    assert set(np.unique(case.labels.voxels)) <= {0, *case.level_values.values()}


@pytest.mark.benchmark_table
def test_a_512_512_400_label_map_is_cleaned_in_a_few_seconds(record_property):
    spacing = (0.7, 0.7, 0.8)
    small, matrix = spine_labels(VALUES + [22, 23, 24], *grid_for(6, spacing))
    labels = np.zeros((512, 512, 400), np.uint8, order="F")
    labels[100 : 100 + small.shape[0], 100 : 100 + small.shape[1], 50 : 50 + small.shape[2]] = small
    labels[:20, :20, :20] = 20  # islands in far corners make the boxes as large as they get
    labels[-20:, -20:, -20:] = 21
    start = time.process_time()
    case = load_case(None, (labels, matrix))
    elapsed = time.process_time() - start
    assert len(case.level_values) == 6
    record_property("cleaning_s", round(elapsed, 2))
    assert elapsed < 3.0


def test_a_vertebra_shaped_toy_has_the_volume_its_solids_add_up_to():
    """Keeps the numbers above honest: body π·20·15·24 = 22.6 ml and an arch of about 9 ml."""
    labels, _ = spine_labels([20])
    volume = np.count_nonzero(labels) / 1000
    assert 28 < volume < 36
    assert vertebra_mask(np.zeros(1), np.zeros(1), np.zeros(1)).all()


# --- two bones under one number --------------------------------------------------------------------------------


def touching(labels: np.ndarray, values: tuple[int, int]) -> np.ndarray:
    """Two neighbours under the number of the lower, joined on each side by articular processes of 6 × 4 mm."""
    upper, lower = (np.argwhere(labels == value) for value in values)
    joined = np.where(np.isin(labels, values), values[1], labels)
    low, high = lower[:, 2].min() - 8, upper[:, 2].max()
    for i in (22, 46):
        joined[i - 3 : i + 3, 46:50, low:high] = values[1]
    return joined


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (2.0, 1.0, 1.0)])
def test_two_touching_vertebrae_under_one_number_are_refused(spacing):
    labels, matrix = spine_labels([19, 20, 21])
    joined = touching(labels, (20, 21))[:: int(spacing[0])]
    matrix = matrix @ np.diag([*spacing, 1])
    with pytest.raises(InputError, match=r"label of L2 \(value 21\) marks two vertebrae, one 3[34] mm above the other"):
        load_case(None, (joined, matrix), numbering={"T12": 19, "L1": 20, "L2": 21})


@pytest.mark.parametrize(("size", "said"), [(13, []), (16, [("caution", "L1: its label encloses a gap of 4.1 ml")])])
def test_a_hollow_body_is_pointed_out_where_its_gap_is_too_large_to_be_filled(size, said):
    labels, matrix = spine_labels(VALUES)
    blob(labels, matrix, centre_of(1) - size / 2, size, 0)
    case = load_case(None, (labels, matrix))
    found = [(w.severity, w.message[:38]) for w in case.warnings if w.code == "label_hollow"]
    assert found == said
    assert not [w for w in load_case(None, spine_labels(VALUES)).warnings if w.code == "label_hollow"]


def two_posts(top: int) -> tuple[np.ndarray, np.ndarray]:
    """L1, L2 and, 38 mm apart, two processes of a T12 that end ``top`` voxels below the upper face of the image."""
    labels, matrix = spine_labels([0, 20, 21])
    r, a, s = world(labels.shape, matrix)
    end = s.max() - top
    beside = np.abs(np.abs(r - CENTRE_R) - 19) <= 4
    labels[beside & (np.abs(a - (CENTRE_A - 30)) <= 5) & (s > end - 12) & (s <= end)] = 19
    return labels, matrix


def test_two_processes_left_of_a_vertebra_cut_by_the_border_are_one_vertebra():
    labels, matrix = two_posts(top=0)
    case = load_case(None, (labels, matrix))
    np.testing.assert_array_equal(case.labels.voxels, labels)
    assert list(case.level_values) == ["T12", "L1", "L2"]


def test_two_pieces_of_like_size_inside_the_image_are_still_refused():
    with pytest.raises(InputError, match=r"The label of T12 \(value 19\) marks two bones of like size 38 mm apart"):
        load_case(None, two_posts(top=8))
