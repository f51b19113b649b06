"""A pedicle's isthmus that its level cannot have is never shown without a word."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bodies import body
from VertebralAugmentationPlannerLib.measurement.pedicle_norms import ISTHMUS_MM, size_warnings
from VertebralAugmentationPlannerLib.model import LEVELS, Pedicle, Vertebra


def with_pedicles(level: str, **sizes: tuple[float, float]) -> Vertebra:
    """A vertebra with pedicles of (width, height) mm by side."""
    axis, outline = np.array([0.0, 1.0, 0.0]), np.zeros((4, 3))
    pedicles = {side: Pedicle(side, np.zeros(3), axis, *size, outline) for side, size in sizes.items()}
    return replace(body(level, 20, 20), pedicles=pedicles)


@pytest.mark.parametrize("level", ISTHMUS_MM)
@pytest.mark.parametrize("share", [0.8, 1.0, 1.35])
def test_usual_sizes_pass_without_a_word(level, share):
    width, height = ISTHMUS_MM[level]
    size = (share * width, share * height)
    assert size_warnings(with_pedicles(level, left=size, right=size)) == []


def test_a_rib_fused_to_the_pedicle_is_told_with_its_number():
    (warning,) = size_warnings(with_pedicles("T8", left=(8.9, 12.0), right=(11.1, 10.4)))
    assert (warning.code, warning.severity) == ("pedicle_size_unusual", "caution")
    assert "right pedicle reads 11.1 mm wide" in warning.message
    assert "1.9 times the usual 5.9 mm at T8" in warning.message
    assert "[M]" in warning.source


@pytest.mark.parametrize(("height", "share"), [(22.8, "1.9"), (6.0, "0.5")])
def test_a_section_too_high_or_too_low_is_told(height, share):
    found = size_warnings(with_pedicles("T6", right=(7.3, height)))
    assert [warning.code for warning in found] == ["pedicle_size_unusual"]
    assert f"{height:.1f} mm high at its isthmus, {share} times the usual 12.2 mm" in found[0].message


def test_sides_too_unlike_are_told_together():
    (warning,) = size_warnings(with_pedicles("T11", left=(11.4, 18.0), right=(6.2, 18.6)))
    assert (warning.code, warning.severity) == ("pedicle_sides_unlike", "caution")
    assert "11.4 mm (left) and 6.2 mm (right) wide" in warning.message


def test_slim_pedicles_may_differ_by_a_millimetre():
    assert size_warnings(with_pedicles("T5", left=(2.6, 11.0), right=(4.0, 11.0))) == []


def test_every_level_has_a_usual_size():
    """A rib that is fused to both pedicles of a T13 is not seen by comparing its sides."""
    assert set(ISTHMUS_MM) == set(LEVELS)
    codes = [w.code for w in size_warnings(with_pedicles("T13", left=(15.0, 15.0), right=(15.0, 15.0)))]
    assert codes == ["pedicle_size_unusual", "pedicle_size_unusual"]
    assert size_warnings(with_pedicles("L6", left=(17.0, 14.0), right=(18.0, 14.0))) == []
