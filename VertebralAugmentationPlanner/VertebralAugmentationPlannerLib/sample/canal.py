"""The spinal canal of a phantom: an ellipse swept along a smooth line."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator

from ..model.geometry import FloatArray
from .primitives import ellipse_distance


@dataclass(frozen=True, eq=False)
class Canal:
    """The canal in spine coordinates (upright): an ellipse swept along a smooth line, one section per height z."""

    x: PchipInterpolator
    y: PchipInterpolator
    width: PchipInterpolator
    depth: PchipInterpolator
    low: float
    high: float

    def _at(self, curve: PchipInterpolator, z: FloatArray) -> FloatArray:
        """Value of a curve, drawn on as a straight line beyond its ends."""
        inner = np.clip(z, self.low, self.high)
        slope = curve.derivative()
        ends = np.where(z > self.high, slope(self.high), slope(self.low))
        return curve(inner) + (z - inner) * ends

    def distance(self, points: FloatArray) -> FloatArray:
        """Signed distance, negative inside."""
        z = points[..., 2]
        # The curves depend on z alone: look them up on a fine table, which is much quicker than evaluating per point.
        table = np.arange(z.min() - 1.0, z.max() + 1.0, 0.25)
        inner = np.clip(table, self.low, self.high)
        lean = np.cos(np.arctan(self.y.derivative()(inner)))
        x, y = np.interp(z, table, self._at(self.x, table)), np.interp(z, table, self._at(self.y, table))
        a, b = np.interp(z, table, self.width(inner)) / 2.0, np.interp(z, table, self.depth(inner)) / 2.0
        return ellipse_distance(points[..., 0] - x, (points[..., 1] - y) * np.interp(z, table, lean), a, b)
