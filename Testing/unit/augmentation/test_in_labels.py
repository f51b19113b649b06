"""Balloons in a phantom spine and in real ones lie in the bone of their own label, whatever shape it has."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from blocks import Block, needle
from real_spines import real_case, real_spine
from VertebralAugmentationPlannerLib.anatomy import build_spine
from VertebralAugmentationPlannerLib.augmentation import plan_augmentation, spheroid_points
from VertebralAugmentationPlannerLib.case import load_case
from VertebralAugmentationPlannerLib.model import PlanOptions
from VertebralAugmentationPlannerLib.sample import healthy_spine, make_case


@cache
def broken_spine():
    """T12 with a wedge of 40 % beside L1 with a crush of 30 % and a bulging posterior wall."""
    phantom = healthy_spine(("T11", "T12", "L1"), anchor="T12", seed=5)
    phantom = phantom.changed("T12", phantom.shape("T12").broken(wedge=0.40, superior_share=0.85))
    phantom = phantom.changed("L1", phantom.shape("L1").broken(crush=0.30, retropulsion_mm=3.0))
    _, labels, _ = make_case(phantom, with_ct=False, margin_mm=8.0)
    case = load_case(None, labels, PlanOptions(labels="totalsegmentator"))
    return case, build_spine(case, ("T12", "L1"))


def real(name):
    return real_case(name), real_spine(name)


def straight_needles(vertebra, reach=0.75):
    """From behind each pedicle through its centre to the anterior part of the body, a fifth of the width aside."""
    needles = []
    for side, pedicle in sorted(vertebra.pedicles.items()):
        x = (-1 if side == "left" else 1) * 0.2 * vertebra.width_mm
        middle = (vertebra.superior.centre + vertebra.inferior.centre) / 2
        wall, (x_axis, _, z_axis) = vertebra.posterior_wall_mm, vertebra.grid.axes
        back = wall[np.argmin(np.abs(x_axis)), np.argmin(np.abs(z_axis - middle[2]))]
        target = np.array([x, back + reach * vertebra.depth_mm, middle[2]])
        entry = target + (pedicle.centre - target) * 1.4
        points = [tuple(float(v) for v in vertebra.frame.to_ras(point)) for point in (entry, target)]
        needles.append(replace(needle(Block(), side), entry_ras=points[0], target_ras=points[1]))
    return tuple(needles)


def outside_share(case, level, balloon):
    """Share of the inflated balloon's surface that lies in another voxel than the level's own."""
    axis = np.subtract(balloon.distal_ras, balloon.proximal_ras)
    size = np.array(balloon.planned_diameter_mm), np.array(balloon.planned_length_mm)
    points = spheroid_points(np.array(balloon.centre_ras), axis, *size)
    return float((case.labels.sample(points, order=0, outside=0) != case.level_values[level]).mean())


@pytest.mark.parametrize("level", ["T12", "L1"])
def test_in_a_broken_phantom_the_balloons_stay_in_the_bone(level):
    case, spine = broken_spine()
    vertebra = spine.vertebrae[level]
    plan = plan_augmentation(vertebra, None, straight_needles(vertebra), PlanOptions())
    balloons = [trajectory.balloon for trajectory in plan.trajectories if trajectory.balloon]
    assert len(balloons) == len(vertebra.pedicles)
    for balloon in balloons:
        assert outside_share(case, level, balloon) == 0.0
        assert balloon.planned_volume_ml > 0.5
        assert balloon.planned_volume_ml == pytest.approx(
            np.pi / 6000 * balloon.planned_diameter_mm**2 * balloon.planned_length_mm, rel=1e-6
        )


@pytest.mark.parametrize(("name", "level"), [("verse005", "L2"), ("verse005", "L4"), ("verse008", "L2")])
def test_in_a_real_healthy_body_the_balloons_stay_in_the_bone(name, level):
    case, spine = real(name)
    vertebra = spine.vertebrae[level]
    plan = plan_augmentation(vertebra, None, straight_needles(vertebra), PlanOptions())
    balloons = [trajectory.balloon for trajectory in plan.trajectories if trajectory.balloon]
    assert balloons
    assert all(outside_share(case, level, balloon) == 0.0 for balloon in balloons)
    assert max(balloon.planned_volume_ml for balloon in balloons) > 1.0
    assert plan.cement.volume_ml <= 0.30 * vertebra.body_volume_ml + 1e-9


def test_a_collapsed_body_has_room_for_little_or_nothing_and_the_plan_says_why():
    case, spine = real("verse004")
    vertebra = spine.vertebrae["L1"]
    plan = plan_augmentation(vertebra, None, straight_needles(vertebra), PlanOptions())
    codes = {warning.code for warning in plan.warnings}
    for trajectory in plan.trajectories:
        if trajectory.balloon is None:
            assert "no_balloon" in codes
        else:
            assert trajectory.balloon.planned_volume_ml < 1.0
            assert "small_cavity" in codes
            assert outside_share(case, "L1", trajectory.balloon) == 0.0
    assert plan.cement is not None
