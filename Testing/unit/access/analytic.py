"""A vertebra made of formulas: superellipse body, elliptic pedicle tubes, lamina, processes, canal.

Every dimension is a parameter; distances are exact to about 0.1 mm (Euclidean distance transform of the formulas at
0.5 mm, read at the grid's own nodes). Right and left mirror each other unless told otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from scipy import ndimage

from VertebralAugmentationPlannerLib.model import EndPlate, Frame, LocalGrid, Pedicle, Vertebra

FINE_MM = 0.5


@dataclass(frozen=True)
class Shape:
    """Dimensions in mm and degrees. The origin is the centre of the body; x right, y anterior, z superior."""

    depth: float = 30.0
    width: float = 42.0
    height: float = 26.0
    anterior_height: float | None = None
    pedicle_width: float = 8.0
    pedicle_height: float = 15.0
    pedicle_offset: float = 13.0
    pedicle_z: float = 4.0
    pedicle_convergence: float = 10.0
    pedicle_caudal: float = 0.0
    pedicle_length: float = 10.0
    canal_width: float = 18.0
    canal_depth: float = 16.0
    left_pedicle_width: float | None = None
    spacing: float = 1.0
    shift: tuple[float, float, float] = (0.0, 0.0, 0.0)
    with_canal: bool = True
    neighbour_facet: bool = False

    def width_of(self, side: str) -> float:
        return self.left_pedicle_width if side == "left" and self.left_pedicle_width else self.pedicle_width

    @property
    def front_height(self) -> float:
        return self.anterior_height if self.anterior_height is not None else self.height

    @property
    def wall_y(self) -> float:
        return -self.depth / 2


def pedicle_frame(shape: Shape, side: str) -> tuple[np.ndarray, np.ndarray]:
    """Centre and anterior-pointing unit axis of a pedicle."""
    sign = -1.0 if side == "left" else 1.0
    convergence, caudal = np.deg2rad([shape.pedicle_convergence, shape.pedicle_caudal])
    axis = np.array([-sign * np.tan(convergence), 1.0, -np.tan(caudal)])
    centre = np.array([sign * shape.pedicle_offset, shape.wall_y - shape.pedicle_length / 2, shape.pedicle_z])
    return centre, axis / np.linalg.norm(axis)


def _plate_z(shape: Shape, y: np.ndarray, upper: bool) -> np.ndarray:
    share = np.clip((y - shape.wall_y) / shape.depth, 0.0, 1.0)
    height = shape.height + share * (shape.front_height - shape.height)
    # A wedge loses its height from above.
    return height - shape.height / 2 if upper else np.full_like(y, -shape.height / 2)


def bone_inside(shape: Shape, points: np.ndarray) -> np.ndarray:
    """Whether points (…, 3) lie in the bone."""
    x, y, z = np.moveaxis(points, -1, 0)
    body = (np.abs(2 * x / shape.width) ** 2.5 + np.abs(2 * y / shape.depth) ** 2.5 < 1) | (
        (np.abs(x) < shape.pedicle_offset + shape.pedicle_width / 2 + 2)
        & (y > shape.wall_y)
        & (y < 0)
        & (np.abs(2 * x / shape.width) < 1)
    )
    body &= (z < _plate_z(shape, y, True)) & (z > _plate_z(shape, y, False))
    arch = np.zeros_like(body)
    back = shape.wall_y - shape.pedicle_length
    for side in ("left", "right"):
        sign = -1.0 if side == "left" else 1.0
        centre, axis = pedicle_frame(shape, side)
        along = (points - centre) @ axis
        across_axis = np.cross([0.0, 0.0, 1.0], axis)
        across_axis /= np.linalg.norm(across_axis)
        up_axis = np.cross(axis, across_axis)
        across, up = (points - centre) @ across_axis, (points - centre) @ up_axis
        # The tube is narrowest in the middle and flares by a fifth at either end.
        flare = 1.0 + 0.2 * np.clip(np.abs(along) / (shape.pedicle_length / 2), 0, 1.5) ** 2
        tube = (2 * across / (shape.width_of(side) * flare)) ** 2 + (2 * up / (shape.pedicle_height * flare)) ** 2 < 1
        arch |= tube & (along > -shape.pedicle_length / 2 - 5) & (along < shape.pedicle_length / 2 + 1.5)
        # Facet and transverse-process base: a block of 9 mm depth behind the pedicle.
        block_x = sign * x - shape.pedicle_offset
        arch |= (block_x > -6) & (block_x < 10) & (y < back) & (y > back - 9) & (np.abs(z - shape.pedicle_z) < 10)
        process = (block_x >= 9) & (block_x < 24) & (np.abs(y - back + 6) < 3.5)
        arch |= process & (np.abs(z - shape.pedicle_z) < 5)
    lamina_y = back - 3 - 0.3 * (shape.pedicle_offset - np.abs(x))
    arch |= (np.abs(x) < shape.pedicle_offset) & (np.abs(y - lamina_y) < 3.0) & (np.abs(z) < 9)
    arch |= (np.abs(x) < 3) & (y < lamina_y) & (y > lamina_y - 22) & (np.abs(z + 2) < 7)
    return (body | arch) & ~canal_inside(shape, points)


def canal_inside(shape: Shape, points: np.ndarray) -> np.ndarray:
    """Whether points (…, 3) lie in the canal: an elliptic cylinder behind the posterior wall."""
    x, y, _ = np.moveaxis(points, -1, 0)
    centre = shape.wall_y - shape.canal_depth / 2
    return (2 * x / shape.canal_width) ** 2 + (2 * (y - centre) / shape.canal_depth) ** 2 < 1


def neighbour_inside(shape: Shape, points: np.ndarray) -> np.ndarray:
    """The inferior facets of the level above: a block behind each entry region."""
    x, y, z = np.moveaxis(points, -1, 0)
    back = shape.wall_y - shape.pedicle_length - 9
    beside = np.abs(np.abs(x) - (shape.pedicle_offset - 1)) < 5
    return beside & (y < back - 1) & (y > back - 8) & (z > shape.pedicle_z + 3) & (z < shape.pedicle_z + 25)


def _signed(inside: np.ndarray) -> np.ndarray:
    """Signed distance, positive inside; the surface lies half-way between voxel centres."""
    depth = ndimage.distance_transform_edt(inside) - 0.5
    outside = ndimage.distance_transform_edt(~inside) - 0.5
    return np.where(inside, depth, -outside) * FINE_MM


def _plate(shape: Shape, upper: bool) -> EndPlate:
    y = np.array([shape.wall_y, 0.0, shape.depth / 2])
    z = _plate_z(shape, y, upper)
    slope = (z[2] - z[0]) / shape.depth
    normal = np.array([0.0, -slope, 1.0]) / np.hypot(slope, 1.0)
    x_mm, y_mm = (np.linspace(-shape.width / 2, shape.width / 2, 15), np.linspace(shape.wall_y, shape.depth / 2, 15))
    posterior, centre, anterior = (np.array([0.0, y[i], z[i]]) for i in range(3))
    height = np.broadcast_to(_plate_z(shape, y_mm, upper), (15, 15)).copy()
    return EndPlate(anterior, centre, posterior, normal, height, x_mm, y_mm)


@lru_cache(maxsize=16)
def vertebra(shape: Shape = Shape(), level: str = "L1") -> Vertebra:
    """The vertebra of a shape, frame at the world's origin with RAS axes."""
    first = np.array([-42.0, -60.0, -20.0]) + shape.shift
    count = tuple(int(np.ceil(extent / shape.spacing)) for extent in (84.0, 82.0, 42.0))
    grid = LocalGrid(first, shape.spacing, count)
    ratio = max(1, round(shape.spacing / FINE_MM))
    fine = LocalGrid(first, FINE_MM, tuple(n * ratio for n in count))
    points = fine.points()

    def on_grid(inside: np.ndarray) -> np.ndarray:
        return grid_sample(fine, _signed(inside), grid)

    sides = {}
    for side in ("left", "right"):
        centre, axis = pedicle_frame(shape, side)
        angle = np.linspace(0, 2 * np.pi, 72, endpoint=False)
        across = np.cross([0.0, 0.0, 1.0], axis)
        across /= np.linalg.norm(across)
        up = np.cross(axis, across)
        width = shape.width_of(side)
        outline = (
            centre
            + np.cos(angle)[:, None] * across * width / 2
            + np.sin(angle)[:, None] * up * shape.pedicle_height / 2
        )
        sides[side] = Pedicle(side, centre, axis, width, shape.pedicle_height, outline)
    wall = np.full((count[0], count[2]), shape.wall_y)
    return Vertebra(
        level=level,
        complete=True,
        frame=Frame(np.zeros(3), np.array([1.0, 0, 0]), np.array([0, 1.0, 0]), np.array([0, 0, 1.0])),
        grid=grid,
        bone_mm=on_grid(bone_inside(shape, points)),
        body=np.zeros(count, bool),
        canal_mm=-on_grid(canal_inside(shape, points)) if shape.with_canal else None,
        canal_reason=None if shape.with_canal else "the ring is open",
        neighbour_mm=-on_grid(neighbour_inside(shape, points)) if shape.neighbour_facet else None,
        posterior_wall_mm=wall,
        superior=_plate(shape, True),
        inferior=_plate(shape, False),
        depth_mm=shape.depth,
        width_mm=shape.width,
        body_volume_ml=25.0,
        pedicles=sides,
    )


def grid_sample(fine: LocalGrid, values: np.ndarray, grid: LocalGrid) -> np.ndarray:
    """Values of a fine field at the nodes of a coarser grid with the same first node."""
    ratio = round(grid.spacing_mm / fine.spacing_mm)
    return values[::ratio, ::ratio, ::ratio][tuple(slice(n) for n in grid.shape)].astype(np.float32)


__all__ = ["Shape", "bone_inside", "canal_inside", "pedicle_frame", "replace", "vertebra"]
