"""AO Spine–DGOU OF class as far as CT can say: OF2, OF3 or OF4.

OF1 is oedema without deformity and needs MRI; OF5 is a failure of the tension bands that CT can only suspect
(Schnake 2018, doi 10.1177/2192568217717972 [V]). How its words are turned into numbers here is ours [D].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..model import EndPlate, HeightLoss, Vertebra
from ..model.geometry import FloatArray
from .angles import plate_direction
from .heights import plates
from .normal import Usual
from .posterior_wall import WallProfile

PLATE_DROP_MM = 2.0
PLATE_DROP_SHARE = 0.5
"""An end plate takes part where its front or its middle sank by 2 mm against the posterior wall, and half as far as the
other plate. Plates of healthy bodies differ from their neighbours' by about 3° (1.7 mm at the front), and an error of
the wall's direction moves depth from one plate to the other [D]."""

POSTERIOR_SHARE = 0.20
"""OF2 and OF3 differ by the posterior wall's part: less or more than a fifth (Schnake 2018 [V])."""

BULGE_MM = 2.0
"""A stretch of wall that bulges this far beyond the usual takes part in the fracture [D]."""

MEAN_COLLAPSE_PERCENT = 40.0
LARGEST_COLLAPSE_PERCENT = 60.0
"""Where the three heights lost this much on average, or one of them this much, the frame is lost: a pincer or a
collapse, whatever the plates look like [D]."""


@dataclass(frozen=True)
class PlateShape:
    """An end plate against the posterior wall.

    Args:
        slope_deg: rise of the plate towards the front beyond a right angle to the wall (the inferior plate mirrored).
        dish_mm: depth of its centre below the line joining its rims.
        depth_mm: distance between its rims.
    """

    slope_deg: float
    dish_mm: float
    depth_mm: float


def plate_shapes(vertebra: Vertebra) -> tuple[PlateShape, PlateShape]:
    """Superior and inferior plate."""
    upper, lower = plates(vertebra)
    wall = upper.posterior_rim - lower.posterior_rim
    return _shape(upper, wall), _shape(lower, -wall)


def _shape(plate: EndPlate, wall: FloatArray) -> PlateShape:
    """``wall`` points from the other plate's posterior rim to this one's."""
    chord = plate.anterior_rim - plate.posterior_rim
    along, outward = chord[1:], wall[1:]
    cosine = np.dot(along, outward) / (np.linalg.norm(along) * np.linalg.norm(outward))
    slope = 90.0 - float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))
    direction = plate_direction(plate)[1:]
    perpendicular = np.array([-direction[1], direction[0]])
    if np.dot(perpendicular, outward) < 0:
        perpendicular = -perpendicular
    dish = -float(np.dot(plate.centre[1:] - (plate.anterior_rim[1:] + plate.posterior_rim[1:]) / 2, perpendicular))
    return PlateShape(slope, dish, float(np.linalg.norm(along)))


def plate_drop_mm(own: PlateShape, usual: PlateShape) -> float:
    """How far the plate's front or middle sank against the usual shape, the larger of the two, mm."""
    front = own.depth_mm * float(np.tan(np.radians(usual.slope_deg - own.slope_deg)))
    middle = front / 2 + own.dish_mm - usual.dish_mm
    return max(front, middle)


def of_class(
    vertebra: Vertebra,
    healthy: Sequence[Vertebra],
    loss: HeightLoss,
    wall: WallProfile,
    healthy_walls: Sequence[WallProfile],
    shape: str | None,
    normal: Usual | None = None,
) -> str | None:
    """OF class of a fractured body; call it for fractures only.

    Args:
        healthy: the reference neighbours, whose plates give the usual shape. Without any, plates perpendicular to the
            posterior wall and half the body's present dish are taken as usual.
        normal: normal values of the levels; those of five lumbar vertebrae by default.
    """
    if shape is None or shape == "none":
        return None
    known = [value for value in (loss.anterior, loss.middle, loss.posterior) if value is not None]
    mean = sum(known) / len(known)
    if shape == "crush" or mean >= MEAN_COLLAPSE_PERCENT or max(known) >= LARGEST_COLLAPSE_PERCENT:
        return "OF4"
    own = plate_shapes(vertebra)
    turns = [_steeper_deg(vertebra, other, normal or Usual()) / 2 for other in healthy]
    usual = usual_shapes(own, [_turned(plate_shapes(other), turn) for other, turn in zip(healthy, turns, strict=True)])
    drops = [plate_drop_mm(mine, normal) for mine, normal in zip(own, usual, strict=True)]
    if min(drops) >= max(PLATE_DROP_MM, PLATE_DROP_SHARE * max(drops)):
        return "OF4"
    wall_lost = (loss.posterior or 0.0) / 100.0 > POSTERIOR_SHARE
    return "OF3" if wall_lost or bulging_share(wall, healthy_walls) > POSTERIOR_SHARE else "OF2"


def _steeper_deg(vertebra: Vertebra, other: Vertebra, normal: Usual) -> float:
    """By how much more its plates open to the front by nature than a neighbour's, degrees: the last lumbar body is wedge-shaped by
    about 4° more than the one above, half of it by either plate. 0 between other levels, whose step is within their spread."""
    if normal.is_steep(vertebra.level) == normal.is_steep(other.level) or vertebra.depth_mm is None:
        return 0.0
    opening = []
    for level in (vertebra.level, other.level):
        anterior, _, posterior = normal.heights(level)
        opening.append(float(np.degrees(np.arctan2(anterior - posterior, vertebra.depth_mm))))
    return opening[0] - opening[1]


def _turned(pair: tuple[PlateShape, PlateShape], degrees: float) -> tuple[PlateShape, PlateShape]:
    upper, lower = (replace(plate, slope_deg=plate.slope_deg + degrees) for plate in pair)
    return upper, lower


def usual_shapes(
    own: tuple[PlateShape, PlateShape], healthy: Sequence[tuple[PlateShape, PlateShape]]
) -> tuple[PlateShape, PlateShape]:
    """What the two plates would look like unbroken: the mean of healthy neighbours."""
    if not healthy:
        upper, lower = (PlateShape(0.0, plate.dish_mm / 2, plate.depth_mm) for plate in own)
        return upper, lower
    upper, lower = (
        PlateShape(
            float(np.mean([pair[side].slope_deg for pair in healthy])),
            float(np.mean([pair[side].dish_mm for pair in healthy])),
            float(np.mean([pair[side].depth_mm for pair in healthy])),
        )
        for side in (0, 1)
    )
    return upper, lower


def bulging_share(own: WallProfile, healthy: Sequence[WallProfile]) -> float:
    """Share of the posterior wall's height that bulges by :data:`BULGE_MM` or more."""
    usual = np.mean([profile.offset_mm for profile in healthy], axis=0) if healthy else 0.0
    return float(np.mean(own.offset_mm - usual >= BULGE_MM))
