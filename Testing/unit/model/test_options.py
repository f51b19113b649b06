"""Options say at once what is wrong with them, each in one sentence."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from VertebralAugmentationPlannerLib import plan_case
from VertebralAugmentationPlannerLib.model import Assumptions, InputError, Margins, PlanOptions

UI = Path(__file__).parents[3] / "VertebralAugmentationPlanner/Resources/UI/VertebralAugmentationPlanner.ui"

WRONG = [-1, -0.001, float("nan"), float("inf"), 10**400, "1", None, True, np.bool_(True), [1.0]]
"""No margin and no assumption can be any of these."""


def one_sentence(error: pytest.ExceptionInfo[InputError], *names: str) -> None:
    text = str(error.value)
    assert text.endswith((".", ").")) and "\n" not in text, text
    assert len(text) < 300, text
    assert all(name in text for name in names), text


@pytest.mark.parametrize("value", [*WRONG, 20.1, 50], ids=lambda value: repr(value)[:20])
@pytest.mark.parametrize("name", [item.name for item in fields(Margins)])
def test_a_margin_is_a_length_of_0_to_20_mm(name, value):
    with pytest.raises(InputError) as error:
        Margins(**{name: value})
    one_sentence(error, name, "between 0 and 20 mm")


@pytest.mark.parametrize("value", WRONG, ids=lambda value: repr(value)[:20])
@pytest.mark.parametrize("name", [item.name for item in fields(Assumptions)])
def test_an_assumption_is_a_number(name, value):
    with pytest.raises(InputError) as error:
        Assumptions(**{name: value})
    one_sentence(error, name)


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        ("restoration_fraction", (0.0, 1.0), (1.01, 5.0)),
        ("bone_volume_fraction", (0.0, 0.999), (1.0, 2.0)),
        ("interdigitation_ml", (0.0, 10.0), (10.1,)),
        ("bone_filler_ml", (0.1, 20.0), (0.0, 20.1)),
        ("cement_ceiling_fraction", (0.01, 1.0), (0.0, 1.01)),
    ],
)
def test_the_range_of_each_assumption(name, inside, outside):
    for value in inside:
        assert getattr(Assumptions(**{name: value}), name) == value
    for value in outside:
        with pytest.raises(InputError, match=f"assumption {name} {value:g} must lie"):
            Assumptions(**{name: value})


def test_every_number_is_kept_as_a_float_whatever_real_number_was_given():
    options = PlanOptions(target_fill=np.float32(0.5), margins=Margins(canal_mm=2, endplate_mm=np.int16(4)))
    assert (options.target_fill, options.margins.canal_mm, options.margins.endplate_mm) == (0.5, 2.0, 4.0)
    found = (options.target_fill, options.margins.canal_mm, options.margins.endplate_mm)
    assert {type(value) for value in found} == {float}


def test_the_panel_offers_no_number_that_would_be_refused():
    text = UI.read_text(encoding="utf-8")

    def limits(box: str) -> list[float]:
        body = re.search(rf'<widget class="QDoubleSpinBox" name="{box}">(.*?)</widget>', text, re.DOTALL)[1]
        return [float(re.search(rf'name="{name}">\s*<double>([^<]+)', body)[1]) for name in ("minimum", "maximum")]

    for box in ("pedicle", "canal", "endplate", "anterior", "lateral", "neighbour"):
        for value in limits(f"{box}MarginSpinBox"):
            Margins(canal_mm=value)
    for box, name, scale in (
        ("restorationSpinBox", "restoration_fraction", 100),
        ("boneFractionSpinBox", "bone_volume_fraction", 100),
        ("interdigitationSpinBox", "interdigitation_ml", 1),
        ("fillerSpinBox", "bone_filler_ml", 1),
        ("ceilingSpinBox", "cement_ceiling_fraction", 100),
    ):
        for value in limits(box):
            Assumptions(**{name: value / scale})


@pytest.mark.parametrize(
    ("levels", "kept"),
    [
        ("L1, T12", "L1, T12"),
        (["T12", "L1"], ("T12", "L1")),
        (("T12",), ("T12",)),
        (np.array(["T12", "L1"]), ("T12", "L1")),
        (np.str_("T12"), "T12"),
    ],
)
def test_levels_are_a_text_or_a_sequence_of_names(levels, kept):
    found = PlanOptions(levels=levels).levels
    assert found == kept
    assert {type(name) for name in ([found] if isinstance(found, str) else found)} == {str}


@pytest.mark.parametrize(
    ("choice", "value", "says"),
    [
        ("levels", {"T12"}, "The levels are {'T12'}"),
        ("levels", {"T12": 1}, "The levels are"),
        ("levels", None, "The levels are None"),
        ("levels", 5, "The levels are 5"),
        ("levels", b"T12", "The levels are b'T12'"),
        ("levels", ["T12", 1], "The levels hold 1, which is no name"),
        ("levels", np.array([1, 2]), "The levels hold 1, which is no name"),
        ("target_fill", "0.3", "The target fill “0.3” is no number"),
        ("target_fill", float("nan"), "The target fill nan must lie above 0 and at most 1"),
        ("target_fill", True, "The target fill True is no number"),
        ("target_fill", 0, "must lie above 0"),
        ("target_fill", None, "is no number"),
        ("margins", None, "The margins are None; give Margins(…)"),
        ("margins", {"canal_mm": 1.0}, "The margins are {'canal_mm': 1.0}; give Margins(…)"),
        ("assumptions", None, "The assumptions are None; give Assumptions(…)"),
        ("assumptions", {}, "The assumptions are {}"),
        ("balloon", None, "The balloon is None"),
        ("balloon", "", "The balloon is “”"),
        ("catalog", 3, "The option catalog is 3"),
        ("catalog", "", "The option catalog is “”"),
        ("labels", None, "The option labels is None"),
        ("labels", {"L1": 20}, "The option labels is {'L1': 20}"),
        ("labels", "", "The option labels is “”"),
        ("procedure", None, "procedure “None” is unknown"),
        ("approach", ["auto"], "approach “['auto']” is unknown"),
        ("cannula", np.array(["8G", "10G"]), "is unknown; choose one of auto, 8G"),
        ("etiology", "flu", "etiology “flu” is unknown"),
    ],
)
def test_a_choice_of_the_wrong_kind_is_refused_at_once(choice, value, says):
    with pytest.raises(InputError) as error:
        PlanOptions(**{choice: value})
    one_sentence(error, says)


def test_a_catalogue_and_a_numbering_may_be_given_as_paths():
    options = PlanOptions(catalog=Path("mine.json"), labels=Path("numbers.json"))
    assert (options.catalog, options.labels) == ("mine.json", "numbers.json")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (None, "The options are None"),
        ({"margins": None}, "The margins are None"),
        ({"margins": [1]}, "The margins are [1]"),
        ({"margins": {"canal_mm": None}}, "The margin canal_mm None is no number"),
        ({"margins": {"canal_mm": "1"}}, "The margin canal_mm “1” is no number"),
        ({"assumptions": "none"}, "The assumptions are “none”"),
        ({"assumptions": {"bone_filler_ml": float("nan")}}, "The assumption bone_filler_ml nan must lie"),
        ({"levels": [1]}, "The levels hold 1"),
        ({"labels": 3}, "The option labels is 3"),
    ],
)
def test_options_of_a_damaged_plan_name_the_entry(data, says):
    with pytest.raises(InputError) as error:
        PlanOptions.from_dict(data)
    one_sentence(error, says)


def test_options_of_an_older_or_newer_plan_are_read():
    assert PlanOptions.from_dict({}) == PlanOptions()
    data = {"margins": {"canal_mm": 2, "of_another_version": "x"}, "another": None, "levels": ["L1"]}
    assert PlanOptions.from_dict(data) == PlanOptions(levels=("L1",), margins=Margins(canal_mm=2.0))


@pytest.mark.parametrize("options", [{}, {"levels": "all"}, "all"])
def test_what_is_no_plan_options_is_refused_before_anything_is_read(options):
    with pytest.raises(InputError, match="give PlanOptions"):
        plan_case("no such file", "no such file", options)
