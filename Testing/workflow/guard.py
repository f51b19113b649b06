"""Ends what would wait for ever: a dialog that nobody answers, and a run that takes too long.

In testing mode ``slicer.util``'s dialogs are log records, but not every dialog of the application goes through it. One
that stays open stops the script, as it runs an event loop of its own; timers still run there.
"""

from __future__ import annotations

import faulthandler
from typing import Any

import qt

LOOK_EVERY_MS = 500
LOOKS = 12
"""A dialog seen this often in a row (6 s) waits for somebody. ``slicer.util.delayDisplay`` closes after 3 s at most."""

RUN_S, END_S = 1500, 180
"""Most a run may take (about 5 min on software OpenGL), and the application's end after it."""


class Guard:
    """``with Guard(path) as guard: …``; ``guard.problems`` names the dialogs that had to be closed.

    Args:
        path: file for the stacks of all threads where the run takes too long; the process then ends with status 1.
        run_s, end_s: most seconds for the run, and for the rest of the process after it.
        looks: how often a dialog must be seen in a row.
    """

    def __init__(self, path: Any, run_s: float = RUN_S, end_s: float = END_S, looks: int = LOOKS) -> None:
        self.problems: list[str] = []
        self._path, self._run_s, self._end_s, self._looks = path, run_s, end_s, looks
        self._file: Any = None
        self._seen, self._count = "", 0
        self._timer = qt.QTimer()
        self._timer.setInterval(LOOK_EVERY_MS)
        self._timer.connect("timeout()", self.look)

    def __enter__(self) -> Guard:
        # sys.stderr has no file descriptor in Slicer, and stays open: the application may hang after the run, too
        self._file = open(self._path, "w", encoding="utf-8")  # noqa: SIM115
        faulthandler.dump_traceback_later(self._run_s, exit=True, file=self._file)
        self._timer.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._timer.stop()
        faulthandler.cancel_dump_traceback_later()
        faulthandler.dump_traceback_later(self._end_s, exit=True, file=self._file)

    def release(self) -> None:
        """Nothing is limited any more (tests go on after a run)."""
        faulthandler.cancel_dump_traceback_later()
        self._file.close()

    def look(self) -> None:
        """Close the dialog that is open, if it has been open for long."""
        dialog = qt.QApplication.activeModalWidget()
        if dialog is None or dialog.inherits("QProgressDialog"):  # progress ends with the work
            self._seen, self._count = "", 0
            return
        name = f"{dialog.className()} “{dialog.windowTitle}”"
        self._count = self._count + 1 if name == self._seen else 1
        self._seen = name
        if self._count >= self._looks:
            self._count = 0
            self.problems.append(f"a dialog waited for an answer: {name}{_text(dialog)}")
            dialog.close()


def _text(dialog: Any) -> str:
    text = dialog.property("text")
    return f": {text}" if text else ""
