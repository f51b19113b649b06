"""The first sheet of a whole spine: named briefly, one page of rows, and the pictures of the levels that matter."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, replace

from plans import case_plan

from VertebralAugmentationPlannerLib.model import CasePlan, PlanWarning
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
