"""An enhanced CT, all frames in one file, is read frame by frame or refused in one sentence."""

from __future__ import annotations

import copy

import numpy as np
import pydicom
import pytest
from dicom_writer import volume, write_enhanced
from test_case_dicom import hu_at

from VertebralAugmentationPlannerLib.case.source import read
from VertebralAugmentationPlannerLib.model import InputError


@pytest.mark.parametrize("reverse", [False, True])
def test_an_enhanced_multi_frame_ct_is_read_frame_by_frame(tmp_path, reverse):
    path = tmp_path / "enhanced.dcm"
    write_enhanced(path, volume(), reverse=reverse)
    for source in (path, tmp_path):
        image = read(source, "CT").image
        assert image.voxels.shape == (10, 12, 8)
        assert hu_at(image, 4, 5, 3) == volume()[3, 5, 4]
        assert hu_at(image, 0, 0, 7) == volume()[7, 0, 0]


def test_frames_scaled_each_in_their_own_way_are_refused(tmp_path):
    """ITK would take the first frame's intercept for all: HU that are wrong by tens and look right."""
    path = tmp_path / "enhanced.dcm"
    write_enhanced(path, volume())
    data = pydicom.dcmread(path)
    shared = data.SharedFunctionalGroupsSequence[0]
    values = shared.PixelValueTransformationSequence
    del shared.PixelValueTransformationSequence
    for frame in data.PerFrameFunctionalGroupsSequence:
        frame.PixelValueTransformationSequence = copy.deepcopy(values)
    data.save_as(path)
    np.testing.assert_array_equal(np.asarray(read(path, "CT").image.voxels).transpose(2, 1, 0), volume())
    data.PerFrameFunctionalGroupsSequence[5].PixelValueTransformationSequence[0].RescaleIntercept = -1000
    data.save_as(path)
    with pytest.raises(InputError, match="scales its frames to HU each in its own way; export it as single slices"):
        read(path, "CT")


def test_of_two_multi_frame_files_in_one_series_one_is_to_be_given(tmp_path):
    write_enhanced(tmp_path / "a.dcm", volume())
    write_enhanced(tmp_path / "b.dcm", volume() + 1)
    data = pydicom.dcmread(tmp_path / "b.dcm")
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = f"{data.SOPInstanceUID}"[:-2] + "77"
    data.save_as(tmp_path / "b.dcm")
    with pytest.raises(InputError, match=r"holds 2 files, .* \(a\.dcm, b\.dcm\); give one of them"):
        read(tmp_path, "CT")
    assert hu_at(read(tmp_path / "b.dcm", "CT").image, 4, 5, 3) == volume()[3, 5, 4] + 1


def test_a_multi_frame_file_whose_last_frames_are_missing_is_refused(tmp_path):
    path = tmp_path / "enhanced.dcm"
    write_enhanced(path, volume())
    path.write_bytes(path.read_bytes()[:-480])
    with pytest.raises(InputError, match=r"enhanced\.dcm .* a part of its image is missing \(1440 of 1920 bytes\)"):
        read(path, "CT")
