"""SVG elements in pixel coordinates. Every label carries a dark halo, so that it reads on any grey."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import ArrayLike

from ..model.palette import LABEL, LABEL_HALO

TEXT_SHARE = 1 / 23
"""Height of a label as a share of the picture's width: four pictures stand side by side on an A4 page, 45 mm wide each,
and a label is then 2 mm (5.6 pt) high, as small as a package insert's. [D]"""


def text_size(width_px: float) -> float:
    """Size of a label, pixels, in a picture so many pixels wide."""
    return width_px * TEXT_SHARE


def path(
    points: ArrayLike,
    colour: str,
    width: float = 1.5,
    closed: bool = False,
    fill: str | None = None,
    fill_opacity: float = 0.3,
    dash: str | None = None,
    halo: bool = False,
    opacity: float = 1.0,
) -> str:
    """A polyline or polygon through (N, 2) pixel points. ``halo`` puts a dark line below, for busy backgrounds."""
    points = np.asarray(points, float)
    if len(points) < 2:
        return ""
    data = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + ("Z" if closed else "")
    fill_text = f'fill="{fill}" fill-opacity="{fill_opacity:g}"' if fill else 'fill="none"'
    dash_text = f' stroke-dasharray="{dash}"' if dash else ""
    below = (
        f'<path d="{data}" fill="none" stroke="{LABEL_HALO}" stroke-opacity="0.55" stroke-width="{width + 2:g}"'
        f' stroke-linejoin="round"{dash_text}/>'
        if halo
        else ""
    )
    return (
        f'{below}<path d="{data}" {fill_text} stroke="{colour}" stroke-width="{width:g}" stroke-opacity="{opacity:g}"'
        f' stroke-linejoin="round"{dash_text}/>'
    )


def text(
    x: float,
    y: float,
    content: str,
    colour: str = LABEL,
    size: float = 15,
    anchor: str = "middle",
    bold: bool = False,
) -> str:
    """A label whose baseline starts, centres or ends (``anchor``) at a pixel."""
    weight = ' font-weight="bold"' if bold else ""
    halo_text = (
        f' stroke="{LABEL_HALO}" stroke-width="{size / 5:.1f}" stroke-opacity="0.75" stroke-linejoin="round"'
        ' paint-order="stroke"'
    )
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" font-size="{size:g}" text-anchor="{anchor}"{weight}'
        f"{halo_text}>{escape(content)}</text>"
    )


def circle(
    at: ArrayLike, radius: float, colour: str, width: float = 1.5, fill: str | None = None, opacity: float = 1.0
) -> str:
    """A circle around a pixel (x, y); filled where ``fill`` names a colour."""
    x, y = np.asarray(at, float)
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.2f}" stroke="{colour}" stroke-width="{width:g}"'
        f' fill="{fill or "none"}" fill-opacity="{opacity:g}"/>'
    )


def cross(at: ArrayLike, arm: float, colour: str, width: float = 1.8) -> str:
    """A small upright cross with a halo at a pixel (x, y), for target points."""
    x, y = np.asarray(at, float)
    horizontal, vertical = [(x - arm, y), (x + arm, y)], [(x, y - arm), (x, y + arm)]
    return path(horizontal, colour, width, halo=True) + path(vertical, colour, width, halo=True)


def scale_bar(width_px: int, height_px: int, mm_per_px: float, length_mm: float = 10) -> str:
    """A scale bar in the lower left corner."""
    length = length_mm / mm_per_px
    x, y = 0.04 * width_px, height_px - 0.045 * height_px
    tick = 4
    points = [(x, y - tick), (x, y), (x + length, y), (x + length, y - tick)]
    return path(points, LABEL, 1.8, halo=True) + text(
        x + length / 2, y - 7, f"{length_mm:g} mm", LABEL, size=0.85 * text_size(width_px)
    )


def orientation_letters(width_px: int, height_px: int, left: str, right: str, bottom: str) -> str:
    """Letters of the directions to which three edges of the picture look; the upper one holds the heading."""
    size = 1.1 * text_size(width_px)
    margin = 0.6 * size
    spots: Sequence[tuple[float, float, str]] = (
        (margin + size / 4, height_px / 2 + size / 3, left),
        (width_px - margin - size / 4, height_px / 2 + size / 3, right),
        (width_px / 2, height_px - margin, bottom),
    )
    return "".join(text(x, y, letter, size=size, bold=True) for x, y, letter in spots if letter)


def legend(x: float, y: float, rows: Sequence[tuple[str, str]], size: float = 14) -> str:
    """Lines of text, each with a coloured mark in front. ``rows``: (text, colour)."""
    parts = []
    for n, (content, colour) in enumerate(rows):
        baseline = y + n * size * 1.35
        if colour != LABEL:
            parts.append(path([(x, baseline - size / 3), (x + size, baseline - size / 3)], colour, 4, halo=True))
        parts.append(text(x + (1.4 * size if colour != LABEL else 0), baseline, content, size=size, anchor="start"))
    return "".join(parts)
