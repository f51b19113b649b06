"""Labels that were edited or moved after a plan was made: its needles are judged where they lie in the bone of now."""

from dataclasses import replace

import numpy as np
import pytest
from nodes import linear_transform
from test_scene_agreement import codes, edit, without_front
from test_scene_editing import drag
from test_scene_follow import LINE, said
from VertebralAugmentationPlannerLib.model import Image, PlanOptions
from VertebralAugmentationPlannerLib.scene.judging import judged_anew
from VertebralAugmentationPlannerLib.scene.plan_text import read_plan_text

ASIDE_MM = 5.0
"""Through the wall of a pedicle, and less than what makes it another patient's."""


def move_images(scene, inputs, by):
    matrix = np.eye(4)
    matrix[:3, 3] = by
    transform = linear_transform(scene, matrix)
    for node in inputs:
        node.SetAndObserveTransformNodeID(transform.GetID())
    return transform


def truth(logic, planned, level, side):
    """What the engine says of the needle in the images as they are now."""
    session, options = logic._session(planned), PlanOptions()
    needle = logic.needle(planned, level, side)
    vertebra = session.spine(options).vertebrae[level]
    return logic.engine.reevaluate(
        vertebra, session.case(options), side, needle.entry_ras, needle.target_ras, needle.cannula, options
    )


def test_needles_in_bone_that_moved_away_are_judged_where_they_lie(logic, planned, inputs, scene):
    assert logic.needle(planned, "L1", "left").safety == "safe"
    move_images(scene, inputs, (-ASIDE_MM, 0.0, 0.0))
    logic.prepare(planned)
    assert not logic.isOutdated(planned) and codes(logic, planned) == ["labels_changed"]
    found = {side: logic.needle(planned, "L1", side) for side in ("left", "right")}
    for side, needle in found.items():
        now = truth(logic, planned, "L1", side)
        assert (needle.safety, needle.judged) == (now.safety, True)
        assert needle.clearance_mm.canal == pytest.approx(now.clearance_mm.canal, abs=0.01)
    assert "breach" in [needle.safety for needle in found.values()]
    text = logic.currentPlan(planned).warnings[-1].message
    assert "L1: its body or a pedicle lies 5.0 mm elsewhere" in text
    breached = next(side for side, needle in found.items() if needle.safety == "breach")
    (told,) = [text for text in said(logic, planned, "L1", "needle_moved") if text.startswith(f"L1 {breached}")]
    assert "judged anew where it lies, as its body or a pedicle lies 5.0 mm elsewhere: it breaches a wall" in told
    assert logic.node(planned, f"needle.L1.{breached}").GetName().endswith("(breach)")
    assert logic.currentPlan(planned).level("L1").cement is None  # no balloon follows a breach
    assert read_plan_text(planned) == logic.currentPlan(planned)


def test_a_plan_of_such_needles_is_read_back_as_judged(logic, planned, inputs, scene, tmp_path):
    """Its angles and its midline are in the frame that the needles were judged in."""
    move_images(scene, inputs, (-ASIDE_MM, 0.0, 0.0))
    logic.prepare(planned)
    before = logic.currentPlan(planned)
    logic.savePlan(planned, tmp_path / "plan.json")
    assert logic.loadPlan(planned, tmp_path / "plan.json").levels == before.levels
    assert logic.currentPlan(planned).levels == before.levels  # and compared with the anatomy at hand: nothing new


def test_bone_that_is_moved_back_gets_its_verdict_back(logic, planned, inputs, scene):
    before = {side: logic.needle(planned, "L1", side) for side in ("left", "right")}
    transform = move_images(scene, inputs, (-ASIDE_MM, 0.0, 0.0))
    logic.prepare(planned)
    for node in inputs:
        node.SetAndObserveTransformNodeID(None)
    scene.RemoveNode(transform)
    logic.prepare(planned)
    assert codes(logic, planned) == []
    for side, needle in before.items():
        now = logic.needle(planned, "L1", side)
        assert now.safety == needle.safety and now.clearance_mm.canal == pytest.approx(
            needle.clearance_mm.canal, abs=0.01
        )
        assert now.balloon is not None and now.balloon.planned_volume_ml == needle.balloon.planned_volume_ml


def test_small_moves_do_not_add_up_to_another_patient_unnoticed(logic, planned, inputs, scene):
    transform = move_images(scene, inputs, (-ASIDE_MM, 0.0, 0.0))
    logic.prepare(planned)
    transform.SetMatrixTransformToParent(
        linear_transform(
            scene, np.array([[1, 0, 0, -2 * ASIDE_MM], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], float)
        ).GetMatrixTransformToParent()
    )
    with pytest.raises(ValueError, match="other images"):
        logic.prepare(planned)
    assert logic.isOutdated(planned)


def test_a_needle_that_edited_voxels_leave_as_it_was_stays_untouched(logic, planned, inputs):
    before = logic.currentPlan(planned)
    edit(inputs[1], without_front)  # L1; a needle of L2 has nothing to do with it
    logic.prepare(planned)
    assert codes(logic, planned) == ["labels_changed"]
    assert logic.currentPlan(planned).level("L2") == before.level("L2")


def test_a_level_that_is_gone_leaves_its_needles_unjudged(logic, planned, inputs):
    inputs[1].GetSegmentation().RemoveSegment("segment 21")
    logic.prepare(planned)
    level = logic.currentPlan(planned).level("L2")
    assert [(needle.safety, needle.judged) for needle in level.trajectories] == [("breach", False)] * 2
    assert level.cement is None and not any(needle.balloon for needle in level.trajectories)
    told = [w for w in level.warnings if w.code == "needle_not_judged"]
    assert len(told) == 2 and told[0].severity == "stop" and "L2 is not whole in the labels any more" in told[0].message


def test_a_drag_that_finds_the_bone_moved_goes_back_to_what_is_true_of_it_now(logic, planned, inputs, scene, heard):
    """What is put back is not the verdict of before."""
    move_images(scene, inputs, (-ASIDE_MM, 0.0, 0.0))
    target = np.array(logic.needle(planned, "L1", "left").target_ras)
    judge = logic.engine.reevaluate

    def refuses_far(vertebra, case, side, entry, goal, *rest):
        if np.linalg.norm(goal - target) > 20.0 and side == "left":
            raise ValueError("no bone on the axis")
        return judge(vertebra, case, side, entry, goal, *rest)

    logic.engine.reevaluate = refuses_far
    line = logic.node(planned, LINE)
    drag(line, 1, (0.0, 60.0, 0.0))
    assert heard[-1].kind == "refused"
    assert line.GetNthControlPointPositionWorld(1) == pytest.approx(target, abs=1e-3)
    needle, now = logic.needle(planned, "L1", "left"), truth(logic, planned, "L1", "left")
    assert needle.safety == now.safety and needle.clearance_mm.canal == pytest.approx(now.clearance_mm.canal, abs=0.01)
    drag(line, 1, (0.3, 0.0, 0.0))
    assert line.GetNthControlPointPositionWorld(1) == pytest.approx(target + (0.3, 0.0, 0.0), abs=1e-3)
    logic.undo(planned)
    assert logic.needle(planned, "L1", "left").clearance_mm.canal == pytest.approx(now.clearance_mm.canal, abs=0.01)


def test_volumes_set_by_hand_are_kept_as_far_as_there_is_room(logic, planned, inputs, scene):
    logic.inflate(planned, "L1", "left", 1.5)
    move_images(scene, inputs, (0.0, 0.0, 0.8))
    logic.prepare(planned)
    volumes = [needle.balloon.planned_volume_ml for needle in logic.currentPlan(planned).level("L1").trajectories]
    assert volumes == [1.5, 4.0] and codes(logic, planned) == ["labels_changed"]


def test_another_plan_of_the_moved_images_is_judged_when_it_gets_their_anatomy(logic, planned, inputs, scene, tmp_path):
    logic.savePlan(planned, tmp_path / "plan.json")
    move_images(scene, inputs, (-ASIDE_MM, 0.0, 0.0))
    logic.prepare(planned)
    second = logic.newPlan(planned)  # which borrows the anatomy
    logic.loadPlan(second, tmp_path / "plan.json")
    assert "breach" in [needle.safety for needle in logic.currentPlan(second).level("L1").trajectories]


@pytest.fixture(scope="module")
def planned_for_real(built):
    """L1 of the phantom, planned by the engine itself."""
    from VertebralAugmentationPlannerLib.scene.engine import Engine

    case, spine, _plan = built
    engine, options = Engine(), PlanOptions(levels=("L1",))
    plan = engine.planLevels(engine.measuredPlan(case, spine, options), case, spine, options, None, None)
    return engine, case, spine, options, plan.level("L1")


def test_the_engine_finds_its_own_needles_alike(planned_for_real):
    engine, case, spine, options, level = planned_for_real
    assert judged_anew(engine, level, case, spine, options, "nothing") == level


def test_the_engine_plans_balloon_and_cement_again_for_bone_that_moved(planned_for_real):
    engine, case, spine, options, level = planned_for_real
    vertebra = spine.vertebrae["L1"]
    shift = np.array([0.0, 0.0, 1.5])
    moved = replace(vertebra, frame=replace(vertebra.frame, origin_ras=vertebra.frame.origin_ras + shift))
    there = replace(spine, vertebrae={**spine.vertebrae, "L1": moved})
    matrix = case.labels.ijk_to_ras.copy()
    matrix[:3, 3] += shift
    now = judged_anew(
        engine, level, replace(case, ct=None, labels=Image(case.labels.voxels, matrix)), there, options, "it moved"
    )
    for before, needle in zip(level.trajectories, now.trajectories, strict=True):
        assert needle.clearance_mm != before.clearance_mm and np.allclose(
            needle.target_ras, before.target_ras, atol=1e-3
        )
        assert needle.balloon.planned_volume_ml != before.balloon.planned_volume_ml
    assert sum("judged anew" in warning.message for warning in now.warnings) == len(now.trajectories)
