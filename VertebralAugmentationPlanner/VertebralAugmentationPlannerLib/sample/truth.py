"""The truth of a phantom, worked out from its parameters and never measured off voxels."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..model import SIDES, Frame, above, below
from ..model.geometry import FloatArray, unit
from .primitives import rotation
from .shape import Fracture
from .spine import Placed, SpinePhantom

SCHEMA = "vertebral-phantom-truth/1"
DECIMALS = 5
PARTS = ("anterior", "middle", "posterior")
FRACTURED_LOSS = 0.20
"""A height loss of 20 % makes a fracture [V: Wáng 2019, doi 10.21037/qims.2019.02.04]."""
MIDDLE_EXCESS = 0.05
"""The middle counts only where it is lost by this much more than the mean of front and back [D: reference §1.3]."""
CRUSH_SPREAD = 0.10
"""All three losses within this of each other are a crush [D: reference §1.3]."""


def truth_of(phantom: SpinePhantom) -> dict[str, Any]:
    """Everything known of a phantom by construction; plain numbers, lists and strings (truth.json).

    World RAS, mm; ml, degrees (kyphosis positive), HU. A level in ``phantom.cut`` has ``complete`` false.
    """
    levels = {level: _level(phantom, level) for level in phantom.levels}
    return {
        "schema": SCHEMA,
        "coordinate_system": "RAS",
        "levels": levels,
        "rotation_deg": list(phantom.rotation_deg),
        "seed": phantom.seed,
    }


def vertebral_frame(placed: Placed) -> Frame:
    """The vertebra's own frame: superior half-way between the normals of its rims, origin in the middle of the rims.

    The construction frame belongs to the unfractured body; after a fracture of one end plate the two differ by half of
    what that plate has tilted.
    """
    tilt = 0.5 * (placed.body.plate_tilt_deg(True) + placed.body.plate_tilt_deg(False))
    rows = rotation(0, tilt).T @ placed.frame.rows
    centre = placed.frame.to_ras(np.mean(list(placed.body.rim_points().values()), axis=0))
    return Frame(centre, rows[0], rows[1], rows[2])


def height_losses(fracture: Fracture) -> dict[str, float]:
    """Fraction of the vertebra's own height lost at the anterior rim, the centre and the posterior rim."""
    stays = 1.0 - fracture.crush
    return {
        "anterior": 1.0 - stays * (1.0 - fracture.wedge),
        "middle": 1.0 - stays * (1.0 - 0.5 * fracture.wedge) * (1.0 - fracture.biconcave),
        "posterior": fracture.crush,
    }


def genant_grade(largest_loss: float) -> int:
    """Genant grade of the largest loss: 1 from 20 %, 2 from 25 %, 3 above 40 % [V, doi 10.21037/qims.2019.02.04]."""
    if largest_loss < FRACTURED_LOSS:
        return 0
    return 1 if largest_loss < 0.25 else (2 if largest_loss <= 0.40 + 1e-9 else 3)


def fracture_shape(losses: dict[str, float]) -> str:
    """wedge, biconcave, crush, their mixture joined by "+", or none; rules of clinical-reference §1.3 [D]."""
    a, m, p = losses["anterior"], losses["middle"], losses["posterior"]
    if min(a, m, p) >= FRACTURED_LOSS and max(a, m, p) - min(a, m, p) < CRUSH_SPREAD:
        return "crush"
    names = []
    if a >= FRACTURED_LOSS:
        names.append("wedge")
    if m >= FRACTURED_LOSS and m - 0.5 * (a + p) >= MIDDLE_EXCESS:
        names.append("biconcave")
    if p >= FRACTURED_LOSS:
        names.append("crush")
    return "+".join(names) or "none"


def _level(phantom: SpinePhantom, level: str) -> dict[str, Any]:
    placed = phantom.vertebrae[level]
    shape, body, frame = placed.shape, placed.body, placed.frame
    losses = height_losses(shape.fracture)
    heights = {
        "anterior": body.anterior_height_mm,
        "middle": body.middle_height_mm,
        "posterior": body.posterior_height_mm,
    }
    volume, two_thirds = body.volumes_ml()
    own = {part: heights[part] / (1.0 - losses[part]) for part in PARTS}
    neighbours = _neighbour_heights(phantom, level)
    cleft = body.cleft()
    return {
        "complete": level not in phantom.cut,
        "frame": _frame(vertebral_frame(placed)),
        "construction_frame": _frame(frame),
        **{f"{part}_height_mm": _number(heights[part]) for part in PARTS},
        "height_points_ras": _height_points(placed),
        "rim_points_ras": {name: _point(frame.to_ras(point)) for name, point in body.rim_points().items()},
        "own_heights_before_mm": {part: _number(own[part]) for part in PARTS},
        "height_loss_percent": {part: _number(100.0 * losses[part]) for part in PARTS},
        "neighbour_heights_mm": neighbours and {part: _number(neighbours[part]) for part in PARTS},
        "height_loss_against_neighbours_percent": neighbours
        and {part: _number(100.0 * (1.0 - heights[part] / neighbours[part])) for part in PARTS},
        "genant_grade": genant_grade(max(losses.values())),
        "fracture_shape": fracture_shape(losses),
        "depth_mm": _number(body.mid_depth_mm),
        "depth_superior_mm": _number(shape.depth_superior_mm),
        "depth_inferior_mm": _number(shape.depth_inferior_mm),
        "width_mm": _number(body.mid_width_mm),
        "width_superior_mm": _number(shape.width_superior_mm),
        "width_inferior_mm": _number(shape.width_inferior_mm),
        "body_volume_ml": _number(volume),
        "anterior_two_thirds_volume_ml": _number(two_thirds),
        "wedge_angle_deg": _number(body.wedge_angle_deg),
        "segmental_kyphosis_deg": _optional(_segmental(phantom, level)),
        "gardner_angle_deg": _optional(_gardner(phantom, level)),
        "pedicles": {side: _pedicle(placed, side) for side in SIDES},
        "canal": _canal(placed),
        "posterior_wall_retropulsion_mm": _number(body.retropulsion_mm()),
        "cleft_volume_ml": _number(cleft.volume_ml if cleft else 0.0),
        "cleft_centre_ras": _point(frame.to_ras(cleft.centre)) if cleft else None,
        "trabecular_hu": _number(shape.trabecular_hu + shape.fracture.density_gain_hu),
        "cortical_defects": [
            {"wall": defect.wall, "at": list(defect.at), "radius_mm": defect.radius_mm} for defect in shape.defects
        ],
    }


def _height_points(placed: Placed) -> dict[str, list[list[float]]]:
    rims, centres, frame = placed.body.rim_points(), placed.body.centre_points(), placed.frame
    pairs = {
        "anterior": (rims["anterior_superior"], rims["anterior_inferior"]),
        "middle": (centres["superior"], centres["inferior"]),
        "posterior": (rims["posterior_superior"], rims["posterior_inferior"]),
    }
    return {part: [_point(frame.to_ras(point)) for point in pair] for part, pair in pairs.items()}


def _neighbour_heights(phantom: SpinePhantom, level: str) -> dict[str, float] | None:
    """Mean heights of the nearest unfractured level above and below; None where one of them is missing."""
    found = []
    for step in (above, below):
        name = step(level, phantom.levels)
        while name is not None and (phantom.shape(name).fracture.present or name in phantom.cut):
            name = step(name, phantom.levels)
        if name is None:
            return None
        found.append(phantom.vertebrae[name].body)
    return {part: 0.5 * sum(getattr(body, f"{part}_height_mm") for body in found) for part in PARTS}


def _plate_line(placed: Placed, superior: bool) -> FloatArray:
    """Unit vector RAS of the mid-sagittal rim line, from behind to the front."""
    rims, name = placed.body.rim_points(), "superior" if superior else "inferior"
    line = rims[f"anterior_{name}"] - rims[f"posterior_{name}"]
    return unit(placed.frame.direction_to_ras(line))


def _kyphosis(upper_line: FloatArray, lower_line: FloatArray, frame: Frame) -> float:
    """Angle from an upper to a lower rim line, seen in the sagittal plane of ``frame``; kyphosis positive."""
    tilts = []
    for line in (upper_line, lower_line):
        local = frame.direction_to_local(line)
        tilts.append(np.degrees(np.arctan2(local[2], local[1])))
    return float(tilts[1] - tilts[0])


def _segmental(phantom: SpinePhantom, level: str) -> float | None:
    """Upper end plate of the level above to the lower end plate of the level below; None beside a cut level."""
    upper, lower = above(level, phantom.levels), below(level, phantom.levels)
    if upper is None or lower is None or upper in phantom.cut or lower in phantom.cut:
        return None
    placed = phantom.vertebrae
    return _kyphosis(
        _plate_line(placed[upper], True),
        _plate_line(placed[lower], False),
        vertebral_frame(placed[level]),
    )


def _gardner(phantom: SpinePhantom, level: str) -> float | None:
    """Upper end plate of the level above to the lower end plate of this level."""
    upper = above(level, phantom.levels)
    if upper is None or upper in phantom.cut:
        return None
    placed = phantom.vertebrae
    return _kyphosis(
        _plate_line(placed[upper], True),
        _plate_line(placed[level], False),
        vertebral_frame(placed[level]),
    )


def _pedicle(placed: Placed, side: str) -> dict[str, Any]:
    tube = placed.pedicles[side]
    width, height = tube.shape.isthmus_width_mm, tube.shape.isthmus_height_mm
    return {
        "isthmus_width_mm": _number(min(width, height)),
        "isthmus_height_mm": _number(max(width, height)),
        "transverse_diameter_mm": _number(width),
        "vertical_diameter_mm": _number(height),
        "centre_ras": _point(placed.frame.to_ras(tube.centre)),
        "axis": _point(placed.frame.direction_to_ras(tube.axis)),
        "across": _point(placed.frame.direction_to_ras(tube.across)),
        "convergence_deg": _number(tube.shape.convergence_deg),
        "caudal_deg": _number(tube.shape.caudal_deg),
    }


def _canal(placed: Placed) -> dict[str, Any]:
    shape = placed.shape
    y = placed.arch.wall_y - shape.canal_gap_mm - 0.5 * shape.canal_depth_mm
    edge = np.array(placed.arch.wall_y)
    z = 0.5 * float(placed.body.rim_plane(edge, True) + placed.body.rim_plane(edge, False))
    return {
        "width_mm": _number(shape.canal_width_mm),
        "depth_mm": _number(shape.canal_depth_mm),
        "centre_ras": _point(placed.frame.to_ras([0.0, y, z])),
    }


def _frame(frame: Frame) -> dict[str, list[float]]:
    return {
        "origin_ras": _point(frame.origin_ras),
        "right": _point(frame.right),
        "anterior": _point(frame.anterior),
        "superior": _point(frame.superior),
    }


def _number(value: float) -> float:
    return round(float(value), DECIMALS) + 0.0


def _optional(value: float | None) -> float | None:
    return None if value is None else _number(value)


def _point(values: FloatArray) -> list[float]:
    return [_number(value) for value in np.asarray(values)]
