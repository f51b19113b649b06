"""Vertebral bodies lofted from kidney-shaped contours between dished end plates, broken by displacing those plates.

Nothing here comes from the package or its generator: the shapes are other ones (splines, rounded rims), so that a
planner tuned to its own phantoms shows it. Local frame in mm: x right, y anterior, z superior, origin mid-body.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.interpolate import CubicSpline, PchipInterpolator

DISH_ALONG = PchipInterpolator([0, 0.08, 0.3, 0.45, 0.7, 0.9, 1], [0, 0.05, 0.75, 1, 0.7, 0.07, 0])
"""Depth of an end plate from back (0) to front (1): a flat ring, the deepest place behind the centre."""
DISH_ACROSS = PchipInterpolator([0, 0.35, 0.6, 0.85, 1], [1, 0.92, 0.6, 0.08, 0])
"""The same from the middle (0) to the side (1)."""


HOLLOWS = {
    "cosine": lambda q: 0.5 + 0.5 * np.cos(np.pi * np.clip(q, 0, 1)),
    "plateau": lambda q: 1 - np.clip(q, 0, 1) ** 4,
}
"""Depth of a collapse from the centre (0) to the rims (1), where it is no deeper copy of the plate's own dish."""


@dataclass(frozen=True)
class Fracture:
    """How a body is broken; shares of the unbroken height, so that the loss at the landmarks is known."""

    anterior: float = 0.0  # lost at the front, falling to nothing at the back
    middle: float = 0.0  # lost at the centre only
    hollow: str = "dish"  # how that falls off towards the rims; see HOLLOWS
    whole: float = 0.0  # lost everywhere
    lateral: float = 0.0  # lost at the right side, as much gained on the left: nothing in the middle plane
    lower_share: float = 0.0  # of all this, taken from the lower plate
    bump_mm: float = 0.0  # posterior wall into the canal
    step_mm: float = 0.0  # the front 7 mm of the upper plate, broken off and lower by so much


@dataclass(frozen=True)
class LoftedBody:
    """A body: heights at the rims before the fracture, mid-sagittal depth, greatest width, all mm."""

    posterior: float
    anterior: float
    depth: float
    width: float
    dish: float = 2.0  # of each plate
    waist: float = 0.09  # share by which the contour is narrower at mid-height
    concavity: float = 2.5  # of the posterior wall between its corners
    rim_radius: float = 0.8
    fracture: Fracture = field(default_factory=Fracture)

    def contour(self) -> CubicSpline:
        """Radius of the outline (mm) by angle (rad, 0 = right, π/2 = front), periodic."""
        w, d, c = self.width, self.depth, self.concavity
        half = [(0.14 * w, -d / 2 - 0.6 * c), (0.30 * w, -d / 2 - 0.8 * c), (0.44 * w, -0.36 * d)]
        half += [(0.5 * w, -0.08 * d), (0.42 * w, 0.24 * d), (0.25 * w, 0.44 * d)]
        points = [(0.0, -d / 2), *half, (0.0, d / 2), *[(-x, y) for x, y in reversed(half)], (0.0, -d / 2)]
        x, y = np.array(points).T
        angle = np.unwrap(np.arctan2(y, x))
        radius = np.hypot(x, y)
        radius[-1] = radius[0]
        return CubicSpline(angle, radius, bc_type="periodic")

    def _lost(self, x, y):
        """Height lost at (x, y), and how much deeper the plates are there."""
        f = self.fracture
        t = np.clip((y + self.depth / 2) / self.depth, 0, 1)
        lost = f.anterior * self.anterior * t**1.2 + f.whole * (self.posterior + (self.anterior - self.posterior) * t)
        lost = lost + f.lateral * self.anterior * np.clip(x / (self.width / 2), -1, 1)
        middle = (self.posterior + self.anterior) / 2 - 2 * self.dish
        if f.hollow in HOLLOWS:
            return lost, f.middle * middle * HOLLOWS[f.hollow](np.hypot(x / (self.width / 2), y / (self.depth / 2)))
        across = DISH_ACROSS(np.clip(np.abs(x) / (self.width / 2), 0, 1))
        return lost, f.middle * middle * DISH_ALONG(t) / DISH_ALONG(0.5) * across

    def upper(self, x, y):
        """z of the upper plate over (x, y), without the rounding of the rim."""
        return self._plate(x, y, 1 - self.fracture.lower_share) - self.fracture.step_mm * (y > self.depth / 2 - 7)

    def lower(self, x, y):
        """z of the lower plate."""
        return -self._plate(x, y, self.fracture.lower_share)

    def _plate(self, x, y, share):
        t = np.clip((y + self.depth / 2) / self.depth, -0.1, 1.1)
        inside = np.clip(t, 0, 1)
        across = DISH_ACROSS(np.clip(np.abs(x) / (self.width / 2), 0, 1))
        lost, deeper = self._lost(x, y)
        dish = self.dish * DISH_ALONG(inside) / DISH_ALONG(0.5) * across
        return (self.posterior + (self.anterior - self.posterior) * t) / 2 - dish - share * (lost + deeper)

    def bump(self, x, z):
        """How far the posterior wall stands back at (x, z)."""
        reach = np.exp(-(x**2) / (2 * 6.0**2) - (z - 0.15 * self.posterior) ** 2 / (2 * 3.5**2))
        return self.fracture.bump_mm * reach

    def contains(self, points):
        """Which of the points (n, 3) lie in the body."""
        x, y, z = points.T
        back = np.clip(-y / (self.depth / 2), 0, None)
        y = y + self.bump(x, z) * np.clip(back, 0, 1)
        top, bottom = self.upper(x, y), self.lower(x, y)
        share = np.clip((z - bottom) / np.maximum(top - bottom, 1e-6), 0, 1)
        spline = self.contour()
        # The spline's own period starts at the back.
        angle = np.mod(np.arctan2(y, x) + np.pi / 2, 2 * np.pi) - np.pi / 2
        radius = spline(angle) * (1 - self.waist * 4 * share * (1 - share))
        slope = spline(angle, 1)
        side = (radius - np.hypot(x, y)) * radius / np.hypot(radius, slope)
        high = np.minimum(top - z, z - bottom)
        r = self.rim_radius
        corner = (r - side > 0) & (r - high > 0)
        return (side > 0) & (high > 0) & (~corner | ((r - side) ** 2 + (r - high) ** 2 < r * r))

    def rims(self):
        """The four mid-sagittal rims where plate meets wall: {'upper': (back, front), 'lower': ...}, local mm."""
        result = {}
        for name, plate in (("upper", self.upper), ("lower", self.lower)):
            ends = []
            for y in (-self.depth / 2, self.depth / 2):
                z = float(plate(0.0, y))
                ends.append(np.array([0.0, y - (float(self.bump(0.0, z)) if y < 0 else 0.0), z]))
            result[name] = tuple(ends)
        return result

    def heights(self) -> dict[str, float]:
        """Anterior, middle and posterior height, mm."""
        rims = self.rims()
        middles = []
        for name, plate in (("upper", self.upper), ("lower", self.lower)):
            y = (rims[name][0][1] + rims[name][1][1]) / 2
            middles.append(np.array([0.0, y, float(plate(0.0, y))]))
        return {
            "anterior": float(np.linalg.norm(rims["upper"][1] - rims["lower"][1])),
            "middle": float(np.linalg.norm(middles[0] - middles[1])),
            "posterior": float(np.linalg.norm(rims["upper"][0] - rims["lower"][0])),
        }

    def wedge_deg(self) -> float:
        """Angle between the plates, kyphosis positive."""
        angles = {k: np.degrees(np.arctan2(*(front - back)[[2, 1]])) for k, (back, front) in self.rims().items()}
        return float(angles["lower"] - angles["upper"])

    def volume_ml(self, step: float = 0.4) -> float:
        """Volume counted on a fine grid."""
        reach = np.array([self.width * 0.6, self.depth * 0.75, max(self.posterior, self.anterior) * 0.65])
        axes = [np.arange(-r, r, step) for r in reach]
        points = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3)
        return float(self.contains(points).sum() * step**3 / 1000)
