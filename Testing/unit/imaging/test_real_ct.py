"""Simulated fluoroscopy of real spines. The CTs are tight crops: what lies around them is assumed."""

import numpy as np
import pytest

from real_spines import real_case, real_spine
from VertebralAugmentationPlannerLib.imaging import Fluoroscope, true_ap, true_lateral
from VertebralAugmentationPlannerLib.imaging.overlay import inside_polygon

LEVELS = [("verse005", "L2"), ("verse008", "L2")]


@pytest.fixture(scope="module", params=LEVELS, ids=[f"{name}-{level}" for name, level in LEVELS])
def real(request):
    name, level = request.param
    vertebra = real_spine(name).vertebrae[level]
    return vertebra, Fluoroscope(real_case(name).ct, vertebra.frame.origin_ras, voxel_mm=1.0)


def test_a_tight_crop_is_recognised(real):
    assert real[1].cropped


def test_in_true_ap_the_end_plates_are_dark_lines(real):
    vertebra, scope = real
    pose = true_ap(vertebra, detector_mm=160)
    frame = scope.frame(pose).astype(float)
    for plate, towards_disc in ((vertebra.superior, -1), (vertebra.inferior, 1)):
        # Half-way between the midline and the side, away from the processes: disc, plate, marrow.
        columns = [pose.project(vertebra.frame.to_ras(plate.centre + [x, 0, 0])) for x in (-9, -6, 6, 9)]
        profiles = [
            frame[round(row) - 24 : round(row) + 25, round(column) - 2 : round(column) + 3].mean(axis=1)
            for column, row in columns
        ]
        profile = np.mean(profiles, axis=0)
        line = np.argmin(profile[12:37]) + 12
        assert abs(line - 24) * pose.mm_per_px < 3.0, "the dark line is not where the end plate was fitted"
        disc = profile[24 + towards_disc * 18 :][:6].mean() if towards_disc > 0 else profile[:8].mean()
        assert profile[line] < disc - 15


def test_in_true_lateral_the_foramen_is_bright_and_the_body_darker(real):
    vertebra, scope = real
    pose = true_lateral(vertebra, detector_mm=160)
    frame = scope.frame(pose).astype(float)
    size = np.arange(pose.size_px)
    pixels = np.stack(np.meshgrid(size, size), axis=-1).reshape(-1, 2).astype(float)
    wall = float(vertebra.superior.posterior_rim[1] + vertebra.inferior.posterior_rim[1]) / 2
    low = vertebra.inferior.posterior_rim[2]

    def mean_of(corners):
        outline = pose.project(vertebra.frame.to_ras(corners))
        return frame.reshape(-1)[inside_polygon(pixels, outline)].mean()

    body = mean_of([[0, wall + y, low + z] for y, z in ((6, 6), (20, 6), (20, 18), (6, 18))])
    foramen = mean_of([[0, wall + y, low + z] for y, z in ((-3, 0), (-9, 0), (-9, 7), (-3, 7))])
    assert foramen > body + 10
