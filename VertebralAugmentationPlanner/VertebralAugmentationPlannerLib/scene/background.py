"""Work in a thread of its own, so that the panel repaints and takes clicks meanwhile.

Only for plain arithmetic on arrays: MRML, VTK's rendering and Qt belong to the application's thread.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

from ..model import PlanningCancelled

LISTEN_S = 0.05
"""How often the cancel button is asked: 20 times a second feels immediate. [D]"""

Result = TypeVar("Result")


def in_background(
    task: Callable[[Callable[[], bool]], Result],
    tell: Callable[[], None] | None = None,
    should_cancel: Callable[[], bool] | None = None,
) -> Result:
    """The result of ``task(cancelled)``.

    Args:
        task: runs in the thread; it may ask ``cancelled()`` and stop early.
        tell: called while waiting, for the progress bar.
        should_cancel: asked while waiting.

    Raises:
        PlanningCancelled: ``should_cancel`` answered true. A task that does not ask runs out unseen.
        Exception: whatever the task raised.
    """
    from ..anatomy.side_by_side import (
        no_garbage_collected,
    )  # anatomy brings SciPy, for which the start of Slicer need not wait

    cancelled = [False]
    with no_garbage_collected():
        pool = ThreadPoolExecutor(max_workers=1)
        try:
            running = pool.submit(task, lambda: cancelled[0])
            while not running.done():
                if should_cancel is not None and should_cancel():
                    cancelled[0] = True
                    raise PlanningCancelled
                if tell is not None:
                    tell()
                wait([running], timeout=LISTEN_S)
            return running.result()
        finally:
            pool.shutdown(wait=False)
