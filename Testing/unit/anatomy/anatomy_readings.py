"""What the tests read off a built vertebra, and how they make a case of labels alone."""

from __future__ import annotations

import numpy as np
from VertebralAugmentationPlannerLib.model import LEVELS, Case, Image, ImageRecord, Inputs, Vertebra

VERSE = {**{f"T{n}": 7 + n for n in range(1, 13)}, **{f"L{n}": 19 + n for n in range(1, 7)}, "T13": 28}


def labels_only(labels: Image, numbering: dict[str, int]) -> Case:
    """A case of a label map without a CT."""
    present = set(np.unique(labels.voxels).tolist())
    values = {level: numbering[level] for level in LEVELS if numbering.get(level) in present}
    spacing = tuple(float(value) for value in labels.spacing_mm)
    return Case(None, labels, values, Inputs(None, ImageRecord("labels", None, labels.voxels.shape, spacing)))


def heights(vertebra: Vertebra) -> np.ndarray:
    """Anterior, middle and posterior height, mm."""
    upper, lower = vertebra.superior, vertebra.inferior
    names = ("anterior_rim", "centre", "posterior_rim")
    return np.array([np.linalg.norm(getattr(upper, name) - getattr(lower, name)) for name in names])


def wedge_deg(vertebra: Vertebra) -> float:
    """Angle between the plates' normals in the sagittal plane, kyphosis positive."""
    tilts = [np.arctan2(plate.normal[1], plate.normal[2]) for plate in (vertebra.superior, vertebra.inferior)]
    return float(np.degrees(tilts[0] - tilts[1]))


def known_heights(truth: dict) -> np.ndarray:
    """The same heights by construction."""
    return np.array([truth[f"{part}_height_mm"] for part in ("anterior", "middle", "posterior")])
