"""The phantoms behind the accuracy tables: what varies, and how a case is made of one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from scipy.spatial.transform import Rotation
from VertebralAugmentationPlannerLib.model import Case, ImageRecord, Inputs
from VertebralAugmentationPlannerLib.sample import TOTALSEGMENTATOR, SpinePhantom, healthy_spine, make_case

THORACIC = ("T5", "T6", "T7", "T8", "T9", "T10")
LUMBAR = ("T11", "T12", "L1", "L2", "L3", "L4", "L5")

FRACTURES: dict[str, dict[str, float]] = {
    "T6": {"wedge": 0.30, "superior_share": 0.9},
    "T8": {"biconcave": 0.35},
    "T12": {"wedge": 0.42, "superior_share": 0.85},
    "L2": {"biconcave": 0.30},
    "L4": {"crush": 0.33, "retropulsion_mm": 3.0},
}

SPACINGS = {"1 mm": (1.0, 1.0, 1.0), "3 mm slices": (1.0, 1.0, 3.0)}

GRID_TURNS = {"upright": (0.0, 0.0, 0.0), "turned": (9.0, -12.0, 14.0)}
"""Turns of the voxel grid about right, anterior and superior, degrees; the second is 21° in all."""


@dataclass(frozen=True)
class Scan:
    """One phantom on one grid."""

    name: str
    phantom: SpinePhantom
    spacing: str
    turn: str
    case: Case
    truth: dict[str, Any]


def spines() -> dict[str, SpinePhantom]:
    """A thoracic and a lumbar spine, each with fractures and healthy levels between them."""
    made = {}
    for name, levels, seed in (("T5–T10", THORACIC, 2), ("T11–L5", LUMBAR, 3)):
        spine = healthy_spine(levels, rotation_deg=(3.0, -2.0, 5.0), lateral_deg=1.0, seed=seed)
        for level, fracture in FRACTURES.items():
            if level in levels:
                spine = spine.changed(level, spine.shape(level).broken(**fracture))
        made[name] = spine
    return made


def scans() -> Iterator[Scan]:
    """Every spine at every voxel size and turn of the grid, labels alone."""
    for name, spine in spines().items():
        for spacing, size in SPACINGS.items():
            for turn, angles in GRID_TURNS.items():
                direction = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
                _, labels, truth = make_case(spine, size, direction, with_ct=False, margin_mm=8.0)
                record = ImageRecord(None, None, labels.voxels.shape, tuple(labels.spacing_mm))
                values = {level: TOTALSEGMENTATOR[level] for level in spine.levels}
                yield Scan(
                    name, spine, spacing, turn, Case(None, labels, values, Inputs(None, record)), truth["levels"]
                )
