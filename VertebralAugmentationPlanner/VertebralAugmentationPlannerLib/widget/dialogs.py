"""Asking for files and folders."""

from __future__ import annotations

import os
from typing import Any

import qt


class FileDialogs:
    """The file dialogs of Qt; they start where the last one ended. Each answers "" when the user cancels."""

    def __init__(self, parent: Any = None) -> None:
        self.parent = parent
        self.folder = qt.QDir.homePath()

    def saveFile(self, title: str, name: str, kinds: str) -> str:
        """A file to write. ``kinds`` as Qt wants it: ``"Plan (*.json)"``."""
        return self._remember(
            qt.QFileDialog.getSaveFileName(self.parent, title, os.path.join(self.folder, name), kinds)
        )

    def openFile(self, title: str, kinds: str) -> str:
        """A file to read."""
        return self._remember(qt.QFileDialog.getOpenFileName(self.parent, title, self.folder, kinds))

    def chooseFolder(self, title: str) -> str:
        """A folder to write into."""
        folder = qt.QFileDialog.getExistingDirectory(self.parent, title, self.folder)
        if folder:
            self.folder = folder
        return folder

    def _remember(self, path: str) -> str:
        if path:
            self.folder = os.path.dirname(path)
        return path
