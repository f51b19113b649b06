"""Bodies cut by planes: every distance inside is exact, and so is the size at which a spheroid first meets a plane."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from VertebralAugmentationPlannerLib.augmentation import BalloonDevice, balloon_shape
from VertebralAugmentationPlannerLib.model import (
    CANNULAS,
    CArm,
    Clearance,
    EndPlate,
    Frame,
    HeightLoss,
    LocalGrid,
    Measurements,
    Reference,
    Trajectory,
    Vertebra,
)

MARGIN, BACK_MARGIN = 1.0, 2.0
"""What the planner promises to keep from bone and from the posterior wall, mm."""


@dataclass(frozen=True)
class Block:
    """A body of six planes, mm; the origin is its centre. The upper plate may fall towards the front."""

    width: float = 42.0
    depth: float = 30.0
    height: float = 24.0
    front_height: float | None = None
    spacing: float = 0.7

    @property
    def front(self) -> float:
        return self.height if self.front_height is None else self.front_height

    def planes(self) -> list[tuple[np.ndarray, float, float, str]]:
        """Outward normal, offset, the margin to keep and the kind of each plane."""
        slope = (self.front - self.height) / self.depth
        upper = np.array([0.0, -slope, 1.0]) / np.hypot(slope, 1.0)
        on_upper = np.array([0.0, -self.depth / 2, self.height / 2])
        return [
            (np.array([1.0, 0, 0]), self.width / 2, MARGIN, "cortex"),
            (np.array([-1.0, 0, 0]), self.width / 2, MARGIN, "cortex"),
            (np.array([0, 1.0, 0]), self.depth / 2, MARGIN, "cortex"),
            (np.array([0, -1.0, 0]), self.depth / 2, BACK_MARGIN, "cortex"),
            (np.array([0, 0, -1.0]), self.height / 2, MARGIN, "end_plate"),
            (upper, float(upper @ on_upper), MARGIN, "end_plate"),
        ]


@lru_cache(maxsize=8)
def vertebra(block: Block = Block(), with_canal: bool = True) -> Vertebra:
    """The vertebra of a block: RAS axes, origin at RAS (10, −20, 30)."""
    reach = np.array([block.width, block.depth, max(block.height, block.front)]) / 2 + 6.0
    shape = tuple(int(n) for n in np.ceil(2 * reach / block.spacing) + 1)
    grid = LocalGrid(-reach, block.spacing, (shape[0], shape[1], shape[2]))
    points = grid.points()
    depth_below = [offset - points @ normal for normal, offset, _, _ in block.planes()]
    bone = np.min(depth_below, axis=0).astype(np.float32)
    x, y, z = grid.axes
    slope = (block.front - block.height) / block.depth
    upper = block.height / 2 + slope * (y + block.depth / 2)
    ends = np.array([block.depth / 2, 0.0, -block.depth / 2])
    rims = [np.array([0.0, at, block.height / 2 + slope * (at + block.depth / 2)]) for at in ends]
    floor = [np.array([0.0, at, -block.height / 2]) for at in ends]
    return Vertebra(
        level="L1",
        complete=True,
        frame=Frame(np.array([10.0, -20.0, 30.0]), *np.eye(3)),
        grid=grid,
        bone_mm=bone,
        body=bone > 0,
        canal_mm=(points[..., 1] * -1.0 - block.depth / 2 - 1.0) * -1.0 if with_canal else None,
        posterior_wall_mm=np.full((shape[0], shape[2]), -block.depth / 2),
        superior=EndPlate(*rims, block.planes()[5][0], np.tile(upper, (len(x), 1)), x, y),
        inferior=EndPlate(*floor, np.array([0.0, 0, 1.0]), np.full((len(x), len(y)), -block.height / 2), x, y),
        depth_mm=block.depth,
        mid_walls_mm=(-block.depth / 2, block.depth / 2),
        width_mm=block.width,
        body_volume_ml=block.width * block.depth * (block.height + block.front) / 2 / 1000.0,
    )


def first_contact_ml(
    block: Block, proximal: np.ndarray, distal: np.ndarray, device: BalloonDevice
) -> tuple[float, str]:
    """Volume at which the balloon first meets a plane less its margin, and which; by the support function of a
    spheroid, √(a²·cos² + b²·sin²), not by points on it."""
    centre, axis = (proximal + distal) / 2, (distal - proximal) / np.linalg.norm(distal - proximal)

    def room(volume: float, plane: tuple[np.ndarray, float, float, str]) -> float:
        shape = balloon_shape(device, volume)
        normal, offset, margin, _ = plane
        cos2 = float(normal @ axis) ** 2
        reach = np.sqrt((shape.length_mm / 2) ** 2 * cos2 + (shape.diameter_mm / 2) ** 2 * (1 - cos2))
        return offset - margin - float(normal @ centre) - float(reach)

    best = (device.max_volume_ml, "max_volume")
    for plane in block.planes():
        low, high = 0.0, device.max_volume_ml
        if room(high, plane) >= 0:
            continue
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (middle, high) if room(middle, plane) >= 0 else (low, middle)
        best = min(best, (low, plane[3]))
    return best


def device(length: float = 15.0, largest: float = 4.0, **changes: object) -> BalloonDevice:
    """A balloon of a made-up maker."""
    values = {
        "name": f"Test {length:.0f}",
        "length_mm": length,
        "max_volume_ml": largest,
        "max_pressure_psi": 400.0,
        "deflated_diameter_mm": 3.0,
        "thinnest_cannula": "10G",
        "source": "made up",
        "verified": True,
        **changes,
    }
    return BalloonDevice(**values)  # type: ignore[arg-type]


def needle(
    block: Block,
    side: str = "left",
    entry: tuple[float, float, float] = (-12.0, -35.0, 0.0),
    target: tuple[float, float, float] = (-12.0, 8.0, 0.0),
    cannula: str = "8G",
    safety: str = "safe",
) -> Trajectory:
    """A needle from local entry to local target."""
    frame = vertebra(block).frame
    points = [tuple(float(v) for v in frame.to_ras(point)) for point in (entry, target)]
    return Trajectory(
        side=side,
        route="transpedicular",
        entry_ras=points[0],  # type: ignore[arg-type]
        target_ras=points[1],  # type: ignore[arg-type]
        skin_ras=None,
        cannula=cannula,
        cannula_outer_diameter_mm=CANNULAS[cannula].outer_diameter_mm,
        bone_path_mm=43.0,
        skin_to_target_mm=None,
        convergence_angle_deg=0.0,
        craniocaudal_angle_deg=0.0,
        carm=CArm(0.0, 0.0, ""),
        clearance_mm=Clearance(5.0, 2.0, 5.0, 5.0, 5.0, None),
        breach_grade="A",
        tolerated_offset_mm=2.0,
        tolerated_angle_deg=3.0,
        midline_offset_mm=12.0,
        safety=safety,
    )


def measurements(
    block: Block = Block(),
    reference: tuple[float | None, float | None] = (None, None),
    cleft: float | None = 0.0,
    wedge: float | None = None,
) -> Measurements:
    """The measurements of a block: anterior and posterior reference height as given."""
    ante, post = reference
    angle = np.degrees(np.arctan((block.height - block.front) / block.depth))
    return Measurements(
        anterior_height_mm=block.front,
        middle_height_mm=(block.front + block.height) / 2,
        posterior_height_mm=block.height,
        heights_3x3_mm=None,
        depth_mm=block.depth,
        width_mm=block.width,
        body_volume_ml=vertebra(block).body_volume_ml,
        anterior_two_thirds_volume_ml=None,
        reference=None if ante is None else Reference(ante, None, post, "neighbours", ("T12", "L2")),
        height_loss_percent=HeightLoss(None if ante is None else 100 * (1 - block.front / ante), None, None),
        genant_grade=None,
        fracture_shape=None,
        of_class=None,
        wedge_angle_deg=float(angle) if wedge is None else wedge,
        segmental_kyphosis_deg=None,
        gardner_angle_deg=None,
        body_density_hu=None,
        reference_density_hu=None,
        cleft_volume_ml=cleft,
        posterior_wall_retropulsion_mm=None,
    )
