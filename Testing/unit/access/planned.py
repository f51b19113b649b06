"""Plans of the analytic vertebra, and a CT with rods in it."""

from dataclasses import MISSING, fields

import numpy as np
from analytic import Shape, vertebra
from VertebralAugmentationPlannerLib.access import plan_access
from VertebralAugmentationPlannerLib.model import HeightLoss, Image, Measurements, PlanOptions

WIDE = Shape(pedicle_width=10.0, pedicle_convergence=15.0)


def measured(anterior_loss: float) -> Measurements:
    none = {field.name: None for field in fields(Measurements) if field.default is MISSING}
    none.pop("height_loss_percent")
    none.pop("height_points_ras", None)
    return Measurements(**none, height_loss_percent=HeightLoss(anterior_loss, 5.0, 0.0))


def plan(label_case, shape=WIDE, loss=25.0, **options):
    return plan_access(vertebra(shape), label_case, measured(loss), PlanOptions(**options))


def ct_with(*pieces, hu=3000.0):
    """A CT of soft tissue around the analytic vertebra with rods of 6 mm between pairs of points, RAS mm."""
    axes = [np.arange(-45.0, 46.0), np.arange(-95.0, 31.0), np.arange(-25.0, 26.0)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    values = np.full(points.shape[:-1], 40, np.int16)
    for a, b in pieces:
        a, b = np.array(a), np.array(b)
        share = np.clip((points - a) @ (b - a) / ((b - a) @ (b - a)), 0.0, 1.0)
        values[np.linalg.norm(points - a - share[..., None] * (b - a), axis=-1) <= 3.0] = hu
    matrix = np.eye(4)
    matrix[:3, 3] = [axis[0] for axis in axes]
    return Image(values, matrix)
