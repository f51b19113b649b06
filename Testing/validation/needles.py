"""What the planner delivers against what is possible: true clearance, true bound, true grade."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from bound import BODY_MARGIN_MM, Pedicle
from phantoms import Scan
from tables import markdown
from VertebralAugmentationPlannerLib.access import plan_access
from VertebralAugmentationPlannerLib.measurement import MeasuredLevel
from VertebralAugmentationPlannerLib.model import CANNULAS, PlanOptions, Spine, Trajectory

SHARE_ASKED = 0.90
IN_BONE_MM = 0.3
"""A breach by less is within the fine grid's own error."""


@dataclass(frozen=True)
class Side:
    """One pedicle side of one scan."""

    scan: str
    level: str
    side: str
    isthmus_mm: float
    bound_mm: float
    allowed_mm: float | None
    cannula: str | None
    safety: str | None
    grade: str | None
    delivered_mm: float | None
    to_canal_mm: float | None
    seconds: float

    @property
    def share(self) -> float | None:
        """Delivered clearance as a share of the bound."""
        return None if self.delivered_mm is None else self.delivered_mm / self.bound_mm

    @property
    def allowed_share(self) -> float | None:
        """The same of what a line to an allowed target could have; None where there is no such line."""
        if self.delivered_mm is None or self.allowed_mm is None:
            return None
        return self.delivered_mm / self.allowed_mm


def sides_of(scan: Scan, spine: Spine, measured: dict[str, MeasuredLevel], fields: dict[str, tuple]) -> list[Side]:
    """Both sides of every whole level, planned from both sides.

    Args:
        fields: true pedicles and their bounds by level, kept between scans of one phantom.
    """
    found = []
    for level, vertebra in spine.complete().items():
        if level not in fields:
            both = Pedicle.both(scan.phantom, level)
            fields[level] = (both, {(side, 0.0): pedicle.bound() for side, pedicle in both.items()})
        pedicles, bounds = fields[level]
        start = time.process_time()
        plan = plan_access(vertebra, scan.case, measured[level].measurements, PlanOptions(approach="bilateral"))
        seconds = (time.process_time() - start) / 2
        needles = {needle.side: needle for needle in plan.trajectories}
        name = f"{scan.spacing}, {scan.turn}"
        for side, pedicle in pedicles.items():
            isthmus = scan.truth[level]["pedicles"][side]["isthmus_width_mm"]
            found.append(_side(name, level, pedicle, isthmus, bounds, needles.get(side), seconds))
    return found


def _side(
    scan: str,
    level: str,
    pedicle: Pedicle,
    isthmus: float,
    bounds: dict[tuple[str, float], float],
    needle: Trajectory | None,
    seconds: float,
) -> Side:
    bound = bounds[pedicle.side, 0.0]
    if needle is None:
        return Side(scan, level, pedicle.side, isthmus, bound, None, None, None, None, None, None, seconds)
    room = CANNULAS[needle.cannula].radius_mm + BODY_MARGIN_MM
    if (pedicle.side, room) not in bounds:
        bounds[pedicle.side, room] = pedicle.bound(room)
    allowed = bounds[pedicle.side, room]
    frame = pedicle.phantom.vertebrae[level].frame
    entry, tip = frame.to_local(np.array([needle.entry_ras, needle.target_ras]))
    direction = (tip - entry) / np.linalg.norm(tip - entry)
    crossing = entry + direction * ((pedicle.tube.centre - entry) @ pedicle.tube.axis) / (direction @ pedicle.tube.axis)
    delivered = float(pedicle.clearance(crossing[None], tip[None], exact=True)[0])
    reach = np.arange(-30.0, float(np.linalg.norm(tip - entry)), 0.25)
    canal = float(pedicle.exact_canal_at(entry + reach[:, None] * direction).min()) - CANNULAS[needle.cannula].radius_mm
    return Side(
        scan,
        level,
        pedicle.side,
        isthmus,
        bound,
        allowed if np.isfinite(allowed) else None,
        needle.cannula,
        needle.safety,
        needle.breach_grade,
        delivered if np.isfinite(delivered) else 0.0,
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
        "≥ 90 % of the bound",
        "≥ 90 % of that to an allowed target",
        "median share",
        "smallest share",
        "true contact with the canal",
        "true breach at grade A",
        "s a side",
    ]
    return markdown(heads, rows)


def _row(sides: list[Side]) -> list[str]:
    possible = [side for side in sides if side.bound_mm >= 1.5]
    delivered = [side for side in possible if side.cannula is not None]
    shares = [side.share for side in delivered if side.share is not None]
    breaches = [
        side
        for side in sides
        if side.grade == "A"
        and side.delivered_mm is not None
        and side.delivered_mm < CANNULAS[side.cannula or "13G"].radius_mm - IN_BONE_MM
    ]
    contacts = [side for side in sides if side.to_canal_mm is not None and side.to_canal_mm <= 0]
    return [
        str(len(sides)),
        str(len(possible)),
        str(len(delivered)),
        str(sum(share >= SHARE_ASKED for share in shares)),
        str(sum((side.allowed_share or 0.0) >= SHARE_ASKED for side in delivered)),
        f"{np.median(shares):.3f}" if shares else "",
        f"{min(shares):.3f}" if shares else "",
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
            f"{side.bound_mm:.2f}",
            "" if side.allowed_mm is None else f"{side.allowed_mm:.2f}",
            "" if side.delivered_mm is None else f"{side.delivered_mm:.2f}",
            "" if side.share is None else f"{side.share:.2f}",
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
        "bound, mm",
        "allowed, mm",
        "delivered, mm",
        "share",
        "cannula",
        "",
        "grade",
        "to the canal, mm",
    ]
    return markdown(heads, rows)
