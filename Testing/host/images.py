"""``slicer.qMRMLUtils``: pictures of VTK handed to Qt."""

from __future__ import annotations

from typing import Any

from PySide6.QtGui import QImage
from vtkmodules.util import numpy_support
from vtkmodules.util.vtkConstants import VTK_UNSIGNED_CHAR

FORMATS = {1: QImage.Format.Format_Grayscale8, 3: QImage.Format.Format_RGB888, 4: QImage.Format.Format_RGBA8888}


class qMRMLUtils:  # noqa: N801 - Slicer's name
    """``Libs/MRML/Widgets/qMRMLUtils.cxx``, as ``Modules/Scripted/DataProbe/DataProbe.py`` uses it."""

    def vtkImageDataToQImage(self, data: Any, image: Any) -> bool:  # noqa: N802
        """CTK ``ctkVTKWidgetsUtils.cpp``, ``vtkImageDataToQImage``: 8-bit, 1, 3 or 4 components, else a null image;
        turned upside down. The picture is written into the ``QImage`` that is given (``QImage&``)."""
        scalars = data.GetPointData().GetScalars() if data is not None else None
        native = QImage()
        if scalars is not None and scalars.GetDataType() == VTK_UNSIGNED_CHAR:
            columns, rows, _ = data.GetDimensions()
            parts = scalars.GetNumberOfComponents()
            if parts in FORMATS:
                raw = numpy_support.vtk_to_numpy(scalars).reshape(rows, columns * parts)[::-1].tobytes()
                native = QImage(raw, columns, rows, columns * parts, FORMATS[parts]).copy()
        image.__dict__["_native"] = native
        return not native.isNull()
