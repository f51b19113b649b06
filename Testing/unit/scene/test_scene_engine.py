"""The real stages behind the scene: planned from nodes, dragged, inflated. What they compute is tested in their rooms."""

import ast
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import VertebralAugmentationPlannerLib
from VertebralAugmentationPlannerLib import planner
from VertebralAugmentationPlannerLib.access import AccessPlan
from VertebralAugmentationPlannerLib.access import WARNING_CODES as ACCESS_CODES
from VertebralAugmentationPlannerLib.model import InputError, PlanningCancelled, PlanOptions, PlanWarning, warning_codes
from VertebralAugmentationPlannerLib.scene.edits import without_trajectory
from VertebralAugmentationPlannerLib.scene.engine import AUGMENTATION_CODES, Engine

PACKAGE = Path(VertebralAugmentationPlannerLib.__file__).parent


def codes_of(room):
    """First arguments of every warning made in a room."""
    makers = {"PlanWarning", "_warning"}
    calls = (
        node
        for file in (PACKAGE / room).glob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in makers
    )
    firsts = [call.args[0] for call in calls if call.args]
    written = {first.value for first in firsts if isinstance(first, ast.Constant)}
    named = {getattr(warning_codes, first.id, None) for first in firsts if isinstance(first, ast.Name)}
    return (written | named) - {None}


def test_every_warning_of_access_and_augmentation_is_replaced_when_a_level_is_planned_again():
    assert codes_of("access") <= ACCESS_CODES
    assert codes_of("augmentation") <= AUGMENTATION_CODES
    assert codes_of("measurement").isdisjoint(ACCESS_CODES | AUGMENTATION_CODES)
    assert codes_of("anatomy").isdisjoint(ACCESS_CODES | AUGMENTATION_CODES)


@pytest.fixture(scope="module")
def real(built):
    case, spine, _plan = built
    engine = Engine()
    measured = engine.measuredPlan(case, spine, PlanOptions())
    options = PlanOptions(levels=("L1",), approach="bilateral")
    return engine, case, spine, options, engine.planLevels(measured, case, spine, options, None, None)


def test_fractured_levels_are_planned_by_default(built):
    case, spine, _plan = built
    engine = Engine()
    measured = engine.measuredPlan(case, spine, PlanOptions())
    plan = engine.planLevels(measured, case, spine, PlanOptions(), None, None)
    assert [level.level for level in plan.levels if level.approach is not None] == ["L1"]


def test_a_level_that_is_not_there_is_refused(real):
    engine, case, spine, _options, plan = real
    with pytest.raises(InputError, match="L4 is not whole in the scan"):
        engine.planLevels(plan, case, spine, PlanOptions(levels=("L4",)), None, None)


def test_planning_again_says_everything_once(real):
    engine, case, spine, options, plan = real
    again = engine.planLevels(plan, case, spine, options, None, None)
    assert again.level("L1").warnings == plan.level("L1").warnings
    assert again == plan


def test_inflating_less_gives_a_smaller_balloon_and_leaves_the_other(real):
    engine, case, spine, options, plan = real
    level = plan.level("L1")
    side = level.trajectories[0].side
    whole = {needle.side: needle.balloon for needle in level.trajectories}
    half = engine.inflate(level, spine, side, whole[side].planned_volume_ml / 2, options)
    assert half.trajectory(side).balloon.planned_volume_ml == pytest.approx(whole[side].planned_volume_ml / 2, abs=0.01)
    assert half.trajectory(side).balloon.planned_diameter_mm < whole[side].planned_diameter_mm
    for other in set(whole) - {side}:
        assert half.trajectory(other).balloon.planned_volume_ml == whole[other].planned_volume_ml


def test_a_balloon_that_holds_less_than_it_could_was_set_by_hand(real):
    engine, case, spine, options, plan = real
    level = plan.level("L1")
    assert engine.setByHand(level, spine, options) == {}
    side = level.trajectories[0].side
    wanted = round(level.trajectories[0].balloon.planned_volume_ml / 2, 2)
    half = engine.inflate(level, spine, side, wanted, options)
    assert engine.setByHand(half, spine, options) == {side: wanted}


def test_a_needle_left_where_it_is_keeps_its_numbers(real):
    engine, case, spine, options, plan = real
    needle = plan.level("L1").trajectories[0]
    same = engine.reevaluate(
        spine.vertebrae["L1"],
        case,
        needle.side,
        np.array(needle.entry_ras),
        np.array(needle.target_ras),
        needle.cannula,
        options,
    )
    assert same.entry_ras == pytest.approx(needle.entry_ras, abs=0.05)
    assert same.clearance_mm.canal == pytest.approx(needle.clearance_mm.canal, abs=0.05)
    assert same.safety == needle.safety


def test_a_moved_needle_drops_what_was_said_of_its_old_path(real):
    engine, _case, _spine, _options, plan = real
    level = plan.level("L1")
    moved = engine.moved(engine.moved(level, level.trajectories[0]), level.trajectories[0])
    assert [warning.code for warning in moved.warnings].count("needle_moved") == 1


def test_needles_that_are_moved_into_each_other_are_told_until_they_are_apart(real):
    engine, _case, _spine, _options, plan = real
    level = plan.level("L1")
    needle = level.trajectories[0]
    other = "right" if needle.side == "left" else "left"
    across = replace(needle, side=other, compromise=None)

    def meeting(one):
        return [warning.code for warning in one.warnings].count("needles_meet")

    together = engine.moved(engine.moved(level, across), across)
    assert meeting(together) == 1
    aside = tuple(np.add(needle.entry_ras, (0, 0, 40.0))), tuple(np.add(needle.target_ras, (0, 0, 40.0)))
    assert meeting(engine.moved(together, replace(across, entry_ras=aside[0], target_ras=aside[1]))) == 0
    assert meeting(without_trajectory(together, other, "deleted")) == 0


def test_the_catalogue_is_offered():
    balloons = Engine().balloons(PlanOptions())
    assert len(balloons) >= 3
    assert all(balloon.length_mm > 0 and balloon.name for balloon in balloons)


def test_a_scene_from_the_command_line_gives_the_same_clearances_when_edited(real, tmp_path):
    """Labels out to segments, in from segments on another crop, anatomy again: not a hundredth of a millimetre is lost."""
    from VertebralAugmentationPlannerLib.scene import PlannerLogic, read_bundle, write_scene

    _engine, case, spine, _options, plan = real
    scene = read_bundle(write_scene(plan, case, tmp_path / "scene.mrb", spine))
    logic = PlannerLogic(scene)
    node = scene.GetFirstNodeByClass("vtkMRMLScriptedModuleNode")
    assert logic.planFromScene(node) == plan
    before = plan.level("L1").trajectories[0]
    line = logic.node(node, f"needle.L1.{before.side}")
    line.SetNthControlPointPositionWorld(1, *np.add(before.target_ras, (0.002, 0, 0)))
    after = logic.needle(node, "L1", before.side)
    assert after.entry_ras == pytest.approx(before.entry_ras, abs=0.01)
    for wall, clearance in vars(before.clearance_mm).items():
        assert getattr(after.clearance_mm, wall) == pytest.approx(clearance, abs=0.01)
    assert after.safety == before.safety
    logic.cleanup()


@pytest.fixture
def no_search(monkeypatch):
    """Levels are planned without a needle, in no time: which levels are planned is all that is asked."""
    nothing = AccessPlan("none", "not sought", (), {}, ())
    monkeypatch.setattr(planner, "plan_access", lambda *_: nothing)


def codes(warnings):
    return [warning.code for warning in warnings if warning.code in planner.CHOICE_CODES]


def test_a_level_without_a_fracture_is_questioned_until_the_fractured_one_is_planned_too(built, no_search):
    """As the panel plans: one level after the other, on the same plan."""
    case, spine, _plan = built
    engine = Engine()

    def planned(plan, levels):
        return engine.planLevels(plan, case, spine, PlanOptions(levels=levels), None, None)

    wrong = planned(engine.measuredPlan(case, spine, PlanOptions()), ("L2",))
    assert codes(wrong.level("L2").warnings) == ["level_not_fractured"]
    assert codes(wrong.warnings) == ["fractured_level_not_planned"]
    told = next(warning for warning in wrong.warnings if warning.code == "fractured_level_not_planned")
    assert "L1 (grade 2)" in told.message or "L1 (grade 3)" in told.message
    assert "Planned: L2." in told.message and told.severity == "caution"
    again = planned(wrong, ("L2",))
    assert again == wrong, "planned again, everything is said once"
    both = planned(wrong, ("L1",))
    assert codes(both.warnings) == [] and codes(both.level("L1").warnings) == []
    assert codes(both.level("L2").warnings) == ["level_not_fractured"], "its level is as doubtful as before"
    assert codes(planned(both, ("L2",)).warnings) == [], "L1 was planned before it"
    everything = planned(both, "all")
    assert [codes(level.warnings) for level in everything.levels] == [[], [], []] and codes(everything.warnings) == []


def test_nothing_is_planned_in_a_label_that_may_hold_two_vertebrae(built):
    case, spine, _plan = built
    measured = planner.measured_plan(case, spine, PlanOptions())
    doubt = PlanWarning(warning_codes.TWO_VERTEBRAE, "stop", "Are there two vertebrae under the label of L1?", "[C]")
    levels = tuple(
        replace(level, warnings=(doubt, *level.warnings)) if level.level == "L1" else level for level in measured.levels
    )
    level = planner.plan_levels(replace(measured, levels=levels), case, spine, PlanOptions(levels=("L1",))).level("L1")
    assert level.approach == "none" and not level.trajectories and level.cement is None
    assert set(level.skipped_sides) == {"left", "right"} and "more than one vertebra" in level.skipped_sides["left"]
    assert {"no_access", warning_codes.TWO_VERTEBRAE} <= {warning.code for warning in level.warnings}


def test_a_level_that_was_cancelled_while_it_was_planned_is_not_taken(built, no_search):
    case, spine, _plan = built
    measured = planner.measured_plan(case, spine, PlanOptions())
    answers = iter([False, True])
    with pytest.raises(PlanningCancelled):
        planner.plan_levels(measured, case, spine, PlanOptions(levels=("L1",)), None, lambda: next(answers))


def test_nothing_fractured_is_told_once_and_not_after_a_level_was_named(built, no_search):
    case, spine, _plan = built
    measured = planner.measured_plan(case, spine, PlanOptions())
    whole = tuple(replace(level, measurements=replace(level.measurements, genant_grade=0)) for level in measured.levels)
    none = planner.plan_levels(replace(measured, levels=whole), case, spine, PlanOptions())
    assert codes(none.warnings) == ["no_fractured_level"]
    assert planner.plan_levels(none, case, spine, PlanOptions()) == none
    named = planner.plan_levels(none, case, spine, PlanOptions(levels=("L1",)))
    assert codes(named.warnings) == [] and codes(named.level("L1").warnings) == ["level_not_fractured"]


def test_where_nothing_is_fractured_in_the_midline_a_level_that_is_lower_on_one_side_is_named(built, no_search):
    case, spine, _plan = built
    measured = planner.measured_plan(case, spine, PlanOptions())
    even, lower = ((25.0, 23.0, 27.0),) * 3, ((26.0, 24.0, 28.0), (24.0, 22.0, 26.0), (20.0, 19.0, 22.0))
    levels = tuple(
        replace(
            level,
            measurements=replace(
                level.measurements, genant_grade=0, heights_3x3_mm=lower if level.level == "L2" else even
            ),
        )
        for level in measured.levels
    )
    plan = planner.plan_levels(replace(measured, levels=levels), case, spine, PlanOptions())
    (told,) = [warning for warning in plan.warnings if warning.code == "no_fractured_level"]
    assert told.severity == "caution" and "but L2 is 22 % lower on the right: name it to plan it." in told.message
    named = planner.plan_levels(plan, case, spine, PlanOptions(levels=("L2",)))
    (asked,) = [w for w in named.level("L2").warnings if w.code == "level_not_fractured"]
    assert "no fracture by height in the midline, but is 22 % lower on the right" in asked.message


def test_a_height_that_is_dragged_into_a_fracture_ends_the_doubt_about_the_level(built):
    _case, _spine, plan = built
    doubt = PlanWarning(planner.LEVEL_NOT_FRACTURED, "caution", "L1 has no fracture by height.", "[V]")
    level = replace(plan.level("L1"), warnings=(doubt,))
    ends = np.array(level.measurements.height_points_ras["anterior"])
    assert level.measurements.genant_grade
    assert codes(Engine().remeasure(level, "anterior", ends).warnings) == []
