"""Normal values are the published ones, each with its source and how well that is known."""

from __future__ import annotations

import pytest

from VertebralAugmentationPlannerLib.model import LEVELS
from VertebralAugmentationPlannerLib.report.normals import normals


@pytest.mark.parametrize(
    ("measurement", "level", "text", "tag"),
    [
        ("anterior_height_mm", "L5", "30.3 ± 1.9", "V"),
        ("posterior_height_mm", "L5", "26.3 ± 1.9", "V"),
        ("wedge_angle_deg", "T12", "3.5 / 4.9", "V"),
        ("wedge_angle_deg", "L5", "−7.8 / −4.6", "V"),
        ("depth_mm", "L3", "35.0 (29.5–42.0)", "V"),
        ("body_volume_ml", "L1", "26.2", "C"),
        ("isthmus_width_mm", "L1", "8.7", "M"),
    ],
)
def test_a_value_is_that_of_its_source(measurement: str, level: str, text: str, tag: str) -> None:
    (value,) = normals(measurement, level)
    assert (value.text, value.source.tag) == (text, tag)


def test_where_nothing_is_known_nothing_is_said() -> None:
    assert normals("segmental_kyphosis_deg", "L1") == []
    assert normals("depth_mm", "T9") == []
    assert normals("isthmus_width_mm", "T6") == []


@pytest.mark.parametrize("level", LEVELS)
def test_every_level_has_a_normal_height_and_says_how_well_it_is_known(level: str) -> None:
    values = normals("posterior_height_mm", level)
    assert values and {value.source.tag for value in values} <= set("VCDM")


def test_levels_that_lean_on_remembered_cadavers_say_so_and_supernumerary_ones_rest_on_neighbours() -> None:
    assert normals("anterior_height_mm", "T3")[0].source.tag == "M"
    assert normals("posterior_height_mm", "T12")[0].source.tag == "M"
    assert normals("anterior_height_mm", "T13")[0].source.tag == "D"
