"""The same anatomy on any grid: voxel order, tilt, shift and slice thickness change the voxels, not the patient."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from VertebralAugmentationPlannerLib.model import Image, InputError
from VertebralAugmentationPlannerLib.sample import (
    TOTALSEGMENTATOR,
    VERSE,
    CorticalDefect,
    Implant,
    SpinePhantom,
    canal_image,
    draw,
    grid,
    healthy_spine,
    make_case,
)
from VertebralAugmentationPlannerLib.sample.primitives import rotation

TIGHT_MM = 3.0


def volume_and_centre(labels: Image, value: int) -> tuple[float, np.ndarray]:
    """ml and RAS centroid of a label."""
    index = np.argwhere(labels.voxels == value)
    voxel = abs(np.linalg.det(labels.ijk_to_ras[:3, :3])) / 1000.0
    return len(index) * voxel, labels.to_ras(index).mean(axis=0)


@pytest.fixture(scope="module")
def reference(lumbar: SpinePhantom) -> Image:
    return make_case(lumbar, (0.8, 0.8, 0.8), with_ct=False, margin_mm=TIGHT_MM)[1]


def test_a_voxel_is_labelled_where_its_centre_lies_in_bone(lumbar: SpinePhantom, reference: Image) -> None:
    index = np.random.default_rng(2).integers(0, reference.voxels.shape, (20_000, 3))
    points = reference.to_ras(index)
    values = reference.voxels[tuple(index.T)]
    for level in lumbar.levels:
        assert np.array_equal(values == TOTALSEGMENTATOR[level], lumbar.inside_bone(points, level))


@pytest.mark.parametrize("order", ["LPI", "SAR", "PIR"])
def test_voxel_order_does_not_move_the_patient(lumbar: SpinePhantom, reference: Image, order: str) -> None:
    _, labels, _ = make_case(lumbar, (0.8, 0.8, 0.8), order=order, with_ct=False, margin_mm=TIGHT_MM)
    for level in lumbar.levels:
        volume, centre = volume_and_centre(labels, TOTALSEGMENTATOR[level])
        expected, place = volume_and_centre(reference, TOTALSEGMENTATOR[level])
        assert volume == pytest.approx(expected, rel=1e-3)
        assert centre == pytest.approx(place, abs=0.02)


@pytest.mark.parametrize(
    ("spacing", "angles", "shift"),
    [
        ((1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (0.4, -0.3, 0.2)),
        ((1.0, 1.0, 1.0), (20.0, -15.0, 25.0), (0.0, 0.0, 0.0)),
        ((0.7, 0.7, 3.0), (0.0, 0.0, 0.0), (0.0, 0.0, 1.1)),
        ((2.0, 1.0, 1.0), (10.0, 0.0, 0.0), (0.0, 0.0, 0.0)),
    ],
)
def test_tilt_shift_and_slices_keep_volume_and_place(
    lumbar: SpinePhantom,
    reference: Image,
    spacing: tuple[float, float, float],
    angles: tuple[float, float, float],
    shift: tuple[float, float, float],
) -> None:
    turn = rotation(2, angles[2]) @ rotation(1, angles[1]) @ rotation(0, angles[0])
    _, labels, _ = make_case(lumbar, spacing, turn, shift, with_ct=False, margin_mm=TIGHT_MM)
    for level in lumbar.levels:
        volume, centre = volume_and_centre(labels, TOTALSEGMENTATOR[level])
        expected, place = volume_and_centre(reference, TOTALSEGMENTATOR[level])
        assert volume == pytest.approx(expected, rel=0.012)
        # A spinous process 7 mm thick is 3 or 4 voxels of 2 mm: that alone moves the centroid by 0.4 mm.
        assert centre == pytest.approx(place, abs=0.15 if max(spacing) <= 1.0 else 0.6)


def test_voxelised_body_has_the_analytic_volume(lumbar: SpinePhantom, reference: Image) -> None:
    _, _, known = make_case(lumbar, (3.0, 3.0, 3.0), with_ct=False, margin_mm=TIGHT_MM)
    points = reference.to_ras(np.argwhere(reference.voxels > 0))
    for level, placed in lumbar.vertebrae.items():
        inside = np.sum(placed.body.distance(placed.frame.to_local(points)) <= 0.0)
        volume = inside * float(np.prod(reference.spacing_mm)) / 1000.0
        assert volume == pytest.approx(known["levels"][level]["body_volume_ml"], rel=0.01)


def test_ct_shows_marrow_cortex_canal_fat_and_air(lumbar: SpinePhantom) -> None:
    ct, labels, known = make_case(lumbar)
    assert ct is not None and ct.voxels.dtype == np.int16 and labels.voxels.dtype == np.uint8
    for level, placed in lumbar.vertebrae.items():
        ball = np.random.default_rng(4).normal(size=(400, 3))
        ball = 5.0 * ball / np.linalg.norm(ball, axis=1, keepdims=True)
        marrow = ct.sample(placed.frame.to_ras(ball + np.array([0.0, 2.0, 0.0])))
        assert np.mean(marrow) == pytest.approx(known["levels"][level]["trabecular_hu"], abs=8.0)
        canal = ct.sample(np.array([known["levels"][level]["canal"]["centre_ras"]]))
        assert 0.0 < canal[0] < 70.0
        lateral = placed.frame.to_ras(np.array([[0.0, float(placed.body.anterior_extent(np.array(0.0))) - 0.3, 0.0]]))
        assert ct.sample(lateral)[0] > 250.0
    assert np.median(ct.voxels[:, 0, :]) < -950.0


def test_thick_slices_average_the_thin_ones(lumbar: SpinePhantom) -> None:
    quiet = replace(lumbar, soft=replace(lumbar.soft, noise_hu=0.0, texture_hu=0.0, blur_mm=0.0))
    size, matrix = grid(quiet, (1.0, 1.0, 3.0))
    thick, _ = draw(quiet, size, matrix)
    thin_matrix = matrix.copy()
    thin_matrix[:3, 2] /= 3.0
    thin_matrix[:3, 3] -= thin_matrix[:3, 2]
    thin, _ = draw(quiet, (size[0], size[1], 3 * size[2]), thin_matrix)
    assert thick is not None and thin is not None
    mean = thin.voxels.reshape(size[0], size[1], size[2], 3).mean(axis=-1)
    assert np.abs(thick.voxels - mean).max() <= 1.0


def test_gas_defects_metal_and_cement_show_in_the_ct() -> None:
    phantom = healthy_spine(("L1", "L2"))
    shape = phantom.shape("L1").broken(wedge=0.3, cleft_semi_mm=(6.0, 5.0, 2.5))
    shape = replace(
        shape,
        defects=(CorticalDefect("posterior", (0.0, 0.0), 3.0),),
        implants=(Implant((-12.0, -4.0, -4.0), (-12.0, 6.0, -4.0), 2.5),),
    )
    phantom = phantom.changed("L1", shape)
    ct, _, known = make_case(phantom, margin_mm=TIGHT_MM)
    assert ct is not None
    assert ct.sample(np.array([known["levels"]["L1"]["cleft_centre_ras"]]))[0] < -400.0
    frame, body = phantom.vertebrae["L1"].frame, phantom.vertebrae["L1"].body
    wall = -float(body.posterior_extent(np.array(0.0), np.array(0.0)))
    assert ct.sample(frame.to_ras(np.array([[0.0, wall + 0.3, 0.0]])))[0] < 120.0
    assert ct.sample(frame.to_ras(np.array([[-12.0, 1.0, -4.0]])))[0] > 2000.0


def test_a_cut_picture_cuts_the_vertebra() -> None:
    phantom = healthy_spine(("T12", "L1", "L2", "L3"), cut=("T12", "L3"))
    _, labels, known = make_case(phantom, (1.5, 1.5, 1.5), with_ct=False)
    border = np.ones(labels.voxels.shape, bool)
    border[1:-1, 1:-1, 1:-1] = False
    touching = set(np.unique(labels.voxels[border])) - {0}
    assert touching == {TOTALSEGMENTATOR["T12"], TOTALSEGMENTATOR["L3"]}
    assert [known["levels"][level]["complete"] for level in phantom.levels] == [False, True, True, False]


def test_the_numberings_are_the_published_ones() -> None:
    """TotalSegmentator 2: S1 = 26, L5 = 27, L1 = 31, T12 = 32, T1 = 43; VerSe: T1 = 8, L6 = 25, T13 = 28."""
    assert [TOTALSEGMENTATOR[level] for level in ("L5", "L1", "T12", "T1")] == [27, 31, 32, 43]
    assert [VERSE[level] for level in ("T1", "T12", "L1", "L6", "T13")] == [8, 19, 20, 25, 28]


def test_levels_without_a_number_are_refused() -> None:
    with pytest.raises(InputError, match="L6"):
        make_case(healthy_spine(("L5", "L6")), with_ct=False)


def test_an_impossible_voxel_order_is_refused(lumbar: SpinePhantom) -> None:
    with pytest.raises(InputError, match="RAX"):
        make_case(lumbar, order="RAX", with_ct=False)


def test_the_canal_mask_touches_no_label(lumbar: SpinePhantom) -> None:
    _, labels, _ = make_case(lumbar, with_ct=False, margin_mm=TIGHT_MM)
    canal = canal_image(lumbar, labels.voxels.shape, labels.ijk_to_ras)
    assert canal.voxels.sum() > 10_000
    assert not np.any((canal.voxels > 0) & (labels.voxels > 0))
