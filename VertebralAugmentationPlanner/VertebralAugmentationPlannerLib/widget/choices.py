"""Readable words for the contract's words in the combo boxes. What is stored stays the contract's word.

``connectGui`` fills a combo box with the words of ``Choice`` and binds it by position
(Slicer ``parameterNodeWrapper/guiConnectors.py``, ``QComboBoxToStringableConnector``), so that the texts may be changed
afterwards.
"""

from __future__ import annotations

from typing import Any

import qt

from ..model import CANNULAS
from ..scene.ui_support import tr as _


def _gauge(cannula: str) -> str:
    return _("{cannula}, {diameter:g} mm").format(cannula=cannula, diameter=CANNULAS[cannula].outer_diameter_mm)


def choice_words() -> dict[str, dict[str, tuple[str, str]]]:
    """By combo box: for each stored word the words shown and an explanation."""
    gauge_tip = _("Gauge and outer diameter of the access cannula.")
    return {
        "procedureComboBox": {
            "kyphoplasty": (_("kyphoplasty"), _("A balloon is inflated first, then its cavity is filled.")),
            "vertebroplasty": (_("vertebroplasty"), _("Cement alone, no balloon.")),
        },
        "approachComboBox": {
            "auto": (
                _("automatic: 1 or 2"),
                _("One needle where one reaches far enough, else two; the reason is told."),
            ),
            "unilateral": (_("1, better side"), _("One needle, on the side with the better path.")),
            "unilateral-left": (_("1, left"), _("One needle, from the patient’s left.")),
            "unilateral-right": (_("1, right"), _("One needle, from the patient’s right.")),
            "bilateral": (_("2, both sides"), _("A needle on each side.")),
        },
        "cannulaComboBox": {
            "auto": (_("automatic"), _("The thickest usual for the procedure that keeps every margin.")),
            **{cannula: (_gauge(cannula), gauge_tip) for cannula in CANNULAS},
        },
        "etiologyComboBox": {
            "osteoporotic": (_("osteoporotic"), _("Fragility fracture.")),
            "traumatic": (_("traumatic"), _("Fracture of sound bone; two needles, and a caution.")),
            "tumour": (_("tumour"), _("Osteolysis or metastasis; a caution on destroyed walls.")),
        },
    }


def show_words(ui: Any) -> None:
    """Put the readable words into the combo boxes; to be called after each ``connectGui``."""
    for name, words in choice_words().items():
        combo = getattr(ui, name)
        for index in range(combo.count):
            if combo.itemText(index) in words:
                text, tip = words[combo.itemText(index)]
                combo.setItemText(index, text)
                combo.setItemData(index, tip, qt.Qt.ToolTipRole)


def fill(combo: Any, texts: list[str], current: str) -> None:
    """Offer these texts, with this one current where it is among them."""
    if [combo.itemText(index) for index in range(combo.count)] != texts:
        combo.clear()
        combo.addItems(texts)
    index = texts.index(current) if current in texts else -1
    if combo.currentIndex != index:
        combo.setCurrentIndex(index)
