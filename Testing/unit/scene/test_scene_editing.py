"""Dragging: everything follows at once, nothing is left over, and every way out is harmless."""

import gc
import time
import weakref

import numpy as np
import pytest
from nodes import linear_transform, node_ids
from stand_in import StandInEngine
from test_scene_drawing import held_roles, points
from VertebralAugmentationPlannerLib.model import CasePlan, InputError
from VertebralAugmentationPlannerLib.scene import roles
from VertebralAugmentationPlannerLib.scene.editing import line_ends
from VertebralAugmentationPlannerLib.scene.logic import PlannerLogic


@pytest.fixture
def line(logic, planned):
    return logic.node(planned, "needle.L1.left")


def move(line, index, *by):
    line.SetNthControlPointPositionWorld(index, *(np.array(line.GetNthControlPointPositionWorld(index)) + by))


def drag(line, index, *steps):
    """What ``vtkSlicerMarkupsWidget`` does to the node while the mouse moves."""
    line.InvokeEvent(line.PointStartInteractionEvent)
    for step in steps:
        move(line, index, *step)
    line.InvokeEvent(line.PointEndInteractionEvent)


def through_canal(logic, planned, line):
    """A step that brings the tip of the left needle of L1 into the canal."""
    frame = logic.currentPlan(planned).level("L1").frame
    canal = np.array(frame.origin_ras) - 24 * np.array(frame.anterior)
    return canal - np.array(line.GetNthControlPointPositionWorld(1))


def test_a_moved_tip_is_judged_and_the_plan_follows(logic, planned, line, heard):
    before = logic.needle(planned, "L1", "left")
    move(line, 1, 0.8, -0.5, 0.3)
    after = logic.needle(planned, "L1", "left")
    assert after.target_ras == pytest.approx(np.add(before.target_ras, (0.8, -0.5, 0.3)), abs=1e-3)
    assert after.bone_path_mm != before.bone_path_mm
    assert after.clearance_mm != before.clearance_mm
    assert [(c.kind, c.level, c.side, c.finished) for c in heard] == [("needle", "L1", "left", True)]


def test_tube_table_and_text_follow(logic, planned, line):
    move(line, 1, 1.0, 0, 0)
    needle = logic.needle(planned, "L1", "left")
    tube = points(logic.node(planned, "tube.L1.left").GetPolyData())
    assert (
        np.linalg.norm(tube - np.array(needle.target_ras), axis=1).min() < needle.cannula_outer_diameter_mm / 2 + 1e-3
    )
    table = logic.node(planned, "trajectoryTable")
    column = next(n for n in range(table.GetNumberOfColumns()) if table.GetColumnName(n) == "Bone path (mm)")
    assert float(table.GetCellText(0, column)) == pytest.approx(needle.bone_path_mm, abs=0.05)
    assert CasePlan.from_json(logic.node(planned, "plan").GetText()) == logic.currentPlan(planned)


def test_a_needle_dragged_into_the_canal_turns_to_breach_and_back(logic, planned, line):
    step = through_canal(logic, planned, line)
    move(line, 1, *step)
    assert logic.needle(planned, "L1", "left").safety == "breach"
    assert line.GetName() == "L1 left needle (breach)"
    move(line, 1, *-step)
    assert logic.needle(planned, "L1", "left").safety == "safe"
    assert line.GetName() == "L1 left needle (safe)"


def test_during_a_drag_balloon_and_cement_are_hidden_and_afterwards_planned_again(logic, planned, line, heard):
    balloon, cement = (logic.node(planned, f"{kind}.L1.left") for kind in ("balloon", "cement"))
    old_centre = logic.needle(planned, "L1", "left").balloon.centre_ras
    line.InvokeEvent(line.PointStartInteractionEvent)
    move(line, 1, 1.0, 0, 0)
    assert not balloon.GetDisplayNode().GetVisibility()
    assert not cement.GetDisplayNode().GetVisibility()
    assert logic.needle(planned, "L1", "left").balloon is None
    line.InvokeEvent(line.PointEndInteractionEvent)
    assert balloon.GetDisplayNode().GetVisibility()
    assert logic.needle(planned, "L1", "left").balloon.centre_ras != old_centre
    assert [c.finished for c in heard] == [False, True]


def test_a_breach_has_no_balloon_and_says_so(logic, planned, line):
    move(line, 1, *through_canal(logic, planned, line))
    level = logic.currentPlan(planned).level("L1")
    assert level.trajectory("left").balloon is None
    assert level.cement is None
    assert [w.code for w in level.warnings if w.code == "no_augmentation"] == ["no_augmentation"]
    assert logic.node(planned, "balloon.L1.left") is None


def test_the_other_needles_are_not_judged_again(logic, planned, line):
    others = [(level, side) for level in ("L1", "L2") for side in ("left", "right") if (level, side) != ("L1", "left")]
    before = [logic.needle(planned, *other).clearance_mm for other in others]
    logic.engine.reevaluations = 0
    move(line, 1, 0.5, 0, 0)
    assert logic.engine.reevaluations == 1
    assert [logic.needle(planned, *other).clearance_mm for other in others] == before


def test_undo_and_redo_of_drags(logic, planned, line):
    start = line_ends(line)
    drag(line, 1, (0.5, 0, 0), (0.5, 0, 0), (0, 0, 1.0))
    first = line_ends(line)
    drag(line, 0, (0, 0, -1.0))
    assert logic.undo(planned)
    np.testing.assert_allclose(line_ends(line), first, atol=1e-3)
    assert logic.undo(planned)
    np.testing.assert_allclose(line_ends(line), start, atol=1e-3)
    assert logic.needle(planned, "L1", "left").target_ras == pytest.approx(start[1], abs=1e-3)
    assert not logic.canUndo(planned)
    assert not logic.undo(planned)
    assert logic.redo(planned)
    np.testing.assert_allclose(line_ends(line), first, atol=1e-3)
    assert logic.canRedo(planned)


def test_a_new_drag_ends_redo(logic, planned, line):
    drag(line, 1, (0.5, 0, 0))
    logic.undo(planned)
    drag(line, 1, (0, 0.5, 0))
    assert not logic.canRedo(planned)


def test_the_scenes_own_undo_works_where_it_is_on(logic, planned, line, scene):
    scene.SetUndoOn()
    start = line_ends(line)
    scene.SaveStateForUndo()  # as vtkSlicerMarkupsWidget::StartWidgetInteraction does
    drag(line, 1, (1.0, 0, 0))
    scene.Undo()
    np.testing.assert_allclose(line_ends(line), start, atol=1e-3)
    assert logic.needle(planned, "L1", "left").target_ras == pytest.approx(start[1], abs=1e-3)
    scene.Redo()
    assert logic.needle(planned, "L1", "left").target_ras == pytest.approx(start[1] + (1.0, 0, 0), abs=1e-3)


def test_a_point_sent_nowhere_comes_back(logic, planned, line, heard):
    start, before = line_ends(line), logic.currentPlan(planned)
    line.SetNthControlPointPositionWorld(1, float("nan"), 0, 0)
    np.testing.assert_allclose(line_ends(line), start)
    line.SetNthControlPointPositionWorld(1, *start[0])  # both ends in one place
    np.testing.assert_allclose(line_ends(line), start)
    assert logic.currentPlan(planned) == before
    assert heard == []


def test_an_end_cannot_be_deleted_or_added(line):
    line.AddControlPointWorld(0, 0, 0)
    assert line.GetNumberOfControlPoints() == 2
    line.RemoveNthControlPoint(0)
    assert line.GetNumberOfControlPoints() == 2


@pytest.mark.parametrize("role", ["needle.L1.left", "needle.L2.right", "height.L1.anterior", "height.L2.middle"])
def test_in_a_3d_view_an_end_is_dragged_in_the_plane_of_the_screen(logic, planned, role):
    """MRML's default brings it onto the nearest surface in sight: two pixels moved a tip in the bone by 23 mm onto the skin of it."""
    display = logic.node(planned, role).GetDisplayNode()
    assert display.GetSnapMode() == display.SnapModeUnconstrained


def test_a_needle_that_cannot_be_judged_goes_back(logic, planned, line, heard):
    def fails(*arguments):
        raise ValueError("no bone on the axis")

    start, before = line_ends(line), logic.currentPlan(planned)
    logic.engine.reevaluate = fails
    line.InvokeEvent(line.PointStartInteractionEvent)
    move(line, 1, 80, 0, 0)
    assert line.GetName() == "L1 left needle (breach)"
    lost = logic.needle(planned, "L1", "left")
    assert not lost.judged and lost.clearance_mm.canal is None and lost.breach_grade is None and lost.balloon is None
    np.testing.assert_allclose([lost.entry_ras, lost.target_ras], line_ends(line), atol=1e-3)
    assert "no bone on the axis" in lost.compromise
    line.InvokeEvent(line.PointEndInteractionEvent)
    np.testing.assert_allclose(line_ends(line), start, atol=1e-3)
    assert line.GetName() == "L1 left needle (safe)"
    assert logic.currentPlan(planned) == before
    assert [(c.kind, c.message) for c in heard] == [
        ("needle", ""),
        ("refused", "The left needle of L1 was put back: it does not meet L1 (no bone on the axis)"),
    ]
    assert not logic.canUndo(planned)


def test_a_transform_on_the_needle_is_an_edit_in_the_world(logic, planned, line, scene):
    before = logic.needle(planned, "L1", "left").target_ras
    shift = np.eye(4)
    shift[:3, 3] = (0.5, 0, 0)
    line.SetAndObserveTransformNodeID(linear_transform(scene, shift).GetID())
    assert logic.needle(planned, "L1", "left").target_ras == pytest.approx(np.add(before, (0.5, 0, 0)), abs=1e-3)


def test_a_dragged_landmark_changes_heights_loss_and_angle(logic, planned, heard):
    before = logic.currentPlan(planned).level("L1").measurements
    height = logic.node(planned, "height.L1.anterior")
    up = line_ends(height)[0] - line_ends(height)[1]
    move(height, 0, *(3.0 * up / np.linalg.norm(up)))
    after = logic.currentPlan(planned).level("L1").measurements
    assert after.anterior_height_mm == pytest.approx(before.anterior_height_mm + 3.0, abs=1e-3)
    assert after.height_loss_percent.anterior < before.height_loss_percent.anterior
    assert after.wedge_angle_deg < before.wedge_angle_deg
    table = logic.node(planned, "measurementTable")
    assert float(table.GetCellText(1, 2)) == pytest.approx(after.anterior_height_mm, abs=0.05)
    assert [(c.kind, c.level, c.side) for c in heard] == [("height", "L1", "anterior")]
    logic.undo(planned)
    assert logic.currentPlan(planned).level("L1").measurements.anterior_height_mm == pytest.approx(
        before.anterior_height_mm, abs=1e-3
    )


def test_the_end_plate_follows_its_landmark(logic, planned):
    height, plane = logic.node(planned, "height.L1.anterior"), logic.node(planned, "superiorEndPlate.L1")
    move(height, 0, 0, 0, 4.0)
    rim = line_ends(height)[0]
    assert np.dot(rim - plane.GetOriginWorld(), plane.GetNormalWorld()) == pytest.approx(0, abs=1e-6)


def test_a_deleted_needle_leaves_the_plan_with_its_tube_balloon_and_cement(logic, planned, line, scene, heard):
    scene.RemoveNode(line)
    level = logic.currentPlan(planned).level("L1")
    assert [needle.side for needle in level.trajectories] == ["right"]
    assert level.skipped_sides["left"] == "its needle was deleted by hand"
    assert not {role for role in held_roles(planned) if role.endswith("L1.left") and not role.startswith("pedicle")}
    assert [(c.kind, c.level, c.side) for c in heard] == [("removed", "L1", "left")]
    assert CasePlan.from_json(logic.node(planned, "plan").GetText()) == logic.currentPlan(planned)


@pytest.mark.parametrize(
    "role",
    ["tube.L1.left", "balloon.L1.left", "trajectoryTable", "measurementTable", "plan", "anatomy", "height.L1.middle"],
)
def test_any_other_deleted_node_breaks_nothing_and_comes_back_when_needed(logic, planned, line, scene, role):
    scene.RemoveNode(logic.node(planned, role))
    move(line, 1, 0.5, 0, 0)
    move(logic.node(planned, "height.L1.anterior"), 0, 0, 0, 0.5)
    logic.measure(planned)
    logic.planLevel(planned, "L1")
    assert logic.node(planned, role) is not None


def test_deleted_display_nodes_break_nothing(logic, planned, line, scene):
    for role in (
        "needle.L1.left",
        "tube.L1.left",
        "balloon.L1.left",
        "cement.L1.left",
        "anatomy",
        "superiorEndPlate.L1",
    ):
        scene.RemoveNode(logic.node(planned, role).GetDisplayNode())
    move(line, 1, *through_canal(logic, planned, line))
    logic.planLevel(planned, "L1")
    logic.showLevel(planned, "L1")
    assert line.GetDisplayNode() is not None


def test_a_deleted_ct_or_segmentation_is_told_and_the_needle_goes_back(logic, planned, line, scene, inputs, heard):
    start = line_ends(line)
    scene.RemoveNode(inputs[1])
    move(line, 1, 1.0, 0, 0)
    np.testing.assert_allclose(line_ends(line), start, atol=1e-3)
    assert heard[-1].kind == "refused"
    assert "choose the vertebra segmentation" in heard[-1].message
    assert logic.canMeasure(planned) == (False, "Choose the vertebra segmentation or label map.")
    assert logic.currentPlan(planned) is not None


def observers_of(node):
    """How many of the events that the editor listens to are observed."""
    return sum(bool(node.HasObserver(event)) for event in (node.PointModifiedEvent, node.PointStartInteractionEvent))


def test_stopping_takes_the_observers_away(logic, planned, line):
    assert observers_of(line) > 0
    logic.stopEditing(planned)
    before = logic.currentPlan(planned)
    move(line, 1, 1.0, 0, 0)
    assert logic.currentPlan(planned) == before
    logic.startEditing(planned)
    move(line, 1, 1.0, 0, 0)
    assert logic.currentPlan(planned) != before


def test_starting_twice_observes_once(logic, planned, line, heard):
    count = logic._session(planned).editor.observer_count
    logic.startEditing(planned)
    logic.startEditing(planned)
    assert logic._session(planned).editor.observer_count == count
    move(line, 1, 0.5, 0, 0)
    assert len(heard) == 1


def test_cleanup_leaves_the_nodes_and_no_observers(scene, inputs, built):
    logic = PlannerLogic(scene, StandInEngine())
    scene_observers = {event: scene.HasObserver(event) for event in (scene.EndImportEvent, scene.StartCloseEvent)}
    assert all(scene_observers.values())
    node = logic.buildScene(built[2], *inputs)
    line = logic.node(node, "needle.L1.left")
    nodes = node_ids(scene)
    logic.cleanup()
    assert node_ids(scene) == nodes
    assert observers_of(line) == 0
    assert logic._sessions == {}


def test_a_forgotten_logic_is_freed(scene, inputs, built):
    logic = PlannerLogic(scene, StandInEngine())
    node = logic.buildScene(built[2], *inputs)
    line = logic.node(node, "needle.L1.left")
    gone = weakref.ref(logic)
    logic.cleanup()
    del logic
    gc.collect()
    assert gone() is None
    move(line, 1, 1.0, 0, 0)  # nobody listens, nothing happens


def test_closing_the_scene_forgets_everything(logic, planned, line, scene, heard):
    drag(line, 1, (0.5, 0, 0))
    scene.Clear(False)
    assert logic._sessions == {}
    assert not logic.canUndo(planned)
    assert [c for c in heard if c.kind == "removed"] == []


def test_a_plan_can_be_made_again_after_closing(logic, planned, scene, phantom):
    from nodes import add_segmentation, add_volume

    scene.Clear(False)
    node = scene.AddNewNodeByClass("vtkMRMLScriptedModuleNode", "again")
    logic.setInputs(node, add_volume(scene, phantom[0], "CT"), add_segmentation(scene, phantom[1], {20: "L1"}))
    assert logic.currentPlan(node) is None
    assert logic.canPlan(node, "L1") == (False, "Measure the levels first.")


def test_two_plans_in_one_scene_do_not_touch_each_other(logic, planned, scene, inputs, built, heard):
    other = logic.buildScene(built[2], *inputs)
    before = logic.currentPlan(other)
    assert not {planned.GetNodeReferenceID(r) for r in held_roles(planned) - set(roles.IMAGES)} & {
        other.GetNodeReferenceID(r) for r in held_roles(other)
    }
    heard.clear()
    move(logic.node(planned, "needle.L1.left"), 1, 0.5, 0, 0)
    assert logic.currentPlan(other) == before
    assert len(heard) == 1
    logic.clearPlan(other)
    assert logic.currentPlan(planned).level("L1").trajectories
    assert logic.node(planned, "needle.L1.left") is not None


def test_a_deleted_parameter_node_takes_its_observers_along(logic, planned, line, scene):
    scene.RemoveNode(planned)
    assert logic._sessions == {}
    move(line, 1, 0.5, 0, 0)
    assert observers_of(line) == 0


def test_a_moved_segmentation_is_read_again(logic, planned, line, scene, inputs):
    before = logic.needle(planned, "L1", "left").clearance_mm
    shift = np.eye(4)
    shift[:3, 3] = (4.0, 0, 0)
    transform = linear_transform(scene, shift).GetID()
    for node in inputs:
        node.SetAndObserveTransformNodeID(transform)
    assert not logic.isReady(planned)
    move(line, 1, 0.01, 0, 0)
    assert logic.needle(planned, "L1", "left").clearance_mm.canal != pytest.approx(before.canal, abs=0.5)


@pytest.mark.benchmark_table
def test_a_live_step_of_a_drag_costs_little(logic, planned, line, record_property):
    """Beside the engine: tube, colour, table. Two frames at 60 Hz is the most that still looks live."""
    line.InvokeEvent(line.PointStartInteractionEvent)
    times = []
    for step in range(20):
        start = time.process_time()  # the machine may be busy with other things
        move(line, 1, 0.01 * (-1) ** step, 0, 0)
        times.append(time.process_time() - start)
    line.InvokeEvent(line.PointEndInteractionEvent)
    seconds = sorted(times)[len(times) // 2]
    record_property("live_step_ms", round(1e3 * seconds, 1))
    assert seconds < 0.033


def test_a_second_logic_sees_and_edits_the_same_plan(logic, planned, line, scene, built):
    """The panel's logic and one made in the Python console."""
    engine = StandInEngine()
    engine.buildSpine = lambda case, progress, should_cancel: built[1]
    console = PlannerLogic(scene, engine)
    assert console.currentPlan(planned) == logic.currentPlan(planned)
    move(line, 1, 0.6, 0, 0)
    assert console.currentPlan(planned) == logic.currentPlan(planned)
    console.planLevel(planned, "L1", cannula="13G")
    console.clearPlan(planned)
    console.measure(planned)
    assert not logic.currentPlan(planned).level("L1").trajectories
    console.cleanup()


def test_text_that_is_no_plan_breaks_nothing(logic, planned, line):
    before = logic.currentPlan(planned)
    logic.node(planned, "plan").SetText("{not json")
    assert logic.currentPlan(planned) == before
    assert logic.canPlan(planned, "L1") == (True, "")
    with pytest.raises(InputError, match="not valid JSON"):
        logic.planFromScene(planned)
    move(line, 1, 0.5, 0, 0)
    assert CasePlan.from_json(logic.node(planned, "plan").GetText()) == logic.currentPlan(planned)
