"""Saved as .mrb and read into a fresh scene, a plan is the same plan and can be edited on."""

import dataclasses
import os
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest
import slicer
from nodes import linear_transform, node_ids
from stand_in import StandInEngine
from test_scene_drawing import folder_tree, held_roles, points
from VertebralAugmentationPlannerLib.model import InputError
from VertebralAugmentationPlannerLib.scene import read_bundle, write_scene
from VertebralAugmentationPlannerLib.scene.bundle import add_labels
from VertebralAugmentationPlannerLib.scene.headless import new_scene, write_bundle
from VertebralAugmentationPlannerLib.scene.logic import PlannerLogic
from vtkmodules.util.numpy_support import vtk_to_numpy


def parameter_nodes(scene):
    count = scene.GetNumberOfNodesByClass("vtkMRMLScriptedModuleNode")
    return [scene.GetNthNodeByClass(n, "vtkMRMLScriptedModuleNode") for n in range(count)]


def reading_logic(scene, built):
    engine = StandInEngine()
    engine.buildSpine = lambda case, progress, should_cancel: built[1]
    return PlannerLogic(scene, engine)


@pytest.fixture
def reopened(logic, planned, tmp_path, built):
    """(logic, parameter node) of the planned scene after saving and loading."""
    logic.saveScene(tmp_path / "case.mrb")
    scene = read_bundle(tmp_path / "case.mrb")
    other = reading_logic(scene, built)
    yield other, parameter_nodes(scene)[0]
    other.cleanup()


def test_the_plan_is_the_same(logic, planned, reopened):
    other, node = reopened
    assert other.planFromScene(node) == logic.currentPlan(planned)
    assert other.currentPlan(node).to_json() == logic.currentPlan(planned).to_json()


def test_mrml_has_nothing_to_warn_of(built, tmp_path, capfd):
    """“--quiet” leaves the terminal to errors."""
    case, spine, plan = built
    write_scene(plan, case, tmp_path / "scene.mrb", spine)
    assert capfd.readouterr().err == ""


def test_a_plan_of_another_version_locks_its_needles_and_says_why(logic, planned, tmp_path, built):
    """Nobody judges them: “safe” must not stay beside them, wherever they are dragged."""
    text = logic.node(planned, "plan")
    text.SetText(text.GetText().replace("vertebral-augmentation-plan/1", "vertebral-augmentation-plan/9"))
    logic.saveScene(tmp_path / "newer.mrb")
    scene = read_bundle(tmp_path / "newer.mrb")
    other, node = reading_logic(scene, built), parameter_nodes(scene)[0]
    assert other.currentPlan(node) is None
    assert "vertebral-augmentation-plan/9" in other.unreadablePlan(node)
    assert other.planTitle(node) == "CT: cannot be read"
    line = other.node(node, "needle.L1.left")
    assert line.GetLocked() and line.GetName() == "L1 left needle (not judged)"
    other.measure(node)
    other.planLevels(node, ("L1",))
    assert other.unreadablePlan(node) is None
    line = other.node(node, "needle.L1.left")
    assert not line.GetLocked() and line.GetName() == "L1 left needle (safe)"
    other.cleanup()


def test_every_role_and_every_node_is_there_again(planned, reopened, scene):
    other, node = reopened
    assert held_roles(node) == held_roles(planned)
    classes = sorted(role for role in held_roles(node) if other.node(node, role) is None)
    assert classes == []
    assert len(node_ids(other.scene)) == len(node_ids(scene))


def test_the_folders_are_there_again(reopened, scene):
    assert folder_tree(reopened[0].scene) == folder_tree(scene)


def test_positions_survive_to_a_micrometre(logic, planned, reopened):
    other, node = reopened
    for role in ("needle.L1.left", "height.L1.anterior", "needle.L2.right"):
        for end in (0, 1):
            before, after = (
                owner.node(parameter_node, role).GetNthControlPointPositionWorld(end)
                for owner, parameter_node in ((logic, planned), (other, node))
            )
            assert after == pytest.approx(before, abs=1e-3)
    for role in ("tube.L1.left", "balloon.L2.right", "cement.L1.right"):
        before, after = logic.node(planned, role), other.node(node, role)
        np.testing.assert_allclose(points(after.GetPolyData()), points(before.GetPolyData()), atol=1e-3)


def test_the_images_are_the_same(inputs, reopened):
    other, node = reopened
    np.testing.assert_array_equal(
        slicer.util.arrayFromVolume(other.node(node, "ct")), slicer.util.arrayFromVolume(inputs[0])
    )
    assert [row.level for row in other.segmentTable(node)] == ["T12", "L1", "L2"]


def test_tables_and_bodies_survive(logic, planned, reopened):
    other, node = reopened
    before, after = (
        owner.node(parameter_node, "trajectoryTable") for owner, parameter_node in ((logic, planned), (other, node))
    )
    assert after.GetNumberOfRows() == before.GetNumberOfRows()
    assert [after.GetCellText(0, n) for n in range(6)] == [before.GetCellText(0, n) for n in range(6)]
    assert other.node(node, "anatomy").GetSegmentation().GetSegment("L1_body") is not None


def test_the_plan_can_be_edited_on(reopened):
    other, node = reopened
    other.planFromScene(node)
    heard = []
    other.addListener(lambda caller, change: heard.append(change.kind))
    line = other.node(node, "needle.L1.left")
    before = other.needle(node, "L1", "left")
    line.SetNthControlPointPositionWorld(1, *np.add(before.target_ras, (0.5, 0, 0)))
    assert other.needle(node, "L1", "left").target_ras == pytest.approx(
        np.add(before.target_ras, (0.5, 0, 0)), abs=1e-3
    )
    assert heard == ["needle"]
    assert other.undo(node)


def test_edits_made_before_saving_are_in_the_file(logic, planned, tmp_path):
    line = logic.node(planned, "needle.L1.left")
    line.SetNthControlPointPositionWorld(1, *(np.array(line.GetNthControlPointPositionWorld(1)) + (0.7, 0, 0)))
    logic.saveScene(tmp_path / "edited.mrb")
    scene = read_bundle(tmp_path / "edited.mrb")
    other = PlannerLogic(scene, StandInEngine())
    assert other.planFromScene(parameter_nodes(scene)[0]) == logic.currentPlan(planned)
    other.cleanup()


def test_corrections_of_levels_survive(logic, planned, tmp_path, built):
    logic.shiftLevels(planned, 1)
    logic.saveScene(tmp_path / "shifted.mrb")
    scene = read_bundle(tmp_path / "shifted.mrb")
    other = reading_logic(scene, built)
    assert [row.level for row in other.segmentTable(parameter_nodes(scene)[0])] == ["L1", "L2", "L3"]
    other.cleanup()


def test_transformed_inputs_survive_where_they_are(logic, planned, inputs, scene, tmp_path):
    shift = np.eye(4)
    shift[:3, 3] = (3.0, 0, 0)
    transform = linear_transform(scene, shift)
    for node in inputs:
        node.SetAndObserveTransformNodeID(transform.GetID())
    before = [row.centre_ras for row in logic.segmentTable(planned)]
    logic.saveScene(tmp_path / "moved.mrb")
    read = read_bundle(tmp_path / "moved.mrb")
    other = PlannerLogic(read, StandInEngine())
    after = [row.centre_ras for row in other.segmentTable(parameter_nodes(read)[0])]
    np.testing.assert_allclose(after, before, atol=1e-6)
    other.cleanup()


def test_a_bundle_read_into_a_scene_with_a_plan_leaves_both(logic, planned, tmp_path):
    logic.saveScene(tmp_path / "case.mrb")
    before = logic.currentPlan(planned)
    assert logic.scene.ReadFromMRB(str(tmp_path / "case.mrb"), False)
    first, second = parameter_nodes(logic.scene)
    assert logic.currentPlan(first) == before
    assert logic.currentPlan(second) == before
    shared = {first.GetNodeReferenceID(r) for r in held_roles(first)} & {
        second.GetNodeReferenceID(r) for r in held_roles(second)
    }
    assert not shared
    line = logic.node(second, "needle.L1.left")
    line.SetNthControlPointPositionWorld(1, *(np.array(line.GetNthControlPointPositionWorld(1)) + (0.5, 0, 0)))
    assert logic.currentPlan(first) == before
    assert logic.currentPlan(second) != before


def test_the_command_lines_scene_opens_and_edits(built, tmp_path):
    case, spine, plan = built
    path = write_scene(plan, case, tmp_path / "scene.mrb", spine)
    scene = read_bundle(path)
    (node,) = parameter_nodes(scene)
    assert node.GetAttribute("ModuleName") == "VertebralAugmentationPlanner"
    logic = reading_logic(scene, built)
    assert logic.planFromScene(node) == plan
    assert logic.canMeasure(node) == (True, "")
    line = logic.node(node, "needle.L2.right")
    line.SetNthControlPointPositionWorld(1, *(np.array(line.GetNthControlPointPositionWorld(1)) + (0.3, 0, 0)))
    assert logic.currentPlan(node) != plan
    logic.cleanup()


def test_the_command_lines_scene_opens_at_its_first_planned_level_with_the_marks_of_that_alone(built, tmp_path):
    scene = read_bundle(write_scene(built[2], None, tmp_path / "scene.mrb"))
    (node,) = parameter_nodes(scene)
    needle = built[2].level("L1").trajectories[0]
    assert (node.GetParameter("level"), node.GetParameter("side")) == ("L1", needle.side)
    kinds = ("height", "superiorEndPlate", "inferiorEndPlate", "pedicle")
    marks = [role for role in held_roles(node) if role.split(".")[0] in kinds]
    seen = {role.split(".")[1] for role in marks if node.GetNodeReference(role).GetDisplayNode().GetVisibility()}
    assert {role.split(".")[1] for role in marks} == {"T12", "L1", "L2"} and seen == {"L1"}


def test_the_labels_in_the_scene_are_the_cases_own(built, tmp_path):
    case, spine, plan = built
    scene = read_bundle(write_scene(plan, case, tmp_path / "scene.mrb"))
    logic = PlannerLogic(scene, StandInEngine())
    again = logic.loadCase(parameter_nodes(scene)[0])
    for level, value in case.level_values.items():
        before = case.labels.to_ras(np.argwhere(case.labels.voxels == value))
        after = again.labels.to_ras(np.argwhere(again.labels.voxels == again.level_values[level]))
        np.testing.assert_allclose(np.sort(after, axis=0), np.sort(before, axis=0), atol=1e-3)
    logic.cleanup()


def test_the_segments_share_one_label_map_without_what_is_no_level(built):
    case = built[0]
    node = add_labels(new_scene(), case)
    segmentation = node.GetSegmentation()
    assert segmentation.GetNumberOfLayers() == 1
    sizes = {name: int(np.count_nonzero(case.labels.voxels == value)) for name, value in case.level_values.items()}
    for name, size in sizes.items():
        own = slicer.vtkOrientedImageData()
        node.GetBinaryLabelmapRepresentation(name, own)
        assert np.count_nonzero(vtk_to_numpy(own.GetPointData().GetScalars())) == size
    segment = segmentation.GetSegment(next(iter(sizes)))
    held = segment.GetRepresentation("Binary labelmap").GetPointData().GetScalars()
    assert np.count_nonzero(vtk_to_numpy(held)) == sum(sizes.values())


def test_without_images_the_plan_can_still_be_looked_at(built, tmp_path):
    scene = read_bundle(write_scene(built[2], None, tmp_path / "plan-only.mrb"))
    logic = PlannerLogic(scene, StandInEngine())
    (node,) = parameter_nodes(scene)
    assert logic.planFromScene(node) == built[2]
    assert logic.canMeasure(node)[0] is False
    logic.cleanup()


def test_options_travel_with_the_scene(built, tmp_path):
    plan = dataclasses.replace(
        built[2], options={**built[2].options, "procedure": "vertebroplasty", "target_fill": 0.2}
    )
    scene = read_bundle(write_scene(plan, None, tmp_path / "scene.mrb"))
    (node,) = parameter_nodes(scene)
    assert (node.GetParameter("procedure"), node.GetParameter("targetFill")) == ("vertebroplasty", "0.2")


def test_nothing_half_written_is_left(built, tmp_path):
    with pytest.raises(InputError, match="must end in .mrb"):
        write_scene(built[2], None, tmp_path / "scene.zip")
    with pytest.raises(InputError, match="no folder"):
        write_scene(built[2], None, tmp_path / "missing" / "scene.mrb")
    write_scene(built[2], None, tmp_path / "scene.mrb")
    assert [path.name for path in tmp_path.iterdir()] == ["scene.mrb"]


@pytest.mark.parametrize(("free", "says"), [(2**30, "no reason was given"), (4096, "the disk is full")])
def test_a_scene_that_cannot_be_written_says_why(tmp_path, monkeypatch, free, says):
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=free))
    scene = SimpleNamespace(WriteToMRB=lambda path, thumbnail, messages: False)
    with pytest.raises(InputError, match=rf"cannot be written to .*case\.mrb \({says}\)"):
        write_bundle(scene, tmp_path / "case.mrb")
    assert list(tmp_path.iterdir()) == []


def test_reading_what_is_no_scene_is_refused(tmp_path):
    (tmp_path / "text.mrb").write_text("not a scene")
    with zipfile.ZipFile(tmp_path / "empty.mrb", "w") as archive:
        archive.writestr("folder/readme.txt", "no scene in here")
    before = os.getcwd()
    for name in ("text.mrb", "empty.mrb"):
        with pytest.raises(InputError, match="cannot be read as a scene"):
            read_bundle(tmp_path / name)
    assert os.getcwd() == before  # the archiver would leave it in a folder that is gone
    with pytest.raises(InputError, match="no scene"):
        read_bundle(tmp_path / "missing.mrb")


def test_plan_json_out_and_in(logic, planned, tmp_path, scene):
    logic.savePlan(planned, tmp_path / "plan.json")
    node = scene.AddNewNodeByClass("vtkMRMLScriptedModuleNode", "second")
    assert logic.loadPlan(node, tmp_path / "plan.json") == logic.currentPlan(planned)
    assert logic.node(node, "needle.L1.left") is not None
    assert logic.node(node, "needle.L1.left") is not logic.node(planned, "needle.L1.left")
