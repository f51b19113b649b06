"""Codes of warnings that one place writes and another looks for; a code that nobody else asks for stands where it is written."""

REFERENCE_IMPLAUSIBLE = "reference_implausible"
FRACTURE_BY_SHAPE = "fracture_by_shape"
LATERAL_HEIGHT_LOSS = "lateral_height_loss"
GRADE_BORDERLINE = "grade_borderline"
"""By these a grade might be another one as well."""

TWO_VERTEBRAE = "two_vertebrae_in_label"
"""Of a level in which nothing is planned."""

LEVEL_NOT_FRACTURED = "level_not_fractured"
FRACTURED_LEVEL_NOT_PLANNED = "fractured_level_not_planned"
NO_FRACTURED_LEVEL = "no_fractured_level"
"""About which levels were planned."""

NO_ACCESS, NO_PATH = "no_access", "no_path"
"""A level, or a side of it, without a needle."""

NEEDLE_NOT_JUDGED = "needle_not_judged"
NEEDLE_MOVED, NEEDLES_GONE = "needle_moved", "needles_gone"
LINES_MOVED = "lines_moved_together"
"""Needles found elsewhere than the plan has them: not judged since, judged anew, left out, or a level all of whose lines
moved as a whole."""

NO_BALLOON = "no_balloon"
FILLING_CHANGED = "filling_changed"
"""What a check says of balloon and cement; it goes once they are planned anew."""

CLEFT_NOT_LABELLED = "cleft_not_labelled"
"""Of a level whose label the CT completed: without the CT it is another one."""
