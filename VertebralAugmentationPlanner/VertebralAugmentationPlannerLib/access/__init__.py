"""Access: the needle's path from the skin to the anterior third of the body."""

from .angles import convergence_deg, craniocaudal_deg, end_on_carm
from .clearance import PathCheck, PathEvaluator, gertzbein_robbins
from .instruments import cannulas_to_try
from .judged import mark_moved, mark_unjudged, refuse_unjudged, unjudged, unlike_numbers
from .meeting import with_meeting_told
from .notices import WARNING_CODES, path_warnings, warnings_without_path
from .planner import AccessPlan, plan_access, reevaluate, refused_access
from .safety import safety_sentence
from .search import FoundPath, find_path
from .skin import skin_point
from .space import AccessSpace, access_space

__all__ = [
    "WARNING_CODES",
    "AccessPlan",
    "AccessSpace",
    "FoundPath",
    "PathCheck",
    "PathEvaluator",
    "access_space",
    "cannulas_to_try",
    "convergence_deg",
    "craniocaudal_deg",
    "end_on_carm",
    "find_path",
    "gertzbein_robbins",
    "mark_moved",
    "mark_unjudged",
    "path_warnings",
    "plan_access",
    "reevaluate",
    "refuse_unjudged",
    "refused_access",
    "safety_sentence",
    "skin_point",
    "unjudged",
    "unlike_numbers",
    "warnings_without_path",
    "with_meeting_told",
]
