"""The vertebral body as an implicit solid: superellipse walls between two dished, possibly broken, end plates."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from ..model.geometry import FloatArray
from .primitives import Ellipsoid, superellipse_distance, superellipse_radius
from .shape import VertebraShape

VOLUME_STEP_MM = 0.5
"""Grid of the numerical volume; halving it moves a lumbar body by less than 0.1 %."""


@dataclass(frozen=True, eq=False)
class Body:
    """Geometry of one body. All points and results in the vertebra's local frame, mm (see :mod:`.shape`)."""

    shape: VertebraShape

    # --- the two rims -------------------------------------------------------------------------------------------

    def fraction(self, y: FloatArray, superior: bool) -> FloatArray:
        """s: 0 at the posterior rim, 1 at the anterior rim of that end plate; not clipped."""
        depth = self.shape.depth_superior_mm if superior else self.shape.depth_inferior_mm
        return y / depth + 0.5

    def _healthy_height(self, s: FloatArray) -> FloatArray:
        """Rim-to-rim height before the fracture."""
        return self.shape.posterior_height_mm + (self.shape.anterior_height_mm - self.shape.posterior_height_mm) * s

    def remaining(self, s: FloatArray, across: FloatArray | float = 0.0) -> FloatArray:
        """g(s), the share of the height that the fracture leaves; ``across`` is x over the half-width."""
        fracture, s = self.shape.fracture, np.clip(s, 0.0, 1.0)
        # The bite of a biconcave fracture fades towards the lateral rims, which stand.
        bite = fracture.biconcave * 4.0 * s * (1.0 - s) * np.clip(1.0 - np.square(across), 0.0, 1.0)
        return (1.0 - fracture.crush) * (1.0 - fracture.wedge * s) * (1.0 - bite)

    def rim_plane(self, y: FloatArray, superior: bool) -> FloatArray:
        """Height z of the broken rim (no dish, no biconcave bite) above local y."""
        s = self.fraction(y, superior)
        half = 0.5 * self._healthy_height(s)
        fracture, clipped = self.shape.fracture, np.clip(s, 0.0, 1.0)
        lost = 2.0 * half * (1.0 - (1.0 - fracture.crush) * (1.0 - fracture.wedge * clipped))
        if superior:
            return half - fracture.superior_share * lost
        return -half + (1.0 - fracture.superior_share) * lost

    # --- surfaces -----------------------------------------------------------------------------------------------

    def _dish(self, x: FloatArray, y: FloatArray, superior: bool) -> FloatArray:
        depth = self.shape.superior_dish_mm if superior else self.shape.inferior_dish_mm
        radius = self._rim_radius(x, y, superior) / (1.0 - self.shape.rim_fraction)
        return depth * np.clip(1.0 - radius * radius, 0.0, None)

    def endplate(self, x: FloatArray, y: FloatArray, superior: bool) -> FloatArray:
        """Height z of an end plate above local (x, y)."""
        shape = self.shape
        s = self.fraction(y, superior)
        half = 0.5 * self._healthy_height(s)
        upper, lower = self._dish(x, y, True), self._dish(x, y, False)
        half_width = 0.5 * (shape.width_superior_mm if superior else shape.width_inferior_mm)
        lost = (2.0 * half - upper - lower) * (1.0 - self.remaining(s, x / half_width))
        if superior:
            return half - upper - shape.fracture.superior_share * lost
        return -half + lower + (1.0 - shape.fracture.superior_share) * lost

    def level_fraction(self, y: FloatArray, z: FloatArray) -> FloatArray:
        """t: −1 at the lower rim plane, +1 at the upper, clipped."""
        top, bottom = self.rim_plane(y, True), self.rim_plane(y, False)
        return np.clip((2.0 * z - top - bottom) / np.maximum(top - bottom, 1.0), -1.0, 1.0)

    def half_width(self, t: FloatArray) -> FloatArray:
        """Lateral semi-axis."""
        shape = self.shape
        mean = 0.25 * (shape.width_superior_mm + shape.width_inferior_mm)
        slope = 0.25 * (shape.width_superior_mm - shape.width_inferior_mm)
        return (mean + slope * t) * (1.0 - shape.width_waist * (1.0 - t * t))

    def _half_depth(self, t: FloatArray, waist: float) -> FloatArray:
        shape = self.shape
        mean = 0.25 * (shape.depth_superior_mm + shape.depth_inferior_mm)
        slope = 0.25 * (shape.depth_superior_mm - shape.depth_inferior_mm)
        return (mean + slope * t) * (1.0 - waist * (1.0 - t * t))

    def anterior_extent(self, t: FloatArray) -> FloatArray:
        """Local y of the anterior wall in the mid-sagittal plane."""
        return self._half_depth(t, self.shape.anterior_waist)

    def posterior_extent(self, x: FloatArray, t: FloatArray) -> FloatArray:
        """Posterior semi-axis of the section seen from lateral coordinate x: shoulders, groove and retropulsion."""
        shape, fracture = self.shape, self.shape.fracture
        groove = shape.posterior_concavity_mm * (1.0 - np.exp(-((x / shape.concavity_width_mm) ** 2)))
        extent = self._half_depth(t, shape.posterior_waist) + groove
        if fracture.retropulsion_mm > 0.0:
            half_height = 0.5 * self.posterior_height_mm
            spread = fracture.retropulsion_height_mm / half_height
            bump = np.exp(
                -0.5 * (x / fracture.retropulsion_width_mm) ** 2 - 0.5 * ((t - fracture.retropulsion_at) / spread) ** 2,
            )
            # (1 − t⁴) keeps the rims where they are, so that the heights stay known.
            extent = extent + fracture.retropulsion_mm * bump * (1.0 - t**4)
        return extent

    def _semi(self, x: FloatArray, y: FloatArray, t: FloatArray) -> tuple[FloatArray, FloatArray]:
        return self.half_width(t), np.where(y >= 0.0, self.anterior_extent(t), self.posterior_extent(x, t))

    def _rim_radius(self, x: FloatArray, y: FloatArray, superior: bool) -> FloatArray:
        t = np.array(1.0 if superior else -1.0)
        a, b = self._semi(x, y, t)
        return superellipse_radius(x, y, a, b, self.shape.exponent)

    def wall_distance(self, points: FloatArray) -> FloatArray:
        """Signed distance to the side walls alone, as if the body had no end plates."""
        x, y, z = np.moveaxis(points, -1, 0)
        t = self.level_fraction(y, z)
        a, b = self._semi(x, y, t)
        return superellipse_distance(x, y, a, b, self.shape.exponent)

    def plate_distance(self, points: FloatArray, superior: bool) -> FloatArray:
        """Distance beyond one end plate: positive outside the body."""
        x, y, z = np.moveaxis(points, -1, 0)
        height = self.endplate(x, y, superior)
        return z - height if superior else height - z

    def distance(self, points: FloatArray) -> FloatArray:
        """Signed distance (…,) of local points (…, 3); negative inside the body."""
        plates = np.maximum(self.plate_distance(points, True), self.plate_distance(points, False))
        return np.maximum(self.wall_distance(points), plates)

    # --- numbers ------------------------------------------------------------------------------------------------

    def rim_points(self) -> dict[str, FloatArray]:
        """The four mid-sagittal rim corners, (3,) local: "anterior_superior", "posterior_inferior" …"""
        result = {}
        for superior, name in ((True, "superior"), (False, "inferior")):
            depth = self.shape.depth_superior_mm if superior else self.shape.depth_inferior_mm
            for sign, side in ((1.0, "anterior"), (-1.0, "posterior")):
                y = np.array(0.5 * sign * depth)
                result[f"{side}_{name}"] = np.array([0.0, float(y), float(self.rim_plane(y, superior))])
        return result

    def centre_points(self) -> dict[str, FloatArray]:
        """The centres of the two end plates, (3,) local."""
        zero = np.array(0.0)
        return {
            name: np.array([0.0, 0.0, float(self.endplate(zero, zero, superior))])
            for superior, name in ((True, "superior"), (False, "inferior"))
        }

    @cached_property
    def anterior_height_mm(self) -> float:
        """Rim to rim in front."""
        rims = self.rim_points()
        return float(np.linalg.norm(rims["anterior_superior"] - rims["anterior_inferior"]))

    @cached_property
    def posterior_height_mm(self) -> float:
        """Rim to rim behind."""
        rims = self.rim_points()
        return float(np.linalg.norm(rims["posterior_superior"] - rims["posterior_inferior"]))

    @cached_property
    def middle_height_mm(self) -> float:
        """Between the centres of the end plates."""
        centres = self.centre_points()
        return float(centres["superior"][2] - centres["inferior"][2])

    def plate_tilt_deg(self, superior: bool) -> float:
        """Slope of the mid-sagittal rim line, degrees, positive where the front is the higher end."""
        rims, name = self.rim_points(), "superior" if superior else "inferior"
        line = rims[f"anterior_{name}"] - rims[f"posterior_{name}"]
        return float(np.degrees(np.arctan2(line[2], line[1])))

    @property
    def wedge_angle_deg(self) -> float:
        """Angle between the rim lines; kyphosis positive."""
        return self.plate_tilt_deg(False) - self.plate_tilt_deg(True)

    def retropulsion_mm(self) -> float:
        """How far the mid-sagittal posterior wall reaches behind the line through its own rims; 0 where it does not."""
        t = np.linspace(-1.0, 1.0, 401)
        wall = self.posterior_extent(np.zeros_like(t), t)
        line = np.interp(t, [-1.0, 1.0], [wall[0], wall[-1]])
        return float(max(0.0, np.max(wall - line)))

    def volumes_ml(self) -> tuple[float, float]:
        """Volume of the body, and of its part in front of the coronal plane at a third of the mid-height depth."""
        return _volumes_ml(self.shape)

    @property
    def mid_depth_mm(self) -> float:
        """Mid-sagittal depth at mid-height, retropulsion included."""
        zero = np.array(0.0)
        return float(self.anterior_extent(zero) + self.posterior_extent(zero, zero))

    @property
    def third_plane_mm(self) -> float:
        """Local y of the coronal plane a third of the mid-height depth in front of the posterior wall."""
        zero = np.array(0.0)
        return float(-self.posterior_extent(zero, zero) + self.mid_depth_mm / 3.0)

    @property
    def mid_width_mm(self) -> float:
        """Width at mid-height."""
        return float(2.0 * self.half_width(np.array(0.0)))

    def cleft(self) -> Ellipsoid | None:
        """The gas cleft, local."""
        fracture = self.shape.fracture
        if fracture.cleft_semi_mm is None:
            return None
        zero = np.array(0.0)
        u, v, w = fracture.cleft_centre
        x, y = u * float(self.half_width(zero)), v * float(self.anterior_extent(zero))
        top = float(self.endplate(np.array(x), np.array(y), True))
        bottom = float(self.endplate(np.array(x), np.array(y), False))
        z = 0.5 * (top + bottom) + w * 0.5 * (top - bottom)
        return Ellipsoid(np.array([x, y, z]), np.array(fracture.cleft_semi_mm))


@lru_cache(maxsize=256)
def _volumes_ml(shape: VertebraShape) -> tuple[float, float]:
    """See :meth:`Body.volumes_ml`: counting the points of a fine grid inside the analytic solid."""
    body = Body(shape)
    half = np.array(
        [
            0.5 * max(shape.width_superior_mm, shape.width_inferior_mm),
            0.5 * max(shape.depth_superior_mm, shape.depth_inferior_mm)
            + shape.posterior_concavity_mm
            + shape.fracture.retropulsion_mm,
            0.5 * max(shape.posterior_height_mm, shape.anterior_height_mm),
        ]
    )
    axes = [np.arange(-h - 1.0, h + 1.0, VOLUME_STEP_MM) + 0.5 * VOLUME_STEP_MM for h in half]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    inside = body.distance(points) <= 0.0
    voxel = VOLUME_STEP_MM**3 / 1000.0
    front = inside & (points[..., 1] > body.third_plane_mm)
    return float(inside.sum() * voxel), float(front.sum() * voxel)
