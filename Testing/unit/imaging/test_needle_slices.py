"""Slices along and across a needle: nothing mirrored, true to scale, room measured by hand."""

import re
from dataclasses import replace
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest
import SimpleITK as sitk

from VertebralAugmentationPlannerLib.imaging import (
    isthmus_picture,
    mid_sagittal,
    mid_sagittal_picture,
    needle_axial_picture,
    needle_sagittal_picture,
    plane_through,
    reslice,
)
from VertebralAugmentationPlannerLib.imaging.needle_slices import isthmus_room
from VertebralAugmentationPlannerLib.imaging.slices import SlicePlane, contours
from VertebralAugmentationPlannerLib.model import (
    HeightLoss,
    Image,
    InputError,
    LevelPlan,
    Measurements,
    Pedicles,
    Spine,
    Vertebra,
)


def measurements(frame) -> Measurements:
    ends = {
        name: tuple(tuple(frame.to_ras([0, y, z])) for z in (13.0, -13.0))
        for name, y in (("anterior", 14.0), ("middle", 0.0), ("posterior", -14.0))
    }
    return Measurements(
        26.0, 25.0, 26.0, None, 30.0, 40.0, 28.0, 17.0, None, HeightLoss(34.6, 0.2, -3.0), 2, "wedge", "OF2",
        0.0, None, None, None, None, None, None, ends,
    )  # fmt: skip


@pytest.fixture
def planned(turned):
    """Case, spine and level plan of the turned vertebra with both needles."""
    level = LevelPlan(
        "L1", True, None, measurements(turned.vertebra.frame), Pedicles(None, None), "bilateral", "",
        tuple(turned.needles.values()), {}, None, None, (),
    )  # fmt: skip
    return SimpleNamespace(
        case=SimpleNamespace(ct=turned.ct),
        spine=Spine({"L1": turned.vertebra}),
        level=level,
        vertebra=turned.vertebra,
    )


def letters(picture):
    """The one-letter labels with their places, as shares of the picture."""
    root = ElementTree.fromstring(picture.to_svg())
    return {
        element.text: (float(element.get("x")) / picture.width_px, float(element.get("y")) / picture.height_px)
        for element in root.iter()
        if element.tag.endswith("text") and len(element.text) == 1
    }


def pixels(picture, tmp_path):
    """The raster as an independent reader sees it."""
    file = tmp_path / "picture.png"
    file.write_bytes(picture.png)
    return sitk.GetArrayFromImage(sitk.ReadImage(str(file)))


@pytest.mark.parametrize("side", ["left", "right"])
def test_an_axial_slice_is_seen_from_the_feet_with_the_patients_left_on_the_right(planned, side):
    place = letters(needle_axial_picture(planned.case, planned.spine, planned.level, side))
    assert place["R"][0] < 0.1 and place["L"][0] > 0.9
    assert place["A"][1] < 0.2 and place["P"][1] > 0.8


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_sagittal_slice_has_anterior_on_the_left_and_the_head_up(planned, side):
    place = letters(needle_sagittal_picture(planned.case, planned.spine, planned.level, side))
    assert place["A"][0] < 0.1 and place["P"][0] > 0.9
    assert place["H"][1] < 0.2 and place["F"][1] > 0.8


def test_the_sagittal_slice_says_in_whose_planes_its_angle_is(planned):
    picture = needle_sagittal_picture(planned.case, planned.spine, planned.level, "left")
    words = [e.text for e in ElementTree.fromstring(picture.to_svg()).iter() if e.tag.endswith("text")]
    assert words[words.index("10° towards the feet") + 1] == "in the vertebra’s own planes"
    assert "10° towards the feet in the vertebra’s own planes" in picture.caption


@pytest.mark.parametrize(
    ("angle", "words"), [(0.4, "0°"), (-0.4, "0°"), (0.0, "0°"), (3.2, "3° kyphosis"), (-3.2, "3° lordosis")]
)
def test_a_flat_segment_is_neither_kyphosis_nor_lordosis(angle, words):
    assert mid_sagittal.angle_words(angle) == words


@pytest.mark.parametrize("side", ["left", "right"])
def test_across_the_needle_one_looks_from_behind_with_the_patients_left_on_the_left(planned, side):
    picture = isthmus_picture(planned.case, planned.spine, planned.level, side)
    place = letters(picture)
    assert place["L"][0] < 0.1 and place["R"][0] > 0.9
    words = [e.text for e in ElementTree.fromstring(picture.to_svg()).iter() if e.tag.endswith("text")]
    where = {
        e.text: float(e.get("x")) for e in ElementTree.fromstring(picture.to_svg()).iter() if e.tag.endswith("text")
    }
    assert {"upper", "lower", "medial", "lateral"} <= set(words)
    assert (where["lateral"] < where["medial"]) == (side == "left")


def test_the_axial_letters_are_true_a_bead_on_the_patients_left_is_on_the_right(planned, tmp_path):
    ct = planned.case.ct
    frame = planned.vertebra.frame
    needle = planned.level.trajectory("left")
    middle = np.asarray(needle.entry_ras) + 0.42 * np.subtract(needle.target_ras, needle.entry_ras)
    bead = middle - 20 * frame.right  # on the slice, because it contains the left–right axis
    voxels = ct.voxels.copy()
    i, j, k = np.round(ct.to_ijk(bead)).astype(int)
    voxels[i - 1 : i + 2, j - 1 : j + 2, k - 1 : k + 2] = 3000
    picture = needle_axial_picture(
        SimpleNamespace(ct=Image(voxels, ct.ijk_to_ras)), planned.spine, planned.level, "left"
    )
    before = needle_axial_picture(planned.case, planned.spine, planned.level, "left")
    change = pixels(picture, tmp_path).astype(int) - pixels(before, tmp_path)
    column = np.argwhere(change > 60).mean(axis=0)[1]
    assert (column - picture.width_px / 2) * picture.mm_per_px == pytest.approx(20, abs=1)


def test_the_needle_is_drawn_at_its_true_thickness(planned):
    picture = needle_axial_picture(planned.case, planned.spine, planned.level, "right")
    colour = "#009E73"
    path = re.search(rf'<path d="(M[^"]*)Z" fill="{colour}"', picture.overlay_svg).group(1)
    corners = np.array([[float(v) for v in point.split()] for point in path[1:].split("L")])
    width = np.linalg.norm(corners[1] - corners[2]) * picture.mm_per_px
    assert width == pytest.approx(3.05, abs=0.05)


def test_a_needle_that_was_not_judged_is_called_so_instead_of_graded(planned):
    left, right = planned.level.trajectories
    lost = replace(left, breach_grade=None, tolerated_offset_mm=None, tolerated_angle_deg=None, safety="breach")
    level = replace(planned.level, trajectories=(lost, right))
    for side, grade in ((left.side, "not judged"), (right.side, f"grade {right.breach_grade}")):
        text = needle_axial_picture(planned.case, planned.spine, level, side).to_svg()
        assert f"· {grade}<" in text and "None" not in text


def test_room_at_the_isthmus_by_hand(upright):
    # A needle along the front–back axis at x = 14, z = 4 runs through the middle of an ellipse of 9 × 15 mm: 4.5 mm to
    # each side and 7.5 mm up and down, less the cannula's 2.1 mm.
    plane = plane_through([14.0, -20.0, 4.0], [0, -1.0, 0], [0, 0, 1.0], 40, 40)
    room = isthmus_room(upright.vertebra, plane, 2.1)
    assert room["left"] == pytest.approx(2.4, abs=0.4) and room["right"] == pytest.approx(2.4, abs=0.4)
    assert room["up"] == pytest.approx(5.4, abs=0.4) and room["down"] == pytest.approx(5.4, abs=0.4)
    # 2 mm further out the outer wall is 2 mm nearer.
    moved = isthmus_room(upright.vertebra, replace(plane, centre_ras=np.array([16.0, -20, 4])), 2.1)
    assert moved["right"] == pytest.approx(0.4, abs=0.4) and moved["left"] == pytest.approx(4.4, abs=0.4)


def test_a_cannula_through_the_wall_has_negative_room(upright):
    plane = plane_through([17.5, -20.0, 4.0], [0, -1.0, 0], [0, 0, 1.0], 40, 40)
    assert isthmus_room(upright.vertebra, plane, 2.1)["right"] < -0.5


def test_heights_stand_at_their_lines_and_loss_is_a_minus(planned):
    picture = mid_sagittal_picture(planned.case, planned.spine, planned.level)
    words = [e.text for e in ElementTree.fromstring(picture.to_svg()).iter() if e.tag.endswith("text")]
    assert {"26.0", "25.0", "−35 %", "0 %", "+3 %", "wedge, Genant 2", "L1"} <= set(words)
    place = letters(picture)
    assert place["A"][0] < 0.1 and place["P"][0] > 0.9


def test_without_a_ct_the_bone_is_drawn_from_its_label_and_said_so(planned, tmp_path):
    case = SimpleNamespace(ct=None)
    for picture in (
        needle_axial_picture(case, planned.spine, planned.level, "left"),
        mid_sagittal_picture(case, planned.spine, planned.level),
    ):
        raster = pixels(picture, tmp_path)
        assert raster.ndim == 3 and raster.max() > 150 and raster.min() < 40
        assert "drawn from its label" in picture.caption


def test_an_incomplete_level_or_a_side_without_needle_is_refused_with_its_reason(planned):
    level = replace(planned.level, trajectories=(), skipped_sides={"left": "the isthmus is 3 mm"})
    with pytest.raises(InputError, match="isthmus is 3 mm"):
        needle_axial_picture(planned.case, planned.spine, level, "left")
    spine = Spine({"L1": Vertebra("L1", False, "it is cut")})
    with pytest.raises(InputError, match="it is cut"):
        mid_sagittal_picture(planned.case, spine, planned.level)


def test_reslice_finds_a_known_value_and_leaves_what_lies_off_the_ct_dark():
    values = np.full((40, 40, 40), -1000.0, np.float32)
    values[20:, :, :] = 1000.0  # the right half
    image = Image(values, np.eye(4))
    plane = SlicePlane(np.array([19.5, 20.0, 20.0]), np.array([1.0, 0, 0]), np.array([0, 0, 1.0]), 60.0, 20.0, 0.5)
    picture = reslice(image, plane)
    assert picture.shape == (40, 120)
    row = picture[20]
    assert row[30:55].max() < 10 and row[65:95].min() > 240
    assert set(row[:15]) == {18}


def test_a_contour_of_a_disc_is_a_closed_circle():
    y, x = np.mgrid[:80, :100]
    (line,) = contours(20.0 - np.hypot(x + 0.5 - 50, y + 0.5 - 40))
    assert np.hypot(line[:, 0] - 50, line[:, 1] - 40) == pytest.approx(np.full(len(line), 20.0), abs=0.05)
    assert np.allclose(line[0], line[-1])


def test_a_plane_needs_orthogonal_directions():
    with pytest.raises(ValueError, match="orthogonal"):
        SlicePlane(np.zeros(3), np.array([1.0, 0, 0]), np.array([1.0, 0, 0]), 10, 10)
