"""Whatever transform a model is under, it is seen where the plan has it: beside its needle."""

import numpy as np
import pytest
import vtk
from nodes import linear_transform
from VertebralAugmentationPlannerLib.model.solids import balloon_surface, tube_surface
from VertebralAugmentationPlannerLib.scene.logic import PlannerLogic
from VertebralAugmentationPlannerLib.scene.references import owned_roles

SHIFT = (0.4, -0.2, 0.3)
TURN_DEG = 1.0


def small_motion(times=1.0):
    """A shift and a turn that leave a needle safe."""
    transform = vtk.vtkTransform()
    transform.Translate(*(times * part for part in SHIFT))
    transform.RotateZ(times * TURN_DEG)
    matrix = transform.GetMatrix()
    return np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])


def seen(model):
    """Middle of a model as it is drawn: its own points through its parent transforms."""
    bounds = [0.0] * 6
    model.GetRASBounds(bounds)
    return np.array(bounds).reshape(3, 2).mean(axis=1)


def middle(surface):
    return np.array(surface.GetBounds()).reshape(3, 2).mean(axis=1)


def assert_beside_its_needle(logic, planned, level="L1", side="left"):
    needle = logic.needle(planned, level, side)
    line = logic.node(planned, f"needle.{level}.{side}")
    assert np.allclose(line.GetNthControlPointPositionWorld(1), needle.target_ras, atol=1e-3)
    tube = tube_surface(needle.skin_ras, needle.target_ras, needle.cannula_outer_diameter_mm)
    # Bounds of what is turned are those of its box, and a little wider.
    assert seen(logic.node(planned, f"tube.{level}.{side}")) == pytest.approx(middle(tube), abs=0.1)
    assert seen(logic.node(planned, f"balloon.{level}.{side}")) == pytest.approx(
        middle(balloon_surface(needle.balloon)), abs=0.1
    )
    assert seen(logic.node(planned, f"cement.{level}.{side}")) == pytest.approx(needle.balloon.centre_ras, abs=2.0)
    points = logic.currentPlan(planned).level(level).measurements.height_points_ras
    plate = np.mean([points["anterior"][0], points["posterior"][0]], axis=0)
    origin = [0.0] * 3
    logic.node(planned, f"superiorEndPlate.{level}").GetOriginWorld(origin)
    assert origin == pytest.approx(plate, abs=1e-3)


ORDERS = {
    "the line first": lambda roles: sorted(roles, key=lambda role: not role.startswith("needle")),
    "the line last": lambda roles: sorted(roles, key=lambda role: role.startswith("needle")),
    "the models alone": lambda roles: [role for role in roles if role.split(".")[0] in ("tube", "balloon", "cement")],
}


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_models_stay_beside_their_needle_in_every_order_of_a_transform(logic, planned, scene, order):
    nodes = [logic.node(planned, role) for role in order([r for r in owned_roles(planned) if ".L1" in r])]
    transform = linear_transform(scene, small_motion())
    for node in nodes:
        node.SetAndObserveTransformNodeID(transform.GetID())
    assert_beside_its_needle(logic, planned)
    transform.SetMatrixTransformToParent(linear_transform(scene, small_motion(2.0)).GetMatrixTransformToParent())
    assert_beside_its_needle(logic, planned)
    tube = logic.node(planned, "tube.L1.left")
    assert tube.GetParentTransformNode() is transform  # which moves it along with the line
    scene.RemoveNode(transform)
    assert_beside_its_needle(logic, planned)


def test_a_level_planned_again_under_a_transform_is_drawn_where_it_was_planned(logic, planned, scene):
    logic.stopEditing()
    transform = linear_transform(scene, small_motion(10.0))
    for role in owned_roles(planned):
        node = logic.node(planned, role)
        if node.IsA("vtkMRMLTransformableNode"):
            node.SetAndObserveTransformNodeID(transform.GetID())
    logic.planLevels(planned, ("L1",))
    assert_beside_its_needle(logic, planned)


def test_models_moved_alone_while_nobody_followed_are_back_when_the_plan_is_opened(logic, planned, scene):
    logic.cleanup()
    transform = linear_transform(scene, small_motion(10.0))
    for kind in ("tube", "balloon"):
        planned.GetNodeReference(f"{kind}.L1.left").SetAndObserveTransformNodeID(transform.GetID())
    other = PlannerLogic(scene, logic.engine)
    try:
        other.currentPlan(planned)
        assert_beside_its_needle(other, planned)
    finally:
        other.cleanup()


def test_a_model_under_a_warp_is_seen_beside_its_needle_all_the_same(logic, planned, scene):
    grid = scene.AddNewNodeByClass("vtkMRMLTransformNode", "warp")
    warp, before, after = vtk.vtkThinPlateSplineTransform(), vtk.vtkPoints(), vtk.vtkPoints()
    for point in ((0, 0, 0), (50, 0, 0), (0, 50, 0), (0, 0, 50), (-50, 0, 0)):
        before.InsertNextPoint(*point)
        after.InsertNextPoint(point[0] + 3.0 + 0.001 * point[1] ** 2, *point[1:])
    warp.SetSourceLandmarks(before)
    warp.SetTargetLandmarks(after)
    grid.SetAndObserveTransformToParent(warp)
    tube = logic.node(planned, "tube.L1.left")
    tube.SetAndObserveTransformNodeID(grid.GetID())
    assert_beside_its_needle(logic, planned)


def test_the_bodies_lie_where_the_images_do(logic, planned, inputs, scene):
    anatomy, waiting = logic.node(planned, "anatomy"), []
    where, moved = seen(anatomy), linear_transform(scene, small_motion(20.0))
    logic.later = waiting.append  # as the panel puts it off
    anatomy.SetAndObserveTransformNodeID(moved.GetID())  # the images were not moved
    for task in waiting:
        task()
    assert seen(anatomy) == pytest.approx(where)
    shift = np.eye(4)
    shift[0, 3] = 12.0
    moved = linear_transform(scene, shift)
    logic.stopEditing()
    for node in (*inputs, anatomy):
        node.SetAndObserveTransformNodeID(moved.GetID())
    logic.measure(planned)
    assert seen(logic.node(planned, "anatomy")) == pytest.approx(where + (12.0, 0.0, 0.0), abs=0.05)
