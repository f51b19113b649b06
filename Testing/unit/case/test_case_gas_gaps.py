"""A cleft that a label leaves out belongs to its vertebra where the CT shows gas between two parts of it, and nothing else does."""

from __future__ import annotations

import numpy as np
import pytest
from real_spines import NAMES, real_case
from VertebralAugmentationPlannerLib.case.gas_gaps import completed_levels, fill_gas_gaps, open_gaps
from VertebralAugmentationPlannerLib.model import Image
from VertebralAugmentationPlannerLib.model.geometry import label_boxes

L1, L2 = 20, 21
BONE, TISSUE, GAS = 300, 40, -900


def block(gap: int, between: int, spacing: float = 1.0) -> tuple[Image, Image]:
    """Labels and CT of a block 24 × 20 × 22 voxels, open to the front by a gap of some voxels that reads ``between`` HU."""
    voxels, hu = np.zeros((34, 30, 34), np.uint8), np.full((34, 30, 34), TISSUE, np.int16)
    voxels[5:29, 5:25, 5:27] = L1
    voxels[5:29, 12:25, 14 : 14 + gap] = 0
    hu[voxels == L1] = BONE
    hu[5:29, 12:25, 14 : 14 + gap] = between
    matrix = np.diag([spacing, spacing, spacing, 1.0])
    return Image(voxels, matrix), Image(hu, matrix)


def label_boxes_of(case) -> dict[str, tuple[slice, ...]]:
    boxes = label_boxes(case.labels.voxels)
    return {level: boxes[value] for level, value in case.level_values.items()}


def turned(image: Image, order: tuple[int, int, int], flipped: tuple[int, ...]) -> Image:
    """The same picture in another voxel order."""
    matrix = image.ijk_to_ras.copy()
    voxels = image.voxels
    for axis in flipped:
        matrix[:3, 3] += matrix[:3, axis] * (voxels.shape[axis] - 1)
        matrix[:3, axis] *= -1
        voxels = np.flip(voxels, axis)
    return Image(voxels.transpose(order), np.column_stack([*(matrix[:, axis] for axis in order), matrix[:, 3]]))


def filled(labels: Image, ct: Image):
    return fill_gas_gaps(labels, {"L1": L1}, {"L1": label_boxes(labels.voxels)[L1]}, ct)


@pytest.mark.parametrize(("order", "flipped"), [((0, 1, 2), ()), ((2, 0, 1), (0, 2)), ((1, 2, 0), (2,))])
def test_gas_between_two_parts_of_a_label_is_part_of_it_in_any_voxel_order(order, flipped):
    labels, ct = block(3, GAS)
    given = turned(labels, order, flipped)
    before = given.voxels.copy()
    image, (told,) = filled(given, ct)
    assert np.count_nonzero(image.voxels == L1) == 24 * 20 * 22
    assert np.array_equal(given.voxels, before), "the map that was given is not changed"
    assert (told.code, told.severity) == ("cleft_not_labelled", "info") and "0.9 ml with gas" in told.message
    assert completed_levels([told]) == {"L1"}


@pytest.mark.parametrize(
    ("gap", "between", "spacing"),
    [(3, TISSUE, 1.0), (3, -110, 1.0), (9, GAS, 1.0), (5, GAS, 2.0)],
    ids=["soft tissue", "fat", "too wide", "too wide in larger voxels"],
)
def test_nothing_else_is_filled(gap, between, spacing):
    labels, ct = block(gap, between, spacing)
    image, told = filled(labels, ct)
    assert image is labels and told == []


def test_another_bone_in_the_gap_stays_and_so_does_a_bubble():
    labels, ct = block(3, GAS)
    labels.voxels[5:29, 12:25, 14:17] = L2
    assert filled(labels, ct) == (labels, [])
    labels, ct = block(3, TISSUE)
    ct.voxels[10:13, 14:17, 15] = GAS  # 9 mm³
    assert filled(labels, ct) == (labels, [])


def test_where_the_ct_does_not_show_the_vertebra_no_gas_is_believed():
    labels, ct = block(3, GAS)
    outside = Image(np.full(ct.voxels.shape, GAS, np.int16), ct.ijk_to_ras)
    assert filled(labels, outside) == (labels, [])


def test_another_gap_in_the_same_columns_stays_open():
    """Under a spur or a process, say."""
    labels, ct = block(3, GAS)
    labels.voxels[5:29, 12:25, 21:25] = 0  # soft tissue above the cleft, under bone that hangs over
    ct.voxels[5:29, 12:25, 21:25] = TISSUE
    image, _ = filled(labels, ct)
    assert np.all(image.voxels[5:29, 12:25, 14:17] == L1) and not image.voxels[5:29, 12:25, 21:25].any()


@pytest.mark.parametrize("spacing", [1.0, 1.5])
@pytest.mark.parametrize("flipped", [(), (2,)])
@pytest.mark.parametrize("with_ct", [False, True])
def test_a_gap_that_is_left_is_a_caution_where_it_can_move_a_plate(spacing, flipped, with_ct):
    """24 × 13 columns of 1 mm are 312 mm²."""
    given = turned(block(3, GAS, spacing)[0], (2, 0, 1), flipped)
    boxes = {"L1": label_boxes(given.voxels)[L1]}
    (told,) = open_gaps(given, {"L1": L1}, boxes, with_ct)
    assert told.severity == "caution" and told.message.startswith("The label of L1 leaves a gap")
    assert ("give the CT" in told.message) is not with_ct and ("may have lost bone" in told.message) is with_ct
    given.voxels[given.voxels == 0] = L2
    given.voxels[0] = 0
    assert open_gaps(given, {"L1": L1}, boxes, with_ct) == [], "a neighbour between two parts is no gap"


def test_a_gap_under_a_process_is_none():
    labels, _ = block(3, GAS)
    labels.voxels[5:29, 15:25, 14:17] = L1
    labels.voxels[16:29, 12:15, 14:17] = L1
    assert open_gaps(labels, {"L1": L1}, {"L1": label_boxes(labels.voxels)[L1]}, False) == []


@pytest.mark.parametrize("name", NAMES)
def test_facets_foramina_and_processes_of_real_spines_are_no_gaps(name):
    case = real_case(name)
    assert open_gaps(case.labels, case.level_values, label_boxes_of(case), False) == []
