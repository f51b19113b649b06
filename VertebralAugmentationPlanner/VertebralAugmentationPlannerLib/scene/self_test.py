"""What the module's own test does in the application: a case of known truth, planned from nodes.

Each check returns what is wrong, in sentences; an empty list is a pass.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..model import CasePlan, LevelPlan
from ..sample import SAMPLES, truth_of
from .demo import loadDemoCase

HEIGHT_MM, BROKEN_RIM_MM, ANGLE_DEG, VOLUME_SHARE = 0.5, 1.0, 1.0, 0.03
"""What the plan may be off at 1 mm voxels: heights (at the broken end plate's rim), angles, volumes. The project's own
acceptance limits. [D]"""


def checkSampleCase(logic: Any, name: str, level: str) -> list[str]:
    """Load a sample case, measure and plan it, and compare with its truth."""
    truth = truth_of(SAMPLES[name].build())["levels"]
    node = _loaded(logic, name)
    plan = logic.measure(node)
    problems = [f"{found} was not found" for found in truth if truth[found]["complete"] and found not in _whole(plan)]
    problems += [f"{found} is cut but was measured" for found in _whole(plan) if not truth[found]["complete"]]
    problems += _against_truth(plan.level(level), truth[level])
    planned = logic.planLevel(node, level)
    problems += _of_needles(logic, node, planned)
    return problems


def checkSceneRoundTrip(logic: Any, folder: str, name: str, level: str) -> list[str]:
    """Save a planned scene, close it, load it again: the plan is the same and follows a dragged needle."""
    node = _loaded(logic, name)
    logic.measure(node)
    logic.planLevel(node, level)
    before = logic.currentPlan(node)
    path = logic.saveScene(Path(folder) / "case.mrb")
    logic.scene.Clear(False)
    if not logic.scene.ReadFromMRB(str(path)):
        return ["the scene could not be read again"]
    node = logic.getParameterNode()
    if logic.planFromScene(node) != before:
        return ["the plan changed on its way through the scene"]
    side = before.level(level).trajectories[0].side
    line = logic.node(node, f"needle.{level}.{side}")
    line.SetNthControlPointPositionWorld(1, *(np.array(line.GetNthControlPointPositionWorld(1)) + (0.3, 0.0, 0.0)))
    if logic.currentPlan(node) == before:
        return ["the plan does not follow a dragged needle after loading"]
    return []


def _loaded(logic: Any, name: str) -> Any:
    node = logic.getParameterNode()
    logic.setInputs(node, *loadDemoCase(name))
    return node


def _whole(plan: CasePlan) -> list[str]:
    return [level.level for level in plan.levels if level.complete]


def _against_truth(level: LevelPlan, truth: dict[str, Any]) -> list[str]:
    measured = level.measurements
    if measured is None:
        return [f"{level.level} was not measured"]
    limits = {
        "anterior_height_mm": BROKEN_RIM_MM,
        "middle_height_mm": BROKEN_RIM_MM,
        "posterior_height_mm": HEIGHT_MM,
        "wedge_angle_deg": ANGLE_DEG,
        "segmental_kyphosis_deg": ANGLE_DEG,
        "body_volume_ml": VOLUME_SHARE * truth["body_volume_ml"],
    }
    problems = []
    for name, limit in limits.items():
        value = getattr(measured, name)
        if value is None or abs(value - truth[name]) > limit:
            problems.append(f"{level.level} {name} is {value}, the truth is {truth[name]:.2f} ± {limit:.2f}")
    for name in ("genant_grade", "fracture_shape"):
        if getattr(measured, name) != truth[name]:
            problems.append(f"{level.level} {name} is {getattr(measured, name)}, the truth is {truth[name]}")
    return problems


def _of_needles(logic: Any, node: Any, level: LevelPlan) -> list[str]:
    if not level.trajectories:
        return [f"{level.level} got no needle: {level.skipped_sides}"]
    problems = []
    for needle in level.trajectories:
        name = f"the {needle.side} needle of {level.level}"
        canal = needle.clearance_mm.canal
        if canal is None or canal <= 0 or needle.safety == "breach":
            problems.append(f"{name} is not safe (canal {canal} mm, {needle.safety})")
        line = logic.node(node, f"needle.{level.level}.{needle.side}")
        drawn = None if line is None else line.GetNthControlPointPositionWorld(1)
        if drawn is None or not np.allclose(drawn, needle.target_ras, atol=1e-3):
            problems.append(f"{name} is drawn at {drawn}, planned at {needle.target_ras}")
    return problems
