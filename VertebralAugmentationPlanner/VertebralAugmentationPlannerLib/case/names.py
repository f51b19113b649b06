"""What a name or a code in a segmentation means."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..model import LEVELS, parse_level
from ..model.levels import looks_like_level

_OTHER_VERTEBRA = re.compile(r"^\s*(?:vertebra[e]?[\s_-]*)?(C[1-7]|S1)(?:[\s_-]*vertebra[e]?)?\s*$", re.IGNORECASE)
_CANAL = re.compile(r"^\s*(?:spinal|vertebral)?[\s_-]*(?:canal|thecal[\s_-]*sac)\s*$", re.IGNORECASE)
_CORD = re.compile(r"^\s*spinal[\s_-]*cord\s*$|^\s*cord\s*$", re.IGNORECASE)

NECK = tuple(f"C{n}" for n in range(1, 8))
SPINE_ORDER = (*NECK, *LEVELS, "S1", "sacrum")
"""Head to foot. Neck and sacrum are not planned but are bone that a needle must not meet."""

SNOMED_LEVELS = {
    "64864005": "T1",
    "53733008": "T2",
    "1626008": "T3",
    "73071006": "T4",
    "56401006": "T5",
    "45296009": "T6",
    "62487009": "T7",
    "11068009": "T8",
    "82687006": "T9",
    "7610001": "T10",
    "12989004": "T11",
    "23215003": "T12",
    "66794005": "L1",
    "14293000": "L2",
    "36470004": "L3",
    "11994002": "L4",
    "49668003": "L5",
}
"""SNOMED CT codes of DICOM context group 7603 “Vertebra” (PS3.16, CID 7603)."""

SNOMED_NECK = {
    "14806007": "C1",
    "39976000": "C2",
    "113205007": "C3",
    "5329002": "C4",
    "36978003": "C5",
    "36054005": "C6",
    "87391001": "C7",
}
"""Likewise, for the neck."""


@dataclass(frozen=True)
class BodyPart:
    """A part that planning uses: ``kind`` "level", "bone" (neck, sacrum), "canal" or "cord"."""

    kind: str
    name: str


def part_of_name(text: str) -> BodyPart | None:
    """What a name means, or None for anything that planning does not use (organs, ribs …).

    Raises:
        InputError: the name has the form of a level that does not exist, such as L7.
    """
    if looks_like_level(text):
        return BodyPart("level", parse_level(text))
    other = _OTHER_VERTEBRA.match(text)
    if other:
        return BodyPart("bone", other[1].upper())
    if re.match(r"^\s*sacrum\s*$", text, re.IGNORECASE):
        return BodyPart("bone", "sacrum")
    if _CORD.match(text):
        return BodyPart("cord", "spinal cord")
    if _CANAL.match(text):
        return BodyPart("canal", "spinal canal")
    return None


def part_of_code(scheme: str, code: str) -> BodyPart | None:
    """The vertebra of a SNOMED CT code, or None."""
    if scheme != "SCT":
        return None
    if code in SNOMED_LEVELS:
        return BodyPart("level", SNOMED_LEVELS[code])
    if code in SNOMED_NECK:
        return BodyPart("bone", SNOMED_NECK[code])
    return None
