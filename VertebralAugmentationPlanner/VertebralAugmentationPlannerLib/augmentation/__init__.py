"""Augmentation: balloons and their inflation inside the body, cement, and what may be expected of both."""

from .catalog import BalloonDevice, catalog_of_plan, find_device, load_catalog, read_catalog, shipped_catalog
from .cement import CementDose, fillers, plan_cement, target_region_ml
from .inflation import Inflation, simulate_inflation
from .notices import WARNING_CODES
from .placement import NoBalloon, Placement, place_balloon
from .planner import AugmentationPlan, PlacedBalloon, devices_for, find_balloons, plan_augmentation
from .prediction import predict
from .room import BodyRoom, body_room
from .spheroid import BalloonShape, balloon_shape, spheroid_points
from .stored import set_by_hand, untenable

__all__ = [
    "WARNING_CODES",
    "AugmentationPlan",
    "BalloonDevice",
    "BalloonShape",
    "BodyRoom",
    "CementDose",
    "Inflation",
    "NoBalloon",
    "PlacedBalloon",
    "Placement",
    "balloon_shape",
    "body_room",
    "catalog_of_plan",
    "devices_for",
    "fillers",
    "find_balloons",
    "find_device",
    "load_catalog",
    "place_balloon",
    "plan_augmentation",
    "plan_cement",
    "predict",
    "read_catalog",
    "set_by_hand",
    "shipped_catalog",
    "simulate_inflation",
    "spheroid_points",
    "target_region_ml",
    "untenable",
]
