"""The search finds what brute force finds, keeps to its targets, and does not care about the grid."""

import numpy as np
import pytest
from analytic import Shape, vertebra
from brute_force import best_possible, clearance_of

from VertebralAugmentationPlannerLib.access import PathEvaluator, find_path
from VertebralAugmentationPlannerLib.access.wishes import Wishes
from VertebralAugmentationPlannerLib.model import Margins

SHAPES = {
    "lumbar": Shape(pedicle_width=9.0, pedicle_convergence=12.0),
    "thin pedicle": Shape(pedicle_width=5.0, pedicle_convergence=5.0, pedicle_offset=12.0),
    "caudal pedicle of a small body": Shape(
        depth=26.0, width=34.0, height=21.0, pedicle_width=6.5, pedicle_caudal=12.0, pedicle_offset=11.0, pedicle_z=5.0
    ),
    "collapsed": Shape(height=24.0, anterior_height=10.0, pedicle_width=8.0),
}


def wishes(space_or_evaluator, radius=2.1, unilateral=False) -> Wishes:
    target = space_or_evaluator.space.target
    reach = 3.0 if unilateral else 7.5
    preferred = target.preferred_x(space_or_evaluator.side, unilateral)
    return Wishes(radius, Margins(), (-reach, reach), preferred)


@pytest.mark.parametrize("name", SHAPES)
def test_the_path_has_nine_tenths_of_the_best_possible_clearance(name):
    bone = vertebra(SHAPES[name])
    evaluator = PathEvaluator(bone, "left")
    path = find_path(evaluator, wishes(evaluator, 1.5))
    crossing = evaluator.isthmus.crossing(path.check.target, path.check.direction)
    reached = float(clearance_of(bone, "left", crossing[None], path.check.target[None])[0])
    assert reached >= 0.9 * best_possible(bone, "left", step=1.2)


@pytest.mark.parametrize("name", SHAPES)
def test_the_tip_lies_in_the_anterior_third_within_reach_of_the_midline(name):
    shape = SHAPES[name]
    evaluator = PathEvaluator(vertebra(shape), "right")
    for unilateral, reach in ((False, 8.0), (True, 3.05)):
        path = find_path(evaluator, wishes(evaluator, 1.5, unilateral))
        x, y, _ = path.check.target
        assert abs(x) <= reach
        assert 2 / 3 <= (y - shape.wall_y) / shape.depth <= 0.9
        assert path.check.through_pedicle


def test_mirrored_pedicles_get_mirrored_paths():
    bone = vertebra(SHAPES["lumbar"])
    left, right = (find_path(e, wishes(e)).check for e in (PathEvaluator(bone, "left"), PathEvaluator(bone, "right")))
    assert left.axis_clearance_mm == pytest.approx(right.axis_clearance_mm, abs=0.1)
    assert left.target * [-1, 1, 1] == pytest.approx(right.target, abs=0.6)


def test_a_shift_of_the_grid_moves_nothing():
    paths = []
    for shift in ((0.0, 0.0, 0.0), (0.5, -0.5, 0.5)):
        shape = Shape(pedicle_width=8.0, shift=shift)
        evaluator = PathEvaluator(vertebra(shape), "left")
        paths.append(find_path(evaluator, wishes(evaluator)).check)
    angle = np.degrees(np.arccos(np.clip(paths[0].direction @ paths[1].direction, -1, 1)))
    assert angle < 1.0
    assert np.linalg.norm(paths[0].target - paths[1].target) < 1.0
    assert paths[0].axis_clearance_mm == pytest.approx(paths[1].axis_clearance_mm, abs=0.15)


def test_the_same_vertebra_gets_the_same_path():
    bone = vertebra(SHAPES["lumbar"])
    first, second = (find_path(e, wishes(e)).check for e in (PathEvaluator(bone, "left"), PathEvaluator(bone, "left")))
    assert np.array_equal(first.target, second.target) and np.array_equal(first.entry, second.entry)


def test_a_neighbours_facet_is_not_drilled():
    shape = Shape(neighbour_facet=True)
    evaluator = PathEvaluator(vertebra(shape), "left")
    path = find_path(evaluator, wishes(evaluator))
    assert path.check.clearance.neighbour >= 0


def test_the_gradient_of_the_cost_is_exact():
    """Against central differences: a wrong sign here would turn the search round."""
    from VertebralAugmentationPlannerLib.access.candidates import search_lines
    from VertebralAugmentationPlannerLib.access.neighbourhood import Neighbourhood
    from VertebralAugmentationPlannerLib.access.wishes import CORE, EVERY, Floor, Widest

    evaluator = PathEvaluator(vertebra(SHAPES["lumbar"]), "left")
    wanted = wishes(evaluator)
    for goal in (Widest(CORE), Widest(EVERY), Floor(6.0, 5.5, 0.98)):
        for start in search_lines(evaluator.space, evaluator.isthmus, wanted.reach_x, 2.0).widest(2):
            near = Neighbourhood.around(evaluator, start, wanted, goal)
            # Off the grid's symmetry, where the smallest distance has one direction.
            at = near.start + np.array([0.13, -0.21, 0.17, -0.11, 0.19])
            gradient = near.cost(at)[1]
            step = 1e-5
            for index in range(5):
                unit = step * np.eye(5)[index]
                slope = (near.cost(at + unit)[0] - near.cost(at - unit)[0]) / (2 * step)
                assert gradient[index] == pytest.approx(slope, rel=1e-3, abs=1e-3)
