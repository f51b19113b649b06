"""The real spines of the VerSe collection: read, built and measured once for all tests of a process."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import pytest
from VertebralAugmentationPlannerLib.anatomy import build_spine
from VertebralAugmentationPlannerLib.case import load_case
from VertebralAugmentationPlannerLib.measurement import MeasuredLevel, measure_spine
from VertebralAugmentationPlannerLib.model import Case, PlanOptions, Spine

DATA = Path(os.environ.get("VAP_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
"""The environment variable VAP_DATA, else ``shared/data`` beside the repository."""

NAMES = ("verse004", "verse005", "verse008")
"""The first has labels alone."""

OPTIONS = PlanOptions(labels="verse")


def folder_of(name: str) -> Path:
    """Where a case lies; the test is skipped where it doesn't."""
    folder = DATA / name
    if not folder.is_dir():
        pytest.skip(f"{name} is not here; set VAP_DATA to the folder of real spines")
    return folder


@cache
def real_case(name: str) -> Case:
    """A case with its CT, where it has one."""
    folder = folder_of(name)
    ct = folder / "ct.nii.gz"
    return load_case(ct if ct.exists() else None, folder / "vertebrae.nii.gz", OPTIONS)


@cache
def real_spine(name: str) -> Spine:
    """The anatomy of all its levels."""
    return build_spine(real_case(name))


@cache
def real_levels(name: str) -> dict[str, MeasuredLevel]:
    """Its measured levels."""
    return measure_spine(real_spine(name), real_case(name), OPTIONS)
