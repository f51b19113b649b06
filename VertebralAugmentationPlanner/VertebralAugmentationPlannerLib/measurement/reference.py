"""The heights a fractured body is compared with.

Order of preference: the nearest unfractured neighbours; the level's own posterior wall with the normal ratios of
the level; the normal heights of the level. Who counts as unfractured is decided for the whole spine at once, because
fractures come in rows and a fractured neighbour would hide the next one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from ..model import LEVELS, HeightLoss, Reference
from ..model.grades import largest_loss
from .block import find_oversized
from .normal import Heights, Usual

FRACTURE_LOSS = 0.20
"""A height that lost this much is a fracture: Genant grade 1 starts at 20 % (Wáng, QIMS 2019,
doi 10.21037/qims.2019.02.04) [V]."""

SEED_LOSS = 0.15
"""Bodies closer than this to the normal growth curve, scaled to the patient, start as unfractured. Tighter than
:data:`FRACTURE_LOSS` since single levels differ from the curve by about 5 % [D]."""

FARTHEST_NEIGHBOUR = 3
"""How many levels away a neighbour may lie. Steps between levels differ by some 0.5 mm from person to person, so
three of them blur the reference by about 1.5 mm or 6 %, well below the 20 % of a fracture; four do not [D]."""

OWN_POSTERIOR_KEPT = 0.80
"""Without neighbours the own posterior wall serves only where it has at least this share of the level's normal
height (mean − 3 SD: the SD of L5 is 1.9 of 26.3 mm, IJSSURGERY markup 11003, Table 6 [V]) [D]."""

TALLER_PERCENT = 17.5
"""A body taller than its reference by this much: judged by the body, the reference has lost 15 %, as much as keeps a level
out of the seeds of the unfractured. Unfractured levels of six real spines were at most 13.4 % taller [C]."""

APART_PERCENT = 25.0
"""What either neighbour alone would let expect differs by this share of its mean: growth and the usual differences between
levels do not explain it. At most 21.5 % in six real spines (L4 between L3 and L5) [C]."""

SHAPE_LOSS = 0.14
"""A body whose anterior or middle height is this much lower than its own posterior height and the level's normal proportions
let expect is no reference for others, and where its own loss tells no fracture, that is said: its neighbours may be
fractured in the same way. Of 90 levels T6–L5 of 12 real spines that count as unfractured the three above it (15.6–19.6 %)
are of Genant grade 2 by VerSe's readers; the next has 12.9 % [C]."""

REFERENCE_KEPT = 0.75
"""Share of the level's normal posterior height below which neighbours are doubted as reference: bodies that are all crushed tell
no loss of one another. References of 245 levels of 31 real spines have 0.80–1.28 of it, the least in small ones [C]."""

REFERENCE_MOST = 1.35
"""Share above which they are doubted, too: what is so tall may be two vertebrae under one label [C]."""


@dataclass(frozen=True)
class LevelReference:
    """Reference of one level, and the neighbours that were passed over to find it.

    Args:
        skipped: levels that are fractured, or whose shape is as if they were (lower on one side, too).
        doubt: what speaks against the reference; may be empty.
        shape: what the level's own shape tells of a fracture that its loss does not; may be empty.
        excess: in what the reference is taller than any vertebra; may be empty.
        oversized: in what the body itself is taller than one vertebra can be; may be empty.
    """

    reference: Reference
    loss: HeightLoss
    skipped: tuple[str, ...]
    doubt: str = ""
    shape: str = ""
    excess: str = ""
    oversized: str = ""

    @property
    def fractured(self) -> bool:
        """Whether any of the three heights lost 20 % or more."""
        return (largest_loss(self.loss) or 0.0) >= 100 * FRACTURE_LOSS


def find_references(
    heights: Mapping[str, Heights],
    doubtful: Collection[str] = (),
    usual: Usual | None = None,
    lopsided: Collection[str] = (),
    cemented: Collection[str] = (),
) -> dict[str, LevelReference]:
    """Reference heights and losses of every level.

    Args:
        heights: measured heights by level, mm, ordered from head to foot; complete levels only.
        doubtful: levels whose heights are not sure enough to judge others by.
        usual: normal values of the levels; those of five lumbar vertebrae by default.
        lopsided: levels that are lower on one side, so that their midline may have lost height as well. They serve as reference
            only where no other unfractured level is in reach: a scoliotic spine may have no others.
        cemented: levels that hold cement of an earlier operation. They were fractured once, and what height they did not get back
            would be missing from the reference; they serve where ``lopsided`` ones do.

    Returns:
        The same levels. ``loss`` holds None for a height that was not measured, and for the posterior height where
        it is itself the reference.
    """
    usual = usual or Usual()
    oversized = find_oversized(heights, usual)
    doubtful = {*doubtful, *oversized}
    sure = {level: h for level, h in heights.items() if level not in doubtful}
    barred = {*lopsided, *cemented}
    unfractured = find_unfractured(sure, usual, barred)
    at_need = unfractured | (find_unfractured(sure, usual) & barred if barred else set())
    return {
        level: _reference_of(
            level,
            heights,
            unfractured if _nearest(level, heights, unfractured - {level}) else at_need,
            doubtful,
            usual,
            lopsided,
            cemented,
            oversized.get(level, ""),
        )
        for level in heights
    }


def height_loss(heights: Heights, reference: Reference) -> HeightLoss:
    """Loss of each height against its reference, percent; negative where the body is taller."""
    expected = (reference.anterior_height_mm, reference.middle_height_mm, reference.posterior_height_mm)
    loss = [
        None if height is None or normal is None else 100.0 * (1.0 - height / normal)
        for height, normal in zip(heights, expected, strict=True)
    ]
    if reference.method == "own_posterior":
        loss[2] = None  # a height cannot be judged against itself
    return HeightLoss(*loss)


# --- who is unfractured -----------------------------------------------------------------------------------------


def find_unfractured(heights: Mapping[str, Heights], usual: Usual, barred: Collection[str] = ()) -> set[str]:
    """The levels that may serve as reference for others.

    1. The normal heights are scaled to the patient by the tall half of the posterior heights; levels within
       :data:`SEED_LOSS` of it are seeds.
       A level whose own shape has lost :data:`SHAPE_LOSS` is none, and never joins; nor do those ``barred``.
    2. The other levels join one at a time, the best first, while their neighbours among the unfractured say that
       no height lost 20 %.
    3. Members that lost 20 % against the other members leave, the worst first. Nobody joins after that, so it ends.
    """
    measured = {level: h for level, h in heights.items() if None not in h}
    if not measured:
        return set()
    suspicion = _loss_against_growth_curve(measured, usual)
    shapely = {
        level
        for level, own in measured.items()
        if level not in barred and not _shaped_like_a_fracture(level, own, usual)
    }
    members = {level for level, loss in suspicion.items() if loss < SEED_LOSS and level in shapely}
    while True:
        outside = [level for level in measured if level in shapely and level not in members]
        worst = {level: _joining_loss(level, measured, members, suspicion[level], usual) for level in outside}
        joining = min(worst, key=lambda level: worst[level], default=None)
        if joining is None or worst[joining] >= FRACTURE_LOSS:
            break
        members.add(joining)
    while True:
        judged = {level: _loss_against(level, measured, members - {level}, usual) for level in members}
        known = {level: loss for level, loss in judged.items() if loss is not None}
        leaving = max(known, key=lambda level: known[level], default=None)
        if leaving is None or known[leaving] < FRACTURE_LOSS:
            return members
        members.remove(leaving)


def shape_losses(level: str, own: Heights, usual: Usual) -> tuple[float, float] | None:
    """Losses (fractions) of the anterior and middle height against the own posterior one and the level's normal proportions;
    None where a height is missing, or where the level's proportions are only remembered."""
    anterior, middle, posterior = own
    if anterior is None or middle is None or posterior is None or not usual.sourced(level):
        return None
    front, centre = usual.ratios(level)
    return 1.0 - anterior / (front * posterior), 1.0 - middle / (centre * posterior)


def _shaped_like_a_fracture(level: str, own: Heights, usual: Usual) -> bool:
    losses = shape_losses(level, own, usual)
    return losses is not None and max(losses) >= SHAPE_LOSS


def _joining_loss(
    level: str, heights: Mapping[str, Heights], members: set[str], suspicion: float, usual: Usual
) -> float:
    """Loss (fraction) that decides whether a level joins the unfractured.

    Beyond the last member the reference is extrapolated and so as uncertain as the growth curve: a level there stays
    out only where both say that it is broken. Out of reach of every member the curve decides alone.
    """
    loss = _loss_against(level, heights, members, usual)
    if loss is None:
        return suspicion
    return loss if len(_nearest(level, heights, members)) == 2 else min(loss, suspicion)


def _loss_against_growth_curve(heights: Mapping[str, Heights], usual: Usual) -> dict[str, float]:
    """Largest loss (fraction) of each level against the normal heights scaled to this patient."""
    actual = {level: np.array(h, float) for level, h in heights.items()}
    posterior = np.array([h[2] / usual.heights(level)[2] for level, h in actual.items()])
    # Fractures only lower heights, and the posterior wall least: the tall half tells the patient's size.
    scale = float(np.median(posterior[posterior >= np.median(posterior)]))
    return {level: float(np.max(1.0 - h / (scale * np.array(usual.heights(level))))) for level, h in actual.items()}


def _loss_against(level: str, heights: Mapping[str, Heights], members: set[str], usual: Usual) -> float | None:
    """Largest loss (fraction) of a level against members near it; None where there are none."""
    neighbours = _nearest(level, heights, members)
    if not neighbours:
        return None
    expected = _interpolate(level, heights, neighbours, usual)
    return float(np.max(1.0 - np.array(heights[level], float) / np.array(expected)))


# --- the reference of one level ---------------------------------------------------------------------------------


def _reference_of(
    level: str,
    heights: Mapping[str, Heights],
    unfractured: set[str],
    doubtful: Collection[str],
    usual: Usual,
    lopsided: Collection[str],
    cemented: Collection[str],
    oversized: str,
) -> LevelReference:
    neighbours = _nearest(level, heights, unfractured - {level})
    skipped = tuple(name for name in _skipped(level, heights, unfractured, neighbours) if name not in doubtful)
    own = heights[level]
    if neighbours:
        reference = Reference(*_interpolate(level, heights, neighbours, usual), "neighbours", tuple(neighbours))
    elif own.posterior is not None and own.posterior >= OWN_POSTERIOR_KEPT * usual.heights(level)[2]:
        anterior, middle = (ratio * own.posterior for ratio in usual.ratios(level))
        reference = Reference(anterior, middle, own.posterior, "own_posterior", (level,))
    else:
        reference = Reference(*usual.heights(level), "normative", ())
    loss = height_loss(own, reference)
    shape = _fractured_shape(level, own, usual) if (largest_loss(loss) or 0.0) < 100 * FRACTURE_LOSS else ""
    doubt = "" if oversized else _doubt(level, heights, reference, loss, usual)
    lower = [name for name in neighbours if name in lopsided]
    filled = [name for name in neighbours if name in cemented]
    if lower and not doubt:
        doubt = f"{' and '.join(lower)} {'is' if len(lower) == 1 else 'are'} lower on one side"
    if filled:
        told = f"{' and '.join(filled)} {'holds' if len(filled) == 1 else 'hold'} cement of an earlier operation"
        doubt = f"{doubt}, and {told}" if doubt else told
    return LevelReference(reference, loss, skipped, doubt, shape, _excess(level, reference, usual), oversized)


def _excess(level: str, reference: Reference, usual: Usual) -> str:
    """In what the reference's neighbours let expect more than any vertebra has; empty where they don't."""
    expected, normal = reference.posterior_height_mm, usual.heights(level)[2]
    if reference.method != "neighbours" or expected is None or expected <= REFERENCE_MOST * normal:
        return ""
    return (
        f"the posterior height of {level} should be {expected:.1f} mm by it, {100 * expected / normal:.0f} % of the usual "
        f"{normal:.1f} mm"
    )


def _doubt(level: str, heights: Mapping[str, Heights], reference: Reference, loss: HeightLoss, usual: Usual) -> str:
    """Why the reference itself may be fractured or misread; empty where nothing speaks against it."""
    expected = (reference.anterior_height_mm, reference.middle_height_mm, reference.posterior_height_mm)
    losses = (loss.anterior, loss.middle, loss.posterior)
    known = [n for n in range(3) if losses[n] is not None]
    tallest = min(known, key=lambda n: losses[n] or 0.0, default=None)
    if tallest is not None and -(losses[tallest] or 0.0) >= TALLER_PERCENT:
        return (
            f"{level} is {-(losses[tallest] or 0.0):.0f} % taller than its reference ({Heights._fields[tallest]} height "
            f"{heights[level][tallest]:.1f} against {expected[tallest]:.1f} mm)"
        )
    if len(reference.levels) == 2:
        # Each neighbour left out in turn: what the other alone lets expect.
        upper, lower = (_carried(heights[name], name, level, usual) for name in reference.levels)
        apart = [200.0 * abs(a - b) / (a + b) for a, b in zip(upper, lower, strict=True)]
        worst = int(np.argmax(apart))
        if apart[worst] >= APART_PERCENT:
            return (
                f"the {Heights._fields[worst]} height of {level} should be {upper[worst]:.1f} mm by {reference.levels[0]} "
                f"alone, but {lower[worst]:.1f} mm by {reference.levels[1]} alone ({apart[worst]:.0f} % apart)"
            )
    normal = usual.heights(level)[2]
    if reference.method == "neighbours" and (expected[2] or normal) < REFERENCE_KEPT * normal:
        return (
            f"the posterior height of {level} should be {expected[2]:.1f} mm by it, {100 * (expected[2] or 0.0) / normal:.0f} % of the "
            f"usual {normal:.1f} mm, as where all of them are crushed alike"
        )
    return ""


def _fractured_shape(level: str, own: Heights, usual: Usual) -> str:
    """In what a body's own shape is that of a fractured one; empty where it is not."""
    losses = shape_losses(level, own, usual)
    if losses is None or max(losses) < SHAPE_LOSS:
        return ""
    worst = int(np.argmax(losses))
    share = usual.ratios(level)[worst]
    return (
        f"its {Heights._fields[worst]} height is {100 * share * (1.0 - losses[worst]):.0f} % of its posterior height, usually "
        f"{100 * share:.0f} %"
    )


def _positions(heights: Mapping[str, Heights]) -> dict[str, int]:
    """Position along the spine. T13 takes a place only where it is labelled; missing levels keep theirs."""
    order = [level for level in LEVELS if level != "T13" or "T13" in heights]
    return {level: index for index, level in enumerate(order)}


def _nearest(level: str, heights: Mapping[str, Heights], members: set[str]) -> list[str]:
    """The nearest member above and the nearest below within reach, in this order; each may be missing."""
    position = _positions(heights)
    here = position[level]
    found = []
    for direction in (-1, +1):
        at_side = [other for other in members if 0 < direction * (position[other] - here) <= FARTHEST_NEIGHBOUR]
        if at_side:
            found.append(min(at_side, key=lambda other: abs(position[other] - here)))
    return found


def _skipped(
    level: str, heights: Mapping[str, Heights], unfractured: set[str], neighbours: list[str]
) -> tuple[str, ...]:
    """Fractured levels between this one and its references, or within reach on a side without one."""
    position = _positions(heights)
    here = position[level]
    reach = {-1: FARTHEST_NEIGHBOUR, +1: FARTHEST_NEIGHBOUR}
    for neighbour in neighbours:
        step = position[neighbour] - here
        reach[1 if step > 0 else -1] = abs(step) - 1
    return tuple(
        other
        for other in heights
        if other != level
        and other not in unfractured
        and abs(position[other] - here) <= reach[1 if position[other] > here else -1]
    )


def _interpolate(
    level: str, heights: Mapping[str, Heights], neighbours: list[str], usual: Usual
) -> tuple[float, float, float]:
    """Reference heights from one or two neighbours, mm.

    Two: linear in level position (for the next neighbours this is their mean, the usual definition of
    adjacent-referenced loss, PMC6530246). One: its height plus the growth between the levels.
    """
    position = _positions(heights)
    if len(neighbours) == 1:
        return _carried(heights[neighbours[0]], neighbours[0], level, usual)
    upper, lower = neighbours
    share = (position[level] - position[upper]) / (position[lower] - position[upper])
    high, low = (_unsteepened(heights[name], name, level, usual) for name in (upper, lower))
    a, m, p = ((1.0 - share) * u + share * v for u, v in zip(high, low, strict=True))
    return a, m, p


def _carried(heights: Heights, from_level: str, to_level: str, usual: Usual) -> tuple[float, float, float]:
    a, m, p = (
        float(height or np.nan) + step for height, step in zip(heights, usual.growth(from_level, to_level), strict=True)
    )
    return a, m, p


def _unsteepened(heights: Heights, level: str, target: str, usual: Usual) -> tuple[float, float, float]:
    """Heights of a neighbour; those of the steep last lumbar level as the one above would have them, unless it is itself to be
    judged (or the reverse)."""
    if usual.is_steep(level) and not usual.is_steep(target):
        return _carried(heights, level, usual.above_steep, usual)
    if usual.is_steep(target) and not usual.is_steep(level):
        return _carried(heights, usual.above_steep, target, usual)
    return _carried(heights, level, level, usual)
