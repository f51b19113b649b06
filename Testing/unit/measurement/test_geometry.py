"""Heights, angles and volumes of hand-made bodies with known truth."""

import math
from dataclasses import replace

import numpy as np
import pytest
from bodies import DEPTH, SPACING, WIDTH, body, plate, spine_of
from scipy import ndimage
from VertebralAugmentationPlannerLib.measurement.angles import angle_between, measure_angles
from VertebralAugmentationPlannerLib.measurement.heights import heights_3x3, midsagittal_heights
from VertebralAugmentationPlannerLib.measurement.hazards import wall_coverage_warnings, wall_hollow_warnings
from VertebralAugmentationPlannerLib.measurement.normal import Usual
from VertebralAugmentationPlannerLib.measurement.of_class import of_class, plate_shapes
from VertebralAugmentationPlannerLib.measurement.posterior_wall import (
    largest_bulge,
    read_walls,
    retropulsion_mm,
    wall_profile,
)
from VertebralAugmentationPlannerLib.measurement.volumes import anterior_two_thirds_ml
from VertebralAugmentationPlannerLib.model import HeightLoss, Pedicle


def test_six_points_give_the_three_heights():
    measured = midsagittal_heights(body("L1", 18.0, 29.0, 20.0, origin=(5, -40, 300), tilt_deg=12))
    assert measured == pytest.approx((18.0, 20.0, 29.0), abs=1e-6)


def test_a_body_without_a_lateral_tilt_is_as_high_left_and_right_as_in_the_middle():
    vertebra = body("L1", 24.0, 28.0, 22.0)
    grid = heights_3x3(vertebra, midsagittal_heights(vertebra))
    # At a quarter of the width the ellipse is √3/2 as deep: its rims lie at ± √3/2 of the half-depth.
    share = math.sqrt(3) / 2
    straight = [26.0 - 2.0 * share, 26.0 + 2.0 * share]  # posterior, anterior without the dish
    dish = 4.0 * (1 - share**2)
    for row in (0, 2):
        assert grid[row][0] == pytest.approx(26.0 - 2.0 * share - dish, abs=0.4)
        assert grid[row][1] == pytest.approx(22.0, abs=0.2)
        assert grid[row][2] == pytest.approx(straight[1] - dish, abs=0.4)
    assert grid[1] == pytest.approx((24.0, 22.0, 28.0))


def test_a_body_collapsed_on_the_left_is_lower_on_the_left():
    vertebra = body("L1", 28.0, 28.0)
    tilted = plate(lambda x, y: 14.0 + 4.0 * x / (WIDTH / 2) + 0.0 * y, vertebra.grid)
    vertebra = replace(vertebra, superior=tilted)
    left, _, right = heights_3x3(vertebra, midsagittal_heights(vertebra))
    assert left == pytest.approx((26.0, 26.0, 26.0), abs=0.15)
    assert right == pytest.approx((30.0, 30.0, 30.0), abs=0.15)


@pytest.mark.parametrize(("anterior", "posterior"), [(28, 28), (18, 28), (13.3, 28.6), (30.5, 26.0)])
def test_wedge_angle_follows_from_the_heights(anterior, posterior):
    vertebra = body("L1", anterior, posterior)
    truth = 2 * math.degrees(math.atan((posterior - anterior) / 2 / DEPTH))
    assert angle_between(vertebra, vertebra) == pytest.approx(truth, abs=1e-6)


@pytest.mark.parametrize(
    ("anterior", "posterior", "published_wedge"),
    [
        # JOSR 2023, doi 10.1186/s13018-023-03758-w, table 1: mean heights and wedge angle by grade and posture.
        (23.8, 30.9, 12.0),
        (27.5, 31.9, 7.1),
        (19.7, 30.2, 16.9),
        (23.1, 30.5, 12.0),
        (12.1, 24.2, 22.9),
        (15.6, 24.9, 17.0),
        (13.6, 28.3, 24.4),
        (16.8, 28.5, 19.7),
    ],
)
def test_published_heights_give_the_published_wedge_angle_at_a_believable_depth(anterior, posterior, published_wedge):
    """Means of groups: the depth that joins heights and angle must be a vertebra's, and ours must join them."""
    implied_depth = (posterior - anterior) / math.tan(math.radians(published_wedge))
    assert 28.0 < implied_depth < 37.0
    vertebra = body("L1", anterior, posterior)
    assert angle_between(vertebra, vertebra) == pytest.approx(published_wedge, abs=0.2 * published_wedge)


@pytest.mark.parametrize(
    ("anterior", "posterior", "published_ratio"),
    [
        (23.8, 30.9, 77.1),
        (27.5, 31.9, 86.5),
        (19.7, 30.2, 65.3),
        (23.1, 30.5, 75.9),
        (12.1, 24.2, 49.6),
        (15.6, 24.9, 62.6),
    ],
)
def test_published_wedge_ratio_comes_out(anterior, posterior, published_ratio):
    measured = midsagittal_heights(body("L1", anterior, posterior))
    assert 100 * measured.anterior / measured.posterior == pytest.approx(published_ratio, abs=0.6)


def stack(wedge_mm=10.0):
    """T12, L1, L2 with known tilts: 6° between T12 and L1, −4° between L1 and L2 (frame against frame)."""
    return {
        "T12": body("T12", 28, 28, origin=(0, 0, 70), tilt_deg=6.0),
        "L1": body("L1", 28 - wedge_mm, 28, origin=(0, 0, 35), tilt_deg=0.0),
        "L2": body("L2", 28, 28, origin=(0, 0, 0), tilt_deg=4.0),
    }


def test_segmental_and_gardner_angles_are_sums_of_tilts():
    angles = measure_angles("L1", stack())
    half_wedge = math.degrees(math.atan(5.0 / DEPTH))
    assert angles.segmental_kyphosis_deg == pytest.approx(6.0 - 4.0)
    assert angles.gardner_angle_deg == pytest.approx(6.0 + half_wedge)
    assert angles.wedge_angle_deg == pytest.approx(2 * half_wedge)
    assert angles.missing == {}


def test_angles_that_need_a_missing_neighbour_are_none_with_a_reason():
    alone = {"L1": stack()["L1"]}
    angles = measure_angles("L1", alone)
    assert angles.segmental_kyphosis_deg is None and angles.gardner_angle_deg is None
    assert set(angles.missing) == {"segmental_kyphosis_deg", "gardner_angle_deg"}
    assert angles.wedge_angle_deg is not None


def test_lordosis_is_negative():
    assert angle_between(*(2 * [body("L5", 30.5, 26.0)])) < 0


def test_anterior_two_thirds_of_an_elliptic_cylinder():
    vertebra = body("L1", 28, 28)
    # The plane lies a third of the depth in front of the back: at −1/3 of the half-depth.
    cut = math.acos(1 / 3)
    behind = (cut - math.sin(2 * cut) / 2) / math.pi
    assert anterior_two_thirds_ml(vertebra) == pytest.approx((1 - behind) * vertebra.body_volume_ml, rel=0.01)


@pytest.mark.parametrize("bump", [0.0, 1.5, 3.0, 6.0])
def test_a_bump_of_the_posterior_wall_reads_its_height(bump):
    own = wall_profile(body("L1", 25, 28, bump_mm=bump))
    healthy = [wall_profile(body("T12", 28, 28))]
    assert retropulsion_mm(own, healthy) == pytest.approx(bump, abs=0.15 + 0.05 * bump)
    assert retropulsion_mm(own, []) == pytest.approx(bump, abs=0.15 + 0.05 * bump)


@pytest.mark.parametrize("misread", [0.8, 1.5])
def test_a_misread_rim_is_no_bulge_and_takes_nothing_off_one(misread):
    """The whole wall lies behind the line of rims that were taken too far in front; a bulge is a part of the wall."""
    healthy = wall_profile(body("T12", 28, 28))
    shifted = replace(healthy, offset_mm=healthy.offset_mm + misread)
    assert retropulsion_mm(shifted, [healthy]) < 0.6 * misread
    bulging = wall_profile(body("L1", 28, 28, bump_mm=4.0))
    assert retropulsion_mm(bulging, [healthy]) == pytest.approx(4.0, abs=0.25)
    both = replace(bulging, offset_mm=bulging.offset_mm + misread)
    assert 3.9 <= retropulsion_mm(both, [healthy]) <= 4.1 + misread  # beside a large bulge it may read more, not less


def before_a_canal(level, fragment_mm=0.0, at_x=0.0, root_at=16.0):
    """A hand-made body with a canal 22 mm wide, roots of pedicles whose middles lie ``root_at`` beside the midline, and a fragment
    (SD 3 mm; a hole where negative) of the posterior wall 3 mm above its middle."""
    flat = body(level, 28, 28)
    x, y, z = flat.grid.axes
    back = 0.5 * np.sqrt(np.clip(DEPTH**2 * (1.0 - (2 * x / WIDTH) ** 2), 0.0, None))[:, None]
    back = back + fragment_mm * np.exp(-(((x[:, None] - at_x) / 3.0) ** 2 + ((z[None, :] - 3.0) / 3.0) ** 2) / 2)
    inside = flat.body & (y[None, :, None] > -back[:, None, :])
    inside |= (y[None, :, None] < 0) & (y[None, :, None] > -back[:, None, :]) & (np.abs(z) < 14.0)
    inside &= np.abs(x)[:, None, None] < WIDTH / 2
    distance = (ndimage.distance_transform_edt(inside) - ndimage.distance_transform_edt(~inside)) * SPACING
    oval = np.hypot(x[:, None] / 11.0, (y[None, :] + DEPTH / 2 + 8.0) / 7.5)
    canal = np.maximum(np.repeat((oval - 1.0)[:, :, None], len(z), axis=2) * 7.5, distance)
    roots = {
        side: Pedicle(
            side,
            np.array([sign * root_at, -DEPTH / 2 - 5.0, 5.0]),
            np.array([0.0, 1.0, 0.0]),
            8.0,
            14.0,
            np.empty((0, 3)),
        )
        for side, sign in (("left", -1), ("right", 1))
    }
    return replace(flat, bone_mm=distance, canal_mm=canal, posterior_wall_mm=-back, pedicles=roots)


@pytest.mark.parametrize(("at_x", "where"), [(7.0, "right of the midline"), (-6.0, "left of the midline"), (0.5, "")])
def test_a_fragment_beside_the_midline_reads_its_height_and_its_side(at_x, where):
    own, healthy = read_walls(before_a_canal("L1", 6.0, at_x)), [read_walls(before_a_canal("T12"))]
    found = largest_bulge(own, healthy)
    assert found.where == where
    if where:
        assert found.mm == pytest.approx(6.0, abs=0.7)
        assert retropulsion_mm(own.middle, [walls.middle for walls in healthy]) < 2.0
        alone = largest_bulge(own, [])  # the other side of the same wall takes the place of neighbours
        assert alone.where == where and alone.mm > 4.0
    assert largest_bulge(healthy[0], [read_walls(before_a_canal("L2"))]).mm < 0.3


@pytest.mark.parametrize("at_x", [0.0, 5.0, -6.0])
@pytest.mark.parametrize(("hole_mm", "told"), [(6.5, True), (2.5, False)])
def test_a_hole_in_the_posterior_wall_is_told_with_its_depth(at_x, hole_mm, told):
    healthy = read_walls(before_a_canal("T12"))
    found = largest_bulge(read_walls(before_a_canal("L1", -hole_mm, at_x)), [healthy])
    warnings = wall_hollow_warnings("L1", found.hollow_mm)
    assert [warning.code for warning in warnings] == (["posterior_wall_hollow"] if told else [])
    if told:
        # From the line of the rims: beside the midline the wall of an ellipse lies in front of it already.
        hollow = DEPTH / 2 * (1.0 - np.sqrt(1.0 - (2 * at_x / WIDTH) ** 2))
        assert found.hollow_mm == pytest.approx(hole_mm + hollow, abs=0.8)
        assert f"is {found.hollow_mm:.1f} mm hollow" in warnings[0].message
    assert largest_bulge(read_walls(before_a_canal("L1", -hole_mm, at_x)), []).hollow_mm is None
    assert largest_bulge(healthy, [read_walls(before_a_canal("L2"))]).hollow_mm is None


def test_a_fragment_of_L4_beside_the_midline_is_seen_with_L5_alone_to_compare():
    """L5's own wall is read only near the midline."""
    own, last = read_walls(before_a_canal("L4", 6.0, -6.0)), read_walls(before_a_canal("L5"))
    assert (own.seen_mm, last.seen_mm) == (7.5, 1.5)
    found = largest_bulge(own, [last])
    assert found.where == "left of the midline" and found.mm == pytest.approx(6.0, abs=1.2)
    assert largest_bulge(read_walls(before_a_canal("L4")), [last]).mm < 1.5
    assert not wall_coverage_warnings("L4", found.seen_mm)
    (told,) = wall_coverage_warnings("L5", largest_bulge(last, [own]).seen_mm)
    assert told.severity == "info" and "of L5 was read in the midline only" in told.message


def test_strips_keep_off_the_roots_of_the_pedicles_and_a_jump_at_one_is_no_bulge():
    assert set(read_walls(before_a_canal("L1", root_at=11.2)).sides) == {-4.5, -3.0, -1.5, 1.5, 3.0, 4.5}
    assert set(read_walls(before_a_canal("L5")).sides) == {-1.5, 1.5}  # a trefoil canal
    walls = read_walls(before_a_canal("L1"))
    outermost = max(walls.sides)
    jump = replace(
        walls.sides[outermost], offset_mm=walls.sides[outermost].offset_mm + 8.0 * (walls.middle.share > 0.7)
    )
    rooted = replace(walls, sides={**walls.sides, outermost: jump})
    assert largest_bulge(rooted, [walls]).mm < 0.5


def test_a_wedge_by_both_plates_is_OF4_and_by_one_plate_OF2():
    healthy = body("T12", 28, 28, 25)
    both = body("L1", 14, 28, 19)
    one = body("L1", 28, 28, 25)
    sunk = plate(lambda x, y: 14.0 - 12.0 * (y + DEPTH / 2) / DEPTH + 0.0 * x, one.grid)
    one = replace(one, superior=sunk)
    profile = wall_profile(healthy)
    loss = HeightLoss(43.0, 25.0, 0.0)
    assert of_class(both, [healthy], loss, profile, [profile], "wedge") == "OF4"
    assert of_class(one, [healthy], loss, profile, [profile], "wedge") == "OF2"
    assert of_class(one, [healthy], HeightLoss(43.0, 30.0, 24.0), profile, [profile], "wedge+crush") == "OF3"
    bulging = wall_profile(body("L1", 25, 28, bump_mm=5.0))
    assert of_class(one, [healthy], loss, bulging, [profile], "wedge") == "OF3"
    assert of_class(both, [healthy], HeightLoss(2.0, 3.0, 1.0), profile, [profile], "none") is None


def test_both_plates_of_L5_sunk_are_OF4_although_its_neighbour_is_no_wedge():
    """L5 is lower behind by nature: against the plates of L4 its own would seem to have risen in front."""
    usual = Usual()
    rise = [usual.heights(level)[0] - usual.heights(level)[2] for level in ("L4", "L5")]
    front = 26.0 + rise[1] - rise[0]
    sunk = body("L5", front, 26, (front + 26.0) / 2 - 3.0 - 2 * 2.3)  # each plate by 2.3 mm, beside a dish of 1.5
    profile = wall_profile(sunk)
    loss = HeightLoss(0.0, 20.0, 0.0)
    assert of_class(sunk, [body("L4", 28, 28, 25)], loss, profile, [profile], "biconcave") == "OF4"
    whole = body("L4", 26, 26, 26 - 3.0 - 2 * 1.7)  # between other levels nothing is turned
    assert of_class(whole, [body("L3", 28, 28, 25)], loss, profile, [profile], "biconcave") == "OF2"


def test_plates_of_a_symmetric_body_are_mirror_images():
    upper, lower = plate_shapes(body("L1", 24, 28, 22))
    assert upper.slope_deg == pytest.approx(lower.slope_deg)
    assert upper.dish_mm == pytest.approx(lower.dish_mm) == pytest.approx(2.0, abs=0.05)
    assert upper.slope_deg == pytest.approx(-math.degrees(math.atan(2.0 / DEPTH)))
    assert np.isclose(len(spine_of(body("L1", 28, 28)).complete()), 1)
