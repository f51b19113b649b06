"""The heights a fractured body is compared with.

Order of preference: the nearest unfractured neighbours (:mod:`.unfractured`); the level's own posterior wall with the
normal ratios of the level; the normal heights of the level.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..model import HeightLoss, Reference
from ..model.grades import largest_loss
from .block import find_oversized
from .normal import Heights, Usual
from .spine_heights import SpineHeights
from .unfractured import FRACTURE_LOSS, find_unfractured, lost_shape

OWN_POSTERIOR_KEPT = 0.80
"""Without neighbours the own posterior wall serves only where it has at least this share of the level's normal
height (mean − 3 SD: the SD of L5 is 1.9 of 26.3 mm, IJSSURGERY markup 11003, Table 6 [V]) [D]."""

TALLER_PERCENT = 17.5
"""A body taller than its reference by this much: judged by the body, the reference has lost 15 %, as much as keeps a level
out of the seeds of the unfractured. Unfractured levels of six real spines were at most 13.4 % taller [C]."""

SEEMS_LOST_PERCENT = 8.0
"""A level that seems to have lost this much against one that is itself too tall says so: half of :data:`TALLER_PERCENT` comes
through where two neighbours are the reference [D]."""

APART_PERCENT = 25.0
"""What either neighbour alone would let expect differs by this share of its mean: growth and the usual differences between
levels do not explain it. At most 21.5 % in six real spines (L4 between L3 and L5) [C]."""

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
        tall: in what a vertebra of the reference is itself too tall beside its own; may be empty.
        oversized: in what the body itself is taller than one vertebra can be; may be empty.
    """

    reference: Reference
    loss: HeightLoss
    skipped: tuple[str, ...]
    doubt: str = ""
    shape: str = ""
    excess: str = ""
    tall: str = ""
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
    spine = SpineHeights(heights, usual)
    oversized = find_oversized(heights, usual)
    unsure = {*doubtful, *oversized}
    sure = {level: h for level, h in heights.items() if level not in unsure}
    barred = {*lopsided, *cemented}
    unfractured = find_unfractured(sure, usual, barred)
    at_need = unfractured | (find_unfractured(sure, usual) & barred if barred else set())
    found = {}
    for level, own in heights.items():
        members = unfractured if spine.nearest(level, unfractured - {level}) else at_need
        neighbours = spine.nearest(level, members - {level})
        reference = _reference(spine, level, neighbours)
        loss = height_loss(own, reference)
        doubt = "" if level in oversized else _doubt(spine, level, reference, loss)
        found[level] = LevelReference(
            reference,
            loss,
            tuple(name for name in spine.passed_over(level, neighbours, members) if name not in doubtful),
            _with_blemishes(doubt, neighbours, lopsided, cemented),
            _shape(level, own, usual) if (largest_loss(loss) or 0.0) < 100 * FRACTURE_LOSS else "",
            _excess(level, reference, usual),
            oversized=oversized.get(level, ""),
        )
    return {level: _compared_with_a_tall_one(spine, found, level) for level in found}


def height_loss(heights: Heights, reference: Reference) -> HeightLoss:
    """Loss of each height against its reference, percent; negative where the body is taller."""
    loss = [
        None if height is None or normal is None else 100.0 * (1.0 - height / normal)
        for height, normal in zip(heights, _heights_of(reference), strict=True)
    ]
    if reference.method == "own_posterior":
        loss[2] = None  # a height cannot be judged against itself
    return HeightLoss(*loss)


def _heights_of(reference: Reference) -> Heights:
    return Heights(reference.anterior_height_mm, reference.middle_height_mm, reference.posterior_height_mm)


def _reference(spine: SpineHeights, level: str, neighbours: list[str]) -> Reference:
    """The best reference there is; ``neighbours``: unfractured ones in reach, none to two."""
    if neighbours:
        return Reference(*spine.expected(level, neighbours), "neighbours", tuple(neighbours))
    posterior, normal = spine.heights[level].posterior, spine.usual.heights(level)
    if posterior is not None and posterior >= OWN_POSTERIOR_KEPT * normal[2]:
        anterior, middle = (ratio * posterior for ratio in spine.usual.ratios(level))
        return Reference(anterior, middle, posterior, "own_posterior", (level,))
    return Reference(*normal, "normative", ())


# --- what speaks against it, in words ---------------------------------------------------------------------------


def _doubt(spine: SpineHeights, level: str, reference: Reference, loss: HeightLoss) -> str:
    """Why the reference itself may be fractured or misread; empty where nothing speaks against it."""
    return (
        _taller(level, spine.heights[level], reference, loss)
        or _apart(spine, level, reference)
        or _crushed(level, reference, spine.usual)
    )


def _taller(level: str, own: Heights, reference: Reference, loss: HeightLoss) -> str:
    """By what a body is too much taller than its reference; empty where it is not."""
    losses = dict(zip(Heights._fields, (loss.anterior, loss.middle, loss.posterior), strict=True))
    taller = {name: -percent for name, percent in losses.items() if percent is not None}
    most = max(taller, key=lambda name: taller[name], default=None)
    if most is None or taller[most] < TALLER_PERCENT:
        return ""
    expected = getattr(_heights_of(reference), most)
    return (
        f"{level} is {taller[most]:.0f} % taller than its reference ({most} height {getattr(own, most):.1f} against "
        f"{expected:.1f} mm)"
    )


def _compared_with_a_tall_one(spine: SpineHeights, found: Mapping[str, LevelReference], level: str) -> LevelReference:
    """A level that seems to have lost height, with what speaks against its reference where a vertebra of that is itself too tall."""
    own = found[level]
    if own.doubt or own.excess or own.oversized or (largest_loss(own.loss) or 0.0) < SEEMS_LOST_PERCENT:
        return own
    for name in own.reference.levels if own.reference.method == "neighbours" else ():
        taller = _taller(name, spine.heights[name], found[name].reference, found[name].loss)
        if taller:
            return replace(own, tall=taller)
    return own


def _apart(spine: SpineHeights, level: str, reference: Reference) -> str:
    """In what either neighbour alone lets expect another body; empty where they agree, or where there are not two."""
    if len(reference.levels) != 2:
        return ""
    upper, lower = (spine.carried(name, level) for name in reference.levels)
    apart = [200.0 * abs(a - b) / (a + b) for a, b in zip(upper, lower, strict=True)]
    worst = int(np.argmax(apart))
    if apart[worst] < APART_PERCENT:
        return ""
    return (
        f"the {Heights._fields[worst]} height of {level} should be {upper[worst]:.1f} mm by {reference.levels[0]} "
        f"alone, but {lower[worst]:.1f} mm by {reference.levels[1]} alone ({apart[worst]:.0f} % apart)"
    )


def _crushed(level: str, reference: Reference, usual: Usual) -> str:
    """In what the reference's neighbours let expect too little; empty where they don't."""
    expected, normal = reference.posterior_height_mm, usual.heights(level)[2]
    if reference.method == "neighbours" and expected is not None and expected < REFERENCE_KEPT * normal:
        return f"{_posterior_by_it(level, expected, normal)}, as where all of them are crushed alike"
    return ""


def _excess(level: str, reference: Reference, usual: Usual) -> str:
    """In what the reference's neighbours let expect more than any vertebra has; empty where they don't."""
    expected, normal = reference.posterior_height_mm, usual.heights(level)[2]
    if reference.method == "neighbours" and expected is not None and expected > REFERENCE_MOST * normal:
        return _posterior_by_it(level, expected, normal)
    return ""


def _posterior_by_it(level: str, expected: float, normal: float) -> str:
    share = 100 * expected / normal
    return (
        f"the posterior height of {level} should be {expected:.1f} mm by it, {share:.0f} % of the usual {normal:.1f} mm"
    )


def _with_blemishes(doubt: str, neighbours: list[str], lopsided: Collection[str], cemented: Collection[str]) -> str:
    """A doubt, and what neighbours that serve only at need have about them."""
    lower = [name for name in neighbours if name in lopsided]
    filled = [name for name in neighbours if name in cemented]
    if lower and not doubt:
        doubt = f"{' and '.join(lower)} {'is' if len(lower) == 1 else 'are'} lower on one side"
    if filled:
        told = f"{' and '.join(filled)} {'holds' if len(filled) == 1 else 'hold'} cement of an earlier operation"
        doubt = f"{doubt}, and {told}" if doubt else told
    return doubt


def _shape(level: str, own: Heights, usual: Usual) -> str:
    """In what a body's own shape is that of a fractured one; empty where it is not."""
    lost = lost_shape(level, own, usual)
    if lost is None:
        return ""
    height, loss = lost
    share = usual.ratios(level)[height]
    return (
        f"its {Heights._fields[height]} height is {100 * share * (1.0 - loss):.0f} % of its posterior height, usually "
        f"{100 * share:.0f} %"
    )
