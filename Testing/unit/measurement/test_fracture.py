"""Grade and shape of a fracture."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from VertebralAugmentationPlannerLib.measurement import fracture_shape, genant_grade
from VertebralAugmentationPlannerLib.measurement.notes import reference_notes
from VertebralAugmentationPlannerLib.measurement.reference import LevelReference
from VertebralAugmentationPlannerLib.model import HeightLoss, Reference, Spine
from VertebralAugmentationPlannerLib.model.grades import largest_loss

CLASSES = {
    "none",
    "wedge",
    "biconcave",
    "crush",
    "wedge+biconcave",
    "wedge+crush",
    "biconcave+crush",
    "wedge+biconcave+crush",
}


@pytest.mark.parametrize(
    ("loss", "grade"), [(-5, 0), (0, 0), (19.9, 0), (20, 1), (24.9, 1), (25, 2), (39.9, 2), (40, 2), (40.1, 3), (75, 3)]
)
def test_grade_follows_the_largest_loss(loss, grade):
    assert genant_grade(HeightLoss(loss, 0.0, 0.0)) == grade
    assert genant_grade(HeightLoss(-10.0, loss, -10.0) if loss > 0 else HeightLoss(loss, loss, loss)) == grade
    assert genant_grade(HeightLoss(loss, None, None)) == grade


@pytest.mark.parametrize(
    ("losses", "largest"), [((12, 30, 5), 30), ((-4, -9, None), -4), ((None, 0, None), 0), ((None, None, None), None)]
)
def test_the_largest_loss_is_that_of_the_heights_that_are_known(losses, largest):
    assert largest_loss(HeightLoss(*losses)) == largest


def test_no_loss_known_is_no_grade_and_no_shape():
    assert genant_grade(HeightLoss(None, None, None)) is None
    assert fracture_shape(HeightLoss(None, None, None)) is None


@pytest.mark.parametrize(
    ("losses", "shape"),
    [
        ((5, 8, 2), "none"),
        ((40, 20, 0), "wedge"),
        ((10, 35, 8), "biconcave"),
        ((35, 36, 33), "crush"),
        ((30, 45, 5), "wedge+biconcave"),
        ((55, 40, 25), "wedge+crush"),
        ((15, 50, 30), "biconcave+crush"),
        ((40, 60, 22), "wedge+biconcave+crush"),
        ((5, 10, 30), "crush"),
        ((30, 24, 18), "wedge"),  # the middle follows the straight plates of a wedge
    ],
)
def test_the_seven_shapes_of_the_european_study(losses, shape):
    assert fracture_shape(HeightLoss(*losses)) == shape


percent = st.floats(-30, 95)


@given(percent, percent, percent)
def test_every_graded_fracture_has_one_of_the_seven_shapes_and_no_other_has(a, m, p):
    loss = HeightLoss(a, m, p)
    assert fracture_shape(loss) in CLASSES
    assert (genant_grade(loss) == 0) == (fracture_shape(loss) == "none")


def test_a_shape_is_told_beside_a_loss_that_stays_below_its_grade():
    """“Its height loss tells none (20 %)” beside “grade 1 from 20 %” would look like an error."""
    reference = Reference(24.0, 22.0, 24.0, "neighbours", ("T11",))
    found = LevelReference(reference, HeightLoss(9.4, 19.54, 4.1), (), shape="its middle height is low")
    notes = reference_notes("T9", found, Spine({}))
    text = next(note.message for note in notes if note.code == "fracture_by_shape")
    assert "(19.5 %)" in text and "20 %" not in text
