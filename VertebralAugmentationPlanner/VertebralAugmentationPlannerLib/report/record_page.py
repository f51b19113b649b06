"""The second page of a level: what was measured, against what, by which method, from which files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ..case import recorded_path
from ..model import SIDES, CasePlan, ImageRecord, LevelPlan, Measurements, PlanWarning
from .assumptions import TAG_WORDS, assumptions_of, margin_words
from .markup import Content, Markup, div, element, render, span, table
from .normals import GENANT, Source, normals
from .parts import case_lines, foot, sheet, warning_box, warning_boxes
from .pictures import PagePictures, picture_grid, record_keys
from .wording import MISSING, REFERENCE_WORDS, by_severity, loss_words, number, signed

DENSE_ABOVE_CHARACTERS = 1200
"""Notes and method longer than this are set smaller, so that the record stays on its one page."""

HEIGHTS = ("anterior", "middle", "posterior")
ROWS = ("left", "mid", "right")


def record_page(
    plan: CasePlan,
    level: LevelPlan,
    pictures: PagePictures,
    case_warnings: tuple[PlanWarning, ...] = (),
    patient_name: str | None = None,
) -> Markup:
    """The sheet of one level for the record.

    Args:
        case_warnings: warnings of the whole case, printed here where there is no overview page.
    """
    page = "2 of 2" if level.approach is not None else "1 of 1"
    warnings = (*level.warnings, *case_warnings)
    words = sum(len(item.message) + len(item.source) for item in warnings)
    words += len(level.cement.method) if level.cement else 0
    return sheet(
        "record dense" if words > DENSE_ABOVE_CHARACTERS else "record",
        _head(plan, level, patient_name),
        _loud(warnings) if level.approach is None else None,
        _measured_columns(level),
        picture_grid(pictures, record_keys(level)),
        _method(plan, level),
        _notes(level, warnings, {item.basis for item in assumptions_of(plan, level.level)}),
        _assumptions(plan, level),
        _provenance(plan),
        foot("", f"{level.level} · for the record · {page}"),
    )


def _head(plan: CasePlan, level: LevelPlan, patient_name: str | None) -> Markup:
    return element(
        "header",
        div("level", level.level),
        div("what", div("approach", "Record"), div(None, fracture_words(level))),
        div("case", case_lines(plan, patient_name)),
        class_="head record-head",
    )


def fracture_words(level: LevelPlan) -> str:
    """“wedge, Genant grade 2, OF3, anterior height loss 35 %”; “no fracture by height, middle height loss 4 %”."""
    measured = level.measurements
    if measured is None:
        return "not measured"
    parts = []
    if measured.fracture_shape:
        shape = measured.fracture_shape
        parts.append("no fracture by height" if shape == "none" else shape.replace("+", " + "))
    # Grade 0 is “no fracture by height” in a number.
    if measured.genant_grade is not None and (measured.genant_grade or measured.fracture_shape != "none"):
        parts.append(f"Genant grade {measured.genant_grade}")
    if measured.of_class:
        parts.append(measured.of_class)
    losses = {name: getattr(measured.height_loss_percent, name) for name in HEIGHTS}
    known = {name: value for name, value in losses.items() if value is not None}
    if known:
        worst = max(known, key=lambda name: known[name])
        lost = known[worst]
        parts.append(f"{worst} height loss {loss_words(lost)}" if round(lost) > 0 else "no height lost")
    return ", ".join(parts) or "no class: the heights could not be compared"


class _Footnotes:
    """Numbers the sources of a page in the order they are first cited."""

    def __init__(self) -> None:
        self.sources: list[Source] = []

    def mark(self, source: Source) -> Markup:
        if source not in self.sources:
            self.sources.append(source)
        remembered = span("tag memory", " from memory") if source.tag == "M" else None
        return render([element("sup", str(self.sources.index(source) + 1)), remembered])

    def lines(self) -> Markup:
        words = [[element("b", str(n)), f" {source.text} [{source.tag}]. "] for n, source in enumerate(self.sources, 1)]
        return element("p", words, class_="faint")


def _normal(measurement: str, level: LevelPlan, notes: _Footnotes) -> Content:
    """Normal values with the marks of their sources."""
    known = normals(measurement, level.level)
    parts: list[Content] = []
    for n, item in enumerate(known):
        parts += ["; " if n else None, item.text, notes.mark(item.source)]
    return parts or MISSING


def _measured_columns(level: LevelPlan) -> Markup:
    """The table of measurements; beside it heights by side, pedicles and the sources of all normal values."""
    notes = _Footnotes()
    table_ = _measurements(level, notes)
    beside = element("div", _height_grid(level.measurements), _pedicles(level, notes), notes.lines())
    return div("columns uneven", table_, beside)


def _measurements(level: LevelPlan, notes: _Footnotes) -> Markup:
    measured = level.measurements
    if measured is None:
        return element("p", "Nothing was measured at this level.")
    rows = [_height_row(measured, level, name, notes) for name in HEIGHTS]
    for name, words, decimals, unit, reference in _SINGLE:
        other = getattr(measured, reference) if reference else None
        value = number(getattr(measured, name), decimals, unit)
        rows.append([words, value, number(other, decimals, unit) if reference else "", "", _normal(name, level, notes)])
    head: list[Content] = ["Measured", "value", "reference", ["loss", notes.mark(GENANT)], "normal at this level"]
    return element("div", element("h2", "Measurements"), table(head, rows, class_="numbers"))


_SINGLE = (
    ("wedge_angle_deg", "Local wedge angle (kyphosis +)", 1, "°", None),
    ("segmental_kyphosis_deg", "Segmental kyphosis (Cobb)", 1, "°", None),
    ("gardner_angle_deg", "Gardner angle", 1, "°", None),
    ("depth_mm", "Body depth, mid-height", 1, "mm", None),
    ("width_mm", "Body width, mid-height", 1, "mm", None),
    ("body_volume_ml", "Body volume", 1, "ml", None),
    ("anterior_two_thirds_volume_ml", "Anterior two-thirds", 1, "ml", None),
    ("body_density_hu", "Density of the body", 0, "HU", "reference_density_hu"),
    ("cleft_volume_ml", "Gas cleft", 2, "ml", None),
    ("posterior_wall_retropulsion_mm", "Largest bulge of the posterior wall", 1, "mm", None),
)


def _height_row(measured: Measurements, level: LevelPlan, name: str, notes: _Footnotes) -> list[Content]:
    field = f"{name}_height_mm"
    reference = getattr(measured.reference, field) if measured.reference else None
    loss = getattr(measured.height_loss_percent, name)
    value, compared = number(getattr(measured, field), 1, "mm"), number(reference, 1, "mm")
    return [f"{name.capitalize()} height", value, compared, loss_words(loss), _normal(field, level, notes)]


def _height_grid(measured: Measurements | None) -> Markup | None:
    if measured is None or measured.heights_3x3_mm is None:
        return None
    rows: list[list[Content]] = [
        [row, *(number(value) for value in values)] for row, values in zip(ROWS, measured.heights_3x3_mm, strict=True)
    ]
    return element("div", element("h2", "Heights by side, mm"), table(["", *HEIGHTS], rows, class_="numbers"))


def _pedicles(level: LevelPlan, notes: _Footnotes) -> Markup:
    rows: list[list[Content]] = []
    for side in SIDES:
        pedicle = getattr(level.pedicles, side)
        width, height = (pedicle.isthmus_width_mm, pedicle.isthmus_height_mm) if pedicle else (None, None)
        rows.append([side, number(width, 1, "mm"), number(height, 1, "mm")])
    usual = ("isthmus_width_mm", "isthmus_height_mm")
    if normals(usual[0], level.level):
        rows.append(["usual, mm", *[_normal(name, level, notes) for name in usual]])
    return element("div", element("h2", "Pedicle isthmus"), table(["", "width", "height"], rows, class_="numbers"))


def _method(plan: CasePlan, level: LevelPlan) -> Markup:
    return element("div", element("h2", "Method"), table([], _method_rows(plan, level), class_="rows"))


def _method_rows(plan: CasePlan, level: LevelPlan) -> list[list[Content]]:
    rows: list[list[Content]] = []
    reference = level.measurements.reference if level.measurements else None
    if reference:
        levels = f" ({', '.join(reference.levels)})" if reference.levels else ""
        rows.append(["Reference heights", REFERENCE_WORDS.get(reference.method, reference.method) + levels])
    elif level.measurements:
        rows.append(["Reference heights", "none: the loss is not graded"])
    if level.cement:
        rows.append(["Cement", level.cement.method])
        share = f"{number(level.cement.body_fill_percent, 0, '%')} of the body"
        rows.append(["Cement fills", f"{share}; target region {number(level.cement.target_region_ml, 1, 'ml')}"])
    if level.predicted:
        height = number(level.predicted.anterior_height_mm, 1, "mm")
        angle = number(level.predicted.wedge_angle_deg, 1, "°")
        rows.append(
            ["Expected after inflation", f"anterior height {height}, wedge {angle}; an expectation, not a promise"]
        )
    rows += _needle_points(level)
    if asked := _options_words(plan, level):
        rows.append(["Asked for", asked])
    return rows


def _needle_points(level: LevelPlan) -> list[list[Content]]:
    def words(point: tuple[float, float, float]) -> str:
        return " ".join(signed(value) for value in point)

    return [
        [f"{item.side.capitalize()} needle, RAS mm", f"entry {words(item.entry_ras)}; target {words(item.target_ras)}"]
        for item in level.trajectories
    ]


def _options_words(plan: CasePlan, level: LevelPlan) -> str:
    """The choices a level's sheet rests on; of a level that was measured alone, how its labels were read."""
    of_needles = ("procedure", "approach", "cannula", "balloon", "etiology", "labels", "catalog", "levels")
    shown = of_needles if level.approach is not None else ("labels",)
    parts = []
    for name in shown:
        value = plan.options.get(name)
        if name in ("labels", "catalog") and isinstance(value, str):
            value = recorded_path(value)  # of an older plan, which may hold the whole path
        if value is not None:
            parts.append(f"{name} {', '.join(value) if isinstance(value, (list, tuple)) else value}")
    return "; ".join(parts)


def _loud(warnings: tuple[PlanWarning, ...]) -> Markup | None:
    """Stops and cautions of a level that was measured alone: it has no page for the operator to say them."""
    boxes = [warning_box(item, with_source=True) for item in by_severity(warnings) if item.severity != "info"]
    return div("warnings", warning_boxes(boxes)) if boxes else None


def _notes(level: LevelPlan, warnings: tuple[PlanWarning, ...], said: set[str]) -> Markup | None:
    """The notes with their sources, and the sources of the first page's warnings.

    Args:
        said: sources that stand on this page already.
    """
    if not warnings:
        return None
    ordered = by_severity(warnings)
    quiet = of_both_sides(warning for warning in ordered if warning.severity == "info")
    boxes = [warning_box(warning, with_source=True) for warning in quiet]
    loud = [item for item in ordered if item.severity != "info" and not any(basis in item.source for basis in said)]
    sources = list(dict.fromkeys(f"{item.code}: {item.source.rstrip('.')}" for item in loud))
    on_page_1 = level.approach is not None and bool(sources)
    line = (
        element("p", f"Sources of the warnings on page 1: {'; '.join(sources)}.", class_="faint") if on_page_1 else None
    )
    if not boxes and line is None:
        return None
    return element("div", element("h2", "Notes"), div("notes", boxes) if boxes else None, line)


def of_both_sides(warnings: Iterable[PlanWarning]) -> list[PlanWarning]:
    """The warnings, in order; two that say the same of the left and of the right needle are one, “left and right”."""
    found: list[PlanWarning] = []
    for warning in warnings:
        twin = replace(warning, side="left", message=warning.message.replace(" right: ", " left: ", 1))
        if warning.side == "right" and twin in found:
            both = warning.message.replace(" right: ", " left and right: ", 1)
            found[found.index(twin)] = replace(warning, side=None, message=both)
        else:
            found.append(warning)
    return found


def _assumptions(plan: CasePlan, level: LevelPlan) -> Markup:
    rows: list[list[Content]] = []
    said = ""
    for item in assumptions_of(plan, level.level):
        mark = span("tag memory" if item.tag == "M" else "tag faint", TAG_WORDS[item.tag])
        rows.append([item.name, item.value, "as above" if item.basis == said else item.basis, mark])
        said = item.basis
    margins = margin_words(plan, level.level)
    kept = element("p", f"Margins from the cannula’s surface, {TAG_WORDS['D']}: {margins}.") if margins else None
    return element("div", element("h2", "Assumptions, editable"), table([], rows, class_="rows assumed"), kept)


def _provenance(plan: CasePlan) -> Markup:
    inputs = plan.inputs
    records = [("CT", inputs.ct), ("Labels", inputs.segmentation), ("Canal or cord mask", inputs.canal)]
    rows: list[list[Content]] = [[name, _record(record)] for name, record in records if record is not None]
    if inputs.ct is None:
        rows.insert(0, ["CT", "none: density, cleft, skin and fluoroscopy are not available"])
    numbering = f"; labels numbered like {inputs.numbering}" if inputs.numbering else ""
    software = f"{plan.software.name} {plan.software.version}, {plan.schema}{numbering}"
    rows.append(["Software", software])
    tags = "[V] read in the source, [C] computed from open data, [D] design choice, [M] from memory"
    return element("div", element("h2", "Inputs and software"), table([], rows, class_="rows"), element("p", tags))


def _record(record: ImageRecord) -> list[Content]:
    size = " × ".join(str(value) for value in record.size)
    spacing = " × ".join(f"{value:g}" for value in record.spacing_mm)
    checksum = f"SHA-256 {record.sha256}" if record.sha256 else "no checksum: not read from a file"
    path = span("path", record.path or "given in memory")
    return [path, f"; {size} voxels, {spacing} mm; ", span("checksum", checksum)]
