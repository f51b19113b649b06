"""Phantoms shared by the tests of the sample room, and the package on the path."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "VertebralAugmentationPlanner"))

from VertebralAugmentationPlannerLib.model import LEVELS  # noqa: E402
from VertebralAugmentationPlannerLib.sample import SpinePhantom, healthy_spine  # noqa: E402


@pytest.fixture(scope="session")
def whole_spine() -> SpinePhantom:
    """T1–L5, unfractured."""
    return healthy_spine([level for level in LEVELS if level not in ("T13", "L6")])


@pytest.fixture(scope="session")
def lumbar() -> SpinePhantom:
    """T12–L2 with an L1 wedge fracture of 30 %."""
    phantom = healthy_spine(("T12", "L1", "L2"))
    return phantom.changed("L1", phantom.shape("L1").broken(wedge=0.30, superior_share=0.7))
