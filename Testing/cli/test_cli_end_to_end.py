"""``vap`` on the sample cases, through the real engine: what a stranger types first."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from checked_wedge import checked, images, with_level

from VertebralAugmentationPlannerLib import plan_case
from VertebralAugmentationPlannerLib.access import refuse_unjudged
from VertebralAugmentationPlannerLib.cli import main
from VertebralAugmentationPlannerLib.model import (
    CasePlan,
)


def test_the_fractured_level_is_found_and_planned(wedge):
    status, out = wedge
    plan = CasePlan.load(out / "plan.json")
    assert status == 0
    assert [level.level for level in plan.levels if level.approach not in (None, "none")] == ["T12"]
    assert all(needle.safety == "safe" for needle in plan.level("T12").trajectories)
    assert {"plan.json", "measurements.csv", "report.html"} <= {path.name for path in out.iterdir()}


def test_the_same_input_gives_the_same_bytes(wedge, tmp_path):
    ct, _, labels = images("t12-wedge")
    plan_case(ct, labels).save(tmp_path / "plan.json")
    assert (tmp_path / "plan.json").read_bytes() == (wedge[1] / "plan.json").read_bytes()


@pytest.mark.usefixtures("anatomy_kept")
def test_a_plan_that_nobody_edited_checks_out(wedge, capsys):
    assert main(["check", str(wedge[1] / "plan.json"), *images("t12-wedge")]) == wedge[0]
    text = capsys.readouterr().out
    assert "T12" in text and "not where the plan judged it" not in text
    plan = CasePlan.load(wedge[1] / "plan.json")
    before, now = plan.level("T12"), checked(plan).level("T12")
    assert (now.frame, now.approach, now.cement, now.warnings) == (
        before.frame,
        before.approach,
        before.cement,
        before.warnings,
    )
    assert [needle.balloon for needle in now.trajectories] == [needle.balloon for needle in before.trajectories]
    assert checked(plan).warnings == plan.warnings and checked(plan).options == plan.options
    refuse_unjudged(plan)
    refuse_unjudged(checked(plan))


@pytest.mark.usefixtures("anatomy_kept")
def test_a_plan_that_was_edited_says_what_its_needle_is_now(wedge, tmp_path, capsys):
    """The left needle's tip moved 12 mm backwards and inwards, towards the canal, by hand in plan.json."""
    plan = json.loads((wedge[1] / "plan.json").read_text(encoding="utf-8"))
    level = next(level for level in plan["levels"] if level["level"] == "T12")
    needle = next(needle for needle in level["trajectories"] if needle["side"] == "left")
    level["warnings"].append(
        {"code": "neighbour_close", "severity": "caution", "message": "T12 left: of the old path.", "source": "[D]"}
    )
    frame = level["frame"]
    for axis in range(3):
        needle["target_ras"][axis] += -12 * frame["anterior"][axis] + 9 * frame["right"][axis]
    (tmp_path / "edited.json").write_text(json.dumps(plan), encoding="utf-8")
    assert main(["check", str(tmp_path / "edited.json"), *images("t12-wedge"), "-o", str(tmp_path / "out")]) == 3
    text = capsys.readouterr().out
    checked = CasePlan.load(tmp_path / "out" / "plan.json").level("T12")
    moved = next(warning for warning in checked.warnings if warning.code == "needle_moved")
    safety = next(needle.safety for needle in checked.trajectories if needle.side == "left")
    assert {"tight": "it is tight", "breach": "it breaches a wall"}[safety] in moved.message
    assert moved.severity == {"tight": "caution", "breach": "stop"}[safety]
    assert not any("of the old path" in warning.message for warning in checked.warnings)
    assert "T12 left: the needle is not where the plan judged it" in text


@pytest.mark.usefixtures("anatomy_kept")
def test_balloon_and_cement_of_an_edited_needle_are_planned_for_where_it_lies(wedge, tmp_path):
    """The left needle drawn back by a third of its way, still safe: nothing of the old balloon may stay."""
    plan = CasePlan.load(wedge[1] / "plan.json")
    level = plan.level("T12")
    left, right = level.trajectories
    target = tuple(np.add(left.entry_ras, 0.75 * np.subtract(left.target_ras, left.entry_ras)))
    edited = replace(level, trajectories=(replace(left, target_ras=target), right))
    replace(plan, levels=tuple(edited if one.level == "T12" else one for one in plan.levels)).save(tmp_path / "e.json")
    assert main(["check", str(tmp_path / "e.json"), *images("t12-wedge"), "-o", str(tmp_path / "out")]) in (0, 3)
    checked = CasePlan.load(tmp_path / "out" / "plan.json").level("T12")
    now = checked.trajectories[0]
    assert now.balloon.proximal_ras != left.balloon.proximal_ras
    assert now.balloon.cannula_retraction_mm < left.balloon.cannula_retraction_mm - 5
    told = next(warning for warning in checked.warnings if warning.code == "needle_moved")
    assert told.severity != "info" and "balloon and cement were planned for it again" in told.message


@pytest.mark.usefixtures("anatomy_kept")
def test_a_needle_taken_out_of_a_plan_leaves_a_plan_of_one(wedge, tmp_path):
    plan = CasePlan.load(wedge[1] / "plan.json")
    level = plan.level("T12")
    edited = replace(level, trajectories=level.trajectories[1:])
    replace(plan, levels=tuple(edited if one.level == "T12" else one for one in plan.levels)).save(tmp_path / "e.json")
    main(["check", str(tmp_path / "e.json"), *images("t12-wedge"), "-o", str(tmp_path / "out")])
    checked = CasePlan.load(tmp_path / "out" / "plan.json").level("T12")
    assert checked.approach == "unilateral-right" and len(checked.trajectories) == 1
    assert checked.trajectories[0].cement_ml == checked.cement.volume_ml


def test_a_level_without_its_needles_counts_as_not_planned(plan, tmp_path, capsys, anatomy_kept):
    with_level(plan, replace(plan.level("T12"), trajectories=())).save(tmp_path / "e.json")
    assert main(["check", str(tmp_path / "e.json"), *images("t12-wedge"), "-o", str(tmp_path / "out")]) == 3
    now = CasePlan.load(tmp_path / "out" / "plan.json").level("T12")
    assert (now.approach, now.cement, now.predicted) == ("none", None, None)
    assert not {"prediction", "balloon_unverified"} & {warning.code for warning in now.warnings}
    assert "and holds no needle" in " ".join(capsys.readouterr().out.split())


def test_a_pedicle_too_thin_for_any_cannula_ends_with_3_and_a_reason(tmp_path, capsys):
    arguments = ["plan", *images("l2-crush"), "--levels", "L2", "--approach", "bilateral", "-o", str(tmp_path / "out")]
    assert main(arguments) == 3
    plan = CasePlan.load(tmp_path / "out" / "plan.json")
    assert "left" in plan.level("L2").skipped_sides or any(
        needle.safety != "safe" for needle in plan.level("L2").trajectories if needle.side == "left"
    )
    assert "L2 left" in capsys.readouterr().out
    told = {warning.code for warning in plan.level("L2").warnings}
    assert (plan.level("L2").pedicles.left is None) == ("pedicle_not_found" in told)


def test_measuring_plans_no_needle(tmp_path):
    assert main(["measure", *images("l2-crush")[1:], "-o", str(tmp_path / "out"), "--quiet"]) == 0
    plan = CasePlan.load(tmp_path / "out" / "plan.json")
    assert not any(level.trajectories for level in plan.levels)
    assert {level.level for level in plan.levels if level.measurements} >= {"L1", "L2", "L3"}
