"""The anatomy of VerSe spines: what is whole, what is cut, and how high the bodies are."""

from __future__ import annotations

import numpy as np
import pytest
from anatomy_readings import heights
from VertebralAugmentationPlannerLib.anatomy import build_spine


def test_verse005_has_whole_l2_and_l4_between_cut_ends(verse_case):
    vertebrae = build_spine(verse_case("verse005")).vertebrae
    assert all(vertebrae[level].complete for level in ("L2", "L4"))
    for level in ("L1", "L5"):
        assert not vertebrae[level].complete
        assert "border" in vertebrae[level].incomplete_reason


def test_verse008_has_whole_l1_to_l3_with_both_pedicles(verse_case):
    vertebrae = build_spine(verse_case("verse008"), levels=("L1", "L2", "L3")).vertebrae
    for vertebra in vertebrae.values():
        assert vertebra.complete
        assert set(vertebra.pedicles) == {"left", "right"}
        # Lumbar pedicles are 6–18 mm wide and 11–18 mm high (Panjabi, Zindrick; from memory), with some room.
        assert all(5.0 < pedicle.isthmus_width_mm < 20.0 for pedicle in vertebra.pedicles.values())
        assert all(10.0 < pedicle.isthmus_height_mm < 20.0 for pedicle in vertebra.pedicles.values())


def test_verse004_l1_has_collapsed_to_about_nine_millimetres_in_the_middle(verse_case):
    vertebrae = build_spine(verse_case("verse004"), levels=("T12", "L1", "L2")).vertebrae
    assert heights(vertebrae["L1"])[1] == pytest.approx(9.0, abs=1.0)
    for level in ("T12", "L2"):
        assert 23.0 < heights(vertebrae[level])[1] < 27.0


def test_rims_of_real_bodies_lie_on_bone(verse_case):
    vertebrae = build_spine(verse_case("verse008"), levels=("L1", "L2")).vertebrae
    for vertebra in vertebrae.values():
        for plate in (vertebra.superior, vertebra.inferior):
            rims = np.array([plate.anterior_rim, plate.posterior_rim])
            assert vertebra.grid.sample(vertebra.bone_mm, rims).min() > -3.0
