"""plan_schema.json says the same as the dataclasses and lets no broken plan through."""

from __future__ import annotations

import copy
import json
from typing import Any

import jsonschema
import pytest

from VertebralAugmentationPlannerLib.model.schema import SCHEMA_PATH, plan_schema, schema_text

from plans import case_plan

CONTRACT = {
    "CasePlan": "schema software inputs coordinate_system options levels warnings",
    "Software": "name version",
    "Inputs": "ct segmentation",
    "ImageRecord": "path sha256 size spacing_mm",
    "LevelPlan": "level complete frame measurements pedicles approach approach_reason trajectories skipped_sides cement"
    " predicted warnings",
    "FramePlan": "origin_ras right anterior superior",
    "Measurements": "anterior_height_mm middle_height_mm posterior_height_mm heights_3x3_mm depth_mm width_mm"
    " body_volume_ml anterior_two_thirds_volume_ml reference height_loss_percent genant_grade fracture_shape of_class"
    " wedge_angle_deg segmental_kyphosis_deg gardner_angle_deg body_density_hu reference_density_hu cleft_volume_ml"
    " posterior_wall_retropulsion_mm",
    "Reference": "anterior_height_mm middle_height_mm posterior_height_mm method levels",
    "HeightLoss": "anterior middle posterior",
    "Pedicles": "left right",
    "PedicleMeasurement": "isthmus_width_mm isthmus_height_mm centre_ras axis",
    "Trajectory": "side route entry_ras target_ras skin_ras cannula_outer_diameter_mm bone_path_mm skin_to_target_mm"
    " convergence_angle_deg craniocaudal_angle_deg carm clearance_mm breach_grade tolerated_offset_mm"
    " tolerated_angle_deg midline_offset_mm balloon cement_ml bone_fillers",
    "CArm": "primary_deg secondary_deg prone_text",
    "Clearance": "canal pedicle_wall endplate anterior_wall lateral_wall neighbour",
    "BalloonPlan": "model length_mm proximal_ras distal_ras centre_ras planned_volume_ml planned_diameter_mm stopped_by"
    " max_volume_ml max_pressure_psi source",
    "CementPlan": "target_fill target_region_ml volume_ml low_ml high_ml body_fill_percent bone_fillers bone_filler_ml"
    " method",
    "Predicted": "anterior_height_mm wedge_angle_deg restoration_fraction",
    "PlanWarning": "code severity message source",
}
"""The field names of contract 3, copied from its text and not from the code."""


def validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json.loads(SCHEMA_PATH.read_text(encoding="utf-8")))


def plain() -> dict[str, Any]:
    return json.loads(case_plan().to_json())


def test_the_file_that_ships_is_what_the_dataclasses_say() -> None:
    assert SCHEMA_PATH.read_text(encoding="utf-8") == schema_text(), "run python -m …model.schema and commit the file"


def test_the_schema_is_itself_valid() -> None:
    jsonschema.Draft202012Validator.check_schema(plan_schema())


@pytest.mark.parametrize("name", CONTRACT)
def test_every_field_of_the_contract_is_required(name: str) -> None:
    assert set(CONTRACT[name].split()) <= set(plan_schema()["$defs"][name]["required"])


def test_a_complete_plan_is_valid() -> None:
    assert list(validator().iter_errors(plain())) == []


def test_a_field_added_by_someone_else_is_allowed() -> None:
    data = plain()
    data["levels"][0]["trajectories"][0]["note_of_another_tool"] = "checked"
    assert validator().is_valid(data)


def set_in(data: Any, path: str, value: Any) -> None:
    *parents, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    for step in parents:
        data = data[step]
    if value is KeyError:
        del data[last]
    else:
        data[last] = value


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("schema", "vertebral-augmentation-plan/2"),
        ("coordinate_system", "LPS"),
        ("levels.0.level", "L9"),
        ("levels.0.level", "C5"),
        ("levels.0.complete", 1),
        ("levels.0.complete", KeyError),
        ("levels.0.approach", "extrapedicular"),
        ("levels.0.frame.origin_ras", [1.0, 2.0]),
        ("levels.0.frame.origin_ras", [1.0, 2.0, 3.0, 4.0]),
        ("levels.0.measurements.genant_grade", 4),
        ("levels.0.measurements.genant_grade", 1.5),
        ("levels.0.measurements.body_volume_ml", 0.0),
        ("levels.0.measurements.anterior_height_mm", "17.2"),
        ("levels.0.measurements.anterior_height_mm", KeyError),
        ("levels.0.measurements.reference.method", "guess"),
        ("levels.0.trajectories.0.side", "links"),
        ("levels.0.trajectories.0.entry_ras", None),
        ("levels.0.trajectories.0.breach_grade", "F"),
        ("levels.0.trajectories.0.balloon", KeyError),
        ("levels.0.trajectories.0.balloon.stopped_by", "boredom"),
        ("levels.0.trajectories.0.cannula_outer_diameter_mm", -3.4),
        ("levels.0.trajectories.0.clearance_mm.canal", KeyError),
        ("levels.0.cement.bone_fillers", 1.5),
        ("levels.0.cement.target_fill", 30),
        ("levels.1.skipped_sides", {"middle": "?"}),
        ("levels.0.warnings.0.severity", "danger"),
        ("inputs.ct.sha256", "not a checksum"),
        ("inputs.segmentation", None),
    ],
)
def test_a_broken_plan_is_refused(path: str, value: Any) -> None:
    data = copy.deepcopy(plain())
    set_in(data, path, value)
    assert not validator().is_valid(data)
