"""What segments, masks and options may be called."""

import pytest
from VertebralAugmentationPlannerLib.case.names import BodyPart, part_of_name
from VertebralAugmentationPlannerLib.model import InputError, parse_level

L1 = [
    "L1",
    "l1",
    "vertebrae_L1",
    "L1 vertebra",
    "vertebra L1",
    "L_01",
    "LWK 1",
    "lwk1",
    "Lumbar 1",
    "lumbar vertebra 1",
]
T12 = ["T12", "Th12", "TH 12", "vertebrae_T12", "BWK12", "BWK 12", "thoracic_12", "Thoracic vertebra 12"]


@pytest.mark.parametrize(("text", "level"), [*[(name, "L1") for name in L1], *[(name, "T12") for name in T12]])
def test_levels_as_programs_and_clinics_write_them(text, level):
    assert parse_level(text) == level
    assert part_of_name(text) == BodyPart("level", level)


@pytest.mark.parametrize("text", ["L7", "T14", "Th14", "LWK 9", "L0", "T100"])
def test_a_level_that_does_not_exist_is_never_passed_over(text):
    with pytest.raises(InputError, match="is not a vertebral level"):
        part_of_name(text)


@pytest.mark.parametrize(
    "text", ["liver", "L1-L2", "T12/L1 disc", "lung_lower_lobe_left", "rib_left_12", "Tumour 1", "Hals 3"]
)
def test_other_names_are_no_levels(text):
    assert part_of_name(text) is None
