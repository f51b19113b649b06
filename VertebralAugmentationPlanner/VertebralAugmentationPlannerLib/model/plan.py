"""The plan: dataclasses with exactly the fields of plan.json (schema ``vertebral-augmentation-plan/1``).

World coordinates are RAS in mm, volumes ml, angles degrees, pressure psi, density HU. Kyphosis is positive.
A number that could not be computed is None, with an entry in ``warnings`` saying why.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from .levels import parse_level

SCHEMA = "vertebral-augmentation-plan/1"

Point = tuple[float, float, float]


def to_point(values: Iterable[float]) -> Point:
    """Three coordinates as a plan keeps them: plain numbers, whatever held them."""
    x, y, z = (float(value) for value in values)
    return x, y, z


SEVERITIES = ("stop", "caution", "info")

NOT_JUDGED = "not judged"
"""What stands for a number of a needle that was moved, or got another cannula, and was not judged since."""

FOUND_IN_BONE = (
    "clearance_mm",
    "breach_grade",
    "tolerated_offset_mm",
    "tolerated_angle_deg",
    "bone_path_mm",
    "skin_to_target_mm",
)
"""Fields of a needle that only the images tell; the others follow from its two points and the vertebra's frame."""


@dataclass(frozen=True)
class PlanWarning:
    """Something the user must know. ``source`` says where the rule or number comes from, with its tag."""

    code: str
    severity: str
    message: str
    source: str
    side: str | None = None
    level: str | None = None
    """Needle ("left" or "right") and level that the sentence is headed by: “L1 left: …”, “L1: …”; and the level whose label
    a CT completed. Whoever looks for the warnings of a needle asks these, not the sentence."""

    def __post_init__(self) -> None:
        if self.severity not in SEVERITIES:
            raise ValueError(f"severity {self.severity!r} is not one of {SEVERITIES}")

    @classmethod
    def of_needle(cls, level: str, side: str, code: str, severity: str, text: str, source: str) -> PlanWarning:
        """What must be known of one needle, headed by its name."""
        return cls(code, severity, f"{level} {side}: {text}", source, side, level)

    @classmethod
    def of_level(cls, level: str, code: str, severity: str, text: str, source: str) -> PlanWarning:
        """What must be known of one level, headed by its name."""
        return cls(code, severity, f"{level}: {text}", source, None, level)


@dataclass(frozen=True)
class Software:
    name: str
    version: str


@dataclass(frozen=True)
class ImageRecord:
    """What was read: path, SHA-256 of the file (of a folder of masks: of its files in name order; of a DICOM series: over
    the ordered SHA-256 of each), size and voxel spacing."""

    path: str | None
    sha256: str | None
    size: tuple[int, int, int]
    spacing_mm: Point


@dataclass(frozen=True)
class Inputs:
    ct: ImageRecord | None
    segmentation: ImageRecord
    canal: ImageRecord | None = None
    numbering: str | None = None
    """Which numbering the labels were read with."""
    level_values: dict[str, int] = field(default_factory=dict)
    """Where the numbering is a file of the user's own: the value of each level, and of what else it names. Of the file the
    plan keeps the name alone, and the labels are read again by these."""


@dataclass(frozen=True)
class FramePlan:
    origin_ras: Point
    right: Point
    anterior: Point
    superior: Point


@dataclass(frozen=True)
class Reference:
    """Heights the fractured body is compared with, and where they come from."""

    anterior_height_mm: float | None
    middle_height_mm: float | None
    posterior_height_mm: float | None
    method: str
    """"neighbours", "own_posterior" or "normative"."""
    levels: tuple[str, ...]


@dataclass(frozen=True)
class HeightLoss:
    """Percent of the reference; negative where the body is taller than its reference."""

    anterior: float | None
    middle: float | None
    posterior: float | None


@dataclass(frozen=True)
class Measurements:
    anterior_height_mm: float | None
    middle_height_mm: float | None
    posterior_height_mm: float | None
    heights_3x3_mm: tuple[tuple[float | None, ...], ...] | None
    """Rows left, mid, right; columns anterior, middle, posterior."""
    depth_mm: float | None
    width_mm: float | None
    body_volume_ml: float | None
    anterior_two_thirds_volume_ml: float | None
    reference: Reference | None
    height_loss_percent: HeightLoss
    genant_grade: int | None
    fracture_shape: str | None
    of_class: str | None
    wedge_angle_deg: float | None
    segmental_kyphosis_deg: float | None
    gardner_angle_deg: float | None
    body_density_hu: float | None
    reference_density_hu: float | None
    cleft_volume_ml: float | None
    posterior_wall_retropulsion_mm: float | None
    height_points_ras: dict[str, tuple[Point, Point]] = field(default_factory=dict)
    """"anterior", "middle", "posterior": upper and lower end of each height line, for drawing and dragging."""


@dataclass(frozen=True)
class PedicleMeasurement:
    isthmus_width_mm: float
    isthmus_height_mm: float
    centre_ras: Point
    axis: Point
    """Unit vector from posterior to anterior, RAS."""
    outline_ras: tuple[Point, ...] = ()


@dataclass(frozen=True)
class Pedicles:
    left: PedicleMeasurement | None
    right: PedicleMeasurement | None


@dataclass(frozen=True)
class CArm:
    """End-on view of a needle. Positioner angles as DICOM has them for a supine patient (RAO −, LAO +; CAU −, CRA +),
    and in words for the prone patient with the receptor above."""

    primary_deg: float
    secondary_deg: float
    prone_text: str


@dataclass(frozen=True)
class Clearance:
    """Smallest distance from the cannula's surface, mm; negative is a breach."""

    canal: float | None
    pedicle_wall: float | None
    endplate: float | None
    anterior_wall: float | None
    lateral_wall: float | None
    neighbour: float | None


@dataclass(frozen=True)
class BalloonPlan:
    model: str
    length_mm: float
    proximal_ras: Point
    distal_ras: Point
    centre_ras: Point
    planned_volume_ml: float
    planned_diameter_mm: float
    stopped_by: str
    """"max_volume", "end_plate", "cortex" or "pressure_limit"."""
    max_volume_ml: float
    max_pressure_psi: float | None
    source: str
    verified: bool = False
    planned_length_mm: float | None = None
    """Length of the inflated balloon."""
    cannula_retraction_mm: float | None = None
    """How far the cannula's tip is drawn back from the target before inflation, at least, so that the inflated balloon lies
    beyond it; 0 where it need not be."""
    channel_beyond_target_mm: float | None = None
    """How far beyond the needle's target the balloon reaches, so that its channel has to be made that deep; 0 where it ends before
    it."""
    meets_other_balloon: bool = False
    """Two balloons meet: ``max_volume_ml`` is then what they leave each other, and ``stopped_by`` is "max_volume"."""
    limit_ml: float | None = None
    """Volume at which ``stopped_by`` is met; a balloon that is set by hand to less does not reach it."""


@dataclass(frozen=True)
class Trajectory:
    side: str
    route: str
    entry_ras: Point
    target_ras: Point
    skin_ras: Point | None
    cannula: str
    cannula_outer_diameter_mm: float
    bone_path_mm: float
    """From the entry to the target; the entry of a needle that was judged lies in the cortex."""
    skin_to_target_mm: float | None
    convergence_angle_deg: float
    """In the vertebra's axial plane, positive towards the midline."""
    craniocaudal_angle_deg: float
    """In the vertebra's sagittal plane, positive where the tip points towards the head."""
    carm: CArm
    clearance_mm: Clearance
    breach_grade: str | None
    tolerated_offset_mm: float | None
    tolerated_angle_deg: float | None
    """With every clearance, None where the needle was not judged where it lies; the level then has a stop that says so."""
    midline_offset_mm: float
    """Distance of the tip from the mid-sagittal plane, positive on the needle's own side."""
    safety: str
    """"safe" keeps every margin; "tight" touches nothing but keeps less than a margin; "breach"."""
    compromise: str | None = None
    """For a tight path: which margin is short, by how much, and what would help."""
    balloon: BalloonPlan | None = None
    cement_ml: float | None = None
    bone_fillers: int | None = None
    margins_mm: Clearance | None = None
    """Margins this path was judged by; in a small body they shrink, so the options alone do not tell them."""

    @property
    def judged(self) -> bool:
        """Whether what is said of its clearances was found where it lies; else it counts as a breach."""
        return None not in (self.breach_grade, self.tolerated_offset_mm, self.tolerated_angle_deg)


@dataclass(frozen=True)
class CementPlan:
    target_fill: float
    target_region_ml: float
    volume_ml: float
    low_ml: float
    high_ml: float
    body_fill_percent: float
    bone_fillers: int
    bone_filler_ml: float
    method: str
    limited_by: str | None = None
    """What held the volume below the target, where something did (the ceiling, the cavity …)."""
    low_mark_ml: float | None = None
    high_mark_ml: float | None = None
    """15 and 30 % of the whole body, whatever the plan's own volume; ``low_ml`` to ``high_ml`` is the range widened to hold it."""


@dataclass(frozen=True)
class Predicted:
    """Expectation after inflation; kyphoplasty only."""

    anterior_height_mm: float
    wedge_angle_deg: float
    restoration_fraction: float


@dataclass(frozen=True)
class LevelPlan:
    level: str
    complete: bool
    frame: FramePlan | None
    measurements: Measurements | None
    pedicles: Pedicles
    approach: str | None
    """"bilateral", "unilateral-left", "unilateral-right" or "none"; None where no access was asked for."""
    approach_reason: str | None
    trajectories: tuple[Trajectory, ...]
    skipped_sides: dict[str, str]
    cement: CementPlan | None
    predicted: Predicted | None
    warnings: tuple[PlanWarning, ...]

    def needle(self, side: str) -> Trajectory | None:
        """The trajectory of one side, or None."""
        return next((trajectory for trajectory in self.trajectories if trajectory.side == side), None)

    def trajectory(self, side: str) -> Trajectory:
        """The trajectory of one side.

        Raises:
            KeyError: that side has none; the message carries the reason.
        """
        needle = self.needle(side)
        if needle is None:
            raise KeyError(f"{self.level} {side}: {self.skipped_sides.get(side, 'no trajectory was asked for')}")
        return needle


@dataclass(frozen=True)
class CasePlan:
    """The whole plan of a case; what plan.json holds."""

    schema: str
    software: Software
    inputs: Inputs
    coordinate_system: str
    options: dict[str, Any]
    levels: tuple[LevelPlan, ...]
    warnings: tuple[PlanWarning, ...]

    def level(self, name: str) -> LevelPlan:
        """The plan of one level, by any spelling of its name.

        Raises:
            KeyError: the level is not in the plan; the message lists those that are.
        """
        wanted = parse_level(name)
        for level in self.levels:
            if level.level == wanted:
                return level
        present = ", ".join(level.level for level in self.levels) or "none"
        raise KeyError(f"{wanted} is not in the plan (levels: {present})")

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON-ready dictionaries and lists, keys in the order of the contract."""
        from .serialisation import to_plain

        return to_plain(self)

    @classmethod
    def from_dict(cls, data: Any) -> CasePlan:
        """Read back :meth:`to_dict`.

        Raises:
            InputError: the data are not a plan of this schema version; the message names the field.
        """
        from .serialisation import plan_from_plain

        return plan_from_plain(data)

    def to_json(self) -> str:
        """The text of plan.json; the same plan always gives the same bytes."""
        from .serialisation import to_json

        return to_json(self)

    @classmethod
    def from_json(cls, text: str) -> CasePlan:
        """Read back :meth:`to_json`. Raises like :meth:`from_dict`."""
        from .serialisation import plan_from_json

        return plan_from_json(text)

    def save(self, path: str | PathLike[str]) -> None:
        """Write plan.json; an existing file is replaced only once the new one is whole."""
        from .serialisation import write_text

        write_text(Path(path), self.to_json())

    @classmethod
    def load(cls, path: str | PathLike[str]) -> CasePlan:
        """Read plan.json.

        Raises:
            InputError: no such file, not JSON, or not a plan of this schema version.
        """
        from .serialisation import load_plan

        return load_plan(Path(path))
