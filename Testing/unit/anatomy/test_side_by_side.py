"""Several vertebrae at a time give what one after the other gives, and stop when told to."""

import threading
import time

import numpy as np
import pytest
from anatomy_readings import labels_only
from VertebralAugmentationPlannerLib.anatomy import build_spine, side_by_side
from VertebralAugmentationPlannerLib.anatomy.side_by_side import side_by_side as run
from VertebralAugmentationPlannerLib.model import PlanningCancelled
from VertebralAugmentationPlannerLib.sample import TOTALSEGMENTATOR, healthy_spine, make_case


def test_results_come_in_the_order_of_the_names():
    def work(name):
        time.sleep(0.03 if name == "T12" else 0.0)
        return name.lower()

    assert list(run(["T12", "L1", "L2"], work).items()) == [("T12", "t12"), ("L1", "l1"), ("L2", "l2")]
    assert run([], work) == {}


def test_progress_and_the_question_whether_to_stop_come_from_the_caller():
    threads, told = set(), []

    def announce(share, name):
        threads.add(threading.current_thread())
        told.append((share, name))

    def never():
        threads.add(threading.current_thread())
        return False

    run(["L1", "L2"], lambda name: name, announce, never)
    assert threads == {threading.current_thread()}
    assert told == [(0.0, "L1"), (0.5, "L2")]


@pytest.mark.parametrize("error", [ValueError("no vertebra"), TimeoutError("of the work itself")])
def test_what_the_work_raises_is_raised_and_what_has_not_begun_never_begins(error):
    begun = []

    def work(name):
        begun.append(name)
        raise error

    with pytest.raises(type(error), match=str(error)):
        run([f"T{n}" for n in range(1, 13)], work)
    assert len(begun) < 12


def test_a_cancelled_run_leaves_nothing_running():
    begun = []

    def work(name):
        begun.append(name)
        time.sleep(0.05)

    before = threading.active_count()
    with pytest.raises(PlanningCancelled):
        run([f"L{n}" for n in range(40)], work, None, lambda: len(begun) >= 1)
    assert len(begun) < 40 and threading.active_count() == before


def test_a_spine_is_the_same_however_many_are_built_at_a_time(monkeypatch):
    _, labels, _ = make_case(healthy_spine(("T12", "L1", "L2")), spacing=(1.5, 1.5, 1.5), with_ct=False)
    case = labels_only(labels, TOTALSEGMENTATOR)
    monkeypatch.setattr(side_by_side, "MOST_WORKERS", 1)
    alone = build_spine(case).vertebrae
    monkeypatch.setattr(side_by_side, "MOST_WORKERS", 3)
    monkeypatch.setattr("os.cpu_count", lambda: 3)
    together = build_spine(case).vertebrae
    for level, vertebra in alone.items():
        for name in ("bone_mm", "canal_mm", "neighbour_mm", "posterior_wall_mm"):
            assert np.array_equal(getattr(vertebra, name), getattr(together[level], name)), (level, name)
        assert np.array_equal(vertebra.pedicles["left"].outline, together[level].pedicles["left"].outline)
