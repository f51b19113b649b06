"""A vertebra of plain solids: every answer can be worked out with a pencil."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import ndimage
from VertebralAugmentationPlannerLib.model import (
    BalloonPlan,
    CArm,
    Clearance,
    EndPlate,
    Frame,
    Image,
    LocalGrid,
    Pedicle,
    Trajectory,
    Vertebra,
)

BODY_WIDTH, BODY_DEPTH, BODY_HEIGHT = 40.0, 30.0, 26.0
PEDICLE_X, PEDICLE_WIDTH, PEDICLE_HEIGHT, PEDICLE_Z = 14.0, 9.0, 15.0, 4.0
CANAL_WIDTH, CANAL_DEPTH = 19.0, 16.0
POSTERIOR_WALL_Y = -BODY_DEPTH / 2


def rotation(right_deg: float = 0.0, anterior_deg: float = 0.0, superior_deg: float = 0.0) -> np.ndarray:
    """Rotation about the RAS axes, first right, then anterior, then superior."""
    a, b, c = np.radians([right_deg, anterior_deg, superior_deg])
    x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return z @ y @ x


def solid_parts(points: np.ndarray) -> dict[str, np.ndarray]:
    """Masks of body, pedicles, arch and canal at local points (…, 3)."""
    x, y, z = np.moveaxis(points, -1, 0)
    body = ((x / (BODY_WIDTH / 2)) ** 2 + (y / (BODY_DEPTH / 2)) ** 2 <= 1) | (
        (np.abs(x) <= BODY_WIDTH / 2 - 3) & (y <= 0) & (y >= -BODY_DEPTH / 2)
    )
    body &= np.abs(z) <= BODY_HEIGHT / 2
    ellipse = ((np.abs(x) - PEDICLE_X) / (PEDICLE_WIDTH / 2)) ** 2 + ((z - PEDICLE_Z) / (PEDICLE_HEIGHT / 2)) ** 2
    behind = POSTERIOR_WALL_Y
    pedicles = (ellipse <= 1) & (y <= behind + 1) & (y >= behind - 14)
    lamina = (np.abs(y - (behind - CANAL_DEPTH - 3)) <= 3) & (np.abs(x) <= 19) & (z <= 10) & (z >= -12)
    facets = (np.abs(np.abs(x) - 15.5) <= 4.5) & (np.abs(y - (behind - 15)) <= 5) & (z <= 12) & (z >= -12)
    spinous = (np.abs(x) <= 2.5) & (y <= behind - CANAL_DEPTH - 3) & (y >= behind - 48) & (np.abs(z + 5) <= 6)
    canal = (x / (CANAL_WIDTH / 2)) ** 2 + ((y - behind + CANAL_DEPTH / 2) / (CANAL_DEPTH / 2)) ** 2 <= 1
    bone = (body | pedicles | lamina | facets | spinous) & ~canal
    return {"bone": bone, "body": body, "canal": canal}


def end_plate(z: float) -> EndPlate:
    x, y = np.arange(-18.0, 18.5, 2), np.arange(-14.0, 14.5, 2)
    return EndPlate(
        anterior_rim=np.array([0, BODY_DEPTH / 2, z]),
        centre=np.array([0, 0, z]),
        posterior_rim=np.array([0, -BODY_DEPTH / 2, z]),
        normal=np.array([0.0, 0.0, 1.0]),
        height_mm=np.full((len(x), len(y)), z),
        x_mm=x,
        y_mm=y,
    )


def make_vertebra(frame: Frame, level: str = "L1", spacing: float = 0.75) -> Vertebra:
    grid = LocalGrid(
        np.array([-33.0, -66.0, -24.0]),
        spacing,
        (round(66 / spacing) + 1, round(87 / spacing) + 1, round(48 / spacing) + 1),
    )
    parts = solid_parts(grid.points())

    def distance(mask: np.ndarray) -> np.ndarray:
        inside, outside = ndimage.distance_transform_edt(mask), ndimage.distance_transform_edt(~mask)
        return (np.where(mask, inside - 0.5, 0.5 - outside) * spacing).astype(np.float32)

    pedicles = {}
    for side, sign in (("left", -1), ("right", 1)):
        angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
        centre = np.array([sign * PEDICLE_X, POSTERIOR_WALL_Y - 5, PEDICLE_Z])
        ring = np.stack([PEDICLE_WIDTH / 2 * np.cos(angle), 0 * angle, PEDICLE_HEIGHT / 2 * np.sin(angle)], axis=-1)
        pedicles[side] = Pedicle(side, centre, np.array([0.0, 1.0, 0.0]), PEDICLE_WIDTH, PEDICLE_HEIGHT, centre + ring)
    return Vertebra(
        level=level,
        complete=True,
        frame=frame,
        grid=grid,
        bone_mm=distance(parts["bone"]),
        body=parts["body"],
        canal_mm=-distance(parts["canal"]),
        neighbour_mm=np.full(grid.shape, 20.0, np.float32),
        posterior_wall_mm=np.full((grid.shape[0], grid.shape[2]), POSTERIOR_WALL_Y),
        superior=end_plate(BODY_HEIGHT / 2),
        inferior=end_plate(-BODY_HEIGHT / 2),
        depth_mm=BODY_DEPTH,
        width_mm=BODY_WIDTH,
        body_volume_ml=28.0,
        pedicles=pedicles,
    )


def make_ct(vertebrae: list[Vertebra], voxel: float = 1.0, half: tuple[float, float, float] = (75, 80, 70)) -> Image:
    """A trunk of water in air, with bone of 700 HU at the surface and 200 HU within."""
    axes = [np.arange(-h, h + voxel / 2, voxel) for h in half]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1) + [0, -10, 0]
    r, a, _ = np.moveaxis(points, -1, 0)
    hu = np.where((r / (half[0] - 4)) ** 2 + ((a + 10) / (half[1] - 4)) ** 2 <= 1, 30.0, -1000.0)
    for vertebra in vertebrae:
        local = vertebra.frame.to_local(points)
        depth = vertebra.grid.sample(vertebra.bone_mm, local)
        index = vertebra.grid.to_index(local)
        within = np.all((index >= 0) & (index <= np.array(vertebra.grid.shape) - 1), axis=-1)
        hu = np.where(within & (depth > 0), np.where(depth < 1.5, 700.0, 200.0), hu)
    matrix = np.diag([voxel, voxel, voxel, 1.0])
    matrix[:3, 3] = points[0, 0, 0]
    return Image(ndimage.gaussian_filter(hu, 0.5).astype(np.float32), matrix)


def make_trajectory(
    vertebra: Vertebra, side: str, entry=(18.0, -34.0, 7.0), target=(4.0, 6.0, 0.0), **changes
) -> Trajectory:
    """A needle by its entry and target in the vertebral frame of the right side; mirrored for the left."""
    sign = np.array([1.0 if side == "right" else -1.0, 1, 1])
    entry_ras, target_ras = vertebra.frame.to_ras(np.array([entry, target]) * sign)
    values = {
        "side": side,
        "route": "transpedicular",
        "entry_ras": tuple(entry_ras),
        "target_ras": tuple(target_ras),
        "skin_ras": tuple(entry_ras - 45 * (target_ras - entry_ras) / np.linalg.norm(target_ras - entry_ras)),
        "cannula": "11G",
        "cannula_outer_diameter_mm": 3.05,
        "bone_path_mm": float(np.linalg.norm(target_ras - entry_ras)),
        "skin_to_target_mm": 88.0,
        "convergence_angle_deg": 19.3,
        "craniocaudal_angle_deg": -9.9,
        "carm": CArm(0.0, 0.0, ""),
        "clearance_mm": Clearance(3.1, 1.6, 7.0, 8.5, 9.0, 5.0),
        "breach_grade": "A",
        "tolerated_offset_mm": 1.6,
        "tolerated_angle_deg": 3.0,
        "midline_offset_mm": 4.0,
        "safety": "safe",
    }
    return Trajectory(**{**values, **changes})


def make_balloon(vertebra: Vertebra, side: str) -> BalloonPlan:
    sign = np.array([1.0 if side == "right" else -1.0, 1, 1])
    proximal, distal = vertebra.frame.to_ras(np.array([[9.0, -8.0, 2.0], [4.2, 6.0, 0.2]]) * sign)
    return BalloonPlan(
        "KYPHON Xpander 15/3",
        15.0,
        tuple(proximal),
        tuple(distal),
        tuple((proximal + distal) / 2),
        3.0,
        15.0,
        "max_volume",
        4.0,
        400.0,
        "test",
        False,
        18.0,
    )


@pytest.fixture(scope="session")
def upright() -> SimpleNamespace:
    """A vertebra whose frame is the world's, its CT and a needle on each side."""
    vertebra = make_vertebra(Frame(np.zeros(3), *np.eye(3)))
    return SimpleNamespace(
        vertebra=vertebra,
        ct=make_ct([vertebra]),
        needles={side: make_trajectory(vertebra, side) for side in ("left", "right")},
    )


@pytest.fixture(scope="session")
def turned() -> SimpleNamespace:
    """The same vertebra, turned 12° about the long axis (anterior to the left), tilted 15° forwards and moved."""
    rows = (rotation(right_deg=-15, superior_deg=12) @ np.eye(3)).T
    vertebra = make_vertebra(Frame(np.array([8.0, -14.0, 5.0]), *rows))
    return SimpleNamespace(
        vertebra=vertebra,
        ct=make_ct([vertebra]),
        needles={side: make_trajectory(vertebra, side) for side in ("left", "right")},
    )


@pytest.fixture(scope="session")
def balloon(upright) -> BalloonPlan:
    """An inflated balloon at the end of the upright vertebra's right needle."""
    return make_balloon(upright.vertebra, "right")
