"""A verdict that a needle's own numbers do not bear out is found from the plan alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from VertebralAugmentationPlannerLib.access.angles import end_on_carm
from VertebralAugmentationPlannerLib.access.contradictions import contradiction
from VertebralAugmentationPlannerLib.model import Clearance, Trajectory

MARGINS = Clearance(1.0, 1.0, 3.0, 5.0, 3.0, 1.0)
KEPT = Clearance(canal=2.0, pedicle_wall=1.4, endplate=5.5, anterior_wall=5.1, lateral_wall=11.0, neighbour=3.0)


def needle(clearance: Clearance = KEPT, **changes) -> Trajectory:
    """Judged as its clearances have it: every margin kept, slack 1.4 mm."""
    made = Trajectory(
        side="right",
        route="transpedicular",
        entry_ras=(20.0, -45.0, 5.0),
        target_ras=(5.0, 10.0, 0.0),
        skin_ras=None,
        cannula="11G",
        cannula_outer_diameter_mm=3.05,
        bone_path_mm=57.2,
        skin_to_target_mm=None,
        convergence_angle_deg=15.0,
        craniocaudal_angle_deg=-5.0,
        carm=end_on_carm((-15.0, 55.0, -5.0)),
        clearance_mm=clearance,
        breach_grade="A",
        tolerated_offset_mm=1.4,
        tolerated_angle_deg=2.6,
        midline_offset_mm=5.0,
        safety="safe",
        margins_mm=MARGINS,
    )
    return replace(made, **changes)


def test_what_fits_is_left_alone():
    assert contradiction(needle()) is None
    assert contradiction(needle(safety="tight", compromise="the path touches old cement")) is None
    assert contradiction(needle(safety="breach", compromise="metal lies in its way")) is None
    assert contradiction(needle(breach_grade=None, tolerated_offset_mm=None, tolerated_angle_deg=None)) is None
    assert contradiction(needle(margins_mm=None)) is None


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (needle(breach_grade="E"), "graded E where its smallest clearance is 1.4 mm"),
        (needle(replace(KEPT, canal=-3.0)), "graded A where its smallest clearance is -3.0 mm"),
        (needle(tolerated_offset_mm=9.0), "slack is 9.0 mm where its walls leave 1.4 mm"),
        (needle(replace(KEPT, canal=0.4), tolerated_offset_mm=0.4), "called safe and keeps 0.4 mm to the canal"),
        (needle(replace(KEPT, anterior_wall=2.0), safety="tight"), "called tight and keeps 2.0 mm to the anterior"),
        (needle(replace(KEPT, neighbour=-1.0), safety="tight"), "called tight and keeps -1.0 mm to the neighbouring"),
        (needle(carm=replace(needle().carm, prone_text="Prone, receptor above: 40° towards the head")), "C-arm"),
    ],
)
def test_what_its_own_numbers_do_not_bear_out_is_named(changed, says):
    assert says in contradiction(changed)


@pytest.mark.parametrize("grade", ["A", "B"])
def test_on_a_border_of_grades_either_stands(grade):
    on_it = replace(KEPT, endplate=-0.05)
    assert contradiction(needle(on_it, safety="breach", breach_grade=grade)) is None
