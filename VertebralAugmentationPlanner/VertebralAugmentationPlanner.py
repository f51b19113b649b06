"""The module that Slicer loads: its name, its parameters, its wiring. The work is in VertebralAugmentationPlannerLib."""

from __future__ import annotations

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
    """

    ct: slicer.vtkMRMLScalarVolumeNode
    segmentation: slicer.vtkMRMLNode
    level: str = ""
    side: str = ""
    procedure: Annotated[str, Choice(["kyphoplasty", "vertebroplasty"])] = "kyphoplasty"
    approach: Annotated[
        str, Choice(["auto", "unilateral", "unilateral-left", "unilateral-right", "bilateral"])
    ] = "auto"
    cannula: Annotated[str, Choice(["auto", "8G", "10G", "11G", "13G"])] = "auto"
    etiology: Annotated[str, Choice(["osteoporotic", "traumatic", "tumour"])] = "osteoporotic"
    balloon: str = "auto"
    targetFill: Annotated[float, WithinRange(0.01, 1.0)] = 0.30
    showLevelNames: bool = False


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
