"""Augmentation of one vertebra: a balloon for each needle, the cement, and what may be expected."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from ..model import (
    BalloonPlan,
    CementPlan,
    Measurements,
    PlanOptions,
    PlanWarning,
    Predicted,
    Trajectory,
    Vertebra,
)
from ..model.geometry import FloatArray
from . import notices
from .catalog import BalloonDevice, find_device, load_catalog
from .cement import CementDose, fillers, plan_cement
from .inflation import Inflation, simulate_inflation
from .placement import OFF_MIDDLE_MM, NoBalloon, Placement, beside_the_target, place_balloon
from .prediction import predict
from .room import BodyRoom, body_room


@dataclass(frozen=True)
class AugmentationPlan:
    """The augmentation of one vertebra.

    Args:
        trajectories: those given, with balloon, cement and bone fillers filled in.
        cement: None where there is no needle or the body's volume is unknown (then with a warning).
        predicted: None in vertebroplasty, without a balloon or with hardly a cavity, while a needle breaches, without a loss
            or without a reference.
    """

    trajectories: tuple[Trajectory, ...]
    cement: CementPlan | None
    predicted: Predicted | None
    warnings: tuple[PlanWarning, ...]


@dataclass(frozen=True, eq=False)
class PlacedBalloon:
    """A balloon on its needle and its inflation."""

    placement: Placement
    inflation: Inflation


def plan_augmentation(
    vertebra: Vertebra,
    measurements: Measurements | None,
    trajectories: tuple[Trajectory, ...],
    options: PlanOptions,
    volumes_ml: Mapping[str, float] | None = None,
    refused_sides: Collection[str] = (),
) -> AugmentationPlan:
    """Plan balloons, cement and prediction for the needles of a vertebra.

    Args:
        vertebra: complete, with a canal.
        measurements: of the level; None where they could not be made.
        trajectories: of the level; those that are a breach get neither balloon nor cement.
        options: procedure, balloon, catalogue, target fill, assumptions.
        volumes_ml: by side, the most a balloon shall be inflated to; the most it can be where a side is not named.
        refused_sides: sides that were asked for and have no safe path, so that no advice leads there.

    Raises:
        InputError: the catalogue or the balloon's name is not usable.
        ValueError: a volume is negative.
    """
    devices = devices_for(options) if options.procedure == "kyphoplasty" else ()
    usable = tuple(trajectory for trajectory in trajectories if trajectory.safety != "breach")
    warnings = [notices.breach(vertebra.level, t) for t in trajectories if t.safety == "breach"]
    if not usable:
        return AugmentationPlan(trajectories, None, None, tuple(warnings))
    balloons: dict[str, BalloonPlan] = {}
    if devices:
        room = body_room(vertebra)
        found = find_balloons(vertebra, room, usable, devices)
        placed = {side: balloon for side, balloon in found.items() if isinstance(balloon, PlacedBalloon)}
        balloons = {
            side: _balloon_plan(vertebra, balloon, (volumes_ml or {}).get(side)) for side, balloon in placed.items()
        }
        warnings += notices.of_balloons(vertebra.level, found, balloons, options, refused_sides)
    cavities = {t.side: balloons[t.side].planned_volume_ml if t.side in balloons else 0.0 for t in usable}
    dose = plan_cement(vertebra, measurements, cavities, options)
    warnings += notices.of_cement(vertebra.level, dose, measurements)
    predicted = None
    if balloons and measurements is not None:
        cavity = sum(cavities.values())
        unresolved = len(usable) < len(trajectories)
        if cavity >= notices.SMALL_CAVITY_ML and not unresolved:
            predicted = predict(measurements, options.assumptions.restoration_fraction)
        warnings += notices.of_prediction(vertebra.level, predicted, measurements, cavity, unresolved)
    filled = tuple(_filled(trajectory, balloons, dose, options) for trajectory in trajectories)
    return AugmentationPlan(filled, dose.plan if dose is not None else None, predicted, tuple(warnings))


def find_balloons(
    vertebra: Vertebra, room: BodyRoom, trajectories: tuple[Trajectory, ...], devices: tuple[BalloonDevice, ...]
) -> dict[str, PlacedBalloon | NoBalloon]:
    """The longest balloon that fits each needle, inflated as far as it goes, by side; two of one product line where one
    line fits both needles."""
    placements = _placements(vertebra, room, trajectories, devices)
    found: dict[str, PlacedBalloon | NoBalloon] = {}
    for side, placement in placements.items():
        if isinstance(placement, NoBalloon):
            found[side] = placement
            continue
        others = [
            (other.proximal, other.distal)
            for name, other in placements.items()
            if name != side and isinstance(other, Placement)
        ]
        inflation = simulate_inflation(vertebra, placement.proximal, placement.distal, placement.device, others, room)
        found[side] = PlacedBalloon(placement, inflation)
    return found


def _placements(
    vertebra: Vertebra, room: BodyRoom, trajectories: tuple[Trajectory, ...], devices: tuple[BalloonDevice, ...]
) -> dict[str, Placement | NoBalloon]:
    """Where a balloon lies on each needle, by side."""

    def of(allowed: tuple[BalloonDevice, ...]) -> dict[str, Placement | NoBalloon]:
        own_side_only = len(trajectories) > 1
        return {needle.side: place_balloon(vertebra, room, needle, allowed, own_side_only) for needle in trajectories}

    each = of(devices)
    if len({placed.device.line for placed in each.values() if isinstance(placed, Placement)}) < 2:
        return each
    # Two makers at one level are two inflation systems on the table, with limits that differ: a line that fits both
    # needles is worth a shorter balloon.
    best, least = each, (math.inf, math.inf)
    for line in dict.fromkeys(device.line for device in devices):
        placements = of(tuple(device for device in devices if device.line == line))
        placed = [item for item in placements.values() if isinstance(item, Placement)]
        off_middle = sum(abs(item.off_middle_mm) > OFF_MIDDLE_MM for item in placed)
        cost = (off_middle, -sum(item.device.length_mm for item in placed))
        if len(placed) == len(placements) and cost < least:
            best, least = placements, cost
    return best


def devices_for(options: PlanOptions) -> tuple[BalloonDevice, ...]:
    """The balloons a plan may choose from: the catalogue, or the one the user named.

    Raises:
        InputError: the catalogue or the balloon's name is not usable.
    """
    catalog = load_catalog(options.catalog)
    return catalog if options.balloon == "auto" else (find_device(catalog, options.balloon),)


def _balloon_plan(vertebra: Vertebra, balloon: PlacedBalloon, wanted_ml: float | None) -> BalloonPlan:
    inflation, device = balloon.inflation, balloon.inflation.device
    shape = inflation.shape(wanted_ml)
    back, beyond = beside_the_target(balloon.placement.beyond_target_mm, shape.length_mm - device.length_mm)
    meets_other = inflation.stopped_by == "other_balloon"
    # Two balloons share the body: together they allow less than the device does, and that is then the largest volume.
    largest = inflation.limit_ml if meets_other else device.max_volume_ml
    source = device.source
    if meets_other:
        source += f" {device.max_volume_ml:.1f} ml for the device; two balloons meet at {largest:.1f} ml [D]."
    return BalloonPlan(
        model=device.name,
        length_mm=device.length_mm,
        proximal_ras=_ras(vertebra, inflation.proximal),
        distal_ras=_ras(vertebra, inflation.distal),
        centre_ras=_ras(vertebra, inflation.centre),
        planned_volume_ml=shape.volume_ml,
        planned_diameter_mm=shape.diameter_mm,
        stopped_by="max_volume" if meets_other else inflation.stopped_by,
        max_volume_ml=largest,
        max_pressure_psi=device.max_pressure_psi,
        source=source,
        verified=device.verified,
        planned_length_mm=shape.length_mm,
        cannula_retraction_mm=back,
        channel_beyond_target_mm=beyond,
        meets_other_balloon=meets_other,
        limit_ml=inflation.limit_ml,
    )


def _filled(
    trajectory: Trajectory, balloons: Mapping[str, BalloonPlan], dose: CementDose | None, options: PlanOptions
) -> Trajectory:
    cement = dose.by_side.get(trajectory.side) if dose is not None and trajectory.safety != "breach" else None
    count = None if cement is None else fillers(cement, options.assumptions.bone_filler_ml)
    balloon = balloons.get(trajectory.side)
    return replace(trajectory, balloon=balloon, cement_ml=cement, bone_fillers=count)


def _ras(vertebra: Vertebra, point: FloatArray) -> tuple[float, float, float]:
    assert vertebra.frame is not None
    x, y, z = (float(value) for value in vertebra.frame.to_ras(point))
    return x, y, z
