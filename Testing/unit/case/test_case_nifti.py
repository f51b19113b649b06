"""A NIfTI file is whole, undamaged and of one orientation, or one sentence says what it is not."""

from __future__ import annotations

import gzip
import struct

import numpy as np
import pytest
import SimpleITK as sitk
from test_case_cleaning import reorder
from test_case_reading import VALUES, as_sitk, refused
from toy_spine import ct_of, spine_labels

from VertebralAugmentationPlannerLib.case import load_case
from VertebralAugmentationPlannerLib.case.source import read


@pytest.fixture(scope="module")
def toy():
    labels, matrix = spine_labels(VALUES)
    return labels, ct_of(labels), matrix


def test_a_nifti_file_packed_in_several_gzip_members_is_whole(tmp_path, toy):
    labels, _, matrix = toy
    plain = tmp_path / "labels.nii"
    sitk.WriteImage(as_sitk(labels, matrix), str(plain))
    data = plain.read_bytes()
    packed = tmp_path / "labels.nii.gz"
    packed.write_bytes(gzip.compress(data[:100_000]) + gzip.compress(data[100_000:]))
    np.testing.assert_array_equal(load_case(None, packed).labels.voxels, labels)


def test_a_nifti_file_without_orientation_is_refused(tmp_path, toy):
    labels, _, matrix = toy
    path = tmp_path / "labels.nii"
    sitk.WriteImage(as_sitk(labels, matrix), str(path))
    data = bytearray(path.read_bytes())
    struct.pack_into("<hh", data, 252, 0, 0)
    path.write_bytes(data)
    refused(r"does not say how it lies in the patient \(qform and sform code 0\)", None, path)


def two_orientations(path, image, moved=(0.0, 0.0, 0.0), mirrored=False, shear=0.0):
    """Write a NIfTI file whose sform has been moved (mm), mirrored left to right or sheared against its qform."""
    sitk.WriteImage(image, str(path))
    data = bytearray(path.read_bytes())
    struct.pack_into("<hh", data, 252, 1, 1)
    sform = np.reshape(struct.unpack_from("<12f", data, 280), (3, 4)).copy()
    sform[:, 3] += moved
    sform[1, 2] += shear
    if mirrored:  # about its own middle: every voxel stays within the same box
        size = np.array(image.GetSize()) - 1
        sform[0, 3] += sform[0, :3] @ size
        sform[0, :3] *= -1
    struct.pack_into("<12f", data, 280, *sform.ravel())
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("moved", [0.0, 0.3, 0.8])
def test_two_orientations_within_a_voxel_are_read_and_pointed_out_from_half_a_millimetre(tmp_path, toy, moved):
    labels, ct, matrix = toy
    turned, ct_matrix = reorder(ct, matrix, (2, 0, 1), (True, False, False))
    path = two_orientations(tmp_path / "ct.nii", as_sitk(turned, ct_matrix), (moved, 0, 0))
    notes = [w for w in load_case(path, (labels, matrix)).warnings if w.code == "nifti_two_orientations"]
    assert [note.severity for note in notes] == (["caution"] if moved == 0.8 else [])
    assert all("up to 0.8 mm apart" in note.message for note in notes)


@pytest.mark.parametrize("kind", ["CT", "segmentation"])
@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"moved": (0, 0, 30)}, "lie up to 30.0 mm apart"),
        ({"moved": (1.2, 0, 0)}, "lie up to 1.2 mm apart"),
        ({"mirrored": True}, "left and right are swapped"),
        ({"shear": 0.25}, "lie up to 30.2 mm apart"),  # a quarter of the way up: 121 mm
    ],
)
def test_two_orientations_that_contradict_each_other_are_refused(tmp_path, toy, kind, change, says):
    labels, ct, matrix = toy
    path = two_orientations(tmp_path / "image.nii", as_sitk(ct if kind == "CT" else labels, matrix), **change)
    images = (path, (labels, matrix)) if kind == "CT" else (None, path)
    refused(rf"{kind} image\.nii has two orientations .*{says}.*image\.set_qform", *images)


@pytest.mark.parametrize("at", [-8, 0.5])
@pytest.mark.parametrize("kind", [np.int16, np.float32])
def test_a_packed_file_that_does_not_match_its_checksum_is_refused(tmp_path, toy, at, kind):
    """One byte of the checksum, or one in the middle of the voxels, is not what was written."""
    labels, ct, matrix = toy
    path = tmp_path / "ct.nii.gz"
    sitk.WriteImage(as_sitk(ct.astype(kind), matrix), str(path))
    data = bytearray(path.read_bytes())
    data[at if at == -8 else int(at * len(data))] ^= 0xFF
    path.write_bytes(data)
    refused(r"ct\.nii\.gz is damaged", path, (labels, matrix))


def test_a_nifti_file_with_a_skewed_matrix_is_refused_or_straightened(tmp_path, toy):
    labels, _, matrix = toy
    path = tmp_path / "labels.nii"
    sitk.WriteImage(as_sitk(labels, matrix), str(path))
    data = bytearray(path.read_bytes())
    struct.pack_into("<hh", data, 252, 0, 1)  # sform only
    skewed = matrix.copy()
    skewed[1, 2] = 0.3
    struct.pack_into("<12f", data, 280, *skewed[:3].ravel())
    path.write_bytes(data)
    refused("skewed orientation matrix; resample it to a rectangular grid", None, path)


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
@pytest.mark.parametrize("change", ["", "big-endian", "slope 0", "scaled"])
@pytest.mark.parametrize("kind", [sitk.sitkInt16, sitk.sitkUInt16, sitk.sitkInt32, sitk.sitkFloat32, sitk.sitkFloat64])
def test_every_voxel_is_what_itk_reads_of_the_same_file(tmp_path, toy, kind, change, ending):
    _, ct, matrix = toy
    plain = tmp_path / "plain.nii"
    sitk.WriteImage(sitk.Cast(as_sitk(ct.astype(np.int16), matrix) + 1000, kind), str(plain))
    data = bytearray(plain.read_bytes())
    if change == "big-endian":
        data = turned(data)
    elif change:
        struct.pack_into("<2f", data, 112, *((0.0, 3.0) if change == "slope 0" else (2.0, -24.0)))
    path = tmp_path / f"ct{ending}"
    path.write_bytes(gzip.compress(bytes(data), 1) if ending == ".nii.gz" else data)
    read_by_itk = sitk.ReadImage(str(path))
    expected = sitk.GetArrayFromImage(read_by_itk).transpose(2, 1, 0)
    image = read(path, "CT").image
    np.testing.assert_array_equal(image.voxels, expected)
    assert image.voxels.dtype == expected.dtype
    np.testing.assert_allclose(
        image.to_ras([3, 5, 7]) * [-1, -1, 1], read_by_itk.TransformIndexToPhysicalPoint([3, 5, 7])
    )


def turned(data):
    """A little-endian NIfTI-1 file of numbers with its bytes the other way round, header and voxels."""
    fields = ((0, "i", 1), (40, "h", 8), (68, "h", 4), (76, "f", 8), (108, "f", 3), (140, "i", 2), (252, "h", 2))
    result = bytearray(data)
    for at, code, count in (*fields, (256, "f", 18)):
        struct.pack_into(f">{count}{code}", result, at, *struct.unpack_from(f"<{count}{code}", data, at))
    size = struct.unpack_from("<h", data, 72)[0] // 8
    result[352:] = np.frombuffer(data, f"u{size}", offset=352).byteswap().tobytes()
    return result


@pytest.mark.parametrize(
    ("at", "code", "name"), [(280, (0, 1), "sform"), (256, (1, 0), "qform"), (80, (1, 0), "qform")]
)
def test_an_orientation_that_is_no_number_is_refused_and_nothing_else_is_printed(tmp_path, toy, capfd, at, code, name):
    labels, _, matrix = toy
    path = tmp_path / "labels.nii"
    sitk.WriteImage(as_sitk(labels, matrix), str(path))
    data = bytearray(path.read_bytes())
    struct.pack_into("<hh", data, 252, *code)
    struct.pack_into("<f", data, at, float("nan"))
    path.write_bytes(data)
    refused(rf"has an orientation that is no number \({name}\); convert it again from DICOM", None, path)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("at", "kind", "value"), [(70, "<h", 0), (42, "<h", -5)])
def test_the_reader_of_a_broken_header_is_silent(tmp_path, toy, capfd, at, kind, value):
    labels, _, matrix = toy
    path = tmp_path / "labels.nii"
    sitk.WriteImage(as_sitk(labels, matrix), str(path))
    data = bytearray(path.read_bytes())
    struct.pack_into(kind, data, at, value)
    path.write_bytes(data)
    refused("cannot be read as an image", None, path)
    assert capfd.readouterr() == ("", "")
