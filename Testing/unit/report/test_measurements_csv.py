"""measurements.csv holds the plan's numbers, and an empty cell where there is none."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from plans import case_plan

from VertebralAugmentationPlannerLib.model import InputError
from VertebralAugmentationPlannerLib.report import measurements_csv, write_measurements_csv


def rows() -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(measurements_csv(case_plan()), newline=""), strict=True))


def test_there_is_one_row_a_level_in_the_plans_order() -> None:
    assert [row["level"] for row in rows()] == ["T12", "L2", "L3"]


def test_numbers_are_those_of_the_plan() -> None:
    t12 = rows()[0]
    assert float(t12["anterior_height_mm"]) == 17.2
    assert float(t12["height_right_posterior_mm"]) == 25.9
    assert float(t12["reference_anterior_height_mm"]) == 26.4
    assert float(t12["height_loss_anterior_percent"]) == 34.8
    assert float(t12["pedicle_left_isthmus_width_mm"]) == 6.4
    assert (t12["genant_grade"], t12["fracture_shape"], t12["of_class"]) == ("2", "wedge+biconcave", "OF3")
    assert t12["reference_levels"] == "T10 T11 L1"


def test_what_could_not_be_computed_is_an_empty_cell_and_a_zero_is_a_zero() -> None:
    l2 = rows()[1]
    assert l2["segmental_kyphosis_deg"] == ""
    assert l2["height_left_posterior_mm"] == ""
    assert l2["cleft_volume_ml"] == "0"


def test_a_cut_level_has_its_name_and_nothing_measured() -> None:
    l3 = rows()[2]
    assert l3["complete"] == "false"
    assert {value for key, value in l3.items() if key.endswith(("_mm", "_ml", "_deg", "_hu", "_percent"))} == {""}


def test_every_measured_column_names_its_unit_once() -> None:
    header = list(rows()[0])
    assert len(header) == len(set(header))
    plain = {"level", "complete", "reference_method", "reference_levels", "genant_grade", "fracture_shape", "of_class",
             "warning_codes"}  # fmt: skip
    units = ("_mm", "_ml", "_deg", "_hu", "_percent")
    assert all(name.endswith(units) for name in header if name not in plain)


def test_the_file_follows_rfc_4180(tmp_path: Path) -> None:
    path = tmp_path / "measurements.csv"
    write_measurements_csv(case_plan(), path)
    data = path.read_bytes()
    assert data.endswith(b"\r\n") and data.count(b"\n") == data.count(b"\r\n") == 4
    assert not data.startswith(b"\xef\xbb\xbf"), "all text is ASCII, so no byte-order mark is needed"
    data.decode("ascii")


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        write_measurements_csv(case_plan(), tmp_path / "missing" / "measurements.csv")
