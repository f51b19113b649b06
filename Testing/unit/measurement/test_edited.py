"""Dragging a height landmark changes what follows from it, and nothing else."""

import math
from dataclasses import replace

import numpy as np
import pytest
from bodies import DEPTH, body, case_of, spine_of
from VertebralAugmentationPlannerLib.measurement import measure_spine, measurements_with_points
from VertebralAugmentationPlannerLib.model import InputError, PlanOptions, PlanWarning

RIGHT = np.array([1.0, 0.0, 0.0])


def measured(level="L1"):
    spine = spine_of(
        body("T12", 28, 28, 24, origin=(0, 0, 70)), body("L1", 28, 28, 24, origin=(0, 0, 35)), body("L2", 28, 28, 24)
    )
    return measure_spine(spine, case_of(), PlanOptions())[level].measurements


def test_unmoved_points_give_the_same_measurements():
    before = measured()
    after = measurements_with_points(before, before.height_points_ras, RIGHT)
    assert after.changed == ()
    assert after.measurements.height_loss_percent == before.height_loss_percent
    assert after.measurements.wedge_angle_deg == pytest.approx(before.wedge_angle_deg)
    assert after.measurements.genant_grade == before.genant_grade == 0


def test_lowering_the_front_makes_a_wedge():
    before = measured()
    (x, y, z), lower = before.height_points_ras["anterior"]
    after = measurements_with_points(before, {"anterior": ((x, y, z - 12.6), lower)}, RIGHT)
    edited = after.measurements
    assert after.changed == ("anterior",)
    assert edited.anterior_height_mm == pytest.approx(28 - 12.6)
    assert edited.height_loss_percent.anterior == pytest.approx(45.0)
    assert (edited.genant_grade, edited.fracture_shape) == (3, "wedge")
    assert edited.wedge_angle_deg == pytest.approx(math.degrees(math.atan(12.6 / DEPTH)))
    assert edited.heights_3x3_mm[1][0] == edited.anterior_height_mm
    assert edited.heights_3x3_mm[0] == before.heights_3x3_mm[0]
    assert edited.reference == before.reference
    assert edited.body_volume_ml == before.body_volume_ml
    assert before.anterior_height_mm == pytest.approx(28.0), "the original is not touched"


def test_a_reference_by_the_own_posterior_wall_follows_the_edited_wall():
    alone = measure_spine(spine_of(body("L2", 27, 28, 24)), case_of(), PlanOptions())["L2"].measurements
    assert alone.reference.method == "own_posterior"
    (x, y, z), lower = alone.height_points_ras["posterior"]
    edited = measurements_with_points(alone, {"posterior": ((x, y, z + 2.8), lower)}, RIGHT).measurements
    assert edited.reference.posterior_height_mm == pytest.approx(30.8)
    assert edited.reference.anterior_height_mm == pytest.approx(1.1 * alone.reference.anterior_height_mm)
    assert edited.height_loss_percent.posterior is None


@pytest.mark.parametrize(
    "points",
    [
        {"front": ((0, 0, 1), (0, 0, 0))},
        {"anterior": ((0, 0, float("nan")), (0, 0, 0))},
        {"anterior": ((0, 0), (0, 0))},
    ],
)
def test_unusable_points_are_refused_in_words(points):
    with pytest.raises(InputError, match="height"):
        measurements_with_points(measured(), points, RIGHT)


def test_what_was_said_of_the_old_loss_goes_with_it():
    """The OF class was read from the plates and the wall of a fracture that the edit denies."""
    broken = replace(measured(), genant_grade=2, fracture_shape="wedge", of_class="OF2")
    said = tuple(PlanWarning(code, "info", "", "") for code in ("of_class_ct_only", "supine_ct", "narrow_pedicle"))
    healed = measurements_with_points(broken, {}, RIGHT)
    assert (healed.measurements.genant_grade, healed.measurements.of_class) == (0, None)
    assert [w.code for w in healed.warnings(said)] == ["narrow_pedicle"]


def test_a_loss_that_an_edit_makes_brings_its_warnings():
    before = measured()
    (x, y, z), lower = before.height_points_ras["anterior"]
    flat = measurements_with_points(before, {"anterior": ((x, y, z - 20.0), lower)}, RIGHT)
    codes = [w.code for w in flat.warnings(())]
    assert flat.measurements.genant_grade == 3
    assert {"near_total_collapse", "supine_ct", "of_class_not_read"} <= set(codes)
    assert [w.code for w in flat.warnings(flat.warnings(()))] == codes  # a drag has many steps


def test_a_class_that_grade_and_shape_still_fit_stays():
    broken = replace(measured(), of_class="OF3")
    assert measurements_with_points(broken, broken.height_points_ras, RIGHT).measurements.of_class == "OF3"
