"""A plate of which hardly a column is sure is not fitted, whatever the processor makes of a singular matrix."""

from __future__ import annotations

import numpy as np
import pytest
from VertebralAugmentationPlannerLib.anatomy.reasons import NotReadable
from VertebralAugmentationPlannerLib.anatomy.steps import Steps, fit_between


def plane(x: np.ndarray) -> np.ndarray:
    """Basis (N, 3) of a plane at places (N, 3)."""
    return np.column_stack([np.ones(len(x)), x[:, :2]])


@pytest.mark.parametrize(("sure", "readable"), [(0, False), (2, False), (9, True)])
def test_a_surface_needs_as_many_sure_columns_as_it_has_coefficients(sure, readable):
    x, y = np.meshgrid(np.arange(5.0), np.arange(5.0))
    inside = np.column_stack([x.ravel(), y.ravel(), np.full(25, 10.0)])
    steps = Steps(inside, inside + [0.0, 0.0, 1.0], 1, 1.0)
    bounded = np.arange(25) < sure

    def fitted():
        return fit_between(steps, plane(steps.inside), plane(steps.outside), 0.3, bounded=bounded)

    if readable:
        assert 10.0 <= fitted().coefficients[0] <= 11.0
    else:
        with pytest.raises(NotReadable, match="too little surface"):
            fitted()
