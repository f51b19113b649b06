"""What is normal, with the place it comes from, for the record page. Shown beside a measurement, never used in one.

Tags: V read in the source, C computed from open data, M from memory.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..measurement.normal import basis_of_heights, normal_heights
from ..measurement.pedicle_norms import ZINDRICK_MM
from ..model import LEVELS


@dataclass(frozen=True)
class Source:
    """Where a normal value comes from and how well it is known: V, C or M."""

    text: str
    tag: str


@dataclass(frozen=True)
class Normal:
    """A normal value or range in words, and its source."""

    text: str
    source: Source


_MODEL = Source("87 patients, all of L2–L5, mean (range), J Biomech 2022 doi 10.1016/j.jbiomech.2022.111421", "V")
_L5 = Source("3-D CT of L5, mean ± SD, IJSS article 11003, table 6", "V")
_SPINE = Source("one healthy spine measured in CT: an order of size, not a range", "C")
_TABLE = "the planner’s table of normal heights: one CT spine, cadaver means scaled to CT, wedge of 240 skeletons"
_WEDGE = Source("means of 240 skeletons, women and men, doi 10.1007/s00586-009-1256-6", "V")
_ZINDRICK = Source("means of Zindrick 1987", "M")
_PICKHARDT = Source(
    "L1 in 2067 CT–DXA pairs: above 90 % specific at 110 HU, 90 % sensitive at 160, Pickhardt 2013", "V"
)
GENANT = Source(
    "Genant grades by loss: 1 from 20, 2 from 25, 3 above 40 %, QIMS 2019 doi 10.21037/qims.2019.02.04", "V"
)

_BODY_VOLUME_ML: dict[str, float] = {
    "T6": 12.4, "T8": 14.4, "T9": 15.3, "T10": 18.3, "T11": 20.9, "T12": 23.3, "L1": 26.2, "L2": 27.4, "L3": 30.5,
    "L4": 33.7, "L5": 33.0,
}  # fmt: skip
"""Of one healthy spine; its T7 is mildly wedged and left out."""

_SKELETON_WEDGE: dict[str, tuple[float, float]] = {
    "T9": (2.8, 4.8),
    "T10": (2.6, 3.8),
    "T11": (4.6, 5.4),
    "T12": (3.5, 4.9),
    "L1": (2.6, 4.1),
    "L2": (0.7, 2.6),
    "L3": (-1.1, 1.3),
    "L4": (-3.1, -0.7),
    "L5": (-7.8, -4.6),
}
"""Mean wedge in degrees, women and men."""

_HEIGHTS = ("anterior_height_mm", "middle_height_mm", "posterior_height_mm")
_ISTHMUS = ("isthmus_width_mm", "isthmus_height_mm")
_L5_HEIGHTS = {"anterior_height_mm": "30.3 ± 1.9", "posterior_height_mm": "26.3 ± 1.9"}
_BODY_SIZES = {"depth_mm": "35.0 (29.5–42.0)", "width_mm": "46.7 (39.4–58.8)"}


def _minus(value: float) -> str:
    return f"{value:g}".replace("-", "−")


def normals(measurement: str, level: str) -> list[Normal]:
    """Normal values of a measurement (a field name of the plan) at a level; empty where none is known here."""
    lower_lumbar = level in LEVELS[LEVELS.index("L2") : LEVELS.index("L6")]
    if level == "L5" and measurement in _L5_HEIGHTS:
        return [Normal(_L5_HEIGHTS[measurement], _L5)]
    if measurement in _HEIGHTS:
        table = Source(_TABLE, basis_of_heights(level).tag)
        usual = Normal(f"{normal_heights(level)[_HEIGHTS.index(measurement)]:.1f}", table)
        ranged = lower_lumbar and measurement != "middle_height_mm"
        return [usual, Normal("27.8 (23.5–32.3)", _MODEL)] if ranged else [usual]
    if measurement == "body_volume_ml" and level in _BODY_VOLUME_ML:
        return [Normal(f"{_BODY_VOLUME_ML[level]:g}", _SPINE)]
    if measurement in _BODY_SIZES and lower_lumbar:
        return [Normal(_BODY_SIZES[measurement], _MODEL)]
    if measurement == "wedge_angle_deg" and level in _SKELETON_WEDGE:
        women, men = (_minus(value) for value in _SKELETON_WEDGE[level])
        return [Normal(f"{women} / {men}", _WEDGE)]
    if measurement in _ISTHMUS and level in ZINDRICK_MM:
        return [Normal(f"{ZINDRICK_MM[level][_ISTHMUS.index(measurement)]:g}", _ZINDRICK)]
    if measurement == "body_density_hu":
        return [Normal("osteoporosis likely ≤ 110", _PICKHARDT)]
    return []
