"""What of a needle is found otherwise than its plan has it."""

from dataclasses import replace

import pytest
from plans import case_plan
from VertebralAugmentationPlannerLib.access.judged import differences

NEEDLE = replace(
    case_plan().level("T12").trajectory("left"),
    bone_path_mm=45.0,
    midline_offset_mm=5.0,
    convergence_angle_deg=20.0,
    craniocaudal_angle_deg=-5.0,
    skin_to_target_mm=90.0,
    breach_grade="A",
    safety="safe",
)
WALLS = replace(NEEDLE.clearance_mm, canal=3.0, pedicle_wall=1.2, neighbour=None)
BEFORE = replace(NEEDLE, clearance_mm=WALLS)


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        ({}, set()),
        ({"bone_path_mm": 45.04}, set()),
        ({"bone_path_mm": 45.06}, {"place"}),
        ({"midline_offset_mm": 4.94}, {"place"}),
        ({"convergence_angle_deg": 20.09}, set()),
        ({"convergence_angle_deg": 20.11}, {"place"}),
        ({"craniocaudal_angle_deg": -5.11}, {"place"}),
        ({"canal": 3.04}, set()),
        ({"canal": 2.94}, {"clearance"}),
        ({"canal": None}, {"clearance"}),
        ({"neighbour": 2.0}, {"clearance now known"}),
        ({"safety": "tight"}, {"safety"}),
        ({"breach_grade": "B"}, {"grade"}),
        ({"skin_to_target_mm": 90.06}, {"skin"}),
        ({"skin_to_target_mm": None}, {"skin"}),
        ({"safety": "breach", "breach_grade": "B", "canal": -0.5}, {"safety", "grade", "clearance"}),
        ({"compromise": "other words", "cement_ml": 9.0, "balloon": None}, set()),  # no finding of the images
    ],
)
def test_what_of_a_needle_is_not_as_the_plan_has_it(change, differs):
    walls = {name: value for name, value in change.items() if hasattr(WALLS, name)}
    others = {name: value for name, value in change.items() if name not in walls}
    assert differences(BEFORE, replace(BEFORE, clearance_mm=replace(WALLS, **walls), **others)) == differs


def test_a_needle_whose_skin_was_not_known_either_has_it_alike():
    blind = replace(BEFORE, skin_to_target_mm=None)
    assert differences(blind, blind) == set() and differences(blind, BEFORE) == {"skin"}
