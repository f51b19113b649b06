"""Measurements after a height landmark was dragged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ..model import HeightLoss, InputError, Measurements, PlanWarning
from ..model.geometry import FloatArray
from ..model.plan import Point
from .angles import signed_angle_deg
from .fracture import fracture_shape, genant_grade
from .heights import HEIGHT_NAMES, heights_of_points
from .notes import LOSS_CODES, loss_notes
from .reference import height_loss


OF_CLASS_GONE = "of_class_not_read"
"""Code of the note that an edit took the OF class away."""


class EditedMeasurement(NamedTuple):
    """What an edit of the landmarks changes."""

    measurements: Measurements
    changed: tuple[str, ...]
    """Names of the landmarks that were moved."""

    def warnings(self, before: tuple[PlanWarning, ...]) -> tuple[PlanWarning, ...]:
        """A level's warnings with what they say of the height loss as it is now."""
        kept = tuple(warning for warning in before if warning.code not in LOSS_CODES | {OF_CLASS_GONE})
        notes = loss_notes(self.measurements)
        if self.measurements.genant_grade and self.measurements.of_class is None:
            text = "The heights were edited by hand and grade or shape changed with them: the OF class is not read again from that."
            notes.append(PlanWarning(OF_CLASS_GONE, "info", text, "the user's edit"))
        return (*kept, *notes)


def measurements_with_points(
    measurements: Measurements, points_ras: Mapping[str, tuple[Point, Point]], right: FloatArray
) -> EditedMeasurement:
    """Heights, losses, grade, shape and wedge angle from edited landmarks; everything else stays, the OF class only where
    grade and shape do: it was read from the end plates and the posterior wall of another fracture.

    The reference stays too: it comes from other levels. Only where the own posterior wall is the reference does it
    follow the edited posterior height.

    Args:
        measurements: the level's measurements.
        points_ras: upper and lower end of "anterior", "middle" and/or "posterior", RAS mm; others stay as they were.
        right: (3,) right axis of the vertebral frame, RAS; the wedge angle is measured across it.

    Raises:
        InputError: an unknown name or a point that is not three finite numbers.
    """
    points = dict(measurements.height_points_ras)
    for name, ends in points_ras.items():
        points[name] = _checked(name, ends)
    changed = tuple(name for name in points if points[name] != measurements.height_points_ras.get(name))
    heights = heights_of_points(points)
    reference = measurements.reference
    if reference is not None and reference.method == "own_posterior" and heights.posterior is not None:
        old = reference.posterior_height_mm
        if old and reference.anterior_height_mm is not None and reference.middle_height_mm is not None:
            scale = heights.posterior / old
            reference = replace(
                reference,
                anterior_height_mm=reference.anterior_height_mm * scale,
                middle_height_mm=reference.middle_height_mm * scale,
                posterior_height_mm=heights.posterior,
            )
    loss = HeightLoss(None, None, None) if reference is None else height_loss(heights, reference)
    grid = measurements.heights_3x3_mm
    grade, shape = genant_grade(loss), fracture_shape(loss)
    same = (grade, shape) == (measurements.genant_grade, measurements.fracture_shape)
    edited = replace(
        measurements,
        anterior_height_mm=heights.anterior,
        middle_height_mm=heights.middle,
        posterior_height_mm=heights.posterior,
        heights_3x3_mm=None if grid is None else (grid[0], tuple(heights), grid[2]),
        reference=reference,
        height_loss_percent=loss,
        genant_grade=grade,
        fracture_shape=shape,
        of_class=measurements.of_class if same else None,
        wedge_angle_deg=_wedge_deg(points, right),
        height_points_ras=points,
    )
    return EditedMeasurement(edited, changed)


def _checked(name: str, ends: tuple[Point, Point]) -> tuple[Point, Point]:
    if name not in HEIGHT_NAMES:
        raise InputError(f"“{name}” is not a height; use {', '.join(HEIGHT_NAMES)}.")
    values = np.asarray(ends, float)
    if values.shape != (2, 3) or not np.isfinite(values).all():
        raise InputError(f"The {name} height needs an upper and a lower point of three numbers each.")
    (a, b, c), (d, e, f) = values.tolist()
    return (a, b, c), (d, e, f)


def _wedge_deg(points: Mapping[str, tuple[Point, Point]], right: FloatArray) -> float | None:
    if "anterior" not in points or "posterior" not in points:
        return None
    upper, lower = (np.subtract(points["anterior"][end], points["posterior"][end]) for end in (0, 1))
    return signed_angle_deg(upper, lower, np.asarray(right, float))
