"""The folded boxes: margins to keep and assumptions, both editable and kept with the scene."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..model import Assumptions, Margins
from ..scene.numbers import readAssumptions, readMargins, writeAssumptions, writeMargins
from ..scene.ui_support import tr as _
from .section import Section

if TYPE_CHECKING:
    from .panel import PlannerPanel

PERCENT = 100.0


class NumbersSection(Section):
    """Spin boxes for every margin and assumption."""

    def __init__(self, panel: PlannerPanel) -> None:
        super().__init__(panel, panel.ui.marginsCollapsibleButton)
        ui = self.ui
        self._margins = {
            "pedicle_wall_mm": (ui.pedicleMarginSpinBox, 1.0),
            "canal_mm": (ui.canalMarginSpinBox, 1.0),
            "endplate_mm": (ui.endplateMarginSpinBox, 1.0),
            "anterior_wall_mm": (ui.anteriorMarginSpinBox, 1.0),
            "lateral_wall_mm": (ui.lateralMarginSpinBox, 1.0),
            "neighbour_mm": (ui.neighbourMarginSpinBox, 1.0),
        }
        self._assumptions = {
            "restoration_fraction": (ui.restorationSpinBox, PERCENT),
            "bone_volume_fraction": (ui.boneFractionSpinBox, PERCENT),
            "interdigitation_ml": (ui.interdigitationSpinBox, 1.0),
            "bone_filler_ml": (ui.fillerSpinBox, 1.0),
            "cement_ceiling_fraction": (ui.ceilingSpinBox, PERCENT),
        }
        for box, _scale in self._margins.values():
            box.connect("valueChanged(double)", self.onMargin)
        for box, _scale in self._assumptions.values():
            box.connect("valueChanged(double)", self.onAssumption)

    def refresh(self) -> None:
        margins, assumptions = self._values()
        for boxes, values in ((self._margins, margins), (self._assumptions, assumptions)):
            for name, (box, scale) in boxes.items():
                if _differs(box, scale, getattr(values, name)):  # a box that is written to loses what is being typed
                    box.value = scale * getattr(values, name)
                box.enabled = self.node is not None
        self.button.text = self._title + ("" if margins == Margins() else _(" – changed"))

    def _values(self) -> tuple[Margins, Assumptions]:
        if not self.node:
            return Margins(), Assumptions()
        return readMargins(self.node), readAssumptions(self.node)

    def onMargin(self) -> None:
        if not self.panel.quiet and self.node:
            self._keep(writeMargins, readMargins(self.node), self._margins)

    def onAssumption(self) -> None:
        if not self.panel.quiet and self.node:
            self._keep(writeAssumptions, readAssumptions(self.node), self._assumptions)

    def _keep(self, write: Any, values: Any, boxes: dict[str, tuple[Any, float]]) -> None:
        """Write only what the user changed: a spin box shows fewer decimals than a value may have."""
        changes = {
            name: box.value / scale
            for name, (box, scale) in boxes.items()
            if _differs(box, scale, getattr(values, name))
        }
        if changes:
            write(self.node, replace(values, **changes))
            self.panel.refresh()


def _differs(box: Any, scale: float, value: float) -> bool:
    """Whether a spin box shows another value, as far as its decimals tell."""
    return abs(box.value / scale - value) > 0.5 * 10**-box.decimals / scale
