"""What is kept of the images of one parameter node: the case, its anatomy, and how the plan agrees with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..model import Case, CasePlan, InputError, PlanningCancelled, Spine
from ..model.geometry import FloatArray
from . import roles
from .level_table import corrections
from .node_case import case_of_nodes
from .outdated import Agreement, agreement
from .references import node_of
from .volumes import input_state, node_to_world, own_state

SAME_MATRIX = 1e-5
"""Matrices whose elements are nearer are the same motion: at 500 mm from the origin it is a hundredth of a millimetre. [D]"""


@dataclass(frozen=True, eq=False)
class Lie:
    """Where images lie.

    Args:
        images: what changes when they are others, or edited.
        worlds: of each, 4 × 4 from its own RAS to the world's.
        state: :meth:`KeptImages.state` of them there.
    """

    images: Any
    worlds: tuple[FloatArray, ...]
    state: Any

    def matrix_to(self, other: Lie) -> FloatArray | None:
        """(4, 4) that brings all images from here to there, world RAS; None where none does, or they are others."""
        if self.images != other.images or not self.worlds:
            return None
        first, *more = (now @ np.linalg.inv(then) for then, now in zip(self.worlds, other.worlds, strict=True))
        return first if all(np.allclose(first, one, rtol=0.0, atol=SAME_MATRIX) for one in more) else None


@dataclass
class KeptImages:
    """Case and anatomy of what is chosen, kept until the nodes, their transforms or the level names change.

    Args:
        parameter_node: plain ``vtkMRMLScriptedModuleNode``.
        engine: the stages of the road.
    """

    parameter_node: Any
    engine: Any
    _case: Case | None = None
    _spine: Spine | None = None
    _state: Any = None  # of the images that both are of
    _agreement: Agreement = field(default_factory=Agreement)
    _agreed_on: Any = None  # the state of the images that this was found for

    def state(self) -> Any:
        """What the case depends on: nodes, geometry, transforms, level table."""
        nodes = [node_of(self.parameter_node, role) for role in (roles.CT, roles.SEGMENTATION)]
        return (*map(input_state, nodes), tuple(sorted(corrections(self.parameter_node).items())))

    def lie(self) -> Lie | None:
        """Where the images lie; None where a transform of theirs tells no place (a warp)."""
        nodes = [node_of(self.parameter_node, role) for role in (roles.CT, roles.SEGMENTATION)]
        try:
            worlds = tuple(node_to_world(node) for node in nodes if node is not None)
        except InputError:
            return None
        return Lie((*map(own_state, nodes), corrections(self.parameter_node)), worlds, self.state())

    @property
    def ready(self) -> bool:
        """Whether case and anatomy are at hand and belong to the nodes as they are now."""
        return self._spine is not None and self._state == self.state()

    @property
    def at_hand(self) -> tuple[Case | None, Spine | None]:
        """Case and anatomy where both are :attr:`ready`, else None of either."""
        return (self._case, self._spine) if self.ready else (None, None)

    def case(self, options: Any) -> Case:
        """The case of the nodes as they are now.

        Raises:
            InputError: no segmentation, or one that cannot be used.
        """
        state = self.state()
        if self._case is None or self._state != state:
            self._case, self._spine = self._read(options), None
            self._state = state
        return self._case

    def spine(self, options: Any, progress: Any = None, should_cancel: Any = None) -> tuple[Spine, bool]:
        """The anatomy of the case, built once; and whether it was built now.

        Raises:
            InputError: as :meth:`case`.
            PlanningCancelled: the scene was closed meanwhile.
        """
        case = self.case(options)
        if self._spine is not None:
            return self._spine, False
        spine = self.engine.buildSpine(case, progress, should_cancel)
        refuse_closed(self.parameter_node)
        self._spine = spine
        return spine, True

    def borrow(self, other: KeptImages) -> bool:
        """Take over case and anatomy of another plan; whether both have the same images and levels."""
        if not (other.ready and other.state() == self.state()):
            return False
        self._case, self._spine, self._state = other._case, other._spine, other._state
        return True

    def compare(self, plan: CasePlan) -> Agreement:
        """How a plan agrees with the anatomy at hand; remembered."""
        assert self._spine is not None
        self._agreement, self._agreed_on = agreement(plan, self._spine), self._state
        return self._agreement

    @property
    def agreed(self) -> Agreement:
        """What :meth:`compare` found for the images as they are now; nothing where they are others."""
        found = self._agreement
        told = found.elsewhere or found.changed  # asked at every step of a drag: the state is a look at every segment
        return found if not told or self._agreed_on == self.state() else Agreement()

    def close(self) -> None:
        """Let go of the images."""
        self._case = self._spine = self._state = None

    def _read(self, options: Any) -> Case:
        ct, segmentation = (node_of(self.parameter_node, role) for role in (roles.CT, roles.SEGMENTATION))
        if segmentation is None:
            raise InputError("No segmentation is chosen; choose the vertebra segmentation or label map.")
        return case_of_nodes(self.engine, ct, segmentation, options, corrections(self.parameter_node))


def refuse_closed(parameter_node: Any) -> None:
    """Events are handled while a step is computed: where the scene was closed there is nothing to go on with."""
    if parameter_node.GetScene() is None:
        raise PlanningCancelled
