"""Needle views: one slice across the needle, two that contain it; and the usual views back.

Slice axes follow the radiologist's habit as far as the needle allows: the patient's left on the right of the picture,
head up in the slice across the needle and in the long one seen from the side, front up in the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
from numpy.typing import ArrayLike, NDArray

from ..model.geometry import unit
from .volumes import matrix_array, vtk_matrix

ACROSS, ALONG_AXIAL, ALONG_SAGITTAL = "Red", "Yellow", "Green"
"""Slice views by layout name."""

NEEDLE_VIEW = "VertebralAugmentationPlanner.NeedleView"
"""Attribute of slice nodes that show a needle, in saved scenes too: how the view, and the layout, was before, as numbers with
blanks between them (those of other versions may have another text)."""

NO_LAYOUT = -1
"""In place of the layout's number where the scene has none."""

FIELD_OF_VIEW_MM = 90.0
"""Height of a needle view: a vertebra and the way to the skin's last centimetres. [D]"""


def across_needle(entry_ras: ArrayLike, target_ras: ArrayLike, depth_mm: float) -> NDArray[np.float64]:
    """4 × 4 slice-to-RAS matrix of the slice perpendicular to a needle, seen along it as the operator does.

    Args:
        entry_ras, target_ras: (3,) RAS, mm.
        depth_mm: distance of the slice from the entry towards the target; negative lies outside the bone.

    Raises:
        ValueError: the needle has no length.
    """
    entry, axis = np.asarray(entry_ras, float), unit(np.subtract(target_ras, entry_ras))
    left = _perpendicular([-1.0, 0.0, 0.0], [axis], [0.0, 1.0, 0.0])
    return _matrix(left, np.cross(axis, left), axis, entry + depth_mm * axis)


def along_needle_axial(entry_ras: ArrayLike, target_ras: ArrayLike) -> NDArray[np.float64]:
    """Slice-to-RAS matrix of the slice that contains the needle, as near to axial as it can be; tip upwards."""
    entry, target = np.asarray(entry_ras, float), np.asarray(target_ras, float)
    axis = unit(target - entry)
    left = _perpendicular([-1.0, 0.0, 0.0], [axis], [0.0, 1.0, 0.0])
    return _matrix(left, axis, np.cross(left, axis), (entry + target) / 2)


def along_needle_sagittal(entry_ras: ArrayLike, target_ras: ArrayLike) -> NDArray[np.float64]:
    """Slice-to-RAS matrix of the slice that contains the needle, as near to sagittal as it can be; tip to the left."""
    entry, target = np.asarray(entry_ras, float), np.asarray(target_ras, float)
    axis = unit(target - entry)
    up = _perpendicular([0.0, 0.0, 1.0], [axis], [0.0, 1.0, 0.0])
    return _matrix(-axis, up, np.cross(-axis, up), (entry + target) / 2)


def _perpendicular(wanted: ArrayLike, to: list[NDArray], instead: ArrayLike) -> NDArray[np.float64]:
    """Unit vector nearest to a wanted one, perpendicular to others; the second choice where the first is parallel."""
    for candidate in (np.asarray(wanted, float), np.asarray(instead, float)):
        vector = candidate - sum(np.dot(candidate, other) * other for other in to)
        if np.linalg.norm(vector) > 0.05:  # within 3° of parallel the direction would be noise
            return unit(vector)
    raise ValueError("no direction is perpendicular to the needle")


def _matrix(x: NDArray, y: NDArray, z: NDArray, origin: NDArray) -> NDArray[np.float64]:
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([x, y, z], axis=1)
    matrix[:3, 3] = origin
    return matrix


def slice_node(scene: Any, name: str) -> Any:
    """The slice node of a view ("Red" …), or None where the scene has no such view."""
    for index in range(scene.GetNumberOfNodesByClass("vtkMRMLSliceNode")):
        node = scene.GetNthNodeByClass(index, "vtkMRMLSliceNode")
        if node.GetLayoutName() == name:
            return node
    return None


def set_slice(node: Any, slice_to_ras: NDArray, field_of_view_mm: float | None = None) -> None:
    """Place a slice view; with a field of view the picture gets that height, mm."""
    with slicer.util.NodeModify(node):
        node.GetSliceToRAS().DeepCopy(vtk_matrix(slice_to_ras))
        node.UpdateMatrices()
        if field_of_view_mm is not None:
            width, height = node.GetDimensions()[:2]
            node.SetXYZOrigin(0.0, 0.0, 0.0)
            node.SetFieldOfView(field_of_view_mm * width / max(1, height), field_of_view_mm, node.GetFieldOfView()[2])
            node.UpdateMatrices()


@dataclass
class _Saved:
    matrix: NDArray[np.float64]
    field_of_view: tuple[float, ...]
    origin: tuple[float, ...]


def _as_it_was(node: Any) -> _Saved:
    """A slice view as it is; one that a scene was saved with at a needle as it was before, in the size that it has now."""
    state, _ = _read(node.GetAttribute(NEEDLE_VIEW) or "")
    if state is None:
        if node.GetAttribute(NEEDLE_VIEW) is not None:
            node.SetOrientation(node.GetDefaultOrientation())
        return _Saved(matrix_array(node.GetSliceToRAS()), node.GetFieldOfView(), node.GetXYZOrigin())
    (width, height), (_, tall, thick) = node.GetDimensions()[:2], state.field_of_view
    return _Saved(state.matrix, (tall * width / max(1, height), tall, thick), state.origin)


def _text(state: _Saved, arrangement: int | None) -> str:
    layout = NO_LAYOUT if arrangement is None else arrangement
    return " ".join(str(float(one)) for one in (layout, *state.matrix.ravel(), *state.field_of_view, *state.origin))


def _read(text: str) -> tuple[_Saved | None, int | None]:
    """What :func:`_text` wrote; None of either from any other text."""
    try:
        numbers = [float(word) for word in text.split()]
    except ValueError:
        return None, None
    if len(numbers) != 23 or not np.all(np.isfinite(numbers)):
        return None, None
    layout, matrix, others = int(numbers[0]), np.reshape(numbers[1:17], (4, 4)), tuple(numbers[17:])
    return _Saved(matrix, others[:3], others[3:]), None if layout == NO_LAYOUT else layout


class ViewKeeper:
    """Puts the needle views on and the views back as they were before."""

    def __init__(self, scene: Any) -> None:
        self._scene = scene
        self._saved: dict[str, _Saved] = {}
        self._arrangement: int | None = None

    @property
    def shown(self) -> bool:
        """Whether the needle views are on."""
        return bool(self._saved) or self._arrangement is not None

    def show(self, entry_ras: ArrayLike, target_ras: ArrayLike, depth_mm: float, keep_zoom: bool = False) -> None:
        """Put the needle views on. The views of before are kept until :meth:`restore`.

        Args:
            keep_zoom: leave layout and fields of view as they are: only the slices move.
        """
        layout = self._layout()
        if layout is not None and self._arrangement is None:
            self._arrangement = layout.GetViewArrangement()
        if layout is not None and not keep_zoom:
            layout.SetViewArrangement(layout.SlicerLayoutFourUpView)
        for name, matrix in (
            (ACROSS, across_needle(entry_ras, target_ras, depth_mm)),
            (ALONG_AXIAL, along_needle_axial(entry_ras, target_ras)),
            (ALONG_SAGITTAL, along_needle_sagittal(entry_ras, target_ras)),
        ):
            node = slice_node(self._scene, name)
            if node is None:
                continue
            if name not in self._saved:
                self._saved[name] = state = _as_it_was(node)
                node.SetAttribute(NEEDLE_VIEW, _text(state, self._arrangement))
            set_slice(node, matrix, None if keep_zoom else FIELD_OF_VIEW_MM)

    def set_depth(self, entry_ras: ArrayLike, target_ras: ArrayLike, depth_mm: float) -> None:
        """Move the slice across the needle; its field of view stays as the user has it."""
        node = slice_node(self._scene, ACROSS)
        if node is not None:
            set_slice(node, across_needle(entry_ras, target_ras, depth_mm))

    def restore(self) -> None:
        """The views as they were; nothing where the needle views are not on."""
        for name, state in self._saved.items():
            node = slice_node(self._scene, name)
            if node is None:
                continue
            with slicer.util.NodeModify(node):
                node.GetSliceToRAS().DeepCopy(vtk_matrix(state.matrix))
                node.SetXYZOrigin(*state.origin)
                node.SetFieldOfView(*state.field_of_view)
                node.UpdateMatrices()
                node.RemoveAttribute(NEEDLE_VIEW)
        layout = self._layout()
        if layout is not None and self._arrangement is not None:
            layout.SetViewArrangement(self._arrangement)
        self.forget()

    def restore_left(self) -> None:
        """Views that a scene was saved with at a needle, as they were before; nothing while the needle views are on."""
        if self.shown:
            return
        for index in range(self._scene.GetNumberOfNodesByClass("vtkMRMLSliceNode")):
            node = self._scene.GetNthNodeByClass(index, "vtkMRMLSliceNode")
            text = node.GetAttribute(NEEDLE_VIEW)
            if text is not None:
                self._saved[node.GetLayoutName()] = _as_it_was(node)
                _, layout = _read(text)
                self._arrangement = layout if self._arrangement is None else self._arrangement
        self.restore()

    def forget(self) -> None:
        """Drop what was kept (the scene was closed: its views were reset)."""
        self._saved.clear()
        self._arrangement = None

    def _layout(self) -> Any:
        return self._scene.GetFirstNodeByClass("vtkMRMLLayoutNode")


def center_slices(scene: Any, point_ras: ArrayLike) -> None:
    """Bring every slice view through a point and centre it there."""
    x, y, z = (float(value) for value in np.asarray(point_ras, float))
    for index in range(scene.GetNumberOfNodesByClass("vtkMRMLSliceNode")):
        scene.GetNthNodeByClass(index, "vtkMRMLSliceNode").JumpSliceByCentering(x, y, z)
