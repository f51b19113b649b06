"""The sample cases that ship, and one call that turns any phantom into images and truth."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from ..model import Image, InputError
from .picture import corners, grid
from .render import draw
from .shape import CorticalDefect
from .spine import SpinePhantom, healthy_spine
from .truth import truth_of


@dataclass(frozen=True)
class SampleFiles:
    """What :func:`write_sample` wrote."""

    ct: Path
    labels: Path
    truth: Path


@dataclass(frozen=True)
class Sample:
    """A sample case: what it shows, and the phantom behind it."""

    title: str
    build: Callable[[], SpinePhantom]


def make_case(
    phantom: SpinePhantom,
    spacing: tuple[float, float, float] = (1.0, 1.0, 1.0),
    direction: NDArray | None = None,
    shift: tuple[float, float, float] = (0.0, 0.0, 0.0),
    order: str = "RAS",
    numbering: dict[str, int] | str = "totalsegmentator",
    with_ct: bool = True,
    margin_mm: float | None = None,
) -> tuple[Image | None, Image, dict[str, Any]]:
    """CT, labels and truth of a phantom on any grid.

    Args:
        spacing: voxel size along i, j, k, mm.
        direction: 3 × 3 rotation of the grid against RAS.
        shift: of the grid, RAS mm.
        order: where i, j, k grow to, such as "RAS" or "LPI".
        numbering: "totalsegmentator", "verse" or a dictionary from level to value.
        with_ct: False for the labels alone, in half the time.
        margin_mm: crop tightly around the bone, with this margin (no skin); None for the picture with skin.
    """
    box = None
    if margin_mm is not None:
        boxes = [_bone_box(phantom, level) for level in phantom.levels if level not in phantom.cut]
        box = (
            np.min([low for low, _ in boxes], axis=0) - margin_mm,
            np.max([high for _, high in boxes], axis=0) + margin_mm,
        )
    size, matrix = grid(phantom, spacing, order, direction, shift, box)
    ct, labels = draw(phantom, size, matrix, numbering, with_ct)
    return ct, labels, truth_of(phantom)


def _bone_box(phantom: SpinePhantom, level: str) -> tuple[NDArray, NDArray]:
    low, high = phantom.local_box(level, margin_mm=0.0)
    world = phantom.vertebrae[level].frame.to_ras(corners(low, high))
    return world.min(axis=0), world.max(axis=0)


def t12_wedge() -> SpinePhantom:
    """T12 wedge fracture of 42 %, upper end plate, in T10–L2; T9 and L3 are cut by the border."""
    phantom = healthy_spine(("T9", "T10", "T11", "T12", "L1", "L2", "L3"), cut=("T9", "L3"), anchor="T12", seed=12)
    broken = phantom.shape("T12").broken(
        wedge=0.42,
        superior_share=0.85,
        density_gain_hu=35.0,
        cleft_semi_mm=(7.0, 4.5, 1.6),
        cleft_centre=(0.0, 0.35, 0.25),
    )
    return phantom.changed("T12", broken)


def l1_biconcave_l3_wedge() -> SpinePhantom:
    """L1 biconcave fracture (30 % in the middle) and L3 wedge (28 %), in T12–L4; T11 and L5 are cut by the border."""
    phantom = healthy_spine(
        ("T11", "T12", "L1", "L2", "L3", "L4", "L5"), sex="female", cut=("T11", "L5"), anchor="L2", seed=31
    )
    l1 = phantom.shape("L1").broken(biconcave=0.30, density_gain_hu=30.0)
    l3 = phantom.shape("L3").broken(wedge=0.28, superior_share=0.7, density_gain_hu=25.0)
    return phantom.changed("L1", l1).changed("L3", l3)


def l2_crush() -> SpinePhantom:
    """L2 crush fracture with a bulging posterior wall and a left pedicle of 2.2 mm, in T12–L4."""
    phantom = healthy_spine(("T11", "T12", "L1", "L2", "L3", "L4", "L5"), cut=("T11", "L5"), anchor="L2", seed=2)
    shape = phantom.shape("L2").broken(crush=0.32, wedge=0.06, retropulsion_mm=3.0, density_gain_hu=45.0)
    shape = shape.with_pedicle("left", isthmus_width_mm=2.2, isthmus_height_mm=9.0)
    shape = replace(shape, defects=(CorticalDefect("superior", (0.25, 0.3), 3.0),))
    return phantom.changed("L2", shape)


SAMPLES: dict[str, Sample] = {
    "t12-wedge": Sample("T12 wedge fracture of 42 % with a gas cleft; T10–L2", t12_wedge),
    "l1-biconcave-l3-wedge": Sample("L1 biconcave and L3 wedge fracture in one spine; T12–L4", l1_biconcave_l3_wedge),
    "l2-crush": Sample("L2 crush fracture, retropulsion, left pedicle too thin for any cannula; T12–L4", l2_crush),
}
"""The cases behind ``vap sample``."""


def write_sample(name: str, directory: str | os.PathLike[str]) -> SampleFiles:
    """Write ct.nii.gz, labels.nii.gz (TotalSegmentator numbering) and truth.json of a sample case into a folder.

    The folder is made where it is missing. The three files appear together or not at all; the same name always gives
    the same files.

    Raises:
        InputError: no such sample (the message lists them), or the folder cannot be written.

    """
    if name not in SAMPLES:
        raise InputError(f"There is no sample “{name}”; choose one of {', '.join(SAMPLES)}.")
    target = Path(directory)
    if target.exists() and not target.is_dir():
        raise InputError(f"{target} is a file; name a folder for the sample.")
    try:
        target.mkdir(parents=True, exist_ok=True)
        workshop = Path(tempfile.mkdtemp(dir=target, prefix=".sample-"))
    except OSError as error:
        raise InputError(f"The folder {target} cannot be written: {error.strerror}.") from error
    names = SampleFiles(target / "ct.nii.gz", target / "labels.nii.gz", target / "truth.json")
    try:
        ct, labels, known = make_case(SAMPLES[name].build())
        assert ct is not None
        write_nifti(ct, workshop / names.ct.name)
        write_nifti(labels, workshop / names.labels.name)
        text = json.dumps({"sample": name, "title": SAMPLES[name].title, **known}, indent=1, ensure_ascii=False)
        (workshop / names.truth.name).write_text(text + "\n", encoding="utf-8")
        for path in (names.ct, names.labels, names.truth):
            os.replace(workshop / path.name, path)
    except OSError as error:
        raise InputError(f"The folder {target} cannot be written: {error.strerror}.") from error
    finally:
        shutil.rmtree(workshop, ignore_errors=True)
    return names


def write_nifti(image: Image, path: Path) -> None:
    """Write an image; RAS becomes ITK's LPS on the way."""
    volume = sitk.GetImageFromArray(np.ascontiguousarray(image.voxels.transpose(2, 1, 0)))
    flip = np.diag([-1.0, -1.0, 1.0])
    spacing = image.spacing_mm
    volume.SetSpacing([float(value) for value in spacing])
    volume.SetOrigin([float(value) for value in flip @ image.ijk_to_ras[:3, 3]])
    volume.SetDirection([float(value) for value in (flip @ image.ijk_to_ras[:3, :3] / spacing).ravel()])
    sitk.WriteImage(volume, str(path), useCompression=True)


__all__ = ["SAMPLES", "Sample", "SampleFiles", "make_case", "write_nifti", "write_sample"]
