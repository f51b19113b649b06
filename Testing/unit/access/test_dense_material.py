"""Metal and cement of an earlier operation in a needle's way."""

from dataclasses import replace

import numpy as np
import pytest
from analytic import vertebra
from planned import WIDE, ct_with, plan
from VertebralAugmentationPlannerLib.access import path_warnings, reevaluate
from VertebralAugmentationPlannerLib.access.metal import in_the_way
from VertebralAugmentationPlannerLib.measurement.materials import CEMENT_SOURCE
from VertebralAugmentationPlannerLib.model import CANNULAS, Image, PlanOptions


def test_a_needle_through_a_screw_is_refused_with_its_length_and_the_other_side_is_planned(label_case):
    free = plan(label_case, approach="bilateral")
    needle = free.trajectories[0]
    case = replace(label_case, ct=ct_with((needle.entry_ras, needle.target_ras)))
    access = plan(case, approach="bilateral")
    assert access.approach == "unilateral-right" and list(access.skipped_sides) == ["left"]
    assert "the CT shows it (a screw" in access.skipped_sides["left"]
    moved = reevaluate(
        vertebra(WIDE), case, "left", needle.entry_ras, needle.target_ras, CANNULAS[needle.cannula], PlanOptions()
    )
    assert moved.safety == "breach" and "of its way lie in metal" in moved.compromise


def test_a_rod_behind_the_bone_and_earlier_cement_in_it_are_told_of(label_case):
    needle = plan(label_case, approach="unilateral-left").trajectories[0]
    entry, target = np.array(needle.entry_ras), np.array(needle.target_ras)
    behind = entry - 15.0 * (target - entry) / np.linalg.norm(target - entry)
    rod = ct_with((behind - [0, 0, 20], behind + [0, 0, 20]))
    cement = ct_with((target - [4, 0, 0], target + [4, 0, 0]), hu=2100)
    for ct, code, severity in ((rod, "metal_on_the_way", "stop"), (cement, "cement_on_the_way", "caution")):
        told = path_warnings("L1", replace(label_case, ct=ct), needle)
        told = [one for one in told if one.code.endswith("_on_the_way")]
        assert [(one.code, one.severity) for one in told] == [(code, severity)]
    assert told[0].source == CEMENT_SOURCE  # that of cement in the body


@pytest.mark.parametrize("hu", [2500.0, 1900.0])
def test_a_screw_in_a_ct_cut_off_below_metal_is_one_by_where_it_lies(label_case, hu):
    """Titanium of 3 mm blurred by a voxel, or a CT cut off at 2500 HU, reads as cement does; cement lies in bodies."""
    needle = plan(label_case, approach="bilateral").trajectories[0]
    entry, target = np.array(needle.entry_ras), np.array(needle.target_ras)
    screw = replace(label_case, ct=ct_with((entry, target), hu=hu))
    access = plan(screw, approach="bilateral")
    assert access.approach == "unilateral-right"
    assert access.skipped_sides["left"].startswith("Metal or cement lies in the left needle’s way")
    moved = reevaluate(vertebra(WIDE), screw, "left", entry, target, CANNULAS[needle.cannula], PlanOptions())
    assert moved.safety == "breach" and "of its way lie in metal or cement" in moved.compromise
    in_the_body = replace(label_case, ct=ct_with((target - 0.3 * (target - entry), target), hu=hu))
    assert plan(in_the_body, approach="bilateral").approach == "bilateral"


def test_a_bright_grain_in_earlier_cement_is_no_screw(label_case):
    needle = plan(label_case, approach="unilateral-left").trajectories[0]
    entry, target = np.array(needle.entry_ras), np.array(needle.target_ras)
    cement = ct_with((target - 12.0 * (target - entry) / np.linalg.norm(target - entry), target), hu=1900)
    grain = tuple(np.rint(cement.to_ijk(target - 6.0 * (target - entry) / np.linalg.norm(target - entry))).astype(int))
    radius = needle.cannula_outer_diameter_mm / 2
    for bright, blocks in ((0, False), (2, True)):
        voxels = cement.voxels.copy()
        i, j, k = grain
        voxels[i - bright : i + bright + 1, j - bright : j + bright + 1, k - bright : k + bright + 1] = 2850
        found = in_the_way(Image(voxels, cement.ijk_to_ras), entry, target, radius)
        assert found.blocks == blocks and found.is_cement != blocks and found.dense_mm > 10
        assert (found.length_mm < found.dense_mm) == blocks


@pytest.mark.parametrize("depth_mm", [3.0, 8.0])
def test_a_needle_through_the_side_of_a_body_with_cement_is_a_breach(label_case, depth_mm):
    """It enters in front of the posterior wall: no part of its way is in a pedicle."""
    entry, target = np.array([30.0, depth_mm, 0.0]), np.array([2.0, depth_mm + 2.0, 0.0])
    case = replace(label_case, ct=ct_with((target, target + [12.0, 0.0, 0.0]), hu=2100))
    moved = reevaluate(vertebra(WIDE), case, "right", entry, target, CANNULAS["11G"], PlanOptions())
    assert moved.safety == "breach"
