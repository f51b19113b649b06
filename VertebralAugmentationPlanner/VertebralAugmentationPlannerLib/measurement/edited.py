"""Measurements after a height landmark was dragged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ..model import CasePlan, HeightLoss, InputError, LevelPlan, Measurements, PlanWarning, Vertebra, above, below
from ..model.geometry import FloatArray
from ..model.plan import Point
from .angles import signed_angle_deg
from .fracture import fracture_shape, genant_grade
from .heights import HEIGHT_NAMES, height_points_ras, heights_of_points, with_visible_rims
from .notes import LOSS_CODES, loss_notes
from .reference import height_loss


OF_CLASS_GONE = "of_class_not_read"
"""Code of the note that an edit took the OF class away."""

HEIGHTS_EDITED = "heights_edited"
"""Code of the note that the heights of a level are not those that were measured."""

NEIGHBOUR_EDITED = "neighbour_edited"
"""Code of the caution on a level that was compared with another, or measured to it, before that one was edited."""

AS_MEASURED_MM = 0.01
"""Landmarks this near to the measured ones are those: a plan's rounding is a hundredth of it. [D]"""


class EditedMeasurement(NamedTuple):
    """What an edit of the landmarks changes."""

    measurements: Measurements
    changed: tuple[str, ...]
    """Names of the landmarks that were moved."""

    def warnings(
        self, before: tuple[PlanWarning, ...], as_measured: Mapping[str, tuple[Point, Point]] | None = None
    ) -> tuple[PlanWarning, ...]:
        """A level's warnings with what they say of the height loss as it is now.

        Args:
            as_measured: :func:`measured_points` of the level. With them heights that are back where they were count as not
                edited; without them an edited level stays one.
        """
        kept = tuple(w for w in before if w.code not in LOSS_CODES | {OF_CLASS_GONE, HEIGHTS_EDITED})
        notes = loss_notes(self.measurements)
        if self._is_edited(before, as_measured):
            text = "The heights were edited by hand: losses, grade and wedge follow; all else is as it was measured."
            notes.append(PlanWarning(HEIGHTS_EDITED, "info", text, "the user's edit"))
        if self.measurements.genant_grade and self.measurements.of_class is None:
            text = "The heights were edited by hand and grade or shape changed with them: the OF class is not read again from that."
            notes.append(PlanWarning(OF_CLASS_GONE, "info", text, "the user's edit"))
        return (*kept, *notes)

    def _is_edited(
        self, before: tuple[PlanWarning, ...], as_measured: Mapping[str, tuple[Point, Point]] | None
    ) -> bool:
        if as_measured is None:
            return bool(self.changed) or any(warning.code == HEIGHTS_EDITED for warning in before)
        points = self.measurements.height_points_ras
        return set(points) != set(as_measured) or not all(
            np.allclose(points[name], as_measured[name], rtol=0.0, atol=AS_MEASURED_MM) for name in points
        )


def measured_points(vertebra: Vertebra) -> dict[str, tuple[Point, Point]]:
    """Upper and lower end of each height as :func:`.spine.measure_spine` finds them, RAS mm."""
    return height_points_ras(with_visible_rims(vertebra))


def with_neighbours_told(plan: CasePlan) -> CasePlan:
    """A plan with a caution on each level whose losses or kyphosis rest on one that was edited by hand; others lose theirs.

    Losses and angles of the neighbours do not follow an edit: which levels are unfractured, and what their walls and densities
    say, is decided for the whole spine when it is measured.
    """
    edited = [level.level for level in plan.levels if any(w.code == HEIGHTS_EDITED for w in level.warnings)]
    whole = tuple(level.level for level in plan.levels if level.complete)
    return replace(plan, levels=tuple(_with_caution(level, edited, whole) for level in plan.levels))


def _with_caution(level: LevelPlan, edited: list[str], whole: tuple[str, ...]) -> LevelPlan:
    losses, angles = _rests_on(level, whole)
    named = [name for name in edited if name in losses | angles]
    what = ["height loss", "grade"] if losses & set(named) else []
    what += ["kyphosis"] if angles & set(named) else []
    warnings = tuple(warning for warning in level.warnings if warning.code != NEIGHBOUR_EDITED)
    if named:
        told = what[0] if len(what) == 1 else f"{', '.join(what[:-1])} and {what[-1]}"
        names, verb = " and ".join(named), "rests" if len(what) == 1 else "rest"
        text = (
            f"{names} {'was' if len(named) == 1 else 'were'} edited by hand, but {told} of {level.level} still {verb} on {names} as "
            "measured before."
        )
        warnings = (*warnings, PlanWarning(NEIGHBOUR_EDITED, "caution", text, "the user's edit"))
    return level if warnings == level.warnings else replace(level, warnings=warnings)


def _rests_on(level: LevelPlan, whole: tuple[str, ...]) -> tuple[set[str], set[str]]:
    """The levels that the losses of a level were taken against, and those that its kyphosis angles are measured to."""
    measured = level.measurements
    if measured is None:
        return set(), set()
    reference, angles = measured.reference, set()
    losses = set(reference.levels) if reference is not None and reference.method == "neighbours" else set()
    if measured.gardner_angle_deg is not None or measured.segmental_kyphosis_deg is not None:
        angles.add(above(level.level, whole))
    if measured.segmental_kyphosis_deg is not None:
        angles.add(below(level.level, whole))
    return losses, {name for name in angles if name is not None}


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
