"""How far the posterior wall bulges into the canal.

A healthy wall is hollow between its rims, so a bulge of a few millimetres may not even reach the line that joins them.
The wall is therefore read as a profile of its offset from that line, and compared with the same profile of healthy
neighbours; retropulsion is the largest difference towards the canal. Without healthy neighbours the line itself is the
measure, which reads low by the depth of the hollow.

A fragment often lies beside the midline, so the same is read in strips to both sides as far as the pedicles' roots leave the
wall free. Sound walls differ more there, and only what clearly exceeds that counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..anatomy.body import first_bone
from ..model import Vertebra
from ..model.geometry import FloatArray
from .heights import plates

SAMPLES = 41
"""Points of a profile, from the lower to the upper posterior rim."""

STRIP_HALF_WIDTH_MM = 1.2
"""Half-width of the midline strip that the profile is averaged over: the wall is smooth there already."""

RIM_ERROR_MM, MOST_MISREAD_MM = 0.3, 1.0
"""A rim's usual error, which is no bulge and is not corrected, and the most that is taken for a rim's error [D]."""

BULGE_MM = 1.6
"""Differences that stand out by this much from the rest of the wall are bulge and tell nothing of the rims [D]."""

LINE_STIFFNESS = (10.0, 20.0)
"""Pull of the line's place and slope towards nothing, in points of the profile: neighbouring points say the same [D]."""

LINE_START, LINE_ITERATIONS = 0.35, 20
"""The line is first laid through this quantile: most bulges take up less than half of the wall."""

EDGE_TRIM = 0.08
"""Share of the profile at each rim that is rounded by voxels and not read."""

SIDE_STRIPS_MM = (-7.5, -6.0, -4.5, -3.0, -1.5, 1.5, 3.0, 4.5, 6.0, 7.5)
"""Middles of the strips beside the midline (right positive): without a gap, as far out as the widest walls were free [C]."""

STRIP_STEP_MM = 1.5
"""Distance between them."""

ROOT_MARGIN_MM = 2.6
"""A strip's middle lies this far inside the pedicle's root: half a strip and the rounding between wall and root. At 2.2 mm roots
read as bulges of 4 mm in sound levels of real spines, at 2.6 none over 3.2 mm [C]."""

LAST_LUMBAR, LAST_LUMBAR_MM = frozenset({"L5", "L6"}), 2.0
"""The canal of the last lumbar vertebra is a trefoil whose roots reach far in: strips farther out read up to 8 mm in sound ones [C]."""

MIRRORED_MM = 6.0
"""Strips up to here may be compared with the other side of the same wall: sound ones differ by 2.2 mm at most, farther out by 4 [C]."""

ROOT_SHARE = 0.5
"""A bulge reads at least this share in the next strip towards the midline; a root that reaches in further than expected rises from
nothing (0–0.5 in sound levels with fuzzy labels, 0.8 and more of drawn fragments 4 mm wide) [C]."""

DEEPEST_HOLLOW_MM = 2.0
"""Beside the midline a healthy wall lies no further in front of the line of its rims than this: where it seems to, its edge was
missed (up to 8 mm at a rim) [C]."""

SIDE_COUNTS_MM = 3.5
"""Beside the midline a bulge counts from here: of 213 levels of 29 real spines that count as unfractured two read more there (3.8 mm,
with 2.6 and 2.9 mm in the midline), the next 3.3 [C]."""

SEEN_MM = 4.5
"""A wall read to here on both sides shows most fragments; where it is not, that is said [D]."""

HOLLOW_MM, BEYOND_HEALTHY_MM = 4.5, 3.0
"""A wall that lies so far in front of the line of its rims, and so much farther than healthy ones, is no usual hollow: at most 3.3
and 2.7 mm in 73 levels of 15 real spines; a hole of 6 mm radius in a drawn wall reads 5.4 and 3.4 [C]."""

NEAR_MIDDLE_MM = 3.0
"""Within the strips up to here a canal's middle is looked for, and a bulge is called one of the midline [D]."""


@dataclass(frozen=True, eq=False)
class WallProfile:
    """Offset of the midline wall from the line joining the posterior rims.

    Args:
        share: (N,) position from the lower (0) to the upper (1) rim.
        offset_mm: (N,) distance behind that line, mm; negative where the wall is hollow.
    """

    share: FloatArray
    offset_mm: FloatArray


@dataclass(frozen=True, eq=False)
class Walls:
    """The posterior wall of a body in strips from top to bottom.

    Args:
        middle: in the midline.
        sides: beside it, by local right coordinate of the strip's middle, mm; only where the pedicles' roots leave it free.
    """

    middle: WallProfile
    sides: Mapping[float, WallProfile] = field(default_factory=dict)

    @property
    def seen_mm(self) -> float:
        """How far to both sides of the midline it was read."""
        return min(max((side * x_mm for x_mm in self.sides), default=0.0) for side in (-1.0, 1.0))

    def towards(self, x_mm: float) -> WallProfile:
        """The strip there, or the outermost one that is free on the way to it from the midline."""
        inner = [x for x in self.sides if x * x_mm > 0 and abs(x) <= abs(x_mm)]
        return self.sides[max(inner, key=abs)] if inner else self.middle


@dataclass(frozen=True, eq=False)
class Bulge:
    """The largest bulge of a wall.

    Args:
        mm: beyond what healthy walls show; 0 where there is none.
        x_mm: local right coordinate of its strip.
        own: the wall there.
        healthy: the walls it was compared with; empty where it was read against the line of the rims.
        seen_mm: how far to both sides of the midline the wall was read.
        hollow_mm: how deep a hole in the wall is, from the line of its rims; None where it has none.
    """

    mm: float
    x_mm: float
    own: WallProfile
    healthy: tuple[WallProfile, ...]
    seen_mm: float
    hollow_mm: float | None = None

    @property
    def where(self) -> str:
        """Its side in words; empty in the midline."""
        if abs(self.x_mm) < NEAR_MIDDLE_MM:
            return ""
        return f"{'right' if self.x_mm > 0 else 'left'} of the midline"


def read_walls(vertebra: Vertebra) -> Walls:
    """The midline and the strips beside it. None beside it where the canal is not known."""
    return Walls(wall_profile(vertebra), _side_profiles(vertebra))


def largest_bulge(own: Walls, healthy: Sequence[Walls]) -> Bulge:
    """The midline's bulge, or a larger one beside it that counts (:data:`SIDE_COUNTS_MM`) and is no root of a pedicle.

    A strip is compared with the same one of the healthy neighbours that have it free, or with what they have free nearest to it
    (L5 shows little beside the midline). Without any neighbour the other side of the same wall takes their place, near enough to
    the midline.
    """
    middles = tuple(walls.middle for walls in healthy)
    best = Bulge(retropulsion_mm(own.middle, middles), 0.0, own.middle, middles, own.seen_mm)
    usual = {x_mm: _usual_beside(own, healthy, x_mm) for x_mm in own.sides}
    read = {0.0: best.mm} | {x: retropulsion_mm(own.sides[x], walls) if walls else 0.0 for x, walls in usual.items()}
    for x_mm, walls in usual.items():
        inwards = read.get(x_mm - np.sign(x_mm) * STRIP_STEP_MM, 0.0)
        if read[x_mm] >= SIDE_COUNTS_MM and inwards >= ROOT_SHARE * read[x_mm] and read[x_mm] > best.mm:
            best = Bulge(read[x_mm], x_mm, own.sides[x_mm], walls, own.seen_mm)
    return replace(best, hollow_mm=_hollow_mm(own, healthy))


def _hollow_mm(own: Walls, healthy: Sequence[Walls]) -> float | None:
    """How deep a hole in the wall is, mm, as a tumour makes one; None where there is none, or nothing to compare it with."""
    if not healthy:
        return None
    deepest = 0.0
    for x_mm, profile in {0.0: own.middle, **own.sides}.items():
        usual = np.mean([walls.towards(x_mm).offset_mm for walls in healthy], axis=0)
        hole = (profile.offset_mm <= -HOLLOW_MM) & (profile.offset_mm - usual <= -BEYOND_HEALTHY_MM)
        deepest = max(deepest, float(-profile.offset_mm[hole].min(initial=0.0)))
    return deepest or None


def _usual_beside(own: Walls, healthy: Sequence[Walls], x_mm: float) -> tuple[WallProfile, ...]:
    """What a strip beside the midline is compared with; empty where there is nothing."""
    if healthy:
        same = [walls.sides[x_mm] for walls in healthy if x_mm in walls.sides]
        found = same or [walls.towards(x_mm) for walls in healthy]
    else:
        found = [own.sides[-x_mm]] if abs(x_mm) <= MIRRORED_MM and -x_mm in own.sides else []
    return tuple(WallProfile(wall.share, np.maximum(wall.offset_mm, -DEEPEST_HOLLOW_MM)) for wall in found)


def wall_profile(vertebra: Vertebra) -> WallProfile:
    """Profile of the posterior wall in the midline."""
    if vertebra.grid is None or vertebra.posterior_wall_mm is None:
        raise ValueError(f"{vertebra.level} has no posterior wall")
    strip = np.abs(vertebra.grid.axes[0]) <= STRIP_HALF_WIDTH_MM
    return _profile(vertebra, vertebra.posterior_wall_mm[strip].mean(axis=0))


def _profile(vertebra: Vertebra, wall: FloatArray) -> WallProfile:
    """``wall``: (H,) local anterior coordinate of the wall over the grid's z."""
    assert vertebra.grid is not None
    upper, lower = plates(vertebra)
    share = np.linspace(EDGE_TRIM, 1.0 - EDGE_TRIM, SAMPLES)
    top, bottom = upper.posterior_rim, lower.posterior_rim
    line_y = bottom[1] + share * (top[1] - bottom[1])
    line_z = bottom[2] + share * (top[2] - bottom[2])
    return WallProfile(share, line_y - np.interp(line_z, vertebra.grid.axes[2], wall))


def _side_profiles(vertebra: Vertebra) -> dict[float, WallProfile]:
    """The strips that the roots leave free, read where bone begins in front of the canal's middle.

    The wall that the vertebra holds is drawn for the body's volume: beside the midline it is smooth and takes no jump of more
    than 4 mm, as a fragment makes one.
    """
    grid, bone, middle = vertebra.grid, vertebra.bone_mm, _canal_middle(vertebra)
    if grid is None or bone is None or middle is None:
        return {}
    x, _, z = grid.axes
    profiles = {}
    for centre in SIDE_STRIPS_MM:
        if not _is_free(vertebra, centre):
            continue
        wall = first_bone(bone[np.abs(x - centre) <= STRIP_HALF_WIDTH_MM], grid, middle)
        count = np.isfinite(wall).sum(axis=0)
        seen = count > 0
        if seen.any():
            mean = np.nansum(wall, axis=0)[seen] / count[seen]
            profiles[centre] = _profile(vertebra, np.interp(z, z[seen], mean))
    return profiles


def _canal_middle(vertebra: Vertebra) -> FloatArray | None:
    """(H,) local anterior coordinate of the canal's middle over the grid's z; None where the midline holds no canal."""
    if vertebra.grid is None or vertebra.canal_mm is None:
        return None
    x, y, z = vertebra.grid.axes
    canal = (vertebra.canal_mm[np.abs(x) <= NEAR_MIDDLE_MM] < 0).sum(axis=0)
    count = canal.sum(axis=0)
    held = count > 0
    if not held.any():
        return None
    middle: FloatArray = np.interp(z, z[held], (canal * y[:, None]).sum(axis=0)[held] / count[held])
    return middle


def _is_free(vertebra: Vertebra, x_mm: float) -> bool:
    """Whether a strip keeps off the root of its side's pedicle, whose axis is followed to the wall's depth."""
    pedicle = vertebra.pedicles.get("right" if x_mm > 0 else "left")
    if pedicle is None or (vertebra.level in LAST_LUMBAR and abs(x_mm) > LAST_LUMBAR_MM):
        return False
    upper, lower = plates(vertebra)
    depth = (upper.posterior_rim[1] + lower.posterior_rim[1]) / 2 - pedicle.centre[1]
    axis = pedicle.axis
    root = abs(pedicle.centre[0] + depth * axis[0] / axis[1]) - pedicle.isthmus_width_mm / 2 / abs(axis[1])
    return abs(x_mm) <= root - ROOT_MARGIN_MM


def retropulsion_mm(own: WallProfile, healthy: Sequence[WallProfile]) -> float:
    """Largest bulge of the wall towards the canal beyond what healthy neighbours show, mm; 0 where there is none."""
    usual = np.mean([profile.offset_mm for profile in healthy], axis=0) if healthy else np.zeros_like(own.offset_mm)
    beyond = own.offset_mm - usual
    return max(0.0, float(np.max(beyond - _misread_line(beyond))))


def _misread_line(beyond: FloatArray) -> FloatArray:
    """How far the line between the rims stands too far forward, (N,) mm, told by the wall outside a bulge.

    Rims are read to half a millimetre, on rounded real corners to one or two. Where most of the wall lies behind the
    line, it is the line that is wrong: what bulges is a part of the wall. A robust line through the differences (Tukey's
    biweight) tells by how much; up to the rims' usual error nothing is taken off, so that no bulge reads less for it.
    """
    along = np.linspace(-1.0, 1.0, len(beyond))
    design = np.stack([np.ones_like(along), along], axis=1)
    line = np.array([np.quantile(beyond, LINE_START), 0.0])
    for _ in range(LINE_ITERATIONS):
        trust = np.clip(1.0 - ((beyond - design @ line) / BULGE_MM) ** 2, 0.0, None) ** 2
        weighted = design * trust[:, None]
        line = np.linalg.solve(design.T @ weighted + np.diag(LINE_STIFFNESS), weighted.T @ beyond)
    return np.clip(design @ line - RIM_ERROR_MM, 0.0, MOST_MISREAD_MM)
