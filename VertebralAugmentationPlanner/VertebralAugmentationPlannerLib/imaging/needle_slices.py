"""Slices along and across a needle: the true tube, the canal, the target, and how much room is left.

Axial slices are seen from the feet, as radiologists read them: the patient's left is on the picture's right.
Sagittal slices have anterior on the picture's left. The slice across the needle is seen from behind, as the
operator stands: the patient's left is on the picture's left. Nothing is ever mirrored; letters say it each time.
"""

from __future__ import annotations

import numpy as np

from ..model import Case, Frame, InputError, LevelPlan, Spine, Trajectory, Vertebra
from ..model.geometry import FloatArray, unit
from ..model.plan import NOT_JUDGED
from ..model.palette import BALLOON, CANAL, LABEL, PEDICLE, safety_colour
from . import svg
from .fluoroscopy import picture_letters
from .overlay import balloon_points, hull
from .picture import Picture, encode_png
from .slices import SlicePlane, bone_outline_svg, bone_raster, canal_svg, plane_through, reslice

AXIAL_MM = (104.0, 96.0)
SAGITTAL_MM = (104.0, 84.0)
ISTHMUS_MM = (44.0, 40.0)
ISTHMUS_MM_PER_PX = 0.08
"""The room beside the needle is 1–3 mm: this picture is enlarged."""
OWN_PLANES = "in the vertebra’s own planes"
"""Said of the angles of a slice: a tilted vertebra's differ from the C-arm's, even in direction."""
RAY_STEP_MM = 0.05
RAY_REACH_MM = 20.0


def needle_axial_picture(case: Case, spine: Spine, level_plan: LevelPlan, side: str) -> Picture:
    """The slice that contains the needle and the vertebra's left–right axis.

    Raises:
        InputError: the level is incomplete, or that side has no trajectory.
    """
    vertebra, frame, trajectory = _planned(spine, level_plan, side)
    direction = _direction(trajectory)
    # Seen from the feet: the normal towards the viewer points down.
    normal = np.cross(direction, frame.right)
    normal = -normal if normal @ frame.superior > 0 else normal
    plane = plane_through(_middle(trajectory), normal, frame.anterior, *AXIAL_MM)
    angle = trajectory.convergence_angle_deg
    towards = "towards" if angle >= 0 else "away from"
    words = f"{abs(angle):.0f}° {towards} the midline"
    return _needle_picture(case, spine, vertebra, trajectory, plane, "Axial along the needle", words, midline=frame)


def needle_sagittal_picture(case: Case, spine: Spine, level_plan: LevelPlan, side: str) -> Picture:
    """The slice that contains the needle and the vertebra's head–foot axis.

    Raises:
        InputError: the level is incomplete, or that side has no trajectory.
    """
    vertebra, frame, trajectory = _planned(spine, level_plan, side)
    direction = _direction(trajectory)
    # Anterior on the picture's left: the viewer stands on the patient's left.
    normal = np.cross(frame.superior, direction)
    normal = -normal if normal @ frame.right > 0 else normal
    plane = plane_through(_middle(trajectory), normal, frame.superior, *SAGITTAL_MM)
    angle = trajectory.craniocaudal_angle_deg
    words = f"{abs(angle):.0f}° towards the {'head' if angle >= 0 else 'feet'}"
    return _needle_picture(case, spine, vertebra, trajectory, plane, "Sagittal along the needle", words)


def isthmus_picture(case: Case, spine: Spine, level_plan: LevelPlan, side: str) -> Picture:
    """The slice across the needle where it passes the pedicle's isthmus, with the room on its four sides.

    The distances are measured in this slice, from the cannula's surface to the labelled bone's surface.

    Raises:
        InputError: the level is incomplete, or that side has no trajectory or no pedicle.
    """
    vertebra, frame, trajectory = _planned(spine, level_plan, side)
    if side not in vertebra.pedicles:
        raise InputError(f"{vertebra.level} has no {side} pedicle outline.")
    pedicle = vertebra.pedicles[side]
    entry, direction = np.asarray(trajectory.entry_ras, float), _direction(trajectory)
    isthmus = frame.to_ras(pedicle.centre)
    # Where the needle crosses the isthmus's own plane.
    axis = frame.direction_to_ras(pedicle.axis)
    cut = entry + ((isthmus - entry) @ axis) / float(direction @ axis) * direction
    plane = plane_through(cut, -direction, frame.superior, *ISTHMUS_MM)
    plane = SlicePlane(plane.centre_ras, plane.right_ras, plane.up_ras, *ISTHMUS_MM, ISTHMUS_MM_PER_PX)
    size = svg.text_size(plane.width_px)
    x, y = plane.width_px / 2, plane.height_px / 2
    radius = trajectory.cannula_outer_diameter_mm / 2
    colour = safety_colour(trajectory.safety)
    room = isthmus_room(vertebra, plane, radius)
    parts = [
        canal_svg([vertebra], plane),
        bone_outline_svg(vertebra, plane, width=2.5),
        svg.path(plane.to_px(frame.to_ras(pedicle.outline)), PEDICLE, 2.2, closed=True, dash="9 6", halo=True),
        svg.circle((x, y), radius / plane.mm_per_px, colour, 3, "#101010", 0.7),
        svg.circle((x, y), 2.5, colour, 0, colour),
    ]
    medial = "right" if side == "left" else "left"  # Seen from behind the picture's sides are the patient's.
    names = {"up": "upper", "down": "lower", medial: "medial", side: "lateral"}
    vectors = {"up": (0, -1), "down": (0, 1), "left": (-1, 0), "right": (1, 0)}
    for way, (dx, dy) in vectors.items():
        gap = room[way]
        if gap is None:
            continue
        start = np.array([x + dx * radius / plane.mm_per_px, y + dy * radius / plane.mm_per_px])
        end = start + np.array([dx, dy]) * gap / plane.mm_per_px
        parts.append(svg.path([start, end], LABEL, 2.5, halo=True))
        at = end + np.array([dx * 1.9 * size, {-1: -1.7, 0: 0.2, 1: 1.4}[dy] * size])
        parts.append(
            svg.text(at[0], at[1], f"{gap:.1f}", size=1.15 * size, bold=True)
            + svg.text(at[0], at[1] + 0.95 * size, names[way], size=0.75 * size)
        )
    thickness = f"{trajectory.cannula} {trajectory.cannula_outer_diameter_mm:g} mm"
    parts.append(_heading(plane, f"{side.capitalize()} isthmus: room, mm", [f"{vertebra.level} · {thickness}"], size))
    parts.append(
        svg.legend(
            0.02 * plane.width_px,
            plane.height_px - 0.105 * plane.height_px,
            [(f"isthmus {pedicle.isthmus_width_mm:.1f} × {pedicle.isthmus_height_mm:.1f} mm", PEDICLE)],
            0.8 * size,
        )
    )
    parts.append(svg.scale_bar(plane.width_px, plane.height_px, plane.mm_per_px, 5))
    parts.append(_letters(plane))
    gaps = ", ".join(f"{names[way]} {gap:.1f} mm" for way, gap in room.items() if gap is not None)
    caption = (
        f"Slice across the {side} needle at the pedicle’s isthmus, seen from behind; room beside the "
        f"{thickness} cannula in this slice: {gaps}. Dashed: the isthmus across the pedicle’s own axis. "
        "The smallest clearance along the whole path is in the table."
    )
    return _finished(case, spine, vertebra, plane, parts, caption, f"Room beside the {side} needle: {gaps}.")


def isthmus_room(vertebra: Vertebra, plane: SlicePlane, radius_mm: float) -> dict[str, float | None]:
    """Distance in a plane from the cannula's surface to the bone's surface: "up", "down", "left", "right" of the
    picture, mm; negative where the cannula has broken through; None where no surface is met within 20 mm."""
    frame, grid = vertebra.frame, vertebra.grid
    if frame is None or grid is None or vertebra.bone_mm is None:
        raise InputError(f"{vertebra.level} is incomplete; its bone surface is not known.")
    reach = np.arange(0.0, RAY_REACH_MM, RAY_STEP_MM)
    room: dict[str, float | None] = {}
    ways = {"up": plane.up_ras, "down": -plane.up_ras, "left": -plane.right_ras, "right": plane.right_ras}
    for way, vector in ways.items():
        depth = grid.sample(vertebra.bone_mm, frame.to_local(plane.centre_ras + reach[:, None] * vector))
        outside = np.flatnonzero(depth < 0)
        if not len(outside):
            room[way] = None
            continue
        n = int(outside[0])
        # The surface lies between the last step inside and the first outside.
        surface = reach[n] if n == 0 else reach[n - 1] + RAY_STEP_MM * depth[n - 1] / (depth[n - 1] - depth[n])
        room[way] = float(surface - radius_mm)
    return room


def _needle_picture(
    case: Case,
    spine: Spine,
    vertebra: Vertebra,
    trajectory: Trajectory,
    plane: SlicePlane,
    name: str,
    angle_words: str,
    midline: Frame | None = None,
) -> Picture:
    size = svg.text_size(plane.width_px)
    side = trajectory.side
    parts = [canal_svg(spine.complete().values(), plane)]
    if case.ct is not None:
        parts.append(bone_outline_svg(vertebra, plane))
    if midline is not None:
        front, back = midline.to_ras([[0.0, 28.0, 0.0], [0.0, -34.0, 0.0]])
        parts.append(svg.path(plane.to_px([front, back]), LABEL, 1.2, dash="3 5", opacity=0.8))
    parts.append(_needle_svg(plane, trajectory))
    heading = f"{vertebra.level} {side} · {name.split()[0].lower()}"
    # The axial slice has the body itself below its heading, and its angle's direction is the C-arm's in any tilt.
    lines = [angle_words] if midline is not None else [angle_words, OWN_PLANES]
    parts.append(_heading(plane, heading, lines, size))
    parts.append(_room_legend(plane, trajectory, size, aside=midline is not None and side == "left"))
    parts.append(svg.scale_bar(plane.width_px, plane.height_px, plane.mm_per_px))
    parts.append(_letters(plane))
    depth = float(np.linalg.norm(np.subtract(trajectory.target_ras, trajectory.entry_ras)))
    seen = "seen from the feet" if midline is not None else "seen from the patient’s left"
    caption = (
        f"{name}, {seen}. {trajectory.cannula} cannula ({trajectory.cannula_outer_diameter_mm:g} mm, drawn to scale), "
        f"{angle_words} {OWN_PLANES}, {depth:.0f} mm from the entry point (dot) to the target (cross); the canal is shaded."
    )
    alt = f"{name} of {vertebra.level} {side}: {angle_words}, {trajectory.safety}."
    return _finished(case, spine, vertebra, plane, parts, caption, alt)


def _needle_svg(plane: SlicePlane, trajectory: Trajectory) -> str:
    """The tube at its true thickness from outside the picture to the target, entry dot, target cross, balloon."""
    colour = safety_colour(trajectory.safety)
    entry, target = np.asarray(trajectory.entry_ras, float), np.asarray(trajectory.target_ras, float)
    direction = unit(target - entry)
    # The plane contains the needle, so its outline is a rectangle.
    across = unit(np.cross(plane.normal_ras, direction)) * trajectory.cannula_outer_diameter_mm / 2
    tail = np.asarray(trajectory.skin_ras, float) if trajectory.skin_ras is not None else entry - 60 * direction
    outline = plane.to_px([tail + across, target + across, target - across, tail - across])
    parts = []
    if trajectory.balloon is not None:
        shape = hull(plane.to_px(balloon_points(trajectory.balloon)))
        parts.append(svg.path(shape, BALLOON, 2.2, closed=True, fill=BALLOON, fill_opacity=0.25, halo=True))
    parts.append(svg.path(outline, colour, 2.0, closed=True, fill=colour, fill_opacity=0.28, halo=True))
    parts.append(svg.circle(plane.to_px(entry), 3.6, "#000000", 1, colour))
    parts.append(svg.cross(plane.to_px(target), 7, LABEL, 2))
    return "".join(parts)


def _room_legend(plane: SlicePlane, trajectory: Trajectory, size: float, aside: bool) -> str:
    clearance = trajectory.clearance_mm
    grade = f"grade {trajectory.breach_grade}" if trajectory.judged else NOT_JUDGED
    rows = [
        (
            f"{trajectory.cannula} · {trajectory.safety} · {grade}",
            safety_colour(trajectory.safety),
        )
    ]
    if trajectory.balloon is not None:
        balloon = trajectory.balloon
        rows.append((f"balloon {balloon.planned_volume_ml:.1f} ml", BALLOON))
    if clearance.canal is not None:
        rows.append((f"canal {clearance.canal:.1f} mm", CANAL))
    # In an axial slice a left needle leaves through the lower right corner.
    x = 0.02 if aside else 0.6
    lift = 2.6 * size if aside else 0.0
    return svg.legend(x * plane.width_px, plane.height_px - lift - (len(rows) - 0.5) * 1.2 * size, rows, 0.82 * size)


def _heading(plane: SlicePlane, first: str, rest: list[str], size: float) -> str:
    """A bold line, and the lines of the rest below it."""
    return "".join(
        svg.text(0.02 * plane.width_px, (1.4 + 1.3 * n) * size, line, size=size, anchor="start", bold=n == 0)
        for n, line in enumerate([first, *rest])
    )


def _letters(plane: SlicePlane) -> str:
    """Edge letters; the upper one stands aside, because the heading fills the upper left."""
    left, right, top, bottom = picture_letters(plane.right_ras, plane.up_ras)
    size = 1.1 * svg.text_size(plane.width_px)
    upper = svg.text(0.8 * plane.width_px, 1.3 * size, top, size=size, bold=True)
    return svg.orientation_letters(plane.width_px, plane.height_px, left, right, bottom) + upper


def _finished(
    case: Case, spine: Spine, vertebra: Vertebra, plane: SlicePlane, parts: list[str], caption: str, alt: str
) -> Picture:
    if case.ct is not None:
        raster = reslice(case.ct, plane)
    else:
        raster = bone_raster(plane, spine.complete().values(), vertebra.level)
        caption += " Without a CT the bone is drawn from its label."
    return Picture(encode_png(raster), plane.width_px, plane.height_px, plane.mm_per_px, "".join(parts), caption, alt)


def _planned(spine: Spine, level_plan: LevelPlan, side: str) -> tuple[Vertebra, Frame, Trajectory]:
    vertebra = spine.vertebrae[level_plan.level]
    if not vertebra.complete or vertebra.frame is None:
        raise InputError(f"{level_plan.level} is incomplete; there is no needle to draw.")
    try:
        return vertebra, vertebra.frame, level_plan.trajectory(side)
    except KeyError as error:
        raise InputError(str(error.args[0])) from error


def _direction(trajectory: Trajectory) -> FloatArray:
    return unit(np.subtract(trajectory.target_ras, trajectory.entry_ras))


def _middle(trajectory: Trajectory) -> FloatArray:
    """Middle of the picture: the entry is behind it, the tip in front."""
    entry, target = np.asarray(trajectory.entry_ras, float), np.asarray(trajectory.target_ras, float)
    return entry + 0.42 * (target - entry)
