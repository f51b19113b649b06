"""How fast the pictures are, on one core, in seconds of that core: others at work on the machine don't count."""

import time

import numpy as np
import pytest

from VertebralAugmentationPlannerLib.imaging import CArmPose, Fluoroscope
from VertebralAugmentationPlannerLib.model import Image

pytestmark = pytest.mark.benchmark_table

FRAMES_PER_SECOND = 10
"""“Fast enough to follow a slider”: 10 pictures a second at 256 × 256."""
SETUP_S = 5.0
"""Once a level, on a whole-body CT."""


@pytest.fixture(scope="module")
def trunk() -> Image:
    """512 × 512 × 400 voxels of 0.7 × 0.7 × 1 mm, a body of 32 × 22 cm with a column of bone."""
    x, y = np.meshgrid((np.arange(512) - 256) * 0.7, (np.arange(512) - 256) * 0.7, indexing="ij")
    slab = np.full((512, 512), -1000, np.int16)
    slab[(x / 160) ** 2 + (y / 110) ** 2 <= 1] = 40
    slab[x**2 + (y + 40) ** 2 <= 20**2] = 300
    matrix = np.diag([0.7, 0.7, 1.0, 1.0])
    matrix[:3, 3] = [-179, -179, -200]
    return Image(np.repeat(slab[:, :, None], 400, axis=2), matrix)


def quickest(job, times=7) -> float:
    """Seconds of the quickest of several runs: the least disturbed by others on the machine."""
    best = np.inf
    for _ in range(times):
        start = time.process_time()
        job()
        best = min(best, time.process_time() - start)
    return best


def test_live_fluoroscopy_follows_a_slider(trunk, record_property):
    start = time.process_time()
    scope = Fluoroscope(trunk, np.array([0.0, -40.0, 0.0]))
    setup = time.process_time() - start
    record_property("setup_s", round(setup, 2))
    assert setup < SETUP_S
    for name, angles in {"AP": (0, 0), "oblique": (-25, 10), "steep": (-45, 15), "lateral": (-90, 0)}.items():
        pose = CArmPose(*angles, isocentre_ras=np.array([0.0, -40.0, 0.0]), size_px=256)
        scope.frame(pose)  # the volume is laid out once for each of the three axes
        seconds = quickest(lambda pose=pose: scope.frame(pose))
        record_property(f"{name}_frames_per_s", round(1 / seconds, 1))
        print(f"{name}: {seconds * 1e3:.0f} ms a picture, {1 / seconds:.0f} a second; set-up {setup:.1f} s")
        assert 1 / seconds >= FRAMES_PER_SECOND, name
