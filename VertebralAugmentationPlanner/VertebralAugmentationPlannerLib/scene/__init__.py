"""The only room that knows MRML: a case read from nodes, a plan drawn as nodes, live edit, views, saving.

It needs MRML (``slicer-core`` or the application) but no Qt; everything here runs under plain pytest. The widget holds
one :class:`PlannerLogic` and asks it for everything; what belongs to one plan takes its parameter node first, wrapped or
plain. Nodes are found by their roles (:mod:`.roles`), never by ID or name.
"""

from .bundle import write_scene
from .headless import new_scene, read_bundle
from .logic import PlannerLogic

__all__ = ["PlannerLogic", "new_scene", "read_bundle", "write_scene"]
