"""The summary on a terminal: what matters in five seconds, each sentence once."""

from __future__ import annotations

import dataclasses

from plans import case_plan

from VertebralAugmentationPlannerLib.cli_summary import SHORT_ABOVE, summary
from VertebralAugmentationPlannerLib.model import HeightLoss, PlanWarning


def test_the_summary_fits_80_columns_and_says_what_matters():
    text = summary(case_plan())
    assert max(map(len, text.splitlines())) <= 80
    rows = {line.split()[0]: line.split() for line in text.splitlines()[2:5]}
    assert rows["T12"] == ["T12", "2", "35", "%", "10G", "tight", "10G", "0.6", "mm", "5.5", "ml", "2"]
    assert rows["L2"][4:6] == ["NONE", "11G"]
    assert "incomplete" in rows["L3"]
    assert "L2 left: no safe trajectory: the isthmus is 3.9 mm" in text
    assert "* L2: No balloon fits the 11G cannula" in text
    assert "supine" not in text, "information is for the report"


def test_a_side_that_nobody_asked_for_has_a_dash():
    """One needle from the left was asked for, and refused."""
    plan = case_plan()
    l2 = next(level for level in plan.levels if level.level == "L2")
    assert "left" in l2.skipped_sides and "right" not in l2.skipped_sides
    alone = dataclasses.replace(l2, trajectories=(), approach="none")
    (row,) = [
        line.split() for line in summary(dataclasses.replace(plan, levels=(alone,))).splitlines() if line[:2] == "L2"
    ][:1]
    assert row[4:6] == ["NONE", "–"]


def test_the_summary_names_stops_before_cautions_and_says_nothing_twice():
    plan = case_plan()
    level = plan.levels[0]
    reason = level.trajectories[0].compromise
    said = PlanWarning("tight_path", "caution", f"T12 left: {reason}", "margins [D]")
    plan = dataclasses.replace(
        plan, levels=(dataclasses.replace(level, warnings=(*level.warnings, said)), *plan.levels[1:])
    )
    text = " ".join(summary(plan).split())
    assert text.count(" ".join(reason.split())) == 1
    assert text.index("STOP * L2: No balloon fits") < text.index("CAUTION * T12")


def test_many_cautions_are_named_in_a_line_a_level_and_stops_stay_in_full():
    plan = case_plan()
    level = plan.levels[0]
    many = tuple(
        PlanWarning("neighbour_close", "caution", f"T12 {side}: the cannula passes 0.{n} mm from a facet.", "[D]")
        for n in range(SHORT_ABOVE // 2 + 1)
        for side in ("left", "right")
    )
    text = summary(dataclasses.replace(plan, levels=(dataclasses.replace(level, warnings=many), *plan.levels[1:])))
    assert max(map(len, text.splitlines())) <= 80
    assert "  T12   neighbour close (left and right)" in text.splitlines()
    assert "from a facet" not in text
    assert "* L2: No balloon fits the 11G cannula" in text


def test_a_grade_that_rests_on_a_doubtful_reference_is_marked_and_a_taller_level_lost_nothing():
    plan = case_plan()
    level = plan.levels[0]
    doubt = PlanWarning("reference_implausible", "caution", "Reference (T11) doubtful: check it.", "[C]")
    measured = dataclasses.replace(level.measurements, height_loss_percent=HeightLoss(-8.0, -3.0, -1.0), genant_grade=0)
    changed = dataclasses.replace(level, measurements=measured, warnings=(doubt,))
    text = summary(dataclasses.replace(plan, levels=(changed,)))
    assert text.splitlines()[2].split()[:5] == ["T12", "0", "?", "0", "%"]
    assert "?: the reference is doubtful" in text
