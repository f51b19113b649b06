"""Whether the slices of a DICOM series form one evenly spaced stack, and how that stack lies in the patient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..model import InputError, PlanWarning
from .convert import LPS_TO_RAS
from .dicom_headers import Slice

POSITION_TOLERANCE_MM = 0.1
"""Positions are often written with one decimal; a slice may miss its even place by that. [D]"""

POSITION_TOLERANCE_SHARE = 0.05
"""… or by this share of the slice distance. [D]"""

ORIENTATION_TOLERANCE = 1e-3
"""Direction cosines of one series differ by rounding only: 0.001 is 0.06°. [D]"""

SAME_PLACE_SHARE = 0.1
"""Slices closer than this share of the usual distance lie at one place: two reconstructions or phases. [D]"""


@dataclass(frozen=True, eq=False)
class Stack:
    """Slices in order along their normal, and the matrix from (column, row, slice) to RAS mm, sheared where the
    gantry was tilted."""

    slices: list[Slice]
    ijk_to_ras: NDArray
    warnings: tuple[PlanWarning, ...]

    @property
    def frame_order(self) -> list[int]:
        """For a multi-frame file: its frame numbers in the stack's order."""
        return [item.frame for item in self.slices]


def stack(slices: list[Slice], title: str) -> Stack:
    """Order the slices of one series.

    Raises:
        InputError: differing size or spacing, two orientations, two slices at one place, missing slices, uneven
            spacing; the message says which.
    """
    slices, warnings = _without_copies(slices, title)
    first = slices[0]
    if any(item.size != first.size or item.pixel_spacing != first.pixel_spacing for item in slices):
        raise InputError(
            f"The DICOM series {title} mixes images of different size or pixel spacing; export one series."
        )
    directions = np.array([item.orientation for item in slices])
    if np.abs(directions - directions[0]).max() > ORIENTATION_TOLERANCE:
        raise InputError(f"The DICOM series {title} holds slices of two orientations; export them as separate series.")
    row, column = _row_and_column(directions[0], title)
    positions = np.array([item.position for item in slices])
    depth = positions @ np.cross(row, column)
    order = np.argsort(depth, kind="stable")
    _check_even(depth[order], positions[order], [slices[n] for n in order], title)
    step = (positions[order[-1]] - positions[order[0]]) / (len(slices) - 1)
    between_rows, between_columns = first.pixel_spacing  # type: ignore[misc]
    lps = np.eye(4)
    lps[:3, 0], lps[:3, 1], lps[:3, 2] = row * between_columns, column * between_rows, step
    lps[:3, 3] = positions[order[0]]
    return Stack([slices[n] for n in order], LPS_TO_RAS @ lps, tuple(warnings))


def _without_copies(slices: list[Slice], title: str) -> tuple[list[Slice], list[PlanWarning]]:
    unique = {item.uid: item for item in reversed(slices)}
    copies = len(slices) - len(unique)
    kept = [item for item in slices if unique.get(item.uid) is item]
    if not copies:
        return kept, []
    message = f"The DICOM series {title} holds {copies} files twice; the copies were left aside."
    return kept, [PlanWarning("dicom_copies", "info", message, "DICOM SOPInstanceUID")]


def _row_and_column(orientation: NDArray, title: str) -> tuple[NDArray, NDArray]:
    row, column = orientation[:3], orientation[3:]
    lengths = np.linalg.norm(row), np.linalg.norm(column)
    if abs(lengths[0] - 1) > 0.01 or abs(lengths[1] - 1) > 0.01 or abs(np.dot(row, column)) > 0.01:
        raise InputError(f"The DICOM series {title} has a damaged image orientation; export it again.")
    row = row / lengths[0]
    column = column - np.dot(row, column) * row
    return row, column / np.linalg.norm(column)


def _check_even(depth: NDArray, positions: NDArray, slices: list[Slice], title: str) -> None:
    gaps = np.diff(depth)
    apart = gaps[gaps > SAME_PLACE_SHARE * gaps.max()]
    usual = float(np.median(apart)) if len(apart) else 0.0
    count = int(np.count_nonzero(gaps <= SAME_PLACE_SHARE * usual))
    if count:
        raise InputError(
            f"The DICOM series {title} has two images at one place ({count} times): several reconstructions or phases "
            "in one series; export one of them."
        )
    tolerance = max(POSITION_TOLERANCE_MM, POSITION_TOLERANCE_SHARE * usual)
    multiples = np.rint(gaps / usual)
    if multiples.max() > 1 and np.abs(gaps - multiples * usual).max() <= tolerance:
        missing = int((multiples - 1).sum())
        first = int(np.argmax(multiples > 1))
        raise InputError(
            f"The DICOM series {title} lacks {missing} slice{'s' if missing > 1 else ''} (the first gap lies between "
            f"{_named(slices[first])} and {_named(slices[first + 1])}, {gaps[first]:.2f} mm apart where the slice distance "
            f"is {usual:.2f} mm); copy the whole series."
        )
    even = np.linspace(positions[0], positions[-1], len(positions))
    if np.abs(positions - even).max() > tolerance:
        raise InputError(
            f"The DICOM series {title} is unevenly spaced (slice distances {gaps.min():.2f} to {gaps.max():.2f} mm); "
            "reconstruct it with one slice distance."
        )


def _named(item: Slice) -> str:
    multiframe = "/" in item.uid  # UIDs hold digits and dots; a frame of a file carries its number behind a stroke
    return f"frame {item.frame + 1}" if multiframe else item.path.name
