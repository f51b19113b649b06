"""The .ui file: complete, narrow enough, and bound to parameters that exist."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
UI_FILE = REPOSITORY / "VertebralAugmentationPlanner/Resources/UI/VertebralAugmentationPlanner.ui"
MODULE_FILE = REPOSITORY / "VertebralAugmentationPlanner" / "VertebralAugmentationPlanner.py"
NARROW_PX = 400
PLAIN = ("QLabel", "ctkCollapsibleButton", "qMRMLWidget", "QWidget")


def widgets() -> list[tuple[str, str, ElementTree.Element]]:
    root = ElementTree.parse(UI_FILE).getroot()
    return [(item.get("class", ""), item.get("name", ""), item) for item in root.iter("widget")]


def text_of(widget: ElementTree.Element, name: str) -> str:
    found = widget.find(f"property[@name='{name}']/string")
    return (found.text or "") if found is not None else ""


def test_names_are_unique() -> None:
    names = [name for _, name, _ in widgets()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("item", [item for item in widgets() if item[0] not in PLAIN], ids=lambda item: item[1])
def test_every_control_explains_itself_in_its_tooltip(item: tuple[str, str, ElementTree.Element]) -> None:
    assert len(text_of(item[2], "toolTip")) > 10


def test_bound_parameters_exist_in_the_parameter_node() -> None:
    bound = {text_of(widget, "SlicerParameterName") for *_, widget in widgets()} - {""}
    declared = set(re.findall(r"^    (\w+): ", MODULE_FILE.read_text(encoding="utf-8"), re.MULTILINE))
    assert bound and bound <= declared


def test_every_control_is_used_by_the_panel() -> None:
    room = MODULE_FILE.parent / "VertebralAugmentationPlannerLib" / "widget"
    code = "\n".join(path.read_text(encoding="utf-8") for path in sorted(room.glob("*.py")))
    controls = [name for kind, name, _ in widgets() if kind not in PLAIN]
    assert [name for name in controls if name not in code] == []


def test_the_c_arms_sliders_reach_as_far_as_its_presets(a_panel: Any) -> None:
    from VertebralAugmentationPlannerLib.scene.fluoroscopy import REACH_DEG

    for slider, reach in zip((a_panel.ui.rotationSlider, a_panel.ui.tiltSlider), REACH_DEG, strict=True):
        assert (slider.minimum, slider.maximum) == (-reach, reach)


def test_each_node_selector_is_given_the_scene() -> None:
    root = ElementTree.parse(UI_FILE).getroot()
    selectors = {name for kind, name, _ in widgets() if kind == "qMRMLNodeComboBox"}
    assert selectors == {wire.findtext("receiver") for wire in root.iter("connection")}


def test_the_panel_fits_a_narrow_column(a_panel: Any) -> None:
    native = a_panel.widget._native
    assert native.minimumSizeHint().width() <= NARROW_PX


def test_every_control_is_in_the_user_guide() -> None:
    guide = (REPOSITORY / "docs" / "user-guide.md").read_text(encoding="utf-8")
    titles = [text_of(widget, "text") for kind, _, widget in widgets() if kind in ("QPushButton", "QCheckBox")]
    missing = [title for title in titles if title.strip("▲▼ ").replace("this level", "") not in guide]
    assert missing == []


def test_pictures_of_the_docs_exist() -> None:
    for page in ("user-guide.md", "tutorial.md"):
        text = (REPOSITORY / "docs" / page).read_text(encoding="utf-8")
        for picture in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", text):
            assert (Path(REPOSITORY) / "docs" / picture).is_file(), picture


def test_the_tab_key_leads_out_of_every_table() -> None:
    tables = [widget for kind, _, widget in widgets() if kind == "QTableWidget"]
    assert len(tables) == 4
    for table in tables:
        assert table.findtext("property[@name='tabKeyNavigation']/bool") == "false"
