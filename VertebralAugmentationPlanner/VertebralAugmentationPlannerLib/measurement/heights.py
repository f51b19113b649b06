"""Heights of a body: six-point morphometry in the mid-sagittal plane, and left and right of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..anatomy.endplates import robust_fit
from ..model import EndPlate, Vertebra
from ..model.geometry import FloatArray
from ..model.plan import Point, to_point
from .normal import Heights

HEIGHT_NAMES = ("anterior", "middle", "posterior")

SECTION_SHARE = 0.25
"""The left and right sagittal sections lie this share of the width from the midline: half-way to the side [D]."""

SECTION_HALF_WIDTH_MM = 3.0
"""Half-width of the strip of surface that stands for a section."""

RIM_TRIM_MM = 2.0
"""Surface nearer than this to the edge of a plate is rounded by voxels; the rim is extrapolated across it."""

RIM_REACH_MM = 11.0
"""How far from the rim the surface takes part in the extrapolation (about a third of the depth)."""

FITTED_COLUMNS = 3
"""A parabola goes through so many columns at least; a plate that is seen in fewer is not read there."""

MAX_SLOPE = 1.5
"""Steepest surface of an end plate that is followed, mm per mm; anything steeper is a jump to another surface."""

MAX_CORRECTION_MM = 2.5
"""Largest difference between a reading and the known rim that is carried to the side sections."""

DOUBT_MM = 3.0
"""A rim is continued from walls and plate; this far off the plate's visible edge one of the two was misread [D]."""

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
        name: (to_point(frame.to_ras(up)), to_point(frame.to_ras(low)))
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
    top, bottom = section_points(upper, x, +1), section_points(lower, x, -1)
    if top is None or bottom is None:
        return (None, None, None)
    return tuple(float(np.linalg.norm(up - low)) for up, low in zip(top, bottom, strict=True))


def section_points(plate: EndPlate, x: float, outward: int) -> tuple[FloatArray, FloatArray, FloatArray] | None:
    """Anterior rim, centre and posterior rim (3,) of a plate in the sagittal section at ``x``, local mm.

    The rims of the mid-sagittal plane are known (they rest on the walls too); what a simple reading of the surface
    misses there, in depth and in height, is added here as well.

    Args:
        outward: +1 for the superior plate, −1 for the inferior.

    Returns:
        None where the section holds less than :data:`MIN_SECTION_DEPTH_MM` of plate.
    """
    own, middle = _read_section(plate, x, outward), _read_section(plate, 0.0, outward)
    if own is None or middle is None:
        return None
    known = (plate.anterior_rim, plate.centre, plate.posterior_rim)
    points = []
    for (y, z), (mid_y, mid_z), truth in zip(own, middle, known, strict=True):
        shift = np.clip([truth[1] - mid_y, truth[2] - mid_z], -MAX_CORRECTION_MM, MAX_CORRECTION_MM)
        points.append(np.array([x, y + shift[0], z + shift[1]]))
    return points[0], points[1], points[2]


def doubtful_rims(vertebra: Vertebra) -> tuple[str, ...]:
    """Rims that lie more than :data:`DOUBT_MM` off the surface seen next to them, in words."""
    doubtful = []
    for name, plate, outward in zip(("superior", "inferior"), plates(vertebra), (+1, -1), strict=True):
        seen = _read_section(plate, 0.0, outward)
        if seen is None:
            doubtful.append(f"the {name} end plate")
            continue
        for side, rim, (_, height) in zip(
            ("anterior", "posterior"), (plate.anterior_rim, plate.posterior_rim), seen[::2], strict=True
        ):
            if abs(rim[2] - height) > DOUBT_MM:
                doubtful.append(f"the {side} rim of the {name} end plate")
    return tuple(doubtful)


def foreign_rims(vertebra: Vertebra) -> tuple[str, ...]:
    """Rims that lie under a piece of the neighbour which the label holds, in words."""
    return tuple(
        f"the {side} rim of the {name} end plate"
        for name, plate in zip(("superior", "inferior"), plates(vertebra), strict=True)
        for side in plate.foreign
    )


def with_visible_rims(vertebra: Vertebra) -> Vertebra:
    """The vertebra with rims moved out to the visible plate where they lie more than :data:`DOUBT_MM` inside the bone.

    Bone beyond a rim proves the rim wrong. A rim *outside* the visible plate stays: it may be a spur. Both are told
    (:func:`doubtful_rims` of the vertebra as it came).
    """
    upper, lower = (_visible(plate, outward) for plate, outward in zip(plates(vertebra), (+1, -1), strict=True))
    return replace(vertebra, superior=upper, inferior=lower)


def _visible(plate: EndPlate, outward: int) -> EndPlate:
    seen = _read_section(plate, 0.0, outward)
    if seen is None:
        return plate
    rims = [
        np.array([0.0, rim[1], height]) if outward * (height - rim[2]) > DOUBT_MM else rim
        for rim, (_, height) in zip((plate.anterior_rim, plate.posterior_rim), seen[::2], strict=True)
    ]
    return replace(plate, anterior_rim=rims[0], posterior_rim=rims[1])


def _read_section(plate: EndPlate, x: float, outward: int) -> list[tuple[float, float]] | None:
    """(y, z) of the anterior edge, the centre and the posterior edge, read off the surface alone."""
    y, z = _profile(plate, x)
    if len(y) < 3 or np.ptp(y) < MIN_SECTION_DEPTH_MM:
        return None
    back, front = float(y[0]), float(y[-1])
    centre = (back + front) / 2
    near = np.abs(y - centre) < 0.2 * (front - back)
    if min(near.sum(), _behind_edge(y, front).sum(), _behind_edge(y, back).sum()) < FITTED_COLUMNS:
        return None
    middle = float(robust_fit(np.vander(y[near] - centre, 3), z[near])[0][-1])
    return [(front, _edge_height(y, z, front, outward)), (centre, middle), (back, _edge_height(y, z, back, outward))]


def _profile(plate: EndPlate, x: float) -> tuple[FloatArray, FloatArray]:
    """(N,) depth and height of the plate along a section, as far as it goes on without a jump from the middle.

    Where a rim overhangs the waist, columns meet the body twice and one plate reads the other's underside: a jump.
    """
    heights = plate.height_mm[np.abs(plate.x_mm - x) <= SECTION_HALF_WIDTH_MM]
    seen = np.isfinite(heights).mean(axis=0) >= 0.5
    columns = np.flatnonzero(seen)
    if not len(columns):
        return np.empty(0), np.empty(0)
    y, z = plate.y_mm[columns], np.nanmedian(heights[:, columns], axis=0)
    jump = np.abs(np.diff(z)) > MAX_SLOPE * np.diff(y)
    run = np.concatenate([[0], np.cumsum(jump)])
    middle = (plate.anterior_rim[1] + plate.posterior_rim[1]) / 2
    kept = run == run[int(np.argmin(np.abs(y - middle)))]
    return y[kept], z[kept]


def _edge_height(y: FloatArray, z: FloatArray, edge: float, outward: int) -> float:
    """Height at an edge: a parabola through the surface behind it, but not beyond what is seen next to it."""
    away, used = np.abs(y - edge), _behind_edge(y, edge)
    value = float(robust_fit(np.vander(y[used] - edge, 3), z[used])[0][-1])
    highest = float(np.max(outward * z[away <= RIM_TRIM_MM + 2.0]))
    lowest = float(np.min(outward * z[away <= RIM_REACH_MM]))
    return outward * float(np.clip(outward * value, lowest, highest))


def _behind_edge(y: FloatArray, edge: float) -> NDArray[np.bool_]:
    """Which columns lie where a plate is read for its height at an edge."""
    away = np.abs(y - edge)
    return np.asarray((away >= RIM_TRIM_MM) & (away <= RIM_REACH_MM))
