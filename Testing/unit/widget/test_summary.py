"""The plan in words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from plans import case_plan, only
from VertebralAugmentationPlannerLib.model import PlanWarning


def test_a_warning_that_names_another_level_first_is_headed_by_its_own(a_slicer: Any) -> None:
    from VertebralAugmentationPlannerLib.widget.summary import summary_html

    own = PlanWarning.of_level("T1", "prediction", "info", "the expected height is posture.", "[D]")
    other = PlanWarning("neighbour_edited", "caution", "T10 was edited by hand.", "the user's edit")
    plan = only(case_plan(), "T12", level="T1", warnings=(own, other))
    words = summary_html(replace(plan, warnings=()), "T1")
    assert ">T1: T10 was edited by hand.<" in words
    assert ">T1: The expected height" not in words and ">T1: the expected height is posture.<" in words
