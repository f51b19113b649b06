"""Lines that were moved while nobody followed them: the plan is brought to where they are, and tells what that means."""

from dataclasses import replace

import numpy as np
import pytest
import vtk
from test_scene_editing import drag, move
from test_scene_follow import LINE, said, stops
from VertebralAugmentationPlannerLib.access import WARNING_CODES
from VertebralAugmentationPlannerLib.scene.editing import line_ends
from VertebralAugmentationPlannerLib.scene.logic import PlannerLogic
from VertebralAugmentationPlannerLib.scene.motion import shared_motion
from VertebralAugmentationPlannerLib.scene.plan_text import read_plan_text
from VertebralAugmentationPlannerLib.scene.references import owned_roles


@pytest.fixture
def reopened(logic, planned, scene):
    """Moves lines while nobody follows them, and opens the plan again."""
    others = []

    def open_after(*moves):
        logic.cleanup()
        for role, index, by in moves:
            move(scene.GetNodeByID(planned.GetNodeReferenceID(role)), index, *by)
        others.append(PlannerLogic(scene, logic.engine))
        return others[-1]

    yield open_after
    for other in others:
        other.cleanup()


def test_a_needle_moved_while_nobody_followed_it_is_a_breach_where_it_lies(planned, reopened):
    other = reopened((LINE, 1, (0.0, 0.0, 4.0)))
    line = other.node(planned, LINE)
    where, needle = line.GetNthControlPointPositionWorld(1), other.needle(planned, "L1", "left")
    assert needle.target_ras == pytest.approx(where) and needle.safety == "breach"
    assert line.GetName() == "L1 left needle (breach)" and stops(other, planned) == ["needle_not_judged"]
    level = other.currentPlan(planned).level("L1")
    # Clearances, grade, slack, skin point, balloon, cement and expected height were those of the old place.
    assert set(vars(needle.clearance_mm).values()) == {None} and needle.breach_grade is None
    assert needle.tolerated_offset_mm is None and needle.tolerated_angle_deg is None
    assert needle.bone_path_mm == pytest.approx(np.linalg.norm(np.ptp(line_ends(line), axis=0)))
    assert table_row(other, planned, "L1", "left") == {
        "Safety": "breach", "Grade": "not judged", "To canal (mm)": "not judged", "Bone path (mm)": "not judged"
    }  # fmt: skip
    assert needle.skin_ras is None and needle.skin_to_target_mm is None
    assert level.cement is None and level.predicted is None and not any(n.balloon for n in level.trajectories)
    assert "no_augmentation" in [warning.code for warning in level.warnings]
    assert planned.GetNodeReference("balloon.L1.left") is None
    assert read_plan_text(planned) == other.currentPlan(planned)
    drag(other.node(planned, "needle.L1.right"), 1, (0.2, 0.0, 0.0))
    assert line.GetNthControlPointPositionWorld(1) == pytest.approx(where)
    assert other.needle(planned, "L1", "left").safety == "breach"
    drag(line, 1, (0.0, 0.0, -4.0))
    assert other.needle(planned, "L1", "left").safety == "safe" and stops(other, planned) == []
    assert other.currentPlan(planned).level("L1").cement is not None


def table_row(logic, planned, level, side):
    """Some cells of a needle in the scene's table, by heading."""
    table = logic.node(planned, "trajectoryTable")
    names = [table.GetColumnName(number) for number in range(table.GetNumberOfColumns())]
    rows = [
        dict(zip(names, (table.GetCellText(row, number) for number in range(len(names))), strict=True))
        for row in range(table.GetNumberOfRows())
    ]
    (found,) = [row for row in rows if (row["Level"], row["Side"]) == (level, side)]
    return {name: found[name] for name in ("Safety", "Grade", "To canal (mm)", "Bone path (mm)")}


def test_a_height_moved_while_nobody_followed_it_is_measured(logic, planned, reopened):
    before = logic.currentPlan(planned).level("L1").measurements
    other = reopened(("height.L1.anterior", 0, (0.0, 0.0, 5.0)))
    level, line = other.currentPlan(planned).level("L1"), other.node(planned, "height.L1.anterior")
    assert level.measurements.anterior_height_mm == pytest.approx(np.ptp(line_ends(line), axis=0)[2], abs=0.5)
    assert level.measurements.anterior_height_mm > before.anterior_height_mm + 4.0
    assert level.measurements.wedge_angle_deg < before.wedge_angle_deg and level.predicted is None
    assert said(other, planned, "L2", "neighbour_edited")
    assert read_plan_text(planned) == other.currentPlan(planned)


def test_a_height_turned_over_while_nobody_followed_it_is_put_back(logic, planned, reopened):
    before = logic.currentPlan(planned)
    ends = line_ends(logic.node(planned, "height.L1.anterior"))
    other = reopened(("height.L1.anterior", 0, (0.0, 0.0, -60.0)))
    assert other.currentPlan(planned) == before
    assert np.allclose(line_ends(other.node(planned, "height.L1.anterior")), ends, atol=1e-6)


@pytest.fixture
def carried_away(logic, planned, scene):
    """Puts images and lines, or lines of some levels alone, under one transform while nobody follows them."""
    others = []

    def open_after(matrix, levels=("T12", "L1", "L2"), images=True):
        logic.cleanup()
        transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
        transform.SetMatrixTransformToParent(matrix)
        roles = [role for role in owned_roles(planned) if role.split(".")[0] in ("needle", "height")]
        moved = [planned.GetNodeReference(role) for role in roles if role.split(".")[1] in levels]
        moved += [planned.GetNodeReference(role) for role in ("ct", "segmentation")] if images else []
        for node in moved:
            node.SetAndObserveTransformNodeID(transform.GetID())
        others.append(PlannerLogic(scene, logic.engine))
        return others[-1]

    yield open_after
    for other in others:
        other.cleanup()


def transform_of(turn_deg=0.0, shift=(0.0, 0.0, 0.0)):
    """A matrix that turns about the left–right axis, and shifts."""
    transform = vtk.vtkTransform()
    transform.Translate(*shift)
    transform.RotateX(turn_deg)
    return transform.GetMatrix()


def test_lines_moved_with_the_images_are_called_so_and_nobody_edited_a_height(logic, planned, carried_away):
    before = logic.currentPlan(planned)
    other = carried_away(transform_of(shift=(30.0, -12.0, 16.0)))
    now = other.currentPlan(planned)
    assert stops(other, planned) == ["lines_moved_together"]
    (text,) = said(other, planned, "L1", "lines_moved_together")
    assert text == (
        "L1: all lines of L1 were moved together by 36.1 mm while the plan was not open, so no needle is judged there; plan "
        "L1 again."
    )
    for level in now.levels:
        old = before.level(level.level)
        assert level.measurements == replace(old.measurements, height_points_ras=level.measurements.height_points_ras)
        assert np.allclose(np.subtract(level.frame.origin_ras, old.frame.origin_ras), (30.0, -12.0, 16.0))
        assert not {"heights_edited", "of_class_not_read", "neighbour_edited"} & {w.code for w in level.warnings}
    assert said(other, planned, "T12", "lines_moved_together")[0].endswith("angles stay as they were measured.")
    assert not any(needle.judged for needle in now.level("L1").trajectories)
    assert now.level("L1").cement is None and read_plan_text(planned) == now
    # The images were moved along: the plan is still of them, and is planned again where they lie.
    other.planLevels(planned, ("L1",))
    assert not other.isOutdated(planned) and other.needle(planned, "L1", "left").safety == "safe"
    assert "lines_moved_together" in WARNING_CODES  # which goes with the access that is planned anew


def test_a_turn_of_all_lines_leaves_every_angle_as_it_was_measured(logic, planned, carried_away):
    before = logic.currentPlan(planned).level("L1")
    other = carried_away(transform_of(turn_deg=40.0, shift=(0.0, 5.0, 0.0)), images=False)
    level = other.currentPlan(planned).level("L1")
    assert "and turned by 40°" in said(other, planned, "L1", "lines_moved_together")[0]
    assert level.measurements.wedge_angle_deg == before.measurements.wedge_angle_deg
    turned = np.degrees(np.arccos(np.dot(level.frame.superior, before.frame.superior)))
    assert turned == pytest.approx(40.0, abs=0.01)
    for side in ("left", "right"):
        assert level.trajectory(side).convergence_angle_deg == pytest.approx(
            before.trajectory(side).convergence_angle_deg, abs=0.05
        )


def test_needles_that_are_judged_one_by_one_end_the_word_of_the_lines(planned, carried_away):
    other = carried_away(transform_of(shift=(0.0, 0.0, 9.0)))
    assert stops(other, planned) == ["lines_moved_together"]
    drag(other.node(planned, LINE), 1, (0.0, 0.0, 0.2))
    assert stops(other, planned) == ["lines_moved_together"] and other.needle(planned, "L1", "left").judged
    drag(other.node(planned, "needle.L1.right"), 1, (0.0, 0.0, 0.2))
    assert stops(other, planned) == [] and other.currentPlan(planned).level("L1").cement is not None


def test_a_needle_moved_by_a_hair_is_not_all_lines(planned, reopened):
    other = reopened((LINE, 1, (0.0, 0.0, 0.06)))
    assert stops(other, planned) == ["needle_not_judged"] and other.needle(planned, "L1", "right").judged


def test_lines_moved_together_are_called_so_where_one_of_them_was_deleted_meanwhile(planned, carried_away, scene):
    scene.RemoveNode(planned.GetNodeReference("height.L1.middle"))
    other = carried_away(transform_of(shift=(0.0, 0.0, 9.0)))
    assert stops(other, planned) == ["lines_moved_together"] and not said(other, planned, "L1", "heights_edited")


def test_lines_that_were_stretched_were_edited(planned, carried_away):
    matrix = transform_of()
    matrix.SetElement(2, 2, 1.2)
    other = carried_away(matrix, images=False)
    assert said(other, planned, "L1", "heights_edited") and not said(other, planned, "L1", "lines_moved_together")


def test_a_plan_whose_lines_nobody_moved_opens_as_it_was(logic, planned, reopened):
    before, text = logic.currentPlan(planned), logic.node(planned, "plan").GetText()
    other = reopened()
    assert other.currentPlan(planned) == before and other.node(planned, "plan").GetText() == text


def test_a_needle_moved_while_editing_was_stopped_is_a_breach(logic, planned):
    logic.stopEditing(planned)
    move(logic.node(planned, LINE), 1, 0.0, 0.0, 4.0)
    logic.startEditing(planned)
    assert logic.needle(planned, "L1", "left").safety == "breach"


def test_a_line_alone_and_a_mirror_image_tell_no_motion():
    line, shift = np.array([[0.0, 0.0, 0.0], [1.0, 2.0, 30.0]]), np.array([5.0, 0.0, 0.0])
    assert shared_motion(line, line + shift, 0.05) is None
    body = np.vstack([line, line + [0.0, 30.0, 0.0], line + [20.0, 0.0, 0.0]])
    assert shared_motion(body, body * [-1.0, 1.0, 1.0], 0.05) is None
    motion = shared_motion(body, body + shift, 0.05)
    assert motion.words == "by 5.0 mm" and motion.point(tuple(body[3])) == pytest.approx(body[3] + shift)
    bent = body + shift
    bent[0, 2] += 0.3
    assert shared_motion(body, bent, 0.05) is None
