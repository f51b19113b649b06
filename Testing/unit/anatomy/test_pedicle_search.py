"""Where the search for a pedicle begins and ends, on bones drawn as distances."""

from __future__ import annotations

import numpy as np
import pytest
from VertebralAugmentationPlannerLib.anatomy.body import Body
from VertebralAugmentationPlannerLib.anatomy.canal import Canal
from VertebralAugmentationPlannerLib.anatomy.pedicle_start import PedicleNotFound
from VertebralAugmentationPlannerLib.anatomy.pedicles import find_pedicle, inward_deg
from VertebralAugmentationPlannerLib.anatomy.section import FINE
from VertebralAugmentationPlannerLib.anatomy.surface import label_shape
from VertebralAugmentationPlannerLib.model import Frame, Image, LocalGrid, Pedicle
from VertebralAugmentationPlannerLib.model.geometry import label_boxes

FRAME = Frame(np.zeros(3), *np.eye(3))
GRID = LocalGrid(np.array([-30.0, -30.0, -22.0]), 0.8, (76, 86, 56))
PEDICLE_X, BODY_Y, CANAL_Y = 15.0, 20.0, -4.0


def bar(points: np.ndarray, start: tuple, end: tuple, radius: float, waist: float = 0.0) -> np.ndarray:
    """Depth in a round bar that is slimmer in its middle."""
    a, way = np.array(start), np.subtract(end, start)
    along = np.clip((points - a) @ way / (way @ way), 0.0, 1.0)
    return radius - waist * 4 * along * (1 - along) - np.linalg.norm(points - a - along[..., None] * way, axis=-1)


def hourglass(points: np.ndarray, middle: tuple, radius: float, bend_mm: float) -> np.ndarray:
    """Depth in a round stalk along y, ``radius`` thick in its middle and bent inwards there like a circle of ``bend_mm``."""
    off = points - np.array(middle)
    return radius + np.minimum(off[..., 1] ** 2 / (2 * bend_mm), 2.5) - np.hypot(off[..., 0], off[..., 2])


def measured(
    pedicle_radius: float,
    arch_radius: float,
    more=lambda points: -np.inf,
    back_y: float = -10.0,
    half_width: float = 64 / 3,
) -> Pedicle:
    """The right pedicle of a ball-shaped body on two straight pedicles that end at ``back_y``, closed behind by a bar, with
    more bone to it."""
    points = GRID.points()
    body = 16.0 - np.linalg.norm((points - [0.0, BODY_Y, 0.0]) * [16.0 / half_width, 1.0, 1.0], axis=-1)
    bone = body
    for side in (-1, 1):
        x = side * PEDICLE_X
        bone = np.maximum(bone, bar(points, (x, back_y, 3.0), (x, BODY_Y, 3.0), pedicle_radius + 1.0, 1.0))
        bone = np.maximum(bone, bar(points, (x, back_y, 3.0), (x, -12.0, 0.0), arch_radius))
    bone = np.maximum(bone, bar(points, (-PEDICLE_X, -12.0, 0.0), (PEDICLE_X, -12.0, 0.0), arch_radius))
    bone = np.maximum(bone, more(points))
    count = GRID.shape[2]
    line = np.tile([0.0, CANAL_Y], (count, 1))
    canal = Canal(-bone, np.array([0.0, CANAL_Y, 0.0]), line, np.ones(count, bool))
    core = Body(body > 0, np.full((GRID.shape[0], count), 5.0), (8, count - 9), np.array([0.0, BODY_Y, 0.0]))
    matrix = np.diag([0.8, 0.8, 0.8, 1.0])
    matrix[:3, 3] = GRID.first_mm
    voxels = (bone > 0).astype(np.uint8)
    shape = label_shape(Image(voxels, matrix), 1, label_boxes(voxels)[1])
    return find_pedicle(bone, GRID, canal, core, "right", shape, FRAME)


@pytest.mark.parametrize(("pedicle", "arch"), [(2.0, 6.0), (4.0, 6.0), (4.0, 3.5)])
def test_the_isthmus_is_found_whether_the_arch_is_thicker_or_slimmer_than_the_pedicle(pedicle, arch):
    found = measured(pedicle, arch)
    assert found.isthmus_width_mm == pytest.approx(2 * pedicle, abs=0.5)
    assert found.isthmus_height_mm == pytest.approx(2 * pedicle, abs=0.5)
    assert found.centre[[0, 2]] == pytest.approx([PEDICLE_X, 3.0], abs=0.3)
    assert -6.0 < found.centre[1] < 10.0
    assert found.axis == pytest.approx([0.0, 1.0, 0.0], abs=0.05)


def test_a_bridge_of_a_voxel_is_no_pedicle():
    with pytest.raises(PedicleNotFound, match="no bridge"):
        measured(0.2, 6.0)
    # On voxels of 0.8 mm smoothing leaves less than 0.4 mm in the middle of what is thinner than 2 · (0.4 + 1.25 · 0.56) mm.
    with pytest.raises(PedicleNotFound, match="thinner than 2.2 mm"):
        measured(0.39, 6.0)


@pytest.mark.parametrize("bend_mm", [3.0, 6.0, 20.0])
def test_a_short_waist_is_read_at_its_narrowest_place(bend_mm):
    """A slab of 2.4 mm to each side reads a waist of 4 mm and a bend of 3 mm 0.3 mm too wide, and real ones are as short."""

    def around(points):
        near = np.abs(points[..., 1] - 1.0) < 12.0
        return np.where(near, hourglass(points, (PEDICLE_X, 1.0, 3.0), 2.0, bend_mm), -50.0)

    found = measured(0.8, 6.0, around)
    assert found.isthmus_width_mm == pytest.approx(4.0, abs=0.15)
    assert found.centre[1] == pytest.approx(1.0, abs=0.5)


def test_a_sheet_of_label_that_hangs_on_the_outer_wall_is_not_pedicle():
    """As a frayed label leaves it of the rib's head: 1.4 mm thin and 16 mm high, touching the pedicle all along."""

    def sheet(points):
        along = np.abs(points[..., 1] - 1.0) - 10.0
        up = np.abs(points[..., 2] + 3.0) - 8.0
        out = np.abs(points[..., 0] - PEDICLE_X - 3.6) - 0.7
        return -np.max([along, up, out], axis=0)

    found = measured(3.0, 6.0, sheet)
    assert found.isthmus_height_mm == pytest.approx(6.0, abs=0.5)
    assert found.centre[2] == pytest.approx(3.0, abs=0.3)


@pytest.mark.parametrize("lean_deg", [0.0, 20.0, 45.0])
@pytest.mark.parametrize(("width", "height"), [(4.5, 12.0), (5.0, 14.0), (9.0, 16.0), (12.0, 24.0), (6.0, 6.0)])
def test_an_oval_section_loses_nothing_but_what_hangs_on_it(width, height, lean_deg):
    cos, sin = np.cos(np.radians(lean_deg)), np.sin(np.radians(lean_deg))
    across, up = FINE.u * cos + FINE.v * sin, FINE.v * cos - FINE.u * sin
    oval = (across / width) ** 2 + (up / height) ** 2 < 0.25
    assert np.array_equal(FINE.core(oval), oval)
    strip = (np.abs(up) < 0.12 * width) & (across > 0) & (across < width / 2 + 6.0)
    left = FINE.core(oval | strip)
    assert np.all(left[oval])
    assert across[left].max() < width / 2 + 1.6


def test_a_course_must_lead_into_the_body():
    """Half-way to the front of a body 46 mm wide, the axis may stand 21.85 mm (0.95 of half its width) off the midline."""
    points = GRID.points()
    body = np.all(np.abs(points - [0.0, 25.0, 0.0]) <= [23.0, 15.0, 12.0], axis=-1)
    core = Body(body, np.full(GRID.shape[::2], 10.0), (8, 48), np.array([0.0, 25.0, 0.0]))
    for lateral in (-1.0, 1.0):
        least, most = inward_deg(np.array([lateral * 24.0, 5.0, 4.0]), GRID, core, lateral, 0.95)
        assert least == pytest.approx(np.degrees(np.arctan2(24.0 - 0.95 * 23.0, 20.0)), abs=1.5)  # voxels of 0.8 mm
        assert most == 50.0
    slim, _ = inward_deg(np.array([10.0, 5.0, 4.0]), GRID, core, 1.0, 0.95)
    assert slim == -20.0


@pytest.mark.parametrize("thick", [3.6, 4.4])
def test_the_root_of_a_transverse_process_slimmer_than_the_pedicle_is_no_isthmus(thick):
    """T1: the widest way from the body to the bone behind the canal's middle leads into the transverse process."""
    root = (27.0, -12.0, 3.0)

    def process(points):
        stalk = bar(points, (PEDICLE_X, 2.0, 3.0), root, thick)
        return np.maximum(stalk, 6.5 - np.linalg.norm(points - np.array(root), axis=-1))

    found = measured(5.0, 2.0, process, back_y=2.0, half_width=14.0)
    assert found.centre[0] < PEDICLE_X + 3.0
    assert found.isthmus_width_mm == pytest.approx(10.0, abs=1.0)


def test_a_facet_slimmer_than_its_pedicle_is_no_isthmus():
    """L5: behind a pedicle as broad as its body's side the bone is narrowest in the facet, far behind the canal's middle."""

    def facet(points):
        stalk = bar(points, (PEDICLE_X, -4.0, 3.0), (PEDICLE_X, -24.0, 3.0), 5.0)
        return np.maximum(stalk, 8.5 - np.linalg.norm(points - np.array([PEDICLE_X, -24.0, 3.0]), axis=-1))

    found = measured(8.0, 2.0, facet, back_y=2.0)
    assert found.centre[1] > CANAL_Y - 4.0
