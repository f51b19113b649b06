"""A DICOM folder is one CT in HU at its place in the patient, or one sentence says why not."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from dicom_writer import volume, write_localizer, write_series
from hypothesis import given, settings
from hypothesis import strategies as st

from VertebralAugmentationPlannerLib.case import load_case
from VertebralAugmentationPlannerLib.case.source import read
from VertebralAugmentationPlannerLib.model import InputError

FIRST_RAS = np.array([30.0, -20.0, 100.0])
"""The first voxel of the written series (LPS −30, 20, 100)."""


def hu_at(image, column, row, k, step=(0, 0, 2.0), spacing=(0.8, 0.5)):
    """HU read at the place where the header puts a voxel, worked out here from PS3.3 C.7.6.2.1.1."""
    lps = np.array([-30.0, 20.0, 100.0]) + np.array(step) * k + [column * spacing[1], row * spacing[0], 0]
    return float(image.sample(lps * [-1, -1, 1]))


def test_every_voxel_is_where_its_header_puts_it(tmp_path):
    write_series(tmp_path)
    image = read(tmp_path, "CT").image
    assert image.voxels.shape == (10, 12, 8)
    assert image.voxels.dtype == np.int16
    np.testing.assert_allclose(image.spacing_mm, [0.5, 0.8, 2.0])
    hu = volume()
    for column, row, k in [(0, 0, 0), (9, 0, 0), (0, 11, 0), (0, 0, 7), (4, 5, 3)]:
        assert hu_at(image, column, row, k) == hu[k, row, column]


def test_the_record_has_the_checksum_of_the_files_whatever_they_are_called(tmp_path):
    """Archives name the files of a series as they like: it is the same series all the same."""
    paths = write_series(tmp_path / "series")
    record = read(tmp_path / "series", "CT").record
    digests = sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in paths)
    assert record.sha256 == hashlib.sha256("".join(digests).encode()).hexdigest()
    assert record.path == "series"
    for number, path in enumerate(paths):
        path.rename(path.with_name(f"{(number * 5) % len(paths):08d}"))  # another order of names
    assert read(tmp_path / "series", "CT").record.sha256 == record.sha256
    last = sorted(tmp_path.glob("series/*"))[-1]
    last.write_bytes(last.read_bytes() + b"\0\0")
    assert read(tmp_path / "series", "CT").record.sha256 != record.sha256


@settings(max_examples=15, deadline=None)
@given(angles=st.tuples(*[st.floats(-25, 25)] * 3))
def test_an_oblique_series_keeps_its_place(tmp_path_factory, angles):
    from scipy.spatial.transform import Rotation

    turn = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    folder = tmp_path_factory.mktemp("oblique")
    write_series(folder, orientation=tuple(np.round([*turn[:, 0], *turn[:, 1]], 8)), step=tuple(2 * turn[:, 2]))
    image = read(folder, "CT").image
    place = np.array([-30, 20, 100]) + turn @ [4 * 0.5, 5 * 0.8, 3 * 2.0]
    assert float(image.sample(place * [-1, -1, 1])) == pytest.approx(volume()[3, 5, 4], abs=0.1)


@pytest.mark.parametrize(
    ("slope", "intercept", "signed"), [(1, -1024, False), (1, 0, True), (0.5, -1000, False), (2, -8192, False)]
)
def test_stored_values_become_hu_by_slope_and_intercept(tmp_path, slope, intercept, signed):
    hu = volume() // 2 * 2
    write_series(tmp_path, hu, slope=slope, intercept=intercept, signed=signed)
    image = read(tmp_path, "CT").image
    np.testing.assert_array_equal(np.asarray(image.voxels).transpose(2, 1, 0), hu)


def test_hu_beyond_16_bits_do_not_wrap_around(tmp_path):
    hu = volume()
    hu[3, 5, 4] = 60000 - 1024
    write_series(tmp_path, hu)
    assert hu_at(read(tmp_path, "CT").image, 4, 5, 3) == 60000 - 1024


def test_slices_scaled_each_in_their_own_way_come_out_in_hu(tmp_path):
    hu = volume()

    def own_slope(data, k):
        if k % 2:
            data.RescaleSlope, data.RescaleIntercept = 0.25, -2000
            data.PixelData = np.rint((hu[k] + 2000) / 0.25).astype(np.uint16).tobytes()

    write_series(tmp_path, hu, change=own_slope)
    np.testing.assert_allclose(np.asarray(read(tmp_path, "CT").image.voxels).transpose(2, 1, 0), hu)


def test_a_scout_beside_the_series_is_left_aside_and_named(tmp_path):
    write_series(tmp_path / "a")
    write_localizer(tmp_path / "b")
    ct = read(tmp_path, "CT")
    assert ct.image.voxels.shape == (10, 12, 8)
    assert [w.message for w in ct.warnings] == ["#1 “Scout” with 2 images was left aside."]


def test_two_series_are_named_with_how_to_choose_and_can_be_chosen(tmp_path):
    write_series(tmp_path / "x" / "bone", number=3)
    write_series(tmp_path / "x" / "soft", volume() + 1, number=4, description="Soft 2.0")
    with pytest.raises(InputError) as caught:
        read(tmp_path / "x", "CT")
    assert str(caught.value) == (
        "x holds 2 CT series (#3 “Bone 1.0”, 8 slices, 0.80 × 0.50 × 2.00 mm; #4 “Soft 2.0”, 8 slices, "
        "0.80 × 0.50 × 2.00 mm); choose one as x#3, or give its own folder or one of its files."
    )
    by_number = read(f"{tmp_path / 'x'}#4", "CT").image
    by_folder = read(tmp_path / "x" / "soft", "CT").image
    by_file = read(next((tmp_path / "x" / "soft").iterdir()), "CT").image
    for image in (by_number, by_folder, by_file):
        assert hu_at(image, 4, 5, 3) == volume()[3, 5, 4] + 1
    with pytest.raises(InputError, match=r"no CT series number 9 \(there are #3, #4\)"):
        read(f"{tmp_path / 'x'}#9", "CT")


def test_one_file_of_a_folder_of_two_series_chooses_its_own(tmp_path):
    write_series(tmp_path, number=3, prefix="a")
    paths = write_series(tmp_path, volume() + 1, number=4, description="Soft", prefix="b")
    assert hu_at(read(paths[2], "CT").image, 4, 5, 3) == volume()[3, 5, 4] + 1


def test_missing_slices_are_counted(tmp_path):
    write_series(tmp_path, change=lambda data, k: k not in (3, 4))
    # names are (k · 7919) mod 8, so the slices k = 2 and 5 beside the gap are im0006 and im0003
    gap = r"lacks 2 slices \(the first gap lies between im0006.dcm and im0003.dcm, 6.00 mm apart where .* is 2.00 mm\)"
    with pytest.raises(InputError, match=gap):
        read(tmp_path, "CT")


def test_uneven_spacing_is_refused(tmp_path):
    def shift(data, k):
        x, y, z = data.ImagePositionPatient
        data.ImagePositionPatient = [x, y, float(z) + 0.7 * (k == 4)]

    write_series(tmp_path, change=shift)
    with pytest.raises(InputError, match=r"unevenly spaced \(slice distances 1\.30 to 2\.70 mm\)"):
        read(tmp_path, "CT")


def test_positions_rounded_to_a_tenth_are_even(tmp_path):
    def rounded(data, k):
        data.ImagePositionPatient = [round(float(v), 1) for v in data.ImagePositionPatient]

    write_series(tmp_path, step=(0, 0, 0.625), change=rounded)
    assert read(tmp_path, "CT").image.spacing_mm[2] == pytest.approx(0.625, abs=0.015)


def test_two_reconstructions_in_one_series_are_refused(tmp_path):
    write_series(tmp_path, prefix="a")

    def same_series(data, k):
        data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = f"{data.SOPInstanceUID}.1"[-60:]

    write_series(tmp_path, volume() + 5, prefix="b", change=same_series)
    with pytest.raises(InputError, match=r"two images at one place \(8 times\)"):
        read(tmp_path, "CT")


def test_the_same_files_copied_twice_are_one_series(tmp_path):
    write_series(tmp_path / "a")
    write_series(tmp_path / "b")
    ct = read(tmp_path, "CT")
    assert ct.image.voxels.shape == (10, 12, 8)
    assert [w.code for w in ct.warnings] == ["dicom_copies"]


def test_two_orientations_in_one_series_are_refused(tmp_path):
    def turned(data, k):
        if k > 4:
            data.ImageOrientationPatient = [1, 0, 0, 0, 0, -1]

    write_series(tmp_path, change=turned)
    with pytest.raises(InputError, match="slices of two orientations"):
        read(tmp_path, "CT")


def test_mixed_pixel_spacing_is_refused(tmp_path):
    def coarser(data, k):
        if k == 2:
            data.PixelSpacing = [0.9, 0.9]

    write_series(tmp_path, change=coarser)
    with pytest.raises(InputError, match="different size or pixel spacing"):
        read(tmp_path, "CT")


def test_mr_is_no_ct(tmp_path):
    def as_mr(data, k):
        data.Modality = "MR"

    write_series(tmp_path, change=as_mr)
    with pytest.raises(InputError, match=r"holds no CT series of at least 4 slices \(found: MR\)"):
        read(tmp_path, "CT")


def test_a_series_without_rescale_is_read_with_a_caution(tmp_path):
    def without(data, k):
        del data.RescaleSlope, data.RescaleIntercept

    write_series(tmp_path, np.maximum(volume(), 0), intercept=0, change=without)
    assert [w.code for w in read(tmp_path, "CT").warnings] == ["no_rescale"]


@pytest.mark.parametrize("left", [100, 140, 0])
def test_a_slice_whose_pixels_are_short_is_refused_by_name(tmp_path, left):
    """Its header is whole: ITK would fill up from elsewhere and hand over a volume of garbage."""

    def shorten(data, k):
        if k == 3:
            data.PixelData = data.PixelData[:left]

    write_series(tmp_path, change=shorten)
    with pytest.raises(InputError, match=rf"im0005\.dcm of the series #3 .* \({left} of 240 bytes\)") as caught:
        read(tmp_path, "CT")
    assert "\n" not in str(caught.value)


def test_a_slice_without_pixels_is_refused_by_name(tmp_path):
    def without(data, k):
        if k == 3:
            del data.PixelData

    write_series(tmp_path, change=without)
    with pytest.raises(InputError, match=r"im0005\.dcm .* holds no image"):
        read(tmp_path, "CT")


@pytest.mark.parametrize("missing", [1, 100])
def test_a_file_cut_short_is_refused_by_name(tmp_path, missing):
    paths = write_series(tmp_path)
    paths[3].write_bytes(paths[3].read_bytes()[:-missing])
    with pytest.raises(InputError, match=rf"{paths[3].name} .* a part of its image is missing") as caught:
        read(tmp_path, "CT")
    assert "\n" not in str(caught.value)


def test_pixels_are_measured_in_implicit_headers_too(tmp_path):
    import pydicom

    paths = write_series(tmp_path)
    for path in paths:
        data = pydicom.dcmread(path)
        data.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian
        if path == paths[3]:
            data.PixelData = data.PixelData[:100]
        data.save_as(path, implicit_vr=True, little_endian=True, enforce_file_format=True)
    with pytest.raises(InputError, match=rf"{paths[3].name} .* \(100 of 240 bytes\)"):
        read(tmp_path, "CT")


def test_compressed_slices_are_read(tmp_path):
    def packed(data, k):
        from pydicom.uid import RLELossless

        data.compress(RLELossless)

    write_series(tmp_path, change=packed)
    assert hu_at(read(tmp_path, "CT").image, 4, 5, 3) == volume()[3, 5, 4]


def test_a_broken_compressed_slice_is_one_sentence_and_its_decoder_is_silent(tmp_path, capfd):
    from pydicom.encaps import encapsulate
    from pydicom.uid import JPEG2000Lossless

    def broken(data, k):
        data.file_meta.TransferSyntaxUID = JPEG2000Lossless
        data.PixelData = encapsulate([b"\xff\x4f\xff\x51garbage"])
        data["PixelData"].is_undefined_length = True

    write_series(tmp_path, change=broken)
    with pytest.raises(InputError, match="images that cannot be decoded"):
        read(tmp_path, "CT")
    assert capfd.readouterr().err == ""


def test_an_inverted_series_is_refused(tmp_path):
    def inverted(data, k):
        data.PhotometricInterpretation = "MONOCHROME1"

    write_series(tmp_path, change=inverted)
    with pytest.raises(InputError, match=r"stored inverted \(MONOCHROME1\)"):
        read(tmp_path, "CT")


def test_what_a_ct_series_lacks_is_named(tmp_path):
    def placeless(data, k):
        del data.ImagePositionPatient

    write_series(tmp_path / "a", change=placeless)
    with pytest.raises(InputError, match=r"found: #3 “Bone 1.0”, 8 of 8 images without position\)"):
        read(tmp_path / "a", "CT")
    write_series(tmp_path / "b", volume(3))
    with pytest.raises(InputError, match=r"found: #3 “Bone 1.0”, 3 images\)"):
        read(tmp_path / "b", "CT")
    write_localizer(tmp_path / "c")
    with pytest.raises(InputError, match=r"found: #1 “Scout”, a localizer\)"):
        read(tmp_path / "c", "CT")


def test_a_folder_without_dicom_is_one_sentence(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing here")
    with pytest.raises(InputError, match="holds no DICOM images"):
        read(tmp_path, "CT")


def test_labels_cannot_be_dicom(tmp_path):
    write_series(tmp_path)
    with pytest.raises(InputError, match=r"segmentation .* is DICOM; export it as NIfTI"):
        read(tmp_path, "segmentation")


def test_a_tilted_gantry_is_read_sheared_and_straightened_by_the_case():
    """The straightened copy holds, at every place of the world, what the tilted slices hold there."""
    from VertebralAugmentationPlannerLib.case.convert import is_rectangular, rectangular
    from VertebralAugmentationPlannerLib.model import Image

    matrix = np.diag([1.0, 1.0, 2.0, 1.0])
    matrix[1, 2] = 2 * np.tan(np.radians(15))  # each slice 0.54 mm further forward
    i, j, k = np.meshgrid(*[np.arange(n, dtype=float) for n in (30, 40, 20)], indexing="ij")
    points = np.stack([i, j, k], -1) @ matrix[:3, :3].T
    ramp = points @ [3.0, -5.0, 7.0]  # linear in the world: linear interpolation is exact
    tilted = Image(ramp, matrix)
    assert not is_rectangular(tilted)
    straight = rectangular(tilted, 1, np.nan)
    assert is_rectangular(straight)
    np.testing.assert_allclose(straight.spacing_mm, [1, 1, 2])
    probe = np.random.default_rng(2).uniform([3, 15, 3], [25, 35, 35], (200, 3))
    np.testing.assert_allclose(straight.sample(probe), probe @ [3.0, -5.0, 7.0], atol=1e-9)


def test_a_tilted_series_comes_with_the_shear_of_its_positions(tmp_path):
    write_series(tmp_path, step=(0, 0.5, 2.0))
    image = read(tmp_path, "CT").image
    assert hu_at(image, 4, 5, 3, step=(0, 0.5, 2.0)) == pytest.approx(volume()[3, 5, 4])


def test_bone_scanned_with_a_tilted_gantry_lies_where_it_lay_in_the_patient(tmp_path):
    """From the files to the case: the CT agrees with the labels, which were drawn in the world."""
    from toy_spine import CENTRE_A, CENTRE_R, centre_of, spine_labels, vertebra_mask

    labels, matrix = spine_labels([20, 21])
    step, shift = 2.0, 2.0 * np.tan(np.radians(12))
    k, j, i = np.meshgrid(np.arange(50), np.arange(150), np.arange(70), indexing="ij")
    r, s = CENTRE_R - 35 + i, centre_of(1)[2] - 26 + step * k
    a = CENTRE_A + 60 - j - shift * k  # rows run to posterior: LPS y grows by the shift each slice
    hu = np.full(k.shape, 40)
    for index in (0, 1):
        middle = centre_of(index)
        hu[vertebra_mask(r - middle[0], a - middle[1], s - middle[2])] = 250
    origin = (-(CENTRE_R - 35), -(CENTRE_A + 60), centre_of(1)[2] - 26)
    write_series(
        tmp_path, hu, origin=origin, orientation=(-1, 0, 0, 0, 1, 0), step=(0, shift, step), spacing=(1.0, 1.0)
    )
    case = load_case(tmp_path, (labels, matrix))
    assert [w.severity for w in case.warnings if w.code == "grid_straightened"] == ["caution"]
    inside = case.labels.to_ras(np.argwhere(case.labels.voxels == 20)[::50])
    assert np.mean(case.ct.sample(inside) > 145) > 0.93
    beside = inside + [45, 0, 0]
    values = case.ct.sample(beside)
    assert np.nanmax(values) <= 40


@pytest.mark.parametrize("name", ["ImagePositionPatient", "PixelSpacing"])
def test_a_slice_whose_place_is_no_number_is_refused_by_name(tmp_path, name):
    def change(data, k):
        if k == 3:
            setattr(data, name, ["1e400", *list(getattr(data, name))[1:]])

    write_series(tmp_path / "ct", change=change)
    with pytest.raises(
        InputError, match=r"The DICOM file im\d+.dcm .* has a position, orientation or pixel spacing that is"
    ):
        read(tmp_path / "ct", "CT")
