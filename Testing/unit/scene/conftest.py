"""A scene, a phantom of three vertebrae as nodes, and a logic that plans on them."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

slicer = pytest.importorskip("slicer", reason="the scene needs slicer-core (pip install slicer-core)")
if not hasattr(slicer, "vtkMRMLScene"):
    pytest.skip("the scene needs slicer-core (pip install slicer-core)", allow_module_level=True)

sys.path.insert(0, str(Path(__file__).parent))

from nodes import add_segmentation, add_volume  # noqa: E402
from stand_in import StandInEngine  # noqa: E402
from VertebralAugmentationPlannerLib.sample import healthy_spine, make_case  # noqa: E402
from VertebralAugmentationPlannerLib.scene.headless import new_scene  # noqa: E402
from VertebralAugmentationPlannerLib.scene.logic import PlannerLogic  # noqa: E402
from VertebralAugmentationPlannerLib.scene.views import slice_node  # noqa: E402


@pytest.fixture(scope="session")
def phantom():
    """CT, labels (VerSe numbers) and truth of T12–L2, L1 broken to a wedge of 40 %."""
    spine = healthy_spine(("T12", "L1", "L2"), anchor="L1", seed=3)
    spine = spine.changed("L1", spine.shape("L1").broken(wedge=0.40))
    return make_case(spine, spacing=(1.2, 1.2, 1.5), numbering="verse", margin_mm=16.0)


@pytest.fixture(scope="session")
def built(phantom):
    """The phantom's case, spine and measured plan, built once for tests that only draw."""
    from VertebralAugmentationPlannerLib.case import load_case
    from VertebralAugmentationPlannerLib.case.numbering import VERSE
    from VertebralAugmentationPlannerLib.model import PlanOptions

    engine = StandInEngine()
    case = load_case(phantom[0], phantom[1], PlanOptions(), numbering=VERSE)
    spine = engine.buildSpine(case, None, None)
    plan = engine.measuredPlan(case, spine, PlanOptions())
    plan = engine.planLevels(plan, case, spine, PlanOptions(levels=("L1", "L2")), None, None)
    return case, spine, plan


@pytest.fixture
def scene():
    return new_scene()


@pytest.fixture
def inputs(scene, phantom):
    """CT node and segmentation node of the phantom."""
    ct, labels, _truth = phantom
    return add_volume(scene, ct, "CT"), add_segmentation(scene, labels, {19: "T12", 20: "L1", 21: "L2"})


@pytest.fixture
def logic(scene, built):
    """A logic on the scene; the spine of the phantom is not built again for each test, nor where it was only shifted."""
    engine = StandInEngine()
    build = engine.buildSpine

    def once(case, progress, shouldCancel):
        if case.level_values == built[0].level_values:
            shift = _spots(case) - _spots(built[0])
            if np.allclose(shift, shift[0], atol=0.01):
                engine.spines_built += 1
                return built[1] if np.allclose(shift, 0.0, atol=0.01) else _shifted(built[1], shift[0])
        return build(case, progress, shouldCancel)

    engine.buildSpine = once
    logic = PlannerLogic(scene, engine)
    yield logic
    logic.cleanup()


def _spots(case):
    """(N, 3) where each level lies: equal for the same labels on another crop."""
    return np.array(
        [
            case.labels.to_ras(np.argwhere(case.labels.voxels == value).mean(axis=0))
            for value in case.level_values.values()
        ]
    )


def _shifted(spine, shift):
    """A spine somewhere else: everything of a vertebra lies in its own frame."""
    moved = {
        name: replace(one, frame=replace(one.frame, origin_ras=one.frame.origin_ras + shift)) if one.complete else one
        for name, one in spine.vertebrae.items()
    }
    return replace(spine, vertebrae=moved)


@pytest.fixture
def planned(logic, scene, inputs):
    """A parameter node with L1 and L2 planned on both sides."""
    parameter_node = scene.AddNewNodeByClass("vtkMRMLScriptedModuleNode", "planner")
    logic.setInputs(parameter_node, *inputs)
    logic.measure(parameter_node)
    logic.planLevels(parameter_node, ("L1", "L2"))
    return parameter_node


@pytest.fixture
def empty(scene):
    return scene.AddNewNodeByClass("vtkMRMLScriptedModuleNode", "planner")


@pytest.fixture
def heard(logic):
    changes = []
    logic.addListener(lambda node, change: changes.append(change))
    return changes


@pytest.fixture
def views(scene):
    """Three slice views and a layout, as the application has them."""
    for name, orientation in (("Red", "Axial"), ("Yellow", "Sagittal"), ("Green", "Coronal")):
        node = scene.AddNewNodeByClass("vtkMRMLSliceNode", name)
        node.SetLayoutName(name)
        getattr(node, f"SetOrientationTo{orientation}")()
        node.SetDimensions(400, 300, 1)
        node.SetFieldOfView(250.0, 187.5, 1.0)
        node.SetSliceOffset(12.0)
    scene.AddNewNodeByClass("vtkMRMLLayoutNode").SetViewArrangement(2)
    return {name: slice_node(scene, name) for name in ("Red", "Yellow", "Green")}
