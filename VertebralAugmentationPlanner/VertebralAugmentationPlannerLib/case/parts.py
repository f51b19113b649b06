"""Which labels are only a part of a vertebra, cut off by the border: their middle is not a vertebra's middle."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from .names import SPINE_ORDER

MOST_OF_IT = 0.6
"""A cut label with less than this share of a whole neighbour's volume is a part: its centroid may lie in a process,
20–40 mm from the body, or well below the next vertebra's. From this share on body and arch are both there and the
centroid stays within about 10 mm. Neighbours differ by 30 % at most, a collapsed one included. [D]"""


EMPTY_LAYERS = 3
"""So many empty layers at a border are left by networks, resampling and padding; what ends there may have been cut [D]."""


def at_border(box: tuple[slice, ...], shape: tuple[int, ...]) -> bool:
    """Whether an index box reaches an end of its volume, but for a few empty layers."""
    return any(
        part.start <= EMPTY_LAYERS or part.stop >= count - EMPTY_LAYERS for part, count in zip(box, shape, strict=True)
    )


def parts_of_vertebrae(volumes: Mapping[str, float], cut: Collection[str]) -> set[str]:
    """The labels that are only a part of a vertebra.

    Args:
        volumes: of each label, in one unit for all.
        cut: labels that reach the border of their volume.

    Returns:
        those of ``cut`` far smaller than either whole label next to them, or, where none is whole, than the largest.
    """
    names = sorted(volumes, key=SPINE_ORDER.index)
    whole = [name for name in names if name not in cut]
    parts = set()
    for name in cut:
        at = SPINE_ORDER.index(name)
        above = [volumes[other] for other in whole if SPINE_ORDER.index(other) < at][-1:]
        below = [volumes[other] for other in whole if SPINE_ORDER.index(other) > at][:1]
        if volumes[name] < MOST_OF_IT * min(above + below, default=max(volumes.values())):
            parts.add(name)
    return parts
