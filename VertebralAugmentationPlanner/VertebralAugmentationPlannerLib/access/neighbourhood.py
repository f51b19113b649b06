"""The cost of a line and of its neighbours, smooth, with its entry cortex held still.

Five numbers move: the crossing of the isthmus (u, v), and the tip (x, depth fraction, z). Distances to the surface
points are turned into one smooth smallest distance for each kind of wall (softmin), so that gradients are exact and
the optimum does not depend on where the grid's nodes fall.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import optimize

from ..model.geometry import FloatArray, unit
from .candidates import Line
from .clearance import PathEvaluator
from .near import (
    CORE,
    ENTRY,
    EVERY,
    EVERY_MM,
    RIM,
    Group,
    Nearby,
    Ray,
    Wishes,
    depth_along,
    depth_gradient,
    from_pedicle,
    groups_near,
)
from .surface import ANTERIOR, ENDPLATE, LATERAL, NEIGHBOUR
from .target import DEPTH_FRACTION_RANGE, PREFERRED_DEPTH_FRACTION
from .walls import ball_clearance

TEMPERATURE_MM = 0.05
"""Softness of the smallest distance [D]."""

NO_WEIGHT_MM = 14.0 * TEMPERATURE_MM
"""Points farther off than this beyond the nearest weigh less than a millionth in it [C]."""

TRUST = 0.45
"""Share of the present clearance by which one round may move the crossing: no wall can be jumped [D]."""

DEPTH_UNIT_MM = 30.0
"""The depth fraction is moved in units of a millimetre of a typical body, so that all five numbers weigh alike."""

MINIMUM_TRUST_MM = 0.4
TRUST_SHAPE = np.array([1.0, 1.0, 2.0, 2.0, 2.0])
"""The tip may move twice as far as the crossing: it is twice as far from the walls' pivot."""

PRICE = {RIM: 6.0, EVERY: 6.0, ENTRY: 2.0, NEIGHBOUR: 6.0, ENDPLATE: 0.3, ANTERIOR: 0.3, LATERAL: 0.3}
"""Price of a short margin while the clearance is made as large as it can be: mm of clearance a mm. What makes a path
a breach is dear. The margins in the body only break ties: where both can't be had the pedicle comes first [D]."""

WISHED_PRICE = {RIM: 20.0, ENTRY: 20.0, NEIGHBOUR: 20.0, ENDPLATE: 12.0, ANTERIOR: 12.0, LATERAL: 12.0}
"""The same once the clearance is set: every margin goes before the soft wishes, none before the clearance [D]."""

PRICE_BEND_MM = 0.15
"""Below this a price rises like a parabola, so that its slope is continuous [D]."""

SQUARE_ENOUGH = float(np.cos(np.deg2rad(30.0)))
OBLIQUE_PRICE = 8.0
"""Cortex met more obliquely than 30° lets a trocar slide, and makes the clearance lean on how the cortex's direction is
read. Price in mm of clearance: 0.2 at 45°, 1.1 at 60° [D]."""

HEIGHT_WEIGHT, MIDLINE_WEIGHT, DEPTH_WEIGHT, OBLIQUITY_WEIGHT = (8.0, 0.7, 0.8, 0.3)
MIDLINE_SCALE_MM = 3.0
DEPTH_SCALE = 0.06
CENTRE_WEIGHT, CENTRE_SCALE_MM = 0.5, 5.0
FLOOR_WEIGHT = 2000.0
LOSS_WEIGHT = {CORE: 2000.0, EVERY: 350.0}
"""Soft wishes: tip at mid-height (per half height), near its lateral target, at the preferred depth; the isthmus
crossed half-way up (a pedicle is higher than wide, so that its walls leave this open); the cortex met squarely; little
clearance lost, in the pedicle and on the whole way (each as a share of the largest there is). Strictly convex in all five numbers, so that the optimum is one and moves
no farther than the anatomy does [D]."""


@dataclass(frozen=True)
class Floor:
    """What the soft wishes must leave.

    Args:
        core_mm: the largest clearance along the pedicle and to the canal, from the axis.
        every_mm: the largest to every wall from the entry to the tip; both as softened smallest distances.
        share: of either that must be left.
    """

    core_mm: float
    every_mm: float
    share: float


@dataclass(frozen=True, eq=False)
class Neighbourhood:
    """The smooth problem around one line, with its entry cortex held still."""

    evaluator: PathEvaluator
    wishes: Wishes
    line: Line
    floor: Floor | None
    aim: int
    near: Nearby
    entry: FloatArray
    normal: FloatArray
    start: FloatArray
    wall: tuple[float, float]
    depth: tuple[float, float]
    z0: float
    middle: float
    half_height: float

    @classmethod
    def around(
        cls, evaluator: PathEvaluator, line: Line, wishes: Wishes, floor: Floor | None, aim: int = CORE
    ) -> Neighbourhood:
        """What surrounds a line, with the entry cortex read where the line meets it; see the class for the rest.

        ``aim`` is the clearance that is made as large as it can be where there is no floor yet: CORE or EVERY.
        """
        direction = unit(line.tip - line.crossing)
        entry = evaluator.bone_entry(line.crossing, direction)
        normal = evaluator.entry_normal(entry, direction)
        near = groups_near(evaluator, line, wishes, entry, normal)
        target = evaluator.space.target
        z = float(line.tip[2])
        wall, depth = (
            (float(np.interp(z, target.z_mm, values)), _slope(target.z_mm, values, z))
            for values in (target.wall_mm, target.depth_mm)
        )
        low, high = (float(h) for h in target.plates_at(line.tip[0], line.tip[1]))
        parameters = np.concatenate(
            [evaluator.isthmus.to_plane(line.crossing), [line.tip[0], DEPTH_UNIT_MM * target.fraction_at(line.tip), z]]
        )
        return cls(
            evaluator=evaluator,
            wishes=wishes,
            line=line,
            floor=floor,
            aim=aim,
            near=near,
            entry=entry,
            normal=normal,
            start=parameters,
            wall=wall,
            depth=depth,
            z0=z,
            middle=0.5 * (low + high),
            half_height=max(0.5 * (high - low), 2.0),
        )

    @property
    def core_mm(self) -> float:
        """Smallest clearance of the line itself along the pedicle and to the canal."""
        core = self.near.groups[CORE]
        return float(self._excess(CORE, core, self._ray(self.line.crossing, self.line.tip))[0].min())

    @cached_property
    def soft_core_mm(self) -> float:
        """The same as the search sees it, softened: lower by what several walls at one distance count together."""
        return self._nearest(CORE, self._ray(self.line.crossing, self.line.tip))[0]

    @cached_property
    def soft_every_mm(self) -> float:
        """Its softened smallest clearance to every wall from the entry to the tip."""
        return self._nearest(EVERY, self._ray(self.line.crossing, self.line.tip))[0]

    @cached_property
    def cost_here(self) -> float:
        """Cost of the line itself."""
        return self.cost(self.start)[0]

    def minimise(self, reach: float) -> Line:
        """The line of least cost within a share ``reach`` of the trusted range."""
        trust = reach * TRUST * max(MINIMUM_TRUST_MM, self.core_mm) * TRUST_SHAPE
        lower, upper = self.start - trust, self.start + trust
        for index, limits in ((2, self.wishes.reach_x), (3, DEPTH_UNIT_MM * np.array(DEPTH_FRACTION_RANGE))):
            lower[index], upper[index] = np.clip([lower[index], upper[index]], *limits)
        result = optimize.minimize(
            self.cost,
            np.clip(self.start, lower, upper),
            jac=True,
            # L-BFGS-B comes to the same lines; since SciPy 1.15 it solves its 20 × 20 systems with as many threads as there are
            # cores, whose waiting for one another takes 30 times as long as the rest.
            method="TNC",
            bounds=list(zip(lower, upper, strict=True)),
            options={"maxfun": 40, "ftol": 1e-4, "gtol": 1e-3},
        )
        a, b, _ = self._points(result.x)
        return Line(a, b)

    def cost(self, parameters: FloatArray) -> tuple[float, FloatArray]:
        """The cost of a line and its gradient (5,)."""
        a, b, dy_dz = self._points(parameters)
        ray = self._ray(a, b)
        grad_a, grad_b = np.zeros(3), np.zeros(3)
        total = 0.0
        for group in self.near.groups:
            if group not in (CORE, EVERY) and self._surely_kept(group, ray):
                continue
            excess, d_a, d_b = self._nearest(group, ray)
            price, rise = self._worth(group, excess) if group in (CORE, EVERY) else self._price(group, -excess)
            total += price
            grad_a -= rise * d_a
            grad_b -= rise * d_b
        steep, steep_b = self._oblique(a, b)
        total += steep
        grad_a -= steep_b
        grad_b += steep_b
        gradient = np.zeros(5)
        if self.floor is not None:
            soft, gradient, soft_a, soft_b = self._soft(parameters, a, b)
            total += soft
            grad_a += soft_a
            grad_b += soft_b
        isthmus = self.evaluator.isthmus
        depth = self.depth[0] + self.depth[1] * (parameters[4] - self.z0)
        gradient += [
            grad_a @ isthmus.across,
            grad_a @ isthmus.up,
            grad_b[0],
            grad_b[1] * depth / DEPTH_UNIT_MM,
            grad_b[2] + grad_b[1] * dy_dz,
        ]
        return total, gradient

    def _oblique(self, a: FloatArray, b: FloatArray) -> tuple[float, FloatArray]:
        """Price of meeting the cortex obliquely, and its gradient by the tip (by the crossing it is the opposite)."""
        span = b - a
        length = float(np.linalg.norm(span))
        square = -float(span @ self.normal) / length
        short = SQUARE_ENOUGH - square
        if short <= 0:
            return 0.0, np.zeros(3)
        return OBLIQUE_PRICE * short**2, 2 * OBLIQUE_PRICE * short * (self.normal + square * span / length) / length

    def _price(self, group: int, short: float) -> tuple[float, float]:
        """Price of a margin that is short by so many mm, and its slope."""
        prices = PRICE if self.floor is None else WISHED_PRICE
        return _bent(prices[group], short) if short > 0 else (0.0, 0.0)

    def _worth(self, group: int, clearance: float) -> tuple[float, float]:
        """What a clearance costs, and how fast that falls with it."""
        if not np.isfinite(clearance):
            return 0.0, 0.0
        if self.floor is None:
            if group == self.aim:
                return -clearance, 1.0
            return self._price(group, EVERY_MM - clearance) if group == EVERY else (0.0, 0.0)
        widest = self.floor.core_mm if group == CORE else self.floor.every_mm
        lost, short = max(0.0, 1.0 - clearance / widest), max(0.0, self.floor.share - clearance / widest)
        weight = LOSS_WEIGHT[group]
        return weight * lost**2 + FLOOR_WEIGHT * short**2, 2 * (weight * lost + FLOOR_WEIGHT * short) / widest

    def _points(self, parameters: FloatArray) -> tuple[FloatArray, FloatArray, float]:
        u, v, x, fraction, z = parameters
        fraction = fraction / DEPTH_UNIT_MM
        wall = self.wall[0] + self.wall[1] * (z - self.z0)
        depth = self.depth[0] + self.depth[1] * (z - self.z0)
        a = self.evaluator.isthmus.to_local(np.array([u, v]))
        return (a, np.array([x, wall + fraction * depth, z]), self.wall[1] + fraction * self.depth[1])

    def _soft(
        self, parameters: FloatArray, a: FloatArray, b: FloatArray
    ) -> tuple[float, FloatArray, FloatArray, FloatArray]:
        _, v, x, fraction, z = parameters
        off = np.array(
            [
                (z - self.middle) / self.half_height,
                (x - self.wishes.preferred_x) / MIDLINE_SCALE_MM,
                (fraction / DEPTH_UNIT_MM - PREFERRED_DEPTH_FRACTION) / DEPTH_SCALE,
                v / CENTRE_SCALE_MM,
            ]
        )
        weight = np.array([HEIGHT_WEIGHT, MIDLINE_WEIGHT, DEPTH_WEIGHT, CENTRE_WEIGHT])
        span = b - a
        length = float(np.linalg.norm(span))
        direction = span / length
        square = float(-direction @ self.normal)
        total = float(weight @ off**2) + OBLIQUITY_WEIGHT * (1.0 - square)
        slope = 2 * weight * off / [self.half_height, MIDLINE_SCALE_MM, DEPTH_SCALE, CENTRE_SCALE_MM]
        gradient = np.array([0.0, slope[3], slope[1], slope[2] / DEPTH_UNIT_MM, slope[0]])
        turn = OBLIQUITY_WEIGHT * (self.normal + square * direction) / length
        return total, gradient, -turn, turn

    def _ray(self, a: FloatArray, b: FloatArray) -> Ray:
        return Ray.past(self.near.rows, self.near.squared, a, b, self.evaluator.isthmus.axis)

    def _surely_kept(self, name: int, ray: Ray) -> bool:
        """Whether a group keeps its need for certain: it keeps at least its distance, and N points count together by
        at most log N softnesses."""
        group = self.near.groups[name]
        kept = float(ray.distance[group.range].min()) - group.needed
        return kept > TEMPERATURE_MM * math.log(group.range.stop - group.range.start)

    def _excess(self, name: int, group: Group, ray: Ray) -> tuple[FloatArray, FloatArray | None, FloatArray | None]:
        """What the line keeps (N,) from a group's points beyond their need; the depth by which they count (as a whole
        where None); and, of the walls, their depth along the needle."""
        distance = ray.distance[group.range]
        if group.held is not None:
            return from_pedicle(ray, distance, ray.share[group.range], group.held), None, None
        if group.depth is None:
            return distance - group.needed, None, None
        if name == RIM:
            return np.maximum(distance - group.needed, -group.depth), None, None
        along = depth_along(ray, self.entry, self.normal, group)
        depth = np.maximum(group.depth, along)
        return ball_clearance(distance, depth) - group.needed, depth, along

    def _nearest(self, name: int, ray: Ray) -> tuple[float, FloatArray, FloatArray]:
        """Softmin of what the line keeps from a group beyond its need, and its gradients by crossing and tip."""
        group = self.near.groups[name]
        excess, depth, along = self._excess(name, group, ray)
        low = float(excess.min())
        if low == np.inf:  # all of it is entry cortex
            return low, np.zeros(3), np.zeros(3)
        held = (excess < low + NO_WEIGHT_MM).nonzero()[0]
        kept = excess.take(held)
        weight = np.exp((low - kept) / TEMPERATURE_MM)
        total = float(weight.sum())
        weight /= total
        at = held + group.range.start
        distance, share, points = ray.distance.take(at), ray.share.take(at), self.near.points.take(at, axis=0)
        # How fast a point's clearance grows with its distance, and which count more the deeper the needle is in.
        rate, deepening = weight, None
        if name == RIM:
            assert group.depth is not None
            rate = weight * (distance - group.needed >= -group.depth.take(held))
        elif depth is not None:
            deep = depth.take(held)
            rim = deep < distance
            slope = np.where(rim, distance / np.where(rim, deep, 1.0), 1.0)
            rate = weight * slope
            if along is not None and group.depth is not None:
                deeper = rim & (along.take(held) > group.depth.take(held))
                if deeper.any():
                    deepening = weight * np.where(deeper, 0.5 - 0.5 * slope**2, 0.0)
        behind = None
        if group.held is not None:
            behind = group.held.take(held) & (share < ray.first)
            distance, share = kept, np.where(behind, ray.first, share)
        pull = rate / distance
        away = points - ray.a - share[:, None] * ray.span
        d_b = -(away.T @ (pull * share))
        d_a = -(away.T @ pull) - d_b
        if behind is not None and behind.any():
            # The pedicle's beginning moves along a line that turns.
            axis = self.evaluator.isthmus.axis
            moves = float((pull * behind) @ (away @ ray.span)) * ray.first / float(ray.span @ axis) * axis
            d_a, d_b = d_a - moves, d_b + moves
        if deepening is not None:
            deeper_a, deeper_b = depth_gradient(points, deepening, ray, self.entry, self.normal)
            d_a, d_b = d_a + deeper_a, d_b + deeper_b
        return low - TEMPERATURE_MM * math.log(total), d_a, d_b


def _bent(price: float, short: float) -> tuple[float, float]:
    """A price by the mm that starts like a parabola, and its slope."""
    root = float(np.hypot(short, PRICE_BEND_MM))
    return price * (root - PRICE_BEND_MM), price * short / root


def _slope(x: FloatArray, values: FloatArray, at: float) -> float:
    low, high = np.interp([at - 1.0, at + 1.0], x, values)
    return float(high - low) / 2.0
