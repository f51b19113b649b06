"""Cases for the anatomy room: phantoms on chosen grids, and the real spines where they are."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from real_spines import folder_of
from VertebralAugmentationPlannerLib.model import Case, Image
from VertebralAugmentationPlannerLib.sample import SAMPLES, TOTALSEGMENTATOR, make_case

sys.path.insert(0, str(Path(__file__).parent))
from anatomy_readings import VERSE, labels_only  # noqa: E402


@pytest.fixture(scope="session")
def phantom_case() -> Callable[..., tuple[Case, dict]]:
    """Case and truth of a sample phantom; keywords as of ``make_case``. Each is drawn once: its voxels can't be written."""

    @cache
    def drawn(name: str, grid: tuple[tuple[str, object], ...]) -> tuple[Case, dict]:
        _, labels, truth = make_case(SAMPLES[name].build(), with_ct=False, margin_mm=12.0, **dict(grid))
        labels.voxels.setflags(write=False)
        return labels_only(labels, TOTALSEGMENTATOR), truth["levels"]

    return lambda name, **grid: drawn(name, tuple(sorted(grid.items())))


@pytest.fixture(scope="session")
def verse_case() -> Callable[[str], Case]:
    """Labels of one VerSe spine."""

    def build(name: str) -> Case:
        image = sitk.ReadImage(str(folder_of(name) / "vertebrae.nii.gz"))
        flip = np.diag([-1.0, -1.0, 1.0])
        matrix = np.eye(4)
        matrix[:3, :3] = flip @ np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
        matrix[:3, 3] = flip @ np.array(image.GetOrigin())
        voxels = sitk.GetArrayFromImage(image).transpose(2, 1, 0).astype(np.uint8)
        return labels_only(Image(voxels, matrix), VERSE)

    return build
