"""The isthmus of a pedicle as a window that a needle must pass."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..model import Pedicle
from ..model.geometry import FloatArray, unit


@dataclass(frozen=True, eq=False)
class IsthmusPlane:
    """The plane of the narrowest section, with its outline in two coordinates.

    Args:
        centre: (3,) local mm.
        axis: (3,) unit, posterior → anterior.
        across, up: (3,) unit axes of the plane, towards the patient's right and towards the head.
        polygon: (N, 2) outline in (across, up), mm from the centre.
    """

    centre: FloatArray
    axis: FloatArray
    across: FloatArray
    up: FloatArray
    polygon: FloatArray

    @classmethod
    def of(cls, pedicle: Pedicle) -> IsthmusPlane:
        """The isthmus of a pedicle."""
        axis = unit(pedicle.axis)
        across = unit(np.array([1.0, 0.0, 0.0]) - axis[0] * axis)
        up = np.cross(across, axis)
        offset = np.asarray(pedicle.outline, float) - pedicle.centre
        return cls(np.asarray(pedicle.centre, float), axis, across, up, np.stack([offset @ across, offset @ up], -1))

    def depth_of(self, points: FloatArray) -> FloatArray:
        """Distance (…) along the pedicle's axis in front of the isthmus, mm; negative behind it."""
        return np.asarray((points - self.centre) @ self.axis)

    def off_axis(self, points: FloatArray) -> FloatArray:
        """Distance (N,) of points (N, 3) from the pedicle's axis, mm."""
        across = points - self.centre - self.depth_of(points)[:, None] * self.axis
        return np.asarray(np.sqrt(np.einsum("ij,ij->i", across, across)))

    def to_local(self, plane: FloatArray) -> FloatArray:
        """Local points (…, 3) of plane coordinates (…, 2)."""
        plane = np.asarray(plane, float)
        return np.asarray(self.centre + plane[..., :1] * self.across + plane[..., 1:] * self.up)

    def to_plane(self, points: FloatArray) -> FloatArray:
        """Plane coordinates (…, 2) of local points (…, 3), projected along the axis."""
        offset = points - self.centre
        return np.stack([offset @ self.across, offset @ self.up], axis=-1)

    def crossing(self, point: FloatArray, direction: FloatArray) -> FloatArray | None:
        """Where a line crosses the plane; None where it runs along it."""
        rate = float(direction @ self.axis)
        if abs(rate) < 1e-3:
            return None
        return np.asarray(point - direction * float(self.depth_of(point)) / rate)

    def contains(self, points: FloatArray) -> NDArray[np.bool_]:
        """Whether points (…, 3) of the plane lie inside the outline (even–odd rule)."""
        plane = self.to_plane(np.asarray(points, float))
        x, y = plane[..., 0, None], plane[..., 1, None]
        x0, y0 = self.polygon.T
        x1, y1 = np.roll(self.polygon, -1, axis=0).T
        straddles = (y0 > y) != (y1 > y)
        height = np.where(y1 == y0, 1.0, y1 - y0)
        hits = straddles & (x < x0 + (y - y0) * (x1 - x0) / height)
        return np.asarray(hits.sum(axis=-1) % 2 == 1)
