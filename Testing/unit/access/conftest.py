"""Analytic vertebrae and the real spines for the tests of the access."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from VertebralAugmentationPlannerLib.model import Case, Image, Inputs

DATA = Path(os.environ.get("VAP_DATA") or Path(__file__).resolve().parents[4] / "shared" / "data")


@pytest.fixture(scope="session")
def label_case() -> Case:
    """A case without CT, whose label map is empty around the analytic vertebra."""
    labels = Image(np.zeros((4, 4, 4), np.int16), np.eye(4))
    return Case(ct=None, labels=labels, level_values={"L1": 20}, inputs=Inputs(None, None))


@pytest.fixture(scope="session")
def real_spines() -> dict:
    """Case and spine of the VerSe folders, by folder name."""
    from VertebralAugmentationPlannerLib.anatomy import build_spine
    from VertebralAugmentationPlannerLib.case import load_case
    from VertebralAugmentationPlannerLib.model import PlanOptions

    if not DATA.is_dir():
        pytest.skip("the real spines are not here; set VAP_DATA to their folder")
    spines = {}
    for folder in ("verse004", "verse005", "verse008"):
        ct = DATA / folder / "ct.nii.gz"
        case = load_case(ct if ct.exists() else None, DATA / folder / "vertebrae.nii.gz", PlanOptions(labels="verse"))
        spines[folder] = (case, build_spine(case))
    return spines
