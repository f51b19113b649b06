"""Simulated fluoroscopy: live frames for the module's sliders and annotated pictures for the report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from ..model import Image, InputError, Spine, Trajectory, Vertebra
from ..model.geometry import FloatArray
from ..model.palette import LABEL, safety_colour
from . import svg
from .carm import CArmPose, body_centre_ras
from .overlay import Shape, projected_overlay
from .picture import Picture, encode_png
from .projection import Attenuation, attenuation_of, line_integrals

LIVE_VOXEL_MM = 1.5
"""Grid of the live view: about the blur of a moving-picture chain, and fast."""
REPORT_VOXEL_MM = 0.8
"""Grid of the report's pictures: about the voxel of a spine CT."""
HALF_LENGTH_MM = 130.0
"""CT kept above and below the level: half a 200 mm field and the way a 20° craniocaudal beam leans in the trunk."""
COLLIMATOR = 0.97
"""Diameter of the round field as a share of the receptor."""
RANGE_COMPRESSION = 0.65
"""Share of the slow shading (σ below) that is taken off, as the processing of a C-arm does (“harmonisation”). [D]"""
SHADING_SIGMA_MM = 18.0
EDGE_GAIN, EDGE_SIGMA_MM = 0.7, 0.9
"""Unsharp mask. [D]"""
WINDOW_PERCENTILES = (0.5, 99.7)
WINDOW_RADIUS = 0.6
"""The contrast is set by the middle of the field, as automatic exposure does, so that air at the skin does not
flatten the bone. [D]"""
OUTSIDE_GREY = 8
NOTE_LINE = 1
"""A note begins beside the angles of the view, below its name: its later and longer lines then have theirs to themselves."""
FIELD_MM = 200.0
"""Receptor field of the report's pictures: magnification mode, about 127 mm at the isocentre, three to four levels."""


class Fluoroscope:
    """A level's CT under the C-arm.

    Args:
        ct: HU, any voxel order; not changed.
        centre_ras: (3,) the level, mm.
        voxel_mm: grid of the simulation; smaller is crisper and slower.

    Raises:
        InputError: no CT, or it does not reach the level.
    """

    def __init__(
        self,
        ct: Image | None,
        centre_ras: ArrayLike,
        voxel_mm: float = LIVE_VOXEL_MM,
    ) -> None:
        if ct is None:
            raise InputError("Fluoroscopy is simulated from the CT; this case has labels only.")
        self.attenuation: Attenuation = attenuation_of(ct, centre_ras, HALF_LENGTH_MM, voxel_mm)

    @property
    def cropped(self) -> bool:
        """The CT is a crop of the trunk; the tissue around it is assumed."""
        return self.attenuation.in_tissue

    def frame(self, pose: CArmPose, bone: str = "dark") -> NDArray[np.uint8]:
        """A fluoroscopy picture, (rows, columns) 8-bit.

        Args:
            bone: "dark" as on a fluoroscopy screen, or "white" as on a film.

        Raises:
            InputError: another word for ``bone``.
        """
        if bone not in ("dark", "white"):
            raise InputError(f"Bone is shown dark or white, not “{bone}”.")
        return _tone(line_integrals(self.attenuation, pose), pose, bone)


def fluoroscopy_picture(
    fluoroscope: Fluoroscope,
    pose: CArmPose,
    vertebra: Vertebra,
    trajectories: Iterable[Trajectory] = (),
    *,
    depth_mm: float | None = None,
    view_name: str = "",
    spine: Spine | None = None,
    note: str = "",
    caption: str | None = None,
) -> Picture:
    """A simulated fluoroscopy with its overlay.

    Args:
        depth_mm: insertion depth of the needles from their entry; None is at the target.
        view_name: printed in the corner, such as "AP".
        spine: names the levels at the picture's edge.
        note: a short line in the upper right corner, such as "depth 21 mm"; further lines after a line break.
    """
    needles = list(trajectories)
    shapes = projected_overlay(pose, vertebra, needles, depth_mm)
    parts = [shapes_svg(shapes, pose.size_px)]
    names = _level_points(spine) if spine is not None else {}
    parts.append(_level_names(pose, names, vertebra.level))
    parts.append(_corner_text(pose, view_name, note))
    parts.append(_needle_legend(pose, needles))
    left, right, _, _ = picture_letters(pose.right_ras, pose.up_ras)
    parts.append(svg.orientation_letters(pose.size_px, pose.size_px, left, right, ""))
    crop = " The CT is a crop; the tissue around it is assumed." if fluoroscope.cropped else ""
    shown = view_name if view_name.isupper() else view_name.lower()
    words = caption or f"Simulated {shown or 'fluoroscopy'} of {vertebra.level}."
    where = f"{pose.text} (supine, DICOM); {pose.prone_text}." if pose.patient == "prone" else f"{pose.text}."
    return Picture(
        encode_png(fluoroscope.frame(pose)),
        pose.size_px,
        pose.size_px,
        pose.mm_per_px,
        "".join(parts),
        f"{words} {where}{crop}",
        f"Simulated fluoroscopy {view_name} of {vertebra.level}, {pose.text}, {len(needles)} needle(s).",
    )


def shapes_svg(shapes: Iterable[Shape], size_px: int) -> str:
    """SVG of the shapes, clipped to the round field."""
    centre, radius = size_px / 2, COLLIMATOR * size_px / 2
    inside = "".join(
        # Pixel centres are whole numbers in the projection and halves in SVG.
        svg.path(
            shape.points_px + 0.5,
            shape.colour,
            shape.width_px,
            shape.closed,
            shape.fill,
            shape.fill_opacity,
            shape.dash,
            halo=shape.fill is None,
        )
        for shape in shapes
    )
    return (
        f'<clipPath id="__ID__"><circle cx="{centre}" cy="{centre}" r="{radius:.1f}"/></clipPath>'
        f'<g clip-path="url(#__ID__)">{inside}</g>'
    )


def picture_letters(right_ras: ArrayLike, up_ras: ArrayLike) -> tuple[str, str, str, str]:
    """Letters of the left, right, upper and lower edge: R/L, A/P, H/F by the nearest axis of the body."""
    right, up = np.asarray(right_ras, float), np.asarray(up_ras, float)
    return _letter(-right), _letter(right), _letter(up), _letter(-up)


def _letter(direction: FloatArray) -> str:
    axis = int(np.argmax(np.abs(direction)))
    return ("LR", "PA", "FH")[axis][int(direction[axis] > 0)]


def _tone(integrals: NDArray[np.float32], pose: CArmPose, bone: str) -> NDArray[np.uint8]:
    """Shading off, edges up, contrast stretched over the round field, collimator."""
    size = pose.size_px
    row, column = np.ogrid[:size, :size]
    centre = (size - 1) / 2
    distance = np.hypot(row - centre, column - centre)
    radius = COLLIMATOR * size / 2
    field = distance <= radius
    image = integrals - RANGE_COMPRESSION * _shading(integrals, field, SHADING_SIGMA_MM / pose.mm_per_px)
    image = image + EDGE_GAIN * (image - ndimage.gaussian_filter(image, EDGE_SIGMA_MM / pose.mm_per_px, truncate=2.5))
    low, high = np.percentile(image[distance <= WINDOW_RADIUS * radius][::3], WINDOW_PERCENTILES)
    if high - low < 1e-6:
        # An empty field has no contrast to stretch; it is shown mid-grey instead of as amplified rounding.
        low, high = low - 1.0, low + 1.0
    grey = np.clip((image - low) / (high - low), 0, 1)
    if bone == "dark":
        grey = 1 - grey
    edge = np.clip(radius - distance + 0.5, 0, 1)
    return (OUTSIDE_GREY + edge * (20 + 227 * grey)).astype(np.uint8)


def _shading(image: NDArray[np.float32], field: NDArray[np.bool_], sigma_px: float) -> NDArray[np.float32]:
    """The picture's slow part inside the field. On a coarse grid, because it is slow."""
    block = max(int(sigma_px // 3), 1)
    values, weight = image * field, field.astype(np.float32)
    coarse = [
        ndimage.gaussian_filter(a[block // 2 :: block, block // 2 :: block], sigma_px / block)
        for a in (ndimage.uniform_filter(values, block), ndimage.uniform_filter(weight, block))
    ]
    smooth = coarse[0] / np.maximum(coarse[1], 1e-3)
    at = (np.arange(image.shape[0]) - block // 2) / block
    rows, columns = np.meshgrid(at, at, indexing="ij")
    return ndimage.map_coordinates(smooth, [rows, columns], order=1, mode="nearest", output=np.float32)


def _level_points(spine: Spine) -> dict[str, FloatArray]:
    return {level: body_centre_ras(vertebra) for level, vertebra in spine.complete().items() if vertebra.superior}


def _level_names(pose: CArmPose, centres: Mapping[str, FloatArray], planned: str) -> str:
    """Names of the levels down the left side of the field, each at the height of its body."""
    parts = []
    size = pose.size_px
    for level, centre in centres.items():
        row = float(pose.project(centre)[1])
        inside = COLLIMATOR**2 / 4 * size**2 - (row - size / 2) ** 2
        if inside <= (0.3 * size) ** 2:
            continue
        column = size / 2 - inside**0.5 + 0.12 * size
        parts.append(svg.text(column, row, level, size=svg.text_size(size), bold=level == planned))
    return "".join(parts)


def _corner_text(pose: CArmPose, view_name: str, note: str) -> str:
    size = svg.text_size(pose.size_px)
    x, y = 0.015 * pose.size_px, 1.3 * size
    return (
        svg.text(x, y, view_name, size=size * 1.35, anchor="start", bold=True)
        + svg.text(x, y + 1.3 * size, pose.text, size=size * 0.95, anchor="start")
        + "".join(
            svg.text(pose.size_px - x, y + 1.3 * n * size, line, size=size, anchor="end", bold=n == NOTE_LINE)
            for n, line in enumerate(note.split("\n"), NOTE_LINE)
        )
    )


def _needle_legend(pose: CArmPose, needles: list[Trajectory]) -> str:
    size = 0.9 * svg.text_size(pose.size_px)
    rows = [(f"{needle.side} {needle.cannula} – {needle.safety}", safety_colour(needle.safety)) for needle in needles]
    y = pose.size_px - 0.02 * pose.size_px - 1.35 * size * (len(rows) - 1)
    return svg.legend(0.015 * pose.size_px, y, rows, size) if rows else svg.text(0, 0, "", LABEL)
