"""What ``vap report``, ``vap compare`` and ``vap export`` do, apart from reading their arguments."""

from __future__ import annotations

from dataclasses import replace
from os import PathLike
from pathlib import Path

from ..model import Case, CasePlan, InputError, Spine
from ..model.serialisation import write_text
from .compare import compare_plans
from .compare_tables import comparison_csv, comparison_html, comparison_text
from .dicom_series import SourceSeries, read_source_series
from .document import write_report
from .mesh_files import write_glb, write_stl
from .meshes import plan_meshes
from .needles import write_needle_csv, write_needle_markups

EXPORTS = ("markups", "csv", "stl", "glb", "dicom-sr", "dicom-seg", "dicom-pdf")
"""Names of the exports, as the command line takes them."""


OTHER_DOCUMENTS = frozenset({".pdf", ".docx", ".odt", ".txt", ".md", ".json", ".csv", ".xml"})


def report_command(
    plan_path: str | PathLike[str],
    out: str | PathLike[str],
    ct: str | PathLike[str] | None = None,
    segmentation: str | PathLike[str] | None = None,
    patient_name: str | None = None,
    labels: str | None = None,
    canal: str | PathLike[str] | None = None,
) -> Path:
    """Write the report of a saved plan; with the labels (and the CT) it has pictures.

    Args:
        out: the HTML file, or a folder that gets ``report.html``.
        ct, segmentation: the images of the plan; pictures need at least the labels. A CT that is not the file the plan was
            made from is named in a caution of the report.
        labels: numbering of the labels, where the plan's own cannot be used.
        canal: the canal mask of the plan; by default the file of that name beside the plan, beside the labels or in the working
            folder, if it is the same. Another one, or none, is named in a caution of the report.

    Returns:
        The file written.

    Raises:
        InputError: the plan or the images cannot be read, the plan was edited and not checked, the labels are not the
            plan's, or the file cannot be written.
    """
    plan = _judged_plan(plan_path)
    plan, case, spine = _with_images(plan, plan_path, ct, segmentation, labels, canal)
    target = report_path(out)
    _make_folder(target.parent)  # after the reading, so that a refused image leaves no empty folder
    write_report(plan, target, case, spine, patient_name)
    return target


def report_path(out: str | PathLike[str]) -> Path:
    """The HTML file that is named, or ``report.html`` in a folder that is.

    Raises:
        InputError: the ending is that of another kind of document, which no folder is named by.
    """
    target = Path(out)
    if target.suffix.lower() in OTHER_DOCUMENTS and not target.is_dir():
        raise InputError(f"A report is written as .html, not as “{target.name}”; print that to PDF where you need one.")
    return target if target.suffix.lower() in (".html", ".htm") else target / "report.html"


def compare_command(
    path_a: str | PathLike[str],
    path_b: str | PathLike[str],
    out: str | PathLike[str] | None = None,
    everything: bool = False,
) -> str:
    """Compare two saved plans.

    Args:
        out: ``*.csv`` or ``*.html`` to write as well.
        everything: show what is the same, too.

    Returns:
        The table for the terminal.

    Raises:
        InputError: a plan cannot be read, or ``out`` has another ending or cannot be written.
    """
    comparison = compare_plans(CasePlan.load(path_a), CasePlan.load(path_b), str(path_a), str(path_b))
    if out is not None:
        writers = {".csv": comparison_csv, ".html": comparison_html}
        suffix = Path(out).suffix.lower()
        if suffix not in writers:
            raise InputError(f"A comparison is written as .csv or .html, not as “{Path(out).name}”.")
        _make_folder(Path(out).parent)
        write_text(Path(out), writers[suffix](comparison))
    return comparison_text(comparison, everything)


def export_command(
    plan_path: str | PathLike[str],
    out: str | PathLike[str],
    kinds: tuple[str, ...] | list[str] = ("markups", "csv", "stl", "glb"),
    ct: str | PathLike[str] | None = None,
    segmentation: str | PathLike[str] | None = None,
    labels: str | None = None,
    canal: str | PathLike[str] | None = None,
) -> list[Path]:
    """Write the exports of a saved plan into a folder.

    Args:
        kinds: names from :data:`EXPORTS`.
        ct: DICOM folder of the CT, for the DICOM exports: the series that the plan was made from, or, with the labels, the
            same scan where it was made from another format.
        segmentation: the labels, for the bone of STL and GLB (without them only needles, balloons and cement), for
            ``dicom-seg``, and for a DICOM series that is not the file the plan was made from.
        labels: numbering of the labels, where the plan's own cannot be used.
        canal: as for :func:`report_command`; ``dicom-seg``, which holds the canal, is refused with another one or none.

    Returns:
        The files written.

    Raises:
        InputError: an unknown kind, a plan that was edited and not checked, or what a kind needs is missing; the message
            says what.
    """
    unknown = [kind for kind in kinds if kind not in EXPORTS]
    if unknown:
        raise InputError(f"There is no export “{unknown[0]}”; choose from {', '.join(EXPORTS)}.")
    plan = _judged_plan(plan_path)
    folder = Path(out)
    dicom = [kind for kind in kinds if kind.startswith("dicom-")]
    source = read_source_series(ct) if dicom and ct is not None else None
    if source is not None and "dicom-seg" in dicom:
        source.grid()  # refuses what it cannot be drawn on before the labels are read
    needs_spine = bool({"stl", "glb", *dicom} & set(kinds)) and segmentation is not None
    case, spine = None, None
    if needs_spine:
        plan, case, spine = _with_images(plan, plan_path, ct, segmentation, labels, canal)
    if "dicom-seg" in kinds:
        _refuse_other_canal(plan)
    if dicom:
        if source is None:
            raise InputError(f"{dicom[0]} needs the DICOM folder of the CT: patient and study come from it.")
        from ..case import refuse_other_series

        refuse_other_series(plan, source.record, case)
    _make_folder(folder)
    written: list[Path] = []
    for kind in dict.fromkeys(kinds):
        written += _export(kind, plan, folder, source, case, spine)
    return written


def _export(
    kind: str, plan: CasePlan, folder: Path, source: SourceSeries | None, case: Case | None, spine: Spine | None
) -> list[Path]:
    if kind == "markups":
        write_needle_markups(plan, folder / "needles.mrk.json")
        return [folder / "needles.mrk.json"]
    if kind == "csv":
        write_needle_csv(plan, folder / "needles.csv")
        return [folder / "needles.csv"]
    if kind == "stl":
        return write_stl(plan_meshes(plan, spine), folder / "stl")
    if kind == "glb":
        write_glb(plan_meshes(plan, spine), folder / "plan.glb")
        return [folder / "plan.glb"]
    assert source is not None
    return [_export_dicom(kind, plan, folder, source, case, spine)]


def _export_dicom(
    kind: str, plan: CasePlan, folder: Path, source: SourceSeries, case: Case | None, spine: Spine | None
) -> Path:
    path = folder / f"{kind.replace('-', '_')}.dcm"
    if kind == "dicom-sr":
        from .dicom_sr import write_dicom_sr  # here, so that only an export loads pydicom

        write_dicom_sr(plan, path, source)
    elif kind == "dicom-seg":
        if spine is None:
            raise InputError("dicom-seg needs the labels the plan was made from; give them with --segmentation.")
        from .dicom_seg import write_dicom_seg  # here, so that only an export loads pydicom

        write_dicom_seg(plan, spine, path, source)
    else:
        from .dicom_pdf import print_to_pdf, write_encapsulated_pdf

        html, pdf = folder / "report.html", folder / "report.pdf"
        write_report(plan, html, case, spine)
        print_to_pdf(html, pdf)
        write_encapsulated_pdf(plan, pdf, path, source)
    return path


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"The folder {folder} cannot be made: {error.strerror}.") from error


def _judged_plan(path: str | PathLike[str]) -> CasePlan:
    """A saved plan whose needles lie where its numbers have them.

    Raises:
        InputError: it cannot be read, or it was edited and not checked since.
    """
    from ..access import refuse_unjudged  # with SciPy, which nothing else here needs

    plan = CasePlan.load(path)
    refuse_unjudged(plan)
    return plan


def _with_images(
    plan: CasePlan,
    plan_path: str | PathLike[str],
    ct: str | PathLike[str] | None,
    segmentation: str | PathLike[str] | None,
    labels: str | None,
    canal: str | PathLike[str] | None,
) -> tuple[CasePlan, Case | None, Spine | None]:
    """Read the images again and rebuild the anatomy, for pictures and surfaces; the plan says what the reading found.

    Raises:
        InputError: a CT without labels, or other labels than the plan's.
    """
    if segmentation is None:
        for given, what in (
            (ct, "Pictures need the labels as well as the CT"),
            (canal, "A canal mask belongs to labels"),
        ):
            if given is not None:
                raise InputError(f"{what}; give them with --segmentation.")
        if labels is not None:
            raise InputError("A numbering belongs to labels; give them with --segmentation, or leave --labels out.")
        return plan, None, None
    from ..anatomy import build_spine  # a report of the plan alone needs neither
    from ..case import load_again, other_canal, reading_warnings

    if canal is None:
        canal = _recorded_canal(plan, Path(plan_path).parent, Path(segmentation).parent, Path())
    case = load_again(plan, ct, segmentation, canal, labels)
    recorded, found = plan.inputs.segmentation, case.inputs.segmentation
    if recorded.sha256 and found.sha256 and recorded.sha256 != found.sha256:
        raise InputError("These labels are not the ones the plan was made from; give the original file.")
    other = other_canal(plan, case)
    told = (*plan.warnings, *(() if other is None else (other,)), *reading_warnings(plan, case))
    return replace(plan, warnings=told), case, build_spine(case)


def _refuse_other_canal(plan: CasePlan) -> None:
    from ..case.again import OTHER_CANAL

    other = next((warning for warning in plan.warnings if warning.code == OTHER_CANAL), None)
    if other is not None:
        raise InputError(f"dicom-seg would show another canal than the plan's. {other.message}")


def _recorded_canal(plan: CasePlan, *folders: Path) -> Path | None:
    """The canal mask that the plan was made with, where a file of its name in one of the folders is the same to the byte: cases
    have their files by the same names, and another one's canal must not be drawn."""
    recorded = plan.inputs.canal
    if recorded is None or recorded.path is None or recorded.sha256 is None:
        return None
    from ..case.source import sha256_of

    places = [folder / name for folder in folders for name in (recorded.path, Path(recorded.path).name)]
    return next((place for place in places if place.is_file() and sha256_of([place]) == recorded.sha256), None)
