"""The truth of a phantom follows from its parameters; here it is checked against the solids themselves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from VertebralAugmentationPlannerLib.model import InputError
from VertebralAugmentationPlannerLib.sample import healthy, healthy_spine, truth_of, vertebral_frame
from VertebralAugmentationPlannerLib.sample.body import Body
from VertebralAugmentationPlannerLib.sample.primitives import ellipse_distance
from VertebralAugmentationPlannerLib.sample.truth import fracture_shape, genant_grade, height_losses

LUMBAR = ("T12", "L1", "L2", "L3", "L4")


def ray_height(body: Body, y: float) -> float:
    """From the lowest to the highest point of the body on the vertical through (0, y), walking in 5 µm steps."""
    z = np.arange(-25.0, 25.0, 0.005)
    inside = body.distance(np.stack([np.zeros_like(z), np.full_like(z, y), z], axis=-1)) <= 0.0
    return float(np.ptp(z[inside]))


@pytest.mark.parametrize("level", LUMBAR)
def test_wedge_angle_is_the_slope_of_the_height_difference(level: str) -> None:
    shape, body = healthy(level), Body(healthy(level))
    depth = 0.5 * (shape.depth_superior_mm + shape.depth_inferior_mm)
    expected = np.degrees(np.arctan((body.posterior_height_mm - body.anterior_height_mm) / depth))
    assert body.wedge_angle_deg == pytest.approx(expected, abs=0.1)


def test_sagittal_wedging_follows_the_published_240_skeletons() -> None:
    """PMC2899959, table 1, women."""
    for level, degrees in {"T11": 4.6, "T12": 3.5, "L1": 2.6, "L3": -1.1, "L5": -7.8}.items():
        assert Body(healthy(level, "female")).wedge_angle_deg == pytest.approx(degrees, abs=0.15)


def test_body_volumes_lie_between_the_reference_spine_and_the_lumbar_shape_model() -> None:
    """Clinical-reference § 1.6 (a) and (b): T8 14, T10 18, T12 23, L1 26, L3 31–37, L4 34–39 ml; ± 10 %."""
    for level, (low, high) in {
        "T8": (14, 15),
        "T10": (18, 19),
        "T12": (23, 24),
        "L1": (26, 29),
        "L3": (31, 37),
    }.items():
        volume, two_thirds = Body(healthy(level)).volumes_ml()
        assert 0.9 * low <= volume <= 1.1 * high
        assert 0.58 <= two_thirds / volume <= 0.70


@settings(max_examples=25, deadline=None)
@given(wedge=st.floats(0, 0.6), biconcave=st.floats(0, 0.5), crush=st.floats(0, 0.5), share=st.floats(0, 1))
def test_a_fracture_takes_exactly_the_heights_it_names(
    wedge: float, biconcave: float, crush: float, share: float
) -> None:
    whole = Body(healthy("L1"))
    shape = healthy("L1").broken(wedge=wedge, biconcave=biconcave, crush=crush, superior_share=share)
    body, losses = Body(shape), height_losses(shape.fracture)
    # The rim lines of a wedged body slope in both plates; a rim-to-rim line leans by the depths' difference alone.
    assert body.anterior_height_mm == pytest.approx(whole.anterior_height_mm * (1 - losses["anterior"]), abs=0.02)
    assert body.posterior_height_mm == pytest.approx(whole.posterior_height_mm * (1 - losses["posterior"]), abs=0.02)
    assert body.middle_height_mm == pytest.approx(whole.middle_height_mm * (1 - losses["middle"]), abs=1e-9)


@pytest.mark.parametrize("values", [{}, {"wedge": 0.4}, {"biconcave": 0.35}, {"crush": 0.3, "wedge": 0.2}])
def test_heights_are_those_of_the_solid(values: dict[str, float]) -> None:
    body = Body(healthy("L2").broken(superior_share=0.8, **values))
    depth = min(body.shape.depth_superior_mm, body.shape.depth_inferior_mm)
    assert ray_height(body, 0.0) == pytest.approx(body.middle_height_mm, abs=0.02)
    # A hair inside the shallower plate's rims; the other plate's rim lies 0.15 mm farther out and a little apart.
    assert ray_height(body, 0.5 * depth - 0.005) == pytest.approx(body.anterior_height_mm, abs=0.15)
    assert ray_height(body, -0.5 * depth + 0.005) == pytest.approx(body.posterior_height_mm, abs=0.15)
    rims = body.rim_points()
    for name, point in rims.items():
        assert abs(body.distance(point[None, :])[0]) < 1e-9, name


@pytest.mark.parametrize("values", [{}, {"wedge": 0.42}, {"biconcave": 0.3}, {"crush": 0.3, "retropulsion_mm": 3.0}])
def test_volume_agrees_with_random_points(values: dict[str, float]) -> None:
    body = Body(healthy("L1").broken(**values))
    half = np.array([25.0, 24.0, 17.0])
    points = np.random.default_rng(7).uniform(-half, half, (400_000, 3))
    share = np.mean(body.distance(points) <= 0.0)
    expected, _ = body.volumes_ml()
    assert share * 8 * half.prod() / 1000 == pytest.approx(expected, rel=0.01)


def test_segmental_angles_are_the_sum_of_bodies_and_discs() -> None:
    phantom = healthy_spine(LUMBAR, extra_kyphosis_deg=1.5)
    phantom = phantom.changed("L2", phantom.shape("L2").broken(wedge=0.35, superior_share=1.0))
    known = truth_of(phantom)["levels"]
    wedges = [known[level]["wedge_angle_deg"] for level in ("L1", "L2", "L3")]
    discs = [phantom.shape(level).disc_below_kyphosis_deg + 1.5 for level in ("L1", "L2")]
    assert known["L2"]["segmental_kyphosis_deg"] == pytest.approx(sum(wedges) + sum(discs), abs=1e-4)
    assert known["L2"]["gardner_angle_deg"] == pytest.approx(sum(wedges[:2]) + discs[0], abs=1e-4)
    assert known["T12"]["segmental_kyphosis_deg"] is None


def test_turning_the_patient_changes_places_but_no_measure() -> None:
    straight = healthy_spine(LUMBAR)
    turned = replace(straight, rotation_deg=(12.0, -20.0, 15.0), centre_ras=(100.0, -40.0, 700.0))
    first, second = truth_of(straight)["levels"]["L2"], truth_of(turned)["levels"]["L2"]
    for name, value in first.items():
        if isinstance(value, float):
            assert second[name] == pytest.approx(value, abs=1e-4), name
    assert second["frame"] != first["frame"]


def test_the_vertebral_frame_halves_the_angle_between_the_rims() -> None:
    phantom = healthy_spine(LUMBAR)
    phantom = phantom.changed("L2", phantom.shape("L2").broken(wedge=0.4, superior_share=1.0))
    placed = phantom.vertebrae["L2"]
    frame, rims = vertebral_frame(placed), placed.body.rim_points()
    tilts = []
    for name in ("superior", "inferior"):
        line = frame.direction_to_local(
            placed.frame.direction_to_ras(rims[f"anterior_{name}"] - rims[f"posterior_{name}"])
        )
        tilts.append(np.degrees(np.arctan2(line[2], line[1])))
    assert tilts[0] == pytest.approx(-tilts[1], abs=1e-6)
    assert tilts[1] - tilts[0] == pytest.approx(placed.body.wedge_angle_deg, abs=1e-6)


@pytest.mark.parametrize(
    ("loss", "grade"), [(0.0, 0), (0.19, 0), (0.20, 1), (0.24, 1), (0.25, 2), (0.40, 2), (0.42, 3), (0.8, 3)]
)
def test_genant_grade(loss: float, grade: int) -> None:
    assert genant_grade(loss) == grade


@pytest.mark.parametrize(
    ("values", "shape"),
    [
        ({}, "none"),
        ({"wedge": 0.15}, "none"),
        ({"wedge": 0.30}, "wedge"),
        ({"biconcave": 0.30}, "biconcave"),
        ({"crush": 0.30}, "crush"),
        ({"wedge": 0.25, "biconcave": 0.30}, "wedge+biconcave"),
    ],
)
def test_fracture_shapes(values: dict[str, float], shape: str) -> None:
    assert fracture_shape(height_losses(healthy("L1").broken(**values).fracture)) == shape


def test_retropulsion_is_measured_from_the_walls_own_rims() -> None:
    assert Body(healthy("L1")).retropulsion_mm() == 0.0
    flat = replace(healthy("L1"), posterior_waist=0.0)
    body = Body(flat.broken(crush=0.1, retropulsion_mm=4.0, retropulsion_at=0.0))
    assert body.retropulsion_mm() == pytest.approx(4.0, abs=0.05)


def test_the_cleft_lies_inside_the_body() -> None:
    body = Body(healthy("T12").broken(wedge=0.42, superior_share=0.85, cleft_semi_mm=(7.0, 4.5, 1.6)))
    cleft = body.cleft()
    assert cleft is not None
    assert cleft.volume_ml == pytest.approx(4 / 3 * np.pi * 7.0 * 4.5 * 1.6 / 1000)
    points = np.random.default_rng(1).normal(size=(2000, 3))
    surface = cleft.centre + cleft.semi * points / np.linalg.norm(points, axis=1, keepdims=True)
    assert np.all(body.distance(surface) < -1.0)


def test_distance_to_an_ellipse_agrees_with_its_sampled_outline() -> None:
    a, b = 11.0, 3.5
    angle = np.linspace(0, 2 * np.pi, 40001)
    outline = np.stack([a * np.cos(angle), b * np.sin(angle)], axis=-1)
    points = np.random.default_rng(3).uniform(-16, 16, (300, 2))
    brute = np.linalg.norm(points[:, None] - outline[None], axis=-1).min(axis=1)
    found = ellipse_distance(points[:, 0], points[:, 1], a, b)
    assert np.abs(found) == pytest.approx(brute, abs=2e-3)
    assert np.array_equal(found < 0, (points[:, 0] / a) ** 2 + (points[:, 1] / b) ** 2 < 1)


@pytest.mark.parametrize("levels", [(), ("L1", "L3"), ("L2", "L1")])
def test_levels_out_of_order_are_refused(levels: tuple[str, ...]) -> None:
    with pytest.raises(InputError):
        healthy_spine(levels)


def test_impossible_fractures_are_refused() -> None:
    with pytest.raises(InputError, match="wedge"):
        healthy("L1").broken(wedge=1.2)
