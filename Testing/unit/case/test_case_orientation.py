"""A file that does not say how it lies in the patient is refused: left and right would be a guess."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from VertebralAugmentationPlannerLib.case.orientation import require_orientation
from VertebralAugmentationPlannerLib.case.source import read
from VertebralAugmentationPlannerLib.model import InputError

VOXELS = (np.arange(12 * 14 * 16) % 250).astype(np.uint8).reshape(12, 14, 16)


def nrrd(folder: Path, *lines: str, name: str = "labels.nrrd") -> Path:
    head = [
        "NRRD0004",
        "type: uint8",
        "dimension: 3",
        "sizes: 12 14 16",
        "endian: little",
        "encoding: raw",
        *lines,
        "",
        "",
    ]
    path = folder / name
    path.write_bytes("\n".join(head).encode() + VOXELS.tobytes(order="F"))
    return path


@pytest.mark.parametrize(
    "lines",
    [
        ("spacings: 1 1 1",),
        ("space: 3D-right-handed", "space directions: (1,0,0) (0,1,0) (0,0,1)"),
        ("space: left-posterior-superior", "spacings: 1 1 1"),
        ("space dimension: 3", "space directions: (1,0,0) (0,1,0) (0,0,1)"),
    ],
)
def test_a_nrrd_whose_space_names_no_axes_of_the_patient_is_refused(tmp_path, lines):
    with pytest.raises(InputError, match="labels.nrrd does not say how it lies in the patient"):
        read(str(nrrd(tmp_path, *lines)), "segmentation")


@pytest.mark.parametrize(
    ("space", "right"),
    [
        ("right-anterior-superior", 1),
        ("RAS", 1),
        ("left-posterior-superior", -1),
        ("LPS", -1),
        ("left-anterior-superior", -1),
    ],
)
def test_a_nrrd_that_names_them_is_read_by_them(tmp_path, space, right):
    path = nrrd(tmp_path, f"space: {space}", "space directions: (1,0,0) (0,1,0) (0,0,1)", "space origin: (0,0,0)")
    image = read(str(path), "segmentation").image
    assert image.to_ras(np.array([2.0, 0.0, 0.0]))[0] == pytest.approx(2.0 * right)


@pytest.mark.parametrize("suffix", [".tif", ".png"])
def test_a_picture_is_refused(tmp_path, suffix):
    path = tmp_path / f"labels{suffix}"
    sitk.WriteImage(sitk.GetImageFromArray(VOXELS if suffix == ".tif" else VOXELS[0]), str(path))
    with pytest.raises(InputError, match=f"{suffix} has no orientation"):
        read(str(path), "segmentation")


def test_a_metaimage_without_directions_is_refused(tmp_path):
    path = tmp_path / "labels.mha"
    head = "ObjectType = Image\nNDims = 3\nDimSize = 12 14 16\nElementType = MET_UCHAR\nElementDataFile = LOCAL\n"
    path.write_bytes(head.encode() + VOXELS.tobytes(order="F"))
    with pytest.raises(InputError, match="MetaImage without TransformMatrix"):
        read(str(path), "segmentation")


def test_a_pair_of_nifti_files_without_codes_is_refused_and_one_with_them_is_read(tmp_path):
    path = tmp_path / "labels.hdr"
    sitk.WriteImage(sitk.GetImageFromArray(VOXELS), str(path))
    assert read(str(path), "segmentation").image.voxels.shape == (16, 14, 12)
    header = bytearray(path.read_bytes())
    header[252:256] = bytes(4)
    path.write_bytes(header)
    for name in ("labels.hdr", "labels.img"):
        with pytest.raises(InputError, match="qform and sform code 0"):
            read(str(tmp_path / name), "segmentation")
    header[344:348] = bytes(4)  # Analyze 7.5
    path.write_bytes(header)
    with pytest.raises(InputError, match="Analyze has no orientation"):
        require_orientation(path, "CT")


def test_nifti_2_and_a_damaged_offset_are_named(tmp_path):
    path = tmp_path / "labels.nii"
    path.write_bytes((540).to_bytes(4, "little") + bytes(600))
    with pytest.raises(InputError, match="is NIfTI-2"):
        read(str(path), "segmentation")
    sitk.WriteImage(sitk.GetImageFromArray(VOXELS), str(path))
    data = bytearray(path.read_bytes())
    data[108:112] = np.float32(np.nan).tobytes()
    path.write_bytes(data)
    with pytest.raises(InputError, match="damaged header"):
        read(str(path), "segmentation")


@pytest.mark.parametrize("suffix", [".nrrd", ".nhdr", ".mha", ".mhd", ".nii", ".nii.gz"])
def test_what_itk_writes_says_how_it_lies(tmp_path, suffix):
    path = tmp_path / f"labels{suffix}"
    sitk.WriteImage(sitk.GetImageFromArray(VOXELS), str(path))
    require_orientation(path, "CT")


def test_a_label_map_of_runs_is_read_as_its_voxels():
    """SimpleITK's own kind of label map: asked for its voxels as it is, it ends the process."""
    image = sitk.GetImageFromArray((VOXELS % 3).astype(np.uint8))
    found = read(sitk.Cast(image, sitk.sitkLabelUInt8), "segmentation").image
    np.testing.assert_array_equal(found.voxels, read(image, "segmentation").image.voxels)
