"""From arrays and ITK images to :class:`~..model.Image`. LPS ends here: everything that leaves is RAS, mm."""

from __future__ import annotations

from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from ..model import Image, InputError

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])

RIGHT_ANGLE_TOLERANCE = 1e-3
"""Cosine between voxel axes up to which a grid counts as rectangular. 0.001 (0.06°) displaces a vertebra's far
end by less than 0.05 mm, below any claim; float32 headers alone give 1e-6. [D]"""

MIN_SPACING_MM, MAX_SPACING_MM = 0.05, 20.0
"""Voxels outside these are a header in micrometres or metres: CT of a patient has 0.2–10 mm. [D]"""

MIN_SLICES = 4
"""Fewer voxels along an axis than this hold no vertebra. [D]"""


def image_from_array(array: Any, affine: ArrayLike, what: str) -> Image:
    """A volume from an array indexed [i, j, k] and a 4 × 4 matrix from voxel index to RAS mm.

    Raises:
        InputError: not three-dimensional, no numbers, or a matrix that places no volume.
    """
    voxels = np.asarray(array)
    if voxels.ndim == 4 and voxels.shape[3] == 1:
        voxels = voxels[..., 0]
    if voxels.ndim != 3:
        raise InputError(f"The {what} has {voxels.ndim} dimensions; give one three-dimensional volume.")
    if voxels.dtype == np.bool_:
        voxels = voxels.view(np.uint8)
    if not (np.issubdtype(voxels.dtype, np.integer) or np.issubdtype(voxels.dtype, np.floating)):
        raise InputError(f"The {what} holds {voxels.dtype} values; give one number per voxel.")
    if min(voxels.shape) < MIN_SLICES:
        size = " × ".join(map(str, voxels.shape))
        raise InputError(f"The {what} is only {size} voxels; give a whole volume, not a slice.")
    return Image(voxels, _checked_affine(affine, what))


def image_from_sitk(image: sitk.Image, what: str) -> Image:
    """A volume from a SimpleITK image (LPS) as RAS, sharing nothing with it.

    Raises:
        InputError: colour, complex, 4-D or flat images.
    """
    image = _three_dimensional(image, what)
    if image.GetNumberOfComponentsPerPixel() != 1:
        count = image.GetNumberOfComponentsPerPixel()
        raise InputError(f"The {what} has {count} values per voxel (a colour or vector image); give a plain volume.")
    # SimpleITK hands arrays over as [k, j, i]; the transposed view costs nothing.
    return image_from_array(sitk.GetArrayFromImage(image).transpose(2, 1, 0), affine_of(image), what)


def affine_of(image: sitk.Image | sitk.ImageFileReader) -> NDArray:
    """4 × 4 matrix from voxel index to RAS mm of a three-dimensional SimpleITK image, or of one whose header was read."""
    lps = np.eye(4)
    lps[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * np.asarray(image.GetSpacing())
    lps[:3, 3] = image.GetOrigin()
    return LPS_TO_RAS @ lps


def _three_dimensional(image: sitk.Image, what: str) -> sitk.Image:
    dimension = image.GetDimension()
    if dimension == 4 and image.GetSize()[3] == 1:
        return image[:, :, :, 0]
    if dimension == 4:
        count = image.GetSize()[3]
        raise InputError(f"The {what} is 4-D ({count} volumes); extract the one volume to plan from.")
    if dimension != 3:
        raise InputError(f"The {what} is a {dimension}-D image; give one three-dimensional volume.")
    return image


def _checked_affine(affine: ArrayLike, what: str) -> NDArray:
    try:
        matrix = np.array(affine).astype(float, casting="same_kind")
    except (TypeError, ValueError) as error:
        raise InputError(f"The {what} needs a 4 × 4 matrix of numbers from voxel index to RAS mm.") from error
    if matrix.shape != (4, 4):
        raise InputError(f"The {what} needs a 4 × 4 matrix from voxel index to RAS mm, not shape {matrix.shape}.")
    if not np.isfinite(matrix).all() or not np.allclose(matrix[3], (0, 0, 0, 1)):
        raise InputError(f"The {what} has a matrix that does not place voxels in space (last row must be 0 0 0 1).")
    spacing = np.linalg.norm(matrix[:3, :3], axis=0)
    if spacing.min() < 1e-6 or abs(np.linalg.det(matrix[:3, :3] / spacing)) < 0.1:
        raise InputError(f"The {what} has voxel axes without extent or in one plane; its header is damaged.")
    if spacing.min() < MIN_SPACING_MM or spacing.max() > MAX_SPACING_MM:
        size = " × ".join(f"{value:.4g}" for value in spacing)
        raise InputError(
            f"The {what} has voxels of {size} mm, which no CT of a patient has; its spacing must be in millimetres."
        )
    return matrix


def is_rectangular(image: Image) -> bool:
    """Whether the voxel axes are perpendicular to each other."""
    axes = image.ijk_to_ras[:3, :3] / image.spacing_mm
    return bool(np.abs(axes.T @ axes - np.eye(3)).max() < RIGHT_ANGLE_TOLERANCE)


def rectangular(image: Image, order: int, outside: float) -> Image:
    """A copy of a sheared volume on a rectangular grid that covers it, in the same world.

    The first axis and the plane of the first two keep their direction (for CT: the rows and the slice planes, so a
    tilted gantry costs one shift inside each slice); spacing is that of the slices' distance.

    Args:
        image: volume with any invertible ``ijk_to_ras``.
        order: interpolation, 0 for labels, 1 for CT.
        outside: value where the new grid leaves the old volume.
    """
    axes = image.ijk_to_ras[:3, :3]
    directions, upper = np.linalg.qr(axes)
    signs = np.sign(np.diag(upper))
    directions, upper = directions * signs, upper * signs[:, None]  # axes = directions @ upper, diagonal positive
    spacing = np.diag(upper)
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in image.voxels.shape], indexing="ij")).reshape(3, -1)
    extent = upper @ corners / spacing[:, None]
    first, last = np.floor(extent.min(axis=1) + 1e-6), np.ceil(extent.max(axis=1) - 1e-6)
    shape = tuple(int(n) for n in last - first + 1)
    # old index = upper⁻¹ · (spacing · (new index + first))
    to_old = np.linalg.solve(upper, np.diag(spacing))
    voxels = ndimage.affine_transform(
        image.voxels, to_old, to_old @ first, output_shape=shape, order=order, mode="constant", cval=outside
    )
    matrix = np.eye(4)
    matrix[:3, :3] = directions * spacing
    matrix[:3, 3] = image.ijk_to_ras[:3, 3] + matrix[:3, :3] @ first
    return Image(voxels, matrix)
