"""The 3D view of a level, rendered off-screen: bone, canal, needles, balloons."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkObject, vtkPoints
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkImageData, vtkPolyData
from vtkmodules.vtkCommonExecutionModel import vtkAlgorithmOutput
from vtkmodules.vtkCommonTransforms import vtkTransform
from vtkmodules.vtkFiltersCore import vtkFlyingEdges3D, vtkPolyDataNormals, vtkTubeFilter, vtkWindowedSincPolyDataFilter
from vtkmodules.vtkFiltersGeneral import vtkTransformPolyDataFilter
from vtkmodules.vtkFiltersSources import vtkSphereSource
from vtkmodules.vtkRenderingCore import (
    vtkActor,
    vtkPolyDataMapper,
    vtkRenderer,
    vtkRenderWindow,
    vtkWindowToImageFilter,
)

from ..model import BalloonPlan, InputError, LevelPlan, Spine, Trajectory, Vertebra
from ..model.geometry import unit
from ..model.palette import BALLOON, BONE, CANAL, CEMENT, rgb, safety_colour
from . import svg
from .carm import body_centre_ras
from .fluoroscopy import picture_letters
from .overlay import perpendicular_pair
from .picture import Picture, encode_png

VIEW_ANGLES_DEG = (-14.0, 50.0)
"""Azimuth from behind towards the left, and elevation: the needles open like a V around the canal."""
VIEW_HEIGHT_MM = 105.0
SHAFT_MM = 55.0
"""Shaft drawn outside the entry point."""
HALF_DISC_MM = 4.0
BACKGROUND = "#1E2126"
BONE_OPACITY, NEIGHBOUR_OPACITY, CANAL_OPACITY = 0.38, 0.10, 0.55
AMBIENT = 0.3
"""Light from everywhere, so that a needle's colour is told also on its shaded side."""
OSMESA_LIBRARIES = ("libOSMesa.so.8", "libOSMesa.so.6", "libOSMesa.so", "osmesa.dll")
"""The names under which VTK looks for its last resort, software rendering without display or EGL."""


class GraphicsUnavailable(RuntimeError):
    """No OpenGL context could be made, not even a software one; the 3D picture has to be left out."""


def view3d_picture(
    spine: Spine,
    level_plan: LevelPlan,
    *,
    cement: Iterable[vtkPolyData] = (),
    width_px: int = 560,
    height_px: int = 560,
    azimuth_deg: float = VIEW_ANGLES_DEG[0],
    elevation_deg: float = VIEW_ANGLES_DEG[1],
) -> Picture:
    """A level with its neighbours, needles and balloons, seen from behind and above.

    Args:
        cement: surfaces of cement, RAS mm.

    Raises:
        InputError: the level is incomplete.
        GraphicsUnavailable: no OpenGL on this machine.
    """
    vertebra = spine.vertebrae[level_plan.level]
    if vertebra.frame is None or vertebra.bone_mm is None:
        raise InputError(f"{vertebra.level} is incomplete; it has no 3D view.")
    renderer = vtkRenderer()
    renderer.SetBackground(*rgb(BACKGROUND))
    for level, other in spine.complete().items():
        _add(renderer, bone_surface(other), BONE, BONE_OPACITY if level == vertebra.level else NEIGHBOUR_OPACITY)
    if vertebra.canal_mm is not None:
        _add(renderer, canal_surface(vertebra), CANAL, CANAL_OPACITY)
    for trajectory in level_plan.trajectories:
        _add(renderer, needle_surface(trajectory), safety_colour(trajectory.safety), 1.0)
        if trajectory.balloon is not None:
            _add(renderer, balloon_surface(trajectory.balloon), BALLOON, 0.75)
    for surface in cement:
        _add(renderer, surface, CEMENT, 0.6)
    centre = body_centre_ras(vertebra) - 10 * vertebra.frame.anterior
    right, up = _aim(renderer, vertebra, centre, azimuth_deg, elevation_deg)
    pixels = _render(renderer, width_px, height_px)
    left_letter, right_letter, top_letter, _ = picture_letters(right, up)
    size = width_px / 30
    rows = [(f"{t.side} {t.cannula} – {t.safety}", safety_colour(t.safety)) for t in level_plan.trajectories]
    rows.append(("canal", CANAL))
    if any(t.balloon is not None for t in level_plan.trajectories):
        rows.append(("balloon", BALLOON))
    overlay = (
        svg.text(
            0.02 * width_px,
            1.4 * size,
            f"{vertebra.level} · from behind and above",
            size=size,
            anchor="start",
            bold=True,
        )
        + svg.legend(0.02 * width_px, height_px - (len(rows) - 0.5) * 1.2 * size, rows, 0.9 * size)
        + svg.orientation_letters(width_px, height_px, left_letter, right_letter, "", "")
        + svg.text(0.94 * width_px, 1.6 * size, top_letter, size=1.15 * size, bold=True)
    )
    return Picture(
        encode_png(pixels),
        width_px,
        height_px,
        None,
        overlay,
        f"{vertebra.level} with its needles, seen from behind and above; the canal is blue.",
        f"3D view of {vertebra.level} with {len(level_plan.trajectories)} needle(s).",
    )


def bone_surface(vertebra: Vertebra) -> vtkPolyData:
    """The labelled surface of a vertebra, RAS mm, lightly smoothed.

    Raises:
        InputError: the vertebra is incomplete.
    """
    if vertebra.bone_mm is None:
        raise InputError(f"{vertebra.level} is incomplete; it has no surface.")
    return _field_surface(vertebra, vertebra.bone_mm)


def canal_surface(vertebra: Vertebra) -> vtkPolyData:
    """The canal of one level, RAS mm, cut a disc's half beyond the end plates so that levels don't overlap.

    Raises:
        InputError: the vertebra is incomplete or its canal could not be built.
    """
    if vertebra.canal_mm is None or vertebra.grid is None or vertebra.superior is None or vertebra.inferior is None:
        raise InputError(f"{vertebra.level} has no canal to show: {vertebra.canal_reason or 'it is incomplete'}.")
    z = vertebra.grid.axes[2]
    low, high = vertebra.inferior.centre[2] - HALF_DISC_MM, vertebra.superior.centre[2] + HALF_DISC_MM
    return _field_surface(vertebra, np.minimum(-vertebra.canal_mm, np.minimum(z - low, high - z)))


def needle_surface(trajectory: Trajectory, shaft_mm: float = SHAFT_MM) -> vtkPolyData:
    """The cannula as a capped tube of its true diameter, RAS mm, from ``shaft_mm`` outside the entry to the target."""
    entry, target = np.asarray(trajectory.entry_ras, float), np.asarray(trajectory.target_ras, float)
    points = vtkPoints()
    points.InsertNextPoint(*(entry - shaft_mm * unit(target - entry)))
    points.InsertNextPoint(*target)
    lines = vtkCellArray()
    lines.InsertNextCell(2)
    lines.InsertCellPoint(0)
    lines.InsertCellPoint(1)
    line = vtkPolyData()
    line.SetPoints(points)
    line.SetLines(lines)
    tube = vtkTubeFilter()
    tube.SetInputData(line)
    tube.SetRadius(trajectory.cannula_outer_diameter_mm / 2)
    tube.SetNumberOfSides(32)
    tube.CappingOn()
    tube.Update()
    return tube.GetOutput()


def balloon_surface(balloon: BalloonPlan) -> vtkPolyData:
    """The inflated balloon as a spheroid of its planned diameter and length, RAS mm."""
    proximal, distal = np.asarray(balloon.proximal_ras, float), np.asarray(balloon.distal_ras, float)
    axis = unit(distal - proximal)
    first, second = perpendicular_pair(axis)
    length = balloon.planned_length_mm or balloon.length_mm
    radius = balloon.planned_diameter_mm / 2
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([radius * first, radius * second, length / 2 * axis], axis=1)
    matrix[:3, 3] = balloon.centre_ras
    sphere = vtkSphereSource()
    sphere.SetRadius(1.0)
    sphere.SetThetaResolution(48)
    sphere.SetPhiResolution(32)
    return _transformed(sphere.GetOutputPort(), matrix)


def _field_surface(vertebra: Vertebra, positive_inside: NDArray) -> vtkPolyData:
    """Zero surface of an array on the vertebra's grid, RAS mm; closed at the grid's border."""
    grid, frame = vertebra.grid, vertebra.frame
    if grid is None or frame is None:
        raise InputError(f"{vertebra.level} is incomplete; it has no surface.")
    values = np.pad(np.asarray(positive_inside, np.float32), 1, constant_values=-grid.spacing_mm)
    image = vtkImageData()
    image.SetDimensions(*values.shape)
    image.GetPointData().SetScalars(numpy_to_vtk(values.ravel(order="F"), deep=True))
    edges = vtkFlyingEdges3D()
    edges.SetInputData(image)
    edges.SetValue(0, 0.0)
    smooth = vtkWindowedSincPolyDataFilter()
    smooth.SetInputConnection(edges.GetOutputPort())
    smooth.SetNumberOfIterations(12)
    smooth.SetPassBand(0.15)
    matrix = np.eye(4)
    matrix[:3, :3] = frame.rows.T * grid.spacing_mm
    matrix[:3, 3] = frame.to_ras(grid.to_local([-1.0, -1.0, -1.0]))
    return _transformed(smooth.GetOutputPort(), matrix)


def _transformed(port: vtkAlgorithmOutput, matrix: NDArray) -> vtkPolyData:
    transform = vtkTransform()
    transform.SetMatrix(matrix.ravel().tolist())
    moved = vtkTransformPolyDataFilter()
    moved.SetInputConnection(port)
    moved.SetTransform(transform)
    normals = vtkPolyDataNormals()
    normals.SetInputConnection(moved.GetOutputPort())
    normals.SplittingOff()
    normals.Update()
    return normals.GetOutput()


def _add(renderer: vtkRenderer, surface: vtkPolyData, colour: str, opacity: float) -> None:
    mapper = vtkPolyDataMapper()
    mapper.SetInputData(surface)
    mapper.ScalarVisibilityOff()
    actor = vtkActor()
    actor.SetMapper(mapper)
    look = actor.GetProperty()
    look.SetColor(*rgb(colour))
    look.SetOpacity(opacity)
    look.SetAmbient(AMBIENT)
    look.SetSpecular(0.25)
    look.SetSpecularPower(25)
    renderer.AddActor(actor)


def _aim(
    renderer: vtkRenderer, vertebra: Vertebra, centre: ArrayLike, azimuth_deg: float, elevation_deg: float
) -> tuple[NDArray, NDArray]:
    """Point the camera at the level; returns the picture's right and upward directions, RAS."""
    frame = vertebra.frame
    if frame is None:
        raise InputError(f"{vertebra.level} is incomplete; it has no 3D view.")
    azimuth, elevation = np.radians([azimuth_deg, elevation_deg])
    from_centre = frame.direction_to_ras(
        [np.sin(azimuth) * np.cos(elevation), -np.cos(azimuth) * np.cos(elevation), np.sin(elevation)]
    )
    up = unit(frame.superior - (frame.superior @ from_centre) * from_centre)
    centre = np.asarray(centre, float)
    camera = renderer.GetActiveCamera()
    camera.SetFocalPoint(*centre)
    camera.SetPosition(*(centre + 600 * from_centre))
    camera.SetViewUp(*up)
    camera.SetViewAngle(2 * np.degrees(np.arctan(VIEW_HEIGHT_MM / 2 / 600)))
    renderer.ResetCameraClippingRange()
    return np.cross(up, from_centre), up


def _render(renderer: vtkRenderer, width_px: int, height_px: int) -> NDArray[np.uint8]:
    """(rows, columns, 3) pixels.

    Raises:
        GraphicsUnavailable: no OpenGL on this machine.
    """
    window = _window()
    window.SetOffScreenRendering(1)
    window.SetSize(width_px, height_px)
    window.SetMultiSamples(0)
    window.SetAlphaBitPlanes(1)
    renderer.SetUseDepthPeeling(1)
    renderer.SetMaximumNumberOfPeels(12)
    renderer.SetUseFXAA(True)
    window.AddRenderer(renderer)
    try:
        window.Render()
        grab = vtkWindowToImageFilter()
        grab.SetInput(window)
        grab.ReadFrontBufferOff()
        grab.Update()
        image = grab.GetOutput()
        columns, rows, _ = image.GetDimensions()
        scalars = image.GetPointData().GetScalars()
        if scalars is None or columns * rows == 0:
            raise GraphicsUnavailable("The off-screen renderer gave no picture; the 3D picture is left out.")
        return np.ascontiguousarray(vtk_to_numpy(scalars).reshape(rows, columns, 3)[::-1])
    finally:
        window.Finalize()


def _window() -> vtkRenderWindow:
    """A render window that will not crash.

    VTK tries the display, then EGL, then OSMesa. Its last resort is handed out without a check that the library is
    there, and rendering into it ends the process; so that check is made here.

    Raises:
        GraphicsUnavailable: nothing to render with.
    """
    try:
        # The OpenGL factory registers on import; without it a render window is only a stub.
        import vtkmodules.vtkRenderingOpenGL2  # noqa: F401
    except ImportError as error:
        raise GraphicsUnavailable(f"This VTK has no OpenGL renderer ({error}); the 3D picture is left out.") from error
    # A missing display is the rule on a server and no news.
    warned = vtkObject.GetGlobalWarningDisplay()
    vtkObject.GlobalWarningDisplayOff()
    try:
        window = vtkRenderWindow()
    finally:
        vtkObject.SetGlobalWarningDisplay(warned)
    if window.GetClassName() == "vtkOSOpenGLRenderWindow" and not any(_loads(name) for name in OSMESA_LIBRARIES):
        raise GraphicsUnavailable(
            "There is no OpenGL on this machine (no display, no EGL, no OSMesa), so the 3D picture is left out; "
            "installing libegl1 or libosmesa6 brings it back."
        )
    return window


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
