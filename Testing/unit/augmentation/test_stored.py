"""What of a balloon and its cement was edited in a saved plan, and cannot be so."""

import re
from dataclasses import replace
from types import SimpleNamespace

import pytest
from blocks import Block, measurements, needle, vertebra
from VertebralAugmentationPlannerLib.augmentation import load_catalog, plan_augmentation, set_by_hand, untenable
from VertebralAugmentationPlannerLib.model import PlanOptions

BLOCK = Block()
ENOUGH = PlanOptions(target_fill=0.8)
"""Cement for more than one bone filler."""


def planned(volumes=None):
    return plan_augmentation(vertebra(BLOCK), measurements(BLOCK), (needle(BLOCK),), ENOUGH, volumes)


def faults_of(plan, needle, cement=None):
    """Of the plan with another needle, and other cement, in it."""
    level = SimpleNamespace(
        level="L1",
        trajectories=(needle,),
        cement=cement or plan.cement,
        measurements=measurements(BLOCK),
        predicted=plan.predicted,
    )
    return untenable(vertebra(BLOCK), level, load_catalog(), ENOUGH)


@pytest.mark.parametrize("volume", [None, 1.0])
@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({}, None),
        ({"planned_length_mm": None, "cannula_retraction_mm": None, "channel_beyond_target_mm": None, "limit_ml": None}, None),
        ({"centre_ras": (0.0, 0.0, 0.0)}, "centre is not midway between its ends"),
        ({"planned_length_mm": 5.0}, "inflated balloon is .* not 5.0 mm"),
        ({"cannula_retraction_mm": 0.0}, "cannula is to be drawn back .* not 0.0 mm"),
        ({"channel_beyond_target_mm": 9.0}, "channel is to reach .* not 9.0 mm"),
        ({"max_volume_ml": 30.0}, "largest volume is .* not 30.0 ml"),
        ({"limit_ml": 30.0}, "can be inflated to .* not 30.0 ml"),
        ({"limit_ml": None}, "can be inflated to .* not an unknown volume"),
        ({"stopped_by": "pressure_limit"}, "what stops the balloon is its .* not pressure limit"),
        ({"max_pressure_psi": 9000.0}, "largest pressure .* not 9000 psi"),
        ({"max_pressure_psi": None}, "largest pressure .* not unknown"),
        ({"verified": True}, "not verified in the catalogue"),
        ({"bone_fillers": 1}, "ml are . bone fillers, not 1"),
    ],
)  # fmt: skip
def test_what_was_edited_of_a_balloon_in_a_saved_plan_is_found(change, says, volume):
    plan = planned(None if volume is None else {"left": volume})
    (old,) = plan.trajectories
    fillers = change.get("bone_fillers", old.bone_fillers)
    of_balloon = {field: value for field, value in change.items() if field != "bone_fillers"}
    edited = replace(old, balloon=replace(old.balloon, **of_balloon), bone_fillers=fillers)
    faults = faults_of(plan, edited)
    assert faults == [] if says is None else re.search(says, faults[0])


@pytest.mark.parametrize(
    ("volume", "limit", "model", "by_hand"),
    [
        (None, "of the plan", None, False),
        (1.0, "of the plan", None, True),
        (1.0, 1.05, None, False),  # 0.05 ml are not read off a syringe
        (1.0, 1.2, None, True),
        (1.0, 1.0, None, False),  # as far as its plan let it go, though there is more room by now
        (None, 9.0, None, True),  # the plan's word counts, not what inflation finds
        (None, None, None, False),  # an earlier plan: inflated where it lies, it goes no further
        (1.0, None, None, True),
        (None, None, "unheard-of", True),  # nobody can tell how far it would go
        (1.0, 1.0, "unheard-of", False),
    ],
)
def test_a_balloon_that_holds_less_than_it_could_was_set_by_hand(volume, limit, model, by_hand):
    (one,) = planned(None if volume is None else {"left": volume}).trajectories
    limit_ml = one.balloon.limit_ml if limit == "of the plan" else limit
    balloon = replace(one.balloon, limit_ml=limit_ml, model=model or one.balloon.model)
    level = SimpleNamespace(trajectories=(replace(one, balloon=balloon),))
    wanted = {"left": balloon.planned_volume_ml} if by_hand else {}
    assert set_by_hand(vertebra(BLOCK), level, load_catalog()) == wanted


def test_exchanged_ends_of_a_saved_balloon_are_called_that():
    plan = planned()
    (old,) = plan.trajectories
    turned = replace(old.balloon, proximal_ras=old.balloon.distal_ras, distal_ras=old.balloon.proximal_ras)
    (fault,) = faults_of(plan, replace(old, balloon=turned))
    assert fault == "left: the balloon’s near and far end are exchanged"


def test_the_fillers_of_a_saved_level_are_counted_again():
    plan = planned()
    (fault,) = faults_of(plan, plan.trajectories[0], replace(plan.cement, bone_fillers=1))
    assert fault.endswith("bone fillers, not 1")


@pytest.mark.parametrize(
    ("field", "says"),
    [
        ("target_region_ml", "target region is .* not 99.0 ml"),
        ("low_ml", "range begins at .* not 99.0 ml"),
        ("high_ml", "range ends at .* not 99.0 ml"),
        ("low_mark_ml", "15 % of the body are .* not 99.0 ml"),
        ("high_mark_ml", "30 % of the body are .* not 99.0 ml"),
        ("body_fill_percent", "share of the body is .* not 99.0 %"),
    ],
)
def test_numbers_beside_the_cement_that_were_edited_are_found(field, says):
    plan = planned()
    assert faults_of(plan, plan.trajectories[0]) == []
    (fault,) = faults_of(plan, plan.trajectories[0], replace(plan.cement, **{field: 99.0}))
    assert re.search(says, fault)
