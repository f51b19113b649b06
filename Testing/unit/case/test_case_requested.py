"""Which levels the user asked for, in any spelling."""

import pytest

from VertebralAugmentationPlannerLib.case import requested_levels
from VertebralAugmentationPlannerLib.model import InputError, PlanOptions

PRESENT = ["T11", "T12", "L1", "L2"]


@pytest.mark.parametrize(
    ("asked", "levels"),
    [
        ("L1", ("L1",)),
        ("L1,T12", ("T12", "L1")),
        (" l1 , vertebrae_T12 ", ("T12", "L1")),
        (["L1", "L1"], ("L1",)),
        ("all", ("T11", "T12", "L1", "L2")),
        ("ALL", ("T11", "T12", "L1", "L2")),
        ("fractured", None),
        ("L5", ("L5",)),
    ],
)
def test_levels_come_from_head_to_foot(asked, levels):
    assert requested_levels(PlanOptions(levels=asked), PRESENT) == levels


@pytest.mark.parametrize(
    ("asked", "says"), [("L9", "“L9”"), ("L1;L2", "“L1;L2”"), ("C5", "“C5”"), (",", "No level"), ("", "No level")]
)
def test_an_unknown_level_is_named(asked, says):
    with pytest.raises(InputError, match=says):
        requested_levels(PlanOptions(levels=asked), PRESENT)
