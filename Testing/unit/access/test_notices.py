"""What is said of needles, and when it goes."""

from VertebralAugmentationPlannerLib.access import warnings_without_path
from VertebralAugmentationPlannerLib.model import PlanWarning


def test_what_is_said_of_a_path_goes_with_its_needle_and_no_other():
    """By level and side of the warning: its sentence is for people."""
    said = [
        PlanWarning("tight_path", "caution", "The needle is near the wall.", "[D]", side, level)
        for level, side in (("T1", "left"), ("T1", "right"), ("T10", "left"), ("T1", None))
    ]
    kept = warnings_without_path(said, "T1", "left")
    assert [(one.level, one.side) for one in kept] == [("T1", "right"), ("T10", "left"), ("T1", None)]
    assert warnings_without_path(said, "T1", "left", frozenset({"tight_path"})) == tuple(said)
