"""Vertebral bodies and spinal canal as a DICOM Segmentation on the grid of the source CT."""

from __future__ import annotations

from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..model import CasePlan, Image, InputError, Spine, Vertebra
from . import dicom_codes as codes
from .dicom_codes import Concept
from .dicom_series import (
    DERIVED_SERIES_NUMBER,
    MANUFACTURER,
    SourceSeries,
    check_plan_is_inside,
    optional_highdicom,
    save_dicom,
)
from .dicom_sr import tracking_uid

Segment = tuple[str, Concept, Concept | None, NDArray[np.bool_]]
"""Label, property type, anatomic region, mask on the CT's grid."""


def write_dicom_seg(plan: CasePlan, spine: Spine, path: str | PathLike[str], source: SourceSeries) -> None:
    """Write one binary segment a planned level's body and one of the canal of those levels.

    Args:
        plan: which levels, and the software's name and version.
        spine: bodies and canal as they were segmented for the plan.
        source: the CT series the plan was made from.

    Raises:
        InputError: highdicom is missing, the plan lies outside the series, or no planned level has a body inside it.
    """
    hd = optional_highdicom()
    check_plan_is_inside(plan, source)
    segments = body_and_canal_segments(plan, spine, source.grid())
    if not segments:
        raise InputError(
            "None of the planned vertebral bodies lies inside this CT series; give the series of the plan."
        )
    segmentation = hd.seg.Segmentation(
        source_images=source.headers,
        pixel_array=np.stack([mask for *_, mask in segments], axis=-1).astype(np.uint8),
        segmentation_type="BINARY",
        segment_descriptions=[_description(hd, plan, source, n, item) for n, item in enumerate(segments, 1)],
        series_instance_uid=hd.UID(),
        series_number=DERIVED_SERIES_NUMBER + 2,
        sop_instance_uid=hd.UID(),
        instance_number=1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=plan.software.name,
        software_versions=plan.software.version,
        device_serial_number="0",
        content_label="VERTEBRAE",
        content_description="Vertebral bodies and canal of the plan",
        series_description="Vertebral bodies and canal of the plan",
    )
    save_dicom(segmentation, path)


def body_and_canal_segments(plan: CasePlan, spine: Spine, image: Image) -> list[Segment]:
    """Masks of the planned bodies and of the canal behind them on an image's grid; empty ones are left out."""
    segments: list[Segment] = []
    canal = np.zeros(image.voxels.shape[:3], bool)
    for level in plan.levels:
        vertebra = spine.vertebrae.get(level.level)
        if vertebra is None or vertebra.frame is None or vertebra.grid is None:
            continue
        if vertebra.body is not None:
            mask = _on_image(vertebra, vertebra.body.astype(float) - 0.5, image)
            region = codes.vertebra(level.level)
            segments.append((f"{level.level} vertebral body", codes.VERTEBRAL_BODY, region, mask))
        if vertebra.canal_mm is not None:
            canal |= _on_image(vertebra, -vertebra.canal_mm, image)
    segments.append(("Spinal canal", codes.VERTEBRAL_CANAL, codes.VERTEBRAL_COLUMN, canal))
    return [segment for segment in segments if segment[-1].any()]


def _on_image(vertebra: Vertebra, values: NDArray, image: Image) -> NDArray[np.bool_]:
    """Where a field on the vertebra's grid is positive, on the image's voxels; False off the vertebra's grid."""
    frame, grid = vertebra.frame, vertebra.grid
    assert frame is not None and grid is not None
    mask = np.zeros(image.voxels.shape[:3], bool)
    corners = np.array(np.meshgrid(*[(axis[0], axis[-1]) for axis in grid.axes], indexing="ij")).reshape(3, -1).T
    index = image.to_ijk(frame.to_ras(corners))
    first = np.clip(np.floor(index.min(axis=0)), 0, mask.shape).astype(int)
    last = np.clip(np.ceil(index.max(axis=0)) + 1, 0, mask.shape).astype(int)
    if (last <= first).any():
        return mask
    window = tuple(slice(a, b) for a, b in zip(first, last, strict=True))
    voxels = np.stack(np.meshgrid(*(np.arange(s.start, s.stop) for s in window), indexing="ij"), axis=-1)
    local = frame.to_local(image.to_ras(voxels))
    position = grid.to_index(local)
    inside = ((position >= 0) & (position <= np.array(grid.shape) - 1)).all(axis=-1)
    mask[window] = inside & (grid.sample(values, local) > 0)
    return mask


def _description(hd: Any, plan: CasePlan, source: SourceSeries, number: int, segment: Segment) -> Any:
    label, kind, region, _ = segment
    name = label.replace("vertebral body", "body")

    def code(concept: Concept) -> Any:
        return hd.sr.CodedConcept(concept.value, concept.scheme, concept.meaning)

    algorithm = hd.AlgorithmIdentificationSequence(
        name=plan.software.name,
        family=hd.sr.CodedConcept("123104", "DCM", "Morphological Operations"),
        version=plan.software.version,
    )
    return hd.seg.SegmentDescription(
        segment_number=number,
        segment_label=label,
        segmented_property_category=code(codes.ANATOMICAL_STRUCTURE),
        segmented_property_type=code(kind),
        algorithm_type="SEMIAUTOMATIC",
        algorithm_identification=algorithm,
        tracking_uid=tracking_uid(source, name),
        tracking_id=name,
        anatomic_regions=[code(region)] if region else None,
    )
