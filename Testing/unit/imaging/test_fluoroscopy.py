"""The simulated picture: bone is dark, views are what surgeons call AP and lateral, text is there."""

from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from VertebralAugmentationPlannerLib.imaging import (
    CArmPose,
    Fluoroscope,
    fluoroscopy_picture,
    true_ap,
    true_lateral,
)
from VertebralAugmentationPlannerLib.imaging.projection import line_integrals
from VertebralAugmentationPlannerLib.model import Image, InputError


@pytest.fixture(scope="module")
def turned_scope(turned):
    return Fluoroscope(turned.ct, turned.vertebra.frame.origin_ras, voxel_mm=1.0)


def around(frame, pose, point_ras, half=2):
    column, row = np.round(pose.project(point_ras)).astype(int)
    return float(frame[row - half : row + half + 1, column - half : column + half + 1].mean())


def test_bone_is_dark_and_white_is_its_negative(upright):
    scope = Fluoroscope(upright.ct, np.zeros(3))
    pose = true_lateral(upright.vertebra, size_px=256, detector_mm=200)
    frame = scope.frame(pose)
    body, beside = around(frame, pose, [0, 0, 0]), around(frame, pose, [0, 0, 30])
    assert frame.dtype == np.uint8 and frame.shape == (256, 256)
    assert body < beside - 20
    white = scope.frame(pose, bone="white")
    assert around(white, pose, [0, 0, 0]) > around(white, pose, [0, 0, 30]) + 20


def edge_width(profile):
    """Rows over which an edge does the middle 60 % of its rise."""
    low, high = np.min(profile), np.max(profile)
    return np.count_nonzero((profile > low + 0.2 * (high - low)) & (profile < low + 0.8 * (high - low)))


def test_in_true_ap_the_end_plate_is_sharper_than_from_ten_degrees_off(turned, turned_scope):
    vertebra = turned.vertebra
    true = true_ap(vertebra, size_px=256, detector_mm=120)
    widths = []
    for pose in (true, replace(true, secondary_deg=true.secondary_deg - 12)):
        frame = turned_scope.frame(pose).astype(float)
        column, row = np.round(pose.project(vertebra.frame.to_ras([6.0, 0, 13.0]))).astype(int)
        # From the disc down to the dark line of the end plate.
        profile = frame[row - 40 : row + 12, column - 3 : column + 4].mean(axis=1)
        widths.append(edge_width(profile[: np.argmin(profile) + 1]))
    assert widths[0] < 0.6 * widths[1]


def test_in_true_ap_the_picture_is_symmetric_about_the_vertebras_midline(turned, turned_scope):
    vertebra = turned.vertebra
    pose = true_ap(vertebra, size_px=256, detector_mm=140)
    frame = turned_scope.frame(pose).astype(float)
    column = round(float(pose.project(vertebra.frame.origin_ras)[0]))
    reach = 60
    left = frame[60:196, column - reach : column][:, ::-1]
    right = frame[60:196, column + 1 : column + 1 + reach]
    off = turned_scope.frame(replace(pose, primary_deg=pose.primary_deg + 12)).astype(float)
    off_left = off[60:196, column - reach : column][:, ::-1]
    off_right = off[60:196, column + 1 : column + 1 + reach]
    here = np.corrcoef(left.ravel(), right.ravel())[0, 1]
    there = np.corrcoef(off_left.ravel(), off_right.ravel())[0, 1]
    assert here > 0.9 > there


def test_an_object_appears_where_the_projection_says(upright):
    ct = Image(upright.ct.voxels.copy(), upright.ct.ijk_to_ras)
    bead = np.array([22.0, 4.0, -31.0])
    i, j, k = np.round(ct.to_ijk(bead)).astype(int)
    ct.voxels[i - 1 : i + 2, j - 1 : j + 2, k - 1 : k + 2] = 12000
    with_bead = Fluoroscope(ct, np.zeros(3), voxel_mm=1.0).attenuation
    without = Fluoroscope(upright.ct, np.zeros(3), voxel_mm=1.0).attenuation
    for angles in ((0, 0), (-35, 12), (-90, 0)):
        pose = CArmPose(*angles, isocentre_ras=np.zeros(3), size_px=256, detector_mm=200)
        shadow = line_integrals(with_bead, pose) - line_integrals(without, pose)
        rows, columns = np.mgrid[:256, :256]
        centre = [(shadow * columns).sum() / shadow.sum(), (shadow * rows).sum() / shadow.sum()]
        expected = pose.project(ct.to_ras([i, j, k]))
        assert centre == pytest.approx(list(expected), abs=0.3)


def test_the_same_input_gives_the_same_bytes(turned, turned_scope):
    pose = true_ap(turned.vertebra)
    one = fluoroscopy_picture(turned_scope, pose, turned.vertebra, turned.needles.values(), view_name="AP")
    two = fluoroscopy_picture(turned_scope, pose, turned.vertebra, turned.needles.values(), view_name="AP")
    assert one == two


def test_the_picture_says_its_view_its_angles_its_sides_and_its_needles(turned, turned_scope):
    needles = [turned.needles["left"], replace(turned.needles["right"], safety="breach")]
    picture = fluoroscopy_picture(turned_scope, true_ap(turned.vertebra), turned.vertebra, needles, view_name="AP")
    root = ElementTree.fromstring(picture.to_svg())
    words = {element.text for element in root.iter() if element.tag.endswith("text")}
    assert {"AP", "LAO 12°, CAU 15°", "L", "R", "left 11G – safe", "right 11G – breach"} <= words
    assert "Prone, receptor above: 12° towards the patient’s right, 15° towards the head" in picture.caption
    assert "crop" not in picture.caption


def test_without_a_ct_there_is_no_fluoroscopy():
    with pytest.raises(InputError, match="labels only"):
        Fluoroscope(None, np.zeros(3))


def test_bone_of_another_colour_is_refused(turned, turned_scope):
    with pytest.raises(InputError, match="green"):
        turned_scope.frame(true_ap(turned.vertebra), bone="green")
