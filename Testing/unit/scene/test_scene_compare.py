"""Two plans of one scene or of a file side by side."""

import numpy as np
import pytest
from VertebralAugmentationPlannerLib.model import InputError
from VertebralAugmentationPlannerLib.scene.needles import move_ends


def rows_of(comparison):
    return {(row.level, row.side, row.name): row for row in comparison.rows}


@pytest.fixture
def second(logic, planned):
    """Another plan on the same images."""
    return logic.newPlan(planned)


class TestCompare:
    def test_a_plan_against_its_own_file_has_no_difference(self, logic, planned, tmp_path):
        logic.savePlan(planned, tmp_path / "first.json")
        comparison = logic.comparePlans(planned, tmp_path / "first.json")
        assert comparison.identical
        assert comparison.name_b == "first.json"

    def test_a_moved_tip_is_told_in_mm(self, logic, planned, tmp_path):
        logic.savePlan(planned, tmp_path / "before.json")
        line = logic.node(planned, "needle.L1.left")
        entry, target = (np.array(line.GetNthControlPointPositionWorld(n)) for n in (0, 1))
        line.InvokeEvent(line.PointStartInteractionEvent)
        move_ends(line, entry, target + [0.0, 0.0, 2.0])
        line.InvokeEvent(line.PointEndInteractionEvent)
        rows = rows_of(logic.comparePlans(planned, tmp_path / "before.json"))
        assert rows["L1", "left", "tip"].difference == pytest.approx(2.0, abs=0.05)
        assert rows["L1", "right", "tip"].same

    def test_the_other_plan_may_be_of_the_scene(self, logic, planned, second):
        logic.measure(second)
        rows = rows_of(logic.comparePlans(planned, second, "the other reader"))
        assert rows["L1", "left", "planned"].b.startswith("no")

    def test_what_cannot_be_compared_is_one_sentence(self, logic, planned, second, tmp_path):
        with pytest.raises(InputError, match="The other plan is empty"):
            logic.comparePlans(planned, second)
        with pytest.raises(InputError, match="Measure the levels first"):
            logic.comparePlans(second, planned)
        (tmp_path / "no.json").write_text("{}", encoding="utf-8")
        with pytest.raises(InputError):
            logic.comparePlans(planned, tmp_path / "no.json")


class TestPlansOfTheScene:
    def test_a_new_plan_has_the_images_and_the_corrections_but_no_plan(self, logic, planned, inputs):
        logic.setLevel(planned, logic.segmentTable(planned)[0].key, "")
        second = logic.newPlan(planned)
        assert second.GetNodeReference("ct") is inputs[0] and second.GetNodeReference("segmentation") is inputs[1]
        assert [row.level for row in logic.segmentTable(second)] == ["", "L1", "L2"]
        assert logic.currentPlan(second) is None
        assert logic.planNodes()[-1] is second

    def test_the_anatomy_of_the_same_images_is_not_built_again(self, logic, planned):
        built = logic.engine.spines_built
        second = logic.newPlan(planned)
        logic.measure(second)
        assert logic.engine.spines_built == built

    def test_a_hidden_plan_shows_nothing_and_comes_back(self, logic, planned, second):
        def seen():
            roles = ("needle.L1.left", "tube.L1.right", "balloon.L1.left", "height.L1.anterior")
            return [bool(logic.node(planned, role).GetDisplayNode().GetVisibility()) for role in roles]

        logic.showPlan(planned, False)
        assert seen() == [False] * 4
        logic.showPlan(planned, True)
        assert seen() == [True] * 4

    def test_a_title_tells_plans_apart(self, logic, planned, second):
        assert logic.planTitle(planned) == "CT: L1, L2 planned"
        assert logic.planTitle(second) == "CT: empty"
        logic.measure(second)
        assert logic.planTitle(second) == "CT: measured"
