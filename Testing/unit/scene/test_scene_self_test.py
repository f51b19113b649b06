"""The module's own test, run here: it passes on the truth and fails on anything else."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import slicer
from VertebralAugmentationPlannerLib.anatomy import build_spine
from VertebralAugmentationPlannerLib.model import InputError
from VertebralAugmentationPlannerLib.sample import SAMPLES
from VertebralAugmentationPlannerLib.scene import demo, self_test
from VertebralAugmentationPlannerLib.scene.bundle import new_parameter_node
from VertebralAugmentationPlannerLib.scene.engine import Engine
from VertebralAugmentationPlannerLib.scene.logic import PlannerLogic
from VertebralAugmentationPlannerLib.scene.sample_data import NAMES, sampleDataSources, sampleFolder


class ModuleLogic(PlannerLogic):
    """As in the module file, where ScriptedLoadableModuleLogic finds or makes the node."""

    def getParameterNode(self):
        node = self.scene.GetFirstNodeByClass("vtkMRMLScriptedModuleNode")
        return new_parameter_node(self.scene) if node is None else node


SPINES = {}
"""The anatomy of the sample, built once for these tests: the scene gives it back as it was, wherever its grid begins."""


def built_once(self, case, *hooks):
    middles = [
        case.labels.to_ras(np.argwhere(case.labels.voxels == value).mean(axis=0))
        for value in case.level_values.values()
    ]
    key = (*case.level_values, *np.round(middles, 1).ravel())
    if key not in SPINES:
        SPINES[key] = build_spine(case, None, *hooks)
    return SPINES[key]


@pytest.fixture
def module_logic(scene, monkeypatch):
    monkeypatch.setattr(slicer, "mrmlScene", scene, raising=False)
    monkeypatch.setattr(Engine, "buildSpine", built_once)
    logic = ModuleLogic(scene)
    yield logic
    logic.cleanup()


def test_the_sample_case_agrees_with_its_truth(module_logic):
    assert self_test.checkSampleCase(module_logic, "t12-wedge", "T12") == []


def test_a_planned_scene_comes_back(module_logic, tmp_path):
    assert self_test.checkSceneRoundTrip(module_logic, str(tmp_path), "t12-wedge", "T12") == []


def test_a_wrong_height_and_an_unsafe_needle_are_found(built):
    plan = built[2]
    level = plan.level("L1")
    truth = {
        "anterior_height_mm": level.measurements.anterior_height_mm + 1.5,
        "middle_height_mm": level.measurements.middle_height_mm,
        "posterior_height_mm": level.measurements.posterior_height_mm,
        "wedge_angle_deg": level.measurements.wedge_angle_deg,
        "segmental_kyphosis_deg": level.measurements.segmental_kyphosis_deg,
        "body_volume_ml": level.measurements.body_volume_ml,
        "genant_grade": level.measurements.genant_grade,
        "fracture_shape": "crush",
    }
    problems = self_test._against_truth(level, truth)
    assert [problem.split(" is ")[0] for problem in problems] == ["L1 anterior_height_mm", "L1 fracture_shape"]


def test_a_needle_in_the_canal_is_found(module_logic, built):
    node = module_logic.buildScene(built[2])
    level = built[2].level("L1")
    needle = level.trajectory("left")
    bad = dataclasses.replace(needle, clearance_mm=dataclasses.replace(needle.clearance_mm, canal=-0.2))
    problems = self_test._of_needles(module_logic, node, dataclasses.replace(level, trajectories=(bad,)))
    assert problems == ["the left needle of L1 is not safe (canal -0.2 mm, safe)"]


def test_the_sample_data_ship_with_the_module():
    for name in ("t12-wedge", "l1-biconcave-l3-wedge", "l2-crush"):
        assert sampleFolder(name) is not None


def test_a_demo_case_whose_files_are_missing_is_told_in_words(scene, monkeypatch):
    monkeypatch.setattr(slicer, "mrmlScene", scene, raising=False)
    monkeypatch.setattr(demo, "sampleFolder", lambda name: None)
    before = scene.GetNumberOfNodes()
    with pytest.raises(InputError, match="files of the demo case “l2-crush” are missing"):
        demo.loadDemoCase("l2-crush")
    assert scene.GetNumberOfNodes() == before


def test_each_sample_is_registered_with_files_that_are_there():
    sources = sampleDataSources("icons", "https://example.org")
    assert [source["sampleName"] for source in sources] == ["t12-wedge", "l1-biconcave-l3-wedge", "l2-crush"]
    for source in sources:
        lengths = {len(source[name]) for name in ("uris", "fileNames", "nodeNames", "loadFileTypes")}
        assert lengths == {2}  # SampleDataSource refuses anything else
        assert all(uri.startswith("file://") for uri in source["uris"])
        assert callable(source["customDownloader"])


def test_the_sample_data_are_the_samples():
    assert list(NAMES) == list(SAMPLES)


def test_the_start_of_slicer_waits_for_no_heavy_library():
    """What the module file and the registration of the sample data import, in an interpreter of their own."""
    code = (
        "import sys\n"
        "import VertebralAugmentationPlannerLib.scene.logic, VertebralAugmentationPlannerLib.scene.sample_data\n"
        "heavy = ('SimpleITK', 'pydicom', 'requests', 'scipy.optimize', 'scipy.spatial')\n"
        "print([name for name in heavy if name in sys.modules])\n"
    )
    folder = Path(self_test.__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
