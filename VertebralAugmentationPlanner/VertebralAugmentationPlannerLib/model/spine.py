"""The case and the spine: what the planner knows of the patient before it measures or plans."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .geometry import FloatArray, Frame, Image, LocalGrid
from .plan import Inputs, PlanWarning


@dataclass(frozen=True, eq=False)
class Case:
    """A CT and its vertebra labels, checked and cleaned.

    Args:
        ct: CT in HU, or None where the plan is made from the labels alone.
        labels: integer label map (any grid, any voxel order, not necessarily the CT's).
        level_values: label value of each level present, ordered from head to foot.
        canal: optional mask of the canal or cord (non-zero inside), on a grid of its own.
        inputs: what was read, for the plan's record.
        canal_is_cord: the mask is the cord and not the whole canal.
        other_values: label value of each other part of the spine present (neck, S1, sacrum): not planned, but bone that a
            needle must not meet.
    """

    ct: Image | None
    labels: Image
    level_values: dict[str, int]
    inputs: Inputs
    canal: Image | None = None
    canal_is_cord: bool = False
    warnings: tuple[PlanWarning, ...] = ()
    other_values: dict[str, int] = field(default_factory=dict)

    def others(self, level: str) -> dict[int, str]:
        """Name of each label value that is another vertebra, or the sacrum."""
        return {value: name for name, value in {**self.level_values, **self.other_values}.items() if name != level}


@dataclass(frozen=True, eq=False)
class EndPlate:
    """One end plate, in the vertebral frame.

    Args:
        anterior_rim, centre, posterior_rim: (3,) mid-sagittal points, local mm, extrapolated to the rims from a
            robust surface fit.
        normal: (3,) unit normal of the fitted plane, pointing superiorly for both plates.
        height_mm: (W, D) height of the surface (local superior coordinate) over ``x_mm`` × ``y_mm``; NaN where
            the body has no end plate there.
        x_mm, y_mm: (W,), (D,) local right and anterior coordinates of ``height_mm``.
        foreign: which of the "anterior" and "posterior" rims lie under a piece of the neighbour that the label holds.
    """

    anterior_rim: FloatArray
    centre: FloatArray
    posterior_rim: FloatArray
    normal: FloatArray
    height_mm: FloatArray
    x_mm: FloatArray
    y_mm: FloatArray
    foreign: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Pedicle:
    """One pedicle, in the vertebral frame.

    Args:
        side: "left" or "right" (of the patient).
        centre: (3,) centre of the isthmus, local mm.
        axis: (3,) unit axis from posterior to anterior, local.
        isthmus_width_mm, isthmus_height_mm: smallest and largest diameter of the narrowest section in the plane
            perpendicular to the axis.
        outline: (N, 3) closed outline of that section, local mm.
    """

    side: str
    centre: FloatArray
    axis: FloatArray
    isthmus_width_mm: float
    isthmus_height_mm: float
    outline: FloatArray


@dataclass(frozen=True, eq=False)
class Vertebra:
    """A vertebra with everything later stages ask of it. Arrays are on ``grid``; local mm, see :class:`Frame`.

    Args:
        level: "L1" …
        complete: False where the image border cuts it; then everything below is None or empty.
        incomplete_reason: why, in words.
        bone_mm: signed distance to the bone's surface, positive inside, this vertebra alone.
        body: mask of the vertebral body (apart from the arch).
        canal_mm: distance to the spinal canal, positive outside it, negative inside; None where the canal could
            not be built with confidence: then nothing may be planned here.
        neighbour_mm: distance to the nearest other labelled vertebra, positive outside it.
        posterior_wall_mm: (W, H) local anterior coordinate of the posterior wall over grid x × grid z; extended
            smoothly beyond the canal's width. Body lies in front (greater values).
        depth_mm, width_mm: mid-height depth (mid-sagittal) and width of the body. Where a wall is not met half-way between the
            plates, the depth is the outline's.
        mid_walls_mm: local anterior coordinates of the posterior and the anterior wall in the midline, half-way between
            the plates; None where one of them is not met there.
        pedicles: "left"/"right" where found.
        notes: what had to be borrowed, guessed or left out, for the plan's warnings.
    """

    level: str
    complete: bool
    incomplete_reason: str | None = None
    frame: Frame | None = None
    grid: LocalGrid | None = None
    bone_mm: FloatArray | None = None
    body: NDArray[np.bool_] | None = None
    canal_mm: FloatArray | None = None
    canal_reason: str | None = None
    neighbour_mm: FloatArray | None = None
    posterior_wall_mm: FloatArray | None = None
    superior: EndPlate | None = None
    inferior: EndPlate | None = None
    depth_mm: float | None = None
    width_mm: float | None = None
    mid_walls_mm: tuple[float, float] | None = None
    body_volume_ml: float | None = None
    pedicles: dict[str, Pedicle] = field(default_factory=dict)
    pedicle_reasons: dict[str, str] = field(default_factory=dict)
    notes: tuple[PlanWarning, ...] = ()

    @property
    def two_thirds_start_mm(self) -> float | None:
        """Local anterior coordinate of the coronal plane behind the body's anterior two-thirds: a third of the mid-height depth
        in front of the posterior wall there. None where a wall is not met."""
        if self.mid_walls_mm is None:
            return None
        back, front = self.mid_walls_mm
        return back + (front - back) / 3.0


@dataclass(frozen=True, eq=False)
class Spine:
    """The vertebrae of a case from head to foot.

    Args:
        vertebrae: by level, ordered from head to foot, incomplete ones included.
    """

    vertebrae: dict[str, Vertebra]
    notes: tuple[PlanWarning, ...] = ()

    def complete(self) -> dict[str, Vertebra]:
        """The whole vertebrae only, from head to foot."""
        return {level: vertebra for level, vertebra in self.vertebrae.items() if vertebra.complete}
