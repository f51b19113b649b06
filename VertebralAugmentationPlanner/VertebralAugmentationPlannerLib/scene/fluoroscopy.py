"""The simulated fluoroscopy of the panel: what was set, the picture that follows, and the tip's place in words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..imaging import (
    CArmPose,
    body_centre_ras,
    end_on,
    medial_border_depth,
    projected_overlay,
    tip_before_posterior_wall_mm,
    true_ap,
    true_lateral,
)
from ..imaging.carm import SOURCE_IMAGE_MM, SOURCE_OBJECT_MM
from ..imaging.fluoroscopy import FIELD_MM, picture_letters
from ..imaging.medial_border import POSTERIOR_WALL_TOLERANCE_MM
from ..imaging.raster import coloured, enlarged
from ..model import SIDES, InputError, Trajectory, Vertebra

if TYPE_CHECKING:
    from ..imaging import Fluoroscope

AP, LATERAL = "ap", "lateral"
LIVE_PX = 256
"""Pixels of the simulated picture: 10 a second and more on one core (docs/benchmarks.md)."""
SHOWN_PX = 336
"""Pixels of the picture shown: the needles are drawn at this size, the fluoroscopy is enlarged to it."""
REACH_DEG = (120.0, 60.0)
"""Rotation and tilt to either side that the panel's sliders offer; wider than floor-mounted C-arms reach. [D]"""
DEPTH_TOLERANCE_MM = 0.75
"""The tip counts as at a place within this depth: about what is seen on the screen. [D]"""


@dataclass(frozen=True)
class FluoroscopyView:
    """What was set on the C-arm.

    Args:
        primary_deg, secondary_deg: DICOM positioner angles (RAO −, LAO +; CAU −, CRA +), supine convention.
        sid_mm, sod_mm: source–image and source–object distance.
        sides: needles shown.
        depth_mm: insertion depth from the entry into bone; a needle is never drawn beyond its target.
        aim: side whose needle's entry lies on the central ray, as in an end-on view; "" for the body's centre.
    """

    primary_deg: float
    secondary_deg: float
    sid_mm: float = SOURCE_IMAGE_MM
    sod_mm: float = SOURCE_OBJECT_MM
    sides: tuple[str, ...] = SIDES
    depth_mm: float = float("inf")
    aim: str = ""


@dataclass(frozen=True, eq=False)
class FluoroscopyFrame:
    """A picture and what belongs to it in words.

    Args:
        pixels: (rows, columns, 3) 8-bit RGB, first row on top.
        left, right: letters of the picture's edges (R, L, A, P).
        angles: as the C-arm's display has them, supine convention.
        prone: the same in words for a prone patient.
        tips: where each needle's tip is, in words, with a sign first where care is needed.
        notes: what the picture cannot show.
    """

    pixels: NDArray[np.uint8]
    left: str
    right: str
    angles: str
    prone: str
    tips: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class NeedleDepths:
    """Depths along one needle, mm from the entry into bone.

    Args:
        skin: negative; None where the skin is not known.
        medial_border: where the tip crosses the pedicle's medial border in AP; None where it does not.
        target: at the planned tip.
    """

    skin: float | None
    medial_border: float | None
    target: float


def pose_of(view: FluoroscopyView, vertebra: Vertebra, needles: dict[str, Trajectory]) -> CArmPose:
    """The C-arm's pose. Raises ``InputError`` for distances that no C-arm has."""
    aimed = needles.get(view.aim)
    centre = body_centre_ras(vertebra) if aimed is None else np.asarray(aimed.entry_ras, float)
    return CArmPose(
        view.primary_deg,
        view.secondary_deg,
        centre,
        sid_mm=view.sid_mm,
        sod_mm=view.sod_mm,
        detector_mm=FIELD_MM,
        size_px=SHOWN_PX,
    )


def preset(name: str, vertebra: Vertebra, needles: dict[str, Trajectory]) -> tuple[float, float]:
    """Primary and secondary angle of "ap", "lateral", or the end-on view of "left" or "right".

    Raises:
        InputError: there is no such needle, or no C-arm reaches that direction.
    """
    if name in needles:
        try:
            pose = end_on(needles[name])
        except ValueError as error:
            raise InputError(f"No C-arm looks along the {name} needle: {error}.") from error
    elif name in (AP, LATERAL):
        pose = {AP: true_ap, LATERAL: true_lateral}[name](vertebra)
    else:
        raise InputError(f"{vertebra.level} has no {name} needle; plan the access first.")
    if abs(pose.primary_deg) > REACH_DEG[0] or abs(pose.secondary_deg) > REACH_DEG[1]:
        raise InputError(f"No C-arm turns to {pose.text} for the {name} view of {vertebra.level}; move the needle.")
    return pose.primary_deg, pose.secondary_deg


def frame(
    fluoroscope: Fluoroscope, vertebra: Vertebra, needles: dict[str, Trajectory], view: FluoroscopyView
) -> FluoroscopyFrame:
    """The picture of a view, with the needles at their depth."""
    pose = pose_of(view, vertebra, needles)
    shown = [needles[side] for side in view.sides if side in needles]
    shapes = projected_overlay(pose, vertebra, ())
    for needle in shown:
        depth = view.depth_mm if view.depth_mm < length(needle) - 1e-6 else None
        shapes += projected_overlay(pose, vertebra, (needle,), depth, pedicles=False)
    grey = enlarged(fluoroscope.frame(replace(pose, size_px=LIVE_PX)), SHOWN_PX)
    left, right, _, _ = picture_letters(pose.right_ras, pose.up_ras)
    notes = ("The CT is a crop of the trunk; the tissue around it is assumed.",) if fluoroscope.cropped else ()
    tips = tuple(tip_words(vertebra, needle, view) for needle in shown)
    return FluoroscopyFrame(coloured(grey, shapes), left, right, pose.text, pose.prone_text, tips, notes)


def depths_of(vertebra: Vertebra, needle: Trajectory) -> NeedleDepths:
    """Skin, medial border and target along a needle."""
    skin = None if needle.skin_to_target_mm is None else min(0.0, length(needle) - needle.skin_to_target_mm)
    return NeedleDepths(skin, _medial_border(vertebra, needle), length(needle))


def tip_words(vertebra: Vertebra, needle: Trajectory, view: FluoroscopyView) -> str:
    """“Left tip 28.3 mm deep, 66 % of the way: at the medial border of the pedicle, past the posterior wall (3 mm).”

    The lateral decides: a tip that crosses the medial border in AP must have passed the posterior wall by then.
    """
    full = length(needle)
    depth = min(view.depth_mm, full)
    side = needle.side.capitalize()
    if depth < -DEPTH_TOLERANCE_MM:
        return f"{side} tip {-depth:.0f} mm before the entry into bone."
    head = f"{side} tip {max(depth, 0.0):.1f} mm deep, {100 * max(depth, 0.0) / full:.0f} % of the way"
    medial = _medial_border(vertebra, needle, sid_mm=view.sid_mm, sod_mm=view.sod_mm)
    ahead = tip_before_posterior_wall_mm(vertebra, needle, depth)
    behind_wall = ahead is not None and ahead < -POSTERIOR_WALL_TOLERANCE_MM
    places = [_place(depth, full, medial), _wall(ahead)]
    text = f"{head}: {', '.join(place for place in places if place)}."
    if medial is not None and behind_wall and depth > medial - DEPTH_TOLERANCE_MM:
        return f"✖ {text} The canal is at risk: the posterior wall must be passed first."
    return text


def _place(depth: float, full: float, medial: float | None) -> str:
    if depth >= full - 1e-6:
        return "at the target"
    if abs(depth) <= DEPTH_TOLERANCE_MM:
        return "at the entry into bone"
    if medial is None:
        return "lateral to the medial border of the pedicle"
    if abs(depth - medial) <= DEPTH_TOLERANCE_MM:
        return "at the medial border of the pedicle"
    return f"{'past' if depth > medial else 'lateral to'} the medial border of the pedicle"


def _wall(ahead_mm: float | None) -> str:
    if ahead_mm is None:
        return ""
    if abs(ahead_mm) <= POSTERIOR_WALL_TOLERANCE_MM:
        return "at the posterior wall"
    return f"{'past' if ahead_mm > 0 else 'behind'} the posterior wall ({abs(ahead_mm):.0f} mm)"


def _medial_border(vertebra: Vertebra, needle: Trajectory, **distances: float) -> float | None:
    if needle.side not in vertebra.pedicles:
        return None
    return medial_border_depth(vertebra, needle, true_ap(vertebra, **distances))


def length(needle: Trajectory) -> float:
    """From the entry into bone to the target, mm."""
    return float(np.linalg.norm(np.subtract(needle.target_ras, needle.entry_ras)))
