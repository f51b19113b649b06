"""Images and plan put under one transform while the plan is open: nothing of a verdict changes, whatever comes first."""

import numpy as np
import pytest
import vtk
from nodes import linear_transform
from test_scene_editing import drag
from test_scene_follow import LINE, said
from test_scene_placing import assert_beside_its_needle, seen
from VertebralAugmentationPlannerLib.access.angles import end_on_carm
from VertebralAugmentationPlannerLib.model import PlanOptions
from VertebralAugmentationPlannerLib.scene.editing import line_ends
from VertebralAugmentationPlannerLib.scene.plan_text import read_plan_text
from VertebralAugmentationPlannerLib.scene.references import owned_roles
from VertebralAugmentationPlannerLib.scene.volumes import matrix_array

FAR = (12.0, -30.0, 7.0)


@pytest.fixture
def panel(logic):
    """As the panel has it: what follows is put off until the event is through. Called, it lets that come."""
    waiting = []
    logic.later = waiting.append

    def settle():
        while waiting:
            waiting.pop(0)()

    return settle


def matrix(shift=FAR, turn_deg=0.0):
    transform = vtk.vtkTransform()
    transform.Translate(*shift)
    transform.RotateX(turn_deg)
    return matrix_array(transform.GetMatrix())


def drawn(logic, planned):
    nodes = [logic.node(planned, role) for role in owned_roles(planned)]
    return [node for node in nodes if node.IsA("vtkMRMLTransformableNode")]


def put_under(transform, nodes):
    for node in nodes:
        node.SetAndObserveTransformNodeID(transform and transform.GetID())


def numbers(level):
    """What a level says, apart from where it lies."""
    return level.measurements.height_loss_percent, [
        (n.side, n.safety, n.clearance_mm, n.bone_path_mm, n.cement_ml, n.balloon.planned_volume_ml, n.skin_to_target_mm)
        for n in level.trajectories
    ], [warning.code for warning in level.warnings], level.cement, level.predicted  # fmt: skip


def assert_went_along(logic, planned, before, moved):
    now = logic.currentPlan(planned)
    assert not logic.isOutdated(planned) and now.warnings == before.warnings and read_plan_text(planned) == now
    for level in now.levels:
        old = before.level(level.level)
        assert numbers(level) == numbers(old)
        points = [(old.frame.origin_ras, level.frame.origin_ras)]
        for needle in level.trajectories:
            was = old.trajectory(needle.side)
            points += [(getattr(was, name), getattr(needle, name)) for name in ("entry_ras", "target_ras", "skin_ras")]
            points.append((was.balloon.centre_ras, needle.balloon.centre_ras))
            line = logic.node(planned, f"needle.{level.level}.{needle.side}")
            assert line.GetName() == f"{level.level} {needle.side} needle (safe)"
            assert np.allclose(line_ends(line), (needle.entry_ras, needle.target_ras), atol=1e-3)
        for then, there in points:
            assert moved[:3, :3] @ then + moved[:3, 3] == pytest.approx(there, abs=1e-3)


ORDERS = {
    "the images first": lambda images, nodes: [*images, *nodes],
    "the drawings first": lambda images, nodes: [*nodes, *images],
    "the images between": lambda images, nodes: [*nodes[:3], *images, *nodes[3:]],
}


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_a_plan_that_went_along_with_its_images_stays_judged(logic, planned, inputs, scene, panel, heard, order):
    before, judged = logic.currentPlan(planned), logic.engine.reevaluations
    transform = linear_transform(scene, matrix())
    put_under(transform, order(inputs, drawn(logic, planned)))
    panel()
    assert_went_along(logic, planned, before, matrix())
    assert_beside_its_needle(logic, planned)
    assert logic.engine.reevaluations == judged and {change.kind for change in heard} == {"plan"}
    # And it is true: the anatomy, built where the images are, finds nothing to say.
    logic.prepare(planned)
    assert_went_along(logic, planned, before, matrix())
    put_under(None, order(inputs, drawn(logic, planned)))
    panel()
    assert_went_along(logic, planned, before, np.eye(4))


def test_a_transform_that_all_is_under_already_may_be_turned_and_the_c_arm_follows(
    logic, planned, inputs, scene, panel
):
    before, transform = logic.currentPlan(planned), linear_transform(scene, np.eye(4))
    put_under(transform, [*inputs, *drawn(logic, planned)])
    panel()
    for turn in (10.0, 25.0, 40.0):  # as a slider does it, step by step
        transform.SetMatrixTransformToParent(
            linear_transform(scene, matrix(turn_deg=turn)).GetMatrixTransformToParent()
        )
        panel()
    assert_went_along(logic, planned, before, matrix(turn_deg=40.0))
    needle = logic.needle(planned, "L1", "left")
    assert needle.carm != before.level("L1").trajectory("left").carm
    assert needle.carm.secondary_deg == pytest.approx(
        end_on_carm(np.subtract(needle.target_ras, needle.entry_ras)).secondary_deg, abs=0.1
    )


def test_models_that_were_left_out_are_drawn_beside_the_needles(logic, planned, inputs, scene, panel):
    lines = [node for node in drawn(logic, planned) if node.IsA("vtkMRMLMarkupsLineNode")]
    put_under(linear_transform(scene, matrix()), [*inputs, *lines])
    panel()
    assert_beside_its_needle(logic, planned)


def test_drags_of_before_are_undone_where_the_plan_is_now(logic, planned, inputs, scene, panel):
    start = logic.needle(planned, "L1", "left")
    drag(logic.node(planned, LINE), 1, (0.5, 0, 0))
    logic.inflate(planned, "L1", "right", 0.8)
    drag(logic.node(planned, LINE), 1, (0.0, 0, 0.5))
    dragged = logic.currentPlan(planned).level("L1")
    put_under(linear_transform(scene, matrix()), [*inputs, *drawn(logic, planned)])
    panel()
    assert logic.levelsMovedByHand(planned, "all") == ["L1"]
    assert logic.undo(planned) and logic.undo(planned) and not logic.canUndo(planned)
    assert logic.needle(planned, "L1", "left").target_ras == pytest.approx(np.add(start.target_ras, FAR), abs=1e-3)
    assert logic.redo(planned) and logic.redo(planned)
    now = logic.currentPlan(planned).level("L1")
    assert numbers(now) == numbers(dragged)


def assert_not_judged(logic, planned):
    for side in ("left", "right"):
        assert not logic.needle(planned, "L1", side).judged
        assert logic.node(planned, f"needle.L1.{side}").GetName() == f"L1 {side} needle (breach)"
    assert logic.node(planned, "balloon.L1.left") is None and read_plan_text(planned) == logic.currentPlan(planned)


def test_a_plan_that_went_without_its_images_is_not_judged_until_they_follow(logic, planned, inputs, scene, panel):
    """As in the Data module: the plan's folder first, then the CT, then the segmentation."""
    before, ends = logic.currentPlan(planned), line_ends(logic.node(planned, LINE))
    transform = linear_transform(scene, matrix())
    put_under(transform, drawn(logic, planned))
    panel()
    assert_not_judged(logic, planned)
    assert np.allclose(line_ends(logic.node(planned, LINE)), ends + np.array(FAR), atol=1e-3)  # nothing slid
    assert said(logic, planned, "L1", "lines_moved_together") == [
        f"L1: all lines of L1 were moved together by {np.linalg.norm(FAR):.1f} mm without the images, so no needle is judged there; "
        "move them along, or plan L1 again."
    ]
    for node in inputs:
        put_under(transform, [node])
        panel()
    logic.prepare(planned)  # as the panel does once it is entered
    assert_went_along(logic, planned, before, matrix())
    assert_beside_its_needle(logic, planned)


def test_anatomy_built_before_all_images_have_followed_ends_nothing(logic, planned, inputs, scene, panel):
    """The panel was opened between the CT and the segmentation."""
    before, near = logic.currentPlan(planned), matrix((1.0, 0.0, 0.0))
    transform = linear_transform(scene, near)
    for nodes in (drawn(logic, planned), inputs[:1], inputs[1:]):
        put_under(transform, nodes)
        panel()
        logic.prepare(planned)
        assert logic.needle(planned, "L1", "left").judged == (nodes == inputs[1:])
    assert_went_along(logic, planned, before, near)


def test_the_images_may_go_first_in_a_step_of_their_own(logic, planned, inputs, scene, panel):
    before, transform = logic.currentPlan(planned), linear_transform(scene, matrix())
    for node in (*inputs, None):
        put_under(transform, [node] if node else drawn(logic, planned))
        panel()
    assert_went_along(logic, planned, before, matrix())


def test_a_plan_that_is_moved_back_to_its_images_is_judged_as_before(logic, planned, scene, panel):
    before, transform = logic.currentPlan(planned), linear_transform(scene, matrix())
    put_under(transform, drawn(logic, planned))
    for turn in (3.0, 9.0):  # and on, as a slider does it
        panel()
        transform.SetMatrixTransformToParent(
            linear_transform(scene, matrix(turn_deg=turn)).GetMatrixTransformToParent()
        )
    panel()
    assert_not_judged(logic, planned)
    put_under(None, drawn(logic, planned))
    panel()
    assert_went_along(logic, planned, before, np.eye(4))
    assert_beside_its_needle(logic, planned)


def test_images_that_moved_otherwise_than_the_plan_bring_no_verdict_back(logic, planned, inputs, scene, panel):
    put_under(linear_transform(scene, matrix((4.0, 0.0, 0.0))), drawn(logic, planned))
    put_under(linear_transform(scene, matrix((0.0, 0.0, 4.0))), inputs)
    panel()
    logic.prepare(planned)
    assert_not_judged(logic, planned)
    assert "labels_changed" in [warning.code for warning in logic.currentPlan(planned).warnings]


def test_what_was_edited_while_the_plan_was_apart_is_not_taken_back(logic, planned, inputs, scene, panel):
    transform = linear_transform(scene, matrix((1.0, 0.0, 0.0)))
    put_under(transform, drawn(logic, planned))
    panel()
    drag(logic.node(planned, LINE), 1, (0.0, 0.0, 0.5))
    place = logic.needle(planned, "L1", "left").target_ras
    assert logic.needle(planned, "L1", "left").judged
    put_under(transform, inputs)
    logic.prepare(planned)
    assert logic.needle(planned, "L1", "left").target_ras == pytest.approx(place)
    assert not logic.needle(planned, "L1", "right").judged


def test_lines_of_one_level_that_moved_as_one_are_judged_where_they_lie(logic, planned, scene, panel):
    nodes = [logic.node(planned, role) for role in owned_roles(planned) if ".L1" in role]
    put_under(linear_transform(scene, matrix((4.0, 0.0, 0.0))), nodes)
    panel()
    needles = [logic.needle(planned, "L1", side) for side in ("left", "right")]
    for needle in needles:
        vertebra = logic._session(planned).spine(PlanOptions()).vertebrae["L1"]
        truth = logic.engine.reevaluate(
            vertebra, logic._session(planned).case(None), needle.side, needle.entry_ras, needle.target_ras, "11G", None
        )
        assert needle.clearance_mm == truth.clearance_mm and needle.safety == truth.safety
    assert "breach" in [needle.safety for needle in needles]


def test_an_error_in_one_needle_leaves_none_of_the_others_unjudged(logic, planned, scene, panel):
    judge, lines = logic.engine.reevaluate, [logic.node(planned, f"needle.{level}.left") for level in ("L1", "L2")]

    def fails_once(vertebra, *rest):
        if vertebra.level == "L1":
            raise RuntimeError("out of bone")
        return judge(vertebra, *rest)

    logic.engine.reevaluate = fails_once
    before = logic.needle(planned, "L2", "left")
    put_under(linear_transform(scene, matrix((0.5, 0.0, 0.0))), lines)
    with pytest.raises(RuntimeError):
        panel()
    assert logic.needle(planned, "L2", "left").clearance_mm != before.clearance_mm


def test_one_needle_under_a_transform_is_an_edit_once_the_event_is_through(logic, planned, scene, panel):
    before, line = logic.needle(planned, "L1", "left"), logic.node(planned, LINE)
    put_under(linear_transform(scene, matrix((0.5, 0.0, 0.0))), [line])
    logic.showLevel(planned, "L2")  # what is drawn meanwhile must not make it a place that was judged
    logic.startEditing(planned)
    with logic._session(planned).editor.quiet():
        pass
    panel()
    after = logic.needle(planned, "L1", "left")
    assert after.target_ras == pytest.approx(np.add(before.target_ras, (0.5, 0.0, 0.0)), abs=1e-3)
    assert after.clearance_mm != before.clearance_mm and logic.canUndo(planned)


def test_the_cement_that_went_along_keeps_its_shape(logic, planned, inputs, scene, panel):
    cement = logic.node(planned, "cement.L1.left")
    where, surface = seen(cement), cement.GetPolyData()
    put_under(linear_transform(scene, matrix()), [*inputs, *drawn(logic, planned)])
    panel()
    assert cement.GetPolyData() is surface and seen(cement) == pytest.approx(where + np.array(FAR), abs=1e-3)
