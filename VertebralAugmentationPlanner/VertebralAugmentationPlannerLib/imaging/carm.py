"""The C-arm: where source and receptor stand, what its angles are called, where a point falls on the picture.

Angles are DICOM's positioner angles (PS3.3 C.8.7.5, [M]): primary RAO −, LAO +; secondary CAU −, CRA +. They
name the direction of the receptor for a supine patient with the receptor in front::

    p = (sin α cos β, −cos α cos β, sin β)  in LPS  =  (−sin α cos β, cos α cos β, sin β)  in RAS

Augmentation is done prone with the receptor above, that is behind the patient. The line of the beam is the
same; the receptor then stands at −p and the source at +p. That is the default here, because it is the picture the
operator sees: looked at from the receptor, head up, hence in AP the patient's left is on the picture's left.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..model import InputError, Trajectory, Vertebra, carm
from ..model.carm import positioner_direction, prone_words
from ..model.geometry import FloatArray, unit

SOURCE_IMAGE_MM = 1100.0
"""Source–image distance; 1000–1200 mm is usual [D/M]."""
SOURCE_OBJECT_MM = 700.0
"""Source–isocentre distance; 600–750 mm is usual [D/M]. Magnification 1100 / 700 = 1.57."""
DETECTOR_MM = 300.0
"""Edge of the square receptor field [D/M]; a smaller value is the magnification mode."""
SIZE_PX = 512
PATIENT_POSITIONS = ("prone", "supine")
POLE_DEG = 89.0
"""Steeper than this the primary angle loses its meaning."""


@dataclass(frozen=True, eq=False)
class CArmPose:
    """One position of the C-arm.

    Args:
        primary_deg, secondary_deg: DICOM positioner angles for a supine patient (RAO −, LAO +; CAU −, CRA +).
        isocentre_ras: (3,) point on the central ray, mm.
        sid_mm: source–image distance.
        sod_mm: source–isocentre distance.
        detector_mm: edge of the square receptor field.
        size_px: pixels along that edge.
        patient: "prone" (receptor behind the patient) or "supine" (receptor in front).

    Raises:
        InputError: distances that no C-arm has.
    """

    primary_deg: float
    secondary_deg: float
    isocentre_ras: FloatArray
    sid_mm: float = SOURCE_IMAGE_MM
    sod_mm: float = SOURCE_OBJECT_MM
    detector_mm: float = DETECTOR_MM
    size_px: int = SIZE_PX
    patient: str = "prone"

    def __post_init__(self) -> None:
        centre = np.asarray(self.isocentre_ras, float)
        if centre.shape != (3,) or not np.isfinite(centre).all():
            raise InputError("The C-arm needs an isocentre of three finite RAS coordinates.")
        object.__setattr__(self, "isocentre_ras", centre)
        if not 0 < self.sod_mm < self.sid_mm:
            raise InputError(
                f"The source–object distance ({self.sod_mm:g} mm) must be positive and smaller than the source–image"
                f" distance ({self.sid_mm:g} mm)."
            )
        if self.detector_mm <= 0 or self.size_px < 2:
            raise InputError("The C-arm's receptor needs a positive size and at least 2 pixels.")
        if self.patient not in PATIENT_POSITIONS:
            raise InputError(f"The patient lies prone or supine, not “{self.patient}”.")
        if not (math.isfinite(self.primary_deg) and abs(self.secondary_deg) <= POLE_DEG):
            raise InputError(f"The C-arm's secondary angle must lie within ±{POLE_DEG:g}°.")

    @property
    def beam_direction_ras(self) -> FloatArray:
        """(3,) unit vector from source to receptor."""
        supine = positioner_direction(self.primary_deg, self.secondary_deg)
        return supine if self.patient == "supine" else -supine

    @property
    def up_ras(self) -> FloatArray:
        """(3,) unit vector of the picture's upward direction (towards the head)."""
        primary, secondary = math.radians(self.primary_deg), math.radians(self.secondary_deg)
        return np.array(
            [
                math.sin(primary) * math.sin(secondary),
                -math.cos(primary) * math.sin(secondary),
                math.cos(secondary),
            ]
        )

    @property
    def right_ras(self) -> FloatArray:
        """(3,) unit vector of the picture's rightward direction, seen from the receptor."""
        return np.cross(self.up_ras, self.beam_direction_ras)

    @property
    def source_ras(self) -> FloatArray:
        """(3,) focal spot, mm."""
        return self.isocentre_ras - self.sod_mm * self.beam_direction_ras

    @property
    def magnification(self) -> float:
        """Of an object at the isocentre."""
        return self.sid_mm / self.sod_mm

    @property
    def mm_per_px(self) -> float:
        """Size of a pixel in the plane of the isocentre, mm."""
        return self.detector_mm / self.size_px / self.magnification

    @property
    def text(self) -> str:
        """The angles as the C-arm's display has them for a supine patient, such as "RAO 12°, CRA 5°"."""
        return positioner_text(self.primary_deg, self.secondary_deg)

    @property
    def prone_text(self) -> str:
        """The same line of the beam in words for a prone patient with the receptor above."""
        return prone_words(self.primary_deg, self.secondary_deg)

    def project(self, points_ras: ArrayLike) -> FloatArray:
        """Pixels (…, 2) as (column, row) of RAS points (…, 3).

        Pixel centres are whole numbers; the central ray falls on ((size − 1) / 2, (size − 1) / 2).

        Raises:
            InputError: a point lies beside or behind the source.
        """
        offset = np.asarray(points_ras, float) - self.source_ras
        depth = offset @ self.beam_direction_ras
        if np.any(depth <= 1.0):
            raise InputError("A point lies behind the X-ray source; increase the source–object distance.")
        scale = self.sid_mm / depth / (self.detector_mm / self.size_px)
        centre = (self.size_px - 1) / 2
        return np.stack([centre + scale * (offset @ self.right_ras), centre - scale * (offset @ self.up_ras)], axis=-1)

    def rays(self, pixels: ArrayLike) -> FloatArray:
        """RAS vectors (…, 3) from the source to points (…, 2) of the picture (column, row), mm."""
        pixels = np.asarray(pixels, float)
        pitch = self.detector_mm / self.size_px
        centre = (self.size_px - 1) / 2
        return (
            self.sid_mm * self.beam_direction_ras
            + (pixels[..., :1] - centre) * pitch * self.right_ras
            - (pixels[..., 1:] - centre) * pitch * self.up_ras
        )


def positioner_angles(direction_ras: ArrayLike) -> tuple[float, float]:
    """Primary and secondary angle of a line through the patient; see :func:`..model.carm.positioner_angles`.

    Raises:
        ValueError: no direction, or a line along the body, which no C-arm reaches.
    """
    right, anterior, _ = unit(direction_ras)
    if math.hypot(right, anterior) < math.cos(math.radians(POLE_DEG)):
        raise ValueError("a beam along the patient's long axis has no positioner angles")
    return carm.positioner_angles(direction_ras)


def positioner_text(primary_deg: float, secondary_deg: float) -> str:
    """Such as "RAO 12°, CRA 5°"; zero has no side."""
    primary, secondary = round(primary_deg), round(secondary_deg)
    first = f"{'RAO' if primary < 0 else 'LAO'} {abs(primary)}°" if primary else "0°"
    second = f"{'CAU' if secondary < 0 else 'CRA'} {abs(secondary)}°" if secondary else "0°"
    return f"{first}, {second}"


def true_ap(vertebra: Vertebra, **pose: Any) -> CArmPose:
    """The pose in which the end plates are lines and the spinous process stands between the pedicles.

    The beam lies in the vertebra's mid-sagittal plane and in the mean plane of its end plates.

    Args:
        pose: further fields of :class:`CArmPose` (sid_mm, sod_mm, detector_mm, size_px, patient, isocentre_ras).

    Raises:
        InputError: the vertebra is incomplete and has no end plates.
    """
    frame, normal = _frame_and_normal(vertebra)
    ahead = np.cross(normal, [1.0, 0.0, 0.0])
    primary, secondary = positioner_angles(frame.direction_to_ras(unit(ahead)))
    return CArmPose(primary, secondary, **{"isocentre_ras": body_centre_ras(vertebra), **pose})


def true_lateral(vertebra: Vertebra, **pose: Any) -> CArmPose:
    """The pose across the mid-sagittal plane, looked at from the patient's left (anterior on the picture's left).

    Raises:
        InputError: the vertebra is incomplete.
    """
    frame, _ = _frame_and_normal(vertebra)
    receptor = -frame.right
    patient = pose.get("patient", "prone")
    r, a, s = receptor if patient == "supine" else -receptor
    # Not positioner_angles: the receptor must stay on the left even where the axis leans a little backwards.
    primary, secondary = math.degrees(math.atan2(-r, a)), math.degrees(math.asin(max(-1.0, min(1.0, s))))
    return CArmPose(primary, secondary, **{"isocentre_ras": body_centre_ras(vertebra), **pose})


def end_on(trajectory: Trajectory, **pose: Any) -> CArmPose:
    """The pose that looks along the needle: it appears as a point (“bull's eye”).

    The isocentre is the entry point, so that the central ray is the needle's axis itself.
    """
    entry, target = np.asarray(trajectory.entry_ras, float), np.asarray(trajectory.target_ras, float)
    primary, secondary = positioner_angles(target - entry)
    return CArmPose(primary, secondary, **{"isocentre_ras": entry, **pose})


def body_centre_ras(vertebra: Vertebra) -> FloatArray:
    """(3,) middle between the centres of the two end plates.

    Raises:
        InputError: the vertebra is incomplete.
    """
    if vertebra.frame is None or vertebra.superior is None or vertebra.inferior is None:
        raise InputError(_incomplete(vertebra))
    return vertebra.frame.to_ras((vertebra.superior.centre + vertebra.inferior.centre) / 2)


def _frame_and_normal(vertebra: Vertebra) -> tuple[Any, FloatArray]:
    if vertebra.frame is None or vertebra.superior is None or vertebra.inferior is None:
        raise InputError(_incomplete(vertebra))
    return vertebra.frame, unit(vertebra.superior.normal + vertebra.inferior.normal)


def _incomplete(vertebra: Vertebra) -> str:
    reason = vertebra.incomplete_reason or "its end plates were not found"
    return f"{vertebra.level} cannot be set up under the C-arm: {reason}."
