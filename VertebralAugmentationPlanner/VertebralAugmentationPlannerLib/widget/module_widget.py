"""The module's widget, apart from the base classes that only the application has.

The module file joins it with ``ScriptedLoadableModuleWidget`` and ``VTKObservationMixin``.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from vtk import vtkCommand

from ..scene.ui_support import childWidgets, loadUi, observeNodeSelectors, observeScene, removeNode

if TYPE_CHECKING:
    from .panel import PlannerPanel


class PlannerWidget:
    """Life of the panel: set up, entered, left, scene closed, cleaned up.

    Subclasses give ``makeLogic()`` and the base classes named above. ``logic`` may be handed to the constructor, so
    that a test can put another in.
    """

    uiFile = "UI/VertebralAugmentationPlanner.ui"
    logic: Any
    parent: Any
    layout: Any
    panel: PlannerPanel | None = None
    _parameterNode: Any = None
    _guiTag: int | None = None
    _reading = False
    """Whether a scene is being read, until this widget has followed."""

    def makeLogic(self) -> Any:
        """The logic to work with."""
        raise NotImplementedError

    def setup(self) -> None:
        """Load the .ui file, wire the panel, find or make the parameter node."""
        from .panel import PlannerPanel  # with all that it needs: Slicer's start need not wait for it

        super().setup()  # type: ignore[misc]
        self._uiWidget = loadUi(self.resourcePath(self.uiFile))  # type: ignore[attr-defined]
        self.layout.addWidget(self._uiWidget)
        self.ui = childWidgets(self._uiWidget)
        if self.logic is None:
            self.logic = self.makeLogic()
        self.panel = PlannerPanel(self.ui, self.logic, self.parent)
        self.panel.chooser.choose = self.choosePlan
        observeScene(self, self.onSceneStartClose, self.onSceneEndClose, self.onSceneEndImport)
        observeNodeSelectors(self, self.onSelectorsMoving, self.onSelectorsMoved)
        self.initializeParameterNode()

    def cleanup(self) -> None:
        """The module is closed or reloaded: leave no observer behind, however far ``setup`` came."""
        self.setParameterNode(None)
        self.removeObservers()  # type: ignore[attr-defined]
        if self.panel is not None:
            self.panel.close()
            self.panel = None
        if self.logic is not None:
            self.logic.cleanup()

    def onReload(self) -> None:
        """The developer's Reload button: Slicer reads the module file again, and here the package, too."""
        package = __name__.partition(".")[0]
        for name in [name for name in sys.modules if name.partition(".")[0] == package]:
            del sys.modules[name]
        super().onReload()  # type: ignore[misc]

    def enter(self) -> None:
        """The user opened the module."""
        self.initializeParameterNode()

    def exit(self) -> None:
        """The user went to another module: widgets need not follow parameters there."""
        self._disconnectGui()

    def onSceneStartClose(self, caller: Any = None, event: Any = None) -> None:
        """The parameter node is about to go."""
        self.setParameterNode(None)

    def onSceneEndClose(self, caller: Any = None, event: Any = None) -> None:
        """Start afresh where the module is on screen."""
        if self.parent.isEntered:
            self.initializeParameterNode()

    def onSceneEndImport(self, caller: Any = None, event: Any = None) -> None:
        """A scene was read: go on with the plan it brought, rather than with the empty one made for the empty scene."""
        self._reading = False
        self.panel.images.follow(True)
        self.panel.refresh()  # the selectors fell back to “None”
        if self.parent.isEntered:
            self.panel.prepareSoon()
        current = self._parameterNode
        if current is None:
            return
        empty = self.logic.currentPlan(current) is None and current.segmentation is None
        theirs = self._planOf(current) if empty else None
        if theirs is None:
            self.logic.choosePlan(current)  # what the scene brought is hidden
            return
        self._workOn(theirs)
        removeNode(current.parameterNode)
        self.panel.refresh()  # it is offered no more

    def _planOf(self, empty: Any) -> Any:
        """In place of an empty plan, the one that was worked on when the scene was saved, else its first; None without."""
        found = [type(empty)(node) for node in self.logic.planNodes() if node is not empty.parameterNode]
        found = [theirs for theirs in found if self.logic.currentPlan(theirs) or theirs.segmentation]
        return min(found, key=lambda theirs: not self.logic.isChosen(theirs), default=None)

    def onSelectorsMoving(self, caller: Any, event: Any = None) -> None:
        """A node is about to be removed, or a scene to be read: what the selectors do now is nobody's choice."""
        self._reading = self._reading or bool(caller.IsImporting())
        self.panel.images.follow(False)

    def onSelectorsMoved(self, caller: Any, event: Any = None) -> None:
        """The node is gone; the parameter node tells next if it was one of the images.

        Not while a scene is read: others remove nodes when it has been, before the selectors have fallen back.
        """
        self.panel.images.follow(not self._reading)
        if self._parameterNode is not None and not self._isThere(self._parameterNode):
            self.logic.later(self.leaveDeleted)  # no node is made within another's removal

    def leaveDeleted(self) -> None:
        """Go on without a plan that was deleted by hand: nothing of it may stay on the panel."""
        if self.panel is None or self._parameterNode is None or self._isThere(self._parameterNode):
            return
        self.setParameterNode(None)
        if self.parent.isEntered:
            self.initializeParameterNode()

    def _isThere(self, parameterNode: Any) -> bool:
        return any(node is parameterNode.parameterNode for node in self.logic.planNodes())

    def initializeParameterNode(self) -> None:
        """Go on with the plan that was chosen; without one use the scene's first, or a new one."""
        current, chosen = self._parameterNode, self.logic.chosenPlan()
        first = current if current is not None and self._isThere(current) else self.logic.getParameterNode()
        self.logic.restoreLeftViews()  # of a scene that was read before the module was opened
        self._workOn(first if first is current or chosen is None else type(first)(chosen))
        if self.panel is not None:
            self.panel.prepareSoon()  # a plan that came with a scene: the first drag must not wait for its anatomy

    def choosePlan(self, node: Any) -> None:
        """Work on another plan of the scene; what the plan before drew is hidden."""
        before = self._parameterNode
        if before is None or node is before.parameterNode or self.panel is None:
            return
        self.setParameterNode(type(before)(node))
        self.logic.choosePlan(node)
        self.panel.startLevel(True)
        self.panel.prepareSoon()

    def _workOn(self, parameterNode: Any) -> None:
        """Work on a plan, and let it alone be seen: a needle of another would be dragged without a word from the panel."""
        before = self._parameterNode
        self.setParameterNode(parameterNode)
        if self.panel is None:
            return
        shown = self.logic.choosePlan(parameterNode)
        if before is None or before.parameterNode is not parameterNode.parameterNode:
            self.panel.openReached()
        self.panel.startLevel(shown)

    def setParameterNode(self, parameterNode: Any) -> None:
        """Bind the panel to a parameter node wrapper, or to none."""
        self._disconnectGui()
        self._parameterNode = parameterNode
        if self.panel is None:
            return
        if parameterNode is not None:
            self.panel.tellSoon(self.logic.replaceUnknownChoices(parameterNode))  # they could not be shown
            with self.panel.writing():
                self._guiTag = parameterNode.connectGui(self.ui)
                self.panel.showWords()
            self.addObserver(  # type: ignore[attr-defined]
                parameterNode.parameterNode, vtkCommand.ModifiedEvent, self.onParameterNodeModified
            )
        self.panel.setParameterNode(parameterNode)

    def onParameterNodeModified(self, caller: Any = None, event: Any = None) -> None:
        """A choice changed, in the panel or elsewhere."""
        if self.panel is not None:
            self.panel.refresh()

    def _disconnectGui(self) -> None:
        if self._parameterNode is None or self._guiTag is None:
            return
        self._parameterNode.disconnectGui(self._guiTag)
        self._guiTag = None
        self.removeObserver(  # type: ignore[attr-defined]
            self._parameterNode.parameterNode, vtkCommand.ModifiedEvent, self.onParameterNodeModified
        )
