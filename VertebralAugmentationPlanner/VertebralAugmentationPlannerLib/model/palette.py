"""One meaning, one colour: in the slices, the 3D views, the report and the module.

The hues are the eight of Okabe and Ito (jfly.uni-koeln.de/color, 2008), which people with the common forms of
colour blindness tell apart; each also differs in lightness, so that a grey print still separates them. State is
never told by colour alone: needles carry their word too.
"""

from __future__ import annotations

BLACK = "#000000"
ORANGE = "#E69F00"
SKY_BLUE = "#56B4E9"
BLUISH_GREEN = "#009E73"
YELLOW = "#F0E442"
BLUE = "#0072B2"
VERMILION = "#D55E00"
REDDISH_PURPLE = "#CC79A7"

SAFETY = {"safe": BLUISH_GREEN, "tight": ORANGE, "breach": VERMILION}
"""By ``Trajectory.safety``."""

CANAL = SKY_BLUE
POSTERIOR_WALL = SKY_BLUE
"""The canal's front is the posterior wall: one colour for what must not be crossed."""
PEDICLE = YELLOW
BALLOON = REDDISH_PURPLE
CEMENT = YELLOW
"""Neither is a blue: blue means the canal."""
HEIGHT_LINE = YELLOW
COBB_LINE = SKY_BLUE
BONE = "#E8DCC0"
"""Ivory; a tint, not one of the eight, because bone is context and never a state."""
LABEL = "#FFFFFF"
LABEL_HALO = BLACK


def rgb(colour: str) -> tuple[float, float, float]:
    """Red, green, blue in 0–1 of a "#rrggbb" colour, as MRML and VTK want them.

    Raises:
        ValueError: not of the form "#rrggbb".
    """
    if len(colour) != 7 or colour[0] != "#":
        raise ValueError(f"{colour!r} is not a colour of the form #rrggbb")
    red, green, blue = (int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5))
    return red, green, blue


def safety_colour(safety: str) -> str:
    """Colour of a needle by its safety: "safe", "tight" or "breach".

    Raises:
        ValueError: another word; there is no default colour for an unknown state.
    """
    if safety not in SAFETY:
        raise ValueError(f"{safety!r} is not a safety state; use one of {', '.join(SAFETY)}")
    return SAFETY[safety]
