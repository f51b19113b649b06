"""Real spines of the VerSe collection: no false fracture, and the collapsed L1 found."""

import pytest
from real_spines import NAMES, real_levels


def measured(name):
    return {level: found.measurements for level, found in real_levels(name).items()}


def test_verse005_has_two_whole_healthy_levels():
    levels = measured("verse005")
    assert {"L2", "L4"} <= set(levels)
    assert not {"L1", "L5"} & set(levels)
    assert all(found.genant_grade == 0 for found in levels.values())
    # Osteoporotic bone: well below the 110 HU of Pickhardt 2013.
    assert all(30 < found.body_density_hu < 90 for found in levels.values())


def test_verse008_is_healthy_with_a_slightly_low_L2():
    levels = measured("verse008")
    assert {"L1", "L2", "L3"} <= set(levels)
    assert all(found.genant_grade == 0 for found in levels.values())
    assert 8 < levels["L2"].height_loss_percent.middle < 20
    assert levels["L2"].middle_height_mm == min(found.middle_height_mm for found in levels.values())


def test_verse004_has_one_collapsed_level_and_no_other_fracture():
    levels = measured("verse004")
    assert set(levels) >= {"T9", "T10", "T11", "T12", "L1", "L2", "L3", "L4", "L5"}
    assert {level for level, found in levels.items() if found.genant_grade} == {"L1"}
    collapsed = levels["L1"]
    assert collapsed.middle_height_mm == pytest.approx(9.0, abs=1.0)
    assert collapsed.genant_grade == 3
    assert collapsed.of_class == "OF4"
    assert collapsed.reference.levels == ("T12", "L2")
    assert 23 < collapsed.reference.middle_height_mm < 26
    assert collapsed.body_density_hu is None


@pytest.mark.parametrize("name", NAMES)
def test_nothing_speaks_against_references_of_real_spines(name):
    levels = real_levels(name)
    assert levels
    codes = {level: [warning.code for warning in found.warnings] for level, found in levels.items()}
    assert not [level for level in codes if "reference_implausible" in codes[level]]


@pytest.mark.parametrize(("name", "shaped"), [("verse004", {"T9", "T10"}), ("verse005", set()), ("verse008", {"L2"})])
def test_unfractured_levels_that_readers_grade_2_are_pointed_out_by_their_shape(name, shaped):
    """VerSe's readers give Genant grade 2 to T9 and T10 of verse004 and to L2 of verse008, whose losses stay below 20 %: T9 and
    T10 are each other's neighbours."""
    levels = real_levels(name)
    told = {level for level, found in levels.items() if "fracture_by_shape" in [note.code for note in found.warnings]}
    assert told == shaped
