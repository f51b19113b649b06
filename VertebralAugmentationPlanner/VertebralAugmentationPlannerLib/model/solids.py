"""Tubes and spheroids as VTK surfaces: the same shape in pictures, exported files and the scene. RAS, mm."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from vtkmodules.vtkCommonDataModel import vtkPolyData
from vtkmodules.vtkCommonExecutionModel import vtkAlgorithmOutput
from vtkmodules.vtkCommonTransforms import vtkTransform
from vtkmodules.vtkFiltersCore import vtkPolyDataNormals, vtkTriangleFilter, vtkTubeFilter
from vtkmodules.vtkFiltersGeneral import vtkTransformPolyDataFilter
from vtkmodules.vtkFiltersSources import vtkLineSource, vtkSphereSource

from .geometry import FloatArray, unit
from .plan import BalloonPlan

TUBE_SIDES = 64
"""A 64-sided tube is at most 0.005 mm thinner than a round cannula of 8G."""
SPHERE_SEGMENTS, SPHERE_RINGS = 64, 33


def perpendicular_pair(axis: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Two unit vectors that complete an axis to a right-handed frame."""
    axis = unit(axis)
    helper = np.eye(3)[int(np.argmin(np.abs(axis)))]
    first = unit(np.cross(axis, helper))
    return first, np.cross(axis, first)


def tube_surface(start_ras: ArrayLike, end_ras: ArrayLike, diameter_mm: float) -> vtkPolyData:
    """Capped tube between two points, triangles."""
    line = vtkLineSource()
    line.SetPoint1(*(float(value) for value in np.asarray(start_ras)))
    line.SetPoint2(*(float(value) for value in np.asarray(end_ras)))
    tube = vtkTubeFilter()
    tube.SetInputConnection(line.GetOutputPort())
    tube.SetRadius(diameter_mm / 2)
    tube.SetNumberOfSides(TUBE_SIDES)
    tube.CappingOn()
    triangles = vtkTriangleFilter()  # strips cannot be cut by slice views
    triangles.SetInputConnection(tube.GetOutputPort())
    triangles.Update()
    return triangles.GetOutput()


def spheroid_surface(centre_ras: ArrayLike, axis_ras: ArrayLike, length_mm: float, diameter_mm: float) -> vtkPolyData:
    """Ellipsoid of revolution: its length along the axis, its diameter across; closed, triangles with normals."""
    axis = unit(axis_ras)
    first, second = perpendicular_pair(axis)
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([first * diameter_mm, second * diameter_mm, axis * length_mm], axis=1)
    matrix[:3, 3] = np.asarray(centre_ras, float)
    sphere = vtkSphereSource()
    sphere.SetRadius(0.5)
    sphere.SetThetaResolution(SPHERE_SEGMENTS)
    sphere.SetPhiResolution(SPHERE_RINGS)
    return placed_surface(sphere.GetOutputPort(), matrix)


def placed_surface(port: vtkAlgorithmOutput, matrix: FloatArray) -> vtkPolyData:
    """A filter's surface moved by a matrix (4, 4) into RAS mm, with one normal a point."""
    transform = vtkTransform()
    transform.SetMatrix(matrix.ravel().tolist())
    placed = vtkTransformPolyDataFilter()
    placed.SetInputConnection(port)
    placed.SetTransform(transform)
    normals = vtkPolyDataNormals()
    normals.SetInputConnection(placed.GetOutputPort())
    normals.SplittingOff()
    normals.Update()
    return normals.GetOutput()


def balloon_surface(balloon: BalloonPlan) -> vtkPolyData:
    """The inflated balloon: a spheroid of its planned length along its axis and its planned diameter across."""
    axis = np.subtract(balloon.distal_ras, balloon.proximal_ras)
    length = balloon.planned_length_mm or balloon.length_mm
    return spheroid_surface(balloon.centre_ras, axis, length, balloon.planned_diameter_mm)
