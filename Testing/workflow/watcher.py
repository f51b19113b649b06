"""Hears everything that goes wrong, and tells what is ours from what is not.

A problem of ours is

* an exception that nobody caught, in a slot, an observer or a timer (``PythonQt::handleError`` and
  ``vtkPythonCommand::Execute`` print it through ``sys.excepthook``), whoever raised it: nothing else runs meanwhile;
* an exception that Python could not raise (``__del__``, weak references) with a line of the module in it;
* a record of Python's log at level ERROR or above that a line of the module caused, or that names the module. An error
  dialog is such a record in testing mode (``slicer.util._messageDisplay``);
* an error of VTK, MRML or ITK in the application's log: what the module made of nodes, polydata or views was wrong;
* an error of Qt in the application's log that names the module.

Heard, shown at the end, but no problem of ours (:data:`NOT_OURS`): see the reasons there.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import traceback
from collections.abc import Iterator
from types import FrameType
from typing import Any

import slicer

MODULE = "VertebralAugmentationPlanner"

_ENTRY = re.compile(r"^\[(?P<level>[A-Z]+)\]\[(?P<origin>[^\]]*)\]")
"""Start of an entry of the application's log: ctkErrorLogAbstractModel, ``[%{level}][%{origin}] %{timestamp} …``. Its
message may go on over several lines."""

_BAD = ("ERROR", "CRITICAL", "FATAL")

NOT_OURS = (
    (
        re.compile(r"^\[\w+\]\[(Stream|FD)\]"),
        "whatever is printed to stderr enters the log as critical (ctkErrorLogStreamMessageHandler and …FDMessageHandler"
        " know no other level): warnings of NumPy, of Qt's style and of the graphics driver, and once more what Python"
        " printed, which is heard directly",
    ),
    (
        re.compile(r"^\[\w+\]\[Python\]"),
        "Python's log is heard directly, with the lines of code that caused a record",
    ),
    (
        re.compile(
            r"^\[\w+\]\[VTK\].*?\b(vtk\w*OpenGL\w*|vtk(X|EGL|OSMesa|Win32|Cocoa|Generic)\w*Window\w*|vtkShader\w*"
            r"|vtkTextureObject|vtkPixelBufferObject|vtk\w*Framebuffer\w*)",
            re.DOTALL,
        ),
        "the graphics driver: software OpenGL lacks extensions that VTK asks for; the screenshots show what came of it",
    ),
)
"""(pattern of an entry of the application's log, why it is not judged). Errors of Qt that do not name the module are not
judged either: they come from the application's windows (styles, fonts, network, help) and from other modules."""


class Watcher(logging.Handler):
    """``with Watcher() as watcher: …`` then ``watcher.problems`` is what went wrong, in words; ``watcher.notes`` is what
    was heard besides. The last one stays at hand as ``Watcher.last``, for whoever reports what came of it."""

    last: Watcher | None = None

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._heard: list[str] = []
        self._others: list[str] = []
        self._log_file = slicer.app.errorLogModel().filePath
        self._read_from = 0
        self._old_hooks: tuple[Any, Any] = (None, None)

    def __enter__(self) -> Watcher:
        Watcher.last = self
        logging.getLogger().addHandler(self)
        self._old_hooks = sys.excepthook, sys.unraisablehook
        sys.excepthook, sys.unraisablehook = self._uncaught, self._unraisable
        slicer.app.processEvents()
        if self._log_file and os.path.isfile(self._log_file):
            self._read_from = os.path.getsize(self._log_file)
        return self

    def __exit__(self, *_: Any) -> None:
        logging.getLogger().removeHandler(self)
        sys.excepthook, sys.unraisablehook = self._old_hooks

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        ours = MODULE in message or is_ours(record.pathname) or caused_by_us(sys._getframe(1))
        (self._heard if ours else self._others).append(f"logged: {message}")

    def _uncaught(self, kind: Any, error: Any, trace: Any) -> None:
        self._heard.append("uncaught: " + "".join(traceback.format_exception(kind, error, trace)))
        self._old_hooks[0](kind, error, trace)

    def _unraisable(self, raised: Any) -> None:
        text = "".join(traceback.format_exception(raised.exc_type, raised.exc_value, raised.exc_traceback))
        ours = MODULE in text or MODULE in repr(raised.object)
        (self._heard if ours else self._others).append(f"ignored by Python: {text}")
        self._old_hooks[1](raised)

    @property
    def problems(self) -> list[str]:
        """Everything of ours so far."""
        return self._heard + [f"application log: {entry}" for entry in self._entries() if is_problem(entry)]

    @property
    def notes(self) -> list[str]:
        """What was heard so far and is not ours."""
        entries = [entry for entry in self._entries() if not is_problem(entry)]
        return self._others + [f"application log: {entry}" for entry in entries if _origin(entry) != "Python"]

    def _entries(self) -> list[str]:
        slicer.app.processEvents()  # the application writes its log from the event loop
        if not self._log_file or not os.path.isfile(self._log_file):
            return []
        with open(self._log_file, encoding="utf-8", errors="replace") as file:
            file.seek(self._read_from)
            return bad_entries(file)


def bad_entries(lines: Any) -> list[str]:
    """The entries of an application log, with all their lines, that are errors or worse."""
    entries: list[str] = []
    for line in lines:
        start = _ENTRY.match(line)
        if start:
            entries.append(line)
        elif entries:
            entries[-1] += line
    return [entry.strip() for entry in entries if _ENTRY.match(entry)["level"] in _BAD]  # type: ignore[index]


def is_problem(entry: str) -> bool:
    """Whether an error in the application's log is one of ours."""
    if any(pattern.search(entry) for pattern, _why in NOT_OURS):
        return False
    return MODULE in entry or _origin(entry) in ("VTK", "ITK")


def _origin(entry: str) -> str:
    return _ENTRY.match(entry)["origin"]  # type: ignore[index]


def is_ours(path: str) -> bool:
    """Whether a file of Python code belongs to the module (not to its tests)."""
    parts = os.path.normpath(path).split(os.sep)
    return f"{MODULE}Lib" in parts or parts[-1] == f"{MODULE}.py"


def caused_by_us(frame: FrameType | None) -> bool:
    """Whether a line of the module is at work below a frame; one that only waits for events causes nothing."""
    for place in _callers(frame):
        if is_ours(place.f_code.co_filename):
            return place.f_code.co_name != "processEvents"
    return False


def _callers(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back
