"""Labels that a network drew on its own grid and stored on the CT's voxels are read as they were drawn; all others as they are."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from toy_spine import VERSE, spine_labels
from VertebralAugmentationPlannerLib import PlanOptions
from VertebralAugmentationPlannerLib.anatomy import build_spine
from VertebralAugmentationPlannerLib.case import load_case
from VertebralAugmentationPlannerLib.case.drawn_grid import as_drawn
from VertebralAugmentationPlannerLib.measurement import measure_spine
from VertebralAugmentationPlannerLib.model import Image
from VertebralAugmentationPlannerLib.sample import healthy_spine, make_case

DRAWN_MM = 1.5
TILT = np.radians(12)


@pytest.fixture(scope="module")
def drawn() -> tuple[Image, dict]:
    """A wedge fracture of 35 % between two sound vertebrae in voxels of 1.5 mm, tilted, and its truth."""
    phantom = healthy_spine(("T12", "L1", "L2"), anchor="L1", seed=5)
    phantom = phantom.changed("L1", phantom.shape("L1").broken(wedge=0.35, superior_share=0.8))
    turn = np.array([[1, 0, 0], [0, np.cos(TILT), -np.sin(TILT)], [0, np.sin(TILT), np.cos(TILT)]])
    _, labels, truth = make_case(phantom, (DRAWN_MM,) * 3, turn, margin_mm=12.0, with_ct=False)
    return labels, truth["levels"]


def stored(drawn: Image, spacing: tuple[float, float, float], shift: float = 0.2) -> Image:
    """The map on other voxels along the same axes, each with the label of the nearest drawn one."""
    steps = np.array(spacing) / drawn.spacing_mm
    count = np.floor((np.array(drawn.voxels.shape) - 1) / steps).astype(int)
    at = [(np.arange(n) + shift) * step for n, step in zip(count, steps, strict=True)]
    index = [np.clip(np.rint(a), 0, n - 1).astype(int) for a, n in zip(at, drawn.voxels.shape, strict=True)]
    matrix = drawn.ijk_to_ras @ np.diag([*steps, 1.0])
    matrix[:3, 3] = drawn.to_ras([a[0] for a in at])
    return Image(drawn.voxels[np.ix_(*index)], matrix)


@pytest.mark.parametrize("spacing", [(0.75, 0.75, 0.75), (0.8, 0.8, 1.0), (0.37, 0.37, 0.6), (1.5, 1.0, 1.5)])
def test_the_drawn_voxels_come_back_where_they_were(drawn, spacing):
    native, _ = drawn
    found = as_drawn(stored(native, spacing)).image
    assert found.spacing_mm == pytest.approx(DRAWN_MM, abs=0.01)
    index = np.argwhere(found.voxels)
    off = native.to_ijk(found.to_ras(index)) - np.rint(native.to_ijk(found.to_ras(index)))
    # A border lies anywhere between two stored centres: the grid is known to half a stored voxel.
    assert np.abs(off).max() <= 0.5 * max(spacing) / DRAWN_MM, "centres of the found voxels lie in the drawn ones"
    assert np.array_equal(native.sample(found.to_ras(index), order=0), found.voxels[tuple(index.T)])
    assert len(index) == np.count_nonzero(native.voxels)


@pytest.mark.parametrize(("order", "flipped"), [((2, 0, 1), (0, 2)), ((1, 2, 0), (1,))])
def test_in_any_voxel_order(drawn, order, flipped):
    image = stored(drawn[0], (0.8, 0.8, 1.0))
    voxels, matrix = image.voxels, image.ijk_to_ras.copy()
    for axis in flipped:
        matrix[:3, 3] += matrix[:3, axis] * (voxels.shape[axis] - 1)
        matrix[:3, axis] *= -1
        voxels = np.flip(voxels, axis)
    turned = Image(voxels.transpose(order), np.column_stack([*(matrix[:, axis] for axis in order), matrix[:, 3]]))
    found = as_drawn(turned)
    assert found.image.spacing_mm == pytest.approx(DRAWN_MM, abs=0.01)
    assert np.count_nonzero(found.image.voxels) == np.count_nonzero(drawn[0].voxels)
    assert np.array_equal(turned.voxels[np.ix_(*found.kept)], found.image.voxels)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.6, 0.6, 1.0), (1.0, 1.0, 3.0)])
def test_labels_drawn_on_their_own_voxels_stay(spacing):
    _, labels, _ = make_case(healthy_spine(("L1",), anchor="L1"), spacing, margin_mm=5.0, with_ct=False)
    found = as_drawn(labels)
    assert found.image is labels and not found.warnings


def test_plain_solids_whose_layers_are_alike_stay():
    voxels, matrix = spine_labels([VERSE[level] for level in ("T12", "L1", "L2", "L3", "L4", "L5")])
    labels = Image(voxels.astype(np.uint8), matrix)
    assert as_drawn(labels).image is labels


def test_real_labels_stay(real_data):
    for name in ("verse004", "verse005", "verse008"):
        case = load_case(None, real_data / name / "vertebrae.nii.gz")
        assert "labels_drawn_coarser" not in {warning.code for warning in case.warnings}


def test_heights_are_those_of_the_drawn_labels(drawn):
    native, truth = drawn
    case = load_case(None, stored(native, (0.8, 0.8, 1.0)))
    (told,) = [warning for warning in case.warnings if warning.code == "labels_drawn_coarser"]
    assert told.severity == "info" and "1.5 × 1.5 × 1.5 mm" in told.message and "0.8 × 0.8 × 1 mm" in told.message
    measured = measure_spine(build_spine(case), case, PlanOptions())
    for level in ("T12", "L1", "L2"):
        found = measured[level].measurements
        for place in ("anterior", "middle", "posterior"):
            height = getattr(found, f"{place}_height_mm")
            assert height == pytest.approx(truth[level][f"{place}_height_mm"], abs=0.5), (level, place)
        assert found.wedge_angle_deg == pytest.approx(truth[level]["wedge_angle_deg"], abs=1.0)


def test_a_canal_mask_on_the_stored_voxels_still_keeps_its_gap_open(drawn):
    native, _ = drawn
    voxels = native.voxels.copy()
    i, j, k = np.argwhere(ndimage.binary_erosion(voxels > 0, np.ones((3, 3, 3)), iterations=3))[0]
    gap = (slice(i - 1, i + 2), slice(j - 1, j + 2), slice(k - 1, k + 2))
    voxels[gap] = 0
    image = stored(Image(voxels, native.ijk_to_ras), (0.75, 0.75, 0.75))
    mask = Image(np.ones_like(image.voxels), image.ijk_to_ras)
    mask.voxels[0] = 0
    closed, kept = load_case(None, image), load_case(None, image, canal=mask, canal_is_cord=True)
    centre = native.to_ras([i, j, k])
    assert closed.labels.sample(centre, order=0) > 0, "an enclosed gap is filled"
    assert kept.labels.sample(centre, order=0) == 0, "not where the canal is said to be"
