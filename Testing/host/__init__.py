"""A small test host: just enough of ``qt``, ``ctk`` and ``slicer`` to run the panel without Slicer.

PySide6 (off-screen) under PythonQt's manners, the real MRML and the real ``slicer.util`` of slicer-core, and stand-ins
for the few Python files of Slicer that slicer-core leaves out. A test tool: the product never imports it.

Where the environment variable ``VAP_SLICER_SOURCE`` names a checkout of github.com/Slicer/Slicer, its own
``Base/Python/slicer`` files (``ScriptedLoadableModule``, ``parameterNodeWrapper``, ``i18n``) are used in place of the
stand-ins, so that the stand-ins themselves can be checked.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import sys
import tempfile
import types
from pathlib import Path
from typing import Any

WHY_NOT = ""
try:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    import PySide6.QtUiTools
    import PySide6.QtWidgets  # noqa: F401
    import slicer

    if not hasattr(slicer, "vtkMRMLScene"):
        WHY_NOT = "slicer-core (pip install slicer-core) is not there"
except ImportError as error:
    WHY_NOT = f"the test host needs PySide6 and slicer-core ({error})"

REPOSITORY = Path(__file__).resolve().parents[2]
_installed: Any = None


def _keep_constants_alive() -> None:
    """Before Python 3.12 None, True and False can be counted to death, and PySide6 6.12 does so: each
    ``property("missing")`` and each ``emit()`` takes a reference that it does not hold."""
    if sys.version_info < (3, 12) and sys.implementation.name == "cpython":
        for constant in (None, True, False):
            ctypes.c_ssize_t.from_address(id(constant)).value += 1 << 40


def available() -> tuple[bool, str]:
    """Whether the host can run here; else why not."""
    return not WHY_NOT, WHY_NOT


def install() -> Any:
    """Put ``qt``, ``ctk`` and the rest of ``slicer`` in place; returns the ``slicer`` module. Idempotent."""
    global _installed
    if _installed is not None:
        return _installed
    if WHY_NOT:
        raise RuntimeError(WHY_NOT)
    _keep_constants_alive()
    from PySide6.QtWidgets import QApplication

    from . import application, ctk_widgets, images, qmrml_widgets, qt515
    from .pythonqt import wrapper_class

    native = QApplication.instance() or QApplication([])
    native.setStyle("Fusion")
    qt515.METHODS.update(ctk_widgets.CTK_METHODS)
    qt515.METHODS.update(qmrml_widgets.QMRML_METHODS)
    sys.modules["qt"] = _QtModule("qt")
    ctk = types.ModuleType("ctk")
    for name, value in vars(ctk_widgets).items():
        if name.startswith("ctk"):
            setattr(ctk, name, wrapper_class(value))
    for name in ("ctkCheckBox", "ctkCheckablePushButton", "ctkDoubleSlider", "ctkRangeWidget"):
        setattr(ctk, name, type(name, (), {}))
    for name in ("ctkDoubleRangeSlider", "ctkPathLineEdit", "ctkDirectoryButton", "ctkColorPickerButton"):
        setattr(ctk, name, type(name, (), {}))
    sys.modules["ctk"] = ctk

    for name, value in vars(qmrml_widgets).items():
        if name.startswith("qMRML"):
            setattr(slicer, name, wrapper_class(value))
    slicer.qMRMLUtils = images.qMRMLUtils
    slicer.mrmlScene = _scene()
    slicer.app = application.Application(native, slicer.mrmlScene, Path(tempfile.mkdtemp(prefix="planner-host-")))
    slicer.modules = types.SimpleNamespace()
    slicer.selfTests = {}
    _install_python_files(slicer)
    from slicer import util

    util.selectModule = _select_module
    util.getModuleWidget = lambda name: getattr(slicer.modules, name.lower()).widgetRepresentation().self()
    util.loadScene = _load_scene
    _installed = slicer
    return slicer


def _scene() -> Any:
    """The application’s scene (``qSlicerCoreApplication.cxx``) with the view nodes that its
    layout manager makes (``vtkMRMLLayoutLogic``, the conventional layout)."""
    product = str(REPOSITORY / "VertebralAugmentationPlanner")
    if product not in sys.path:
        sys.path.insert(0, product)
    from VertebralAugmentationPlannerLib.scene.headless import new_scene

    scene = new_scene()
    for kind in ("vtkMRMLSelectionNode", "vtkMRMLInteractionNode"):
        scene.GetFirstNodeByClass(kind).SetSingletonTag("Singleton")  # they outlive a closed scene
    crosshair = slicer.vtkMRMLCrosshairNode()
    crosshair.SetCrosshairName("default")
    scene.AddNode(crosshair)
    application = scene.plannerLogics[0]
    for logic in scene.plannerLogics[1:]:
        name = logic.GetClassName().removeprefix("vtkSlicer").removesuffix("Logic").removesuffix("Module")
        application.SetModuleLogic(name, logic)
    colors = application.GetColorLogic()
    colors.SetMRMLScene(scene)
    colors.AddDefaultColorNodes()
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene, True)
    layout = slicer.vtkMRMLLayoutLogic()
    layout.SetMRMLScene(scene)
    layout.GetLayoutNode().SetViewArrangement(slicer.vtkMRMLLayoutNode.SlicerLayoutConventionalView)
    scene.testHostLayout = layout
    return scene


def _select_module(name: str) -> None:
    """``slicer.util.selectModule``, which needs the main window's module selector."""
    for other in vars(slicer.modules).values():
        if getattr(other, "widget", None) is not None and other.name != name and other.widget.native.isEntered:
            other.exit()
    module = getattr(slicer.modules, name.lower())
    if module.widget is None or not module.widget.native.isEntered:
        module.enter()


def _load_scene(path: Any, properties: Any = None) -> bool:
    """``slicer.util.loadScene`` of a .mrb: it is added to the scene, unless the property “clear” says otherwise
    (``qSlicerSceneBundleReader::load``)."""
    if not slicer.mrmlScene.ReadFromMRB(str(path), bool((properties or {}).get("clear", False))):
        raise RuntimeError(f"Failed to load node from file: {path}")  # loadNodeFromFile
    return True


class _QtModule(types.ModuleType):
    """``qt``: the classes listed in :mod:`.qt515`, wrapped."""

    def __getattr__(self, name: str) -> Any:
        from . import qt515, ui_loader
        from .pythonqt import find_class, wrapper_class

        if name == "QUiLoader":
            return wrapper_class(ui_loader.QUiLoader)
        native = find_class(name) if name in qt515.CLASSES else None
        if native is None:
            raise AttributeError(f"module 'qt' of the test host has no attribute '{name}'")
        return wrapper_class(native)


def _install_python_files(slicer_module: Any) -> None:
    source = os.environ.get("VAP_SLICER_SOURCE")
    if source:
        folder = Path(source) / "Base" / "Python" / "slicer"
        for name in ("i18n", "parameterNodeWrapper", "ScriptedLoadableModule"):
            target = folder / name / "__init__.py" if (folder / name).is_dir() else folder / f"{name}.py"
            _import_file(f"slicer.{name}", target)
        return
    i18n = types.ModuleType("slicer.i18n")
    i18n.tr = lambda text: text
    i18n.translate = lambda context, text: text
    sys.modules["slicer.i18n"] = slicer_module.i18n = i18n
    from . import parameter_node

    sys.modules["slicer.parameterNodeWrapper"] = slicer_module.parameterNodeWrapper = parameter_node
    from . import scripted_module

    sys.modules["slicer.ScriptedLoadableModule"] = slicer_module.ScriptedLoadableModule = scripted_module


def _import_file(name: str, path: Path) -> Any:
    locations = [str(path.parent)] if path.name == "__init__.py" else None
    specification = importlib.util.spec_from_file_location(name, path, submodule_search_locations=locations)
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    setattr(slicer, name.partition(".")[2], module)
    specification.loader.exec_module(module)
    return module
