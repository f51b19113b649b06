"""One fractured phantom for the whole suite, on any grid, and what a plan of it says in plain numbers."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.spatial.transform import Rotation
from VertebralAugmentationPlannerLib import CasePlan, PlanOptions, plan_case
from VertebralAugmentationPlannerLib.model import CANNULAS, Image, Trajectory
from VertebralAugmentationPlannerLib.sample import SpinePhantom, healthy_spine, make_case

LEVEL = "L1"
MARGIN_MM = 8.0
HEIGHTS = ("anterior_height_mm", "middle_height_mm", "posterior_height_mm")
LENGTHS = (*HEIGHTS, "depth_mm", "width_mm")
ANGLES = ("wedge_angle_deg", "segmental_kyphosis_deg", "gardner_angle_deg")


@cache
def phantom() -> SpinePhantom:
    """T12–L2; L1 lost 30 % of its anterior height."""
    spine = healthy_spine(("T12", "L1", "L2"), anchor=LEVEL)
    return spine.changed(LEVEL, spine.shape(LEVEL).broken(wedge=0.30, superior_share=0.8))


@cache
def labels(turn: tuple[float, float, float] = (0, 0, 0), shift: tuple[float, float, float] = (0, 0, 0)) -> Image:
    """Labels of the phantom at 1 mm, on a grid turned about right, anterior and superior (degrees) and shifted (mm)."""
    direction = Rotation.from_euler("xyz", turn, degrees=True).as_matrix()
    _, image, _ = make_case(phantom(), direction=direction, shift=shift, with_ct=False, margin_mm=MARGIN_MM)
    return image


def plan_of(image: Image) -> CasePlan:
    """The plan of L1 from labels alone."""
    return plan_case(None, image, PlanOptions(levels=LEVEL, labels="totalsegmentator"))


def reordered(image: Image, axes: tuple[int, int, int], flips: tuple[bool, bool, bool]) -> Image:
    """The same picture with its voxels stored in another order."""
    voxels, matrix = np.transpose(image.voxels, axes), image.ijk_to_ras.copy()
    matrix[:3, :3] = matrix[:3, list(axes)]
    for axis, flip in enumerate(flips):
        if flip:
            matrix[:3, 3] += matrix[:3, axis] * (voxels.shape[axis] - 1)
            matrix[:3, axis] *= -1
            voxels = np.flip(voxels, axis)
    return Image(np.ascontiguousarray(voxels), matrix)


def padded(image: Image, before: tuple[int, int, int], after: tuple[int, int, int]) -> Image:
    """The same picture in a larger volume (another crop of the same scan)."""
    matrix = image.ijk_to_ras.copy()
    matrix[:3, 3] = image.to_ras(-np.array(before, float))
    return Image(np.pad(image.voxels, list(zip(before, after, strict=True))), matrix)


def lengths_and_angles(plan: CasePlan) -> tuple[dict[str, float], dict[str, float]]:
    """Everything of L1 measured in mm, and everything measured in degrees."""
    level = plan.level(LEVEL)
    found = level.measurements
    assert found is not None
    millimetres = {name: getattr(found, name) for name in LENGTHS}
    for side in ("left", "right"):
        pedicle = getattr(level.pedicles, side)
        millimetres[f"{side} isthmus width"] = pedicle.isthmus_width_mm
    degrees = {name: getattr(found, name) for name in ANGLES}
    for needle in level.trajectories:
        millimetres |= {
            f"{needle.side} canal clearance": needle.clearance_mm.canal,
            f"{needle.side} pedicle clearance": needle.clearance_mm.pedicle_wall,
            f"{needle.side} tolerated offset": needle.tolerated_offset_mm,
        }
    return millimetres, degrees


def needle_shift(one: Trajectory, other: Trajectory) -> tuple[float, float]:
    """Largest distance between two needles along their bone path (mm), and the angle between them (degrees)."""
    a, b = (np.subtract(needle.target_ras, needle.entry_ras) for needle in (one, other))
    cosine = np.dot(a, b) / (np.linalg.norm(a) * np.linalg.norm(b))
    # An entry may slide along the needle with the cortex; what moves sideways is what matters.
    along = b / np.linalg.norm(b)
    offsets = [
        np.subtract(getattr(one, end), getattr(other, end))
        - np.dot(np.subtract(getattr(one, end), getattr(other, end)), along) * along
        for end in ("entry_ras", "target_ras")
    ]
    return float(max(map(np.linalg.norm, offsets))), float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def room_to_canal_mm(needle: Trajectory) -> float:
    """True distance from the cannula's surface to the phantom's canal, from 30 mm behind the entry to the tip."""
    entry, target = np.array(needle.entry_ras), np.array(needle.target_ras)
    along = (target - entry) / np.linalg.norm(target - entry)
    reach = np.arange(-30.0, float(np.linalg.norm(target - entry)) + 0.1, 0.25)
    distance = phantom().distance_to_canal(entry + reach[:, None] * along)
    return float(distance.min()) - CANNULAS[needle.cannula].radius_mm
