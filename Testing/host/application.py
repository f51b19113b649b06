"""``slicer.app``, ``slicer.modules`` and the start of a module: the application around the panel.

Each member says which file of Slicer it stands for. There is one scene, the real ``vtkMRMLScene`` of slicer-core with
the logics that the application registers; its views render off screen. Testing mode is on, as with Slicer's
``--testing``: ``slicer.util.errorDisplay`` then only logs.
"""

from __future__ import annotations

import importlib.util
import logging
import sys
import types
from pathlib import Path
from typing import Any

from PySide6.QtCore import Property
from PySide6.QtWidgets import QApplication, QVBoxLayout
from vtkmodules.vtkCommonCore import vtkOutputWindow

from .pythonqt import wrap
from .qmrml_widgets import qMRMLWidget


class ModulePanel(qMRMLWidget):
    """``Base/QTGUI/qSlicerAbstractModuleWidget.h`` (``isEntered``) and ``qSlicerScriptedLoadableModuleWidget.cxx``
    (a QVBoxLayout from the start)."""

    def __init__(self) -> None:
        super().__init__()
        QVBoxLayout(self)
        self.entered = False

    isEntered = Property(bool, lambda self: self.entered)


class ModuleManager:
    """``Base/QTCore/qSlicerModuleManager.h``: only the signal that ``ScriptedLoadableModuleWidget`` listens to."""

    def __init__(self) -> None:
        self.listeners: list[Any] = []

    def connect(self, _signal: str, receiver: Any) -> bool:
        self.listeners.append(receiver)
        return True

    def disconnect(self, _signal: str, receiver: Any) -> bool:
        if receiver in self.listeners:
            self.listeners.remove(receiver)
            return True
        return False

    def unload(self, name: str) -> None:
        """``moduleAboutToBeUnloaded(QString)``."""
        for receiver in list(self.listeners):
            receiver(name)


class ErrorLog(logging.Handler):
    """``ctkErrorLogAbstractModel`` (CTK ``Libs/Core``): everything logged, also VTK's errors, as lines of a file in its
    pattern ``[LEVEL][Origin] …``."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.filePath = str(path)
        path.touch()
        logging.getLogger().addHandler(self)
        window = vtkOutputWindow.GetInstance()
        for event, level in (("ErrorEvent", "ERROR"), ("WarningEvent", "WARNING")):
            window.AddObserver(event, self._vtk(level))

    def emit(self, record: logging.LogRecord) -> None:
        self._write(record.levelname, "Python", record.getMessage())

    def _vtk(self, level: str) -> Any:
        def write(_window: Any, _event: str, text: str) -> None:
            self._write(level, "VTK", text)

        write.CallDataType = "string0"
        return write

    def _write(self, level: str, origin: str, text: str) -> None:
        with open(self.filePath, "a", encoding="utf-8") as file:
            file.write(f"[{level}][{origin}] {text.strip()}\n")


class Application:
    """``Base/QTCore/qSlicerCoreApplication.h`` and ``Base/QTGUI/qSlicerApplication.h``."""

    applicationName = "Slicer"

    def __init__(self, native: QApplication, scene: Any, temporary: Path) -> None:
        self._native, self._scene = native, scene
        self._modules = ModuleManager()
        self._startup: list[Any] = []
        self.temporaryPath = str(temporary)
        self._layout: Any = None
        self._log = ErrorLog(temporary / "host.log")

    def testingEnabled(self) -> bool:  # noqa: N802
        return True

    def processEvents(self, *_: Any) -> None:  # noqa: N802
        self._native.processEvents()

    def topLevelWidgets(self) -> list[Any]:  # noqa: N802
        return []

    def moduleManager(self) -> ModuleManager:  # noqa: N802
        return self._modules

    def errorLogModel(self) -> ErrorLog:  # noqa: N802
        return self._log

    def layoutManager(self) -> Any:  # noqa: N802
        """The views of the scene; each is made when it is first asked for."""
        if self._layout is None:
            from .views import LayoutManager

            self._layout = LayoutManager(self._scene.plannerLogics[0])
        return self._layout

    def translate(self, _context: str, text: str) -> str:
        return text

    def setOverrideCursor(self, cursor: Any) -> None:  # noqa: N802
        self._native.setOverrideCursor(cursor)

    def restoreOverrideCursor(self) -> None:  # noqa: N802
        self._native.restoreOverrideCursor()

    def connect(self, signal: str, receiver: Any) -> bool:
        if signal != "startupCompleted()":
            raise ValueError(f"the test host has no signal {signal}")
        self._startup.append(receiver)
        return True

    def startup_completed(self) -> None:
        for receiver in self._startup:
            receiver()


class Module:
    """``slicer.modules.<name>``: ``qSlicerScriptedLoadableModule`` and its single widget representation."""

    def __init__(self, name: str, path: Path) -> None:
        self.name, self.path = name, str(path)
        self.title, self.categories, self.dependencies, self.contributors = "", [], [], []
        self.helpText = self.acknowledgementText = ""
        self.icon = None
        self.index, self.hidden = -1, False
        self.widget: Any = None

    def widgetRepresentation(self) -> Any:  # noqa: N802
        if self.widget is None:
            import slicer

            parent = wrap(ModulePanel())
            parent.setMRMLScene(slicer.mrmlScene)
            widget_class = getattr(sys.modules[self.name], f"{self.name}Widget")
            self.widget = types.SimpleNamespace(native=parent, python=widget_class(parent))
            self.widget.self = lambda: self.widget.python
            self.widget.python.setup()
        return self.widget

    def enter(self) -> None:
        widget = self.widgetRepresentation()
        widget.native._native.entered = True
        widget.python.enter()

    def exit(self) -> None:
        if self.widget is not None:
            self.widget.native._native.entered = False
            self.widget.python.exit()


def load_module(path: Path) -> Module:
    """Import a scripted module's file and construct its module object, as ``qSlicerScriptedLoadableModule`` does."""
    import slicer

    name = path.stem
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    specification = importlib.util.spec_from_file_location(name, path)
    python_module = importlib.util.module_from_spec(specification)
    sys.modules[name] = python_module
    specification.loader.exec_module(python_module)
    module = Module(name, path)
    setattr(slicer.modules, name.lower(), module)
    module.python = getattr(python_module, name)(module)
    return module
