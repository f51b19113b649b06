"""The whole case in Slicer: ``Slicer --testing --python-script Testing/workflow/run_in_slicer.py``.

Ends with exit status 0, or 1 with the reasons on the terminal. The module is taken from this repository where Slicer
was not started with ``--additional-module-paths``. It needs the main window, but no network and nobody at it.
"""

import logging
import sys
import tempfile
import traceback
from pathlib import Path

import qt
import slicer

HERE = Path(__file__).resolve().parent
MODULE_FILE = HERE.parents[1] / "VertebralAugmentationPlanner" / "VertebralAugmentationPlanner.py"


def load_module() -> None:
    """Register and load the module where it is not loaded yet (as the Extension Wizard does)."""
    factory = slicer.app.moduleManager().factoryManager()
    if MODULE_FILE.stem in factory.instantiatedModuleNames():
        return
    factory.registerModule(qt.QFileInfo(str(MODULE_FILE)))
    if not factory.isRegistered(MODULE_FILE.stem) or not factory.loadModules([MODULE_FILE.stem]):
        raise RuntimeError(f"{MODULE_FILE} could not be loaded")


def main() -> int:
    """Exit status."""
    try:
        if slicer.util.mainWindow() is None:
            raise RuntimeError("start Slicer with its main window: modules are selected and views are shown there")
        load_module()
        sys.path.insert(0, str(HERE))
        from case_workflow import Workflow

        with tempfile.TemporaryDirectory() as folder:
            problems = Workflow(Path(folder)).run()
    except Exception:  # noqa: BLE001 - whatever it was, it ends the run with status 1 and is printed
        problems = [traceback.format_exc()]
    for problem in problems:
        print(f"WORKFLOW: {problem}", file=sys.stderr)
    logging.info("workflow: %s", "failed" if problems else "passed")
    print("WORKFLOW FAILED" if problems else "WORKFLOW PASSED")
    return slicer.util.EXIT_FAILURE if problems else slicer.util.EXIT_SUCCESS


slicer.util.exit(main())
