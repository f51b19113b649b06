"""The module that Slicer loads: its name, its parameters, its wiring. The work is in VertebralAugmentationPlannerLib."""

from __future__ import annotations

import os
import tempfile
from typing import Annotated, Any

import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.parameterNodeWrapper import Choice, WithinRange, parameterNodeWrapper
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

from VertebralAugmentationPlannerLib.scene.logic import PlannerLogic
from VertebralAugmentationPlannerLib.widget.module_widget import PlannerWidget


HOMEPAGE = "https://github.com/VertebralAugmentationPlanner/SlicerVertebralAugmentationPlanner"


class VertebralAugmentationPlanner(ScriptedLoadableModule):
    """What the module selector and the help section show."""

    def __init__(self, parent: Any) -> None:
        ScriptedLoadableModule.__init__(self, parent)
        parent.title = _("Vertebral Augmentation Planner")
        parent.categories = [translate("qSlicerAbstractCoreModule", "Planning")]
        parent.dependencies = ["Markups", "Models", "Segmentations", "Tables", "Texts"]
        parent.contributors = ["The VertebralAugmentationPlanner contributors"]
        parent.helpText = _("""
Plans vertebroplasty and balloon kyphoplasty on a CT with segmented vertebrae: heights, height loss, kyphosis and
fracture class; transpedicular needles with their clearances and slack; balloons, cement, and what to beware of.
For trained people, research and teaching. Not a medical device: every number has to be checked by the operator.
See the {link_start}documentation{link_end}.
""").format(link_start=f'<a href="{HOMEPAGE}#readme">', link_end="</a>")
        parent.acknowledgementText = _("""
Clinical numbers come from the published sources named in the report and in the method page. The sample cases are
synthetic.
""")
        slicer.app.connect("startupCompleted()", registerSampleData)


def registerSampleData() -> None:
    """Add the three synthetic cases to the Sample Data module."""
    import SampleData

    from VertebralAugmentationPlannerLib.scene.sample_data import CATEGORY, sampleDataSources

    icons = os.path.join(os.path.dirname(__file__), "Resources", "Icons")
    logic = SampleData.SampleDataLogic
    if hasattr(logic, "registerCustomSampleDataCategory"):  # Slicer 5.12 and later: a title of its own
        logic.registerCustomSampleDataCategory(CATEGORY, title=_("Vertebral Augmentation Planner"))
    for source in sampleDataSources(icons, HOMEPAGE):
        logic.registerCustomSampleDataSource(**source)


@parameterNodeWrapper
class VertebralAugmentationPlannerParameterNode:
    """The user's choices. Node members are node references whose role is the member's name.

    ct - CT volume (optional; without it nothing that needs intensities is computed).
    segmentation - segmentation or label map node. Not bound by SlicerParameterName (two node types): the widget's
        selector calls ``logic.setInputs``.
    procedure, approach, cannula, etiology, balloon, targetFill - as PlanOptions; targetFill is a fraction.
    level - the level the panel works on ("" before measuring).
    side - the side the panel works on.
    showLevelNames - preview of the name on each vertebra.
    sourceImageMm, sourceObjectMm - distances of the simulated C-arm, mm; the ranges cannot cross.
    """

    ct: slicer.vtkMRMLScalarVolumeNode
    segmentation: slicer.vtkMRMLNode
    level: str = ""
    side: str = ""
    procedure: Annotated[str, Choice(["kyphoplasty", "vertebroplasty"])] = "kyphoplasty"
    approach: Annotated[str, Choice(["auto", "unilateral", "unilateral-left", "unilateral-right", "bilateral"])] = (
        "auto"
    )
    cannula: Annotated[str, Choice(["auto", "8G", "10G", "11G", "13G"])] = "auto"
    etiology: Annotated[str, Choice(["osteoporotic", "traumatic", "tumour"])] = "osteoporotic"
    balloon: str = "auto"
    targetFill: Annotated[float, WithinRange(0.01, 1.0)] = 0.30
    showLevelNames: bool = False
    sourceImageMm: Annotated[float, WithinRange(900.0, 1500.0)] = 1100.0
    sourceObjectMm: Annotated[float, WithinRange(500.0, 880.0)] = 700.0


class VertebralAugmentationPlannerLogic(PlannerLogic, ScriptedLoadableModuleLogic):
    """The module's logic; ``VertebralAugmentationPlannerLogic().plan(ct, segmentation, levels=["L1"])``.

    All methods are in ``scene.logic.PlannerLogic``. Several parameter nodes may exist in one scene
    (``isSingletonParameterNode`` is False).
    """

    def getParameterNode(self) -> VertebralAugmentationPlannerParameterNode:
        """The first parameter node of the module, wrapped; made where there is none."""
        return VertebralAugmentationPlannerParameterNode(ScriptedLoadableModuleLogic.getParameterNode(self))


class VertebralAugmentationPlannerWidget(PlannerWidget, ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel; everything is in ``widget.module_widget.PlannerWidget``. A test may hand in another logic."""

    def __init__(self, parent: Any = None, logic: Any = None) -> None:
        VTKObservationMixin.__init__(self)
        self.logic = logic
        ScriptedLoadableModuleWidget.__init__(self, parent)  # calls setup() where there is no parent

    def makeLogic(self) -> VertebralAugmentationPlannerLogic:
        return VertebralAugmentationPlannerLogic()


class VertebralAugmentationPlannerTest(ScriptedLoadableModuleTest):
    """Plans a synthetic case from nodes, and holds what comes out against the truth that the case was made from."""

    def setUp(self) -> None:
        slicer.mrmlScene.Clear()

    def runTest(self) -> None:
        for test in (self.test_sampleCaseAgainstItsTruth, self.test_planSurvivesTheScene):
            self.setUp()
            test()

    def test_sampleCaseAgainstItsTruth(self) -> None:
        from VertebralAugmentationPlannerLib.scene.self_test import checkSampleCase

        self.delayDisplay("Planning the case t12-wedge")
        self.assertEqual(checkSampleCase(VertebralAugmentationPlannerLogic(), "t12-wedge", "T12"), [])
        self.delayDisplay("The plan agrees with the truth")

    def test_planSurvivesTheScene(self) -> None:
        from VertebralAugmentationPlannerLib.scene.self_test import checkSceneRoundTrip

        self.delayDisplay("Saving and loading a planned scene")
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(checkSceneRoundTrip(VertebralAugmentationPlannerLogic(), folder, "t12-wedge", "T12"), [])
        self.delayDisplay("The plan came back")
