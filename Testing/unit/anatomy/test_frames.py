"""The vertebra's direction where a fracture has tipped its end plates."""

from __future__ import annotations

import numpy as np
import pytest
from anatomy_readings import labels_only
from VertebralAugmentationPlannerLib.anatomy import build_spine
from VertebralAugmentationPlannerLib.sample import TOTALSEGMENTATOR, healthy_spine, make_case


@pytest.mark.parametrize(("superior_share", "says"), [(1.0, "; the inferior one"), (0.5, "neither is square")])
def test_a_wedge_turns_the_frame_neither_where_one_plate_fell_nor_where_both_did(superior_share, says):
    """The posterior wall stands as before: a plate square to it gives the direction, and two that lean alike their mean."""
    spine = healthy_spine(("L1",))
    spine = spine.changed("L1", spine.shape("L1").broken(wedge=0.45, superior_share=superior_share))
    _, labels, _ = make_case(spine, with_ct=False, margin_mm=8.0)
    vertebra = build_spine(labels_only(labels, TOTALSEGMENTATOR)).vertebrae["L1"]
    between = np.dot(vertebra.frame.superior, spine.vertebrae["L1"].frame.superior)
    assert np.degrees(np.arccos(min(1.0, between))) < 3.0
    (told,) = (note for note in vertebra.notes if note.code == "direction_from_one_end_plate")
    assert says in told.message
