"""The posterior elements: pedicles, pillars, laminae, articular, transverse and spinous processes, ribs.

Everything is a bar or an elliptic tube in the vertebra's local frame, mm. The canal is cut out of all of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from ..model.geometry import FloatArray, unit
from .body import Body
from .primitives import Tube, capsule, ellipse_distance
from .shape import PedicleShape, VertebraShape

SIGN = {"left": -1.0, "right": 1.0}
"""Side to the sign of local x (right is positive)."""
TUBE_BACK_MM = 9.0
"""The pedicle tube ends this far behind the isthmus, inside the articular pillar."""
TUBE_FRONT_MM = 11.0
"""… and this far in front of it, inside the body."""
FACET_BITE_MM = 0.8
"""How far the joint's plane cuts into the rounded process: what makes the facet flat."""
FLARE_AT_MM = 8.0
"""Distance from the isthmus at which the half-width has grown by ``flare_mm``."""


@dataclass(frozen=True, eq=False)
class PedicleTube:
    """One pedicle as an hourglass with elliptic sections, local mm."""

    centre: FloatArray
    axis: FloatArray
    """(3,) unit, from behind to the front."""
    across: FloatArray
    upward: FloatArray
    shape: PedicleShape

    def sections(self, points: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Coordinates along the axis, across it and upwards, of points (…, 3)."""
        offset = points - self.centre
        return offset @ self.axis, offset @ self.across, offset @ self.upward

    def side_distance(self, points: FloatArray) -> FloatArray:
        """Signed distance to the tube's wall, as if it had no ends; negative inside. Exact at the isthmus."""
        along, across, upward = self.sections(points)
        growth = self.shape.flare_mm * np.minimum(np.square(along / FLARE_AT_MM), 2.0)
        return ellipse_distance(
            across,
            upward,
            0.5 * self.shape.isthmus_width_mm + growth,
            0.5 * self.shape.isthmus_height_mm + 0.5 * growth,
        )

    def distance(self, points: FloatArray) -> FloatArray:
        """Signed distance to the tube with flat ends."""
        along = (points - self.centre) @ self.axis
        return np.maximum(self.side_distance(points), np.maximum(along - TUBE_FRONT_MM, -along - TUBE_BACK_MM))


@dataclass(frozen=True, eq=False)
class Joint:
    """A facet joint in one vertebra's local frame: its centre and the unit normal from the lower to the upper bone."""

    centre: FloatArray
    normal: FloatArray
    gap_mm: float


@dataclass(frozen=True, eq=False)
class Process:
    """An articular process: a bar, cut flat by the plane of its joint."""

    tube: Tube
    joint: Joint
    superior: bool

    def distance(self, points: FloatArray) -> FloatArray:
        """Signed distance (…,) of points (…, 3)."""
        along = (points - self.joint.centre) @ self.joint.normal
        beyond = along if self.superior else -along
        return np.maximum(self.tube.distance(points), beyond + 0.5 * self.joint.gap_mm)

    def moved(self, turn: FloatArray, shift: FloatArray) -> Process:
        """The same process in another frame: point ↦ turn · point + shift."""
        joint = Joint(turn @ self.joint.centre + shift, turn @ self.joint.normal, self.joint.gap_mm)
        return Process(self.tube.moved(turn, shift), joint, self.superior)


@dataclass(frozen=True, eq=False)
class Arch:
    """The posterior elements of one vertebra, in its local frame.

    Args:
        joints_above, joints_below: facet joints by side, shared with the neighbours.
        guests: the neighbours' articular processes that meet this bone, in this frame; it makes room for them.

    """

    shape: VertebraShape
    body: Body
    joints_above: dict[str, Joint]
    joints_below: dict[str, Joint]
    guests: tuple[Process, ...] = ()

    @cached_property
    def pedicles(self) -> dict[str, PedicleTube]:
        """Both pedicles."""
        return {side: pedicle_tube(self.shape, side) for side in SIGN}

    def near_distance(self, points: FloatArray, far_mm: float) -> FloatArray:
        """Signed distance (N,) of local points (N, 3) to the union, ``far_mm`` where farther away.

        The canal is not yet cut out.
        """
        result = np.full(len(points), far_mm)
        for part, low, high in self._parts:
            near = _within(points, low - far_mm, high + far_mm)
            result[near] = np.minimum(result[near], part(points[near]))
        for guest in self.guests:
            low, high = guest.tube.bounds()
            near = _within(points, low - far_mm, high + far_mm)
            result[near] = np.maximum(result[near], guest.joint.gap_mm - guest.distance(points[near]))
        for process in self.processes:
            low, high = process.tube.bounds()
            near = _within(points, low - far_mm, high + far_mm)
            result[near] = np.minimum(result[near], process.distance(points[near]))
        return np.minimum(result, far_mm)

    @cached_property
    def _parts(self) -> list[tuple[Callable[[FloatArray], FloatArray], FloatArray, FloatArray]]:
        """Distance functions of the parts and the boxes that hold them; all but the articular processes."""
        parts: list[tuple[Callable[[FloatArray], FloatArray], FloatArray, FloatArray]] = []
        for side in SIGN:
            tube = self.pedicles[side]
            reach = max(tube.shape.isthmus_width_mm, tube.shape.isthmus_height_mm) / 2 + 2 * tube.shape.flare_mm
            ends = np.vstack([tube.centre - tube.axis * TUBE_BACK_MM, tube.centre + tube.axis * TUBE_FRONT_MM])
            parts.append((partial(self._pedicle_distance, side), ends.min(axis=0) - reach, ends.max(axis=0) + reach))
        parts.extend((bar.distance, *bar.bounds()) for bar in self.bars)
        return parts

    @cached_property
    def all_bars(self) -> list[Tube]:
        """Bars and articular processes, for their bounds."""
        return [*self.bars, *(process.tube for process in self.processes)]

    def _pedicle_distance(self, side: str, points: FloatArray) -> FloatArray:
        tube = self.pedicles[side]
        distance = tube.distance(points)
        # In front of the wall the flare must not stick out of the end plates.
        y, z = points[..., 1], points[..., 2]
        beyond = np.maximum(z - self.body.rim_plane(y, True), self.body.rim_plane(y, False) - z)
        in_body = (points - tube.centre) @ tube.axis > 0.5 * TUBE_FRONT_MM
        return np.where(in_body, np.maximum(distance, beyond), distance)

    # --- landmarks ----------------------------------------------------------------------------------------------

    @cached_property
    def wall_y(self) -> float:
        """Local y of the mid-sagittal posterior wall."""
        return -0.25 * (self.shape.depth_superior_mm + self.shape.depth_inferior_mm)

    @cached_property
    def canal_back_y(self) -> float:
        """Local y of the back of the canal."""
        return self.wall_y - self.shape.canal_gap_mm - self.shape.canal_depth_mm

    def pillar(self, side: str) -> FloatArray:
        """Where pedicle, superior process and pars meet, (3,)."""
        tube = self.pedicles[side]
        back = tube.centre - tube.axis * TUBE_BACK_MM
        return np.array([back[0], back[1] - 0.5, back[2] - 1.0])

    def lamina_foot(self, side: str) -> FloatArray:
        """Lateral end of the lamina's axis, (3,)."""
        canal = self.shape
        y = self.wall_y - canal.canal_gap_mm - 0.75 * canal.canal_depth_mm
        return np.array([SIGN[side] * (0.5 * canal.canal_width_mm + 3.0), y, canal.arch.lamina_superior_mm])

    @cached_property
    def lamina_roof(self) -> FloatArray:
        """Where both laminae meet, (3,)."""
        arch = self.shape.arch
        return np.array([0.0, self.canal_back_y - 0.5 * arch.lamina_thickness_mm - 0.5, arch.lamina_superior_mm - 2.0])

    @cached_property
    def processes(self) -> tuple[Process, ...]:
        """The articular processes: upper left, upper right, lower left, lower right."""
        return (*(self._superior_process(side) for side in SIGN), *(self._inferior_process(side) for side in SIGN))

    def _superior_process(self, side: str) -> Process:
        """From the pillar up to the joint, in front of its plane."""
        joint, radius = self.joints_above[side], self.shape.arch.facet_radius_mm
        tip = joint.centre - joint.normal * (radius - FACET_BITE_MM) + np.array([0.0, 0.0, 2.0])
        return Process(capsule(self.pillar(side), tip, radius + 0.5, radius), joint, superior=True)

    def _inferior_process(self, side: str) -> Process:
        """From the lamina down to the joint, behind its plane."""
        joint, radius = self.joints_below[side], self.shape.arch.facet_radius_mm
        tip = joint.centre + joint.normal * (radius - FACET_BITE_MM) - np.array([0.0, 0.0, 2.0])
        foot = self.lamina_foot(side) + np.array([0.0, -1.0, 0.0])
        return Process(capsule(foot, tip, radius, radius), joint, superior=False)

    @cached_property
    def bars(self) -> list[Tube]:
        """Pars, laminae, transverse and spinous processes."""
        arch, result = self.shape.arch, []
        for side, sign in SIGN.items():
            pillar, foot, roof = self.pillar(side), self.lamina_foot(side), self.lamina_roof
            result.append(capsule(pillar, foot, arch.facet_radius_mm + 0.5, arch.facet_radius_mm))
            thick, tall = 0.5 * arch.lamina_thickness_mm, 0.5 * arch.lamina_height_mm
            result.append(Tube(foot, roof, np.array([0.0, -1.0, 0.0]), (thick, 0.85 * tall), (thick, tall), 3.0))
            back, up = np.radians(arch.transverse_back_deg), np.radians(arch.transverse_up_deg)
            way = np.array([sign * np.cos(back) * np.cos(up), -np.sin(back) * np.cos(up), np.sin(up)])
            start = pillar + np.array([sign * 1.0, 0.5, -1.0])
            radius = arch.transverse_radius_mm
            tip = (0.55 * radius, 0.8 * radius) if not arch.rib else (radius, radius)
            end = start + way * arch.transverse_length_mm
            result.append(Tube(start, end, np.array([0.0, 1.0, 0.0]), (radius, 1.2 * radius), tip))
        result.append(self._spinous())
        return result

    def _spinous(self) -> Tube:
        arch = self.shape.arch
        down = np.radians(arch.spinous_down_deg)
        start = self.lamina_roof + np.array([0.0, 0.5, -1.0])
        end = start + arch.spinous_length_mm * np.array([0.0, -np.cos(down), -np.sin(down)])
        thick, tall = 0.5 * arch.spinous_thickness_mm, 0.5 * arch.spinous_height_mm
        return Tube(start, end, np.array([1.0, 0.0, 0.0]), (thick, tall), (1.15 * thick, 0.85 * tall), 3.0)

    def ribs(self) -> list[Tube]:
        """Head, neck and shaft of both ribs; not part of the vertebra."""
        if not self.shape.arch.rib:
            return []
        result = []
        for side, sign in SIGN.items():
            transverse = self.bars[2 if side == "left" else 5]
            head = np.array(
                [
                    sign * 0.52 * self.shape.width_superior_mm,
                    self.wall_y + 3.0,
                    0.2 * self.body.shape.posterior_height_mm,
                ],
            )
            tubercle = transverse.end + np.array([sign * 2.0, 8.5, 0.0])
            bend = tubercle + np.array([sign * 26.0, -12.0, -10.0])
            side_end = bend + np.array([sign * 34.0, 10.0, -22.0])
            for start, end in ((head, tubercle), (tubercle, bend), (bend, side_end)):
                result.append(Tube(start, end, np.array([0.0, 1.0, 0.0]), (3.5, 5.0), (3.5, 5.5)))
        return result


def _within(points: FloatArray, low: FloatArray, high: FloatArray) -> NDArray[np.intp]:
    """Indices of the points (N, 3) inside a box."""
    return np.flatnonzero(np.all((points > low) & (points < high), axis=1))


def pedicle_tube(shape: VertebraShape, side: str) -> PedicleTube:
    """The pedicle of one side in the local frame; a crushed body takes its pedicles down with it."""
    pedicle, sign = shape.pedicle(side), SIGN[side]
    fracture = shape.fracture
    converge, caudal = np.radians(pedicle.convergence_deg), np.radians(pedicle.caudal_deg)
    axis = unit(np.array([-sign * np.tan(converge), 1.0, -np.tan(caudal)]))
    across = unit(np.array([1.0, 0.0, 0.0]) - axis[0] * axis)
    wall = -0.25 * (shape.depth_superior_mm + shape.depth_inferior_mm)
    # z ↦ the same fraction of the remaining posterior height
    lost = fracture.crush * shape.posterior_height_mm
    sunk = (1.0 - fracture.crush) * pedicle.superior_mm + (0.5 - fracture.superior_share) * lost
    centre = np.array([sign * pedicle.lateral_mm, wall - pedicle.behind_wall_mm, sunk])
    return PedicleTube(centre, axis, across, np.cross(across, axis), pedicle)


def nominal_joint(shape: VertebraShape, body: Body, side: str, above: bool) -> Joint:
    """Where this vertebra alone would put a facet joint, in its local frame."""
    arch, sign = shape.arch, SIGN[side]
    wall = -0.25 * (shape.depth_superior_mm + shape.depth_inferior_mm)
    y = wall - shape.canal_gap_mm - 0.95 * shape.canal_depth_mm
    x = sign * (0.5 * shape.canal_width_mm + (2.5 if arch.facet_angle_deg > 10.0 else 0.5))
    edge = np.array(wall)
    if above:
        z = float(body.rim_plane(edge, True)) + 2.0
    else:
        z = float(body.rim_plane(edge, False)) - shape.disc_below_mm + 2.0
    turn, slope = np.radians(arch.facet_angle_deg), np.radians(arch.facet_slope_deg)
    # The lower bone's facet looks backwards, inwards in the lumbar spine, slightly upwards in the thoracic spine.
    normal = np.array([-sign * np.sin(turn) * np.cos(slope), -np.cos(turn) * np.cos(slope), np.sin(slope)])
    return Joint(np.array([x, y, z]), normal, arch.facet_gap_mm)
