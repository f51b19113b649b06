"""What a reader of the numbers must know: where they come from, how far they hold, and why one is missing."""

from __future__ import annotations

from ..model import Case, Measurements, PlanWarning, Spine, Vertebra, above, below
from ..model.accuracy import COARSE_SOURCE, COARSEST_TESTED_MM, FINE_MM, coarse_words
from ..model.grades import GRADE_1_PERCENT, GRADE_2_PERCENT, GRADE_3_PERCENT, largest_loss, loss_decimals
from ..model.warning_codes import (
    FRACTURE_BY_SHAPE,
    GRADE_BORDERLINE,
    LATERAL_HEIGHT_LOSS,
    REFERENCE_IMPLAUSIBLE,
    TWO_VERTEBRAE,
)
from .angles import Angles
from .hazards import collapse_warnings
from .heights import doubtful_rims, foreign_rims
from .lateral import lower_side_of
from .materials import Window
from .normal import basis_of_growth, basis_of_heights, basis_of_ratios
from .reference import LevelReference

GRADE_DOUBT_PERCENT = 2.5
"""A loss this close to a limit between grades may belong to either side: 0.5 mm of 20–25 mm in the height and as much
in the reference (and automatic readers differ from human ones by 2.6 ± 1.9 %, PMC8253748 [V]) [D]."""

INCIDENT_LOSS_MM = 4.0
"""European prospective study: a new deformity lost 20 % and at least 4 mm (eprints.soton.ac.uk/25772) [V]."""

_HEIGHTS = ("anterior", "middle", "posterior")


SIX_LUMBAR = ("L4", "L5", "L6")
"""Levels whose reference leans on which lumbar vertebra is the last."""


def reference_notes(level: str, found: LevelReference, spine: Spine) -> list[PlanWarning]:
    """Which heights the losses are measured against."""
    notes = []
    method = found.reference.method
    if found.skipped:
        text = (
            "Neighbours that are fractured, shaped as if they were, hold cement or may be two under one label were passed over as "
            f"reference: {', '.join(found.skipped)}."
        )
        notes.append(
            PlanWarning("fractured_neighbours_skipped", "info", text, "Nearest unfractured level within three [D]")
        )
    cut = [name for name in _adjacent(level, spine) if not spine.vertebrae[name].complete]
    if cut:
        text = f"{' and '.join(cut)} cannot serve as reference because the image does not show all of it."
        notes.append(PlanWarning("incomplete_neighbour", "info", text, "A cut vertebra is never measured [D]"))
    if method == "neighbours" and len(found.reference.levels) == 1:
        text = (
            f"The reference rests on one side only ({found.reference.levels[0]}), carried along the usual growth"
            " of the spine."
        )
        source = str(basis_of_growth(found.reference.levels[0], level))
        notes.append(PlanWarning("reference_one_sided", "info", text, source))
    elif method == "own_posterior":
        text = "No unfractured neighbour: the reference is the own posterior wall and the level’s normal proportions."
        notes.append(PlanWarning("reference_own_posterior", "caution", text, str(basis_of_ratios(level))))
    elif method == "normative":
        expected = found.reference.posterior_height_mm
        text = (
            f"No unfractured neighbour and a low posterior wall: the reference is the normal {level} (posterior "
            f"{expected:.0f} mm), whatever the patient’s size."
        )
        notes.append(PlanWarning("reference_normative", "caution", text, str(basis_of_heights(level))))
    if "L6" in spine.vertebrae and level in SIX_LUMBAR:
        text = (
            f"Six lumbar vertebrae are labelled: L6 is compared as the last one (L5) usually is, and L5 as an L4, so the reference of "
            f"{level} rests on that."
        )
        notes.append(
            PlanWarning("six_lumbar_vertebrae", "info", text, "No source for normal values of such a spine [M]")
        )
    if found.oversized:
        text = (
            f"Are there two vertebrae under the label of {level}, or is it a block vertebra? {found.oversized[0].upper()}"
            f"{found.oversized[1:]}. Nothing measured in it holds, so nothing is planned in it, and it is no reference for "
            "others: check the labels."
        )
        notes.append(PlanWarning(TWO_VERTEBRAE, "stop", text, "29 real spines, limit [C]"))
    source = ", ".join(found.reference.levels) if method == "neighbours" else method.replace("_", " ")
    if found.excess:
        text = (
            f"Reference ({source}) doubtful: {found.excess}; a vertebra of the reference may be two under one label, so height "
            "loss and grade may be too high: check it."
        )
        notes.append(PlanWarning(REFERENCE_IMPLAUSIBLE, "caution", text, "29 real spines, limit [C]"))
    elif found.doubt:
        text = (
            f"Reference ({source}) doubtful: {found.doubt}; a vertebra of the reference may be fractured itself or misread, "
            "so height loss and grade may be too low: check it."
        )
        notes.append(PlanWarning(REFERENCE_IMPLAUSIBLE, "caution", text, "Six real spines, limits [C]"))
    elif found.tall:
        text = (
            f"Reference ({source}) doubtful: {found.tall}. Either what lies beside that has lost height, {level} among it, or its label "
            "holds more than its vertebra (a disc, a block vertebra) and the loss here is too high: look at both."
        )
        notes.append(PlanWarning(REFERENCE_IMPLAUSIBLE, "caution", text, "Six real spines, limits [C]"))
    if found.shape:
        known = largest_loss(found.loss)
        lost = None if known is None else max(known, 0.0)
        loss = "" if lost is None else f" ({lost:.{loss_decimals(lost)}f} %)"
        text = (
            f"{level} has the shape of a fractured vertebra, although its height loss tells none{loss}: {found.shape}. It may be "
            "fractured like what it is compared with, or be so by birth: look at it."
        )
        notes.append(PlanWarning(FRACTURE_BY_SHAPE, "caution", text, "12 real spines graded by readers, limit [C]"))
    return notes


def _adjacent(level: str, spine: Spine) -> list[str]:
    present = tuple(spine.vertebrae)
    return [name for name in (above(level, present), below(level, present)) if name is not None]


def height_notes(vertebra: Vertebra) -> list[PlanWarning]:
    """Landmarks that should be looked at before their heights are believed."""
    doubtful, foreign = doubtful_rims(vertebra), foreign_rims(vertebra)
    notes = []
    if doubtful:
        text = f"Check the heights: {' and '.join(doubtful)} could not be followed with confidence; drag it if needed."
        notes.append(PlanWarning("height_doubtful", "caution", text, "Rim more than 3 mm off the visible plate [D]"))
    elif foreign:
        text = (
            f"Check the heights: the label reaches into the neighbour at {' and '.join(foreign)}; the plate was continued "
            "beneath it."
        )
        notes.append(PlanWarning("height_doubtful", "caution", text, "Label beyond the neighbour’s end plate [D]"))
    return notes


def side_notes(level: str, measurements: Measurements) -> list[PlanWarning]:
    """A body that is lower on one side, which neither loss nor grade nor shape tells."""
    found = lower_side_of(measurements)
    if found is None:
        return []
    text = (
        f"{level} is {found.percent:.0f} % ({found.mm:.1f} mm) lower on the {found.side} than on the {found.other}, but loss, grade "
        "and shape are read in the midline alone: a fracture to one side looks like this, and so does scoliosis."
    )
    return [PlanWarning(LATERAL_HEIGHT_LOSS, "caution", text, "Half-way to the sides, limit 10 % from real spines [C]")]


LOSS_CODES = frozenset(
    {
        GRADE_BORDERLINE,
        "height_loss_above_half",
        "loss_below_4_mm",
        "near_total_collapse",
        "of_class_ct_only",
        "supine_ct",
    }
)
"""Codes of all that :func:`loss_notes` says: edited heights replace them."""


def loss_notes(measurements: Measurements) -> list[PlanWarning]:
    """What the height loss brings with it, and how far grade and class can be trusted."""
    loss = largest_loss(measurements.height_loss_percent)
    if loss is None:
        return []
    notes = collapse_warnings(measurements)
    for limit in (GRADE_1_PERCENT, GRADE_2_PERCENT, GRADE_3_PERCENT):
        if abs(loss - limit) < GRADE_DOUBT_PERCENT:
            text = f"The largest height loss is {loss:.1f} %, next to the limit of {limit:.0f} % between two grades."
            notes.append(PlanWarning(GRADE_BORDERLINE, "info", text, "Error of measurement about 2.5 % [D]"))
    if not measurements.genant_grade:
        return notes
    lost_mm = _largest_loss_mm(measurements)
    if lost_mm is not None and lost_mm < INCIDENT_LOSS_MM:
        text = (
            f"The loss is {lost_mm:.1f} mm, below the 4 mm asked for beside 20 % in follow-up studies: a shape "
            "by birth or wear is possible."
        )
        notes.append(
            PlanWarning("loss_below_4_mm", "info", text, "European prospective study, eprints.soton.ac.uk/25772 [V]")
        )
    if measurements.of_class is not None:
        text = (
            f"{measurements.of_class} from CT alone: oedema without deformity (OF1) and torn tension bands (OF5)"
            " need MRI."
        )
        notes.append(PlanWarning("of_class_ct_only", "info", text, "Schnake 2018, doi 10.1177/2192568217717972 [V]"))
    text = (
        "A CT is taken lying down, which hides deformity: anterior height 18.3 mm sitting became 24.3 mm supine, local"
        " kyphosis 26° became 15° in one series."
    )
    notes.append(PlanWarning("supine_ct", "info", text, "n = 15, JOSR 2020, doi 10.1186/s13018-020-01649-y [V]"))
    return notes


def _largest_loss_mm(measurements: Measurements) -> float | None:
    """The height loss in mm of the height that lost the largest share."""
    reference, loss = measurements.reference, measurements.height_loss_percent
    if reference is None:
        return None
    known = [
        (share, share / 100.0 * expected)
        for share, expected in ((getattr(loss, name), getattr(reference, f"{name}_height_mm")) for name in _HEIGHTS)
        if share is not None and expected is not None
    ]
    return max(known)[1] if known else None


DENSIFIED_HU = 25.0
"""Above the neighbours by more than they differ among themselves (about 15 HU SD, doi 10.1038/s41598-025-86721-5
[V]) [D]."""


NO_SPONGY_BONE_HU = 360.0
"""Three standard deviations above the mean of the youngest: 226 ± 44 HU below 30 years, 120 kV, n = 20 374
(doi 10.1148/radiol.2019181648) [V]. What is denser in the middle of a body is no spongy bone alone [D]."""


def density_notes(measurements: Measurements) -> list[PlanWarning]:
    """A compacted body is denser than the patient's bone; one denser than anybody's holds something else."""
    own, usual = measurements.body_density_hu, measurements.reference_density_hu
    if own is not None and own > NO_SPONGY_BONE_HU:
        text = (
            f"The inside of the body reads {own:.0f} HU, denser than spongy bone is at any age: sclerosis, a tumour, contrast or "
            "earlier cement. Density does not tell bone quality here, and the cement volume may not hold."
        )
        return [
            PlanWarning("dense_body", "caution", text, "226 ± 44 HU below 30 years (doi 10.1148/radiol.2019181648) [V]")
        ]
    if not measurements.genant_grade or own is None or usual is None or own - usual < DENSIFIED_HU:
        return []
    text = (
        f"The fractured body is compacted ({own:.0f} HU against {usual:.0f} HU next to it): judge bone quality "
        "by the neighbours."
    )
    return [PlanWarning("densified_body", "info", text, "Difference well above the usual spread [D]")]


def resolution_notes(case: Case) -> list[PlanWarning]:
    """Voxels too coarse for the accuracy claimed."""
    coarsest = float(case.labels.spacing_mm.max())
    if coarsest <= FINE_MM:
        return []
    if coarsest <= COARSEST_TESTED_MM:
        text = f"The labels have {coarsest:.1f} mm voxels: at slices of 3 mm {coarse_words()}."
        return [PlanWarning("coarse_voxels", "info", text, COARSE_SOURCE)]
    text = f"The labels have {coarsest:.1f} mm voxels: no accuracy is claimed; use slices of 1 mm for planning."
    return [PlanWarning("voxels_too_coarse", "caution", text, "Beyond the 3 mm slices that were tested [D]")]


def not_computed(
    measurements: Measurements, angles: Angles, case: Case, window: Window, seen_share: float
) -> list[PlanWarning]:
    """Why numbers are missing: one entry for each reason, naming the fields. ``window``: where the CT was cut off;
    ``seen_share``: how much of the body it shows."""
    reasons: dict[str, str] = {}
    loss = measurements.height_loss_percent
    for name in _HEIGHTS:
        if getattr(loss, name) is None:
            own = measurements.reference is not None and measurements.reference.method == "own_posterior"
            why = (
                "the own posterior wall is the reference"
                if own and name == "posterior"
                else "the height could not be measured"
            )
            reasons[f"height_loss_percent.{name}"] = why
    grid = measurements.heights_3x3_mm
    if grid is None or any(value is None for row in grid for value in row):
        reasons["heights_3x3_mm"] = "the end plates are too narrow left or right of the middle"
    for field in ("depth_mm", "width_mm", "body_volume_ml", "anterior_two_thirds_volume_ml"):
        if getattr(measurements, field) is None:
            reasons[field] = "the body’s outline could not be followed"
    reasons.update(angles.missing)
    reasons.update(_missing_ct_numbers(measurements, case, window, seen_share))
    by_reason: dict[str, list[str]] = {}
    for name, why in reasons.items():
        by_reason.setdefault(why, []).append(name)
    return [
        PlanWarning("not_computed", "info", f"Not computed, because {why}: {', '.join(names)}.", NO_DEFAULT_SOURCE)
        for why, names in by_reason.items()
    ]


NO_DEFAULT_SOURCE = "A number that cannot be measured is left out [D]"


def _missing_ct_numbers(measurements: Measurements, case: Case, window: Window, seen_share: float) -> dict[str, str]:
    if case.ct is None:
        why = "there is no CT"
    elif not window.shows_bone:
        why = f"the CT is cut off at {window.dense_hu:.0f} HU, among the values of bone"
    else:
        why = "too little trabecular bone lies inside the CT away from cortex, gas and cement"
    reasons = {}
    if measurements.body_density_hu is None:
        reasons["body_density_hu"] = why
    if measurements.reference_density_hu is None:
        reasons["reference_density_hu"] = (
            "there is no CT" if case.ct is None else "no unfractured neighbour could be measured"
        )
    if measurements.cleft_volume_ml is None:
        if case.ct is None:
            reasons["cleft_volume_ml"] = "there is no CT"
        elif window.above_gas_hu is not None:
            reasons["cleft_volume_ml"] = f"the CT is cut off at {window.above_gas_hu:.0f} HU, so that gas cannot show"
        else:
            reasons["cleft_volume_ml"] = f"the CT shows only {100 * seen_share:.0f} % of the body"
    return reasons
