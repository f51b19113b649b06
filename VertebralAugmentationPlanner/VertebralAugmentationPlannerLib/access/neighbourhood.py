"""The cost of a line and of its neighbours, smooth, with its entry cortex held still.

Distances to the surface points are turned into one smooth smallest distance for each group of them (softmin), so that
gradients are exact and the optimum does not depend on where the grid's nodes fall.
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
from .isthmus import IsthmusPlane
from .near import EntryCortex, Group, Nearby, Ray
from .target import DEPTH_FRACTION_RANGE, PREFERRED_DEPTH_FRACTION, TargetSpace
from .wishes import CORE, EVERY, Floor, Goal, Wishes

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

SQUARE_ENOUGH = float(np.cos(np.deg2rad(30.0)))
OBLIQUE_PRICE = 8.0
"""Cortex met more obliquely than 30° lets a trocar slide, and makes the clearance lean on how the cortex's direction is
read. Price in mm of clearance: 0.2 at 45°, 1.1 at 60° [D]."""

HEIGHT_WEIGHT, MIDLINE_WEIGHT, DEPTH_WEIGHT, OBLIQUITY_WEIGHT = (8.0, 0.7, 0.8, 0.3)
MIDLINE_SCALE_MM = 3.0
DEPTH_SCALE = 0.06
CENTRE_WEIGHT, CENTRE_SCALE_MM = 0.5, 5.0
"""Soft wishes: tip at mid-height (per half height), near its lateral target, at the preferred depth; the isthmus
crossed half-way up (a pedicle is higher than wide, so that its walls leave this open); the cortex met squarely. With the
lost clearance that a :class:`.wishes.Floor` prices strictly convex in all five numbers, so that the optimum is one and
moves no farther than the anatomy does [D]."""


@dataclass(frozen=True, eq=False)
class LineNumbers:
    """The five numbers that move a line: where it crosses the isthmus (u, v), and its tip's x, depth and z, all in mm.

    Posterior wall and depth of the body are taken as straight over the height around one tip.

    Args:
        z0: height of that tip, local mm.
        wall, depth: the body's posterior wall and depth there, local mm, and their slopes by z.
    """

    isthmus: IsthmusPlane
    z0: float
    wall: tuple[float, float]
    depth: tuple[float, float]

    @classmethod
    def around(cls, isthmus: IsthmusPlane, target: TargetSpace, tip: FloatArray) -> LineNumbers:
        """For lines whose tip lies near this one."""
        z0 = float(tip[2])
        wall, depth = (_value_and_slope(target.z_mm, values, z0) for values in (target.wall_mm, target.depth_mm))
        return cls(isthmus, z0, wall, depth)

    def ends(self, numbers: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The crossing (3,) and the tip (3,) of a line."""
        u, v, x, fraction, z = numbers
        y = self._at(self.wall, z) + fraction / DEPTH_UNIT_MM * self._at(self.depth, z)
        return self.isthmus.to_local(np.array([u, v])), np.array([x, y, z])

    def gradient(self, numbers: FloatArray, by_a: FloatArray, by_tip: FloatArray) -> FloatArray:
        """(5,) by the five numbers, from the gradients (3,) by crossing and tip."""
        _, _, _, fraction, z = numbers
        dy_dz = self.wall[1] + fraction / DEPTH_UNIT_MM * self.depth[1]
        return np.array(
            [
                by_a @ self.isthmus.across,
                by_a @ self.isthmus.up,
                by_tip[0],
                by_tip[1] * self._at(self.depth, z) / DEPTH_UNIT_MM,
                by_tip[2] + by_tip[1] * dy_dz,
            ]
        )

    def _at(self, straight: tuple[float, float], z: float) -> float:
        return straight[0] + straight[1] * (z - self.z0)


@dataclass(frozen=True, eq=False)
class Neighbourhood:
    """The smooth problem around one line, with its entry cortex held still.

    Args:
        near: the surface points around the line.
        cortex: where it enters the bone.
        numbers: what moves it; ``start`` (5,) are its own.
        middle, half_height: half-way between the end plates at its tip, local z, and half of what they are apart, mm.
    """

    evaluator: PathEvaluator
    wishes: Wishes
    goal: Goal
    line: Line
    near: Nearby
    cortex: EntryCortex
    numbers: LineNumbers
    start: FloatArray
    middle: float
    half_height: float

    @classmethod
    def around(cls, evaluator: PathEvaluator, line: Line, wishes: Wishes, goal: Goal) -> Neighbourhood:
        """What surrounds a line, with the entry cortex read where the line meets it."""
        direction = unit(line.tip - line.crossing)
        entry = evaluator.bone_entry(line.crossing, direction)
        cortex = EntryCortex(entry, evaluator.entry_normal(entry, direction))
        isthmus, target = evaluator.isthmus, evaluator.space.target
        x, y, z = line.tip
        low, high = (float(h) for h in target.plates_at(x, y))
        return cls(
            evaluator=evaluator,
            wishes=wishes,
            goal=goal,
            line=line,
            near=Nearby.of(evaluator, line, wishes, cortex),
            cortex=cortex,
            numbers=LineNumbers.around(isthmus, target, line.tip),
            start=np.array([*isthmus.to_plane(line.crossing), x, DEPTH_UNIT_MM * target.fraction_at(line.tip), z]),
            middle=0.5 * (low + high),
            half_height=max(0.5 * (high - low), 2.0),
        )

    @property
    def core_mm(self) -> float:
        """Smallest clearance of the line itself along the pedicle and to the canal."""
        return float(self.near.groups[CORE].clearance(self._ray(self.line.crossing, self.line.tip)).min())

    @cached_property
    def soft_core_mm(self) -> float:
        """The same as the search sees it, softened: lower by what several walls at one distance count together."""
        return self._softened(CORE)

    @cached_property
    def soft_every_mm(self) -> float:
        """Its softened smallest clearance to every wall from the entry to the tip."""
        return self._softened(EVERY)

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
        return Line(*self.numbers.ends(result.x))

    def cost(self, numbers: FloatArray) -> tuple[float, FloatArray]:
        """The cost of a line and its gradient (5,)."""
        ray = self._ray(*self.numbers.ends(numbers))
        by_a, by_tip = np.zeros(3), np.zeros(3)
        total = 0.0
        for name, group in self.near.groups.items():
            if name not in (CORE, EVERY) and _surely_kept(group, ray):
                continue
            clearance, clearance_by_a, clearance_by_tip = self._nearest(group, ray)
            if clearance == np.inf:
                continue  # all of it is entry cortex
            price, fall = self.goal.price(name, clearance)
            total += price
            by_a -= fall * clearance_by_a
            by_tip -= fall * clearance_by_tip
        price, turn = self._slippery(ray)
        total, by_a, by_tip = total + price, by_a - turn, by_tip + turn
        slope: FloatArray = np.zeros(5)
        if isinstance(self.goal, Floor):
            price, slope, turn = self._unwished(numbers, ray)
            total, by_a, by_tip = total + price, by_a - turn, by_tip + turn
        return total, slope + self.numbers.gradient(numbers, by_a, by_tip)

    def _slippery(self, ray: Ray) -> tuple[float, FloatArray]:
        """Price of cortex met so obliquely that a trocar slides, and its gradient by the tip; by the crossing it is the
        opposite."""
        square = -float(ray.span @ self.cortex.normal) / ray.length
        short = SQUARE_ENOUGH - square
        if short <= 0:
            return 0.0, np.zeros(3)
        turn = 2 * OBLIQUE_PRICE * short * (self.cortex.normal + square * ray.span / ray.length) / ray.length
        return OBLIQUE_PRICE * short**2, turn

    def _unwished(self, numbers: FloatArray, ray: Ray) -> tuple[float, FloatArray, FloatArray]:
        """Price of what the soft wishes miss, its gradient (5,) by the five numbers, and what the obliquity adds by the tip
        (by the crossing the opposite)."""
        _, v, x, fraction, z = numbers
        off = np.array(
            [
                (z - self.middle) / self.half_height,
                (x - self.wishes.preferred_x) / MIDLINE_SCALE_MM,
                (fraction / DEPTH_UNIT_MM - PREFERRED_DEPTH_FRACTION) / DEPTH_SCALE,
                v / CENTRE_SCALE_MM,
            ]
        )
        weight = np.array([HEIGHT_WEIGHT, MIDLINE_WEIGHT, DEPTH_WEIGHT, CENTRE_WEIGHT])
        by_z, by_x, by_fraction, by_v = (
            2 * weight * off / [self.half_height, MIDLINE_SCALE_MM, DEPTH_SCALE, CENTRE_SCALE_MM]
        )
        direction = ray.span / ray.length
        square = -float(direction @ self.cortex.normal)
        price = float(weight @ off**2) + OBLIQUITY_WEIGHT * (1.0 - square)
        turn = OBLIQUITY_WEIGHT * (self.cortex.normal + square * direction) / ray.length
        return price, np.array([0.0, by_v, by_x, by_fraction / DEPTH_UNIT_MM, by_z]), turn

    def _ray(self, a: FloatArray, b: FloatArray) -> Ray:
        return Ray.past(self.near.rows, self.near.squared, a, b, self.evaluator.isthmus.axis)

    def _softened(self, name: int) -> float:
        return self._nearest(self.near.groups[name], self._ray(self.line.crossing, self.line.tip))[0]

    def _nearest(self, group: Group, ray: Ray) -> tuple[float, FloatArray, FloatArray]:
        """Softmin of what the line keeps from a group beyond its need, and its gradients by crossing and tip."""
        clearance = group.clearance(ray)
        low = float(clearance.min())
        if low == np.inf:
            return low, np.zeros(3), np.zeros(3)
        few = (clearance < low + NO_WEIGHT_MM).nonzero()[0]
        weight = np.exp((low - clearance.take(few)) / TEMPERATURE_MM)
        total = float(weight.sum())
        points = self.near.points.take(few + group.range.start, axis=0)
        by_a, by_tip = group.gradient(ray, points, few, weight / total)
        return low - TEMPERATURE_MM * math.log(total), by_a, by_tip


def _surely_kept(group: Group, ray: Ray) -> bool:
    """Whether a group keeps its need for certain: it keeps at least its distance, and N points count together by
    at most log N softnesses."""
    kept = float(ray.distance[group.range].min()) - group.needed
    return kept > TEMPERATURE_MM * math.log(group.range.stop - group.range.start)


def _value_and_slope(x: FloatArray, values: FloatArray, at: float) -> tuple[float, float]:
    low, here, high = np.interp([at - 1.0, at, at + 1.0], x, values)
    return float(here), float(high - low) / 2.0
