"""What the search wants of a line, and what a line costs that falls short of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..model import Margins
from .surface import ANTERIOR, ENDPLATE, LATERAL, NEIGHBOUR

CORE, EVERY, RIM, ENTRY = 10, 11, 12, 13
"""For the search: the walls of the pedicle and the canal, from where the pedicle begins; every wall of the vertebra on the
way from the entry to the tip, read strictly; the rim of the entry hole, which the cannula must not break; and the walls
beside the entry as the evaluation reads them, which must leave the pedicle's margin.

The room around an entry says little of the room in the pedicle, so that neither of the first two stands for both."""

RIM_MM = 0.1
"""The cannula stays this far inside the rim of its hole, so that it is not broken [D]."""

EVERY_MM = 2.2
"""Distance of the axis that even the line widest in the pedicle keeps from every wall on its way: 1.5 mm, and what a
surface of labels may be off [D]."""

BUFFER_MM, FIRM_BUFFER_MM = 0.1, 0.3
"""Margins are aimed at with this in hand, because a price is never paid in full and the needle's flat end is read as a ball;
with the second where the first left a margin short [D]."""

TIP_FLAT_END = 0.75
"""The tube's end is flat: where the nearest anterior cortex lies up to 50° off the needle, as it does for a paramedian
tip, its rim stands r·sin 50° ahead of the axis [C]."""

PRICE = {RIM: 6.0, EVERY: 6.0, ENTRY: 2.0, NEIGHBOUR: 6.0, ENDPLATE: 0.3, ANTERIOR: 0.3, LATERAL: 0.3}
"""Price of a short margin while the clearance is made as large as it can be: mm of clearance a mm. What makes a path
a breach is dear. The margins in the body only break ties: where both can't be had the pedicle comes first [D]."""

WISHED_PRICE = {RIM: 20.0, ENTRY: 20.0, NEIGHBOUR: 20.0, ENDPLATE: 12.0, ANTERIOR: 12.0, LATERAL: 12.0}
"""The same once the clearance is set: every margin goes before the soft wishes, none before the clearance [D]."""

PRICE_BEND_MM = 0.15
"""Below this a price rises like a parabola, so that its slope is continuous [D]."""

FLOOR_WEIGHT = 2000.0
LOSS_WEIGHT = {CORE: 2000.0, EVERY: 350.0}
"""Of clearance below the floor, and of clearance lost, in the pedicle and on the whole way: each as a share of the largest
there is, squared [D]."""


@dataclass(frozen=True)
class Wishes:
    """What one refinement strives for.

    Args:
        radius_mm: of the cannula.
        margins: to keep from the surface.
        reach_x: allowed range of the tip's local x, mm.
        preferred_x: the best local x of the tip.
        in_hand_mm: what margins are aimed at beyond themselves.
    """

    radius_mm: float
    margins: Margins
    reach_x: tuple[float, float]
    preferred_x: float
    in_hand_mm: float = BUFFER_MM

    def needed(self) -> dict[int, float]:
        """Distance of the axis to what has a margin that keeps it, mm."""
        radius, margins = self.radius_mm + self.in_hand_mm, self.margins
        return {
            RIM: self.radius_mm + RIM_MM,
            ENTRY: self.radius_mm + margins.pedicle_wall_mm + self.in_hand_mm,
            ENDPLATE: radius + margins.endplate_mm,
            ANTERIOR: TIP_FLAT_END * self.radius_mm + self.in_hand_mm + margins.anterior_wall_mm,
            LATERAL: radius + margins.lateral_wall_mm,
            NEIGHBOUR: radius + margins.neighbour_mm,
        }


@dataclass(frozen=True)
class Widest:
    """To make one clearance as large as it can be: ``aim`` is CORE or EVERY."""

    aim: int

    def price(self, group: int, clearance_mm: float) -> tuple[float, float]:
        """What a group's clearance beyond its need costs, and how fast that falls as it grows."""
        if group == self.aim:
            return -clearance_mm, 1.0
        if group == CORE:
            return 0.0, 0.0
        return _short(PRICE[group], (EVERY_MM if group == EVERY else 0.0) - clearance_mm)


@dataclass(frozen=True)
class Floor:
    """To meet the soft wishes, which must leave a share of both clearances.

    Args:
        core_mm: the largest clearance along the pedicle and to the canal, from the axis.
        every_mm: the largest to every wall from the entry to the tip; both as softened smallest distances.
        share: of either that must be left.
    """

    core_mm: float
    every_mm: float
    share: float

    def price(self, group: int, clearance_mm: float) -> tuple[float, float]:
        """What a group's clearance beyond its need costs, and how fast that falls as it grows."""
        if group not in LOSS_WEIGHT:
            return _short(WISHED_PRICE[group], -clearance_mm)
        widest, weight = self.core_mm if group == CORE else self.every_mm, LOSS_WEIGHT[group]
        lost, short = max(0.0, 1.0 - clearance_mm / widest), max(0.0, self.share - clearance_mm / widest)
        return weight * lost**2 + FLOOR_WEIGHT * short**2, 2 * (weight * lost + FLOOR_WEIGHT * short) / widest


Goal = Widest | Floor


def _short(price: float, short_mm: float) -> tuple[float, float]:
    """A price by the mm that starts like a parabola, and its slope; nothing where nothing is short."""
    if short_mm <= 0:
        return 0.0, 0.0
    root = float(np.hypot(short_mm, PRICE_BEND_MM))
    return price * (root - PRICE_BEND_MM), price * short_mm / root
