"""What a level measures, as tables name it: in words, with its unit, and to as many decimals as make sense."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ..model.fields import field_at


class Quantity(NamedTuple):
    """One number, or word, of a level.

    Args:
        name: in words.
        unit: "mm", "°", "ml", "%", "HU" or "" for words and counts.
        read: takes a level and returns the value, None where it has none.
        decimals: what differs by less than half of the last one is the same.
    """

    name: str
    unit: str
    read: Callable[[Any], Any]
    decimals: int


QUANTITIES = tuple(
    Quantity(name, unit, field_at(path), decimals)
    for name, unit, path, decimals in (
        ("anterior height", "mm", "measurements.anterior_height_mm", 1),
        ("middle height", "mm", "measurements.middle_height_mm", 1),
        ("posterior height", "mm", "measurements.posterior_height_mm", 1),
        ("anterior loss", "%", "measurements.height_loss_percent.anterior", 1),
        ("middle loss", "%", "measurements.height_loss_percent.middle", 1),
        ("posterior loss", "%", "measurements.height_loss_percent.posterior", 1),
        ("Genant grade", "", "measurements.genant_grade", 0),
        ("fracture shape", "", "measurements.fracture_shape", 0),
        ("OF class", "", "measurements.of_class", 0),
        ("wedge angle", "°", "measurements.wedge_angle_deg", 1),
        ("segmental kyphosis", "°", "measurements.segmental_kyphosis_deg", 1),
        ("Gardner angle", "°", "measurements.gardner_angle_deg", 1),
        ("depth", "mm", "measurements.depth_mm", 1),
        ("width", "mm", "measurements.width_mm", 1),
        ("body volume", "ml", "measurements.body_volume_ml", 1),
        ("anterior two-thirds", "ml", "measurements.anterior_two_thirds_volume_ml", 1),
        ("body density", "HU", "measurements.body_density_hu", 0),
        ("reference density", "HU", "measurements.reference_density_hu", 0),
        ("cleft", "ml", "measurements.cleft_volume_ml", 2),
        ("retropulsion", "mm", "measurements.posterior_wall_retropulsion_mm", 1),
        ("left isthmus width", "mm", "pedicles.left.isthmus_width_mm", 1),
        ("left isthmus height", "mm", "pedicles.left.isthmus_height_mm", 1),
        ("right isthmus width", "mm", "pedicles.right.isthmus_width_mm", 1),
        ("right isthmus height", "mm", "pedicles.right.isthmus_height_mm", 1),
    )
)
"""From the front to the back of a level's measurements."""

READ_IN_THE_CT = frozenset({"body density", "reference density", "cleft"})
"""Names of those that the labels alone don't tell."""


def change(a: Any, b: Any) -> float | None:
    """From one value to another; None where one is missing or they are words."""
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return float(b) - float(a)
    return None


def alike(a: Any, b: Any, difference: float | None, decimals: int) -> bool:
    """Whether two values differ by nothing that these decimals show; words and missing ones by nothing at all."""
    return bool(a == b) if difference is None else round(difference, decimals) == 0
