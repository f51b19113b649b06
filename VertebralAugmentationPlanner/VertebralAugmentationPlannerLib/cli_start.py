"""The way in of the command ``vap``. Ctrl-C or SIGTERM while the program is still being loaded ends as it does later on."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
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
    open_closed_streams()
    with left_by_interrupt():
        from .cli import main as run

    try:
        return run()
    except KeyboardInterrupt:  # after or before what cli.main guards itself
        _say_left()
        return CANCELLED


@contextlib.contextmanager
def left_by_interrupt() -> Iterator[None]:
    """Leave at once on Ctrl-C, SIGTERM or a closed terminal: raised in the midst of loading a library, KeyboardInterrupt
    turns into other errors."""
    with handled_by(_leave):
        yield


@contextlib.contextmanager
def handled_by(handler: Callable[[int, FrameType | None], NoReturn]) -> Iterator[None]:
    """Have a handler for the signals that stop a run. Only a process's main thread may set one.

    A process that was started to ignore such a signal (``nohup``), or whose host has its own way with it, is left to
    that.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    names = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP
    numbers = [number for name in names if (number := getattr(signal, name, None)) is not None]
    usual = (signal.default_int_handler, signal.SIG_DFL, None)  # None where C set it
    taken = [number for number in numbers if signal.getsignal(number) in usual]
    before = {number: signal.signal(number, handler) for number in taken}
    try:
        yield
    finally:
        for number, own in before.items():
            signal.signal(number, signal.SIG_DFL if own is None else own)


def open_closed_streams() -> None:
    """Let a standard stream that the caller closed (``2>&-``) lead nowhere: else the next file opened takes its place,
    and what is printed lands in it."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # it takes the lowest number that is free, which is this one
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8"))


def _say_left() -> None:
    with contextlib.suppress(OSError):  # the terminal may be closed
        os.write(2, f"{LEFT}\n".encode())  # by the system's own call: the streams may be in any state


def _leave(_number: int, _frame: FrameType | None) -> NoReturn:
    _say_left()
    os._exit(CANCELLED)
