"""The cases that ship: named, whole, reproducible, and what they say they are."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from VertebralAugmentationPlannerLib.model import CANNULAS, InputError
from VertebralAugmentationPlannerLib.sample import SAMPLES, TOTALSEGMENTATOR, write_sample

COMMITTED = Path(__file__).resolve().parents[3] / "sample_data"
LIMIT_BYTES = 3_000_000


def truth(name: str) -> dict:
    return json.loads((COMMITTED / name / "truth.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_regeneration_gives_the_committed_files(name: str, tmp_path: Path) -> None:
    files = write_sample(name, tmp_path / "new")
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["ct.nii.gz", "labels.nii.gz", "truth.json"]
    for new in (files.ct, files.labels):
        old, fresh = sitk.ReadImage(str(COMMITTED / name / new.name)), sitk.ReadImage(str(new))
        assert fresh.GetSize() == old.GetSize()
        assert np.allclose(fresh.GetOrigin(), old.GetOrigin(), atol=1e-4)
        assert np.allclose(fresh.GetDirection(), old.GetDirection(), atol=1e-6)
        difference = np.abs(sitk.GetArrayFromImage(fresh).astype(int) - sitk.GetArrayFromImage(old).astype(int))
        # One HU for another machine's last digit in exp and pow; labels must be the same voxel by voxel.
        assert difference.max() <= (1 if new == files.ct else 0)
    assert json.loads(files.truth.read_text(encoding="utf-8")) == truth(name)


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_samples_are_small(name: str) -> None:
    assert sum(path.stat().st_size for path in (COMMITTED / name).iterdir()) < LIMIT_BYTES


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_only_the_levels_called_incomplete_touch_the_border(name: str) -> None:
    labels = sitk.GetArrayFromImage(sitk.ReadImage(str(COMMITTED / name / "labels.nii.gz")))
    border = np.ones(labels.shape, bool)
    border[1:-1, 1:-1, 1:-1] = False
    touching = set(np.unique(labels[border])) - {0}
    levels = truth(name)["levels"]
    assert touching == {TOTALSEGMENTATOR[level] for level, known in levels.items() if not known["complete"]}
    assert set(np.unique(labels)) - {0} == {TOTALSEGMENTATOR[level] for level in levels}


def test_t12_is_a_severe_wedge_with_a_cleft() -> None:
    t12 = truth("t12-wedge")["levels"]["T12"]
    assert (t12["fracture_shape"], t12["genant_grade"]) == ("wedge", 3)
    assert t12["height_loss_percent"]["anterior"] == pytest.approx(42.0)
    assert t12["height_loss_against_neighbours_percent"]["anterior"] == pytest.approx(42.0, abs=2.0)
    assert t12["cleft_volume_ml"] > 0.05


def test_l1_is_biconcave_and_l3_a_wedge() -> None:
    levels = truth("l1-biconcave-l3-wedge")["levels"]
    assert (levels["L1"]["fracture_shape"], levels["L1"]["genant_grade"]) == ("biconcave", 2)
    assert (levels["L3"]["fracture_shape"], levels["L3"]["genant_grade"]) == ("wedge", 2)
    assert levels["L2"]["fracture_shape"] == "none"


def test_l2_is_crushed_and_its_left_pedicle_too_thin_for_the_thinnest_cannula() -> None:
    l2 = truth("l2-crush")["levels"]["L2"]
    assert (l2["fracture_shape"], l2["genant_grade"]) == ("crush", 2)
    assert l2["posterior_wall_retropulsion_mm"] > 1.5
    thinnest = min(cannula.outer_diameter_mm for cannula in CANNULAS.values())
    assert l2["pedicles"]["left"]["isthmus_width_mm"] < thinnest
    assert l2["pedicles"]["right"]["isthmus_width_mm"] > CANNULAS["8G"].outer_diameter_mm + 2.0
    assert l2["pedicles"]["left"]["centre_ras"][0] < l2["pedicles"]["right"]["centre_ras"][0]


def test_an_unknown_sample_is_refused_with_the_list(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"t12-wedge.*l1-biconcave-l3-wedge.*l2-crush"):
        write_sample("t12-wegde", tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(InputError):
        write_sample("t12-wedge", tmp_path / place)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_failure_half_way_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from VertebralAugmentationPlannerLib.sample import cases

    def full_disc(*_: object) -> None:
        raise OSError(28, "No space left on device")

    small = cases.Sample("one vertebra", lambda: cases.healthy_spine(("L2",)))
    monkeypatch.setitem(cases.SAMPLES, "l2-crush", small)
    monkeypatch.setattr(cases, "write_nifti", full_disc)
    with pytest.raises(InputError, match="No space left"):
        write_sample("l2-crush", tmp_path / "new")
    assert not (tmp_path / "new").exists() or list((tmp_path / "new").iterdir()) == []
