"""Angles of a needle: in the vertebra, and at the C-arm for the end-on ("bull's-eye") view."""

from __future__ import annotations

import math

import numpy as np

from ..model import CArm
from ..model.carm import positioner_angles, prone_words
from ..model.geometry import FloatArray

SIDE_SIGN = {"left": -1.0, "right": 1.0}
"""Sign of the local right coordinate on each side of the patient."""


def convergence_deg(direction_local: FloatArray, side: str) -> float:
    """Angle in the vertebra's axial plane, degrees, positive where the needle runs towards the midline.

    Args:
        direction_local: (3,) entry → target in the vertebral frame (right, anterior, superior).
        side: "left" or "right".
    """
    return math.degrees(math.atan2(-SIDE_SIGN[side] * direction_local[0], direction_local[1]))


def craniocaudal_deg(direction_local: FloatArray) -> float:
    """Angle in the vertebra's sagittal plane, degrees, positive where the tip points towards the head."""
    return math.degrees(math.atan2(direction_local[2], direction_local[1]))


def end_on_carm(direction_ras: FloatArray) -> CArm:
    """The C-arm position that looks straight down the needle.

    The beam is parallel to the needle. With the receptor in front of the supine patient the positioner angles are
    α = atan2(p_x, −p_y), β = asin(p_z) with p the beam in LPS and p_y < 0 (DICOM PS3.3 C.8.7.5 [M]). For the prone patient the
    receptor stands at the other end of the same line: on the needle's own side, and towards the head where the tip points
    to the feet.

    Args:
        direction_ras: (3,) entry → target, RAS.

    Raises:
        ValueError: the needle has no length.
    """
    if not np.linalg.norm(direction_ras) > 0:
        raise ValueError("a needle without length has no end-on view")
    primary, secondary = positioner_angles(direction_ras)
    return CArm(primary_deg=primary, secondary_deg=secondary, prone_text=prone_words(primary, secondary))
