"""Synthetic spines with known truth: the sample cases behind ``vap sample``, and phantoms for tests."""

from .cases import SAMPLES, Sample, SampleFiles, make_case, write_sample
from .picture import grid
from .reference import healthy
from .render import NUMBERINGS, TOTALSEGMENTATOR, VERSE, canal_image, draw
from .shape import ArchShape, CorticalDefect, Fracture, Implant, PedicleShape, VertebraShape
from .spine import Placed, SpinePhantom, healthy_spine
from .tissue import Soft
from .truth import truth_of, vertebral_frame

__all__ = [
    "NUMBERINGS",
    "SAMPLES",
    "TOTALSEGMENTATOR",
    "VERSE",
    "ArchShape",
    "CorticalDefect",
    "Fracture",
    "Implant",
    "PedicleShape",
    "Placed",
    "Sample",
    "SampleFiles",
    "Soft",
    "SpinePhantom",
    "VertebraShape",
    "canal_image",
    "draw",
    "grid",
    "healthy",
    "healthy_spine",
    "make_case",
    "truth_of",
    "vertebral_frame",
    "write_sample",
]
