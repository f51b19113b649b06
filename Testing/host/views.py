"""Slice and 3D views of the scene, rendered off screen by Slicer's own displayable managers.

Stands for ``Libs/MRML/Widgets/qMRMLSliceView.cxx`` and ``qMRMLThreeDView.cxx``: a render window, its displayable
managers and the slice or view logic; and for the part of ``qMRMLLayoutManager.h`` that hands them out.
"""

from __future__ import annotations

from typing import Any

import slicer
import slicer.util
import vtk

SLICE_MANAGERS = (
    "vtkMRMLModelSliceDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager2D",
    "vtkMRMLMarkupsDisplayableManager",
)
THREE_D_MANAGERS = (
    "vtkMRMLCameraDisplayableManager",
    "vtkMRMLViewDisplayableManager",
    "vtkMRMLModelDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager3D",
    "vtkMRMLMarkupsDisplayableManager",
)


class _View:
    """A render window with a group of displayable managers."""

    visible = True

    def __init__(self, factory: Any, managers: tuple[str, ...], application: Any, size: tuple[int, int]) -> None:
        self.renderer = vtk.vtkRenderer()
        self._window = vtk.vtkRenderWindow()
        self._window.SetOffScreenRendering(1)
        self._window.SetMultiSamples(0)
        self._window.SetAlphaBitPlanes(1)
        self._window.SetSize(*size)
        self._window.AddRenderer(self.renderer)
        self._interactor = vtk.vtkRenderWindowInteractor()
        self._interactor.SetRenderWindow(self._window)
        self._interactor.SetInteractorStyle(vtk.vtkInteractorStyleUser())
        self._interactor.Initialize()
        factory = factory.GetInstance()
        factory.SetMRMLApplicationLogic(application)
        for name in managers:
            if not factory.IsDisplayableManagerRegistered(name):
                factory.RegisterDisplayableManager(name)
        self.managers = slicer.vtkMRMLDisplayableManagerGroup()
        self.managers.Initialize(factory, self.renderer)

    def renderWindow(self) -> Any:  # noqa: N802 - ctkVTKAbstractView.h
        return self._window

    def forceRender(self) -> None:  # noqa: N802 - ctkVTKAbstractView.h
        self._window.Render()


class SliceView(_View):
    """One slice view of the scene, by its layout name ("Red" …)."""

    def __init__(self, name: str, application: Any, size: tuple[int, int] = (480, 480)) -> None:
        super().__init__(slicer.vtkMRMLSliceViewDisplayableManagerFactory, SLICE_MANAGERS, application, size)
        self.renderer.GetActiveCamera().ParallelProjectionOn()
        self._mapper = vtk.vtkImageMapper()
        self._mapper.SetColorWindow(255)
        self._mapper.SetColorLevel(127.5)
        actor = vtk.vtkActor2D()
        actor.SetMapper(self._mapper)
        actor.GetProperty().SetDisplayLocationToBackground()
        self._actor = actor
        self.logic = slicer.vtkMRMLSliceLogic()
        self.logic.SetMRMLApplicationLogic(application)
        self.logic.SetMRMLScene(slicer.mrmlScene)
        self.node = next(
            (node for node in slicer.util.getNodesByClass("vtkMRMLSliceNode") if node.GetLayoutName() == name), None
        )
        if self.node is None:
            self.node = self.logic.AddSliceNode(name)
        else:
            self.logic.SetSliceNode(self.node)
        self.node.SetMappedInLayout(True)
        self.managers.SetMRMLDisplayableNode(self.node)
        self.logic.ResizeSliceNode(*size)

    def forceRender(self) -> None:  # noqa: N802
        connection = self.logic.GetImageDataConnection()
        if connection is not None:
            self._mapper.SetInputConnection(connection)
            if not self.renderer.HasViewProp(self._actor):
                self.renderer.AddViewProp(self._actor)
        super().forceRender()

    def mrmlSliceNode(self) -> Any:  # noqa: N802 - qMRMLSliceView.h
        return self.node

    def show(self, volume: Any) -> None:
        """Show a volume in the background, fitted into the view."""
        self.logic.GetSliceCompositeNode().SetBackgroundVolumeID(volume.GetID())
        self.logic.FitSliceToBackground()


class ThreeDView(_View):
    """The 3D view of the scene."""

    def __init__(self, application: Any, size: tuple[int, int] = (480, 480)) -> None:
        super().__init__(slicer.vtkMRMLThreeDViewDisplayableManagerFactory, THREE_D_MANAGERS, application, size)
        self.renderer.SetUseDepthPeeling(True)
        self.logic = slicer.vtkMRMLViewLogic()
        self.logic.SetMRMLApplicationLogic(application)
        self.logic.SetMRMLScene(slicer.mrmlScene)
        self.node = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLViewNode") or self.logic.AddViewNode("1")
        self.node.SetMappedInLayout(True)
        self.node.SetBoxVisible(False)
        self.node.SetAxisLabelsVisible(False)
        self.managers.SetMRMLDisplayableNode(self.node)

    def mrmlViewNode(self) -> Any:  # noqa: N802 - qMRMLThreeDView.h
        return self.node

    def look(self, focus: Any, position: Any, up: Any, height_mm: float) -> None:
        """Place the camera; ``height_mm`` is what fits into the view."""
        camera = self.renderer.GetActiveCamera()
        camera.SetFocalPoint(*focus)
        camera.SetPosition(*position)
        camera.SetViewUp(*up)
        camera.ParallelProjectionOn()
        camera.SetParallelScale(height_mm / 2)
        self.renderer.ResetCameraClippingRange()


class LayoutManager:
    """``qMRMLLayoutManager.h``: ``sliceViewNames``, ``sliceWidget``, ``threeDViewCount``, ``threeDWidget``,
    ``mrmlSliceLogics``, ``resetThreeDViews``."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self._slices: dict[str, SliceView] = {}
        self._three_d: ThreeDView | None = None
        self.threeDViewCount = 1

    def sliceViewNames(self) -> tuple[str, ...]:  # noqa: N802
        return ("Red", "Yellow", "Green")

    def sliceWidget(self, name: str) -> Any:  # noqa: N802
        if name not in self._slices:
            self._slices[name] = SliceView(name, self._application)
        return _Widget(sliceView=self._slices[name])

    def show(self) -> None:
        """Make all views now; the application's are there when it starts."""
        for name in self.sliceViewNames():
            self.sliceWidget(name)
        self.threeDWidget(0)

    def mrmlSliceLogics(self) -> Any:  # noqa: N802
        logics = vtk.vtkCollection()
        for name in self.sliceViewNames():
            logics.AddItem(self.sliceWidget(name).sliceView().logic)
        return logics

    def resetThreeDViews(self) -> None:  # noqa: N802
        view = self.threeDWidget(0).threeDView()
        view.forceRender()
        view.renderer.ResetCamera()
        view.renderer.ResetCameraClippingRange()

    def threeDWidget(self, _number: int) -> Any:  # noqa: N802
        if self._three_d is None:
            self._three_d = ThreeDView(self._application)
        return _Widget(threeDView=self._three_d)


class _Widget:
    def __init__(self, **views: Any) -> None:
        for name, view in views.items():
            setattr(self, name, lambda view=view: view)


def save_picture(view: _View, path: str) -> None:
    """Render and write a PNG."""
    view.forceRender()
    grabber = vtk.vtkWindowToImageFilter()
    grabber.SetInput(view.renderWindow())
    grabber.ReadFrontBufferOff()
    writer = vtk.vtkPNGWriter()
    writer.SetInputConnection(grabber.GetOutputPort())
    writer.SetFileName(path)
    writer.Write()
