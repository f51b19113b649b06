"""Planning of vertebral augmentation from CT and vertebra labels. World coordinates are RAS, mm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .model import CasePlan, InputError, PlanningCancelled, PlanOptions
    from .entry import check_plan, plan_case
    from .planner import measured_plan, plan_loaded_case

__version__ = "0.1.0"

__all__ = [
    "CasePlan",
    "InputError",
    "PlanOptions",
    "PlanningCancelled",
    "check_plan",
    "measured_plan",
    "plan_case",
    "plan_loaded_case",
]


def __getattr__(name: str) -> Any:
    # The road pulls in SciPy, SimpleITK and VTK: Slicer, which imports the package at start-up, pays only when it plans.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import entry, model, planner

    return getattr(next(place for place in (entry, model, planner) if hasattr(place, name)), name)
