"""``plan_case`` as the package offers it: the road's, and in Slicer from MRML nodes as well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import planner
from .model import CasePlan, InputError, PlanOptions

if TYPE_CHECKING:
    from .planner import Progress, ShouldCancel


def plan_case(
    ct: Any,
    segmentation: Any,
    options: PlanOptions | None = None,
    canal: Any = None,
    progress: Progress | None = None,
    should_cancel: ShouldCancel | None = None,
) -> CasePlan:
    """Plan a case from its images.

    Args:
        ct: path (NIfTI, NRRD, MHA or a DICOM folder), SimpleITK image, (array, affine) with the affine from voxel
            index to RAS, ``model.Image`` or, in Slicer, a scalar volume node; None to plan from the labels alone.
        segmentation: vertebra labels, likewise, or a segmentation or label map node.
        options: the choices; the defaults when None. The levels of a node's segments are read from their names,
            terminology or numbers, whatever ``options.labels`` says.
        canal: optional mask of the canal or cord, likewise.
        progress: called with a fraction 0–1 and what is being done.
        should_cancel: polled between steps.

    Returns:
        the plan. The same input gives the same plan, to the byte.

    Raises:
        InputError: the input cannot be used; the message is one sentence.
        PlanningCancelled: ``should_cancel`` answered true.
    """
    if options is not None and not isinstance(options, PlanOptions):
        raise InputError(
            f"The options are a {type(options).__name__}; give PlanOptions(levels=…, procedure=…) or None."
        )
    if not any(hasattr(source, "IsA") for source in (ct, segmentation, canal)):
        return planner.plan_case(ct, segmentation, options, canal, progress, should_cancel)
    from .scene.engine import Engine
    from .scene.node_case import case_of_nodes, image_of

    options = options or PlanOptions()
    if hasattr(segmentation, "IsA"):
        case = case_of_nodes(Engine(), ct, segmentation, options, canal=canal)
        return planner.plan_loaded_case(case, options, None, progress, should_cancel)
    ct, canal = image_of(ct, "CT"), image_of(canal, "canal")
    return planner.plan_case(ct, segmentation, options, canal, progress, should_cancel)
