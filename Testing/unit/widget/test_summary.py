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


def test_the_stops_and_cautions_that_are_counted_are_those_that_are_shown(a_slicer: Any) -> None:
    from VertebralAugmentationPlannerLib.widget.summary import summary_html, warnings_counted

    plan = case_plan()  # T12 has two cautions, L2 a stop
    shown = summary_html(plan, "T12")
    assert (shown.count("✖"), shown.count("▲")) == (1, 2) and warnings_counted(plan, "T12") == "1 stop, 2 cautions"
    alike = PlanWarning("doubt", "caution", "look at it.", "[D]")  # one and the same of two levels is two lines
    levels = tuple(replace(level, warnings=(alike, *level.warnings)) for level in plan.levels)
    shown = summary_html(replace(plan, levels=levels), "T12")
    assert shown.count("▲") == 4 and warnings_counted(replace(plan, levels=levels)) == "1 stop, 4 cautions"
    quiet = tuple(replace(level, warnings=()) for level in plan.levels)
    assert warnings_counted(replace(plan, levels=quiet)) == ""
    unplanned = tuple(replace(level, approach=None) for level in plan.levels)
    assert warnings_counted(replace(plan, levels=unplanned), "L2") == "1 stop"
