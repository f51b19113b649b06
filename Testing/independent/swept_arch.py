"""Pedicles, laminae, facets and processes as elliptical tubes swept along curves. Local frame as in lofted_body."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.spatial import cKDTree


@dataclass(frozen=True)
class Tube:
    """An elliptical section swept along a spline through ``knots`` (n, 3); ``wide`` and ``high`` are half-axes (n,)."""

    knots: np.ndarray
    wide: np.ndarray
    high: np.ndarray

    def frames(self, count: int = 160):
        """Samples along the axis: points, tangents, across and up (count, 3) and half-axes (count,)."""
        run = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(self.knots, axis=0), axis=1))])
        at = np.linspace(0, run[-1], count)
        natural = {"bc_type": "natural"}
        axis = CubicSpline(run, self.knots, **natural)
        points, tangents = axis(at), axis(at, 1)
        tangents /= np.linalg.norm(tangents, axis=1, keepdims=True)
        up = np.array([0.0, 0.0, 1.0]) if abs(tangents[count // 2, 2]) < 0.75 else np.array([0.0, 1.0, 0.0])
        across = np.cross(tangents, up)
        across /= np.linalg.norm(across, axis=1, keepdims=True)
        wide, high = CubicSpline(run, self.wide, **natural)(at), CubicSpline(run, self.high, **natural)(at)
        return points, tangents, across, np.cross(across, tangents), wide, high

    def contains(self, points):
        """Which of the points (n, 3) lie in the tube; its ends are flat."""
        axis, tangents, across, up, wide, high = self.frames()
        reach = max(wide.max(), high.max()) + 1.0
        near = ((points > axis.min(0) - reach) & (points < axis.max(0) + reach)).all(1)
        result = np.zeros(len(points), bool)
        distance, which = cKDTree(axis).query(points[near], distance_upper_bound=reach)
        met = np.isfinite(distance)
        which = which[met]
        offset = points[near][met] - axis[which]
        u = (offset * across[which]).sum(1) / wide[which]
        v = (offset * up[which]).sum(1) / high[which]
        within = np.abs((offset * tangents[which]).sum(1)) < 1.0
        inside = np.zeros(len(distance), bool)
        inside[met] = (u**2 + v**2 < 1) & within
        result[np.flatnonzero(near)[inside]] = True
        return result

    def mirrored(self) -> Tube:
        """The same on the other side."""
        return replace(self, knots=self.knots * [-1, 1, 1])


@dataclass(frozen=True)
class Arch:
    """Sizes of an arch, mm and degrees; ``width_left`` where the left pedicle is another one."""

    width: float
    height: float
    convergence: float
    canal_width: float
    canal_depth: float
    scale: float = 1.0  # of laminae and processes
    rise: float = 4.0  # of the pedicles above mid-body
    width_left: float | None = None
    thoracic: bool = False

    def isthmus(self, side: str, wall: float) -> np.ndarray:
        """Centre of the isthmus of a side, local mm; ``wall`` is y of the posterior wall."""
        sign = 1.0 if side == "right" else -1.0
        # The inner wall touches the canal, whatever the width.
        return np.array([sign * (0.44 * self.canal_width + self.pedicle_width(side) / 2), wall - 5.0, self.rise])

    def pedicle_width(self, side: str) -> float:
        """Width of the isthmus, mm."""
        return self.width_left if side == "left" and self.width_left is not None else self.width

    def pedicle(self, side: str, wall: float) -> Tube:
        """A tube that is narrowest at the isthmus, its axis bowed outwards."""
        centre = self.isthmus("right", wall) if side == "right" else self.isthmus("left", wall) * [-1, 1, 1]
        inward = np.tan(np.radians(self.convergence))
        s = np.array([-10.0, -6, -3, 0, 3, 6, 11])
        knots = np.stack([centre[0] - inward * s - 0.008 * s**2, centre[1] + s, centre[2] - 0.06 * s], 1)
        half = self.pedicle_width(side) / 2
        tube = Tube(knots, half * (1 + 0.009 * s**2), self.height / 2 * (1 + 0.004 * s**2))
        return tube if side == "right" else tube.mirrored()

    def canal_centre(self, wall: float) -> float:
        """y of the middle of the canal."""
        return wall - 0.5 - self.canal_depth / 2

    def in_canal(self, points, wall: float):
        """Which points lie in the tunnel that is kept free of arch."""
        y = points[:, 1] - self.canal_centre(wall)
        return (points[:, 0] / (self.canal_width / 2)) ** 2 + (y / (self.canal_depth / 2)) ** 2 < 1

    def posterior_tubes(self, wall: float) -> list[Tube]:
        """Pillars with both facets, laminae, transverse processes and the spinous process."""
        k, z = self.scale, self.rise
        x, y, _ = self.isthmus("right", wall)
        x = max(x, 0.44 * self.canal_width + 3.0)
        back = self.canal_centre(wall) - self.canal_depth / 2
        up, down = 13 * k, 20 * k
        pillar = Tube(
            np.array(
                [
                    [x + 2.5, y - 7, z + up],
                    [x + 1.5, y - 9, z + 2],
                    [x - 1, y - 12, z - 8 * k],
                    [x - 3.5, y - 15, z - down],
                ]
            ),
            np.array([4.0, 5.5, 5.0, 4.0]) * k,
            np.array([3.2, 4.5, 4.5, 3.2]) * k,
        )
        lamina = Tube(
            np.array([[x - 0.5, y - 11, z - 4 * k], [x * 0.55, back - 0.5, z - 6 * k], [0.0, back - 3.5, z - 8 * k]]),
            np.array([3.6, 3.2, 3.4]) * k,
            np.array([8.0, 8.5, 9.0]) * k,
        )
        outwards = (13.0 if self.thoracic else 22.0) * k
        transverse = Tube(
            np.array(
                [
                    [x, y - 9, z],
                    [x + outwards * 0.5, y - 12, z + 1],
                    [x + outwards, y - (19 if self.thoracic else 13), z + 3],
                ]
            ),
            np.array([4.0, 3.3, 3.8]) * k,
            np.array([5.0, 4.0, 4.5]) * k,
        )
        drop = (22.0 if self.thoracic else 6.0) * k
        spinous = Tube(
            np.array(
                [
                    [0.0, back - 1.5, z - 8 * k],
                    [0.0, back - 14 * k, z - 9 * k - drop * 0.4],
                    [0.0, back - 27 * k, z - 10 * k - drop],
                ]
            ),
            np.array([3.2, 2.6, 3.4]) * k,
            np.array([8.0, 7.0, 6.0]) * k * (0.6 if self.thoracic else 1.0),
        )
        sides = [pillar, lamina, transverse]
        return [*sides, *[tube.mirrored() for tube in sides], spinous]
