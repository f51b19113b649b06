"""Where a balloon lies on its needle, and which is the longest that fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..access.safety import article
from ..model import CANNULAS, Trajectory, Vertebra
from ..model.geometry import FloatArray, unit
from .catalog import BalloonDevice
from .room import CONTACT_MARGIN_MM, BodyRoom

POSTERIOR_KEEP_MM = 5.0
"""The folded balloon begins at least this far in front of the posterior wall (clinical-reference 4 [D])."""

ANTERIOR_KEEP_MM = 4.0
"""… and ends this far before the anterior cortex, along the needle (clinical-reference 4 [D])."""

CANNULA_GAP_MM = 2.0
"""The cannula is drawn back until its tip is this far behind the balloon: 2–3 mm (clinical-reference 4 [D])."""

PREFERRED_FRACTION = 2.0 / 3.0
"""Wanted place of the balloon's centre, as a share of the depth from the posterior wall: the middle of the anterior
two-thirds [D]."""

OFF_MIDDLE_MM = 3.0
"""A balloon whose centre is farther above or below mid-height lifts one end plate only. A shorter one that comes
nearer to the middle is then the better fit [D]."""

WORTH_A_SIZE_MM = 1.0
"""Where no size comes near mid-height, a shorter balloon has to come this much nearer to be taken [D]."""

FORWARD_WEIGHT = 0.25
"""A millimetre of height counts as much as four along the depth, where the balloon's place is chosen [D]."""

STEP_MM = 0.25
REACH_MM = 60.0

MIDLINE_GAP_MM = 0.5
"""With two needles, each folded balloon stays on its own side of the midline by this much [D]."""


@dataclass(frozen=True, eq=False)
class Placement:
    """A folded balloon on its needle, local mm.

    Args:
        beyond_target_mm: how far its near and its far end lie beyond the target along the needle; negative behind it.
        off_middle_mm: the centre's height above the middle of the bone there; negative below it.
        height_mm: bone above and below the centre together.
    """

    device: BalloonDevice
    proximal: FloatArray
    distal: FloatArray
    beyond_target_mm: tuple[float, float]
    off_middle_mm: float
    height_mm: float


def beside_the_target(beyond_target_mm: tuple[float, float], growth_mm: float) -> tuple[float, float]:
    """How far the cannula is drawn back from the target, and how far its channel is made beyond it, mm.

    Args:
        beyond_target_mm: of the near and the far end of the folded balloon, as in :class:`Placement`.
        growth_mm: how much longer it is when inflated.
    """
    near, far = beyond_target_mm
    # It grows to both ends: drawn back for the folded balloon only, the cannula would stand against the inflated one.
    return max(0.0, CANNULA_GAP_MM - (near - max(0.0, growth_mm) / 2)), max(0.0, far)


@dataclass(frozen=True)
class NoBalloon:
    """Why no balloon lies on a needle, with the number.

    Args:
        needed_cannula: gauge of the thinnest cannula that passes one of the balloons, where the needle's is thinner.
    """

    reason: str
    needed_cannula: str | None = None


def place_balloon(
    vertebra: Vertebra,
    room: BodyRoom,
    trajectory: Trajectory,
    devices: Sequence[BalloonDevice],
    own_side_only: bool = False,
) -> Placement | NoBalloon:
    """The longest of the devices that fits on a needle, or why none does.

    Args:
        devices: those the user allows; of two with the same length the first is taken.
        own_side_only: the folded balloon must not cross the midline (two needles).
    """
    cannula = CANNULAS[trajectory.cannula]
    passing = [device for device in devices if device.passes(cannula)]
    if not passing:
        return _too_thin(trajectory, devices)
    reasons, off_middle = [], []
    for device in sorted(passing, key=lambda device: -device.length_mm):
        placed = _place(vertebra, room, trajectory, device, own_side_only)
        if isinstance(placed, NoBalloon):
            reasons.append(placed.reason)
        elif abs(placed.off_middle_mm) <= OFF_MIDDLE_MM:
            return placed
        else:
            off_middle.append(placed)
    if off_middle:
        least = min(abs(placed.off_middle_mm) for placed in off_middle)
        return next(placed for placed in off_middle if abs(placed.off_middle_mm) <= least + WORTH_A_SIZE_MM)
    return NoBalloon(reasons[-1])


def _place(
    vertebra: Vertebra, room: BodyRoom, trajectory: Trajectory, device: BalloonDevice, own_side_only: bool
) -> Placement | NoBalloon:
    assert vertebra.frame is not None
    entry, target = vertebra.frame.to_local([trajectory.entry_ras, trajectory.target_ras])
    direction = unit(target - entry)
    along = np.arange(-float(np.linalg.norm(target - entry)), REACH_MM, STEP_MM)
    points = target + along[:, None] * direction
    bone = room.grid.sample(room.bone_mm, points)
    front = _front(along, bone)
    if front is None:
        return NoBalloon("the needle’s tip does not lie in the body")
    needed = device.deflated_diameter_mm / 2 + CONTACT_MARGIN_MM
    usable = (room.grid.sample(room.wall_mm, points) >= POSTERIOR_KEEP_MM) & (along <= front - ANTERIOR_KEEP_MM)
    thick = bone >= needed
    beyond = np.zeros(len(points), bool)
    if own_side_only:
        sign = -1.0 if trajectory.side == "left" else 1.0
        beyond = sign * points[:, 0] < device.deflated_diameter_mm / 2 + MIDLINE_GAP_MM
    run = _longest_run(usable & thick & ~beyond)
    unhindered = _length(_longest_run(usable))
    if run is None or _length(run) < device.length_mm:
        return NoBalloon(_too_short(device, _length(run), unhindered, bone[usable], bool(beyond[usable].any())))
    low, high = along[run[0]] + device.length_mm / 2, along[run[1]] - device.length_mm / 2
    at = np.arange(low, high + 1e-9, STEP_MM)
    centres = target + at[:, None] * direction
    allowed = centres[:, 1] >= room.two_thirds_start_mm
    if not allowed.any():
        return NoBalloon(
            f"a {device.length_mm:.0f} mm balloon would have its centre at "
            f"{100 * room.fraction_at(centres).max():.0f} % of the depth, behind the anterior two-thirds"
        )
    below, above = room.heights_at(centres)
    forward = np.abs(room.fraction_at(centres) - PREFERRED_FRACTION) * room.depth_mm
    cost = np.abs(below - above) / 2 + FORWARD_WEIGHT * forward
    best = int(np.argmin(np.where(allowed, cost, np.inf)))
    half = device.length_mm / 2
    return Placement(
        device,
        centres[best] - half * direction,
        centres[best] + half * direction,
        (float(at[best]) - half, float(at[best]) + half),
        float(below[best] - above[best]) / 2,
        float(below[best] + above[best]),
    )


def _front(along: FloatArray, bone: FloatArray) -> float | None:
    """How far beyond the target the needle's line leaves the bone, mm; None where the target is not in bone."""
    ahead = np.flatnonzero(along >= -STEP_MM / 2)
    outside = ahead[bone[ahead] <= 0]
    if not len(outside) or outside[0] == ahead[0]:
        return None
    at = outside[0]
    return float(along[at - 1] + STEP_MM * bone[at - 1] / (bone[at - 1] - bone[at]))


def _longest_run(flags: np.ndarray) -> tuple[int, int] | None:
    """First and last index of the longest run of true flags."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    starts, ends = edges[::2], edges[1::2] - 1
    if not len(starts):
        return None
    longest = int(np.argmax(ends - starts))
    return int(starts[longest]), int(ends[longest])


def _length(run: tuple[int, int] | None) -> float:
    return 0.0 if run is None else (run[1] - run[0]) * STEP_MM


def _too_thin(trajectory: Trajectory, devices: Sequence[BalloonDevice]) -> NoBalloon:
    thickness = trajectory.cannula_outer_diameter_mm
    gauges = {device.thinnest_cannula for device in devices}
    thinnest = min(gauges, key=lambda name: CANNULAS[name].outer_diameter_mm)
    needed = CANNULAS[thinnest].outer_diameter_mm
    what = f"{devices[0].name} needs" if len(devices) == 1 else "the thinnest balloon of the catalogue needs"
    own = f"{article(CANNULAS[trajectory.cannula])} {trajectory.cannula} cannula"
    return NoBalloon(f"{own} ({thickness:.2f} mm) is too thin: {what} {thinnest} ({needed:.2f} mm)", thinnest)


def _too_short(device: BalloonDevice, available: float, unhindered: float, bone: FloatArray, crosses: bool) -> str:
    """Which number is in the way: the length of the body along the needle, or the bone around it."""
    if unhindered < device.length_mm:
        return (
            f"{unhindered:.1f} mm lie between {POSTERIOR_KEEP_MM:.0f} mm in front of the posterior wall and "
            f"{ANTERIOR_KEEP_MM:.0f} mm before the anterior cortex; a folded balloon needs {device.length_mm:.0f} mm"
        )
    around = 2.0 * float(np.max(bone, initial=0.0))
    needed = device.deflated_diameter_mm + 2.0 * CONTACT_MARGIN_MM
    cause = "; farther on, the needle crosses the midline" if crosses else ""
    return (
        f"only {available:.1f} mm along the needle have room for the folded balloon ({needed:.1f} mm across with its "
        f"margin; the body gives up to {around:.1f} mm{cause}); a folded balloon needs {device.length_mm:.0f} mm"
    )
