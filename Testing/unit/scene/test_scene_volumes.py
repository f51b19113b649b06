"""A volume node is read where it lies in the world, and is never touched."""

import numpy as np
import pytest
import slicer
import vtk
from nodes import add_volume, linear_transform
from VertebralAugmentationPlannerLib.model import Image, InputError
from VertebralAugmentationPlannerLib.scene.volumes import image_from_volume, input_state, matrix_array

OBLIQUE = np.array([[0.0, -1.1, 0.2, 30.0], [0.9, 0.0, 0.1, -12.0], [0.1, 0.2, 2.5, 400.0], [0, 0, 0, 1.0]])
SHIFT = np.array([[1.0, 0, 0, 7.0], [0, 1, 0, -5.0], [0, 0, 1, 3.0], [0, 0, 0, 1]])
TURN = np.array([[0.0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])


@pytest.fixture
def volume(scene):
    voxels = np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6)
    return add_volume(scene, Image(voxels, OBLIQUE), "CT")


def marked_ras(volume, ijk):
    """World position of a voxel as MRML itself computes it."""
    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    local = matrix.MultiplyPoint((*ijk, 1.0))[:3]
    world = vtk.vtkGeneralTransform()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(volume.GetParentTransformNode(), None, world)
    return np.array(world.TransformPoint(local))


def test_voxels_are_indexed_i_j_k(volume):
    image = image_from_volume(volume)
    assert image.voxels.shape == (4, 5, 6)
    for ijk in ((0, 0, 0), (3, 0, 0), (1, 2, 5)):
        assert image.voxels[ijk] == volume.GetImageData().GetScalarComponentAsDouble(*ijk, 0)


def test_a_voxel_lies_where_mrml_says(volume):
    image = image_from_volume(volume)
    for ijk in ((0, 0, 0), (3, 4, 5)):
        np.testing.assert_allclose(image.to_ras(ijk), marked_ras(volume, ijk), atol=1e-9)


def test_nested_linear_transforms_are_composed_in_the_right_order(scene, volume):
    outer, inner = linear_transform(scene, TURN), linear_transform(scene, SHIFT)
    volume.SetAndObserveTransformNodeID(inner.GetID())
    inner.SetAndObserveTransformNodeID(outer.GetID())
    image = image_from_volume(volume)
    np.testing.assert_allclose(image.to_ras((1, 2, 3)), marked_ras(volume, (1, 2, 3)), atol=1e-9)
    np.testing.assert_allclose(image.ijk_to_ras, TURN @ SHIFT @ OBLIQUE, atol=1e-9)


def test_the_node_is_not_changed(scene, volume):
    volume.SetAndObserveTransformNodeID(linear_transform(scene, SHIFT).GetID())
    before = (volume.GetMTime(), volume.GetImageData().GetMTime(), volume.GetParentTransformNode())
    image = image_from_volume(volume)
    with pytest.raises(ValueError, match="read-only"):
        image.voxels[0, 0, 0] = 1
    assert (volume.GetMTime(), volume.GetImageData().GetMTime(), volume.GetParentTransformNode()) == before


def test_a_warp_is_refused_in_words(scene, volume):
    warp = scene.AddNewNodeByClass("vtkMRMLGridTransformNode", "spine warp")
    grid = slicer.vtkOrientedGridTransform()
    field = vtk.vtkImageData()
    field.SetDimensions(2, 2, 2)
    field.AllocateScalars(vtk.VTK_DOUBLE, 3)
    grid.SetDisplacementGridData(field)
    warp.SetAndObserveTransformToParent(grid)
    volume.SetAndObserveTransformNodeID(warp.GetID())
    with pytest.raises(InputError, match="non-linear transform “spine warp”"):
        image_from_volume(volume)


def test_a_transform_that_flattens_space_is_refused(scene, volume):
    flat = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "flat")
    matrix = vtk.vtkMatrix4x4()
    matrix.SetElement(2, 2, 0.0)
    flat.SetMatrixTransformToParent(matrix)
    volume.SetAndObserveTransformNodeID(flat.GetID())
    with pytest.raises(InputError, match="flattens space"):
        image_from_volume(volume)


def test_a_volume_without_voxels_is_refused(scene):
    with pytest.raises(InputError, match="holds no voxels"):
        image_from_volume(scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty"))


def test_a_colour_volume_is_refused(scene):
    data = vtk.vtkImageData()
    data.SetDimensions(5, 5, 5)
    data.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 3)
    colour = scene.AddNewNodeByClass("vtkMRMLVectorVolumeNode", "photo")
    colour.SetAndObserveImageData(data)
    with pytest.raises(InputError, match="3 values per voxel"):
        image_from_volume(colour)


def test_state_changes_with_voxels_geometry_and_transform_and_with_nothing_else(scene, volume):
    states = [input_state(volume)]
    volume.SetName("renamed")
    assert input_state(volume) == states[0]
    volume.GetImageData().Modified()
    states.append(input_state(volume))
    volume.SetOrigin(1, 2, 3)
    states.append(input_state(volume))
    transform = linear_transform(scene, SHIFT)
    volume.SetAndObserveTransformNodeID(transform.GetID())
    states.append(input_state(volume))
    matrix = vtk.vtkMatrix4x4()
    transform.SetMatrixTransformToParent(matrix)
    states.append(input_state(volume))
    assert len(set(states)) == 5


def test_matrices_survive_the_way_to_vtk_and_back():
    from VertebralAugmentationPlannerLib.scene.volumes import vtk_matrix

    np.testing.assert_array_equal(matrix_array(vtk_matrix(OBLIQUE)), OBLIQUE)
