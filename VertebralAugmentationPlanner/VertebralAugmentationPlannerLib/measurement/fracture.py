"""Grade and shape of a fracture from its three height losses."""

from __future__ import annotations

from ..model import HeightLoss
from ..model.grades import GRADE_1_PERCENT, grade_of_loss, largest_loss

BICONCAVE_EXCESS_PERCENT = 5.0
"""The middle is called biconcave where it lost this much more than the mean of front and back [D]."""

CRUSH_SPREAD_PERCENT = 10.0
"""Three losses, all a fracture's, that differ by less than this are one even collapse: a crush [D]."""


def genant_grade(loss: HeightLoss) -> int | None:
    """Genant grade 0–3 by the largest of the three losses; None where no loss is known."""
    largest = largest_loss(loss)
    return None if largest is None else grade_of_loss(largest)


def fracture_shape(loss: HeightLoss) -> str | None:
    """Shape of the fracture: "none", "wedge", "biconcave", "crush" or their combination joined by "+".

    Wedge where the front lost 20 %, biconcave where the middle did and lost more than front and back, crush where the
    back did; three like losses are a crush alone. Gives the seven classes of the European study (EVOS).
    None where no loss is known. An unknown posterior loss (its own wall was the reference) counts as none.
    """
    if largest_loss(loss) is None:
        return None
    anterior, middle, posterior = (value or 0.0 for value in (loss.anterior, loss.middle, loss.posterior))
    losses = (anterior, middle, posterior)
    if min(losses) >= GRADE_1_PERCENT and max(losses) - min(losses) < CRUSH_SPREAD_PERCENT:
        return "crush"
    deepest_in_the_middle = middle - (anterior + posterior) / 2 >= BICONCAVE_EXCESS_PERCENT
    classes = [
        name
        for name, present in (
            ("wedge", anterior >= GRADE_1_PERCENT),
            ("biconcave", middle >= GRADE_1_PERCENT and deepest_in_the_middle),
            ("crush", posterior >= GRADE_1_PERCENT),
        )
        if present
    ]
    if not classes and middle >= GRADE_1_PERCENT:
        return "biconcave"  # an even collapse of which only the middle reaches 20 %: a graded fracture needs a shape
    return "+".join(classes) or "none"
