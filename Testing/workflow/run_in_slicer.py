"""The whole case in Slicer: ``Slicer --testing --python-script Testing/workflow/run_in_slicer.py``.

Ends with exit status 0, or 1 with the reasons on the terminal; what else was heard is listed after them. The module is
taken from this repository where Slicer was not started with ``--additional-module-paths``. It needs the main window,
but no network and nobody at it: dialogs that wait are closed and named, and a run of more than 25 minutes is ended.

Kept to ASCII: the application opens this file in the encoding of the locale (ctkAbstractPythonManager::executeFile).
"""

import os
import sys
import tempfile
import traceback
from pathlib import Path

import qt
import slicer

HERE = Path(__file__).resolve().parent
MODULE_FILE = HERE.parents[1] / "VertebralAugmentationPlanner" / "VertebralAugmentationPlanner.py"
STACKS = Path(tempfile.gettempdir()) / f"VertebralAugmentationPlanner-workflow-{os.getpid()}.txt"


def load_module():
    """Register and load the module where it is not loaded yet (as the Extension Wizard does)."""
    factory = slicer.app.moduleManager().factoryManager()
    if MODULE_FILE.stem in factory.instantiatedModuleNames():
        return
    factory.registerModule(qt.QFileInfo(str(MODULE_FILE)))
    if not factory.isRegistered(MODULE_FILE.stem) or not factory.loadModules([MODULE_FILE.stem]):
        raise RuntimeError(f"{MODULE_FILE} could not be loaded")


def run():
    """Problems of the whole case."""
    if slicer.util.mainWindow() is None:
        raise RuntimeError("start Slicer with its main window: modules are selected and views are shown there")
    load_module()
    from case_workflow import Workflow

    with tempfile.TemporaryDirectory() as folder:
        return Workflow(Path(folder)).run()


def heard():
    """(problems, notes) of the last watcher there was."""
    from watcher import Watcher

    return ([], []) if Watcher.last is None else (Watcher.last.problems, Watcher.last.notes)


def main():
    """Exit status."""
    sys.path.insert(0, str(HERE))
    print(f"WORKFLOW: {MODULE_FILE.parent}; if it takes too long, {STACKS} tells where it was", flush=True)
    problems, notes = [], []
    try:
        from guard import Guard

        with Guard(STACKS) as guard:
            try:
                problems = run()
            except Exception:  # noqa: BLE001 - whatever it was, it ends the run with status 1 and is printed
                problems = [traceback.format_exc(), *heard()[0]]
        problems = [*problems, *guard.problems]
        notes = heard()[1]
    except Exception:  # noqa: BLE001 - likewise
        problems = [*problems, traceback.format_exc()]
    for note in notes:
        print(f"WORKFLOW, not of this module: {note}")
    for problem in problems:
        print(f"WORKFLOW: {problem}", file=sys.stderr)
    print("WORKFLOW FAILED" if problems else "WORKFLOW PASSED", flush=True)
    return slicer.util.EXIT_FAILURE if problems else slicer.util.EXIT_SUCCESS


slicer.util.exit(main())
