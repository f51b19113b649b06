"""Coded concepts of the DICOM exports: (value, scheme, meaning).

Standard codes wherever DICOM (PS3.16 context groups 7469–7472, 8134, 7602) or SNOMED CT has the concept; the private
scheme 99VAP only where neither has one. A reader that knows only standard codes still finds every height, depth,
width, volume, attenuation and positioner angle with its site and unit.
"""

from __future__ import annotations

from typing import NamedTuple

from ..case.names import SNOMED_LEVELS


class Concept(NamedTuple):
    """Value, coding scheme designator, meaning."""

    value: str
    scheme: str
    meaning: str


PRIVATE_SCHEME = "99VAP"


def private(value: str, meaning: str) -> Concept:
    """A concept of our own scheme; DICOM limits values to 16 characters and meanings to 64."""
    return Concept(value, PRIVATE_SCHEME, meaning)


MM = Concept("mm", "UCUM", "mm")
ML = Concept("ml", "UCUM", "milliliter")
DEGREE = Concept("deg", "UCUM", "Degree")
PERCENT = Concept("%", "UCUM", "Percent")
HOUNSFIELD = Concept("[hnsf'U]", "UCUM", "Hounsfield unit")

HEIGHT = Concept("121207", "DCM", "Height")
DEPTH = Concept("131197000", "SCT", "Depth")
WIDTH = Concept("103355008", "SCT", "Width")
VOLUME = Concept("118565006", "SCT", "Volume")
ATTENUATION = Concept("112031", "DCM", "Attenuation Coefficient")
MEAN = Concept("373098007", "SCT", "Mean")
PATH_LENGTH = Concept("121211", "DCM", "Path length")
POSITIONER_PRIMARY_ANGLE = Concept("112011", "DCM", "Positioner Primary Angle")
POSITIONER_SECONDARY_ANGLE = Concept("112012", "DCM", "Positioner Secondary Angle")
COMPUTED_TOMOGRAPHY = Concept("77477000", "SCT", "Computed tomography")
DEVICE_OBSERVER = Concept("121007", "DCM", "Device")

COMMENT = Concept("121106", "DCM", "Comment")
REMARKS = private("REMARKS", "Stops, cautions and refused sides of the plan")

ANTERIOR = Concept("255549009", "SCT", "Anterior")
MIDDLE = Concept("C25569", "NCIt", "Middle")
POSTERIOR = Concept("255551008", "SCT", "Posterior")
LEFT = Concept("7771000", "SCT", "Left")
RIGHT = Concept("24028007", "SCT", "Right")
PARTS = {"anterior": ANTERIOR, "middle": MIDDLE, "posterior": POSTERIOR}
SIDES = {"left": LEFT, "right": RIGHT}

ANATOMICAL_STRUCTURE = Concept("91723000", "SCT", "Anatomical Structure")
VERTEBRAL_BODY = Concept("3572006", "SCT", "Structure of body of vertebra")
VERTEBRAL_CANAL = Concept("61853006", "SCT", "Vertebral canal")
PEDICLE = Concept("78972004", "SCT", "Pedicle of vertebra")
NEEDLE = Concept("79068005", "SCT", "Needle")
VERTEBRAL_COLUMN = Concept("421060004", "SCT", "Structure of vertebral column")

_VERTEBRAE = {level: code for code, level in SNOMED_LEVELS.items()}

WEDGE_ANGLE = private("WEDGE_ANGLE", "Local wedge angle of vertebral body, kyphosis positive")
SEGMENTAL_KYPHOSIS = private("SEGM_KYPHOSIS", "Segmental kyphosis (Cobb), kyphosis positive")
GARDNER_ANGLE = private("GARDNER_ANGLE", "Gardner angle, kyphosis positive")
HEIGHT_LOSS = private("HEIGHT_LOSS", "Height loss against reference")
REFERENCE_HEIGHT = private("REF_HEIGHT", "Reference height")
TWO_THIRDS_VOLUME = private("ANT23_VOLUME", "Volume of anterior two thirds of vertebral body")
CLEFT_VOLUME = private("CLEFT_VOLUME", "Volume of intravertebral gas cleft")
RETROPULSION = private("RETROPULSION", "Retropulsion of posterior wall")
ISTHMUS_WIDTH = private("ISTHMUS_WIDTH", "Width of pedicle isthmus")
ISTHMUS_HEIGHT = private("ISTHMUS_HEIGHT", "Height of pedicle isthmus")
GENANT_GRADE = private("GENANT_GRADE", "Genant semiquantitative grade")
FRACTURE_SHAPE = private("FX_SHAPE", "Shape of vertebral fracture")
OF_CLASS = private("OF_CLASS", "AO Spine-DGOU OF class")
SKIN_TO_TARGET = private("SKIN_TO_TARGET", "Skin to target distance along planned needle")
CONVERGENCE = private("CONVERGENCE", "Convergence angle of planned needle")
CRANIOCAUDAL = private("CRANIOCAUDAL", "Craniocaudal angle of planned needle")
CANNULA_DIAMETER = private("CANNULA_OD", "Outer diameter of planned cannula")
TOLERATED_OFFSET = private("TOL_OFFSET", "Tolerated offset of planned needle")
TOLERATED_ANGLE = private("TOL_ANGLE", "Tolerated angle of planned needle")
PLANNED_CEMENT = private("PLANNED_CEMENT", "Planned cement volume")
PLANNED_BALLOON = private("PLANNED_BALLOON", "Planned balloon volume")
BREACH_GRADE = private("BREACH_GRADE", "Gertzbein-Robbins grade of planned path")
PLAN_SAFETY = private("PLAN_SAFETY", "Safety of planned path")
PLANNED_NEEDLE = private("PLANNED_NEEDLE", "Planned needle path")
CLEARANCES = {
    "canal": private("CLEAR_CANAL", "Clearance of cannula to vertebral canal"),
    "pedicle_wall": private("CLEAR_PEDICLE", "Clearance of cannula to pedicle wall"),
    "endplate": private("CLEAR_ENDPLATE", "Clearance of cannula to end plates"),
    "anterior_wall": private("CLEAR_ANTERIOR", "Clearance of cannula to anterior wall"),
    "lateral_wall": private("CLEAR_LATERAL", "Clearance of cannula to lateral wall"),
    "neighbour": private("CLEAR_NEIGHBOUR", "Clearance of cannula to neighbouring vertebra"),
}


def vertebra(level: str) -> Concept:
    """Anatomic code of a level. T13 and L6 exist in few people and have no code in DICOM: private codes."""
    if level in _VERTEBRAE:
        return Concept(_VERTEBRAE[level], "SCT", f"{level} vertebra")
    return private(f"VERTEBRA_{level}", f"{level} vertebra (supernumerary)")


def category(name: Concept, value: str) -> Concept:
    """A private value of a private classification, such as Genant grade 2 or the shape “wedge”."""
    text = "".join(character if character.isalnum() else "_" for character in value.upper())
    return private(f"{name.value[:4]}_{text}"[:16].strip("_"), value)
