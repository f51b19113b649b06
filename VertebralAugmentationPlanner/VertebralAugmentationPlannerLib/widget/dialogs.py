"""Asking for files and folders, and whether to go on."""

from __future__ import annotations

import os
from typing import Any

import qt

from ..scene.ui_support import confirmDisplay


class FileDialogs:
    """The file dialogs of Qt; they start where the last one ended. Each that asks for one answers "" when the user cancels."""

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

    def confirm(self, question: str, title: str) -> bool:
        """OK or Cancel."""
        return confirmDisplay(question, title)

    def _remember(self, path: str) -> str:
        if path:
            self.folder = os.path.dirname(path)
        return path
