"""The plan as a DICOM Structured Report: TID 1500 Measurement Report in a Comprehensive 3D SR.

One measurement group (TID 1501) a level, one a pedicle and one a planned needle; behind them, in words, the plan's stops and
cautions, the approach with its reason, and the sides that got no needle. Heights and needle paths carry their
3D points (LPS mm, in the CT's frame of reference), so a reader can draw them.
"""

from __future__ import annotations

import uuid
from os import PathLike
from typing import Any

import numpy as np
import pydicom

from ..model import CasePlan, InputError, LevelPlan, PedicleMeasurement, PlanWarning, Trajectory
from . import dicom_codes as codes
from .dicom_codes import Concept
from .dicom_series import (
    DERIVED_SERIES_NUMBER,
    MANUFACTURER,
    SourceSeries,
    check_plan_is_inside,
    optional_highdicom,
    save_dicom,
    to_lps,
)
from .wording import by_severity

TRACKING_NAMESPACE = uuid.UUID("8f0c9a52-6f0e-5d43-9c0a-2b8a4f7f6f11")
"""Namespace of our tracking identifiers: the same finding of the same series keeps its identifier."""

_BODY: tuple[tuple[str, Concept, Concept], ...] = (
    ("depth_mm", codes.DEPTH, codes.MM),
    ("width_mm", codes.WIDTH, codes.MM),
    ("body_volume_ml", codes.VOLUME, codes.ML),
    ("anterior_two_thirds_volume_ml", codes.TWO_THIRDS_VOLUME, codes.ML),
    ("wedge_angle_deg", codes.WEDGE_ANGLE, codes.DEGREE),
    ("segmental_kyphosis_deg", codes.SEGMENTAL_KYPHOSIS, codes.DEGREE),
    ("gardner_angle_deg", codes.GARDNER_ANGLE, codes.DEGREE),
    ("cleft_volume_ml", codes.CLEFT_VOLUME, codes.ML),
    ("posterior_wall_retropulsion_mm", codes.RETROPULSION, codes.MM),
)

_NEEDLE: tuple[tuple[str, Concept, Concept], ...] = (
    ("skin_to_target_mm", codes.SKIN_TO_TARGET, codes.MM),
    ("cannula_outer_diameter_mm", codes.CANNULA_DIAMETER, codes.MM),
    ("convergence_angle_deg", codes.CONVERGENCE, codes.DEGREE),
    ("craniocaudal_angle_deg", codes.CRANIOCAUDAL, codes.DEGREE),
    ("tolerated_offset_mm", codes.TOLERATED_OFFSET, codes.MM),
    ("tolerated_angle_deg", codes.TOLERATED_ANGLE, codes.DEGREE),
    ("cement_ml", codes.PLANNED_CEMENT, codes.ML),
)


def write_dicom_sr(plan: CasePlan, path: str | PathLike[str], source: SourceSeries) -> None:
    """Write the plan's measurements and needles as a Comprehensive 3D SR.

    Args:
        source: the CT series the plan was made from, from :func:`read_source_series`.

    Raises:
        InputError: highdicom is missing, nothing was measured, or the plan lies outside the series.
    """
    hd = optional_highdicom()
    check_plan_is_inside(plan, source)
    groups = _Writer(hd, source, plan).groups()
    if not groups:
        raise InputError("The plan holds no whole vertebra, so there is nothing to report in DICOM.")
    report = hd.sr.MeasurementReport(
        observation_context=_observer(hd, plan),
        procedure_reported=_code(hd, codes.COMPUTED_TOMOGRAPHY),
        imaging_measurements=groups,
        title=hd.sr.CodedConcept("126000", "DCM", "Imaging Measurement Report"),
        # The library of images (user option in TID 1500) tells the place of each, which a multi-frame object has not.
        referenced_images=None if source.is_multi_frame else source.headers,
    )
    remarks = _remarks(hd, plan)
    if remarks is not None:
        report[0].ContentSequence.append(remarks)
    document = hd.sr.Comprehensive3DSR(
        evidence=source.headers,
        content=report[0],
        series_instance_uid=hd.UID(),
        series_number=DERIVED_SERIES_NUMBER + 1,
        sop_instance_uid=hd.UID(),
        instance_number=1,
        manufacturer=MANUFACTURER,
        is_complete=True,
        is_final=False,
        is_verified=False,
        series_description="Vertebral augmentation plan",
    )
    # Sentences hold signs (− ° ≥) that the scanner's own character set rarely has.
    document.SpecificCharacterSet = "ISO_IR 192"
    document.ManufacturerModelName = plan.software.name
    document.SoftwareVersions = plan.software.version
    document.CodingSchemeIdentificationSequence = [_private_scheme()]
    save_dicom(document, path)


def _remarks(hd: Any, plan: CasePlan) -> Any | None:
    """Stops, cautions, reasons and refused sides as a container of comments (TID 1500 is extensible); None where there are none."""
    texts = [f"{warning.severity}: {warning.message}" for warning in _loud(plan.warnings)]
    for level in plan.levels:
        if level.trajectories or level.skipped_sides:
            texts.append(f"{level.level}, approach {level.approach}: {level.approach_reason}")
        texts += [f"{level.level}, no needle on the {side}: {reason}" for side, reason in level.skipped_sides.items()]
        texts += [
            f"{level.level}, the {needle.side} needle is {needle.safety}: {needle.compromise}"
            for needle in level.trajectories
            if needle.compromise
        ]
        texts += [f"{level.level}, {warning.severity}: {warning.message}" for warning in _loud(level.warnings)]
    if not texts:
        return None
    sr = hd.sr
    comments = [
        sr.TextContentItem(_code(hd, codes.COMMENT), text, relationship_type=sr.RelationshipTypeValues.CONTAINS)
        for text in texts
    ]
    container = sr.ContainerContentItem(_code(hd, codes.REMARKS), relationship_type=sr.RelationshipTypeValues.CONTAINS)
    container.ContentSequence = sr.ContentSequence(comments, is_sr=True)
    return container


def _loud(warnings: tuple[PlanWarning, ...]) -> list[PlanWarning]:
    return [warning for warning in by_severity(warnings) if warning.severity != "info"]


def tracking_uid(source: SourceSeries, finding: str) -> str:
    """The same UID for the same finding of the same series, in the structured report and in the segmentation."""
    name = f"{source.headers[0].SeriesInstanceUID}/{finding}"
    return f"2.25.{uuid.uuid5(TRACKING_NAMESPACE, name).int}"


def _private_scheme() -> pydicom.Dataset:
    """Says whose codes 99VAP are, as PS3.3 C.12.1 asks of private schemes."""
    scheme = pydicom.Dataset()
    scheme.CodingSchemeDesignator = codes.PRIVATE_SCHEME
    scheme.CodingSchemeName = "Vertebral Augmentation Planner codes"
    scheme.CodingSchemeResponsibleOrganization = MANUFACTURER
    return scheme


def _code(hd: Any, concept: Concept) -> Any:
    return hd.sr.CodedConcept(value=concept.value, scheme_designator=concept.scheme, meaning=concept.meaning)


def _observer(hd: Any, plan: CasePlan) -> Any:
    name = f"{plan.software.name} {plan.software.version}"
    device = hd.sr.DeviceObserverIdentifyingAttributes(
        uid=f"2.25.{uuid.uuid5(TRACKING_NAMESPACE, name).int}",
        name=plan.software.name,
        manufacturer_name=MANUFACTURER,
        model_name=plan.software.version,
    )
    context = hd.sr.ObserverContext(_code(hd, codes.DEVICE_OBSERVER), device)
    return hd.sr.ObservationContext(observer_device_context=context)


class _Writer:
    """Turns levels, pedicles and needles into measurement groups."""

    def __init__(self, hd: Any, source: SourceSeries, plan: CasePlan) -> None:
        self.hd, self.source, self.plan = hd, source, plan

    def groups(self) -> list[Any]:
        found = []
        for level in self.plan.levels:
            if level.measurements is not None:
                found.append(self._body(level))
            for side in ("left", "right"):
                pedicle = getattr(level.pedicles, side)
                if pedicle is not None:
                    found.append(self._pedicle(level, side, pedicle))
            found += [self._needle(level, needle) for needle in level.trajectories]
        return found

    def _group(self, name: str, finding: Concept, sites: list[Any], measurements: list[Any], grades: list[Any]) -> Any:
        sr = self.hd.sr
        return sr.MeasurementsAndQualitativeEvaluations(
            tracking_identifier=sr.TrackingIdentifier(uid=tracking_uid(self.source, name), identifier=name),
            finding_type=_code(self.hd, finding),
            finding_sites=sites,
            measurements=[item for item in measurements if item is not None],
            qualitative_evaluations=[item for item in grades if item is not None],
            algorithm_id=sr.AlgorithmIdentification(self.plan.software.name, self.plan.software.version),
        )

    def _site(self, level: LevelPlan, side: str | None = None, part: str | None = None) -> Any:
        return self.hd.sr.FindingSite(
            _code(self.hd, codes.vertebra(level.level)),
            laterality=_code(self.hd, codes.SIDES[side]) if side else None,
            topographical_modifier=_code(self.hd, codes.PARTS[part]) if part else None,
        )

    def _number(
        self,
        name: Concept,
        value: float | None,
        unit: Concept,
        sites: list[Any] | None = None,
        line_ras: tuple[Any, Any] | None = None,
        derivation: Concept | None = None,
    ) -> Any | None:
        """One measurement, None where the plan has no value: DICOM, too, gets no default."""
        if value is None:
            return None
        return self.hd.sr.Measurement(
            name=_code(self.hd, name),
            value=float(value),
            unit=_code(self.hd, unit),
            derivation=_code(self.hd, derivation) if derivation else None,
            finding_sites=sites,
            referenced_coordinates=[self._line(line_ras)] if line_ras else None,
        )

    def _line(self, ends_ras: tuple[Any, Any]) -> Any:
        return self.hd.sr.CoordinatesForMeasurement3D(
            graphic_type="POLYLINE",
            graphic_data=to_lps(np.array(ends_ras, float)),
            frame_of_reference_uid=self.source.frame_of_reference_uid,
        )

    def _grade(self, name: Concept, value: str | None) -> Any | None:
        if value is None:
            return None
        return self.hd.sr.QualitativeEvaluation(_code(self.hd, name), _code(self.hd, codes.category(name, value)))

    def _body(self, level: LevelPlan) -> Any:
        measured = level.measurements
        assert measured is not None
        numbers = []
        for part in codes.PARTS:
            field, sites = f"{part}_height_mm", [self._site(level, part=part)]
            line = measured.height_points_ras.get(part)
            numbers.append(self._number(codes.HEIGHT, getattr(measured, field), codes.MM, sites, line))
            reference = getattr(measured.reference, field) if measured.reference else None
            numbers.append(self._number(codes.REFERENCE_HEIGHT, reference, codes.MM, sites))
            loss = getattr(measured.height_loss_percent, part)
            numbers.append(self._number(codes.HEIGHT_LOSS, loss, codes.PERCENT, sites))
        numbers += [self._number(name, getattr(measured, field), unit) for field, name, unit in _BODY]
        density = measured.body_density_hu
        numbers.append(self._number(codes.ATTENUATION, density, codes.HOUNSFIELD, derivation=codes.MEAN))
        grade = None if measured.genant_grade is None else f"Grade {measured.genant_grade}"
        grades = [
            self._grade(codes.GENANT_GRADE, grade),
            self._grade(codes.FRACTURE_SHAPE, measured.fracture_shape),
            self._grade(codes.OF_CLASS, measured.of_class),
        ]
        return self._group(f"{level.level} body", codes.VERTEBRAL_BODY, [self._site(level)], numbers, grades)

    def _pedicle(self, level: LevelPlan, side: str, pedicle: PedicleMeasurement) -> Any:
        numbers = [
            self._number(codes.ISTHMUS_WIDTH, pedicle.isthmus_width_mm, codes.MM),
            self._number(codes.ISTHMUS_HEIGHT, pedicle.isthmus_height_mm, codes.MM),
        ]
        return self._group(f"{level.level} {side} pedicle", codes.PEDICLE, [self._site(level, side)], numbers, [])

    def _needle(self, level: LevelPlan, needle: Trajectory) -> Any:
        line = (needle.entry_ras, needle.target_ras)
        numbers = [self._number(codes.PATH_LENGTH, needle.bone_path_mm, codes.MM, line_ras=line)]
        numbers += [self._number(concept, getattr(needle, field), unit) for field, concept, unit in _NEEDLE]
        numbers += [
            self._number(codes.POSITIONER_PRIMARY_ANGLE, needle.carm.primary_deg, codes.DEGREE),
            self._number(codes.POSITIONER_SECONDARY_ANGLE, needle.carm.secondary_deg, codes.DEGREE),
        ]
        for field, clearance in codes.CLEARANCES.items():
            numbers.append(self._number(clearance, getattr(needle.clearance_mm, field), codes.MM))
        if needle.balloon is not None:
            numbers.append(self._number(codes.PLANNED_BALLOON, needle.balloon.planned_volume_ml, codes.ML))
        grades = [
            self._grade(codes.BREACH_GRADE, needle.breach_grade),
            self._grade(codes.PLAN_SAFETY, needle.safety),
        ]
        tracked = f"{level.level} {needle.side} needle"
        return self._group(tracked, codes.PLANNED_NEEDLE, [self._site(level, needle.side)], numbers, grades)
