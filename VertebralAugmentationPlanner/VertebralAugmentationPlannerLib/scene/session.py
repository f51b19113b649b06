"""What the logic knows of one parameter node while it is open: its case, its plan, its observers."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..model import Case, CasePlan, InputError, LevelPlan, PlanOptions, Spine, Trajectory
from . import roles
from .choices import options_of_level, options_of_plan
from .drawing import draw_level, draw_plan, hide_fillings, show_again, show_under_transforms
from .editing import Edit, Editor, line_ends
from .found_lines import as_found
from .kept_images import KeptImages, Lie, refuse_closed
from .locking import has_needles, lock_drawings, unlock_drawings
from .measures import draw_measures
from .needles import move_ends, style_needle
from .outdated import OF_OTHER_IMAGES, is_outdated, says_changed, unmark, with_warnings
from .plan_text import plan_text, write_plan_text
from .references import node_of, plain
from .tables import draw_tables

GONE = "Its plan.json is not in the scene; load the plan from a file, or measure and plan again."
"""Why needles are locked that no plan speaks of."""


@dataclass
class Session:
    """The open plan of one parameter node.

    Args:
        parameter_node: plain ``vtkMRMLScriptedModuleNode``.
        engine: the stages of the road.
        on_edit, on_removed, on_carried, on_transformed: where the editor's news goes.
    """

    parameter_node: Any
    engine: Any
    on_edit: Callable[[Session, Edit], None]
    on_removed: Callable[[Session, str], None]
    on_carried: Callable[[Session, str], None]
    on_transformed: Callable[[Session, str], bool]
    plan: CasePlan | None = None
    _drawn_spine: Spine | None = None
    lie: Lie | None = None  # of the images, where the plan is judged in their anatomy
    apart: CasePlan | None = None  # as it was when its lines were moved as one and the images not, until it is edited
    _text_is_old: bool = False
    _known_text: str | None = None
    # Why the scene's plan cannot be read, as by an older version than the one that wrote it.
    unreadable: str | None = None
    _hidden: dict[str, set[str]] = field(default_factory=dict)  # by level, what a drag hid
    images: KeptImages = field(init=False)
    editor: Editor = field(init=False)

    def __post_init__(self) -> None:
        self.parameter_node = plain(self.parameter_node)
        self.images = KeptImages(self.parameter_node, self.engine)
        self.editor = Editor(
            self.parameter_node,
            lambda edit: self.on_edit(self, edit),
            lambda role: self.on_removed(self, role),
            lambda role: self.on_carried(self, role),
            lambda role: self.on_transformed(self, role),
        )
        self.follow_text()
        if not plan_text(self.parameter_node) and not self._importing and has_needles(self.parameter_node):
            self._lock(GONE)

    @property
    def _importing(self) -> bool:
        scene = self.parameter_node.GetScene()
        return scene is not None and bool(scene.IsImporting())

    def follow_text(self) -> None:
        """Take over what somebody else wrote into the text node: a loaded scene, undo, another logic in the console.

        Text that is no plan is left alone, with its needles locked where there is no other plan: nobody would judge them where they
        are dragged to. One's own plan in the middle of a drag is left alone, too.
        """
        text = plan_text(self.parameter_node)
        if self._text_is_old or not text or text == self._known_text:
            return
        self._known_text, opened = text, self.plan is None
        try:
            self.plan = CasePlan.from_json(text)
        except InputError as error:
            if opened:
                self._lock(str(error))
            return
        self.unreadable = None
        if opened:
            self.watch()  # whoever made the plan may be gone by the time that its needles are moved
        else:
            self._unlock()
            self.editor.refresh()

    def _lock(self, reason: str) -> None:
        self.unreadable = reason
        lock_drawings(self.parameter_node)

    def lock_again(self) -> None:
        """What was hidden of a plan that is unreadable, or of other images, stays so where all of it was shown."""
        if self.unreadable is not None:
            lock_drawings(self.parameter_node)
        elif self.plan is not None:
            self._lock_outdated()

    def _unlock(self) -> None:
        """A plan that can be read came to drawings that were locked for one that could not: they are shown as it has them."""
        assert self.plan is not None
        if not unlock_drawings(self.parameter_node):
            return
        with self.editor.quiet():
            for level in self.plan.levels:
                draw_measures(self.parameter_node, level)
                for needle in level.trajectories:
                    style_needle(self.parameter_node, level.level, needle)
            self.draw_tables()

    def watch(self) -> None:
        """Watch needles and heights. Where they were moved while nobody did, the plan is brought to where they are."""
        if self.plan is not None and not self.editor.running and not self._importing:
            for level in self.plan.levels:
                found = as_found(self.parameter_node, level, self.engine)
                if found is not level:
                    self.show_found(found)
                with self.editor.quiet():
                    show_under_transforms(self.parameter_node, found)
            if self._text_is_old:
                self._tell_neighbours()
                self.write_text()
            self._unlock()
        self.editor.start()

    def show_found(self, level: LevelPlan) -> None:
        emptied = level.trajectories != self.level(level.level).trajectories
        self.set_level(level, draw=False)
        with self.editor.quiet():
            draw_measures(self.parameter_node, level)
            if emptied:
                draw_level(self.parameter_node, level, None)
            for needle in level.trajectories:
                style_needle(self.parameter_node, level.level, needle)
            self.draw_tables()

    # ---- Case and spine, kept until the nodes change --------------------------------------------------------------

    def input_state(self) -> Any:
        """What the case depends on: nodes, geometry, transforms, level table."""
        return self.images.state()

    @property
    def ready(self) -> bool:
        """Whether case and spine are at hand and belong to the nodes as they are now."""
        return self.images.ready

    @property
    def anatomy(self) -> Spine | None:
        """The anatomy that the plan is of, where it is at hand."""
        return None if self.outdated else self.images.at_hand[1]

    def case(self, options: Any) -> Case:
        """The case of the nodes as they are now.

        Raises:
            InputError: no segmentation, or one that cannot be used.
        """
        return self.images.case(options)

    def spine(self, options: Any, progress: Any = None, should_cancel: Any = None) -> Spine:
        """The anatomy of the case; built once, and the plan is then brought to agree with it."""
        spine, built = self.images.spine(options, progress, should_cancel)
        if built:
            self._compare()
        return spine

    def borrow(self, other: Session) -> None:
        """Take over case and spine of another plan where both have the same images and levels."""
        if self.images.borrow(other.images):
            self._compare()

    def _compare(self) -> None:
        """Whether the plan is of the anatomy at hand, and say so in it where it isn't; no needle keeps numbers of another one."""
        if self.plan is None:
            return
        found = self.images.compare(self.plan)
        if found.elsewhere:
            unmark(self.parameter_node)  # those that it is of may still be chosen
        elif found.changed or says_changed(self.plan):  # or was, and an edit of the voxels was taken back
            for level in self.plan.levels:
                self._judge_anew(
                    level, found.changed.get(level.level, "the labels are others than those it was judged on")
                )
            self.images.compare(self.plan)
        self.lie = self.images.lie() if self.apart is None else self.lie  # where the images were that it was judged in
        self.tell_outdated()

    def _judge_anew(self, level: LevelPlan, differs: str) -> None:
        """Judge the needles of a level where they lie: it was measured and planned on other voxels than those of now."""
        case, spine = self.images.at_hand
        if not level.trajectories or case is None or spine is None:
            return
        try:
            options = options_of_level(self.parameter_node, self.plan, level.level, self._balloons)
        except InputError:  # told by whatever is edited next; the plan's own are the nearest
            options = options_of_plan(self.plan)
        now = self.engine.judgedAnew(level, case, spine, options, differs)
        if now != level:
            self.set_level(now)

    def _balloons(self) -> list[Any]:
        return self.engine.balloons(PlanOptions())

    @property
    def outdated(self) -> bool:
        """Whether the plan is of other images or level names than those chosen, as far as that is known."""
        if self.plan is None:
            return False
        return self.images.agreed.elsewhere or is_outdated(self.parameter_node)

    # ---- The plan ------------------------------------------------------------------------------------------------

    def set_plan(self, plan: CasePlan) -> None:
        """Take a new plan and draw it.

        Raises:
            PlanningCancelled: the scene was closed while it was made.
        """
        refuse_closed(self.parameter_node)
        self.plan, self.unreadable, self.lie, self.apart = plan, None, None, None
        unlock_drawings(self.parameter_node)
        with self.editor.quiet():
            case, spine = self.images.at_hand
            anatomy_is_drawn = spine is self._drawn_spine and node_of(self.parameter_node, roles.ANATOMY) is not None
            draw_plan(self.parameter_node, plan, None if anatomy_is_drawn else case, spine)
            self._drawn_spine = spine
            self._known_text = plan_text(self.parameter_node)
            self.editor.start()  # a new plan is always open to edits
        self._text_is_old = False
        if spine is not None:
            self._compare()

    def tell_outdated(self) -> None:
        """Bring what the plan says of the images it belongs to up to date."""
        assert self.plan is not None
        told = with_warnings(self.plan, self.outdated, self.images.agreed.changed)
        if told != self.plan:
            self.plan, self._text_is_old = told, True
            self.write_text()
        self._lock_outdated()

    def _lock_outdated(self) -> None:
        """Nothing drawn says “safe” while the plan is of other images; once it is of those chosen all comes back."""
        if not self.outdated:
            self._unlock()
            return
        with self.editor.quiet():
            lock_drawings(self.parameter_node, OF_OTHER_IMAGES)

    def set_level(self, level: LevelPlan, draw: bool = True) -> None:
        """Put one level's plan in place of the old one; drawn with tables and text unless the caller does it.

        Raises:
            PlanningCancelled: the scene was closed while it was made.
        """
        refuse_closed(self.parameter_node)
        if self.plan is None:
            raise InputError("There is no plan yet; measure the levels first.")
        levels = tuple(level if old.level == level.level else old for old in self.plan.levels)
        self.plan = replace(self.plan, levels=levels)
        self._text_is_old, self.apart = True, None
        if draw:
            with self.editor.quiet():
                draw_level(self.parameter_node, level, self.images.at_hand[1])
                self.draw_tables()
                self.write_text()
                self.editor.refresh()

    def draw_edit(self, level: LevelPlan, moved: Trajectory, finished: bool) -> None:
        """Take and draw a moved needle. During the drag balloon and cement are hidden: they belong to the old path."""
        self.set_level(level, draw=False)
        with self.editor.quiet():
            style_needle(self.parameter_node, level.level, moved)
            if finished:
                draw_level(self.parameter_node, level, self.images.at_hand[1])
            self._show_fillings(level.level, finished)
            self.draw_tables()
            if finished:
                self.write_text()
            self.editor.refresh()

    def put_back(self, level: LevelPlan) -> None:
        """Take and draw a level as it was before a needle of it went where it could not be judged."""
        self.set_level(level)
        with self.editor.quiet():
            self._show_fillings(level.level, True)
            self.editor.refresh()
        self._lock_outdated()

    def _show_fillings(self, level: str, visible: bool) -> None:
        """Hide a level's balloons and cement while a needle is dragged; afterwards those come back that were in view."""
        if visible:
            show_again(self.parameter_node, self._hidden.pop(level, set()))
        else:
            self._hidden.setdefault(level, set()).update(hide_fillings(self.parameter_node, level))

    def keep_line(self, edit: Edit) -> None:
        """Leave a line where the user has it in the middle of a drag, whatever was drawn meanwhile."""
        line = node_of(self.parameter_node, roles.role(edit.kind, edit.level, edit.part))
        if line is not None:
            with self.editor.quiet():
                move_ends(line, *edit.after)

    def lies_at(self, edit: Edit) -> bool:
        """Whether a line stayed about where an edit brought it (an entry is moved along the axis onto the bone)."""
        line = node_of(self.parameter_node, roles.role(edit.kind, edit.level, edit.part))
        ends = None if line is None else line_ends(line)
        return ends is not None and bool(np.allclose(ends[1], edit.after[1], atol=1e-3))

    def draw_measures(self, level: LevelPlan, finished: bool) -> None:
        """Take and draw changed measurements; the end plates follow, and balloons and cement where they changed."""
        refilled = level.trajectories != self.level(level.level).trajectories
        self.set_level(level, draw=False)
        with self.editor.quiet():
            draw_measures(self.parameter_node, level)
            if refilled:
                draw_level(self.parameter_node, level, self.images.at_hand[1])
            if finished:
                self._tell_neighbours()
            self.draw_tables()
            if finished:
                self.write_text()
            self.editor.refresh()

    def _tell_neighbours(self) -> None:
        """Say of the other levels what an edit of heights leaves behind in them."""
        self.plan, self._text_is_old = self.engine.tellNeighbours(self.plan), True

    def draw_tables(self) -> None:
        """Bring both tables up to date."""
        if self.plan is not None:
            with self.editor.quiet():
                draw_tables(self.parameter_node, self.plan)
                self.editor.refresh()

    def draw_where_planned(self, drawn: Collection[str]) -> None:
        """Draw nodes again that a transform carried away, by role: they are seen where the plan has them."""
        levels = {role.split(".")[1] for role in drawn if "." in role}
        with self.editor.quiet():
            for level in self.plan.levels if self.plan is not None else ():
                if level.level in levels:
                    draw_measures(self.parameter_node, level)
                    draw_level(self.parameter_node, level, self.images.at_hand[1])
            anatomy = node_of(self.parameter_node, roles.ANATOMY)
            if roles.ANATOMY in drawn and anatomy is not None and self.ready:
                anatomy.SetAndObserveTransformNodeID(None)  # the images it was drawn from did not move
            self.editor.refresh()

    def text_was_deleted(self) -> None:
        """The text node was deleted by hand: what is drawn would be saved without its plan."""
        self._text_is_old = self._text_is_old or self.plan is not None
        self.write_text()

    def write_text(self) -> None:
        """Bring the text node up to date."""
        if self.plan is not None and self._text_is_old:
            with self.editor.quiet():
                write_plan_text(self.parameter_node, self.plan)
                self._known_text = plan_text(self.parameter_node)
                self.editor.refresh()
        self._text_is_old = False

    def level(self, name: str) -> LevelPlan:
        """The plan of a level.

        Raises:
            InputError: there is no plan, or the level is not in it.
        """
        if self.plan is None:
            raise InputError("There is no plan yet; measure the levels first.")
        try:
            return self.plan.level(name)
        except KeyError as error:
            raise InputError(f"{error.args[0]}; choose one of these levels.") from error

    def trajectory(self, level: str, side: str) -> Trajectory | None:
        """The needle of a side, or None."""
        return self.level(level).needle(side)

    def close(self) -> None:
        """Take the observers away and let go of the images. The nodes stay."""
        self.editor.stop()
        self.images.close()
        self._drawn_spine = None
