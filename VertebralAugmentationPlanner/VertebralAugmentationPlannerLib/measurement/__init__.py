"""What the vertebrae measure: heights and their loss, angles, volumes, density, clefts, and what to beware of."""

from .edited import EditedMeasurement, measured_points, measurements_with_points, with_neighbours_told
from .fracture import fracture_shape, genant_grade
from .lateral import lower_side_of
from .spine import MeasuredLevel, measure_spine

__all__ = [
    "EditedMeasurement",
    "MeasuredLevel",
    "fracture_shape",
    "genant_grade",
    "lower_side_of",
    "measure_spine",
    "measured_points",
    "measurements_with_points",
    "with_neighbours_told",
]
