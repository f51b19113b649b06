"""Lines that were moved as one: the motion that they share, and a level of the plan carried along by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import vtk
from vtk.util.numpy_support import numpy_to_vtk

from ..model import BalloonPlan, FramePlan, LevelPlan, PedicleMeasurement, Trajectory
from ..model.geometry import FloatArray
from ..model.plan import Point, to_point
from ..model.serialisation import rounded
from .volumes import matrix_array

SPREAD_MM = 1.0
"""Ends of lines that spread less than this beside one axis, as those of a single line do, leave the turn about it open: they
tell no motion. Heights of one body stand 10 mm and more apart. [D]"""

SAID_DEG = 0.5
"""A turn by less is not told: no angle of the plan is shown finer. [D]"""

RIGID = 1e-5
"""A matrix this near to a rotation is one: a body of 60 mm keeps its size to a thousandth of a millimetre. [D]"""


@dataclass(frozen=True, eq=False)
class Motion:
    """A rigid motion of the world, RAS mm.

    Args:
        turn: (3, 3) rotation.
        shift: (3,) mm, after the turn.
        middle: (3,) middle of what was moved, before.
    """

    turn: FloatArray
    shift: FloatArray
    middle: FloatArray

    def point(self, point: Point) -> Point:
        """Where a point comes to lie."""
        return to_point(self.turn @ np.asarray(point) + self.shift)

    def direction(self, direction: Point) -> Point:
        """Where a direction comes to look."""
        return to_point(self.turn @ np.asarray(direction))

    @property
    def words(self) -> str:
        """“by 12.3 mm”, “by 12.3 mm and turned by 5°”: how far the middle went, and the turn where there is one."""
        away = float(np.linalg.norm(self.point(self.middle) - self.middle))
        turned = float(np.degrees(np.arccos(np.clip((np.trace(self.turn) - 1.0) / 2.0, -1.0, 1.0))))
        return f"by {away:.1f} mm" + (f" and turned by {turned:.0f}°" if turned >= SAID_DEG else "")

    @classmethod
    def of(cls, matrix: FloatArray, middle: FloatArray) -> Motion | None:
        """The motion of a (4, 4) matrix; None where it stretches, shears or mirrors.

        Args:
            middle: (3,) middle of what was moved, before.
        """
        turn = matrix[:3, :3]
        rigid = np.allclose(turn @ turn.T, np.eye(3), atol=RIGID) and np.linalg.det(turn) > 0
        return cls(turn, matrix[:3, 3], middle) if rigid else None


def shared_motion(before: Sequence[Any], after: Sequence[Any], within_mm: float) -> Motion | None:
    """The motion that brings all points from where they were to where they are; None where there is no such one, or where they do
    not tell it.

    Args:
        before, after: (N, 3) the same points, RAS mm.
        within_mm: what a point may be off.
    """
    old, new = np.asarray(before, float).reshape(-1, 3), np.asarray(after, float).reshape(-1, 3)
    middle = old.mean(axis=0)
    if len(old) < 3 or np.linalg.svd(old - middle, compute_uv=False)[1] < SPREAD_MM:
        return None
    motion = Motion(*_aligned(old, new), middle)
    missed = np.linalg.norm(old @ motion.turn.T + motion.shift - new, axis=1)
    return motion if missed.max() <= within_mm else None


def _aligned(old: FloatArray, new: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(3, 3) rotation and (3,) shift that bring points (N, 3) nearest to others; never a mirror image."""
    transform = vtk.vtkLandmarkTransform()
    transform.SetModeToRigidBody()
    for take, points in ((transform.SetSourceLandmarks, old), (transform.SetTargetLandmarks, new)):
        landmarks = vtk.vtkPoints()  # in double precision, which points added one by one have not
        landmarks.SetData(numpy_to_vtk(np.ascontiguousarray(points), deep=True))
        take(landmarks)
    transform.Update()
    found = matrix_array(transform.GetMatrix())
    return found[:3, :3], found[:3, 3]


def carried(level: LevelPlan, motion: Motion) -> LevelPlan:
    """A level with its frame, heights, pedicles, needles and balloons where a motion brings them; every number stays but the
    C-arm's angles, which are the room's."""
    frame, measured = level.frame, level.measurements
    if measured is not None:
        points = {name: (motion.point(a), motion.point(b)) for name, (a, b) in measured.height_points_ras.items()}
        measured = replace(measured, height_points_ras=points)
    sides = {side.name: _pedicle(getattr(level.pedicles, side.name), motion) for side in fields(level.pedicles)}
    return replace(
        level,
        frame=None if frame is None else _frame(frame, motion),
        measurements=measured,
        pedicles=replace(level.pedicles, **sides),
        trajectories=tuple(_needle(needle, motion) for needle in level.trajectories),
    )


def _frame(frame: FramePlan, motion: Motion) -> FramePlan:
    rows = (motion.direction(row) for row in (frame.right, frame.anterior, frame.superior))
    return FramePlan(motion.point(frame.origin_ras), *rows)


def _pedicle(pedicle: PedicleMeasurement | None, motion: Motion) -> PedicleMeasurement | None:
    if pedicle is None:
        return None
    outline = tuple(motion.point(point) for point in pedicle.outline_ras)
    centre, axis = motion.point(pedicle.centre_ras), motion.direction(pedicle.axis)
    return replace(pedicle, centre_ras=centre, axis=axis, outline_ras=outline)


def _needle(needle: Trajectory, motion: Motion) -> Trajectory:
    from ..access.angles import end_on_carm  # loads SciPy, for which the start of Slicer does not wait

    entry, target = motion.point(needle.entry_ras), motion.point(needle.target_ras)
    turned = not np.allclose(motion.turn, np.eye(3), atol=RIGID)
    return replace(
        needle,
        entry_ras=entry,
        target_ras=target,
        skin_ras=None if needle.skin_ras is None else motion.point(needle.skin_ras),
        carm=rounded(end_on_carm(np.subtract(target, entry))) if turned else needle.carm,
        balloon=None if needle.balloon is None else _balloon(needle.balloon, motion),
    )


def _balloon(balloon: BalloonPlan, motion: Motion) -> BalloonPlan:
    places = (motion.point(place) for place in (balloon.proximal_ras, balloon.distal_ras, balloon.centre_ras))
    proximal, distal, centre = places
    return replace(balloon, proximal_ras=proximal, distal_ras=distal, centre_ras=centre)
