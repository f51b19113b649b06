"""Oblique slices: a plane in the world, the CT (or the bone's outline) on it, and the contours that cross it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkFiltersCore import vtkContourFilter, vtkStripper

from ..model import Image, Vertebra
from ..model.geometry import FloatArray, unit
from ..model.palette import BONE, CANAL, rgb
from . import svg

WINDOW_LEVEL_HU, WINDOW_WIDTH_HU = 300.0, 1500.0
"""Bone window, from −450 to 1050 HU. [D]"""
MM_PER_PX = 0.2
"""A quarter to a third of a CT voxel: the interpolation is smooth, and a 4.2 mm cannula is 21 pixels wide."""
CONTOUR_MM_PER_PX = 0.4
CONTOUR_FAR_MM = 3.0
OFF_CT_GREY = 18
LABELS_BACKGROUND = 24
LABELS_NEIGHBOUR_SHARE = 0.55
"""Brightness of the neighbours against the planned vertebra where there is no CT."""


@dataclass(frozen=True, eq=False)
class SlicePlane:
    """A rectangle in the world that becomes a picture.

    Args:
        centre_ras: (3,) middle of the picture, mm.
        right_ras, up_ras: (3,) orthogonal unit vectors of the picture's right and upward directions.
        width_mm, height_mm: size of the rectangle.
        mm_per_px: edge of a pixel.
    """

    centre_ras: FloatArray
    right_ras: FloatArray
    up_ras: FloatArray
    width_mm: float
    height_mm: float
    mm_per_px: float = MM_PER_PX

    def __post_init__(self) -> None:
        pair = np.vstack([self.right_ras, self.up_ras])
        if not np.allclose(pair @ pair.T, np.eye(2), atol=1e-6):
            raise ValueError("a slice plane needs two orthogonal unit vectors")

    @property
    def width_px(self) -> int:
        return round(self.width_mm / self.mm_per_px)

    @property
    def height_px(self) -> int:
        return round(self.height_mm / self.mm_per_px)

    @property
    def normal_ras(self) -> FloatArray:
        """(3,) unit vector towards the viewer."""
        return np.cross(self.right_ras, self.up_ras)

    def points_ras(self) -> FloatArray:
        """RAS points of the pixel centres, (rows, columns, 3)."""
        x = (np.arange(self.width_px) + 0.5 - self.width_px / 2) * self.mm_per_px
        y = (self.height_px / 2 - 0.5 - np.arange(self.height_px)) * self.mm_per_px
        return self.centre_ras + x[None, :, None] * self.right_ras + y[:, None, None] * self.up_ras

    def pixel_ras(self, row: int, column: int) -> FloatArray:
        """RAS point (3,) of the centre of one pixel."""
        x = (column + 0.5 - self.width_px / 2) * self.mm_per_px
        y = (self.height_px / 2 - 0.5 - row) * self.mm_per_px
        return self.centre_ras + x * self.right_ras + y * self.up_ras

    def corners_ras(self) -> FloatArray:
        """RAS points of the rectangle's corners, (4, 3)."""
        aside, along = self.width_mm / 2 * self.right_ras, self.height_mm / 2 * self.up_ras
        return self.centre_ras + np.array([aside + along, aside - along, -aside + along, -aside - along])

    def to_px(self, points_ras: ArrayLike) -> FloatArray:
        """SVG coordinates (…, 2) of RAS points (…, 3), dropped onto the plane along its normal."""
        offset = np.asarray(points_ras, float) - self.centre_ras
        return np.stack(
            [
                self.width_px / 2 + offset @ self.right_ras / self.mm_per_px,
                self.height_px / 2 - offset @ self.up_ras / self.mm_per_px,
            ],
            axis=-1,
        )


def plane_through(
    centre_ras: ArrayLike, normal_ras: ArrayLike, up_hint_ras: ArrayLike, width_mm: float, height_mm: float
) -> SlicePlane:
    """The plane with a normal towards the viewer and an upward direction as close as possible to a hint.

    Raises:
        ValueError: the hint lies along the normal.
    """
    normal = unit(normal_ras)
    hint = np.asarray(up_hint_ras, float)
    up = unit(hint - (hint @ normal) * normal)
    return SlicePlane(np.asarray(centre_ras, float), np.cross(up, normal), up, width_mm, height_mm)


def reslice(image: Image, plane: SlicePlane) -> NDArray[np.uint8]:
    """The CT on a plane as 8-bit grey, (rows, columns); cubic interpolation, so that 1 mm voxels don't show as steps.

    Pixels beyond the CT are nearly black.
    """
    ijk = image.to_ijk(plane.points_ras())
    low = np.maximum(np.floor(ijk.reshape(-1, 3).min(axis=0)).astype(int) - 6, 0)
    high = np.minimum(np.ceil(ijk.reshape(-1, 3).max(axis=0)).astype(int) + 7, image.voxels.shape)
    grey = np.full(ijk.shape[:2], OFF_CT_GREY, np.uint8)
    if np.any(high - low < 2):
        return grey
    part = np.asarray(image.voxels[tuple(slice(a, b) for a, b in zip(low, high, strict=True))], np.float32)
    # Clipped before the cubic fit: metal and padding would ring into the bone.
    part = np.clip(part, WINDOW_LEVEL_HU - WINDOW_WIDTH_HU, WINDOW_LEVEL_HU + WINDOW_WIDTH_HU)
    hu = ndimage.map_coordinates(part, np.moveaxis(ijk - low, -1, 0), order=3, mode="nearest", output=np.float32)
    inside = np.all((ijk >= -0.5) & (ijk <= np.array(image.voxels.shape) - 0.5), axis=-1)
    shown = np.clip((hu - WINDOW_LEVEL_HU) / WINDOW_WIDTH_HU + 0.5, 0, 1) * 255
    grey[inside] = shown[inside].astype(np.uint8)
    return grey


def bone_raster(plane: SlicePlane, vertebrae: Iterable[Vertebra], planned: str) -> NDArray[np.uint8]:
    """Bone on a plane drawn from the label distances, RGB; for cases without a CT.

    The planned vertebra is bright, its neighbours dimmer; a brighter rim of 1 mm stands for the cortex.
    """
    picture = np.full((plane.height_px, plane.width_px, 3), LABELS_BACKGROUND, float)
    ivory = np.array(rgb(BONE)) * 255
    for vertebra in vertebrae:
        found = _part_on_plane(vertebra, vertebra.bone_mm, plane, outside=-10.0)
        if found is None:
            continue
        box, depth = found
        share = 1.0 if vertebra.level == planned else LABELS_NEIGHBOUR_SHARE
        covered = depth > -0.5 * plane.mm_per_px  # a vertebra fills a small part of its grid
        depth = depth[covered][:, None]
        cover = np.clip(depth / plane.mm_per_px + 0.5, 0, 1)
        cortex = np.clip(1.5 - depth, 0, 1)
        part = picture[box]
        part[covered] = part[covered] * (1 - cover) + cover * share * ivory * (0.62 + 0.38 * cortex)
    return picture.astype(np.uint8)


def on_plane(
    vertebra: Vertebra, values: NDArray | None, plane: SlicePlane, outside: float = np.nan
) -> FloatArray | None:
    """An array on the vertebra's grid, linearly interpolated on a plane, (rows, columns); None where there is none, or
    the grid does not reach the plane."""
    found = _part_on_plane(vertebra, values, plane, outside)
    if found is None:
        return None
    whole = np.full((plane.height_px, plane.width_px), outside)
    whole[found[0]] = found[1]
    return whole


def _part_on_plane(
    vertebra: Vertebra, values: NDArray | None, plane: SlicePlane, outside: float
) -> tuple[tuple[slice, slice], FloatArray] | None:
    """:func:`on_plane` for the rows and columns that the grid can reach alone."""
    frame, grid = vertebra.frame, vertebra.grid
    if frame is None or grid is None or values is None:
        return None
    last = np.array(grid.shape) - 1.0
    corners = grid.to_index(frame.to_local(plane.corners_ras()))
    if np.any((corners.max(axis=0) < 0) | (corners.min(axis=0) > last)):
        return None
    ends = np.array(np.meshgrid(*zip(np.zeros(3), last, strict=True))).reshape(3, 8).T
    reach = plane.to_px(frame.to_ras(grid.to_local(ends)))
    size = np.array([plane.width_px, plane.height_px])
    low = np.clip(np.floor(reach.min(axis=0)).astype(int), 0, size)
    high = np.clip(np.ceil(reach.max(axis=0)).astype(int) + 1, 0, size)
    if np.any(high <= low):
        return None
    # Indices go along a row and along a column in even steps: two sums for each axis instead of turning every point.
    start = grid.to_index(frame.to_local(plane.pixel_ras(low[1], low[0])))
    step = plane.mm_per_px / grid.spacing_mm
    across, down = step * frame.direction_to_local(plane.right_ras), -step * frame.direction_to_local(plane.up_ras)
    columns, rows = np.arange(high[0] - low[0]), np.arange(high[1] - low[1])
    index = [start[k] + down[k] * rows[:, None] + across[k] * columns for k in range(3)]
    within = np.ones(index[0].shape, bool)
    for k in range(3):
        within &= (index[k] >= 0) & (index[k] <= last[k])
    if not within.any():
        return None
    result = np.full(within.shape, outside)
    result[within] = ndimage.map_coordinates(
        values, [index[k][within] for k in range(3)], order=1, mode="nearest", output=np.float64
    )
    return (slice(low[1], high[1]), slice(low[0], high[0])), result


def contours(values: FloatArray) -> list[FloatArray]:
    """Lines where a (rows, columns) array crosses zero: list of (N, 2) SVG points; NaN counts as below."""
    finite = np.where(np.isfinite(values), values, -1e3)
    rows, columns = finite.shape
    image = vtkImageData()
    image.SetDimensions(columns, rows, 1)
    image.GetPointData().SetScalars(numpy_to_vtk(np.ascontiguousarray(finite, np.float32).ravel(), deep=True))
    contour = vtkContourFilter()
    contour.SetInputData(image)
    contour.SetValue(0, 0.0)
    joined = vtkStripper()
    joined.SetInputConnection(contour.GetOutputPort())
    joined.JoinContiguousSegmentsOn()
    joined.SetMaximumLength(100000)
    joined.Update()
    output = joined.GetOutput()
    if output.GetNumberOfPoints() == 0:
        return []
    points = vtk_to_numpy(output.GetPoints().GetData())[:, :2] + 0.5
    lines = output.GetLines()
    offsets = vtk_to_numpy(lines.GetOffsetsArray())
    members = vtk_to_numpy(lines.GetConnectivityArray())
    return [points[members[a:b]].astype(float) for a, b in pairwise(offsets) if b - a > 2]


def canal_svg(vertebrae: Iterable[Vertebra], plane: SlicePlane) -> str:
    """The canal of all levels, shaded, where it crosses the plane."""
    coarse = _for_contours(plane)
    union: FloatArray | None = None
    for vertebra in vertebrae:
        distance = on_plane(vertebra, vertebra.canal_mm, coarse, outside=CONTOUR_FAR_MM)
        if distance is not None:
            near = np.clip(distance, -CONTOUR_FAR_MM, CONTOUR_FAR_MM)
            union = near if union is None else np.minimum(union, near)
    if union is None:
        return ""
    # Closed at the picture's edge too, so that the shading has no open side.
    framed = np.pad(-union, 1, constant_values=-CONTOUR_FAR_MM)
    scale = coarse.mm_per_px / plane.mm_per_px
    return "".join(
        svg.path((line - 1) * scale, CANAL, 1.6, closed=True, fill=CANAL, fill_opacity=0.27)
        for line in contours(framed)
    )


def bone_outline_svg(vertebra: Vertebra, plane: SlicePlane, width: float = 1.0) -> str:
    """The vertebra's labelled surface where it crosses the plane."""
    coarse = _for_contours(plane)
    depth = on_plane(vertebra, vertebra.bone_mm, coarse, outside=-CONTOUR_FAR_MM)
    if depth is None:
        return ""
    scale = coarse.mm_per_px / plane.mm_per_px
    return "".join(svg.path(line * scale, BONE, width, opacity=0.7) for line in contours(depth))


def _for_contours(plane: SlicePlane) -> SlicePlane:
    """The same rectangle with fewer pixels: distances are smooth, and their contours exact to far below a pixel."""
    factor = max(round(CONTOUR_MM_PER_PX / plane.mm_per_px), 1)
    return SlicePlane(
        plane.centre_ras, plane.right_ras, plane.up_ras, plane.width_mm, plane.height_mm, factor * plane.mm_per_px
    )
