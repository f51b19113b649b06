"""A plan that was edited is refused where it is read, in one sentence that names the field, and never later."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from plans import case_plan

from VertebralAugmentationPlannerLib.model import CasePlan, InputError, PlanOptions, PlanWarning
from VertebralAugmentationPlannerLib.model.serialisation import read_json, write_text

NEEDLE = "levels.0.trajectories.0"


def edited(path: str, value: Any) -> str:
    """The text of the plan with one entry changed; a value that is a path is what stands there."""
    data = json.loads(case_plan().to_json())
    *parents, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    place = data
    for step in parents:
        place = place[step]
    place[last] = place[value] if isinstance(value, str) and value.endswith("_ras") else value
    return json.dumps(data)


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("options.margins", None, "plan’s options cannot be used: the margins are None"),
        ("options.margins", [1], "the margins are [1]"),
        ("options.margins.canal_mm", None, "the margin canal_mm None is no number"),
        ("options.margins.canal_mm", "1", "the margin canal_mm “1” is no number"),
        ("options.margins.canal_mm", float("nan"), "plan.options.margins.canal_mm is not a finite number"),
        ("options.margins.canal_mm", -100, "the margin canal_mm -100 must lie between 0 and 20 mm"),
        ("options.assumptions", None, "the assumptions are None"),
        ("options.assumptions.bone_filler_ml", 0, "the assumption bone_filler_ml 0 must lie above 0"),
        ("options.labels", None, "the option labels is None"),
        ("options.labels", {}, "the option labels is {}"),
        ("options.levels", [1], "the levels hold 1"),
        ("options.note", float("inf"), "plan.options.note is not a finite number"),
        ("coordinate_system", "LPS", "plan.coordinate_system is “LPS”; this version reads “RAS” only"),
        (f"{NEEDLE}.entry_ras", "target_ras", "trajectories[0].entry_ras and target_ras are the same point"),
        (f"{NEEDLE}.skin_ras", "target_ras", "trajectories[0].skin_ras and target_ras are the same point"),
        (f"{NEEDLE}.entry_ras", [1e300, 0, 0], "entry_ras lies further away than any image"),
        (f"{NEEDLE}.entry_ras", [10**400, 0, 0], "entry_ras[0] is not a finite number"),
        (f"{NEEDLE}.balloon.proximal_ras", "distal_ras", "balloon.proximal_ras and balloon.distal_ras are the same"),
        (f"{NEEDLE}.balloon.planned_diameter_mm", 0, "balloon.planned_diameter_mm is 0; it should be above 0"),
        (f"{NEEDLE}.cannula_outer_diameter_mm", -1, "cannula_outer_diameter_mm is -1.0; it should be above 0"),
        (f"{NEEDLE}.safety", "fine", "safety is “fine”; it should be safe, tight or breach"),
        ("levels.0.measurements.heights_3x3_mm", [[1, 2], [3]], "should be three rows of three heights"),
        ("levels.0.measurements.genant_grade", 7, "genant_grade is 7; it should be at most 3"),
        ("levels.0.measurements.fracture_shape", "banana", "fracture_shape is “banana”"),
        ("levels.0.skipped_sides", {"up": "?"}, "skipped_sides has an entry “up”; it should be left or right"),
        ("levels.0.skipped_sides", {"\ud800": "?"}, "levels[0].skipped_sides holds half a character"),
        ("inputs.level_values", {"L1": 0}, "plan.inputs.level_values.L1 is 0; labels are numbers above 0"),
        ("levels.0.approach_reason", "\ud800", "plan.levels[0].approach_reason holds half a character"),
        ("options.note", ["\udcff"], "plan.options.note[0] holds half a character"),
    ],
)
def test_what_no_run_writes_is_refused(path, value, says, tmp_path):
    text = edited(path, value)
    with pytest.raises(InputError) as error:
        CasePlan.from_json(text)
    assert says in str(error.value)
    assert str(error.value).endswith(".") and "\n" not in str(error.value)
    (tmp_path / "plan.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="The plan’s"):
        CasePlan.load(tmp_path / "plan.json")


def test_two_needles_of_one_side_are_refused():
    with pytest.raises(InputError, match="two needles on the left of T12; keep one for each side"):
        CasePlan.from_json(edited("levels.0.trajectories.1.side", "left"))


def test_the_mark_of_utf_8_at_the_start_is_no_part_of_the_plan(tmp_path):
    path = tmp_path / "plan.json"
    path.write_bytes(b"\xef\xbb\xbf" + case_plan().to_json().encode())
    assert CasePlan.load(path) == case_plan()
    assert read_json("\ufeff{}", "The file") == {}


def test_a_plan_without_what_was_added_since_is_read():
    data = json.loads(case_plan().to_json())
    needle = data["levels"][0]["trajectories"][0]
    for name in ("compromise", "margins_mm"):
        needle.pop(name, None)
    for name in ("verified", "planned_length_mm", "cannula_retraction_mm", "meets_other_balloon"):
        del needle["balloon"][name]
    data["options"] = {}
    plan = CasePlan.from_dict(data)
    assert plan.levels[0].trajectories[0].balloon.planned_length_mm is None
    assert PlanOptions.from_dict(plan.options) == PlanOptions()


def headed(*warnings: PlanWarning) -> CasePlan:
    plan = case_plan()
    return replace(plan, levels=(replace(plan.levels[0], warnings=warnings), *plan.levels[1:]))


SAID = (
    PlanWarning.of_needle("T12", "left", "tight_path", "caution", "0.6 mm to the pedicle’s inner wall.", "[D]"),
    PlanWarning.of_level("T12", "prediction", "info", "the left needle alone lifts nothing.", "[D]"),
    PlanWarning(
        "cleft_not_labelled",
        "info",
        "0.9 ml with gas between two parts of the label of T12 were taken as part.",
        "CT",
        level="T12",
    ),
    PlanWarning("cleft", "info", "Gas cleft of 0.2 ml.", "[V]"),
    PlanWarning("neighbour_edited", "caution", "T1 was edited by hand.", "the user's edit"),
    PlanWarning("narrow_pedicle", "caution", "The left pedicle is 4.1 mm wide.", "[D]"),
)  # fmt: skip


def test_whom_a_warning_is_of_is_kept():
    plan = headed(*SAID)
    assert CasePlan.from_json(plan.to_json()) == plan


def test_whom_a_warning_of_an_earlier_plan_is_of_is_told_from_its_sentence():
    data = headed(*SAID).to_dict()
    for warning in data["levels"][0]["warnings"]:
        del warning["side"], warning["level"]
    assert CasePlan.from_dict(data).levels[0].warnings == SAID


def test_whom_a_warning_is_of_is_not_told_from_its_sentence_where_the_plan_says_that_it_is_of_nobody():
    free = PlanWarning("tight_path", "caution", "T12 left: 0.6 mm.", "[D]")
    assert CasePlan.from_json(headed(free).to_json()).levels[0].warnings == (free,)


@pytest.mark.parametrize(("name", "value"), [("side", "front"), ("level", "T14")])
def test_a_warning_of_what_does_not_exist_is_refused(name, value):
    data = headed(SAID[0]).to_dict()
    data["levels"][0]["warnings"][0][name] = value
    with pytest.raises(InputError, match=rf"levels\[0\].warnings\[0\].{name}"):
        CasePlan.from_dict(data)


def test_balloons_that_leave_each_other_nothing_are_read():
    assert CasePlan.from_json(edited(f"{NEEDLE}.balloon.max_volume_ml", 0.0)).levels[0].level == "T12"


def test_a_path_that_no_file_can_have_is_an_error_of_the_input():
    with pytest.raises(InputError, match="cannot be read: no file can have this name"):
        CasePlan.load("plan\0.json")


def test_a_name_that_is_not_utf_8_is_written_with_a_question_mark(tmp_path):
    write_text(tmp_path / "name.txt", "scan\udcff.nii.gz")
    assert (tmp_path / "name.txt").read_text(encoding="utf-8") == "scan?.nii.gz"
