"""The images of a saved plan, read again: by the numbering it was made with, and held against what it was made from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..model import Case, CasePlan, ImageRecord, InputError, PlanOptions, PlanWarning
from .gas_gaps import completed_levels
from .load import load_case
from .match import OFF_CT
from .numbering import numbering_from_table
from .source import Source

OTHER_CT, OTHER_CANAL, CT_NOT_GIVEN = "other_ct", "other_canal", "ct_not_given"


def load_again(
    plan: CasePlan,
    ct: Source | None,
    segmentation: Source,
    canal: Source | None = None,
    labels: str | None = None,
) -> Case:
    """Read images for a saved plan.

    Args:
        ct, segmentation, canal: as for :func:`.load.load_case`.
        labels: numbering of the labels given now, where it is not the plan's.

    Raises:
        InputError: as :func:`.load.load_case` and :func:`refuse_uncompleted`.
    """
    options, own = PlanOptions.from_dict(plan.options), None
    values = plan.inputs.level_values
    if labels is not None:
        options = replace(options, labels=labels)
    elif values:
        own = replace(numbering_from_table(plan.inputs.numbering or "of the plan", values), own=True)
    case = load_case(ct, segmentation, options, canal, own_numbering=own)
    refuse_uncompleted(plan, case)
    return case


def refuse_uncompleted(plan: CasePlan, case: Case) -> None:
    """Refuse labels without the CT that completed them for the plan: without it their body ends at the cleft.

    Raises:
        InputError: a label of the plan was completed by its CT, and is not by what is given now.
    """
    gone = sorted(completed_levels(plan.warnings) - completed_levels(case.warnings))
    if not gone:
        return
    before, now = plan.inputs.segmentation.sha256, case.inputs.segmentation.sha256
    if case.ct is not None and (before is None or before != now):
        return  # other labels: what the plan's left out may have been labelled since
    name = "" if plan.inputs.ct is None else f" ({_name(plan.inputs.ct)})"
    raise InputError(
        f"The label of {' and '.join(gone)} was completed by the CT where it leaves out gas, and is not without it; give the "
        f"CT of the plan{name} with these labels."
    )


def reading_warnings(plan: CasePlan, case: Case) -> tuple[PlanWarning, ...]:
    """What must be known of the images just read and does not stand in the plan: another CT, and the reader's own stops
    and cautions."""
    known = {warning.message for warning in plan.warnings}
    other = _other_ct(plan.inputs.ct, case.inputs.ct)
    found = (*(() if other is None else (other,)), *case.warnings)
    return tuple(w for w in found if w.severity != "info" and w.message not in known)


def _other_ct(made_from: ImageRecord | None, given: ImageRecord | None) -> PlanWarning | None:
    """A caution where the CT given now is not the file the plan was made from; it may be the same scan all the same."""
    if given is None:
        return None
    grid_differs = made_from is not None and not _same_grid(made_from, given)
    if made_from is not None and made_from.sha256 and given.sha256:
        if made_from.sha256 == given.sha256:
            return None
    elif made_from is not None and not grid_differs:
        return None  # one of the two was given in memory: nothing speaks against it
    now, shown = (
        f"The CT given now ({_name(given)})",
        "make sure that patient and scan are the plan’s before you use it",
    )
    if made_from is None:
        text = f"{now} is no part of the plan, which was made from the labels alone: {shown}."
    elif grid_differs:
        text = f"{now} is not the CT the plan was made from ({_name(made_from)}) and has another grid: {shown}."
    else:
        text = (
            f"{now} is not the file the plan was made from ({_name(made_from)}), though of the same size and spacing: it may be "
            f"the same scan in another format; {shown}."
        )
    size = " × ".join(map(str, given.size))
    return PlanWarning(OTHER_CT, "caution", text, f"CT given now: {size} voxels, SHA-256 {given.sha256 or 'unknown'}")


def other_canal(plan: CasePlan, case: Case) -> PlanWarning | None:
    """A caution where the canal is not known now as it was when the plan was made: clearances to it differ then."""
    made_from, given = plan.inputs.canal, case.inputs.canal
    if made_from is None and given is None:
        return None
    if made_from is not None and given is not None and (made_from.sha256 or "") == (given.sha256 or ""):
        return None
    before = "without a canal mask" if made_from is None else f"with the canal mask {_name(made_from)}"
    now = "none is given now" if given is None else f"{_name(given)} is given now"
    text = f"The plan was made {before}, and {now} (--canal): clearances to the canal are not found from the same wall."
    return PlanWarning(OTHER_CANAL, "caution", text, "SHA-256 of the canal mask")


def ct_not_given(plan: CasePlan, case: Case) -> PlanWarning | None:
    """A caution where a plan that has a CT is held against labels alone: what was therefore not looked for."""
    made_from = plan.inputs.ct
    if made_from is None or case.ct is not None:
        return None
    text = (
        f"The CT of the plan ({_name(made_from)}) was not at hand: metal and earlier cement in a needle’s way were not looked for, "
        "nor the skin of a needle that was moved; density, cleft, gaps in the cortex and the skin of the others are the plan’s."
    )
    return PlanWarning(CT_NOT_GIVEN, "caution", text, "contract of the command line")


PLAIN_FILES = frozenset({".nii", ".gz", ".nrrd", ".nhdr", ".mha", ".mhd", ".mgh", ".mgz", ".mnc", ".h5", ".hdf5"})
"""Endings of a CT that is no DICOM series."""


def refuse_other_series(plan: CasePlan, series: ImageRecord, case: Case | None) -> None:
    """Refuse a DICOM series that the plan does not belong to: what is exported goes into its patient's study.

    Args:
        series: the series that is to be referred to.
        case: the images read again, with the series as CT; None where the labels were not given.

    Raises:
        InputError: the plan was made from another series; or from a file of another format, or no CT, and the labels are
            not there to be held against the series, do not lie on its bone, or the grids differ.
    """
    made_from = plan.inputs.ct
    if made_from is not None and made_from.sha256 is not None and made_from.sha256 == series.sha256:
        return
    given = f"The CT series {_name(series)}"
    if made_from is None:
        text = f"{given} is no part of the plan, which was made from the labels alone"
    else:
        text = f"{given} is not what the plan was made from ({_name(made_from)})"
        if made_from.path is not None and Path(made_from.path).suffix.lower() not in PLAIN_FILES:
            raise InputError(f"{text}; give that series, or check the plan on this one and export the checked plan.")
        if not _same_grid(made_from, series):
            raise InputError(f"{text} and has another grid; give the series of the plan’s CT.")
    if case is None:
        raise InputError(f"{text}; give the plan’s labels with --segmentation, so that they can be held against it.")
    if case.ct is None:
        raise InputError(f"{text}, and its values cannot be read as HU, so that no bone is seen in it.")
    off = next((warning for warning in case.warnings if warning.code == OFF_CT), None)
    if off is not None:
        raise InputError(f"{text}, and seems to be of another patient. {off.message}")


def _same_grid(a: ImageRecord, b: ImageRecord) -> bool:
    """Whether size and spacing are the same, in whatever order and direction the voxels are stored."""
    one, other = (sorted(zip(r.size, (round(s, 2) for s in r.spacing_mm), strict=True)) for r in (a, b))
    return one == other


def _name(record: ImageRecord) -> str:
    return record.path or "given in memory"
