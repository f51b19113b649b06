"""Analytic vertebrae and the real spines for the tests of the access."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from real_spines import NAMES, real_case, real_spine
from VertebralAugmentationPlannerLib.model import Case, Image, Inputs


@pytest.fixture(scope="session")
def label_case() -> Case:
    """A case without CT, whose label map is empty around the analytic vertebra."""
    labels = Image(np.zeros((4, 4, 4), np.int16), np.eye(4))
    return Case(ct=None, labels=labels, level_values={"L1": 20}, inputs=Inputs(None, None))


@pytest.fixture(scope="session")
def real_spines() -> dict:
    """Case and spine of the VerSe folders, by folder name."""
    return {name: (real_case(name), real_spine(name)) for name in NAMES}
