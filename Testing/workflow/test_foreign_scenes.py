"""Scenes that another version of the module, or its user, left behind."""

from __future__ import annotations

import logging
from typing import Any

import pytest


@pytest.fixture
def told(caplog: Any) -> Any:
    """What was shown as an error: in testing mode a dialog is a line in the log."""
    return lambda: [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


def test_a_choice_that_is_not_known_here_becomes_the_default_and_is_named(
    a_widget: Any, a_module: Any, a_slicer: Any, told: Any
) -> None:
    """A combo box cannot show it: binding the panel to it failed, and nothing worked any more."""
    a_widget.ui.demoButton.click()
    a_module.exit()
    plain = a_widget.panel.parameterNode.parameterNode
    for name, value in (("cannula", "9G"), ("etiology", "myeloma"), ("balloon", "Newer 40/9"), ("targetFill", "lots")):
        plain.SetParameter(name, value)
    a_module.enter()
    a_slicer.app.processEvents()
    node = a_widget.panel.parameterNode
    assert (node.cannula, node.etiology, node.balloon, node.targetFill) == ("auto", "osteoporotic", "auto", 0.3)
    assert a_widget.ui.measureButton.enabled and a_widget._guiTag is not None
    (message,) = [message for message in told() if "Not known here" in message]
    assert "cannula “9G” (auto instead)" in message and "balloon “Newer 40/9”" in message
    a_widget.ui.cannulaComboBox.setCurrentIndex(2)
    assert node.cannula == "10G"


def test_a_balloon_written_in_other_capitals_is_shown(a_widget: Any, a_module: Any) -> None:
    name = a_widget.ui.balloonComboBox.itemText(1)
    a_module.exit()
    a_widget.panel.parameterNode.parameterNode.SetParameter("balloon", name.lower())
    a_module.enter()
    assert a_widget.panel.parameterNode.balloon == name
    assert a_widget.ui.balloonComboBox.currentText == name
