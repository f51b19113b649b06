"""An engine with real anatomy and measurements and a needle rule simple enough to check by hand.

Needles run along the pedicle's axis; clearance is what the distance fields say at points along the axis. The scene's
behaviour is tested against it, so that these tests say nothing about the quality of a plan.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from VertebralAugmentationPlannerLib.access.angles import convergence_deg, craniocaudal_deg, end_on_carm
from VertebralAugmentationPlannerLib.measurement import measure_spine
from VertebralAugmentationPlannerLib.model import (
    CANNULAS,
    SCHEMA,
    BalloonPlan,
    CasePlan,
    CementPlan,
    Clearance,
    FramePlan,
    InputError,
    LevelPlan,
    PedicleMeasurement,
    Pedicles,
    PlanningCancelled,
    Predicted,
    Software,
    Trajectory,
)
from VertebralAugmentationPlannerLib.model.geometry import unit
from VertebralAugmentationPlannerLib.model.serialisation import rounded, to_plain
from VertebralAugmentationPlannerLib.scene.engine import Engine

BALLOON_ML = 4.0


def point(values):
    return tuple(float(value) for value in values)


class StandInEngine(Engine):
    """``reevaluations`` counts the needles judged."""

    def __init__(self):
        super().__init__()
        self.reevaluations = 0
        self.spines_built = 0
        self.last_options = None

    def buildSpine(self, case, progress, shouldCancel):
        self.spines_built += 1
        return super().buildSpine(case, progress, shouldCancel)

    def measuredPlan(self, case, spine, options):
        measured = measure_spine(spine, case, options)
        levels = [self._measured_level(spine.vertebrae[name], measured.get(name)) for name in spine.vertebrae]
        return rounded(
            CasePlan(
                SCHEMA, Software("stand-in", "0"), case.inputs, "RAS", to_plain(options), tuple(levels), case.warnings
            )
        )

    def _measured_level(self, vertebra, measured):
        if measured is None:
            return LevelPlan(
                vertebra.level, False, None, None, Pedicles(None, None), None, None, (), {}, None, None, ()
            )
        frame = vertebra.frame
        return LevelPlan(
            vertebra.level,
            True,
            FramePlan(*(point(v) for v in (frame.origin_ras, frame.right, frame.anterior, frame.superior))),
            measured.measurements,
            Pedicles(*(self._pedicle(vertebra, side) for side in ("left", "right"))),
            None,
            None,
            (),
            {},
            None,
            None,
            measured.warnings,
        )

    def _pedicle(self, vertebra, side):
        found = vertebra.pedicles.get(side)
        if found is None:
            return None
        frame = vertebra.frame
        return PedicleMeasurement(
            found.isthmus_width_mm,
            found.isthmus_height_mm,
            point(frame.to_ras(found.centre)),
            point(frame.direction_to_ras(found.axis)),
            tuple(point(p) for p in frame.to_ras(found.outline)),
        )

    def planLevels(self, plan, case, spine, options, progress, shouldCancel):
        self.last_options = options
        wanted = options.levels if isinstance(options.levels, tuple) else tuple(options.levels.split(","))
        for name in wanted:
            if shouldCancel is not None and shouldCancel():
                raise PlanningCancelled
            if progress is not None:
                progress(0.5, f"access of {name}")
            level = self._planned_level(plan.level(name), case, spine, options)
            plan = replace(plan, levels=tuple(level if old.level == name else old for old in plan.levels))
        return rounded(plan)

    def _planned_level(self, level, case, spine, options):
        vertebra = spine.vertebrae[level.level]
        needles = []
        for side in ("left", "right"):
            pedicle = vertebra.pedicles[side]
            ends = [vertebra.frame.to_ras(pedicle.centre + along * pedicle.axis) for along in (-22.0, 26.0)]
            needles.append(self.reevaluate(vertebra, case, side, *ends, "11G", options))
        level = replace(
            level, approach="bilateral", approach_reason="both pedicles are there", trajectories=tuple(needles)
        )
        return self.augment(level, spine, options)

    def augment(self, level, spine, options, volumes=None):
        if any(needle.safety == "breach" for needle in level.trajectories):
            raise InputError(f"A balloon cannot follow a needle of {level.level} that leaves the bone.")
        needles = []
        for needle in level.trajectories:
            volume = min((volumes or {}).get(needle.side, BALLOON_ML), BALLOON_ML)
            needles.append(
                replace(needle, balloon=self._balloon(needle, volume), cement_ml=volume + 0.5, bone_fillers=3)
            )
        total = sum(needle.cement_ml for needle in needles)
        cement = CementPlan(0.3, 15.0, total, total - 1, total + 1, 20.0, 6, 1.5, "stand-in")
        predicted = Predicted(24.0, 4.0, 0.4)
        return rounded(replace(level, trajectories=tuple(needles), cement=cement, predicted=predicted))

    def _balloon(self, needle, volume):
        axis = unit(np.subtract(needle.target_ras, needle.entry_ras))
        distal = np.asarray(needle.target_ras)
        proximal = distal - 15.0 * axis
        diameter = (6000.0 * volume / (np.pi * 15.0)) ** 0.5 if volume else 0.1
        return BalloonPlan(
            "KX15",
            15.0,
            point(proximal),
            point(distal),
            point((proximal + distal) / 2),
            volume,
            diameter,
            "max_volume",
            BALLOON_ML,
            400.0,
            "stand-in",
            False,
            15.0,
        )

    def setByHand(self, level, spine, options):
        balloons = {needle.side: needle.balloon for needle in level.trajectories if needle.balloon is not None}
        return {side: one.planned_volume_ml for side, one in balloons.items() if one.planned_volume_ml < BALLOON_ML}

    def inflate(self, level, spine, side, volumeMl, options):
        volumes = {needle.side: needle.balloon.planned_volume_ml for needle in level.trajectories if needle.balloon}
        return self.augment(level, spine, options, {**volumes, side: volumeMl})

    def reevaluate(self, vertebra, case, side, entry, target, cannula, options):
        self.reevaluations += 1
        entry, target = np.asarray(entry, float), np.asarray(target, float)
        radius = CANNULAS[cannula].radius_mm
        along = np.linspace(0, 1, 60)[:, None]
        local = vertebra.frame.to_local(entry + along * (target - entry))
        canal = float(vertebra.grid.sample(vertebra.canal_mm, local).min() - radius)
        bone = float(vertebra.grid.sample(vertebra.bone_mm, local[20:]).min() - radius)
        safety = "breach" if canal < 0 or bone < -2 * radius else "tight" if min(canal, bone) < 1.0 else "safe"
        direction = vertebra.frame.direction_to_local(target - entry)
        return rounded(
            Trajectory(
                side=side,
                route="transpedicular",
                entry_ras=point(entry),
                target_ras=point(target),
                skin_ras=point(entry - 50 * unit(target - entry)),
                cannula=cannula,
                cannula_outer_diameter_mm=CANNULAS[cannula].outer_diameter_mm,
                bone_path_mm=float(np.linalg.norm(target - entry)),
                skin_to_target_mm=float(np.linalg.norm(target - entry)) + 50.0,
                convergence_angle_deg=convergence_deg(direction, side),
                craniocaudal_angle_deg=craniocaudal_deg(direction),
                carm=end_on_carm(target - entry),
                clearance_mm=Clearance(canal, bone, None, None, None, None),
                breach_grade="A",
                tolerated_offset_mm=max(0.0, bone),
                tolerated_angle_deg=1.0,
                midline_offset_mm=abs(float(vertebra.frame.to_local(target)[0])),
                safety=safety,
            )
        )
