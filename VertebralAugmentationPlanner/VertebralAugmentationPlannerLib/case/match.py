"""Whether labels lie on the bone of the CT they are given with.

A label map of another scan, or one that lost or changed its place in a conversion, looks right by itself; every needle
planned on it is off in the patient. Bone is brighter than what lies around it: the mean step in HU across the labels'
surface is largest where labels and bone coincide, and is less the farther they are moved apart. So the labels are moved
about in thought, and where the step grows by that, they do not belong where they are.

Found in four CTs with labels of experts and of a network (voxels of 1 to 3 mm) [C]: the step is largest, 191 to 315 HU,
with the labels where they are; moved by 2 mm it is 0.27 to 0.67 of that, by 3 mm 0.17 to 0.45, by 5 mm at most 0.24, and a
level further up or down at most 52 HU.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from ..model import Image, InputError, PlanWarning

ACROSS_MM = 3.0
"""From a voxel of a label's surface to what lies outside of it: beyond cortex and partial volume, short of the next
bone. [D]"""

SAMPLED_MM = 1.0
"""Surface voxels are taken about so far apart. [D]"""

VOXELS = 9973
"""Voxels of one vertebra that are looked at for its surface; a prime, so that no rows of the grid are left out. [D]"""

PAIRS, COARSE_PAIRS = 6000, 900
"""Voxels of the surface with what lies outside of them, looked at for one place of the labels; fewer in the search
farther away. [D]"""

LEAST_PAIRS = 300
"""With fewer pairs in the CT nothing is told of their match: a tenth of a vertebra's surface. [D]"""

LOW_HU, HIGH_HU = -200.0, 600.0
"""Values are cut to this: lung, gas and metal must not outweigh bone. [D]"""

COARSE_MM = (8.0, 8.0, 8.0)
REACH_STEPS = (2, 2, 5)
"""Search farther away: up to 16 mm to the sides, 40 mm (more than one level) up and down. The step keeps every place within 7 mm
of one that is tried; from there the way leads uphill. [D]"""

CLIMBS = 3
"""Best places of the search farther away from which it is refined. [D]"""

FINE_MM = (4.0, 2.0, 1.0)

PLAIN_STEP_HU = 120.0
"""Labels that cannot be bettered nearby and have this step are on the bone: twice what was found a level further up or
down. Then there is no search farther away. [C]"""

LEAST_STEP_HU = 80.0
"""A best place with less than this has no bone's surface, and no way back is told from it; labels with less have a
caution. [D]"""

NO_STEP_HU = 40.0
"""With less than this, labels lie anywhere: those of a mirrored file had 16 HU, a level off 14 to 52 HU. [C]"""

OFF_MM, OFF_SHARE = 2.5, 0.65
"""Labels are off where their best place is at least so far away and their step at most this share of the best. [C]"""

NEAR_MM, NEAR_SHARE = 1.5, 0.9
"""The same for a caution. [C]"""

OFF_CT = "labels_off_ct"
SOURCE = "step in HU across the labels' surface, largest where they lie on the bone [C]"


@dataclass(frozen=True, eq=False)
class Place:
    """Where labels match the CT best.

    Args:
        offset_mm: (3,) RAS, from where they are.
        step_hu: mean step across their surface there.
        own_step_hu: the same where they are.
    """

    offset_mm: NDArray
    step_hu: float
    own_step_hu: float

    @property
    def distance_mm(self) -> float:
        """How far off."""
        return float(np.linalg.norm(self.offset_mm))

    def is_off(self, distance_mm: float, share: float) -> bool:
        """Whether the place is so far away and so much better."""
        return (
            self.step_hu >= LEAST_STEP_HU
            and self.distance_mm >= distance_mm
            and self.own_step_hu <= share * self.step_hu
        )


def place_warnings(place: Place | None) -> list[PlanWarning]:
    """A caution where the labels lie a little off the bone, no bone is seen at their surface, or it can't be told.

    Raises:
        InputError: they lie far off.
    """
    if place is None:
        message = (
            "Too little of the labels lies in the CT to see whether they belong to it: check that they cover the bone."
        )
        return [PlanWarning(OFF_CT, "caution", message, SOURCE)]
    where = f"about {place.distance_mm:.0f} mm off the bone in the CT (which is {_direction(place.offset_mm)} them)"
    if place.is_off(OFF_MM, OFF_SHARE):
        raise InputError(
            f"The labels lie {where}; give the segmentation of this very CT, or no CT to plan from the labels alone."
        )
    if place.is_off(NEAR_MM, NEAR_SHARE):
        message = f"The labels lie {where}: check on the CT that they cover the bone; every needle is off by as much."
        return [PlanWarning(OFF_CT, "caution", message, SOURCE)]
    if place.own_step_hu < LEAST_STEP_HU:
        message = (
            f"The surface of the labels is hardly seen in the CT (a step of {place.own_step_hu:.0f} HU, where bone shows "
            f"{PLAIN_STEP_HU:.0f} and more): check that the labels belong to this CT and are not mirrored."
        )
        severity = "stop" if place.own_step_hu < NO_STEP_HU else "caution"
        return [PlanWarning(OFF_CT, severity, message, SOURCE)]
    return []


def best_place(ct: Image, labels: Image, boxes: Mapping[int, tuple[slice, ...]]) -> Place | None:
    """Where the labels match the CT best; None where too little of their surface lies in the CT to tell.

    Args:
        ct, labels: in their own places and grids.
        boxes: index box of each vertebra's value in the label map.
    """
    inside, outside = _surface(labels, boxes)
    seen = _values(ct, inside)[1] & _values(ct, outside)[1]
    if np.count_nonzero(seen) < LEAST_PAIRS:
        return None
    inside, outside = inside[seen], outside[seen]  # a CT may be a crop of what was labelled
    some, few = (slice(None, None, max(1, len(inside) // count)) for count in (PAIRS, COARSE_PAIRS))
    own = _step_hu(ct, inside[some], outside[some], np.zeros(3))
    near = _climb(ct, inside[some], outside[some], np.zeros(3))
    if near[1] >= PLAIN_STEP_HU:
        return Place(*near, own)
    steps = [np.arange(-n, n + 1) * size for n, size in zip(REACH_STEPS, COARSE_MM, strict=True)]
    places = np.array(list(product(*steps)))
    found = [_step_hu(ct, inside[few], outside[few], place) for place in places]
    starts = places[np.argsort(found)[::-1][:CLIMBS]]
    climbs = [near, *(_climb(ct, inside[some], outside[some], start) for start in starts)]
    return Place(*max(climbs, key=lambda climb: climb[1]), own)


def _climb(ct: Image, inside: NDArray, outside: NDArray, start: NDArray) -> tuple[NDArray, float]:
    """The way uphill from one place, in ever smaller steps."""
    place, best = start, _step_hu(ct, inside, outside, start)
    for size in FINE_MM:
        while True:
            around = [place + size * axis for axis in (*np.eye(3), *-np.eye(3))]
            steps = [_step_hu(ct, inside, outside, near) for near in around]
            if max(steps) <= best:
                break
            place, best = around[int(np.argmax(steps))], max(steps)
    return place, best


def _step_hu(ct: Image, inside: NDArray, outside: NDArray, offset: NDArray) -> float:
    """Mean step with the labels moved; pairs that leave the CT do not count. Too few left: no step at all."""
    first, there = _values(ct, inside + offset)
    second, here = _values(ct, outside + offset)
    both = there & here
    if np.count_nonzero(both) < 0.5 * len(both):
        return 0.0
    return float((first[both] - second[both]).mean())


def _values(ct: Image, points: NDArray) -> tuple[NDArray, NDArray]:
    index = np.rint(ct.to_ijk(points)).astype(np.int64)
    within = np.all((index >= 0) & (index < ct.voxels.shape), axis=1)
    index[~within] = 0
    return np.clip(ct.voxels[tuple(index.T)].astype(float), LOW_HU, HIGH_HU), within


def _surface(labels: Image, boxes: Mapping[int, tuple[slice, ...]]) -> tuple[NDArray, NDArray]:
    """RAS of surface voxels and of the points outside of them, along the grid's axes; only where no label is outside."""
    inside, outside = [], []
    voxels, spacing = labels.voxels, labels.spacing_mm
    stride = np.maximum(1, np.rint(SAMPLED_MM / spacing).astype(int))
    away = np.maximum(1, np.rint(ACROSS_MM / spacing).astype(int))
    for value, box in boxes.items():
        index = np.argwhere(voxels[tuple(slice(s.start, s.stop, n) for s, n in zip(box, stride, strict=True))] == value)
        index = index[:: max(1, len(index) // VOXELS)] * stride + [s.start for s in box]
        for axis, sign in product(range(3), (-1, 1)):
            there = index.copy()
            there[:, axis] += sign * away[axis]
            next_to = index.copy()
            next_to[:, axis] += sign
            held = (there[:, axis] >= 0) & (there[:, axis] < voxels.shape[axis])
            held[held] = (voxels[tuple(next_to[held].T)] == 0) & (voxels[tuple(there[held].T)] == 0)
            inside.append(index[held])
            outside.append(there[held])
    return labels.to_ras(np.concatenate(inside)), labels.to_ras(np.concatenate(outside))


def _direction(offset: NDArray) -> str:
    """“3 mm left of and 4 mm above”, of an offset in RAS."""
    names = (("left of", "right of"), ("behind", "in front of"), ("below", "above"))
    parts = [
        f"{abs(value):.0f} mm {pair[int(value > 0)]}"
        for value, pair in zip(offset, names, strict=True)
        if abs(value) >= 1
    ]
    return " and ".join(parts)
