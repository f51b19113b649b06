"""measurements.csv: one row a level, one column a number, the unit in the column's name."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any

from ..model import CasePlan, LevelPlan
from ..model.fields import field_at
from ..model.serialisation import write_text

_ROWS = ("left", "mid", "right")
_COLUMNS = ("anterior", "middle", "posterior")

Getter = Callable[[LevelPlan], Any]


def _grid(row: int, column: int) -> Getter:
    def read(level: LevelPlan) -> float | None:
        heights = level.measurements.heights_3x3_mm if level.measurements else None
        return None if heights is None else heights[row][column]

    return read


def _reference_levels(level: LevelPlan) -> str | None:
    reference = level.measurements.reference if level.measurements else None
    return None if reference is None else " ".join(reference.levels)


def _warning_codes(level: LevelPlan) -> str:
    return " ".join(warning.code for warning in level.warnings)


def _measured(name: str) -> tuple[str, Getter]:
    return name, field_at(f"measurements.{name}")


COLUMNS: tuple[tuple[str, Getter], ...] = (
    ("level", field_at("level")),
    ("complete", field_at("complete")),
    _measured("anterior_height_mm"),
    _measured("middle_height_mm"),
    _measured("posterior_height_mm"),
    *((f"height_{row}_{column}_mm", _grid(r, c)) for r, row in enumerate(_ROWS) for c, column in enumerate(_COLUMNS)),
    _measured("depth_mm"),
    _measured("width_mm"),
    _measured("body_volume_ml"),
    _measured("anterior_two_thirds_volume_ml"),
    ("reference_anterior_height_mm", field_at("measurements.reference.anterior_height_mm")),
    ("reference_middle_height_mm", field_at("measurements.reference.middle_height_mm")),
    ("reference_posterior_height_mm", field_at("measurements.reference.posterior_height_mm")),
    ("reference_method", field_at("measurements.reference.method")),
    ("reference_levels", _reference_levels),
    ("height_loss_anterior_percent", field_at("measurements.height_loss_percent.anterior")),
    ("height_loss_middle_percent", field_at("measurements.height_loss_percent.middle")),
    ("height_loss_posterior_percent", field_at("measurements.height_loss_percent.posterior")),
    _measured("genant_grade"),
    _measured("fracture_shape"),
    _measured("of_class"),
    _measured("wedge_angle_deg"),
    _measured("segmental_kyphosis_deg"),
    _measured("gardner_angle_deg"),
    _measured("body_density_hu"),
    _measured("reference_density_hu"),
    _measured("cleft_volume_ml"),
    _measured("posterior_wall_retropulsion_mm"),
    ("pedicle_left_isthmus_width_mm", field_at("pedicles.left.isthmus_width_mm")),
    ("pedicle_left_isthmus_height_mm", field_at("pedicles.left.isthmus_height_mm")),
    ("pedicle_right_isthmus_width_mm", field_at("pedicles.right.isthmus_width_mm")),
    ("pedicle_right_isthmus_height_mm", field_at("pedicles.right.isthmus_height_mm")),
    ("warning_codes", _warning_codes),
)
"""Names and order are part of what users build on: add at the end, never rename."""


def measurements_csv(plan: CasePlan) -> str:
    """Text of measurements.csv (RFC 4180: comma, CRLF, quotes where needed).

    An empty cell is a number that could not be computed; decimals have a point, booleans are ``true``/``false``.
    """
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow([name for name, _ in COLUMNS])
    for level in plan.levels:
        writer.writerow([_cell(read(level)) for _, read in COLUMNS])
    return stream.getvalue()


def write_measurements_csv(plan: CasePlan, path: str | PathLike[str]) -> None:
    """Write measurements.csv whole or not at all.

    Raises:
        InputError: the folder cannot be written.
    """
    write_text(Path(path), measurements_csv(plan))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return format(value, ".4f").rstrip("0").rstrip(".")
    return str(value)
