"""All pictures of a level for the report, the PNG and SVG they are made of, and the 3D view."""

import dataclasses
import os
import subprocess
import sys
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest
import SimpleITK as sitk
from vtkmodules.util.numpy_support import vtk_to_numpy

from VertebralAugmentationPlannerLib.imaging import (
    GraphicsUnavailable,
    Picture,
    body_centre_ras,
    encode_png,
    level_pictures,
    needle_surface,
    view3d,
    view3d_picture,
)
from VertebralAugmentationPlannerLib.model import LevelPlan, Pedicles, PlanningCancelled, Spine
from VertebralAugmentationPlannerLib.model.palette import SAFETY, rgb, safety_colour

WITH_CT = [
    "mid_sagittal", "axial_left", "sagittal_left", "isthmus_left", "axial_right", "sagittal_right", "isthmus_right",
    "ap", "lateral", "end_on_left", "medial_ap_left", "medial_lateral_left",
    "end_on_right", "medial_ap_right", "medial_lateral_right", "view3d",
]  # fmt: skip


@pytest.fixture
def planned(turned):
    level = LevelPlan(
        "L1",
        True,
        None,
        None,
        Pedicles(None, None),
        "bilateral",
        "",
        tuple(turned.needles.values()),
        {},
        None,
        None,
        (),
    )
    return SimpleNamespace(
        case=SimpleNamespace(ct=turned.ct),
        spine=Spine({"L1": turned.vertebra}),
        level=level,
        plan=SimpleNamespace(level=lambda name: level),
    )


def draw_or_skip(spine, level):
    try:
        return view3d_picture(spine, level)
    except GraphicsUnavailable as reason:
        pytest.skip(str(reason))


def test_every_picture_of_a_level_is_drawn_or_its_absence_explained(planned):
    result = level_pictures(planned.case, planned.spine, planned.plan, "L1")
    assert list(result.pictures) + list(result.notes) == WITH_CT or set(result.notes) == {"view3d"}
    for picture in result.pictures.values():
        ElementTree.fromstring(picture.to_svg())
        assert picture.caption and picture.alt


def test_without_a_ct_only_fluoroscopy_is_missing_and_says_why(planned):
    result = level_pictures(SimpleNamespace(ct=None), planned.spine, planned.plan, "L1")
    fluoroscopy = {key for key in WITH_CT if key.startswith(("ap", "lateral", "end_on", "medial"))}
    assert fluoroscopy <= set(result.notes)
    assert all("labels only" in result.notes[key] for key in fluoroscopy)
    assert {"mid_sagittal", "axial_left", "isthmus_right"} <= set(result.pictures)
    assert set(result.medial_borders) == {"left", "right"}, "they are geometry alone"


def test_drawing_can_be_cancelled(planned):
    with pytest.raises(PlanningCancelled):
        level_pictures(planned.case, planned.spine, planned.plan, "L1", should_cancel=lambda: True)


def test_the_medial_border_pictures_tell_depth_and_place_of_the_tip(planned):
    keys = {"medial_ap_left", "medial_lateral_left"}
    drawn = level_pictures(planned.case, planned.spine, planned.plan, "L1", keys=keys)
    depth, place = drawn.medial_borders["left"].depth_mm, drawn.medial_borders["left"].place
    ap, lateral = (drawn.pictures[name] for name in sorted(keys))
    assert place == "5 mm past the posterior wall"
    assert ap.caption.startswith(f"L1: the left tip at the pedicle’s medial border in AP, {depth:.0f} mm deep.")
    assert lateral.caption.startswith(f"L1: the lateral of the same moment, the tip {place}. Go on")
    for picture in (ap, lateral):
        assert_no_words_over_others(picture)


def assert_no_words_over_others(picture):
    """Letters are 0.62 of their size wide at most, in the mean of a line, and one line needs nine tenths of it."""
    boxes = []
    for words in ElementTree.fromstring(picture.to_svg()).iter("{http://www.w3.org/2000/svg}text"):
        x, y, size = (float(words.get(name)) for name in ("x", "y", "font-size"))
        width = 0.62 * size * len(words.text)
        left = x - width * {"start": 0.0, "middle": 0.5, "end": 1.0}[words.get("text-anchor")]
        boxes.append((left, left + width, y - 0.9 * size, y, words.text))
    for n, one in enumerate(boxes):
        for other in boxes[:n]:
            apart = one[0] >= other[1] or other[0] >= one[1] or one[2] >= other[3] or other[2] >= one[3]
            assert apart, f"“{one[4]}” over “{other[4]}”"


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_png_reads_back_the_same_in_another_reader(channels, tmp_path):
    rng = np.random.default_rng(1)
    shape = (13, 17) if channels == 1 else (13, 17, channels)
    pixels = rng.integers(0, 256, shape, dtype=np.uint8)
    file = tmp_path / "noise.png"
    file.write_bytes(encode_png(pixels))
    assert np.array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(file))), pixels)


def test_a_png_of_floats_is_refused():
    with pytest.raises(ValueError, match="uint8"):
        encode_png(np.zeros((4, 4)))


def test_a_picture_is_one_svg_whose_ids_do_not_clash_with_anothers():
    png = encode_png(np.zeros((4, 6), np.uint8))
    pictures = [Picture(png, 6, 4, None, f'<clipPath id="__ID__"/><g id="x{n}"/>', "c", "a < b & c") for n in (1, 2)]
    roots = [ElementTree.fromstring(picture.to_svg("80mm")) for picture in pictures]
    ids = [root.find("{http://www.w3.org/2000/svg}clipPath").get("id") for root in roots]
    assert ids[0] != ids[1]
    assert roots[0].get("viewBox") == "0 0 6 4" and "80mm" in roots[0].get("style")
    assert roots[0].find("{http://www.w3.org/2000/svg}title").text == "a < b & c"


def test_the_3d_view_shows_both_needles_in_their_colour(planned, tmp_path):
    picture = draw_or_skip(planned.spine, planned.level)
    file = tmp_path / "view.png"
    file.write_bytes(picture.png)
    raster = sitk.GetArrayFromImage(sitk.ReadImage(str(file))).astype(int)
    red, green, blue = raster[..., 0], raster[..., 1], raster[..., 2]
    greenish = (green > red + 50) & (green > blue + 15)
    columns = np.flatnonzero(greenish.any(axis=0))
    assert greenish.sum() > 500
    # One needle on each side of the middle: seen from behind, the patient's left is on the left.
    assert columns.min() < 0.4 * picture.width_px and columns.max() > 0.6 * picture.width_px


@pytest.mark.parametrize("entry", [(18.0, -34.0, 7.0), (30.0, -30.0, 7.0), (16.0, -34.0, 30.0), (16.0, -34.0, -16.0)])
def test_no_needle_leaves_the_3d_view(turned, entry):
    """Against VTK's own camera: every point of both needles projected."""
    vertebra = turned.vertebra
    needles = [
        needle_surface(
            dataclasses.replace(needle, entry_ras=tuple(vertebra.frame.to_ras([sign * entry[0], *entry[1:]])))
        )
        for sign, needle in zip((-1, 1), turned.needles.values(), strict=True)
    ]
    renderer = view3d._renderer()
    centre = body_centre_ras(vertebra)
    right, up = view3d._aim(renderer, vertebra, centre)
    centre, height_mm = view3d._fitted(centre, right, up, needles, 1.0)
    view3d._aim(renderer, vertebra, centre, height_mm)
    matrix = renderer.GetActiveCamera().GetCompositeProjectionTransformMatrix(1.0, -1, 1)
    rows = np.array([[matrix.GetElement(i, j) for j in range(4)] for i in range(4)])
    points = np.concatenate([vtk_to_numpy(needle.GetPoints().GetData()) for needle in needles])
    on_screen = np.c_[points, np.ones(len(points))] @ rows.T
    assert np.abs(on_screen[:, :2] / on_screen[:, 3:]).max() < 1


def test_the_3d_view_names_the_needles_that_there_are(planned, monkeypatch):
    monkeypatch.setattr(view3d, "_render", lambda *_: np.zeros((1, 1, 3), np.uint8))
    none = dataclasses.replace(planned.level, trajectories=())
    one = dataclasses.replace(planned.level, trajectories=planned.level.trajectories[:1])
    captions = [view3d_picture(planned.spine, level).caption for level in (none, one, planned.level)]
    assert [caption.split(",")[0] for caption in captions] == ["L1", "L1 with its needle", "L1 with its needles"]


def test_the_needles_surface_has_its_thickness_and_ends_at_the_target(planned):
    needle = planned.level.trajectories[0]
    bounds = needle_surface(needle, shaft_mm=0.0)
    points = np.array([bounds.GetPoint(n) for n in range(bounds.GetNumberOfPoints())])
    axis = np.subtract(needle.target_ras, needle.entry_ras)
    axis /= np.linalg.norm(axis)
    offset = points - needle.target_ras
    assert (offset @ axis).max() == pytest.approx(0, abs=1e-4)
    radial = np.linalg.norm(offset - np.outer(offset @ axis, axis), axis=1)
    assert radial.max() == pytest.approx(3.05 / 2, abs=1e-3)


def test_without_opengl_the_3d_view_is_a_named_error_and_the_report_a_note(planned, monkeypatch):
    def nothing_to_render_with():
        raise GraphicsUnavailable("There is no OpenGL on this machine.")

    monkeypatch.setattr(view3d, "_window", nothing_to_render_with)
    result = level_pictures(SimpleNamespace(ct=None), planned.spine, planned.plan, "L1")
    assert result.notes["view3d"] == "There is no OpenGL on this machine."


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="EGL and OSMesa are VTK's ways on Linux")
def test_a_machine_without_display_egl_and_osmesa_does_not_crash():
    # VTK itself ends the process there; the check has to come before it renders.
    program = (
        "from VertebralAugmentationPlannerLib.imaging import view3d\n"
        "view3d._loads = lambda library: False\n"
        "try:\n    print(view3d._window().GetClassName())\n"
        "except view3d.GraphicsUnavailable as reason:\n    print('named:', reason)\n"
    )
    blind = {
        **os.environ,
        "VTK_DEFAULT_OPENGL_WINDOW": "vtkOSOpenGLRenderWindow",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, env=blind, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0
    assert "named: There is no OpenGL" in done.stdout


def test_the_first_3d_view_of_a_process_is_drawn_by_opengl_and_not_by_a_stub():
    program = (
        "from VertebralAugmentationPlannerLib.imaging import view3d\n"
        "try:\n    print(view3d._renderer().GetClassName())\n"
        "except view3d.GraphicsUnavailable as reason:\n    print('named:', reason)\n"
    )
    path = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", program], check=True, env=path, capture_output=True, text=True)
    assert "vtkOpenGLRenderer" in done.stdout or "named: This VTK has no OpenGL" in done.stdout


def test_only_the_pictures_asked_for_are_drawn(planned):
    some = level_pictures(planned.case, planned.spine, planned.plan, "L1", keys={"isthmus_left", "ap", "unknown"})
    assert list(some.pictures) == ["isthmus_left", "ap"] and not some.notes


def test_the_palette_refuses_an_unknown_state_and_gives_vtk_its_shares():
    assert rgb("#009E73") == pytest.approx((0, 158 / 255, 115 / 255))
    assert [safety_colour(state) for state in ("safe", "tight", "breach")] == list(SAFETY.values())
    for wrong in (lambda: safety_colour("fine"), lambda: rgb("green")):
        with pytest.raises(ValueError, match="not a"):
            wrong()
