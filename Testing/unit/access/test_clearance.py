"""The exact evaluation, on a straight elliptic pedicle whose distances are known."""

from dataclasses import replace as with_changes

import numpy as np
import pytest
from analytic import Shape, pedicle_frame, vertebra

from VertebralAugmentationPlannerLib.access import PathEvaluator, clearance, gertzbein_robbins
from VertebralAugmentationPlannerLib.access.walls import ball_clearance

FIXTURE_MM = 0.3
"""Half a voxel of the formulas' fine grid: as exact as the fixture's surfaces are."""

STRAIGHT = Shape(pedicle_convergence=0.0, pedicle_width=8.0, canal_width=14.0)


@pytest.fixture(scope="module")
def evaluator() -> PathEvaluator:
    return PathEvaluator(vertebra(STRAIGHT), "right")


def needle(evaluator, across=0.0, radius=1.5):
    """A needle along the axis of the right pedicle, moved sideways (positive laterally)."""
    centre, axis = pedicle_frame(STRAIGHT, "right")
    shift = np.array([across, 0.0, 0.0])
    return evaluator.evaluate(centre - 30 * axis + shift, centre + 25 * axis + shift, radius)


def test_a_needle_in_the_middle_keeps_half_the_width_less_its_radius(evaluator):
    check = needle(evaluator)
    assert check.clearance.pedicle_wall == pytest.approx(4.0 - 1.5, abs=FIXTURE_MM)
    assert check.axis_clearance_mm == pytest.approx(4.0, abs=FIXTURE_MM)
    assert check.through_pedicle and check.grade == "A"


@pytest.mark.parametrize("across", [-2.0, -1.0, 1.0, 2.0])
def test_a_needle_off_the_middle_keeps_as_much_less(evaluator, across):
    check = needle(evaluator, across)
    # Beside the middle of a flaring ellipse of 8 × 15 mm the nearest wall is the one at the end of the short axis.
    assert check.clearance.pedicle_wall == pytest.approx(4.0 - abs(across) - 1.5, abs=FIXTURE_MM)


@pytest.mark.parametrize(("across", "breach", "grade"), [(3.5, 1.0, "B"), (5.5, 3.0, "C")])
def test_a_breach_is_graded_by_how_far_the_surface_leaves_the_bone(evaluator, across, breach, grade):
    check = needle(evaluator, across)
    assert -check.clearance.pedicle_wall == pytest.approx(breach, abs=FIXTURE_MM)
    assert check.grade == grade


def test_a_needle_far_from_the_vertebra_cannot_be_judged(evaluator):
    with pytest.raises(ValueError, match="far from the pedicle and the canal"):
        evaluator.evaluate([100.0, 120.0, 0.0], [130.0, 120.0, 0.0], 1.5)


def test_grades_follow_gertzbein_and_robbins():
    assert [gertzbein_robbins(mm) for mm in (-1, 0, 0.5, 1.99, 2.0, 3.9, 4.0, 5.9, 6.0, 20)] == list("AABBCCDDEE")


def test_the_tolerated_shift_is_the_largest_that_touches_nothing(evaluator):
    centre, axis = pedicle_frame(STRAIGHT, "right")
    check = needle(evaluator, 0.7)
    start, end = centre - 30 * axis + [0.7, 0, 0], centre + 25 * axis + [0.7, 0, 0]
    within, beyond = [], []
    for angle in np.linspace(0, 2 * np.pi, 16, endpoint=False):
        away = np.array([np.cos(angle), 0.0, np.sin(angle)])
        for share, found in ((0.93, within), (1.1, beyond)):
            shift = share * check.tolerated_offset_mm * away
            found.append(evaluator.evaluate(start + shift, end + shift, 1.5).clearance)
    assert min(min(c.pedicle_wall, c.canal) for c in within) > -0.05
    assert min(min(c.pedicle_wall, c.canal) for c in beyond) < 0.05


def test_the_tolerated_tilt_is_the_largest_that_touches_nothing(evaluator):
    check = needle(evaluator)
    length = check.bone_path_mm
    for share, touches in ((0.9, False), (1.15, True)):
        angle = np.deg2rad(share * check.tolerated_angle_deg)
        clearances = []
        for around in np.linspace(0, 2 * np.pi, 16, endpoint=False):
            away = np.array([np.cos(around), 0.0, np.sin(around)])
            tilted = np.cos(angle) * check.direction + np.sin(angle) * away
            moved = evaluator.evaluate(check.entry, check.entry + length * tilted, 1.5).clearance
            clearances.append(min(moved.pedicle_wall, moved.canal))
        assert (min(clearances) < 0.1) == touches


def first_contact(evaluator, check, moved) -> float:
    """Smallest clearance to any wall of the vertebra or the canal of a needle moved in 24 directions, mm."""
    smallest = np.inf
    for around in np.linspace(0, 2 * np.pi, 24, endpoint=False):
        kept = evaluator.evaluate(*moved(np.array([np.cos(around), 0.0, np.sin(around)])), 1.5).clearance
        walls = (kept.pedicle_wall, kept.canal, kept.endplate, kept.lateral_wall, kept.anterior_wall)
        smallest = min(smallest, *(wall for wall in walls if wall is not None))
    return smallest


@pytest.mark.parametrize("rise_mm", [5.5, 6.0])
@pytest.mark.parametrize(("share", "touches"), [(0.8, False), (1.25, True)])
def test_the_slack_of_a_needle_near_an_end_plate_ends_there(evaluator, rise_mm, share, touches):
    """Tilted upwards so that its tip comes to the upper end plate before anything else."""
    centre, axis = pedicle_frame(STRAIGHT, "right")
    check = evaluator.evaluate(centre - 30 * axis, centre + 25 * axis + [0.0, 0.0, rise_mm], 1.5)
    assert 0.5 < check.clearance.endplate < min(check.clearance.pedicle_wall, check.clearance.canal)
    assert check.tolerated_offset_mm == pytest.approx(check.clearance.endplate, abs=0.3)
    shift, angle = share * check.tolerated_offset_mm, np.deg2rad(share * check.tolerated_angle_deg)

    def shifted(away):
        return check.entry + shift * away, check.target + shift * away

    def tilted(away):
        turned = np.cos(angle) * check.direction + np.sin(angle) * away
        return check.entry, check.entry + check.bone_path_mm * turned / np.linalg.norm(turned)

    for moved in (shifted, tilted):
        assert (first_contact(evaluator, check, moved) < 0.1) == touches


def test_a_needle_through_the_side_wall_of_the_pedicle_is_no_safe_path(evaluator):
    centre, axis = pedicle_frame(STRAIGHT, "right")
    # From lateral, across the middle of the pedicle, into the body.
    check = evaluator.evaluate(centre + [15.0, -12.0, 0.0], centre + [-8.0, 20.0, 0.0], 1.5)
    assert not check.through_pedicle or check.grade != "A"
    assert check.clearance.pedicle_wall < 0


def test_a_needle_through_the_canal_is_a_breach(evaluator):
    check = evaluator.evaluate(np.array([12.0, -45.0, 3.0]), np.array([-2.0, 5.0, 0.0]), 1.5)
    assert check.clearance.canal < 0
    assert check.grade != "A"


def test_nothing_facing_the_canal_is_exempt():
    """Where the lamina is entered close to the canal, the canal's distance counts from the skin on."""
    evaluator = PathEvaluator(vertebra(STRAIGHT), "right")
    start = np.array([6.0, -60.0, 2.0])
    check = evaluator.evaluate(start, np.array([6.0, 5.0, 2.0]), 1.5)
    assert check.clearance.canal < 0


def test_a_flat_cortex_met_squarely_is_no_wall():
    radial = np.linspace(0, 10, 50)
    assert np.isinf(ball_clearance(radial, np.full(50, -0.1))).all()


def test_the_ball_that_passes_a_rim_grows_without_a_jump():
    radial = np.full(400, 3.0)
    depth = np.linspace(0.05, 6.0, 400)
    ball = ball_clearance(radial, depth)
    assert (np.diff(ball) <= 1e-9).all()
    assert ball[depth >= 3.0] == pytest.approx(3.0)
    # A ball of that radius under the cortex just touches the point.
    rim = depth < 3.0
    assert np.hypot(radial[rim], depth[rim] - ball[rim]) == pytest.approx(ball[rim])


def test_the_same_needle_is_judged_alike_on_a_shifted_grid():
    checks = []
    for shift in ((0.0, 0.0, 0.0), (0.5, -0.5, 0.5)):
        moved = PathEvaluator(vertebra(with_changes(STRAIGHT, shift=shift)), "right")
        checks.append(needle(moved, 0.5))
    assert checks[0].clearance.pedicle_wall == pytest.approx(checks[1].clearance.pedicle_wall, abs=0.15)
    assert checks[0].clearance.canal == pytest.approx(checks[1].clearance.canal, abs=0.15)


def test_entry_and_target_must_differ(evaluator):
    with pytest.raises(ValueError, match="length"):
        evaluator.evaluate(np.zeros(3), np.zeros(3), 1.5)


def test_no_evaluation_without_a_pedicle():
    bare = with_changes(vertebra(STRAIGHT), pedicles={})
    with pytest.raises(ValueError, match="pedicle"):
        PathEvaluator(bare, "left")


@pytest.mark.parametrize("seed", range(2))
def test_what_is_left_out_far_from_a_needle_decides_nothing(evaluator, monkeypatch, seed):
    random = np.random.default_rng(seed)
    entries = random.normal((-15.0, -35.0, 5.0), 12.0, (15, 3))
    tips = random.normal((-3.0, 25.0, 0.0), 12.0, (15, 3))
    for entry, tip, radius in zip(entries, tips, random.uniform(1.0, 2.5, 15), strict=True):
        quick = evaluator.evaluate(entry, tip, radius)
        with monkeypatch.context() as patch:
            patch.setattr(clearance, "NEAR_MM", 1e6)
            whole = evaluator.evaluate(entry, tip, radius)
        for name in ("canal", "pedicle_wall", "endplate", "anterior_wall", "lateral_wall", "neighbour"):
            assert getattr(quick.clearance, name) == pytest.approx(getattr(whole.clearance, name), abs=1e-9), name
        assert quick.tolerated_angle_deg == pytest.approx(whole.tolerated_angle_deg, abs=1e-9)
        assert quick.axis_clearance_mm == pytest.approx(whole.axis_clearance_mm, abs=1e-9)
        assert quick.grade == whole.grade
