"""The numbers of a plan as table nodes. A number that could not be computed is an empty cell, never a zero; one of a needle that
was not judged where it lies is called so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import slicer
import vtk

from ..model import CasePlan
from ..model.fields import field_at
from ..model.grades import loss_decimals
from ..model.plan import FOUND_IN_BONE, NOT_JUDGED
from . import roles
from .folders import put_in_folder
from .references import make_node


Decimals = int | Callable[[float], int] | None


class Column(NamedTuple):
    """One column: field name, heading, unit, decimals (None for text; or of each value), and where its value comes from."""

    name: str
    title: str
    unit: str
    decimals: Decimals
    value: Callable[[Any], Any]


def _measured(name: str, title: str, unit: str, decimals: Decimals, path: str = "") -> Column:
    """A column of the measurements; its field is its name unless a path says otherwise."""
    return Column(name, title, unit, decimals, field_at(f"measurements.{path or name}"))


def _needle(name: str, title: str, unit: str, decimals: Decimals, path: str = "") -> Column:
    """A column of the needles; a row is (level, trajectory). What only the images tell is missing of a needle not judged."""
    read, needs_images = field_at(path or name), (path or name).split(".")[0] in FOUND_IN_BONE

    def value(row: Any) -> Any:
        return NOT_JUDGED if needs_images and not row[1].judged else read(row[1])

    return Column(name, title, unit, decimals, value)


MEASUREMENT_COLUMNS = (
    Column("level", "Level", "", None, lambda level: level.level),
    Column("complete", "Whole", "", None, lambda level: "yes" if level.complete else "no"),
    _measured("anterior_height_mm", "Anterior height", "mm", 1),
    _measured("middle_height_mm", "Middle height", "mm", 1),
    _measured("posterior_height_mm", "Posterior height", "mm", 1),
    _measured("anterior_loss_percent", "Anterior loss", "%", loss_decimals, "height_loss_percent.anterior"),
    _measured("middle_loss_percent", "Middle loss", "%", loss_decimals, "height_loss_percent.middle"),
    _measured("posterior_loss_percent", "Posterior loss", "%", loss_decimals, "height_loss_percent.posterior"),
    _measured("genant_grade", "Genant grade", "", 0),
    _measured("fracture_shape", "Shape", "", None),
    _measured("of_class", "OF class", "", None),
    _measured("wedge_angle_deg", "Wedge angle", "deg", 1),
    _measured("segmental_kyphosis_deg", "Segmental kyphosis", "deg", 1),
    _measured("gardner_angle_deg", "Gardner angle", "deg", 1),
    _measured("depth_mm", "Depth", "mm", 1),
    _measured("width_mm", "Width", "mm", 1),
    _measured("body_volume_ml", "Body volume", "ml", 1),
    _measured("body_density_hu", "Density", "HU", 0),
    _measured("cleft_volume_ml", "Cleft volume", "ml", 2),
    _measured("retropulsion_mm", "Retropulsion", "mm", 1, "posterior_wall_retropulsion_mm"),
)

_CLEARANCES = ("canal", "pedicle_wall", "endplate", "anterior_wall", "lateral_wall", "neighbour")

TRAJECTORY_COLUMNS = (
    Column("level", "Level", "", None, lambda row: row[0]),
    _needle("side", "Side", "", None),
    _needle("safety", "Safety", "", None),
    _needle("breach_grade", "Grade", "", None),
    _needle("cannula", "Cannula", "", None),
    *(_needle(f"clearance_{n}_mm", f"To {n.replace('_', ' ')}", "mm", 1, f"clearance_mm.{n}") for n in _CLEARANCES),
    _needle("convergence_angle_deg", "Convergence", "deg", 1),
    _needle("craniocaudal_angle_deg", "Craniocaudal", "deg", 1),
    _needle("tolerated_offset_mm", "Slack", "mm", 1),
    _needle("tolerated_angle_deg", "Slack", "deg", 1),
    _needle("bone_path_mm", "Bone path", "mm", 1),
    _needle("skin_to_target_mm", "Skin to target", "mm", 0),
    _needle("midline_offset_mm", "From midline", "mm", 1),
    _needle("balloon", "Balloon", "", None, "balloon.model"),
    _needle("balloon_ml", "Balloon volume", "ml", 1, "balloon.planned_volume_ml"),
    _needle("cement_ml", "Cement", "ml", 1),
    _needle("bone_fillers", "Bone fillers", "", 0),
)


def draw_tables(parameter_node: Any, plan: CasePlan) -> None:
    """Make or update both tables."""
    rows = [(level.level, trajectory) for level in plan.levels for trajectory in level.trajectories]
    for role, name, columns, content in (
        (roles.MEASUREMENT_TABLE, "Vertebral measurements", MEASUREMENT_COLUMNS, plan.levels),
        (roles.TRAJECTORY_TABLE, "Needle trajectories", TRAJECTORY_COLUMNS, rows),
    ):
        table = make_node(parameter_node, role, "vtkMRMLTableNode", name)
        fill_table(table, columns, list(content))
        put_in_folder(parameter_node, table)


def fill_table(table: Any, columns: tuple[Column, ...], rows: list[Any]) -> None:
    """Write rows into a table node, as text with the column's decimals and unit in its heading."""
    with slicer.util.NodeModify(table):
        if table.GetNumberOfColumns() != len(columns) or table.GetNumberOfRows() != len(rows):
            table.RemoveAllColumns()
            for column in columns:
                array = vtk.vtkStringArray()
                array.SetName(_heading(column))
                array.SetNumberOfValues(len(rows))
                table.AddColumn(array)
        for number, column in enumerate(columns):
            for row, item in enumerate(rows):
                table.SetCellText(row, number, _cell(column, item))
        table.SetLocked(True)
        table.SetUseColumnTitleAsColumnHeader(True)


def _heading(column: Column) -> str:
    return f"{column.title} ({column.unit})" if column.unit else column.title


def _cell(column: Column, item: Any) -> str:
    value = column.value(item)
    if value is None:
        return ""
    if column.decimals is None or isinstance(value, str):
        return str(value)
    decimals = column.decimals(value) if callable(column.decimals) else column.decimals
    return f"{value:.{decimals}f}"
