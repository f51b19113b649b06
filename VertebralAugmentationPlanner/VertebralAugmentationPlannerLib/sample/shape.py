"""What a phantom vertebra is made of: every dimension a named number, mm and degrees.

Local frame: x right, y anterior, z superior; the origin lies mid-way between the (unfractured) end plates, in the
middle of the mid-sagittal depth.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ..model import SIDES, InputError


@dataclass(frozen=True)
class PedicleShape:
    """One pedicle, an elliptic tube that widens towards both ends.

    Args:
        isthmus_width_mm, isthmus_height_mm: diameters of the narrowest section, in the plane perpendicular to the axis.
        lateral_mm: distance of the isthmus' centre from the mid-sagittal plane.
        superior_mm: height of that centre above the middle of the body.
        behind_wall_mm: distance of that centre behind the mid-sagittal posterior wall.
        convergence_deg: axis towards the midline, in the axial plane.
        caudal_deg: axis towards the feet from behind to the front (cranial entry), in the sagittal plane.
        flare_mm: growth of the half-width 8 mm from the isthmus.

    """

    isthmus_width_mm: float
    isthmus_height_mm: float
    lateral_mm: float
    superior_mm: float
    behind_wall_mm: float = 4.5
    convergence_deg: float = 10.0
    caudal_deg: float = 0.0
    flare_mm: float = 1.0


@dataclass(frozen=True)
class ArchShape:
    """Lamina, facets and processes.

    Args:
        lamina_thickness_mm, lamina_height_mm: of each lamina; lamina_superior_mm: height of its centre.
        facet_radius_mm: of the articular processes; facet_gap_mm: joint space; facet_angle_deg: of the joint plane
            from the coronal plane, opening backwards and inwards (lumbar positive); facet_slope_deg: forward lean.
        transverse_length_mm: from the pillar; transverse_back_deg, transverse_up_deg: its direction.
        spinous_length_mm, spinous_height_mm, spinous_thickness_mm, spinous_down_deg: the spinous process.
        rib: the level carries ribs.

    """

    lamina_thickness_mm: float = 7.0
    lamina_height_mm: float = 24.0
    lamina_superior_mm: float = -3.0
    facet_radius_mm: float = 5.0
    facet_gap_mm: float = 1.2
    facet_angle_deg: float = 45.0
    facet_slope_deg: float = 0.0
    transverse_length_mm: float = 24.0
    transverse_radius_mm: float = 4.5
    transverse_back_deg: float = 10.0
    transverse_up_deg: float = 4.0
    spinous_length_mm: float = 28.0
    spinous_height_mm: float = 19.0
    spinous_thickness_mm: float = 7.0
    spinous_down_deg: float = 8.0
    rib: bool = False


@dataclass(frozen=True)
class Fracture:
    """How the body is broken. The local height is multiplied by

        g(s) = (1 − crush) · (1 − wedge · s) · (1 − biconcave · 4 s (1 − s)),   s = 0 behind … 1 in front,

    so the losses at the posterior rim, the centre and the anterior rim are known exactly.

    Args:
        superior_share: part of the loss taken by the upper end plate (1: only the upper one is broken).
        retropulsion_mm: Gaussian bump of the posterior wall into the canal; centred at ``retropulsion_at`` of the
            half height, with the given standard deviations.
        cleft_semi_mm: semi-axes (right, anterior, superior) of a gas cleft; None for none. ``cleft_centre`` in
            fractions of half-width, half-depth and half-height.
        density_gain_hu: what compaction adds to the trabecular bone.

    """

    wedge: float = 0.0
    biconcave: float = 0.0
    crush: float = 0.0
    superior_share: float = 0.5
    retropulsion_mm: float = 0.0
    retropulsion_at: float = 0.35
    retropulsion_width_mm: float = 6.0
    retropulsion_height_mm: float = 4.0
    cleft_semi_mm: tuple[float, float, float] | None = None
    cleft_centre: tuple[float, float, float] = (0.0, 0.35, 0.30)
    density_gain_hu: float = 0.0

    def __post_init__(self) -> None:
        for name in ("wedge", "biconcave", "crush"):
            if not 0.0 <= getattr(self, name) < 0.95:
                raise InputError(f"The fracture’s {name} must lie between 0 and 0.95 (0.40 means 40 %).")
        if not 0.0 <= self.superior_share <= 1.0:
            raise InputError("The fracture’s superior_share must lie between 0 and 1.")

    @property
    def present(self) -> bool:
        """Whether anything is broken."""
        return max(self.wedge, self.biconcave, self.crush) > 0.0


@dataclass(frozen=True)
class CorticalDefect:
    """A gap in the cortex, visible in the CT only: a ball of soft tissue.

    Args:
        wall: "superior", "inferior", "posterior", "anterior", "left" or "right".
        at: position on that wall in fractions (−1…1) of the body: (right, superior) on the posterior and anterior
            wall, (anterior, superior) on the sides, (right, anterior) on the end plates.

    """

    wall: str
    at: tuple[float, float] = (0.0, 0.0)
    radius_mm: float = 3.0


@dataclass(frozen=True)
class Implant:
    """Metal or cement: a round bar between two local points, mm (start equal to end: a ball)."""

    start: tuple[float, float, float]
    end: tuple[float, float, float]
    radius_mm: float
    hu: float = 3000.0


@dataclass(frozen=True)
class VertebraShape:
    """One vertebra. Heights and depths are mid-sagittal and belong to the unfractured body.

    Args:
        anterior_height_mm, posterior_height_mm: rim to rim.
        superior_dish_mm, inferior_dish_mm: depth of each end plate's paraboloid below its rim.
        width_superior_mm … depth_inferior_mm: diameters at the rims; the depth is that of the mid-sagittal plane.
        width_waist, anterior_waist, posterior_waist: narrowing at mid-height, as fractions.
        exponent: of the superellipse; 2 is an ellipse.
        posterior_concavity_mm: how far the middle of the posterior wall lies in front of its shoulders.
        concavity_width_mm: standard width of that groove.
        rim_fraction: width of the flat rim, as fraction of the radius.
        canal_width_mm, canal_depth_mm: the ellipse; canal_gap_mm: epidural gap behind the wall.
        trabecular_hu: of the unfractured body.

    """

    level: str
    anterior_height_mm: float
    posterior_height_mm: float
    superior_dish_mm: float
    inferior_dish_mm: float
    width_superior_mm: float
    width_inferior_mm: float
    depth_superior_mm: float
    depth_inferior_mm: float
    canal_width_mm: float
    canal_depth_mm: float
    left: PedicleShape
    right: PedicleShape
    arch: ArchShape
    disc_below_mm: float
    disc_below_kyphosis_deg: float
    width_waist: float = 0.07
    anterior_waist: float = 0.12
    posterior_waist: float = 0.05
    exponent: float = 2.5
    posterior_concavity_mm: float = 2.5
    concavity_width_mm: float = 9.0
    rim_fraction: float = 0.12
    canal_gap_mm: float = 1.0
    trabecular_hu: float = 120.0
    fracture: Fracture = field(default_factory=Fracture)
    defects: tuple[CorticalDefect, ...] = ()
    implants: tuple[Implant, ...] = ()

    def broken(self, **changes: object) -> VertebraShape:
        """The same vertebra with a :class:`Fracture` of these values."""
        return replace(self, fracture=replace(self.fracture, **changes))  # type: ignore[arg-type]

    def with_pedicle(self, side: str, **changes: float) -> VertebraShape:
        """The same vertebra with one pedicle ("left" or "right") changed."""
        if side not in SIDES:
            raise InputError(f"“{side}” is not a side; use left or right.")
        return replace(self, **{side: replace(getattr(self, side), **changes)})

    def pedicle(self, side: str) -> PedicleShape:
        """The pedicle of one side."""
        return {"left": self.left, "right": self.right}[side]
