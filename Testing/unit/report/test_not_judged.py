"""A needle that lies elsewhere than it was judged keeps no number of the old place, and every page says so."""

from __future__ import annotations

import dataclasses
import math

import jsonschema
import pytest
from plans import T12_ORIGIN, carm_of, case_plan, point

from VertebralAugmentationPlannerLib.access import mark_unjudged, refuse_unjudged
from VertebralAugmentationPlannerLib.model.warning_codes import LINES_MOVED
from VertebralAugmentationPlannerLib.cli_summary import summary
from VertebralAugmentationPlannerLib.model import CasePlan, InputError, PlanWarning, Trajectory
from VertebralAugmentationPlannerLib.model.plan import NOT_JUDGED
from VertebralAugmentationPlannerLib.model.schema import plan_schema
from VertebralAugmentationPlannerLib.report import report_html
from VertebralAugmentationPlannerLib.report.compare import compare_plans
from VertebralAugmentationPlannerLib.report.compare_tables import comparison_csv, comparison_text
from VertebralAugmentationPlannerLib.report.measurements_csv import measurements_csv
from VertebralAugmentationPlannerLib.report.needles import needle_csv, needle_markups

TARGET = point(T12_ORIGIN, 2.5, 8.0, 3.0)
"""Beyond the midline of the left needle of T12."""


def with_left(plan: CasePlan, needle: Trajectory) -> CasePlan:
    level = plan.level("T12")
    level = dataclasses.replace(level, trajectories=(needle, level.trajectory("right")))
    return dataclasses.replace(plan, levels=(level, *plan.levels[1:]))


@pytest.fixture(scope="module")
def edited() -> CasePlan:
    """The plan, its left needle's target moved in the file."""
    plan = case_plan()
    return with_left(plan, dataclasses.replace(plan.level("T12").trajectory("left"), target_ras=TARGET))


@pytest.fixture(scope="module")
def marked(edited: CasePlan) -> CasePlan:
    return CasePlan.from_json(mark_unjudged(edited).to_json())


def test_no_number_of_the_old_place_stays_and_two_points_tell_the_rest(marked: CasePlan) -> None:
    needle, right = (marked.level("T12").trajectory(side) for side in ("left", "right"))
    assert needle.safety == "breach" and not needle.judged and right.judged
    assert set(vars(needle.clearance_mm).values()) == {None}
    assert (needle.breach_grade, needle.tolerated_offset_mm, needle.tolerated_angle_deg) == (None, None, None)
    assert (needle.skin_ras, needle.skin_to_target_mm, needle.margins_mm) == (None, None, None)
    entry = point(T12_ORIGIN, -19.0, -42.0, 9.0)
    assert needle.bone_path_mm == pytest.approx(math.dist(entry, TARGET))
    assert needle.convergence_angle_deg == pytest.approx(math.degrees(math.atan2(21.5, 50.0)))
    assert needle.craniocaudal_angle_deg == pytest.approx(-math.degrees(math.atan2(6.0, 50.0)))
    assert needle.midline_offset_mm == pytest.approx(-2.5)
    carm = carm_of(entry, TARGET, "left")
    assert (needle.carm.primary_deg, needle.carm.secondary_deg) == pytest.approx((carm.primary_deg, carm.secondary_deg))
    assert right == case_plan().level("T12").trajectory("right")


def test_such_a_plan_is_valid_and_says_why_its_numbers_are_missing(marked: CasePlan) -> None:
    jsonschema.Draft202012Validator(plan_schema()).validate(marked.to_dict())
    (told,) = [warning for warning in marked.level("T12").warnings if warning.code == "needle_not_judged"]
    assert told.severity == "stop" and told.message.startswith("T12 left: the needle is not where the plan judged it")


def test_it_stays_not_judged_and_keeps_its_reason_however_often_it_is_read(marked: CasePlan) -> None:
    assert mark_unjudged(marked) == marked
    with pytest.raises(InputError, match="T12 left: the needle is not where the plan judged it.*vap check"):
        refuse_unjudged(marked)
    level = marked.level("T12")
    told = PlanWarning(LINES_MOVED, "stop", "T12: all lines of T12 were moved together by 9.0 mm.", "the user's edit")
    kept = tuple(warning for warning in level.warnings if warning.code != "needle_not_judged")
    needle = dataclasses.replace(level.trajectory("left"), compromise="all lines of T12 were moved together by 9.0 mm.")
    level = dataclasses.replace(level, trajectories=(needle, level.trajectory("right")), warnings=(told, *kept))
    whole = dataclasses.replace(marked, levels=(level, *marked.levels[1:]))
    assert mark_unjudged(whole) == whole


def test_the_report_says_not_judged_where_a_number_is_missing(marked: CasePlan) -> None:
    text = report_html(marked).replace("\u00a0", " ")
    assert "BREACH</" not in text and "BREACH · not judged" in text and "breach · not judged" in text
    assert "kyphoplasty: the left needle is not judged" in text
    assert text.count(": not judged") >= 6  # the walls
    assert "None" not in text and "0.0 mm or 0.0°" not in text


def test_every_table_says_not_judged_and_none_a_zero(edited: CasePlan, marked: CasePlan) -> None:
    assert "10G BREACH" in summary(marked) and NOT_JUDGED in summary(marked)
    rows = {
        row.name: row for row in compare_plans(case_plan(), edited).rows if row.level == "T12" and row.side == "left"
    }
    for name in ("clearance, canal", "breach grade", "slack, offset", "slack, angle", "bone path", "skin to target"):
        assert rows[name].b == NOT_JUDGED and rows[name].difference is None
    assert rows["tip off the midline"].b == pytest.approx(-2.5) and rows["safety"].b == "breach"
    compared = compare_plans(case_plan(), marked)
    assert NOT_JUDGED in comparison_text(compared) and NOT_JUDGED in comparison_csv(compared)
    lines = needle_csv(marked).splitlines()
    assert ",breach,not judged," in lines[1] and ",safe,A," in lines[2]
    described = needle_markups(marked)["markups"][0]["controlPoints"][1]["description"]
    assert described == "breach, not judged"
    assert measurements_csv(marked).splitlines()[1].split(",")[0] == "T12"


def test_columns_of_the_terminal_stay_in_line(marked: CasePlan) -> None:
    head, _rule, t12, l2 = summary(marked).splitlines()[:4]
    end = head.index("Clearance") + len("Clearance")
    assert t12[:end].endswith(" not judged") and l2[:end].endswith(" 1.4 mm")


def test_needles_without_a_frame_are_no_plan(edited: CasePlan) -> None:
    level = dataclasses.replace(edited.level("T12"), frame=None)
    with pytest.raises(InputError, match=r"plan.levels\[0\].frame is missing, and the level has needles"):
        CasePlan.from_json(dataclasses.replace(edited, levels=(level, *edited.levels[1:])).to_json())


def test_a_needle_that_lies_where_it_was_judged_stays_as_it_is() -> None:
    plan = case_plan()
    assert mark_unjudged(plan).levels == plan.levels
