"""A label cut by the border may be the tip of a process: its middle then says nothing about the spine."""

import numpy as np
import pytest
from toy_spine import TOTAL, VERSE, spine_labels
from VertebralAugmentationPlannerLib.case import load_case
from VertebralAugmentationPlannerLib.case.parts import at_border, parts_of_vertebrae


@pytest.mark.parametrize(
    ("volumes", "cut", "parts"),
    [
        ({"T11": 2, "T12": 48, "L1": 58, "L2": 50}, {"T11", "T12", "L2"}, {"T11"}),
        ({"T11": 2, "T12": 48, "L1": 58, "L2": 50}, set(), set()),
        ({"T1": 11, "T2": 13, "L4": 68}, {"T1"}, set()),
        ({"T12": 30, "L1": 3}, {"T12", "L1"}, {"L1"}),
        ({"L1": 30}, {"L1"}, set()),
    ],
)
def test_a_part_is_cut_and_far_smaller_than_the_whole_vertebrae_next_to_it(volumes, cut, parts):
    assert parts_of_vertebrae(volumes, cut) == parts


@pytest.mark.parametrize("empty", [0, 3])
def test_the_border_is_either_end_of_any_axis_but_for_a_few_empty_layers(empty):
    shape = (10, 20, 30)
    inner = (slice(4, 6), slice(4, 16), slice(4, 26))
    assert not at_border(inner, shape)
    for axis in range(3):
        for slab in (slice(empty, 6), slice(4, shape[axis] - empty)):
            assert at_border(tuple(slab if a == axis else inner[a] for a in range(3)), shape)


@pytest.mark.parametrize("numbers", [VERSE, TOTAL])
def test_the_tip_of_a_process_that_hangs_below_the_next_vertebra_is_not_out_of_order(numbers):
    labels, matrix = spine_labels([numbers["T11"], numbers["T12"], numbers["L1"]])
    place = np.argwhere(labels == numbers["T12"])
    top, back = place[:, 2].max() - 8, place[:, 1].min()
    labels[labels == numbers["T11"]] = 0
    labels = labels[:, back - 2 :, : top + 1].copy()
    middle = int(np.median(place[:, 0]))
    tip = (slice(middle - 4, middle + 5), slice(0, 14), slice(place[:, 2].min() - 4, place[:, 2].min() + 12))
    labels[tip][labels[tip] == 0] = numbers["T11"]
    case = load_case(None, (labels, matrix))
    assert list(case.level_values) == ["T11", "T12", "L1"]
