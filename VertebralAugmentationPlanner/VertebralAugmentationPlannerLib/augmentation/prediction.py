"""What inflation may be expected to restore."""

from __future__ import annotations

import math

import numpy as np

from ..model import Measurements, Predicted

LEAST_LOSS_MM = 1.0
"""A smaller loss is within the error of a height at a broken rim, 1.0 mm; nothing is then expected to return [D]."""

SOURCE = (
    "Restoration is an assumption [D 0.30–0.50]: in cadavers 97 % of the lost height came back without load (Belkoff 2001, "
    "doi 10.1097/00007632-200101150-00008 [V]), 30 % under 110 N [V]; "
    "balloon inflation added nothing to posture in 75 levels (Xu 2014, doi 10.3174/ajnr.A3617 [V])"
)


def predict(measurements: Measurements, restoration_fraction: float) -> Predicted | None:
    """Anterior height and wedge angle after inflation; None where nothing is lost or a number is missing.

    The end plate is lifted as a whole: anterior and posterior height each regain ``restoration_fraction`` of what they
    lack to their reference, so that a wedge closes and a crush does not open to the front. The wedge angle closes by
    as much as the line between the rims turns: atan((Hp − Ha)/D) before, less the same after; D is the depth between
    the rims.
    """
    before, back, wedge = (
        measurements.anterior_height_mm,
        measurements.posterior_height_mm,
        measurements.wedge_angle_deg,
    )
    reference = measurements.reference
    depth = rim_depth_mm(measurements)
    if before is None or back is None or wedge is None or depth is None:
        return None
    if reference is None or reference.anterior_height_mm is None or not has_anterior_loss(measurements):
        return None
    after = before + restoration_fraction * (reference.anterior_height_mm - before)
    back_lost = max(0.0, (reference.posterior_height_mm or back) - back)
    back_after = back + restoration_fraction * back_lost
    turned = math.degrees(math.atan2(back - before, depth) - math.atan2(back_after - after, depth))
    return Predicted(after, wedge - turned, restoration_fraction)


def has_anterior_loss(measurements: Measurements) -> bool:
    """Whether a fractured body's anterior height lacks more to its reference than the measurement's own error.

    What an unfractured body lacks to its neighbours' mean is its own shape, and nothing that a balloon brings back.
    """
    before, reference = measurements.anterior_height_mm, measurements.reference
    if measurements.genant_grade == 0:
        return False
    if before is None or reference is None or reference.anterior_height_mm is None:
        return False
    return reference.anterior_height_mm - before >= LEAST_LOSS_MM


def rim_depth_mm(measurements: Measurements) -> float | None:
    """Distance between the middles of the anterior and the posterior height line; the body's depth without them."""
    lines = measurements.height_points_ras
    if "anterior" in lines and "posterior" in lines:
        front, back = (np.mean(lines[place], axis=0) for place in ("anterior", "posterior"))
        depth = float(np.linalg.norm(front - back))
    else:
        depth = measurements.depth_mm or 0.0
    return depth if depth > 0 else None
