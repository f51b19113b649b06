"""Several vertebrae at a time come in their order, and stop when told to; that they are the same: `test_on_phantoms`."""

import threading
import time

import pytest
from VertebralAugmentationPlannerLib.anatomy.side_by_side import side_by_side as run
from VertebralAugmentationPlannerLib.model import PlanningCancelled


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
