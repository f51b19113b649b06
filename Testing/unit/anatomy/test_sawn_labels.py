"""A label that ends in a plane inside the image is a part of a vertebra where the CT shows that the bone goes on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from anatomy_readings import labels_only
from VertebralAugmentationPlannerLib.anatomy import build_spine
from VertebralAugmentationPlannerLib.anatomy.completeness import (
    FlatEnd,
    border_contact,
    flat_end,
    goes_on_beyond,
    too_small,
)
from VertebralAugmentationPlannerLib.anatomy.surface import label_shape
from VertebralAugmentationPlannerLib.model import Case, Frame, Image, Vertebra
from VertebralAugmentationPlannerLib.model.geometry import label_boxes
from VertebralAugmentationPlannerLib.sample import SAMPLES, TOTALSEGMENTATOR, make_case

VALUE = TOTALSEGMENTATOR["L1"]
SIDES = {"superior": (2, 1), "inferior": (2, -1), "right": (0, 1), "left": (0, -1)}


@pytest.fixture(scope="module")
def spine() -> Case:
    ct, labels, _ = make_case(SAMPLES["t12-wedge"].build(), margin_mm=12.0)
    return replace(labels_only(labels, TOTALSEGMENTATOR), ct=ct)


@pytest.fixture(scope="module")
def frame(spine) -> Frame:
    return build_spine(spine, ("L1",)).vertebrae["L1"].frame


def sawn(case: Case, frame: Frame, side: str, kept_mm: float, tilt_deg: float = 0.0) -> Case:
    """L1 of a case without what lies beyond a plane, ``kept_mm`` from the body's middle, leaning forwards."""
    axis, sign = SIDES[side]
    lean = np.radians(tilt_deg)
    normal = np.cos(lean) * np.eye(3)[axis] + np.sin(lean) * np.array([0.0, 1.0, 0.0])
    voxels = case.labels.voxels.copy()
    index = np.argwhere(voxels == VALUE)
    beyond = frame.to_local(case.labels.to_ras(index)) @ (sign * normal) > kept_mm
    voxels[tuple(index[beyond].T)] = 0
    return labels_only(Image(voxels, case.labels.ijk_to_ras), TOTALSEGMENTATOR)


@pytest.mark.parametrize("side", ["superior", "inferior"])
def test_a_half_vertebra_is_incomplete_and_the_side_is_named(spine, frame, side):
    case = replace(sawn(spine, frame, side, 3.0), ct=spine.ct)
    vertebra = build_spine(case, ("L1",)).vertebrae["L1"]
    assert not vertebra.complete
    assert f"cut off flat on the {side} side" in vertebra.incomplete_reason


@pytest.mark.parametrize("side", ["left", "right"])
def test_half_a_ring_is_no_whole_vertebra(spine, frame, side):
    assert not build_spine(sawn(spine, frame, side, 3.0), ("L1",)).vertebrae["L1"].complete


def test_without_a_ct_a_flat_end_is_called_doubtful(spine, frame):
    vertebra = build_spine(sawn(spine, frame, "inferior", 5.0), ("L1",)).vertebrae["L1"]
    assert vertebra.complete
    note = next(note for note in vertebra.notes if note.code == "label_ends_flat")
    assert note.severity == "stop"
    assert "inferior side" in note.message
    assert "ends body and arch at once" in note.message


def test_a_flat_end_of_body_and_arch_is_a_caution_where_the_ct_shows_bone_ending_there(spine, frame):
    """A wedge whose broken plate comes level with its facets: the CT is soft tissue beyond the face."""
    case = sawn(spine, frame, "inferior", 5.0)
    ct = spine.ct
    local = frame.to_local(ct.to_ras(np.argwhere(np.ones(ct.voxels.shape, bool)))).reshape(*ct.voxels.shape, 3)
    tissue = np.random.default_rng(4).normal(40.0, 12.0, ct.voxels.shape)
    beyond = Image(np.where(local[..., 2] < -5.0, tissue, ct.voxels), ct.ijk_to_ras)
    vertebra = build_spine(replace(case, ct=beyond), ("L1",)).vertebrae["L1"]
    assert vertebra.complete
    note = next(note for note in vertebra.notes if note.code == "label_ends_flat")
    assert note.severity == "caution" and "the CT shows bone ending there" in note.message


def drawn(spacing_mm: float, *, arch: bool) -> FlatEnd | None:
    """The flat end of a body of 44 × 30 × 26 mm with a flat upper plate, with a ring below it or up to the same plane."""
    step = spacing_mm * np.array([1.0, 1.0, 0.9999999])
    x, y, z = np.moveaxis(np.indices((70, 70, 44)), 0, -1).reshape(-1, 3).T * step[:, None] - [[32.0], [36.0], [17.0]]
    body = (np.hypot(x / 22.0, (y - 10.0) / 15.0) <= 1.0) & (np.abs(z) < 13.0)
    ring = (np.hypot(x, y + 10.0) <= 14.0) & (np.hypot(x, y + 10.0) > 8.0) & (z < (13.0 if arch else 8.0)) & (z > -5.0)
    voxels = (body | ring).reshape(70, 70, 44).astype(np.uint8)
    return flat_end(label_shape(Image(voxels, np.diag([*step, 1.0])), 1, label_boxes(voxels)[1]))


@pytest.mark.parametrize("spacing_mm", [0.9, 1.0])
def test_a_flat_plate_is_told_from_a_plane_through_body_and_arch(spacing_mm):
    plate, cut = drawn(spacing_mm, arch=False), drawn(spacing_mm, arch=True)
    assert plate.area_mm2 == pytest.approx(np.pi * 22.0 * 15.0, rel=0.03)  # one layer, whatever rounds off
    assert not plate.through_the_arch
    assert cut.through_the_arch


# HU below, at and above a plate at z = 0: spongy bone, what the face is made of, and what lies beyond.
PROFILES = {
    "cut through spongy bone": ((150, 150, 150), True),
    "cut through the spongy bone of an old woman": ((40, 40, 40), True),
    "end plate and disc": ((150, 450, 90), False),
    "end plate between a porous body and a disc alike": ((70, 350, 90), False),
    "a model without a shell": ((200, 200, 40), False),
    "bone and fat": ((150, 150, -80), False),
}


def layers(hu: tuple[int, int, int], slice_mm: float) -> Image:
    """A CT of three layers, the middle one 1 mm thick with its outer surface at z = 0, each slice the mean over its
    thickness, and noise of 20 HU."""
    fine = np.arange(-12.0, 12.0, 0.05) + 0.025
    values = np.select([fine < -1.0, fine < 0.0], hu[:2], hu[2])
    slices = (
        values[: len(values) // int(slice_mm / 0.05) * int(slice_mm / 0.05)].reshape(-1, int(slice_mm / 0.05)).mean(1)
    )
    noise = np.random.default_rng(3).normal(0.0, 20.0, (30, 30, len(slices)))
    to_ras = np.diag([1.0, 1.0, slice_mm, 1.0])
    to_ras[:3, 3] = (-15.0, -15.0, -12.0 + slice_mm / 2)
    return Image((slices + noise).astype(np.int16), to_ras)


@pytest.mark.parametrize("slice_mm", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("name", PROFILES)
def test_only_bone_that_goes_on_beyond_a_face_was_cut_off(name, slice_mm):
    hu, cut = PROFILES[name]
    places = np.stack(np.meshgrid(np.arange(-8.0, 8.0), np.arange(-8.0, 8.0), [0.0]), axis=-1).reshape(-1, 3)
    face = FlatEnd(256.0, 1.0, "superior", places, np.array([0.0, 0.0, 1.0]))
    assert goes_on_beyond(face, layers(hu, slice_mm)) == cut


def test_where_the_ct_ends_with_the_face_nothing_can_be_told():
    places = np.stack(np.meshgrid(np.arange(-8.0, 8.0), np.arange(-8.0, 8.0), [11.0]), axis=-1).reshape(-1, 3)
    face = FlatEnd(256.0, 1.0, "superior", places, np.array([0.0, 0.0, 1.0]))
    assert goes_on_beyond(face, layers((150, 150, 150), 1.0)) is None


def test_where_the_ct_is_padded_beyond_the_face_nothing_can_be_told():
    places = np.stack(np.meshgrid(np.arange(-8.0, 8.0), np.arange(-8.0, 8.0), [0.0]), axis=-1).reshape(-1, 3)
    face = FlatEnd(256.0, 1.0, "superior", places, np.array([0.0, 0.0, 1.0]))
    ct = layers((150, 150, 150), 1.0)
    ct.voxels[:, :, 13:] = -1024
    assert goes_on_beyond(face, ct) is None


@pytest.mark.parametrize("kept_mm", [9.0, 5.0, 0.0, -4.0])
@pytest.mark.parametrize("tilt_deg", [0.0, 13.0])
def test_a_cut_through_the_height_leaves_a_flat_end_wherever_it_lies_and_however_it_leans(
    spine, frame, kept_mm, tilt_deg
):
    case = sawn(spine, frame, "superior", kept_mm, tilt_deg)
    assert flat_end(label_shape(case.labels, VALUE, label_boxes(case.labels.voxels)[VALUE])) is not None


@pytest.mark.parametrize(
    ("name", "grid"),
    [
        ("t12-wedge", {}),  # of 1 mm
        *((name, {"spacing": (1.0, 1.0, 3.0)}) for name in ("t12-wedge", "l1-biconcave-l3-wedge", "l2-crush")),
    ],
)
def test_whole_vertebrae_however_broken_end_in_tips(phantom_case, name, grid):
    case, truth = phantom_case(name, **grid)
    boxes = label_boxes(case.labels.voxels)
    shapes = [label_shape(case.labels, *value_and_box(case, boxes, level)) for level in truth]
    whole = [shape for shape in shapes if border_contact(shape, case.labels).area_mm2 == 0]
    assert len(whole) >= 5
    for shape in whole:
        assert flat_end(shape) is None


def value_and_box(case: Case, boxes: dict, level: str) -> tuple:
    return case.level_values[level], boxes[case.level_values[level]]


@pytest.mark.parametrize("name", ["verse004", "verse005", "verse008"])
def test_real_vertebrae_end_in_tips(verse_case, name):
    case = verse_case(name)
    for value, box in label_boxes(case.labels.voxels).items():
        assert flat_end(label_shape(case.labels, value, box)) is None


def body(level: str, depth_mm: float, width_mm: float) -> Vertebra:
    return Vertebra(level, True, depth_mm=depth_mm, width_mm=width_mm)


def test_a_body_far_smaller_than_both_its_neighbours_has_lost_a_part():
    sizes = {"T12": (30.0, 40.0), "L1": (21.0, 41.0), "L2": (32.0, 44.0)}
    reasons = too_small({level: body(level, *size) for level, size in sizes.items()})
    assert list(reasons) == ["L1"]
    assert "only 21 mm deep between neighbours of 30 and 32 mm" in reasons["L1"]
    assert "missing from the label or the body is split or crushed" in reasons["L1"]  # a fragment looks the same


@pytest.mark.parametrize(
    "sizes",
    [
        {"T12": (30.0, 40.0), "L1": (25.0, 34.0), "L2": (32.0, 44.0)},  # a small one
        {"L1": (20.0, 30.0), "L2": (32.0, 44.0)},  # one neighbour alone is no measure
        {"T12": (20.0, 28.0), "L1": (21.0, 29.0), "L2": (38.0, 50.0)},  # one neighbour is as small
        {"T11": (30.0, 40.0), "L1": (20.0, 30.0), "L2": (32.0, 44.0)},  # T12 is missing
    ],
)
def test_bodies_differ(sizes):
    assert too_small({level: body(level, *size) for level, size in sizes.items()}) == {}
