"""The simulated C-arm of the panel: what it needs, where the tip is, and that a cancelled set-up changes nothing."""

import re
from dataclasses import replace

import numpy as np
import pytest
from VertebralAugmentationPlannerLib.imaging import medial_border_depth, true_ap
from VertebralAugmentationPlannerLib.model import InputError, PlanningCancelled
from VertebralAugmentationPlannerLib.scene.background import in_background
from VertebralAugmentationPlannerLib.scene.fluoroscopy import FluoroscopyView, length, pose_of, preset, tip_words

AP_VIEW = FluoroscopyView(0.0, 0.0)


@pytest.fixture(scope="module")
def vertebra(built):
    return built[1].vertebrae["L2"]


@pytest.fixture(scope="module")
def needles(built):
    return {needle.side: needle for needle in built[2].level("L2").trajectories}


@pytest.fixture
def simulated(logic, planned):
    logic.setUpFluoroscopy(planned, "L2")
    return planned


def through_the_pedicle(vertebra, needle, past_the_wall_mm):
    """A needle through the middle of the isthmus that reaches the medial border so far in front of the posterior wall,
    and goes on for as long again."""
    pedicle = vertebra.pedicles[needle.side]
    centre = np.asarray(pedicle.centre)
    medial = pedicle.outline[np.argmin(np.abs(pedicle.outline[:, 0])), 0]
    column, _, row = np.rint(vertebra.grid.to_index([medial, 0.0, centre[2]])).astype(int)
    wall = vertebra.posterior_wall_mm[column, row]  # it curves: beside the midline it lies farther back
    border = np.array([medial, wall + past_the_wall_mm, centre[2]])
    entry, target = (tuple(vertebra.frame.to_ras(point)) for point in (2 * centre - border, 2 * border - centre))
    return replace(needle, entry_ras=entry, target_ras=target)


class TestWhatItNeeds:
    def test_without_a_ct_it_says_so(self, logic, planned, inputs):
        logic.setInputs(planned, None, inputs[1])
        reason = "Fluoroscopy is simulated from the CT; choose one in section 1."
        assert logic.canSimulate(planned, "L2") == (False, reason)
        with pytest.raises(InputError, match="simulated from the CT"):
            logic.setUpFluoroscopy(planned, "L2")

    def test_it_needs_measured_levels(self, logic, scene, inputs):
        node = scene.AddNewNodeByClass("vtkMRMLScriptedModuleNode", "planner")
        assert logic.canSimulate(node, "L2")[0] is False
        logic.setInputs(node, *inputs)
        assert logic.canSimulate(node, "L2") == (False, "Measure the levels first.")

    def test_before_it_is_set_up_there_is_no_picture(self, logic, planned):
        assert logic.canSimulate(planned, "L2") == (True, "")
        assert not logic.fluoroscopyReady(planned, "L2")
        with pytest.raises(InputError, match="press “Simulate L2” first"):
            logic.fluoroscopy(planned, "L2", AP_VIEW)

    def test_it_belongs_to_one_level_and_its_images(self, logic, simulated, inputs):
        assert logic.fluoroscopyReady(simulated, "L2")
        assert not logic.fluoroscopyReady(simulated, "L1")
        logic.setInputs(simulated, None, inputs[1])
        assert not logic.fluoroscopyReady(simulated, "L2")

    def test_a_cancelled_set_up_leaves_the_scene_and_the_one_before(self, logic, simulated, scene):
        plan, nodes = logic.currentPlan(simulated), scene.GetNumberOfNodes()
        with pytest.raises(PlanningCancelled):
            logic.setUpFluoroscopy(simulated, "L1", None, lambda: True)
        assert logic.fluoroscopyReady(simulated, "L2") and not logic.fluoroscopyReady(simulated, "L1")
        assert logic.currentPlan(simulated) is plan and scene.GetNumberOfNodes() == nodes

    def test_closing_the_scene_lets_go_of_the_ct(self, logic, simulated, scene):
        scene.Clear()
        assert logic._fluoroscope is None


class TestThePicture:
    def test_prone_the_patients_left_is_on_the_left(self, logic, simulated):
        found = logic.fluoroscopy(simulated, "L2", FluoroscopyView(*logic.fluoroscopyPreset(simulated, "L2", "ap")))
        assert (found.left, found.right) == ("L", "R")
        assert found.pixels.shape[2] == 3 and found.pixels.dtype == np.uint8

    def test_the_lateral_is_seen_from_the_left(self, logic, simulated):
        angles = logic.fluoroscopyPreset(simulated, "L2", "lateral")
        found = logic.fluoroscopy(simulated, "L2", FluoroscopyView(*angles))
        assert (found.left, found.right) == ("A", "P")
        assert abs(angles[0]) == pytest.approx(90, abs=5)
        assert "patient’s left" in found.prone

    def test_end_on_the_needles_axis_is_the_central_ray(self, logic, simulated, vertebra, needles):
        for side in ("left", "right"):
            angles = logic.fluoroscopyPreset(simulated, "L2", side)
            pose = pose_of(FluoroscopyView(*angles, aim=side), vertebra, needles)
            points = pose.project(np.array([needles[side].entry_ras, needles[side].target_ras]))
            assert points == pytest.approx(np.full((2, 2), (pose.size_px - 1) / 2), abs=0.01)

    def test_the_depth_and_the_sides_are_seen(self, logic, simulated):
        def pixels(**changes):
            return logic.fluoroscopy(simulated, "L2", FluoroscopyView(0.0, 0.0, **changes)).pixels

        assert np.array_equal(pixels(depth_mm=10.0), pixels(depth_mm=10.0))
        assert not np.array_equal(pixels(depth_mm=10.0), pixels(depth_mm=20.0))
        assert not np.array_equal(pixels(sides=("left",)), pixels(sides=("right",)))
        assert not np.array_equal(pixels(sid_mm=1300.0), pixels(sid_mm=1000.0))

    def test_a_side_without_needle_has_no_end_on_view(self, logic, planned):
        with pytest.raises(InputError, match="no middle needle"):
            logic.fluoroscopyPreset(planned, "L2", "middle")

    def test_a_direction_that_no_c_arm_reaches_is_refused_in_words(self, vertebra, needles):
        entry = np.asarray(needles["left"].entry_ras)
        steep = replace(needles["left"], target_ras=tuple(entry + [0.0, 10.0, -40.0]))
        with pytest.raises(InputError, match="No C-arm turns to"):
            preset("left", vertebra, {"left": steep})


class TestTheTip:
    def test_a_needle_is_never_drawn_beyond_its_target(self, vertebra, needles):
        beyond = tip_words(vertebra, needles["left"], replace(AP_VIEW, depth_mm=500.0))
        assert f"{length(needles['left']):.1f} mm deep, 100 % of the way: at the target" in beyond

    def test_outside_the_bone_the_way_to_the_entry_is_told(self, vertebra, needles):
        text = tip_words(vertebra, needles["right"], replace(AP_VIEW, depth_mm=-12.0))
        assert text == "Right tip 12 mm before the entry into bone."

    def test_half_way_is_fifty_percent(self, vertebra, needles):
        half = length(needles["left"]) / 2
        assert " 50 % of the way" in tip_words(vertebra, needles["left"], replace(AP_VIEW, depth_mm=half))

    def test_a_good_needle_has_passed_the_posterior_wall_at_the_medial_border(self, vertebra, needles):
        needle = through_the_pedicle(vertebra, needles["left"], 4.0)
        depth = medial_border_depth(vertebra, needle, true_ap(vertebra))
        assert depth is not None
        text = tip_words(vertebra, needle, replace(AP_VIEW, depth_mm=depth))
        told = re.fullmatch(
            r"Left tip .*: at the medial border of the pedicle, past the posterior wall \((\d+) mm\).", text
        )
        assert told is not None and float(told[1]) == pytest.approx(4.0, abs=2.0)  # the beam is no parallel one

    def test_a_needle_into_the_canal_is_marked(self, vertebra, needles):
        needle = through_the_pedicle(vertebra, needles["left"], -4.0)
        depth = medial_border_depth(vertebra, needle, true_ap(vertebra))
        assert depth is not None
        text = tip_words(vertebra, needle, replace(AP_VIEW, depth_mm=depth))
        assert text.startswith("✖") and "canal" in text and "behind the posterior wall" in text

    def test_the_depths_run_from_the_skin_to_the_target(self, logic, simulated, needles):
        found = logic.fluoroscopyDepths(simulated, "L2")
        assert set(found) == {"left", "right"}
        for side, depths in found.items():
            assert depths.target == pytest.approx(length(needles[side]))
            skin = needles[side].skin_to_target_mm
            assert depths.skin == pytest.approx(depths.target - skin) if skin is not None else depths.skin is None


class TestInTheBackground:
    def test_the_result_comes_back(self):
        assert in_background(lambda cancelled: 7) == 7

    def test_no_garbage_is_collected_meanwhile(self):
        """A window that Slicer has let go of must not end in a worker."""
        import gc

        assert in_background(lambda cancelled: gc.isenabled()) is False
        assert gc.isenabled()

    def test_an_error_comes_back(self):
        def broken(cancelled):
            raise InputError("the CT is empty")

        with pytest.raises(InputError, match="the CT is empty"):
            in_background(broken)

    def test_a_cancelled_task_learns_of_it(self):
        import threading

        stopped = threading.Event()

        def long(cancelled):
            while not cancelled():
                stopped.wait(0.01)
            stopped.set()

        asked = iter([False, False, True])
        with pytest.raises(PlanningCancelled):
            in_background(long, None, lambda: next(asked))
        assert stopped.wait(5.0)
