"""The first sheet of a whole spine: named briefly, one page of rows, and the pictures of the levels that matter."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, replace

from plans import case_plan

from VertebralAugmentationPlannerLib.model import CasePlan, HeightLoss, LevelPlan, PlanWarning
from VertebralAugmentationPlannerLib.report import report_html
from VertebralAugmentationPlannerLib.report.overview import overview_page
from VertebralAugmentationPlannerLib.report.pictures import PagePictures
from VertebralAugmentationPlannerLib.report.symbols import clearance_state


@dataclass(frozen=True)
class Drawn:
    """A picture of nothing that bears its level's name."""

    caption: str
    width_px: int = 10
    height_px: int = 10

    def to_svg(self, width: str | None = None) -> str:
        return "<svg></svg>"


def whole_spine() -> CasePlan:
    """T4–L5 from the two planned levels: two needles at each but T8, whose left side is refused."""
    plan = case_plan()
    first, second = plan.levels[:2]
    names = [f"T{n}" for n in range(4, 13)] + [f"L{n}" for n in range(1, 6)]
    return replace(plan, levels=tuple(replace(second if name == "T8" else first, level=name) for name in names))


def words(plan: CasePlan) -> str:
    text = html.unescape(re.sub(r"<[^>]+>", " ", overview_page(plan)))
    return " ".join(text.replace("\u00a0", " ").split())


def test_a_whole_spine_is_named_by_its_ends_and_its_rows_are_short() -> None:
    sheet = words(whole_spine())
    assert "Kyphoplasty plan: T4–L5" in sheet and "Levels in the images: T4–L5." in sheet
    assert 'class="levels compact"' in overview_page(whole_spine())
    assert "Unilateral, right" in sheet and "Bilateral" not in sheet


def test_a_short_plan_says_the_approach_of_every_level() -> None:
    assert 'class="levels"' in overview_page(case_plan())
    assert "Bilateral" in words(case_plan()) and "Kyphoplasty plan: T12, L2" in words(case_plan())


def test_a_run_of_levels_is_cut_where_a_level_was_not_planned() -> None:
    plan = whole_spine()
    levels = tuple(
        replace(level, approach=None, trajectories=()) if level.level == "T9" else level for level in plan.levels
    )
    assert "Kyphoplasty plan: T4–T8, T10–L5" in words(replace(plan, levels=levels))


def test_a_level_that_is_missing_in_the_images_ends_a_run() -> None:
    plan = whole_spine()
    without = replace(plan, levels=tuple(level for level in plan.levels if level.level != "T9"))
    assert "Levels in the images: T4–T8, T10–L5." in words(without)


def test_the_first_sheet_shows_the_four_levels_that_matter_most() -> None:
    plan, graded = whole_spine(), {"T6": 1, "T10": 3, "L2": 1, "L5": 2}
    levels = tuple(
        replace(level, measurements=replace(level.measurements, genant_grade=graded.get(level.level, 0)))
        for level in plan.levels
    )
    pictures = {level.level: PagePictures({"mid_sagittal": Drawn(f"{level.level} drawn.")}) for level in levels}
    sheet = overview_page(replace(plan, levels=levels), pictures=pictures)
    assert re.findall(r"<figcaption>(\w+) drawn", sheet) == ["T6", "T10", "L2", "L5"]
    assert "Highest grades and largest losses" in sheet
    refused = tuple(
        replace(level, approach="none", trajectories=()) if level.level == "T5" else level for level in levels
    )
    sheet = overview_page(replace(plan, levels=refused), pictures=pictures)
    assert re.findall(r"<figcaption>(\w+) drawn", sheet)[0] == "T5"


def test_four_levels_or_fewer_are_all_shown_and_not_called_a_choice() -> None:
    plan = case_plan()
    pictures = {name: PagePictures({"mid_sagittal": Drawn(f"{name} drawn.")}) for name in ("T12", "L2")}
    sheet = overview_page(plan, pictures=pictures)
    assert re.findall(r"<figcaption>(\w+) drawn", sheet) == ["T12", "L2"]
    assert "Highest grades" not in sheet


def test_a_finding_on_a_doubtful_reference_says_so() -> None:
    doubt = PlanWarning("reference_implausible", "caution", "Reference (T11) doubtful: check it.", "[C]")
    plan = case_plan()
    sheet = words(replace(plan, levels=(replace(plan.levels[0], warnings=(doubt,)), *plan.levels[1:])))
    assert "anterior height loss 35 % (reference doubtful)" in sheet
    assert sheet.count("reference doubtful") == 1


def test_notes_are_not_counted_beside_a_caution() -> None:
    sheet = words(case_plan())
    assert "2 cautions" in sheet and "2 cautions, 1 note" not in sheet


def test_a_neighbour_closer_than_the_planner_cautions_of_is_marked() -> None:
    states = [clearance_state("neighbour", value, 0.0) for value in (-0.2, 0.0, 0.9, 1.0)]
    assert states == ["breach", "tight", "tight", "safe"]


def test_notes_of_one_kind_share_a_line() -> None:
    cleaned = [PlanWarning("labels_cleaned", "info", f"L{n}: {n} voxels filled", "cleaning [D]") for n in (1, 2)]
    other = PlanWarning("no_ct", "info", "No CT was given.", "contract")
    sheet = overview_page(replace(case_plan(), warnings=(cleaned[0], other, cleaned[1])))
    assert "L1: 1 voxels filled. L2: 2 voxels filled. (cleaning [D])" in words(
        replace(case_plan(), warnings=(cleaned[0], other, cleaned[1]))
    )
    assert sheet.count("cleaning [D]") == 1 and sheet.count("No CT was given.") == 1


def with_neighbours(*neighbours: LevelPlan) -> CasePlan:
    """T12 planned; the neighbours were measured alone."""
    plan = case_plan()
    return replace(plan, levels=(plan.levels[0], *neighbours))


def measured_only(name: str, *warnings: PlanWarning, middle: float = 4.0) -> LevelPlan:
    level = case_plan().levels[0]
    assert level.measurements is not None
    measured = replace(
        level.measurements, genant_grade=0, fracture_shape="none", of_class=None,
        height_loss_percent=HeightLoss(1.0, middle, 0.5),
    )  # fmt: skip
    return replace(
        level, level=name, measurements=measured, approach=None, approach_reason=None, trajectories=(), cement=None,
        predicted=None, warnings=warnings,
    )  # fmt: skip


def test_cautions_of_levels_that_were_only_measured_are_read_once() -> None:
    shaped = PlanWarning("fracture_by_shape", "caution", "L1 has the shape of a fractured vertebra: look at it.", "[C]")
    gas = PlanWarning("cleft", "caution", "Gas cleft of 0.2 ml: cement fills it first.", "PMC8449924 [V]")
    note = PlanWarning("coarse_voxels", "info", "The labels have 2.0 mm voxels.", "[D]")
    stop = PlanWarning("no_canal", "stop", "The canal could not be built.", "[D]")
    plan = with_neighbours(measured_only("L1", shaped, gas, note), measured_only("L2", gas, stop))
    sheet = words(plan)
    assert sheet.count("Levels that are not planned") == 1
    assert sheet.count("Caution: L1 has the shape of a fractured vertebra: look at it. ([C])") == 1
    assert sheet.count("Caution: L1, L2: Gas cleft of 0.2 ml") == 1 and sheet.count("Gas cleft of 0.2 ml") == 1
    assert sheet.count("The canal could not be built") == 1 and "2.0 mm voxels" not in sheet
    assert "The posterior wall bulges" not in sheet, "a planned level says its cautions on its own sheet"
    assert "Levels that are not planned" not in words(with_neighbours(measured_only("L1", note)))


def test_a_measured_level_next_to_a_grade_keeps_its_decimal_and_its_doubt() -> None:
    shaped = PlanWarning("fracture_by_shape", "caution", "T11 has the shape of a fractured vertebra.", "[C]")
    sheet = words(with_neighbours(measured_only("T11", shaped, middle=19.54)))
    assert "No fracture by height, middle height loss 19.5 % (shaped like a fracture); measured only." in sheet


def test_a_level_that_is_lower_on_one_side_is_not_called_unfractured_without_saying_so() -> None:
    lower = PlanWarning("lateral_height_loss", "caution", "T11 is 16 % (4.2 mm) lower on the right.", "[C]")
    sheet = words(with_neighbours(measured_only("T11", lower, middle=15.0)))
    assert "No fracture by height, middle height loss 15 % (lower on one side); measured only." in sheet


def test_what_a_cut_level_says_in_its_row_is_not_said_again() -> None:
    cut = PlanWarning("incomplete", "caution", "L3 is cut by the lower border of the image.", "geometry")
    other = PlanWarning("sawn", "caution", "The label of L3 ends inside the image.", "[D]")
    sheet = words(with_neighbours(replace(case_plan().levels[2], warnings=(cut, other))))
    assert sheet.count("cut by the lower border") == 1 and "Caution: L3: The label of L3 ends inside" in sheet


def test_a_plan_of_measurements_leaves_the_cautions_to_the_sheets_of_the_levels() -> None:
    gas = PlanWarning("cleft", "caution", "Gas cleft of 0.2 ml.", "[V]")
    plan = replace(case_plan(), levels=(measured_only("L1", gas), measured_only("L2")))
    assert "Gas cleft" not in words(plan)
    text = html.unescape(re.sub(r"<[^>]+>", " ", report_html(plan))).replace("\u00a0", " ")
    assert text.count("Gas cleft of 0.2 ml.") == 1


def test_a_kyphoplasty_needle_without_its_balloon_says_so() -> None:
    row = words(case_plan()).split(" L2 ")[-1]
    assert "11G, no balloon" in row
    alone = replace(case_plan(), levels=case_plan().levels[1:])
    assert "Plan: L2; kyphoplasty asked for, no balloon planned" in words(alone)
    assert "Kyphoplasty plan: T12, L2" in words(case_plan()), "one of its levels has a balloon"
    vertebroplasty = replace(case_plan(), options={**case_plan().options, "procedure": "vertebroplasty"})
    assert "no balloon" not in words(vertebroplasty).split(" L2 ")[-1]
