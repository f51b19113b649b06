"""Work that may take a while: progress with a cancel button, and errors in one sentence."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from typing import Any

import qt

from ..model import InputError, PlanningCancelled
from ..scene.ui_support import errorDisplay, processEvents
from ..scene.ui_support import tr as _

SHOW_AFTER_MS = 500
"""Work shorter than this needs no progress bar."""
STEPS = 1000

Task = Callable[[Callable[[float, str], None], Callable[[], bool]], Any]


class Work:
    """Runs one piece of work at a time.

    Args:
        parent: widget that the dialogs belong to.
    """

    def __init__(self, parent: Any) -> None:
        self.parent = parent
        self.busy = False
        self.dialog: Any = None  # of the work that is going on

    def run(self, title: str, task: Task) -> bool:
        """Do ``task(progress, shouldCancel)``; False where it failed, was cancelled, or other work is going on."""
        if self.busy:
            return False
        self.busy = True
        dialog = self.dialog = self._dialog(title)

        def progress(fraction: float, text: str = "") -> None:
            dialog.setValue(int(STEPS * min(max(fraction, 0.0), 0.999)))
            if text:
                dialog.setLabelText(text)
            processEvents()

        def should_cancel() -> bool:
            processEvents()
            return bool(dialog.wasCanceled)

        try:
            trouble = self._trouble(title, lambda: task(progress, should_cancel))
        finally:
            dialog.close()
            dialog.deleteLater()
            self.dialog = None
            self.busy = False
        return _tell(trouble)

    def quick(self, title: str, task: Callable[[], Any]) -> bool:
        """Do something short; False where it failed. Errors are shown as in :meth:`run`."""
        if self.busy:
            return False
        self.busy = True
        try:
            trouble = self._trouble(title, task)
        finally:
            self.busy = False
        return _tell(trouble)

    def _trouble(self, title: str, task: Callable[[], Any]) -> tuple[str, str] | None:
        """What went wrong in one sentence, and its details; ("", "") where the user cancelled, None where all is well.

        It is told only once the progress bar is gone: one that comes up later would cover and block the message.
        """
        try:
            task()
        except PlanningCancelled:
            logging.info("%s: cancelled by the user", title)
            return "", ""
        except InputError as error:
            return str(error), ""
        except Exception as error:  # noqa: BLE001 - whatever happened, the user is told, with the details
            message = _("{title} failed unexpectedly: {reason}. The plan shown is the last complete one.")
            return message.format(title=title, reason=error), traceback.format_exc()
        return None

    def _dialog(self, title: str) -> Any:
        dialog = qt.QProgressDialog(self.parent)
        dialog.minimumDuration = SHOW_AFTER_MS
        dialog.windowModality = qt.Qt.ApplicationModal
        dialog.autoClose = False
        dialog.autoReset = False
        dialog.maximum = STEPS
        dialog.windowTitle = title
        dialog.setLabelText(title)
        dialog.setValue(0)
        return dialog


def _tell(trouble: tuple[str, str] | None) -> bool:
    """Show what went wrong; whether nothing did."""
    if trouble is not None and trouble[0]:
        errorDisplay(trouble[0], trouble[1] or None)
    return trouble is None
