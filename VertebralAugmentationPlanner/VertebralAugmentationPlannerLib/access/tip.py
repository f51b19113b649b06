"""Whether the tip of a needle that somebody placed by hand lies where a needle is to end."""

from __future__ import annotations

from dataclasses import dataclass

from ..model.geometry import FloatArray
from .space import AccessSpace
from .surface import posterior_wall_at
from .target import ANTERIOR_THIRD, DEPTH_FRACTION_RANGE

READING_SHARE = DEPTH_FRACTION_RANGE[0] - ANTERIOR_THIRD
"""A tip as much behind the anterior third as planned ones lie in it at least may be in it by another reading. [D]"""


@dataclass(frozen=True)
class MisplacedTip:
    """What is wrong with the place of a tip.

    Args:
        outside_the_body: it ends behind the posterior wall: what is injected there is not in the body.
        words: part of a sentence about the needle.
    """

    outside_the_body: bool
    words: str


def misplaced_tip(space: AccessSpace, tip: FloatArray) -> MisplacedTip | None:
    """Why a tip (3,), local mm, is no place to inject from; None in the anterior third of the body and in front of it, where
    the clearances tell."""
    short_mm = float(posterior_wall_at(space.vertebra, tip)) - float(tip[1])
    if short_mm >= 0:
        return MisplacedTip(
            True, f"its tip does not reach the body: it ends {short_mm:.1f} mm behind the posterior wall"
        )
    share = float(space.target.fraction_at(tip))
    if share >= ANTERIOR_THIRD - READING_SHARE:
        return None
    return MisplacedTip(
        False, f"its tip lies at {100 * share:.0f} % of the body’s depth, behind the anterior third (from 67 %)"
    )
