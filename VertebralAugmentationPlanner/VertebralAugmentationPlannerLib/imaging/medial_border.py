"""The moment to look at the lateral: the tip at the pedicle's medial border in AP, and where it is by then.

A tip that crosses the border must have passed the posterior wall, or it is beside the canal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..model import InputError, Trajectory, Vertebra
from ..model.geometry import FloatArray, unit
from .carm import CArmPose, true_ap
from .overlay import inside_polygon

POSTERIOR_WALL_TOLERANCE_MM = 0.5
"""Closer to the posterior wall than this counts as at the wall: half a CT voxel. [D]"""


@dataclass(frozen=True)
class MedialBorder:
    """The moment at which a needle's tip reaches the pedicle's medial border in AP.

    Args:
        depth_mm: of the tip from the bone entry; None where the path does not cross the border before its target.
        past_wall_mm: how far the tip is past the posterior wall by then; negative while still behind it, None where the
            wall or the depth is not known.
    """

    depth_mm: float | None
    past_wall_mm: float | None

    @property
    def at_risk(self) -> bool:
        """The tip would cross the border while still behind the posterior wall, beside the canal."""
        return self.past_wall_mm is not None and self.past_wall_mm < -POSTERIOR_WALL_TOLERANCE_MM

    @property
    def place(self) -> str:
        """Where the tip is in the lateral by then: “5 mm past the posterior wall”."""
        if self.past_wall_mm is None:
            return "posterior wall unknown"
        if abs(self.past_wall_mm) <= POSTERIOR_WALL_TOLERANCE_MM:
            return "at the posterior wall"
        return f"{abs(self.past_wall_mm):.0f} mm {'behind' if self.at_risk else 'past'} the posterior wall"


def medial_border_depth(vertebra: Vertebra, trajectory: Trajectory, pose: CArmPose | None = None) -> float | None:
    """Insertion depth, mm from the entry, at which the tip reaches the pedicle's medial border in AP.

    This is the moment to look at the lateral: the tip must have passed the posterior wall by then.

    Args:
        pose: the AP view; without it :func:`true_ap` of the vertebra.

    Returns:
        The depth, or None where the path never leaves the pedicle's ring towards the midline before its target.

    Raises:
        InputError: the vertebra has no pedicle outline on that side.
    """
    if vertebra.frame is None or trajectory.side not in vertebra.pedicles:
        reason = vertebra.pedicle_reasons.get(trajectory.side, "it was not found")
        raise InputError(f"{vertebra.level} has no {trajectory.side} pedicle outline: {reason}.")
    view = pose or true_ap(vertebra)
    outline = view.project(vertebra.frame.to_ras(vertebra.pedicles[trajectory.side].outline))
    entry, target = np.asarray(trajectory.entry_ras, float), np.asarray(trajectory.target_ras, float)
    full = float(np.linalg.norm(target - entry))
    # In AP of a vertebra seen from either side, the midline is where its body centre falls.
    middle = view.project(vertebra.frame.to_ras(np.zeros(3)))[0]
    depths = np.arange(0.0, full, 0.05)
    tips = view.project(entry + depths[:, None] / full * (target - entry))
    crossing = _last_exit(tips, outline)
    if crossing is None:
        return None
    towards_midline = abs(tips[crossing, 0] - middle) < abs(outline[:, 0].mean() - middle)
    return float(depths[crossing]) if towards_midline else None


def medial_border(vertebra: Vertebra, trajectory: Trajectory, pose: CArmPose | None = None) -> MedialBorder:
    """Depth of the tip at the pedicle's medial border in AP, and its place in the lateral of the same moment.

    Args:
        pose: the AP view; without it :func:`true_ap` of the vertebra.

    Raises:
        InputError: the vertebra has no pedicle outline on that side.
    """
    depth = medial_border_depth(vertebra, trajectory, pose)
    past = tip_before_posterior_wall_mm(vertebra, trajectory, depth) if depth is not None else None
    return MedialBorder(depth, past)


def tip_before_posterior_wall_mm(vertebra: Vertebra, trajectory: Trajectory, depth_mm: float) -> float | None:
    """How far the tip at a depth lies in front of the posterior wall, mm; negative while still behind it."""
    if vertebra.frame is None or vertebra.grid is None or vertebra.posterior_wall_mm is None:
        return None
    entry, target = np.asarray(trajectory.entry_ras, float), np.asarray(trajectory.target_ras, float)
    x, y, z = vertebra.frame.to_local(entry + depth_mm * unit(target - entry))
    index = vertebra.grid.to_index([x, y, z])
    wall = vertebra.posterior_wall_mm
    column = int(np.clip(round(index[0]), 0, wall.shape[0] - 1))
    row = int(np.clip(round(index[2]), 0, wall.shape[1] - 1))
    value = float(wall[column, row])
    return float(y - value) if np.isfinite(value) else None


def _last_exit(path_px: FloatArray, outline: FloatArray) -> int | None:
    """Index of the last step at which a path leaves a polygon, or None where it never does."""
    inside = inside_polygon(path_px, outline)
    exits = np.flatnonzero(inside[:-1] & ~inside[1:])
    return int(exits[-1]) + 1 if len(exits) else None
