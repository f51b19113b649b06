"""A tight crop that cuts the tip of a process leaves a vertebra that can be measured; one that cuts more does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from anatomy_readings import heights, labels_only
from VertebralAugmentationPlannerLib.anatomy import build_spine
from VertebralAugmentationPlannerLib.anatomy.completeness import border_contact
from VertebralAugmentationPlannerLib.anatomy.surface import label_shape
from VertebralAugmentationPlannerLib.model import Case, Image, Vertebra
from VertebralAugmentationPlannerLib.model.geometry import label_boxes
from VertebralAugmentationPlannerLib.sample import TOTALSEGMENTATOR


@pytest.fixture(scope="module")
def spine(phantom_case) -> Image:
    """T10–L2; i, j, k run right, anterior, superior."""
    return phantom_case("t12-wedge")[0].labels


@pytest.fixture(scope="module")
def whole(spine) -> Vertebra:
    return build_spine(labels_only(spine, TOTALSEGMENTATOR), ("L1",)).vertebrae["L1"]


def cropped(spine: Image, axis: int, sign: int, removed_mm: float) -> Case:
    """The spine in a volume that ends ``removed_mm`` before the outermost voxel of L1 along an axis."""
    along = np.argwhere(spine.voxels == TOTALSEGMENTATOR["L1"])[:, axis]
    count = round(removed_mm / float(spine.spacing_mm[axis]))
    part = slice(None, along.max() + 1 - count) if sign > 0 else slice(along.min() + count, None)
    kept = tuple(part if a == axis else slice(None) for a in range(3))
    matrix = spine.ijk_to_ras.copy()
    matrix[:3, 3] = spine.to_ras(np.array([(s.start or 0) for s in kept]))
    return labels_only(Image(spine.voxels[kept].copy(), matrix), TOTALSEGMENTATOR)


def just_cut(spine: Image, axis: int, sign: int) -> Case:
    """The spine in a volume that ends where it first cuts more of L1 than a few voxels."""
    removed = 1.0
    while contact_mm2(case := cropped(spine, axis, sign, removed)) <= 10.0:
        removed += 1.0
    return case


def contact_mm2(case: Case) -> float:
    value = case.level_values["L1"]
    return border_contact(label_shape(case.labels, value, label_boxes(case.labels.voxels)[value]), case.labels).area_mm2


@pytest.mark.parametrize(("axis", "sign", "side"), [(1, -1, "posterior"), (0, 1, "right"), (0, -1, "left")])
def test_a_vertebra_with_a_cut_tip_of_a_process_reads_as_whole_and_says_so(spine, whole, axis, sign, side):
    case = just_cut(spine, axis, sign)
    assert contact_mm2(case) <= 60.0
    vertebra = build_spine(case, ("L1",)).vertebrae["L1"]
    assert vertebra.complete
    assert heights(vertebra) == pytest.approx(heights(whole), abs=0.1)
    for of_side, pedicle in vertebra.pedicles.items():
        assert pedicle.isthmus_width_mm == pytest.approx(whole.pedicles[of_side].isthmus_width_mm, abs=0.1)
    note = next(note for note in vertebra.notes if note.code == "process_cut")
    assert note.severity == "caution" and f"cut by the {side} border" in note.message


@pytest.mark.parametrize(("axis", "sign"), [(1, -1), (0, 1), (0, -1)])
def test_a_process_cut_at_its_root_leaves_no_whole_vertebra(spine, whole, axis, sign):
    reach = {1: whole.mid_walls_mm[0] - 22.0, 0: sign * 22.0}[axis]  # through the lamina; through the facets
    point = whole.frame.to_ras(np.eye(3)[axis] * reach)
    index = np.argwhere(spine.voxels == TOTALSEGMENTATOR["L1"])[:, axis]
    place = float(spine.to_ijk(point)[axis])
    removed = (index.max() - place if sign > 0 else place - index.min()) * float(spine.spacing_mm[axis])
    vertebra = build_spine(cropped(spine, axis, sign, removed), ("L1",)).vertebrae["L1"]
    assert not vertebra.complete and "border of the image" in vertebra.incomplete_reason


@pytest.mark.parametrize(("axis", "sign", "side"), [(1, 1, "anterior"), (2, 1, "superior"), (2, -1, "inferior")])
def test_a_contact_where_the_body_may_be_missing_is_never_taken_for_a_process(spine, axis, sign, side):
    vertebra = build_spine(just_cut(spine, axis, sign), ("L1",)).vertebrae["L1"]
    assert not vertebra.complete and f"cut by the {side} border" in vertebra.incomplete_reason


def test_a_body_without_a_front_that_is_seen_is_not_taken_for_one_with_a_cut_process(spine, whole):
    """Where its walls are, and so what lies behind them, is not known: it stays cut."""
    case = just_cut(spine, 1, -1)
    value = TOTALSEGMENTATOR["L1"]
    contact = border_contact(label_shape(case.labels, value, label_boxes(case.labels.voxels)[value]), case.labels)
    assert not contact.is_of_a_process(replace(whole, mid_walls_mm=None))
