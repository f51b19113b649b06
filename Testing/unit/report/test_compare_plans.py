"""Two plans side by side: the differences are those that were made, and none is invented."""

from __future__ import annotations

import csv
import dataclasses
import io

import numpy as np
import pytest
from plans import case_plan

from VertebralAugmentationPlannerLib.model import CasePlan, Trajectory
from VertebralAugmentationPlannerLib.report import (
    Difference,
    PlanComparison,
    compare_plans,
    comparison_csv,
    comparison_html,
    comparison_text,
)


def with_needle(plan: CasePlan, needle: Trajectory) -> CasePlan:
    """The plan with T12's needle of that side replaced."""
    level = plan.level("T12")
    needles = tuple(needle if item.side == needle.side else item for item in level.trajectories)
    return with_level(plan, trajectories=needles)


def with_level(plan: CasePlan, **changes: object) -> CasePlan:
    level = dataclasses.replace(plan.level("T12"), **changes)  # type: ignore[arg-type]
    return dataclasses.replace(plan, levels=(level, *plan.levels[1:]))


def moved(offset_entry: tuple[float, ...], offset_target: tuple[float, ...]) -> CasePlan:
    plan = case_plan()
    needle = plan.level("T12").trajectory("left")
    entry = tuple(np.add(needle.entry_ras, offset_entry))
    target = tuple(np.add(needle.target_ras, offset_target))
    return with_needle(plan, dataclasses.replace(needle, entry_ras=entry, target_ras=target))


def row(comparison: PlanComparison, name: str, side: str | None = None, level: str = "T12") -> Difference:
    return next(item for item in comparison.rows if (item.level, item.side, item.name) == (level, side, name))


def test_a_plan_does_not_differ_from_itself() -> None:
    comparison = compare_plans(case_plan(), case_plan())
    assert comparison.identical
    assert "No number differs" in comparison_text(comparison)


def test_a_needle_shifted_by_3_4_0_mm_is_5_mm_apart_and_parallel() -> None:
    comparison = compare_plans(case_plan(), moved((3, 4, 0), (3, 4, 0)))
    assert row(comparison, "entry", "left").difference == pytest.approx(5.0)
    assert row(comparison, "tip", "left").difference == pytest.approx(5.0)
    assert row(comparison, "direction", "left").difference == pytest.approx(0.0, abs=1e-6)
    assert row(comparison, "entry", "right").difference == 0


def test_a_needle_turned_about_its_entry_differs_by_that_angle() -> None:
    plan = case_plan()
    needle = plan.level("T12").trajectory("left")
    direction = np.subtract(needle.target_ras, needle.entry_ras)
    turn = np.radians(7.0)
    across = np.cross(direction, (0.0, 0.0, 1.0))
    across *= np.linalg.norm(direction) / np.linalg.norm(across)
    turned = np.cos(turn) * direction + np.sin(turn) * across
    other = moved((0, 0, 0), tuple(turned - direction))
    comparison = compare_plans(plan, other)
    assert row(comparison, "direction", "left").difference == pytest.approx(7.0, abs=1e-6)
    assert row(comparison, "entry", "left").difference == 0
    assert row(comparison, "tip", "left").difference == pytest.approx(2 * np.linalg.norm(direction) * np.sin(turn / 2))


def test_numbers_are_subtracted_as_b_minus_a() -> None:
    plan = case_plan()
    measured = plan.level("T12").measurements
    assert measured is not None
    other = with_level(plan, measurements=dataclasses.replace(measured, anterior_height_mm=16.0))
    item = row(compare_plans(plan, other), "anterior height")
    assert (item.a, item.b) == (17.2, 16.0)
    assert item.difference == pytest.approx(-1.2)
    assert row(compare_plans(other, plan), "anterior height").difference == pytest.approx(1.2)


def test_a_missing_number_is_missing_and_no_difference() -> None:
    plan = case_plan()
    measured = plan.level("T12").measurements
    assert measured is not None
    other = with_level(plan, measurements=dataclasses.replace(measured, gardner_angle_deg=None))
    item = row(compare_plans(plan, other), "Gardner angle")
    assert (item.a, item.b, item.difference, item.same) == (18.1, None, None, False)


def test_one_needle_against_two_names_the_missing_side_and_its_reason() -> None:
    plan = case_plan()
    left = plan.level("T12").trajectory("left")
    one = with_level(plan, trajectories=(left,), approach="unilateral-left", skipped_sides={"right": "too thin"})
    item = row(compare_plans(plan, one), "planned", "right")
    assert (item.a, item.b) == ("yes, 10G", "no: too thin")
    assert "no: too thin" in comparison_text(compare_plans(plan, one))


def test_a_level_in_one_plan_only_is_named() -> None:
    plan = case_plan()
    fewer = dataclasses.replace(plan, levels=plan.levels[:1])
    notes = compare_plans(plan, fewer, "first", "second").notes
    assert "L2 is only in first." in notes
    assert compare_plans(fewer, plan, "first", "second").notes[-1] == "L3 is only in second."


def test_other_images_are_pointed_out() -> None:
    plan = case_plan()
    record = dataclasses.replace(plan.inputs.segmentation, sha256="ef" * 32)
    other = dataclasses.replace(plan, inputs=dataclasses.replace(plan.inputs, segmentation=record))
    notes = compare_plans(plan, other).notes
    assert notes[0] == "Same CT."
    assert notes[1].startswith("DIFFERENT labels")
    without = dataclasses.replace(plan, inputs=dataclasses.replace(plan.inputs, ct=None))
    assert compare_plans(plan, without).notes[0] == "Only one of the plans was made with a CT."


@pytest.mark.parametrize("everything", [False, True])
def test_the_text_fits_80_columns(everything: bool) -> None:
    plan = case_plan()
    left = plan.level("T12").trajectory("left")
    reason = "the isthmus is 3.9 mm, and this reason is long enough to need more than one line of a terminal window"
    one = with_level(plan, trajectories=(left,), approach="unilateral-left", skipped_sides={"right": reason})
    comparison = compare_plans(plan, one, "/a/very/long/path" * 8 + "/one.json", "two.json")
    text = comparison_text(comparison, everything)
    assert max(map(len, text.splitlines())) <= 80
    assert "one.json" in text


def test_the_text_hides_what_is_the_same_and_counts_it() -> None:
    comparison = compare_plans(case_plan(), moved((0, 0, 0), (0, 2, 0)))
    text = comparison_text(comparison)
    assert "2.0 mm apart" in text and "measurements: the same" in text and "posterior height" not in text
    assert "posterior height" in comparison_text(comparison, everything=True)


def test_the_csv_holds_every_row() -> None:
    comparison = compare_plans(case_plan(), moved((3, 4, 0), (0, 0, 0)))
    rows = list(csv.DictReader(io.StringIO(comparison_csv(comparison), newline=""), strict=True))
    assert len(rows) == len(comparison.rows)
    entry = next(item for item in rows if (item["level"], item["side"], item["quantity"]) == ("T12", "left", "entry"))
    assert (entry["a"], entry["b"], entry["difference"], entry["unit"]) == ("", "", "5", "mm")


def test_the_html_is_one_page_with_a_table_a_level() -> None:
    text = comparison_html(compare_plans(case_plan(), moved((3, 4, 0), (0, 0, 0)), "<A>", "B"))
    assert "5.0 mm apart" in text and text.count("<h2>") == 2
    assert "&lt;A&gt;" in text and "<A>" not in text
