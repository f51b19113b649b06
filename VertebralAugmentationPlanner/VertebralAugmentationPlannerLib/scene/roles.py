"""Names of the node references (roles) and parameters that a parameter node holds. The one place they are written.

A role of a level or side is ``role("needle", "L1", "left")`` = ``"needle.L1.left"``.
"""

from __future__ import annotations

CT = "ct"
SEGMENTATION = "segmentation"
PLAN_CT = "planCt"
PLAN_SEGMENTATION = "planSegmentation"
"""What the plan was made of."""
IMAGES = (CT, SEGMENTATION, PLAN_CT, PLAN_SEGMENTATION)
"""The user's own nodes: the planner neither makes nor hides nor removes them."""

PLAN_TEXT = "plan"
"""Text node holding plan.json."""
MEASUREMENT_TABLE = "measurementTable"
TRAJECTORY_TABLE = "trajectoryTable"
ANATOMY = "anatomy"
"""Segmentation node with a segment per body and one for the canal."""

NEEDLE = "needle"
"""Markups line per level and side; control point 0 is the entry, 1 the target."""
TUBE = "tube"
BALLOON = "balloon"
CEMENT = "cement"
SUPERIOR_PLATE = "superiorEndPlate"
INFERIOR_PLATE = "inferiorEndPlate"
HEIGHT = "height"
"""Markups line per level and place ("anterior", "middle", "posterior"); point 0 is the upper end."""
PEDICLE = "pedicle"
"""Closed curve per level and side."""
LEVEL_NAME = "levelName"
"""Point list per plan: the name of each vertebra on its body."""

LEVEL_TABLE = "levelTable"
"""Parameter (JSON): the user's corrections, {segment ID or label value: level name or ""}."""
PLAN_LEVELS = "planLevels"
"""Parameter: the corrections that the plan was made with; empty where that isn't known."""
LEVEL_OPTIONS = "levelOptions"
"""Parameter (JSON): the choices that each level was planned or filled with in this scene, {level: options}."""

LEVEL, SIDE = "level", "side"
"""Parameters: what the panel works on, under the names of the wrapper's members."""
CHOSEN = "chosen"
"""Parameter: "1" in the plan that the panel works on; what the others drew is hidden."""


def role(kind: str, level: str, part: str | None = None) -> str:
    """Role of a node of one level, and where it has one, of its side or place."""
    return ".".join(text for text in (kind, level, part) if text)
