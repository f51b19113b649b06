"""A Slicer segmentation is read by what its segments are called or coded, from files that Slicer itself writes."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from test_case_reading import as_sitk
from toy_spine import canal_mask, centre_of, spine_labels, world

from VertebralAugmentationPlannerLib.case import load_case
from VertebralAugmentationPlannerLib.case.segments import read_segmentation
from VertebralAugmentationPlannerLib.model import InputError

TERMINOLOGY = (
    "Segmentation category and type - 3D Slicer General Anatomy list~SCT^123037004^Anatomical Structure~"
    "SCT^51299004^Bone~^^~Anatomic codes - DICOM master list~SCT^{code}^{meaning}~^^"
)


def slicer_segmentation(path, segments, matrix):
    """A .seg.nrrd of (name, mask, terminology) written by Slicer's own storage node."""
    slicer = pytest.importorskip("slicer", reason="slicer-core writes these files")
    import vtk
    from vtk.util.numpy_support import numpy_to_vtk

    scene = slicer.vtkMRMLScene()
    logic = slicer.vtkSlicerSegmentationsModuleLogic()
    logic.SetMRMLScene(scene)
    node = slicer.vtkMRMLSegmentationNode()
    scene.AddNode(node)
    for name, mask, terminology in segments:
        image = vtk.vtkImageData()
        image.SetDimensions(mask.shape)
        image.GetPointData().SetScalars(numpy_to_vtk(mask.astype(np.uint8).ravel(order="F"), deep=1))
        labelmap = slicer.vtkMRMLLabelMapVolumeNode()
        scene.AddNode(labelmap)
        labelmap.SetAndObserveImageData(image)
        ijk_to_ras = vtk.vtkMatrix4x4()
        ijk_to_ras.DeepCopy(matrix.ravel().tolist())
        labelmap.SetIJKToRASMatrix(ijk_to_ras)
        if node.GetSegmentation().GetNumberOfSegments() == 0:
            node.SetReferenceImageGeometryParameterFromVolumeNode(labelmap)
        logic.ImportLabelmapToSegmentationNode(labelmap, node)
        segment = node.GetSegmentation().GetNthSegment(node.GetSegmentation().GetNumberOfSegments() - 1)
        segment.SetName(name)
        if terminology:
            segment.SetTag("TerminologyEntry", terminology)
    storage = slicer.vtkMRMLSegmentationStorageNode()
    storage.SetCropToMinimumExtent(True)
    scene.AddNode(storage)
    storage.SetFileName(str(path))
    assert storage.WriteData(node)
    return path


@pytest.fixture
def toy():
    labels, matrix = spine_labels([1, 2, 3])
    r, a, _ = world(labels.shape, matrix)
    return labels, matrix, canal_mask(r - centre_of(0)[0], a - centre_of(0)[1])


def test_names_in_three_manners_and_the_canal(tmp_path, toy):
    labels, matrix, canal = toy
    path = slicer_segmentation(
        tmp_path / "spine.seg.nrrd",
        [
            ("L1 vertebra", labels == 2, ""),
            ("vertebrae_T12", labels == 1, ""),
            ("L2", labels == 3, ""),
            ("spinal canal", canal, ""),
            ("liver", np.roll(canal, 35, axis=1), ""),
        ],
        matrix,
    )
    case = load_case(None, path)
    assert list(case.level_values) == ["T12", "L1", "L2"]
    assert case.inputs.numbering == "segments"
    for level, value in (("T12", 1), ("L1", 2), ("L2", 3)):
        index = np.argwhere(case.labels.voxels == case.level_values[level])
        expected = np.argwhere(labels == value) @ matrix[:3, :3].T + matrix[:3, 3]
        np.testing.assert_allclose(case.labels.to_ras(index.mean(axis=0)), expected.mean(axis=0), atol=1e-6)
        assert len(index) == len(expected)
    assert not case.canal_is_cord
    assert np.count_nonzero(case.canal.voxels) == np.count_nonzero(canal)


def test_overlapping_segments_in_layers_are_told_apart(tmp_path, toy):
    labels, matrix, _ = toy
    l2 = (labels == 2) | np.roll(labels == 2, -6, axis=2)  # reaches into L1's own voxels
    path = slicer_segmentation(
        tmp_path / "spine.seg.nrrd", [("T12", labels == 1, ""), ("L1", labels == 2, ""), ("L2", l2, "")], matrix
    )
    assert sitk.ReadImage(str(path)).GetNumberOfComponentsPerPixel() == 2
    case = load_case(None, path)
    assert "segments_overlap" in [w.code for w in case.warnings]
    np.testing.assert_array_equal(
        np.count_nonzero(case.labels.voxels == case.level_values["L1"]), np.count_nonzero(labels == 2)
    )


def test_a_segment_without_a_telling_name_is_known_by_its_snomed_code(tmp_path, toy):
    labels, matrix, _ = toy
    path = slicer_segmentation(
        tmp_path / "spine.seg.nrrd",
        [
            ("Segment_1", labels == 1, TERMINOLOGY.format(code="23215003", meaning="twelfth")),
            ("Segment_2", labels == 2, TERMINOLOGY.format(code="1234567", meaning="L1 vertebra")),
        ],
        matrix,
    )
    assert list(load_case(None, path).level_values) == ["T12", "L1"]


def test_a_file_cropped_to_its_segments_is_padded_to_the_scan_again(tmp_path, toy):
    """Else a vertebra at the edge of Slicer's crop would be taken for one that the scan cuts."""
    labels, matrix, _ = toy
    path = slicer_segmentation(tmp_path / "one.seg.nrrd", [("L1", labels == 2, "")], matrix)
    assert sitk.ReadImage(str(path)).GetSize() != labels.shape, "Slicer crops on saving"
    case = load_case(None, path)
    assert case.labels.voxels.shape == labels.shape
    np.testing.assert_allclose(case.labels.ijk_to_ras, matrix, atol=1e-6)
    np.testing.assert_array_equal(case.labels.voxels != 0, labels == 2)


def test_a_skewed_segmentation_is_straightened_together_with_its_canal(tmp_path):
    shape, matrix = (70, 150, 122), spine_labels([1, 2, 3])[1].copy()
    matrix[1, 2] = 0.25
    labels, _ = spine_labels([1, 2, 3], shape, matrix, canal=9)
    path = slicer_segmentation(
        tmp_path / "skew.seg.nrrd",
        [("T12", labels == 1, ""), ("L1", labels == 2, ""), ("L2", labels == 3, ""), ("canal", labels == 9, "")],
        matrix,
    )
    case = load_case(None, path)
    assert case.canal.voxels.shape == case.labels.voxels.shape
    np.testing.assert_allclose(case.canal.ijk_to_ras, case.labels.ijk_to_ras, atol=1e-6)
    middle = case.canal.to_ras(np.argwhere(case.canal.voxels)).mean(axis=0)
    np.testing.assert_allclose(middle[:2], [centre_of(0)[0], centre_of(0)[1] - 22], atol=0.5)


def test_segments_without_a_vertebra_are_listed(tmp_path, toy):
    labels, matrix, _ = toy
    path = slicer_segmentation(
        tmp_path / "x.seg.nrrd", [("Segment_1", labels == 1, ""), ("bone", labels == 2, "")], matrix
    )
    with pytest.raises(InputError, match=r"no segment named after a vertebra \(segments: Segment_1, bone\)"):
        load_case(None, path)


def test_two_segments_of_one_level_and_a_level_that_does_not_exist(tmp_path, toy):
    labels, matrix, _ = toy
    path = slicer_segmentation(
        tmp_path / "x.seg.nrrd", [("L1", labels == 1, ""), ("L1 vertebra", labels == 2, "")], matrix
    )
    with pytest.raises(InputError, match="two segments for L1"):
        load_case(None, path)
    path = slicer_segmentation(tmp_path / "y.seg.nrrd", [("L8", labels == 1, "")], matrix)
    with pytest.raises(InputError, match="“L8” is not a vertebral level"):
        load_case(None, path)


def test_a_segmentation_is_no_ct(tmp_path, toy):
    labels, matrix, _ = toy
    path = slicer_segmentation(tmp_path / "x.seg.nrrd", [("L1", labels == 2, "")], matrix)
    with pytest.raises(InputError, match="is a Slicer segmentation; give the CT itself"):
        load_case(path, (labels, matrix), None)


def test_without_slicer_the_same_header_is_read(tmp_path, toy):
    """Runs where slicer-core is missing: the header written by hand in Slicer's manner."""
    labels, matrix, _ = toy
    image = as_sitk(labels, matrix)
    for number, name in enumerate(("T12", "L1 vertebra", "vertebrae_L2")):
        image.SetMetaData(f"Segment{number}_ID", f"s{number}")
        image.SetMetaData(f"Segment{number}_Name", name)
        image.SetMetaData(f"Segment{number}_LabelValue", str(number + 1))
        image.SetMetaData(f"Segment{number}_Layer", "0")
    sitk.WriteImage(image, str(tmp_path / "hand.seg.nrrd"))
    assert list(load_case(None, tmp_path / "hand.seg.nrrd").level_values) == ["T12", "L1", "L2"]
    read_by_the_caller = sitk.ReadImage(str(tmp_path / "hand.seg.nrrd"))
    assert list(load_case(None, read_by_the_caller).level_values) == ["T12", "L1", "L2"]


def entries(**changed):
    """A small segmentation in memory, with its header entries changed."""
    image = sitk.Image(12, 12, 12, sitk.sitkUInt8)
    image[6, 6, 6] = 1
    given = {"Segment0_ID": "a", "Segment0_Name": "L1", "Segment0_LabelValue": "1", "Segment0_Layer": "0", **changed}
    for key, value in given.items():
        image.SetMetaData(key, value)
    return image


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("LabelValue", "abc"),
        ("LabelValue", "35.0"),
        ("LabelValue", "²"),
        ("Layer", "x"),
        ("Layer", "3"),
        ("Layer", "-1"),
    ],
)
def test_a_damaged_entry_is_named_and_no_segment_is_left_out_for_it(key, value):
    with pytest.raises(InputError, match="is damaged: segment “L1”"):
        read_segmentation(entries(**{f"Segment0_{key}": value}), "labels.seg.nrrd")


@pytest.mark.parametrize(
    "geometry", ["e;e;;", ";".join(["1e999"] * 22), "1;0;0;0;0;1;0;0;0;0;1;0;0;0;0;1;0;3000;0;3000;0;3000", "1;2"]
)
def test_a_reference_geometry_that_is_none_leaves_the_segments_on_their_own_grid(geometry):
    text = f"Reference image geometry|{geometry}|&"
    image, found, _ = read_segmentation(entries(Segmentation_ConversionParameters=text), "labels.seg.nrrd")
    assert image.voxels.shape == (12, 12, 12) and found.values == {"L1": 1}
