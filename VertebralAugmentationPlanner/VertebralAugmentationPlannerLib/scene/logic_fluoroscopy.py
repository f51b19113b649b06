"""Simulated fluoroscopy of a level, for the panel's sliders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..model import InputError, Trajectory, Vertebra
from . import roles
from .background import in_background
from .choices import options_of
from .logic_editing import EditingLogic
from .logic_steps import NO_MEASUREMENTS
from .outdated import OUTDATED
from .references import node_of, plain

if TYPE_CHECKING:
    from ..imaging import Fluoroscope
    from .engine import Progress, ShouldCancel
    from .fluoroscopy import FluoroscopyFrame, FluoroscopyView, NeedleDepths

NO_CT = "Fluoroscopy is simulated from the CT; choose one in section 1."


class FluoroscopyLogic(EditingLogic):
    """Set up once a level, then a picture for every position of the sliders."""

    def __init__(self, scene: Any = None, engine: Any = None) -> None:
        super().__init__(scene, engine)
        self._fluoroscope: tuple[Any, Fluoroscope] | None = None  # what it belongs to, and the level's CT

    def canSimulate(self, parameterNode: Any, level: str) -> tuple[bool, str]:
        """Whether a level can be seen under the C-arm; else why not."""
        usable, reason = self.checkInputs(parameterNode)
        if not usable:
            return False, reason
        if node_of(parameterNode, roles.CT) is None:
            return False, NO_CT
        plan = self.currentPlan(parameterNode)
        if plan is None:
            return False, NO_MEASUREMENTS
        if self.isOutdated(parameterNode):
            return False, OUTDATED
        found = [item for item in plan.levels if item.level == level]
        if not found or not found[0].complete:
            return False, f"{level} is not whole in the scan." if level else "Choose a level."
        return True, ""

    def setUpFluoroscopy(
        self,
        parameterNode: Any,
        level: str,
        progress: Progress | None = None,
        shouldCancel: ShouldCancel | None = None,
    ) -> None:
        """Prepare the CT around a level; one to two seconds on a CT of the trunk.

        Raises:
            InputError: no CT, or it does not reach the level.
            PlanningCancelled: ``shouldCancel`` answered true; what was set up before stays.
        """
        if node_of(parameterNode, roles.CT) is None:
            raise InputError(NO_CT)
        session, options = self._session(parameterNode), options_of(parameterNode)
        spine = self._spineOfPlan(session, options, progress, shouldCancel)
        case, vertebra = session.case(options), spine.vertebrae[level]

        def tell() -> None:
            if progress is not None:
                progress(0.5, f"Putting {level} under the C-arm")

        made = in_background(lambda _cancelled: self.engine.fluoroscope(case, vertebra), tell, shouldCancel)
        self._fluoroscope = (self._place(parameterNode, level), made)

    def fluoroscopyReady(self, parameterNode: Any, level: str) -> bool:
        """Whether :meth:`fluoroscopy` answers at once for this level and these images."""
        kept = self._fluoroscope is not None and self._fluoroscope[0] == self._place(parameterNode, level)
        return kept and self._session(parameterNode).ready

    def fluoroscopyPreset(self, parameterNode: Any, level: str, name: str) -> tuple[float, float]:
        """Positioner angles of "ap", "lateral", or of the end-on view of "left" or "right"."""
        from .fluoroscopy import preset

        return preset(name, self._vertebra(parameterNode, level), self._needles(parameterNode, level))

    def fluoroscopyDepths(self, parameterNode: Any, level: str) -> dict[str, NeedleDepths]:
        """Skin, medial border of the pedicle and target of each planned side, mm from the entry."""
        from .fluoroscopy import depths_of

        vertebra = self._vertebra(parameterNode, level)
        return {side: depths_of(vertebra, needle) for side, needle in self._needles(parameterNode, level).items()}

    def fluoroscopy(self, parameterNode: Any, level: str, view: FluoroscopyView) -> FluoroscopyFrame:
        """The picture of a view. Raises ``InputError`` before :meth:`setUpFluoroscopy`."""
        from .fluoroscopy import frame

        if not self.fluoroscopyReady(parameterNode, level) or self._fluoroscope is None:
            raise InputError(f"{level} is not under the C-arm yet; press “Simulate {level}” first.")
        vertebra, needles = self._vertebra(parameterNode, level), self._needles(parameterNode, level)
        return frame(self._fluoroscope[1], vertebra, needles, view)

    def _place(self, parameter_node: Any, level: str) -> tuple[Any, ...]:
        return (plain(parameter_node).GetID(), level, self._session(parameter_node).input_state())

    def _vertebra(self, parameter_node: Any, level: str) -> Vertebra:
        return self._session(parameter_node).spine(options_of(parameter_node)).vertebrae[level]

    def _needles(self, parameter_node: Any, level: str) -> dict[str, Trajectory]:
        return {needle.side: needle for needle in self._session(parameter_node).level(level).trajectories}

    def _forget(self) -> None:
        super()._forget()
        self._fluoroscope = None
