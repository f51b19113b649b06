"""From a label map to a smooth bone surface: signed distances on a grid in the vertebral frame.

Binary labels are staircases. Interpolating a *distance* instead of the labels themselves (shape-based
interpolation; Raya & Udupa, IEEE Trans Med Imaging 1990;9:32, doi 10.1109/42.52980) puts the surface between the
voxels, works across thick slices, and does not care how the voxels are ordered or turned.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import vtk
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

from ..model import Frame, Image, LocalGrid
from ..model.geometry import FloatArray

CROP_MARGIN_MM = 6.0
"""Room kept around a label so that its outside distance is known where it matters."""

FAR_MM = 50.0
"""Stands for “nothing near”; larger than any distance that matters to a needle."""

SMOOTHING_VOXELS = 0.7
"""Gaussian width, in voxels of the label map, that takes the staircase out of the distance: it moves a surface of
radius R by about σ²/2R, 0.06 mm for a slim pedicle at 1 mm voxels."""


@dataclass(frozen=True, eq=False)
class Shape:
    """One label as a signed distance on its own voxels (cropped), positive inside, mm."""

    distance: Image
    mask: NDArray[np.bool_]

    def points_ras(self) -> FloatArray:
        """(N, 3) RAS centres of the label's voxels."""
        return self.distance.to_ras(np.argwhere(self.mask))

    def step_along(self, direction: FloatArray) -> float:
        """Distance between the label's voxel layers most nearly square to a RAS unit vector, mm."""
        return float(np.abs(direction @ self.distance.ijk_to_ras[:3, :3]).max())


def label_shape(labels: Image, value: int, box: tuple[slice, ...]) -> Shape:
    """Signed distance of one label, cropped to its bounding box and a margin.

    Args:
        labels: the label map.
        value: label value.
        box: bounding box of the label, slices along i, j, k.
    """
    spacing = labels.spacing_mm
    margin = np.ceil(CROP_MARGIN_MM / spacing).astype(int)
    low = [max(0, part.start - pad) for part, pad in zip(box, margin, strict=True)]
    high = [min(n, part.stop + pad) for part, pad, n in zip(box, margin, labels.voxels.shape, strict=True)]
    mask = labels.voxels[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] == value
    # Outside the volume there is nothing: a margin of background lets the surface close at the border.
    before = [max(0, pad - part.start) for part, pad in zip(box, margin, strict=True)]
    after = [max(0, part.stop + pad - n) for part, pad, n in zip(box, margin, labels.voxels.shape, strict=True)]
    mask = np.pad(mask, list(zip(before, after, strict=True)))
    first = np.array(low) - np.array(before)
    matrix = labels.ijk_to_ras.copy()
    matrix[:3, 3] = labels.to_ras(first)
    return Shape(Image(_signed_distance(mask, spacing), matrix), mask)


def _signed_distance(mask: NDArray[np.bool_], spacing: FloatArray) -> FloatArray:
    inside = ndimage.distance_transform_edt(mask, sampling=spacing)
    outside = ndimage.distance_transform_edt(~mask, sampling=spacing)
    # Voxel centres either side of the border are one step apart; halving the step puts zero between them.
    distance = inside - outside
    half = np.minimum(np.abs(distance), spacing.min()) * 0.5
    distance = (distance - np.sign(distance) * half).astype(np.float32)
    return ndimage.gaussian_filter(distance, SMOOTHING_VOXELS * spacing.min() / spacing)


def grid_around(
    points_local: FloatArray, spacing_mm: float, low_mm: FloatArray, high_mm: FloatArray, pad_mm: float
) -> LocalGrid:
    """A grid that holds local points (N, 3), clipped to a box, with a margin. Its voxels lie on multiples of the
    spacing from the frame's origin, so that the crop does not move the samples."""
    low = np.maximum(points_local.min(axis=0) - pad_mm, low_mm)
    high = np.minimum(points_local.max(axis=0) + pad_mm, high_mm)
    first = np.floor(low / spacing_mm)
    count = (np.ceil(high / spacing_mm) - first + 1).astype(int)
    return LocalGrid(first * spacing_mm, spacing_mm, (int(count[0]), int(count[1]), int(count[2])))


def resample(image: Image, frame: Frame, grid: LocalGrid, outside: float) -> FloatArray:
    """An image's values on a local grid, linear, as float32; ``outside`` off the image."""
    to_ijk = image.ras_to_ijk[:3, :3]
    # index → local → RAS → ijk is affine; scipy's affine_transform runs it in one pass.
    matrix = to_ijk @ frame.rows.T * grid.spacing_mm
    offset = image.to_ijk(frame.to_ras(grid.first_mm))
    return ndimage.affine_transform(
        np.asarray(image.voxels, np.float32),
        matrix,
        offset,
        output_shape=grid.shape,
        order=1,
        mode="constant",
        cval=outside,
    )


def surface_points(values: FloatArray, grid: LocalGrid) -> FloatArray:
    """(N, 3) local points of the zero level of an array on a grid, mm; about one per voxel face it crosses."""
    image = vtk.vtkImageData()
    image.SetDimensions(*grid.shape)
    image.SetSpacing(*(grid.spacing_mm,) * 3)
    image.SetOrigin(*grid.first_mm)
    flat = np.ascontiguousarray(values.ravel(order="F"), dtype=np.float32)
    image.GetPointData().SetScalars(numpy_to_vtk(flat, deep=False))
    contour = vtk.vtkFlyingEdges3D()
    contour.SetInputData(image)
    contour.SetValue(0, 0.0)
    contour.ComputeNormalsOff()
    contour.ComputeGradientsOff()
    contour.ComputeScalarsOff()
    contour.Update()
    points = contour.GetOutput().GetPoints()
    if points is None or points.GetNumberOfPoints() == 0:
        return np.empty((0, 3))
    return vtk_to_numpy(points.GetData()).astype(np.float64)


def exact_distance(values: FloatArray, grid: LocalGrid, band_mm: tuple[float, float]) -> FloatArray:
    """Signed distance to the zero level; near it from the surface itself and not from voxels.

    Args:
        values: approximate signed distance on the grid, positive inside.
        band_mm: (outside, inside) limits: exact between −outside and +inside; beyond, outside stops growing and
            inside keeps ``values``, which are good to a few tenths of a millimetre there.

    Returns:
        float32 array, positive inside, mm.
    """
    outside, inside = band_mm
    points = surface_points(values, grid)
    result = np.maximum(values, -outside).astype(np.float32)
    if not len(points):
        return result
    wanted = (values > -outside) & (values < inside)
    distance, _ = cKDTree(points).query(grid.to_local(np.argwhere(wanted)), workers=1)
    result[wanted] = np.where(values[wanted] > 0, 1.0, -1.0) * distance
    return result


def coarse_distance(inside: FloatArray, grid: LocalGrid, coarse: LocalGrid) -> FloatArray:
    """Distance to a region on a fine grid, computed on a coarser one, for regions far from where it is used.

    Args:
        inside: array on ``coarse``, positive inside the region, in about mm near its border.
        grid: fine grid of the result.

    Returns:
        float32 array on ``grid``, positive outside the region, good to about a quarter of the coarse spacing.
    """
    region = inside > 0
    if not region.any():
        return np.full(grid.shape, FAR_MM, np.float32)
    step = coarse.spacing_mm
    away = ndimage.distance_transform_edt(~region) * step
    within = ndimage.distance_transform_edt(region) * step
    signed = np.where(region, -within, away) + np.where(region, 0.5, -0.5) * step
    # Small values say where the border is only next to it: far away a field may come near zero and mean nothing.
    border = ndimage.binary_dilation(region) & ~ndimage.binary_erosion(region)
    near = border & (np.abs(inside) < 0.5 * step)
    signed = np.where(near, -inside, signed).astype(np.float32)
    scale = grid.spacing_mm / step
    offset = (grid.first_mm - coarse.first_mm) / step
    return ndimage.affine_transform(signed, np.full(3, scale), offset, output_shape=grid.shape, order=1, mode="nearest")
