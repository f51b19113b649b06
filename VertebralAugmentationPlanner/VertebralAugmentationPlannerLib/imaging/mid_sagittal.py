"""The mid-sagittal picture: height lines with their loss, the Cobb lines, the names of the levels."""

from __future__ import annotations

import numpy as np

from ..model import Case, EndPlate, InputError, LevelPlan, Spine, Vertebra, above, below
from ..model.geometry import FloatArray, unit
from ..model.grades import loss_decimals
from ..model.palette import COBB_LINE, HEIGHT_LINE
from . import svg
from .carm import body_centre_ras
from .fluoroscopy import picture_letters
from .picture import Picture, encode_png
from .slices import SlicePlane, bone_raster, canal_svg, plane_through, reslice

PICTURE_MM = (112.0, 130.0)
BEHIND_MM = 6.0
"""The picture's middle lies this far behind the body's, so that canal and spinous process are on it."""
COBB_BEYOND_MM = (6.0, 36.0)
"""How far the Cobb lines go beyond the anterior and posterior rim."""


def mid_sagittal_picture(case: Case, spine: Spine, level_plan: LevelPlan) -> Picture:
    """The vertebra's mid-sagittal plane, anterior on the picture's left.

    Neighbours whose middle lies off this plane (a scoliotic spine) are drawn dropped onto it.

    Raises:
        InputError: the level is incomplete.
    """
    vertebra = spine.vertebrae[level_plan.level]
    if vertebra.frame is None or not vertebra.complete:
        reason = vertebra.incomplete_reason or "its frame is not known"
        raise InputError(f"{vertebra.level} has no mid-sagittal picture: {reason}.")
    frame = vertebra.frame
    centre = body_centre_ras(vertebra) - BEHIND_MM * frame.anterior
    plane = plane_through(centre, -frame.right, frame.superior, *PICTURE_MM)
    complete = spine.complete()
    size = svg.text_size(plane.width_px)
    parts = [canal_svg(complete.values(), plane)]
    parts.append(_cobb_lines(spine, level_plan, plane, size))
    parts.append(_height_lines(level_plan, plane, size))
    for level, other in complete.items():
        row = plane.to_px(body_centre_ras(other))[1]
        if 4 * size < row < plane.height_px - 3 * size:
            names = svg.text(
                0.4 * size, row + size / 3, level, size=size * 1.15, anchor="start", bold=level == vertebra.level
            )
            parts.append(names)
    parts.append(
        svg.text(
            0.02 * plane.width_px, 1.4 * size, f"{vertebra.level} · heights, mm", size=size, anchor="start", bold=True
        )
    )
    parts.append(svg.text(0.02 * plane.width_px, 2.7 * size, _finding(level_plan), size=size, anchor="start"))
    parts.append(svg.scale_bar(plane.width_px, plane.height_px, plane.mm_per_px))
    left, right, _, _ = picture_letters(plane.right_ras, plane.up_ras)
    parts.append(svg.orientation_letters(plane.width_px, plane.height_px, "", right, ""))
    # The level's own name stands in the middle of the left edge; the letter moves below it.
    parts.append(svg.text(0.95 * size, plane.height_px * 0.5 + 3 * size, left, size=1.1 * size, bold=True))
    caption = (
        f"Mid-sagittal plane of {vertebra.level}, seen from the patient’s left. Height lines with the height in mm and its "
        "change against the reference; blue: end plates of the segmental angle; the canal is shaded."
    )
    if case.ct is not None:
        raster = reslice(case.ct, plane)
    else:
        raster = bone_raster(plane, complete.values(), vertebra.level)
        caption += " Without a CT the bone is drawn from its label."
    return Picture(
        encode_png(raster),
        plane.width_px,
        plane.height_px,
        plane.mm_per_px,
        "".join(parts),
        caption,
        f"Mid-sagittal picture of {vertebra.level}: {_finding(level_plan)}.",
    )


def _height_lines(level_plan: LevelPlan, plane: SlicePlane, size: float) -> str:
    measured = level_plan.measurements
    if measured is None:
        return ""
    parts = []
    anchors = {"anterior": ("end", -0.5), "middle": ("middle", 0.0), "posterior": ("start", 0.5)}
    for name, (anchor, shift) in anchors.items():
        if name not in measured.height_points_ras:
            continue
        top, bottom = plane.to_px(measured.height_points_ras[name])
        parts.append(svg.path([top, bottom], HEIGHT_LINE, 2.4, halo=True))
        parts += [svg.circle(end, 3.2, "#000000", 0.8, HEIGHT_LINE) for end in (top, bottom)]
        height, loss = getattr(measured, f"{name}_height_mm"), getattr(measured.height_loss_percent, name)
        if height is None:
            continue
        x, y = (top + bottom) / 2 + [shift * size, 0]
        parts.append(svg.text(x, y, f"{height:.1f}", size=0.95 * size, anchor=anchor, bold=True))
        if loss is not None:
            # A loss is written as a change, because that is how it is read aloud: "minus thirty per cent".
            change = f"{-loss:+.{loss_decimals(loss)}f}"
            words = f"{change} %".replace("-", "−") if float(change) else "0 %"
            parts.append(svg.text(x, y + 1.1 * size, words, size=0.95 * size, anchor=anchor))
    return "".join(parts)


def _cobb_lines(spine: Spine, level_plan: LevelPlan, plane: SlicePlane, size: float) -> str:
    """Upper end plate of the level above and lower end plate of the level below, prolonged backwards."""
    measured = level_plan.measurements
    present = tuple(spine.complete())
    upper, lower = above(level_plan.level, present), below(level_plan.level, present)
    if measured is None or measured.segmental_kyphosis_deg is None or upper is None or lower is None:
        return ""
    parts = []
    ends = []
    for level, which in ((upper, "superior"), (lower, "inferior")):
        vertebra = spine.vertebrae[level]
        line = _rim_to_rim(vertebra, getattr(vertebra, which))
        if line is None:
            return ""
        pixels = plane.to_px(line)
        parts.append(svg.path(pixels, COBB_LINE, 2.2, dash="10 5", halo=True))
        ends.append(pixels[1])
    angle = measured.segmental_kyphosis_deg
    x = min(float(np.mean(ends, axis=0)[0]), plane.width_px - 0.5 * size)
    y = float(np.clip(ends[0][1] + 1.5 * size, 4.5 * size, plane.height_px - 3 * size))
    parts.append(svg.text(x, y, f"{upper}–{lower} {angle_words(angle)}", size=size, anchor="end", bold=True))
    return "".join(parts)


def _rim_to_rim(vertebra: Vertebra, plate: EndPlate | None) -> FloatArray | None:
    if plate is None or vertebra.frame is None:
        return None
    along = unit(plate.posterior_rim - plate.anterior_rim)
    front, back = COBB_BEYOND_MM
    return vertebra.frame.to_ras(np.stack([plate.anterior_rim - front * along, plate.posterior_rim + back * along]))


def angle_words(angle: float) -> str:
    """“12° kyphosis”, “3° lordosis”, “0°”."""
    degrees = round(abs(angle))
    # A flat segment is neither.
    return f"{degrees}° {'kyphosis' if angle > 0 else 'lordosis'}" if degrees else "0°"


def _finding(level_plan: LevelPlan) -> str:
    measured = level_plan.measurements
    if measured is None or measured.fracture_shape is None:
        return "not graded"
    if measured.fracture_shape == "none":
        return "no fracture"
    grade = f", Genant {measured.genant_grade}" if measured.genant_grade is not None else ""
    return f"{measured.fracture_shape}{grade}"
