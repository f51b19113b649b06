"""Files as a user would have them, made from the toy spine of the reading tests and the plan of the report's tests."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

TESTING = Path(__file__).parents[1]
for folder in (TESTING / "cli", TESTING / "unit" / "case", TESTING / "unit" / "report"):
    sys.path.insert(0, str(folder))

from checked_wedge import images, spine_of_the_wedge  # noqa: E402
from dicom_writer import write_series  # noqa: E402
from image_files import write_image  # noqa: E402
from toy_spine import ct_of, spine_labels  # noqa: E402

from VertebralAugmentationPlannerLib import anatomy, report  # noqa: E402
from VertebralAugmentationPlannerLib.cli import main  # noqa: E402
from VertebralAugmentationPlannerLib.model import CasePlan  # noqa: E402
from VertebralAugmentationPlannerLib.report import write_report  # noqa: E402


@pytest.fixture(scope="session")
def files(tmp_path_factory) -> dict[str, Path]:
    """A usable CT and label map, and one file for each thing that can be wrong with them."""
    folder = tmp_path_factory.mktemp("files")
    labels, matrix = spine_labels([19, 20, 21])
    ct = ct_of(labels)

    def save(name: str, array: np.ndarray, where: np.ndarray = matrix) -> Path:
        return write_image(folder / f"{name}.nii.gz", array, where)

    far = matrix.copy()
    far[0, 3] += 500
    broken = ct.astype(np.float32)
    broken[5, 5, 5] = np.nan
    twice = np.zeros((190, *labels.shape[1:]), np.uint8)
    twice[:70], twice[120:] = labels, labels
    cut, cut_matrix = spine_labels(
        [20, 21], (70, 120, 50), np.array([[1, 0, 0, -23], [0, 1, 0, -100], [0, 0, 1, 257], [0, 0, 0, 1.0]])
    )
    made = {
        "ct": save("ct", ct),
        "labels": save("labels", labels),
        "far": save("far", ct, far),
        "nan": save("nan", broken),
        "stored": save("stored", (ct + 1024).astype(np.uint16)),
        "constant": save("constant", np.full_like(ct, 40)),
        "organs": save("organs", np.where(labels > 0, 5, 0).astype(np.uint8)),
        "empty": save("empty", np.zeros_like(labels)),
        "twice": save("twice", twice),
        "cut": write_image(folder / "cut.nii.gz", cut, cut_matrix),
        "swapped": save("swapped", spine_labels([19, 21, 20])[0]),
        "text": folder / "letter.txt",
        "other": folder / "other.json",
        "no_plan": folder / "no_plan.json",
    }
    made["text"].write_text("dear colleague\n")
    made["other"].write_text(json.dumps({"schema": "vertebral-augmentation-plan/99"}))
    made["no_plan"].write_text("{")
    volumes = [sitk.ReadImage(str(made["ct"]))] * 2
    sitk.WriteImage(sitk.JoinSeries(volumes), str(folder / "four.nii.gz"))
    made["four"] = folder / "four.nii.gz"
    sitk.WriteImage(
        sitk.Compose([sitk.Cast(v, sitk.sitkUInt8) for v in [*volumes, volumes[0]]]), str(folder / "rgb.mha")
    )
    made["colour"] = folder / "rgb.mha"
    made |= _dicom_folders(folder)
    return made


def _dicom_folders(folder: Path) -> dict[str, Path]:
    def shifted(data, k):
        x, y, z = data.ImagePositionPatient
        data.ImagePositionPatient = [x, y, float(z) + 0.9 * (k == 3)]

    def short(data, k):
        data.PixelData = data.PixelData[: 100 if k == 3 else None]

    write_series(folder / "short", change=short)
    write_series(folder / "missing", change=lambda data, k: k != 3)
    write_series(folder / "uneven", change=shifted)
    write_series(folder / "two" / "a", number=1, description="Bone")
    write_series(folder / "two" / "b", number=2, description="Soft")
    return {name: folder / name for name in ("missing", "uneven", "two", "short")}


@pytest.fixture(scope="session")
def wedge(tmp_path_factory) -> tuple[int, Path]:
    """Exit status and folder of the T12 wedge, planned as it comes."""
    out = tmp_path_factory.mktemp("wedge") / "out"
    return main(["plan", *images("t12-wedge"), "-o", str(out), "--quiet"]), out


@pytest.fixture
def anatomy_kept(monkeypatch):
    """The anatomy of the T12 wedge is built once for all checks of it, and no picture of it is drawn."""
    monkeypatch.setattr(anatomy, "build_spine", lambda case, *rest: spine_of_the_wedge())
    monkeypatch.setattr(report, "write_report", lambda plan, path, *_: write_report(plan, path))


@pytest.fixture
def plan(wedge) -> CasePlan:
    return CasePlan.load(wedge[1] / "plan.json")
