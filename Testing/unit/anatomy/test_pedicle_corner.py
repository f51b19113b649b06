"""The corner of a body between its posterior wall and its side, cut off by an oblique plane, is as small as a pedicle, and is none."""

from __future__ import annotations

import numpy as np
import pytest
from VertebralAugmentationPlannerLib.anatomy import build_spine
from VertebralAugmentationPlannerLib.case import load_case
from VertebralAugmentationPlannerLib.model import PlanOptions

DEPTH, HEIGHT, WIDTH, TALL = 32.0, 27.0, 9.0, 15.0
CANAL = np.array([11.5, 8.5])
FIRST, COUNT = np.array([-44.4, -58.2, -29.3]), (90, 82, 58)
L1 = 20
"""VerSe."""


def lumbar(half_width: float, course_deg: float, pedicle_mm: float) -> np.ndarray:
    """(X, Y, Z) voxels of 1 mm of a vertebra by formulas: a superellipse of a body with a waist, flared elliptical pedicles whose
    narrowest section (``pedicle_mm`` × 15 mm) lies 3 mm behind the body, a ring around the canal, pillars with facets and a
    spinous process."""
    x, y, z = (FIRST[axis] + np.indices(COUNT)[axis] for axis in range(3))
    waist = 1 - 0.08 * (1 - np.clip(2 * z / HEIGHT, -1, 1) ** 2)
    body = (np.abs(x / half_width) ** 3 + np.abs(y / (DEPTH / 2)) ** 3 < waist**3) & (np.abs(z) < HEIGHT / 2)
    back = y + DEPTH / 2 + CANAL[1]
    canal = (x / CANAL[0]) ** 2 + (back / CANAL[1]) ** 2 < 1
    ring = ((x / (CANAL[0] + 7)) ** 2 + (back / (CANAL[1] + 6.5)) ** 2 < 1) & (back < -1.5) & (np.abs(z) < 9.5)
    spinous = (np.abs(x) < 3.5) & (back < -CANAL[1] - 3) & (back > -CANAL[1] - 23) & (z < 0) & (z > -14)
    arch = ring | spinous
    for side in (-1, 1):
        for (a, b, c), (u, v, w) in (
            ((16.5, -6.0, 1.4), (6.5, 6.0, 10.0)),
            ((17.0, -3.5, 12.2), (6.0, 4.0, 9.0)),
            ((13.5, -12.5, -13.5), (5.0, 3.6, 10.0)),
        ):
            arch |= ((x - a * side) / u) ** 2 + ((back - b) / v) ** 2 + ((z - c) / w) ** 2 < 1
        inward = np.radians(course_deg)
        off = np.stack([x - side * (CANAL[0] + pedicle_mm / 2 + 0.3), y + DEPTH / 2 + 3, z - 0.2 * HEIGHT])
        along = -side * np.sin(inward) * off[0] + np.cos(inward) * off[1]
        beside = np.cos(inward) * off[0] + side * np.sin(inward) * off[1]
        flare = 1 + 0.5 * np.clip(along / 9, -1.2, 1.2) ** 2
        oval = (beside / (pedicle_mm / 2 * flare)) ** 2 + (off[2] / (TALL / 2 * np.minimum(flare, 1.25))) ** 2 < 1
        arch |= oval & (along > -11) & (along < 8)
    return body | (arch & ~canal)


@pytest.mark.parametrize(
    ("half_width", "course_deg", "pedicle_mm"),
    [(22.0, 12.0, 9.0), (22.0, 0.0, 9.0), (22.0, 12.0, 14.0), (19.0, 12.0, 9.0), (22.0, 25.0, 9.0)],
)
def test_the_isthmus_lies_behind_the_posterior_wall(half_width, course_deg, pedicle_mm):
    affine = np.eye(4)
    affine[:3, 3] = FIRST
    voxels = np.where(lumbar(half_width, course_deg, pedicle_mm), L1, 0).astype(np.uint8)
    case = load_case(None, (voxels, affine), PlanOptions(labels="verse"))
    vertebra = build_spine(case).vertebrae["L1"]
    assert vertebra.frame is not None
    for side, sign in (("left", -1), ("right", 1)):
        pedicle = vertebra.pedicles[side]
        assert pedicle.isthmus_width_mm == pytest.approx(pedicle_mm, abs=0.4)
        assert pedicle.isthmus_height_mm == pytest.approx(TALL, abs=0.6)
        true = [sign * (CANAL[0] + pedicle_mm / 2 + 0.3), -DEPTH / 2 - 3, 0.2 * HEIGHT]
        assert vertebra.frame.to_ras(pedicle.centre) == pytest.approx(true, abs=1.0)
