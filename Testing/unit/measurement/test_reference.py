"""Which heights a body is compared with, and who counts as fractured."""

import numpy as np
import pytest
from VertebralAugmentationPlannerLib.measurement.normal import (
    Heights,
    Usual,
    basis_of_growth,
    basis_of_heights,
    basis_of_ratios,
    growth,
    normal_heights,
)
from VertebralAugmentationPlannerLib.model.grades import largest_loss
from VertebralAugmentationPlannerLib.measurement.reference import find_references

# Posterior, middle, anterior heights of a healthy spine: the reference CT spine (BICEPS), an independent measurement.
BICEPS = {
    "T6": (19.0, 17.9, 21.0),
    "T7": (17.5, 18.2, 21.3),
    "T8": (20.7, 19.8, 21.3),
    "T9": (20.8, 18.9, 21.2),
    "T10": (23.7, 20.8, 24.0),
    "T11": (25.0, 22.7, 26.6),
    "T12": (27.8, 23.9, 28.5),
    "L1": (27.9, 26.0, 29.9),
    "L2": (27.9, 24.8, 28.7),
    "L3": (29.3, 24.5, 29.6),
    "L4": (29.6, 24.8, 29.7),
    "L5": (30.5, 24.4, 26.0),
}


def test_a_normal_value_is_known_as_well_as_the_least_known_part_of_it():
    assert basis_of_growth("T10", "T12").tag == "C" and "Palm 2025" in str(basis_of_growth("T10", "T12"))
    assert basis_of_growth("L1", "L2").tag == "C" and "Palm" not in basis_of_growth("L1", "L2").text
    assert basis_of_growth("T12", "T8") == basis_of_growth("T8", "T12") and basis_of_growth("T8", "T12").tag == "M"
    assert basis_of_growth("T12", "T13").text == basis_of_growth("T12", "L1").text
    assert basis_of_ratios("T3").tag == "M" and basis_of_ratios("L1").tag == "C"
    assert basis_of_heights("L1").tag == "M"


def spine(scale=1.0, levels=None, **losses):
    """The healthy spine with fractions of (anterior, middle, posterior) height taken away at some levels."""
    names = levels or BICEPS
    return {
        name: Heights(
            *(scale * h * (1 - loss) for h, loss in zip(BICEPS[name], losses.get(name, (0, 0, 0)), strict=True))
        )
        for name in names
    }


def fractured(heights):
    return {level for level, found in find_references(heights).items() if found.fractured}


@pytest.mark.parametrize("scale", [0.8, 1.0, 1.25])
def test_no_level_of_a_healthy_spine_is_fractured_whatever_the_patients_size(scale):
    assert fractured(spine(scale)) == set()


def test_reference_between_two_neighbours_is_their_mean():
    found = find_references(spine(T12=(0.4, 0.2, 0.0)))["T12"]
    assert found.reference.method == "neighbours"
    assert found.reference.levels == ("T11", "L1")
    assert found.reference.anterior_height_mm == pytest.approx((25.0 + 27.9) / 2)
    assert found.reference.middle_height_mm == pytest.approx((22.7 + 26.0) / 2)
    assert found.reference.posterior_height_mm == pytest.approx((26.6 + 29.9) / 2)


def test_reference_is_interpolated_by_position_where_one_neighbour_is_farther():
    heights = spine(L1=(0.45, 0.3, 0.05), L2=(0.4, 0.3, 0.0))
    found = find_references(heights)["L1"]
    assert found.reference.levels == ("T12", "L3")
    assert found.skipped == ("L2",)
    assert found.reference.anterior_height_mm == pytest.approx(27.8 + (29.3 - 27.8) / 3)


@pytest.mark.parametrize(
    "rows",
    [
        ("T12", "L1"),
        ("T11", "T12", "L1"),
        ("T8", "T9", "T11", "T12", "L1", "L3"),
        ("T6", "T7", "T8"),
        ("L3", "L4", "L5"),
    ],
)
@pytest.mark.parametrize("loss", [(0.35, 0.2, 0.0), (0.3, 0.45, 0.1), (0.4, 0.4, 0.38)])
def test_fractures_in_a_row_do_not_hide_each_other(rows, loss):
    assert fractured(spine(**dict.fromkeys(rows, loss))) == set(rows)


def test_a_spine_with_more_fractures_than_healthy_levels_keeps_its_healthy_ones():
    rows = ("T7", "T9", "T10", "T12", "L1", "L2", "L4")
    assert fractured(spine(**dict.fromkeys(rows, (0.4, 0.3, 0.05)))) == set(rows)


def test_one_healthy_neighbour_is_carried_along_the_growth_of_the_spine():
    heights = spine(levels=("T11", "T12"), T12=(0.4, 0.3, 0.0))
    found = find_references(heights)["T12"]
    assert found.reference.levels == ("T11",)
    assert found.reference.anterior_height_mm == pytest.approx(25.0 + 1.495, abs=0.01)


def test_lumbar_heights_do_not_grow_as_thoracic_ones_do():
    assert np.allclose(growth("T9", "L1"), 4 * 1.5)
    assert all(abs(step) < 1.0 for step in growth("L1", "L2"))
    assert growth("L4", "L5")[2] < -2.0, "the posterior height of L5 is lower than that of L4"


def test_L5_is_lower_behind_by_nature_and_does_not_drag_its_neighbour_down():
    found = find_references(spine())
    assert abs(found["L4"].loss.posterior) < 3.0
    assert abs(found["L5"].loss.posterior) < 6.0


def test_a_single_wedged_level_is_judged_by_its_own_posterior_wall_with_normal_proportions():
    found = find_references({"T12": Heights(17.0, 19.0, 27.0)})["T12"]
    assert found.reference.method == "own_posterior"
    assert found.reference.posterior_height_mm == pytest.approx(27.0)
    # Normal T12 is 0.93 (women) / 0.90 (men) as high in front as behind.
    assert found.reference.anterior_height_mm == pytest.approx(27.0 * 0.915)
    assert found.reference.middle_height_mm == pytest.approx(27.0 * 0.84)
    assert found.loss.posterior is None, "a height cannot be judged against itself"


def test_a_normal_single_vertebra_has_no_loss_although_its_middle_is_lower():
    found = find_references({"L2": Heights(28.0, 24.8, 28.7)})["L2"]
    assert found.loss.middle == pytest.approx(0.0, abs=2.0)
    assert not found.fractured


def test_a_crushed_single_level_falls_back_on_normal_heights():
    found = find_references({"L1": Heights(14.0, 12.0, 16.0)})["L1"]
    assert found.reference.method == "normative"
    assert found.reference.posterior_height_mm == pytest.approx(normal_heights("L1")[2])
    assert found.fractured


def test_neighbours_farther_than_three_levels_are_not_used():
    heights = spine(**dict.fromkeys(("T10", "T11", "T12", "L1", "L2", "L3", "L4"), (0.4, 0.3, 0.0)))
    found = find_references(heights)
    assert found["L1"].reference.method == "own_posterior"
    assert found["T12"].reference.levels == ("T9",)


def test_missing_levels_keep_their_place():
    heights = spine(levels=("T11", "L1", "L2", "L3"), L1=(0.4, 0.3, 0.0))
    reference = find_references(heights)["L1"].reference
    assert reference.levels == ("T11", "L2")
    assert reference.posterior_height_mm == pytest.approx(26.6 + (28.7 - 26.6) * 2 / 3)


def test_a_supernumerary_T13_takes_a_place_between_T12_and_L1():
    heights = spine(levels=("T12", "L1"), L1=(0.4, 0.3, 0.0)) | {"T13": Heights(27.8, 25.0, 29.0)}
    found = find_references({k: heights[k] for k in ("T12", "T13", "L1")})
    assert found["L1"].reference.levels == ("T13",)


def test_a_height_that_was_not_measured_has_no_loss():
    heights = spine() | {"L1": Heights(None, 20.0, 29.0)}
    found = find_references(heights)["L1"]
    assert found.loss.anterior is None
    assert found.loss.middle is not None


def test_a_level_whose_heights_are_doubtful_is_no_reference_and_no_fracture_to_skip():
    found = find_references(spine(T12=(0.4, 0.2, 0.0)), doubtful=["L1"])["T12"]
    assert found.reference.levels == ("T11", "L2")
    assert found.skipped == ()


def test_a_level_that_is_lower_on_one_side_is_passed_over_as_reference():
    heights = spine(L1=(0.15, 0.15, 0.15))
    assert find_references(heights)["T12"].loss.middle < -5.0
    found = find_references(heights, lopsided=["L1"])
    assert found["T12"].reference.levels == ("T11", "L2") and found["T12"].skipped == ("L1",)
    assert abs(found["T12"].loss.middle) < 3.0 and not found["T12"].doubt
    assert found["L1"].reference.levels == ("T12", "L2")


def test_a_spine_whose_levels_are_all_lower_on_one_side_keeps_its_references_and_says_so():
    """Scoliosis."""
    found = find_references(spine(), lopsided=list(BICEPS))
    assert {level: one.reference for level, one in found.items()} == {
        level: one.reference for level, one in find_references(spine()).items()
    }
    assert found["L1"].doubt == "T12 and L2 are lower on one side" and not found["L1"].skipped
    fractured_too = find_references(spine(L1=(0.4, 0.3, 0.0)), lopsided=list(BICEPS))
    assert fractured_too["L1"].fractured and fractured_too["T12"].reference.levels == ("T11", "L2")


def test_a_cemented_level_is_a_reference_only_where_no_other_is_in_reach_and_then_it_is_said():
    """Both neighbours kept a tenth of their loss: L1, which lost 27 %, would seem to have lost 19 %."""
    kept = (0.12, 0.10, 0.06)
    heights = spine(L1=(0.27, 0.18, 0.03), T12=kept, L2=kept)
    assert not find_references(heights)["L1"].fractured
    found = find_references(heights, cemented=["T12", "L2"])["L1"]
    assert found.reference.levels == ("T11", "L3") and found.fractured and set(found.skipped) == {"T12", "L2"}
    three = {level: heights[level] for level in ("T12", "L1", "L2")}
    found = find_references(three, cemented=["T12", "L2"])["L1"]
    assert found.reference.levels == ("T12", "L2") and found.doubt == "T12 and L2 hold cement of an earlier operation"


def doubts(heights):
    return {level: found.doubt for level, found in find_references(heights).items() if found.doubt}


@pytest.mark.parametrize("scale", [0.8, 1.0, 1.25])
def test_nothing_speaks_against_the_references_of_a_healthy_spine(scale):
    assert doubts(spine(scale)) == {}


def test_a_fracture_that_is_recognised_leaves_no_doubt_about_the_others():
    assert doubts(spine(T12=(0.42, 0.2, 0.0), L1=(0.3, 0.1, 0.0))) == {}


def test_a_body_far_taller_than_its_reference_speaks_against_the_reference():
    # Two of three are evenly crushed by 16 %, just too little to be recognised: the sound one between them stands out.
    even = (0.16, 0.16, 0.16)
    found = doubts(spine(levels=["T12", "L1", "L2"], T12=even, L2=even))
    assert list(found) == ["L1"]
    assert "L1 is " in found["L1"] and "% taller than its reference (" in found["L1"]


def test_a_level_that_seems_to_have_lost_height_beside_one_that_is_too_tall_says_so():
    """The label of L2 holds the disc below it, too."""
    heights = spine(levels=["T12", "L1", "L2", "L3", "L4"])
    heights["L2"] = Heights(*(h + 6.5 for h in heights["L2"]))
    found = find_references(heights)
    assert "L2 is " in found["L2"].doubt and "% taller than its reference" in found["L2"].doubt
    for level in ("L1", "L3"):
        assert largest_loss(found[level].loss) > 8.0
        assert found[level].tall == found["L2"].doubt
    assert [level for level, one in found.items() if one.tall] == ["L1", "L3"]


def test_neighbours_that_contradict_each_other_are_pointed_out():
    heights = spine(levels=["T12", "L1", "L2"])
    tall = Heights(*(1.4 * h for h in heights["L2"]))
    found = find_references({"T12": heights["T12"], "L1": Heights(*(1.16 * h for h in heights["L1"])), "L2": tall})[
        "L1"
    ]
    assert found.reference.levels == ("T12", "L2")
    assert "mm by T12 alone, but" in found.doubt and "mm by L2 alone" in found.doubt


def stacked(upper, lower, disc_mm=9.0):
    """Heights of two bodies and their ossified disc under one label."""
    return Heights(*(a + b + disc_mm for a, b in zip(upper, lower, strict=True)))


@pytest.mark.parametrize("scale", [0.8, 1.0, 1.25])
def test_two_vertebrae_under_one_label_are_no_reference_and_their_neighbours_stay_healthy(scale):
    whole = spine(scale)
    heights = {level: own for level, own in whole.items() if level in ("T11", "T12", "L1", "L3")}
    heights["L1"] = stacked(whole["L1"], whole["L2"])
    found = find_references(heights)
    assert [level for level, one in found.items() if one.oversized] == ["L1"]
    assert not [level for level, one in found.items() if one.fractured]
    assert all("L1" not in one.reference.levels for level, one in found.items() if level != "L1")
    assert {level for level, one in found.items() if "L1" in one.skipped} == {"T12", "L3"}, "its neighbours say so"
    assert not [level for level, one in found.items() if one.doubt]
    alone = find_references({"L1": stacked(whole["L1"], whole["L2"])})["L1"]
    assert alone.oversized and f"{heights['L1'].posterior:.0f} mm high" in alone.oversized


def test_a_spine_of_large_vertebrae_is_not_taken_for_blocks_and_a_reference_of_blocks_is_doubted():
    assert not [one for one in find_references(spine(1.33)).values() if one.oversized]
    whole = spine()
    # Where most levels are two in one, none stands out; what they let expect of the single one between them is told.
    blocks = {level: stacked(whole[level], whole[level]) for level in ("T11", "T12", "L2", "L3")}
    found = find_references(
        {"T11": blocks["T11"], "T12": blocks["T12"], "L1": whole["L1"], "L2": blocks["L2"], "L3": blocks["L3"]}
    )
    assert found["L1"].reference.levels == ("T12", "L2") and "% of the usual" in found["L1"].excess


def test_two_vertebrae_under_one_label_stop_the_level_in_words():
    from VertebralAugmentationPlannerLib.measurement import notes
    from VertebralAugmentationPlannerLib.model import Spine

    whole = spine()
    found = find_references({"T12": whole["T12"], "L1": stacked(whole["L1"], whole["L2"]), "L3": whole["L3"]})
    told = notes.reference_notes("L1", found["L1"], Spine({}))
    (note,) = [one for one in told if one.severity == "stop"]
    assert note.code == "two_vertebrae_in_label" and "block vertebra" in note.message and note.source
    assert "reference_implausible" not in {one.code for one in told}


def test_the_note_names_the_reference_and_both_numbers():
    from VertebralAugmentationPlannerLib.measurement import notes
    from VertebralAugmentationPlannerLib.model import Spine

    even = (0.16, 0.16, 0.16)
    found = find_references(spine(levels=["T12", "L1", "L2"], T12=even, L2=even))["L1"]
    (note,) = [n for n in notes.reference_notes("L1", found, Spine({})) if n.severity == "caution"]
    assert note.code == "reference_implausible"
    assert "Reference (T12, L2) doubtful: L1 is " in note.message
    assert note.source


def test_two_biconcave_neighbours_are_no_reference_for_each_other():
    """By the levels around both T9 has lost more than 20 % of its middle height, T10 a little less; beside T9 it would seem whole."""
    found = find_references(spine(T9=(0.0, 0.15, 0.0), T10=(0.0, 0.15, 0.0)))
    assert found["T9"].reference.levels == found["T10"].reference.levels == ("T8", "T11")
    assert found["T9"].fractured and not found["T9"].shape
    assert found["T10"].loss.middle == pytest.approx(100 * (1 - 0.85 * 20.8 / ((19.8 + 2 * 22.7) / 3)))
    assert found["T10"].shape == "its middle height is 74 % of its posterior height, usually 87 %"


def test_a_healthy_shape_is_not_remarked_on():
    assert not any(found.shape for found in find_references(spine()).values())


def test_a_fracture_told_by_its_loss_is_not_told_by_its_shape_too():
    found = find_references(spine(L1=(0.1, 0.4, 0.0)))["L1"]
    assert found.fractured and not found.shape


def test_remembered_proportions_decide_nothing():
    """The normal proportions above T6 have no source at hand."""
    heights = {**spine(), "T4": Heights(18.0, 13.0, 19.0), "T5": Heights(18.5, 17.0, 19.5)}
    ordered = {level: heights[level] for level in ("T4", "T5", *BICEPS)}
    assert not find_references(ordered)["T4"].shape


def crushed(heights, *levels, share=0.30):
    return {
        level: Heights(*(h * (1 - share) for h in own)) if level in levels else own for level, own in heights.items()
    }


@pytest.mark.parametrize("levels", [("T12", "L1"), ("L1", "L2", "L3"), ("T11", "T12", "L1", "L2")])
def test_bodies_that_are_all_crushed_alike_are_no_reference_without_doubt(levels):
    """They tell no loss of one another, and a crush keeps a body's proportions."""
    found = find_references(crushed(spine(levels=levels), *levels))
    assert not any(one.fractured for one in found.values())
    assert all("as where all of them are crushed alike" in one.doubt for one in found.values())


SIX = {**{level: BICEPS[level] for level in ("L1", "L2", "L3", "L4")}, "L5": BICEPS["L4"], "L6": BICEPS["L5"]}
SIX = {level: Heights(*own) for level, own in SIX.items()}


def test_of_six_lumbar_vertebrae_the_last_is_the_steep_one():
    found = find_references(SIX, usual=Usual(six_lumbar=True))
    for level, one in found.items():
        losses = [one.loss.anterior, one.loss.middle, one.loss.posterior]
        assert np.abs(losses).max() < 8.0, level
    as_five = find_references(SIX)["L5"].loss
    assert as_five.posterior < -8.0  # L5 would be taken for the steep one


def test_an_even_crush_of_the_fifth_of_six_reads_evenly():
    heights = {**SIX, "L5": Heights(*(0.74 * h for h in SIX["L5"]))}
    loss = find_references(heights, usual=Usual(six_lumbar=True))["L5"].loss
    assert [loss.anterior, loss.middle, loss.posterior] == pytest.approx([26.0] * 3, abs=4.0)
