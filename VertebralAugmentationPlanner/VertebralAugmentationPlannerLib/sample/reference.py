"""Dimensions of healthy vertebrae, T1–T13 and L1–L6.

Every column is rounded from the sources below so that one vertebra's numbers fit together; they are for phantoms, not
for diagnosis.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..model import parse_level
from .shape import ArchShape, PedicleShape, VertebraShape


class _Row(NamedTuple):
    """One level. mm and degrees.

    height: posterior; between the reference CT spine of the BICEPS project [C] and the lumbar shape model of Clouthier
        2023 [V, doi 10.1016/j.jbiomech.2022.111421]; T1–T5 interpolated down to Panjabi 1991 × 1.2 [M].
    wedge_f, wedge_m: sagittal wedging, women and men, T9–L5 [V, PMC2899959 table 1]; T1–T8 interpolated [D].
    width, depth (superior, inferior): same CT spine and model, thoracic levels against Panjabi 1991 [M].
    canal_w, canal_d: Panjabi 1991/1992 [M], width × 0.93 [D] so that canal, pedicles and body fit together.
    pedicle_w, pedicle_h, convergence: Zindrick 1987 [M], T2–T7 widths between Kaur 2016 [V, PMC4857161] and Hung 2022
        [V]; T11/T12 convergence from Demiroz 2019 [V].
    caudal: sagittal pedicle angle, thoracic 10–17°, lumbar 0–3°, L5 −2…−5° [M].
    disc, kyphosis: disc at the rims, below this level [V doi 10.1186/s13018-018-0737-x less the dishes; thoracic M],
        its kyphotic angle, so that body and disc follow Bernhardt–Bridwell 1989 [M] flattened for supine [D].
    """

    height: float
    wedge_f: float
    wedge_m: float
    width_sup: float
    width_inf: float
    depth_sup: float
    depth_inf: float
    canal_w: float
    canal_d: float
    pedicle_w: float
    pedicle_h: float
    convergence: float
    caudal: float
    disc: float
    kyphosis: float


_TABLE: dict[str, _Row] = {
    "T1": _Row(17.5, 1.8, 2.2, 27.0, 28.0, 17.0, 18.0, 20.3, 16.4, 7.9, 9.9, 27, 10, 3.5, 1.0),
    "T2": _Row(18.3, 2.2, 2.8, 26.0, 27.0, 18.0, 19.5, 18.1, 15.5, 6.6, 10.6, 22, 11, 3.5, 1.0),
    "T3": _Row(19.0, 2.6, 3.4, 25.5, 26.5, 20.0, 21.5, 16.7, 15.5, 5.4, 11.0, 17, 12, 3.5, 1.0),
    "T4": _Row(19.5, 3.0, 4.0, 25.5, 26.5, 22.0, 23.5, 16.0, 15.5, 4.6, 11.2, 14, 12, 3.5, 1.0),
    "T5": _Row(20.0, 3.4, 4.4, 26.5, 28.0, 24.0, 25.5, 16.0, 15.5, 4.7, 11.5, 11, 12, 3.5, 1.0),
    "T6": _Row(20.6, 3.6, 4.8, 28.0, 30.0, 26.0, 27.5, 16.1, 15.5, 5.2, 11.8, 10, 12, 3.6, 1.0),
    "T7": _Row(21.1, 3.6, 5.0, 29.5, 31.5, 27.5, 28.5, 16.3, 15.7, 5.5, 12.0, 9, 12, 3.8, 0.5),
    "T8": _Row(21.6, 3.2, 5.0, 31.0, 33.0, 28.7, 29.5, 16.6, 15.9, 5.9, 12.3, 8, 12, 4.0, 0.5),
    "T9": _Row(22.3, 2.8, 4.8, 32.2, 34.8, 29.5, 30.0, 16.6, 15.9, 6.1, 12.8, 7, 12, 4.2, 0.0),
    "T10": _Row(23.6, 2.6, 3.8, 33.8, 37.0, 30.3, 30.5, 16.9, 15.5, 6.4, 13.6, 6, 12, 4.5, 0.0),
    "T11": _Row(25.1, 4.6, 5.4, 36.5, 40.0, 30.8, 30.6, 18.0, 16.1, 7.5, 14.8, 5, 10, 5.0, -1.0),
    "T12": _Row(26.7, 3.5, 4.9, 39.8, 42.8, 30.8, 31.0, 20.2, 17.6, 7.3, 15.2, 5, 8, 6.0, -2.0),
    "L1": _Row(28.1, 2.6, 4.1, 42.0, 45.0, 31.5, 32.0, 22.0, 17.8, 8.4, 15.0, 11, 4, 7.0, -5.0),
    "L2": _Row(28.8, 0.7, 2.6, 44.0, 47.0, 33.0, 33.3, 22.2, 17.6, 8.9, 14.8, 12, 2, 7.5, -7.0),
    "L3": _Row(29.1, -1.1, 1.3, 46.5, 49.5, 34.0, 34.0, 22.6, 17.5, 10.2, 14.6, 14, 1, 8.5, -9.0),
    "L4": _Row(28.7, -3.1, -0.7, 48.5, 51.0, 34.5, 34.5, 23.6, 17.9, 12.6, 14.4, 18, 0, 9.0, -12.0),
    "L5": _Row(26.4, -7.8, -4.6, 50.0, 50.0, 34.5, 33.5, 25.2, 18.0, 15.5, 13.4, 28, -3, 9.0, -14.0),
}
# Supernumerary levels have no table of their own: a T13 looks like a small L1 with ribs, an L6 like an L5.
_TABLE["T13"] = _Row(*(0.5 * (upper + lower) for upper, lower in zip(_TABLE["T12"], _TABLE["L1"], strict=True)))
_TABLE["L6"] = _TABLE["L5"]

SEX_SCALE = {"female": 0.965, "male": 1.035, None: 1.0}
"""Heights of women and men against the mean of both: 22.0 and 23.6 mm for T9–L1 [C from Palm 2025, V]."""
MIDDLE_RATIO = 0.875
"""Middle over mean of the rim heights; the reference CT spine has 0.83–0.94 of the posterior height [C]."""
SUPERIOR_DISH_SHARE = 0.45
"""The lower end plate is the deeper one [D]."""
PEDICLE_CANAL_WALL_MM = 0.4
"""Between the canal's ellipse and the inner wall of the pedicle: dura and epidural fat are thin there [D]."""
PEDICLE_BELOW_RIM_MM = 0.6
"""The pedicle's upper border stays below the rim of the upper end plate [D]."""


def healthy(level: str, sex: str | None = None) -> VertebraShape:
    """An unfractured vertebra of adult size.

    Args:
        level: "T1"–"T13", "L1"–"L6", any spelling.
        sex: "female", "male" or None for the mean of both.

    Raises:
        InputError: no such level.
        KeyError: no such sex.

    """
    level = parse_level(level)
    row, scale = _TABLE[level], SEX_SCALE[sex]
    wedge = {"female": row.wedge_f, "male": row.wedge_m, None: 0.5 * (row.wedge_f + row.wedge_m)}[sex]
    posterior = row.height * scale
    depth = 0.5 * (row.depth_sup + row.depth_inf) * scale
    anterior = posterior - 2.0 * depth * np.tan(np.radians(wedge / 2.0))
    dish = (1.0 - MIDDLE_RATIO) * 0.5 * (anterior + posterior)
    pedicle = _pedicle(row, posterior, scale)
    return VertebraShape(
        level=level,
        anterior_height_mm=float(anterior),
        posterior_height_mm=float(posterior),
        superior_dish_mm=float(dish * SUPERIOR_DISH_SHARE),
        inferior_dish_mm=float(dish * (1.0 - SUPERIOR_DISH_SHARE)),
        width_superior_mm=row.width_sup * scale,
        width_inferior_mm=row.width_inf * scale,
        depth_superior_mm=row.depth_sup * scale,
        depth_inferior_mm=row.depth_inf * scale,
        canal_width_mm=row.canal_w,
        canal_depth_mm=row.canal_d,
        left=pedicle,
        right=pedicle,
        arch=_arch(level),
        disc_below_mm=row.disc,
        disc_below_kyphosis_deg=row.kyphosis,
    )


def _pedicle(row: _Row, posterior_height: float, scale: float) -> PedicleShape:
    """Beside the canal and as high on the body as the rim allows."""
    width, height = row.pedicle_w * scale, row.pedicle_h * scale
    half_across = 0.5 * width / np.cos(np.radians(row.convergence))
    highest = 0.5 * posterior_height - 0.5 * height - PEDICLE_BELOW_RIM_MM
    return PedicleShape(
        isthmus_width_mm=width,
        isthmus_height_mm=height,
        lateral_mm=float(0.5 * row.canal_w + PEDICLE_CANAL_WALL_MM + half_across),
        superior_mm=float(min(5.0, highest)),
        convergence_deg=row.convergence,
        caudal_deg=row.caudal,
    )


def _arch(level: str) -> ArchShape:
    """Posterior elements by region; shapes from anatomy books, sizes [D]."""
    if level.startswith("L"):
        number = int(level[1:])
        return ArchShape(
            lamina_height_mm=24.0 if number < 5 else 18.0,
            facet_angle_deg=40.0 + 2.0 * number,
            transverse_length_mm=(20.0, 24.0, 27.0, 24.0, 22.0, 22.0)[number - 1],
            spinous_length_mm=28.0 if number < 5 else 20.0,
            spinous_height_mm=19.0 if number < 5 else 14.0,
        )
    number = int(level[1:])
    low = number >= 11
    return ArchShape(
        lamina_thickness_mm=6.0,
        lamina_height_mm=22.0 if low else 20.0,
        lamina_superior_mm=-2.5,
        facet_radius_mm=4.5 if low else 4.0,
        facet_gap_mm=1.0,
        facet_angle_deg=25.0 if number >= 12 else -8.0,
        facet_slope_deg=0.0 if number >= 12 else 20.0,
        transverse_length_mm=(20.0, 19.0, 18.0, 18.0, 18.0, 18.0, 18.0, 18.0, 17.0, 15.0, 11.0, 8.0, 10.0)[number - 1],
        transverse_radius_mm=4.5,
        transverse_back_deg=35.0,
        transverse_up_deg=10.0,
        spinous_length_mm=26.0 if low else 34.0,
        spinous_height_mm=15.0 if low else 9.0,
        spinous_thickness_mm=6.0,
        spinous_down_deg=15.0 if low else (48.0 if 5 <= number <= 9 else 32.0),
        rib=True,
    )
