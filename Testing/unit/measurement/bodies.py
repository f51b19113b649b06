"""Hand-made vertebrae whose heights, angles and volumes are known: plates are surfaces over an elliptic footprint."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from scipy import ndimage
from VertebralAugmentationPlannerLib.model import (
    Case,
    EndPlate,
    Frame,
    Image,
    ImageRecord,
    Inputs,
    LocalGrid,
    Spine,
    Vertebra,
)

DEPTH, WIDTH = 32.0, 44.0
SPACING = 0.7

Surface = Callable[[np.ndarray, np.ndarray], np.ndarray]


def plate(surface: Surface, grid: LocalGrid) -> EndPlate:
    """An end plate from z = surface(x, y)."""
    x, y, _ = grid.axes
    px, py = np.meshgrid(x, y, indexing="ij")
    height = np.where((2 * px / WIDTH) ** 2 + (2 * py / DEPTH) ** 2 <= 1.0, surface(px, py), np.nan)
    rims = [np.array([0.0, at, float(surface(np.array(0.0), np.array(at)))]) for at in (DEPTH / 2, 0.0, -DEPTH / 2)]
    return EndPlate(rims[0], rims[1], rims[2], np.array([0.0, 0.0, 1.0]), height, x, y)


@cache
def body(
    level: str,
    anterior: float,
    posterior: float,
    middle: float | None = None,
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0),
    tilt_deg: float = 0.0,
    bump_mm: float = 0.0,
) -> Vertebra:
    """A body with straight or dished plates, symmetric up and down. Shared between tests: change copies only.

    Args:
        middle: middle height; None for straight plates.
        origin: RAS of the body's middle; tilt_deg: rotation about the right axis (forwards positive: kyphosis below).
        bump_mm: Gaussian bulge of the posterior wall (SD 4 mm high, 6 mm wide) at mid-height.
    """
    turn = np.radians(-tilt_deg)
    frame = Frame(
        np.array(origin),
        np.array([1.0, 0.0, 0.0]),
        np.array([0.0, np.cos(turn), np.sin(turn)]),
        np.array([0.0, -np.sin(turn), np.cos(turn)]),
    )
    reach = np.array([WIDTH / 2, DEPTH / 2, max(anterior, posterior) / 2]) + 9.0
    shape = tuple(int(n) for n in np.ceil(2 * reach / SPACING) + 1)
    grid = LocalGrid(-reach, SPACING, (shape[0], shape[1], shape[2]))
    dish = 0.0 if middle is None else ((anterior + posterior) / 2 - middle) / 2

    def half(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        straight = (posterior + (anterior - posterior) * (y + DEPTH / 2) / DEPTH) / 2
        return straight - dish * (1.0 - (2 * y / DEPTH) ** 2)

    points = grid.points()
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    gx, _, gz = grid.axes
    bump = bump_mm * np.exp(-0.5 * ((gx[:, None] / 6.0) ** 2 + (gz[None, :] / 4.0) ** 2))
    wall = -DEPTH / 2 * np.sqrt(np.clip(1.0 - (2 * gx / WIDTH) ** 2, 0.0, 1.0))[:, None] - bump
    ellipse = (2 * x / WIDTH) ** 2 + (2 * y / DEPTH) ** 2 <= 1.0
    inside = (ellipse | ((y < 0) & (y > wall[:, None, :]))) & (np.abs(z) <= half(x, y))
    distance = (ndimage.distance_transform_edt(inside) - ndimage.distance_transform_edt(~inside)) * SPACING
    return Vertebra(
        level=level,
        complete=True,
        frame=frame,
        grid=grid,
        bone_mm=distance.astype(np.float32),
        body=inside,
        posterior_wall_mm=wall,
        superior=plate(half, grid),
        inferior=plate(lambda a, b: -half(a, b), grid),
        depth_mm=DEPTH,
        width_mm=WIDTH,
        mid_walls_mm=(-DEPTH / 2 - bump_mm, DEPTH / 2),
        body_volume_ml=float(inside.sum() * SPACING**3 / 1000),
    )


def incomplete(level: str) -> Vertebra:
    """A vertebra that the border cuts."""
    return Vertebra(level=level, complete=False, incomplete_reason="cut by the image border")


def spine_of(*vertebrae: Vertebra) -> Spine:
    """A spine from head to foot."""
    return Spine({vertebra.level: vertebra for vertebra in vertebrae})


def case_of(ct: Image | None = None, spacing_mm: float = 1.0) -> Case:
    """A case around a CT; the labels matter for their voxel size only."""
    labels = Image(np.zeros((2, 2, 2), np.uint8), np.diag([spacing_mm, spacing_mm, spacing_mm, 1.0]))
    record = ImageRecord("labels.nii.gz", None, (2, 2, 2), (spacing_mm,) * 3)
    return Case(ct, labels, {}, Inputs(None, record))


def ct_of(vertebra: Vertebra, trabecular: float = 100.0, shell: float = 400.0, outside: float = 40.0) -> Image:
    """A CT in RAS at 1 mm around one hand-made body, with a cortical shell of about 1.5 mm."""
    assert vertebra.frame is not None and vertebra.grid is not None and vertebra.bone_mm is not None
    half = np.array([31, 26, 27])
    matrix = np.eye(4)
    matrix[:3, 3] = vertebra.frame.origin_ras - half
    image = Image(np.zeros(tuple(2 * half + 1)), matrix)
    index = np.stack(np.meshgrid(*[np.arange(2 * n + 1) for n in half], indexing="ij"), axis=-1)
    local = vertebra.frame.to_local(image.to_ras(index))
    inside = vertebra.grid.sample(vertebra.bone_mm, local)
    hu = np.where(inside > 1.5, trabecular, np.where(inside > 0, shell, outside))
    return Image(ndimage.gaussian_filter(hu.astype(float), 0.5), matrix)
