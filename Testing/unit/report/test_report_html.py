"""report.html: everything the operator needs is on the first page, nothing is loaded, nothing is invented."""

from __future__ import annotations

import dataclasses
import html.parser
import math
import re
from pathlib import Path

import pytest
from plans import SKIPPED_LEFT, Square, case_plan, every_picture, only

from VertebralAugmentationPlannerLib.imaging import MedialBorder
from VertebralAugmentationPlannerLib.model import CasePlan, Clearance, LevelPlan, PlanWarning, Trajectory
from VertebralAugmentationPlannerLib.model.serialisation import rounded
from VertebralAugmentationPlannerLib.report import report_html, write_report
from VertebralAugmentationPlannerLib.report.operator_page import operator_page
from VertebralAugmentationPlannerLib.report.pictures import PagePictures, short_caption
from VertebralAugmentationPlannerLib.report.record_page import of_both_sides

VOID = {"br", "col", "meta", "rect", "path", "circle"}


class Page(html.parser.HTMLParser):
    """Checks that elements nest, and collects the text of each sheet."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.sheets: list[str] = []
        self.feed(text)
        assert self.open == [], f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "section":
            self.sheets.append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.sheets and "style" not in self.open:
            self.sheets[-1] += data.replace("\u00a0", " ")


@pytest.fixture(scope="module")
def text() -> str:
    return report_html(case_plan())


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


def test_there_is_an_overview_and_two_sheets_a_whole_level(page: Page) -> None:
    assert len(page.sheets) == 1 + 2 * 2


def test_a_single_level_needs_no_overview_and_keeps_the_warnings_of_the_case() -> None:
    page = Page(report_html(only(case_plan(), "T12")))
    assert len(page.sheets) == 2
    assert "taken lying" in page.sheets[0] + page.sheets[1]


def test_nothing_is_loaded_and_no_script_runs(text: str, page: Page) -> None:
    assert not {tag for tag, _ in page.tags} & {"script", "link", "iframe", "object", "embed", "base"}
    sources = [value for _, attrs in page.tags for key, value in attrs.items() if key in ("src", "href")]
    assert all(value and value.startswith("data:") for value in sources)
    assert not re.search(r"url\(|@import", text)


def test_the_first_sheet_of_a_level_says_what_to_do(page: Page) -> None:
    sheet = page.sheets[1]
    for words in (
        "T12",
        "Bilateral kyphoplasty",
        "A needle from one side ends 6 mm short of the midline",
        "13° towards the patient’s left",
        "RAO 13° · CAU 10°",
        "103 mm to the target",
        "0.6 mm or 1.1°",
        "10G, 3.4 mm",
        "2.6 ml, Ø 16 mm, stops at an end plate",
        "5.5 ml",
        "27 % of the body; 15–30 % are 3.1–6.1 ml",
        "2.8 ml in 2 bone fillers",
        "grade A",
        "tight",
    ):
        assert words in sheet, words


def test_stop_comes_before_caution_and_both_before_any_number(page: Page) -> None:
    sheet = page.sheets[3]
    assert sheet.index("Stop: No balloon fits") < sheet.index("Cannula")
    t12 = page.sheets[1]
    assert t12.index("Caution: The posterior wall") < t12.index("10G × 2")


def test_a_skipped_side_shows_its_reason(text: str, page: Page) -> None:
    assert SKIPPED_LEFT.capitalize().replace("g needle", "G needle") + "." in page.sheets[3]
    assert re.search(r'class="side skipped breach".*?class="reason"', text)


def test_sides_are_not_swapped(page: Page) -> None:
    left, right = page.sheets[1].split("RIGHT")
    assert "LEFT" in left and "19 mm left of the midline" in left and "0.6 mm" in left
    assert "19 mm right of the midline" in right and "1.7 mm" in right


def test_a_clearance_below_its_margin_is_marked_in_shape_word_and_colour(text: str) -> None:
    walls = re.findall(
        r'<div class="wall (\w+)"><b><svg[^>]*aria-label="(\w+)"[^>]*>.*?</svg>([−\d.]+)\xa0mm</b>', text
    )
    assert ("tight", "tight", "0.6") in walls
    assert {state for state, label, _ in walls if state != label} == set()
    assert ("safe", "safe", "2.4") in walls


def test_a_breach_is_called_a_breach() -> None:
    plan = case_plan()
    needle = plan.level("T12").trajectory("left")
    bad = dataclasses.replace(needle.clearance_mm, pedicle_wall=-1.3)
    needle = dataclasses.replace(needle, clearance_mm=bad, safety="breach", breach_grade="B")
    sheet = Page(report_html(only(plan, "T12", trajectories=(needle,)))).sheets[0]
    assert "BREACH · grade B" in sheet and "−1.3 mm" in sheet
    assert "kyphoplasty: the left needle breaches" in sheet
    assert "End-on view" not in sheet  # nobody is led along it


def test_balloons_without_room_are_called_so_where_it_is_read_first() -> None:
    plan = case_plan()
    flat = tuple(
        dataclasses.replace(needle, balloon=dataclasses.replace(needle.balloon, planned_volume_ml=0.2))
        for needle in plan.level("T12").trajectories
    )
    sheet = Page(report_html(only(plan, "T12", trajectories=flat))).sheets[0]
    assert "Bilateral kyphoplasty: hardly room for a balloon" in sheet
    assert "inflate left 0.2, right 0.2 ml; hardly a cavity, no gain expected" in sheet


def test_a_channel_deeper_than_the_needle_comes_before_the_balloon() -> None:
    plan = case_plan()
    left = plan.level("T12").trajectory("left")
    deep = dataclasses.replace(left, balloon=dataclasses.replace(left.balloon, channel_beyond_target_mm=2.6))
    sheet = Page(report_html(only(plan, "T12", trajectories=(deep,)))).sheets[0]
    assert "first make the channel 2.6 mm beyond the target, then draw the cannula back 19 mm" in sheet


def test_fillers_that_both_sides_share_are_told() -> None:
    plan = case_plan()
    level = plan.level("T12")
    assert "shared by both sides" not in Page(report_html(only(plan, "T12"))).sheets[0]
    fewer = dataclasses.replace(level.cement, bone_fillers=3)
    assert "of 1.5 ml, one shared by both sides" in Page(report_html(only(plan, "T12", cement=fewer))).sheets[0]


def test_balloons_of_one_length_are_counted_and_others_are_named_one_by_one() -> None:
    plan = case_plan()
    left, right = (plan.level("T12").trajectory(side) for side in ("left", "right"))
    assert "15 mm × 2" in Page(report_html(only(plan, "T12"))).sheets[0]
    short = dataclasses.replace(right, balloon=dataclasses.replace(right.balloon, length_mm=10.0))
    sheet = Page(report_html(only(plan, "T12", trajectories=(left, short)))).sheets[0]
    assert "15 + 10 mm" in sheet and "× 2" not in sheet.split("15 + 10 mm")[1].split("Cement")[0]


def test_what_holds_of_both_needles_is_noted_once() -> None:
    def note(side: str, text: str) -> PlanWarning:
        return PlanWarning.of_needle("T12", side, "skin", "info", text, "CT")

    said = of_both_sides(
        [
            note("left", "no skin."),
            note("left", "8 mm back."),
            note("right", "no skin."),
            note("right", "9 mm back."),
        ]
    )
    assert [one.message for one in said] == [
        "T12 left and right: no skin.",
        "T12 left: 8 mm back.",
        "T12 right: 9 mm back.",
    ]


def test_the_record_has_measurements_reference_method_sources_and_checksums(page: Page) -> None:
    sheet = page.sheets[2]
    for words in (
        "17.2 mm",
        "26.4 mm",
        "35 %",
        "neighbouring levels (T10, T11, L1)",
        "AJNR 26:1634",
        "ab" * 32,
        "cd" * 32,
        "VertebralAugmentationPlanner 0.1.0",
        "Stubs gauge table",
    ):
        assert words in sheet, words
    for remembered in ("bone in the trabecular space", "Generic 15 mm: largest volume"):
        assert "FROM MEMORY" in sheet.split(remembered)[1].split("\n")[0][:160]


def test_what_was_not_computed_is_a_dash_and_never_a_number(page: Page) -> None:
    assert "Segmental kyphosis (Cobb)—" in page.sheets[4]


def test_a_cut_level_is_named_with_its_reason_and_gets_no_sheet(page: Page) -> None:
    assert "L3 is cut by the lower border of the image. Not measured, not planned." in page.sheets[0]
    assert not any(sheet.startswith("L3") for sheet in page.sheets)


def test_the_patients_name_appears_only_where_it_is_asked_for(text: str) -> None:
    assert "Doe" not in text
    named = Page(report_html(case_plan(), patient_name="Doe, Jane"))
    assert all("Doe, Jane" in sheet for sheet in named.sheets)


def test_text_from_files_cannot_become_markup() -> None:
    plan = case_plan()
    nasty = PlanWarning("x", "caution", "<script>alert(1)</script> & “quoted”", "<b>")
    text = report_html(only(plan, "T12", warnings=(nasty,)), patient_name="<img src=x>")
    assert "<script>" not in text and "<img" not in text and "&lt;script&gt;" in text


def test_every_sheet_says_that_this_is_no_medical_device(page: Page) -> None:
    assert all("Not a medical device" in sheet for sheet in page.sheets)


def test_a_plan_without_images_says_why_there_are_no_pictures(page: Page) -> None:
    assert "No pictures: this report was written from the plan alone" in page.sheets[1]


def test_a_caption_is_printed_up_to_its_first_clause_and_kept_whole() -> None:
    assert short_caption("T12 from behind; the canal is blue.") == "T12 from behind."
    assert short_caption("10.5 mm along the needle") == "10.5 mm along the needle."
    page = operator_page(case_plan(), case_plan().level("T12"), every_picture())
    assert 'title="Slice along the needle, seen from the patient’s left. The rest' in page
    assert page.count("<figcaption>Slice along the needle, seen from the patient’s left.</figcaption>") == 8


def test_a_picture_that_could_not_be_drawn_leaves_its_reason() -> None:
    some = PagePictures({"ap": Square()}, {"view3d": "No graphics here.", "axial_left": "The canal is unknown."})
    page = operator_page(case_plan(), case_plan().level("T12"), some)
    assert page.count("<figure") == 1 and "Missing pictures: The canal is unknown." in page


def test_a_level_without_safe_access_says_so_in_large_type() -> None:
    plan = only(case_plan(), "L2", approach="none", trajectories=(), cement=None,
                skipped_sides={"left": SKIPPED_LEFT, "right": "the canal could not be built"})  # fmt: skip
    text = report_html(plan)
    sheet = Page(text).sheets[0]
    assert "No safe access" in sheet and "The canal could not be built." in sheet
    assert text.count('class="side skipped breach"') == 2


def test_a_measured_level_has_its_record_and_nothing_to_do() -> None:
    plan = only(case_plan(), "T12", approach=None, approach_reason=None, trajectories=(), cement=None, predicted=None)
    page = Page(report_html(plan))
    assert len(page.sheets) == 1 and "1 of 1" in page.sheets[0]
    assert "Asked forlabels auto" in page.sheets[0] and "kyphoplasty" not in page.sheets[0]


def test_the_same_plan_gives_the_same_bytes(text: str, tmp_path: Path) -> None:
    write_report(case_plan(), tmp_path / "report.html")
    assert (tmp_path / "report.html").read_bytes() == text.encode("utf-8")


def test_each_needle_says_where_its_tip_is_at_the_medial_border() -> None:
    plan, one, other = case_plan(), MedialBorder(29.2, 9.1), MedialBorder(21.3, -3.2)
    pictures = PagePictures(medial_borders={"left": one, "right": other})
    sheet = Page(operator_page(plan, plan.level("T12"), pictures)).sheets[0]
    left, right = sheet.split("RIGHT")
    assert "in AP at 29 mm depth; in the lateral the tip is then 9 mm past the posterior wall" in left
    assert "in AP at 21 mm depth; in the lateral the tip is then 3 mm behind the posterior wall" in right
    assert "the canal is at risk" in right and "at risk" not in left
    assert sheet.count("only once the lateral shows the tip past the posterior wall") == 1
    alone = Page(operator_page(plan, plan.level("T12"), PagePictures())).sheets[0]
    assert "Medial border" not in alone and "only once the lateral" not in alone
    never = PagePictures(medial_borders={"left": MedialBorder(None, None), "right": MedialBorder(20.0, None)})
    sheet = Page(operator_page(plan, plan.level("T12"), never)).sheets[0]
    assert "not crossed in AP before the target" in sheet and "the posterior wall is not known there" in sheet


def test_angles_are_the_vertebras_and_the_tilt_on_the_table_stands_beside_another_one() -> None:
    """The needle runs 10° towards the feet in the scanner; a vertebra that leans forwards may have it otherwise."""
    plan = case_plan()
    sheet = Page(operator_page(plan, plan.level("T12"), PagePictures())).sheets[0]
    assert "13° towards the midline, 10° towards the feet, in the vertebra’s own planes" in sheet
    assert "on the table" not in sheet
    needle = dataclasses.replace(plan.level("T12").trajectory("left"), craniocaudal_angle_deg=12.0)
    sheet = Page(operator_page(plan, level_of(plan, needle), PagePictures())).sheets[0]
    assert "12° towards the head, in the vertebra’s own planes; on the table: 10° towards the feet" in sheet


def test_a_tip_keeps_the_decimal_that_its_reason_has() -> None:
    plan = case_plan()
    needle = dataclasses.replace(plan.level("T12").trajectory("left"), midline_offset_mm=2.5)
    sheet = Page(operator_page(plan, level_of(plan, needle), PagePictures())).sheets[0]
    assert "Tip2.5 mm short of the midline" in sheet


def test_an_oblique_frame_read_back_from_a_file_is_used_as_it_is() -> None:
    """Four decimals of a tilted frame are not orthonormal to the last bit; the report must not mind."""
    plan = case_plan()
    angle = math.radians(23.0)
    right, anterior = (math.cos(angle), math.sin(angle), 0.0), (-math.sin(angle), math.cos(angle), 0.0)
    level = plan.level("T12")
    assert level.frame is not None
    origin = level.frame.origin_ras
    entry = tuple(origin[n] - 19.0 * right[n] - 42.0 * anterior[n] for n in range(3))
    frame = dataclasses.replace(level.frame, right=right, anterior=anterior)
    needle = dataclasses.replace(level.trajectory("left"), entry_ras=entry)
    turned = CasePlan.from_json(rounded(only(plan, "T12", frame=frame, trajectories=(needle,))).to_json())
    assert "19 mm left of the midline" in Page(report_html(turned)).sheets[0]


def test_walls_are_judged_by_the_margins_the_path_was_judged_by() -> None:
    """A shallow body gets a smaller anterior margin; 4.2 mm is then safe although the options say 5."""
    plan = case_plan()
    needle = plan.level("T12").trajectory("right")
    clearance = dataclasses.replace(needle.clearance_mm, anterior_wall=4.2)
    needle = dataclasses.replace(needle, clearance_mm=clearance)
    by_options = operator_page(only(plan, "T12", trajectories=(needle,)), level_of(plan, needle), PagePictures())
    assert 'class="wall tight"' in by_options and "anterior wall (margin 5)" in by_options
    needle = dataclasses.replace(needle, margins_mm=Clearance(1.0, 1.0, 3.0, 4.1, 3.0, 0.0))
    by_path = operator_page(only(plan, "T12", trajectories=(needle,)), level_of(plan, needle), PagePictures())
    assert 'class="wall tight"' not in by_path and "anterior wall (margin 4.1)" in by_path


def level_of(plan: CasePlan, needle: Trajectory) -> LevelPlan:
    return dataclasses.replace(plan.level("T12"), trajectories=(needle,))


def test_the_operator_is_told_how_far_to_draw_the_cannula_back(page: Page) -> None:
    """The balloon's proximal end lies 16.5 mm behind the target; it must be free of the cannula by 2 mm."""
    assert "first draw the cannula back 19 mm" in page.sheets[1]


def test_a_long_reason_stands_in_full_once_and_briefly_elsewhere() -> None:
    plan = case_plan()
    reason = (
        "No safe path for a 13G cannula: the isthmus is 1.9 mm, a 13G cannula needs 4.4 mm; the best line breaches."
    )
    stop = PlanWarning("no_path", "stop", f"L2 left: {reason}", "margins [D]")
    level = dataclasses.replace(
        plan.level("L2"),
        skipped_sides={"left": reason},
        warnings=(stop,),
        approach_reason=f"Only one side. Left: {reason}",
    )
    overview, sheet, _ = Page(report_html(dataclasses.replace(plan, levels=(level, plan.level("L3"))))).sheets
    assert sheet.count("the isthmus is 1.9 mm") == 1
    assert sheet.count("No safe path for a 13G cannula") == 3
    assert "Stop: L2 left: No safe path for a 13G cannula." in overview


def test_neighbours_that_were_only_measured_stand_in_the_overview_and_get_no_sheet() -> None:
    plan = case_plan()
    measured = dataclasses.replace(plan.level("L2"), approach=None, trajectories=(), skipped_sides={}, cement=None)
    page = Page(report_html(dataclasses.replace(plan, levels=(plan.level("T12"), measured))))
    assert len(page.sheets) == 3
    assert "Kyphoplasty plan: T12" in page.sheets[0] and "measured only" in page.sheets[0]
