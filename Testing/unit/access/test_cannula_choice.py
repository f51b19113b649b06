"""Which of the cannulas that were tried is taken, by what each is short of."""

from types import SimpleNamespace

import pytest
from VertebralAugmentationPlannerLib.access import side
from VertebralAugmentationPlannerLib.access.safety import Shortage, Verdict
from VertebralAugmentationPlannerLib.model import CANNULAS, Margins, PlanOptions

SHORT = {
    "safe": (),
    "body": (Shortage("anterior_wall", 2.0, 3.0),),
    "neighbour": (Shortage("neighbour", 0.2, 0.5),),
    "pedicle": (Shortage("pedicle_wall", 0.4, 1.0),),
}


def attempt(name: str, short: str) -> SimpleNamespace:
    verdict = Verdict("tight" if SHORT[short] else "safe", SHORT[short], Margins())
    return SimpleNamespace(cannula=CANNULAS[name], path=None, verdict=verdict)


@pytest.mark.parametrize(
    ("short_of", "taken"),
    [
        ({"8G": "body", "10G": "safe"}, "10G"),
        ({"8G": "body", "10G": "body"}, "8G"),  # what is short in the body, thickness decides little
        ({"8G": "neighbour", "10G": "neighbour", "11G": "neighbour"}, "10G"),  # an 11G passes no balloon
        ({"8G": "pedicle", "10G": "pedicle", "13G": "pedicle"}, "13G"),
        ({"8G": "neighbour", "10G": "body"}, "10G"),
    ],
)
def test_the_thickest_that_keeps_what_thickness_decides(short_of, taken):
    attempts = [attempt(name, short) for name, short in short_of.items()]
    assert side._choose(attempts, PlanOptions(procedure="kyphoplasty")).cannula.name == taken
