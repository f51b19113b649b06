"""Whatever way a segmentation keeps its segments, the engine gets every vertebra's own voxels in the right place."""

import numpy as np
import pytest
import slicer
import vtk
from nodes import add_segment, add_segmentation, add_volume, linear_transform
from VertebralAugmentationPlannerLib.case.names import BodyPart
from VertebralAugmentationPlannerLib.case.numbering import VERSE
from VertebralAugmentationPlannerLib.case.segments import Merging
from VertebralAugmentationPlannerLib.model import Image, InputError
from VertebralAugmentationPlannerLib.scene.anatomy_node import oriented_image
from VertebralAugmentationPlannerLib.scene.segments import layers, merge, part_boxes, part_centres, parts_of
from vtkmodules.util.numpy_support import vtk_to_numpy

LPI = np.diag([-1.0, -1.0, -2.0, 1.0])
NAMES = {1: "L1", 2: "L2 vertebra", 3: "spinal canal", 4: "liver"}


def boxes():
    """Four separate boxes in 40 × 40 × 30 voxels of 1 × 1 × 2 mm, LPI order."""
    voxels = np.zeros((40, 40, 30), np.uint8)
    voxels[10:20, 10:20, 3:8] = 1  # the first slices are the highest
    voxels[10:20, 10:20, 12:18] = 2
    voxels[12:16, 24:28, 2:25] = 3
    voxels[30:38, 2:8, 2:9] = 4
    matrix = LPI.copy()
    matrix[:3, 3] = (55.0, 20.0, 300.0)
    return Image(voxels, matrix)


def meanings(node):
    return {part.key: part.meaning for part in parts_of(node) if part.meaning is not None}


def points_of(image, value):
    return {tuple(p) for p in np.round(image.to_ras(np.argwhere(image.voxels == value)), 4)}


def levels_in(labels):
    return tuple(level for level, value in VERSE.items() if np.any(labels.image.voxels == value))


@pytest.fixture
def node(scene):
    return add_segmentation(scene, boxes(), NAMES)


def test_every_level_keeps_exactly_its_voxels(node):
    merged = merge(node, meanings(node))
    for value, level in ((1, "L1"), (2, "L2")):
        assert points_of(merged.image, VERSE[level]) == points_of(boxes(), value)
    assert levels_in(merged) == ("L1", "L2")


def test_the_canal_comes_apart_and_organs_stay_out(node):
    merged = merge(node, meanings(node))
    assert points_of(merged.canal, 1) == points_of(boxes(), 3)
    assert not merged.canal_is_cord
    assert set(np.unique(merged.image.voxels)) == {0, VERSE["L1"], VERSE["L2"]}


def test_a_cord_is_told_from_a_canal(scene):
    node = add_segmentation(scene, boxes(), {1: "L1", 3: "spinal_cord"})
    assert merge(node, meanings(node)).canal_is_cord


@pytest.mark.parametrize("order", [(3, 4), (4, 3)])
def test_beside_the_canal_its_cord_says_nothing(scene, order):
    """As ``vap`` reads the same segmentation from a file, in whatever order the segments come."""
    canal, cord = order
    node = add_segmentation(scene, boxes(), {1: "L1", canal: "spinal_canal", cord: "spinal_cord"})
    merged = merge(node, meanings(node))
    assert not merged.canal_is_cord and points_of(merged.canal, 1) == points_of(boxes(), canal)
    merging = Merging(boxes().voxels.shape, 3)
    for value, kind in sorted(((canal, "canal"), (cord, "cord"))):
        merging.add(BodyPart(kind, kind), boxes().voxels == value, value, kind, "mask")
    assert not merging.canal_is_cord and np.array_equal(merging.canal > 0, boxes().voxels == canal)


def test_segments_of_a_shared_label_map_are_told_apart(scene, node):
    assert node.GetSegmentation().GetNumberOfLayers() == 4
    node.GetSegmentation().CollapseBinaryLabelmaps(False)
    assert node.GetSegmentation().GetNumberOfLayers() == 1
    merged = merge(node, meanings(node))
    assert points_of(merged.image, VERSE["L2"]) == points_of(boxes(), 2)


def test_segments_of_a_shared_label_map_are_looked_at_where_they_lie_and_never_copied_whole(node):
    """A trunk of TotalSegmentator is a hundred segments in one map: a copy of it for each would fill the memory."""
    node.GetSegmentation().CollapseBinaryLabelmaps(False)
    keys = [part.key for part in parts_of(node)]
    (layer,) = layers(node, keys)
    held = vtk_to_numpy(
        node.GetSegmentation().GetSegment(keys[0]).GetRepresentation("Binary labelmap").GetPointData().GetScalars()
    )
    assert np.shares_memory(layer.image.voxels, held) and layer.image.voxels.size == held.size
    for value, (key, box) in enumerate(part_boxes(node, keys).items(), start=1):
        inside = np.argwhere(boxes().voxels == value)
        assert np.shares_memory(box.image.voxels, held)
        assert box.image.voxels.shape == tuple(np.ptp(inside, axis=0) + 1)
        assert points_of(box.mask(), True) == points_of(boxes(), value)
        np.testing.assert_allclose(part_centres(node, keys)[key], boxes().to_ras(inside.mean(axis=0)))


def test_overlap_in_several_label_maps_goes_to_the_segment_listed_first(scene):
    node = add_segmentation(scene, boxes(), {1: "L1", 2: "L2"})
    node.GetSegmentation().CollapseBinaryLabelmaps(False)
    shifted = boxes()
    add_segment(node, Image(np.where(np.roll(shifted.voxels == 2, 5, axis=0), 7, 0), shifted.ijk_to_ras), 7, "L3")
    node.GetSegmentation().ReorderSegments(["segment 7"], "segment 1")
    merged = merge(node, meanings(node))
    assert [(merged.image.voxels == VERSE[name]).sum() for name in ("L3", "L2")] == [600, 300]


def test_a_segment_on_another_grid_is_taken_by_nearest_voxel(scene):
    node = add_segmentation(scene, boxes(), {1: "L1"})
    fine = np.zeros((60, 60, 60), np.uint8)
    fine[20:40, 20:40, 20:40] = 7
    matrix = np.diag([0.5, 0.5, 0.5, 1.0])
    matrix[:3, 3] = (30.3, -10.2, 255.1)
    add_segment(node, Image(fine, matrix), 7, "L2")
    found = {part.key: part.meaning for part in parts_of(node)}
    merged = merge(node, found)
    volume = (merged.image.voxels == VERSE["L2"]).sum() * 2.0
    assert volume == pytest.approx(1000.0, rel=0.12)  # 10 mm cube in 1 × 1 × 2 mm voxels
    centre = merged.image.to_ras(np.argwhere(merged.image.voxels == VERSE["L2"]).mean(axis=0))
    np.testing.assert_allclose(centre, (45.05, 4.55, 269.85), atol=1.0)


def test_overlap_goes_to_the_first_and_is_told(scene):
    node = add_segmentation(scene, boxes(), {1: "L1"})
    shifted = boxes()
    voxels = np.where(np.roll(shifted.voxels == 1, 5, axis=0), 7, 0)
    add_segment(node, Image(voxels, shifted.ijk_to_ras), 7, "L2")
    merged = merge(node, meanings(node))
    assert points_of(merged.image, VERSE["L1"]) == points_of(boxes(), 1)
    assert (merged.image.voxels == VERSE["L2"]).sum() == 250
    (warning,) = [w for w in merged.warnings if w.code == "segments_overlap"]
    assert warning.message.startswith("0.50 ml of the segment L2")


def test_a_transformed_segmentation_is_read_in_the_world(scene, node):
    turn = np.array([[0.0, -1, 0, 5], [1, 0, 0, 6], [0, 0, 1, 7], [0, 0, 0, 1]])
    node.SetAndObserveTransformNodeID(linear_transform(scene, turn).GetID())
    merged = merge(node, meanings(node))
    expected = {
        tuple(np.round(turn[:3, :3] @ p + turn[:3, 3], 4)) for p in boxes().to_ras(np.argwhere(boxes().voxels == 1))
    }
    assert points_of(merged.image, VERSE["L1"]) == expected


def border_gaps(image):
    inside = np.argwhere(image.voxels)
    return inside.min(axis=0), np.array(image.voxels.shape) - 1 - inside.max(axis=0)


def test_room_is_kept_around_the_labels_up_to_the_border_of_the_scan(scene):
    node = add_segmentation(scene, boxes(), {1: "L1", 2: "L2"})
    before, after = border_gaps(merge(node, meanings(node)).image)
    np.testing.assert_array_equal(before, [10, 10, 3])  # the scan ends there
    np.testing.assert_array_equal(after, [15, 15, 8])  # it goes on, 15 mm are kept


def test_a_vertebra_at_the_border_of_the_scan_stays_at_the_border(scene):
    labels = boxes()
    voxels = labels.voxels.copy()
    voxels[10:20, 10:20, 0:3] = 1
    node = add_segmentation(scene, Image(voxels, labels.ijk_to_ras), {1: "L1", 2: "L2"})
    before, _after = border_gaps(merge(node, meanings(node)).image)
    assert before[2] == 0


def test_without_a_geometry_the_ct_tells_where_the_scan_ends(scene):
    node = add_segmentation(scene, boxes(), {1: "L1", 2: "L2"}, with_geometry=False)
    merged = merge(node, meanings(node), boxes())
    np.testing.assert_array_equal(border_gaps(merged.image)[0], [10, 10, 3])
    assert not merged.warnings


def test_without_geometry_and_ct_the_unknown_border_is_told(scene):
    node = add_segmentation(scene, boxes(), {1: "L1", 2: "L2"}, with_geometry=False)
    assert [w.code for w in merge(node, meanings(node)).warnings] == ["scan_border_unknown"]


def test_surfaces_without_voxels_are_refused(scene):
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "printed model")
    sphere = vtk.vtkSphereSource()
    sphere.Update()
    segment = slicer.vtkSegment()
    segment.SetName("L1")
    segment.AddRepresentation("Closed surface", sphere.GetOutput())
    node.GetSegmentation().SetSourceRepresentationName("Closed surface")
    node.GetSegmentation().AddSegment(segment, "L1")
    with pytest.raises(InputError, match="surfaces but no voxels"):
        merge(node, meanings(node))


def test_two_segments_of_one_level_are_refused(scene):
    node = add_segmentation(scene, boxes(), {1: "L1", 2: "vertebrae_L1"})
    with pytest.raises(InputError, match="Two segments are called L1"):
        merge(node, meanings(node))


def test_an_empty_segment_is_left_out(scene):
    node = add_segmentation(scene, boxes(), {1: "L1"})
    node.GetSegmentation().AddEmptySegment("empty", "L2")
    assert levels_in(merge(node, meanings(node))) == ("L1",)


def test_no_vertebra_is_an_error(scene):
    node = add_segmentation(scene, boxes(), {4: "liver"})
    with pytest.raises(InputError, match="No segment of “vertebrae” is a vertebra"):
        merge(node, meanings(node))


@pytest.mark.parametrize(
    ("terminology", "level"),
    [
        ("Seg~SCT^123037004^Anatomical Structure~SCT^11994002^fourth lumbar vertebra~^^~~^^~^^", "L4"),
        ("Seg~SCT^123037004^Anatomical Structure~SCT^51282000^Vertebra~SCT^23215003^T12~~^^~^^", "T12"),
        ("Seg~SCT^123037004^Anatomical Structure~SCT^0^L2 vertebra~^^~~^^~^^", "L2"),
    ],
)
def test_terminology_names_a_segment_whose_name_does_not(scene, terminology, level):
    node = add_segmentation(scene, boxes(), {1: "Segment_1"})
    node.GetSegmentation().GetNthSegment(0).SetTerminology(terminology)
    assert parts_of(node)[0].meaning == BodyPart("level", level)


def test_the_name_goes_before_the_terminology(scene):
    node = add_segmentation(scene, boxes(), {1: "L3"})
    node.GetSegmentation().GetNthSegment(0).SetTerminology("Seg~^^~SCT^11994002^fourth lumbar vertebra~^^~~^^~^^")
    assert parts_of(node)[0].meaning.name == "L3"


def test_a_level_that_does_not_exist_is_no_level(scene):
    assert parts_of(add_segmentation(scene, boxes(), {1: "L9"}))[0].meaning is None


def label_map(scene, values, names=None):
    labels = boxes()
    voxels = np.zeros_like(labels.voxels)
    for old, new in values.items():
        voxels[labels.voxels == old] = new
    node = add_volume(scene, Image(voxels, labels.ijk_to_ras), "labels", "vtkMRMLLabelMapVolumeNode")
    if names:
        node.CreateDefaultDisplayNodes()
        table = scene.AddNewNodeByClass("vtkMRMLColorTableNode", "names")
        table.SetTypeToUser()
        table.SetNumberOfColors(max(names) + 1)
        table.SetNamesInitialised(True)
        for value, name in names.items():
            table.SetColor(value, name, 0.2, 0.4, 0.6, 1.0)
        node.GetDisplayNode().SetAndObserveColorNodeID(table.GetID())
    return node


def test_a_label_map_is_read_by_its_numbers(scene):
    parts = parts_of(label_map(scene, {1: VERSE["L1"], 2: VERSE["L2"]}))
    assert [(part.key, part.meaning.name) for part in parts] == [("20", "L1"), ("21", "L2")]


def test_a_label_map_is_read_by_its_color_table_first(scene):
    node = label_map(scene, {1: 1, 2: 2, 4: 5}, {1: "T11", 2: "T12", 5: "spleen"})
    parts = parts_of(node)
    assert [(part.name, part.meaning.name if part.meaning else None) for part in parts] == [
        ("T11", "T11"),
        ("T12", "T12"),
        ("spleen", None),
    ]
    assert parts[0].color == pytest.approx((0.2, 0.4, 0.6), abs=0.01)
    merged = merge(node, meanings(node))
    assert points_of(merged.image, VERSE["T12"]) == points_of(boxes(), 2)


@pytest.mark.parametrize("kind", [np.float32, np.int32])
def test_a_label_map_written_by_a_script_is_read_whatever_its_type_and_a_stray_value(scene, kind):
    node = label_map(scene, {1: VERSE["L1"], 2: VERSE["L2"]})
    voxels = slicer.util.arrayFromVolume(node).astype(kind)
    voxels[0, 0, 0] = 3_000_000  # a table as long as this would take a second and hundreds of megabytes
    slicer.util.updateVolumeFromArray(node, voxels)
    known = {part.key: part.meaning for part in parts_of(node) if part.meaning is not None}
    assert [meaning.name for meaning in known.values()] == ["L1", "L2"]
    assert points_of(merge(node, known).image, VERSE["L2"]) == points_of(boxes(), 2)


def test_numbers_that_mean_nothing_are_left_to_the_user(scene):
    assert [part.meaning for part in parts_of(label_map(scene, {1: 90, 2: 91}))] == [None, None]


def test_another_kind_of_node_is_refused(scene):
    with pytest.raises(InputError, match="neither a segmentation nor a label map"):
        parts_of(scene.AddNewNodeByClass("vtkMRMLModelNode", "model"))


def test_an_oriented_image_keeps_its_place():
    data = oriented_image(Image((boxes().voxels == 1).astype(np.uint8), boxes().ijk_to_ras))
    matrix = vtk.vtkMatrix4x4()
    data.GetImageToWorldMatrix(matrix)
    np.testing.assert_allclose(matrix.MultiplyPoint((12, 13, 5, 1))[:3], boxes().to_ras((12, 13, 5)))
    assert data.GetScalarComponentAsDouble(12, 13, 5, 0) == 1
    assert data.GetScalarComponentAsDouble(12, 13, 15, 0) == 0


@pytest.mark.parametrize("shared", [False, True])
def test_segments_that_slicer_named_by_number_are_read_by_their_numbers(scene, shared):
    node = add_segmentation(scene, boxes(), {1: f"Segment_{VERSE['L1']}", 2: f"Segment_{VERSE['L2']}"})
    if shared:
        node.GetSegmentation().CollapseBinaryLabelmaps(False)
    assert [part.meaning for part in parts_of(node)] == [BodyPart("level", "L1"), BodyPart("level", "L2")]
    assert levels_in(merge(node, meanings(node))) == ("L1", "L2")


def test_segments_numbered_by_no_known_table_are_left_to_the_user(scene):
    node = add_segmentation(scene, boxes(), {1: "Segment_1", 2: "Segment_2"})
    assert [part.meaning for part in parts_of(node)] == [None, None]


def test_empty_segments_named_by_number_are_no_levels(scene):
    node = add_segmentation(scene, boxes(), {})
    for value in (20, 21):
        node.GetSegmentation().AddEmptySegment(f"{value}", f"Segment_{value}")
    assert [part.meaning for part in parts_of(node)] == [None, None]
