"""Implicit solids: signed distances in mm, negative inside. Points are (…, 3) arrays in any one frame.

Signs are exact everywhere. Magnitudes are exact for round and elliptic sections away from the ends and good to a few
percent close to the surface elsewhere, which is where partial volume and the cortical shell need them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ..model import geometry
from ..model.geometry import FloatArray

ELLIPSE_ITERATIONS = 4
"""Steps of the closest-point search on an ellipse; three already reach 1e-4 of the radius at axis ratios up to 4."""


def ellipse_distance(u: FloatArray, v: FloatArray, a: FloatArray | float, b: FloatArray | float) -> FloatArray:
    """Signed distance of (u, v) to the ellipse with semi-axes a and b, mm, negative inside.

    The closest point is found by replacing the ellipse again and again with its circle of curvature.
    """
    x, y = np.abs(u), np.abs(v)
    cosine = np.full(x.shape, np.sqrt(0.5))
    sine = cosine.copy()
    for _ in range(ELLIPSE_ITERATIONS):
        centre_x = (a * a - b * b) * cosine**3 / a
        centre_y = (b * b - a * a) * sine**3 / b
        radius = np.hypot(a * cosine - centre_x, b * sine - centre_y)
        reach_x, reach_y = x - centre_x, y - centre_y
        reach = np.maximum(np.hypot(reach_x, reach_y), 1e-9)
        cosine = np.clip((reach_x * radius / reach + centre_x) / a, 0.0, 1.0)
        sine = np.clip((reach_y * radius / reach + centre_y) / b, 0.0, 1.0)
        length = np.maximum(np.hypot(cosine, sine), 1e-9)
        cosine, sine = cosine / length, sine / length
    distance = np.hypot(x - a * cosine, y - b * sine)
    inside = (x / a) ** 2 + (y / b) ** 2 < 1.0
    return np.where(inside, -distance, distance)


def superellipse_radius(
    u: FloatArray, v: FloatArray, a: FloatArray | float, b: FloatArray | float, exponent: float
) -> FloatArray:
    """(|u/a|^n + |v/b|^n)^(1/n): 1 on the outline, less inside."""
    power = np.abs(u / a) ** exponent + np.abs(v / b) ** exponent
    return power ** (1.0 / exponent)


def superellipse_distance(
    u: FloatArray, v: FloatArray, a: FloatArray | float, b: FloatArray | float, exponent: float
) -> FloatArray:
    """Signed distance to a superellipse, first order: (radius − 1) over the length of its gradient."""
    p, q = np.abs(u / a), np.abs(v / b)
    radius = np.maximum((p**exponent + q**exponent) ** (1.0 / exponent), 1e-6)
    p, q = p / radius, q / radius
    gradient = np.hypot(p ** (exponent - 1.0) / a, q ** (exponent - 1.0) / b)
    return (radius - 1.0) / np.maximum(gradient, 1e-9)


@dataclass(frozen=True, eq=False)
class Tube:
    """A straight bar from ``start`` to ``end`` with a (super)elliptic section that may taper, ends flat or round.

    Args:
        start, end: (3,) points.
        across: (3,) direction of the first semi-axis, made perpendicular to the bar.
        start_semi, end_semi: semi-axes (along ``across``, along the third direction) at the two ends.
        exponent: 2 for an ellipse, 4 for a plate with rounded edges.

    """

    start: FloatArray
    end: FloatArray
    across: FloatArray
    start_semi: tuple[float, float]
    end_semi: tuple[float, float]
    exponent: float = 2.0

    def distance(self, points: FloatArray) -> FloatArray:
        """Signed distance (…,) of points (…, 3); the ends are rounded like an ellipsoid of the end's smaller axis."""
        span = self.end - self.start
        length = float(np.linalg.norm(span))
        axis = span / length
        across = geometry.unit(self.across - np.dot(self.across, axis) * axis)
        third = np.cross(axis, across)
        offset = points - self.start
        along = offset @ axis
        share = np.clip(along / length, 0.0, 1.0)
        a = self.start_semi[0] + share * (self.end_semi[0] - self.start_semi[0])
        b = self.start_semi[1] + share * (self.end_semi[1] - self.start_semi[1])
        side = superellipse_distance(offset @ across, offset @ third, a, b, self.exponent)
        beyond = np.maximum(np.maximum(-along, along - length), 0.0)
        cap = np.minimum(a, b)
        # Past the ends the section shrinks to nothing within the smaller semi-axis: a rounded tip.
        inner = side + cap
        return np.where(beyond > 0, np.hypot(np.maximum(inner, 0.0), beyond) - cap, side)

    def moved(self, turn: FloatArray, shift: FloatArray) -> Tube:
        """The same bar in another frame: point ↦ turn · point + shift."""
        return Tube(
            turn @ self.start + shift,
            turn @ self.end + shift,
            turn @ self.across,
            self.start_semi,
            self.end_semi,
            self.exponent,
        )

    def bounds(self) -> tuple[FloatArray, FloatArray]:
        """Corners of a box that holds the bar."""
        reach = max(*self.start_semi, *self.end_semi)
        ends = np.vstack([self.start, self.end])
        return ends.min(axis=0) - reach, ends.max(axis=0) + reach


def capsule(start: ArrayLike, end: ArrayLike, radius: float, end_radius: float | None = None) -> Tube:
    """A round bar with round ends."""
    start, end = np.asarray(start, float), np.asarray(end, float)
    last = radius if end_radius is None else end_radius
    span = end - start
    across = np.eye(3)[int(np.argmin(np.abs(span)))]
    return Tube(start, end, across, (radius, radius), (last, last))


@dataclass(frozen=True, eq=False)
class Ellipsoid:
    """An axis-parallel ellipsoid."""

    centre: FloatArray
    semi: FloatArray

    @property
    def volume_ml(self) -> float:
        """Volume, ml."""
        return float(4.0 / 3.0 * np.pi * np.prod(self.semi) / 1000.0)

    def distance(self, points: FloatArray) -> FloatArray:
        """Signed distance (…,) of points (…, 3), first order."""
        scaled = (points - self.centre) / self.semi
        radius = np.maximum(np.linalg.norm(scaled, axis=-1), 1e-6)
        gradient = np.linalg.norm(scaled / self.semi, axis=-1) / radius
        return (radius - 1.0) / np.maximum(gradient, 1e-6)


def rotation(axis: int, degrees: float) -> FloatArray:
    """3 × 3 right-handed rotation about coordinate axis 0, 1 or 2; acts on column vectors."""
    angle = np.radians(degrees)
    c, s = np.cos(angle), np.sin(angle)
    matrix = np.eye(3)
    i, j = (axis + 1) % 3, (axis + 2) % 3
    matrix[i, i] = matrix[j, j] = c
    matrix[i, j], matrix[j, i] = -s, s
    return matrix
