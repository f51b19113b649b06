"""A label that lost layers of voxels between two parts is no whole vertebra, and says so; a gap that leaves the arch whole is none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from VertebralAugmentationPlannerLib.anatomy import build_spine
from VertebralAugmentationPlannerLib.case import load_case
from VertebralAugmentationPlannerLib.model import Case, Image

SAMPLE = Path(__file__).resolve().parents[3] / "sample_data" / "t12-wedge"


@pytest.fixture(scope="module")
def sample() -> Case:
    return load_case(SAMPLE / "ct.nii.gz", SAMPLE / "labels.nii.gz")


def layers_of(case: Case, level: str) -> tuple[int, np.ndarray]:
    """The voxel axis from foot to head, and the layers along it that the level's body has."""
    axis = int(np.argmax(np.abs(case.labels.ijk_to_ras[2, :3])))
    mask = case.labels.voxels == case.level_values[level]
    area = mask.sum(axis=tuple(other for other in range(3) if other != axis))
    return axis, np.flatnonzero(area > 0.5 * area.max())


def without(case: Case, level: str, axis: int, first: int, count: int) -> Case:
    voxels = case.labels.voxels.copy()
    layers = np.moveaxis(voxels, axis, 0)[first : first + count]
    layers[layers == case.level_values[level]] = 0
    return replace(case, labels=Image(voxels, case.labels.ijk_to_ras))


@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize(
    ("at", "count", "says"), [(0.5, 1, "lacks a layer"), (0.25, 2, "lacks 2 layers"), (0.9, 3, "lacks 3")]
)
def test_layers_lost_in_a_body_make_it_incomplete(sample, at, count, says, flipped):
    axis, body = layers_of(sample, "L1")
    case = without(sample, "L1", axis, int(np.quantile(body, at)), count)
    if flipped:
        labels = case.labels
        to_ras = labels.ijk_to_ras.copy()
        to_ras[:3, 3] = labels.to_ras(np.eye(3)[axis] * (labels.voxels.shape[axis] - 1))
        to_ras[:3, axis] *= -1
        case = replace(case, labels=Image(np.flip(labels.voxels, axis), to_ras))
    spine = build_spine(case, ("T12", "L1"))
    assert spine.vertebrae["T12"].complete
    reason = spine.vertebrae["L1"].incomplete_reason
    assert says in reason and f"({count * case.labels.spacing_mm[axis]:.1f} mm)" in reason


def test_the_tip_of_a_spinous_process_may_be_apart(sample):
    axis, _ = layers_of(sample, "L1")
    mask = np.moveaxis(sample.labels.voxels == sample.level_values["L1"], axis, 0)
    upward = sample.labels.ijk_to_ras[2, axis] > 0
    held = np.flatnonzero(mask.any(axis=(1, 2)))
    lowest = held[3] if upward else held[-4]
    assert build_spine(without(sample, "L1", axis, int(lowest), 1), ("L1",)).vertebrae["L1"].complete


def test_a_stray_voxel_in_each_lost_layer_makes_no_whole_vertebra(sample):
    axis, body = layers_of(sample, "L1")
    first, value = int(np.quantile(body, 0.25)), sample.level_values["L1"]
    case = without(sample, "L1", axis, first, 2)
    before, after = (np.moveaxis(one.labels.voxels, axis, 0) for one in (sample, case))
    for layer in (first, first + 1):
        place = tuple(np.argwhere(before[layer] == value)[0])
        after[layer][place] = value
    assert "lacks 2 layers" in build_spine(case, ("L1",)).vertebrae["L1"].incomplete_reason
