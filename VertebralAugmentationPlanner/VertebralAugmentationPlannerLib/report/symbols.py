"""Small inline pictures: state symbols that do not depend on a font, and the clearance bar. State is shape and word,
colour comes on top (palette of the whole product)."""

from __future__ import annotations

from ..access.notices import CLOSE_NEIGHBOUR_MM
from ..access.safety import RESOLUTION_MM, least_kept
from ..model.palette import BLUE, SAFETY
from .markup import Markup, element

_SHAPES = {
    "safe": '<circle cx="8" cy="8" r="7.5" fill="{c}"/><path d="M4 8.4l2.8 2.8L12 5.6" fill="none" stroke="#fff"'
    ' stroke-width="2.2"/>',
    "tight": '<path d="M8 .8L15.6 15H.4z" fill="{c}"/><path d="M8 5.4v5M8 11.6v2" stroke="#000" stroke-width="2"/>',
    "breach": '<path d="M5 .5h6L15.5 5v6L11 15.5H5L.5 11V5z" fill="{c}"/><path d="M4.8 4.8l6.4 6.4m0-6.4l-6.4 6.4"'
    ' stroke="#fff" stroke-width="2.2"/>',
    "info": '<circle cx="8" cy="8" r="7.5" fill="{c}"/><path d="M8 7v5M8 3.6v2" stroke="#fff" stroke-width="2.2"/>',
}
_COLOURS = {**SAFETY, "info": BLUE}
_SEVERITY_SHAPES = {"stop": "breach", "caution": "tight", "info": "info"}

BAR_FULL_MM = 8.0
"""Clearances beyond this are drawn as full bars: nobody needs to tell 9 mm from 12 mm."""


def symbol(state: str) -> Markup:
    """Tick, triangle or octagon for "safe", "tight", "breach"; "stop", "caution", "info" for a severity.

    Raises:
        KeyError: another word; there is no symbol for an unknown state.
    """
    state = _SEVERITY_SHAPES.get(state, state)
    shape = _SHAPES[state].format(c=_COLOURS[state])
    return element("svg", Markup(shape), viewBox="0 0 16 16", class_="sym", role="img", aria_label=state)


def clearance_state(wall: str, value_mm: float, margin_mm: float | None) -> str:
    """State of one clearance by the planner's own rule: "breach", "tight" below the margin, or "safe".

    A neighbouring vertebra has no margin, but the planner cautions where the cannula comes close to it: "tight", too.

    Args:
        wall: field of Clearance.
        value_mm: from the cannula's surface; negative is a breach.
        margin_mm: of the plan's options; None where the plan holds none.
    """
    wanted = margin_mm if margin_mm is not None else 0.0
    if wall == "neighbour" and 0.0 <= value_mm < CLOSE_NEIGHBOUR_MM:
        return "tight"
    if value_mm < least_kept(wall, wanted) - RESOLUTION_MM:
        return "breach"
    return "tight" if value_mm < wanted - RESOLUTION_MM else "safe"


def clearance_bar(wall: str, value_mm: float, margin_mm: float | None) -> Markup:
    """A bar as long as the clearance with a mark at the margin; a breach is drawn to the left of the zero line."""
    scale = 60 / BAR_FULL_MM
    length = min(abs(value_mm), BAR_FULL_MM if value_mm >= 0 else 10 / scale) * scale
    left = 10.0 if value_mm >= 0 else 10.0 - length
    colour = _COLOURS[clearance_state(wall, value_mm, margin_mm)]
    parts = [f'<rect x="{left:.1f}" y="2" width="{length:.1f}" height="6" fill="{colour}"/>']
    parts.append('<path d="M10 0v10" stroke="#000" stroke-width="1"/>')
    if margin_mm:
        at = 10 + min(margin_mm, BAR_FULL_MM) * scale
        parts.append(f'<path d="M{at:.1f} 0v10" stroke="#000" stroke-width="1" stroke-dasharray="2 1"/>')
    return element(
        "svg", Markup("".join(parts)), viewBox="0 0 72 10", class_="bar", preserveAspectRatio="none", aria_hidden="true"
    )
