"""The 3D view of a level, rendered off-screen: bone, canal, needles, balloons."""

from __future__ import annotations

import ctypes

import numpy as np
from numpy.typing import ArrayLike, NDArray
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkObject
from vtkmodules.vtkCommonDataModel import vtkPolyData
from vtkmodules.vtkRenderingCore import (
    vtkActor,
    vtkPolyDataMapper,
    vtkRenderer,
    vtkRenderWindow,
    vtkWindowToImageFilter,
)

from ..model import InputError, LevelPlan, Spine, Vertebra
from ..model.geometry import unit
from ..model.palette import BALLOON, BONE, CANAL, rgb, safety_colour
from ..model.solids import balloon_surface
from . import svg
from .carm import body_centre_ras
from .fluoroscopy import picture_letters
from .picture import Picture, encode_png
from .surfaces import bone_surface, canal_surface, needle_surface

VIEW_ANGLES_DEG = (-14.0, 50.0)
"""Azimuth from behind towards the left, and elevation: the needles open like a V around the canal."""
VIEW_HEIGHT_MM = 105.0
"""Least height of the picture; it grows where needles need more."""
KEPT_SHARE = 0.8
"""Share of that height, around the vertebra, that stays in the picture when it moves and grows for the needles."""
NEEDLE_EDGE_MM = 2.0
"""Room between a needle's end and the picture's edge."""
EYE_MM = 600.0
"""From the eye to the middle of the picture."""
BACKGROUND = "#1E2126"
BONE_OPACITY, NEIGHBOUR_OPACITY, CANAL_OPACITY = 0.38, 0.10, 0.55
NEIGHBOUR_STRIDE = 2
"""Neighbours are drawn from every second voxel: at a tenth of opacity nobody sees it, and half of the time is theirs."""
AMBIENT = 0.3
"""Light from everywhere, so that a needle's colour is told also on its shaded side."""
WIDTH_PX, HEIGHT_PX = 560, 560
"""Of the picture."""

PEELS = 6
"""Layers of transparency told apart: bone, canal and balloon, front and back. Each costs one rendering in software."""
OSMESA_LIBRARIES = ("libOSMesa.so.8", "libOSMesa.so.6", "libOSMesa.so", "osmesa.dll")
"""The names under which VTK looks for its last resort, software rendering without display or EGL."""


class GraphicsUnavailable(RuntimeError):
    """No OpenGL context could be made, not even a software one; the 3D picture has to be left out."""


def view3d_picture(spine: Spine, level_plan: LevelPlan) -> Picture:
    """A level with its neighbours, needles and balloons, seen from behind and above.

    Raises:
        InputError: the level is incomplete.
        GraphicsUnavailable: no OpenGL on this machine.
    """
    vertebra = spine.vertebrae[level_plan.level]
    if vertebra.frame is None or vertebra.bone_mm is None:
        raise InputError(f"{vertebra.level} is incomplete; it has no 3D view.")
    renderer = _renderer()
    centre = body_centre_ras(vertebra) - 10 * vertebra.frame.anterior
    right, up = _aim(renderer, vertebra, centre)
    needles = [needle_surface(trajectory) for trajectory in level_plan.trajectories]
    centre, height_mm = _fitted(centre, right, up, needles, WIDTH_PX / HEIGHT_PX)
    _aim(renderer, vertebra, centre, height_mm)
    for level, other in spine.complete().items():
        planned = level == vertebra.level
        if not _in_view(other, centre, right, up, WIDTH_PX / HEIGHT_PX, height_mm):
            continue
        surface = bone_surface(other, 1 if planned else NEIGHBOUR_STRIDE)
        _add(renderer, surface, BONE, BONE_OPACITY if planned else NEIGHBOUR_OPACITY)
    if vertebra.canal_mm is not None:
        _add(renderer, canal_surface(vertebra), CANAL, CANAL_OPACITY)
    for trajectory, needle in zip(level_plan.trajectories, needles, strict=True):
        _add(renderer, needle, safety_colour(trajectory.safety), 1.0)
        if trajectory.balloon is not None:
            _add(renderer, balloon_surface(trajectory.balloon), BALLOON, 0.75)
    renderer.ResetCameraClippingRange()
    pixels = _render(renderer, WIDTH_PX, HEIGHT_PX)
    left_letter, right_letter, top_letter, _ = picture_letters(right, up)
    size = svg.text_size(WIDTH_PX)
    rows = [(f"{t.side} {t.cannula} – {t.safety}", safety_colour(t.safety)) for t in level_plan.trajectories]
    rows.append(("canal", CANAL))
    if any(t.balloon is not None for t in level_plan.trajectories):
        rows.append(("balloon", BALLOON))
    overlay = (
        svg.text(
            0.02 * WIDTH_PX,
            1.4 * size,
            f"{vertebra.level} · from behind and above",
            size=size,
            anchor="start",
            bold=True,
        )
        + svg.legend(0.02 * WIDTH_PX, HEIGHT_PX - (len(rows) - 0.5) * 1.2 * size, rows, 0.9 * size)
        + svg.orientation_letters(WIDTH_PX, HEIGHT_PX, left_letter, right_letter, "")
        + svg.text(0.94 * WIDTH_PX, 1.6 * size, top_letter, size=1.15 * size, bold=True)
    )
    with_needles = ("", " with its needle", " with its needles")[min(len(needles), 2)]
    return Picture(
        encode_png(pixels),
        WIDTH_PX,
        HEIGHT_PX,
        None,
        overlay,
        f"{vertebra.level}{with_needles}, seen from behind and above; the canal is blue.",
        f"3D view of {vertebra.level}{with_needles}.",
    )


def _register_opengl() -> None:
    """The OpenGL factory registers on import; renderers, actors and windows made before are stubs that draw nothing.

    Raises:
        GraphicsUnavailable: VTK without OpenGL.
    """
    try:
        import vtkmodules.vtkRenderingOpenGL2  # noqa: F401
    except ImportError as error:
        raise GraphicsUnavailable(f"This VTK has no OpenGL renderer ({error}); the 3D picture is left out.") from error


def _renderer() -> vtkRenderer:
    """An empty scene.

    Raises:
        GraphicsUnavailable: VTK without OpenGL.
    """
    _register_opengl()
    renderer = vtkRenderer()
    renderer.SetBackground(*rgb(BACKGROUND))
    return renderer


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


def _fitted(
    centre: NDArray, right: NDArray, up: NDArray, surfaces: list[vtkPolyData], aspect: float
) -> tuple[NDArray, float]:
    """Middle, RAS mm, and height, mm, of a picture that holds the vertebra and the whole of the surfaces.

    Args:
        centre: (3,) usual middle of the picture.
        right, up: (3,) directions of the picture.
        aspect: width by height of the picture.
    """
    if not surfaces:
        return centre, VIEW_HEIGHT_MM
    kept = KEPT_SHARE * VIEW_HEIGHT_MM / 2 * np.array([[-aspect, -1.0, 0.0], [aspect, 1.0, 0.0]])
    offset = np.concatenate([vtk_to_numpy(surface.GetPoints().GetData()) for surface in surfaces]) - centre
    points = np.concatenate([kept, offset @ np.stack([right, up, np.cross(right, up)], axis=1)])
    nearer = 1 - points[:, 2:] / EYE_MM  # what is nearer to the eye is drawn further out
    seen = points[:, :2] / nearer
    middle = (seen.min(axis=0) + seen.max(axis=0)) / 2
    # The eye moves with the middle, and each point by its own share of that.
    reach = np.abs(seen - middle / nearer).max(axis=0) + NEEDLE_EDGE_MM
    height = max(VIEW_HEIGHT_MM, float(np.max(2 * reach / [aspect, 1.0])))
    return centre + middle @ np.stack([right, up]), height


def _aim(
    renderer: vtkRenderer,
    vertebra: Vertebra,
    centre: ArrayLike,
    height_mm: float = VIEW_HEIGHT_MM,
) -> tuple[NDArray, NDArray]:
    """Point the camera at the level; returns the picture's right and upward directions, RAS."""
    frame = vertebra.frame
    if frame is None:
        raise InputError(f"{vertebra.level} is incomplete; it has no 3D view.")
    azimuth, elevation = np.radians(VIEW_ANGLES_DEG)
    from_centre = frame.direction_to_ras(
        [np.sin(azimuth) * np.cos(elevation), -np.cos(azimuth) * np.cos(elevation), np.sin(elevation)]
    )
    up = unit(frame.superior - (frame.superior @ from_centre) * from_centre)
    centre = np.asarray(centre, float)
    camera = renderer.GetActiveCamera()
    camera.SetFocalPoint(*centre)
    camera.SetPosition(*(centre + EYE_MM * from_centre))
    camera.SetViewUp(*up)
    camera.SetViewAngle(2 * np.degrees(np.arctan(height_mm / 2 / EYE_MM)))
    return np.cross(up, from_centre), up


def _in_view(
    vertebra: Vertebra,
    centre: NDArray,
    right: NDArray,
    up: NDArray,
    aspect: float,
    height_mm: float = VIEW_HEIGHT_MM,
) -> bool:
    """Whether the picture can show any of a vertebra's grid: of a whole spine most levels are far outside, and drawing
    their surfaces takes as long as drawing those that are seen."""
    grid, frame = vertebra.grid, vertebra.frame
    if grid is None or frame is None:
        return False
    ends = np.array(np.meshgrid(*zip(np.zeros(3), np.array(grid.shape) - 1.0, strict=True))).reshape(3, 8).T
    offset = frame.to_ras(grid.to_local(ends)) - centre
    # Nearer to the eye a point is drawn further out; behind the eye nothing of a spine can lie.
    half = height_mm / 2 * (1 - offset @ np.cross(right, up) / EYE_MM)
    beyond = [sign * (offset @ axis) > width * half for axis, width in ((right, aspect), (up, 1.0)) for sign in (1, -1)]
    return not any(np.all(outside) for outside in beyond)


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
    renderer.SetMaximumNumberOfPeels(PEELS)
    renderer.SetUseFXAA(True)
    window.AddRenderer(renderer)
    try:
        window.Render()
        grab = vtkWindowToImageFilter()
        grab.SetInput(window)
        grab.ReadFrontBufferOff()
        grab.ShouldRerenderOff()
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
    _register_opengl()
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
