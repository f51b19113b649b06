"""What follows a plan that changed: the views, undo, what a drag had hidden, the choices."""

import json
from dataclasses import replace

import numpy as np
import pytest
from test_scene_editing import drag, move
from test_scene_views import state
from VertebralAugmentationPlannerLib.model import CasePlan
from VertebralAugmentationPlannerLib.scene.bundle import write_scene
from VertebralAugmentationPlannerLib.scene.editing import line_ends
from VertebralAugmentationPlannerLib.scene.plan_text import read_plan_text
from VertebralAugmentationPlannerLib.scene.volumes import matrix_array

LINE = "needle.L1.left"


def misses_the_bone(*arguments):
    """In place of the engine's judgement of a needle."""
    raise ValueError("no bone on the axis")


def test_no_drag_of_the_plan_before_is_undone_in_a_loaded_one(logic, planned, tmp_path):
    logic.savePlan(planned, tmp_path / "plan.json")
    move(logic.node(planned, LINE), 1, 1.0, 0, 0)
    assert logic.canUndo(planned)
    logic.loadPlan(planned, tmp_path / "plan.json")
    assert not logic.canUndo(planned)


def test_planning_a_level_forgets_its_own_drags_alone(logic, planned):
    for level in ("L1", "L2"):
        drag(logic.node(planned, f"needle.{level}.left"), 1, (0.5, 0, 0))
    assert logic.levelsMovedByHand(planned, "all") == ["L1", "L2"]
    assert logic.levelsMovedByHand(planned, ("L2",)) == ["L2"]
    logic.planLevel(planned, "L2")
    assert logic.levelsMovedByHand(planned, "all") == ["L1"]
    assert logic.undo(planned) and not logic.canUndo(planned)
    assert logic.levelsMovedByHand(planned, "all") == []


def test_another_fill_keeps_a_volume_that_was_set_by_hand_where_it_is_asked_to(logic, planned):
    full = logic.needle(planned, "L1", "left").balloon.planned_volume_ml
    logic.inflate(planned, "L1", "left", 1.0)
    logic.planAugmentation(planned, "L1", targetFill=0.2, keepVolumes=True)
    assert logic.needle(planned, "L1", "left").balloon.planned_volume_ml == 1.0
    logic.planAugmentation(planned, "L1", targetFill=0.2)
    assert logic.needle(planned, "L1", "left").balloon.planned_volume_ml == full > 1.0


def test_a_refused_drag_leaves_the_level_as_it_was_when_it_began(logic, planned, monkeypatch):
    before, text = logic.currentPlan(planned), read_plan_text(planned)
    line = logic.node(planned, LINE)
    line.InvokeEvent(line.PointStartInteractionEvent)
    move(line, 1, 1.0, 0, 0)
    monkeypatch.setattr(logic.engine, "reevaluate", misses_the_bone)
    move(line, 1, 80.0, 0, 0)
    line.InvokeEvent(line.PointEndInteractionEvent)
    assert logic.currentPlan(planned) == before and read_plan_text(planned) == text
    assert logic.node(planned, "balloon.L1.left").GetDisplayNode().GetVisibility()


def test_a_drag_that_ended_where_it_began_is_not_where_the_next_one_goes_back_to(logic, planned, monkeypatch):
    line = logic.node(planned, LINE)
    start = line.GetNthControlPointPositionWorld(1)
    line.InvokeEvent(line.PointStartInteractionEvent)
    move(line, 1, 1.0, 0, 0)
    line.SetNthControlPointPositionWorld(1, *start)
    line.InvokeEvent(line.PointEndInteractionEvent)
    assert logic.needle(planned, "L1", "left").balloon is not None and not logic.canUndo(planned)
    drag(line, 1, (0.0, 0, 0.7))
    before = logic.currentPlan(planned)
    monkeypatch.setattr(logic.engine, "reevaluate", misses_the_bone)
    drag(line, 1, (80.0, 0, 0), (1.0, 0, 0))
    assert logic.currentPlan(planned) == before


def test_a_needle_whose_balloon_fails_keeps_its_place_and_says_so(logic, planned, monkeypatch):
    def fails(*arguments):
        raise RuntimeError("out of balloons")

    monkeypatch.setattr(logic.engine, "augment", fails)
    drag(logic.node(planned, LINE), 1, (0.5, 0, 0))
    level = read_plan_text(planned).level("L1")
    needle = logic.needle(planned, "L1", "left")
    assert level.trajectory("left") == needle and needle.balloon is None
    assert "out of balloons" in next(item.message for item in level.warnings if item.code == "no_augmentation")


def filling(logic, planned, level="L1"):
    """Balloon volumes by side, cement and prediction of a level."""
    plan = logic.currentPlan(planned).level(level)
    return {n.side: n.balloon and n.balloon.planned_volume_ml for n in plan.trajectories}, plan.cement, plan.predicted


def test_volumes_set_by_hand_outlast_a_drag_and_come_back_with_undo(logic, planned):
    logic.inflate(planned, "L1", "right", 0.8)
    logic.inflate(planned, "L1", "left", 1.5)
    before = logic.currentPlan(planned).level("L1")
    drag(logic.node(planned, LINE), 1, (0.5, 0, 0))
    assert filling(logic, planned)[0] == {"left": 1.5, "right": 0.8}
    after = logic.currentPlan(planned).level("L1")
    assert logic.undo(planned) and logic.currentPlan(planned).level("L1") == before
    assert read_plan_text(planned).level("L1") == before
    assert logic.redo(planned) and logic.currentPlan(planned).level("L1") == after


def test_undo_brings_back_what_the_drag_took_away(logic, planned):
    logic.inflate(planned, "L1", "right", 0.8)
    before = filling(logic, planned)
    drag(logic.node(planned, LINE), 1, (0.0, -60.0, 0.0))
    assert filling(logic, planned) == ({"left": None, "right": None}, None, None)
    logic.undo(planned)
    assert filling(logic, planned) == before and logic.node(planned, "balloon.L1.right") is not None


def test_undo_leaves_what_was_inflated_since(logic, planned):
    drag(logic.node(planned, LINE), 1, (0.5, 0, 0))
    logic.inflate(planned, "L1", "right", 0.8)
    logic.undo(planned)
    assert filling(logic, planned)[0]["right"] == 0.8


def test_each_plan_has_drags_of_its_own_to_undo(logic, planned):
    drag(logic.node(planned, LINE), 1, (0.5, 0, 0))
    moved = logic.currentPlan(planned)
    second = logic.newPlan(planned)
    logic.buildScene(moved, parameterNode=second)
    assert not logic.canUndo(second) and not logic.undo(second)
    assert logic.currentPlan(planned) == moved
    drag(logic.node(second, LINE), 1, (0.0, 0, 0.5))
    assert logic.undo(planned) and logic.canRedo(planned) and logic.canUndo(second)


def test_a_balloon_that_was_hidden_stays_hidden_after_a_drag(logic, planned):
    balloon, cement = (logic.node(planned, f"{kind}.L1.left").GetDisplayNode() for kind in ("balloon", "cement"))
    balloon.SetVisibility(False)
    drag(logic.node(planned, LINE), 1, (0.5, 0, 0), (0.5, 0, 0))
    assert not balloon.GetVisibility() and cement.GetVisibility()


def red_off(views, point):
    return float(np.linalg.norm(matrix_array(views["Red"].GetSliceToRAS())[:3, 3] - np.array(point)))


def test_the_views_follow_a_needle_that_was_planned_anew(logic, planned, views):
    logic.showNeedleViews(planned, "L1", "left")
    level = logic.currentPlan(planned).level("L1")
    old = level.trajectory("left")
    new = replace(old, target_ras=tuple(np.add(old.target_ras, (0.0, 0.0, 4.0))))
    needles = tuple(new if needle.side == "left" else needle for needle in level.trajectories)
    plan = logic.currentPlan(planned)
    levels = tuple(replace(level, trajectories=needles) if one.level == "L1" else one for one in plan.levels)
    logic.buildScene(replace(plan, levels=levels), parameterNode=planned)
    logic.followNeedleViews(planned, "L1", "left")
    assert red_off(views, new.target_ras) < 1e-3


def test_the_slice_at_the_tip_stays_at_the_tip_of_a_shorter_needle(logic, planned, views):
    logic.showNeedleViews(planned, "L1", "left")
    needle = logic.needle(planned, "L1", "left")
    back = 8.0 * np.subtract(needle.entry_ras, needle.target_ras) / needle.bone_path_mm
    drag(logic.node(planned, LINE), 1, back)
    assert red_off(views, logic.needle(planned, "L1", "left").target_ras) < 1e-3
    logic.setNeedleDepth(planned, 3.0)
    drag(logic.node(planned, LINE), 1, back / 8.0)
    assert logic.needleDepth() == 3.0


def test_the_usual_views_are_back_before_another_scene_is_added(logic, planned, scene, views, tmp_path):
    before = state(scene, views)
    logic.showNeedleViews(planned, "L1", "left")
    scene.ReadFromMRB(str(write_scene(logic.currentPlan(planned), None, tmp_path / "other.mrb")), False)
    assert not logic.needleViewsShown()
    assert state(scene, views) == before


def test_a_balloon_of_a_catalogue_that_is_not_here_is_not_in_force(logic, planned, tmp_path):
    logic.savePlan(planned, tmp_path / "plan.json")
    data = json.loads((tmp_path / "plan.json").read_text(encoding="utf-8"))
    data["options"] |= {"balloon": "My 20", "catalog": "mine.json"}
    (tmp_path / "own.json").write_text(json.dumps(data), encoding="utf-8")
    plan = logic.loadPlan(planned, tmp_path / "own.json")
    assert planned.GetParameter("balloon") == "auto"
    told = next(item for item in plan.warnings if item.code == "balloon_not_at_hand")
    assert "“My 20”" in told.message
    assert isinstance(plan, CasePlan) and logic.currentPlan(planned) == plan


def test_capitals_do_not_make_a_balloon_another(logic, planned, tmp_path):
    logic.savePlan(planned, tmp_path / "plan.json")
    data = json.loads((tmp_path / "plan.json").read_text(encoding="utf-8"))
    data["options"]["balloon"] = logic.balloonCatalog()[0].name.lower()
    (tmp_path / "lower.json").write_text(json.dumps(data), encoding="utf-8")
    plan = logic.loadPlan(planned, tmp_path / "lower.json")
    assert "balloon_not_at_hand" not in [item.code for item in plan.warnings]
    assert (
        planned.GetParameter("balloon") == logic.balloonCatalog()[0].name
    )  # else the panel would offer it as “automatic”


def test_a_needle_that_was_edited_in_the_file_is_not_safe_until_it_is_judged(logic, planned, tmp_path):
    logic.savePlan(planned, tmp_path / "plan.json")
    data = json.loads((tmp_path / "plan.json").read_text(encoding="utf-8"))
    level = next(level for level in data["levels"] if level["level"] == "L1")
    left = next(needle for needle in level["trajectories"] if needle["side"] == "left")
    left["target_ras"][0] += 6.0
    (tmp_path / "edited.json").write_text(json.dumps(data), encoding="utf-8")
    logic.loadPlan(planned, tmp_path / "edited.json")
    assert logic.needle(planned, "L1", "left").safety == "breach"
    assert logic.needle(planned, "L1", "right").safety == "safe"
    assert stops(logic, planned) == ["needle_not_judged"]
    # Balloons and cement were those of the needles as they were judged.
    assert filling(logic, planned) == ({"left": None, "right": None}, None, None)
    assert planned.GetNodeReference("balloon.L1.left") is None
    drag(logic.node(planned, LINE), 1, (-6.0, 0.0, 0.0))
    assert logic.needle(planned, "L1", "left").safety == "safe" and stops(logic, planned) == []


def said(logic, planned, level, code):
    return [item.message for item in logic.currentPlan(planned).level(level).warnings if item.code == code]


def test_levels_that_rest_on_an_edited_one_say_so_until_it_is_back(logic, planned):
    before = logic.currentPlan(planned)
    assert before.level("L1").measurements.reference.levels == ("T12", "L2")
    height = logic.node(planned, "height.T12.anterior")
    drag(height, 0, (0.0, 0.0, -3.0))
    assert said(logic, planned, "L1", "neighbour_edited") == [
        "T12 was edited by hand, but height loss, grade and kyphosis of L1 still rest on T12 as measured before."
    ]
    assert said(logic, planned, "T12", "heights_edited") and not said(logic, planned, "T12", "neighbour_edited")
    assert read_plan_text(planned) == logic.currentPlan(planned)
    assert logic.undo(planned) and logic.currentPlan(planned) == before
    drag(height, 0, (0.0, 0.0, -3.0))
    drag(height, 0, (0.0, 0.0, 3.0))
    assert not said(logic, planned, "L1", "neighbour_edited") and not said(logic, planned, "T12", "heights_edited")


def test_a_height_that_is_back_is_not_edited_though_a_balloon_was_since(logic, planned):
    drag(logic.node(planned, "height.L1.anterior"), 0, (0.0, 0.0, 3.0))
    logic.inflate(planned, "L1", "right", 0.8)
    assert said(logic, planned, "L1", "heights_edited")
    logic.undo(planned)
    assert not said(logic, planned, "L1", "heights_edited") and filling(logic, planned)[0]["right"] == 0.8


def stops(logic, planned):
    return [warning.code for warning in logic.currentPlan(planned).level("L1").warnings if warning.severity == "stop"]


HEIGHT = "height.L1.anterior"


TURNED_OVER = (0.0, 0.0, 2.0), (0.0, 0.0, -60.0), (0.0, 0.0, -3.0)
"""Steps of a drag of a height's upper end: a little up, then far below the lower one, and on."""


def test_a_height_that_is_turned_over_goes_back_to_where_its_drag_began(logic, planned, heard):
    before, text, line = logic.currentPlan(planned), read_plan_text(planned), logic.node(planned, HEIGHT)
    ends, label = line_ends(line), line.GetNthControlPointLabel(0)
    drag(line, 0, *TURNED_OVER)
    assert logic.currentPlan(planned) == before and read_plan_text(planned) == text
    assert np.allclose(line_ends(line), ends, atol=1e-6) and line.GetNthControlPointLabel(0) == label
    assert [(change.kind, change.finished) for change in heard] == [("height", False), ("refused", True)]
    assert heard[-1].message == (
        "The anterior height of L1 was put back: its upper end must lie at least 1 mm above the lower one."
    )
    move(line, 1, 0.0, 0.0, 60.0)  # the lower end, in one step as from Python
    assert logic.currentPlan(planned) == before and np.allclose(line_ends(line), ends, atol=1e-6)


def test_undo_and_later_drags_go_on_from_before_a_height_that_was_put_back(logic, planned):
    start, line = logic.currentPlan(planned), logic.node(planned, HEIGHT)
    drag(line, 0, (0.0, 0.0, 2.0))
    edited = logic.currentPlan(planned)
    drag(line, 0, *TURNED_OVER)
    assert logic.undo(planned) and logic.currentPlan(planned) == start
    assert logic.redo(planned) and logic.currentPlan(planned) == edited and not logic.canRedo(planned)
    drag(line, 0, (0.0, 0.0, 1.0))
    height = [plan.level("L1").measurements.anterior_height_mm for plan in (edited, logic.currentPlan(planned))]
    assert height[1] - height[0] == pytest.approx(1.0, abs=0.05)
    assert logic.undo(planned) and logic.undo(planned) and not logic.undo(planned)
    assert logic.currentPlan(planned) == start


def test_the_entry_of_a_needle_that_was_put_back_leaves_nothing_to_undo(logic, planned, monkeypatch):
    monkeypatch.setattr(logic.engine, "reevaluate", misses_the_bone)
    drag(logic.node(planned, LINE), 0, (80.0, 0, 0))
    assert not logic.canUndo(planned) and logic.levelsMovedByHand(planned, "all") == []
