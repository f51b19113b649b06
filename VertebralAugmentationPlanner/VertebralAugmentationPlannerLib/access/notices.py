"""What the operator has to know of the needles of a level."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..measurement.materials import CEMENT_SOURCE, METAL_HU
from ..model import Case, Measurements, PlanOptions, PlanWarning, Trajectory, Vertebra
from ..model.warning_codes import LINES_MOVED, NEEDLE_MOVED, NEEDLE_NOT_JUDGED, NEEDLES_GONE, NO_ACCESS, NO_PATH
from .approach import Decision
from .metal import in_the_way

LONG_NEEDLE_MM = 120.0
"""Needles are 10, 12.5 or 15 cm long [M]; beyond 12 cm the operator has to pick the long one [D]."""

CLOSE_NEIGHBOUR_MM = 1.0
"""Nearer to a neighbouring vertebra than this, a facet may be grazed [D]."""

NEEDLES_MEET = "needles_meet"

SKIN_OUTSIDE_CT, SKIN_WITHOUT_CT = "skin_outside_ct", "skin_without_ct"
"""Why the skin point of a needle is null."""

LABEL_REACH_MM, LABEL_STEP_MM = 80.0, 1.0

NOT_OSTEOPOROTIC = {
    "traumatic": (
        "cause_traumatic",
        "traumatic fracture: augmentation is not the rule here. Torn discs and ligaments decide, and CT does not show them: look "
        "at an MRI",
    ),
    "tumour": (
        "cause_tumour",
        "tumour: where it has destroyed the posterior wall or a pedicle, cement and tumour may be pressed into the canal",
    ),
}
"""Causes for which the plan's own evidence, which is of osteoporotic fractures, does not hold: code and sentence, from
memory [M]."""

CAUSE_SOURCE = "indications from memory [M]; OF class: Schnake 2018, doi 10.1177/2192568217717972 [V]"

WARNING_CODES = frozenset(
    {
        *(code for code, _ in NOT_OSTEOPOROTIC.values()),
        "cement_on_the_way",
        "long_needle",
        "metal_on_the_way",
        "neighbour_close",
        "neighbour_on_the_way",
        "neighbour_unknown",
        "tight_path",
        LINES_MOVED,
        NEEDLES_GONE,
        NEEDLES_MEET,
        NEEDLE_MOVED,
        NEEDLE_NOT_JUDGED,
        NO_ACCESS,
        NO_PATH,
        SKIN_OUTSIDE_CT,
        SKIN_WITHOUT_CT,
    }
)
"""Codes of every warning that belongs to a level's access: planning the level again replaces them."""


def warnings_without_path(
    warnings: Iterable[PlanWarning], level: str, side: str, but: frozenset[str] = frozenset()
) -> tuple[PlanWarning, ...]:
    """The warnings without those that speak of the path of one needle, which go when it is judged anew.

    Args:
        but: codes of those that stay all the same.
    """
    codes = WARNING_CODES - {NO_ACCESS, NO_PATH} - but
    return tuple(item for item in warnings if not (item.code in codes and (item.level, item.side) == (level, side)))


def plan_warnings(
    vertebra: Vertebra,
    case: Case,
    measurements: Measurements | None,
    options: PlanOptions,
    trajectories: tuple[Trajectory, ...],
    decision: Decision,
) -> tuple[PlanWarning, ...]:
    """All warnings of a level's access."""
    found = _of_cause(vertebra.level, case, measurements, options)
    for plan in decision.refused:
        refusal = str(plan.refusal)
        found.append(PlanWarning.of_needle(vertebra.level, plan.side, NO_PATH, "stop", refusal, "margins [D]"))
    for trajectory in trajectories:
        if trajectory.safety == "tight":
            needle, why = (vertebra.level, trajectory.side), str(trajectory.compromise)
            found.append(PlanWarning.of_needle(*needle, "tight_path", "caution", why, "margins [D]"))
        found += path_warnings(vertebra.level, case, trajectory)
    return tuple(found)


def _of_cause(level: str, case: Case, measurements: Measurements | None, options: PlanOptions) -> list[PlanWarning]:
    """What the cause of the fracture asks to be looked at before anything is planned on it."""
    if options.etiology not in NOT_OSTEOPOROTIC:
        return []
    code, text = NOT_OSTEOPOROTIC[options.etiology]
    message = f"{level}, {text}."
    if options.etiology == "tumour":
        seen = "Defects that the CT shows are named here; small ones it may not show."
        message += f" {seen if case.ct is not None else 'Without a CT no defect can be looked for.'}"
    if measurements is not None and measurements.of_class is not None:
        message += f" {measurements.of_class} is a class of osteoporotic fractures and says nothing of this one."
    return [PlanWarning(code, "caution", message, CAUSE_SOURCE)]


def path_warnings(level: str, case: Case, trajectory: Trajectory) -> list[PlanWarning]:
    """What the operator has to know of one needle's way, planned or moved by hand."""
    found = []
    needle = (level, trajectory.side)
    neighbour = trajectory.clearance_mm.neighbour
    if neighbour is not None and neighbour < CLOSE_NEIGHBOUR_MM:
        message = f"the cannula passes {max(neighbour, 0.0):.1f} mm from a neighbouring vertebra (facet)."
        found.append(PlanWarning.of_needle(*needle, "neighbour_close", "caution", message, "[D]"))
    if neighbour is None:
        why = "no labelled neighbour lies within its reach" if case.others(level) else "no other vertebra is labelled"
        message = f"the cannula’s distance to the neighbouring vertebrae is not known: {why}."
        found.append(PlanWarning.of_needle(*needle, "neighbour_unknown", "info", message, "label map"))
    hit = _vertebra_on_the_way(case, level, trajectory)
    if hit is not None:
        message = f"between skin and bone the needle’s axis runs through {hit}."
        found.append(PlanWarning.of_needle(*needle, "neighbour_on_the_way", "caution", message, "label map"))
    found += _of_dense_material(level, case, trajectory)
    if case.ct is not None and trajectory.skin_ras is None:
        message = "the CT ends before the skin or does not show air; skin point and needle length are unknown."
        found.append(PlanWarning.of_needle(*needle, SKIN_OUTSIDE_CT, "info", message, "CT"))
    if trajectory.skin_to_target_mm is not None and trajectory.skin_to_target_mm > LONG_NEEDLE_MM:
        message = (
            f"{trajectory.skin_to_target_mm:.0f} mm from skin to tip; "
            "needles are 100, 125 or 150 mm long, choose before the procedure."
        )
        found.append(PlanWarning.of_needle(*needle, "long_needle", "caution", message, "needle lengths [M]"))
    return found


def _of_dense_material(level: str, case: Case, trajectory: Trajectory) -> list[PlanWarning]:
    """Cement in the needle's way through the bone, and metal behind its entry."""
    if case.ct is None:
        return []
    entry, target = np.array(trajectory.entry_ras), np.array(trajectory.target_ras)
    outward = (entry - target) / np.linalg.norm(entry - target)
    skin = entry + LABEL_REACH_MM * outward if trajectory.skin_ras is None else np.array(trajectory.skin_ras)
    radius = trajectory.cannula_outer_diameter_mm / 2
    needle, found = (level, trajectory.side), []
    behind = in_the_way(case.ct, skin, entry, radius)
    if behind.blocks:
        message = f"between skin and bone the needle meets {behind.length_mm:.0f} mm of metal (a rod?)."
        found.append(
            PlanWarning.of_needle(
                *needle, "metal_on_the_way", "stop", message, f"CT above {METAL_HU:.0f} HU outside the bone [M]"
            )
        )
    inside = in_the_way(case.ct, entry, target, radius)
    if inside.is_cement:
        message = (
            f"{inside.length_mm:.0f} mm of the needle’s way through the bone lie in dense material, probably earlier cement: "
            "it may not get through."
        )
        found.append(PlanWarning.of_needle(*needle, "cement_on_the_way", "caution", message, CEMENT_SOURCE))
    return found


def _vertebra_on_the_way(case: Case, level: str, trajectory: Trajectory) -> str | None:
    """The first other vertebra, or the sacrum, that the axis meets behind its entry, from the label map."""
    entry, target = np.array(trajectory.entry_ras), np.array(trajectory.target_ras)
    outward = (entry - target) / np.linalg.norm(entry - target)
    along = np.arange(LABEL_STEP_MM, LABEL_REACH_MM, LABEL_STEP_MM)
    values = case.labels.sample(entry + along[:, None] * outward, order=0, outside=0.0)
    names = {value: f"the {name}" if name == "sacrum" else name for value, name in case.others(level).items()}
    for value in values:
        if int(value) in names:
            return names[int(value)]
    return None
