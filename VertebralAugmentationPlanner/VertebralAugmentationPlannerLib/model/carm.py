"""What a position of the C-arm is called: DICOM's positioner angles, and words for a prone patient.

Primary RAO −, LAO +; secondary CAU −, CRA + (PS3.3 C.8.7.5 [M]). They name the direction of the receptor for a supine patient
with the receptor in front. For the prone patient with the receptor above it stands at the other end of the same line.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from .geometry import FloatArray, unit

LATERAL_FROM_DEG = 60.0
"""From here on the words name the receptor's side instead of a tilt from above. [D]"""


def positioner_direction(primary_deg: float, secondary_deg: float) -> FloatArray:
    """Direction (3,) of the receptor for a supine patient, RAS."""
    primary, secondary = math.radians(primary_deg), math.radians(secondary_deg)
    return np.array(
        [-math.sin(primary) * math.cos(secondary), math.cos(primary) * math.cos(secondary), math.sin(secondary)]
    )


def positioner_angles(direction_ras: ArrayLike) -> tuple[float, float]:
    """Primary and secondary angle of a line through the patient, degrees.

    A line has two directions; the one with the receptor in front of the patient is meant (primary within ±90°).

    Raises:
        ValueError: the line has no direction.
    """
    r, a, s = unit(direction_ras)
    if a < 0:
        r, a, s = -r, -a, -s
    return math.degrees(math.atan2(-r, a)) + 0.0, math.degrees(math.asin(max(-1.0, min(1.0, s)))) + 0.0


def prone_words(primary_deg: float, secondary_deg: float) -> str:
    """Where the receptor goes above a prone patient, in the words that the plan uses for its end-on views."""
    # The receptor of the prone patient stands opposite to the supine one: both signs turn.
    if abs(primary_deg) > LATERAL_FROM_DEG:
        return _lateral_words(primary_deg, secondary_deg)
    parts = []
    if round(abs(primary_deg)):
        parts.append(f"{abs(primary_deg):.0f}° towards the patient’s {'left' if primary_deg < 0 else 'right'}")
    if round(abs(secondary_deg)):
        parts.append(f"{abs(secondary_deg):.0f}° towards the {'feet' if secondary_deg > 0 else 'head'}")
    return "Prone, receptor above: " + (", ".join(parts) if parts else "straight above the patient")


def _lateral_words(primary_deg: float, secondary_deg: float) -> str:
    """Near the horizontal "above" says nothing; the side and the height of the receptor do."""
    right, anterior, superior = -positioner_direction(primary_deg, secondary_deg)
    text = f"Prone, receptor on the patient’s {'right' if right > 0 else 'left'}"
    # Prone, posterior is up.
    height = math.degrees(math.asin(max(-1.0, min(1.0, -anterior))))
    if round(abs(height)):
        text += f", {abs(height):.0f}° {'above' if height > 0 else 'below'} the horizontal"
    along = math.degrees(math.asin(max(-1.0, min(1.0, superior))))
    if round(abs(along)):
        text += f", {abs(along):.0f}° towards the {'head' if along > 0 else 'feet'}"
    return text
