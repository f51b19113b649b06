"""Errors of the measurements against the phantoms' truth."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np
from phantoms import FRACTURES, Scan
from tables import markdown, spread
from VertebralAugmentationPlannerLib.measurement import MeasuredLevel
from VertebralAugmentationPlannerLib.model import Spine

Errors = dict[tuple[str, str, str], list[tuple[float, str]]]
"""Error and level, by quantity, voxel size and group of levels."""

GOALS = {
    "heights, mm": (0.5, 1.0),
    "heights at a broken level, mm": (1.0, 2.0),
    "angles, °": (1.0, 2.0),
    "volumes, %": (3.0, 6.0),
}
"""What is asked for at 1 mm voxels and at 3 mm slices."""

HEIGHTS = {name: f"{name} height, mm" for name in ("anterior", "middle", "posterior")}
ANGLES = {
    "wedge_angle_deg": "local wedge angle, °",
    "segmental_kyphosis_deg": "segmental kyphosis (Cobb), °",
    "gardner_angle_deg": "Gardner angle, °",
}
SIZES = {"depth_mm": "depth at mid-height, mm", "width_mm": "width at mid-height, mm"}
VOLUMES = {"body_volume_ml": "body volume, %", "anterior_two_thirds_volume_ml": "anterior two-thirds, %"}


def collect(scan: Scan, spine: Spine, measured: dict[str, MeasuredLevel], errors: Errors) -> None:
    """Add the errors of one scan."""

    for level, found in measured.items():

        def add(quantity: str, group: str, error: float | None, level: str = level) -> None:
            if error is not None:
                errors[quantity, scan.spacing, group].append((error, level))

        truth, group = scan.truth[level], "fractured" if level in FRACTURES else "whole"
        got = found.measurements
        for part, title in HEIGHTS.items():
            add(title, group, _difference(getattr(got, f"{part}_height_mm"), truth[f"{part}_height_mm"]))
        for name, title in {**ANGLES, **SIZES}.items():
            add(title, group, _difference(getattr(got, name), truth[name]))
        for name, title in VOLUMES.items():
            error = _difference(getattr(got, name), truth[name])
            add(title, group, None if error is None else 100.0 * error / truth[name])
        _pedicles_and_frame(spine.vertebrae[level], truth, group, add)
        add("Genant grade wrong, levels", group, float(got.genant_grade != _grade_against_reference(scan, level)))


def _pedicles_and_frame(vertebra, truth, group, add) -> None:
    for side, pedicle in vertebra.pedicles.items():
        true = truth["pedicles"][side]
        add("pedicle isthmus width, mm", group, pedicle.isthmus_width_mm - true["transverse_diameter_mm"])
        add("pedicle isthmus height, mm", group, pedicle.isthmus_height_mm - true["vertical_diameter_mm"])
        add("pedicle axis, °", group, _angle(vertebra.frame.direction_to_ras(pedicle.axis), true["axis"]))
    if vertebra.notes and any(note.code == "direction_from_one_end_plate" for note in vertebra.notes):
        return  # its frame follows the sounder plate, the truth's lies half-way between both
    for axis in ("right", "anterior", "superior"):
        add(f"frame, {axis} axis, °", group, _angle(getattr(vertebra.frame, axis), truth["frame"][axis]))


def _grade_against_reference(scan: Scan, level: str) -> int:
    """Genant grade of a level against its own height before it broke."""
    return int(scan.truth[level]["genant_grade"])


def _difference(found: float | None, true: float | None) -> float | None:
    return None if found is None or true is None else found - true


def _angle(one: Iterable[float], other: Iterable[float]) -> float:
    a, b = np.array(list(one)), np.array(list(other))
    cosine = abs(np.dot(a, b)) / (np.linalg.norm(a) * np.linalg.norm(b))
    return float(np.degrees(np.arccos(np.clip(cosine, 0.0, 1.0))))


def table(errors: Errors, spacings: Iterable[str]) -> str:
    """One row for each quantity and group: number, mean error, mean absolute error and the largest, by voxel size."""
    quantities = list(dict.fromkeys(quantity for quantity, _, _ in errors))
    rows = []
    for quantity in quantities:
        for group in ("whole", "fractured"):
            cells = []
            for spacing in spacings:
                values = errors.get((quantity, spacing, group), [])
                cells += spread(values, counts=quantity.endswith("levels"))
            if any(cell not in ("", "0") for cell in cells):
                rows.append([quantity, group, *cells])
    heads = ["", "levels"]
    for spacing in spacings:
        heads += [f"{spacing}: n", "mean", "mean abs.", "largest abs."]
    return markdown(heads, rows)


def new_errors() -> Errors:
    """Where :func:`collect` adds to."""
    return defaultdict(list)
