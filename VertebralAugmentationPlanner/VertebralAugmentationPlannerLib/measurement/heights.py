"""Heights of a body: six-point morphometry in the mid-sagittal plane, and left and right of it."""

from __future__ import annotations

import numpy as np

from ..anatomy.endplates import robust_fit
from ..model import EndPlate, Vertebra
from ..model.geometry import FloatArray
from ..model.plan import Point
from .normal import Heights

HEIGHT_NAMES = ("anterior", "middle", "posterior")

SECTION_SHARE = 0.25
"""The left and right sagittal sections lie this share of the body's width from the midline: half-way to the side [D]."""

SECTION_HALF_WIDTH_MM = 3.0
"""Half-width of the strip of surface that stands for a section."""

RIM_TRIM_MM = 2.0
"""Surface nearer than this to the edge of a plate is rounded by voxels; the rim is extrapolated across it."""

RIM_REACH_MM = 11.0
"""How far from the rim the surface takes part in the extrapolation (about a third of the depth)."""

MIN_SECTION_DEPTH_MM = 12.0
"""A section with less plate than this has no rims to speak of; T1 bodies are 17 mm deep."""


def height_points(vertebra: Vertebra) -> dict[str, tuple[FloatArray, FloatArray]]:
    """Upper and lower end (3,) of the anterior, middle and posterior height in the mid-sagittal plane, local mm."""
    upper, lower = plates(vertebra)
    return {
        "anterior": (upper.anterior_rim, lower.anterior_rim),
        "middle": (upper.centre, lower.centre),
        "posterior": (upper.posterior_rim, lower.posterior_rim),
    }


def height_points_ras(vertebra: Vertebra) -> dict[str, tuple[Point, Point]]:
    """:func:`height_points` in RAS mm, for drawing and dragging."""
    frame = vertebra.frame
    if frame is None:
        raise ValueError(f"{vertebra.level} has no frame")
    return {
        name: (_point(frame.to_ras(up)), _point(frame.to_ras(low)))
        for name, (up, low) in height_points(vertebra).items()
    }


def heights_of_points(points: dict[str, tuple[Point, Point]]) -> Heights:
    """Length of each height line, mm: the Euclidean distance of its ends, in any one frame."""
    anterior, middle, posterior = (
        float(np.linalg.norm(np.subtract(*points[name]))) if name in points else None for name in HEIGHT_NAMES
    )
    return Heights(anterior, middle, posterior)


def midsagittal_heights(vertebra: Vertebra) -> Heights:
    """Anterior and posterior height between the rims, middle height between the centres of the plates, mm."""
    return heights_of_points(height_points_ras(vertebra))


def heights_3x3(vertebra: Vertebra, mid: Heights) -> tuple[tuple[float | None, ...], ...]:
    """Heights in the left, middle and right sagittal section (rows); anterior, middle, posterior (columns), mm.

    The side sections lie at ± :data:`SECTION_SHARE` of the width. None where a section has too little plate.
    """
    upper, lower = plates(vertebra)
    if vertebra.width_mm is None:
        return ((None,) * 3, tuple(mid), (None,) * 3)
    offset = SECTION_SHARE * vertebra.width_mm
    return (_section_heights(upper, lower, -offset), tuple(mid), _section_heights(upper, lower, offset))


def plates(vertebra: Vertebra) -> tuple[EndPlate, EndPlate]:
    """The superior and the inferior end plate.

    Raises:
        ValueError: the vertebra is incomplete and has none.
    """
    if vertebra.superior is None or vertebra.inferior is None:
        raise ValueError(f"{vertebra.level} has no end plates")
    return vertebra.superior, vertebra.inferior


def _section_heights(upper: EndPlate, lower: EndPlate, x: float) -> tuple[float | None, ...]:
    top, bottom = section_points(upper, x), section_points(lower, x)
    if top is None or bottom is None:
        return (None, None, None)
    return tuple(float(np.linalg.norm(up - low)) for up, low in zip(top, bottom, strict=True))


def section_points(plate: EndPlate, x: float) -> tuple[FloatArray, FloatArray, FloatArray] | None:
    """Anterior rim, centre and posterior rim (3,) of a plate in the sagittal section at ``x``, local mm.

    None where the section holds less than :data:`MIN_SECTION_DEPTH_MM` of plate.
    """
    y, z = _profile(plate, x)
    if not len(y) or np.ptp(y) < MIN_SECTION_DEPTH_MM:
        return None
    back, front = _rim_depths(plate, x)
    centre = (back + front) / 2
    rims = [_extrapolated(y, z, rim) for rim in (front, back)]
    near = np.abs(y - centre) < 0.2 * (front - back)
    middle = robust_fit(np.vander(y[near] - centre, 3), z[near])[0][-1]
    points = [np.array([x, at, height]) for at, height in ((front, rims[0]), (centre, middle), (back, rims[1]))]
    return points[0], points[1], points[2]


def _profile(plate: EndPlate, x: float) -> tuple[FloatArray, FloatArray]:
    """(N,) depth and height of the plate along a section; at each depth the straight line across the strip, at x."""
    strip = np.abs(plate.x_mm - x) <= SECTION_HALF_WIDTH_MM
    heights, across = plate.height_mm[strip], plate.x_mm[strip] - x
    known = np.isfinite(heights)
    # Only depths where the strip is seen on both sides of the section: elsewhere the line would be extrapolated.
    usable = (known & (across <= 0)[:, None]).any(axis=0) & (known & (across >= 0)[:, None]).any(axis=0)
    columns = np.flatnonzero(usable & (known.sum(axis=0) >= 3))
    z = np.array([robust_fit(_line(across[known[:, j]]), heights[known[:, j], j], 4)[0][0] for j in columns])
    return plate.y_mm[columns], z


def _rim_depths(plate: EndPlate, x: float) -> tuple[float, float]:
    """Local anterior coordinate of the posterior and anterior edge of the plate at ``x``: half a step beyond its voxels."""
    column = plate.height_mm[int(np.argmin(np.abs(plate.x_mm - x)))]
    seen = plate.y_mm[np.isfinite(column)]
    half = float(plate.y_mm[1] - plate.y_mm[0]) / 2
    return float(seen[0]) - half, float(seen[-1]) + half


def _line(across: FloatArray) -> FloatArray:
    return np.stack([np.ones_like(across), across], axis=1)


def _extrapolated(y: FloatArray, z: FloatArray, rim: float) -> float:
    """Height at a rim, continued by a parabola from the surface behind it."""
    away = np.abs(y - rim)
    used = (away >= RIM_TRIM_MM) & (away <= RIM_REACH_MM)
    return float(robust_fit(np.vander(y[used] - rim, 3), z[used])[0][-1])


def _point(values: FloatArray) -> Point:
    x, y, z = (float(v) for v in values)
    return x, y, z
