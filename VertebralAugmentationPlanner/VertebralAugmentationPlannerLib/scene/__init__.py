"""The only room that knows MRML: a case read from nodes, a plan drawn as nodes, live edit, views, saving.

It needs MRML (``slicer-core`` or the application) but no Qt; everything here runs under plain pytest.

How the widget uses it
----------------------
The widget holds one :class:`PlannerLogic` (in the module file: ``VertebralAugmentationPlannerLogic``) and asks it
for everything. All methods that belong to one plan take the *parameter node* first; either the wrapper
(``VertebralAugmentationPlannerParameterNode``) or the plain ``vtkMRMLScriptedModuleNode`` will do.

* Before a step: ``can…(parameterNode) -> (bool, reason)``; the reason is the tooltip of the disabled button.
* A step: ``loadCase``, ``measure``, ``planLevel``/``planLevels``, ``planAugmentation``, ``inflate``. Each raises
  ``InputError`` with one sentence, or ``PlanningCancelled``. ``progress(fraction, text)`` is called between chunks
  of work (pump events there); ``shouldCancel()`` is asked at the same places.
* After a step: ``currentPlan(parameterNode)`` is the plan as a ``CasePlan`` (frozen); nodes are found by role,
  ``node(parameterNode, role)``, never by ID or name. Roles are in :mod:`.roles`.
* Live edit: ``startEditing``/``stopEditing``. ``addListener(callback)`` gets ``callback(parameterNode, change)`` with
  ``change.kind`` one of ``CHANGES``, ``change.level``, ``change.side``, ``change.finished`` (false while dragged) and,
  for "refused", ``change.message``; ``removeListener(callback)``.
* After loading a scene or a plan.json: ``isReady(parameterNode)``; ``prepare(parameterNode, progress, shouldCancel)``
  builds the anatomy so that the first drag does not wait for it.
* Fluoroscopy: ``canSimulate``, ``setUpFluoroscopy`` once a level, then ``fluoroscopy(parameterNode, level, view)`` for
  every position of the sliders; ``fluoroscopyPreset`` and ``fluoroscopyDepths`` for the buttons.
* Several plans: ``planNodes``, ``planTitle``, ``newPlan``; ``choosePlan`` shows one alone, ``chosenPlan`` tells which;
  ``comparePlans`` against a file or another one.
* Views: ``showNeedleViews``, ``setNeedleDepth``, ``needleDepthRange``, ``restoreViews``, ``showLevel``.
* Files: ``savePlan``, ``loadPlan``, ``exportReport``, ``screenshots``, ``saveScene``.
* ``cleanup()`` in the widget's ``cleanup()``. Closing the scene and deleting nodes by hand need nothing.
"""

from .bundle import write_scene
from .headless import new_scene, read_bundle
from .logic import PlannerLogic

__all__ = ["PlannerLogic", "new_scene", "read_bundle", "write_scene"]
