"""Images and levels: what is planned on, and which segment is which vertebra."""

from __future__ import annotations

from typing import Any

from ..model import InputError
from . import level_table, outdated, roles
from .changes import Change
from .level_names import draw_level_names
from .level_table import SegmentRow
from .logic_base import LogicBase
from .references import node_of, set_node
from .segments import require_voxels
from .volumes import image_from_volume, is_label_map, is_segmentation, node_to_world

NO_SEGMENTATION = "Choose the vertebra segmentation or label map."


class InputsLogic(LogicBase):
    """The first section of the panel."""

    def setInputs(self, parameterNode: Any, ct: Any, segmentation: Any) -> None:
        """Choose the CT (scalar volume or None) and the segmentation (segmentation or label map node)."""
        self._beforeChange(parameterNode)
        changed = node_of(parameterNode, roles.SEGMENTATION) is not segmentation
        set_node(parameterNode, roles.CT, ct)
        set_node(parameterNode, roles.SEGMENTATION, segmentation)
        if changed:
            level_table.set_corrections(parameterNode, {})  # they name segments of the old segmentation
        self._afterChange(parameterNode)
        self._followLevelNames(parameterNode)
        self._tell(parameterNode, Change("inputs"))

    def segmentTable(self, parameterNode: Any) -> list[SegmentRow]:
        """One row for each segment or label value, from head to foot. Empty where no segmentation is chosen."""
        segmentation = node_of(parameterNode, roles.SEGMENTATION)
        if segmentation is None:
            return []
        parts, centres = self._looked.parts(segmentation), self._looked.centres(segmentation)
        return level_table.rows(parts, centres, level_table.corrections(parameterNode))

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

    def isOutdated(self, parameterNode: Any) -> bool:
        """Whether the plan is of other images or level names than those chosen now: nothing is planned on it then."""
        return self._session(parameterNode).outdated

    def _beforeChange(self, parameterNode: Any) -> None:
        session = self._session(parameterNode)
        if session.plan is not None and not session.outdated:
            outdated.mark_if_unknown(parameterNode)

    def _afterChange(self, parameterNode: Any) -> None:
        session = self._session(parameterNode)
        if session.plan is not None:
            outdated.mark_if_unknown(parameterNode)  # a plan from a file gets its images
            session.tell_outdated()

    def _refuseOutdated(self, parameterNode: Any) -> None:
        if self.isOutdated(parameterNode):
            raise InputError(outdated.OUTDATED)

    def _parts(self, parameterNode: Any) -> list[Any]:
        segmentation = node_of(parameterNode, roles.SEGMENTATION)
        if segmentation is None:
            raise InputError(NO_SEGMENTATION)
        return self._looked.parts(segmentation)

    def _correct(self, parameterNode: Any, table: dict[str, str]) -> None:
        self._beforeChange(parameterNode)
        level_table.set_corrections(parameterNode, table)
        self._afterChange(parameterNode)
        self._followLevelNames(parameterNode)
        self._tell(parameterNode, Change("levels"))

    def _followLevelNames(self, parameterNode: Any) -> None:
        """Where names are shown, bring them to the segments chosen now; none are left of segments that cannot be read."""
        if node_of(parameterNode, roles.LEVEL_NAME) is None:
            return
        try:
            self.showLevelNames(parameterNode, True)
        except InputError:  # told by checkInputs, which everything asks that goes on from here
            self.showLevelNames(parameterNode, False)

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
            require_voxels(segmentation)
            table = level_table.corrections(parameterNode)
            levels = [
                name for name in level_table.levels_in_force(self._looked.parts(segmentation), table).values() if name
            ]
        except InputError as error:
            return False, str(error)
        if not levels:
            return False, "No segment is a vertebra T1–L6; name the levels in the table."
        twice = sorted({name for name in levels if levels.count(name) > 1})
        if twice:
            return False, f"Two segments are called {twice[0]}; correct one of them in the table of levels."
        return True, ""
