"""Is a pedicle's isthmus as large as its level can have it?

A number that is wrong looks like any other. What the label has fused to a pedicle (a rib's head, an osteophyte, a facet)
makes its isthmus broad, and then a needle seems to have room that is not there.
"""

from __future__ import annotations

from ..model import PlanWarning, Vertebra

ZINDRICK_MM: dict[str, tuple[float, float]] = {
    "T5": (4.5, 11.9),
    "T8": (5.9, 12.5),
    "T9": (6.1, 13.9),
    "T10": (6.3, 14.7),
    "T11": (7.8, 16.9),
    "T12": (7.1, 15.8),
    "L1": (8.7, 15.4),
    "L2": (8.9, 15.0),
    "L3": (10.3, 14.9),
    "L4": (12.9, 14.8),
    "L5": (18.0, 14.0),
}
"""Mean width and height of the isthmus, mm, at the levels that clinical-reference names (Zindrick 1987 [M])."""

ISTHMUS_MM = ZINDRICK_MM | {
    "T1": (7.9, 9.9),
    "T2": (7.0, 12.0),
    "T3": (5.6, 12.4),
    "T4": (4.7, 12.1),
    "T6": (5.2, 12.2),
    "T7": (5.3, 12.1),
    "T13": (7.9, 15.6),
    "L6": (18.0, 14.0),
}
"""The same and the other thoracic levels, as remembered [M]; T13 midway between T12 and L1, L6 as L5 [D]. Newer means of the width lie
within a fifth of them: T4 4.2–4.5, T5 4.6, T12 8.3–8.7 (Kaur 2016, PMC4857161; Hung 2022 [V]), L5
16.1 ± 2.3 × 12.9 ± 1.9 (ijssurgery markup 11003 [V])."""

MOST_WIDTH, HEIGHT = 1.6, (0.6, 1.5)
"""Shares of the mean beyond which a size is doubted. Standard deviations are a fifth of the means, so 1.6 is three of them; 130
real sides read 0.6–1.9 and 0.8–1.6 of the means, and beyond the limits lay fused ribs and very large vertebrae [C/D]. That a
pedicle is slim is told by itself."""

SIDES_RATIO, SIDES_MM = 1.5, 1.5
"""Both sides of a level differ by no more, either as a ratio or in mm: 65 real levels by a factor of 1.1 in the median, by
1.5 and more on four with scoliosis or a fused rib [C/D]."""

SOURCE = "Zindrick 1987 [M]; limits by design [D]"


def size_warnings(vertebra: Vertebra) -> list[PlanWarning]:
    """Isthmuses larger or lower than their level can have them, and sides too unlike; each with its numbers."""
    found = []
    usual = ISTHMUS_MM[vertebra.level]
    sizes = {
        side: (pedicle.isthmus_width_mm, pedicle.isthmus_height_mm)
        for side, pedicle in sorted(vertebra.pedicles.items())
    }
    for side, (width, height) in sizes.items():
        wide, tall = width / usual[0], height / usual[1]
        if wide > MOST_WIDTH:
            found.append(_strange(vertebra.level, side, "wide", width, wide, usual[0]))
        if not HEIGHT[0] <= tall <= HEIGHT[1]:
            found.append(_strange(vertebra.level, side, "high", height, tall, usual[1]))
    if len(sizes) == 2:
        for index, word in enumerate(("wide", "high")):
            left, right = sizes["left"][index], sizes["right"][index]
            low, high = min(left, right), max(left, right)
            if high > SIDES_RATIO * low and high - low > SIDES_MM:
                text = (
                    f"The pedicles of {vertebra.level} read {left:.1f} mm (left) and {right:.1f} mm (right) {word} at the "
                    "isthmus: if one is not truly so slim, the label of the other holds more than the pedicle."
                )
                found.append(PlanWarning("pedicle_sides_unlike", "caution", text, "Real levels differ by less [C/D]"))
    return found


def _strange(level: str, side: str, word: str, size_mm: float, share: float, usual_mm: float) -> PlanWarning:
    text = (
        f"The {side} pedicle reads {size_mm:.1f} mm {word} at its isthmus, {share:.1f} times the usual {usual_mm:.1f} mm at "
        f"{level}: check in its picture whether the label holds anything else (a rib, an osteophyte, a facet) or lacks bone."
    )
    return PlanWarning("pedicle_size_unusual", "caution", text, SOURCE)
