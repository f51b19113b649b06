"""The module's logic on MRML: what the panel's buttons and the Python console call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import slicer

from ..model import BalloonPlan, Case, CasePlan, InputError, LevelPlan, PlanWarning, Trajectory
from . import level_table, roles
from .changes import CHANGES, Change, Listener, ListenerList
from .choices import make_options, options_of
from .drawing import clear, show_level
from .editing import Edit
from .engine import Engine, Progress, ShouldCancel
from .headless import write_bundle
from .history import History
from .level_table import SegmentRow
from .level_names import draw_level_names
from .references import node_of, plain, set_node
from .segments import merge, parts_of
from .session import Session, with_trajectory, without_fillings, without_trajectory
from .views import ViewKeeper, center_slices
from .volumes import image_from_volume, is_label_map, is_segmentation, node_to_world
from .watching import SceneWatcher

__all__ = ["CHANGES", "Change", "PlannerLogic", "SegmentRow"]

MODULE_NAME = "VertebralAugmentationPlanner"

NO_SEGMENTATION = "Choose the vertebra segmentation or label map."
NO_MEASUREMENTS = "Measure the levels first."


class PlannerLogic:
    """Everything the module does, on a MRML scene.

    Args:
        scene: the scene to work in; the application's by default.
        engine: the stages of the road; tests may hand in another.
    """

    def __init__(self, scene: Any = None, engine: Any = None) -> None:
        super().__init__()
        self.scene = slicer.mrmlScene if scene is None else scene
        self.engine = Engine() if engine is None else engine
        self.isSingletonParameterNode = False  # several plans may lie in one scene
        self._listeners = ListenerList()
        self._sessions: dict[str, Session] = {}
        self._history = History()
        self._views = ViewKeeper(self.scene)
        self._viewed: tuple[str, str, str] | None = None  # parameter node's ID, level, side
        self._depth = 0.0
        self._watcher = SceneWatcher(self.scene, self._forget, self._onParameterNodeRemoved)

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
        if not hasattr(segmentation, "GetID"):
            return self.engine.planFiles(ct, segmentation, chosen, progress, should_cancel)
        ct_image = None if ct is None else image_from_volume(ct, "CT")
        labels = merge(segmentation, level_table.meanings_in_force(parts_of(segmentation), {}), ct_image)
        case = self.engine.loadCase(ct_image, labels.image, labels.canal, labels.canal_is_cord, chosen)
        return self.engine.planCase(case, chosen, progress, should_cancel)

    def buildScene(self, plan: CasePlan, ct: Any = None, segmentation: Any = None, parameterNode: Any = None) -> Any:
        """Draw a plan as nodes and return the parameter node that refers to them (a new one where none is given)."""
        node = self._newParameterNode() if parameterNode is None else plain(parameterNode)
        if ct is not None or segmentation is not None:
            self.setInputs(node, ct, segmentation)
        self._session(node).set_plan(plan)
        self._tell(node, Change("plan"))
        return node

    # ---- Images and levels ------------------------------------------------------------------------------------

    def setInputs(self, parameterNode: Any, ct: Any, segmentation: Any) -> None:
        """Choose the CT (scalar volume or None) and the segmentation (segmentation or label map node)."""
        changed = node_of(parameterNode, roles.SEGMENTATION) is not segmentation
        set_node(parameterNode, roles.CT, ct)
        set_node(parameterNode, roles.SEGMENTATION, segmentation)
        if changed:
            level_table.set_corrections(parameterNode, {})  # they name segments of the old segmentation
        self._tell(parameterNode, Change("inputs"))

    def segmentTable(self, parameterNode: Any) -> list[SegmentRow]:
        """One row for each segment or label value, from head to foot. Empty where no segmentation is chosen."""
        segmentation = node_of(parameterNode, roles.SEGMENTATION)
        if segmentation is None:
            return []
        return level_table.rows(segmentation, level_table.corrections(parameterNode))

    def setLevel(self, parameterNode: Any, key: str, level: str) -> None:
        """Correct one row; "" leaves the segment out. Raises ``InputError`` for a name that is no level."""
        table = level_table.corrections(parameterNode)
        self._correct(parameterNode, level_table.corrected(self._parts(parameterNode), table, key, level))

    def shiftLevels(self, parameterNode: Any, step: int) -> None:
        """Shift the whole numbering: +1 towards the feet (T12 → L1), −1 towards the head.

        Raises ``InputError`` where a level would run off the end; then nothing is changed.
        """
        table = level_table.corrections(parameterNode)
        self._correct(parameterNode, level_table.shifted(self._parts(parameterNode), table, step))

    def resetLevels(self, parameterNode: Any) -> None:
        """Forget the corrections."""
        self._correct(parameterNode, {})

    def _parts(self, parameterNode: Any) -> list[Any]:
        segmentation = node_of(parameterNode, roles.SEGMENTATION)
        if segmentation is None:
            raise InputError(NO_SEGMENTATION)
        return parts_of(segmentation)

    def _correct(self, parameterNode: Any, table: dict[str, str]) -> None:
        level_table.set_corrections(parameterNode, table)
        if node_of(parameterNode, roles.LEVEL_NAME) is not None:
            self.showLevelNames(parameterNode, True)
        self._tell(parameterNode, Change("levels"))

    def showLevelNames(self, parameterNode: Any, visible: bool) -> None:
        """Preview of the name on each vertebra, in slice and 3D views."""
        session = self._session(parameterNode)
        with session.editor.quiet():
            draw_level_names(session.parameter_node, self.segmentTable(parameterNode) if visible else [])
            session.editor.refresh()

    def checkInputs(self, parameterNode: Any) -> tuple[bool, str]:
        """(True, "") or (False, what is missing or wrong, in one sentence). Fast; looks at no voxel of the CT."""
        ct, segmentation = (node_of(parameterNode, role) for role in (roles.CT, roles.SEGMENTATION))
        if segmentation is None:
            return False, NO_SEGMENTATION
        if not (is_segmentation(segmentation) or is_label_map(segmentation)):
            return False, f"“{segmentation.GetName()}” is neither a segmentation nor a label map; choose another node."
        try:
            for node in (ct, segmentation):
                if node is not None:
                    node_to_world(node)
            if ct is not None:
                image_from_volume(ct, "CT")
            table = level_table.corrections(parameterNode)
            levels = [name for name in level_table.levels_in_force(parts_of(segmentation), table).values() if name]
        except InputError as error:
            return False, str(error)
        if not levels:
            return False, "No segment is a vertebra T1–L6; name the levels in the table."
        twice = sorted({name for name in levels if levels.count(name) > 1})
        if twice:
            return False, f"Two segments are called {twice[0]}; correct one of them in the table of levels."
        return True, ""

    # ---- Steps ------------------------------------------------------------------------------------------------

    def loadCase(
        self, parameterNode: Any, progress: Progress | None = None, shouldCancel: ShouldCancel | None = None
    ) -> Case:
        """The nodes as a checked ``Case`` (kept until a node, its transform or the level table changes)."""
        return self._session(parameterNode).case(options_of(parameterNode))

    def canMeasure(self, parameterNode: Any) -> tuple[bool, str]:
        """Whether :meth:`measure` can run; else why not."""
        return self.checkInputs(parameterNode)

    def measure(
        self, parameterNode: Any, progress: Progress | None = None, shouldCancel: ShouldCancel | None = None
    ) -> CasePlan:
        """Measure every complete level and draw it. The plan then has measurements and no trajectories."""
        session, options = self._session(parameterNode), options_of(parameterNode)
        spine = session.spine(options, progress, shouldCancel)
        plan = self.engine.measuredPlan(session.case(options), spine, options)
        self._history.clear(session.parameter_node.GetID())
        session.set_plan(plan)
        self._tell(parameterNode, Change("plan"))
        return plan

    def isReady(self, parameterNode: Any) -> bool:
        """Whether the anatomy is at hand, so that a drag is answered at once; else :meth:`prepare` builds it."""
        return self._session(parameterNode).ready

    def prepare(
        self, parameterNode: Any, progress: Progress | None = None, shouldCancel: ShouldCancel | None = None
    ) -> None:
        """Build the anatomy of a plan that came from a file or a loaded scene (some seconds), to edit it fluently."""
        self._session(parameterNode).spine(options_of(parameterNode), progress, shouldCancel)

    def canPlan(self, parameterNode: Any, level: str) -> tuple[bool, str]:
        """Whether :meth:`planLevel` can run for that level; else why not."""
        usable, reason = self.checkInputs(parameterNode)
        if not usable:
            return False, reason
        plan = self.currentPlan(parameterNode)
        if plan is None:
            return False, NO_MEASUREMENTS
        if not level:
            return False, "Choose a level."
        found = [item for item in plan.levels if item.level == level]
        if not found:
            return False, f"{level} was not measured; measure again."
        if not found[0].complete:
            return False, f"{level} is not whole in the scan and cannot be planned."
        return True, ""

    def planLevel(
        self,
        parameterNode: Any,
        level: str,
        progress: Progress | None = None,
        shouldCancel: ShouldCancel | None = None,
        **options: Any,
    ) -> LevelPlan:
        """Plan access, balloon and cement of one level, with the parameter node's options unless given here."""
        return self.planLevels(parameterNode, (level,), progress, shouldCancel, **options).level(level)

    def planLevels(
        self,
        parameterNode: Any,
        levels: str | Sequence[str],
        progress: Progress | None = None,
        shouldCancel: ShouldCancel | None = None,
        **options: Any,
    ) -> CasePlan:
        """Plan several levels; "fractured", "all" or names. The other levels keep their needles."""
        session, chosen = self._session(parameterNode), options_of(parameterNode, levels=levels, **options)
        if session.plan is None:
            raise InputError(NO_MEASUREMENTS)
        spine = session.spine(chosen, progress, shouldCancel)
        plan = self.engine.planLevels(session.plan, session.case(chosen), spine, chosen, progress, shouldCancel)
        self._history.clear(session.parameter_node.GetID())
        session.set_plan(plan)
        self._tell(parameterNode, Change("plan"))
        return plan

    def canInflate(self, parameterNode: Any, level: str) -> tuple[bool, str]:
        """Whether the level has a needle a balloon can be planned on; else why not."""
        possible, reason = self.canPlan(parameterNode, level)
        if not possible:
            return False, reason
        if not self._session(parameterNode).level(level).trajectories:
            return False, f"{level} has no needle yet; plan the access first."
        if options_of(parameterNode).procedure != "kyphoplasty":
            return False, "Balloons belong to kyphoplasty; choose that procedure."
        return True, ""

    def balloonCatalog(self) -> list[Any]:
        """The catalogue's balloons, in the order of the file."""
        return self.engine.balloons(make_options())

    def planAugmentation(
        self, parameterNode: Any, level: str, balloon: str | None = None, targetFill: float | None = None
    ) -> LevelPlan:
        """Balloon and cement again for the needles as they are now."""
        session = self._session(parameterNode)
        given = {"balloon": balloon, "target_fill": targetFill}
        options = options_of(parameterNode, **{name: value for name, value in given.items() if value is not None})
        spine = session.spine(options)
        planned = self.engine.augment(session.level(level), session.case(options), spine, options)
        self._take(session, planned, Change("balloon", level))
        return planned

    def inflationRange(self, parameterNode: Any, level: str, side: str) -> tuple[float, float]:
        """Smallest and largest volume for the inflation slider, ml; (0, 0) where the side has no balloon."""
        needle = self.needle(parameterNode, level, side)
        return (0.0, 0.0) if needle is None or needle.balloon is None else (0.0, needle.balloon.max_volume_ml)

    def inflate(self, parameterNode: Any, level: str, side: str, volumeMl: float) -> BalloonPlan:
        """Inflate one balloon to at most this volume; ``stopped_by`` says what stops it. Draws it, and the cement."""
        session, options = self._session(parameterNode), options_of(parameterNode)
        spine = session.spine(options)
        planned = self.engine.inflate(session.level(level), session.case(options), spine, side, volumeMl, options)
        self._take(session, planned, Change("balloon", level, side))
        balloon = planned.trajectory(side).balloon
        if balloon is None:
            raise InputError(f"{level} has no balloon on the {side}; plan the augmentation first.")
        return balloon

    def currentPlan(self, parameterNode: Any) -> CasePlan | None:
        """The plan as it is now, edits included; None before :meth:`measure`."""
        return self._session(parameterNode).plan

    def planFromScene(self, parameterNode: Any) -> CasePlan:
        """Read the plan back from the text node (after loading a scene) and edit on.

        Raises:
            InputError: there is none, or it cannot be read.
        """
        self._close(plain(parameterNode).GetID())
        session = self._session(parameterNode)
        if session.plan is None:
            raise InputError("The scene holds no plan; measure the levels or load a plan.")
        self._tell(parameterNode, Change("plan"))
        return session.plan

    def summary(self, parameterNode: Any) -> str:
        """The plan in words (plain text, a paragraph per level), warnings last."""
        from .summary import plan_in_words

        plan = self.currentPlan(parameterNode)
        return "" if plan is None else plan_in_words(plan)

    def clearPlan(self, parameterNode: Any) -> None:
        """Remove every node that this module made for the parameter node; inputs stay."""
        session = self._session(parameterNode)
        with session.editor.quiet():
            clear(session.parameter_node)
        self._close(session.parameter_node.GetID())
        self._history.clear(session.parameter_node.GetID())
        self._tell(parameterNode, Change("plan"))

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

    # ---- Live edit --------------------------------------------------------------------------------------------

    def startEditing(self, parameterNode: Any) -> None:
        """Observe needles and height landmarks. Idempotent; done by every step that draws and by ``planFromScene``."""
        self._session(parameterNode).editor.start()

    def stopEditing(self, parameterNode: Any = None) -> None:
        """Take the observers away (of all plans by default)."""
        for session in self._sessions.values() if parameterNode is None else [self._session(parameterNode)]:
            session.editor.stop()

    def addListener(self, callback: Listener) -> None:
        """``callback(parameterNode, change)`` after each change; the node is the plain MRML node."""
        self._listeners.add(callback)

    def removeListener(self, callback: Listener) -> None:
        """Stop telling; unknown callbacks are fine."""
        self._listeners.remove(callback)

    def needle(self, parameterNode: Any, level: str, side: str) -> Trajectory | None:
        """The trajectory as it is now (live during a drag), or None."""
        return self._session(parameterNode).trajectory(level, side)

    def undo(self) -> bool:
        """Undo the last drag; False where there is nothing to undo."""
        return self._history.undo(self.scene)

    def redo(self) -> bool:
        """Redo; False where there is nothing to redo."""
        return self._history.redo(self.scene)

    def canUndo(self) -> bool:
        """Whether there is a drag to undo."""
        return self._history.can_undo(self.scene)

    def canRedo(self) -> bool:
        """Whether there is a drag to redo."""
        return self._history.can_redo(self.scene)

    def _onEdit(self, session: Session, edit: Edit) -> None:
        if edit.kind == roles.HEIGHT:
            self._onHeightModified(session, edit)
        else:
            self.onNeedleModified(session, edit)
        if edit.finished:
            self._history.add(session.parameter_node, edit)

    def onNeedleModified(self, session: Session, edit: Edit) -> None:
        """Clearances, angles, slack, grade and colour of a moved needle; balloon and cement once it is let go."""
        options = options_of(session.parameter_node)
        old = session.trajectory(edit.level, edit.part)
        if old is None:
            return
        vertebra = session.spine(options).vertebrae[edit.level]
        entry, target = edit.after
        moved = self.engine.reevaluate(vertebra, session.case(options), edit.part, entry, target, old.cannula, options)
        level = with_trajectory(session.level(edit.level), moved)
        if edit.finished:
            level = self._augmented(session, level, options)
        session.draw_edit(level, moved, edit.finished)
        if edit.finished and self._viewed == (session.parameter_node.GetID(), edit.level, edit.part):
            self.showNeedleViews(session.parameter_node, edit.level, edit.part, self._depth)
        self._tell(session.parameter_node, Change("needle", edit.level, edit.part, edit.finished))

    def _augmented(self, session: Session, level: LevelPlan, options: Any) -> LevelPlan:
        """Balloon and cement for the moved needle; where it allows none, the level says why and goes without."""
        try:
            return self.engine.augment(level, session.case(options), session.spine(options), options)
        except InputError as error:
            warning = PlanWarning("no-augmentation", "caution", str(error), "moved needle")
            return without_fillings(level, warning)

    def _onHeightModified(self, session: Session, edit: Edit) -> None:
        level = self.engine.remeasure(session.level(edit.level), edit.part, edit.after)
        session.draw_measures(level, edit.finished)
        self._tell(session.parameter_node, Change("height", edit.level, edit.part, edit.finished))

    def _onRemoved(self, session: Session, role: str) -> None:
        """A node was deleted by hand: a needle goes with all that hangs on it, anything else comes back when drawn."""
        kind, _, rest = role.partition(".")
        if kind == roles.NEEDLE and session.plan is not None:
            name, side = rest.split(".")
            if session.trajectory(name, side) is not None:
                session.set_level(without_trajectory(session.level(name), side, "its needle was deleted by hand"))
                self._tell(session.parameter_node, Change("removed", name, side))
                return
        self._tell(session.parameter_node, Change("removed"))

    # ---- Views ------------------------------------------------------------------------------------------------

    def needleDepthRange(self, parameterNode: Any, level: str, side: str) -> tuple[float, float]:
        """Depths in mm along the needle: from the skin (negative; the entry is 0) to the tip."""
        needle = self._needle(parameterNode, level, side)
        outside = 0.0
        if needle.skin_to_target_mm is not None:
            outside = needle.bone_path_mm - needle.skin_to_target_mm
        return min(0.0, outside), _length(needle)

    def showNeedleViews(self, parameterNode: Any, level: str, side: str, depthMm: float | None = None) -> None:
        """Red: perpendicular to the needle at a depth (the tip by default); Yellow and Green contain the needle."""
        needle = self._needle(parameterNode, level, side)
        self._depth = _length(needle) if depthMm is None else depthMm
        self._viewed = (plain(parameterNode).GetID(), level, side)
        self._views.show(needle.entry_ras, needle.target_ras, self._depth)

    def setNeedleDepth(self, parameterNode: Any, depthMm: float) -> None:
        """Move the perpendicular slice."""
        if self._viewed is None:
            raise InputError("The needle views are not shown; show them first.")
        needle = self._needle(parameterNode, *self._viewed[1:])
        self._depth = depthMm
        self._views.set_depth(needle.entry_ras, needle.target_ras, depthMm)

    def needleViewsShown(self) -> bool:
        """Whether the needle views are on."""
        return self._views.shown

    def restoreViews(self) -> None:
        """The usual views, as they were before :meth:`showNeedleViews`."""
        self._views.restore()
        self._viewed = None

    def _needle(self, parameterNode: Any, level: str, side: str) -> Trajectory:
        needle = self.needle(parameterNode, level, side)
        if needle is None:
            raise InputError(f"{level} has no needle on the {side}; plan the access first.")
        return needle

    # ---- Files ------------------------------------------------------------------------------------------------

    def canSave(self, parameterNode: Any) -> tuple[bool, str]:
        """Whether there is a plan to save; else why not."""
        return (True, "") if self.currentPlan(parameterNode) is not None else (False, NO_MEASUREMENTS)

    def savePlan(self, parameterNode: Any, path: str | PathLike[str]) -> None:
        """Write plan.json."""
        self._plan(parameterNode).save(path)

    def loadPlan(self, parameterNode: Any, path: str | PathLike[str]) -> CasePlan:
        """Read plan.json, draw it and edit on. Raises ``InputError``."""
        plan = CasePlan.load(path)
        self.buildScene(plan, parameterNode=parameterNode)
        return plan

    def exportReport(self, parameterNode: Any, path: str | PathLike[str]) -> Path:
        """Write the report (HTML), with pictures where the images are at hand."""
        session, options = self._session(parameterNode), options_of(parameterNode)
        images = self.checkInputs(parameterNode)[0]
        case, spine = (session.case(options), session.spine(options)) if images else (None, None)
        return self.engine.writeReport(self._plan(parameterNode), case, spine, Path(path))

    def saveScene(self, path: str | PathLike[str]) -> Path:
        """Write the whole scene as ``.mrb``."""
        return write_bundle(self.scene, path)

    def _plan(self, parameterNode: Any) -> CasePlan:
        plan = self.currentPlan(parameterNode)
        if plan is None:
            raise InputError("There is no plan yet; measure the levels first.")
        return plan

    # ---- Sessions ---------------------------------------------------------------------------------------------

    def cleanup(self) -> None:
        """Remove every observer and listener, restore the views. The scene keeps its nodes."""
        self.restoreViews()
        self._forget()
        self._watcher.stop()
        self._listeners.clear()

    def _session(self, parameterNode: Any) -> Session:
        node = plain(parameterNode)
        session = self._sessions.get(node.GetID())
        if session is None or session.parameter_node is not node:
            session = Session(node, self.engine, self._onEdit, self._onRemoved)
            self._sessions[node.GetID()] = session
        return session

    def _close(self, key: str) -> None:
        session = self._sessions.pop(key, None)
        if session is not None:
            session.close()

    def _forget(self) -> None:
        """The scene is closed or another is read into it: nothing that was kept belongs to it any more."""
        for key in list(self._sessions):
            self._close(key)
        self._history.clear()
        self._views.forget()
        self._viewed = None

    def _onParameterNodeRemoved(self, key: str) -> None:
        self._close(key)
        self._history.clear(key)

    def _take(self, session: Session, level: LevelPlan, change: Change) -> None:
        session.set_level(level)
        self._tell(session.parameter_node, change)

    def _tell(self, parameterNode: Any, change: Change) -> None:
        self._listeners.tell(plain(parameterNode), change)

    def _newParameterNode(self) -> Any:
        node = self.scene.AddNewNodeByClass("vtkMRMLScriptedModuleNode", self.scene.GenerateUniqueName(MODULE_NAME))
        node.SetAttribute("ModuleName", MODULE_NAME)
        return node


def _length(needle: Trajectory) -> float:
    return float(sum((a - b) ** 2 for a, b in zip(needle.entry_ras, needle.target_ras, strict=True)) ** 0.5)
