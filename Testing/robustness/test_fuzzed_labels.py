"""Labels as segmentation programs leave them on a bad day. The planner may refuse in words, or plan less; it may not
crash, hang, or hand out a needle that meets the canal, which is known here from the phantom's formulas."""

from __future__ import annotations

import numpy as np
import pytest
from phantoms import LEVEL, labels, phantom, plan_of, room_to_canal_mm
from scipy import ndimage
from VertebralAugmentationPlannerLib import InputError
from VertebralAugmentationPlannerLib.model import Image
from VertebralAugmentationPlannerLib.sample import TOTALSEGMENTATOR

L1, L2, T12 = (TOTALSEGMENTATOR[level] for level in ("L1", "L2", "T12"))
SECONDS = 240
"""Far more than the longest case takes; a search that does not end is stopped here."""


def gnawed(voxels, random):
    """Bites of 2–4 mm all over the surface."""
    surface = np.argwhere((voxels > 0) & ~ndimage.binary_erosion(voxels > 0))
    return without_balls(voxels, surface[random.integers(len(surface), size=25)], random.uniform(2, 4, 25))


def thinned(voxels, random):
    """A layer of one voxel lost on one random side of everything."""
    step = random.choice([-1, 1])
    return np.where(np.roll(voxels, step, axis=int(random.integers(3))) == voxels, voxels, 0)


def islands(voxels, random):
    """Crumbs of every label strewn over the picture."""
    result = voxels.copy()
    for _ in range(40):
        at = [int(random.integers(2, n - 4)) for n in voxels.shape]
        size = random.integers(1, 4, 3)
        box = tuple(slice(a, a + s) for a, s in zip(at, size, strict=True))
        result[box] = np.where(result[box] == 0, random.choice([T12, L1, L2]), result[box])
    return result


def swapped_slices(voxels, random):
    """A scanner that mixed up slices: three pairs of neighbours."""
    result = voxels.copy()
    for k in random.integers(10, voxels.shape[2] - 12, 3):
        result[:, :, [k, k + 1]] = result[:, :, [k + 1, k]]
    return result


def lost_slices(voxels, random):
    """Two slices without a label."""
    result = voxels.copy()
    result[:, :, random.integers(10, voxels.shape[2] - 10, 2)] = 0
    return result


def hollow(voxels, random):
    """Holes of 2–6 mm within the bone, some through its surface."""
    bone = np.argwhere(voxels > 0)
    return without_balls(voxels, bone[random.integers(len(bone), size=30)], random.uniform(2, 6, 30))


def merged(voxels, random):
    """The lower third of L1 carries the label of L2."""
    where = np.argwhere(voxels == L1)
    limit = np.quantile(where[:, 2], random.uniform(0.15, 0.35))
    result = voxels.copy()
    result[(voxels == L1) & (np.arange(voxels.shape[2]) < limit)] = L2
    return result


def fused(voxels, random):
    """L1 and L2 are one label."""
    return np.where(voxels == L2, L1, voxels)


def without_arch(voxels, random):
    """Only the bodies were labelled."""
    return behind_cut(voxels, 0.62)


def without_laminae(voxels, random):
    """Nothing is labelled behind the pedicles: the ring is open."""
    return behind_cut(voxels, 0.35)


def half_an_arch(voxels, random):
    """One half of the arch of L1 is missing."""
    where = np.argwhere(voxels == L1)
    middle, back = np.median(where[:, 0]), np.quantile(where[:, 1], 0.45)
    i, j, _ = np.indices(voxels.shape, sparse=True)
    side = i < middle if random.random() < 0.5 else i > middle
    return np.where((voxels == L1) & side & (j < back), 0, voxels)


def filled_canal(voxels, random):
    """The canal of L1 carries its label."""
    points = labels().to_ras(np.argwhere(np.ones(voxels.shape, bool))).reshape(*voxels.shape, 3)
    result = voxels.copy()
    where = np.argwhere(voxels == L1)
    result[(phantom().distance_to_canal(points) < 0) & _between(voxels.shape, where[:, 2])] = L1
    return result


def spurs(voxels, random):
    """Bars of bone label into the canal and out of the body."""
    result = voxels.copy()
    where = np.argwhere(voxels == L1)
    for start in where[random.integers(len(where), size=8)]:
        direction = random.normal(size=3)
        for t in np.arange(0, 14, 0.5):
            at = np.round(start + t * direction / np.linalg.norm(direction)).astype(int)
            if np.all(at >= 0) and np.all(at < voxels.shape):
                result[tuple(at)] = L1
    return result


def noise(voxels, random):
    """Every hundredth voxel is wrong."""
    wrong = random.random(voxels.shape) < 0.01
    return np.where(wrong, random.choice([0, T12, L1, L2], size=voxels.shape), voxels)


def without_balls(voxels, centres, radii):
    """The labels with balls (voxels) cut out."""
    result = voxels.copy()
    for centre, radius in zip(centres, radii, strict=True):
        low = np.maximum(np.floor(centre - radius).astype(int), 0)
        high = np.minimum(np.ceil(centre + radius).astype(int) + 1, voxels.shape)
        box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        away = np.indices(high - low).T.swapaxes(0, 2) + low - centre
        result[box][(away**2).sum(axis=-1) <= radius**2] = 0
    return result


def behind_cut(voxels, share):
    """The labels without the part behind a coronal plane (share of the depth from behind)."""
    where = np.argwhere(voxels > 0)[:, 1]
    limit = where.min() + share * np.ptp(where)
    return np.where(np.arange(voxels.shape[1])[None, :, None] < limit, 0, voxels)


def _between(shape, levels):
    k = np.arange(shape[2])
    return (k >= levels.min()) & (k <= levels.max())


DAMAGES = (
    gnawed,
    thinned,
    islands,
    swapped_slices,
    lost_slices,
    hollow,
    merged,
    fused,
    without_arch,
    without_laminae,
    half_an_arch,
    filled_canal,
    spurs,
    noise,
)


@pytest.mark.timeout(SECONDS)
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_damaged_labels_never_give_a_needle_that_meets_the_canal(damage):
    random = np.random.default_rng(sum(map(ord, damage.__name__)))
    whole = labels()
    damaged = np.ascontiguousarray(damage(whole.voxels, random)).astype(whole.voxels.dtype)
    assert not np.array_equal(damaged, whole.voxels)
    try:
        plan = plan_of(Image(damaged, whole.ijk_to_ras))
    except InputError as refusal:
        assert len(str(refusal)) > 20  # in words
        return
    level = plan.level(LEVEL)
    if not level.complete:
        assert level.trajectories == ()
        assert any(warning.code == "incomplete" for warning in level.warnings)
    if level.complete and not level.trajectories:
        assert level.skipped_sides or level.approach_reason
    for needle in level.trajectories:
        if needle.safety != "breach":
            assert room_to_canal_mm(needle) > 0, f"the {needle.side} needle meets the canal"


def test_the_check_itself_sees_a_needle_in_the_canal():
    """A test that cannot fail proves nothing: a needle pushed towards the canal is found out."""
    from dataclasses import replace

    needle = plan_of(labels()).level(LEVEL).trajectories[0]
    assert room_to_canal_mm(needle) > 0
    inward = 12.0 if needle.side == "left" else -12.0
    pushed = replace(
        needle,
        entry_ras=(needle.entry_ras[0] + inward, *needle.entry_ras[1:]),
        target_ras=(needle.target_ras[0] + inward, *needle.target_ras[1:]),
    )
    assert room_to_canal_mm(pushed) < 0
