"""What goes on around a plan: other needles in the views, colours, scenes and files that come and go, an engine that fails."""

from dataclasses import replace

import numpy as np
import pytest
import slicer
from VertebralAugmentationPlannerLib.model import InputError, Margins, PlanningCancelled, PlanOptions
from VertebralAugmentationPlannerLib.model.serialisation import to_plain
from VertebralAugmentationPlannerLib.scene import roles
from VertebralAugmentationPlannerLib.scene.bundle import MODULE_NAME, new_parameter_node
from VertebralAugmentationPlannerLib.scene.choices import options_of
from VertebralAugmentationPlannerLib.scene.editing import line_ends
from VertebralAugmentationPlannerLib.scene.numbers import readMargins, writeMargins
from VertebralAugmentationPlannerLib.scene.volumes import input_state, looks, matrix_array


@pytest.fixture
def red(scene):
    """The view across the needle."""
    node = scene.AddNewNodeByClass("vtkMRMLSliceNode", "Red")
    node.SetLayoutName("Red")
    node.SetDimensions(400, 300, 1)
    return node


class TestNeedleViews:
    def test_they_go_to_the_needle_that_is_worked_on(self, logic, planned, red):
        logic.showNeedleViews(planned, "L1", "left")
        logic.followNeedleViews(planned, "L2", "right")
        assert logic.viewedNeedle(planned) == ("L2", "right")
        tip = logic.needle(planned, "L2", "right").target_ras
        np.testing.assert_allclose(matrix_array(red.GetSliceToRAS())[:3, 3], tip, atol=1e-3)

    @pytest.mark.parametrize("level", ["T12", "", "L4"])
    def test_where_there_is_no_needle_the_usual_views_come_back(self, logic, planned, red, level):
        before = matrix_array(red.GetSliceToRAS())
        logic.showNeedleViews(planned, "L1", "left")
        logic.followNeedleViews(planned, level, "left")
        assert not logic.needleViewsShown() and logic.viewedNeedle(planned) is None
        np.testing.assert_allclose(matrix_array(red.GetSliceToRAS()), before)

    def test_they_are_not_put_on_by_following(self, logic, planned, red):
        logic.followNeedleViews(planned, "L1", "left")
        assert not logic.needleViewsShown()

    def test_the_depth_of_one_plan_does_not_move_the_needle_of_another(self, logic, planned, red, scene):
        logic.showNeedleViews(planned, "L1", "left")
        other = new_parameter_node(scene)
        logic.buildScene(logic.currentPlan(planned), parameterNode=other)
        assert logic.viewedNeedle(other) is None
        with pytest.raises(InputError, match="show them first"):
            logic.setNeedleDepth(other, 3.0)

    def test_zoom_and_layout_stay_while_the_same_needle_is_shown_again(self, logic, planned, red):
        logic.showNeedleViews(planned, "L1", "left")
        red.SetFieldOfView(60.0, 45.0, 1.0)
        logic.showNeedleViews(planned, "L1", "left", 5.0)
        assert red.GetFieldOfView()[:2] == pytest.approx((60.0, 45.0))
        logic.showNeedleViews(planned, "L1", "right")
        assert red.GetFieldOfView()[1] == pytest.approx(90.0)


class TestSegmentation:
    @pytest.fixture
    def segmentation(self, inputs):
        return inputs[1]

    def test_showing_it_in_3d_or_in_another_colour_leaves_the_anatomy_at_hand(self, logic, planned):
        node = logic.node(planned, "segmentation")
        logic.prepare(planned)
        node.CreateClosedSurfaceRepresentation()
        node.GetSegmentation().GetNthSegment(0).SetColor(0.1, 0.9, 0.2)
        assert logic.isReady(planned)
        node.GetSegmentation().GetNthSegment(0).SetName("L5")
        assert not logic.isReady(planned)

    def test_its_state_changes_with_names_words_and_voxels(self, segmentation):
        segment = segmentation.GetSegmentation().GetNthSegment(0)
        states = [input_state(segmentation)]
        segment.SetName("T11")
        states.append(input_state(segmentation))
        segment.SetTerminology("Segmentation category and type~a^b^c~d^e^f~^^~Anatomic codes~^^~^^")
        states.append(input_state(segmentation))
        name = slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName()
        segment.GetRepresentation(name).Modified()
        states.append(input_state(segmentation))
        segmentation.GetSegmentation().RemoveSegment(segmentation.GetSegmentation().GetNthSegmentID(2))
        states.append(input_state(segmentation))
        assert len(set(states)) == 5

    def test_its_looks_change_with_its_colours(self, segmentation):
        before = looks(segmentation)
        segmentation.GetSegmentation().GetNthSegment(1).SetColor(0.3, 0.2, 0.1)
        assert looks(segmentation) != before


def test_a_plan_from_a_file_brings_the_choices_it_was_made_with(logic, planned, inputs, scene, tmp_path):
    made_with = PlanOptions(procedure="vertebroplasty", margins=Margins(canal_mm=3.0))
    replace(logic.currentPlan(planned), options=to_plain(made_with)).save(tmp_path / "plan.json")
    other = new_parameter_node(scene)
    logic.setInputs(other, *inputs)
    logic.loadPlan(other, tmp_path / "plan.json")
    assert readMargins(other).canal_mm == 3.0
    assert options_of(other).procedure == "vertebroplasty"


def test_a_plan_with_choices_that_cannot_be_used_changes_nothing(logic, planned, scene, tmp_path):
    text = logic.currentPlan(planned).to_json()
    (tmp_path / "plan.json").write_text(text.replace('"kyphoplasty"', '"cementoplasty"'), encoding="utf-8")
    other = new_parameter_node(scene)
    with pytest.raises(InputError):
        logic.loadPlan(other, tmp_path / "plan.json")
    assert logic.currentPlan(other) is None and other.GetParameter("procedure") == ""


def test_a_needle_that_the_engine_fails_on_goes_back_to_where_its_numbers_are(logic, planned, monkeypatch, capfd):
    def fail(*_arguments):
        raise IndexError("out of bounds")

    line = logic.node(planned, "needle.L1.left")
    before = line_ends(line)
    monkeypatch.setattr(logic.engine, "reevaluate", fail)
    line.SetNthControlPointPositionWorld(1, *(np.array(line.GetNthControlPointPositionWorld(1)) + (3.0, 0.0, 0.0)))
    np.testing.assert_allclose(line_ends(line), before, atol=1e-6)
    assert "out of bounds" in capfd.readouterr().err  # told, not hidden


def test_a_scene_closed_while_the_anatomy_is_built_ends_the_work(logic, inputs, scene, monkeypatch):
    node = new_parameter_node(scene)
    logic.setInputs(node, *inputs)
    build = logic.engine.buildSpine

    def closing(*arguments):
        scene.RemoveNode(node)
        return build(*arguments)

    monkeypatch.setattr(logic.engine, "buildSpine", closing)
    with pytest.raises(PlanningCancelled):
        logic.measure(node)


@pytest.mark.parametrize("step", ["planLevels", "augment"])
def test_a_scene_closed_while_a_level_is_planned_ends_the_work(logic, planned, scene, monkeypatch, step):
    work = getattr(logic.engine, step)

    def closing(*arguments):
        scene.RemoveNode(planned)
        return work(*arguments)

    monkeypatch.setattr(logic.engine, step, closing)
    with pytest.raises(PlanningCancelled):
        logic.planLevel(planned, "L1") if step == "planLevels" else logic.planAugmentation(planned, "L1")


def test_a_plan_of_another_logic_is_followed_when_that_one_is_gone(logic, planned, inputs, scene, built):
    node = new_parameter_node(scene)
    logic.setInputs(node, *inputs)
    assert logic.currentPlan(node) is None
    console = type(logic)(scene, logic.engine)
    console.buildScene(built[2], parameterNode=node)
    assert logic.currentPlan(node) is not None
    console.cleanup()
    line = logic.node(node, "needle.L1.left")
    before = logic.needle(node, "L1", "left").target_ras
    line.SetNthControlPointPositionWorld(1, *np.add(before, (0.0, 0.0, 0.5)))
    assert logic.needle(node, "L1", "left").target_ras == pytest.approx(np.add(before, (0.0, 0.0, 0.5)), abs=1e-3)


class TestChoicesOfAnEdit:
    """A choice in the panel takes effect at the next planning; until then an edit goes on with those of its level."""

    def options(self, logic, monkeypatch, node, edit):
        """What the engine is given during an edit."""
        given = []
        for name in ("reevaluate", "augment"):
            work = getattr(logic.engine, name)

            def spy(*arguments, work=work):
                given.extend(item for item in arguments if isinstance(item, PlanOptions))
                return work(*arguments)

            monkeypatch.setattr(logic.engine, name, spy)
        edit()
        monkeypatch.undo()
        assert len(given) > 0 and all(item == given[0] for item in given)
        return given[0]

    def nudge(self, logic, node, level="L1", role="needle", part="left"):
        line = logic.node(node, f"{role}.{level}.{part}")
        line.SetNthControlPointPositionWorld(1, *np.add(line.GetNthControlPointPositionWorld(1), (0.0, 0.0, 0.2)))

    def test_they_are_those_the_level_was_planned_with(self, logic, planned, monkeypatch):
        planned.SetParameter("procedure", "vertebroplasty")
        writeMargins(planned, Margins(canal_mm=3.0))
        for edit in (
            lambda: self.nudge(logic, planned),
            lambda: self.nudge(logic, planned, role="height", part="anterior"),
            lambda: logic.inflate(planned, "L1", "left", 1.0),
        ):
            used = self.options(logic, monkeypatch, planned, edit)
            assert used.procedure == "kyphoplasty" and used.margins == Margins()

    def test_each_level_has_its_own(self, logic, planned, monkeypatch):
        logic.planLevel(planned, "L2", margins=Margins(canal_mm=3.0), target_fill=0.2)
        assert self.options(logic, monkeypatch, planned, lambda: self.nudge(logic, planned)).margins == Margins()
        used = self.options(logic, monkeypatch, planned, lambda: self.nudge(logic, planned, "L2"))
        assert used.margins.canal_mm == 3.0 and used.target_fill == 0.2

    def test_a_filling_of_one_level_stays_and_brings_no_margins(self, logic, planned, monkeypatch):
        writeMargins(planned, Margins(canal_mm=3.0))
        logic.planAugmentation(planned, "L1", targetFill=0.15)
        used = self.options(logic, monkeypatch, planned, lambda: self.nudge(logic, planned))
        assert used.target_fill == 0.15 and used.margins == Margins()

    def test_a_plan_that_is_drawn_brings_those_it_records(self, logic, planned, monkeypatch):
        made_with = PlanOptions(procedure="vertebroplasty", balloon="of another catalogue")
        logic.buildScene(replace(logic.currentPlan(planned), options=to_plain(made_with)), parameterNode=planned)
        used = self.options(logic, monkeypatch, planned, lambda: self.nudge(logic, planned))
        assert used.procedure == "vertebroplasty" and used.balloon == "auto"

    def test_another_run_of_another_level_leaves_a_loaded_one_as_it_was_planned(
        self, logic, planned, monkeypatch, tmp_path
    ):
        logic.savePlan(planned, tmp_path / "plan.json")
        logic.loadPlan(planned, tmp_path / "plan.json")
        logic.planLevel(planned, "L2", procedure="vertebroplasty", margins=Margins(canal_mm=3.0))
        used = self.options(logic, monkeypatch, planned, lambda: self.nudge(logic, planned))
        assert used.procedure == "kyphoplasty" and used.margins == Margins()

    @pytest.mark.parametrize("text", ["{bad", '{"L1": 3}'])
    def test_planning_again_mends_what_cannot_be_read(self, logic, planned, monkeypatch, text):
        planned.SetParameter(roles.LEVEL_OPTIONS, text)
        with pytest.raises(InputError, match="plan them again"):
            logic.inflate(planned, "L1", "left", 1.0)
        logic.planLevel(planned, "L1")
        assert self.options(logic, monkeypatch, planned, lambda: self.nudge(logic, planned)).procedure == "kyphoplasty"


def test_a_plan_that_was_never_hidden_for_another_is_seen_as_the_user_left_it(logic, planned):
    planned.SetAttribute("ModuleName", MODULE_NAME)
    display = logic.node(planned, "balloon.L1.left").GetDisplayNode()
    display.SetVisibility(False)
    assert logic.choosePlan(planned) and not display.GetVisibility()
    second = logic.newPlan(planned)
    assert logic.choosePlan(second) and logic.choosePlan(planned)
    assert display.GetVisibility()


def test_a_needle_of_another_level_that_is_moved_while_one_is_planned_stays_where_it_was_brought(logic, planned):
    """Events are handled meanwhile; it went back without a word."""
    line, moved = logic.node(planned, "needle.L2.left"), []

    def user(fraction, text):
        if not moved:
            before = line.GetNthControlPointPositionWorld(1)
            line.SetNthControlPointPositionWorld(1, before[0] + 0.4, before[1], before[2])
            moved.append((before, logic.currentPlan(planned).level("L2")))

    logic.planLevels(planned, ("L1",), user)
    ((before, level),) = moved
    assert line.GetNthControlPointPositionWorld(1)[0] == pytest.approx(before[0] + 0.4, abs=1e-3)
    assert logic.currentPlan(planned).level("L2") == level and level.trajectory("left").judged


def test_a_parameter_node_that_is_deleted_takes_its_drawings_along(logic, planned, scene, inputs):
    second = logic.newPlan(planned)
    before = {scene.GetNthNode(n).GetID() for n in range(scene.GetNumberOfNodes())}
    logic.measure(second)
    logic.planLevels(second, ("L1",))
    (tag,) = logic._session(second).editor._scene_tags
    assert scene.GetCommand(tag) is not None
    scene.RemoveNode(second)
    assert scene.GetCommand(tag) is None
    left = {scene.GetNthNode(n).GetID() for n in range(scene.GetNumberOfNodes())}
    assert left == before - {second.GetID()}
    assert logic.node(planned, "needle.L1.left") is not None and all(scene.IsNodePresent(node) for node in inputs)
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    assert not hierarchy.GetItemByName("Vertebral augmentation plan 2")
