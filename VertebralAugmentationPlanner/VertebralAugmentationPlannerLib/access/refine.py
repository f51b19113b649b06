"""The local half of the search: one line moved continuously until nothing is left to gain.

Five numbers move: the crossing of the isthmus (u, v), and the tip (x, depth fraction, z). Distances to the surface
points are turned into one smooth smallest distance for each kind of wall (softmin), so that gradients are exact and
the optimum does not depend on where the grid's nodes fall.

First the smallest clearance along the pedicle and to the canal is made as large as it can be. Then, among the lines
that keep all but a few hundredths of that, the soft wishes decide.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize

from ..model import Margins
from ..model.geometry import FloatArray, unit
from .candidates import Line
from .clearance import OUTSIDE_REACH_MM, PathEvaluator
from .surface import ANTERIOR, CANAL, ENDPLATE, LATERAL, NEIGHBOUR, WALL
from .target import DEPTH_FRACTION_RANGE, PREFERRED_DEPTH_FRACTION

CORE, RIM, CONE = 10, 11, 12
"""WALL, split for the search: the pedicle proper; the rim of the entry hole, which must not be broken; and the same
rim again, which should stay outside the cone of 45° in which it would count as a wall."""

RIM_MM = 0.1
"""The cannula stays this far inside the rim of its hole, so that it is not broken [D]."""

TEMPERATURES_MM = (0.25, 0.07)
"""Softness of the smallest distance, coarse then fine, mm [D]."""

LOOK_MM = 5.0
"""Surface points farther from the line than the nearest of their kind by more than this don't enter [D]."""

TRUST = 0.45
"""Share of the present clearance by which one round may move the crossing: no wall can be jumped [D]."""

ROUNDS = 5
SETTLED_MM = 0.05

PRICE = {RIM: 6.0, CONE: 2.0, NEIGHBOUR: 6.0, ENDPLATE: 0.3, ANTERIOR: 0.3, LATERAL: 0.3}
"""Price of a short margin while the clearance is made as large as it can be: mm of clearance a mm. What makes a path
a breach is dear. The margins in the body only break ties: where both can't be had the pedicle comes first [D]."""

WISHED_PRICE = {RIM: 60.0, CONE: 20.0, NEIGHBOUR: 60.0, ENDPLATE: 20.0, ANTERIOR: 20.0, LATERAL: 20.0}
"""The same per mm² once the clearance is set: every margin goes before the soft wishes [D]."""

PRICE_BEND_MM = 0.3
"""Below this the price rises like a parabola, so that its slope is continuous [D]."""

BUFFER_MM = 0.05
"""Margins are aimed at with this in hand, because a price is never paid in full [D]."""

FLOOR_WEIGHT = 60.0
HEIGHT_WEIGHT, MIDLINE_WEIGHT, DEPTH_WEIGHT, OBLIQUITY_WEIGHT, SLACK_WEIGHT = (1.0, 0.35, 0.4, 0.6, 0.15)
MIDLINE_SCALE_MM = 3.0
DEPTH_SCALE = 0.06
"""Soft wishes: tip at mid-height (per half height), near its lateral target, at the preferred depth; the cortex met
squarely; still more slack. Convex in the tip, so that the optimum is one [D]."""

TIP_FLAT_END = 0.4
"""The tube's end is flat: with the anterior cortex ~25° off square, its rim stands ahead of the axis by
r·sin 25° [C]."""


@dataclass(frozen=True)
class Wishes:
    """What one refinement strives for.

    Args:
        radius_mm: of the cannula.
        margins: to keep from the surface.
        reach_x: allowed range of the tip's local x, mm.
        preferred_x: the best local x of the tip.
    """

    radius_mm: float
    margins: Margins
    reach_x: tuple[float, float]
    preferred_x: float

    def needed(self) -> dict[int, float]:
        """Distance of the axis to each kind of wall that keeps the margins, mm."""
        radius, margins = self.radius_mm + BUFFER_MM, self.margins
        return {
            ENDPLATE: radius + margins.endplate_mm,
            ANTERIOR: TIP_FLAT_END * radius + margins.anterior_wall_mm,
            LATERAL: radius + margins.lateral_wall_mm,
            NEIGHBOUR: radius + margins.neighbour_mm,
        }


@dataclass(frozen=True, eq=False)
class Refined:
    """A refined line.

    Args:
        line: where it ended.
        core_mm: its smallest clearance along the pedicle and to the canal, from the axis.
        cost: what was minimised; comparable between refinements with the same wishes and floor.
    """

    line: Line
    core_mm: float
    cost: float


def widest_line(evaluator: PathEvaluator, start: Line, wishes: Wishes) -> Refined:
    """Move a line to the largest clearance along the pedicle and to the canal, less the price of short margins."""
    return _settle(evaluator, start, wishes, floor=None)


def best_line(evaluator: PathEvaluator, start: Line, wishes: Wishes, floor_mm: float) -> Refined:
    """Among the lines with at least this clearance, move to the one that keeps the margins and meets the wishes best."""
    return _settle(evaluator, start, wishes, floor=floor_mm)


def _settle(evaluator: PathEvaluator, line: Line, wishes: Wishes, floor: float | None) -> Refined:
    result = Refined(line, 0.0, np.inf)
    for round_number in range(ROUNDS):
        temperature = TEMPERATURES_MM[min(round_number, 1)]
        result = _Neighbourhood.around(evaluator, line, wishes, temperature, floor).minimise()
        moved = result.line
        step = float(np.linalg.norm(moved.crossing - line.crossing) + np.linalg.norm(moved.tip - line.tip))
        line = moved
        if step < SETTLED_MM and round_number > 0:
            break
    return result


@dataclass(frozen=True, eq=False)
class _Group:
    """Surface points (N, 3) of one kind near a line, and the distance (N,) or () that the axis needs from them."""

    points: FloatArray
    needed: FloatArray


@dataclass(frozen=True, eq=False)
class _Neighbourhood:
    """The smooth problem around one line, with its entry cortex held still."""

    evaluator: PathEvaluator
    wishes: Wishes
    temperature: float
    floor: float | None
    groups: dict[int, _Group]
    normal: FloatArray
    start: FloatArray
    bounds: tuple[FloatArray, FloatArray]
    wall: tuple[float, float]
    depth: tuple[float, float]
    z0: float
    middle: float
    half_height: float

    @classmethod
    def around(
        cls, evaluator: PathEvaluator, line: Line, wishes: Wishes, temperature: float, floor: float | None
    ) -> _Neighbourhood:
        direction = unit(line.tip - line.crossing)
        entry = evaluator.bone_entry(line.crossing, direction)
        normal = evaluator.entry_normal(entry, direction)
        groups = _groups(evaluator, line, wishes, entry, normal)
        target = evaluator.space.target
        z = float(line.tip[2])
        wall, depth = (
            (float(np.interp(z, target.z_mm, values)), _slope(target.z_mm, values, z))
            for values in (target.wall_mm, target.depth_mm)
        )
        low, high = (float(h) for h in target.plates_at(line.tip[0], line.tip[1]))
        parameters = np.concatenate(
            [evaluator.isthmus.to_plane(line.crossing), [line.tip[0], target.fraction_at(line.tip), z]]
        )
        core = max(0.4, float(_distances(groups[CORE].points, line.crossing, line.tip)[0].min()))
        trust = TRUST * core * np.array([1.0, 1.0, 2.0, 0.06, 2.0])
        lower, upper = parameters - trust, parameters + trust
        lower[2:4] = np.maximum(lower[2:4], [wishes.reach_x[0], DEPTH_FRACTION_RANGE[0]])
        upper[2:4] = np.minimum(upper[2:4], [wishes.reach_x[1], DEPTH_FRACTION_RANGE[1]])
        return cls(
            evaluator=evaluator,
            wishes=wishes,
            temperature=temperature,
            floor=floor,
            groups=groups,
            normal=normal,
            start=np.clip(parameters, np.minimum(lower, upper), upper),
            bounds=(np.minimum(lower, upper), upper),
            wall=wall,
            depth=depth,
            z0=z,
            middle=0.5 * (low + high),
            half_height=max(0.5 * (high - low), 2.0),
        )

    def minimise(self) -> Refined:
        result = optimize.minimize(
            self.cost,
            self.start,
            jac=True,
            method="L-BFGS-B",
            bounds=list(zip(*self.bounds, strict=True)),
            options={"maxiter": 40, "ftol": 1e-7, "gtol": 1e-4},
        )
        a, b, _ = self._points(result.x)
        core = float(_distances(self.groups[CORE].points, a, b)[0].min())
        return Refined(Line(a, b), core, float(result.fun))

    def cost(self, parameters: FloatArray) -> tuple[float, FloatArray]:
        """The cost of a line and its gradient (5,)."""
        a, b, dy_dz = self._points(parameters)
        core, core_a, core_b = self._nearest(CORE, a, b)
        grad_a, grad_b = np.zeros(3), np.zeros(3)
        total = 0.0
        for group in self.groups:
            if group == CORE:
                continue
            excess, d_a, d_b = self._nearest(group, a, b)
            if excess < 0:
                price, rise = self._price(group, -excess)
                total += price
                grad_a -= rise * d_a
                grad_b -= rise * d_b
        if self.floor is None:
            slope = -1.0
            total -= core
        else:
            short = max(0.0, self.floor - core)
            slope = -2 * FLOOR_WEIGHT * short - SLACK_WEIGHT
            total += FLOOR_WEIGHT * short**2 - SLACK_WEIGHT * core
        grad_a += slope * core_a
        grad_b += slope * core_b
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
            grad_b[1] * depth,
            grad_b[2] + grad_b[1] * dy_dz,
        ]
        return total, gradient

    def _price(self, group: int, short: float) -> tuple[float, float]:
        """Price of a margin that is short by so many mm, and its slope."""
        if self.floor is not None:
            return WISHED_PRICE[group] * short**2, 2 * WISHED_PRICE[group] * short
        root = float(np.hypot(short, PRICE_BEND_MM))
        return PRICE[group] * (root - PRICE_BEND_MM), PRICE[group] * short / root

    def _points(self, parameters: FloatArray) -> tuple[FloatArray, FloatArray, float]:
        u, v, x, fraction, z = parameters
        wall = self.wall[0] + self.wall[1] * (z - self.z0)
        depth = self.depth[0] + self.depth[1] * (z - self.z0)
        a = self.evaluator.isthmus.to_local(np.array([u, v]))
        return (a, np.array([x, wall + fraction * depth, z]), self.wall[1] + fraction * self.depth[1])

    def _soft(
        self, parameters: FloatArray, a: FloatArray, b: FloatArray
    ) -> tuple[float, FloatArray, FloatArray, FloatArray]:
        _, _, x, fraction, z = parameters
        off = np.array(
            [
                (z - self.middle) / self.half_height,
                (x - self.wishes.preferred_x) / MIDLINE_SCALE_MM,
                (fraction - PREFERRED_DEPTH_FRACTION) / DEPTH_SCALE,
            ]
        )
        weight = np.array([HEIGHT_WEIGHT, MIDLINE_WEIGHT, DEPTH_WEIGHT])
        span = b - a
        length = float(np.linalg.norm(span))
        direction = span / length
        square = float(-direction @ self.normal)
        total = float(weight @ off**2) + OBLIQUITY_WEIGHT * (1.0 - square)
        slope = 2 * weight * off / [self.half_height, MIDLINE_SCALE_MM, DEPTH_SCALE]
        gradient = np.array([0.0, 0.0, slope[1], slope[2], slope[0]])
        turn = OBLIQUITY_WEIGHT * (self.normal + square * direction) / length
        return total, gradient, -turn, turn

    def _nearest(self, group: int, a: FloatArray, b: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        """Softmin of what the line keeps from a group beyond its need, and its gradients by crossing and tip."""
        distance, share, away = _distances(self.groups[group].points, a, b)
        excess = distance - self.groups[group].needed
        low = excess.min()
        weight = np.exp((low - excess) / self.temperature)
        total = weight.sum()
        weight /= total * np.maximum(distance, 1e-6)
        pull = weight * share
        d_b = -(away.T @ pull)
        d_a = -(away.T @ weight) - d_b
        return float(low - self.temperature * np.log(total)), d_a, d_b


def _distances(points: FloatArray, a: FloatArray, b: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Distance (N,) of points to the line through ``a`` that ends at ``b``; share a → b; vectors (N, 3) to the points."""
    span = b - a
    squared = float(span @ span)
    offset = points - a
    share = np.minimum(offset @ span / squared, 1.0)
    away = offset - share[:, None] * span
    return np.sqrt(np.einsum("ij,ij->i", away, away)), share, away


def _groups(
    evaluator: PathEvaluator, line: Line, wishes: Wishes, entry: FloatArray, normal: FloatArray
) -> dict[int, _Group]:
    """The surface points that matter near a line, by group."""
    walls = evaluator.coarse
    along = (walls.points - entry) @ unit(line.tip - line.crossing)
    depth = walls.depth_below(entry, normal)
    is_wall = walls.kind == WALL
    met = (depth > 0) & (along >= np.where(walls.kind < CANAL, 0.0, -OUTSIDE_REACH_MM))
    distance = _distances(walls.points, line.crossing, line.tip)[0]
    deep = (is_wall & np.isinf(depth)) | (walls.kind == CANAL)
    widest = float(distance[deep & met].min())
    # Rim of the hole: down to where a cone of 45° has opened to the clearance that the pedicle itself gives.
    rim = is_wall & (depth < widest)
    members = {
        CORE: (is_wall & ~rim) | (walls.kind == CANAL),
        RIM: rim,
        CONE: rim,
        **{kind: walls.kind == kind for kind in (ENDPLATE, ANTERIOR, LATERAL, NEIGHBOUR)},
    }
    needed = {CORE: 0.0, RIM: wishes.radius_mm + RIM_MM, **wishes.needed()}
    groups = {}
    for group, member in members.items():
        chosen = np.flatnonzero(member & met)
        if not chosen.size:
            continue
        chosen = chosen[distance[chosen] <= distance[chosen].min() + LOOK_MM]
        need = depth[chosen] if group == CONE else np.asarray(needed[group])
        groups[group] = _Group(walls.points[chosen], need)
    return groups


def _slope(x: FloatArray, values: FloatArray, at: float) -> float:
    low, high = np.interp([at - 1.0, at + 1.0], x, values)
    return float(high - low) / 2.0
