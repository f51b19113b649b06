"""Images as nodes, the way the application makes them."""

from __future__ import annotations

import numpy as np
import slicer
from VertebralAugmentationPlannerLib.model import Image
from VertebralAugmentationPlannerLib.scene.anatomy_node import oriented_image
from VertebralAugmentationPlannerLib.scene.volumes import vtk_matrix


def add_volume(scene, image, name, class_name="vtkMRMLScalarVolumeNode"):
    node = scene.AddNewNodeByClass(class_name, name)
    node.SetIJKToRASMatrix(vtk_matrix(image.ijk_to_ras))
    slicer.util.updateVolumeFromArray(node, np.ascontiguousarray(image.voxels.transpose(2, 1, 0)))
    return node


def add_segmentation(scene, labels, names, with_geometry=True):
    """One segment per value of a label image, each in its own tight box."""
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "vertebrae")
    node.CreateDefaultDisplayNodes()
    for value, name in names.items():
        add_segment(node, labels, value, name)
    if with_geometry:
        volume = add_volume(scene, Image(np.zeros(labels.voxels.shape, np.uint8), labels.ijk_to_ras), "geometry")
        node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
        scene.RemoveNode(volume)
    return node


def add_segment(node, labels, value, name):
    inside = labels.voxels == value
    index = np.argwhere(inside)
    first, last = index.min(axis=0), index.max(axis=0)
    box = inside[tuple(slice(a, b + 1) for a, b in zip(first, last, strict=True))]
    matrix = labels.ijk_to_ras.copy()
    matrix[:3, 3] = labels.to_ras(first)
    segment = slicer.vtkSegment()
    segment.SetName(name)
    segment.AddRepresentation("Binary labelmap", oriented_image(Image(box.astype(np.uint8), matrix)))
    node.GetSegmentation().AddSegment(segment, f"segment {value}")
    return segment


def linear_transform(scene, matrix):
    node = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "registration")
    node.SetMatrixTransformToParent(vtk_matrix(matrix))
    return node


def node_ids(scene):
    return sorted(scene.GetNthNode(n).GetID() for n in range(scene.GetNumberOfNodes()))
