"""``plan_case`` and ``check_plan`` as the package offers them: the road's, and in Slicer from MRML nodes as well."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING, Any

from . import check, planner
from .case import load_again
from .model import Case, CasePlan, InputError, PlanOptions

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
        the plan. The same input gives the same plan, to the byte on one machine; another processor, or
        another number of threads for linear algebra, moves it by up to 0.02 mm and 0.02° [C].

    Raises:
        InputError: the input cannot be used; the message is one sentence.
        PlanningCancelled: ``should_cancel`` answered true.
    """
    if options is not None and not isinstance(options, PlanOptions):
        raise InputError(
            f"The options are a {type(options).__name__}; give PlanOptions(levels=…, procedure=…) or None."
        )
    options = options or PlanOptions()
    if _is_node(segmentation):
        case = _case_of_nodes(ct, segmentation, options, canal)
        return planner.plan_loaded_case(case, options, None, progress, should_cancel)
    return planner.plan_case(_image(ct, "CT"), segmentation, options, _image(canal, "canal"), progress, should_cancel)


def check_plan(
    plan: CasePlan,
    ct: Any,
    segmentation: Any,
    canal: Any = None,
    progress: Progress | None = None,
    should_cancel: ShouldCancel | None = None,
    labels: str | None = None,
    catalog: str | PathLike[str] | None = None,
) -> CasePlan:
    """Compute the clearances, grades and angles of an edited plan again from its entry and target points.

    Balloon and cement are planned again where their needle was moved, and where they cannot be as the plan has them.

    Args:
        plan: edited by hand or elsewhere; its entry and target points are taken as they are.
        ct, segmentation, canal: as for :func:`plan_case`.
        progress, should_cancel: likewise.
        labels: numbering of the labels given, where it is not the plan's; nodes tell theirs themselves.
        catalog: the plan's device catalogue, where its name alone, in the working folder, does not find it.

    Returns:
        the plan with every trajectory judged anew.

    Raises:
        InputError: the images cannot be used, or a level of the plan is not whole in them.
        PlanningCancelled: ``should_cancel`` answered true.
    """
    options = check.options_now(plan, labels, catalog)
    if _is_node(segmentation):
        case = _case_of_nodes(ct, segmentation, options, canal)
    else:
        case = load_again(plan, _image(ct, "CT"), segmentation, _image(canal, "canal"), labels)
    return check.check_on_case(plan, case, progress, should_cancel, None, options)


def _is_node(source: Any) -> bool:
    return hasattr(source, "IsA")  # asked so, a case of files needs no Slicer


def _case_of_nodes(ct: Any, segmentation: Any, options: PlanOptions, canal: Any) -> Case:
    """The case of MRML nodes."""
    from .scene.engine import Engine
    from .scene.node_case import case_of_nodes

    return case_of_nodes(Engine(), ct, segmentation, options, canal=canal)


def _image(source: Any, what: str) -> Any:
    """The image of a volume node; any other source as it is."""
    if not _is_node(source):
        return source
    from .scene.node_case import image_of

    return image_of(source, what)
