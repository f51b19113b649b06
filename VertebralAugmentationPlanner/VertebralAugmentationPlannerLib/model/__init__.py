"""The data of the road: what one stage hands to the next, and plan.json in and out.

Nothing here imports another room of the package.
"""

from .errors import InputError, PlanningCancelled
from .geometry import Frame, Image, LocalGrid
from .levels import LEVELS, SIDES, below, above, parse_level
from .options import CANNULAS, Assumptions, Cannula, Margins, PlanOptions
from .plan import (
    SCHEMA,
    BalloonPlan,
    CArm,
    CasePlan,
    CementPlan,
    Clearance,
    FramePlan,
    HeightLoss,
    ImageRecord,
    Inputs,
    LevelPlan,
    Measurements,
    PedicleMeasurement,
    Pedicles,
    PlanWarning,
    Predicted,
    Reference,
    Software,
    Trajectory,
)
from .spine import Case, EndPlate, Pedicle, Spine, Vertebra

__all__ = [
    "CANNULAS",
    "LEVELS",
    "SCHEMA",
    "SIDES",
    "Assumptions",
    "BalloonPlan",
    "CArm",
    "Cannula",
    "Case",
    "CasePlan",
    "CementPlan",
    "Clearance",
    "EndPlate",
    "Frame",
    "FramePlan",
    "HeightLoss",
    "Image",
    "ImageRecord",
    "InputError",
    "Inputs",
    "LevelPlan",
    "LocalGrid",
    "Margins",
    "Measurements",
    "Pedicle",
    "PedicleMeasurement",
    "Pedicles",
    "PlanOptions",
    "PlanWarning",
    "PlanningCancelled",
    "Predicted",
    "Reference",
    "Software",
    "Spine",
    "Trajectory",
    "Vertebra",
    "above",
    "below",
    "parse_level",
]
