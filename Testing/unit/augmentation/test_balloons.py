"""Which balloon lies where on a needle, and what the plan says about it."""

import inspect
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from blocks import Block, device, measurements, needle, vertebra
from VertebralAugmentationPlannerLib.augmentation import (
    WARNING_CODES,
    body_room,
    find_balloons,
    notices,
    plan_augmentation,
)
from VertebralAugmentationPlannerLib.model import InputError, PlanOptions
from VertebralAugmentationPlannerLib.model.plan import SEVERITIES
from VertebralAugmentationPlannerLib.model.warning_codes import NO_BALLOON


BLOCK, KYPHOPLASTY = Block(), PlanOptions()


def planned(block=BLOCK, needles=None, options=KYPHOPLASTY, volumes=None, **measured):
    needles = (needle(block),) if needles is None else needles
    return plan_augmentation(vertebra(block), measurements(block, **measured), needles, options, volumes)


def local(block, point):
    return vertebra(block).frame.to_local(point)


def codes(plan):
    return {warning.code for warning in plan.warnings}


def test_a_deep_body_takes_the_longest_balloon():
    # 34 mm deep: 34 − 5 − 4 = 25 mm along a straight needle.
    block = Block(depth=34.0)
    assert planned(block).trajectories[0].balloon.length_mm == 20.0


@pytest.mark.parametrize(("depth", "length"), [(29.5, 20.0), (28.0, 15.0), (24.5, 15.0), (23.0, 10.0), (19.5, 10.0)])
def test_the_length_follows_from_five_millimetres_behind_and_four_in_front(depth, length):
    block = Block(depth=depth)
    found = planned(block, (needle(block, target=(-12.0, depth / 2 - 6.0, 0.0)),)).trajectories[0].balloon
    assert found.length_mm == length
    back, front = local(block, found.proximal_ras)[1], local(block, found.distal_ras)[1]
    assert back >= -depth / 2 + 5.0 - 0.01
    assert front <= depth / 2 - 4.0 + 0.01


def test_a_body_too_shallow_for_any_balloon_gets_none_and_the_number():
    # 18 − 5 − 4 = 9 mm, a millimetre short of the smallest.
    block = Block(depth=18.0)
    plan = planned(block, (needle(block, target=(-12.0, 3.0, 0.0)),))
    assert plan.trajectories[0].balloon is None
    warning = next(w for w in plan.warnings if w.code == "no_balloon")
    assert "9.0 mm lie between" in warning.message
    assert "needs 10 mm" in warning.message
    assert plan.cement is not None and plan.predicted is None


def test_a_body_too_flat_for_the_folded_balloon_gets_none_and_the_number():
    # The thinnest folded balloon is 2.5 mm across, with its margins 4.5 mm.
    plan = planned(Block(height=4.0))
    assert plan.trajectories[0].balloon is None
    assert "4.5 mm across with its margin" in next(w for w in plan.warnings if w.code == "no_balloon").message


def test_a_low_body_is_pointed_out():
    assert "low_body" in codes(planned(Block(height=8.0)))


def test_a_thin_cannula_takes_no_balloon_and_the_reason_names_both_diameters():
    plan = planned(needles=(needle(Block(), cannula="13G"),))
    assert plan.trajectories[0].balloon is None
    message = next(w for w in plan.warnings if w.code == "no_balloon").message
    assert "2.41 mm" in message and "3.40 mm" in message


def test_a_10G_cannula_takes_only_what_passes_it():
    found = planned(needles=(needle(Block(), cannula="10G"),)).trajectories[0].balloon
    assert found is not None and "Xpander" not in found.model


def test_the_balloon_lies_at_mid_height_with_its_centre_in_the_anterior_two_thirds():
    block = Block(depth=34.0, height=26.0)
    # A needle that descends 8 mm on its way.
    descending = needle(block, entry=(-12.0, -35.0, 8.0), target=(-10.0, 10.0, 0.0))
    plan = planned(block, (descending,))
    centre = local(block, plan.trajectories[0].balloon.centre_ras)
    assert abs(centre[2]) <= 3.0
    assert centre[1] >= -34.0 / 2 + 34.0 / 3
    axis = np.subtract(descending.target_ras, descending.entry_ras)
    off = np.cross(np.subtract(plan.trajectories[0].balloon.centre_ras, descending.entry_ras), axis)
    assert np.linalg.norm(off) / np.linalg.norm(axis) == pytest.approx(0.0, abs=1e-9)


def test_a_shorter_balloon_is_taken_where_it_comes_to_mid_height():
    # The long one would have its centre more than 3 mm above it.
    block = Block(depth=33.0, height=28.0)
    steep = needle(block, entry=(-12.0, -25.0, 18.0), target=(-12.0, 12.0, -1.0))
    found = planned(block, (steep,)).trajectories[0].balloon
    assert found.length_mm < 20.0
    assert abs(local(block, found.centre_ras)[2]) <= 3.0


def test_a_balloon_that_stays_off_mid_height_is_pointed_out():
    plan = planned(needles=(needle(Block(), entry=(-12.0, -35.0, 6.0), target=(-12.0, 8.0, 6.0)),))
    warning = next(w for w in plan.warnings if w.code == "balloon_off_middle")
    assert "6.0 mm above mid-height of the 24 mm there" in warning.message and warning.severity == "caution"
    plan = planned(needles=(needle(Block(), entry=(-12.0, -35.0, 4.0), target=(-12.0, 8.0, 4.0)),))
    assert next(w for w in plan.warnings if w.code == "balloon_off_middle").severity == "info"


def test_the_cannula_is_drawn_back_behind_the_balloon_and_the_plan_says_how_far():
    plan = planned()
    trajectory, found = plan.trajectories[0], plan.trajectories[0].balloon
    behind = np.linalg.norm(np.subtract(trajectory.target_ras, found.proximal_ras))
    grown = found.planned_length_mm / 2 - found.length_mm / 2
    assert grown > 1.0  # the inflated balloon reaches farther back than the folded one
    assert found.cannula_retraction_mm == pytest.approx(behind + grown + 2.0)
    message = next(w for w in plan.warnings if w.code == "retract_cannula").message
    assert f"back {np.ceil(behind + grown + 2.0):.0f} mm" in message
    # Hardly inflated it asks for less.
    less = planned(volumes={"left": 0.3}).trajectories[0].balloon
    assert behind + 2.0 <= less.cannula_retraction_mm < found.cannula_retraction_mm


def test_a_balloon_that_ends_beyond_the_target_says_how_deep_its_channel_is():
    short = needle(BLOCK, target=(-12.0, 5.0, 0.0))
    plan = planned(needles=(short,))
    found = plan.trajectories[0].balloon
    beyond = local(BLOCK, found.distal_ras)[1] - 5.0
    assert beyond > 0.5 and found.channel_beyond_target_mm == pytest.approx(beyond)
    message = next(w for w in plan.warnings if w.code == "balloon_beyond_target").message
    assert f"{beyond:.1f} mm beyond" in message
    deep = planned(needles=(needle(BLOCK, target=(-12.0, 13.0, 0.0)),))
    assert deep.trajectories[0].balloon.channel_beyond_target_mm == 0.0
    assert "balloon_beyond_target" not in codes(deep)


def test_nothing_is_expected_while_a_needle_breaches():
    block = Block(depth=34.0)
    sound = needle(block)
    other = replace(needle(block, target=(12.0, 8.0, 0.0), entry=(12.0, -35.0, 0.0)), side="right")
    lost = {"reference": (30.0, 26.0), "wedge": 5.0}
    assert planned(block, (sound, other), **lost).predicted is not None
    plan = planned(block, (sound, replace(other, safety="breach")), **lost)
    assert plan.predicted is None and plan.trajectories[0].balloon is not None
    assert "while a needle is a breach" in next(w for w in plan.warnings if w.code == "no_prediction").message


def test_numbers_from_memory_are_called_so():
    plan = planned()
    assert not plan.trajectories[0].balloon.verified
    assert "[M]" in plan.trajectories[0].balloon.source
    assert "balloon_unverified" in codes(plan)


def test_the_users_own_balloon_can_be_named(tmp_path):
    own = {
        "name": "Mine", "length_mm": 12, "max_volume_ml": 1.0, "max_pressure_psi": None, "deflated_diameter_mm": 2.4,
        "thinnest_cannula": "13G", "source": "my measurement", "verified": True,
    }  # fmt: skip
    path = tmp_path / "own.json"
    path.write_text(json.dumps({"schema": "vertebral-augmentation-catalog/1", "balloons": [own]}))
    plan = planned(needles=(needle(Block(), cannula="13G"),), options=PlanOptions(balloon="mine", catalog=str(path)))
    found = plan.trajectories[0].balloon
    assert (found.model, found.planned_volume_ml, found.stopped_by) == ("Mine", 1.0, "max_volume")
    assert found.verified and found.max_pressure_psi is None
    assert "balloon_unverified" not in codes(plan)


def test_an_unknown_balloon_stops_the_plan():
    with pytest.raises(InputError, match="not in the catalogue"):
        planned(options=PlanOptions(balloon="Huge 40"))


@pytest.mark.parametrize(
    ("largest", "at_pressure", "says"),
    [(0.8, None, "reaches its largest volume at 0.8 ml"), (4.0, 0.6, "reaches its pressure limit at 0.6 ml")],
)
def test_a_small_device_is_not_said_to_meet_bone(tmp_path, largest, at_pressure, says):
    own = {
        "name": "Small", "length_mm": 12, "max_volume_ml": largest, "max_pressure_psi": 300, "deflated_diameter_mm": 2.4,
        "thinnest_cannula": "11G", "source": "package insert", "verified": True, "volume_at_max_pressure_ml": at_pressure,
    }  # fmt: skip
    path = tmp_path / "own.json"
    path.write_text(json.dumps({"schema": "vertebral-augmentation-catalog/1", "balloons": [own]}))
    plan = planned(options=PlanOptions(balloon="small", catalog=str(path)))
    messages = {warning.code: warning.message for warning in plan.warnings}
    assert says in messages["small_cavity"] and "bone" not in messages["small_cavity"]
    assert "bone" not in messages["no_prediction"]


def bilateral(block, x=8.0):
    return tuple(
        needle(block, side, (sign * (x + 4), -35.0, 0.0), (sign * x, 8.0, 0.0))
        for side, sign in (("left", -1), ("right", 1))
    )


def test_two_balloons_never_overlap_and_the_limit_of_the_pair_is_its_largest_volume():
    block = Block(height=32.0, depth=34.0, width=48.0)
    plan = planned(block, bilateral(block))
    left, right = (trajectory.balloon for trajectory in plan.trajectories)
    assert "balloons_meet" in codes(plan)
    assert all(needle.balloon.meets_other_balloon for needle in plan.trajectories)
    for balloon, sign in ((left, -1), (right, 1)):
        assert balloon.planned_volume_ml == balloon.max_volume_ml
        assert "meet" in balloon.source
        axis = np.subtract(balloon.distal_ras, balloon.proximal_ras) / balloon.length_mm
        reach = np.hypot(
            balloon.planned_length_mm / 2 * axis[0], balloon.planned_diameter_mm / 2 * np.sqrt(1 - axis[0] ** 2)
        )
        assert sign * local(block, balloon.centre_ras)[0] - reach >= 0.0
    assert left.planned_volume_ml == pytest.approx(right.planned_volume_ml, rel=0.02)


def test_the_slider_holds_a_side_at_its_volume_and_leaves_the_other_alone():
    block = Block(height=32.0, depth=34.0, width=48.0)
    free, held = planned(block, bilateral(block)), planned(block, bilateral(block), volumes={"left": 1.0})
    assert held.trajectories[0].balloon.planned_volume_ml == 1.0
    assert held.trajectories[0].balloon.limit_ml == free.trajectories[0].balloon.limit_ml > 1.1
    assert held.trajectories[1].balloon == free.trajectories[1].balloon
    beyond = planned(block, bilateral(block), volumes={"left": 50.0})
    assert beyond.trajectories[0].balloon == free.trajectories[0].balloon
    assert held.cement.volume_ml < free.cement.volume_ml
    empty = planned(block, bilateral(block), volumes={"left": 0.0}).trajectories[0].balloon
    assert (empty.planned_volume_ml, empty.planned_diameter_mm) == (0.0, 3.0)


def test_vertebroplasty_needs_no_balloon():
    plan = planned(options=PlanOptions(procedure="vertebroplasty"))
    assert plan.trajectories[0].balloon is None
    assert plan.cement is not None and plan.predicted is None
    assert "no_balloon" not in codes(plan)


def test_a_needle_that_breaches_gets_nothing():
    plan = planned(needles=(needle(Block(), safety="breach"),))
    assert plan.trajectories[0] == needle(Block(), safety="breach")
    assert plan.cement is None and plan.predicted is None
    assert [w.severity for w in plan.warnings] == ["stop"]


def test_without_a_needle_there_is_nothing_to_augment():
    plan = planned(needles=())
    assert (plan.trajectories, plan.cement, plan.predicted) == ((), None, None)


def test_a_tip_outside_the_body_gets_no_balloon():
    plan = planned(needles=(needle(Block(), target=(-12.0, 19.0, 0.0)),))
    assert plan.trajectories[0].balloon is None
    assert "does not lie in the body" in next(w for w in plan.warnings if w.code == "no_balloon").message


def test_the_plan_is_the_same_every_time():
    block = Block(height=20.0, front_height=14.0)
    assert planned(block, bilateral(block)) == planned(block, bilateral(block))


def test_the_world_frame_does_not_matter():
    block = Block(height=20.0, front_height=14.0)
    turned = replace(vertebra(block).frame, right=np.array([0, 1.0, 0]), anterior=np.array([-1.0, 0, 0]))
    body = replace(vertebra(block), frame=turned)

    def moved(trajectory):
        points = {
            name: tuple(float(v) for v in turned.to_ras(local(block, getattr(trajectory, name))))
            for name in ("entry_ras", "target_ras")
        }
        return replace(trajectory, **points)

    here = planned(block).trajectories[0].balloon
    there = plan_augmentation(body, measurements(block), (moved(needle(block)),), PlanOptions())
    balloon = there.trajectories[0].balloon
    assert balloon.planned_volume_ml == pytest.approx(here.planned_volume_ml, abs=1e-6)
    assert turned.to_local(balloon.centre_ras) == pytest.approx(local(block, here.centre_ras), abs=1e-6)


def test_every_warning_of_the_room_is_in_its_list():
    source = Path(inspect.getfile(notices)).read_text(encoding="utf-8")
    named = set(re.findall(r'PlanWarning(?:\.of_\w+)?\([^"]*"([a-z_]+)"', source)) - set(SEVERITIES)
    assert named | {NO_BALLOON} == WARNING_CODES


def beside_the_wall(block):
    """A left needle in the open and a right one 2.4 mm off the wall: room for a thin folded balloon (2.5 mm) alone."""
    x = block.width / 2 - 2.4
    return (needle(block), needle(block, "right", (x, -35.0, 0.0), (x, 8.0, 0.0)))


def test_two_balloons_come_from_one_product_line_where_one_fits_both_needles():
    block = Block(depth=34.0)
    left, right = (trajectory.balloon.model for trajectory in planned(block, beside_the_wall(block)).trajectories)
    assert (left, right) == ("iVAS Elite 20", "iVAS Elite 20")
    alone = planned(block, beside_the_wall(block)[:1]).trajectories[0].balloon.model
    assert alone == "KYPHON Xpander 20/3", "one needle takes the first of the longest"


def test_two_lines_are_used_where_none_fits_both_needles():
    block = Block(depth=34.0)
    open_one, at_the_wall = beside_the_wall(block)
    thick = device(20.0, name="Slim Way 20", thinnest_cannula="13G", deflated_diameter_mm=3.0)
    thin = device(20.0, name="Slim Folded 20", thinnest_cannula="8G", deflated_diameter_mm=2.5)
    needles = (replace(open_one, cannula="10G"), at_the_wall)
    found = find_balloons(vertebra(block), body_room(vertebra(block)), needles, (thick, thin))
    assert [found[side].placement.device.name for side in ("left", "right")] == ["Slim Way 20", "Slim Folded 20"]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("KYPHON Xpander 20/3", "kyphon xpander"),
        ("KYPHON Xpander II 10/3", "kyphon xpander ii"),
        ("iVAS Elite 15", "ivas elite"),
        ("Generic 15 mm", "generic"),
        ("Balloon2", "balloon2"),
        ("15/3", "15/3"),
    ],
)
def test_a_product_line_is_the_name_without_the_size(name, line):
    assert device(name=name).line == line


def why_none(plan):
    return next(w for w in plan.warnings if w.code == "no_balloon").message


def test_a_needle_without_a_balloon_says_what_may_help():
    shallow = Block(depth=18.0)
    short = needle(shallow, target=(-12.0, 3.0, 0.0))
    assert why_none(planned(shallow, (short,))).endswith("needs 10 mm. Needles from both sides may help.")
    thin = why_none(planned(needles=(needle(Block(), cannula="13G"),)))
    assert "A 10G cannula or a thicker one, where the pedicle has room, or needles from both sides may help." in thin
    named = why_none(planned(shallow, (short,), PlanOptions(balloon="iVAS Elite 20")))
    assert "Needles from both sides or another balloon may help." in named


def test_no_advice_leads_to_a_side_that_has_no_path():
    shallow = Block(depth=18.0)
    short = needle(shallow, target=(-12.0, 3.0, 0.0))
    refused = plan_augmentation(vertebra(shallow), None, (short,), KYPHOPLASTY, refused_sides={"right": "too thin"})
    other = replace(short, side="right")
    for plan in (refused, planned(shallow, (short, other))):
        assert "may help" not in why_none(plan)
