"""The way in of the command ``vap``. Ctrl-C while the program is still being loaded ends like Ctrl-C later on."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn

ONE_THREAD = "OPENBLAS_NUM_THREADS"
"""NumPy and SciPy read it while they are loaded. A plan's matrices are small: more threads mostly wait for one another, on a
busy machine for half of the time. Who sets it is obeyed."""

CANCELLED = 130
LEFT = "vap: cancelled; nothing was written."


def main() -> int:
    """Load and run :func:`cli.main`; returns the exit status."""
    os.environ.setdefault(ONE_THREAD, "1")
    with left_by_interrupt():
        from .cli import main as run

    try:
        return run()
    except KeyboardInterrupt:  # after or before what cli.main guards itself
        _say_left()
        return CANCELLED


@contextlib.contextmanager
def left_by_interrupt() -> Iterator[None]:
    """Leave at once on Ctrl-C: raised in the midst of loading a library, KeyboardInterrupt turns into other errors.

    A process that was started to ignore Ctrl-C goes on ignoring it. Only the main thread may set this.
    """
    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, _leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _say_left() -> None:
    # By the system's own call: the streams may be in any state.
    os.write(2, f"{LEFT}\n".encode())


def _leave(_number: int, _frame: FrameType | None) -> NoReturn:
    _say_left()
    os._exit(CANCELLED)
