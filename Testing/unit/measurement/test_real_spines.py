"""Real spines of the VerSe collection: no false fracture, and the collapsed L1 found."""

import os
from pathlib import Path

import pytest
from VertebralAugmentationPlannerLib.anatomy import build_spine
from VertebralAugmentationPlannerLib.case import load_case
from VertebralAugmentationPlannerLib.measurement import measure_spine
from VertebralAugmentationPlannerLib.model import PlanOptions

DATA = Path(os.environ.get("VAP_DATA") or Path(__file__).resolve().parents[4] / "shared" / "data")


def measured(name, with_ct=True):
    return {level: found.measurements for level, found in measured_levels(name, with_ct).items()}


def measured_levels(name, with_ct=True):
    folder = DATA / name
    if not folder.is_dir():
        pytest.skip(f"{name} is not here; set VAP_DATA to the folder of real spines")
    options = PlanOptions(labels="verse")
    case = load_case(str(folder / "ct.nii.gz") if with_ct else None, str(folder / "vertebrae.nii.gz"), options)
    return measure_spine(build_spine(case), case, options)


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
    levels = measured("verse004", with_ct=False)
    assert set(levels) >= {"T9", "T10", "T11", "T12", "L1", "L2", "L3", "L4", "L5"}
    assert {level for level, found in levels.items() if found.genant_grade} == {"L1"}
    collapsed = levels["L1"]
    assert collapsed.middle_height_mm == pytest.approx(9.0, abs=1.0)
    assert collapsed.genant_grade == 3
    assert collapsed.of_class == "OF4"
    assert collapsed.reference.levels == ("T12", "L2")
    assert 23 < collapsed.reference.middle_height_mm < 26
    assert collapsed.body_density_hu is None


@pytest.mark.parametrize("name", ["verse004", "verse005", "verse008"])
def test_nothing_speaks_against_references_of_real_spines(name):
    levels = measured_levels(name, with_ct=False)
    assert levels
    codes = {level: [warning.code for warning in found.warnings] for level, found in levels.items()}
    assert not [level for level in codes if "reference_implausible" in codes[level]]


@pytest.mark.parametrize(("name", "shaped"), [("verse004", {"T9", "T10"}), ("verse005", set()), ("verse008", {"L2"})])
def test_unfractured_levels_that_readers_grade_2_are_pointed_out_by_their_shape(name, shaped):
    """VerSe's readers give Genant grade 2 to T9 and T10 of verse004 and to L2 of verse008, whose losses stay below 20 %: T9 and
    T10 are each other's neighbours."""
    levels = measured_levels(name, with_ct=False)
    told = {level for level, found in levels.items() if "fracture_by_shape" in [note.code for note in found.warnings]}
    assert told == shaped
