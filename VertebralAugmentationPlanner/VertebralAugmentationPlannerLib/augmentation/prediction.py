"""What inflation may be expected to restore."""

from __future__ import annotations

import math

import numpy as np

from ..model import Measurements, Predicted

SOURCE = (
    "Restoration is an assumption [D 0.30–0.50]: 30 % of the lost height under load, 97 % without (Belkoff 2001 [V]); "
    "balloon inflation added nothing to posture in 75 levels (Xu 2014, doi 10.3174/ajnr.A3617 [V])"
)


def predict(measurements: Measurements, restoration_fraction: float) -> Predicted | None:
    """Anterior height and wedge angle after inflation; None where nothing is lost or a number is missing.

    The anterior height regains ``restoration_fraction`` of what it lacks to its reference. The wedge angle closes by
    as much as a line between the rims turns when its front is lifted: atan((Hp − Ha)/D) before, less the same with
    the new Ha; D is the depth between the rims. The posterior height stays.
    """
    before, back, wedge = (
        measurements.anterior_height_mm,
        measurements.posterior_height_mm,
        measurements.wedge_angle_deg,
    )
    reference = measurements.reference.anterior_height_mm if measurements.reference is not None else None
    depth = rim_depth_mm(measurements)
    if before is None or back is None or wedge is None or reference is None or depth is None:
        return None
    if reference <= before:
        return None
    after = before + restoration_fraction * (reference - before)
    turned = math.degrees(math.atan2(back - before, depth) - math.atan2(back - after, depth))
    return Predicted(after, wedge - turned, restoration_fraction)


def rim_depth_mm(measurements: Measurements) -> float | None:
    """Distance between the middles of the anterior and the posterior height line; the body's depth without them."""
    lines = measurements.height_points_ras
    if "anterior" in lines and "posterior" in lines:
        front, back = (np.mean(lines[place], axis=0) for place in ("anterior", "posterior"))
        depth = float(np.linalg.norm(front - back))
    else:
        depth = measurements.depth_mm or 0.0
    return depth if depth > 0 else None
