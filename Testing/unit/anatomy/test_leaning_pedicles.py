"""Width and height of a pedicle's oval section that leans, as L5's do."""

from __future__ import annotations

import numpy as np
import pytest

from VertebralAugmentationPlannerLib.anatomy.section import principal, upright

SHORT_MM, LONG_MM = 15.0, 24.0


def _read(lean_deg: float) -> tuple[float, float]:
    """Width and height read off an oval whose long axis leans by so much from craniocaudal."""
    lean = np.radians(lean_deg)
    turn = np.array([[np.cos(lean), -np.sin(lean)], [np.sin(lean), np.cos(lean)]])
    spread = turn @ np.diag([(SHORT_MM / 4) ** 2, (LONG_MM / 4) ** 2]) @ turn.T
    across, upward = principal(spread)
    along = [4.0 * float(np.sqrt(axis @ spread @ axis)) for axis in (across, upward)]
    return upright(across, along[0], along[1])


@pytest.mark.parametrize("lean_deg", [0.0, 10.0, -15.0])
def test_a_section_that_leans_little_is_measured_along_its_own_axes(lean_deg):
    assert _read(lean_deg) == pytest.approx((SHORT_MM, LONG_MM), abs=1e-6)


def test_a_lying_section_is_wide_and_low():
    assert _read(80.0) == pytest.approx((LONG_MM, SHORT_MM), abs=1e-6)


def test_one_degree_more_or_less_never_exchanges_width_and_height():
    read = np.array([_read(lean) for lean in np.arange(-90.0, 90.5, 1.0)])
    assert np.abs(np.diff(read, axis=0)).max() < 0.6


@pytest.mark.parametrize("lean_deg", [28.0, 34.0, -41.0])
def test_a_section_that_leans_more_is_read_straight_across_and_straight_up(lean_deg):
    """x² / a² + y² / b² = 1 is met by a line at the angle t to its short axis at the distance (cos²t / a² + sin²t / b²) ** −½."""
    cos, sin = np.cos(np.radians(lean_deg)), np.sin(np.radians(lean_deg))
    across = 2.0 * ((cos / (SHORT_MM / 2)) ** 2 + (sin / (LONG_MM / 2)) ** 2) ** -0.5
    up = 2.0 * ((sin / (SHORT_MM / 2)) ** 2 + (cos / (LONG_MM / 2)) ** 2) ** -0.5
    assert _read(lean_deg) == pytest.approx((across, up), abs=1e-6)


def test_half_way_both_are_the_chord_straight_through_the_oval():
    """x² / a² + y² / b² = 1 is met by the line at 45° at the distance (1 / 2a² + 1 / 2b²) ** −½."""
    chord = 2.0 * (0.5 / (SHORT_MM / 2) ** 2 + 0.5 / (LONG_MM / 2) ** 2) ** -0.5
    assert _read(45.0) == pytest.approx((chord, chord), abs=1e-6)
    assert _read(-45.0) == pytest.approx((chord, chord), abs=1e-6)
