"""Needles for navigation: Slicer markups JSON, and a table of entry and target in RAS and LPS."""

from __future__ import annotations

import csv
import io
import json
from os import PathLike
from pathlib import Path
from typing import Any

from ..model import CasePlan, LevelPlan, Trajectory
from ..model.palette import rgb, safety_colour
from ..model.plan import Point
from ..model.serialisation import write_text
from .wording import grade_words, if_judged

MARKUPS_SCHEMA = (
    "https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/Markups/Resources/Schema/"
    "markups-schema-v1.0.3.json#"
)
_LPS_AXES = [-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0]
"""Orientation of a control point that has none of its own, as Slicer writes it in LPS files."""

_POINTS = ("entry", "target", "skin")
_AXES = {"ras": ("r", "a", "s"), "lps": ("l", "p", "s")}


def needle_markups(plan: CasePlan) -> dict[str, Any]:
    """Slicer markups (schema 1.0.3, LPS mm): one line a needle, from the bone entry to the target."""
    lines = [_line(level, needle) for level in plan.levels for needle in level.trajectories]
    return {"@schema": MARKUPS_SCHEMA, "markups": lines}


def write_needle_markups(plan: CasePlan, path: str | PathLike[str]) -> None:
    """Write ``*.mrk.json``; drag it into Slicer.

    Raises:
        InputError: the folder cannot be written.
    """
    write_text(Path(path), json.dumps(needle_markups(plan), indent=2, ensure_ascii=False) + "\n")


def needle_csv(plan: CasePlan) -> str:
    """Table of the needles (RFC 4180): entry, target and skin point in RAS and in LPS, mm; empty where none is."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\r\n")
    coordinates = [f"{point}_{axis}_{system}_mm" for point in _POINTS for system in _AXES for axis in _AXES[system]]
    writer.writerow(["level", "side", "cannula", "cannula_outer_diameter_mm", "safety", "breach_grade", *coordinates])
    for level in plan.levels:
        for needle in level.trajectories:
            writer.writerow([level.level, needle.side, needle.cannula, f"{needle.cannula_outer_diameter_mm:g}",
                             needle.safety, if_judged(needle, str(needle.breach_grade)), *_coordinates(needle)])  # fmt: skip
    return stream.getvalue()


def write_needle_csv(plan: CasePlan, path: str | PathLike[str]) -> None:
    """Write :func:`needle_csv`.

    Raises:
        InputError: the folder cannot be written.
    """
    write_text(Path(path), needle_csv(plan))


def lps(point: Point) -> list[float]:
    """LPS coordinates of an RAS point; a zero stays a plain zero."""
    return [0.0 - point[0], 0.0 - point[1], float(point[2])]


def _coordinates(needle: Trajectory) -> list[str]:
    cells: list[str] = []
    for point in (needle.entry_ras, needle.target_ras, needle.skin_ras):
        if point is None:
            cells += [""] * 6
        else:
            cells += [f"{value:.4f}" for value in (*point, *lps(point))]
    return cells


def _line(level: LevelPlan, needle: Trajectory) -> dict[str, Any]:
    colour = list(rgb(safety_colour(needle.safety)))
    return {
        "type": "Line",
        "name": f"{level.level} {needle.side} needle",
        "coordinateSystem": "LPS",
        "coordinateUnits": "mm",
        "locked": True,
        "fixedNumberOfControlPoints": True,
        "labelFormat": "%N-%d",
        "lastUsedControlPointNumber": 2,
        "controlPoints": [
            _control_point("1", "entry", needle.entry_ras, f"{needle.cannula} {needle.route}"),
            _control_point("2", "target", needle.target_ras, f"{needle.safety}, {grade_words(needle)}"),
        ],
        "display": {"visibility": True, "color": colour, "selectedColor": colour, "propertiesLabelVisibility": True},
    }


def _control_point(identifier: str, label: str, point: Point, description: str) -> dict[str, Any]:
    return {
        "id": identifier,
        "label": label,
        "description": description,
        "associatedNodeID": "",
        "position": lps(point),
        "orientation": _LPS_AXES,
        "selected": True,
        "locked": True,
        "visibility": True,
        "positionStatus": "defined",
    }
