"""With the labels at hand, the report of a saved plan has pictures; with other labels it is refused."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
from plans import case_plan

from VertebralAugmentationPlannerLib.case import load_case
from VertebralAugmentationPlannerLib.model import InputError
from VertebralAugmentationPlannerLib.report import report_command

LABELS = Path(__file__).parents[3] / "sample_data" / "t12-wedge" / "labels.nii.gz"


@pytest.fixture(scope="module")
def plan_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """T12 of the sample case, measured and not planned: enough for the pictures of the record."""
    plan = case_plan()
    level = dataclasses.replace(plan.level("T12"), approach=None, trajectories=(), cement=None, predicted=None)
    path = tmp_path_factory.mktemp("plan") / "plan.json"
    dataclasses.replace(plan, levels=(level,), inputs=load_case(None, str(LABELS)).inputs).save(path)
    return path


def test_the_pictures_are_inside_the_file(plan_path: Path, tmp_path: Path) -> None:
    text = report_command(plan_path, tmp_path / "report.html", segmentation=LABELS).read_text(encoding="utf-8")
    images = re.findall(r'<image href="([^"]{30})', text)
    assert len(images) >= 1
    assert all(image.startswith("data:image/png;base64,") for image in images)
    assert "Mid-sagittal plane of T12" in text
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids)), "a picture's clip path must not be another picture's"


def test_other_labels_than_the_plans_are_refused(plan_path: Path, tmp_path: Path) -> None:
    other = LABELS.parents[1] / "l2-crush" / "labels.nii.gz"
    with pytest.raises(InputError, match="not the ones the plan was made from"):
        report_command(plan_path, tmp_path / "report.html", segmentation=other)
    assert not (tmp_path / "report.html").exists()
