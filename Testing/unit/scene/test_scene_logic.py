"""What a button may do now, and why not; what the options are; what the console example says."""

from types import SimpleNamespace

import numpy as np
import pytest
import slicer
from nodes import add_segmentation, add_volume
from VertebralAugmentationPlannerLib import check, check_plan, plan_case, planner
from VertebralAugmentationPlannerLib.model import Image, InputError, PlanningCancelled, PlanOptions
from VertebralAugmentationPlannerLib.scene import pictures
from VertebralAugmentationPlannerLib.scene.choices import options_of


class Wrapper:
    """What ``parameterNodeWrapper`` makes: the node behind ``parameterNode``."""

    def __init__(self, node):
        self.parameterNode = node


def test_each_step_says_what_is_missing(logic, empty, inputs, scene):
    assert logic.canMeasure(empty) == (False, "Choose the vertebra segmentation or label map.")
    assert logic.canPlan(empty, "L1") == (False, "Choose the vertebra segmentation or label map.")
    assert logic.canSave(empty) == (False, "Measure the levels first.")
    logic.setInputs(empty, *inputs)
    assert logic.canMeasure(empty) == (True, "")
    assert logic.canPlan(empty, "L1") == (False, "Measure the levels first.")
    logic.measure(empty)
    assert logic.canPlan(empty, "") == (False, "Choose a level.")
    assert logic.canPlan(empty, "L4") == (False, "L4 was not measured; measure again.")
    assert logic.canPlan(empty, "L1") == (True, "")
    assert logic.canInflate(empty, "L1") == (False, "L1 has no needle yet; plan the access first.")
    logic.planLevel(empty, "L1")
    assert logic.canInflate(empty, "L1") == (True, "")
    empty.SetParameter("procedure", "vertebroplasty")
    assert logic.canInflate(empty, "L1") == (False, "Balloons belong to kyphoplasty; choose that procedure.")
    assert logic.canSave(empty) == (True, "")


def test_the_ct_is_optional(logic, empty, inputs):
    logic.setInputs(empty, None, inputs[1])
    assert logic.canMeasure(empty) == (True, "")


def test_a_segmentation_without_vertebrae_is_told(logic, empty, inputs, phantom, scene):
    logic.setInputs(empty, inputs[0], add_segmentation(scene, phantom[1], {20: "liver"}))
    assert logic.canMeasure(empty) == (False, "No segment is a vertebra T1–L6; name the levels in the table.")


def test_the_wrapper_will_do_wherever_the_node_will(logic, empty, inputs):
    wrapper = Wrapper(empty)
    logic.setInputs(wrapper, *inputs)
    logic.measure(wrapper)
    assert logic.currentPlan(empty) is logic.currentPlan(wrapper)
    assert logic.levels(wrapper) == ["T12", "L1", "L2"]


def test_measuring_sees_the_wedge(logic, planned, phantom):
    """Heights of the phantom's truth through MRML: nothing shifts, mirrors or scales on the way."""
    truth = phantom[2]["levels"]["L1"]
    measured = logic.currentPlan(planned).level("L1").measurements
    assert measured.anterior_height_mm == pytest.approx(truth["anterior_height_mm"], abs=1.0)
    assert measured.posterior_height_mm == pytest.approx(truth["posterior_height_mm"], abs=0.7)
    assert measured.wedge_angle_deg == pytest.approx(truth["wedge_angle_deg"], abs=1.5)
    assert measured.fracture_shape == "wedge"
    truth_centre = np.array(truth["pedicles"]["left"]["centre_ras"])
    assert logic.currentPlan(planned).level("L1").pedicles.left.centre_ras == pytest.approx(truth_centre, abs=2.5)


def test_the_anatomy_is_built_once_for_all_steps(logic, planned):
    assert logic.engine.spines_built == 1
    logic.planLevel(planned, "L2")
    logic.measure(planned)
    assert logic.engine.spines_built == 1


def test_the_anatomy_is_built_again_when_the_labels_change(logic, planned, inputs):
    segment = inputs[1].GetSegmentation().GetNthSegment(0)
    segment.GetRepresentation("Binary labelmap").Modified()
    assert not logic.isReady(planned)
    logic.prepare(planned)
    assert logic.isReady(planned)
    assert logic.engine.spines_built == 2


def test_options_come_from_the_parameter_node_unless_given(logic, planned):
    planned.SetParameter("approach", "bilateral")
    planned.SetParameter("targetFill", "0.2")
    logic.planLevel(planned, "L1", cannula="13G")
    used = logic.engine.last_options
    assert (used.approach, used.target_fill, used.cannula, used.levels) == ("bilateral", 0.2, "13G", ("L1",))


def test_an_unknown_option_is_told(planned):
    with pytest.raises(InputError, match="no option “needle”"):
        options_of(planned, needle="thin")


def test_margins_of_the_user_are_in_force(planned):
    from VertebralAugmentationPlannerLib.model import Margins
    from VertebralAugmentationPlannerLib.scene.numbers import writeMargins

    writeMargins(planned, Margins(canal_mm=2.0))
    assert options_of(planned).margins.canal_mm == 2.0


def test_a_cancelled_step_leaves_plan_and_scene(logic, planned):
    before = logic.currentPlan(planned)
    with pytest.raises(PlanningCancelled):
        logic.planLevel(planned, "L1", shouldCancel=lambda: True)
    assert logic.currentPlan(planned) is before


def test_progress_is_told(logic, planned):
    told = []
    logic.planLevels(planned, ("L1", "L2"), progress=lambda share, text: told.append((share, text)))
    assert [text for _share, text in told] == ["access of L1", "access of L2"]


def test_inflating_grows_the_balloon_and_the_cement_follows(logic, planned):
    low, high = logic.inflationRange(planned, "L1", "left")
    assert (low, high) == (0.0, 4.0)
    small = logic.inflate(planned, "L1", "left", 2.0)
    assert small.planned_volume_ml == 2.0
    assert logic.node(planned, "balloon.L1.left").GetName() == "L1 left balloon 2.0 ml"
    assert logic.needle(planned, "L1", "right").balloon.planned_volume_ml == 4.0
    assert logic.needle(planned, "L1", "left").cement_ml == 2.5
    assert logic.inflationRange(planned, "T12", "left") == (0.0, 0.0)


def test_every_step_is_told_to_listeners(logic, empty, inputs):
    heard = []

    def listener(node, change):
        heard.append((node is empty, change.kind))

    logic.addListener(listener)
    logic.addListener(listener)
    logic.setInputs(empty, *inputs)
    logic.measure(empty)
    logic.planLevel(empty, "L1")
    logic.inflate(empty, "L1", "left", 1.0)
    logic.clearPlan(empty)
    assert heard == [(True, kind) for kind in ("inputs", "plan", "plan", "balloon", "plan")]
    logic.removeListener(listener)
    logic.removeListener(listener)
    logic.measure(empty)
    assert len(heard) == 5


def test_a_level_that_is_not_there_is_told(logic, planned):
    with pytest.raises(InputError, match="T9 is not in the plan"):
        logic.showLevel(planned, "T9")


def test_console_planning_takes_nodes_and_makes_no_node(logic, inputs, scene, built):
    seen = {}

    def plan_case(case, options, progress, should_cancel):
        seen.update(case=case, options=options)
        return built[2]

    logic.engine.planCase = plan_case
    count = scene.GetNumberOfNodes()
    plan = logic.plan(*inputs, levels=["L1"], procedure="vertebroplasty")
    assert plan is built[2]
    assert scene.GetNumberOfNodes() == count
    assert seen["options"].levels == ("L1",)
    assert seen["options"].procedure == "vertebroplasty"
    assert list(seen["case"].level_values) == ["T12", "L1", "L2"]


def test_plan_case_takes_nodes(inputs, phantom):
    """The contract's call, with the nodes of a scene instead of their images: the same plan."""
    options = PlanOptions(levels="L1", procedure="vertebroplasty", approach="unilateral-left", labels="verse")
    found = plan_case(*inputs, options)
    expected = plan_case(phantom[0], phantom[1], options)
    assert found.level("L1").measurements.genant_grade == expected.level("L1").measurements.genant_grade > 0
    needle, wanted = found.level("L1").trajectories[0], expected.level("L1").trajectories[0]
    assert np.allclose(needle.entry_ras + needle.target_ras, wanted.entry_ras + wanted.target_ras, atol=0.1)


def test_plan_case_takes_a_ct_node_beside_other_labels(inputs, phantom, monkeypatch):
    seen = []
    monkeypatch.setattr(planner, "plan_case", lambda *arguments: seen.append(arguments))
    plan_case(inputs[0], phantom[1], None, canal=None)
    ct, labels = seen[0][:2]
    assert isinstance(ct, Image) and ct.voxels.shape == phantom[0].voxels.shape and labels is phantom[1]


def test_an_edited_plan_is_checked_on_nodes(inputs, built, monkeypatch):
    seen = []
    monkeypatch.setattr(check, "check_on_case", lambda plan, case, *rest: seen.append((plan, case)) or plan)
    assert check_plan(built[2], *inputs) is built[2]
    assert set(seen[0][1].level_values) == {"T12", "L1", "L2"}


def test_plan_case_refuses_a_node_that_holds_no_vertebrae(inputs):
    with pytest.raises(InputError, match="neither a segmentation nor a label map"):
        plan_case(None, inputs[0])


def test_console_planning_takes_files_too(logic, built):
    seen = []
    logic.engine.planFiles = lambda *arguments: seen.append(arguments[:2]) or built[2]
    logic.plan("ct.nii.gz", "labels.nii.gz", levels="all")
    assert seen == [("ct.nii.gz", "labels.nii.gz")]


def test_a_label_map_plans_like_a_segmentation(logic, empty, phantom, scene, planned):
    labels = add_volume(scene, phantom[1], "labels", "vtkMRMLLabelMapVolumeNode")
    logic.setInputs(empty, logic.node(planned, "ct"), labels)
    plan = logic.measure(empty)
    for level in ("T12", "L1", "L2"):
        assert plan.level(level).measurements == logic.currentPlan(planned).level(level).measurements


def test_screenshots_need_the_application(logic, planned, tmp_path, monkeypatch):
    monkeypatch.setattr(slicer, "app", None, raising=False)  # tests of the module in the same process have made one
    with pytest.raises(InputError, match="no views"):
        logic.screenshots(tmp_path)


def test_screenshots_replace_no_picture(logic, planned, tmp_path, monkeypatch):
    def view(node):
        return SimpleNamespace(**{name: lambda: node for name in ("mrmlSliceNode", "mrmlViewNode")})

    shown = SimpleNamespace(IsMappedInLayout=lambda: True)
    manager = SimpleNamespace(
        sliceViewNames=lambda: ("Red", "Green"),
        sliceWidget=lambda name: SimpleNamespace(sliceView=lambda: view(shown)),
        threeDViewCount=1,
        threeDWidget=lambda number: SimpleNamespace(threeDView=lambda: view(shown)),
    )
    monkeypatch.setattr(pictures, "_layout_manager", lambda: manager)
    monkeypatch.setattr(pictures, "_shoot", lambda view, path: path.touch() or path)
    (tmp_path / "plan-L1-Green.png").touch()  # of an earlier layout
    for start in ("plan-L1-2", "plan-L1-3"):
        written = logic.screenshots(tmp_path, "plan-L1")
        assert [path.name for path in written] == [f"{start}-{name}.png" for name in ("Red", "Green", "3D1")]


def test_the_report_is_written(logic, planned, tmp_path):
    path = logic.exportReport(planned, tmp_path / "report.html")
    assert "L1" in path.read_text(encoding="utf-8")


def test_a_cancelled_report_writes_no_file(logic, planned, tmp_path):
    told = []

    def cancel_once_something_is_drawn():
        return len(told) > 2

    with pytest.raises(PlanningCancelled):
        logic.exportReport(
            planned, tmp_path / "report.html", lambda *news: told.append(news), cancel_once_something_is_drawn
        )
    assert list(tmp_path.iterdir()) == []
    shares = [share for share, _text in told]
    assert shares == sorted(shares) and shares[0] >= 0.0 and shares[-1] < 1.0
    assert "drawing L1" in told[-1][1]
