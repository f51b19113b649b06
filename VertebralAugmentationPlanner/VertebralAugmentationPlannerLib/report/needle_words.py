"""Where a needle lies, in words: its angles, its tip, and the moment at which the lateral decides."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..model import LevelPlan, Trajectory
from ..model.plan import Point
from .markup import Content, Markup, element, span
from .wording import convergence_words, craniocaudal_words, number

if TYPE_CHECKING:
    from ..imaging import MedialBorder

MEDIAL_RULE = (
    "Depths are from the bone entry. Go on past the pedicle’s medial border in AP only once the lateral shows the tip past "
    "the posterior wall."
)
MEDIAL_RISK = "The tip meets the medial border in AP before it has passed the posterior wall: the canal is at risk."


def angle_words(needle: Trajectory) -> Content:
    """The angles in the vertebra and, where it is another one, the tilt as the C-arm beside them has it."""
    tilt = craniocaudal_words(needle.craniocaudal_angle_deg)
    along = np.subtract(needle.target_ras, needle.entry_ras)
    on_table = craniocaudal_words(math.degrees(math.asin(along[2] / np.linalg.norm(along))))
    other = [span("plain", "; on the table: "), on_table] if on_table != tilt else None
    angles = f"{convergence_words(needle.convergence_angle_deg)}, {tilt}"
    return [angles, span("plain", ", in the vertebra’s own planes"), other]


def border_words(border: MedialBorder) -> Content:
    """Depth of the tip at the medial border in AP, and its place in the lateral by then."""
    if border.depth_mm is None:
        return "not crossed in AP before the target"
    deep = f"in AP at {number(border.depth_mm, 0, 'mm')} depth"
    if border.past_wall_mm is None:
        return f"{deep}; the posterior wall is not known there"
    return [deep, span("plain", "; in the lateral the tip is then "), border.place]


def medial_rule(borders: Mapping[str, MedialBorder]) -> Markup | None:
    """The rule that the rows of the medial border are read by, once below both sides."""
    crossed = any(border.depth_mm is not None for border in borders.values())
    return element("p", MEDIAL_RULE, class_="small") if crossed else None


def tip_words(needle: Trajectory) -> str:
    """“2.5 mm short of the midline”."""
    if abs(needle.midline_offset_mm) < 0.5:
        return "on the midline"
    where = "short of" if needle.midline_offset_mm > 0 else "past"
    return f"{number(abs(needle.midline_offset_mm), 1, 'mm')} {where} the midline"


def off_midline(level: LevelPlan, point: Point) -> str:
    """“19 mm left of the midline”: distance from the vertebra's mid-sagittal plane."""
    assert level.frame is not None
    offset = float(np.dot(np.subtract(point, level.frame.origin_ras), level.frame.right))
    return f"{number(abs(offset), 0, 'mm')} {'right' if offset > 0 else 'left'} of the midline"
