"""A label that ends before the border of its map, because a layer is empty there or the map was padded, may be cut all the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from real_spines import real_case
from VertebralAugmentationPlannerLib.anatomy import build_spine
from VertebralAugmentationPlannerLib.case import load_case
from VertebralAugmentationPlannerLib.model import Case, Image

SAMPLE = Path(__file__).resolve().parents[3] / "sample_data" / "t12-wedge"


@pytest.fixture(scope="module")
def sample() -> Case:
    """T9–L3; the volume cuts T9 above and L3 below."""
    return load_case(SAMPLE / "ct.nii.gz", SAMPLE / "labels.nii.gz")


def emptied(case: Case, layers: int) -> Case:
    """The labels with so many empty layers at all borders."""
    voxels = case.labels.voxels.copy()
    inner = tuple(slice(layers, size - layers) for size in voxels.shape)
    kept = np.zeros_like(voxels)
    kept[inner] = voxels[inner]
    return replace(case, labels=Image(kept, case.labels.ijk_to_ras))


def padded(image: Image, layers: int, value: int) -> Image:
    """An image in a larger one of one value."""
    to_ras = image.ijk_to_ras.copy()
    to_ras[:3, 3] = image.to_ras(np.full(3, -float(layers)))
    return Image(np.pad(image.voxels, layers, constant_values=value), to_ras)


def why_incomplete(case: Case, *levels: str) -> dict[str, str | None]:
    return {level: vertebra.incomplete_reason for level, vertebra in build_spine(case, levels).vertebrae.items()}


@pytest.mark.parametrize("with_ct", [True, False])
@pytest.mark.parametrize("layers", [1, 3])
def test_empty_layers_at_the_border_make_no_cut_vertebra_whole(sample, layers, with_ct):
    case = emptied(sample, layers)
    reasons = why_incomplete(case if with_ct else replace(case, ct=None), "T9", "T11", "L3")
    assert reasons["T11"] is None
    for level, side in (("T9", "superior"), ("L3", "inferior")):
        assert f"flat on the {side} side" in reasons[level]
        assert "where the image ends" in reasons[level]


def test_labels_in_a_larger_map_are_held_against_the_border_of_the_ct(sample):
    reasons = why_incomplete(replace(sample, labels=padded(sample.labels, 20, 0)), "T9", "T11", "L3")
    assert reasons["T11"] is None
    assert "superior border of the CT" in reasons["T9"]
    assert "inferior border of the CT" in reasons["L3"]


def test_where_a_padded_ct_cannot_tell_a_flat_end_is_called_doubtful(sample):
    case = replace(sample, labels=padded(sample.labels, 20, 0), ct=padded(sample.ct, 20, -1024))
    for level in ("T9", "L3"):
        vertebra = build_spine(case, (level,)).vertebrae[level]
        assert "label_ends_flat" in [note.code for note in vertebra.notes]


def test_a_real_vertebra_cut_by_the_ct_is_incomplete_in_a_larger_label_map():
    case = real_case("verse005")
    reasons = why_incomplete(replace(case, labels=padded(case.labels, 20, 0)), "L1", "L2", "L4", "L5")
    assert reasons["L2"] is None
    assert reasons["L4"] is None
    assert "of the CT" in reasons["L1"]
    assert "of the CT" in reasons["L5"]


def test_a_real_vertebra_that_ends_broadly_one_layer_before_the_border_is_called_doubtful(verse_case):
    vertebra = build_spine(emptied(verse_case("verse005"), 1), ("L1",)).vertebrae["L1"]
    note = next(note for note in vertebra.notes if note.code == "ends_beside_border")
    assert note.severity == "caution"
    assert "one voxel before the superior" in note.message


@pytest.mark.parametrize("name", ["verse004", "verse005", "verse008"])
def test_real_whole_vertebrae_in_tight_crops_are_not_doubted(verse_case, name):
    for vertebra in build_spine(verse_case(name)).complete().values():
        assert not {"label_ends_flat", "ends_beside_border"} & {note.code for note in vertebra.notes}
