"""A folder with one mask a vertebra, vertebrae_L1.nii.gz and so on, as TotalSegmentator writes it unless told otherwise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..model import Image, InputError, PlanWarning
from .names import BodyPart, part_of_name
from .segments import Merging, Segmentation

SUFFIXES = (".nii.gz", ".nii", ".nrrd", ".mha")

SAME_GRID_MM = 1e-2
"""Corners of masks on one grid agree to the rounding of their headers. [D]"""

EXPECTED = "masks named like vertebrae_L1.nii.gz (TotalSegmentator writes such a folder)"


def read_masks(
    folder: Path, read_one: Callable[[Path], Image]
) -> tuple[Image, Segmentation, tuple[PlanWarning, ...], list[Path]]:
    """The merged label map of a folder of masks (value = number of the file, from 1), and its parts.

    Args:
        folder: files named after other organs are left alone.
        read_one: reads one image file.

    Returns:
        the map, what its values mean, notes, and the files that were read. A mask without a voxel names a level that
        is not in the image and is left out.

    Raises:
        InputError: no mask of a vertebra, two of one level, masks on different grids, or one that is no mask.
    """
    files = _named_files(folder)
    merging: Merging | None = None
    matrix: NDArray = np.eye(4)
    for number, (part, path) in enumerate(files.items(), start=1):
        image = read_one(path)
        inside = _inside(image, path)
        if merging is None:
            merging, matrix = Merging(inside.shape, len(files)), image.ijk_to_ras
        elif inside.shape != merging.voxels.shape or not _same_grid(image, matrix):
            raise InputError(
                f"The masks in {folder.name} lie on different grids ({path.name} differs from {_first(files).name}); "
                "segment them in one run."
            )
        if inside.any():
            merging.add(part, inside, number, path.name, "mask")
    if merging is None or not merging.values:
        raise InputError(f"The masks of the vertebrae in {folder.name} are all empty; segment the CT again.")
    parts = Segmentation(merging.values, merging.canal, merging.canal_is_cord)
    return Image(merging.voxels, matrix), parts, tuple(merging.warnings), list(files.values())


def _named_files(folder: Path) -> dict[BodyPart, Path]:
    """The file of each part, in name order."""
    files: dict[BodyPart, Path] = {}
    for path in sorted(folder.iterdir()):
        suffix = next((end for end in SUFFIXES if path.name.lower().endswith(end)), None)
        part = None if suffix is None or path.is_dir() else part_of_name(path.name[: -len(suffix)])
        if part is None:
            continue
        if part in files:
            raise InputError(
                f"The folder {folder.name} holds two masks of {part.name} ({files[part].name} and {path.name}); keep one."
            )
        files[part] = path
    if not any(part.kind == "level" for part in files):
        raise InputError(
            f"The segmentation {folder.name} is a folder without {EXPECTED}; give such a folder or one label map."
        )
    return files


def _inside(image: Image, path: Path) -> NDArray:
    """Where a mask is set.

    Raises:
        InputError: values other than 0 and one more.
    """
    low, high = float(image.voxels.min()), float(image.voxels.max())
    inside = image.voxels == high if high > low else np.zeros(image.voxels.shape, bool)
    if low != 0 or high < 0 or np.count_nonzero(inside) != np.count_nonzero(image.voxels):
        raise InputError(
            f"{path.name} is no mask: it holds values from {low:g} to {high:g} instead of 0 and 1; give a folder of masks "
            "or one label map."
        )
    return inside


def _same_grid(image: Image, matrix: NDArray) -> bool:
    corner = np.array([*(np.array(image.voxels.shape) - 1), 1.0])
    return bool(
        np.allclose(image.ijk_to_ras @ corner, matrix @ corner, atol=SAME_GRID_MM)
        and np.allclose(image.ijk_to_ras, matrix, atol=SAME_GRID_MM)
    )


def _first(files: dict[BodyPart, Path]) -> Path:
    return next(iter(files.values()))
