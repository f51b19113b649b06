"""Genant's grades: their limits, and how a loss of height is written beside them."""

from __future__ import annotations

from .plan import HeightLoss

GRADE_1_PERCENT = 20.0
GRADE_2_PERCENT = 25.0
GRADE_3_PERCENT = 40.0
"""Genant's semi-quantitative grades: 1 at 20–25 %, 2 at 25–40 %, 3 above 40 % of height (Wáng, QIMS 2019,
doi 10.21037/qims.2019.02.04 [V], citing Genant 1993)."""


def largest_loss(loss: HeightLoss) -> float | None:
    """The largest of the known losses, percent, or None where none is known."""
    known = [value for value in (loss.anterior, loss.middle, loss.posterior) if value is not None]
    return max(known, default=None)


def grade_of_loss(percent: float) -> int:
    """Genant grade 0–3 of a loss of height, %."""
    if percent > GRADE_3_PERCENT:
        return 3
    return 2 if percent >= GRADE_2_PERCENT else 1 if percent >= GRADE_1_PERCENT else 0


def loss_decimals(percent: float) -> int:
    """Decimals with which a loss is written: none, but as many as keep it on its own side of a limit between two grades, so
    that no “20 %” is called unfractured."""
    grade = grade_of_loss(percent)
    return next((count for count in range(4) if grade_of_loss(round(percent, count)) == grade), 4)
