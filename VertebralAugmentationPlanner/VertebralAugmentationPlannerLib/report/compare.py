"""Two plans of one case side by side: two readers, before and after an edit, one needle or two."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..measurement.quantities import QUANTITIES, alike, change
from ..model import LEVELS, SIDES, CasePlan, ImageRecord, LevelPlan, Trajectory
from ..model.fields import field_at
from ..model.geometry import unit
from ..model.plan import NOT_JUDGED

Value = float | int | str | None


@dataclass(frozen=True)
class Difference:
    """One quantity in both plans.

    Args:
        level: "T12".
        side: "left", "right", or None for what belongs to the whole level.
        group: "level", "measurement", "needle" or "clearance".
        name: what it is, in words.
        unit: "mm", "°", "ml", "%", "HU", "ml" or "" for words and counts.
        a, b: the two values; None where a plan has none.
        difference: b − a for numbers; for points and directions the distance (mm) or angle (°) between the two, never
            negative, with ``a`` and ``b`` None. None where one is missing or the values are words.
        decimals: as many as make sense to show.
    """

    level: str
    side: str | None
    group: str
    name: str
    unit: str
    a: Value
    b: Value
    difference: float | None
    decimals: int = 1

    @property
    def same(self) -> bool:
        """Nothing to see at the decimals shown."""
        return alike(self.a, self.b, self.difference, self.decimals)

    @property
    def apart(self) -> bool:
        """A distance or angle between two things rather than a change of one number."""
        return self.a is None and self.b is None and self.difference is not None


@dataclass(frozen=True)
class PlanComparison:
    """What differs between two plans.

    Args:
        name_a, name_b: how to call them, such as file names.
        notes: sentences on the whole: whether the images are the same, which levels are in one plan only …
        rows: every quantity, level by level from head to foot.
    """

    name_a: str
    name_b: str
    notes: tuple[str, ...]
    rows: tuple[Difference, ...]

    @property
    def identical(self) -> bool:
        """Nothing differs at the decimals shown."""
        return all(row.same for row in self.rows)

    def levels(self) -> list[str]:
        """Levels compared, from head to foot."""
        return list(dict.fromkeys(row.level for row in self.rows))


def compare_plans(a: CasePlan, b: CasePlan, name_a: str = "A", name_b: str = "B") -> PlanComparison:
    """Compare two plans of one case; differences are b − a.

    Points are compared in world coordinates, so the plans must come from the same CT or registered ones; a note says
    where the images differ. Of a needle that was edited in its file and not judged since only the place is compared.
    """
    from ..access import mark_unjudged  # with SciPy, which nothing else here needs

    a, b = mark_unjudged(a), mark_unjudged(b)
    levels_a = {level.level: level for level in a.levels}
    levels_b = {level.level: level for level in b.levels}
    names = [name for name in LEVELS if name in levels_a or name in levels_b]
    notes = [_images("CT", a.inputs.ct, b.inputs.ct), _images("labels", a.inputs.segmentation, b.inputs.segmentation)]
    rows: list[Difference] = []
    for name in names:
        if name in levels_a and name in levels_b:
            rows += _level_rows(levels_a[name], levels_b[name])
        else:
            notes.append(f"{name} is only in {name_a if name in levels_a else name_b}.")
    return PlanComparison(name_a, name_b, tuple(notes), tuple(rows))


def _images(what: str, a: ImageRecord | None, b: ImageRecord | None) -> str:
    if a is None or b is None:
        return f"Both plans were made without {what}." if a is b else f"Only one of the plans was made with a {what}."
    if a.sha256 is None or b.sha256 is None:
        return f"Whether the {what} are the same is unknown: one of them was not read from a file."
    if a.sha256 == b.sha256:
        return f"Same {what}."
    return (
        f"DIFFERENT {what}: the checksums differ, so positions compare only if both lie in the same world coordinates."
    )


Getter = Callable[[Any], Value]


def _found(dotted: str) -> Getter:
    """What the images tell of a needle; “not judged” of one that was not judged where it lies."""
    read = field_at(dotted)
    return lambda needle: read(needle) if needle.judged else NOT_JUDGED


_LEVEL = (
    ("approach", "", field_at("approach"), 0),
    ("cement", "ml", field_at("cement.volume_ml"), 1),
    ("bone fillers", "", field_at("cement.bone_fillers"), 0),
    ("body filled", "%", field_at("cement.body_fill_percent"), 1),
    ("expected anterior height", "mm", field_at("predicted.anterior_height_mm"), 1),
)

_NEEDLE = (
    ("cannula", "", field_at("cannula"), 0),
    ("convergence", "°", field_at("convergence_angle_deg"), 1),
    ("craniocaudal", "°", field_at("craniocaudal_angle_deg"), 1),
    ("C-arm LAO + / RAO −", "°", field_at("carm.primary_deg"), 1),
    ("C-arm CRA + / CAU −", "°", field_at("carm.secondary_deg"), 1),
    ("skin to target", "mm", _found("skin_to_target_mm"), 1),
    ("bone path", "mm", _found("bone_path_mm"), 1),
    ("tip off the midline", "mm", field_at("midline_offset_mm"), 1),
    ("slack, offset", "mm", _found("tolerated_offset_mm"), 1),
    ("slack, angle", "°", _found("tolerated_angle_deg"), 1),
    ("safety", "", field_at("safety"), 0),
    ("breach grade", "", _found("breach_grade"), 0),
    ("balloon", "", field_at("balloon.model"), 0),
    ("balloon volume", "ml", field_at("balloon.planned_volume_ml"), 1),
    ("cement, this side", "ml", field_at("cement_ml"), 1),
)

_CLEARANCE = (
    ("clearance, canal", "mm", _found("clearance_mm.canal"), 1),
    ("clearance, pedicle wall", "mm", _found("clearance_mm.pedicle_wall"), 1),
    ("clearance, end plates", "mm", _found("clearance_mm.endplate"), 1),
    ("clearance, anterior wall", "mm", _found("clearance_mm.anterior_wall"), 1),
    ("clearance, lateral wall", "mm", _found("clearance_mm.lateral_wall"), 1),
    ("clearance, neighbour", "mm", _found("clearance_mm.neighbour"), 1),
)


def _level_rows(a: LevelPlan, b: LevelPlan) -> Iterator[Difference]:
    yield from _table(a.level, None, "level", _LEVEL, a, b)
    yield from _table(a.level, None, "measurement", QUANTITIES, a, b)
    for side in SIDES:
        yield from _needle_rows(a, b, side)


def _table(level: str, side: str | None, group: str, table: Any, a: Any, b: Any) -> Iterator[Difference]:
    for name, unit_, read, decimals in table:
        first, second = read(a), read(b)
        if first is not None or second is not None:
            yield Difference(level, side, group, name, unit_, first, second, change(first, second), decimals)


def _needle_rows(a: LevelPlan, b: LevelPlan, side: str) -> Iterator[Difference]:
    first, second = a.needle(side), b.needle(side)
    if first is None and second is None:
        return
    if first is None or second is None:
        words = [_presence(level, needle, side) for level, needle in ((a, first), (b, second))]
        yield Difference(a.level, side, "needle", "planned", "", words[0], words[1], None, 0)
        return
    for name, field in (("entry", "entry_ras"), ("tip", "target_ras"), ("skin point", "skin_ras")):
        distance = _distance(getattr(first, field), getattr(second, field))
        if distance is not None:
            yield Difference(a.level, side, "needle", name, "mm", None, None, distance)
    yield Difference(a.level, side, "needle", "direction", "°", None, None, _angle(first, second))
    yield from _table(a.level, side, "needle", _NEEDLE, first, second)
    yield from _table(a.level, side, "clearance", _CLEARANCE, first, second)


def _presence(level: LevelPlan, needle: Trajectory | None, side: str) -> str:
    if needle is not None:
        return f"yes, {needle.cannula}"
    reason = level.skipped_sides.get(side)
    return f"no: {reason}" if reason else "no"


def _distance(a: Any, b: Any) -> float | None:
    return None if a is None or b is None else float(np.linalg.norm(np.subtract(a, b)))


def _angle(a: Trajectory, b: Trajectory) -> float:
    """Angle between two needles, degrees; the arctangent keeps its accuracy where the cosine does not."""
    first, second = (unit(np.subtract(needle.target_ras, needle.entry_ras)) for needle in (a, b))
    return float(np.degrees(np.arctan2(np.linalg.norm(np.cross(first, second)), first @ second)))
