"""Needles read back by Slicer itself, and by a table reader, are where the plan has them."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest
from plans import case_plan

from VertebralAugmentationPlannerLib.report import needle_csv, needle_markups, write_needle_markups

NEEDLES = [("T12", "left"), ("T12", "right"), ("L2", "right")]


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    """Names and RAS points of the lines as the application's own markups reader loads them."""
    slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")
    path = tmp_path_factory.mktemp("markups") / "needles.mrk.json"
    write_needle_markups(case_plan(), path)
    scene = slicer.vtkMRMLScene()
    logic = slicer.vtkSlicerMarkupsLogic()
    logic.SetMRMLScene(scene)
    assert logic.LoadMarkups(str(path), "")
    found = {}
    for n in range(scene.GetNumberOfNodesByClass("vtkMRMLMarkupsLineNode")):
        node = scene.GetNthNodeByClass(n, "vtkMRMLMarkupsLineNode")
        points = [node.GetNthControlPointPositionWorld(k) for k in range(node.GetNumberOfControlPoints())]
        labels = [node.GetNthControlPointLabel(k) for k in range(node.GetNumberOfControlPoints())]
        assert labels == ["entry", "target"]
        found[node.GetName()] = np.array(points)
    return found


def test_slicer_loads_every_needle_as_a_line(lines: dict[str, np.ndarray]) -> None:
    assert sorted(lines) == ["L2 right needle", "T12 left needle", "T12 right needle"]


@pytest.mark.parametrize(("level", "side"), NEEDLES)
def test_slicer_puts_entry_and_target_where_the_plan_has_them(
    lines: dict[str, np.ndarray], level: str, side: str
) -> None:
    needle = case_plan().level(level).trajectory(side)
    np.testing.assert_allclose(lines[f"{level} {side} needle"], [needle.entry_ras, needle.target_ras], atol=0.01)


def test_slicer_measures_the_bone_path(lines: dict[str, np.ndarray]) -> None:
    entry, target = lines["T12 left needle"]
    assert np.linalg.norm(target - entry) == pytest.approx(
        case_plan().level("T12").trajectory("left").bone_path_mm, abs=0.01
    )


def test_the_file_says_lps_and_mm_and_names_the_schema() -> None:
    data = needle_markups(case_plan())
    assert data["@schema"].endswith("markups-schema-v1.0.3.json#")
    for line in data["markups"]:
        assert (line["type"], line["coordinateSystem"], line["coordinateUnits"]) == ("Line", "LPS", "mm")
        assert {point["positionStatus"] for point in line["controlPoints"]} == {"defined"}
    assert json.loads(json.dumps(data)) == data


def rows() -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(needle_csv(case_plan()), newline=""), strict=True))


@pytest.mark.parametrize(("index", "level", "side"), [(n, *needle) for n, needle in enumerate(NEEDLES)])
def test_the_table_has_entry_target_and_skin_in_both_systems(index: int, level: str, side: str) -> None:
    row, needle = rows()[index], case_plan().level(level).trajectory(side)
    assert (row["level"], row["side"]) == (level, side)
    for name, point in (("entry", needle.entry_ras), ("target", needle.target_ras), ("skin", needle.skin_ras)):
        assert point is not None
        ras = [float(row[f"{name}_{axis}_ras_mm"]) for axis in "ras"]
        lps = [float(row[f"{name}_{axis}_lps_mm"]) for axis in "lps"]
        np.testing.assert_allclose(ras, point, atol=0.01)
        np.testing.assert_allclose(lps, np.array(point) * (-1, -1, 1), atol=0.01)


def test_the_left_needle_lies_left_in_both_systems() -> None:
    left, right = rows()[:2]
    assert float(left["entry_r_ras_mm"]) < float(right["entry_r_ras_mm"])
    assert float(left["entry_l_lps_mm"]) > float(right["entry_l_lps_mm"])
