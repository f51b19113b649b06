"""What the vertebrae measure: heights and their loss, angles, volumes, density, clefts, and what to beware of."""

from .edited import EditedMeasurement, measurements_with_points
from .fracture import fracture_shape, genant_grade
from .spine import MeasuredLevel, measure_spine

__all__ = [
    "EditedMeasurement",
    "MeasuredLevel",
    "fracture_shape",
    "genant_grade",
    "measure_spine",
    "measurements_with_points",
]
