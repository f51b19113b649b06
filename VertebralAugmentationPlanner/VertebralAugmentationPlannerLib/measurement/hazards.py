"""What makes an augmentation dangerous at a level: warnings with severity and source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..model import Measurements, PlanWarning, Spine, Vertebra, above, below
from ..model.grades import largest_loss
from .cortex import FORAMEN, CorticalDefect
from .foreign import Foreign
from .materials import CEMENT_SOURCE, Window
from .posterior_wall import BEYOND_HEALTHY_MM, NEAR_MIDDLE_MM, SEEN_MM
from .sampling import WHOLE_SHARE

# --- posterior wall and canal -----------------------------------------------------------------------------------

RETROPULSION_CAUTION_MM = 2.0
"""Below this the wall is within what healthy neighbours differ by [D]."""

RETROPULSION_STOP_MM = 5.0
"""About a third of a 15–17 mm deep canal (Clouthier 2023: 13.0–20.4 mm [V]); with neurological signs augmentation
alone is contraindicated [M]. The limit is ours [D]."""

POSTERIOR_WALL_SOURCE = (
    "157 levels of kyphoplasty with a disrupted posterior wall: 9 % asymptomatic leaks, no neurological injury "
    "(IJSS 15:353) [V]; limits by design [D]"
)


def canal_warnings(measurements: Measurements, where: str = "") -> list[PlanWarning]:
    """Retropulsion of the posterior wall. ``where``: the side of the bulge in words; empty in the midline."""
    bulge = measurements.posterior_wall_retropulsion_mm
    if bulge is None or bulge < RETROPULSION_CAUTION_MM:
        return []
    into = f"into the canal {where}".rstrip()
    if bulge >= RETROPULSION_STOP_MM:
        text = (
            f"The posterior wall bulges {bulge:.1f} mm {into}: exclude neurological signs and consider "
            "open decompression before any augmentation."
        )
        return [PlanWarning("canal_compromise", "stop", text, POSTERIOR_WALL_SOURCE)]
    text = (
        f"The posterior wall bulges {bulge:.1f} mm {into}: inject slowly, stop when cement nears the posterior quarter."
    )
    return [PlanWarning("retropulsion", "caution", text, POSTERIOR_WALL_SOURCE)]


NATURAL_HOLLOW_MM = 2.0
"""A sound wall lies in front of the line of its rims by 0.6 ± 1.0 mm half-way up (98 unfractured levels of real spines): it differs
too much from person to person to be taken off where no neighbour shows it [C]."""


def wall_reference_warnings(measurements: Measurements) -> list[PlanWarning]:
    """That a bulge reads low where no unfractured neighbour shows the wall's natural hollow."""
    bulge, reference = measurements.posterior_wall_retropulsion_mm, measurements.reference
    if bulge is None or (reference is not None and reference.method == "neighbours"):
        return []
    text = (
        f"The posterior wall was read against the line of its rims, as no unfractured neighbour shows how it should be ({bulge:.1f} mm "
        "into the canal): a wall's natural hollow of 1–2 mm is not counted"
    )
    if RETROPULSION_STOP_MM - NATURAL_HOLLOW_MM <= bulge < RETROPULSION_STOP_MM:
        text += f", so the bulge may reach {RETROPULSION_STOP_MM:.0f} mm: exclude neurological signs"
    return [
        PlanWarning("retropulsion_against_rims", "caution", f"{text}.", "Hollow of 98 sound levels of real spines [C]")
    ]


def wall_coverage_warnings(level: str, seen_mm: float) -> list[PlanWarning]:
    """That a wall was not read as far to the sides as fragments lie. ``seen_mm``: how far to both sides it was."""
    if seen_mm >= SEEN_MM:
        return []
    where = "in the midline" if seen_mm < NEAR_MIDDLE_MM else f"within {seen_mm:.1f} mm of the midline"
    text = (
        f"The posterior wall of {level} was read {where} only, as the roots of its pedicles reach in beside it: a fragment farther "
        "out would not be seen."
    )
    return [PlanWarning("wall_sides_unread", "info", text, "Pedicles of the label map [D]")]


def wall_hollow_warnings(level: str, hollow_mm: float | None) -> list[PlanWarning]:
    """That a wall has a hole. ``hollow_mm``: how deep it is; None where it has none."""
    if hollow_mm is None:
        return []
    text = (
        f"The posterior wall of {level} is {hollow_mm:.1f} mm hollow, deeper than its neighbours’ by {BEYOND_HEALTHY_MM:.0f} mm and more: "
        "bone may be destroyed there (a tumour?), and cement would have an open way into the canal. Look at it in the images."
    )
    return [PlanWarning("posterior_wall_hollow", "caution", text, "Real walls are at most 3.3 mm hollow [C]")]


# --- collapse ---------------------------------------------------------------------------------------------------

NEAR_TOTAL_LOSS_PERCENT = 65.0
"""Height loss above 65–70 % is technically difficult; from memory [M]."""

KYPHOPLASTY_LOSS_PERCENT = 50.0
"""Vertebroplasty suffices up to 50 % of loss, kyphoplasty is better above (Yavuz 2023) [V]."""


def collapse_warnings(measurements: Measurements) -> list[PlanWarning]:
    """Loss that makes access or restoration difficult."""
    loss = largest_loss(measurements.height_loss_percent)
    if loss is None or loss <= KYPHOPLASTY_LOSS_PERCENT:
        return []
    if loss > NEAR_TOTAL_LOSS_PERCENT:
        text = f"Near-total collapse: {loss:.0f} % of height is lost; access is difficult and little room is left."
        return [PlanWarning("near_total_collapse", "caution", text, "Height loss above 65–70 % [M]")]
    text = f"{loss:.0f} % of height is lost: above 50 % kyphoplasty did better than vertebroplasty, where a balloon still has room."
    return [PlanWarning("height_loss_above_half", "info", text, "Yavuz 2023 [V]")]


# --- gas --------------------------------------------------------------------------------------------------------


def cleft_warnings(measurements: Measurements) -> list[PlanWarning]:
    """A gas cleft changes where cement goes."""
    volume = measurements.cleft_volume_ml
    if not volume:
        return []
    text = (
        f"Gas cleft of {volume:.2f} ml: cement fills it first; leaks through the cortex (25.9 against 12.2 %) and into "
        "the disc (16.5 against 6.5 %) are more frequent, along the veins less (24.5 against 52.5 %)."
    )
    return [
        PlanWarning("cleft", "caution", text, "139 against 139 vertebrae, PMC8449924 [V]; gas threshold −200 HU [D]")
    ]


# --- gaps in the cortex -----------------------------------------------------------------------------------------

_LEAK_SOURCE = (
    "344 vertebrae: leaks by the basivertebral vein 28.5 %, a cortical defect 24.4 %, a segmental vein 34.3 % "
    "(doi 10.1186/s13018-021-02337-1) [V]; detection by design [D]"
)

_DEFECTS = {
    "canal": ("posterior_wall_broken", "The posterior cortex is missing over {}: cement may reach the canal."),
    "superior_disc": (
        "cortical_defect_disc",
        "The superior end plate is open over {}: cement may reach the disc above.",
    ),
    "inferior_disc": (
        "cortical_defect_disc",
        "The inferior end plate is open over {}: cement may reach the disc below.",
    ),
    "anterior": ("cortical_defect_anterior", "The anterior cortex is missing over {}: cement may leak in front."),
    "lateral": (
        "cortical_defect_lateral",
        "The lateral cortex is missing over {}: cement may leak beside the body, where the segmental vessels run.",
    ),
    FORAMEN: (
        "basivertebral_foramen",
        "The basivertebral foramen is open over {}: a path for cement along the vein into the canal.",
    ),
}


def cortex_warnings(
    defects: Sequence[CorticalDefect] | None, fractured: bool, unseen: str | None = None, tumour: bool = False
) -> list[PlanWarning]:
    """One warning for each side that is open (its patches added up); or why none could be looked for.

    Args:
        fractured: by height; without a fracture a gap is a note.
        unseen: why no gaps could be looked for.
        tumour: bone is destroyed without a loss of height, too: a gap towards the canal is never a mere note.
    """
    if defects is None and unseen is not None:
        text = f"Gaps in the cortex, by which cement leaks (into the canal, a disc, a vein), could not be looked for: {unseen}."
        return [PlanWarning("cortex_not_checked", "caution" if fractured or tumour else "info", text, _LEAK_SOURCE)]
    if defects is None:
        return []
    areas: dict[str, float] = {}
    for defect in defects:
        areas[defect.towards] = areas.get(defect.towards, 0.0) + defect.area_mm2
    warnings = []
    for towards, area in areas.items():
        code, text = _DEFECTS[towards]
        # Vessels and thin bone leave gaps in healthy bodies too: there they are worth a note only.
        grave = fractured or (tumour and towards == "canal")
        severity = "caution" if grave and towards != FORAMEN else "info"
        warnings.append(PlanWarning(code, severity, text.format(f"{area:.0f} mm²"), _LEAK_SOURCE))
    return warnings


# --- cement and metal -------------------------------------------------------------------------------------------


def foreign_warnings(foreign: Foreign | None, window: Window) -> list[PlanWarning]:
    """Traces of an earlier operation, or that a CT cannot show any."""
    if foreign is None:
        return []
    warnings = []
    if window.below_cement_hu is not None:
        text = (
            f"The CT is cut off at {window.below_cement_hu:.0f} HU: earlier cement and metal cannot be told from bone in it; look at "
            "the original."
        )
        warnings.append(PlanWarning("cement_cannot_show", "caution", text, CEMENT_SOURCE))
    if foreign.cement_ml > 0:
        text = (
            f"Dense material of {foreign.cement_ml:.1f} ml in the vertebra, probably earlier cement: density and"
            " cement volume do not hold."
        )
        warnings.append(PlanWarning("earlier_cement", "caution", text, CEMENT_SOURCE))
    if foreign.metal_ml > 0:
        text = (
            f"Metal of {foreign.metal_ml:.1f} ml at the vertebra: check the path against the implant, artefacts "
            "may hide bone."
        )
        warnings.append(PlanWarning("metal", "caution", text, "Peak above 2800 HU [M]"))
    return warnings


def coverage_warnings(foreign: Foreign | None, seen_share: float) -> list[PlanWarning]:
    """That a CT which does not show the whole body (share 0–1) leaves earlier cement and metal open there; nothing without a CT."""
    if foreign is None or seen_share >= WHOLE_SHARE:
        return []
    shown = f"only {100 * seen_share:.0f} %" if seen_share > 0.0 else "nothing"
    text = f"The CT shows {shown} of the body: gas, earlier cement and metal may lie where it does not."
    return [PlanWarning("ct_misses_body", "caution", text, "Less than 95 % of the body's voxels [D]")]


# --- pedicles ---------------------------------------------------------------------------------------------------

NARROW_PEDICLE_MM = 5.0
"""Below 5 mm the parapedicular way is the mid-thoracic rule [M]; 5.1 mm is also what 11G needs with 1 mm a side [D]."""


def pedicle_warnings(vertebra: Vertebra) -> list[PlanWarning]:
    """Pedicles too narrow for the usual cannulas."""
    return [
        PlanWarning(
            "narrow_pedicle",
            "caution",
            f"The {side} pedicle is {pedicle.isthmus_width_mm:.1f} mm wide at its isthmus: room for a thin cannula at "
            "best; the other way in is extrapedicular.",
            "Isthmus below 5 mm [M]",
        )
        for side, pedicle in sorted(vertebra.pedicles.items())
        if pedicle.isthmus_width_mm < NARROW_PEDICLE_MM
    ]


# --- neighbours -------------------------------------------------------------------------------------------------

NEIGHBOUR_RISK_HU = 64.4
"""Cut-off for a subsequent fracture in 341 patients, whose means were 58.2 ± 13.8 with and 81.2 ± 16.7 HU without one
(doi 10.1038/s41598-025-86721-5) [V]."""

NEIGHBOUR_LOW_HU = 81.2


def neighbour_warnings(
    level: str, fractured: set[str], densities: Mapping[str, float | None], spine: Spine
) -> list[PlanWarning]:
    """Neighbours of a fractured body that may break next."""
    if level not in fractured:
        return []
    present = tuple(spine.vertebrae)
    warnings = []
    for name in (above(level, present), below(level, present)):
        if name is None:
            continue
        if name in fractured:
            text = f"The neighbour {name} is fractured too."
            warnings.append(PlanWarning("neighbour_fractured", "caution", text, "Measured here [D]"))
            continue
        density = densities.get(name)
        if density is not None and density <= NEIGHBOUR_LOW_HU:
            severity = "caution" if density <= NEIGHBOUR_RISK_HU else "info"
            text = (
                f"The neighbour {name} measures {density:.0f} HU: at risk of the next fracture (cut-off "
                f"{NEIGHBOUR_RISK_HU:.0f} HU; patients without one {NEIGHBOUR_LOW_HU:.0f} HU)."
            )
            warnings.append(
                PlanWarning("neighbour_at_risk", severity, text, "n = 341, doi 10.1038/s41598-025-86721-5 [V]")
            )
    return warnings
