"""Which number is which vertebra: found where the anatomy leaves one reading, asked for where it does not."""

from __future__ import annotations

import json

import numpy as np
import pytest
from toy_spine import CENTRE_A, CENTRE_R, TOTAL, VERSE, spine_labels, vertebra_mask, world

from VertebralAugmentationPlannerLib.case import load_case
from VertebralAugmentationPlannerLib.model import InputError, PlanOptions

LUMBAR = ["T12", "L1", "L2", "L3"]


def case_of(values, options=None, **keywords):
    return load_case(None, spine_labels(values), options, **keywords)


@pytest.mark.parametrize(("table", "name"), [(VERSE, "verse"), (TOTAL, "totalsegmentator")])
def test_numbers_that_grow_along_the_spine_tell_their_table(table, name):
    case = case_of([table[level] for level in LUMBAR])
    assert case.inputs.numbering == name
    assert case.level_values == {level: table[level] for level in LUMBAR}
    assert list(case.level_values) == LUMBAR


def test_a_thirteenth_thoracic_vertebra_is_verse_although_its_number_is_an_l4_elsewhere():
    levels = ["T11", "T12", "T13", "L1"]
    assert list(case_of([VERSE[level] for level in levels]).level_values) == levels


def test_discs_and_end_plates_beside_verse_numbers_leave_them_verse():
    values = [VERSE[level] for level in LUMBAR]
    labels, matrix = spine_labels(values)
    r, a, s = world(labels.shape, matrix)
    for value in values:
        place = np.argwhere(labels == value)
        low = place[:, 2].min()
        labels[:, :, low][labels[:, :, low] == value] = 200 + value
        disc = (((r - CENTRE_R) / 18) ** 2 + ((a - CENTRE_A) / 13) ** 2 <= 1) & (labels == 0)
        labels[:, :, low - 6 : low][disc[:, :, low - 6 : low]] = 100 + value
    case = load_case(None, (labels, matrix))
    assert case.inputs.numbering == "verse"
    assert list(case.level_values) == LUMBAR
    assert set(np.unique(case.labels.voxels)) == {0, *values}


def test_totalsegmentator_with_sacrum_keeps_the_sacrum_as_bone_but_plans_only_lumbar_levels():
    values = [TOTAL["L4"], TOTAL["L5"], 26, 25]
    case = case_of(values)
    assert list(case.level_values) == ["L4", "L5"]
    assert set(np.unique(case.labels.voxels)) == {0, 25, 26, 27, 28}


def test_a_single_vertebra_that_both_tables_know_is_asked_for():
    with pytest.raises(InputError, match=r"28 could be T13 in VerSe or L4 in TotalSegmentator; give --labels"):
        case_of([28])
    assert list(case_of([28], PlanOptions(labels="verse")).level_values) == ["T13"]
    assert list(case_of([28], PlanOptions(labels="totalsegmentator")).level_values) == ["L4"]


def test_a_single_vertebra_that_one_table_knows_is_taken():
    assert list(case_of([VERSE["L1"]]).level_values) == ["L1"]
    assert list(case_of([TOTAL["L1"]]).level_values) == ["L1"]


def test_a_single_vertebra_tells_how_the_first_totalsegmentator_reads_its_number():
    case = case_of([V1["T6"]])
    assert list(case.level_values) == ["L3"]
    (told,) = [warning for warning in case.warnings if warning.code == "numbering_of_two_readings"]
    assert "L3 by TotalSegmentator’s numbers, T6 by those of TotalSegmentator version 1" in told.message


V1 = {**{f"L{n}": 23 - n for n in range(1, 6)}, **{f"T{n}": 35 - n for n in range(1, 13)}}


@pytest.mark.parametrize("levels", [["L1", "L2", "L3"], ["T9", "T10", "T11", "T12", "L1", "L2"]])
def test_numbers_of_the_first_totalsegmentator_are_known(levels):
    """By the present table T9 would be S1, T10 the sacrum, and an L5 of it is T8."""
    case = case_of([V1[level] for level in levels])
    assert case.inputs.numbering == "totalsegmentator-v1"
    assert list(case.level_values) == levels
    assert "numbering_of_two_readings" not in [warning.code for warning in case.warnings]


def test_the_present_table_chosen_for_numbers_of_the_first_is_refused():
    values = [V1[level] for level in ("T8", "T9", "T10", "T11", "T12", "L1")]
    with pytest.raises(
        InputError, match=r"order of TotalSegmentator version 1’s numbers \(T8–L1\).*totalsegmentator-v1"
    ):
        case_of(values, PlanOptions(labels="totalsegmentator"))
    assert next(iter(case_of(values, PlanOptions(labels="totalsegmentator-v1")).level_values)) == "T8"


def test_numbers_that_both_versions_have_are_the_present_ones_and_the_other_reading_is_told():
    case = case_of([TOTAL[level] for level in LUMBAR])
    assert list(case.level_values) == LUMBAR
    (told,) = [warning for warning in case.warnings if warning.code == "numbering_of_two_readings"]
    assert "T12–L3 by TotalSegmentator’s present numbers, T3–T6 by those of its version 1" in told.message
    chosen = case_of([TOTAL[level] for level in LUMBAR], PlanOptions(labels="totalsegmentator"))
    assert "numbering_of_two_readings" not in [warning.code for warning in chosen.warnings]


@pytest.mark.parametrize("bladder", [21, 20])
def test_bowel_and_bladder_below_a_spine_make_no_first_version_of_it(bladder):
    values = [TOTAL[level] for level in ("T11", "T12", "L1")]
    case = case_of([*values, bladder])
    assert list(case.level_values) == ["T11", "T12", "L1"]


def test_numbers_in_no_order_are_asked_for():
    with pytest.raises(InputError, match=r"L1–L3 in VerSe, but they do not lie in that order from head to foot"):
        case_of([22, 20, 21])


def test_a_table_chosen_against_the_anatomy_is_refused():
    with pytest.raises(InputError, match=r"order of TotalSegmentator’s numbers \(T12–L3\), not of VerSe’s"):
        case_of([TOTAL[level] for level in LUMBAR], PlanOptions(labels="verse"))


def test_numbers_of_neither_table_are_asked_for():
    with pytest.raises(InputError, match=r"No vertebra T1–L6 is in the labels \(values 1, 2, 3\)"):
        case_of([3, 2, 1])


def test_a_whole_body_segmentation_is_read_by_its_vertebrae_and_its_cord():
    labels, matrix = spine_labels([TOTAL[level] for level in LUMBAR], canal=79)
    r, a, s = world(labels.shape, matrix)
    labels[(np.abs(r - CENTRE_R) < 15) & (a > CENTRE_A + 20) & (s > 230)] = 5  # liver
    labels[(np.abs(r - CENTRE_R) < 15) & (a > CENTRE_A + 20) & (s < 225)] = 20  # colon; L1 in VerSe
    case = load_case(None, (labels, matrix))
    assert case.inputs.numbering == "totalsegmentator"
    assert list(case.level_values) == LUMBAR
    assert case.canal_is_cord
    np.testing.assert_array_equal(case.canal.voxels != 0, labels == 79)
    assert set(np.unique(case.labels.voxels)) == {0, *case.level_values.values()}


@pytest.mark.parametrize(
    "table",
    [
        {"L1": 1, "L2": 2, "canal": 9},
        {"1": "L1", "2": "vertebrae_L2", "9": "spinal canal"},
        {"L1": "1", "L2": "2", "canal": "9"},
    ],
)
def test_a_json_file_names_levels_either_way_round(tmp_path, table):
    path = tmp_path / "numbers.json"
    path.write_text(json.dumps(table))
    labels, matrix = spine_labels([1, 2], canal=9)
    case = load_case(None, (labels, matrix), PlanOptions(labels=str(path)))
    assert case.level_values == {"L1": 1, "L2": 2}
    assert case.inputs.numbering == "numbers.json"
    assert not case.canal_is_cord
    np.testing.assert_array_equal(case.canal.voxels != 0, labels == 9)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"L1": 20', "is not valid JSON"),
        ('{"L1": 20, "L2": 21, "L1": 22}', "“L1” twice"),
        ("[" * 100_000, "nested too deep"),
        ('{"L1": ' + "9" * 5000 + "}", "damaged"),
        ("[20, 21]", "is not a table"),
        ('{"L9": 20}', "“L9” is not a vertebral level"),
        ('{"L1": 20.5}', "whole number"),
        ('{"L1": 20, "vertebra L1": 21}', "names L1 twice"),
        ('{"L1": 20, "L2": 20}', "the value 20 to two vertebrae"),
        ('{"liver": 5}', "names no level"),
    ],
)
def test_a_wrong_json_file_is_one_sentence(tmp_path, text, says):
    path = tmp_path / "numbers.json"
    path.write_text(text)
    with pytest.raises(InputError, match=says) as caught:
        case_of([20, 21], PlanOptions(labels=str(path)))
    assert "\n" not in str(caught.value)


def test_a_numbering_that_is_neither_a_name_nor_a_file_is_refused():
    with pytest.raises(InputError, match="“nonsense” is unknown"):
        case_of([20, 21], PlanOptions(labels="nonsense"))
    with pytest.raises(InputError, match=r"missing\.json cannot be read"):
        case_of([20, 21], PlanOptions(labels="missing.json"))


def test_swapped_levels_are_named():
    with pytest.raises(InputError, match=r"read T12, L2, L1, L3: L1, L2 are out of order"):
        case_of([VERSE[level] for level in ("T12", "L2", "L1", "L3")], PlanOptions(labels="verse"))


def test_a_spine_that_reads_upside_down_is_an_error_not_a_guess():
    with pytest.raises(InputError, match="upside down"):
        case_of([VERSE[level] for level in ("L3", "L2", "L1")], PlanOptions(labels="verse"))


def test_two_vertebrae_under_one_number_are_an_error():
    labels, matrix = spine_labels([20, 21, 20])
    with pytest.raises(InputError, match=r"label of L1 \(value 20\) marks two bones of like size 68 mm apart"):
        load_case(None, (labels, matrix), PlanOptions(labels="verse"))


def test_two_spines_side_by_side_are_an_error():
    first, matrix = spine_labels([20, 21, 22, 0])
    labels = np.zeros((190, *first.shape[1:]), np.uint8)
    labels[:70] = first
    r, a, s = world(labels.shape, matrix)
    for value, s0 in ((23, 300 - 34), (24, 300 - 68)):
        labels[vertebra_mask(r - CENTRE_R - 120, a - CENTRE_A, s - s0)] = value
    with pytest.raises(InputError, match=r"L3 and L4 lie 120 mm beside each other: the labels hold two spines"):
        load_case(None, (labels, matrix), PlanOptions(labels="verse"))


def test_the_same_spine_twice_is_an_error():
    first, matrix = spine_labels([20, 21, 22])
    labels = np.zeros((190, *first.shape[1:]), np.uint8)
    labels[:70] = first
    labels[120:] = first
    with pytest.raises(InputError, match=r"two spines"):
        load_case(None, (labels, matrix))


def test_a_missing_number_without_room_for_its_vertebra_is_pointed_out():
    case = case_of([VERSE[level] for level in ("T10", "T11", "L1", "L2")])
    note = next(w for w in case.warnings if w.code == "numbering_skips")
    assert note.severity == "caution"
    assert note.message.startswith("T12 is not labelled, and T11 and L1 lie only 34 mm apart")
    spread = case_of([VERSE["T10"], VERSE["T11"], 0, VERSE["L1"], VERSE["L2"]])
    assert not [w for w in spread.warnings if w.code == "numbering_skips"]


def test_neighbours_far_apart_are_not_one_spine():
    with pytest.raises(InputError, match=r"T12 and L1 lie 136 mm apart, too far for one spine"):
        case_of([19, 0, 0, 0, 20], PlanOptions(labels="verse"))


def test_the_caller_may_know_the_numbers():
    case = case_of([7, 5], numbering={"L1": 7, "L2": 5})
    assert case.level_values == {"L1": 7, "L2": 5}
    assert case.inputs.numbering == "given"


def test_the_ends_of_a_bent_spine_may_lie_far_aside_where_levels_are_missing_between_them():
    from VertebralAugmentationPlannerLib.case.checks import order_problems

    bent = {"T6": np.array([0.0, 0.0, 300.0]), "T7": np.array([0.0, -8.0, 278.0]), "L2": np.array([0.0, 70.0, 120.0])}
    order_problems(bent)
    beside = {**bent, "L2": np.array([0.0, 170.0, 120.0])}
    with pytest.raises(InputError, match="T7 and L2 lie 178 mm beside each other"):
        order_problems(beside)
