"""Hears everything that goes wrong: Python's log, uncaught exceptions (also in slots and observers), VTK's errors.

In Slicer's testing mode an error dialog is a line in the log at level ERROR (``slicer.util._messageDisplay``), and an
exception in a slot or an observer is printed through ``sys.excepthook``. Both also reach the application's log file,
and so do errors of VTK and Qt.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import traceback
from typing import Any

import slicer

_ERROR_LINE = re.compile(r"^\[(ERROR|CRITICAL|FATAL)\](?!\[(Stream|FD)\])")
"""Errors of Python's log, VTK, ITK and Qt. The application also calls critical whatever is printed to stderr (origins
Stream and FD of ctkErrorLogModel): a warning of NumPy or of the graphics driver is none of our errors."""


class Watcher(logging.Handler):
    """``with Watcher() as watcher: …`` then ``watcher.problems`` is what went wrong, in words."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._heard: list[str] = []
        self._log_file = slicer.app.errorLogModel().filePath
        self._read_from = 0
        self._old_hook: Any = None

    def __enter__(self) -> Watcher:
        logging.getLogger().addHandler(self)
        self._old_hook, sys.excepthook = sys.excepthook, self._uncaught
        slicer.app.processEvents()
        if self._log_file and os.path.isfile(self._log_file):
            self._read_from = os.path.getsize(self._log_file)
        return self

    def __exit__(self, *_: Any) -> None:
        logging.getLogger().removeHandler(self)
        sys.excepthook = self._old_hook

    def emit(self, record: logging.LogRecord) -> None:
        self._heard.append(f"logged: {record.getMessage()}")

    def _uncaught(self, kind: Any, error: Any, trace: Any) -> None:
        self._heard.append("uncaught: " + "".join(traceback.format_exception(kind, error, trace)))
        self._old_hook(kind, error, trace)

    @property
    def problems(self) -> list[str]:
        """Everything heard so far."""
        slicer.app.processEvents()  # the application writes its log from the event loop
        lines = []
        if self._log_file and os.path.isfile(self._log_file):
            with open(self._log_file, encoding="utf-8", errors="replace") as file:
                file.seek(self._read_from)
                lines = [line.strip() for line in file if _ERROR_LINE.match(line)]
        unknown = [line for line in lines if not any(text.partition(": ")[2][:40] in line for text in self._heard)]
        return self._heard + [f"application log: {line}" for line in unknown]
