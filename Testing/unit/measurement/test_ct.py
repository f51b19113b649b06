"""What the CT adds: density, gas, gaps in the cortex, cement and metal."""

import numpy as np
import pytest
from bodies import DEPTH, body, ct_of
from scipy import ndimage
from VertebralAugmentationPlannerLib.measurement.cleft import cleft_volume_ml
from VertebralAugmentationPlannerLib.measurement.cortex import CortexUnseen, cortical_defects
from VertebralAugmentationPlannerLib.measurement.density import trabecular_density_hu
from VertebralAugmentationPlannerLib.measurement.foreign import find_foreign
from VertebralAugmentationPlannerLib.measurement.hazards import coverage_warnings, foreign_warnings
from VertebralAugmentationPlannerLib.measurement.materials import Window, window_of
from VertebralAugmentationPlannerLib.measurement.sampling import body_voxels
from VertebralAugmentationPlannerLib.model import Image


@pytest.mark.parametrize(("lowest", "cut_off"), [(-160.0, -160.0), (0.0, 0.0), (-1000.0, None), (-250.0, None)])
def test_a_windowed_ct_cannot_show_gas(lowest, cut_off):
    values = np.random.default_rng(1).normal(0.0, 150.0, (30, 30, 30))
    values[:5] = -1000.0
    assert window_of(Image(np.clip(values, lowest, 240.0), np.eye(4))) == Window(cut_off, 240.0)


def test_a_crop_without_air_is_not_taken_for_a_windowed_one():
    values = np.random.default_rng(1).normal(100.0, 60.0, (30, 30, 30))
    assert values.min() > -200.0
    assert window_of(Image(values, np.eye(4))) == Window()


@pytest.mark.parametrize(("top", "cut_off"), [(600.0, 600.0), (1500.0, 1500.0), (2000.0, None), (4000.0, None)])
def test_a_ct_cut_off_below_cement_cannot_show_it(vertebra, top, cut_off):
    ct = altered(vertebra, lambda p: ball(p, (5, 0, 0), 6.0, 2200.0))
    assert window_of(Image(np.minimum(ct.voxels, top), ct.ijk_to_ras)).below_cement_hu == cut_off


def test_cement_in_a_ct_that_is_cut_off_below_it_is_no_bone_and_is_told_of(vertebra):
    ct = altered(vertebra, lambda p: ball(p, (0, 3, 0), 4.0, 2200.0))
    cut = Image(np.minimum(ct.voxels, 1000.0), ct.ijk_to_ras)
    assert trabecular_density_hu(body_voxels(vertebra, cut), window_of(cut)) == pytest.approx(100.0, abs=2.0)
    voxels = body_voxels(vertebra, cut)
    assert [w.code for w in foreign_warnings(find_foreign(voxels), window_of(cut))] == ["cement_cannot_show"]
    soft = Image(np.minimum(ct.voxels, 240.0), ct.ijk_to_ras)
    assert trabecular_density_hu(body_voxels(vertebra, soft), window_of(soft)) is None


@pytest.fixture(scope="module")
def vertebra():
    return body("L1", 26, 28, 23, origin=(12, -30, 140), tilt_deg=8)


def altered(vertebra, change, **ct_options):
    """A CT changed where ``change`` (a function of local points) gives HU; NaN leaves it as it is."""
    ct = ct_of(vertebra, **ct_options)
    index = np.stack(np.meshgrid(*[np.arange(n) for n in ct.voxels.shape], indexing="ij"), axis=-1)
    value = change(vertebra.frame.to_local(ct.to_ras(index)))
    return Image(np.where(np.isfinite(value), value, ct.voxels), ct.ijk_to_ras)


def ball(points, centre, radius, hu):
    return np.where(np.linalg.norm(points - np.array(centre), axis=-1) <= radius, hu, np.nan)


def density(vertebra, ct):
    return trabecular_density_hu(body_voxels(vertebra, ct), window_of(ct))


def test_without_a_ct_nothing_is_invented(vertebra):
    voxels = body_voxels(vertebra, None)
    assert trabecular_density_hu(voxels, Window()) is None
    assert cleft_volume_ml(voxels) is None
    with pytest.raises(CortexUnseen, match="no CT"):
        cortical_defects(vertebra, voxels, None)
    with pytest.raises(ValueError, match="CT"):
        find_foreign(voxels)
    assert foreign_warnings(None, Window()) == []


@pytest.mark.parametrize("hu", [35.0, 100.0, 220.0])
def test_density_is_that_of_the_trabecular_bone_and_not_of_the_shell(vertebra, hu):
    assert density(vertebra, ct_of(vertebra, trabecular=hu, shell=900.0)) == pytest.approx(hu, abs=2.0)


def test_gas_and_cement_do_not_count_as_bone(vertebra):
    gas = altered(vertebra, lambda p: ball(p, (0, 3, 0), 4.0, -600.0))
    cement = altered(vertebra, lambda p: ball(p, (0, 3, 0), 4.0, 2200.0))
    assert density(vertebra, gas) == pytest.approx(100.0, abs=2.0)
    assert density(vertebra, cement) == pytest.approx(100.0, abs=2.0)


def test_a_body_off_the_ct_has_no_density(vertebra):
    ct = ct_of(vertebra)
    moved = ct.ijk_to_ras.copy()
    moved[:3, 3] += 200.0
    assert density(vertebra, Image(ct.voxels, moved)) is None


def test_a_ct_that_ends_within_the_body_tells_of_no_gas_and_leaves_cement_open(vertebra):
    ct = ct_of(vertebra)
    whole, half = body_voxels(vertebra, ct), body_voxels(vertebra, Image(ct.voxels[:, :, :28], ct.ijk_to_ras))
    assert cleft_volume_ml(whole) == 0.0 and coverage_warnings(find_foreign(whole), whole.seen_share) == []
    assert cleft_volume_ml(half) is None and 0.4 < half.seen_share < 0.6
    (note,) = coverage_warnings(find_foreign(half), half.seen_share)
    assert note.severity == "caution" and f"only {100 * half.seen_share:.0f} % of the body" in note.message
    assert coverage_warnings(None, 0.0) == []


def test_a_body_full_of_cement_has_no_density(vertebra):
    assert density(vertebra, altered(vertebra, lambda p: ball(p, (0, 0, 0), 17.0, 2200.0))) is None


@pytest.mark.parametrize(
    ("semi", "gas"), [((7.0, 4.5, 1.8), -1000.0), ((6.0, 6.0, 3.5), -650.0), ((3.0, 3.0, 2.0), -1000.0)]
)
def test_a_gas_cleft_is_measured(vertebra, semi, gas):
    def cleft(points):
        inside = np.sum((points / np.array(semi)) ** 2, axis=-1) <= 1.0
        return np.where(inside, gas, np.nan)

    measured = cleft_volume_ml(body_voxels(vertebra, altered(vertebra, cleft)))
    truth = 4 / 3 * np.pi * np.prod(semi) / 1000
    assert measured == pytest.approx(truth, rel=0.15, abs=0.02)


@pytest.mark.parametrize("blur_mm", [0.55, 0.9])
@pytest.mark.parametrize("thick_mm", [1.2, 1.6])
def test_blur_does_not_swell_a_thin_cleft(vertebra, thick_mm, blur_mm):
    """It leaves no voxel of pure gas: the darkest of 1.2 mm read half of it and a third."""
    ct = ct_of(vertebra, trabecular=150.0)
    fine = np.array([-1.0, 0.0, 1.0]) / 3.0
    index = np.indices(ct.voxels.shape).transpose(1, 2, 3, 0)
    share = np.zeros(ct.voxels.shape)
    for step in np.stack(np.meshgrid(fine, fine, fine), axis=-1).reshape(-1, 3):
        local = vertebra.frame.to_local(ct.to_ras(index + step))
        share += np.sum((local / (11.0, 8.0, thick_mm / 2)) ** 2, axis=-1) <= 1.0
    share /= len(fine) ** 3
    mixed = ndimage.gaussian_filter(ct.voxels * (1.0 - share) - 1000.0 * share, blur_mm)
    measured = cleft_volume_ml(body_voxels(vertebra, Image(mixed, ct.ijk_to_ras)))
    assert measured == pytest.approx(4 / 3 * np.pi * 11.0 * 8.0 * thick_mm / 2000.0, rel=0.2)


def test_no_gas_is_zero_and_neither_fat_nor_disc_gas_is_a_cleft(vertebra):
    assert cleft_volume_ml(body_voxels(vertebra, ct_of(vertebra))) == 0.0
    fat = altered(vertebra, lambda p: ball(p, (0, 0, 0), 5.0, -120.0))
    assert cleft_volume_ml(body_voxels(vertebra, fat)) == 0.0
    disc_gas = altered(vertebra, lambda p: ball(p, (0, 0, 17.5), 4.0, -700.0))
    assert cleft_volume_ml(body_voxels(vertebra, disc_gas)) == 0.0


def defects(vertebra, change=None):
    ct = ct_of(vertebra) if change is None else altered(vertebra, change)
    voxels = body_voxels(vertebra, ct)
    return cortical_defects(vertebra, voxels, trabecular_density_hu(voxels, Window()))


def test_a_whole_shell_has_no_gap(vertebra):
    assert defects(vertebra) == []


@pytest.mark.parametrize(
    ("centre", "towards"),
    [
        ((0.0, 4.0, 11.8), "superior_disc"),
        ((6.0, -4.0, -11.8), "inferior_disc"),
        ((0.0, DEPTH / 2, 0.0), "anterior"),
        ((22.0, 0.0, 0.0), "lateral"),
        ((0.0, -DEPTH / 2, 8.5), "canal"),
        ((0.0, -DEPTH / 2, 0.0), "basivertebral_foramen"),
    ],
)
def test_a_hole_in_the_shell_is_found_and_named(vertebra, centre, towards):
    found = defects(vertebra, lambda p: ball(p, centre, 4.0, 40.0))
    assert [defect.towards for defect in found] == [towards]
    assert 14.0 < found[0].area_mm2 < 80.0


def test_a_shell_that_does_not_stand_out_is_not_judged(vertebra):
    ct = ct_of(vertebra, trabecular=100.0, shell=120.0)
    voxels = body_voxels(vertebra, ct)
    with pytest.raises(CortexUnseen, match="does not stand out"):
        cortical_defects(vertebra, voxels, 100.0)
    with pytest.raises(CortexUnseen, match="could not be read"):
        cortical_defects(vertebra, voxels, None)


@pytest.mark.parametrize(("hu", "code"), [(2100.0, "earlier_cement"), (3071.0, "metal")])
def test_earlier_cement_and_metal_are_told_apart(vertebra, hu, code):
    ct = altered(vertebra, lambda p: ball(p, (5, 0, 0), 6.0, hu))
    foreign = find_foreign(body_voxels(vertebra, ct))
    assert [warning.code for warning in foreign_warnings(foreign, Window())] == [code]
    assert foreign.cement_ml + foreign.metal_ml == pytest.approx(
        4 / 3 * np.pi * 0.216, rel=0.2
    )  # blur takes the edge under the limit


def test_a_dense_shell_is_no_cement(vertebra):
    foreign = find_foreign(body_voxels(vertebra, ct_of(vertebra, shell=1400.0)))
    assert foreign_warnings(foreign, Window()) == []
