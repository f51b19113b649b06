"""The C-arm's angles, on arrangements whose answer is known by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from VertebralAugmentationPlannerLib.access.angles import end_on_carm
from VertebralAugmentationPlannerLib.imaging import (
    CArmPose,
    end_on,
    positioner_angles,
    positioner_direction,
    true_ap,
    true_lateral,
)
from VertebralAugmentationPlannerLib.imaging.carm import positioner_text, prone_words
from VertebralAugmentationPlannerLib.model import InputError, Vertebra

LEFT, RIGHT = np.array([-1.0, 0, 0]), np.array([1.0, 0, 0])
FRONT, BACK = np.array([0, 1.0, 0]), np.array([0, -1.0, 0])
HEAD = np.array([0, 0, 1.0])
ORIGIN = np.zeros(3)


def pose(primary=0.0, secondary=0.0, **more):
    values = {"isocentre_ras": ORIGIN, "detector_mm": 300.0, "size_px": 301, **more}
    return CArmPose(primary, secondary, **values)


@pytest.mark.parametrize(
    ("angles", "receptor"),
    [((0, 0), FRONT), ((90, 0), LEFT), ((-90, 0), RIGHT), ((0, 89), HEAD)],
)
def test_lao_brings_the_receptor_to_the_patients_left_and_cranial_to_the_head(angles, receptor):
    assert positioner_direction(*angles) @ receptor > 0.999
    assert pose(*angles, patient="supine").beam_direction_ras @ receptor > 0.999


def test_a_prone_patient_has_the_receptor_at_the_other_end_of_the_same_line():
    assert np.allclose(pose(25, -10).beam_direction_ras, -pose(25, -10, patient="supine").beam_direction_ras)


def test_prone_ap_shows_the_patients_left_on_the_pictures_left_with_the_head_up():
    centre = pose().project(ORIGIN)
    assert pose().project(20 * LEFT)[0] < centre[0]
    assert pose().project(20 * HEAD)[1] < centre[1]


def test_supine_ap_shows_the_patients_right_on_the_pictures_left():
    view = pose(patient="supine")
    assert view.project(20 * RIGHT)[0] < view.project(ORIGIN)[0]


def test_ten_millimetres_at_the_isocentre_are_magnified_by_source_image_over_source_object():
    # 10 mm × 1100 / 700 = 15.71 mm on the receptor; 301 pixels on 301 mm make one pixel a millimetre.
    view = pose(detector_mm=301.0)
    shift = view.project(10 * RIGHT) - view.project(ORIGIN)
    assert shift == pytest.approx([15.714, 0.0], abs=0.001)


def test_what_lies_nearer_to_the_source_is_magnified_more():
    # Prone, the source is in front: a point 100 mm in front lies 600 mm from it, 10 mm × 1100 / 600 = 18.33 mm.
    view = pose(detector_mm=301.0)
    assert (view.project(10 * RIGHT + 100 * FRONT) - view.project(ORIGIN))[0] == pytest.approx(18.333, abs=0.001)
    assert (view.project(10 * RIGHT + 100 * BACK) - view.project(ORIGIN))[0] == pytest.approx(13.75, abs=0.001)


def test_the_isocentre_falls_on_the_middle_of_the_picture_from_everywhere():
    for angles in ((0, 0), (30, -20), (-90, 0), (140, 60)):
        assert pose(*angles).project(ORIGIN) == pytest.approx([150, 150])


def test_parallax_of_two_beads_tells_lao_from_rao():
    # Supine, LAO 30: the receptor looks from the front left. A bead 100 mm in front of the isocentre lies
    # 100·cos 30 = 86.6 mm nearer to the receptor and 100·sin 30 = 50 mm towards the patient's right, which is the
    # picture's left: 50 × 1100 / (700 + 86.6) = 69.9 mm.
    view = pose(30, 0, patient="supine", detector_mm=301.0)
    assert view.project(100 * FRONT)[0] - 150 == pytest.approx(-69.92, abs=0.01)
    # Cranial 20: the receptor stands towards the head, the bead in front sinks on the picture.
    view = pose(0, 20, patient="supine", detector_mm=301.0)
    drop = 100 * math.sin(math.radians(20)) * 1100 / (700 + 100 * math.cos(math.radians(20)))
    assert view.project(100 * FRONT)[1] - 150 == pytest.approx(drop, abs=0.01)


@given(st.floats(-179, 179), st.floats(-80, 80), st.sampled_from(["prone", "supine"]))
def test_the_pictures_axes_are_right_handed_towards_the_viewer_so_nothing_is_mirrored(primary, secondary, patient):
    view = pose(primary, secondary, patient=patient)
    assert np.cross(view.right_ras, view.up_ras) @ view.beam_direction_ras == pytest.approx(1.0)
    assert view.up_ras @ HEAD > 0


@given(st.floats(-85, 85), st.floats(-80, 80))
def test_angles_and_direction_are_inverse_and_the_sign_of_the_line_does_not_matter(primary, secondary):
    direction = positioner_direction(primary, secondary)
    for line in (direction, -direction):
        assert positioner_angles(line) == pytest.approx((primary, secondary), abs=1e-6)


def test_rays_and_projection_are_inverse():
    view = pose(-35, 12)
    pixels = np.array([[3.0, 250.0], [150.0, 150.0], [299.0, 20.0]])
    assert view.project(view.source_ras + 0.6 * view.rays(pixels)) == pytest.approx(pixels)


@given(
    st.floats(-0.6, 0.6),
    st.floats(-0.5, 0.5),
)
def test_the_angles_written_into_the_plan_are_dicoms_of_the_beam(right, superior):
    """Written out as PS3.3 C.8.7.5 has them: α = atan2(p_x, −p_y), β = asin(p_z) of the unit beam p in LPS."""
    direction = np.array([right, 1.0, superior])
    beam = np.array([-right, -1.0, superior]) / np.linalg.norm(direction)
    known = math.degrees(math.atan2(beam[0], -beam[1])), math.degrees(math.asin(beam[2]))
    plan = end_on_carm(direction)
    assert (plan.primary_deg, plan.secondary_deg) == pytest.approx(known, abs=1e-6)
    assert positioner_angles(direction) == pytest.approx(known, abs=1e-6)


def test_a_left_needle_is_rao_and_its_receptor_stands_on_the_left_of_the_prone_patient(upright):
    view = end_on(upright.needles["left"])
    assert view.primary_deg < 0
    assert "patient’s left" in view.prone_text
    # The tip points to the feet, so the receptor stands towards the head.
    assert "towards the head" in view.prone_text
    assert view.beam_direction_ras @ LEFT > 0
    assert view.beam_direction_ras @ HEAD > 0


def test_end_on_the_whole_needle_is_one_point(turned):
    needle = turned.needles["right"]
    view = end_on(needle)
    assert np.ptp(view.project([needle.entry_ras, needle.target_ras]), axis=0) == pytest.approx([0, 0], abs=1e-6)


def test_true_ap_of_a_vertebra_turned_12_to_the_left_and_tilted_15_forwards(turned):
    # By construction its front looks 12° to the patient's left and 15° down: LAO 12, CAU 15.
    view = true_ap(turned.vertebra)
    assert (view.primary_deg, view.secondary_deg) == pytest.approx((12, -15), abs=1e-6)
    assert view.text == "LAO 12°, CAU 15°"


def test_in_true_ap_end_plates_are_lines_and_the_spinous_process_is_between_the_pedicles(turned):
    vertebra = turned.vertebra
    view = true_ap(vertebra, sod_mm=1e6, sid_mm=1.5e6)  # nearly parallel rays
    plate = vertebra.frame.to_ras([[0, 15, 13.0], [0, -15, 13.0]])
    assert np.diff(view.project(plate), axis=0) == pytest.approx(np.zeros((1, 2)), abs=0.1)
    spinous = view.project(vertebra.frame.to_ras([0, -60, -5.0]))[0]
    pedicles = [view.project(vertebra.frame.to_ras(p.centre))[0] for p in vertebra.pedicles.values()]
    assert spinous == pytest.approx(np.mean(pedicles), abs=0.1)


@pytest.mark.parametrize("patient", ["prone", "supine"])
def test_true_lateral_looks_across_the_body_with_anterior_on_the_left(turned, patient):
    vertebra = turned.vertebra
    view = true_lateral(vertebra, patient=patient)
    assert abs(view.beam_direction_ras @ vertebra.frame.right) == pytest.approx(1.0)
    front, back = view.project(vertebra.frame.to_ras([[0, 15, 0.0], [0, -15, 0.0]]))
    assert front[0] < back[0]


def test_the_words_for_a_lateral_name_the_side_and_the_height_of_the_receptor():
    assert prone_words(-90, 0) == "Prone, receptor on the patient’s left"
    # RAO 78: supine, the receptor stands on the right and 12° to the front; prone, at the other end of the line, on
    # the left and 12° to the back, which is up.
    assert prone_words(-78, 0) == "Prone, receptor on the patient’s left, 12° above the horizontal"
    assert prone_words(-100, 0) == "Prone, receptor on the patient’s left, 10° below the horizontal"
    assert prone_words(0, 0) == "Prone, receptor above: straight above the patient"
    assert positioner_text(-12.4, 5.2) == "RAO 12°, CRA 5°"


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"sod_mm": 1200.0}, "source–object"),
        ({"detector_mm": 0.0}, "receptor"),
        ({"patient": "standing"}, "standing"),
        ({"isocentre_ras": np.array([np.nan, 0, 0])}, "isocentre"),
    ],
)
def test_a_c_arm_that_cannot_be_is_refused(change, word):
    with pytest.raises(InputError, match=word):
        pose(**change)


def test_a_point_behind_the_source_is_refused():
    with pytest.raises(InputError, match="behind the X-ray source"):
        pose().project(800 * FRONT)


def test_an_incomplete_vertebra_has_no_ap():
    with pytest.raises(InputError, match="cut by the image"):
        true_ap(Vertebra("L5", False, "it is cut by the image border"))
