"""Needles, pedicles and balloons on the picture: true thickness, right place, and when to look at the lateral."""

from dataclasses import replace

import numpy as np
import pytest

from VertebralAugmentationPlannerLib.imaging import (
    end_on,
    medial_border,
    medial_border_depth,
    projected_overlay,
    tip_before_posterior_wall_mm,
    true_ap,
    true_lateral,
)
from VertebralAugmentationPlannerLib.imaging.overlay import balloon_shape, hull, inside_polygon, needle_shapes
from VertebralAugmentationPlannerLib.model import InputError
from VertebralAugmentationPlannerLib.model.palette import SAFETY

FAR = {"sod_mm": 1e6, "sid_mm": 1.5e6}
"""Nearly parallel rays, so that distances on the picture are worked out without perspective."""


def straight(needle, upright, entry, target):
    frame = upright.vertebra.frame
    return replace(needle, entry_ras=tuple(frame.to_ras(entry)), target_ras=tuple(frame.to_ras(target)))


def labelled(shapes, label):
    return next(shape for shape in shapes if shape.label == label)


def test_a_needle_across_the_beam_is_as_wide_as_its_cannula(upright):
    needle = straight(upright.needles["right"], upright, [12, -40, 0], [12, 5, 0])
    view = true_lateral(upright.vertebra, **FAR)
    tube = labelled(needle_shapes(view, needle), "right needle").points_px
    assert np.ptp(tube[:, 1]) * view.mm_per_px == pytest.approx(3.05, abs=0.02)


def test_end_on_the_needle_is_a_ring_as_wide_as_its_cannula(upright):
    needle = upright.needles["left"]
    view = end_on(needle)
    shapes = needle_shapes(view, needle)
    near, tip = labelled(shapes, "left needle").points_px, labelled(shapes, "left needle tip").points_px
    assert near.mean(axis=0) == pytest.approx(tip.mean(axis=0), abs=0.2)
    # Prone, the tip is nearer to the source and magnified most: its ring is the outline of the whole needle.
    assert np.ptp(near[:, 0]) == pytest.approx(np.ptp(tip[:, 0]), abs=0.01)
    size = np.ptp(tip[:, 0]) * view.mm_per_px
    assert size == pytest.approx(3.05, rel=0.08)


def test_the_tip_follows_the_insertion_depth_and_the_rest_is_dashed(upright):
    needle = straight(upright.needles["right"], upright, [12, -40, 0], [12, 5, 0])
    view = true_lateral(upright.vertebra, **FAR)
    for depth in (-5.0, 10.0, 30.0):
        shapes = needle_shapes(view, needle, depth)
        front = labelled(shapes, "right needle").points_px[:, 0].min()
        expected = view.project(upright.vertebra.frame.to_ras([12, -40 + depth, 0]))[0]
        assert front == pytest.approx(expected, abs=0.1)
        rest = labelled(shapes, "right needle to target")
        assert np.linalg.norm(np.diff(rest.points_px, axis=0)) * view.mm_per_px == pytest.approx(45 - depth, abs=0.1)


def test_colour_tells_the_state_of_the_needle(upright):
    for state, colour in SAFETY.items():
        needle = replace(upright.needles["left"], safety=state)
        assert needle_shapes(true_ap(upright.vertebra), needle)[0].colour == colour


def test_in_ap_each_pedicle_is_an_eye_of_its_size_on_its_own_side(upright):
    view = true_ap(upright.vertebra, **FAR)
    shapes = projected_overlay(view, upright.vertebra, [])
    left, right = labelled(shapes, "left pedicle").points_px, labelled(shapes, "right pedicle").points_px
    assert left[:, 0].mean() < (view.size_px - 1) / 2 < right[:, 0].mean()
    assert np.ptp(right, axis=0) * view.mm_per_px == pytest.approx([9.0, 15.0], abs=0.1)


def test_the_lateral_shows_the_posterior_wall_and_no_eyes(upright):
    view = true_lateral(upright.vertebra, **FAR)
    labels = [shape.label for shape in projected_overlay(view, upright.vertebra, [])]
    assert labels == ["posterior wall"]
    wall = projected_overlay(view, upright.vertebra, [])[0].points_px
    assert wall[:, 0] == pytest.approx(view.project(upright.vertebra.frame.to_ras([0, -15, 0]))[0], abs=0.5)


def test_the_balloon_appears_at_the_target_only(upright, balloon):
    needle = replace(upright.needles["right"], balloon=balloon)
    view = true_ap(upright.vertebra, **FAR)
    assert any(shape.label == "balloon" for shape in projected_overlay(view, upright.vertebra, [needle]))
    assert not any(shape.label == "balloon" for shape in projected_overlay(view, upright.vertebra, [needle], 10.0))


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_medial_border_is_reached_where_the_needle_leaves_the_ellipse(upright, side):
    # At the pedicle's own height the inner border lies 14 − 4.5 = 9.5 mm from the midline. From 18 mm at the entry to
    # 4 mm at the target the needle is there after (18 − 9.5) / 14 of its length.
    sign = 1 if side == "right" else -1
    needle = straight(upright.needles[side], upright, [18 * sign, -34, 4], [4 * sign, 6, 4])
    length = np.hypot(14, 40)
    depth = medial_border_depth(upright.vertebra, needle, true_ap(upright.vertebra, **FAR))
    assert depth == pytest.approx(8.5 / 14 * length, abs=0.15)
    # There it is at −34 + 8.5 / 14 × 40 = −9.71 mm, the posterior wall at −15: 5.29 mm in front of it.
    assert tip_before_posterior_wall_mm(upright.vertebra, needle, depth) == pytest.approx(5.29, abs=0.15)


@pytest.mark.parametrize(
    ("target", "place"),
    [([4, 6, 4], "5 mm past the posterior wall"), ([1, 6, 4], "1 mm past the posterior wall"),
     ([0, 6, 4], "at the posterior wall"), ([-5, 6, 4], "4 mm behind the posterior wall")],
)  # fmt: skip
def test_the_place_of_the_tip_at_the_medial_border_is_told(upright, target, place):
    # From 18 to x mm it is at 9.5 mm after 8.5 / (18 − x) of its way of 40 mm forwards from −34; the wall is at −15.
    needle = straight(upright.needles["right"], upright, [18, -34, 4], target)
    border = medial_border(upright.vertebra, needle, true_ap(upright.vertebra, **FAR))
    by_hand = -34 + 40 * 8.5 / (18 - target[0]) + 15
    assert border.past_wall_mm == pytest.approx(by_hand, abs=0.15)
    assert border.place == place
    assert border.at_risk == place.endswith("behind the posterior wall")


def test_perspective_moves_the_moment_only_a_little(upright):
    needle = upright.needles["right"]
    far = medial_border_depth(upright.vertebra, needle, true_ap(upright.vertebra, **FAR))
    near = medial_border_depth(upright.vertebra, needle)
    assert near == pytest.approx(far, abs=1.0)
    assert near != far


def test_a_needle_that_stays_in_the_pedicles_ring_has_no_such_moment(upright):
    needle = straight(upright.needles["right"], upright, [14, -34, 4], [14, 0, 4])
    assert medial_border_depth(upright.vertebra, needle, true_ap(upright.vertebra, **FAR)) is None
    border = medial_border(upright.vertebra, needle, true_ap(upright.vertebra, **FAR))
    assert border.depth_mm is None and border.past_wall_mm is None and not border.at_risk


def test_without_a_pedicle_the_question_is_refused(upright):
    vertebra = replace(upright.vertebra, pedicles={}, pedicle_reasons={"left": "it is broken"})
    with pytest.raises(InputError, match="it is broken"):
        medial_border_depth(vertebra, upright.needles["left"])


def test_the_balloons_outline_is_its_spheroid(upright, balloon):
    # Seen along the world's front–back axis the spheroid's outline is at least as wide as its diameter, at most as long
    # as its length, whatever way it lies.
    view = true_ap(upright.vertebra, **FAR)
    outline = balloon_shape(view, balloon).points_px * view.mm_per_px
    spans = [np.ptp(outline @ [np.cos(a), np.sin(a)]) for a in np.linspace(0, np.pi, 60)]
    assert min(spans) == pytest.approx(balloon.planned_diameter_mm, abs=0.1)
    assert max(spans) <= balloon.planned_length_mm


def test_the_hull_of_a_square_with_points_inside_is_the_square():
    rng = np.random.default_rng(0)
    square = np.array([[0.0, 0], [4, 0], [4, 4], [0, 4]])
    for count in (10, 500):
        outline = hull(np.vstack([square, rng.uniform(0.5, 3.5, (count, 2))]))
        assert sorted(map(tuple, outline)) == sorted(map(tuple, square))
        assert inside_polygon(np.array([[1.0, 1], [5, 1], [-1, 2]]), outline).tolist() == [True, False, False]
