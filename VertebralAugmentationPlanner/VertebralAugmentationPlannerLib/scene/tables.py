"""The numbers of a plan as table nodes. A number that could not be computed is an empty cell, never a zero."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import slicer
import vtk

from ..model import CasePlan, LevelPlan, Trajectory
from . import roles
from .folders import put_in_folder
from .references import make_node


class Column(NamedTuple):
    """One column: field name, heading, unit, decimals (None for text), and where its value comes from."""

    name: str
    title: str
    unit: str
    decimals: int | None
    value: Callable[[Any], Any]


def _measured(field: str) -> Callable[[LevelPlan], Any]:
    return lambda level: getattr(level.measurements, field) if level.measurements is not None else None


def _loss(field: str) -> Callable[[LevelPlan], Any]:
    return lambda level: (
        getattr(level.measurements.height_loss_percent, field) if level.measurements is not None else None
    )


MEASUREMENT_COLUMNS = (
    Column("level", "Level", "", None, lambda level: level.level),
    Column("complete", "Whole", "", None, lambda level: "yes" if level.complete else "no"),
    Column("anterior_height_mm", "Anterior height", "mm", 1, _measured("anterior_height_mm")),
    Column("middle_height_mm", "Middle height", "mm", 1, _measured("middle_height_mm")),
    Column("posterior_height_mm", "Posterior height", "mm", 1, _measured("posterior_height_mm")),
    Column("anterior_loss_percent", "Anterior loss", "%", 0, _loss("anterior")),
    Column("middle_loss_percent", "Middle loss", "%", 0, _loss("middle")),
    Column("posterior_loss_percent", "Posterior loss", "%", 0, _loss("posterior")),
    Column("genant_grade", "Genant grade", "", 0, _measured("genant_grade")),
    Column("fracture_shape", "Shape", "", None, _measured("fracture_shape")),
    Column("of_class", "OF class", "", None, _measured("of_class")),
    Column("wedge_angle_deg", "Wedge angle", "deg", 1, _measured("wedge_angle_deg")),
    Column("segmental_kyphosis_deg", "Segmental kyphosis", "deg", 1, _measured("segmental_kyphosis_deg")),
    Column("gardner_angle_deg", "Gardner angle", "deg", 1, _measured("gardner_angle_deg")),
    Column("depth_mm", "Depth", "mm", 1, _measured("depth_mm")),
    Column("width_mm", "Width", "mm", 1, _measured("width_mm")),
    Column("body_volume_ml", "Body volume", "ml", 1, _measured("body_volume_ml")),
    Column("body_density_hu", "Density", "HU", 0, _measured("body_density_hu")),
    Column("cleft_volume_ml", "Cleft volume", "ml", 2, _measured("cleft_volume_ml")),
    Column("retropulsion_mm", "Retropulsion", "mm", 1, _measured("posterior_wall_retropulsion_mm")),
)

_CLEARANCES = ("canal", "pedicle_wall", "endplate", "anterior_wall", "lateral_wall", "neighbour")


def _clearance(field: str) -> Callable[[tuple[str, Trajectory]], Any]:
    return lambda row: getattr(row[1].clearance_mm, field)


def _trajectory(field: str) -> Callable[[tuple[str, Trajectory]], Any]:
    return lambda row: getattr(row[1], field)


TRAJECTORY_COLUMNS = (
    Column("level", "Level", "", None, lambda row: row[0]),
    Column("side", "Side", "", None, _trajectory("side")),
    Column("safety", "Safety", "", None, _trajectory("safety")),
    Column("breach_grade", "Grade", "", None, _trajectory("breach_grade")),
    Column("cannula", "Cannula", "", None, _trajectory("cannula")),
    *(
        Column(f"clearance_{name}_mm", f"To {name.replace('_', ' ')}", "mm", 1, _clearance(name))
        for name in _CLEARANCES
    ),
    Column("convergence_angle_deg", "Convergence", "deg", 1, _trajectory("convergence_angle_deg")),
    Column("craniocaudal_angle_deg", "Craniocaudal", "deg", 1, _trajectory("craniocaudal_angle_deg")),
    Column("tolerated_offset_mm", "Slack", "mm", 1, _trajectory("tolerated_offset_mm")),
    Column("tolerated_angle_deg", "Slack", "deg", 1, _trajectory("tolerated_angle_deg")),
    Column("bone_path_mm", "Bone path", "mm", 1, _trajectory("bone_path_mm")),
    Column("skin_to_target_mm", "Skin to target", "mm", 0, _trajectory("skin_to_target_mm")),
    Column("midline_offset_mm", "From midline", "mm", 1, _trajectory("midline_offset_mm")),
    Column("balloon", "Balloon", "", None, lambda row: row[1].balloon.model if row[1].balloon else None),
    Column(
        "balloon_ml",
        "Balloon volume",
        "ml",
        1,
        lambda row: row[1].balloon.planned_volume_ml if row[1].balloon else None,
    ),
    Column("cement_ml", "Cement", "ml", 1, _trajectory("cement_ml")),
    Column("bone_fillers", "Bone fillers", "", 0, _trajectory("bone_fillers")),
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
    return str(value) if column.decimals is None else f"{value:.{column.decimals}f}"
