"""Labels in, measurements out, against phantoms whose truth is known by construction."""

import numpy as np
import pytest
from VertebralAugmentationPlannerLib.anatomy import build_spine
from VertebralAugmentationPlannerLib.measurement import measure_spine
from VertebralAugmentationPlannerLib.model import Case, ImageRecord, Inputs, PlanOptions
from VertebralAugmentationPlannerLib.sample import TOTALSEGMENTATOR, healthy_spine, make_case

BROKEN = {
    "T12": {"wedge": 0.42, "superior_share": 0.85},
    "L2": {"biconcave": 0.30},
    "L3": {"crush": 0.33, "retropulsion_mm": 3.0},
}


def phantom():
    spine = healthy_spine(("T10", "T11", "T12", "L1", "L2", "L3", "L4"), rotation_deg=(6.0, -9.0, 14.0), seed=4)
    for level, fracture in BROKEN.items():
        spine = spine.changed(level, spine.shape(level).broken(**fracture))
    return spine


def case_of_phantom(spine, **options):
    ct, labels, truth = make_case(spine, margin_mm=8.0, **options)
    levels = {level: TOTALSEGMENTATOR[level] for level in spine.levels}
    record = ImageRecord("labels", None, labels.voxels.shape, tuple(labels.spacing_mm))
    return Case(ct, labels, levels, Inputs(None, record)), truth


@pytest.fixture(scope="module", params=[1.0, 3.0], ids=["1 mm", "3 mm slices"])
def measured(request):
    """(accuracy factor, measurements, truth): at 3 mm slices twice the error is allowed."""
    case, truth = case_of_phantom(phantom(), spacing=(1.0, 1.0, request.param), with_ct=False)
    return (
        (1.0 if request.param == 1.0 else 2.0),
        measure_spine(build_spine(case), case, PlanOptions()),
        truth["levels"],
    )


def errors(measured, name):
    _, levels, truth = measured
    pairs = ((level, getattr(found.measurements, name), truth[level][name]) for level, found in levels.items())
    return {level: found - true for level, found, true in pairs if found is not None and true is not None}


@pytest.mark.parametrize("part", ["anterior", "middle", "posterior"])
def test_heights_are_right_to_half_a_millimetre_and_to_one_at_a_broken_rim(measured, part):
    name = f"{part}_height_mm"
    for level, error in errors(measured, name).items():
        limit = 1.0 if level in BROKEN else 0.5
        assert abs(error) <= measured[0] * limit, (level, error)


@pytest.mark.parametrize("name", ["wedge_angle_deg", "segmental_kyphosis_deg", "gardner_angle_deg"])
def test_angles_are_right_to_one_degree(measured, name):
    found = errors(measured, name)
    assert len(found) >= 5
    for level, error in found.items():
        assert abs(error) <= measured[0], (level, error)


def test_body_volume_is_right_to_three_percent(measured):
    truth = measured[2]
    for level, error in errors(measured, "body_volume_ml").items():
        assert abs(error) <= measured[0] * 0.03 * truth[level]["body_volume_ml"], (level, error)


def test_volume_of_the_anterior_two_thirds_is_right_to_four_percent(measured):
    truth = measured[2]
    for level, error in errors(measured, "anterior_two_thirds_volume_ml").items():
        assert abs(error) <= measured[0] * 0.04 * truth[level]["anterior_two_thirds_volume_ml"], (level, error)


def test_grade_and_shape_of_every_level_are_right(measured):
    _, levels, truth = measured
    found = {level: (m.measurements.genant_grade, m.measurements.fracture_shape) for level, m in levels.items()}
    assert found == {level: (truth[level]["genant_grade"], truth[level]["fracture_shape"]) for level in found}


def test_of_class_by_the_plates_that_broke(measured):
    found = {level: m.measurements.of_class for level, m in measured[1].items()}
    assert found == {"T10": None, "T11": None, "T12": "OF2", "L1": None, "L2": "OF4", "L3": "OF4", "L4": None}


def test_retropulsion_reads_the_bump_and_healthy_walls_read_nothing(measured):
    factor, levels, _ = measured
    for level, found in levels.items():
        bump = BROKEN.get(level, {}).get("retropulsion_mm", 0.0)
        assert found.measurements.posterior_wall_retropulsion_mm == pytest.approx(bump, abs=factor * 0.6), level


def test_ct_readings_of_a_fractured_body():
    spine = healthy_spine(("T12", "L1", "L2"), seed=8)
    broken = spine.shape("L1").broken(
        wedge=0.35, density_gain_hu=40.0, cleft_semi_mm=(7.0, 5.0, 2.0), cleft_centre=(0.0, 0.2, 0.1)
    )
    case, truth = case_of_phantom(spine.changed("L1", broken))
    level = measure_spine(build_spine(case), case, PlanOptions())["L1"]
    numbers = level.measurements
    assert numbers.body_density_hu == pytest.approx(truth["levels"]["L1"]["trabecular_hu"], abs=5.0)
    assert numbers.reference_density_hu == pytest.approx(truth["levels"]["L2"]["trabecular_hu"], abs=5.0)
    assert numbers.cleft_volume_ml == pytest.approx(truth["levels"]["L1"]["cleft_volume_ml"], rel=0.15)
    assert {"cleft", "densified_body", "supine_ct"} <= {warning.code for warning in level.warnings}
    assert np.isfinite(numbers.posterior_wall_retropulsion_mm)


@pytest.mark.parametrize(("gain_hu", "dense"), [(120.0, False), (400.0, True)])
def test_a_body_denser_than_spongy_bone_is_a_caution_and_no_bone_quality(gain_hu, dense):
    """226 ± 44 HU are the densest bodies of the young: 360 HU and more are sclerosis, contrast or cement."""
    spine = healthy_spine(("T12", "L1", "L2"), seed=8)
    case, truth = case_of_phantom(spine.changed("L1", spine.shape("L1").broken(wedge=0.3, density_gain_hu=gain_hu)))
    level = measure_spine(build_spine(case), case, PlanOptions())["L1"]
    assert (truth["levels"]["L1"]["trabecular_hu"] > 360.0) is dense
    codes = {warning.code: warning.severity for warning in level.warnings}
    assert (codes.get("dense_body") == "caution") is dense and ("densified_body" in codes) is not dense
