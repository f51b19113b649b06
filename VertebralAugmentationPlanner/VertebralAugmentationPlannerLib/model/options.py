"""What the user may choose, and the assumptions the user sees and may edit."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from .errors import InputError


@dataclass(frozen=True)
class Cannula:
    """A straight access cannula. Diameters from the Stubs needle gauge table."""

    name: str
    outer_diameter_mm: float

    @property
    def radius_mm(self) -> float:
        """Half the outer diameter, mm."""
        return self.outer_diameter_mm / 2


CANNULAS: dict[str, Cannula] = {
    cannula.name: cannula
    for cannula in (Cannula("8G", 4.2), Cannula("10G", 3.4), Cannula("11G", 3.05), Cannula("13G", 2.41))
}
"""Thickest first. 8G is the 4.2 mm osteo-introducer; the rest is the Stubs table, from memory and to be
checked against the package in hand."""


@dataclass(frozen=True)
class Margins:
    """Distances to keep from the cannula's surface, mm. A path that keeps all of them is *safe*; one that
    touches nothing but keeps less is *tight* and is shown as a compromise. Design values, editable."""

    pedicle_wall_mm: float = 1.0
    canal_mm: float = 1.0
    endplate_mm: float = 3.0
    anterior_wall_mm: float = 5.0
    lateral_wall_mm: float = 3.0
    neighbour_mm: float = 0.0


@dataclass(frozen=True)
class Assumptions:
    """Numbers that no verified source fixes. Shown to the user as assumptions, editable."""

    restoration_fraction: float = 0.40
    """Share of the lost anterior height regained by inflation; partial correction, 30–50 %, is the rule under load."""
    bone_volume_fraction: float = 0.10
    """Share of the trabecular space taken by bone (BV/TV), osteoporotic: 0.06–0.12, from memory."""
    interdigitation_ml: float = 1.0
    """Cement beyond the balloon's cavity that enters the trabecular bone around it: 1–2 ml, from memory."""
    bone_filler_ml: float = 1.5
    """Volume of one bone filler device, from memory."""
    cement_ceiling_fraction: float = 0.30
    """The plan never asks for more cement than this share of the whole body (30 % restored or exceeded normal
    stiffness in a finite-element study, JKNS 2012 doi 10.3340/jkns.2012.52.5.435)."""


PROCEDURES = ("kyphoplasty", "vertebroplasty")
APPROACHES = ("auto", "unilateral", "unilateral-left", "unilateral-right", "bilateral")
ETIOLOGIES = ("osteoporotic", "traumatic", "tumour")
CANNULA_CHOICES = ("auto", *CANNULAS)


@dataclass(frozen=True)
class PlanOptions:
    """The choices of one planning run.

    Args:
        levels: "fractured", "all", a comma-separated list ("L1,T12") or a sequence of level names.
        procedure: "kyphoplasty" or "vertebroplasty".
        approach: "auto", "unilateral", "unilateral-left", "unilateral-right" or "bilateral".
        cannula: "auto" (the thickest of the procedure that keeps every margin) or a gauge of :data:`CANNULAS`.
        target_fill: share of the anterior two-thirds of the body to fill with cement, 0–1.
        etiology: "osteoporotic", "traumatic" or "tumour".
        labels: numbering of the label map: "auto", "totalsegmentator", "verse" or the path of a JSON file.
        balloon: name of a catalogue balloon, or "auto" for the longest that fits.
        catalog: path of a device catalogue of the user's own (JSON), added to the one that ships.
    """

    levels: str | tuple[str, ...] = "fractured"
    procedure: str = "kyphoplasty"
    approach: str = "auto"
    cannula: str = "auto"
    target_fill: float = 0.30
    etiology: str = "osteoporotic"
    labels: str = "auto"
    balloon: str = "auto"
    catalog: str | None = None
    margins: Margins = field(default_factory=Margins)
    assumptions: Assumptions = field(default_factory=Assumptions)

    def __post_init__(self) -> None:
        if isinstance(self.levels, list):
            object.__setattr__(self, "levels", tuple(self.levels))
        for name, allowed in (
            ("procedure", PROCEDURES),
            ("approach", APPROACHES),
            ("cannula", CANNULA_CHOICES),
            ("etiology", ETIOLOGIES),
        ):
            value = getattr(self, name)
            if value not in allowed:
                raise InputError(f"{name} “{value}” is unknown; choose one of {', '.join(allowed)}.")
        if not 0.0 < self.target_fill <= 1.0:
            raise InputError(f"The target fill {self.target_fill:g} must lie above 0 and at most 1 (0.30 means 30 %).")

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> PlanOptions:
        """Options as a plan records them; entries that this version does not know are left out.

        Raises:
            InputError: an entry has no usable value.
        """
        values = {item.name: data[item.name] for item in fields(cls) if item.name in data}
        for name, kind in (("margins", Margins), ("assumptions", Assumptions)):
            if name in values:
                known = {item.name for item in fields(kind)}
                values[name] = kind(**{key: float(value) for key, value in values[name].items() if key in known})
        try:
            return cls(**values)
        except TypeError as error:
            raise InputError(f"The plan’s options cannot be used: {error}.") from error
