"""The climb on the fields: what its clearances mean, and that it comes to the top where a slope leads nowhere."""

from dataclasses import replace

import numpy as np
import pytest
from analytic import Shape, _signed, bone_inside, grid_sample, vertebra
from brute_force import best_possible, clearance_of

from VertebralAugmentationPlannerLib.access import PathEvaluator
from VertebralAugmentationPlannerLib.access.candidates import Line
from VertebralAugmentationPlannerLib.access.climb import Landscape, summits
from VertebralAugmentationPlannerLib.access.search import side_candidates
from VertebralAugmentationPlannerLib.access.side import plan_side
from VertebralAugmentationPlannerLib.model import LocalGrid, PlanOptions

UPPER_THORACIC = Shape(
    depth=17.0,
    width=24.0,
    height=17.0,
    pedicle_width=5.0,
    pedicle_height=11.0,
    pedicle_offset=9.5,
    pedicle_z=3.5,
    pedicle_convergence=25.0,
    pedicle_length=7.0,
    canal_width=14.0,
    canal_depth=14.0,
)
"""A T3 of a small woman: pedicles slim, tall and steep, a body 17 mm deep and high."""


def landscape(evaluator, reach=7.5) -> Landscape:
    return Landscape(evaluator.space, evaluator.isthmus, (-reach, reach), 1.4, 4.2)


def test_the_axis_of_a_pedicle_keeps_half_its_width_in_it():
    shape = Shape(pedicle_width=8.0, pedicle_convergence=10.0)
    evaluator = PathEvaluator(vertebra(shape), "left")
    pedicle = evaluator.space.vertebra.pedicles["left"]
    tip = pedicle.centre + 24.0 * pedicle.axis
    core, every = landscape(evaluator).clearances(pedicle.centre[None], tip[None])
    # A field on a 1 mm grid is low by up to half a voxel on its ridge, and never high.
    assert 3.5 <= core[0] <= 4.05
    assert every[0] <= core[0] + 1e-9


def test_a_line_outside_the_pedicle_is_nowhere():
    evaluator = PathEvaluator(vertebra(Shape(pedicle_width=8.0)), "left")
    pedicle = evaluator.space.vertebra.pedicles["left"]
    beside = pedicle.centre + 12.0 * evaluator.isthmus.across
    core, every = landscape(evaluator).clearances(beside[None], (beside + 20.0 * pedicle.axis)[None])
    assert core[0] < 0 and every[0] < 0


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_top_has_nearly_the_best_possible_clearance(side):
    bone = vertebra(UPPER_THORACIC)
    evaluator = PathEvaluator(bone, side)
    tops = summits(landscape(evaluator), side_candidates(evaluator, 1.4).widest(16))
    reached = float(clearance_of(bone, side, tops.core.crossing[None], tops.core.tip[None])[0])
    assert reached >= 0.9 * best_possible(bone, side, step=0.8)


def test_the_line_for_both_gives_little_of_either():
    evaluator = PathEvaluator(vertebra(UPPER_THORACIC), "left")
    land = landscape(evaluator)
    tops = summits(land, side_candidates(evaluator, 1.4).widest(16))
    of = {
        name: [float(x[0]) for x in land.clearances(line.crossing[None], line.tip[None])]
        for name, line in (("core", tops.core), ("every", tops.every), ("both", tops.both))
    }
    assert of["both"][0] >= 0.9 * of["core"][0] and of["both"][1] >= 0.9 * of["every"][1]


def test_mirrored_bones_are_climbed_alike():
    bone = vertebra(UPPER_THORACIC)
    tops = []
    for side in ("left", "right"):
        evaluator = PathEvaluator(bone, side)
        pedicle = bone.pedicles[side]
        reach = (-7.5, -3.5) if side == "left" else (3.5, 7.5)
        land = Landscape(evaluator.space, evaluator.isthmus, reach, 1.4, 4.2)
        tops.append(summits(land, [Line(pedicle.centre, pedicle.centre + 18.0 * pedicle.axis)]))
    assert tops[0].core.tip * [-1, 1, 1] == pytest.approx(tops[1].core.tip, abs=0.05)
    assert tops[0].every.crossing * [-1, 1, 1] == pytest.approx(tops[1].every.crossing, abs=0.05)


@pytest.mark.parametrize("side", ["left", "right"])
def test_an_upper_thoracic_side_gets_a_needle_at_nine_tenths(side):
    """Margins of a lumbar body would leave nothing here: what is short of them is told, never a reason to refuse."""
    bone = vertebra(UPPER_THORACIC)
    evaluator = PathEvaluator(bone, side)
    plan = plan_side(evaluator, PlanOptions(approach="bilateral"), unilateral=False)
    assert plan.path is not None, plan.refusal
    check = plan.path.check
    assert check.grade == "A" and check.clearance.canal > 0.25
    crossing = evaluator.isthmus.crossing(check.target, check.direction)
    reached = float(clearance_of(bone, side, crossing[None], check.target[None])[0])
    assert reached >= 0.9 * best_possible(bone, side, step=0.8)


def spiny(shape: Shape):
    """The same bone with spikes of 1 × 1 × 2.5 mm all over its back, as automatic labels have them."""
    plain = vertebra(shape)
    fine = LocalGrid(plain.grid.first_mm, 0.5, tuple(2 * n for n in plain.grid.shape))
    points = fine.points()
    inside = bone_inside(shape, points)
    back = shape.wall_y - shape.pedicle_length - 9
    x, y, z = np.moveaxis(points, -1, 0)
    spikes = (np.abs(x) > 6) & (y <= back) & (y > back - 2.5) & (np.abs(z - shape.pedicle_z) < 10)
    spikes &= (np.mod(x, 4.0) < 1.0) & (np.mod(z, 4.0) < 1.0)
    return replace(plain, bone_mm=grid_sample(fine, _signed(inside | spikes), plain.grid))


def test_spikes_beside_the_entry_cost_no_clearance_in_the_pedicle():
    shape = Shape(pedicle_width=8.0)
    plain = vertebra(shape)
    kept = []
    for bone in (plain, spiny(shape)):
        evaluator = PathEvaluator(bone, "left")
        plan = plan_side(evaluator, PlanOptions(approach="bilateral"), unilateral=False)
        assert plan.path is not None, plan.refusal
        check = plan.path.check
        crossing = evaluator.isthmus.crossing(check.target, check.direction)
        # Both needles are judged in the bone without spikes.
        kept.append(float(clearance_of(plain, "left", crossing[None], check.target[None])[0]))
    assert kept[1] >= 0.95 * kept[0]
