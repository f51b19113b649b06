"""The needle views show what their names say, and the views of before come back."""

import numpy as np
import pytest
import slicer
from hypothesis import assume, given
from hypothesis import strategies as st
from VertebralAugmentationPlannerLib.model import InputError
from VertebralAugmentationPlannerLib.scene.headless import write_bundle
from VertebralAugmentationPlannerLib.scene.logic import PlannerLogic
from VertebralAugmentationPlannerLib.scene.views import (
    NEEDLE_VIEW,
    ViewKeeper,
    across_needle,
    along_needle_axial,
    along_needle_sagittal,
    center_slices,
)
from VertebralAugmentationPlannerLib.scene.volumes import matrix_array

coordinate = st.floats(-200, 200)
point = st.tuples(coordinate, coordinate, coordinate)


def state(scene, views):
    layout = scene.GetFirstNodeByClass("vtkMRMLLayoutNode").GetViewArrangement()
    return [layout] + [
        (matrix_array(node.GetSliceToRAS()).tolist(), node.GetFieldOfView(), node.GetXYZOrigin())
        for node in views.values()
    ]


@given(point, point, st.floats(-80, 60))
def test_the_slice_across_is_perpendicular_and_at_its_depth(entry, target, depth):
    assume(np.linalg.norm(np.subtract(target, entry)) > 5)
    matrix = across_needle(entry, target, depth)
    axis = np.subtract(target, entry) / np.linalg.norm(np.subtract(target, entry))
    np.testing.assert_allclose(matrix[:3, :3].T @ matrix[:3, :3], np.eye(3), atol=1e-9)
    np.testing.assert_allclose(matrix[:3, 2], axis, atol=1e-9)
    np.testing.assert_allclose(matrix[:3, 3], np.asarray(entry) + depth * axis, atol=1e-9)
    assert np.linalg.det(matrix[:3, :3]) == pytest.approx(1.0)


@given(point, point)
def test_the_two_long_slices_contain_the_needle(entry, target):
    assume(np.linalg.norm(np.subtract(target, entry)) > 5)
    for matrix in (along_needle_axial(entry, target), along_needle_sagittal(entry, target)):
        np.testing.assert_allclose(matrix[:3, :3].T @ matrix[:3, :3], np.eye(3), atol=1e-9)
        for end in (entry, target):
            assert np.dot(np.subtract(end, matrix[:3, 3]), matrix[:3, 2]) == pytest.approx(0, abs=1e-6)


def test_a_needle_straight_from_behind_gives_the_radiologists_pictures():
    entry, target = (0, -50, 0), (0, 10, 0)
    across, axial, sagittal = (
        across_needle(entry, target, 0),
        along_needle_axial(entry, target),
        along_needle_sagittal(entry, target),
    )
    np.testing.assert_allclose(across[:3, :2].T, [(-1, 0, 0), (0, 0, 1)], atol=1e-12)  # left to the right, head up
    np.testing.assert_allclose(axial[:3, :2].T, [(-1, 0, 0), (0, 1, 0)], atol=1e-12)  # left to the right, front up
    np.testing.assert_allclose(sagittal[:3, :2].T, [(0, -1, 0), (0, 0, 1)], atol=1e-12)  # front to the left, head up


def test_a_needle_without_length_has_no_views():
    with pytest.raises(ValueError, match="without length"):
        across_needle((1, 2, 3), (1, 2, 3), 0)


def test_needle_views_and_back(scene, views):
    before = state(scene, views)
    keeper = ViewKeeper(scene)
    assert not keeper.shown
    keeper.show((20, -60, 5), (8, 0, 0), 40.0)
    assert keeper.shown
    np.testing.assert_allclose(
        matrix_array(views["Red"].GetSliceToRAS()), across_needle((20, -60, 5), (8, 0, 0), 40.0), atol=1e-9
    )
    assert views["Red"].GetFieldOfView()[:2] == pytest.approx((120.0, 90.0))
    assert scene.GetFirstNodeByClass("vtkMRMLLayoutNode").GetViewArrangement() == 3
    keeper.show((-20, -60, 5), (-8, 0, 0), 10.0)  # another needle: still the first views are kept
    keeper.restore()
    assert not keeper.shown
    assert state(scene, views) == before
    keeper.restore()  # nothing to bring back
    assert state(scene, views) == before


def test_a_scene_saved_with_the_needle_views_on_has_a_way_back(scene, views):
    """Whoever opens it finds oblique slices; the usual ones are not what was found."""
    for name, orientation in (("Red", "Axial"), ("Yellow", "Sagittal"), ("Green", "Coronal")):
        views[name].SetDefaultOrientation(orientation)
    ViewKeeper(scene).show((20, -60, 5), (8, 0, 0), 0.0)
    assert views["Red"].GetOrientation() == "Reformat"
    opened = ViewKeeper(scene)
    opened.show((20, -60, 5), (8, 0, 0), 5.0)
    opened.restore()
    assert [views[name].GetOrientation() for name in ("Red", "Yellow", "Green")] == ["Axial", "Sagittal", "Coronal"]


@pytest.fixture
def saved_at_a_needle(logic, planned, scene, views, tmp_path):
    """A scene saved with the needle views on, and the views as they were before."""
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene, True)
    for name, node in views.items():
        node.SetSingletonTag(name)  # as in the application, where a scene's views are read into those there are
    scene.GetFirstNodeByClass("vtkMRMLLayoutNode").SetSingletonTag("layout")
    before = state(scene, views)
    logic.showNeedleViews(planned, "L1", "left")
    assert state(scene, views) != before
    return write_bundle(scene, tmp_path / "scene.mrb"), before


def test_a_scene_saved_with_the_needle_views_on_opens_with_the_usual_ones(
    logic, planned, scene, views, saved_at_a_needle
):
    """No button is pressed for oblique slices that it would be opened with."""
    path, before = saved_at_a_needle
    scene.Clear(False)
    views["Red"].SetSliceOffset(99.0)
    assert scene.ReadFromMRB(str(path), True)
    assert state(scene, views) == before and not logic.needleViewsShown()
    assert views["Red"].GetAttribute(NEEDLE_VIEW) is None


def test_views_of_such_a_scene_read_before_the_module_was_there_come_back_with_it(
    logic, planned, scene, views, saved_at_a_needle
):
    path, before = saved_at_a_needle
    logic.cleanup()
    scene.Clear(False)
    assert scene.ReadFromMRB(str(path), True) and views["Red"].GetOrientation() == "Reformat"
    opened = PlannerLogic(scene, logic.engine)
    try:
        views["Red"].SetDimensions(800, 300, 1)  # in a window of another shape
        opened.restoreLeftViews()
        (layout, (matrix, (_, tall, thick), origin), *others), now = before, state(scene, views)
        assert now == [layout, (matrix, (tall * 800 / 300, tall, thick), origin), *others]
    finally:
        opened.cleanup()


def test_a_text_of_another_version_leaves_the_default_orientation(scene, views):
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene, True)
    views["Red"].SetDefaultOrientation("Axial")
    ViewKeeper(scene).show((20, -60, 5), (8, 0, 0), 0.0)
    for text in ("1", "one two", "nan " * 23):
        views["Red"].SetAttribute(NEEDLE_VIEW, text)
        views["Red"].SetOrientation("Sagittal")
        ViewKeeper(scene).restore_left()
        assert views["Red"].GetOrientation() == "Axial" and views["Red"].GetAttribute(NEEDLE_VIEW) is None


def test_the_depth_slider_moves_only_the_slice_across(scene, views):
    keeper = ViewKeeper(scene)
    keeper.show((20, -60, 5), (8, 0, 0), 40.0)
    yellow = matrix_array(views["Yellow"].GetSliceToRAS())
    views["Red"].SetFieldOfView(60.0, 45.0, 1.0)  # the user zooms
    keeper.set_depth((20, -60, 5), (8, 0, 0), -30.0)
    np.testing.assert_allclose(
        matrix_array(views["Red"].GetSliceToRAS()), across_needle((20, -60, 5), (8, 0, 0), -30.0), atol=1e-9
    )
    assert views["Red"].GetFieldOfView()[:2] == pytest.approx((60.0, 45.0))
    np.testing.assert_array_equal(matrix_array(views["Yellow"].GetSliceToRAS()), yellow)


def test_without_views_nothing_breaks(scene):
    keeper = ViewKeeper(scene)
    keeper.show((20, -60, 5), (8, 0, 0), 40.0)
    keeper.restore()


def test_slices_go_through_a_point(scene, views):
    center_slices(scene, (3.0, -20.0, 55.0))
    for node in views.values():
        matrix = matrix_array(node.GetSliceToRAS())
        np.testing.assert_allclose(matrix[:3, 3], (3.0, -20.0, 55.0), atol=1e-6)


def test_the_logic_shows_a_planned_needle(logic, planned, scene, views):
    before = state(scene, views)
    needle = logic.needle(planned, "L1", "left")
    skin, tip = logic.needleDepthRange(planned, "L1", "left")
    assert skin == pytest.approx(-50.0, abs=1e-3)
    assert tip == pytest.approx(needle.bone_path_mm, abs=1e-3)
    logic.showNeedleViews(planned, "L1", "left")
    np.testing.assert_allclose(matrix_array(views["Red"].GetSliceToRAS())[:3, 3], needle.target_ras, atol=1e-3)
    logic.setNeedleDepth(planned, 0.0)
    np.testing.assert_allclose(matrix_array(views["Red"].GetSliceToRAS())[:3, 3], needle.entry_ras, atol=1e-3)
    assert logic.needleViewsShown()
    logic.restoreViews()
    assert state(scene, views) == before
    with pytest.raises(InputError, match="show them first"):
        logic.setNeedleDepth(planned, 1.0)


def test_a_closed_scene_leaves_the_usual_views(logic, planned, scene, views):
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene, True)
    for name, node in views.items():
        node.SetSingletonTag(name)  # as in the application, where the views outlive the scene
    layout = scene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    logic.showNeedleViews(planned, "L1", "left")
    scene.Clear(False)
    assert not logic.needleViewsShown()
    assert [node.GetOrientation() for node in views.values()] == ["Axial", "Sagittal", "Coronal"]
    assert layout.GetViewArrangement() == 2


def test_the_views_follow_the_needle_once_it_is_let_go(logic, planned, views):
    logic.showNeedleViews(planned, "L1", "left")
    line = logic.node(planned, "needle.L1.left")
    line.InvokeEvent(line.PointStartInteractionEvent)
    still = matrix_array(views["Yellow"].GetSliceToRAS())
    line.SetNthControlPointPositionWorld(1, *(np.array(line.GetNthControlPointPositionWorld(1)) + (1.0, 0, 0)))
    np.testing.assert_array_equal(matrix_array(views["Yellow"].GetSliceToRAS()), still)  # the plane under the mouse
    line.InvokeEvent(line.PointEndInteractionEvent)
    needle = logic.needle(planned, "L1", "left")
    matrix = matrix_array(views["Yellow"].GetSliceToRAS())
    for end in (needle.entry_ras, needle.target_ras):
        assert np.dot(np.subtract(end, matrix[:3, 3]), matrix[:3, 2]) == pytest.approx(0, abs=1e-3)


def test_a_side_without_needle_has_no_views(logic, planned):
    with pytest.raises(InputError, match="T12 has no needle on the left"):
        logic.showNeedleViews(planned, "T12", "left")
