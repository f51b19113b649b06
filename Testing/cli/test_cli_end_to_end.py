"""``vap`` on the sample cases, through the real engine: what a stranger types first."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from VertebralAugmentationPlannerLib import anatomy, plan_case, report
from VertebralAugmentationPlannerLib.access import PathEvaluator, reevaluate, refuse_unjudged, unjudged
from VertebralAugmentationPlannerLib.access.judged import LINES_MOVED
from VertebralAugmentationPlannerLib.anatomy import build_spine
from VertebralAugmentationPlannerLib.case import load_case
from VertebralAugmentationPlannerLib.check import check_on_case
from VertebralAugmentationPlannerLib.cli import main
from VertebralAugmentationPlannerLib.model import (
    CANNULAS,
    Case,
    CasePlan,
    InputError,
    LevelPlan,
    PlanOptions,
    PlanWarning,
    Spine,
)
from VertebralAugmentationPlannerLib.planner import plan_level_augmentation
from VertebralAugmentationPlannerLib.report import write_report

SAMPLES = Path(__file__).parents[2] / "sample_data"


def images(name: str) -> list[str]:
    folder = SAMPLES / name
    if not (folder / "ct.nii.gz").exists():
        pytest.skip("the sample cases are not here; make them with sample_data/make_samples.py")
    return [str(folder / "ct.nii.gz"), "--segmentation", str(folder / "labels.nii.gz")]


@pytest.fixture(scope="module")
def wedge(tmp_path_factory) -> tuple[int, Path]:
    """Exit status and folder of the T12 wedge, planned as it comes."""
    out = tmp_path_factory.mktemp("wedge") / "out"
    return main(["plan", *images("t12-wedge"), "-o", str(out), "--quiet"]), out


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


@cache
def case_of_the_wedge() -> Case:
    ct, _, labels = images("t12-wedge")
    return load_case(ct, labels, PlanOptions())


@cache
def spine_of_the_wedge() -> Spine:
    return build_spine(case_of_the_wedge())


@pytest.fixture
def anatomy_kept(monkeypatch):
    """The anatomy of the T12 wedge is built once for all checks of it, and no picture of it is drawn."""
    monkeypatch.setattr(anatomy, "build_spine", lambda case, *rest: spine_of_the_wedge())
    monkeypatch.setattr(report, "write_report", lambda plan, path, *_: write_report(plan, path))


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
    assert now.balloon is None or now.balloon.proximal_ras != left.balloon.proximal_ras
    assert now.balloon is None or now.balloon.cannula_retraction_mm < left.balloon.cannula_retraction_mm - 5
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


def checked(plan: CasePlan) -> CasePlan:
    """The plan checked on the images it was made from, after a turn through its file's text."""
    case, spine = case_of_the_wedge(), spine_of_the_wedge()
    return check_on_case(CasePlan.from_json(plan.to_json()), case, spine=spine)


def checked_without_ct(plan: CasePlan) -> CasePlan:
    """The plan checked on its labels alone, as the contract allows."""
    case = case_of_the_wedge()
    alone = replace(case, ct=None, inputs=replace(case.inputs, ct=None))
    return check_on_case(CasePlan.from_json(plan.to_json()), alone, spine=spine_of_the_wedge())


def with_level(plan: CasePlan, level: LevelPlan) -> CasePlan:
    return replace(plan, levels=tuple(level if one.level == level.level else one for one in plan.levels))


def with_needle(plan: CasePlan, **changes) -> CasePlan:
    """The plan with values of T12's left needle changed by hand."""
    level = plan.level("T12")
    left, *rest = level.trajectories
    return with_level(plan, replace(level, trajectories=(replace(left, **changes), *rest)))


def said(plan: CasePlan, code: str) -> str:
    (message,) = [warning.message for warning in plan.level("T12").warnings if warning.code == code]
    return message


@pytest.fixture
def plan(wedge) -> CasePlan:
    return CasePlan.load(wedge[1] / "plan.json")


def test_another_cannula_is_told_and_takes_the_balloon_it_does_not_pass(plan):
    assert plan.level("T12").trajectories[0].balloon is not None
    now = checked(with_needle(plan, cannula="13G"))
    text = said(now, "needle_moved")
    assert text.startswith(
        "T12 left: its cannula is not the one the plan judged it with (4.20 mm, and a 13G has 2.41 mm)"
    )
    assert "labels" not in text and "planned for it again" in text
    assert now.level("T12").trajectories[0].balloon is None
    assert "13G" in said(now, "no_balloon")
    refuse_unjudged(now)
    # With its diameter put right by hand as well only the numbers tell.
    now = checked(with_needle(plan, cannula="13G", cannula_outer_diameter_mm=2.41))
    assert "the plan’s numbers are not those found now" in said(now, "needle_moved")
    assert "does not pass the 13G cannula" in said(now, "filling_changed")
    assert now.level("T12").trajectories[0].balloon is None


def test_needles_that_nobody_judged_are_judged_by_the_check_and_get_their_balloons(plan):
    level = plan.level("T12")
    told = PlanWarning(LINES_MOVED, "stop", "T12: all lines of T12 were moved together by 9.0 mm.", "the user's edit")
    bare = tuple(
        replace(unjudged(level.frame, needle, "moved"), balloon=None, cement_ml=None) for needle in level.trajectories
    )
    lost = with_level(plan, replace(level, trajectories=bare, cement=None, warnings=(*level.warnings, told)))
    with pytest.raises(InputError, match="T12 left: the needle is not where the plan judged it"):
        refuse_unjudged(lost)
    now = checked(lost)
    refuse_unjudged(now)
    for before, after in zip(level.trajectories, now.level("T12").trajectories, strict=True):
        assert after.judged and after.clearance_mm.canal == pytest.approx(before.clearance_mm.canal, abs=0.05)
        assert after.balloon is not None and after.safety == before.safety
    assert not any(warning.code == LINES_MOVED for warning in now.level("T12").warnings)


def test_labels_are_blamed_only_where_they_are_others(plan):
    clearance = plan.level("T12").trajectories[0].clearance_mm
    edited = with_needle(plan, clearance_mm=replace(clearance, canal=clearance.canal + 3))
    assert "the plan’s numbers are not those found now" in said(checked(edited), "needle_moved")
    record = replace(plan.inputs.segmentation, sha256="ab" * 32)
    other = replace(edited, inputs=replace(plan.inputs, segmentation=record))
    assert "the labels are not those the plan was judged by" in said(checked(other), "needle_moved")
    assert "other_labels" in {warning.code for warning in checked(other).warnings}


def test_a_level_without_its_needles_counts_as_not_planned(plan, tmp_path, capsys, anatomy_kept):
    with_level(plan, replace(plan.level("T12"), trajectories=())).save(tmp_path / "e.json")
    assert main(["check", str(tmp_path / "e.json"), *images("t12-wedge"), "-o", str(tmp_path / "out")]) == 3
    now = CasePlan.load(tmp_path / "out" / "plan.json").level("T12")
    assert (now.approach, now.cement, now.predicted) == ("none", None, None)
    assert not {"prediction", "balloon_unverified"} & {warning.code for warning in now.warnings}
    assert "and holds no needle" in " ".join(capsys.readouterr().out.split())


def test_a_balloon_of_more_than_its_room_is_inflated_again(plan):
    before = plan.level("T12").trajectories[0]
    edited = with_needle(plan, balloon=replace(before.balloon, planned_volume_ml=5.9))
    now = checked(edited)
    again = now.level("T12").trajectories[0].balloon
    assert again.planned_volume_ml == pytest.approx(before.balloon.planned_volume_ml, abs=0.05)
    assert np.allclose(again.centre_ras, before.balloon.centre_ras, atol=0.01)
    assert now.level("T12").cement.volume_ml == pytest.approx(plan.level("T12").cement.volume_ml, abs=0.05)
    room = f"{before.balloon.planned_volume_ml:.1f} ml"
    assert f"the balloon is planned with 5.9 ml, and has room for {room}" in said(now, "filling_changed")
    assert not any(warning.code == "needle_moved" for warning in now.level("T12").warnings)


def test_a_balloon_of_less_than_its_room_is_kept_at_that_with_its_cement(plan):
    before = plan.level("T12").trajectories[0]
    now = checked(with_needle(plan, balloon=replace(before.balloon, planned_volume_ml=1.0))).level("T12")
    assert now.trajectories[0].balloon.planned_volume_ml == 1.0
    assert now.trajectories[0].balloon.planned_diameter_mm < before.balloon.planned_diameter_mm
    assert now.cement.volume_ml == pytest.approx(sum(needle.cement_ml for needle in now.trajectories), abs=1e-3)


def with_right_needle_moved(plan: CasePlan, up_mm: float = 1.0) -> CasePlan:
    """The plan with the tip of T12's right needle moved upwards by hand."""
    level = plan.level("T12")
    left, right = level.trajectories
    target = tuple(map(float, np.add(right.target_ras, up_mm * np.array(level.frame.superior))))
    return with_level(plan, replace(level, trajectories=(left, replace(right, target_ras=target))))


def filled(plan: CasePlan, volumes=None, **options) -> CasePlan:
    """The plan with T12's balloons and cement planned by other choices, as the panel does it for one level."""
    case, spine, options = case_of_the_wedge(), spine_of_the_wedge(), PlanOptions(**options)
    return with_level(plan, plan_level_augmentation(plan.level("T12"), case, spine, options, volumes))


def test_a_moved_needle_leaves_volume_balloon_and_fill_that_were_chosen_by_hand(plan):
    chosen = filled(plan, {"left": 0.8}, balloon="KYPHON Xpander 10/3", target_fill=0.6)
    before, now = chosen.level("T12"), checked(with_right_needle_moved(chosen)).level("T12")
    left, right = (needle.balloon for needle in now.trajectories)
    assert (left.model, left.planned_volume_ml) == ("KYPHON Xpander 10/3", 0.8)
    assert np.allclose(left.centre_ras, before.trajectories[0].balloon.centre_ras, atol=0.01)
    assert right.model == "KYPHON Xpander 10/3"
    assert right.centre_ras != before.trajectories[1].balloon.centre_ras
    assert now.cement.target_fill == 0.6
    assert not any(warning.code == "filling_changed" for warning in now.warnings)


def test_a_volume_set_by_hand_that_the_new_place_has_no_room_for_is_told(plan):
    right = plan.level("T12").trajectories[1].balloon.planned_volume_ml - 0.2
    now = checked(with_right_needle_moved(filled(plan, {"right": right}), up_mm=3.0))
    room = now.level("T12").trajectories[1].balloon.planned_volume_ml
    assert room < right - 0.1
    assert f"right: {room:.1f} ml instead of {right:.1f} ml that were set by hand" in said(now, "filling_changed")


def test_a_balloon_of_another_model_than_the_plans_is_told(plan):
    """Its name changed by hand on one side: two models cannot both be kept."""
    left = plan.level("T12").trajectories[0]
    other = with_needle(plan, balloon=replace(left.balloon, model="iVAS Elite 10"))
    for edited in (other, with_right_needle_moved(other)):
        now = checked(edited)
        assert f"left: {left.balloon.model} in place of iVAS Elite 10" in said(now, "filling_changed")


def test_an_approach_that_alone_was_edited_is_told_by_what_the_plan_holds(plan):
    level = plan.level("T12")
    now = checked(with_level(plan, replace(level, approach="unilateral-left"))).level("T12")
    assert now.approach == "bilateral"
    assert now.approach_reason == "The plan said unilateral-left and holds needles on both sides."
    volumes = [[needle.balloon.planned_volume_ml for needle in one.trajectories] for one in (level, now)]
    assert volumes[0] == pytest.approx(volumes[1], abs=0.05)


def test_a_check_without_the_ct_leaves_what_the_ct_told_and_says_what_it_did_not_look_for(plan):
    now = checked_without_ct(plan)
    before, level = plan.level("T12"), now.level("T12")
    assert now.inputs == plan.inputs
    assert all(needle.skin_ras is not None for needle in before.trajectories)
    for old, new in zip(before.trajectories, level.trajectories, strict=True):
        assert (new.skin_ras, new.skin_to_target_mm) == (old.skin_ras, old.skin_to_target_mm)
    assert level.warnings == before.warnings
    *others, told = now.warnings
    assert tuple(others) == plan.warnings and (told.code, told.severity) == ("ct_not_given", "caution")
    assert "metal" in told.message and "ct.nii.gz" in told.message
    refuse_unjudged(now)
    assert checked_without_ct(now).warnings == now.warnings
    assert checked(now).warnings == plan.warnings


def test_a_needle_moved_without_the_ct_has_no_skin_point_until_the_ct_is_back(plan):
    moved = checked_without_ct(with_right_needle_moved(plan))
    for now in (moved, checked_without_ct(moved)):
        left, right = now.level("T12").trajectories
        assert left.skin_ras == plan.level("T12").trajectories[0].skin_ras
        assert (right.skin_ras, right.skin_to_target_mm) == (None, None)
        assert said(now, "skin_without_ct").startswith("T12 right: ")
    back = checked(moved)
    assert back.level("T12").trajectories[1].skin_ras is not None
    assert not {"skin_without_ct", "ct_not_given"} & {w.code for w in (*back.level("T12").warnings, *back.warnings)}


def test_metal_in_the_way_that_the_ct_showed_is_not_forgotten_without_it(plan):
    in_metal = with_needle(plan, safety="breach", compromise="This needle: 4 mm of its way lie in metal.")
    assert checked(in_metal).level("T12").trajectories[0].safety == "safe"
    now = checked_without_ct(in_metal).level("T12").trajectories[0]
    assert (now.safety, now.compromise) == ("breach", "This needle: 4 mm of its way lie in metal.")


def test_needles_moved_into_each_other_are_told_until_they_are_apart(plan):
    """Both are safe, each for itself."""
    level = plan.level("T12")
    left, right = level.trajectories
    met = checked(with_level(plan, replace(level, trajectories=(left, replace(right, target_ras=left.target_ras)))))
    assert said(met, "needles_meet").startswith("T12: the needles meet in the bone: their axes come within 0.0 mm")
    apart = replace(met.level("T12"), trajectories=level.trajectories)
    assert "needles_meet" not in {warning.code for warning in checked(with_level(met, apart)).level("T12").warnings}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"anterior_height_mm": 99.0}, "the expected anterior height is "),
        ({"wedge_angle_deg": 99.0}, "the expected wedge is "),
        ({"restoration_fraction": 0.9}, "the expected anterior height is "),
    ],
)
def test_an_expected_height_that_was_edited_is_told_and_put_right(plan, change, says):
    level = plan.level("T12")
    now = checked(with_level(plan, replace(level, predicted=replace(level.predicted, **change))))
    assert says in said(now, "filling_changed")
    for name, value in vars(level.predicted).items():
        assert getattr(now.level("T12").predicted, name) == pytest.approx(value, abs=0.01)


def test_nothing_is_planned_again_for_a_breach(plan):
    needle, level = plan.level("T12").trajectories[0], plan.level("T12")
    across = np.add(needle.target_ras, 14.0 * np.array(level.frame.right) - 20.0 * np.array(level.frame.anterior))
    now = checked(with_needle(plan, target_ras=tuple(map(float, across))))
    assert now.level("T12").trajectories[0].safety == "breach"
    assert "planned for it again" not in said(now, "needle_moved")
    assert "no balloon and no cement" in said(now, "breach_not_augmented")


def test_a_needle_that_was_judged_is_never_taken_for_an_edited_one(plan):
    """Wherever it was dragged, its numbers fit it, also after the rounding of the file."""
    level, vertebra, rng = plan.level("T12"), spine_of_the_wedge().vertebrae["T12"], np.random.default_rng(4)
    for needle in level.trajectories:
        evaluator = PathEvaluator(vertebra, needle.side)
        for size in np.repeat([0.3, 3.0, 12.0, 40.0], 3):
            entry, target = np.add((needle.entry_ras, needle.target_ras), rng.normal(0, size, (2, 3)))
            cannula = CANNULAS[str(rng.choice(list(CANNULAS)))]
            case, options = case_of_the_wedge(), PlanOptions()
            dragged = reevaluate(vertebra, case, needle.side, entry, target, cannula, options, evaluator)
            saved = with_level(plan, replace(level, trajectories=(dragged,)))
            refuse_unjudged(CasePlan.from_json(saved.to_json()))


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
