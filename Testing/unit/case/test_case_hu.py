"""A CT whose numbers are not HU gives no number: it is refused, or left aside where it may be one after all."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from scipy import ndimage
from toy_spine import ct_of, spine_labels

from VertebralAugmentationPlannerLib.case import load_case
from VertebralAugmentationPlannerLib.model import InputError

VALUES = [19, 20, 21]


def patient() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, HU and matrix: spongy bone 150 in a cortex of 700, muscle 50 with fat −100 in it, air around the body."""
    labels, matrix = spine_labels(VALUES)
    bone = labels > 0
    cortex = bone & ~ndimage.binary_erosion(bone, iterations=1)
    rng = np.random.default_rng(4)
    fat = ndimage.gaussian_filter(rng.normal(0, 1, labels.shape), 4) > 0.004
    hu = np.where(fat, -100.0, 50.0)
    hu[bone], hu[cortex] = 150, 700
    hu += rng.normal(0, 15, labels.shape)
    hu[:, :8], hu[:, -4:] = -1000, -1000
    return labels, np.rint(hu), matrix


@pytest.fixture(scope="module")
def toy():
    return patient()


def read(toy, hu):
    labels, _, matrix = toy
    return load_case((hu, matrix), (labels, matrix))


def doubts_of(case):
    return [(w.code, w.severity) for w in case.warnings if w.code in ("ct_not_hu", "ct_not_bone")]


@pytest.mark.parametrize(
    ("change", "looks"),
    [
        (lambda v: v + 1024, r"reads 1\d\d\d in the soft tissue .* without their rescale intercept"),
        (lambda v: 10 * v, r"reads 1[45]\d\d in the middle of all values inside the vertebrae"),
        (lambda v: (v + 1000) / 2000, r"only values from 0 to 0\.\d+: they were scaled"),
        (
            lambda v: np.clip((v + 160) / 400 * 255, 0, 255).astype(np.uint8),
            "from 0 to 255: they are 8-bit grey levels",
        ),
        (lambda v: v.astype(np.int16).view(np.uint16), "values up to 65535, as negative HU look"),
        (lambda v: np.where(v < 0, v + 4096, v), r"2900 to 4095 in \d+ % of the volume, as air looks"),
        (lambda v: np.where(v < -900, v + 4096, v), r"2900 to 4095 in \d+ % of the volume, as air looks"),
        (lambda v: 63487 - v, "or as an inverted image"),
        (lambda v: v - 1024, "thinner than air"),
    ],
    ids=[
        "no intercept",
        "tenfold",
        "0 to 1",
        "8 bits",
        "unsigned",
        "12 bits",
        "12 bits, air alone",
        "inverted",
        "intercept twice",
    ],
)
def test_values_that_cannot_be_hu_are_refused_with_what_they_look_like(toy, change, looks):
    with pytest.raises(InputError, match=looks) as caught:
        read(toy, change(toy[1]))
    text = str(caught.value)
    assert text.endswith("export it again in HU, or give no CT to plan from the labels alone.")
    assert "\n" not in text


@pytest.mark.parametrize("value", [1e30, -3.4e38, 1e6])
def test_one_absurd_voxel_is_refused(toy, value):
    hu = toy[1].astype(np.float64)
    hu[5, 5, 5] = value
    with pytest.raises(InputError, match=r"holds 1 voxel of up to -?\d.*, which no scanner writes"):
        read(toy, hu)


@pytest.mark.parametrize("shift", [0, 100])
def test_a_label_map_is_no_ct(toy, shift):
    """The labels themselves, or those of another numbering."""
    labels = toy[0].astype(np.int16)
    with pytest.raises(InputError, match="The CT is a label map"):
        read(toy, np.where(labels > 0, labels + shift, 0))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda v: -v, "ct_not_bone"),
        (lambda v: v / 10, "ct_not_hu"),
        (lambda v: v / 8 + 100, "ct_not_hu"),
        (lambda v: v + 300, "ct_not_hu"),
        (lambda v: np.where(v > -500, 4 * v, v), "ct_not_hu"),
    ],
    ids=["negative", "a tenth", "grey", "moved", "fourfold without air"],
)
def test_a_doubtful_ct_is_left_aside_with_a_caution(toy, change, code):
    case = read(toy, change(toy[1]))
    assert doubts_of(case) == [(code, "caution")]
    assert case.ct is None
    assert case.inputs.ct is None


def test_labels_that_lie_in_air_leave_the_ct_aside(toy):
    labels, hu, _ = toy
    case = read(toy, np.where(labels > 0, -800, hu))
    assert doubts_of(case) == [("ct_not_bone", "caution")]
    assert case.ct is None


def with_metal(hu, labels):
    hu = hu.copy()
    hu[26:30, 40:75] = np.where(labels[26:30, 40:75] > 0, 30000, hu[26:30, 40:75])
    return hu


def far_from_bone(labels):
    return ~ndimage.binary_dilation(labels > 0, iterations=2)


@pytest.mark.parametrize(
    "change",
    [
        lambda v, _: v,
        with_metal,
        lambda v, labels: np.where(far_from_bone(labels), 0, v),
        lambda v, labels: np.where(far_from_bone(labels), -1024, v),
        lambda v, labels: np.where(far_from_bone(labels), -3024, v),
        lambda v, _: np.where(np.arange(v.shape[0])[:, None, None] < 20, -2000, v),
        lambda v, _: np.where(np.arange(v.shape[2])[None, None] < 70, -32768, v),
        lambda v, _: np.where((v > 0) & (v < 100), v + 90, v),
        lambda v, _: np.maximum(v, -200),
        lambda v, labels: np.where((labels > 0) & (v < 600), v - 140, v),
        lambda v, labels: np.where((np.arange(v.shape[0])[:, None, None] < 25) & (labels == 0), -850, v),
    ],
    ids=["as it is", "metal", "bone on 0", "bone on -1024", "bone on -3024", "filled beside", "half filled", "contrast",
         "clipped", "osteoporosis", "lung"],
)  # fmt: skip
def test_a_ct_in_hu_raises_no_doubt(toy, change):
    labels, hu, _ = toy
    case = read(toy, change(hu, labels))
    assert doubts_of(case) == []
    assert case.ct is not None


def test_a_plain_phantom_of_two_values_is_taken_as_it_is(toy):
    labels, _, _ = toy
    assert read(toy, np.where(labels > 0, 250, 40)).ct is not None
    assert read(toy, ct_of(labels)).ct is not None


@pytest.mark.parametrize("name", ["verse005", "verse008"])
def test_real_cts_pass_as_they_are_and_in_no_other_scale(real_data, name):
    folder = real_data / name
    ct = sitk.ReadImage(str(folder / "ct.nii.gz"))
    labels = folder / "vertebrae.nii.gz"
    assert doubts_of(load_case(ct, labels)) == []
    hu = sitk.Cast(ct, sitk.sitkFloat64)
    for other in (
        hu + 1024,
        hu * 10,
        sitk.RescaleIntensity(hu, 0, 1),
        sitk.Cast(sitk.RescaleIntensity(hu), sitk.sitkUInt8),
    ):
        with pytest.raises(InputError, match="export it again in HU"):
            load_case(other, labels)
    assert load_case(hu / 10, labels).ct is None
    # Four times as steep, in a crop that holds no air to give it away.
    assert load_case(sitk.Clamp(hu * 4, sitk.sitkFloat64, -1000, 8000), labels).ct is None
