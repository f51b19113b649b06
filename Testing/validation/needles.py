"""What the planner delivers against what is possible: true clearance, true bound, true grade."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from bound import Pedicle
from phantoms import Scan
from tables import markdown
from VertebralAugmentationPlannerLib.access import plan_access
from VertebralAugmentationPlannerLib.measurement import MeasuredLevel
from VertebralAugmentationPlannerLib.model import CANNULAS, PlanOptions, Spine, Trajectory

SHARE_ASKED = 0.90
IN_BONE_MM = 0.3
"""A breach by less is within the fine grid's own error."""


class Clearances(NamedTuple):
    """Of a needle's axis, mm: along the pedicle and to the canal, and the walls behind the pedicle as well."""

    in_pedicle: float
    from_entry: float


@dataclass(frozen=True)
class Side:
    """One pedicle side of one scan."""

    scan: str
    level: str
    side: str
    isthmus_mm: float
    bounds_mm: Clearances
    cannula: str | None
    safety: str | None
    grade: str | None
    delivered_mm: Clearances | None
    to_canal_mm: float | None
    seconds: float

    @property
    def shares(self) -> Clearances | None:
        """Delivered clearances as shares of their bounds."""
        if self.delivered_mm is None:
            return None
        pairs = zip(self.delivered_mm, self.bounds_mm, strict=True)
        return Clearances(*(delivered / bound for delivered, bound in pairs))


def sides_of(scan: Scan, spine: Spine, measured: dict[str, MeasuredLevel], fields: dict[str, tuple]) -> list[Side]:
    """Both sides of every whole level, planned from both sides.

    Args:
        fields: true pedicles and their bounds by level, kept between scans of one phantom.
    """
    found = []
    for level, vertebra in spine.complete().items():
        if level not in fields:
            both = Pedicle.both(scan.phantom, level)
            bounds = {side: Clearances(pedicle.bound(False), pedicle.bound(True)) for side, pedicle in both.items()}
            fields[level] = (both, bounds)
        pedicles, bounds = fields[level]
        start = time.process_time()
        plan = plan_access(vertebra, scan.case, measured[level].measurements, PlanOptions(approach="bilateral"))
        seconds = (time.process_time() - start) / 2
        needles = {needle.side: needle for needle in plan.trajectories}
        name = f"{scan.spacing}, {scan.turn}"
        for side, pedicle in pedicles.items():
            isthmus = scan.truth[level]["pedicles"][side]["isthmus_width_mm"]
            found.append(_side(name, level, pedicle, isthmus, bounds[side], needles.get(side), seconds))
    return found


def _side(
    scan: str,
    level: str,
    pedicle: Pedicle,
    isthmus: float,
    bounds: Clearances,
    needle: Trajectory | None,
    seconds: float,
) -> Side:
    if needle is None:
        return Side(scan, level, pedicle.side, isthmus, bounds, None, None, None, None, None, seconds)
    frame = pedicle.phantom.vertebrae[level].frame
    entry, tip = frame.to_local(np.array([needle.entry_ras, needle.target_ras]))
    direction = (tip - entry) / np.linalg.norm(tip - entry)
    crossing = entry + direction * ((pedicle.tube.centre - entry) @ pedicle.tube.axis) / (direction @ pedicle.tube.axis)
    read = (float(pedicle.clearance(crossing[None], tip[None], whole, exact=True)[0]) for whole in (False, True))
    delivered = Clearances(*(max(clearance, 0.0) for clearance in read))
    reach = np.arange(-30.0, float(np.linalg.norm(tip - entry)), 0.25)
    canal = float(pedicle.exact_canal_at(entry + reach[:, None] * direction).min()) - CANNULAS[needle.cannula].radius_mm
    return Side(
        scan,
        level,
        pedicle.side,
        isthmus,
        bounds,
        needle.cannula,
        needle.safety,
        needle.breach_grade,
        delivered,
        canal,
        seconds,
    )


def summary(sides: list[Side]) -> str:
    """One row for each scan: what was asked for, delivered, and how near to the bound."""
    rows = []
    for scan in dict.fromkeys(side.scan for side in sides):
        rows.append([scan, *_row([side for side in sides if side.scan == scan])])
    rows.append(["all", *_row(sides)])
    heads = [
        "voxels, grid",
        "sides",
        "a line ≥ 1.5 mm exists",
        "of these delivered",
        "≥ 90 % of the bound in the pedicle",
        "≥ 90 % from the entry on",
        "median share in the pedicle",
        "smallest",
        "median share from the entry on",
        "smallest",
        "true contact with the canal",
        "true breach at grade A",
        "s a side",
    ]
    return markdown(heads, rows)


def _row(sides: list[Side]) -> list[str]:
    possible = [side for side in sides if side.bounds_mm.from_entry >= 1.5]
    delivered = [side for side in possible if side.cannula is not None]
    shares = np.array([side.shares for side in delivered if side.shares is not None]).reshape(-1, 2)
    breaches = [
        side
        for side in sides
        if side.grade == "A"
        and side.delivered_mm is not None
        and side.delivered_mm.from_entry < CANNULAS[side.cannula or "13G"].radius_mm - IN_BONE_MM
    ]
    contacts = [side for side in sides if side.to_canal_mm is not None and side.to_canal_mm <= 0]
    return [
        str(len(sides)),
        str(len(possible)),
        str(len(delivered)),
        *(str(count) for count in (shares >= SHARE_ASKED).sum(axis=0)),
        *(f"{value:.3f}" for column in shares.T if len(column) for value in (np.median(column), column.min())),
        str(len(contacts)),
        str(len(breaches)),
        f"{np.median([side.seconds for side in sides]):.2f}",
    ]


def each(sides: list[Side]) -> str:
    """Every side of the finest upright scan."""
    rows = [
        [
            f"{side.level} {side.side}",
            f"{side.isthmus_mm:.1f}",
            *_told(side.bounds_mm, side.delivered_mm, side.shares, 0),
            *_told(side.bounds_mm, side.delivered_mm, side.shares, 1),
            side.cannula or "none",
            side.safety or "",
            side.grade or "",
            "" if side.to_canal_mm is None else f"{side.to_canal_mm:.2f}",
        ]
        for side in sides
    ]
    heads = [
        "side",
        "isthmus, mm",
        "in the pedicle: bound, mm",
        "delivered, mm",
        "share",
        "from the entry on: bound, mm",
        "delivered, mm",
        "share",
        "cannula",
        "",
        "grade",
        "to the canal, mm",
    ]
    return markdown(heads, rows)


def _told(bounds: Clearances, delivered: Clearances | None, shares: Clearances | None, which: int) -> list[str]:
    """Bound, delivered clearance and its share."""
    if delivered is None or shares is None:
        return [f"{bounds[which]:.2f}", "", ""]
    return [f"{bounds[which]:.2f}", f"{delivered[which]:.2f}", f"{shares[which]:.2f}"]
