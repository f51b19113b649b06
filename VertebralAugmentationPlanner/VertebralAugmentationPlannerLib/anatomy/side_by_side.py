"""Vertebrae side by side: what NumPy, SciPy, ITK and VTK compute for one leaves the interpreter to the next."""

from __future__ import annotations

import contextlib
import gc
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from typing import TypeVar

from ..model import PlanningCancelled

MOST_WORKERS = 4
"""More gain nothing: about a third of the work holds the interpreter's lock [C]."""

POLL_S = 0.05
"""So often is asked whether the user has cancelled."""

Progress = Callable[[float, str], None]
ShouldCancel = Callable[[], bool]
Result = TypeVar("Result")


@contextlib.contextmanager
def no_garbage_collected() -> Iterator[None]:
    """Python collects garbage in whatever thread is running: a window that Slicer has let go of must not end in a worker."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def side_by_side(
    names: Iterable[str],
    work: Callable[[str], Result],
    progress: Progress | None = None,
    should_cancel: ShouldCancel | None = None,
) -> dict[str, Result]:
    """``work`` of each name, several at a time, in the order of the names; the same as one after the other.

    Args:
        work: must not change what it shares with the others.
        progress: called from the caller's thread with a fraction 0–1 and the name that is waited for.
        should_cancel: polled from the caller's thread.

    Raises:
        PlanningCancelled: ``should_cancel`` answered true; what had begun has ended by then.
        Exception: what ``work`` raised first, in the order of the names.
    """
    names = list(names)
    found: dict[str, Result] = {}
    with (
        no_garbage_collected(),
        ThreadPoolExecutor(max(1, min(MOST_WORKERS, os.cpu_count() or 1, len(names)))) as pool,
    ):
        try:
            waiting = {name: pool.submit(work, name) for name in names}
            for n, (name, future) in enumerate(waiting.items()):
                if progress is not None:
                    progress(n / len(names), name)
                while name not in found:
                    if should_cancel is not None and should_cancel():
                        raise PlanningCancelled
                    try:
                        found[name] = future.result(POLL_S)
                    except NotYet:
                        if future.done():  # raised by the work itself
                            raise
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return found
