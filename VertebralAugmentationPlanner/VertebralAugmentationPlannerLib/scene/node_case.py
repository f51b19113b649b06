"""A case from MRML nodes, for the panel, the Python console and ``plan_case``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..model import Case, Image, PlanOptions
from .level_table import meanings_in_force
from .segments import merge, parts_of
from .volumes import image_from_volume

if TYPE_CHECKING:
    from .engine import Engine


def case_of_nodes(
    engine: Engine,
    ct: Any,
    segmentation: Any,
    options: PlanOptions,
    corrections: Mapping[str, str] | None = None,
    canal: Any = None,
) -> Case:
    """A checked case.

    Args:
        ct: ``vtkMRMLScalarVolumeNode``, or whatever else ``plan_case`` takes as CT, or None.
        segmentation: ``vtkMRMLSegmentationNode`` or ``vtkMRMLLabelMapVolumeNode``.
        corrections: level of segments by their key, where it is another than their name says; "" for none.
        canal: volume node with a mask of the canal or cord, or whatever else ``plan_case`` takes; one among the segments
            is used where this is None.

    Raises:
        InputError: a node cannot be used; one sentence.
    """
    scan = image_of(ct, "CT")
    meanings = meanings_in_force(parts_of(segmentation), dict(corrections or {}))
    labels = merge(segmentation, meanings, scan if isinstance(scan, Image) else None)
    mask, is_cord = labels.canal, labels.canal_is_cord
    if canal is not None:
        mask, is_cord = image_of(canal, "canal"), False
    case = engine.loadCase(scan, labels.image, mask, is_cord, options)
    return replace(case, warnings=(*labels.warnings, *case.warnings))


def image_of(source: Any, what: str) -> Any:
    """The engine's image of a volume node; any other source as it is."""
    return image_from_volume(source, what) if is_node(source) else source


def is_node(source: Any) -> bool:
    """Whether a source of ``plan_case`` is a MRML node."""
    return hasattr(source, "IsA") and bool(source.IsA("vtkMRMLNode"))
