"""Whether what is said of a needle follows from its own numbers: told from the plan alone, without its images."""

from __future__ import annotations

from ..model import Trajectory
from ..model.carm import prone_words
from .clearance import gertzbein_robbins
from .safety import PEDICLE_WALLS, RESOLUTION_MM, WALL_NAMES, least_kept

GRADED_WALLS = ("canal", "pedicle_wall", "endplate", "anterior_wall", "lateral_wall")
"""A breach is graded by the vertebra's own walls."""

ROUNDING_MM = 0.001
"""A plan's numbers are rounded to a tenth of this: on a border between two grades either may stand. [D]"""


def contradiction(needle: Trajectory) -> str | None:
    """What of a needle's verdict its clearances, margins or C-arm angles do not bear out, in words.

    Returns:
        None where all fits, and for a needle that was not judged, whose stop says so.
    """
    kept = {wall: value for wall, value in vars(needle.clearance_mm).items() if value is not None}
    if not needle.judged or not kept:
        return None
    graded = min((kept[wall] for wall in GRADED_WALLS if wall in kept), default=None)
    if graded is not None and needle.breach_grade not in {
        gertzbein_robbins(-graded + off) for off in (-ROUNDING_MM, ROUNDING_MM)
    }:
        return f"it is graded {needle.breach_grade} where its smallest clearance is {graded:.1f} mm"
    slack = needle.tolerated_offset_mm or 0.0
    most = max(0.0, min((kept[wall] for wall in PEDICLE_WALLS if wall in kept), default=0.0))
    least = max(0.0, min(most, graded or 0.0))  # the body's walls may be nearer, beside the needle or ahead of it
    if not least - RESOLUTION_MM <= slack <= most + RESOLUTION_MM:
        leave = most if slack > most else least
        return f"its slack is {slack:.1f} mm where its walls leave {leave:.1f} mm"
    wrongly = _wrongly_called(needle, kept)
    if wrongly is not None:
        return wrongly
    words = prone_words(needle.carm.primary_deg, needle.carm.secondary_deg).casefold()
    if needle.carm.prone_text.casefold() != words:
        return "the words for its C-arm are not those of its angles"
    return None


def _wrongly_called(needle: Trajectory, kept: dict[str, float]) -> str | None:
    """A wall that makes “safe” or “tight” untrue; a breach may have reasons that no clearance shows."""
    for wall, value in kept.items():
        wanted = None if needle.margins_mm is None else getattr(needle.margins_mm, wall)
        least = 0.0 if wanted is None else wanted if needle.safety == "safe" else least_kept(wall, wanted)
        if needle.safety in ("safe", "tight") and value < least - RESOLUTION_MM - ROUNDING_MM:
            return f"it is called {needle.safety} and keeps {value:.1f} mm to {WALL_NAMES[wall]}, where {least:.1f} mm are asked for"
    return None
