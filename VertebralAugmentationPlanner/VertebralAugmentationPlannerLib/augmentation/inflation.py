"""Inflation of a balloon inside the actual body, in steps of volume, until something stops it.

The balloon is a spheroid that keeps its volume (:mod:`.spheroid`). It stops at the first contact; that a real balloon
then lifts the end plate is the business of the prediction, not of this simulation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..model import Vertebra
from ..model.geometry import FloatArray, unit
from .catalog import BalloonDevice
from .room import BodyRoom, body_room
from .spheroid import BalloonShape, balloon_shape, spheroid_points

VOLUME_STEP_ML = 0.1
"""Volume is added in steps of a tenth of a ml, as inflation syringes are read [M]."""

REFINEMENTS = 8
"""Halvings of the last step: the volume at contact is known to 0.1 / 2⁸ ml."""

BALLOON_GAP_MM = 0.5
"""Two balloons keep this distance from the plane between them, so that their drawn surfaces never cross [D]."""

Segment = tuple[FloatArray, FloatArray]
"""Proximal and distal end of a folded balloon, local mm."""


@dataclass(frozen=True, eq=False)
class Inflation:
    """A balloon in a body and the most it can be inflated.

    Args:
        proximal, distal: (3,) ends of the folded balloon, local mm.
        limit_ml: largest volume before something is met.
        stopped_by: "end_plate", "cortex", "max_volume", "pressure_limit", or "other_balloon" (the plane between two).
        contact: (3,) local point where the body or the other balloon is met; None where the device is the limit.
    """

    device: BalloonDevice
    proximal: FloatArray
    distal: FloatArray
    limit_ml: float
    stopped_by: str
    contact: FloatArray | None

    @property
    def centre(self) -> FloatArray:
        """(3,) local mm."""
        return np.asarray((self.proximal + self.distal) / 2)

    @property
    def axis(self) -> FloatArray:
        """(3,) unit vector from proximal to distal, local."""
        return unit(self.distal - self.proximal)

    def shape(self, volume_ml: float | None = None) -> BalloonShape:
        """The balloon at a volume, held at the limit; at the limit where no volume is given."""
        volume = self.limit_ml if volume_ml is None else min(volume_ml, self.limit_ml)
        return balloon_shape(self.device, volume)


def simulate_inflation(
    vertebra: Vertebra,
    proximal: FloatArray,
    distal: FloatArray,
    device: BalloonDevice,
    others: Sequence[Segment] = (),
    room: BodyRoom | None = None,
) -> Inflation:
    """Inflate a balloon until an end plate, the cortex, another balloon, its volume or its pressure stops it.

    Args:
        vertebra: complete, with a canal.
        proximal, distal: (3,) ends of the folded balloon, local mm.
        device: of the catalogue; only where it names a volume for its pressure limit can that limit be met.
        others: other folded balloons in the same body; each keeps to its side of the sagittal plane between them.
        room: of the vertebra, kept from an earlier call; made anew when None.

    Raises:
        ValueError: the ends coincide, or the vertebra has no room to measure.
    """
    room = body_room(vertebra) if room is None else room
    proximal, distal = np.asarray(proximal, float), np.asarray(distal, float)
    balloon = Inflation(device, proximal, distal, *_device_limit(device), None)
    planes = [_plane_between(balloon, other) for other in others]
    steps = np.append(np.arange(0.0, balloon.limit_ml, VOLUME_STEP_ML), balloon.limit_ml)
    free, _, _ = _free(balloon, steps, room, planes)
    blocked = np.flatnonzero(free < 0)
    if not len(blocked):
        return balloon
    first = int(blocked[0])
    low, high = (float(steps[first - 1]), float(steps[first])) if first else (0.0, 0.0)
    for _ in range(REFINEMENTS if first else 0):
        middle = (low + high) / 2
        if _free(balloon, np.array([middle]), room, planes)[0][0] < 0:
            high = middle
        else:
            low = middle
    _, points, by_balloon = _free(balloon, np.array([high]), room, planes)
    stopped_by = "other_balloon" if by_balloon[0] else room.surface_at(points[0])
    return Inflation(device, proximal, distal, low, stopped_by, points[0])


def _device_limit(device: BalloonDevice) -> tuple[float, str]:
    pressure = device.volume_at_max_pressure_ml
    if pressure is not None and pressure < device.max_volume_ml:
        return pressure, "pressure_limit"
    return device.max_volume_ml, "max_volume"


@dataclass(frozen=True)
class _Plane:
    """A sagittal plane at local x; the balloon stays on the side of ``sign``."""

    x: float
    sign: float


def _plane_between(balloon: Inflation, other: Segment) -> _Plane:
    mine = np.array([balloon.proximal[0], balloon.distal[0]])
    theirs = np.array([other[0][0], other[1][0]])
    sign = 1.0 if mine.mean() > theirs.mean() else -1.0
    nearest = float(np.min(sign * mine)), float(np.max(sign * theirs))
    return _Plane(sign * (nearest[0] + nearest[1]) / 2, sign)


def _free(
    balloon: Inflation, volumes: FloatArray, room: BodyRoom, planes: list[_Plane]
) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
    """Smallest free distance (V,) over the balloon's surface at volumes (V,), where (V, 3), and whether it is to a
    plane between balloons (V,)."""
    shapes = [balloon_shape(balloon.device, float(volume)) for volume in volumes]
    diameters = np.array([shape.diameter_mm for shape in shapes])
    lengths = np.array([shape.length_mm for shape in shapes])
    points = spheroid_points(balloon.centre, balloon.axis, diameters, lengths)
    to_body = room.grid.sample(room.free_mm, points)
    to_plane = np.full(to_body.shape, np.inf)
    for plane in planes:
        to_plane = np.minimum(to_plane, plane.sign * (points[..., 0] - plane.x) - BALLOON_GAP_MM)
    free = np.minimum(to_body, to_plane)
    worst = np.argmin(free, axis=1)
    row = np.arange(len(volumes))
    return free[row, worst], points[row, worst], to_plane[row, worst] < to_body[row, worst]
