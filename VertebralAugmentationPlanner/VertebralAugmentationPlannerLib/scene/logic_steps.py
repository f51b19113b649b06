"""The steps of the road: measure, plan, inflate; and the plan they leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..model import BalloonPlan, Case, CasePlan, InputError, LevelPlan, PlanOptions, Spine
from . import outdated
from .changes import Change
from .choices import (
    OF_A_FILLING,
    forget_level_options,
    keep_earlier_options,
    keep_level_options,
    make_options,
    options_of,
    options_of_level,
    replace_unknown_choices,
)
from .drawing import clear
from .edits import with_edits
from .going_along import carry, draw_rejoined, motion_with_images
from .logic_inputs import InputsLogic
from .plan_text import read_plan_text
from .references import plain
from .session import Session

if TYPE_CHECKING:
    from .engine import Progress, ShouldCancel

NO_MEASUREMENTS = "Measure the levels first."


class StepsLogic(InputsLogic):
    """The sections Measurements, Access and Augmentation."""

    def loadCase(self, parameterNode: Any) -> Case:
        """The nodes as a checked ``Case`` (kept until a node, its transform or the level table changes)."""
        return self._session(parameterNode).case(options_of(parameterNode))

    def replaceUnknownChoices(self, parameterNode: Any) -> str:
        """Choices of a scene that are not known here become the defaults; which they were, in one sentence, or ""."""
        return replace_unknown_choices(parameterNode, self.balloonCatalog())

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
        outdated.mark(parameterNode)
        session.set_plan(plan)
        forget_level_options(parameterNode)
        self._tell(parameterNode, Change("plan"))
        return plan

    def inputState(self, parameterNode: Any) -> Any:
        """What changes when the images, their transforms or the level table do."""
        return self._session(parameterNode).input_state()

    def isReady(self, parameterNode: Any) -> bool:
        """Whether the anatomy is at hand, so that a drag is answered at once; else :meth:`prepare` builds it."""
        return self._session(parameterNode).ready

    def prepare(
        self, parameterNode: Any, progress: Progress | None = None, shouldCancel: ShouldCancel | None = None
    ) -> None:
        """Build the anatomy of a plan that came from a file or a loaded scene (some seconds), to edit it fluently.

        Raises:
            InputError: the images cannot be used, or the plan is not of them.
        """
        self._spineOfPlan(self._session(parameterNode), options_of(parameterNode), progress, shouldCancel)

    def _spineOfPlan(
        self, session: Session, options: Any, progress: Progress | None = None, shouldCancel: ShouldCancel | None = None
    ) -> Spine:
        """The anatomy, for a step that goes on from the plan. Raises ``InputError`` where that is of another one."""
        self._refuseOutdated(session.parameter_node)
        rejoined = session.apart is not None and self._rejoin(session)
        spine = session.spine(options, progress, shouldCancel)
        if rejoined:
            draw_rejoined(session, spine)
        self._refuseOutdated(session.parameter_node)
        return spine

    def _rejoin(self, session: Session) -> bool:
        """Whether all lines of a plan went along with its images; its needles are then in the bone that they were judged in."""
        motion = motion_with_images(session)
        if motion is None:
            return False
        self._history.carry(session.parameter_node, motion, *carry(session, motion))
        self._tell(session.parameter_node, Change("plan"))
        return True

    def canPlan(self, parameterNode: Any, level: str) -> tuple[bool, str]:
        """Whether :meth:`planLevel` can run for that level; else why not."""
        usable, reason = self.checkInputs(parameterNode)
        if not usable:
            return False, reason
        plan = self.currentPlan(parameterNode)
        if plan is None:
            return False, NO_MEASUREMENTS
        if self.isOutdated(parameterNode):
            return False, outdated.OUTDATED
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
        spine = self._spineOfPlan(session, chosen, progress, shouldCancel)
        before = session.plan
        asked = self.engine.askedLevels(before, chosen)
        plan = self.engine.planLevels(before, session.case(chosen), spine, chosen, progress, shouldCancel)
        if session.plan is not None:
            plan = with_edits(plan, before, session.plan, asked)
        self._history.forget(session.parameter_node.GetID(), asked)
        keep_earlier_options(parameterNode, session.plan)
        session.set_plan(plan)
        keep_level_options(parameterNode, asked, chosen)
        self._tell(parameterNode, Change("plan"))
        return plan

    def levelsMovedByHand(self, parameterNode: Any, levels: str | Sequence[str]) -> list[str]:
        """Of the levels that :meth:`planLevels` would plan, those with a needle that was dragged since it was planned."""
        session = self._session(parameterNode)
        if session.plan is None:
            return []
        asked = self.engine.askedLevels(session.plan, options_of(parameterNode, levels=levels))
        moved = self._history.moved_levels(parameterNode)
        return [level for level in asked if level in moved]

    def _optionsOfLevel(self, session: Session, level: str) -> PlanOptions:
        """What an edit of a level is judged and filled by; the panel's choices take effect when it is planned."""
        if session.plan is None:
            raise InputError(NO_MEASUREMENTS)
        return options_of_level(session.parameter_node, session.plan, level, self.balloonCatalog)

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
        self,
        parameterNode: Any,
        level: str,
        balloon: str | None = None,
        targetFill: float | None = None,
        keepVolumes: bool = False,
    ) -> LevelPlan:
        """Balloon and cement again for the needles as they are now; only the anatomy, if not at hand, takes long.

        ``keepVolumes`` leaves balloons as full as they were set by hand.
        """
        session = self._session(parameterNode)
        given = {"balloon": balloon, "target_fill": targetFill}
        options = options_of(parameterNode, **{name: value for name, value in given.items() if value is not None})
        spine = self._spineOfPlan(session, options)
        before = session.level(level)
        volumes = self.engine.setByHand(before, spine, options) if keepVolumes else None
        planned = self.engine.augment(before, spine, options, volumes)
        with_access = self._optionsOfLevel(session, level)
        filled_by = {name: getattr(options, name) for name in OF_A_FILLING}
        keep_level_options(parameterNode, (level,), replace(with_access, **filled_by))
        self._take(session, planned, Change("balloon", level))
        return planned

    def inflationRange(self, parameterNode: Any, level: str, side: str) -> tuple[float, float]:
        """Smallest and largest volume for the inflation slider, ml; (0, 0) where the side has no balloon."""
        needle = self.needle(parameterNode, level, side)
        return (0.0, 0.0) if needle is None or needle.balloon is None else (0.0, needle.balloon.max_volume_ml)

    def inflate(self, parameterNode: Any, level: str, side: str, volumeMl: float) -> BalloonPlan:
        """Inflate one balloon to at most this volume; ``stopped_by`` says what stops it. Draws it, and the cement."""
        session = self._session(parameterNode)
        options = self._optionsOfLevel(session, level)
        spine = self._spineOfPlan(session, options)
        planned = self.engine.inflate(session.level(level), spine, side, volumeMl, options)
        self._take(session, planned, Change("balloon", level, side))
        balloon = planned.trajectory(side).balloon
        if balloon is None:
            raise InputError(f"{level} has no balloon on the {side}; plan the augmentation first.")
        return balloon

    def currentPlan(self, parameterNode: Any) -> CasePlan | None:
        """The plan as it is now, edits included; None before :meth:`measure`."""
        return self._session(parameterNode).plan

    def unreadablePlan(self, parameterNode: Any) -> str | None:
        """Why the plan in the scene cannot be read, in one sentence; None where it can, or where there is none."""
        return self._session(parameterNode).unreadable

    def planFromScene(self, parameterNode: Any) -> CasePlan:
        """Read the plan back from the text node (after loading a scene) and edit on.

        A needle that was moved meanwhile shows as a breach until it is moved or planned again.

        Raises:
            InputError: there is none, or it cannot be read.
        """
        read_plan_text(parameterNode)  # which says why where it is no plan
        self._close(plain(parameterNode).GetID())
        plan = self._session(parameterNode).plan
        self._tell(parameterNode, Change("plan"))
        return plan

    def clearPlan(self, parameterNode: Any) -> None:
        """Remove every node that this module made for the parameter node; inputs stay."""
        session = self._session(parameterNode)
        with session.editor.quiet():
            clear(session.parameter_node)
        forget_level_options(parameterNode)
        self._close(session.parameter_node.GetID())
        self._history.clear(session.parameter_node.GetID())
        self._tell(parameterNode, Change("plan"))
