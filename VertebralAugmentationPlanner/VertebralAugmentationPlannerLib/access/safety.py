"""Safe, tight or breach: what a path keeps against what it should keep."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from ..model import Cannula, Margins, Pedicle, Trajectory, Vertebra
from .clearance import PathCheck

RESOLUTION_MM = 0.05
"""A margin short by less than this is kept: surfaces from 1 mm voxels tell no more [D]."""

CANAL_MINIMUM_MM = 0.25
"""A tight path still keeps this from the canal: the error of a surface interpolated in a 1 mm grid. Below it contact
can't be excluded, and nothing is delivered [D]."""

ANTERIOR_LEAST_SHARE = 0.6
"""The tip keeps this share of the anterior margin in any case, because behind the cortex lie the great vessels: 3 of
5 mm (clinical-reference 3.2 [D]). In an upper thoracic body 16 mm deep the anterior third is 5 mm: the margin is 2.7 mm
there, and 1.6 mm are kept."""

FULL_SIZE_MM = 32.0
"""Margins inside the body are those of one this deep or deeper; in a shallower one they shrink with its depth: of 5 mm to the
anterior cortex 3.1 and of 3 mm to end plates and lateral cortex 1.9 are left in an upper thoracic body 20 mm deep. The tip can't
keep more in front than half of the anterior third without coming near to leaving it, and the full 3 mm on either side of a
cannula cost a tenth of the clearance in the pedicle there. The depth at mid-height stands for the body's size because no
fracture takes it away. One who asks for less than is left gets what he asks for; more than the usual shrinks alike,
so that more is always more [D]."""

WALL_NAMES = {
    "canal": "the canal",
    "pedicle_wall": "the pedicle’s wall",
    "endplate": "the end plate",
    "anterior_wall": "the anterior cortex",
    "lateral_wall": "the lateral cortex",
    "neighbour": "the neighbouring vertebra",
}
PEDICLE_WALLS = ("pedicle_wall", "canal")


def safety_sentence(needle: Trajectory) -> str:
    """What is said of a needle that was judged anew: “it is tight”."""
    return f"it {breach_words(needle)}" if needle.safety == "breach" else f"it is {needle.safety}"


def breach_words(needle: Trajectory) -> str:
    """What a needle that counts as a breach does. One that misses its pedicle, runs through metal, ends behind the body or comes
    nearer to the canal than can be told touches no wall for sure; its ``compromise`` says which it is."""
    known = [distance for distance in vars(needle.clearance_mm).values() if distance is not None]
    if not known:
        return "was not judged where it lies"
    return "breaches a wall" if min(known) < -RESOLUTION_MM else "cannot be used as it lies"


@dataclass(frozen=True)
class Shortage:
    """One margin that is not kept: how much there is, and how much there should be, mm."""

    wall: str
    kept_mm: float
    wanted_mm: float


@dataclass(frozen=True)
class Verdict:
    """The judgement of one path.

    Args:
        safety: "safe", "tight" or "breach".
        shortages: worst first.
        margins: what it was judged by.
    """

    safety: str
    shortages: tuple[Shortage, ...]
    margins: Margins
    not_through_pedicle: bool = False

    @property
    def short_in_pedicle(self) -> bool:
        """Whether a thinner cannula is what would help."""
        return any(shortage.wall in PEDICLE_WALLS for shortage in self.shortages)

    @property
    def short_of_a_neighbour(self) -> bool:
        """Whether the room beside a neighbour's facet is short."""
        return any(shortage.wall == "neighbour" for shortage in self.shortages)


def margins_for(margins: Margins, vertebra: Vertebra) -> Margins:
    """The margins that a vertebra's body has room for: those inside it shrink with its depth, from :data:`FULL_SIZE_MM` down.

    Raises:
        ValueError: the vertebra is incomplete.
    """
    if vertebra.depth_mm is None:
        raise ValueError(f"{vertebra.level} has no depth to scale its margins by")
    share, usual = min(1.0, vertebra.depth_mm / FULL_SIZE_MM), Margins()
    left = {
        name: max(share * getattr(margins, name), min(getattr(margins, name), share * getattr(usual, name)))
        for name in ("anterior_wall_mm", "endplate_mm", "lateral_wall_mm")
    }
    return replace(margins, **left)


def least_kept(wall: str, wanted_mm: float) -> float:
    """What even a tight path keeps from a wall with this margin, mm; below it the path is a breach."""
    if wall == "canal":
        return min(wanted_mm, CANAL_MINIMUM_MM)
    return ANTERIOR_LEAST_SHARE * wanted_mm if wall == "anterior_wall" else 0.0


def judge(check: PathCheck, margins: Margins) -> Verdict:
    """Judge an evaluated path against the margins."""
    shortages = []
    breach = not check.through_pedicle or check.crosses_own_bone
    for wall in WALL_NAMES:
        kept, wanted = getattr(check.clearance, wall), getattr(margins, f"{wall}_mm")
        if kept is None:
            continue
        if kept < wanted - RESOLUTION_MM:
            shortages.append(Shortage(wall, kept, wanted))
        if kept < least_kept(wall, wanted) - RESOLUTION_MM:
            breach = True
    shortages.sort(key=lambda s: s.kept_mm - s.wanted_mm)
    safety = "breach" if breach else ("tight" if shortages else "safe")
    return Verdict(safety, tuple(shortages), margins, not check.through_pedicle)


def shortage_text(verdict: Verdict) -> str:
    """The margins that are short, in words with numbers: "the cannula’s surface keeps 0.4 mm to the pedicle’s wall instead of
    1.0 mm, and 0.6 mm to the canal instead of 1.0 mm"."""
    breached, kept = [], []
    for shortage in verdict.shortages:
        name = WALL_NAMES[shortage.wall]
        if shortage.kept_mm < -RESOLUTION_MM:
            breached.append(f"breaches {name} by {-shortage.kept_mm:.1f} mm")
        else:
            kept.append(f"{max(shortage.kept_mm, 0.0):.1f} mm to {name} instead of {shortage.wanted_mm:.1f} mm")
    if kept:
        kept[0] = f"keeps {kept[0]}"
    return f"the cannula’s surface {', and '.join(breached + kept)}" if breached or kept else ""


def room_text(pedicle: Pedicle, cannula: Cannula, margins: Margins) -> str:
    """The isthmus against what the cannula needs, where the isthmus is what is too narrow; else empty."""
    needs = cannula.outer_diameter_mm + 2 * margins.pedicle_wall_mm
    if pedicle.isthmus_width_mm >= needs:
        return ""
    has, asked = f"{pedicle.isthmus_width_mm:.1f}", f"{needs + 1e-9:.1f}"
    if has == asked:  # a hundredth decides
        has, asked = f"{math.floor(100 * pedicle.isthmus_width_mm) / 100:.2f}", f"{needs:.2f}"
    return (
        f"the isthmus is {has} mm, {article(cannula)} {cannula.name} cannula with "
        f"{margins.pedicle_wall_mm:.1f} mm each side needs {asked} mm"
    )


def article(cannula: Cannula) -> str:
    """ "an" 8G, 11G; "a" 10G, 13G."""
    return "an" if cannula.name in ("8G", "11G") else "a"
