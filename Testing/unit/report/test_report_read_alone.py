"""What the sheet of one level says when it is read alone: whether to go on, which procedure, which balloon on which side."""

from __future__ import annotations

import dataclasses
import html
import re

import pytest
from plans import case_plan, only

from VertebralAugmentationPlannerLib.model import CasePlan, PlanWarning
from VertebralAugmentationPlannerLib.report import report_html


def sheets_of(plan: CasePlan) -> list[str]:
    """The words of each sheet."""
    parts = report_html(plan).split("<section")[1:]
    texts = [html.unescape(re.sub(r"<[^>]+>", "", part.partition(">")[2])) for part in parts]
    return [text.replace("\u00a0", " ") for text in texts]


def test_what_stops_the_case_stands_first_on_every_operators_page() -> None:
    stop = PlanWarning("labels_off", "stop", "These labels do not belong to this CT.", "overlap")
    caution = PlanWarning("slices_thick", "caution", "The voxels are thick.", "[D]")
    sheets = sheets_of(dataclasses.replace(case_plan(), warnings=(caution, stop)))
    for sheet in (sheets[1], sheets[3]):
        assert sheet.count("Stop: These labels do not belong to this CT.") == 1
        assert "The voxels are thick." not in sheet, "it stands on the overview"
    assert sheets[3].index("do not belong") < sheets[3].index("No balloon fits")
    assert "do not belong" not in sheets[2], "the record need not say it again"


def test_the_page_of_a_doubtful_level_names_the_fracture_that_was_left_out() -> None:
    left = PlanWarning("fractured_level_not_planned", "caution", "Fractured but not planned: T11 (grade 3).", "[V]")
    doubt = PlanWarning("level_not_fractured", "caution", "L2 has no fracture by height.", "[V]")
    plan = dataclasses.replace(case_plan(), warnings=(left,))
    levels = tuple(
        dataclasses.replace(level, warnings=(doubt,)) if level.level == "L2" else level for level in plan.levels
    )
    sheets = sheets_of(dataclasses.replace(plan, levels=levels))
    assert "T11 (grade 3)" in sheets[0] and "T11 (grade 3)" in sheets[3] and "T11 (grade 3)" not in sheets[1]


@pytest.mark.parametrize(("code", "what"), [("no_balloon", "fits"), ("breach_not_augmented", "planned")])
def test_a_kyphoplasty_without_a_balloon_is_not_titled_one(code: str, what: str) -> None:
    why = PlanWarning(code, "caution", "L2 right: no balloon.", "device catalogue")
    sheet = sheets_of(only(case_plan(), "L2", warnings=(why,)))[0]
    assert f"Unilateral, right; kyphoplasty asked for, no balloon {what}" in sheet
    assert "Unilateral kyphoplasty" not in sheet


def test_with_two_needles_each_side_says_which_balloon_it_gets() -> None:
    plan = case_plan()
    left, right = (plan.level("T12").trajectory(side) for side in ("left", "right"))
    assert left.balloon is not None and right.balloon is not None
    other = dataclasses.replace(right.balloon, model="Other 20", planned_volume_ml=0.1)
    two = (left, dataclasses.replace(right, balloon=other))
    sheet = sheets_of(only(plan, "T12", trajectories=two))[0]
    ours, theirs = sheet.split("RIGHT")
    assert "Generic 15 mm: 2.6 ml, Ø 16 mm" in ours and "Other 20: 0.1 ml" in theirs
    assert "inflate left 2.6, right 0.1 ml" in ours
    one = sheets_of(only(plan, "T12", approach="unilateral-left", trajectories=(left,)))[0]
    assert "inflate 2.6 ml" in one and "Generic 15 mm: " not in one


def test_the_document_is_named_by_the_levels_it_plans() -> None:
    assert "<title>Vertebral augmentation plan: T12, L2</title>" in report_html(case_plan())
    levels = tuple(
        dataclasses.replace(level, approach=None, trajectories=(), skipped_sides={}) for level in case_plan().levels
    )
    measured = dataclasses.replace(case_plan(), levels=levels)
    assert "<title>Vertebral measurements: T12, L2</title>" in report_html(measured)
    planned = dataclasses.replace(measured, levels=(case_plan().levels[0], *levels[1:]))
    assert "<title>Vertebral augmentation plan: T12</title>" in report_html(planned)


def test_a_measured_level_says_its_cautions_on_its_one_sheet() -> None:
    plan = only(case_plan(), "T12", approach=None, approach_reason=None, trajectories=(), cement=None, predicted=None)
    sheet = sheets_of(plan)[0]
    assert "Caution: The posterior wall bulges 1.2 mm" in sheet and "on page 1" not in sheet
