"""Vertebrae of plain solids on any grid: where each lies in the patient is known by construction.

World is RAS mm. The head is at +S; the first level named is the highest.
"""

from __future__ import annotations

import numpy as np

STEP_MM = 34.0
"""From one vertebra's middle to the next."""

CENTRE_R, CENTRE_A = 12.0, -20.0
"""Deliberately off the origin and off every axis."""

VERSE = {**{f"T{n}": 7 + n for n in range(1, 13)}, **{f"L{n}": 19 + n for n in range(1, 7)}, "T13": 28}
TOTAL = {**{f"L{n}": 32 - n for n in range(1, 6)}, **{f"T{n}": 44 - n for n in range(1, 13)}}


def vertebra_mask(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Bone at (right, anterior, superior) mm from a vertebra's middle: body, pedicles, lamina, spinous process."""
    body = ((x / 20) ** 2 + (y / 15) ** 2 <= 1) & (np.abs(z) <= 12)
    pedicles = (np.abs(np.abs(x) - 13) <= 4) & (y <= -8) & (y >= -30) & (np.abs(z - 4) <= 6)
    lamina = (np.abs(x) <= 17) & (y <= -30) & (y >= -36) & (np.abs(z) <= 10)
    spinous = (np.abs(x) <= 3) & (y <= -36) & (y >= -58) & (np.abs(z + 3) <= 7)
    return body | pedicles | lamina | spinous


def centre_of(index: int) -> np.ndarray:
    """RAS of the middle of the body of the index-th vertebra from the head."""
    return np.array([CENTRE_R, CENTRE_A, 300.0 - STEP_MM * index])


def canal_mask(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return ((x / 8) ** 2 + ((y + 22) / 6) ** 2) <= 1


def grid_for(
    count: int, spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)
) -> tuple[tuple[int, int, int], np.ndarray]:
    """Shape and RAS matrix of an upright grid with room around ``count`` vertebrae."""
    size = np.array([70.0, 120.0, STEP_MM * count + 20])
    shape = tuple(int(n) for n in np.ceil(size / spacing))
    matrix = np.diag([*spacing, 1.0])
    matrix[:3, 3] = [CENTRE_R - 35, CENTRE_A - 80, centre_of(count - 1)[2] - 26]
    return shape, matrix


def world(shape: tuple[int, int, int], matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    index = np.meshgrid(*[np.arange(n) for n in shape], indexing="ij")
    return tuple(sum(matrix[a, b] * index[b] for b in range(3)) + matrix[a, 3] for a in range(3))


def spine_labels(
    values: list[int], shape: tuple[int, int, int] | None = None, matrix: np.ndarray | None = None, canal: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """A label map with one vertebra per value, from head to foot, and its matrix."""
    if shape is None or matrix is None:
        shape, matrix = grid_for(len(values))
    r, a, s = world(shape, matrix)
    labels = np.zeros(shape, np.uint8)
    if canal:
        labels[canal_mask(r - CENTRE_R, a - CENTRE_A)] = canal
    for index, value in enumerate(values):
        centre = centre_of(index)
        labels[vertebra_mask(r - centre[0], a - centre[1], s - centre[2])] = value
    return labels, matrix


def ct_of(labels: np.ndarray, seed: int = 1) -> np.ndarray:
    """HU: bone 250, around it 40, with noise; 16-bit."""
    rng = np.random.default_rng(seed)
    return (np.where(labels > 0, 250, 40) + rng.normal(0, 10, labels.shape)).astype(np.int16)
