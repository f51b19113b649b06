"""The module's logic on MRML: what the panel's buttons and the Python console call."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..model import CasePlan, InputError

from . import outdated
from .bundle import new_parameter_node
from .changes import CHANGES, Change
from .choices import forget_level_options, keep_options, make_options, options_of
from .drawing import show_level
from .headless import write_bundle
from .level_table import SegmentRow
from .logic_compare import ComparingLogic
from .logic_fluoroscopy import FluoroscopyLogic
from .logic_steps import NO_MEASUREMENTS
from .node_case import case_of_nodes, image_of, is_node
from .pictures import screenshots
from .references import node_of, plain
from .views import center_slices

if TYPE_CHECKING:
    from .engine import Progress, ShouldCancel

__all__ = ["CHANGES", "Change", "PlannerLogic", "SegmentRow"]


class PlannerLogic(FluoroscopyLogic, ComparingLogic):
    """Everything the module does, on a MRML scene.

    Args:
        scene: the scene to work in; the application's by default.
        engine: the stages of the road; tests may hand in another.
    """

    # ---- Python console ---------------------------------------------------------------------------------------

    def plan(self, ct: Any, segmentation: Any, levels: str | Sequence[str] = "fractured", **options: Any) -> CasePlan:
        """Plan without touching the scene's plan nodes.

        Args:
            ct, segmentation: MRML nodes, or whatever ``plan_case`` takes; ``ct`` may be None.
            levels: "fractured", "all", "L1,T12" or a sequence of names.
            options: the fields of ``PlanOptions``; ``progress(fraction, text)`` and ``should_cancel()``.

        Raises:
            InputError: the input cannot be used; one sentence.
        """
        progress, should_cancel = options.pop("progress", None), options.pop("should_cancel", None)
        chosen = make_options(levels=levels, **options)
        if not is_node(segmentation):
            return self.engine.planFiles(image_of(ct, "CT"), segmentation, chosen, progress, should_cancel)
        case = case_of_nodes(self.engine, ct, segmentation, chosen)
        return self.engine.planCase(case, chosen, progress, should_cancel)

    def buildScene(self, plan: CasePlan, ct: Any = None, segmentation: Any = None, parameterNode: Any = None) -> Any:
        """Draw a plan as nodes and return the parameter node that refers to them (a new one where none is given)."""
        node = new_parameter_node(self.scene) if parameterNode is None else plain(parameterNode)
        if ct is not None or segmentation is not None:
            self.setInputs(node, ct, segmentation)
        self._history.clear(node.GetID())  # drags of the plan before
        outdated.mark(node)
        forget_level_options(node)
        self._session(node).set_plan(plan)
        self._tell(node, Change("plan"))
        return node

    # ---- Nodes and display ------------------------------------------------------------------------------------

    def node(self, parameterNode: Any, role: str) -> Any:
        """The node of a role (see :mod:`.roles`), or None."""
        return node_of(parameterNode, role)

    def levels(self, parameterNode: Any) -> list[str]:
        """Levels in the plan from head to foot."""
        plan = self.currentPlan(parameterNode)
        return [] if plan is None else [level.level for level in plan.levels]

    def showLevel(self, parameterNode: Any, level: str) -> None:
        """Show this level's end plates, heights and pedicles, hide the others', and go to the middle of its body."""
        found = self._session(parameterNode).level(level)
        show_level(plain(parameterNode), level)
        if found.frame is not None and not self._views.shown:
            center_slices(self.scene, found.frame.origin_ras)

    # ---- Files ------------------------------------------------------------------------------------------------

    def canSave(self, parameterNode: Any) -> tuple[bool, str]:
        """Whether there is a plan to save; else why not."""
        return (True, "") if self.currentPlan(parameterNode) is not None else (False, NO_MEASUREMENTS)

    def savePlan(self, parameterNode: Any, path: str | PathLike[str]) -> None:
        """Write plan.json."""
        self._plan(parameterNode).save(path)

    def loadPlan(self, parameterNode: Any, path: str | PathLike[str]) -> CasePlan:
        """Read plan.json with the choices it was made with, draw it and edit on. Raises ``InputError``.

        A needle that was edited in the file and not judged since shows as a breach until it is moved or planned again.
        """
        plan = self.engine.markUnjudged(CasePlan.load(path))
        plan = keep_options(parameterNode, plan, self.balloonCatalog())
        self.buildScene(plan, parameterNode=parameterNode)
        return plan

    def exportReport(
        self,
        parameterNode: Any,
        path: str | PathLike[str],
        progress: Progress | None = None,
        shouldCancel: ShouldCancel | None = None,
    ) -> Path:
        """Write the report (HTML), with pictures where the images are at hand.

        Raises:
            InputError: there is no plan, or the file cannot be written.
            PlanningCancelled: ``shouldCancel`` answered true; no file is written.
        """
        session, options = self._session(parameterNode), options_of(parameterNode)
        self._plan(parameterNode)
        case, spine = None, None
        if self.checkInputs(parameterNode)[0] and not session.outdated:
            case, spine = session.case(options), session.spine(options, progress, shouldCancel)
            if session.outdated:  # known only now
                case, spine = None, None
        return self.engine.writeReport(self._plan(parameterNode), case, spine, Path(path), progress, shouldCancel)

    def screenshots(self, folder: str | PathLike[str], prefix: str = "plan") -> list[Path]:
        """Write a PNG of each slice and 3D view shown. Raises ``InputError`` without views."""
        return screenshots(Path(folder), prefix)

    def saveScene(self, path: str | PathLike[str]) -> Path:
        """Write the whole scene as ``.mrb``."""
        return write_bundle(self.scene, path)

    def _plan(self, parameterNode: Any) -> CasePlan:
        plan = self.currentPlan(parameterNode)
        if plan is None:
            raise InputError("There is no plan yet; measure the levels first.")
        return plan
