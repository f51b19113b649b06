"""Angles between end plates in the sagittal plane; kyphosis is positive.

A plate's direction is the line from its posterior to its anterior rim in the midline, the line an observer draws for a
Cobb angle. It agrees with the heights by construction (wedge ≈ atan((Hp − Ha) / depth)) and, unlike a plane through
the whole plate, is not tilted by an impression of one half of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..model import EndPlate, Vertebra, above, below
from ..model.geometry import FloatArray, unit
from .heights import plates


@dataclass(frozen=True)
class Angles:
    """Degrees, kyphosis positive; None with a reason in ``missing`` (by field name)."""

    wedge_angle_deg: float
    segmental_kyphosis_deg: float | None
    gardner_angle_deg: float | None
    missing: dict[str, str]


def measure_angles(level: str, complete: Mapping[str, Vertebra]) -> Angles:
    """Wedge, segmental (Cobb) and Gardner angle of a level.

    * wedge: superior against inferior plate of the body;
    * segmental: superior plate of the level above against inferior plate of the level below;
    * Gardner: superior plate of the level above against the body's own inferior plate.

    Args:
        complete: the whole vertebrae by level.
    """
    body = complete[level]
    upper, lower = above(level, tuple(complete)), below(level, tuple(complete))
    missing = {}
    segmental = gardner = None
    if upper is None:
        missing["gardner_angle_deg"] = "the level above is missing or not whole"
    else:
        gardner = angle_between(complete[upper], body)
    if upper is None or lower is None:
        sides = [side for side, name in (("above", upper), ("below", lower)) if name is None]
        which = f"the level {sides[0]} is" if len(sides) == 1 else "the levels above and below are"
        missing["segmental_kyphosis_deg"] = f"{which} missing or not whole"
    else:
        segmental = angle_between(complete[upper], complete[lower])
    return Angles(angle_between(body, body), segmental, gardner, missing)


def angle_between(upper: Vertebra, lower: Vertebra) -> float:
    """Angle from the superior plate of ``upper`` to the inferior plate of ``lower``, degrees, kyphosis positive.

    Measured in the plane perpendicular to the mean right axis of the two vertebrae, so that scoliosis and rotation of
    one against the other do not leak in.
    """
    if upper.frame is None or lower.frame is None:
        raise ValueError("an incomplete vertebra has no frame to measure angles in")
    right = unit(upper.frame.right + lower.frame.right)
    first = upper.frame.direction_to_ras(plate_direction(plates(upper)[0]))
    second = lower.frame.direction_to_ras(plate_direction(plates(lower)[1]))
    return signed_angle_deg(first, second, right)


def plate_direction(plate: EndPlate) -> FloatArray:
    """(3,) unit vector from the posterior to the anterior rim, local."""
    return unit(plate.anterior_rim - plate.posterior_rim)


def signed_angle_deg(first: FloatArray, second: FloatArray, axis: FloatArray) -> float:
    """Angle from one vector to another about an axis, degrees, right-handed, after projection across the axis."""
    a, b = (vector - np.dot(vector, axis) * axis for vector in (first, second))
    return float(np.degrees(np.arctan2(np.dot(np.cross(a, b), axis), np.dot(a, b))))
