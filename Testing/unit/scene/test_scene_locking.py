"""A plan that cannot be read: nothing of it stands as true in the scene, and all of it comes back with one that can."""

import pytest
from test_scene_found_lines import table_row
from VertebralAugmentationPlannerLib.scene.logic import PlannerLogic
from VertebralAugmentationPlannerLib.scene.plan_text import read_plan_text

LEFT, RIGHT = "needle.L1.left", "needle.L1.right"


@pytest.fixture
def opened(logic, planned, scene):
    """Opens the scene again with another plan text; None takes its node away."""
    others = []

    def open_with(change):
        for other in (logic, *others):
            other.cleanup()
        node = planned.GetNodeReference("plan")
        if change is None:
            scene.RemoveNode(node)
        else:
            node.SetText(change(node.GetText()))
        others.append(PlannerLogic(scene, logic.engine))
        others[-1].currentPlan(planned)
        return others[-1]

    yield open_with
    for other in others:
        other.cleanup()


def newer(text):
    return text.replace("vertebral-augmentation-plan/1", "vertebral-augmentation-plan/9")


def older(text):
    return text.replace("vertebral-augmentation-plan/9", "vertebral-augmentation-plan/1")


def looks(logic, planned, role):
    line = logic.node(planned, role)
    color = tuple(round(part, 3) for part in line.GetDisplayNode().GetSelectedColor())
    return line.GetName(), line.GetNthControlPointLabel(0), color, bool(line.GetLocked())


def test_a_needle_that_the_user_had_locked_is_no_longer_called_safe_either(logic, planned, opened):
    logic.node(planned, LEFT).SetLocked(True)
    other = opened(newer)
    assert looks(other, planned, LEFT) == ("L1 left needle (not judged)", "left: not judged", (0.835, 0.369, 0.0), True)
    assert looks(other, planned, RIGHT)[0] == "L1 right needle (not judged)" and looks(other, planned, RIGHT)[3]


def test_back_in_the_version_that_reads_it_all_is_as_it_was(logic, planned, opened):
    """The older one saved what it had locked and hidden."""
    logic.node(planned, RIGHT).SetLocked(True)
    logic.node(planned, "cement.L1.right").SetDisplayVisibility(False)
    roles = (LEFT, RIGHT, "height.L1.anterior", "height.L1.middle")
    lines = [looks(logic, planned, role) for role in roles]
    row, tube = table_row(logic, planned, "L1", "left"), logic.node(planned, "tube.L1.left").GetDisplayNode().GetColor()
    opened(newer)
    other = opened(older)
    assert [looks(other, planned, role) for role in roles] == lines
    assert table_row(other, planned, "L1", "left") == row
    assert other.node(planned, "tube.L1.left").GetDisplayNode().GetColor() == tube
    visible = [other.node(planned, f"{kind}.L1.right").GetDisplayVisibility() for kind in ("balloon", "cement")]
    assert visible == [1, 0] and other.unreadablePlan(planned) is None


def test_a_line_that_was_moved_meanwhile_is_still_found_elsewhere(logic, planned, opened):
    other = opened(newer)
    line = other.node(planned, LEFT)
    line.SetNthControlPointPositionWorld(1, *(part + 2.0 for part in line.GetNthControlPointPositionWorld(1)))
    other = opened(older)
    needle = other.needle(planned, "L1", "left")
    assert needle.safety == "breach" and not needle.judged and not other.node(planned, LEFT).GetLocked()


def test_heights_tables_and_fillings_of_an_unreadable_plan_say_nothing(planned, opened):
    other = opened(newer)
    height = other.node(planned, "height.L1.anterior")
    assert height.GetLocked() and height.GetNthControlPointLabel(0) == "Ha"
    assert set(table_row(other, planned, "L1", "left").values()) == {"not judged"}
    for kind in ("balloon", "cement"):
        assert not other.node(planned, f"{kind}.L1.left").GetDisplayVisibility()
    other.showPlan(planned, False)
    other.showPlan(planned, True)  # another plan was chosen, and this one again
    assert other.node(planned, LEFT).GetDisplayVisibility()
    assert not other.node(planned, "balloon.L1.left").GetDisplayVisibility()


def test_a_new_plan_in_its_place_is_drawn_in_full(planned, opened):
    other = opened(newer)
    other.measure(planned)
    other.planLevels(planned, ("L1",))
    height = other.node(planned, "height.L1.anterior")
    assert not height.GetLocked() and height.GetNthControlPointLabel(0).startswith("Ha 1")
    assert other.node(planned, "balloon.L1.left").GetDisplayVisibility()
    assert table_row(other, planned, "L1", "left")["Safety"] == "safe"


def test_needles_without_a_plan_are_locked(planned, opened):
    other = opened(None)
    assert "plan.json is not in the scene" in other.unreadablePlan(planned)
    assert looks(other, planned, LEFT)[0] == "L1 left needle (not judged)" and other.node(planned, LEFT).GetLocked()


def test_the_text_of_a_plan_that_is_deleted_by_hand_is_written_again(logic, planned, scene):
    before = logic.currentPlan(planned)
    scene.RemoveNode(logic.node(planned, "plan"))
    assert read_plan_text(planned) == before == logic.currentPlan(planned)


def test_a_parameter_node_without_drawings_has_no_unreadable_plan(logic, empty):
    assert logic.unreadablePlan(empty) is None
